//! Addresses without a network: which door is meant, and which street is here.
//!
//! [`crate::import`] collects the names of streets, houses, towns and other places from an OpenStreetMap extract once; a
//! [`Gazetteer`] answers from them in memory. It is read-only, so threads share it freely. It says when it is not certain,
//! and knows nothing beyond its area.

mod candidates;
mod clues;
mod data;
mod doors;
mod format;
mod gazetteer;
mod generic;
mod grid;
mod here;
mod letters;
mod lists;
mod matching;
mod names;
mod number;
mod query;
mod same;
mod search;

pub use data::{House, HouseDraft, PlacesBuilder, PlacesData, StreetDraft, TownKind};
pub use format::PlacesError;
pub use gazetteer::{Doubt, Found, Gazetteer, Kind, MAX_RESULTS};
pub use lists::{Ends, Lists, Spot, Spots, Texts};
pub use number::Number;
pub use same::{AddressPart, address_parts, address_words};

// The import compares names as the search does.
pub(crate) use grid::Grid;
pub(crate) use letters::words as folded_words;
pub(crate) use names::name_keys;

#[cfg(test)]
mod tests;
