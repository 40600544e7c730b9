//! Webhooks: which events an endpoint asks for, and its secrets.

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::WebhookId;

use super::event::EventType;

/// The most endpoints. Each has connections of its own, so this bounds those, too.
pub const MAX_WEBHOOKS: usize = 32;

/// How long the former secret signs besides the new one.
pub const ROTATION: TimeDelta = TimeDelta::hours(24);

/// Why an endpoint gets nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disabled {
    /// It answered 410.
    Gone,
    /// It took nothing for [`super::retry::PATIENCE`].
    Failing,
}

impl Disabled {
    /// The word in JSON, metrics and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    /// The reason of a word; `None` for a word this version does not know.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Gone, Self::Failing].into_iter().find(|reason| reason.as_str() == word)
    }
}

/// An endpoint's own choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// Where messages go, as a normalised URL.
    pub url: String,
    /// What people call it.
    pub description: Option<String>,
    /// Types, families such as `order.*`, or `*`.
    pub events: Vec<String>,
    /// Whether customers' numbers and e-mail addresses go along.
    pub personal: bool,
}

/// How an endpoint does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// When it last took a message, to the minute.
    pub succeeded_at: Option<DateTime<Utc>>,
    /// Since when every try failed.
    pub failing_since: Option<DateTime<Utc>>,
    /// Until when it asked to be left alone.
    pub held_until: Option<DateTime<Utc>>,
    /// Since when and why it gets nothing.
    pub disabled: Option<(DateTime<Utc>, Disabled)>,
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// What it asks for.
    pub wishes: Wishes,
    /// How it does.
    pub health: Health,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// Deliveries that wait for it.
    pub waiting: u64,
    /// Since when the oldest of them waits.
    pub oldest_waiting_at: Option<DateTime<Utc>>,
}

/// Whether a word of an endpoint's list names something: a type, a family, or everything.
pub fn is_pattern(word: &str) -> bool {
    word == "*" || EventType::ALL.into_iter().any(|kind| kind.as_str() == word || kind.family() == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_asks_for_types_families_or_everything() {
        for known in ["*", "order.*", "courier.*", "exception.*", "order.delivered", "order.rated", "courier.presence"]
        {
            assert!(is_pattern(known), "{known}");
        }
        for unknown in ["", "order", "order.", "order.lost", "*.created", "webhook.test", "webhook.*", "Order.created"]
        {
            assert!(!is_pattern(unknown), "{unknown}");
        }
    }
}
