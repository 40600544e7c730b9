//! A checked point on the earth.

use std::fmt;

/// A point on the WGS 84 ellipsoid, in degrees. Latitude is within ±90, longitude within ±180; never NaN,
/// and never −0.0, so that equal points are equal bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatLon {
    lat_deg: f64,
    lon_deg: f64,
}

/// Why two numbers are not a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoordError {
    /// NaN or infinite.
    #[error("a coordinate is not a finite number")]
    NotANumber,
    /// Latitude beyond a pole.
    #[error("latitude is outside −90 to 90 degrees")]
    LatOutOfRange,
    /// Longitude beyond the antimeridian.
    #[error("longitude is outside −180 to 180 degrees")]
    LonOutOfRange,
}

impl LatLon {
    /// A point from degrees.
    ///
    /// # Errors
    /// [`CoordError`] names the unusable number; latitude is checked first.
    pub fn try_new(lat_deg: f64, lon_deg: f64) -> Result<Self, CoordError> {
        if !lat_deg.is_finite() || !lon_deg.is_finite() {
            return Err(CoordError::NotANumber);
        }
        if lat_deg.abs() > 90.0 {
            return Err(CoordError::LatOutOfRange);
        }
        if lon_deg.abs() > 180.0 {
            return Err(CoordError::LonOutOfRange);
        }
        // Adding positive zero turns −0.0 into 0.0 and leaves everything else alone.
        Ok(Self { lat_deg: lat_deg + 0.0, lon_deg: lon_deg + 0.0 })
    }

    /// Degrees north of the equator.
    pub const fn lat(self) -> f64 {
        self.lat_deg
    }

    /// Degrees east of Greenwich.
    pub const fn lon(self) -> f64 {
        self.lon_deg
    }

    /// `[lon, lat]`, the order of GeoJSON and of every array on the wire, rounded to 6 decimals (0.11 m).
    pub fn to_lon_lat(self) -> [f64; 2] {
        [round6(self.lon_deg), round6(self.lat_deg)]
    }

    /// Exactly 0,0: what a phone without a fix reports, in the Gulf of Guinea.
    pub fn is_null_island(self) -> bool {
        self.lat_deg == 0.0 && self.lon_deg == 0.0
    }

    pub(crate) fn point(self) -> geo::Point<f64> {
        geo::Point::new(self.lon_deg, self.lat_deg)
    }
}

/// Rounds degrees to 6 decimals, 0.11 m at the equator: finer than any phone, and short on the wire.
pub fn round6(degrees: f64) -> f64 {
    (degrees * 1e6).round() / 1e6
}

impl fmt::Display for LatLon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6},{:.6}", self.lat_deg, self.lon_deg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_poles_and_the_antimeridian_are_points_and_nothing_beyond_them_is() {
        assert!(LatLon::try_new(90.0, 180.0).is_ok());
        assert!(LatLon::try_new(-90.0, -180.0).is_ok());
        assert_eq!(LatLon::try_new(90.0001, 0.0), Err(CoordError::LatOutOfRange));
        assert_eq!(LatLon::try_new(0.0, -180.0001), Err(CoordError::LonOutOfRange));
        assert_eq!(LatLon::try_new(f64::NAN, 0.0), Err(CoordError::NotANumber));
        assert_eq!(LatLon::try_new(0.0, f64::INFINITY), Err(CoordError::NotANumber));
    }

    #[test]
    fn negative_zero_becomes_zero() {
        let point = LatLon::try_new(-0.0, -0.0).expect("zero is a coordinate");
        assert!(point.lat().is_sign_positive() && point.lon().is_sign_positive());
        assert!(point.is_null_island());
    }
}
