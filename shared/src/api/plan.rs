//! Bodies about a courier's plan: their open stops in one explicit order, the same on every screen.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{OrderId, protocol::courier::StopKind};

body! {
    /// A courier's plan.
    pub struct PlanView {
        /// Counts up with every change of the plan or of what the courier sees of its orders.
        pub version: u64,
        /// The open stops, in the order in which the courier should make them.
        pub stops: Vec<PlannedStop>,
        /// When the courier works.
        pub shift: Option<CourierShift>,
        /// How much the courier can carry at once; absent without a limit.
        pub capacity: Option<u32>,
        /// How much the courier carries after each stop.
        pub load: Vec<u32>,
        /// The way through all stops, along the streets where these are known.
        pub metres: Option<u32>,
        /// How long that takes with the time at the stops.
        pub seconds: Option<u32>,
        /// The way from the courier through all stops along the streets, points of `[lon, lat]`; absent when unknown.
        #[cfg_attr(feature = "openapi", schema(max_items = 20000))]
        pub line: Option<Vec<[f64; 2]>>,
    }

    /// A stop of a plan.
    pub struct PlannedStop {
        /// The order.
        pub order_id: OrderId,
        /// Collect, hand over or bring back.
        pub kind: StopKind,
        /// Its place, from 1.
        #[cfg_attr(feature = "openapi", schema(minimum = 1))]
        pub sequence: u32,
        /// Dispatch fixed its place.
        pub locked: bool,
        /// When the courier should be there; absent while no estimate is possible.
        pub arrival: Option<ArrivalRange>,
        /// Whether the order will be later than promised.
        pub late: bool,
    }

    /// When a courier should be at a stop.
    pub struct ArrivalRange {
        /// The start of the range.
        pub earliest_at: DateTime<Utc>,
        /// The likeliest time.
        pub expected_at: DateTime<Utc>,
        /// The end of the range.
        pub latest_at: DateTime<Utc>,
    }

    /// The order in which a courier should make their stops.
    pub struct PutPlan {
        /// The plan's version that the caller saw.
        pub version: u64,
        /// Every open stop of the courier, each once, in the new order.
        #[cfg_attr(feature = "openapi", schema(max_items = 2000))]
        pub stops: Vec<PlanStop>,
        /// How many stops at the start keep their places whatever is added; as before when left out.
        #[cfg_attr(feature = "openapi", schema(maximum = 2000))]
        pub locked: Option<u32>,
    }

    /// Which stop of a plan.
    #[derive(Copy, Eq, Hash)]
    pub struct PlanStop {
        /// The order.
        pub order_id: OrderId,
        /// Collect, hand over or bring back.
        pub kind: StopKind,
    }

    /// When a courier works.
    #[derive(Copy, Eq)]
    pub struct CourierShift {
        /// From when.
        pub from: DateTime<Utc>,
        /// Until when; after its start.
        pub until: DateTime<Utc>,
        /// The break; within the shift.
        pub r#break: Option<Span>,
    }

    /// A span of time.
    #[derive(Copy, Eq)]
    pub struct Span {
        /// From when.
        pub from: DateTime<Utc>,
        /// Until when; after its start.
        pub until: DateTime<Utc>,
    }

    /// Where a courier's tours begin and end.
    pub struct Depot {
        /// Degrees north, ±90.
        #[cfg_attr(feature = "openapi", schema(minimum = -90, maximum = 90, example = 51.5155))]
        pub lat: f64,
        /// Degrees east, ±180.
        #[cfg_attr(feature = "openapi", schema(minimum = -180, maximum = 180, example = 0.0922))]
        pub lon: f64,
        /// In words.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 300, pattern = "printable", example = "Marsa depot"))]
        pub address: String,
    }

    /// A courier's day so far, for their own screen.
    #[derive(Copy, Default)]
    pub struct CourierDay {
        /// Orders that they delivered.
        pub delivered: u32,
        /// Orders that they could not deliver.
        pub failed: u32,
        /// Orders that they brought back.
        pub returned: u32,
        /// How far they went while on duty.
        pub metres: u32,
    }
}
