//! Bodies that change an order after it was created, and what its history says of it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::proof::ProofKind;
use crate::CourierId;

body! {
    /// Changes to an order. A field that is left out stays as it is; `null` or the empty text removes an optional one.
    #[derive(Default)]
    pub struct EditOrder {
        /// The merchant's name for it.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100, pattern = "printable", example = "A-1042"))]
        pub reference: Option<String>,
        /// Where the courier collects it.
        pub pickup: Option<EditPlace>,
        /// Where it goes.
        pub dropoff: Option<EditPlace>,
        /// Who gets it.
        pub customer: Option<EditCustomer>,
        /// Start of the promised window.
        #[serde(default, with = "serde_with::rust::double_option")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<DateTime<Utc>>))]
        pub promised_from: Option<Option<DateTime<Utc>>>,
        /// End of the promised window; not before its start.
        #[serde(default, with = "serde_with::rust::double_option")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<DateTime<Utc>>))]
        pub promised_until: Option<Option<DateTime<Utc>>>,
        /// Which proofs the courier must bring back from the door. A PIN can be dropped but not asked for anew.
        pub proof: Option<Vec<ProofKind>>,
        /// How much of a courier's capacity it takes.
        #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100000, example = 1))]
        pub size: Option<u32>,
        /// How long the hand-over at the door takes, in seconds.
        #[serde(default, with = "serde_with::rust::double_option")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<u32>, minimum = 0, maximum = 14400, example = 120))]
        pub service_s: Option<Option<u32>>,
        /// What its courier must have; the empty list removes it.
        #[cfg_attr(feature = "openapi", schema(max_items = 20, value_type = Option<Vec<String>>))]
        pub requires: Option<Vec<String>>,
        /// The merchant's remark for courier and dispatcher.
        #[serde(default, with = "serde_with::rust::double_option")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, max_length = 1000, pattern = "printable or empty", example = "two bags and a box"))]
        pub note: Option<Option<String>>,
    }

    /// Changes to an end of a delivery. `lat` and `lon` change together.
    #[derive(Default)]
    pub struct EditPlace {
        /// Degrees north, ±90.
        #[cfg_attr(feature = "openapi", schema(minimum = -90, maximum = 90, example = 51.5155))]
        pub lat: Option<f64>,
        /// Degrees east, ±180.
        #[cfg_attr(feature = "openapi", schema(minimum = -180, maximum = 180, example = 0.0922))]
        pub lon: Option<f64>,
        /// The address, as the courier and the customer should read it.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 300, pattern = "printable", example = "12 Market Street, Newtown"))]
        pub address: Option<String>,
        /// What the courier should know there.
        #[serde(default, with = "serde_with::rust::double_option")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, max_length = 1000, pattern = "printable or empty", example = "ring twice"))]
        pub instructions: Option<Option<String>>,
        /// The number of the shop or kitchen; only at the pickup.
        #[serde(default, with = "serde_with::rust::double_option")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, max_length = 40, pattern = "printable or empty", example = "+44 20 7946 0002"))]
        pub phone: Option<Option<String>>,
    }

    /// Changes to the person who gets the order.
    #[derive(Default)]
    pub struct EditCustomer {
        /// Their name.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100, pattern = "printable", example = "Eve Camilleri"))]
        pub name: Option<String>,
        /// Their number.
        #[serde(default, with = "serde_with::rust::double_option")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, max_length = 40, pattern = "printable or empty", example = "+44 20 7946 0001"))]
        pub phone: Option<Option<String>>,
        /// Their e-mail address.
        #[serde(default, with = "serde_with::rust::double_option")]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, max_length = 254, pattern = "printable or empty", example = "eve@example.org"))]
        pub email: Option<Option<String>>,
    }

    /// Takes an order from its courier.
    #[derive(Default)]
    pub struct Unassign {
        /// Why, for the timeline.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 1000, pattern = "printable", example = "the kitchen is closed"))]
        pub reason: Option<String>,
        /// The order's version that the caller saw; without it the caller wins over changes that they did not see.
        pub version: Option<u64>,
    }

    /// Another attempt to deliver a failed order.
    #[derive(Default)]
    pub struct NextAttempt {
        /// Start of the new promised window; the old window ends with the attempt.
        pub promised_from: Option<DateTime<Utc>>,
        /// End of the new promised window; not before its start.
        pub promised_until: Option<DateTime<Utc>>,
        /// Who is to bring it; the present courier when left out.
        pub courier_id: Option<CourierId>,
        /// The order's version that the caller saw; without it the caller wins over changes that they did not see.
        pub version: Option<u64>,
    }

    /// Corrects a final status that was a mistake.
    pub struct Reopen {
        /// Why, for the timeline.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 1000, pattern = "printable", example = "the wrong button"))]
        pub reason: String,
        /// The order's version that the caller saw; without it the caller wins over changes that they did not see.
        pub version: Option<u64>,
    }

    /// What a field was and what it became; absent where there was or is nothing.
    pub struct FieldChange {
        /// Before.
        pub from: Option<String>,
        /// After.
        pub to: Option<String>,
    }
}

/// What a line of an order's history is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderEventKind {
    /// It took a status.
    #[default]
    Status,
    /// It went to a courier, or from one to another.
    Assigned,
    /// Dispatch took it from its courier.
    Unassigned,
    /// Its courier gave it back.
    GivenBack,
    /// Its fields were changed.
    Edited,
    /// Another attempt began.
    Attempt,
    /// A final status was corrected.
    Reopened,
    /// The courier waits at the pickup: the goods are not ready.
    NotReady,
    /// The courier brought the goods of a cancelled order back.
    GoodsReturned,
    /// A courier who no longer had the order, or whose report came too late, said that it took a status. It did not.
    LateReport,
}

impl OrderEventKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Status,
        Self::Assigned,
        Self::Unassigned,
        Self::GivenBack,
        Self::Edited,
        Self::Attempt,
        Self::Reopened,
        Self::NotReady,
        Self::GoodsReturned,
        Self::LateReport,
    ];

    /// The word used in SQL and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Assigned => "assigned",
            Self::Unassigned => "unassigned",
            Self::GivenBack => "given_back",
            Self::Edited => "edited",
            Self::Attempt => "attempt",
            Self::Reopened => "reopened",
            Self::NotReady => "not_ready",
            Self::GoodsReturned => "goods_returned",
            Self::LateReport => "late_report",
        }
    }

    /// The kind of a word; `None` for a word this version does not know.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}
