//! A device's reading of where it was: as it came in, and as it was checked.
//!
//! Any protocol decodes to [`RawFix`]; its numbers may be anything. [`Fix`] can only be made from a valid reading, so
//! all code behind ingest may trust it. Times are not judged here, because this crate has no clock.

use serde::{Deserialize, Serialize};

use crate::geo::{
    coord::{CoordError, LatLon},
    distance::normalise_deg,
};

wire! {
    /// A reading of where a device was. Only `time_ms`, `lat` and `lon` are required; nothing here is checked yet.
    #[derive(Default)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub struct RawFix {
        /// When the device took the reading, Unix epoch milliseconds, by the device's clock.
        pub time_ms: i64,
        /// Degrees north.
        pub lat: f64,
        /// Degrees east.
        pub lon: f64,
        /// Radius of 68 % confidence in metres.
        pub accuracy_m: Option<f32>,
        /// Ground speed in metres per second.
        pub speed_mps: Option<f32>,
        /// Direction of travel, 0 north, clockwise.
        pub heading_deg: Option<f32>,
        /// Metres above the ellipsoid.
        pub altitude_m: Option<f32>,
        /// Charge of the device, 0 to 1.
        pub battery: Option<f32>,
    }
}

/// Why a fix can never be accepted. The client must not send it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// Latitude outside ±90.
    #[error("latitude is outside −90 to 90")]
    LatOutOfRange,
    /// Longitude outside ±180.
    #[error("longitude is outside −180 to 180")]
    LonOutOfRange,
    /// Recorded more than 2 minutes ahead of the server.
    #[error("recorded in the future")]
    TimeInFuture,
    /// Recorded before what the server keeps.
    #[error("recorded before what is kept")]
    TimeTooOld,
    /// A number was missing, not a number, or not finite.
    #[error("a number is missing or not a number")]
    NotANumber,
    /// Accuracy below zero.
    #[error("accuracy is negative")]
    AccuracyNegative,
    /// The courier said they were off duty at that time.
    #[error("the courier was off duty")]
    OffDuty,
}

impl Rejection {
    /// The stable code on the wire and the label in metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::LatOutOfRange => "lat_out_of_range",
            Self::LonOutOfRange => "lon_out_of_range",
            Self::TimeInFuture => "time_in_future",
            Self::TimeTooOld => "time_too_old",
            Self::NotANumber => "not_a_number",
            Self::AccuracyNegative => "accuracy_negative",
            Self::OffDuty => "off_duty",
        }
    }
}

impl From<CoordError> for Rejection {
    fn from(error: CoordError) -> Self {
        match error {
            CoordError::NotANumber => Self::NotANumber,
            CoordError::LatOutOfRange => Self::LatOutOfRange,
            CoordError::LonOutOfRange => Self::LonOutOfRange,
        }
    }
}

/// A checked reading. Its numbers are finite and in range; what a device could not know is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fix {
    recorded_at_ms: i64,
    point: LatLon,
    accuracy_m: Option<f32>,
    speed_mps: Option<f32>,
    heading_deg: Option<f32>,
    altitude_m: Option<f32>,
    battery: Option<f32>,
}

impl Fix {
    /// Checks a reading.
    ///
    /// Headings are brought into `[0, 360)`. A negative speed, heading or battery means "unknown" on phones (−1), and
    /// becomes `None`; so does a battery above 1.
    ///
    /// # Errors
    /// The [`Rejection`] to send back; a repeat of the reading would be rejected, too.
    pub fn try_new(raw: &RawFix) -> Result<Self, Rejection> {
        let point = LatLon::try_new(raw.lat, raw.lon)?;
        let accuracy_m = finite(raw.accuracy_m)?;
        if accuracy_m.is_some_and(|accuracy| accuracy < 0.0) {
            return Err(Rejection::AccuracyNegative);
        }
        Ok(Self {
            recorded_at_ms: raw.time_ms,
            point,
            accuracy_m,
            speed_mps: finite(raw.speed_mps)?.filter(|speed| *speed >= 0.0),
            heading_deg: finite(raw.heading_deg)?
                .filter(|heading| *heading >= 0.0)
                .map(|heading| normalise_deg(f64::from(heading)) as f32),
            altitude_m: finite(raw.altitude_m)?,
            battery: finite(raw.battery)?.filter(|charge| (0.0..=1.0).contains(charge)),
        })
    }

    /// When the device took it, Unix epoch milliseconds. With the courier it identifies the fix.
    pub const fn recorded_at_ms(&self) -> i64 {
        self.recorded_at_ms
    }

    /// The position.
    pub const fn point(&self) -> LatLon {
        self.point
    }

    /// Radius of 68 % confidence in metres, not negative.
    pub const fn accuracy_m(&self) -> Option<f32> {
        self.accuracy_m
    }

    /// Ground speed in metres per second, not negative.
    pub const fn speed_mps(&self) -> Option<f32> {
        self.speed_mps
    }

    /// Direction of travel in `[0, 360)`.
    pub const fn heading_deg(&self) -> Option<f32> {
        self.heading_deg
    }

    /// Metres above the ellipsoid.
    pub const fn altitude_m(&self) -> Option<f32> {
        self.altitude_m
    }

    /// Charge of the device, 0 to 1.
    pub const fn battery(&self) -> Option<f32> {
        self.battery
    }

    /// The same reading in wire form, for exports.
    pub fn to_raw(&self) -> RawFix {
        RawFix {
            time_ms: self.recorded_at_ms,
            lat: self.point.lat(),
            lon: self.point.lon(),
            accuracy_m: self.accuracy_m,
            speed_mps: self.speed_mps,
            heading_deg: self.heading_deg,
            altitude_m: self.altitude_m,
            battery: self.battery,
        }
    }
}

fn finite(value: Option<f32>) -> Result<Option<f32>, Rejection> {
    match value {
        Some(number) if !number.is_finite() => Err(Rejection::NotANumber),
        other => Ok(other),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn raw(lat: f64, lon: f64) -> RawFix {
        RawFix { time_ms: 1, lat, lon, ..RawFix::default() }
    }

    #[test]
    fn every_unusable_reading_has_its_code() {
        let cases = [
            (raw(90.0001, 0.0), Rejection::LatOutOfRange),
            (raw(0.0, 180.0001), Rejection::LonOutOfRange),
            (raw(f64::NAN, 0.0), Rejection::NotANumber),
            (raw(0.0, f64::NEG_INFINITY), Rejection::NotANumber),
            (RawFix { accuracy_m: Some(-0.1), ..raw(1.0, 1.0) }, Rejection::AccuracyNegative),
            (RawFix { accuracy_m: Some(f32::NAN), ..raw(1.0, 1.0) }, Rejection::NotANumber),
            (RawFix { battery: Some(f32::INFINITY), ..raw(1.0, 1.0) }, Rejection::NotANumber),
        ];
        for (reading, expected) in cases {
            assert_eq!(Fix::try_new(&reading), Err(expected), "{reading:?}");
        }
    }

    #[test]
    fn minus_one_means_unknown() {
        let reading = RawFix { speed_mps: Some(-1.0), heading_deg: Some(-1.0), battery: Some(-1.0), ..raw(35.9, 14.5) };
        let fix = Fix::try_new(&reading).expect("a usable reading");
        assert_eq!((fix.speed_mps(), fix.heading_deg(), fix.battery()), (None, None, None));
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_in_range(
            time_ms in any::<i64>(), lat in any::<f64>(), lon in any::<f64>(),
            accuracy_m in any::<Option<f32>>(), speed_mps in any::<Option<f32>>(),
            heading_deg in any::<Option<f32>>(), battery in any::<Option<f32>>(),
        ) {
            let reading = RawFix { time_ms, lat, lon, accuracy_m, speed_mps, heading_deg, altitude_m: None, battery };
            if let Ok(fix) = Fix::try_new(&reading) {
                prop_assert!(fix.point().lat().abs() <= 90.0 && fix.point().lon().abs() <= 180.0);
                prop_assert!(fix.accuracy_m().is_none_or(|accuracy| accuracy >= 0.0));
                prop_assert!(fix.speed_mps().is_none_or(|speed| speed >= 0.0));
                prop_assert!(fix.heading_deg().is_none_or(|heading| (0.0..360.0).contains(&heading)));
                prop_assert!(fix.battery().is_none_or(|charge| (0.0..=1.0).contains(&charge)));
                prop_assert_eq!(Fix::try_new(&fix.to_raw()), Ok(fix), "checking twice changes nothing");
            }
        }
    }
}
