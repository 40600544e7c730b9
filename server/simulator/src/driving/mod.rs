//! How couriers move and what their phones make of it.
//!
//! A [`Drive`] follows a route with the limits of its streets, slows in bends, waits at junctions now and
//! then and arrives standing. A [`Receiver`] turns where they truly are into readings with believable errors,
//! and an [`Uplink`] decides when those get out. All pure and seeded: no clock, no sockets.

mod drive;
mod profile;
mod receiver;
mod rider;
mod uplink;

pub use drive::{Drive, Truth};
pub use receiver::{Receiver, WORST_ERROR_PER_ACCURACY};
pub use rider::Rider;
pub use uplink::{Sending, Uplink, Weather};

#[cfg(test)]
mod tests;
