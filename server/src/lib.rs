//! Doorstep's server: takes in couriers' positions, stores every one, and shows them live to the customers and
//! dispatchers who may see them.
//!
//! The modules are floors of one house, and imports go down only; `cargo xtask test` checks that:
//! [`platform`] ← [`domain`] ← [`store`] ← [`live`] ← [`service`] ← the edge ([`auth`], [`http`], [`ws`], [`state`],
//! [`error`]) ← [`app`]. `ARCHITECTURE.md` at the top of the repository walks one fix through them.

pub mod app;
pub mod auth;
pub mod domain;
pub mod error;
pub mod http;
pub mod live;
pub mod platform;
pub mod service;
pub mod state;
pub mod store;
pub mod ws;
