//! From an OpenStreetMap extract to a gazetteer, in two passes: which boundaries there are, and everything with a name or
//! a number.
//!
//! The same extract always gives the same bytes. Ways of one name that belong together are one street, for any vehicles:
//! people live in alleys and on stairs, too. A house belongs to the street that its tags name, and a street that no way
//! draws is made of its houses.

mod boundaries;
mod finds;
mod houses;
mod interpolation;
mod streets;
mod tags;
mod towns;

use super::{
    error::ImportError,
    extract::{Extract, Kinds},
    positions::Positions,
    region::Region,
    watch::Watch,
};
use crate::places::PlacesData;

use boundaries::Boundaries;
use finds::Finds;
use streets::Streets;
use tags::Habits;
use towns::Towns;

/// The names in `extract`, whose nodes lie at `positions`.
///
/// # Errors
/// When the extract cannot be read, or [`ImportError::Cancelled`].
pub fn read(
    extract: &Extract,
    positions: &Positions,
    region: &Region,
    watch: &mut Watch<'_>,
) -> Result<PlacesData, ImportError> {
    let habits = Habits::of(region);
    let mut boundaries = Boundaries::default();
    extract.for_each(Kinds::RELATIONS, watch, |element| boundaries.take_relation(&element, &habits))?;
    let mut finds = Finds::default();
    let kinds = Kinds::NODES.and(Kinds::WAYS);
    extract.for_each(kinds, watch, |element| {
        boundaries.take_way(&element, positions);
        finds.take(&element, positions, &habits, boundaries.streets());
    })?;
    watch.go_on()?;
    finds.take_relations(boundaries.take_addresses());
    let closed = boundaries.closed(|node| positions.e7(node).map(finds::spot));
    let towns = Towns::new(&mut finds, closed, &habits);
    let mut streets = Streets::join(std::mem::take(&mut finds.ways), &towns);
    watch.go_on()?;
    let of_houses = houses::assign(&mut streets, &finds, &towns);
    interpolation::fill(&mut streets, &finds, &of_houses);
    watch.go_on()?;
    Ok(towns.build(streets, finds, habits.number_first))
}
