//! Exceptions: situations that need a dispatcher's attention, such as silent couriers and late orders.
//!
//! `GET /api/v1/exceptions?state=open|all&cursor=&limit=` lists them, and
//! `POST /api/v1/exceptions/{id}/acknowledge` records that a dispatcher took care of one. Only a signed-in dispatcher or
//! admin can do either: acknowledging is done by a named person. `/ws/fleet` announces each with an `alert`, which
//! holds no more than its code, its beginning, its courier and its order; all else comes from here.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{CourierId, ExceptionId, OrderId, OrderStatus, protocol::PresenceReason};

/// The longest remark on an acknowledgement, in characters.
pub const MAX_EXCEPTION_NOTE_CHARS: usize = 500;

/// What an exception is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ExceptionCode {
    /// An order is delivered, and the courier was far from its door.
    DeliveredFar,
    /// A courier reported a status that the order could not take any more: it was over, or no longer theirs.
    LateReport,
    /// A courier gave an order back, and it waits for another one.
    GivenBack,
    /// An order is later than promised, or surely will be.
    Late,
    /// Nothing is heard of a courier who has orders.
    Silent,
    /// The clock of a courier's device is wrong, so that none of its positions can be taken.
    ClockWrong,
    /// A courier's device sends what cannot be read, so that none of its positions is known.
    ReportsUnreadable,
    /// A courier waits at a pickup for longer than usual there: the goods are not ready.
    NotReady,
    /// A courier with an order goes another way than the one to the next stop.
    OffRoute,
    /// A courier with an order has stood still for long, and not at a stop.
    Stationary,
    /// A courier says that a door is elsewhere than the map has it.
    DoorElsewhere,
}

impl ExceptionCode {
    /// Every code, the gravest first.
    pub const ALL: [Self; 11] = [
        Self::DeliveredFar,
        Self::LateReport,
        Self::GivenBack,
        Self::Late,
        Self::Silent,
        Self::ClockWrong,
        Self::ReportsUnreadable,
        Self::NotReady,
        Self::OffRoute,
        Self::Stationary,
        Self::DoorElsewhere,
    ];

    /// The word in JSON, in the fleet feed's alerts and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeliveredFar => "delivered_far",
            Self::LateReport => "late_report",
            Self::GivenBack => "given_back",
            Self::Late => "late",
            Self::Silent => "silent",
            Self::ClockWrong => "clock_wrong",
            Self::ReportsUnreadable => "reports_unreadable",
            Self::NotReady => "not_ready",
            Self::OffRoute => "off_route",
            Self::Stationary => "stationary",
            Self::DoorElsewhere => "door_elsewhere",
        }
    }

    /// The code of a word; `None` for a word this version does not know.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }

    /// Place among the codes when exceptions are ranked; the gravest is 0.
    pub const fn rank(self) -> u8 {
        match self {
            Self::DeliveredFar => 0,
            Self::LateReport => 1,
            Self::GivenBack => 2,
            Self::Late => 3,
            Self::Silent => 4,
            Self::ClockWrong => 5,
            Self::ReportsUnreadable => 6,
            Self::NotReady => 7,
            Self::OffRoute => 8,
            Self::Stationary => 9,
            Self::DoorElsewhere => 10,
        }
    }
}

/// Which exceptions a list holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ExceptionState {
    /// Exceptions that no dispatcher has acknowledged: what still goes on first, of these the gravest code first, and of
    /// one code what began first.
    #[default]
    Open,
    /// All exceptions that the server keeps, the last noticed first.
    All,
}

body! {
    /// A situation that needs, or needed, a dispatcher's attention.
    pub struct ExceptionView {
        /// Its id.
        pub id: ExceptionId,
        /// What it is about.
        pub code: ExceptionCode,
        /// When it began: the courier's last sign (`silent`), when they stopped (`stationary`) or left the way
        /// (`off_route`), when the delay became certain (`late`), when the order was delivered (`delivered_far`), when the
        /// courier came to the pickup (`not_ready`), when they pressed the button (`given_back`, `late_report`, `door_elsewhere`),
        /// since when nothing of the device is taken (`clock_wrong`, `reports_unreadable`).
        pub since: DateTime<Utc>,
        /// When it ended by itself; absent while it goes on. `delivered_far`, `late_report` and `door_elsewhere` end at
        /// once.
        pub ended_at: Option<DateTime<Utc>>,
        /// The courier it is about.
        pub courier_id: Option<CourierId>,
        /// The courier's name, as it is now.
        pub courier_name: Option<String>,
        /// The order it is about.
        pub order_id: Option<OrderId>,
        /// The merchant's name for the order.
        pub order_reference: Option<String>,
        /// Where the courier was when the server noticed it, if the server knew; `door_elsewhere`: where the door is.
        pub at: Option<ExceptionPlace>,
        /// `late`: seconds behind the promise, so far or as last estimated.
        pub late_by_s: Option<u32>,
        /// `silent`: seconds without a sign of the courier, until now or until the end.
        pub silent_s: Option<u32>,
        /// `stationary`: seconds on one spot, until now or until the end.
        pub stationary_s: Option<u32>,
        /// `delivered_far`: metres from the door; `off_route`: the largest distance from the way so far, in metres;
        /// `door_elsewhere`: metres from where the order has its door.
        pub distance_m: Option<u32>,
        /// `not_ready`: seconds at the pickup, until now or until the end.
        pub waiting_s: Option<u32>,
        /// `late_report`: the status that the courier reported, and the order did not take.
        pub reported: Option<OrderStatus>,
        /// `not_ready`, `given_back`, `late_report`: the courier's remark.
        pub remark: Option<String>,
        /// `silent`: why the courier's phone announced a pause; absent when it announced none.
        pub reason: Option<PresenceReason>,
        /// `clock_wrong`, `reports_unreadable`: what the courier's device is called.
        pub device_label: Option<String>,
        /// `clock_wrong`, `reports_unreadable`: the code of the device's last rejection.
        pub rejection: Option<String>,
        /// When a dispatcher acknowledged it.
        pub acknowledged_at: Option<DateTime<Utc>>,
        /// The e-mail address of that dispatcher.
        pub acknowledged_by: Option<String>,
        /// The dispatcher's remark.
        pub note: Option<String>,
    }

    /// Where the server noticed an exception.
    #[derive(Copy)]
    pub struct ExceptionPlace {
        /// Degrees north.
        #[cfg_attr(feature = "openapi", schema(minimum = -90, maximum = 90))]
        pub lat: f64,
        /// Degrees east.
        #[cfg_attr(feature = "openapi", schema(minimum = -180, maximum = 180))]
        pub lon: f64,
    }

    /// Acknowledges an exception. Of two acknowledgements the first counts, and both get an answer with the first one's
    /// name and remark.
    #[derive(Default)]
    pub struct AcknowledgeException {
        /// A remark of at most 500 characters.
        #[cfg_attr(feature = "openapi", schema(max_length = 500, pattern = "printable or empty", example = "called the courier"))]
        pub note: Option<String>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_word_in_json_and_elsewhere() {
        for code in ExceptionCode::ALL {
            assert_eq!(serde_json::to_value(code).expect("serialises"), code.as_str());
            assert_eq!(ExceptionCode::from_word(code.as_str()), Some(code));
        }
        assert_eq!(ExceptionCode::from_word("lost"), None);
    }

    #[test]
    fn the_codes_are_listed_by_rank() {
        assert!(ExceptionCode::ALL.iter().enumerate().all(|(place, code)| place == usize::from(code.rank())));
    }

    #[test]
    fn an_exception_reads_as_it_was_written_and_leaves_out_what_is_not_known() {
        let json = r#"{"id":"0192a000-0000-7000-8000-000000000001","code":"silent","since":"2026-11-21T09:00:00Z",
            "courier_id":"0192a000-0000-7000-8000-000000000002","courier_name":"Ana",
            "at":{"lat":35.9,"lon":14.5},"silent_s":420,"reason":"screen_locked"}"#;
        let view: ExceptionView = serde_json::from_str(json).expect("reads");
        assert_eq!(view.code, ExceptionCode::Silent);
        assert_eq!(view.reason, Some(PresenceReason::ScreenLocked));
        assert_eq!((view.ended_at, view.acknowledged_by.as_deref()), (None, None));
        let expected: serde_json::Value = serde_json::from_str(json).expect("is JSON");
        assert_eq!(serde_json::to_value(&view).expect("serialises"), expected, "absent stays absent");
    }

    #[test]
    fn an_acknowledgement_needs_no_note() {
        let empty: AcknowledgeException = serde_json::from_str("{}").expect("reads");
        assert_eq!(empty, AcknowledgeException::default());
    }
}
