//! The land around an area, as polygons: a map paints them over the sea.
//!
//! An extract's coast is rarely whole. It is cut to a frame around the area; where it leaves the frame it goes on
//! straight away from the middle, far beyond every view, and is closed there. So no edge of the frame is ever seen, and a
//! coast that mappers or an extract left open ends somewhere out of sight, too. Where there is no coast all is land.

use i_overlay::{
    core::{fill_rule::FillRule, overlay::IntOverlayOptions, simplify::Simplify},
    i_float::int::point::IntPoint,
};

use super::{
    positions::Positions,
    rings::{Joining, is_ring, join},
};

/// East and north, in steps of a metre on the equator.
type Spot = [i32; 2];

const STEPS_PER_DEGREE: f64 = 1e5;

/// Longitude and latitude 180 and 85 degrees: where a map ends.
const WORLD: Spot = [18_000_000, 8_500_000];

/// The frame is wider than the bounds by half of their size, and by ten kilometres at least.
const LEAST_MARGIN: i32 = 10_000;

/// The coast goes on to this many times the frame's size, or to the edge of the world.
const BEYOND: f64 = 60.0;

/// The file's content. `coast` is the ways along it, land on their left; `bounds` are in degrees.
pub(super) fn geojson(coast: &[Vec<i64>], positions: &Positions, bounds: [f64; 4]) -> Vec<u8> {
    let spot = |node: &i64| {
        positions.anywhere_e7(*node).map(|[lat, lon]| [(lon + 50).div_euclid(100), (lat + 50).div_euclid(100)])
    };
    let known = |chain: Vec<i64>| {
        let spots: Vec<Option<Spot>> = chain.iter().map(spot).collect();
        let pieces = spots.split(Option::is_none).map(|piece| piece.iter().copied().flatten().collect::<Vec<_>>());
        pieces.filter(|piece| piece.len() >= 2).collect::<Vec<_>>()
    };
    let chains: Vec<Vec<Spot>> = join(coast.to_vec(), Joining::Directed).into_iter().flat_map(known).collect();
    written(&land(&chains, &Frame::around(bounds)))
}

/// The polygons, each with its outer ring first. Rings do not repeat their first spot.
fn land(chains: &[Vec<Spot>], frame: &Frame) -> Vec<Vec<Vec<Spot>>> {
    let mut rings = Vec::new();
    let mut pieces = Vec::new();
    for chain in chains {
        match frame.cut(chain) {
            Cut::Inside => rings.push(chain[1..].to_vec()),
            Cut::Pieces(cut) => pieces.extend(cut),
        }
    }
    if pieces.is_empty() && !is_an_island(&rings, chains, frame) {
        rings.push(vec![[-WORLD[0], -WORLD[1]], [WORLD[0], -WORLD[1]], WORLD, [-WORLD[0], WORLD[1]]]);
    }
    rings.extend(closed(pieces, frame));
    covered(&rings)
}

/// Whether the sea is around: islands lie in the frame, and no larger island around it.
fn is_an_island(rings: &[Vec<Spot>], chains: &[Vec<Spot>], frame: &Frame) -> bool {
    let is_within = |chain: &Vec<Spot>| is_ring(chain) && doubled_area(chain) > 0.0 && encloses(chain, frame.middle());
    let has_islands = rings.iter().any(|ring| doubled_area(ring) > 0.0);
    let inside = |ring: &Vec<Spot>| {
        doubled_area(ring) < 0.0 && !rings.iter().any(|other| doubled_area(other) > 0.0 && encloses(other, ring[0]))
    };
    // A lagoon that lies in no island says that all around it is land.
    let is_mainland =
        rings.iter().any(inside) || chains.iter().any(|chain| is_within(chain) && !frame.holds_all(chain));
    has_islands && !is_mainland
}

/// What lies on the left of the rings, crossings mended.
fn covered(rings: &[Vec<Spot>]) -> Vec<Vec<Vec<Spot>>> {
    let contours: Vec<Vec<IntPoint>> =
        rings.iter().map(|ring| ring.iter().map(|[x, y]| IntPoint::new(*x, *y)).collect()).collect();
    let shapes = contours.simplify(FillRule::Positive, IntOverlayOptions::keep_output_points());
    let ring = |contour: Vec<IntPoint>| contour.into_iter().map(|point| [point.x, point.y]).collect();
    shapes.into_iter().map(|shape| shape.into_iter().map(ring).collect()).collect()
}

/// The box that the coast is cut to.
#[derive(Clone, Copy, Debug)]
struct Frame {
    min: Spot,
    max: Spot,
}

enum Cut {
    /// The chain is a ring within the frame.
    Inside,
    /// What of it lies in the frame, each piece from edge to edge.
    Pieces(Vec<Vec<Spot>>),
}

impl Frame {
    fn around([west, south, east, north]: [f64; 4]) -> Self {
        let step = |degrees: f64| (degrees * STEPS_PER_DEGREE).round() as i32;
        let margin = |low: i32, high: i32| ((high - low) / 2).max(LEAST_MARGIN);
        let (across, up) = (margin(step(west), step(east)), margin(step(south), step(north)));
        let low = |value: i32, axis: usize| value.max(-WORLD[axis]);
        let high = |value: i32, axis: usize| value.min(WORLD[axis]);
        Self {
            min: [low(step(west) - across, 0), low(step(south) - up, 1)],
            max: [high(step(east) + across, 0), high(step(north) + up, 1)],
        }
    }

    fn middle(&self) -> Spot {
        [0, 1].map(|axis| i32::midpoint(self.min[axis], self.max[axis]))
    }

    fn holds(&self, spot: Spot) -> bool {
        (0..2).all(|axis| (self.min[axis]..=self.max[axis]).contains(&spot[axis]))
    }

    fn holds_all(&self, chain: &[Spot]) -> bool {
        chain.iter().all(|spot| self.holds(*spot))
    }

    fn cut(&self, chain: &[Spot]) -> Cut {
        let is_closed = is_ring(chain);
        if is_closed && self.holds_all(chain) {
            return Cut::Inside;
        }
        // A ring is cut open outside, where nothing of it is kept.
        let outside = chain.iter().position(|spot| !self.holds(*spot)).filter(|_| is_closed);
        let mut chain = chain.to_vec();
        if let Some(outside) = outside {
            chain.pop();
            chain.rotate_left(outside);
            chain.push(chain[0]);
        }
        Cut::Pieces(self.inside(&chain).into_iter().map(|piece| self.until_the_edge(piece)).collect())
    }

    fn inside(&self, chain: &[Spot]) -> Vec<Vec<Spot>> {
        let mut pieces: Vec<Vec<Spot>> = Vec::new();
        let mut is_open = false;
        for pair in chain.windows(2) {
            let Some([from, to]) = self.step(pair[0], pair[1]) else {
                is_open = false;
                continue;
            };
            match pieces.last_mut().filter(|piece| is_open && piece.last() == Some(&from)) {
                Some(piece) => piece.push(to),
                None => pieces.push(vec![from, to]),
            }
            is_open = to == pair[1];
        }
        pieces.retain(|piece| piece.iter().any(|spot| *spot != piece[0]));
        pieces
    }

    /// The part of a step within the frame, by the method of Liang and Barsky.
    fn step(&self, from: Spot, to: Spot) -> Option<[Spot; 2]> {
        let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
        for axis in 0..2 {
            let (start, way) = (f64::from(from[axis]), f64::from(to[axis]) - f64::from(from[axis]));
            let (low, high) = (f64::from(self.min[axis]) - start, f64::from(self.max[axis]) - start);
            if way == 0.0 {
                if low > 0.0 || high < 0.0 {
                    return None;
                }
            } else {
                let (first, second) = (low / way, high / way);
                enters = enters.max(first.min(second));
                leaves = leaves.min(first.max(second));
            }
        }
        let at = |share: f64| match share {
            0.0 => from,
            1.0 => to,
            _ => [0, 1].map(|axis| {
                let value = f64::from(from[axis]) + share * (f64::from(to[axis]) - f64::from(from[axis]));
                (value.round() as i32).clamp(self.min[axis], self.max[axis])
            }),
        };
        (enters <= leaves).then(|| [at(enters), at(leaves)])
    }

    /// A piece whose ends lie on the frame: one that is open goes on straight away from the middle.
    fn until_the_edge(&self, mut piece: Vec<Spot>) -> Vec<Spot> {
        piece.insert(0, self.outwards(piece[0]));
        piece.push(self.outwards(piece[piece.len() - 1]));
        piece.dedup();
        piece
    }

    /// Where the ray from the middle through `spot` leaves the frame.
    fn outwards(&self, spot: Spot) -> Spot {
        let middle = self.middle();
        let way = [0, 1].map(|axis| f64::from(spot[axis]) - f64::from(middle[axis]));
        let reach = |axis: usize| {
            let edge = if way[axis] < 0.0 { self.min[axis] } else { self.max[axis] };
            if way[axis] == 0.0 { f64::MAX } else { (f64::from(edge) - f64::from(middle[axis])) / way[axis] }
        };
        let times = reach(0).min(reach(1));
        if times == f64::MAX {
            return [self.max[0], middle[1]];
        }
        [0, 1].map(|axis| {
            let value = f64::from(middle[axis]) + times * way[axis];
            (value.round() as i32).clamp(self.min[axis], self.max[axis])
        })
    }

    /// How far along the edge a spot of it lies, counterclockwise from the corner in the south-west: 0 to 4.
    fn along(&self, [x, y]: Spot) -> f64 {
        let share = |value: i32, axis: usize| {
            (f64::from(value) - f64::from(self.min[axis])) / (f64::from(self.max[axis]) - f64::from(self.min[axis]))
        };
        let (across, up) = (share(x, 0), share(y, 1));
        if y == self.min[1] {
            across
        } else if x == self.max[0] {
            1.0 + up
        } else if y == self.max[1] {
            3.0 - across
        } else {
            4.0 - up
        }
    }

    /// The spot as far from the middle as the edge far beyond is.
    fn beyond(&self, spot: Spot) -> Spot {
        let middle = self.middle();
        let most = |axis: usize| {
            let half = (f64::from(self.max[axis]) - f64::from(self.min[axis])) / 2.0;
            (f64::from(WORLD[axis]) - f64::from(middle[axis]).abs()) / half
        };
        let times = BEYOND.min(most(0)).min(most(1)).max(1.0);
        [0, 1].map(|axis| {
            let value = f64::from(middle[axis]) + times * (f64::from(spot[axis]) - f64::from(middle[axis]));
            (value.round() as i32).clamp(-WORLD[axis], WORLD[axis])
        })
    }

    /// The corners between two places along the edge, counterclockwise.
    fn corners(&self, from: f64, to: f64) -> impl Iterator<Item = Spot> {
        let corners = [self.min, [self.max[0], self.min[1]], self.max, [self.min[0], self.max[1]]];
        let end = if to <= from { to + 4.0 } else { to };
        let first = from.floor() as usize + 1;
        (first..first + 4).filter(move |number| (*number as f64) < end).map(move |number| corners[number % 4])
    }
}

/// Rings of pieces that lead from edge to edge: from the end of each along the edge, land on the left, to the next
/// beginning.
fn closed(pieces: Vec<Vec<Spot>>, frame: &Frame) -> Vec<Vec<Spot>> {
    let begins: Vec<f64> = pieces.iter().map(|piece| frame.along(piece[0])).collect();
    let ends: Vec<f64> = pieces.iter().map(|piece| frame.along(piece[piece.len() - 1])).collect();
    let distance = |from: f64, to: f64| (to - from).rem_euclid(4.0);
    let mut is_used = vec![false; pieces.len()];
    let mut rings = Vec::new();
    for start in 0..pieces.len() {
        let mut ring = Vec::new();
        let mut piece = start;
        while !is_used[piece] {
            is_used[piece] = true;
            ring.push(frame.beyond(pieces[piece][0]));
            ring.extend_from_slice(&pieces[piece]);
            ring.push(frame.beyond(pieces[piece][pieces[piece].len() - 1]));
            let open = (0..pieces.len()).filter(|next| !is_used[*next] || *next == start);
            let nearest = open.min_by(|a, b| {
                distance(ends[piece], begins[*a]).total_cmp(&distance(ends[piece], begins[*b])).then(a.cmp(b))
            });
            let next = nearest.unwrap_or(start);
            ring.extend(frame.corners(ends[piece], begins[next]).map(|corner| frame.beyond(corner)));
            piece = next;
        }
        if ring.len() >= 3 {
            rings.push(ring);
        }
    }
    rings
}

/// Twice the area, positive when the ring runs counterclockwise: land inside.
fn doubled_area(ring: &[Spot]) -> f64 {
    let Some(origin) = ring.first() else { return 0.0 };
    let from_origin = |spot: &Spot| [0, 1].map(|axis| f64::from(spot[axis]) - f64::from(origin[axis]));
    let cross = |pair: &[Spot]| {
        let ([ax, ay], [bx, by]) = (from_origin(&pair[0]), from_origin(&pair[1]));
        ax * by - bx * ay
    };
    ring.windows(2).map(cross).sum()
}

fn encloses(ring: &[Spot], [x, y]: Spot) -> bool {
    let (x, y) = (f64::from(x), f64::from(y));
    let steps = ring.iter().zip(ring.iter().cycle().skip(1));
    let crosses = |(from, to): &(&Spot, &Spot)| {
        let ([ax, ay], [bx, by]) = (from.map(f64::from), to.map(f64::from));
        (ay > y) != (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax
    };
    steps.filter(crosses).count() % 2 == 1
}

fn written(polygons: &[Vec<Vec<Spot>>]) -> Vec<u8> {
    let degrees = |value: i32| f64::from(value) / STEPS_PER_DEGREE;
    let ring = |ring: &Vec<Spot>| {
        let closed = ring.iter().chain(ring.first());
        closed.map(|[x, y]| serde_json::json!([degrees(*x), degrees(*y)])).collect::<Vec<_>>()
    };
    let feature = |polygon: &Vec<Vec<Spot>>| {
        let coordinates: Vec<_> = polygon.iter().map(ring).collect();
        serde_json::json!({
            "type": "Feature",
            "properties": {},
            "geometry": {"type": "Polygon", "coordinates": coordinates},
        })
    };
    let features: Vec<_> = polygons.iter().map(feature).collect();
    serde_json::json!({"type": "FeatureCollection", "features": features}).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Ten degrees each way, so that the frame's corners are 20 degrees from the middle of the world.
    fn frame() -> Frame {
        Frame::around([-10.0, -10.0, 10.0, 10.0])
    }

    fn at(degrees: [f64; 2]) -> Spot {
        degrees.map(|value| (value * 1e5) as i32)
    }

    fn chain(degrees: &[[f64; 2]]) -> Vec<Spot> {
        degrees.iter().map(|spot| at(*spot)).collect()
    }

    fn is_land(chains: &[Vec<Spot>], degrees: [f64; 2]) -> bool {
        let polygons = land(chains, &frame());
        polygons.iter().flatten().filter(|ring| encloses(ring, at(degrees))).count() % 2 == 1
    }

    #[test]
    fn without_a_coast_all_is_land() {
        for spot in [[0.0, 0.0], [60.0, 60.0], [-179.0, -80.0]] {
            assert!(is_land(&[], spot), "{spot:?}");
        }
    }

    #[test]
    fn an_island_is_land_and_what_is_around_it_sea() {
        let island = chain(&[[1.0, 1.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0], [1.0, 1.0]]);
        assert!(is_land(std::slice::from_ref(&island), [1.5, 1.5]));
        assert!(!is_land(&[island], [0.0, 0.0]));
    }

    #[test]
    fn a_lagoon_in_the_mainland_is_water() {
        let lagoon = chain(&[[1.0, 1.0], [1.0, 2.0], [2.0, 2.0], [2.0, 1.0], [1.0, 1.0]]);
        assert!(!is_land(std::slice::from_ref(&lagoon), [1.5, 1.5]));
        assert!(is_land(&[lagoon], [0.0, 0.0]));
    }

    #[test]
    fn land_lies_on_the_left_of_a_coast_and_goes_on_beyond_the_frame() {
        let westwards = chain(&[[50.0, 1.0], [0.0, 0.0], [-50.0, 1.0]]);
        for (spot, is) in [
            ([0.0, -5.0], true),
            ([0.0, 5.0], false),
            ([0.0, -80.0], true),
            ([70.0, -30.0], true),
            ([70.0, 60.0], false),
        ] {
            assert_eq!(is_land(std::slice::from_ref(&westwards), spot), is, "{spot:?}");
        }
    }

    #[test]
    fn a_coast_in_two_bays_and_an_island_before_it() {
        let chains = [
            chain(&[[50.0, 0.0], [5.0, 0.0], [5.0, 50.0]]),
            chain(&[[-5.0, 50.0], [-5.0, 0.0], [-50.0, 0.0]]),
            chain(&[[0.0, 5.0], [1.0, 5.0], [1.0, 6.0], [0.0, 6.0], [0.0, 5.0]]),
        ];
        for (spot, is) in
            [([0.0, -5.0], true), ([10.0, 10.0], false), ([-10.0, 10.0], false), ([0.0, 3.0], true), ([0.5, 5.5], true)]
        {
            assert_eq!(is_land(&chains, spot), is, "{spot:?}");
        }
    }

    #[test]
    fn an_island_larger_than_the_frame_is_land_all_over() {
        let huge = chain(&[[-60.0, -60.0], [60.0, -60.0], [60.0, 60.0], [-60.0, 60.0], [-60.0, -60.0]]);
        assert!(is_land(&[huge], [0.0, 0.0]));
    }

    #[test]
    fn a_coast_that_is_cut_off_goes_on_away_from_the_middle() {
        let open = chain(&[[8.0, 0.0], [0.0, -1.0], [-8.0, 0.0]]);
        assert!(is_land(std::slice::from_ref(&open), [0.0, -5.0]));
        assert!(!is_land(&[open], [0.0, 5.0]));
    }

    #[test]
    fn the_file_is_geojson_with_closed_rings() {
        let island = chain(&[[1.0, 1.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0], [1.0, 1.0]]);
        let text = String::from_utf8(written(&land(&[island], &frame()))).expect("it is text");
        assert!(text.starts_with(r#"{"features":[{"geometry":{"coordinates":[[["#), "{text}");
        assert_eq!(text.matches("[1.0,1.0]").count() + text.matches("[2.0,1.0]").count(), 3, "{text}");
    }

    proptest! {
        #[test]
        fn whatever_the_coast_the_land_stays_on_earth(
            chains in prop::collection::vec(prop::collection::vec([-60.0..60.0_f64, -60.0..60.0_f64], 2..12), 0..5),
        ) {
            let chains: Vec<_> = chains.iter().map(|degrees| chain(degrees)).collect();
            for ring in land(&chains, &frame()).iter().flatten() {
                prop_assert!(ring.len() >= 3);
                prop_assert!(ring.iter().all(|spot| spot[0].abs() <= WORLD[0] && spot[1].abs() <= WORLD[1]));
            }
        }

        #[test]
        fn a_wavy_coast_across_the_frame_parts_land_from_sea(waves in prop::collection::vec(-3.0..3.0_f64, 3..15)) {
            let count = waves.len() as f64 - 1.0;
            let spots: Vec<[f64; 2]> =
                waves.iter().enumerate().map(|(number, wave)| [40.0 - 80.0 * number as f64 / count, *wave]).collect();
            let chains = [chain(&spots)];
            for x in [-15.0, 0.0, 15.0] {
                prop_assert!(is_land(&chains, [x, -4.0]));
                prop_assert!(!is_land(&chains, [x, 4.0]));
            }
        }
    }
}
