//! Messages on `GET /ws/track/{token}`, its Server-Sent Events and its plain HTTP answer.
//!
//! Nothing here names the courier's id, phone, other orders or other stops; a schema test in the server holds that.

use serde::{Deserialize, Serialize};

use super::{AreaChanged, PresenceReason, PresenceState, ServerTime};
use crate::{OrderStatus, Position, Vehicle};

/// The most points in a position's `skipped`.
pub const MAX_SKIPPED: usize = 60;

wire! {
    /// What the server sends to a customer's page.
    pub enum CustomerEvent {
        /// The whole state; always the first message.
        Snapshot(Snapshot),
        /// The courier moved.
        Position(PositionUpdate),
        /// The order moved on.
        Order(OrderUpdate),
        /// The arrival changed.
        Eta(Eta),
        /// Sharing pauses or resumes.
        Presence(Presence),
        /// The order is final; the connection closes with 4502 after this.
        Ended(Ended),
        /// Sent after 15 s of silence.
        Heartbeat(ServerTime),
        /// The answer to a ping.
        Pong(ServerTime),
        /// Another area is in use.
        Area(AreaChanged),
    }
}

impl CustomerEvent {
    /// The `type` on the wire, and the `event:` of Server-Sent Events.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Snapshot(_) => "snapshot",
            Self::Position(_) => "position",
            Self::Order(_) => "order",
            Self::Eta(_) => "eta",
            Self::Presence(_) => "presence",
            Self::Ended(_) => "ended",
            Self::Heartbeat(_) => "heartbeat",
            Self::Pong(_) => "pong",
            Self::Area(_) => "area",
        }
    }
}

wire! {
    /// Everything a page needs to draw itself.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub struct Snapshot {
        /// The server's clock, Unix epoch milliseconds.
        pub server_time_ms: i64,
        /// The order.
        pub order: TrackedOrder,
        /// The courier who brings it, once one has the order.
        pub courier: Option<CourierCard>,
        /// Where the courier is, while the customer may see it.
        pub position: Option<Position>,
        /// Where the courier came along on this leg, points of `[lon, lat]`, oldest first.
        pub trail: Vec<[f64; 2]>,
        /// When the courier arrives at the door; absent while no estimate is possible.
        pub eta: Option<Eta>,
    }
}

wire! {
    /// An order as its customer sees it.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub struct TrackedOrder {
        /// The merchant's name for it.
        pub reference: String,
        /// Its status.
        pub status: OrderStatus,
        /// Since when it has this status, Unix epoch milliseconds.
        pub status_at_ms: i64,
        /// How many of the courier's stops come before this one.
        pub stops_before: u32,
        /// Where it comes from.
        pub pickup: Place,
        /// Where it goes to.
        pub dropoff: Place,
        /// Its events, oldest first.
        pub timeline: Vec<TimelineEntry>,
    }
}

wire! {
    /// A pin on the map.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub struct Place {
        /// Degrees north.
        pub lat: f64,
        /// Degrees east.
        pub lon: f64,
        /// Its label.
        pub label: String,
    }
}

wire! {
    /// A change of an order's status.
    #[derive(Copy)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub struct TimelineEntry {
        /// The status that it took.
        pub status: OrderStatus,
        /// When, Unix epoch milliseconds.
        pub at_ms: i64,
    }
}

wire! {
    /// The courier as their customer sees them.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub struct CourierCard {
        /// Their first name.
        pub name: String,
        /// What they ride.
        pub vehicle: Vehicle,
    }
}

wire! {
    /// The courier moved. The fields of a [`Position`], and what a slow viewer missed.
    pub struct PositionUpdate {
        /// When the device recorded it, Unix epoch milliseconds.
        pub time_ms: i64,
        /// Degrees north.
        pub lat: f64,
        /// Degrees east.
        pub lon: f64,
        /// Radius of 68 % confidence in metres.
        pub accuracy_m: Option<f32>,
        /// Ground speed in metres per second.
        pub speed_mps: Option<f32>,
        /// Direction of travel in `[0, 360)`.
        pub heading_deg: Option<f32>,
        /// `[lon, lat]` of the positions between the last sent one and this one, oldest first; at most [`MAX_SKIPPED`].
        pub skipped: Option<Vec<[f64; 2]>>,
    }
}

impl PositionUpdate {
    /// The message for `position`, with the positions that its viewer missed.
    pub fn new(position: &Position, skipped: Vec<[f64; 2]>) -> Self {
        Self {
            time_ms: position.time_ms,
            lat: position.lat,
            lon: position.lon,
            accuracy_m: position.accuracy_m,
            speed_mps: position.speed_mps,
            heading_deg: position.heading_deg,
            skipped: (!skipped.is_empty()).then_some(skipped),
        }
    }

    /// The position without the skipped ones.
    pub fn position(&self) -> Position {
        Position {
            time_ms: self.time_ms,
            lat: self.lat,
            lon: self.lon,
            accuracy_m: self.accuracy_m,
            speed_mps: self.speed_mps,
            heading_deg: self.heading_deg,
        }
    }
}

wire! {
    /// The order moved on.
    #[derive(Copy)]
    pub struct OrderUpdate {
        /// How far it is.
        pub status: OrderStatus,
        /// Since when, Unix epoch milliseconds.
        pub status_at_ms: i64,
        /// How many of the courier's stops come before this one.
        pub stops_before: u32,
    }
}

wire! {
    /// When the courier arrives at the door, as a range.
    #[derive(Copy)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub struct Eta {
        /// Not before, Unix epoch milliseconds.
        pub earliest_ms: i64,
        /// Not after, Unix epoch milliseconds.
        pub latest_ms: i64,
        /// When this was estimated, Unix epoch milliseconds.
        pub computed_at_ms: i64,
        /// Metres left to the door, along the streets where they are known; to whole kilometres while others come first.
        pub remaining_m: u32,
    } added {
        /// What is likeliest, within the range, Unix epoch milliseconds.
        pub expected_ms: Option<i64>,
        /// The share of arrivals that such ranges hold, 0 to 1.
        pub coverage: Option<f64>,
        /// Why the range is wider or later than the way alone would make it.
        pub why: Option<EtaWhy>,
    }
}

/// Why an arrival is later or less certain than the way alone would make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EtaWhy {
    /// The courier has stood still for some time away from their stops.
    Standing,
    /// The courier's phone is silent.
    Silent,
    /// The courier left the planned way.
    OffWay,
    /// The goods are not ready at the pickup.
    WaitingAtPickup,
}

wire! {
    /// Whether the courier shares their position.
    #[derive(Copy)]
    pub struct Presence {
        /// Sharing or not.
        pub state: PresenceState,
        /// Why not.
        pub reason: Option<PresenceReason>,
        /// Since when, Unix epoch milliseconds.
        pub since_ms: i64,
    }
}

wire! {
    /// The order is final.
    #[derive(Copy)]
    pub struct Ended {
        /// How it ended.
        pub status: OrderStatus,
        /// When, Unix epoch milliseconds.
        pub at_ms: i64,
    }
}

wire! {
    /// What a customer's page may send.
    pub enum CustomerMessage {
        /// Asks for a `pong`.
        Ping(super::courier::Ping),
    }
}
