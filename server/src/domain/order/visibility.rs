//! What a customer may see of the courier, and when.
//!
//! A courier with several orders makes one stop at a time. Only the customer of the first stop of their plan sees them
//! move ([`crate::domain::plan`]), and not the evening before: the order's window must be near, or the courier have the
//! goods. All other customers see how many orders come first. The feed opens by itself when an order's stop becomes the
//! first, or when its window comes near, and closes by itself when another one is first or the order is over, and a trail
//! never reaches back before that.

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::OrderStatus;

use super::Order;

/// From when on the trail of `order` may be shown: the leg being driven, and never before the feed opened.
pub fn trail_from(order: &Order) -> Option<DateTime<Utc>> {
    let feed_from = order.feed_from.filter(|_| order.status.is_active())?;
    Some(order.leg_from.map_or(feed_from, |leg_from| leg_from.max(feed_from)))
}

/// From when on the feed of `order` may be open, `lead` before its window; `None` when it may be at any time: there is no
/// window, or the order was picked up. Of a window without a beginning its end counts.
pub fn opens_at(order: &Order, lead: TimeDelta) -> Option<DateTime<Utc>> {
    let is_collected = matches!(order.status, OrderStatus::PickedUp | OrderStatus::AtDropoff);
    let window = order.promised_from.or(order.promised_until).filter(|_| !is_collected)?;
    // A year that no calendar has is refused where orders come in; such a window is never near.
    Some(window.checked_sub_signed(lead).unwrap_or(window))
}

/// Whether the feed of `order`, whose stop is the courier's first, may be open at `at`.
pub fn may_be_open(order: &Order, lead: TimeDelta, at: DateTime<Utc>) -> bool {
    // What a phone reports late happened before the feed opened, and does not close it.
    let at = order.feed_from.map_or(at, |feed_from| feed_from.max(at));
    opens_at(order, lead).is_none_or(|opens_at| opens_at <= at)
}

/// What a customer reads of a courier's name: the first part. One that is only a title or an initial, "Dr." or "J.", is
/// none without the part after it.
pub fn first_name(name: &str) -> String {
    let mut parts = name.split_whitespace();
    let mut first = parts.next().unwrap_or_default().to_owned();
    if first.ends_with('.') {
        for part in parts.take(1) {
            first = first + " " + part;
        }
    }
    first
}

/// Whether reaching `status` starts a new leg, with a trail of its own.
pub fn starts_leg(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::Assigned | OrderStatus::PickedUp)
}

#[cfg(test)]
pub(crate) mod tests {
    use chrono::TimeDelta;
    use doorstep_shared::{LatLon, OrderId, api::CustomerBody};

    use super::*;
    use crate::{
        domain::order::{Demands, Seen, Waypoint},
        platform::clock::from_ms,
    };

    pub(crate) fn order(status: OrderStatus, assigned_s: i64) -> Order {
        let waypoint = |lat, lon| Waypoint {
            point: LatLon::try_new(lat, lon).expect("on earth"),
            address: "somewhere".into(),
            instructions: None,
            phone: None,
        };
        Order {
            id: OrderId::new(),
            reference: "A-1".into(),
            status,
            status_at: from_ms(0),
            pickup: waypoint(35.90, 14.50),
            dropoff: waypoint(35.89, 14.51),
            customer: CustomerBody { name: "Eve".into(), phone: None, email: None },
            promised_from: None,
            promised_until: None,
            courier_id: None,
            assigned_at: Some(from_ms(0) + TimeDelta::seconds(assigned_s)),
            feed_from: None,
            leg_from: None,
            created_at: from_ms(0),
            version: 1,
            attempt: 1,
            demands: Demands::default(),
            carried_by: None,
            seen: Seen::default(),
        }
    }

    #[test]
    fn a_feed_opens_when_the_window_is_near_or_the_goods_are_on_board() {
        const HOUR_MS: i64 = 3_600_000;
        let (lead, now_ms) = (TimeDelta::hours(3), 100 * HOUR_MS);
        let after = |hours: i64| Some(from_ms(now_ms + hours * HOUR_MS));
        use OrderStatus::{Assigned, AtDropoff, AtPickup, PickedUp};
        for (status, from, until, is_open) in [
            (Assigned, None, None, true),
            (Assigned, after(3), after(5), true),
            (Assigned, after(4), after(5), false),
            (AtPickup, after(18), after(20), false),
            (PickedUp, after(18), after(20), true),
            (AtDropoff, after(18), after(20), true),
            (Assigned, None, after(3), true),
            (Assigned, None, after(4), false),
            (Assigned, after(-2), after(20), true),
            (Assigned, after(-2), None, true),
        ] {
            let mut order = order(status, 0);
            (order.promised_from, order.promised_until) = (from, until);
            assert_eq!(may_be_open(&order, lead, from_ms(now_ms)), is_open, "{status:?} {from:?} {until:?}");
        }
    }

    #[test]
    fn a_customer_reads_the_couriers_first_name() {
        for (name, shown) in [
            ("Ana Borg", "Ana"),
            (" Maria  Alexandra Papadopoulou", "Maria"),
            ("Ana", "Ana"),
            ("Dr. Ana Borg", "Dr. Ana"),
            ("J. Smith", "J. Smith"),
            ("田中", "田中"),
            ("", ""),
        ] {
            assert_eq!(first_name(name), shown);
        }
    }

    #[test]
    fn a_late_report_closes_no_feed_and_a_later_window_does() {
        let (lead, minute_ms) = (TimeDelta::hours(3), 60_000);
        let mut order = order(OrderStatus::AtPickup, 0);
        order.promised_from = Some(from_ms(200 * minute_ms));
        order.feed_from = Some(from_ms(20 * minute_ms));
        assert!(may_be_open(&order, lead, from_ms(10 * minute_ms)), "reported late");
        order.promised_from = Some(from_ms(300 * minute_ms));
        assert!(!may_be_open(&order, lead, from_ms(30 * minute_ms)), "the window was moved");
    }

    #[test]
    fn the_trail_starts_with_the_leg_and_never_before_the_feed() {
        let mut order = order(OrderStatus::PickedUp, 0);
        assert_eq!(trail_from(&order), None, "the feed is closed");
        order.feed_from = Some(from_ms(10_000));
        order.leg_from = Some(from_ms(5_000));
        assert_eq!(trail_from(&order), Some(from_ms(10_000)));
        order.leg_from = Some(from_ms(20_000));
        assert_eq!(trail_from(&order), Some(from_ms(20_000)));
        order.status = OrderStatus::Delivered;
        assert_eq!(trail_from(&order), None, "the order is over");
    }
}
