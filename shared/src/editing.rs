//! Which fields of an order may be changed in which status.
//!
//! `TABLE` is the only place that says it: the server refuses by it, and the console offers by it what would not be refused.

use crate::OrderStatus;

const UNTIL_COLLECTED: &[OrderStatus] = &[OrderStatus::Created, OrderStatus::Assigned, OrderStatus::AtPickup];

const UNTIL_COLLECTED_OR_FAILED: &[OrderStatus] =
    &[OrderStatus::Created, OrderStatus::Assigned, OrderStatus::AtPickup, OrderStatus::Failed];

const UNTIL_FINAL: &[OrderStatus] = &[
    OrderStatus::Created,
    OrderStatus::Assigned,
    OrderStatus::AtPickup,
    OrderStatus::PickedUp,
    OrderStatus::AtDropoff,
    OrderStatus::Failed,
];

/// Fields, or the beginnings of their dotted paths, with the statuses in which they may change.
const TABLE: [(&str, &[OrderStatus]); 11] = [
    ("reference", UNTIL_FINAL),
    ("pickup", UNTIL_COLLECTED),
    ("dropoff", UNTIL_FINAL),
    ("customer", UNTIL_FINAL),
    ("promised_from", UNTIL_FINAL),
    ("promised_until", UNTIL_FINAL),
    ("proof", UNTIL_FINAL),
    ("size", UNTIL_COLLECTED_OR_FAILED),
    ("service_s", UNTIL_FINAL),
    ("requires", UNTIL_COLLECTED_OR_FAILED),
    ("note", UNTIL_FINAL),
];

/// What may be changed in this status, as dotted paths or their beginnings.
pub fn editable(status: OrderStatus) -> Vec<&'static str> {
    TABLE.iter().filter(|(_, statuses)| statuses.contains(&status)).map(|(path, _)| *path).collect()
}

/// Whether the field with this dotted path may be changed in this status.
pub fn is_editable(path: &str, status: OrderStatus) -> bool {
    let covers =
        |beginning: &str| path.strip_prefix(beginning).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    TABLE.iter().any(|(beginning, statuses)| covers(beginning) && statuses.contains(&status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_covered_by_the_whole_beginning_of_its_path() {
        for (path, status, expected) in [
            ("pickup.address", OrderStatus::AtPickup, true),
            ("pickup.address", OrderStatus::PickedUp, false),
            ("pickup", OrderStatus::Created, true),
            ("pickups.address", OrderStatus::Created, false),
            ("pick", OrderStatus::Created, false),
            ("customer.name", OrderStatus::Failed, true),
            ("size", OrderStatus::AtDropoff, false),
            ("size", OrderStatus::Failed, true),
            ("reference", OrderStatus::Delivered, false),
        ] {
            assert_eq!(is_editable(path, status), expected, "{path} while {}", status.as_str());
        }
    }

    #[test]
    fn what_may_change_narrows_as_the_order_moves_on() {
        use OrderStatus::{AtDropoff, AtPickup, Cancelled, Delivered, Failed, PickedUp, Returned};
        assert_eq!(editable(AtPickup).len(), TABLE.len());
        for collected in [PickedUp, AtDropoff] {
            let left = editable(collected);
            assert!(["pickup", "size", "requires"].iter().all(|path| !left.contains(path)), "{left:?}");
            assert!(["reference", "dropoff", "customer", "proof", "note"].iter().all(|path| left.contains(path)));
        }
        assert_eq!(editable(Failed).len(), TABLE.len() - 1, "all but the pickup");
        assert!(!editable(Failed).contains(&"pickup"));
        assert!([Delivered, Returned, Cancelled].into_iter().all(|over| editable(over).is_empty()));
    }
}
