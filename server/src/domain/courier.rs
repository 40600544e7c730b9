//! A courier as the server knows them.
//!
//! [`crate::store::couriers`] reads and writes it; its devices and sessions are the store's own types.

use chrono::{DateTime, Utc};
use doorstep_shared::{
    CourierId, Vehicle,
    api::plan::{CourierShift, Depot},
    protocol::customer::Presence,
};

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
    /// How and when they work.
    pub work: Work,
}

/// How and when a courier works, as dispatchers set it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Work {
    /// How much they can carry at once; `None` without a limit.
    pub capacity: Option<u32>,
    /// What they can do, matched with what orders require.
    pub skills: Vec<String>,
    /// When they work.
    pub shift: Option<CourierShift>,
    /// Where their tours begin and end.
    pub depot: Option<Depot>,
    /// Since when they work here no longer.
    pub archived_at: Option<DateTime<Utc>>,
}
