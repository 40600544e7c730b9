//! A courier's plan together with the orders that it is about.

use std::{cmp::Reverse, collections::HashMap};

use doorstep_arrival::learned::Door;
use doorstep_shared::{
    CourierId, LatLon, OrderId, OrderStatus, api::plan::PlanStop, geo::distance::haversine_m,
    protocol::courier::StopKind,
};

use super::{Limits, Plan, open_stops, place_of};
use crate::domain::order::Order;

/// Pickups this near to each other are one place, in metres: the doors of one kitchen, or one door by two geocoders. The
/// courier's phone shows them as one stop.
const ONE_PLACE_M: f64 = 30.0;

/// A courier's plan with its orders.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Planned {
    /// The order of the stops.
    pub plan: Plan,
    /// The orders, by the place of their next stop.
    pub orders: Vec<Order>,
    /// Worked out once for each plan, because the live view is asked for it under a lock.
    ahead: Vec<StopAhead>,
}

impl Planned {
    /// The plan of `courier`, whose orders are among `orders`. Stops that `stored` lacks come last: what is farthest
    /// along first, among equals what was assigned first, as servers without plans order them.
    pub fn new(courier: CourierId, stored: Option<Plan>, mut orders: Vec<Order>) -> Self {
        orders.retain(|order| !open_stops(order, courier).is_empty());
        orders.sort_by_key(|order| {
            (!order.status.is_active(), Reverse(order.status.step()), order.assigned_at, order.id)
        });
        let open: Vec<_> = orders.iter().flat_map(|order| stops_of(order, courier)).collect();
        Self { plan: stored.unwrap_or_default().reconcile(&open), orders, ahead: Vec::new() }.sorted()
    }

    /// Takes in a plan for the same stops.
    pub fn with_plan(self, plan: Plan) -> Self {
        Self { plan, ..self }.sorted()
    }

    fn sorted(mut self) -> Self {
        let mut first_stop = HashMap::with_capacity(self.orders.len());
        for (at, stop) in self.plan.stops.iter().enumerate() {
            first_stop.entry(stop.order_id).or_insert(at);
        }
        self.orders.sort_by_key(|order| first_stop.get(&order.id).copied());
        self.ahead = self.stops().map(|(stop, order)| StopAhead::of(stop, order)).collect();
        self
    }

    /// Puts `stop` in front: the courier makes it now. Orders that are collected at one kitchen, one after the other, are
    /// not parted by it.
    pub fn turn_to(&mut self, stop: PlanStop, limits: &Limits) {
        let pickup_of = |id: OrderId| self.orders.iter().find(|order| order.id == id).map(|order| order.pickup.point);
        let here = pickup_of(stop.order_id).filter(|_| stop.kind == StopKind::Pickup);
        let is_here = |other: &PlanStop| {
            let there = pickup_of(other.order_id).filter(|_| other.kind == StopKind::Pickup && *other != stop);
            here.zip(there).is_some_and(|(here, there)| haversine_m(here, there) <= ONE_PLACE_M)
        };
        let at = self.plan.stops.iter().position(|planned| *planned == stop);
        let before = at.and_then(|at| self.plan.stops.get(at.checked_sub(1)?));
        let more_here = before.is_some_and(is_here);
        self.plan.move_to_front(stop, limits, more_here);
    }

    /// Takes an order out.
    pub fn remove(&mut self, order: OrderId) {
        let is_fixed = |stop: &PlanStop| stop.order_id != order;
        self.plan.locked = self.plan.stops.iter().take(self.plan.locked).filter(|stop| is_fixed(stop)).count();
        self.plan.stops.retain(is_fixed);
        self.ahead.retain(|ahead| ahead.stop.order_id != order);
        self.orders.retain(|known| known.id != order);
    }

    /// The order whose customer may see the courier: that of the first stop, unless goods are brought back there.
    pub fn visible(&self) -> Option<&Order> {
        let first = self.plan.stops.first().filter(|stop| stop.kind != StopKind::Return)?;
        self.orders.first().filter(|order| order.id == first.order_id)
    }

    /// How many of the courier's orders come before an order's next stop; `None` for an order of others.
    pub fn orders_before(&self, order: OrderId) -> Option<usize> {
        self.orders.iter().position(|known| known.id == order)
    }

    /// The place of each order's next stop, from 1.
    pub fn sequences(&self) -> HashMap<OrderId, u32> {
        let mut sequences = HashMap::with_capacity(self.orders.len());
        for (sequence, stop) in (1..).zip(&self.plan.stops) {
            sequences.entry(stop.order_id).or_insert(sequence);
        }
        sequences
    }

    /// The stops with their orders.
    pub fn stops(&self) -> impl Iterator<Item = (PlanStop, &Order)> {
        let orders: HashMap<_, _> = self.orders.iter().map(|order| (order.id, order)).collect();
        self.plan.stops.iter().filter_map(move |stop| Some((*stop, *orders.get(&stop.order_id)?)))
    }

    /// Where the first stop is.
    pub fn next_place(&self) -> Option<LatLon> {
        // Orders stand in the order of their next stops.
        let (stop, order) = self.plan.stops.first().zip(self.orders.first())?;
        Some(place_of(order, stop.kind).point)
    }

    /// The stops as far as times depend on them.
    pub fn ahead(&self) -> &[StopAhead] {
        &self.ahead
    }

    /// The orders that are not over, by the place of their next stop.
    pub fn open(&self) -> Vec<Order> {
        self.orders.iter().filter(|order| order.status.is_active()).cloned().collect()
    }

    /// What the courier can carry, and how much the orders take.
    pub fn limits(&self, capacity: Option<u32>) -> Limits {
        let sizes = self.orders.iter().map(|order| (order.id, order.demands.size));
        Limits { capacity, sizes: sizes.collect() }
    }
}

/// A stop as far as times depend on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StopAhead {
    /// Which.
    pub stop: PlanStop,
    /// Where.
    pub at: LatLon,
    /// The courier said that they are there.
    pub is_there: bool,
    /// How long the hand-over takes, in seconds, where the order says so.
    pub service_s: Option<u32>,
    /// What kind of door it is.
    pub door: Door,
    /// How many parcels are handed over.
    pub parcels: u32,
    /// Since when the order has its status, Unix epoch milliseconds: since when the courier is there, if they are.
    pub status_ms: i64,
}

impl StopAhead {
    fn of(stop: PlanStop, order: &Order) -> Self {
        let is_there = matches!(
            (order.status, stop.kind),
            (OrderStatus::AtPickup, StopKind::Pickup) | (OrderStatus::AtDropoff, StopKind::Dropoff)
        );
        let place = place_of(order, stop.kind);
        Self {
            stop,
            at: place.point,
            is_there,
            service_s: order.demands.service_s,
            door: Door::of(&place.address),
            parcels: order.demands.size,
            status_ms: order.status_at.timestamp_millis(),
        }
    }
}

/// The stops from the first to an order's door.
pub fn until_door(ahead: &[StopAhead], order: OrderId) -> &[StopAhead] {
    let is_door = |ahead: &StopAhead| ahead.stop == PlanStop { order_id: order, kind: StopKind::Dropoff };
    ahead.iter().position(is_door).map_or(&[], |door| &ahead[..=door])
}

fn stops_of(order: &Order, courier: CourierId) -> impl Iterator<Item = PlanStop> {
    open_stops(order, courier).iter().map(|kind| PlanStop { order_id: order.id, kind: *kind })
}
