//! Leaves out points that nobody sees, by the method of Douglas and Peucker.
//!
//! A line is thinned as a whole before it is cut to tiles, so that neighbouring tiles fit.

use super::world::Point;

/// The line without points that lie nearer than `tolerance` units to what is kept. Its ends stay.
pub(super) fn line(points: &[Point], tolerance: i32) -> Vec<Point> {
    if points.len() <= 2 || tolerance <= 0 {
        return points.to_vec();
    }
    let mut is_kept = vec![false; points.len()];
    is_kept[0] = true;
    is_kept[points.len() - 1] = true;
    mark(points, 0, points.len() - 1, f64::from(tolerance), &mut is_kept);
    kept(points, &is_kept)
}

/// The same for a ring, which does not repeat its first point. One that collapses becomes empty.
pub(super) fn ring(points: &[Point], tolerance: i32) -> Vec<Point> {
    if tolerance <= 0 || points.len() <= 3 {
        return points.to_vec();
    }
    // From one point to the farthest from it, and back.
    let far = (0..points.len()).max_by_key(|index| square(points[0], points[*index])).unwrap_or(0);
    let mut closed = points.to_vec();
    closed.push(points[0]);
    let mut is_kept = vec![false; closed.len()];
    is_kept[0] = true;
    is_kept[far] = true;
    mark(&closed, 0, far, f64::from(tolerance), &mut is_kept);
    mark(&closed, far, points.len(), f64::from(tolerance), &mut is_kept);
    is_kept[points.len()] = false;
    let kept = kept(&closed, &is_kept);
    if kept.len() < 3 { Vec::new() } else { kept }
}

fn kept(points: &[Point], is_kept: &[bool]) -> Vec<Point> {
    points.iter().zip(is_kept).filter(|(_, is_kept)| **is_kept).map(|(point, _)| *point).collect()
}

/// A list in place of recursion: a coast has more points than a stack has room.
fn mark(points: &[Point], first: usize, last: usize, tolerance: f64, is_kept: &mut [bool]) {
    let mut open = vec![(first, last)];
    while let Some((first, last)) = open.pop() {
        let inner =
            (first + 1..last).map(|index| (index, distance_squared(points[index], points[first], points[last])));
        let Some((farthest, distance)) = inner.max_by(|a, b| a.1.total_cmp(&b.1)) else { continue };
        if distance > tolerance * tolerance {
            is_kept[farthest] = true;
            open.push((first, farthest));
            open.push((farthest, last));
        }
    }
}

/// From a point to the stretch between two others.
pub(super) fn distance_squared(point: Point, from: Point, to: Point) -> f64 {
    let minus = |a: Point, b: Point| [f64::from(a[0]) - f64::from(b[0]), f64::from(a[1]) - f64::from(b[1])];
    let (step, way) = (minus(to, from), minus(point, from));
    let length = step[0] * step[0] + step[1] * step[1];
    let share = if length == 0.0 { 0.0 } else { ((way[0] * step[0] + way[1] * step[1]) / length).clamp(0.0, 1.0) };
    let (x, y) = (way[0] - share * step[0], way[1] - share * step[1]);
    x * x + y * y
}

fn square(a: Point, b: Point) -> i64 {
    let span = |axis: usize| i64::from(a[axis]) - i64::from(b[axis]);
    span(0) * span(0) + span(1) * span(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bend_stays_and_a_wobble_goes() {
        assert_eq!(line(&[[0, 0], [50, 1], [100, 0], [100, 80]], 3), [[0, 0], [100, 0], [100, 80]]);
        assert_eq!(ring(&[[0, 0], [50, 1], [100, 0], [100, 80], [0, 80]], 3), [[0, 0], [100, 0], [100, 80], [0, 80]]);
    }

    #[test]
    fn a_ring_smaller_than_the_tolerance_is_gone() {
        assert!(ring(&[[0, 0], [2, 0], [2, 2], [0, 2]], 5).is_empty());
    }

    proptest! {
        #[test]
        fn every_point_left_out_is_near_to_what_is_kept(
            points in prop::collection::vec([-1000..1000_i32, -1000..1000_i32], 2..40),
            tolerance in 0..300_i32,
        ) {
            let thinned = line(&points, tolerance);
            prop_assert_eq!((thinned.first(), thinned.last()), (points.first(), points.last()));
            for point in &points {
                let nearest = thinned.windows(2).map(|pair| distance_squared(*point, pair[0], pair[1]));
                prop_assert!(nearest.fold(f64::MAX, f64::min) <= f64::from(tolerance).powi(2) + 1e-6);
            }
        }
    }
}
