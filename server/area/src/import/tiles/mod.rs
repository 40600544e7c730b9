//! Draws the vector tiles of an area, zoom 0 to 14, into one PMTiles archive.
//!
//! Everything is drawn on one plane of whole numbers first. Then each tile gets its part: thinned for its zoom, cut to
//! its square, encoded and packed. The same extract always makes the same bytes. Called by the import alone.

mod archive;
mod areas;
mod clip;
mod collect;
mod encode;
mod feature;
mod places;
mod relations;
mod schema;
mod simplify;
mod split;
mod world;

use std::path::Path;

use super::{error::ImportError, extract::Extract, positions::Positions, watch::Watch};

/// Where in the extract the coast is: nodes in the order in which land lies on their left.
pub(super) type Coast = Vec<Vec<i64>>;

/// The share of the work that reading is.
const READING: f64 = 0.4;

/// Streets at the edge lead on: what lies this much beyond the bounds is drawn, in degrees.
const MARGIN: f64 = 0.02;

/// Writes the tiles within `bounds` to `path`, and answers the coast, which the same pass meets.
///
/// # Errors
/// As [`Extract::try_for_each`], and [`ImportError::Unwritable`].
pub(super) fn draw(
    extract: &Extract,
    positions: &Positions,
    bounds: [f64; 4],
    attribution: &str,
    path: &Path,
    watch: &mut Watch<'_>,
) -> Result<Coast, ImportError> {
    let [west, south, east, north] = bounds;
    let drawn = [
        (west - MARGIN).max(-180.0),
        (south - MARGIN).max(-85.0),
        (east + MARGIN).min(180.0),
        (north + MARGIN).min(85.0),
    ];
    watch.part(0.0, READING);
    let collected = collect::collect(extract, positions, drawn, watch)?;
    archive::write(&collected.features, drawn, attribution, path, READING, watch)?;
    Ok(collected.coast)
}
