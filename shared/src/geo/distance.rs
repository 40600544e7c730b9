//! Distances and bearings between two points.

use geo::{Bearing, Destination, Distance, Haversine};

use super::coord::LatLon;

/// Great-circle distance between `a` and `b` in metres (sphere of radius 6 371 008.8 m; up to about 0.5 % off the
/// ellipsoid).
pub fn haversine_m(a: LatLon, b: LatLon) -> f64 {
    Haversine.distance(a.point(), b.point())
}

/// Initial bearing from `from` to `to` in degrees, 0 north, clockwise, in `[0, 360)`; 0 when the points are equal.
pub fn bearing_deg(from: LatLon, to: LatLon) -> f64 {
    if from == to {
        return 0.0;
    }
    normalise_deg(Haversine.bearing(from.point(), to.point()))
}

/// The point `distance_m` metres from `from` in direction `bearing_deg`.
pub fn destination(from: LatLon, bearing_deg: f64, distance_m: f64) -> LatLon {
    let point = Haversine.destination(from.point(), bearing_deg, distance_m);
    let lon = if point.x() > 180.0 {
        point.x() - 360.0
    } else if point.x() < -180.0 {
        point.x() + 360.0
    } else {
        point.x()
    };
    LatLon::try_new(point.y().clamp(-90.0, 90.0), lon).unwrap_or(from)
}

/// Any angle in degrees, brought into `[0, 360)`.
pub fn normalise_deg(degrees: f64) -> f64 {
    let turned = degrees.rem_euclid(360.0);
    // rem_euclid of a tiny negative number rounds up to 360 itself.
    if turned >= 360.0 { 0.0 } else { turned }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(lat: f64, lon: f64) -> LatLon {
        LatLon::try_new(lat, lon).expect("test points are on earth")
    }

    #[test]
    fn known_distances_are_met_within_half_a_percent() {
        // Ellipsoidal distances: one degree of latitude from the equator 110 574 m, one of longitude on it
        // 111 320 m; Valletta's City Gate to Mdina's gate about 10.5 km; London to Paris 343.9 km.
        let cases = [
            (at(0.0, 0.0), at(1.0, 0.0), 110_574.0, 0.007),
            (at(0.0, 0.0), at(0.0, 1.0), 111_320.0, 0.005),
            (at(35.8957, 14.5093), at(35.8848, 14.4036), 9_612.0, 0.02),
            (at(51.5074, -0.1278), at(48.8566, 2.3522), 343_900.0, 0.005),
        ];
        for (a, b, expected_m, tolerance) in cases {
            let measured = haversine_m(a, b);
            assert!((measured / expected_m - 1.0).abs() < tolerance, "{a} to {b}: {measured} m, not {expected_m} m");
        }
    }

    #[test]
    fn bearings_follow_the_compass() {
        let here = at(35.9, 14.5);
        for (there, expected) in
            [(at(36.0, 14.5), 0.0), (at(35.9, 14.6), 90.0), (at(35.8, 14.5), 180.0), (at(35.9, 14.4), 270.0)]
        {
            assert!((bearing_deg(here, there) - expected).abs() < 0.1);
        }
        assert_eq!(bearing_deg(here, here), 0.0);
    }

    proptest! {
        #[test]
        fn distance_is_symmetric_and_zero_only_to_itself(
            lat_a in -89.0f64..89.0, lon_a in -180.0f64..180.0, lat_b in -89.0f64..89.0, lon_b in -180.0f64..180.0,
        ) {
            let (a, b) = (at(lat_a, lon_a), at(lat_b, lon_b));
            prop_assert!((haversine_m(a, b) - haversine_m(b, a)).abs() < 1e-6);
            prop_assert_eq!(haversine_m(a, a), 0.0);
            prop_assert!(haversine_m(a, b) <= 20_015_115.0, "half the circumference is the farthest there is");
        }

        #[test]
        fn going_somewhere_and_measuring_agree(
            lat in -80.0f64..80.0, lon in -180.0f64..180.0, bearing in 0.0f64..360.0, distance in 1.0f64..50_000.0,
        ) {
            let start = at(lat, lon);
            let end = destination(start, bearing, distance);
            prop_assert!((haversine_m(start, end) - distance).abs() < 0.01);
        }

        #[test]
        fn every_angle_normalises_into_one_turn(degrees in -1e6f64..1e6) {
            prop_assert!((0.0..360.0).contains(&normalise_deg(degrees)));
        }
    }
}
