//! The dispatcher's console: where couriers are, which orders are at risk, and what a dispatcher does about it.
//!
//! [`console`] holds everything that the screens show and decides what follows from each event. It is one state machine
//! of plain values, tested without a browser, and stands on [`feed`] (the connection to `/ws/fleet`), [`fleet`] (couriers
//! and orders), [`route`] (the address bar), [`draft`] (a new order), [`import`] (a file of orders), [`replay`] (a day on a
//! slider), [`bulk`] (many orders at once) and [`api`] (calls of the REST API). Only `driver` touches sockets, requests, the map and the history; `view`
//! draws the screens from the `store`, which offers the console by subject.

// The tests compile the pure half alone; what only the driver calls is unused there.
#![cfg_attr(
    not(feature = "dispatch"),
    allow(dead_code, unused_imports, reason = "the driver is built for browsers only")
)]

mod api;
mod areas;
mod arrivals;
#[cfg(feature = "dispatch")]
mod boot;
#[cfg(feature = "dispatch")]
mod browser;
mod bulk;
mod console;
mod courier_form;
mod dates;
mod draft;
#[cfg(feature = "dispatch")]
mod driver;
mod feed;
mod fleet;
#[cfg(feature = "dispatch")]
mod fleet_map;
mod import;
mod keys;
mod pinned;
mod pins;
mod plan;
mod replay;
mod route;
#[cfg(feature = "dispatch")]
mod store;
mod text;
#[cfg(feature = "dispatch")]
mod view;
mod visible;
