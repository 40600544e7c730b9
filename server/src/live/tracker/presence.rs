//! Whether couriers share their position, as they said last.

use doorstep_shared::{
    CourierId, OrderId,
    protocol::customer::{CustomerEvent, Presence},
};

use super::{
    Heard, Tracker,
    courier_state::{CourierState, replaces},
};
use crate::{
    domain::{fleet::FleetChange, track::duty::OffDuty},
    live::{hub::LiveEvent, outbox::Outbox},
};

impl Tracker {
    /// Notes whether a courier shares their position, and tells dispatchers and viewers. A presence older than the
    /// known one changes nothing, and nobody is told twice. `false` when nothing is known of the courier: load
    /// them first. Not for callers who want it stored: see [`crate::service::presence::Presences`].
    pub fn set_presence(&self, courier: CourierId, presence: Presence, heard: Heard, now_ms: i64) -> bool {
        let mut shard = self.couriers.lock(courier);
        let Some(state) = shard.get_mut(&courier) else { return false };
        state.marks.note_touched(now_ms);
        if !state.presence.is_none_or(|known| replaces(&known, &presence)) {
            return true;
        }
        if heard == Heard::Here {
            self.broker.publish_fleet(FleetChange::Presence { courier, presence });
        }
        self.change_presence(state, presence);
        true
    }

    pub(super) fn change_presence(&self, state: &mut CourierState, presence: Presence) {
        state.note_presence(presence);
        if let Some(order) = state.visible() {
            self.broker.publish(order.id, LiveEvent::Tell(CustomerEvent::Presence(presence)));
        }
    }

    /// Whether a courier shares their position; `None` until they ever said, or when nothing is known of them.
    pub fn presence(&self, courier: CourierId) -> Option<Presence> {
        self.couriers.lock(courier).get(&courier)?.presence
    }

    /// The times at which a courier's fixes are refused.
    pub fn off_duty(&self, courier: CourierId) -> OffDuty {
        self.couriers.lock(courier).get(&courier).map(|state| state.off_duty.clone()).unwrap_or_default()
    }

    /// Shows the courier's presence to one more viewer of `order`, if its customer may see the courier: in order
    /// with what all viewers are told.
    pub fn greet(&self, courier: CourierId, order: OrderId, outbox: &Outbox) {
        let shard = self.couriers.lock(courier);
        let visible = shard.get(&courier).filter(|state| state.is_visible_to(order));
        if let Some(presence) = visible.and_then(|state| state.presence) {
            outbox.push(outbox.wire().customer(&CustomerEvent::Presence(presence)));
        }
    }

    /// Tells the viewers of `order` the presence of its courier: after a snapshot, which does not hold it.
    pub fn tell_presence(&self, courier: CourierId, order: OrderId) {
        let shard = self.couriers.lock(courier);
        let visible = shard.get(&courier).filter(|state| state.is_visible_to(order));
        if let Some(presence) = visible.and_then(|state| state.presence) {
            self.broker.publish(order, LiveEvent::Tell(CustomerEvent::Presence(presence)));
        }
    }
}
