//! How long a tracking link shows its order.

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{OrderId, OrderStatus};

/// Customers look at the link of an order that no courier has yet, so it lasts at least this long, also where no outcome is
/// shown at all.
const LEFT_AT_LEAST: TimeDelta = TimeDelta::hours(24);

/// The order that a tracking link leads to, and what decides how long it does.
#[derive(Clone, Copy, Debug)]
pub struct LinkedOrder {
    /// The order.
    pub order: OrderId,
    /// How far it is.
    pub status: OrderStatus,
    /// Since when.
    pub status_at: DateTime<Utc>,
    /// When anything that people see of it was changed last.
    pub changed_at: DateTime<Utc>,
    /// The end of its window, or the beginning of one without an end.
    pub promised: Option<DateTime<Utc>>,
    /// Nothing about its customer is kept any more.
    pub is_erased: bool,
}

impl LinkedOrder {
    /// From when on the link shows nothing, `outcome` after the last change; `None` while a courier has the order. An order
    /// that no courier has waits for its window first.
    pub fn closes_at(&self, outcome: TimeDelta) -> Option<DateTime<Utc>> {
        let (last, shown_for) = match self.status {
            OrderStatus::Delivered | OrderStatus::Returned | OrderStatus::Cancelled => (self.status_at, outcome),
            OrderStatus::Failed | OrderStatus::Created => {
                let last = self.status_at.max(self.changed_at).max(self.promised.unwrap_or(self.status_at));
                (last, outcome.max(LEFT_AT_LEAST))
            }
            _ => return None,
        };
        // A window may lie in a year that no calendar has; such a link never closes by itself.
        last.checked_add_signed(shown_for)
    }

    /// Whether the link shows nothing any more at `at`.
    pub fn is_closed(&self, outcome: TimeDelta, at: DateTime<Utc>) -> bool {
        self.is_erased || self.closes_at(outcome).is_some_and(|closes_at| at >= closes_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::clock::from_ms;

    const OUTCOME: TimeDelta = TimeDelta::hours(72);

    fn at(hour: i64) -> DateTime<Utc> {
        from_ms(hour * 3_600_000)
    }

    fn linked(status: OrderStatus) -> LinkedOrder {
        let (order, status_at, changed_at) = (OrderId::new(), at(0), at(10));
        LinkedOrder { order, status, status_at, changed_at, promised: None, is_erased: false }
    }

    #[test]
    fn a_link_closes_some_time_after_the_order_is_over_or_nothing_happens_to_it_any_more() {
        use OrderStatus::{Assigned, AtDropoff, AtPickup, Cancelled, Created, Delivered, Failed, PickedUp, Returned};
        for over in [Delivered, Returned, Cancelled] {
            assert_eq!(linked(over).closes_at(OUTCOME), Some(at(72)), "{over}");
        }
        for left in [Failed, Created] {
            assert_eq!(linked(left).closes_at(OUTCOME), Some(at(82)), "{left}");
        }
        for on_the_way in [Assigned, AtPickup, PickedUp, AtDropoff] {
            assert_eq!(linked(on_the_way).closes_at(OUTCOME), None, "{on_the_way}");
        }
        assert!(!linked(Failed).is_closed(OUTCOME, at(81)) && linked(Failed).is_closed(OUTCOME, at(82)));
    }

    #[test]
    fn where_no_outcome_is_shown_a_new_order_has_a_link_all_the_same() {
        assert_eq!(linked(OrderStatus::Delivered).closes_at(TimeDelta::zero()), Some(at(0)));
        assert_eq!(linked(OrderStatus::Created).closes_at(TimeDelta::zero()), Some(at(34)));
    }

    #[test]
    fn an_order_for_next_week_keeps_its_link_until_then() {
        let next_week = LinkedOrder { promised: Some(at(200)), ..linked(OrderStatus::Created) };
        assert_eq!(next_week.closes_at(OUTCOME), Some(at(272)));
    }

    #[test]
    fn nothing_is_shown_of_an_erased_order() {
        assert!(LinkedOrder { is_erased: true, ..linked(OrderStatus::PickedUp) }.is_closed(OUTCOME, at(0)));
    }
}
