//! What a customer may see of the courier, and when.
//!
//! A courier with several orders serves one at a time. Only the customer whose stop is next sees them move; all other
//! customers see how many stops come first. The feed opens by itself when an order becomes the next one and closes by
//! itself when it is over, and a trail never reaches back before that.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use doorstep_shared::{OrderId, OrderStatus};

use super::Order;

/// The courier's open orders in the order in which they will be served.
///
/// The order that is farthest along comes first: a courier at a door finishes there before anything else, and goods on
/// board are delivered before more are collected. Among equals the one assigned first comes first.
pub fn serving_order(mut open: Vec<Order>) -> Vec<Order> {
    open.retain(|order| order.status.is_active());
    open.sort_by_key(|order| (Reverse(order.status.step()), order.assigned_at, order.id));
    open
}

/// The order whose customer sees the courier, among open orders in serving order.
pub fn visible(open: &[Order]) -> Option<OrderId> {
    open.first().map(|order| order.id)
}

/// From when on the trail of `order` may be shown: the leg being driven, and never before the feed opened.
pub fn trail_from(order: &Order) -> Option<DateTime<Utc>> {
    let feed_from = order.feed_from.filter(|_| order.status.is_active())?;
    Some(order.leg_from.map_or(feed_from, |leg_from| leg_from.max(feed_from)))
}

/// Whether reaching `status` starts a new leg, with a trail of its own.
pub fn starts_leg(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::Assigned | OrderStatus::PickedUp)
}

#[cfg(test)]
pub(crate) mod tests {
    use chrono::TimeDelta;
    use doorstep_shared::{LatLon, api::CustomerBody};
    use proptest::{prelude::*, sample::select};

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
    fn goods_on_board_come_before_goods_to_collect() {
        let collect_first = order(OrderStatus::Assigned, 1);
        let on_board = order(OrderStatus::PickedUp, 2);
        assert_eq!(visible(&serving_order(vec![collect_first, on_board.clone()])), Some(on_board.id));
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

    proptest! {
        #[test]
        fn an_order_that_is_over_is_never_visible(
            statuses in prop::collection::vec(select(OrderStatus::ALL.to_vec()), 0..12),
        ) {
            let orders: Vec<_> = (0..).zip(statuses).map(|(second, status)| order(status, second)).collect();
            let open = serving_order(orders.clone());
            prop_assert_eq!(open.len(), orders.iter().filter(|order| order.status.is_active()).count());
            if let Some(first) = visible(&open) {
                let first = orders.iter().find(|order| order.id == first).expect("it was in the list");
                prop_assert!(first.status.is_active());
                prop_assert!(orders.iter().all(|other| !other.status.is_active() || other.status.step() <= first.status.step()));
            }
        }
    }
}
