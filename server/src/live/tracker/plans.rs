//! A courier's plan, and the phones and customers that a new plan concerns.

use std::sync::{Arc, atomic::Ordering};

use doorstep_shared::{
    CourierId, OrderId, Vehicle,
    protocol::{
        courier::Stops,
        customer::{CustomerEvent, Eta},
    },
};

use super::{Heard, Tracker, courier_state::CourierState};
use crate::{
    domain::{plan::Planned, track::progress::PlannedRoute},
    live::{broker::Fact, hub::LiveEvent},
};

impl Tracker {
    /// A number to take before reading a courier's open orders from the database: of two readers the one who
    /// asked later wins.
    pub fn plan_ticket(&self) -> u64 {
        self.plan_tickets.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Replaces a courier's plan, tells every customer whose place in it changed, and calls `tell_phones` if the
    /// courier's phones know other stops. All of it under the courier's lock, so that phones too hear of plans in the
    /// order in which they were decided; `tell_phones` must not come back here. `stops` are those of the plan, made
    /// before the lock is taken.
    pub fn set_plan(
        &self,
        (courier, ticket): (CourierId, u64),
        planned: Planned,
        vehicle: Vehicle,
        stops: Stops,
        now_ms: i64,
        tell_phones: impl FnOnce(),
    ) {
        let mut shard = self.couriers.lock(courier);
        let state = shard.entry(courier).or_insert_with(|| CourierState::new(now_ms));
        let Some(change) = state.replace_plan(ticket, planned, vehicle, stops) else { return };
        if change.has_news_for_phones {
            tell_phones();
        }
        for (order, update) in change.places {
            self.broker.publish(order, LiveEvent::Tell(CustomerEvent::Order(update)));
        }
        drop(shard);
        self.pending.add([courier], change.outdated);
    }

    /// Takes an order off a courier at once, before the database is asked for the new plan: from here on its
    /// viewers see nothing more of them.
    pub fn detach(&self, courier: CourierId, order: OrderId) {
        if let Some(state) = self.couriers.lock(courier).get_mut(&courier) {
            state.detach(order);
        }
    }

    /// A courier's newest plan, with its orders.
    pub fn planned(&self, courier: CourierId) -> Planned {
        self.couriers.lock(courier).get(&courier).map(|state| state.planned.clone()).unwrap_or_default()
    }

    /// The version of a courier's newest plan; `None` when nothing is known of them.
    pub fn plan_version(&self, courier: CourierId) -> Option<u64> {
        self.couriers.lock(courier).get(&courier).map(|state| state.planned.plan.version)
    }

    /// Keeps a planned route.
    pub fn set_route(&self, courier: CourierId, route: Arc<PlannedRoute>) {
        if let Some(state) = self.couriers.lock(courier).get_mut(&courier) {
            state.route = Some(route);
        }
    }

    /// Keeps an estimate and shows it, unless the order is no longer one of the courier's or a newer one is known.
    pub fn set_eta(&self, courier: CourierId, order: OrderId, eta: Eta, heard: Heard) {
        let mut shard = self.couriers.lock(courier);
        let Some(state) = shard.get_mut(&courier) else { return };
        if state.keep_eta(order, eta) {
            if heard == Heard::Here && self.broker.has_peers() {
                self.broker.tell(Fact::Eta { courier, order, eta });
            }
            self.broker.publish(order, LiveEvent::Tell(CustomerEvent::Eta(eta)));
        }
    }
}
