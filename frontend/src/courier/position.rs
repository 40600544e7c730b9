//! From the phone's readings to the positions that are recorded, and what the screen says about them.
//!
//! A [`Sampler`] keeps to the pace that the server asked for; a [`Sensor`] knows whether the phone gives positions at all.
//! Neither invents anything: the app asks a phone that gives nothing again, and then says so.

mod sampler;
mod sensor;

pub use self::{
    sampler::Sampler,
    sensor::{NO_SIGNAL_MS, Sensor},
};

/// What the phone reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// When, by the phone; Unix epoch milliseconds.
    pub time_ms: i64,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Radius in metres.
    pub accuracy_m: f32,
    /// Metres per second.
    pub speed_mps: Option<f32>,
    /// Direction of travel.
    pub heading_deg: Option<f32>,
    /// Metres above the ellipsoid.
    pub altitude_m: Option<f32>,
}

/// Why the phone gives no position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It may not.
    Denied,
    /// It cannot find itself.
    Unavailable,
    /// Not in time.
    Timeout,
}
