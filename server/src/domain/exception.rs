//! Exceptions, which need a dispatcher's attention: one that was found, one that goes on, one that is over.
//!
//! [`crate::service::exceptions`] finds them and [`crate::store::exceptions`] keeps them.

use doorstep_shared::{
    CourierId, ExceptionId, LatLon, OrderId, OrderStatus, api::exception::ExceptionCode, protocol::PresenceReason,
};
use uuid::Uuid;

use super::track::silence::Reporter;

/// An exception noticed for the first time.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What is wrong.
    pub code: ExceptionCode,
    /// The courier or the order for which it is noticed once.
    pub subject: Uuid,
    /// The courier it is about.
    pub courier: Option<CourierId>,
    /// The order it is about, or that the courier serves.
    pub order: Option<OrderId>,
    /// Since when, Unix epoch milliseconds.
    pub since_ms: i64,
    /// When it was over, if it is.
    pub ended_ms: Option<i64>,
    /// Where the courier is.
    pub place: Option<LatLon>,
    /// Seconds behind the promise.
    pub late_by_s: Option<i32>,
    /// Metres from where they should be.
    pub distance_m: Option<i32>,
    /// Why the courier's phone pauses.
    pub reason: Option<PresenceReason>,
}

/// An exception that goes on, with what the database knows of its courier and order now.
#[derive(Clone, Debug)]
pub struct Ongoing {
    /// Its id.
    pub id: ExceptionId,
    /// What is wrong.
    pub code: ExceptionCode,
    /// The courier or the order for which it is noticed once.
    pub subject: Uuid,
    /// The courier it is about.
    pub courier: Option<CourierId>,
    /// Since when, Unix epoch milliseconds.
    pub since_ms: i64,
    /// Where the courier was then.
    pub place: Option<LatLon>,
    /// Seconds behind the promise.
    pub late_by_s: Option<i32>,
    /// Metres from where they should be.
    pub distance_m: Option<i32>,
    /// Why the courier's phone pauses.
    pub reason: Option<PresenceReason>,
    /// The order it is about.
    pub order_state: Option<OrderNow>,
    /// The courier has an order that is not over.
    pub courier_has_orders: bool,
    /// The courier has picked something up.
    pub courier_has_goods: bool,
    /// The courier said that they stop working.
    pub courier_is_off_duty: bool,
}

/// An order as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderNow {
    /// How far it is.
    pub status: OrderStatus,
    /// Since when, Unix epoch milliseconds.
    pub status_at_ms: i64,
    /// Who brings it.
    pub courier: Option<CourierId>,
}

/// A courier who waits at a pickup and said that the goods are not ready.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WaitingAtPickup {
    /// The order.
    pub order: OrderId,
    /// Who waits.
    pub courier: CourierId,
    /// Where.
    pub pickup: LatLon,
    /// Since when, Unix epoch milliseconds.
    pub since_ms: i64,
}

/// How an exception that goes on changed. A field that is `None` stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its id.
    pub id: ExceptionId,
    /// Seconds behind the promise.
    pub late_by_s: Option<i32>,
    /// Metres from where they should be.
    pub distance_m: Option<i32>,
    /// Why the courier's phone pauses; `None` replaces an earlier reason, too.
    pub reason: Option<PresenceReason>,
}

/// An exception that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Its id.
    pub id: ExceptionId,
    /// When, Unix epoch milliseconds.
    pub at_ms: i64,
}

/// When the database last received a fix of a courier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastHeard {
    /// When their newest fix came in, Unix epoch milliseconds.
    pub at_ms: i64,
    /// What kind of app sent it, judged by the courier's most recently seen device.
    pub reporter: Reporter,
}
