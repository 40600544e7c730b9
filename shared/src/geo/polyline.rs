//! Lines of points: length, simplification, and the nearest point on a line.

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

/// The point of a line that is nearest to a given point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// Metres between the line and the given point.
    pub offset_m: f64,
    /// The nearest point itself.
    pub point: LatLon,
    /// Index of the line's point that ends the segment with the nearest point.
    pub next_index: usize,
}

impl Nearest {
    /// Metres from here to the end of `line`, which must be the line that was searched.
    pub fn remaining_m(&self, line: &[LatLon]) -> f64 {
        haversine_m(self.point, line[self.next_index]) + length_m(&line[self.next_index..])
    }
}

/// How far along a line its point nearest to a given point lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Along {
    /// Metres from the line's start to the nearest point on it.
    pub travelled_m: f64,
    /// Metres from the nearest point on the line to its end.
    pub remaining_m: f64,
    /// Metres between the line and the given point.
    pub offset_m: f64,
    /// The nearest point itself.
    pub nearest: LatLon,
    /// Index of the line's point that ends the segment with the nearest point.
    pub next_index: usize,
}

/// Finds the point of `line` nearest to `point`; `None` for a line of fewer than two points.
///
/// Segments are compared on a plane that touches the earth at `point`, a hundred times faster than on the sphere; only
/// the nearest one is then measured on the sphere. A plane misjudges far segments, but those are not the nearest.
pub fn nearest(line: &[LatLon], point: LatLon) -> Option<Nearest> {
    let plane = Plane::at(point);
    let segments = line.windows(2).map(|pair| plane.distance_to_segment(pair[0], pair[1]));
    let (index, _) = segments.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let nearest = nearest_on_segment(line[index], line[index + 1], point);
    Some(Nearest { offset_m: haversine_m(nearest, point), point: nearest, next_index: index + 1 })
}

/// Finds the point of `line` nearest to `point`, and how far along it that is; `None` for a line of fewer than two
/// points.
pub fn locate(line: &[LatLon], point: LatLon) -> Option<Along> {
    let found = nearest(line, point)?;
    let (nearest, next_index) = (found.point, found.next_index);
    let travelled_m = length_m(&line[..next_index]) + haversine_m(line[next_index - 1], nearest);
    Some(Along { travelled_m, remaining_m: found.remaining_m(line), offset_m: found.offset_m, nearest, next_index })
}

/// A plane with its origin at some point, measured in degrees of latitude.
struct Plane {
    origin: LatLon,
    degree_of_lon: f64,
}

impl Plane {
    fn at(origin: LatLon) -> Self {
        Self { origin, degree_of_lon: origin.lat().to_radians().cos() }
    }

    fn place(&self, point: LatLon) -> (f64, f64) {
        let east = point.lon() - self.origin.lon();
        // The short way round the antimeridian.
        let east = if east.abs() > 180.0 { east - 360.0 * east.signum() } else { east };
        (east * self.degree_of_lon, point.lat() - self.origin.lat())
    }

    /// The squared distance of the origin from the segment between `a` and `b`.
    fn distance_to_segment(&self, a: LatLon, b: LatLon) -> f64 {
        let ((ax, ay), (bx, by)) = (self.place(a), self.place(b));
        let (dx, dy) = (bx - ax, by - ay);
        let length = dx * dx + dy * dy;
        let along = if length > 0.0 { (-(ax * dx + ay * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
        let (x, y) = (ax + along * dx, ay + along * dy);
        x * x + y * y
    }
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
    fn a_point_beside_the_middle_of_a_line_is_half_way() {
        let start = at(35.9, 14.5);
        let line = [start, destination(start, 90.0, 500.0), destination(start, 90.0, 1_000.0)];
        let beside = destination(destination(start, 90.0, 500.0), 0.0, 30.0);
        let along = locate(&line, beside).expect("a line of three points");
        assert!((along.travelled_m - 500.0).abs() < 1.0, "{along:?}");
        assert!((along.remaining_m - 500.0).abs() < 1.0, "{along:?}");
        assert!((along.offset_m - 30.0).abs() < 0.5, "{along:?}");
    }

    #[test]
    fn the_nearest_point_is_found_across_the_antimeridian() {
        let line = [at(0.0, 179.98), at(0.0, 179.999), at(0.0, -179.98)];
        let found = nearest(&line, at(0.001, -179.99)).expect("a line of three points");
        assert_eq!(found.next_index, 2);
        assert!((found.offset_m - 111.0).abs() < 1.0, "{found:?}");
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

        #[test]
        fn no_segment_is_nearer_than_the_one_found(
            steps in prop::collection::vec((0.0f64..360.0, 1.0f64..3_000.0), 1..40),
            bearing in 0.0f64..360.0, away in 0.0f64..20_000.0, lat in -70.0f64..70.0,
        ) {
            let mut line = vec![at(lat, 14.4)];
            for (bearing, step_m) in steps {
                let last = *line.last().expect("the line has a start");
                line.push(destination(last, bearing, step_m));
            }
            let point = destination(line[0], bearing, away);
            let found = nearest(&line, point).expect("two points or more");
            let on_sphere = line.windows(2).map(|pair| haversine_m(nearest_on_segment(pair[0], pair[1], point), point));
            let least = on_sphere.fold(f64::INFINITY, f64::min);
            // At ten kilometres a plane may prefer a segment that is a little farther.
            prop_assert!(found.offset_m <= least * 1.02 + 0.5, "{} m, not {least} m", found.offset_m);
        }
    }
}
