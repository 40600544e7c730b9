//! Cuts lines and rings to a strip, the part of the plane between two parallels of an axis.
//!
//! Two strips make a box. A ring that leaves the strip follows its edge: harmless for what is filled, and unlike an exact
//! intersection it never fails, whatever the ring looks like.

use super::world::Point;

/// Between `low` and `high` along `axis`, both included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strip {
    pub(super) axis: usize,
    pub(super) low: i32,
    pub(super) high: i32,
}

impl Strip {
    pub(super) fn holds(&self, point: &Point) -> bool {
        (self.low..=self.high).contains(&point[self.axis])
    }

    /// The pieces of a line that lie inside, each of two or more points.
    pub(super) fn line(&self, points: &[Point]) -> Vec<Vec<Point>> {
        let mut pieces = Vec::new();
        let mut piece: Vec<Point> = Vec::new();
        for pair in points.windows(2) {
            let Some([from, to]) = self.segment(pair[0], pair[1]) else { continue };
            if piece.last() != Some(&from) {
                finish(&mut piece, &mut pieces);
                piece.push(from);
            }
            piece.push(to);
            if to != pair[1] {
                finish(&mut piece, &mut pieces);
            }
        }
        finish(&mut piece, &mut pieces);
        pieces
    }

    /// The part of a step that lies inside. `None` when there is none.
    fn segment(&self, from: Point, to: Point) -> Option<[Point; 2]> {
        let (a, b) = (from[self.axis], to[self.axis]);
        if a.max(b) < self.low || a.min(b) > self.high {
            return None;
        }
        let inside = |point: Point| match point[self.axis] {
            value if value < self.low => self.crossing(from, to, self.low),
            value if value > self.high => self.crossing(from, to, self.high),
            _ => point,
        };
        Some([inside(from), inside(to)])
    }

    /// The ring within the strip; empty when nothing is left. Rings do not repeat their first point.
    pub(super) fn ring(&self, points: &[Point]) -> Vec<Point> {
        let above = self.half(points, self.low, |value, edge| value >= edge);
        self.half(&above, self.high, |value, edge| value <= edge)
    }

    /// What lies on one side of an edge, by the method of Sutherland and Hodgman.
    fn half(&self, points: &[Point], edge: i32, is_inside: impl Fn(i32, i32) -> bool) -> Vec<Point> {
        let mut kept = Vec::with_capacity(points.len() + 4);
        let Some(mut from) = points.last().copied() else { return kept };
        for to in points.iter().copied() {
            let (was_inside, is_now) = (is_inside(from[self.axis], edge), is_inside(to[self.axis], edge));
            if was_inside != is_now {
                kept.push(self.crossing(from, to, edge));
            }
            if is_now {
                kept.push(to);
            }
            from = to;
        }
        kept.dedup();
        kept
    }

    /// Where a step that is not parallel to the edge meets it. The same from both ends, so that neighbours fit.
    fn crossing(&self, from: Point, to: Point, edge: i32) -> Point {
        let (from, to) = if from[self.axis] <= to[self.axis] { (from, to) } else { (to, from) };
        let other = 1 - self.axis;
        let share =
            (f64::from(edge) - f64::from(from[self.axis])) / (f64::from(to[self.axis]) - f64::from(from[self.axis]));
        let along = f64::from(from[other]) + share * (f64::from(to[other]) - f64::from(from[other]));
        let mut crossing = [edge; 2];
        crossing[other] = along.round() as i32;
        crossing
    }
}

fn finish(piece: &mut Vec<Point>, pieces: &mut Vec<Vec<Point>>) {
    let finished = std::mem::take(piece);
    if finished.len() >= 2 {
        pieces.push(finished);
    }
}

/// Twice the area that a ring encloses: positive when it runs as outer rings of tiles do, clockwise on a map.
/// It does not matter whether the ring repeats its first point: the area is measured from there.
pub(super) fn doubled_area(ring: &[Point]) -> i64 {
    let Some(origin) = ring.first() else { return 0 };
    // From the first point, so that products stay small.
    let from_origin = |point: &Point| [0, 1].map(|axis| i64::from(point[axis]) - i64::from(origin[axis]));
    let cross = |pair: &[Point]| {
        let ([ax, ay], [bx, by]) = (from_origin(&pair[0]), from_origin(&pair[1]));
        ax * by - bx * ay
    };
    ring.windows(2).map(cross).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STRIP: Strip = Strip { axis: 0, low: -100, high: 100 };

    #[test]
    fn a_line_that_comes_back_is_two_pieces() {
        let line = [[0, 0], [200, 0], [200, 50], [0, 50]];
        assert_eq!(STRIP.line(&line), [vec![[0, 0], [100, 0]], vec![[100, 50], [0, 50]]]);
        assert!(STRIP.line(&[[101, 0], [300, 5]]).is_empty());
        assert_eq!(STRIP.line(&[[-300, 0], [300, 600]]), [vec![[-100, 200], [100, 400]]]);
    }

    #[test]
    fn a_ring_follows_the_edge() {
        let square = [[0, 0], [200, 0], [200, 200], [0, 200]];
        assert_eq!(STRIP.ring(&square), [[0, 0], [100, 0], [100, 200], [0, 200]]);
        assert!(STRIP.ring(&[[200, 0], [300, 0], [300, 100]]).is_empty());
    }

    fn points(range: i32, count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Point>> {
        prop::collection::vec([-range..range, -range..range], count)
    }

    /// A star around the middle, which never crosses itself.
    fn star() -> impl Strategy<Value = Vec<Point>> {
        prop::collection::vec(20..400_i32, 3..20).prop_map(|radii| {
            let count = radii.len() as f64;
            let point = |(number, radius): (usize, &i32)| {
                let angle = number as f64 / count * std::f64::consts::TAU;
                [(f64::from(*radius) * angle.cos()) as i32, (f64::from(*radius) * angle.sin()) as i32]
            };
            radii.iter().enumerate().map(point).collect()
        })
    }

    proptest! {
        #[test]
        fn nothing_is_left_outside(line in points(500, 0..20), axis in 0_usize..2) {
            let strip = Strip { axis, ..STRIP };
            prop_assert!(strip.ring(&line).iter().all(|point| strip.holds(point)));
            for piece in strip.line(&line) {
                prop_assert!(piece.len() >= 2);
                prop_assert!(piece.iter().all(|point| strip.holds(point)));
            }
        }

        #[test]
        fn what_lies_inside_stays_as_it_is(line in points(100, 2..20)) {
            prop_assert_eq!(STRIP.line(&line), vec![line.clone()]);
            let mut ring = line;
            ring.dedup();
            prop_assert_eq!(STRIP.ring(&ring), ring);
        }

        #[test]
        fn parts_of_a_ring_cover_as_much_as_the_whole(ring in star()) {
            let strips = [(-1000, -100), (-100, 100), (100, 1000)].map(|(low, high)| Strip { axis: 0, low, high });
            let parts: i64 = strips.iter().map(|strip| doubled_area(&strip.ring(&ring))).sum();
            // A crossing is rounded: half a unit, for each of at most so many steps, along at most so much of an edge.
            let slack = 2 * 800 + 4 * ring.len() as i64 * 400;
            prop_assert!((parts - doubled_area(&ring)).abs() <= slack, "{parts} {}", doubled_area(&ring));
        }

        #[test]
        fn an_outer_ring_never_becomes_a_hole(ring in star(), low in -300..0_i32, high in 0..300_i32) {
            let strip = Strip { axis: 1, low, high };
            prop_assert!(doubled_area(&strip.ring(&ring)) >= -2 * (high - low) as i64 * ring.len() as i64);
        }
    }
}
