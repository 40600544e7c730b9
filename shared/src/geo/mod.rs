//! Geometry on the sphere, on top of the `geo` crate: what every part of Doorstep measures with.

pub mod coord;
pub mod distance;
pub mod geofence;
pub mod motion;
pub mod polyline;
