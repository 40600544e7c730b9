//! A line of the access log: who saw where a courier or an order is, and when.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use doorstep_shared::api::console::LookKind;
use uuid::Uuid;

use super::order::Actor;

/// One look.
#[derive(Clone, Debug)]
pub struct AccessLogEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// Who; `None` for the log's own lines.
    pub actor: Option<Actor>,
    /// At what.
    pub what: LookKind,
    /// At which courier or order; `None` for all of them.
    pub subject: Option<Uuid>,
    /// From where.
    pub address: Option<IpAddr>,
    /// How many looks are missing before this line; only for a gap.
    pub lost: Option<i64>,
}

impl AccessLogEntry {
    /// Who, as the log names them.
    pub fn actor_word(&self) -> String {
        self.actor.as_ref().map_or_else(|| "system".to_owned(), Actor::to_string)
    }
}
