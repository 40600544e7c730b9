//! Deliveries that are over, as the estimator of arrivals learns from them and is judged by them.

use chrono::{DateTime, Utc};
use doorstep_arrival::{
    learned::Observation,
    score::{Scored, Told},
};
use doorstep_shared::{CourierId, OrderId, Vehicle};

use super::order::Order;

/// A range that a customer was told, with their order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ToldOrder {
    /// Whose customer was told.
    pub order: OrderId,
    /// Which attempt to deliver it.
    pub attempt: u32,
    /// The range.
    pub told: Told,
}

/// A delivery of which nothing was learned yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// The order.
    pub order: Order,
    /// Who brought it.
    pub courier: CourierId,
    /// What they rode.
    pub vehicle: Vehicle,
    /// When they were at the pickup, where that was reported.
    pub at_pickup: Option<DateTime<Utc>>,
    /// When they had the goods.
    pub picked_up: Option<DateTime<Utc>>,
    /// When they were at the door.
    pub at_dropoff: Option<DateTime<Utc>>,
    /// When they handed over.
    pub delivered: DateTime<Utc>,
}

impl Finished {
    /// When the courier was at the door, as far as is known.
    pub fn arrived(&self) -> DateTime<Utc> {
        self.at_dropoff.unwrap_or(self.delivered)
    }
}

/// What a delivery taught.
#[derive(Clone, Debug, PartialEq)]
pub struct Lesson {
    /// Which order.
    pub order: OrderId,
    /// Which attempt to deliver it.
    pub attempt: u32,
    /// How long its parts took.
    pub seen: Vec<Observation>,
    /// What its customer was told, against what came.
    pub scored: Vec<Scored>,
}

/// By what scores are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// How long before the arrival.
    Horizon,
    /// What the courier rode.
    Vehicle,
    /// Where the goods came from.
    Pickup,
    /// Who brought them.
    Courier,
}
