//! Writes the tiles into a PMTiles archive, zoom by zoom, several threads at once.
//!
//! A thread draws a block of tiles and hands it over; the blocks are written in the order of the archive, so the same
//! features always make the same bytes. What waits is bounded: a thread that is ahead waits.

use std::{fs::File, io, ops::Range, path::Path, sync::mpsc};

use pmtiles::{Compression, PmTilesStreamWriter, PmTilesWriter, PmtError, TileCoord, TileId, TileType};

use super::{
    encode::encode,
    feature::{Features, Layer},
    split::{Drafts, draw},
    world::{Frame, MAX_ZOOM, Tiles, buffer},
};
use crate::import::{error::ImportError, lanes::Lanes, watch::Watch};

/// A block is as many tiles as 2 to the power of this wide and high.
const BLOCK_BITS: u8 = 3;

// Blocks that a thread may be ahead.
const BLOCKS_AHEAD: usize = 2;

// More than these wait for the disk, and each takes memory.
const MOST_THREADS: usize = 4;

/// Where the map begins, when a viewer does not say it.
const CENTER_ZOOM: u8 = 12;

/// Tiles of the finest zoom, of which there are the most, are most of the work.
const FINEST_SHARE: f64 = 0.6;

type Tile = (TileId, Vec<u8>);

/// Writes the tiles of `features` that meet the area's bounds, in degrees. `done` of the watch's stage is done before.
///
/// # Errors
/// [`ImportError::Unwritable`], [`ImportError::Cancelled`].
pub(super) fn write(
    features: &Features,
    bounds: [f64; 4],
    attribution: &str,
    path: &Path,
    done: f64,
    watch: &mut Watch<'_>,
) -> Result<(), ImportError> {
    let unwritable = |error: PmtError| ImportError::unwritable(path, io_error(error));
    let file = File::create(path).map_err(|error| ImportError::unwritable(path, error))?;
    let mut archive = header(bounds, attribution).create(file).map_err(unwritable)?;
    let frame = Frame::of_degrees(bounds);
    for zoom in 0..=MAX_ZOOM {
        watch.part(done + (1.0 - done) * share(zoom), done + (1.0 - done) * share(zoom + 1));
        write_zoom(features, frame.tiles(zoom), &mut archive, path, watch)?;
    }
    archive.finalize().map_err(unwritable)
}

/// How much is drawn before `zoom` is.
fn share(zoom: u8) -> f64 {
    if zoom > MAX_ZOOM { 1.0 } else { (1.0 - FINEST_SHARE) * f64::from(zoom) / f64::from(MAX_ZOOM) }
}

fn header([west, south, east, north]: [f64; 4], attribution: &str) -> PmTilesWriter {
    let layers: Vec<_> = Layer::ALL
        .iter()
        .map(|layer| serde_json::json!({"id": layer.name(), "fields": {}, "minzoom": 0, "maxzoom": MAX_ZOOM}))
        .collect();
    let metadata = serde_json::json!({"attribution": attribution, "type": "baselayer", "vector_layers": layers});
    PmTilesWriter::new(TileType::Mvt)
        .precompressed(Compression::Gzip)
        .min_zoom(0)
        .max_zoom(MAX_ZOOM)
        .bounds(west, south, east, north)
        .center(f64::midpoint(west, east), f64::midpoint(south, north))
        .center_zoom(CENTER_ZOOM)
        .metadata(metadata.to_string())
}

fn write_zoom(
    features: &Features,
    tiles: Tiles,
    archive: &mut PmTilesStreamWriter<File>,
    path: &Path,
    watch: &mut Watch<'_>,
) -> Result<(), ImportError> {
    let blocks = Blocks::new(features, tiles);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    std::thread::scope(|scope| {
        let draw = |lane: usize, drawn: &mpsc::SyncSender<_>| {
            // Until all are drawn, or nobody takes them any more.
            (lane..blocks.ranges.len()).step_by(threads).all(|block| drawn.send(blocks.draw(block)).is_ok());
        };
        let lanes = Lanes::begin(scope, threads, BLOCKS_AHEAD, &draw);
        lanes.take(blocks.ranges.len(), watch, |_, drawn: Result<Vec<Tile>, mvt::Error>| {
            for (id, bytes) in drawn.map_err(|_| ImportError::Panicked)? {
                archive.add_tile(id.into(), &bytes).map_err(|error| ImportError::unwritable(path, io_error(error)))?;
            }
            Ok(())
        })
    })
}

/// The work of a zoom.
struct Blocks<'a> {
    features: &'a Features,
    tiles: Tiles,
    /// A block's number on the archive's curve and a feature in it, ascending.
    members: Vec<(u64, u32)>,
    /// Each block's members.
    ranges: Vec<Range<usize>>,
}

impl<'a> Blocks<'a> {
    fn new(features: &'a Features, tiles: Tiles) -> Self {
        let zoom = tiles.zoom.saturating_sub(BLOCK_BITS);
        let mut members = Vec::new();
        let count = u32::try_from(features.len()).expect("features are numbered by 32 bits");
        for index in (0..count).filter(|index| features.get(*index).min_zoom <= tiles.zoom) {
            let frame = features.frame(index).grown(buffer(tiles.zoom));
            if let Some(met) = frame.tiles(tiles.zoom).common(tiles) {
                let bits = tiles.zoom - zoom;
                let blocks = Tiles { zoom, min: met.min.map(|it| it >> bits), max: met.max.map(|it| it >> bits) };
                members.extend(blocks.each().map(|block| (id(zoom, block).value(), index)));
            }
        }
        members.sort_unstable();
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for (position, (block, _)) in members.iter().enumerate() {
            match ranges.last_mut() {
                Some(range) if members[range.start].0 == *block => range.end = position + 1,
                _ => ranges.push(position..position + 1),
            }
        }
        Self { features, tiles, members, ranges }
    }

    /// The tiles of a block, in the archive's order.
    fn draw(&self, block: usize) -> Result<Vec<Tile>, mvt::Error> {
        let members = &self.members[self.ranges[block].clone()];
        let coarse = TileCoord::from(TileId::new(members[0].0).expect("it was made from a tile"));
        let place = [coarse.x() as i32, coarse.y() as i32];
        let Some(tiles) = Tiles::one(coarse.z(), place).at(self.tiles.zoom).common(self.tiles) else {
            return Ok(Vec::new());
        };
        let mut drafts = Drafts::new();
        for (_, index) in members {
            draw(self.features, *index, tiles, &mut drafts);
        }
        let mut drawn = Vec::with_capacity(drafts.len());
        for (tile, draft) in drafts {
            drawn.push((id(tiles.zoom, tile), encode(draft, self.features, tiles.zoom, tile)?));
        }
        drawn.sort_unstable_by_key(|(id, _)| id.value());
        Ok(drawn)
    }
}

fn id(zoom: u8, [x, y]: [i32; 2]) -> TileId {
    TileCoord::new(zoom, x as u32, y as u32).expect("the tile lies in the square").into()
}

/// A full disk must be known as one.
fn io_error(error: PmtError) -> io::Error {
    match error {
        PmtError::Reading(error) => error,
        other => io::Error::other(other),
    }
}
