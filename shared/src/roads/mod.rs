//! The street graph of an area, and routes on it.
//!
//! The server's arrival estimate and the simulator's driving both ask the same questions: which street is at a point,
//! and what is the quickest route between two points. The answers come from a graph that `cargo xtask bake-roads` makes
//! from OpenStreetMap data once; nothing is fetched at run time. A [`RoadNetwork`] is read-only after
//! [`RoadNetwork::from_bytes`], so threads share it freely. It knows neither traffic nor turn restrictions, and does
//! not reach across the antimeridian.

mod format;
mod grid;
mod in_space;
mod network;
mod route;
mod speed;

pub use format::{RoadClass, RoadData, RoadEdge, RoadPlace, RoadsError};
pub use network::{EdgeId, EdgeView, RoadNetwork, SNAP_LIMIT_M, Snap};
pub use route::{Route, Step};
pub use speed::{cruise_mps, junction_delay_s};

#[cfg(test)]
mod tests;
