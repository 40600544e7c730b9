//! A tile's bytes: a Mapbox Vector Tile of version 2, packed by gzip.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use mvt::{GeomData, GeomEncoder, GeomType, Tile};

use super::{
    clip::doubled_area,
    feature::{Attributes, Features, Kind, Value},
    split::Draft,
    world::{EXTENT, Point, step_bits, tile_bits},
};

/// The bytes of a tile; empty when nothing in it is large enough to be drawn.
///
/// # Errors
/// When the encoder refuses it: a fault of ours.
pub(super) fn encode(draft: Draft, features: &Features, zoom: u8, tile: [i32; 2]) -> Result<Vec<u8>, mvt::Error> {
    let grid = Grid { origin: tile.map(|value| value << tile_bits(zoom)), bits: step_bits(zoom) };
    let mut encoded = Tile::new(EXTENT);
    let mut open: Option<mvt::Layer> = None;
    for ((layer, kind, attributes), parts) in draft {
        let Some(geometry) = grid.geometry(kind, &parts)? else { continue };
        if open.as_ref().and_then(mvt::Layer::name).is_some_and(|name| name != layer.name()) {
            open.take().map_or(Ok(()), |layer| encoded.add_layer(layer))?;
        }
        let within = open.take().unwrap_or_else(|| encoded.create_layer(layer.name()));
        open = Some(add(within, geometry, features.attributes(attributes)));
    }
    open.map_or(Ok(()), |layer| encoded.add_layer(layer))?;
    if encoded.num_layers() == 0 { Ok(Vec::new()) } else { pack(&encoded.to_bytes()?) }
}

fn add(layer: mvt::Layer, geometry: GeomData, attributes: &Attributes) -> mvt::Layer {
    let mut feature = layer.into_feature(geometry);
    for (key, value) in attributes {
        match value {
            Value::Text(text) => feature.add_tag_string(key, text),
            Value::Number(number) => feature.add_tag_sint(key, *number),
        }
    }
    feature.into_layer()
}

/// Without a time or a name, so that equal tiles have equal bytes.
fn pack(bytes: &[u8]) -> Result<Vec<u8>, mvt::Error> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes)?;
    Ok(packed.finish()?)
}

/// A tile's own coordinates.
struct Grid {
    origin: Point,
    bits: u32,
}

impl Grid {
    /// `None` when nothing of it is as large as a step.
    fn geometry(&self, kind: Kind, parts: &[Vec<Point>]) -> Result<Option<GeomData>, mvt::Error> {
        let (geometry, drawn) = match kind {
            Kind::Point => (GeomType::Point, parts.iter().map(|part| self.line(part)).collect()),
            Kind::Line => (GeomType::Linestring, self.lines(parts)),
            Kind::Area => (GeomType::Polygon, self.rings(parts)),
        };
        let mut encoder = GeomEncoder::<i32>::new(geometry);
        for part in &drawn {
            for [x, y] in part {
                encoder.add_point(*x, *y)?;
            }
            if kind != Kind::Point {
                encoder.complete_geom()?;
            }
        }
        if drawn.is_empty() { Ok(None) } else { encoder.encode().map(Some) }
    }

    /// On the tile's steps, each once.
    fn line(&self, points: &[Point]) -> Vec<Point> {
        let half = (1 << self.bits) >> 1;
        let step = |point: &Point| [0, 1].map(|axis| (point[axis] - self.origin[axis] + half) >> self.bits);
        let mut steps: Vec<Point> = points.iter().map(step).collect();
        steps.dedup();
        steps
    }

    fn lines(&self, parts: &[Vec<Point>]) -> Vec<Vec<Point>> {
        parts.iter().map(|part| self.line(part)).filter(|line| line.len() >= 2).collect()
    }

    /// Rings that still run the way they ran: what a reader takes for a hole must be one.
    fn rings(&self, parts: &[Vec<Point>]) -> Vec<Vec<Point>> {
        let mut rings: Vec<Vec<Point>> = Vec::new();
        let mut is_outer_kept = false;
        for part in parts {
            let mut ring = self.line(part);
            while ring.len() > 1 && ring.first() == ring.last() {
                ring.pop();
            }
            let (before, after) = (doubled_area(part).signum(), doubled_area(&ring).signum());
            let is_kept = ring.len() >= 3 && after != 0 && after == before && (before > 0 || is_outer_kept);
            if before > 0 {
                is_outer_kept = is_kept;
            }
            if is_kept {
                // The encoder takes a ring that begins where the last one ended for more of that one.
                if rings.last().and_then(|last| last.last()) == ring.first() {
                    ring.rotate_left(1);
                }
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

    const GRID: Grid = Grid { origin: [0, 0], bits: 4 };

    fn square(from: i32, to: i32) -> Vec<Point> {
        vec![[from, from], [to, from], [to, to], [from, to]]
    }

    #[test]
    fn a_hole_goes_with_its_outer_ring() {
        let hole: Vec<Point> = square(2, 100).into_iter().rev().collect();
        assert!(GRID.rings(&[square(0, 3), hole.clone()]).is_empty());
        assert_eq!(GRID.rings(&[square(0, 400), hole]).len(), 2);
    }

    #[test]
    fn rings_that_touch_stay_two_rings() {
        let touching = vec![[0, 320], [320, 320], [320, 640]];
        let rings = GRID.rings(&[vec![[0, 0], [320, 0], [0, 320]], touching]);
        assert_eq!(rings.len(), 2);
        assert_ne!(rings[0].last(), rings[1].first());
    }

    proptest! {
        #[test]
        fn no_ring_turns_round(parts in prop::collection::vec(prop::collection::vec([-999..999_i32, -999..999_i32], 0..9), 0..6)) {
            let rings = GRID.rings(&parts);
            prop_assert!(rings.first().is_none_or(|ring| doubled_area(ring) > 0));
            prop_assert!(rings.iter().all(|ring| ring.len() >= 3 && doubled_area(ring) != 0));
            prop_assert!(GRID.geometry(Kind::Area, &parts).is_ok());
        }
    }
}
