//! What the maps of several pages share: geometry, and the way to the map library.
//!
//! What a single page draws stands with that page: `track` for the customer's marker, trail and sketch, `courier` and
//! `dispatch` for theirs.

pub mod base;
#[cfg(any(feature = "track", feature = "courier"))]
pub mod maplibre;
pub mod plane;
