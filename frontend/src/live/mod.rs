//! What the three pages share in talking to the server.
//!
//! [`connection`] decides, without a browser, when to open a connection and what to tell about it, and [`backoff`] how
//! long it waits between two tries. The rest owns the browser's sockets, timers and listeners.

pub mod backoff;
pub mod connection;
#[cfg(any(feature = "track", feature = "courier", feature = "dispatch"))]
pub mod listen;
#[cfg(any(feature = "track", feature = "courier", feature = "dispatch"))]
pub mod socket;
