//! Fixes become live events: those of this instance's clients, and what other instances received.

use doorstep_shared::{CourierId, DeviceId, Fix, OrderId, RawFix, protocol::customer::MAX_SKIPPED};

use super::{
    Tracker,
    courier_state::{CourierState, shown_from_ms},
};
use crate::{
    domain::{fleet::FleetChange, order::Order, track::Update},
    live::{
        broker::{Fact, Movement},
        hub::LiveEvent,
    },
};

impl Tracker {
    /// Takes in the fixes of one of a courier's devices and shows the newest, at once, to every viewer who may see the
    /// courier. Does nothing while nothing is known of the courier: what they said of themselves must be known first.
    pub fn apply(&self, courier: CourierId, device: DeviceId, fixes: &[Fix], now_ms: i64) {
        let mut shard = self.couriers.lock(courier);
        let Some(state) = shard.get_mut(&courier) else { return };
        state.marks.note_heard_here(now_ms);
        // Under the lock, so that the other instances hear a courier in the same order.
        if self.broker.has_peers() {
            let fixes = fixes.iter().map(Fix::to_raw).collect();
            self.broker.tell(Fact::Heard { courier, device, fixes });
        }
        let leader_before = state.track.leader();
        let update = state.track.hear(device, fixes);
        if leader_before.is_some_and(|leader| state.track.leader() != Some(leader)) {
            metrics::counter!("doorstep_source_changes_total").increment(1);
        }
        for reason in &update.off_map {
            metrics::counter!("doorstep_fixes_off_map_total", "reason" => reason.as_str()).increment(1);
        }
        if let Some(position) = update.moved.last().copied() {
            state.marks.note_moved_here(now_ms);
            self.broker.publish_fleet(FleetChange::Moved { courier, position, battery: state.track.battery() });
        }
        let Some(order) = self.show(state, &update) else { return };
        drop(shard);
        if !update.moved.is_empty() || update.filled_in > 0 {
            self.pending.add([courier], (update.filled_in > 0).then_some(order));
        }
    }

    /// Notes that one of a courier's devices is there, although it says nothing that the live view shows.
    pub fn note_heard(&self, courier: CourierId, now_ms: i64) {
        if let Some(state) = self.couriers.lock(courier).get_mut(&courier) {
            state.marks.note_heard_here(now_ms);
        }
    }

    /// Takes in the fixes that one of a courier's devices reported to another instance. Nothing happens while
    /// nothing is known of the courier: what is then read from the database has them.
    pub fn apply_elsewhere(&self, courier: CourierId, device: DeviceId, fixes: &[Fix], now_ms: i64) {
        let mut shard = self.couriers.lock(courier);
        let Some(state) = shard.get_mut(&courier) else { return };
        state.marks.note_heard_elsewhere(now_ms);
        let update = state.track.hear(device, fixes);
        if !update.moved.is_empty() {
            state.marks.note_moved_elsewhere(now_ms);
        }
        let order = self.show(state, &update);
        drop(shard);
        // The estimate comes from where they report; a trail that filled in from behind is ours to show.
        if let Some(order) = order.filter(|_| update.filled_in > 0) {
            self.pending.add([], [order]);
        }
    }

    /// Takes in where another instance says that a courier is. `false` when nothing is known of them: load them first.
    pub fn move_elsewhere(&self, movement: &Movement, now_ms: i64) -> bool {
        let Movement { courier, position, .. } = *movement;
        let mut shard = self.couriers.lock(courier);
        let Some(state) = shard.get_mut(&courier) else { return false };
        state.marks.note_touched(now_ms);
        // The fixes of a courier whom this instance follows came before; this is for all others, and for what got lost.
        let is_news = state.track.position().is_none_or(|known| known.time_ms < position.time_ms);
        if let Some(fix) = is_news.then(|| fix_of(movement)).flatten() {
            state.marks.note_heard_elsewhere(now_ms);
            state.marks.note_moved_elsewhere(now_ms);
            let update = state.track.apply(&[fix]);
            self.show_late(state, &update);
        }
        true
    }

    /// Shows new positions to every viewer who may see the courier, and returns the order whose viewers those are.
    fn show(&self, state: &CourierState, update: &Update) -> Option<OrderId> {
        let order = state.visible()?;
        self.show_since(order, shown_from_ms(order), update)
    }

    /// The same for positions that may have waited on their way here, until the courier was loaded or for the next ones:
    /// one from before the feed opened is no phone's slow clock, and belongs to whom the courier served then.
    pub(super) fn show_late(&self, state: &CourierState, update: &Update) -> Option<OrderId> {
        let order = state.visible()?;
        self.show_since(order, order.feed_from?.timestamp_millis(), update)
    }

    fn show_since(&self, order: &Order, from_ms: i64, update: &Update) -> Option<OrderId> {
        if let Some((newest, before)) = update.moved.split_last()
            && newest.time_ms >= from_ms
        {
            let before: Vec<_> = before.iter().filter(|earlier| earlier.time_ms >= from_ms).collect();
            let missed = &before[before.len().saturating_sub(MAX_SKIPPED)..];
            let skipped = missed.iter().map(|earlier| [earlier.lon, earlier.lat]).collect();
            self.broker.publish(order.id, LiveEvent::Moved { position: *newest, skipped });
        }
        Some(order.id)
    }
}

/// The fix behind a movement, as far as the movement says.
fn fix_of(movement: &Movement) -> Option<Fix> {
    let Movement { position, battery, .. } = *movement;
    let raw = RawFix {
        time_ms: position.time_ms,
        lat: position.lat,
        lon: position.lon,
        accuracy_m: position.accuracy_m,
        speed_mps: position.speed_mps,
        heading_deg: position.heading_deg,
        altitude_m: None,
        battery,
    };
    Fix::try_new(&raw).ok()
}
