//! What the database holds about people, and how it ends.
//!
//! [`columns`] lists every column that can hold text and says what becomes of it; a test compares it with the schema, so
//! that a new column cannot be forgotten. Orders lose what is personal in place ([`erase`]): their times, status and
//! areas of about a kilometre stay for reports. A courier's row stays, without anything about them, because orders refer
//! to it. [`crate::service::personal_data`] calls this.

pub mod columns;
pub mod erase;
pub mod erasures;
pub mod find;
pub mod rows;

/// What stands where a name, an address or a text was that must not be empty.
pub const ERASED: &str = "—";
