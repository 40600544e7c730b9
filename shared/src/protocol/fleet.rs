//! Messages on `GET /ws/fleet`, for dispatchers and API keys with scope `fleet:read`.
//!
//! Every message about the fleet carries `seq`, counting up by one on its connection; a client that sees a gap
//! reconnects for a snapshot. Heartbeats, pongs and errors are about the connection, `area` about the server:
//! they have no `seq` and do not count. The server reads what consoles send with [`decode`].

mod orders;

use super::{
    AreaChanged, Codec, ErrorMessage, ServerTime,
    courier::{DecodeError, Ping, envelope, postcard_variant},
    customer::Presence,
};
use crate::{CourierId, OrderId, Position, Vehicle};

pub use orders::{FleetOrder, FleetOrderChange, FleetSnapshot};

wire! {
    /// What the server sends to a console.
    pub enum FleetEvent {
        /// The whole fleet; always the first message, with `seq` 0.
        Snapshot(FleetSnapshot),
        /// The newest position of each courier that moved.
        Positions(FleetPositions),
        /// A courier changed.
        Courier(FleetCourierChange),
        /// An order changed.
        Order(FleetOrderChange),
        /// An exception was raised.
        Alert(FleetAlertRaised),
        /// Sent after 15 s of silence.
        Heartbeat(ServerTime),
        /// The answer to a ping.
        Pong(ServerTime),
        /// Something was wrong with a message.
        Error(ErrorMessage),
        /// Another area is in use. About the server and not about the fleet, so it has no `seq`.
        Area(AreaChanged),
    }
}

impl FleetEvent {
    /// The message's place in the connection's sequence; `None` for messages about the connection itself.
    pub const fn seq(&self) -> Option<u64> {
        match self {
            Self::Snapshot(message) => Some(message.seq),
            Self::Positions(message) => Some(message.seq),
            Self::Courier(message) => Some(message.seq),
            Self::Order(message) => Some(message.seq),
            Self::Alert(message) => Some(message.seq),
            Self::Heartbeat(_) | Self::Pong(_) | Self::Error(_) | Self::Area(_) => None,
        }
    }

    /// The `type` on the wire.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Snapshot(_) => "snapshot",
            Self::Positions(_) => "positions",
            Self::Courier(_) => "courier",
            Self::Order(_) => "order",
            Self::Alert(_) => "alert",
            Self::Heartbeat(_) => "heartbeat",
            Self::Pong(_) => "pong",
            Self::Error(_) => "error",
            Self::Area(_) => "area",
        }
    }
}

wire! {
    /// What a console sends.
    pub enum FleetMessage {
        /// Only positions inside this box from now on.
        Viewport(Viewport),
        /// Positions of one courier, wherever they are; of none when left out.
        Follow(Follow),
        /// Asks for a `pong`.
        Ping(Ping),
    }
}

/// Reads one message of a console.
///
/// # Errors
/// [`DecodeError`] says whether the connection can go on.
pub fn decode(codec: Codec, bytes: &[u8]) -> Result<FleetMessage, DecodeError> {
    const VARIANTS: u32 = 3;
    let invalid = |message: String| DecodeError::Invalid { id: None, message };
    match codec {
        Codec::Postcard => {
            postcard_variant(bytes, VARIANTS)?;
            postcard::from_bytes(bytes).map_err(|error| invalid(error.to_string()))
        }
        Codec::Json => {
            let text = std::str::from_utf8(bytes).map_err(|_| DecodeError::Unreadable("UTF-8"))?;
            let (kind, id) = envelope(text)?;
            match kind.as_str() {
                "viewport" | "follow" | "ping" => {
                    serde_json::from_str(text).map_err(|error| invalid(error.to_string()))
                }
                other => Err(DecodeError::UnknownType { kind: other.chars().take(64).collect(), id }),
            }
        }
    }
}

wire! {
    /// A box on the map.
    #[derive(Copy)]
    pub struct Viewport {
        /// West, south, east, north, in degrees. West beyond east means a box across the antimeridian.
        pub bbox: [f64; 4],
    }
}

wire! {
    /// Which courier to follow beyond the viewport.
    #[derive(Copy)]
    pub struct Follow {
        /// None when left out.
        pub courier_id: Option<CourierId>,
    }
}

wire! {
    /// A courier on the console.
    pub struct FleetCourier {
        /// Their id.
        pub id: CourierId,
        /// Their name.
        pub name: String,
        /// What they ride.
        pub vehicle: Vehicle,
        /// Where they are.
        pub position: Option<Position>,
        /// Charge of their device, 0 to 1.
        pub battery: Option<f32>,
        /// Whether they share their position.
        pub presence: Option<Presence>,
    }
}

wire! {
    /// A batch of positions, at most one every 250 ms.
    pub struct FleetPositions {
        /// Place in the connection's sequence.
        pub seq: u64,
        /// The newest of each courier that moved.
        pub fixes: Vec<FleetFix>,
    }
}

wire! {
    /// The position of one courier of the fleet.
    #[derive(Copy)]
    pub struct FleetFix {
        /// The courier.
        pub courier_id: CourierId,
        /// When the device recorded it, Unix epoch milliseconds.
        pub time_ms: i64,
        /// Degrees north.
        pub lat: f64,
        /// Degrees east.
        pub lon: f64,
        /// Ground speed in metres per second.
        pub speed_mps: Option<f32>,
        /// Direction of travel in `[0, 360)`.
        pub heading_deg: Option<f32>,
        /// Charge of the device, 0 to 1.
        pub battery: Option<f32>,
    }
}

wire! {
    /// A courier changed.
    pub struct FleetCourierChange {
        /// Place in the connection's sequence.
        pub seq: u64,
        /// The courier as they are now.
        pub courier: FleetCourier,
    } added {
        /// They work here no longer, and consoles show them no more; absent while they do.
        pub archived: Option<bool>,
    }
}

wire! {
    /// An exception was raised.
    pub struct FleetAlertRaised {
        /// Place in the connection's sequence.
        pub seq: u64,
        /// The exception.
        pub alert: FleetAlert,
    }
}

wire! {
    /// An exception, for the dispatcher's inbox.
    pub struct FleetAlert {
        /// What is wrong: `silent`, `late`, `stationary`, `off_route` or `delivered_far`.
        pub code: String,
        /// Since when, Unix epoch milliseconds.
        pub since_ms: i64,
        /// The courier it is about.
        pub courier_id: Option<CourierId>,
        /// The order it is about.
        pub order_id: Option<OrderId>,
    }
}
