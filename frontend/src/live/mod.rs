//! The order's feed: how news reaches the page, and how it comes back after every kind of interruption.
//!
//! [`feed`] decides, without a browser: given what happened, what to do next. [`connection`] is the life of one connection,
//! the same for the customer, the courier and the dispatcher; [`backoff`] is how long it waits between two tries. The rest
//! owns the browser's sockets, requests and timers and does what was decided.

pub mod backoff;
pub mod connection;
#[cfg(feature = "track")]
pub mod driver;
#[cfg(feature = "track")]
mod events;
pub mod feed;
#[cfg(feature = "track")]
pub mod http;
#[cfg(any(feature = "track", feature = "courier", feature = "dispatch"))]
pub mod listen;
#[cfg(any(feature = "track", feature = "courier", feature = "dispatch"))]
pub mod socket;
