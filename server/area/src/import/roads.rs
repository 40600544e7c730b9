//! From an OpenStreetMap extract to a street graph, in one pass over the file.
//!
//! The extract is not part of the repository, its result is. The same extract always gives the same bytes.
//! For each profile, what cannot be travelled both to and from everywhere else on the island is closed, so that a
//! route exists between any two points that it may be at.

mod access;
mod arrange;
mod barriers;
mod class;
mod country;
mod ferry;
mod graph;
mod limits;
mod reach;
mod restrictions;
mod ways;

#[cfg(test)]
mod tests;

use doorstep_shared::api::area::DrivingSide;

use super::{error::ImportError, extract::Extract, positions::Positions, region::Region, watch::Watch};
use crate::roads::{RoadData, RoadNetwork, landmarks};

use country::Customs;
use ways::Found;

/// The street graph of `extract`, whose nodes lie at `positions`, with the customs of `region`.
///
/// # Errors
/// [`ImportError::Empty`] when it holds no streets, and as [`Extract::try_for_each`].
pub fn read(
    extract: &Extract,
    positions: &Positions,
    region: &Region,
    watch: &mut Watch<'_>,
) -> Result<RoadData, ImportError> {
    let customs = Customs::of(region.country.as_deref());
    let found = Found::read(extract, &customs, watch)?;
    let mut data = bake(found, positions, &customs, watch)?;
    data.drives_on_left = region.driving_side == DrivingSide::Left;
    if data.edges.is_empty() { Err(ImportError::Empty) } else { Ok(data) }
}

fn bake(found: Found, positions: &Positions, customs: &Customs, watch: &Watch<'_>) -> Result<RoadData, ImportError> {
    let broken = |_| ImportError::Panicked;
    let (mut data, cuts) = graph::split(found, positions, customs);
    watch.go_on()?;
    data.restrictions = restrictions::resolve(&cuts, &data).map_err(broken)?;
    drop(cuts);
    arrange::put_neighbours_together(&mut data);
    watch.go_on()?;
    reach::keep_connected(&mut data, watch)?;
    arrange::drop_unused(&mut data);
    watch.go_on()?;
    let network = RoadNetwork::from_data(&data).map_err(broken)?;
    data.landmarks = landmarks::measure(&data, &network).ok_or(ImportError::Panicked)?;
    Ok(data)
}
