//! Addresses without a network: which street is meant, and which street is here.
//!
//! `cargo xtask bake-places` collects the names of streets, towns and places of interest from OpenStreetMap data once;
//! a [`Gazetteer`] answers from them in memory. It is read-only, so threads share it freely. It knows mapped house
//! numbers only, and nothing beyond its area.

mod format;
mod gazetteer;
mod matching;

pub use format::{House, PlacesData, PlacesError, PointOfInterest, Street, Town};
pub use gazetteer::{Found, Gazetteer, Kind, MAX_RESULTS};

#[cfg(test)]
mod tests;
