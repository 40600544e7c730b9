//! Error bodies of the HTTP API: `application/problem+json`, RFC 9457, with a stable `code`.
//!
//! Programs read `code` and [`ErrorDetails`]; `title`, `detail` and `message` are sentences for people and may change.
//! The `error` of the sockets carries the same code and details.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{OrderId, OrderStatus};

/// The media type of a problem body.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong with a request, for the person (`title`, `detail`) and for the program (`code`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Always `about:blank`: the `code` carries the meaning.
    #[cfg_attr(feature = "openapi", schema(example = "about:blank"))]
    pub r#type: String,
    /// A short sentence, the same for every occurrence of `code`.
    #[cfg_attr(feature = "openapi", schema(example = "Some fields are not valid"))]
    pub title: String,
    /// The HTTP status again.
    #[cfg_attr(feature = "openapi", schema(minimum = 400, maximum = 599, example = 422))]
    pub status: u16,
    /// What a program matches on; never changes its meaning.
    #[cfg_attr(feature = "openapi", schema(example = "invalid_fields"))]
    pub code: String,
    /// What was wrong this time; left out for 5xx.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Which fields of the body were refused, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The values behind `code`, where it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<ErrorDetails>,
}

/// The `code` of a problem body; `None` when `json` is none. For clients that need nothing else of it: reading the whole
/// body is several kilobytes of program on a phone.
pub fn code_of(json: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Coded {
        code: String,
    }
    serde_json::from_str::<Coded>(json).ok().map(|problem| problem.code)
}

/// One refused field of a request body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// Where in the body, as a dotted path: `dropoff.lat`.
    #[cfg_attr(feature = "openapi", schema(example = "dropoff"))]
    pub field: String,
    /// Why, a sentence for people.
    #[cfg_attr(feature = "openapi", schema(example = "lat must be −90 to 90 and lon −180 to 180"))]
    pub message: String,
}

wire! {
    /// The values behind an error's `code`. Which of them are there depends on the code, and is stable for it.
    ///
    /// Clients ignore keys that they do not know.
    // A further key goes into an `added` block at the end, so that older clients skip it.
    #[derive(Default)]
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    pub struct ErrorDetails {
        /// `invalid_transition`: the status that the order has.
        pub from: Option<OrderStatus>,
        /// `invalid_transition`: the status that was asked for.
        pub to: Option<OrderStatus>,
        /// `invalid_transition`: the order.
        pub order_id: Option<OrderId>,
        /// `version_conflict`: the version that is current.
        pub current: Option<u64>,
        /// `invalid_fields` and `not_editable`: why each field was refused, by its dotted path in the body, such as `dropoff.lat`.
        pub fields: Option<BTreeMap<String, String>>,
    } added {
        /// `version_conflict`: who made the change that the caller had not seen, by name.
        pub changed_by: Option<String>,
        /// `version_conflict`: when they made it, Unix epoch milliseconds.
        pub changed_at_ms: Option<i64>,
        /// `version_conflict`: what they did, a word of the order's history such as `assigned`, or `reordered`.
        pub change: Option<String>,
        /// `version_conflict` and `order_withdrawn`: the name of the courier who has the order now.
        pub courier_name: Option<String>,
        /// `not_editable`, `not_reopenable`, `order_withdrawn`: the status that the order has.
        pub status: Option<OrderStatus>,
        /// `not_editable`: what may be changed in that status, as dotted paths or their beginnings.
        pub editable: Option<Vec<String>>,
        /// `has_open_orders`: how many orders the courier has that are open, or whose goods are on board.
        pub open_orders: Option<u32>,
        /// `clock_wrong`, `reports_unreadable`: what the courier's device is called.
        pub device: Option<String>,
    }
}

impl ErrorDetails {
    /// An order that has the status `from` cannot take the status `to` from this caller.
    pub fn invalid_transition(order_id: OrderId, from: OrderStatus, to: OrderStatus) -> Self {
        Self { order_id: Some(order_id), from: Some(from), to: Some(to), ..Self::default() }
    }

    /// What the caller wanted to change has moved on to the version `current`.
    pub fn version_conflict(current: u64) -> Self {
        Self { current: Some(current), ..Self::default() }
    }

    /// Fields of a body were refused; of several reasons for one field the first counts.
    pub fn refused_fields(errors: &[FieldError]) -> Self {
        let mut fields = BTreeMap::new();
        for error in errors {
            fields.entry(error.field.clone()).or_insert_with(|| error.message.clone());
        }
        Self { fields: Some(fields), ..Self::default() }
    }
}
