//! A courier's stops, as their phone gets them.
//!
//! In JSON a [`Stop`] has all its fields. In postcard an element of a list can gain none, so [`Stops`] and [`Welcome`]
//! write the list as version 1 clients read it, and after it once more in full: older clients stop reading before that.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{CourierIdentity, Pace};
use crate::{OrderId, OrderStatus, wire::read_added};

/// What happens at a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StopKind {
    /// Collect the goods.
    Pickup,
    /// Hand them over.
    Dropoff,
    /// Bring them back to the pickup: they could not be handed over, or the order was cancelled on the way.
    Return,
}

impl StopKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Pickup, Self::Dropoff, Self::Return];

    /// The word used in SQL and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pickup => "pickup",
            Self::Dropoff => "dropoff",
            Self::Return => "return",
        }
    }

    /// The kind of a word; `None` for a word this version does not know.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

wire! {
    /// One place to go to.
    pub struct Stop {
        /// The order it belongs to.
        pub order_id: OrderId,
        /// The merchant's name for the order.
        pub reference: String,
        /// Collect, hand over or bring back.
        pub kind: StopKind,
        /// Place in the plan, from 1.
        pub sequence: u32,
        /// Degrees north.
        pub lat: f64,
        /// Degrees east.
        pub lon: f64,
        /// Where, in words.
        pub address: String,
        /// What the customer or the merchant asks for.
        pub instructions: Option<String>,
        /// The person there.
        pub contact: Option<Contact>,
        /// How far the order is.
        pub status: OrderStatus,
    } json_only {
        /// Start of the promised window, Unix epoch milliseconds.
        pub promised_from_ms: Option<i64>,
        /// End of the promised window, Unix epoch milliseconds.
        pub promised_until_ms: Option<i64>,
        /// When the courier should be there; absent while no estimate is possible.
        pub arrival: Option<StopArrival>,
        /// What dispatch changed since the courier last saw the stop: `address`, `instructions`, `contact`, `window`,
        /// `goods`, `note`; absent when nothing.
        pub changed: Option<Vec<String>>,
        /// Dispatch fixed its place in the plan; absent when it did not.
        pub locked: Option<bool>,
        /// How much of the courier's capacity the order takes; absent when 1.
        pub size: Option<u32>,
        /// Which attempt this is; absent when the first.
        pub attempt: Option<u32>,
        /// What the order needs: `["van", "cold"]`; absent when nothing.
        pub requires: Option<Vec<String>>,
        /// The merchant's remark about the order.
        pub note: Option<String>,
        /// How long couriers usually wait at this pickup, in seconds; absent while too few have been there.
        pub usual_wait_s: Option<u32>,
    }
}

impl Stop {
    /// The first stop of a plan, with what every stop has.
    pub fn plain(order_id: OrderId, reference: impl Into<String>, kind: StopKind, status: OrderStatus) -> Self {
        Self {
            order_id,
            reference: reference.into(),
            kind,
            sequence: 1,
            lat: 0.0,
            lon: 0.0,
            address: String::new(),
            instructions: None,
            contact: None,
            status,
            promised_from_ms: None,
            promised_until_ms: None,
            arrival: None,
            changed: None,
            locked: None,
            size: None,
            attempt: None,
            requires: None,
            note: None,
            usual_wait_s: None,
        }
    }
}

/// When a courier should be at a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StopArrival {
    /// The start of the range, Unix epoch milliseconds.
    pub earliest_ms: i64,
    /// The likeliest time, Unix epoch milliseconds.
    pub expected_ms: i64,
    /// The end of the range, Unix epoch milliseconds.
    pub latest_ms: i64,
}

wire! {
    /// A person or place at a stop that the courier may call.
    pub struct Contact {
        /// Their name.
        pub name: String,
        /// Their number, as the merchant gave it.
        pub phone: Option<String>,
    }
}

/// All stops of a courier.
#[derive(Clone, Debug, PartialEq)]
pub struct Stops {
    /// In the order of the plan.
    pub stops: Vec<Stop>,
    /// The plan's version; phones answer with [`super::Seen`]. Absent from servers that have no plans.
    pub version: Option<u64>,
}

/// Greets a courier's device.
#[derive(Clone, Debug, PartialEq)]
pub struct Welcome {
    /// The server's clock, Unix epoch milliseconds.
    pub server_time_ms: i64,
    /// The courier who is signed in.
    pub courier: CourierIdentity,
    /// The most fixes in one message.
    pub max_fixes: u32,
    /// How often to report.
    pub pace: Pace,
    /// The courier's stops, in the order of the plan.
    pub stops: Vec<Stop>,
    /// The plan's version; absent from servers that have no plans.
    pub version: Option<u64>,
    /// The dispatch office's number, where the operator set one.
    pub office_phone: Option<String>,
    /// Whether the courier may put their own stops in order.
    pub may_reorder: Option<bool>,
}

/// A stop with every field, in postcard too.
struct Whole(Stop);

const _: () = {
    #[derive(Serialize, Deserialize)]
    #[serde(remote = "Stop")]
    struct Fields {
        order_id: OrderId,
        reference: String,
        kind: StopKind,
        sequence: u32,
        lat: f64,
        lon: f64,
        address: String,
        instructions: Option<String>,
        contact: Option<Contact>,
        status: OrderStatus,
        promised_from_ms: Option<i64>,
        promised_until_ms: Option<i64>,
        arrival: Option<StopArrival>,
        changed: Option<Vec<String>>,
        locked: Option<bool>,
        size: Option<u32>,
        attempt: Option<u32>,
        requires: Option<Vec<String>>,
        note: Option<String>,
        usual_wait_s: Option<u32>,
    }

    impl Serialize for Whole {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            Fields::serialize(&self.0, serializer)
        }
    }

    impl<'de> Deserialize<'de> for Whole {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Fields::deserialize(deserializer).map(Self)
        }
    }
};

/// A message with a courier's stops.
trait HoldsStops {
    fn stops(&self) -> &[Stop];
}

/// The stops that version 1 knows: it has no way back.
fn known_to_version_1(message: &impl HoldsStops) -> Vec<Stop> {
    message.stops().iter().filter(|stop| stop.kind != StopKind::Return).cloned().collect()
}

fn in_full(message: &impl HoldsStops) -> Option<Vec<Whole>> {
    Some(message.stops().iter().cloned().map(Whole).collect())
}

fn of_both(version_1: Vec<Stop>, full: Option<Vec<Whole>>) -> Vec<Stop> {
    full.map_or(version_1, |full| full.into_iter().map(|Whole(stop)| stop).collect())
}

const _: () = {
    type Target = Stops;

    #[serde_with::skip_serializing_none]
    #[derive(Serialize, Deserialize)]
    #[serde(remote = "Target")]
    struct Json {
        stops: Vec<Stop>,
        version: Option<u64>,
    }

    impl HoldsStops for Target {
        fn stops(&self) -> &[Stop] {
            &self.stops
        }
    }

    #[derive(Serialize, Deserialize)]
    #[serde(remote = "Target")]
    struct Postcard {
        #[serde(getter = "known_to_version_1")]
        stops: Vec<Stop>,
        #[serde(deserialize_with = "read_added")]
        version: Option<u64>,
        #[serde(getter = "in_full", deserialize_with = "read_added")]
        full: Option<Vec<Whole>>,
    }

    impl From<Postcard> for Target {
        fn from(read: Postcard) -> Self {
            Self { stops: of_both(read.stops, read.full), version: read.version }
        }
    }

    wire!(@serde Stops);
};

const _: () = {
    type Target = Welcome;

    #[serde_with::skip_serializing_none]
    #[derive(Serialize, Deserialize)]
    #[serde(remote = "Target")]
    struct Json {
        server_time_ms: i64,
        courier: CourierIdentity,
        max_fixes: u32,
        pace: Pace,
        stops: Vec<Stop>,
        version: Option<u64>,
        office_phone: Option<String>,
        may_reorder: Option<bool>,
    }

    impl HoldsStops for Target {
        fn stops(&self) -> &[Stop] {
            &self.stops
        }
    }

    #[derive(Serialize, Deserialize)]
    #[serde(remote = "Target")]
    struct Postcard {
        server_time_ms: i64,
        courier: CourierIdentity,
        max_fixes: u32,
        pace: Pace,
        #[serde(getter = "known_to_version_1")]
        stops: Vec<Stop>,
        #[serde(deserialize_with = "read_added")]
        version: Option<u64>,
        #[serde(getter = "in_full", deserialize_with = "read_added")]
        full: Option<Vec<Whole>>,
        #[serde(deserialize_with = "read_added")]
        office_phone: Option<String>,
        #[serde(deserialize_with = "read_added")]
        may_reorder: Option<bool>,
    }

    impl From<Postcard> for Target {
        fn from(read: Postcard) -> Self {
            let Postcard { server_time_ms, courier, max_fixes, pace, stops, version, full, office_phone, may_reorder } =
                read;
            let stops = of_both(stops, full);
            Self { server_time_ms, courier, max_fixes, pace, stops, version, office_phone, may_reorder }
        }
    }

    wire!(@serde Welcome);
};
