//! Exceptions, which need a dispatcher's attention: one that was found, one that goes on, one that is over.
//!
//! [`crate::service::exceptions`] finds them and [`crate::store::exceptions`] keeps them. Here stands which ones about an
//! order can go on and which ones a change ends: a change ends them in its own transaction, or what begins with it would
//! be taken for what went on before.

use doorstep_shared::{
    CourierId, DeviceId, ExceptionId, LatLon, OrderId, OrderStatus, api::exception::ExceptionCode,
    protocol::PresenceReason,
};
use uuid::Uuid;

use super::{order::Order, track::silence::Reporter};

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

/// A device whose reports are all rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedDevice {
    /// The device.
    pub device: DeviceId,
    /// What it is called.
    pub label: String,
    /// Its courier.
    pub courier: CourierId,
    /// What is wrong with it.
    pub code: ExceptionCode,
    /// Since when, Unix epoch milliseconds.
    pub since_ms: i64,
}

/// What is wrong with a device whose reports are rejected with this code.
pub fn of_rejection(code: &str) -> ExceptionCode {
    match code {
        "time_in_future" | "time_too_old" => ExceptionCode::ClockWrong,
        _ => ExceptionCode::ReportsUnreadable,
    }
}

/// Whether an exception is about a courier's device.
pub const fn is_about_device(code: ExceptionCode) -> bool {
    matches!(code, ExceptionCode::ClockWrong | ExceptionCode::ReportsUnreadable)
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

/// Whether an exception about an order can go on while the order has this status. Those about a courier hang on all of
/// their orders, and those about what happened once are over from the beginning.
pub const fn goes_on_in(code: ExceptionCode, status: OrderStatus) -> bool {
    match code {
        ExceptionCode::Late => matches!(status, OrderStatus::Created) || status.is_active(),
        ExceptionCode::GivenBack => matches!(status, OrderStatus::Created),
        ExceptionCode::NotReady => matches!(status, OrderStatus::AtPickup),
        ExceptionCode::OffRoute => status.is_active(),
        ExceptionCode::DeliveredFar
        | ExceptionCode::LateReport
        | ExceptionCode::Silent
        | ExceptionCode::ClockWrong
        | ExceptionCode::ReportsUnreadable
        | ExceptionCode::Stationary
        | ExceptionCode::DoorElsewhere => false,
    }
}

/// The exceptions about an order that end when it changes from `before` to `after`.
pub fn ended_by(before: &Order, after: &Order) -> Vec<ExceptionCode> {
    let ends = |code: &ExceptionCode| goes_on_in(*code, before.status) && !survives(*code, before, after);
    ExceptionCode::ALL.into_iter().filter(ends).collect()
}

fn survives(code: ExceptionCode, before: &Order, after: &Order) -> bool {
    let is_about_same = match code {
        ExceptionCode::Late => before.promised_until == after.promised_until,
        // About what one courier does.
        ExceptionCode::NotReady | ExceptionCode::OffRoute => before.courier_id == after.courier_id,
        _ => true,
    };
    is_about_same && goes_on_in(code, after.status)
}

#[cfg(test)]
mod tests {
    use ExceptionCode::{GivenBack, Late, NotReady, OffRoute};
    use OrderStatus::{Assigned, AtPickup, Cancelled, Created, Delivered, Failed, PickedUp};

    use super::*;
    use crate::{
        domain::order::{steps, visibility::tests::order},
        platform::clock::from_ms,
    };

    fn of(courier: CourierId, status: OrderStatus) -> Order {
        let order = Order { promised_until: Some(from_ms(5_000)), ..order(Created, 0) };
        steps::moved_on(steps::assigned(&order, courier, from_ms(1)).expect("is new"), status, from_ms(2))
    }

    #[test]
    fn a_change_ends_what_was_about_the_order_as_it_was_before() {
        let (ana, ben) = (CourierId::new(), CourierId::new());
        let now = from_ms(3);
        let waiting = Order { promised_until: Some(from_ms(5_000)), ..order(Created, 0) };
        let moved = |order: &Order, to| steps::moved_on(order.clone(), to, now);
        let again = |window| steps::next_attempt(&of(ana, Failed), ana, window, now).expect("has failed");
        let (new, at_shop, loaded, failed) = (of(ana, Assigned), of(ana, AtPickup), of(ana, PickedUp), of(ana, Failed));
        let edited = Order { reference: "other".to_owned(), ..at_shop.clone() };
        let later = Order { promised_until: Some(from_ms(9_000)), ..at_shop.clone() };
        let unpromised = Order { promised_until: None, ..waiting.clone() };
        let given = |order: &Order, to| steps::assigned(order, to, now).expect("is open");
        let back = steps::taken_back(&at_shop, now).expect("is not collected");
        for (what, before, after, ended) in [
            ("assigned", &waiting, given(&waiting, ana), vec![GivenBack]),
            ("cancelled while it waited", &waiting, moved(&waiting, Cancelled), vec![GivenBack, Late]),
            ("no promise any more", &waiting, unpromised, vec![Late]),
            ("given to another courier on the way", &new, given(&new, ben), vec![OffRoute]),
            ("given to another courier at the pickup", &at_shop, given(&at_shop, ben), vec![NotReady, OffRoute]),
            ("taken back", &at_shop, back, vec![NotReady, OffRoute]),
            ("picked up", &at_shop, moved(&at_shop, PickedUp), vec![NotReady]),
            ("cancelled at the pickup", &at_shop, moved(&at_shop, Cancelled), vec![Late, NotReady, OffRoute]),
            ("edited", &at_shop, edited, vec![]),
            ("promised for later", &at_shop, later, vec![Late]),
            ("delivered", &loaded, moved(&loaded, Delivered), vec![Late, OffRoute]),
            ("failed", &loaded, moved(&loaded, Failed), vec![Late, OffRoute]),
            ("tried again", &failed, again((None, None)), vec![]),
        ] {
            assert_eq!(ended_by(before, &after), ended, "{what}");
        }
    }
}
