//! The street graph of an area, and routes on it.
//!
//! The server's arrival estimate and the simulator's driving both ask the same questions: which street is at a point,
//! and what is the quickest route between two points for a vehicle. The answers come from a graph that
//! [`crate::import`] makes from OpenStreetMap data once; nothing is fetched at run time. A [`RoadNetwork`] is read-only
//! after [`RoadNetwork::from_bytes`], so threads share it freely. It knows who may use a street, turn restrictions,
//! barriers and boats; it knows no traffic and no time of day, and does not reach across the antimeridian.

mod class;
mod columns;
mod costs;
mod data;
mod format;
mod grid;
mod in_space;
mod labels;
pub(crate) mod landmarks;
mod matrix;
mod network;
mod points;
mod profile;
mod route;
mod search;
mod speed;
pub(crate) mod topology;
mod turns;
mod zone;

pub use class::{Halt, RoadClass, Surface};
pub use data::{Barrier, Restriction, RoadArc, RoadData, RoadEdge, RoadPlace};
pub use format::RoadsError;
pub use matrix::Distance;
pub use network::{EdgeId, EdgeView, RoadNetwork, SNAP_LIMIT_M, Snap};
pub use profile::{Profile, Profiles};
pub use route::{Route, Step};
pub use speed::{BOARDING_S, Passage, cruise_mps, turn_s, turning_round_s, wait_s};

#[cfg(test)]
mod tests;
