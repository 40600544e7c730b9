//! Ranks open orders by how urgently they must move.
//!
//! An order's rank is the moment at which a courier at its present place would have to begin to keep the promise: the
//! end of the promised window less the time that is still needed. The earliest comes first; orders without a promise
//! come last. Estimates change from minute to minute, and so may ranks between two pages of a list; an order keeps its
//! place relative to all others whose estimates did not change.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, OrderId, OrderStatus, Vehicle};

use crate::{
    domain::order::{
        OpenOrder, Order,
        outlook::{outlook, time_needed_ms},
    },
    live::tracker::Tracker,
    platform::clock::from_ms,
};

/// Where an order stands in the list; smaller is more urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// Promise less time needed, Unix epoch milliseconds; the end of time without a promise.
    pub begin_by_ms: i64,
    /// Tells apart orders of the same urgency.
    pub order: OrderId,
}

/// Estimates for many orders; each courier's plan is read once.
#[derive(Debug)]
pub struct Estimates<'a> {
    tracker: &'a Tracker,
    now_ms: i64,
    of_courier: HashMap<CourierId, OfCourier>,
}

/// What a courier's plan says of their orders.
#[derive(Debug, Default)]
struct OfCourier {
    handovers: HashMap<OrderId, i64>,
    sequences: HashMap<OrderId, u32>,
}

impl<'a> Estimates<'a> {
    /// No estimate yet.
    pub fn new(tracker: &'a Tracker, now_ms: i64) -> Self {
        Self { tracker, now_ms, of_courier: HashMap::new() }
    }

    /// When an order should be handed over; `None` when it has no courier.
    pub fn expected_at(&mut self, order: &Order) -> Option<DateTime<Utc>> {
        let courier = order.courier_id.filter(|_| order.status.is_active())?;
        self.handover_ms(courier, order.id).map(from_ms)
    }

    /// The place of an order's next stop in its courier's plan, from 1; `None` when it has none.
    pub fn sequence(&mut self, order: &Order) -> Option<u32> {
        let goods_back = order.carried_by.filter(|_| !order.status.is_active());
        let courier = order.courier_id.filter(|_| order.status.is_active()).or(goods_back)?;
        self.of(courier).sequences.get(&order.id).copied()
    }

    /// How urgent an open order is.
    pub fn rank(&mut self, order: &OpenOrder) -> Rank {
        let needed_ms = match order.courier.filter(|_| order.status.is_active()) {
            Some(courier) => self.handover_ms(courier, order.id).map(|at_ms| at_ms - self.now_ms),
            None => None,
        };
        let needed_ms = needed_ms.unwrap_or_else(|| {
            // Nobody knows yet which courier takes it, so the way to its pickup does not count.
            let status = if order.status == OrderStatus::Assigned { OrderStatus::Created } else { order.status };
            time_needed_ms(order.pickup, status, order.pickup, order.dropoff, Vehicle::Scooter)
        });
        let begin_by_ms =
            order.promised_until.map_or(i64::MAX, |until| until.timestamp_millis().saturating_sub(needed_ms));
        Rank { begin_by_ms, order: order.id }
    }

    fn handover_ms(&mut self, courier: CourierId, order: OrderId) -> Option<i64> {
        self.of(courier).handovers.get(&order).copied()
    }

    fn of(&mut self, courier: CourierId) -> &OfCourier {
        let (tracker, now_ms) = (self.tracker, self.now_ms);
        self.of_courier.entry(courier).or_insert_with(|| of_courier(tracker, courier, now_ms))
    }
}

fn of_courier(tracker: &Tracker, courier: CourierId, now_ms: i64) -> OfCourier {
    let Some(seen) = tracker.whereabouts(courier) else { return OfCourier::default() };
    let here = seen.position.and_then(|position| position.point());
    let ahead = outlook(here, &seen.ahead, seen.vehicle, seen.first_handover, now_ms);
    let mut sequences = HashMap::with_capacity(seen.ahead.len());
    for (sequence, ahead) in (1..).zip(&seen.ahead) {
        sequences.entry(ahead.stop.order_id).or_insert(sequence);
    }
    OfCourier { handovers: ahead.handovers.into_iter().collect(), sequences }
}
