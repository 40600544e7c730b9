//! Points as places in space, where a distance costs three multiplications.

use doorstep_shared::LatLon;

const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// Where a point lies, in metres from the middle of the earth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct InSpace([f64; 3]);

impl InSpace {
    pub(super) fn of(point: LatLon) -> Self {
        let (sin_lat, cos_lat) = point.lat().to_radians().sin_cos();
        let (sin_lon, cos_lon) = point.lon().to_radians().sin_cos();
        Self([EARTH_RADIUS_M * cos_lat * cos_lon, EARTH_RADIUS_M * cos_lat * sin_lon, EARTH_RADIUS_M * sin_lat])
    }

    /// The straight way through the earth: never longer than any way on it, and quicker to compute than an arc.
    pub(super) fn chord_m(self, other: Self) -> f64 {
        let [x, y, z] = [0, 1, 2].map(|axis| self.0[axis] - other.0[axis]);
        (x * x + y * y + z * z).sqrt()
    }
}
