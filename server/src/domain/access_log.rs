//! An entry of the access log: who saw where a courier or an order is, and when.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use doorstep_shared::api::console::AccessKind;
use uuid::Uuid;

use super::order::Actor;

/// One access to a courier's or an order's position. It holds no coordinates.
#[derive(Clone, Debug)]
pub struct AccessLogEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// Who saw it; `None` in the log's own entries.
    pub actor: Option<Actor>,
    /// What they saw.
    pub what: AccessKind,
    /// Which courier or order; `None` for all of them.
    pub subject: Option<Uuid>,
    /// The network address they came from.
    pub address: Option<IpAddr>,
    /// How many entries are missing before this one; only in a gap.
    pub lost: Option<i64>,
}

impl AccessLogEntry {
    /// A note of the log itself that `lost` entries before `at` are missing.
    pub const fn gap(at: DateTime<Utc>, lost: i64) -> Self {
        Self { at, actor: None, what: AccessKind::Gap, subject: None, address: None, lost: Some(lost) }
    }

    /// The actor as the log names them: `user:…`, `key:…` or `system`.
    pub fn actor_word(&self) -> String {
        self.actor.as_ref().map_or_else(|| "system".to_owned(), Actor::to_string)
    }
}
