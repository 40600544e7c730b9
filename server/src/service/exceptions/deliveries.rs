//! Hand-overs on their way from the courier's report to the round that judges them.
//!
//! A phone that was offline sends its status before its positions, so a hand-over waits here until a round takes it.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use doorstep_shared::{CourierId, LatLon, OrderId, api::exception::ExceptionCode};

use crate::domain::{exception::Finding, order::Order};

/// Hand-overs that may wait for the next round. Overflow policy: the oldest is not judged. No company has ten thousand
/// within a few seconds.
const QUEUED: usize = 10_000;

/// An order that a courier handed over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Delivery {
    /// Which order.
    pub order: OrderId,
    /// Who brought it.
    pub courier: CourierId,
    /// Where it should have been handed over.
    pub door: LatLon,
    /// When, as the courier reported, Unix epoch milliseconds.
    pub delivered_ms: i64,
    /// When the report came, Unix epoch milliseconds.
    pub reported_ms: i64,
}

impl Delivery {
    /// The hand-over of a delivered order that was reported at `reported_ms`; `None` when it has no courier.
    pub fn of(order: &Order, reported_ms: i64) -> Option<Self> {
        Some(Self {
            order: order.id,
            courier: order.courier_id?,
            door: order.dropoff.point,
            delivered_ms: order.status_at.timestamp_millis(),
            reported_ms,
        })
    }

    /// The exception of a hand-over that happened elsewhere. It is over as soon as it is noticed.
    pub fn far(&self, distance_m: f64, place: LatLon) -> Finding {
        Finding {
            code: ExceptionCode::DeliveredFar,
            subject: *self.order.as_uuid(),
            courier: Some(self.courier),
            order: Some(self.order),
            since_ms: self.delivered_ms,
            ended_ms: Some(self.delivered_ms),
            place: Some(place),
            late_by_s: None,
            distance_m: Some(distance_m as i32),
            reason: None,
        }
    }
}

/// Where hand-overs wait. Shared by reference.
#[derive(Debug, Default)]
pub struct Deliveries(Mutex<VecDeque<Delivery>>);

impl Deliveries {
    /// Adds a hand-over. Never waits.
    pub fn note(&self, delivery: Delivery) {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() == QUEUED {
            queue.pop_front();
        }
        queue.push_back(delivery);
    }

    /// Takes all that wait.
    pub fn take(&self) -> VecDeque<Delivery> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
