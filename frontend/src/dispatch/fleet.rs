//! Couriers and orders as the feed sends them.
//!
//! A position older than the known one changes nothing. Each courier keeps one number for as long as the console is open;
//! the map knows them by it. An order that is over is dropped as soon as nothing shows it, so that a console that stays
//! open for weeks does not grow. [`risk`] judges what follows: who delivers, who is free, and what needs attention.

mod courier;
mod order;
mod reach;
mod risk;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use doorstep_shared::{
    CourierId, OrderId,
    api::OrderView,
    protocol::fleet::{FleetCourier, FleetFix, FleetOrder, FleetSnapshot},
};

pub use courier::{Courier, CourierIssue, is_away, is_live};
pub use order::Order;
pub use risk::{Activity, Risk};

/// The whole fleet.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    pub couriers: HashMap<CourierId, Courier>,
    pub orders: HashMap<OrderId, Order>,
    /// Couriers with an exception that still goes on.
    pub flagged: HashSet<CourierId>,
    /// How late the orders will be, in milliseconds, of which an exception says so that still goes on.
    pub late_by_ms: HashMap<OrderId, i64>,
    /// The courier of each number on the map.
    numbers: Vec<CourierId>,
    number_of: HashMap<CourierId, u32>,
    /// The numbers of couriers that the map must draw again.
    moved: BTreeSet<u32>,
    /// Whether a snapshot has come.
    pub is_known: bool,
}

impl Fleet {
    /// Takes the whole fleet in place of what was known. An order that still exists keeps its details, and one that is over
    /// stays, because no snapshot holds it.
    pub fn take_snapshot(&mut self, snapshot: FleetSnapshot) {
        let mut before = std::mem::take(&mut self.orders);
        self.couriers.clear();
        for courier in snapshot.couriers {
            self.take_courier(courier);
        }
        for order in snapshot.orders {
            let details = before.remove(&order.id).and_then(|order| order.details);
            self.insert(order, details);
        }
        self.orders.extend(before.into_iter().filter(|(_, order)| order.status.is_final()));
        self.moved = (0..self.numbers.len() as u32).collect();
        self.is_known = true;
    }

    /// Takes new positions. Those of couriers who are not known yet are ignored: they come with the courier.
    pub fn take_positions(&mut self, fixes: &[FleetFix]) {
        for fix in fixes {
            let Some(courier) = self.couriers.get_mut(&fix.courier_id) else { continue };
            if courier.take_position(fix) {
                self.moved.insert(courier.number);
            }
        }
    }

    /// Takes a courier as they are now; a position older than the known one is left out.
    pub fn take_courier(&mut self, courier: FleetCourier) {
        let known = self.couriers.remove(&courier.id);
        let number = known.as_ref().map_or_else(|| self.number(courier.id), |known| known.number);
        self.moved.insert(number);
        self.couriers.insert(courier.id, Courier::new(courier, known, number));
    }

    /// Forgets a courier who works here no longer.
    pub fn forget_courier(&mut self, courier: CourierId) {
        if let Some(courier) = self.couriers.remove(&courier) {
            self.moved.insert(courier.number);
        }
    }

    /// Takes an order as it is now; answers whether its details must be fetched.
    pub fn take_order(&mut self, order: FleetOrder) -> bool {
        let details = self.remove(order.id).and_then(|known| known.details);
        let is_new = details.is_none();
        self.insert(order, details);
        is_new
    }

    /// Takes an order with its details from the REST API.
    pub fn take_details(&mut self, view: OrderView) {
        let known = self.remove(view.id);
        // A page that was fetched before the feed's last message must not undo it.
        let newer = known.filter(|known| order::is_newer(known, &view));
        let order = newer.map_or_else(|| order::from_view(&view), |known| known.to_wire());
        self.insert(order, Some(Arc::new(view)));
    }

    /// Drops the orders that are over, except those that are still shown.
    pub fn forget(&mut self, is_shown: impl Fn(OrderId) -> bool) {
        self.orders.retain(|id, order| !order.status.is_final() || is_shown(*id));
    }

    /// The couriers that moved since the last call, for the map.
    pub fn take_moved(&mut self) -> Vec<CourierId> {
        let moved = std::mem::take(&mut self.moved);
        moved.into_iter().filter_map(|number| self.numbers.get(number as usize).copied()).collect()
    }

    /// Has the map draw a courier again, although they did not move.
    pub fn mark_moved(&mut self, courier: CourierId) {
        if let Some(courier) = self.couriers.get(&courier) {
            self.moved.insert(courier.number);
        }
    }

    /// The courier with this number on the map.
    pub fn numbered(&self, number: u32) -> Option<CourierId> {
        self.numbers.get(number as usize).copied()
    }

    fn insert(&mut self, order: FleetOrder, details: Option<Arc<OrderView>>) {
        let FleetOrder { id, reference, status, status_at_ms, courier_id, version, sequence, seen_at_ms } = order;
        if let Some(courier) = courier_id.and_then(|id| self.couriers.get_mut(&id)) {
            if !status.is_final() && !courier.orders.contains(&id) {
                courier.orders.push(id);
            }
            self.moved.insert(courier.number);
        }
        let order = Order { id, reference, status, status_at_ms, courier_id, version, sequence, seen_at_ms, details };
        self.orders.insert(id, order);
    }

    /// Takes an order out, also from its courier's list.
    fn remove(&mut self, id: OrderId) -> Option<Order> {
        let order = self.orders.remove(&id)?;
        if let Some(courier) = order.courier_id.and_then(|id| self.couriers.get_mut(&id)) {
            courier.orders.retain(|other| *other != id);
            self.moved.insert(courier.number);
        }
        Some(order)
    }

    fn number(&mut self, courier: CourierId) -> u32 {
        *self.number_of.entry(courier).or_insert_with(|| {
            self.numbers.push(courier);
            self.numbers.len() as u32 - 1
        })
    }
}

#[cfg(test)]
pub mod tests;
