//! Couriers and customers that speak only the public protocol.
//!
//! The demo's traffic, the load tests and the integration tests all need couriers who drive, customers who watch, and a
//! judge of what they saw. This crate depends on `doorstep-shared` alone, so the compiler proves that nothing here knows
//! more about the server than its contract says.
//! [`courier`], [`viewer`] and [`console`] are the bots; [`driving`] is how couriers move; [`demo`], [`load`], [`crowd`],
//! [`pace`] and [`misbehaviour`] are the programs made of them.

#![allow(clippy::disallowed_methods, reason = "those rules guard the server's clock and its tasks")]

pub mod api;
pub mod backoff;
pub mod check;
pub mod clock;
pub mod console;
pub mod courier;
pub mod crowd;
pub mod demo;
pub mod driving;
pub mod footprint;
mod frame;
pub mod load;
pub mod misbehaviour;
mod open_files;
pub mod pace;
pub mod random;
pub mod server_url;
pub mod socket;
pub mod streets;
#[cfg(feature = "tls")]
pub mod tls;
pub mod viewer;

pub use api::{Api, ApiError};
pub use check::Check;
pub use console::{FleetBot, FleetLog, FleetOptions};
pub use courier::{CourierBot, CourierLog, CourierOptions};
pub use server_url::ServerUrl;
pub use viewer::{ViewerBot, ViewerLog, ViewerOptions};
