//! Doorstep's server: takes in couriers' positions, stores every one, and shows them live to whoever may see.
//!
//! Read `ARCHITECTURE.md` at the top of the repository first; it walks one fix through these modules.

pub mod app;
pub mod arrival;
pub mod audience;
pub mod auth;
pub mod broker;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod device;
pub mod error;
pub mod exceptions;
pub mod fleet;
pub mod handfuls;
pub mod http;
pub mod hub;
pub mod ingest;
pub mod looks;
pub mod order;
pub mod pacing;
pub mod peers;
pub mod places;
pub mod planner;
pub mod presence;
pub mod proof;
pub mod qr;
#[cfg(target_os = "linux")]
pub mod slices;
pub mod store;
pub mod tasks;
pub mod telemetry;
pub mod tour;
pub mod track;
pub mod tracker;
pub mod ws;
