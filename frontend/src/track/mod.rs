//! The customer's tracking page, `/t/{token}`.
//!
//! [`page`] is what the page knows, [`phase`], [`arrival`] and [`proof`] what follows from it, [`text`] the sentences for
//! all of that, and [`feed`] decides how news keeps coming; all of these are pure. [`view`] holds the components that
//! draw the page from its [`signals`]; the driver and the map's controller, which only the browser's build contains, own
//! the connections, the timers and the street map.

pub mod announcer;
pub mod arrival;
#[cfg(feature = "track")]
pub mod driver;
#[cfg(feature = "track")]
mod events;
pub mod feed;
#[cfg(feature = "track")]
pub mod http;
#[cfg(feature = "track")]
pub mod map_controller;
#[cfg(feature = "track")]
mod map_drawing;
pub mod page;
pub mod phase;
pub mod playback;
pub mod proof;
pub mod road_ahead;
pub mod signals;
pub mod sketch;
pub mod text;
pub mod view;
