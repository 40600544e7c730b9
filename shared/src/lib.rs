//! The contract between Doorstep's server, its pages, its simulator and other people's clients.
//!
//! Types that cross a process boundary live here and only here: ids, fixes, positions, orders, geometry, every wire
//! message with both codecs, REST bodies and problem details. Nothing in this crate does I/O, reads a clock, awaits or
//! logs; it builds for `wasm32-unknown-unknown`, so a rule checked here is the same rule in the phone, on the server
//! and in the tests.

#[macro_use]
mod wire;

pub mod api;
pub mod contact;
pub mod editing;
pub mod fix;
pub mod geo;
pub mod id;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod order;
pub mod order_file;
pub mod position;
pub mod problem;
pub mod protocol;
pub mod text;

pub use fix::{Fix, RawFix, Rejection};
pub use geo::coord::LatLon;
pub use id::{ApiKeyId, CourierId, DeviceId, EventId, ExceptionId, OrderId, PinId, UserId, WebhookId};
pub use order::{OrderStatus, Vehicle};
pub use position::Position;
pub use wire::read_added;
