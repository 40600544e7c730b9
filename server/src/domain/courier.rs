//! A courier as the server knows them.
//!
//! [`crate::store::couriers`] reads and writes it; its devices and sessions are the store's own types.

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, Vehicle, protocol::customer::Presence};

/// A courier as the database has them.
#[derive(Clone, Debug, PartialEq)]
pub struct Courier {
    /// Their id.
    pub id: CourierId,
    /// Their name.
    pub name: String,
    /// Their number.
    pub phone: Option<String>,
    /// What they ride.
    pub vehicle: Vehicle,
    /// When they were registered.
    pub created_at: DateTime<Utc>,
    /// Whether they share their position; `None` before the first report.
    pub presence: Option<Presence>,
}
