//! The order's feed: how news reaches the page, and how it comes back after every kind of interruption.
//!
//! [`feed`] decides, without a browser: given what happened, what to do next. [`backoff`] is how long to wait. The rest
//! owns the browser's sockets, requests and timers and does what was decided.

pub mod backoff;
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
