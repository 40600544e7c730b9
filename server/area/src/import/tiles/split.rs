//! Hands a feature to the tiles that it meets.
//!
//! A feature of many tiles is halved until each half is one tile: a lake of 100 000 points in 5 000 tiles is then cut
//! about twelve times, not 5 000 times.

use std::collections::BTreeMap;

use super::{
    clip::{Strip, doubled_area},
    feature::{AttributesId, Feature, Features, Kind, Layer},
    simplify,
    world::{Frame, MAX_ZOOM, Point, Tiles, buffer, step_bits, tile_bits},
};

/// What one tile holds: the parts of equal features together, in the order of the layers.
pub(super) type Draft = BTreeMap<(Layer, Kind, AttributesId), Vec<Vec<Point>>>;

/// The tiles at hand, by row and column.
pub(super) type Drafts = BTreeMap<[i32; 2], Draft>;

/// Draws the feature `index` into those of `tiles` that it meets.
pub(super) fn draw(features: &Features, index: u32, tiles: Tiles, drafts: &mut Drafts) {
    let feature = features.get(index);
    let frame = features.frame(index);
    let detail = Detail::of(feature, tiles.zoom);
    if feature.kind == Kind::Area && detail.hides(frame) {
        return;
    }
    let Some(met) = frame.grown(buffer(tiles.zoom)).tiles(tiles.zoom).common(tiles) else { return };
    let mut parts = detail.thinned(features.parts(index), feature.kind);
    let key = (feature.layer, feature.kind, feature.attributes);
    if feature.kind == Kind::Point {
        return place(&parts, tiles, |tile, part| drafts.entry(tile).or_default().entry(key).or_default().push(part));
    }
    let room = met.frame();
    for axis in 0..2 {
        parts = cut(parts, feature.kind, Strip { axis, low: room.min[axis], high: room.max[axis] });
    }
    halve(parts, feature.kind, met, &mut |tile, parts| {
        drafts.entry(tile).or_default().entry(key).or_default().extend(parts);
    });
}

/// Points have no extent: each belongs to one tile.
fn place(parts: &[Vec<Point>], tiles: Tiles, mut take: impl FnMut([i32; 2], Vec<Point>)) {
    let bits = tile_bits(tiles.zoom);
    for point in parts.iter().flatten() {
        let tile = point.map(|value| value >> bits);
        if Tiles::one(tiles.zoom, tile).common(tiles).is_some() {
            take(tile, vec![*point]);
        }
    }
}

fn halve(parts: Vec<Vec<Point>>, kind: Kind, tiles: Tiles, take: &mut impl FnMut([i32; 2], Vec<Vec<Point>>)) {
    if parts.is_empty() {
        return;
    }
    if tiles.is_one() {
        return take(tiles.min, parts);
    }
    let axis = tiles.longer_axis();
    let [first, second] = tiles.halves(axis);
    let strip = |half: Tiles| Strip { axis, low: half.frame().min[axis], high: half.frame().max[axis] };
    halve(cut(parts.clone(), kind, strip(first)), kind, first, take);
    halve(cut(parts, kind, strip(second)), kind, second, take);
}

/// What lies in the strip. Holes of an outer ring that is gone are gone, too: they lie in it.
fn cut(parts: Vec<Vec<Point>>, kind: Kind, strip: Strip) -> Vec<Vec<Point>> {
    if parts.iter().flatten().all(|point| strip.holds(point)) {
        return parts;
    }
    match kind {
        Kind::Point => parts,
        Kind::Line => parts.iter().flat_map(|part| strip.line(part)).collect(),
        Kind::Area => parts.iter().map(|part| strip.ring(part)).filter(|ring| ring.len() >= 3).collect(),
    }
}

/// How much of a feature a zoom shows.
struct Detail {
    /// Points nearer than this to their line are left out, in units.
    tolerance: i32,
    /// Areas smaller than this are left out, in square units.
    smallest: i64,
}

// Steps of a tile. On a screen eight of them are a point at the tile's own zoom, but tiles of the finest zoom are shown
// up to 32 times as large.
const FINEST_TOLERANCE: i32 = 1;
const TOLERANCE: i32 = 4;
const FINEST_SMALLEST: i64 = 8;
const SMALLEST: i64 = 160;
// A house of 20 by 20 metres at zoom 13 and 45 degrees of latitude.
const SMALLEST_BUILDING: i64 = 500;

impl Detail {
    fn of(feature: &Feature, zoom: u8) -> Self {
        let (tolerance, smallest) = match (zoom, feature.layer) {
            (MAX_ZOOM, _) => (FINEST_TOLERANCE, FINEST_SMALLEST),
            (_, Layer::Building) => (TOLERANCE, SMALLEST_BUILDING),
            _ => (TOLERANCE, SMALLEST),
        };
        let bits = step_bits(zoom);
        Self { tolerance: tolerance << bits, smallest: smallest << (2 * bits) }
    }

    /// Whether an area in this box is too small to be seen.
    fn hides(&self, frame: Frame) -> bool {
        let side = |axis: usize| i64::from(frame.max[axis]) - i64::from(frame.min[axis]);
        side(0).saturating_mul(side(1)) < self.smallest
    }

    fn thinned<'a>(&self, parts: impl Iterator<Item = &'a [Point]>, kind: Kind) -> Vec<Vec<Point>> {
        match kind {
            Kind::Point => parts.map(<[Point]>::to_vec).collect(),
            Kind::Line => parts.map(|line| simplify::line(line, self.tolerance)).collect(),
            Kind::Area => self.rings(parts),
        }
    }

    /// The rings that are large enough, without the holes of outer rings that are not.
    fn rings<'a>(&self, parts: impl Iterator<Item = &'a [Point]>) -> Vec<Vec<Point>> {
        let mut rings = Vec::new();
        let mut is_outer_kept = false;
        for part in parts {
            let area = doubled_area(part);
            let is_outer = area > 0;
            if !is_outer && !is_outer_kept {
                continue;
            }
            let ring = if area.abs() / 2 < self.smallest { Vec::new() } else { simplify::ring(part, self.tolerance) };
            if is_outer {
                is_outer_kept = !ring.is_empty();
            }
            if !ring.is_empty() {
                rings.push(ring);
            }
        }
        rings
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::import::tiles::feature::Drawing;

    fn features(kind: Kind, parts: &[Vec<Point>]) -> Features {
        let mut features = Features::default();
        let drawing = Drawing { layer: Layer::Water, kind, min_zoom: 0, attributes: vec![] };
        features.add(drawing, parts.iter().map(Vec::as_slice));
        features
    }

    fn drafts(features: &Features, tiles: Tiles) -> Drafts {
        let mut drafts = Drafts::new();
        draw(features, 0, tiles, &mut drafts);
        drafts
    }

    const ALL: Tiles = Tiles { zoom: 14, min: [0, 0], max: [15, 15] };

    #[test]
    fn a_line_through_three_tiles_is_in_three_tiles() {
        let features = features(Kind::Line, &[vec![[10, 32_000], [190_000, 32_000]]]);
        let drafts = drafts(&features, ALL);
        assert_eq!(drafts.keys().copied().collect::<Vec<_>>(), [[0, 0], [1, 0], [2, 0]]);
    }

    #[test]
    fn a_point_is_in_one_tile_even_at_its_edge() {
        let features = features(Kind::Point, &[vec![[65_536, 3]]]);
        assert_eq!(drafts(&features, ALL).keys().copied().collect::<Vec<_>>(), [[1, 0]]);
    }

    #[test]
    fn a_pond_is_not_seen_from_afar() {
        let features = features(Kind::Area, &[vec![[0, 0], [900, 0], [900, 900], [0, 900]]]);
        assert_eq!(drafts(&features, ALL).len(), 1);
        assert!(drafts(&features, Tiles::one(8, [0, 0])).is_empty());
    }

    proptest! {
        #[test]
        fn halving_cuts_as_one_cut_would(
            line in prop::collection::vec([0..1_000_000_i32, 0..1_000_000_i32], 2..30),
        ) {
            let features = features(Kind::Line, std::slice::from_ref(&line));
            let drafts = drafts(&features, ALL);
            for tile in ALL.each() {
                let room = Tiles::one(14, tile).frame();
                let strips = [0, 1].map(|axis| Strip { axis, low: room.min[axis], high: room.max[axis] });
                let thinned = simplify::line(&line, FINEST_TOLERANCE << step_bits(14));
                let alone = cut(cut(vec![thinned], Kind::Line, strips[0]), Kind::Line, strips[1]);
                let halved: Vec<Vec<Point>> =
                    drafts.get(&tile).into_iter().flat_map(|draft| draft.values().flatten().cloned()).collect();
                prop_assert!(halved.iter().flatten().all(|point| strips.iter().all(|strip| strip.holds(point))));
                // Crossings are rounded at each cut, so what runs along the very edge may end elsewhere.
                let inner = |point: &&Point| {
                    strips.iter().all(|strip| Strip { low: strip.low + 9, high: strip.high - 9, ..*strip }.holds(point))
                };
                for (from, to) in [(&alone, &halved), (&halved, &alone)] {
                    for point in from.iter().flatten().filter(inner) {
                        let steps = to.iter().flat_map(|part| part.windows(2));
                        let near = steps.map(|pair| simplify::distance_squared(*point, pair[0], pair[1]));
                        prop_assert!(near.fold(f64::MAX, f64::min) <= 25.0, "{tile:?} {point:?}");
                    }
                }
            }
        }
    }
}
