//! Speed and turning between readings.

use super::{coord::LatLon, distance::haversine_m};

/// The speed in metres per second that it takes to be at `from` at `from_ms` and at `to` at `to_ms`.
///
/// Two readings of one instant count as 1 ms apart, so the answer is finite.
pub fn implied_speed_mps(from: LatLon, from_ms: i64, to: LatLon, to_ms: i64) -> f64 {
    let elapsed_ms = to_ms.abs_diff(from_ms).max(1);
    haversine_m(from, to) * 1_000.0 / elapsed_ms as f64
}

/// The smallest turn from heading `a` to heading `b`, in degrees within `(−180, 180]`; positive is clockwise.
pub fn turn_deg(a: f64, b: f64) -> f64 {
    let turn = (b - a).rem_euclid(360.0);
    if turn > 180.0 { turn - 360.0 } else { turn }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::distance::destination;

    #[test]
    fn a_hundred_metres_in_ten_seconds_is_ten_metres_a_second() {
        let start = LatLon::try_new(35.9, 14.5).expect("on earth");
        let end = destination(start, 10.0, 100.0);
        assert!((implied_speed_mps(start, 0, end, 10_000) - 10.0).abs() < 0.01);
        assert!(implied_speed_mps(start, 5, end, 5).is_finite());
    }

    #[test]
    fn the_short_way_round_is_taken_through_north() {
        assert_eq!(turn_deg(350.0, 10.0), 20.0);
        assert_eq!(turn_deg(10.0, 350.0), -20.0);
        assert_eq!(turn_deg(0.0, 180.0), 180.0);
    }
}
