//! Webhooks: events sent to an address of the operator's or a merchant's, by Standard Webhooks 1.0.
//!
//! `POST`, `GET /api/v1/webhooks` and `GET`, `PATCH`, `DELETE /api/v1/webhooks/{id}` keep the endpoints;
//! `POST …/test|rotate|enable|resend` and `GET …/attempts` are for the people who look after them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{EventId, WebhookId};

body! {
    /// An endpoint to add.
    #[derive(Default)]
    pub struct CreateWebhook {
        /// Where messages go: `https` and a public address, unless the operator named the network.
        #[cfg_attr(feature = "openapi", schema(format = "uri", min_length = 1, max_length = 2000, example = "https://shop.example.com/hooks/doorstep"))]
        pub url: String,
        /// Which events: types such as `order.delivered`, families such as `order.*`, or `*`.
        #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 50, value_type = Vec<String>, example = json!(["order.*"])))]
        pub events: Vec<String>,
        /// What people call it.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200, pattern = "printable", example = "The shop"))]
        pub description: Option<String>,
        /// Whether customers' numbers and e-mail addresses go along; `false` when left out.
        pub personal: Option<bool>,
    }

    /// Changes to an endpoint. A field that is left out stays as it is. What waits for it already is not judged again.
    #[derive(Default)]
    pub struct EditWebhook {
        /// Where messages go.
        #[cfg_attr(feature = "openapi", schema(format = "uri", min_length = 1, max_length = 2000, example = "https://shop.example.com/hooks/doorstep"))]
        pub url: Option<String>,
        /// Which events.
        #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 50, value_type = Option<Vec<String>>, example = json!(["order.*"])))]
        pub events: Option<Vec<String>>,
        /// What people call it; `null` or the empty text removes it.
        #[serde(default, with = "serde_with::rust::double_option")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, max_length = 200, pattern = "printable or empty", example = "The shop"))]
        pub description: Option<Option<String>>,
        /// Whether customers' numbers and e-mail addresses go along.
        pub personal: Option<bool>,
    }

    /// An endpoint.
    pub struct WebhookView {
        /// Its id.
        pub id: WebhookId,
        /// Where messages go.
        #[cfg_attr(feature = "openapi", schema(format = "uri"))]
        pub url: String,
        /// Which events.
        pub events: Vec<String>,
        /// What people call it.
        pub description: Option<String>,
        /// Whether customers' numbers and e-mail addresses go along.
        pub personal: bool,
        /// When it was added.
        pub created_at: DateTime<Utc>,
        /// When it last took a message, to the minute.
        pub succeeded_at: Option<DateTime<Utc>>,
        /// Since when every try has failed; absent while it takes messages.
        pub failing_since: Option<DateTime<Utc>>,
        /// Until when it asked to be left alone.
        pub held_until: Option<DateTime<Utc>>,
        /// Since when it gets nothing; absent while it does.
        pub disabled_at: Option<DateTime<Utc>>,
        /// Why: it answered 410 (`gone`), or took nothing for five days (`failing`).
        #[cfg_attr(feature = "openapi", schema(schema_with = disabled_reason, required = false))]
        pub disabled_reason: Option<String>,
        /// Messages that wait for it.
        pub waiting: u64,
        /// Since when the oldest of them waits.
        pub oldest_waiting_at: Option<DateTime<Utc>>,
    }

    /// A new endpoint. This answer alone shows the secret.
    pub struct WebhookCreated {
        /// Its id.
        pub id: WebhookId,
        /// What its messages are signed with.
        #[cfg_attr(feature = "openapi", schema(pattern = "^whsec_[A-Za-z0-9+/]+=*$"))]
        pub secret: String,
    }

    /// A new secret. This answer alone shows it.
    pub struct WebhookRotated {
        /// What messages are signed with from now on.
        #[cfg_attr(feature = "openapi", schema(pattern = "^whsec_[A-Za-z0-9+/]+=*$"))]
        pub secret: String,
        /// Until when they are signed with the former secret, too.
        pub former_until: DateTime<Utc>,
    }

    /// What to send again: one event, or all of some time. Exactly one of the two.
    #[derive(Default)]
    pub struct ResendEvents {
        /// This event.
        pub event_id: Option<EventId>,
        /// Every event since this time that the endpoint asks for, at most 20 000.
        pub since: Option<DateTime<Utc>>,
    }

    /// What is on its way again.
    pub struct EventsQueued {
        /// How many messages. Those that wait anyway are not counted.
        pub queued: u64,
    }

    /// A try to deliver a message. Nothing of an answer is kept but its status.
    pub struct AttemptView {
        /// Its place in the log.
        pub id: i64,
        /// The event, and the message's `webhook-id`.
        pub event_id: EventId,
        /// The event's type.
        #[cfg_attr(feature = "openapi", schema(example = "order.delivered"))]
        pub r#type: String,
        /// Which try it was, from 1.
        #[serde(rename = "try")]
        pub number: u32,
        /// When it began.
        pub at: DateTime<Utc>,
        /// How long it took, in milliseconds.
        pub duration_ms: u32,
        /// How it ended.
        #[cfg_attr(feature = "openapi", schema(schema_with = outcome))]
        pub outcome: String,
        /// The answer's status; absent without an answer.
        #[cfg_attr(feature = "openapi", schema(minimum = 100, maximum = 999))]
        pub status: Option<u16>,
        /// When the next try follows; absent when none does.
        pub next_at: Option<DateTime<Utc>>,
    }
}

/// The schema of [`WebhookView::disabled_reason`].
#[cfg(feature = "openapi")]
fn disabled_reason() -> utoipa::openapi::Object {
    crate::openapi::words(["gone", "failing"], "Why it gets nothing: it answered 410, or took nothing for five days.")
}

/// The schema of [`AttemptView::outcome`].
#[cfg(feature = "openapi")]
fn outcome() -> utoipa::openapi::Object {
    crate::openapi::words(
        [
            "delivered",
            "refused",
            "gone",
            "redirected",
            "timed_out",
            "unreachable",
            "untrusted",
            "unresolved",
            "blocked",
        ],
        "How it ended: 2xx; another status; 410; 3xx, which is not followed; no answer within 15 s; no connection; a \
         certificate that is not trusted; a name without address; an address that messages never go to.",
    )
}
