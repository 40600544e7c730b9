//! How good told arrivals were: `GET /api/v1/arrival/scores?from=&until=&by=horizon|vehicle|pickup|courier`. And why they
//! are as they are at pickups: `GET /api/v1/arrival/waits`.
//!
//! A delivery counts once for each horizon: the range that its customer had 1, 3, 5, 10, 15 and 30 minutes before the
//! courier was at the door.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Ranges that hold four of five arrivals are what customers are told; where the share of those inside leaves this, they
/// do not mean it. The operator's alert and the console's colour are one.
pub const TRUSTED_INSIDE: RangeInclusive<f64> = 0.7..=0.9;

/// By what scores are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ArrivalScoresBy {
    /// Minutes before the arrival.
    #[default]
    Horizon,
    /// What the courier rode.
    Vehicle,
    /// Where the goods came from.
    Pickup,
    /// Who brought them; for admins only.
    Courier,
}

body! {
    /// Told arrivals of one group against what came.
    pub struct ArrivalScore {
        /// Which group: minutes, a vehicle, the address of a pickup or a courier's id.
        pub group: String,
        /// What people call it, where that is something else.
        pub name: Option<String>,
        /// How many ranges.
        pub n: u64,
        /// The share of arrivals inside their range, 0 to 1.
        pub inside: f64,
        /// The share that came before it.
        pub early: f64,
        /// The share that came after it.
        pub late: f64,
        /// Mean width in seconds.
        pub width_s: f64,
        /// By how many seconds couriers came later than expected on average.
        pub bias_s: f64,
        /// Mean distance of the arrival from what was expected, in seconds.
        pub mae_s: f64,
        /// Mean of the width, plus ten times the distance of an arrival outside of it, in seconds; less is better.
        pub interval_score_s: f64,
    }
}

body! {
    /// How long couriers wait at a pickup, as it was learned there.
    pub struct ArrivalWait {
        /// Its address.
        pub pickup: String,
        /// How many of the newest deliveries began there.
        pub n: u64,
        /// What is expected there on any day, in seconds.
        pub wait_s: f64,
        /// What is expected at any pickup, in seconds.
        pub usual_s: f64,
        /// The weekdays that differ by a minute or more.
        pub days: Vec<ArrivalWaitDay>,
    }

    /// A weekday on which a pickup is slower or quicker than on others.
    pub struct ArrivalWaitDay {
        /// 1 is Monday, 7 is Sunday.
        pub weekday: u8,
        /// What is expected there then, in seconds.
        pub wait_s: f64,
    }
}
