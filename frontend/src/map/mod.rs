//! The map: the street map where the browser can draw one, and the sketch where it cannot.
//!
//! [`marker`], [`route`], [`plane`] and [`sketch`] are pure arithmetic and tested as such. The browser's part reaches
//! the map library through one module alone.

#[cfg(feature = "track")]
pub mod controller;
#[cfg(any(feature = "track", feature = "courier"))]
pub mod maplibre;
pub mod marker;
pub mod plane;
pub mod route;
pub mod sketch;
