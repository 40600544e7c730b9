//! A courier's open orders in serving order, and everybody whom a new order of them concerns.

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
    domain::{order::Order, track::progress::PlannedRoute},
    live::{broker::Fact, hub::LiveEvent},
};

impl Tracker {
    /// A number to take before reading a courier's open orders from the database: of two readers the one who
    /// asked later wins.
    pub fn plan_ticket(&self) -> u64 {
        self.plan_tickets.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Replaces a courier's open orders, tells every customer whose place in the tour changed, and hands the stops
    /// to `tell` if they differ from what the courier's phones know. All of it under the courier's lock, so that
    /// phones too hear of plans in the order in which they were decided; `tell` must not come back here.
    pub fn set_plan(
        &self,
        courier: CourierId,
        ticket: u64,
        open: Vec<Order>,
        vehicle: Vehicle,
        now_ms: i64,
        tell: impl FnOnce(Stops),
    ) {
        let mut shard = self.couriers.lock(courier);
        let state = shard.entry(courier).or_insert_with(|| CourierState::new(now_ms));
        let Some(change) = state.replace_plan(ticket, open, vehicle) else { return };
        if let Some(stops) = change.stops {
            tell(stops);
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

    /// A courier's open orders in serving order, as of the newest plan.
    pub fn open_orders(&self, courier: CourierId) -> Vec<Order> {
        self.couriers.lock(courier).get(&courier).map(|state| state.open.clone()).unwrap_or_default()
    }

    /// Keeps a planned route.
    pub fn set_route(&self, courier: CourierId, route: Arc<PlannedRoute>) {
        if let Some(state) = self.couriers.lock(courier).get_mut(&courier) {
            state.route = Some(route);
        }
    }

    /// Keeps an estimate and shows it, unless the order is no longer the one being served.
    pub fn set_eta(&self, courier: CourierId, order: OrderId, eta: Eta, heard: Heard) {
        let mut shard = self.couriers.lock(courier);
        let Some(state) = shard.get_mut(&courier) else { return };
        let is_newer = state.eta_of(order).is_none_or(|known| known.computed_at_ms <= eta.computed_at_ms);
        if is_newer && state.is_visible_to(order) {
            state.eta = Some((order, eta));
            if heard == Heard::Here && self.broker.has_peers() {
                self.broker.tell(Fact::Eta { courier, order, eta });
            }
            self.broker.publish(order, LiveEvent::Tell(CustomerEvent::Eta(eta)));
        }
    }
}
