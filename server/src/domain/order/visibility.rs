//! What a customer may see of the courier, and when.
//!
//! A courier with several orders makes one stop at a time. Only the customer of the first stop of their plan sees them
//! move ([`crate::domain::plan`]); all other customers see how many orders come first. The feed opens by itself when an
//! order's stop becomes the first and closes by itself when another one is or the order is over, and a trail never
//! reaches back before that.

use chrono::{DateTime, Utc};
use doorstep_shared::OrderStatus;

use super::Order;

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
