//! The outlines of areas: closed ways, and relations of ways with holes.
//!
//! What mappers leave open is left out, what crosses itself is mended, and what touches itself is taken apart: nothing
//! that an extract may hold ends the import.

use i_overlay::{
    core::{fill_rule::FillRule, overlay::IntOverlayOptions, simplify::Simplify},
    i_float::int::point::IntPoint,
};

use super::{clip::doubled_area, world::Point};

/// The area of closed rings, whatever they are said to be: inside is what an odd number of them encloses. Each outer
/// ring stands before its holes, and runs so that its area is positive; rings do not repeat their first point.
pub(super) fn enclosed(rings: &[Vec<Point>]) -> Vec<Vec<Point>> {
    let contours: Vec<Vec<IntPoint>> =
        rings.iter().map(|ring| ring.iter().map(|[x, y]| IntPoint::new(*x, *y)).collect()).collect();
    let shapes = contours.simplify(FillRule::EvenOdd, IntOverlayOptions::keep_output_points());
    shapes.into_iter().flat_map(with_direction).collect()
}

/// A shape's first ring is the outer one.
fn with_direction(shape: Vec<Vec<IntPoint>>) -> impl Iterator<Item = Vec<Point>> {
    shape.into_iter().enumerate().map(|(number, contour)| {
        let ring = contour.into_iter().map(|point| [point.x, point.y]).collect();
        directed(ring, number == 0)
    })
}

/// The ring so that it runs as outer rings or as holes do.
fn directed(mut ring: Vec<Point>, is_outer: bool) -> Vec<Point> {
    if (doubled_area(&ring) > 0) != is_outer {
        ring.reverse();
    }
    ring
}

/// The area of one closed way, which repeats its first point.
pub(super) fn of_way(mut points: Vec<Point>) -> Vec<Vec<Point>> {
    points.dedup();
    if points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    match points.len() {
        0..=2 => Vec::new(),
        // Houses, nearly all of what there is, rarely cross themselves, and looking is cheaper than mending.
        3..=SIMPLE if !crosses_itself(&points) => vec![directed(points, true)],
        _ => enclosed(&[points]),
    }
}

// Every step is compared with every other.
const SIMPLE: usize = 12;

/// Whether two steps of a ring that are no neighbours cross or touch.
fn crosses_itself(ring: &[Point]) -> bool {
    let step = |number: usize| [ring[number], ring[(number + 1) % ring.len()]];
    (0..ring.len()).any(|first| {
        let others = first + 2..ring.len() - usize::from(first == 0);
        others.into_iter().any(|second| do_cross(step(first), step(second)))
    })
}

fn do_cross([a, b]: [Point; 2], [c, d]: [Point; 2]) -> bool {
    let side = |from: Point, to: Point, point: Point| doubled_area(&[from, to, point]).signum();
    side(a, b, c) * side(a, b, d) <= 0 && side(c, d, a) * side(c, d, b) <= 0
}

/// Where an area's name stands: at the balance point of its largest ring.
pub(super) fn middle(rings: &[Vec<Point>]) -> Option<Point> {
    let ring = rings.iter().max_by_key(|ring| doubled_area(ring))?;
    let area = doubled_area(ring) as f64;
    let origin = *ring.first()?;
    if area <= 0.0 {
        return Some(origin);
    }
    let from_origin = |point: &Point| [0, 1].map(|axis| f64::from(point[axis]) - f64::from(origin[axis]));
    let weighted = |pair: &[Point]| {
        let ([ax, ay], [bx, by]) = (from_origin(&pair[0]), from_origin(&pair[1]));
        let cross = ax * by - bx * ay;
        [(ax + bx) * cross, (ay + by) * cross]
    };
    let sum = ring.windows(2).map(weighted).fold([0.0, 0.0], |sum, it| [sum[0] + it[0], sum[1] + it[1]]);
    Some([0, 1].map(|axis| origin[axis] + (sum[axis] / (3.0 * area)).round() as i32))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn square(from: i32, to: i32) -> Vec<Point> {
        vec![[from, from], [from, to], [to, to], [to, from]]
    }

    fn total(rings: &[Vec<Point>]) -> i64 {
        rings.iter().map(|ring| doubled_area(ring)).sum()
    }

    #[test]
    fn a_ring_within_a_ring_is_a_hole_and_one_within_that_an_island() {
        let rings = enclosed(&[square(400, 500), square(0, 1000), square(300, 600)]);
        assert_eq!(rings.len(), 3);
        assert_eq!(total(&rings), 2 * (1_000_000 - 90_000 + 10_000));
    }

    #[test]
    fn a_bow_tie_is_two_triangles() {
        let rings = enclosed(&[vec![[0, 0], [100, 100], [100, 0], [0, 100]]]);
        assert_eq!(rings.len(), 2);
        assert_eq!(total(&rings), 2 * 5000);
    }

    #[test]
    fn a_way_that_crosses_itself_is_mended_however_short_it_is() {
        let rings = of_way(vec![[0, 0], [100, 100], [100, 0], [0, 100], [0, 0]]);
        assert_eq!((rings.len(), total(&rings)), (2, 2 * 5000));
    }

    #[test]
    fn a_way_of_two_points_is_no_area() {
        assert!(of_way(vec![[0, 0], [5, 5], [0, 0]]).is_empty());
        assert_eq!(of_way(vec![[0, 0], [0, 5], [5, 5], [0, 0]]), [[[5, 5], [0, 5], [0, 0]]]);
    }

    #[test]
    fn the_name_of_a_square_stands_in_its_middle() {
        assert_eq!(middle(&[square(10, 30).into_iter().rev().collect()]), Some([20, 20]));
        assert_eq!(middle(&[]), None);
    }

    proptest! {
        #[test]
        fn whatever_the_rings_outer_ones_come_first_and_enclose_more_than_their_holes(
            rings in prop::collection::vec(prop::collection::vec([0..200_i32, 0..200_i32], 0..12), 0..5),
        ) {
            let enclosed = enclosed(&rings);
            prop_assert!(enclosed.first().is_none_or(|ring| doubled_area(ring) > 0));
            prop_assert!(total(&enclosed) >= 0);
            prop_assert!(enclosed.iter().all(|ring| ring.len() >= 3));
        }
    }
}
