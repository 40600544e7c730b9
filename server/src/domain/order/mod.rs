//! Orders: what they are inside the server, and the rules that hold for them.
//!
//! [`visibility`] decides what a customer may see of the courier, [`steps`] what an order becomes, [`editing`] what may be
//! changed of it, and [`super::plan`] in which order a courier makes the stops of their orders. The use cases that change
//! an order are in [`crate::service::orders`].

pub mod editing;
pub mod handover;
pub mod import;
pub mod link;
pub mod outlook;
pub mod promise;
pub mod steps;
pub mod stops;
pub mod visibility;

use chrono::{DateTime, Utc};
use doorstep_shared::{
    CourierId, LatLon, OrderId, OrderStatus, Vehicle,
    api::{CustomerBody, OrderEventView, OrderView, PlaceBody},
    protocol::customer::Presence,
};

/// An end of a delivery: its pickup or its drop-off.
#[derive(Clone, Debug, PartialEq)]
pub struct Waypoint {
    /// Where.
    pub point: LatLon,
    /// In words.
    pub address: String,
    /// For the courier.
    pub instructions: Option<String>,
    /// The number of the shop or kitchen; only of a pickup.
    pub phone: Option<String>,
}

impl Waypoint {
    /// The waypoint as the REST API shows it.
    pub fn to_body(&self) -> PlaceBody {
        PlaceBody {
            lat: self.point.lat(),
            lon: self.point.lon(),
            address: self.address.clone(),
            instructions: self.instructions.clone(),
            phone: self.phone.clone(),
        }
    }
}

/// The largest [`Demands::size`].
pub const MAX_SIZE: u32 = 100_000;

/// The longest [`Demands::service_s`], four hours.
pub const MAX_SERVICE_S: u32 = 14_400;

/// What an order asks of its courier besides the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demands {
    /// How much of a courier's capacity it takes.
    pub size: u32,
    /// How long the hand-over at the door takes, in seconds; `None` when it is learned.
    pub service_s: Option<u32>,
    /// What the courier must have.
    pub requires: Vec<String>,
    /// The merchant's remark.
    pub note: Option<String>,
}

impl Default for Demands {
    fn default() -> Self {
        Self { size: 1, service_s: None, requires: Vec::new(), note: None }
    }
}

/// What the courier's screen has shown of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The version of the courier's plan with which they last got a change of this order.
    pub plan_version: Option<u64>,
    /// When their screen first showed that; `None` until it does.
    pub at: Option<DateTime<Utc>>,
    /// What dispatch changed and their screen has not shown yet, as [`Stop::changed`] names it.
    ///
    /// [`Stop::changed`]: doorstep_shared::protocol::courier::Stop::changed
    pub unseen_changes: Vec<String>,
}

/// An order as the database has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// The merchant's name for it.
    pub reference: String,
    /// How far it is.
    pub status: OrderStatus,
    /// Since when.
    pub status_at: DateTime<Utc>,
    /// Where it comes from.
    pub pickup: Waypoint,
    /// Where it goes.
    pub dropoff: Waypoint,
    /// Who gets it.
    pub customer: CustomerBody,
    /// Start of the promised window.
    pub promised_from: Option<DateTime<Utc>>,
    /// End of the promised window.
    pub promised_until: Option<DateTime<Utc>>,
    /// Who brings it.
    pub courier_id: Option<CourierId>,
    /// When the present courier got it.
    pub assigned_at: Option<DateTime<Utc>>,
    /// Since when the customer may see the courier.
    pub feed_from: Option<DateTime<Utc>>,
    /// When the leg being driven began.
    pub leg_from: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Counts up with every change that people see; the database counts.
    pub version: u64,
    /// Which attempt to deliver it this is, from 1.
    pub attempt: u32,
    /// What it asks of its courier.
    pub demands: Demands,
    /// Who has the goods on board: from the pickup until they are handed over or brought back.
    pub carried_by: Option<CourierId>,
    /// What the courier's screen has shown of it.
    pub seen: Seen,
}

impl Order {
    /// The order as the REST API shows it.
    pub fn to_view(&self, timeline: Option<Vec<OrderEventView>>) -> OrderView {
        OrderView {
            id: self.id,
            reference: self.reference.clone(),
            status: self.status,
            status_at: self.status_at,
            pickup: self.pickup.to_body(),
            dropoff: self.dropoff.to_body(),
            customer: self.customer.clone(),
            courier_id: self.courier_id,
            promised_from: self.promised_from,
            promised_until: self.promised_until,
            created_at: self.created_at,
            proof: None,
            version: self.version,
            attempt: self.attempt,
            size: (self.demands.size != 1).then_some(self.demands.size),
            service_s: self.demands.service_s,
            requires: Some(self.demands.requires.clone()).filter(|requires| !requires.is_empty()),
            note: self.demands.note.clone(),
            carried_by: self.carried_by,
            sequence: None,
            seen_at: self.seen.at,
            expected_at: None,
            outside_area: None,
            timeline,
            proofs: None,
        }
    }

    /// Whether its courier has the goods on board.
    pub fn is_on_board(&self) -> bool {
        matches!(self.status, OrderStatus::PickedUp | OrderStatus::AtDropoff)
            || (self.carried_by.is_some() && self.carried_by == self.courier_id)
    }

    /// Where the courier is heading with this order now: the pickup, then the door; `None` once it is over.
    pub fn next_waypoint(&self) -> Option<&Waypoint> {
        match self.status {
            OrderStatus::Assigned | OrderStatus::AtPickup if self.is_on_board() => Some(&self.dropoff),
            OrderStatus::Assigned | OrderStatus::AtPickup => Some(&self.pickup),
            OrderStatus::PickedUp | OrderStatus::AtDropoff => Some(&self.dropoff),
            _ => None,
        }
    }
}

/// The part of an open order that its lateness is judged by.
#[derive(Clone, Debug)]
pub struct OpenOrder {
    /// Its id.
    pub id: OrderId,
    /// How far it is.
    pub status: OrderStatus,
    /// Who brings it.
    pub courier: Option<CourierId>,
    /// Where it comes from.
    pub pickup: LatLon,
    /// Where it goes.
    pub dropoff: LatLon,
    /// End of the promised window.
    pub promised_until: Option<DateTime<Utc>>,
}

/// An order with what its customer's page shows around it.
#[derive(Clone, Debug)]
pub struct TrackedOrder {
    /// The order.
    pub order: Order,
    /// Its events, oldest first.
    pub timeline: Vec<OrderEventView>,
    /// Who brings it.
    pub courier: Option<OrderCourier>,
}

/// The part of a courier that an order's customer sees.
#[derive(Clone, Debug)]
pub struct OrderCourier {
    /// Whose positions to show.
    pub id: CourierId,
    /// Their name.
    pub name: String,
    /// What they ride.
    pub vehicle: Vehicle,
    /// Whether they share their position.
    pub presence: Option<Presence>,
}

/// The author of a change, for the order's events: "courier:…", "key:…", "user:…".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A courier, from their phone.
    Courier(CourierId),
    /// A program, by its API key.
    ApiKey(doorstep_shared::ApiKeyId),
    /// A person at the console.
    User(doorstep_shared::UserId),
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Courier(id) => write!(f, "courier:{id}"),
            Self::ApiKey(id) => write!(f, "key:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
        }
    }
}
