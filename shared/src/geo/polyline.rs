//! Lines of points: length, simplification, and where on a line somebody is.

use geo::{Closest, HaversineClosestPoint, LineString, Simplify};

use super::{coord::LatLon, distance::haversine_m};

/// The length of a line in metres; 0 for fewer than two points.
pub fn length_m(line: &[LatLon]) -> f64 {
    line.windows(2).map(|pair| haversine_m(pair[0], pair[1])).sum()
}

/// The line with every point removed that is nearer than `tolerance_deg` degrees to what remains
/// (Ramer–Douglas–Peucker). First and last points stay.
pub fn simplify(line: &[LatLon], tolerance_deg: f64) -> Vec<LatLon> {
    if line.len() < 3 {
        return line.to_vec();
    }
    let points: LineString<f64> = line.iter().map(|point| point.point()).collect();
    let kept = points.simplify(tolerance_deg).0.into_iter();
    kept.filter_map(|coord| LatLon::try_new(coord.y, coord.x).ok()).collect()
}

/// Where on a line the point nearest to somebody lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Along {
    /// Metres from the line's start to the nearest point on it.
    pub travelled_m: f64,
    /// Metres from the nearest point on the line to its end.
    pub remaining_m: f64,
    /// Metres between the line and the point asked about.
    pub offset_m: f64,
    /// The nearest point itself.
    pub nearest: LatLon,
    /// Index of the line's point that ends the segment with the nearest point.
    pub next_index: usize,
}

/// Finds the point of `line` nearest to `point`; `None` for a line of fewer than two points.
pub fn locate(line: &[LatLon], point: LatLon) -> Option<Along> {
    let mut best: Option<(f64, usize, LatLon)> = None;
    for (index, pair) in line.windows(2).enumerate() {
        let nearest = nearest_on_segment(pair[0], pair[1], point);
        let offset_m = haversine_m(nearest, point);
        if best.is_none_or(|(least, ..)| offset_m < least) {
            best = Some((offset_m, index + 1, nearest));
        }
    }
    let (offset_m, next_index, nearest) = best?;
    let travelled_m = length_m(&line[..next_index]) + haversine_m(line[next_index - 1], nearest);
    let remaining_m = haversine_m(nearest, line[next_index]) + length_m(&line[next_index..]);
    Some(Along { travelled_m, remaining_m, offset_m, nearest, next_index })
}

fn nearest_on_segment(a: LatLon, b: LatLon, point: LatLon) -> LatLon {
    let segment = geo::Line::new(a.point(), b.point());
    match segment.haversine_closest_point(&point.point()) {
        Closest::Intersection(found) | Closest::SinglePoint(found) => {
            LatLon::try_new(found.y(), found.x()).unwrap_or(a)
        }
        Closest::Indeterminate => a,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geo::distance::destination;

    fn at(lat: f64, lon: f64) -> LatLon {
        LatLon::try_new(lat, lon).expect("on earth")
    }

    #[test]
    fn somebody_beside_the_middle_of_a_line_is_half_way() {
        let start = at(35.9, 14.5);
        let line = [start, destination(start, 90.0, 500.0), destination(start, 90.0, 1_000.0)];
        let beside = destination(destination(start, 90.0, 500.0), 0.0, 30.0);
        let along = locate(&line, beside).expect("a line of three points");
        assert!((along.travelled_m - 500.0).abs() < 1.0, "{along:?}");
        assert!((along.remaining_m - 500.0).abs() < 1.0, "{along:?}");
        assert!((along.offset_m - 30.0).abs() < 0.5, "{along:?}");
    }

    #[test]
    fn a_straight_line_simplifies_to_its_ends() {
        let line: Vec<_> = (0..50).map(|step| at(35.0 + f64::from(step) * 1e-4, 14.5)).collect();
        assert_eq!(simplify(&line, 1e-6), [line[0], line[49]]);
        assert_eq!(simplify(&line[..1], 1e-6), line[..1]);
    }

    proptest! {
        #[test]
        fn travelled_and_remaining_add_up_to_the_length(
            steps in prop::collection::vec((0.0f64..360.0, 1.0f64..300.0), 1..20),
            bearing in 0.0f64..360.0, away in 0.0f64..500.0,
        ) {
            let mut line = vec![at(35.9, 14.4)];
            for (bearing, step_m) in steps {
                let last = *line.last().expect("the line has a start");
                line.push(destination(last, bearing, step_m));
            }
            let along = locate(&line, destination(line[0], bearing, away)).expect("two points or more");
            prop_assert!((along.travelled_m + along.remaining_m - length_m(&line)).abs() < 0.5);
            prop_assert!(along.offset_m <= away + 0.5);
        }
    }
}
