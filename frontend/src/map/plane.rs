//! Geometry of a few kilometres, on a plane laid against the earth at the point looked at.
//!
//! Within 10 km this differs from the great circle by less than a tenth of a percent, far less than a phone's own
//! error, and costs a browser a few instructions instead of the trigonometry of `doorstep_shared::geo`.
//! Points are `[lon, lat]` in degrees, as on the wire.

/// Metres per degree of latitude, on a sphere of radius 6 371 008.8 m.
const METRES_PER_DEGREE: f64 = 111_195.08;

/// `[lon, lat]` in degrees.
pub type LonLat = [f64; 2];

/// How far `to` lies east and north of `from`, in metres.
pub fn offset_m(from: LonLat, to: LonLat) -> [f64; 2] {
    let scale = cos_deg((from[1] + to[1]) / 2.0);
    [(to[0] - from[0]) * METRES_PER_DEGREE * scale, (to[1] - from[1]) * METRES_PER_DEGREE]
}

/// The distance in metres.
pub fn distance_m(a: LonLat, b: LonLat) -> f64 {
    let [east, north] = offset_m(a, b);
    (east * east + north * north).sqrt()
}

/// The direction from `from` to `to` in degrees, 0 north, clockwise, in `[0, 360)`.
pub fn bearing_deg(from: LonLat, to: LonLat) -> f64 {
    let [east, north] = offset_m(from, to);
    let degrees = east.atan2(north).to_degrees();
    if degrees < 0.0 { degrees + 360.0 } else { degrees }
}

/// The smallest turn from heading `a` to heading `b` in degrees within `[−180, 180]`; positive is clockwise.
pub fn turn_deg(a: f64, b: f64) -> f64 {
    let turns = (b - a) / 360.0;
    // Rounding to whole turns leaves at most half a one; a remainder would bring a library function along.
    (turns - (turns + 0.5).floor()) * 360.0
}

/// The point at `share` (0 to 1) of the way from `a` to `b`.
pub fn between(a: LonLat, b: LonLat, share: f64) -> LonLat {
    [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share]
}

/// Where on the line from `a` to `b` the point nearest to `point` lies, as a share from 0 to 1.
pub fn nearest_share(a: LonLat, b: LonLat, point: LonLat) -> f64 {
    let along = offset_m(a, b);
    let to_point = offset_m(a, point);
    let length_squared = along[0] * along[0] + along[1] * along[1];
    if length_squared == 0.0 {
        return 0.0;
    }
    ((along[0] * to_point[0] + along[1] * to_point[1]) / length_squared).clamp(0.0, 1.0)
}

/// The cosine of a latitude, by its series: 0.003 % off at the poles and exact where people live.
fn cos_deg(degrees: f64) -> f64 {
    let squared = degrees.to_radians() * degrees.to_radians();
    1.0 - squared / 2.0 * (1.0 - squared / 12.0 * (1.0 - squared / 30.0 * (1.0 - squared / 56.0)))
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{LatLon, geo};
    use proptest::prelude::*;

    use super::*;

    fn on_sphere([lon, lat]: LonLat) -> LatLon {
        LatLon::try_new(lat, lon).expect("test points are on earth")
    }

    proptest! {
        #[test]
        fn within_ten_kilometres_the_plane_agrees_with_the_sphere(
            lon in -170.0f64..170.0, lat in -70.0f64..70.0, east in -0.08f64..0.08, north in -0.08f64..0.08,
        ) {
            let (a, b) = ([lon, lat], [lon + east, lat + north]);
            let exact_m = geo::distance::haversine_m(on_sphere(a), on_sphere(b));
            prop_assert!((distance_m(a, b) - exact_m).abs() <= exact_m * 0.001 + 0.01);
            if exact_m > 10.0 {
                let exact_deg = geo::distance::bearing_deg(on_sphere(a), on_sphere(b));
                prop_assert!(turn_deg(bearing_deg(a, b), exact_deg).abs() < 0.2);
            }
        }

        #[test]
        fn the_short_way_round_is_taken(a in 0.0f64..360.0, b in 0.0f64..360.0) {
            let turn = turn_deg(a, b);
            prop_assert!((-180.0..=180.0).contains(&turn));
            prop_assert!(turn_deg(a + turn, b).abs() < 1e-9);
        }

        #[test]
        fn nothing_on_a_segment_is_nearer_than_the_nearest(
            east in -0.01f64..0.01, north in -0.01f64..0.01, x in -0.01f64..0.01, y in -0.01f64..0.01, share in 0.0f64..1.0,
        ) {
            let (a, b, point) = ([14.5, 35.9], [14.5 + east, 35.9 + north], [14.5 + x, 35.9 + y]);
            let nearest = between(a, b, nearest_share(a, b, point));
            prop_assert!(distance_m(nearest, point) <= distance_m(between(a, b, share), point) + 0.05);
        }
    }
}
