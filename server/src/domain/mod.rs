//! The rules of delivery tracking, pure: values in, values out.
//!
//! No runtime, no SQL and no clock reaches this floor, so its rules are tested as properties, without a server. Callers
//! pass the time in.

pub mod access_log;
pub mod arrival;
pub mod courier;
pub mod exception;
pub mod fleet;
pub mod order;
pub mod outbox;
pub mod person;
pub mod pins;
pub mod plan;
pub mod proof;
pub mod track;
