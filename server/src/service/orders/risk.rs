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
        outlook::{self, outlook, time_needed_ms},
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
    of_courier: HashMap<CourierId, HashMap<OrderId, i64>>,
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
        let (tracker, now_ms) = (self.tracker, self.now_ms);
        let handovers = self.of_courier.entry(courier).or_insert_with(|| handovers(tracker, courier, now_ms));
        handovers.get(&order).copied()
    }
}

fn handovers(tracker: &Tracker, courier: CourierId, now_ms: i64) -> HashMap<OrderId, i64> {
    let Some(seen) = tracker.whereabouts(courier) else { return HashMap::new() };
    let here = seen.position.and_then(|position| position.point());
    let outlook: outlook::Outlook = outlook(here, &seen.ahead, seen.vehicle, seen.first_handover, now_ms);
    outlook.handovers.into_iter().collect()
}
