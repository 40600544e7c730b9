//! The dispatcher's console: who is where, which order is at risk, and what to do about it.
//!
//! [`console`] holds everything the screens show and decides what follows from what happened: it is one state machine,
//! made of [`link`] (the connection), [`fleet`] (couriers and orders as the feed tells them), [`place`] (what the address
//! bar keeps), [`draft`] (a new order) and [`replay`] (a day on a slider). All of it is plain values and tested without a
//! browser. Only `driver` touches sockets, requests, the map and the history, and `view` draws.

// The tests compile the pure half alone; what only the driver calls is unused there.
#![cfg_attr(
    not(feature = "dispatch"),
    allow(dead_code, unused_imports, reason = "the driver is built for browsers only")
)]

mod ask;
#[cfg(feature = "dispatch")]
mod boot;
mod console;
mod draft;
#[cfg(feature = "dispatch")]
mod driver;
mod fleet;
mod import;
mod keys;
mod link;
#[cfg(feature = "dispatch")]
mod map;
mod place;
mod replay;
#[cfg(feature = "dispatch")]
mod view;
mod window;
mod words;
