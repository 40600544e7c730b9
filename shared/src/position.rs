//! The published part of a fix: what a map needs and nothing else.

use crate::{Fix, LatLon, geo::coord::round6};

wire! {
    /// One published position of a courier.
    #[derive(Copy)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub struct Position {
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
        /// Direction of travel in `[0, 360)`; frozen while the courier is slow.
        pub heading_deg: Option<f32>,
    }
}

impl Position {
    /// The published part of `fix`, with `heading_deg` as the tracker smoothed it.
    pub fn from_fix(fix: &Fix, heading_deg: Option<f32>) -> Self {
        Self {
            time_ms: fix.recorded_at_ms(),
            lat: round6(fix.point().lat()),
            lon: round6(fix.point().lon()),
            accuracy_m: fix.accuracy_m(),
            speed_mps: fix.speed_mps(),
            heading_deg,
        }
    }

    /// The position as a checked point; `None` when a peer sent an invalid one.
    pub fn point(&self) -> Option<LatLon> {
        LatLon::try_new(self.lat, self.lon).ok()
    }
}
