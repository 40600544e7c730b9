//! The courier's web app: goes online, shares the position, works through the stops.
//!
//! [`state`] is what the screens show and [`intent`] what people do on them; both are plain values, so the screens are
//! drawn and tested without a browser. Everything that decides (what waits, what is sent next, which reason a silence has)
//! is pure too; only the driver touches sockets, storage, sensors and timers.

#[cfg(feature = "courier")]
mod api;
#[cfg(feature = "courier")]
mod boot;
pub mod clock;
#[cfg(feature = "courier")]
mod device;
#[cfg(feature = "courier")]
mod driver;
pub mod engine;
pub mod groups;
pub mod intent;
pub mod links;
#[cfg(feature = "courier")]
mod map;
pub mod marks;
pub mod memory;
pub mod outbox;
pub mod plan;
pub mod platform;
pub mod position;
pub mod preferences;
pub mod presence;
pub mod sketch;
pub mod state;
pub mod stops;
pub mod text;
pub mod view;
