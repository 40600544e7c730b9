//! The statuses of an order, and which may follow which.
//!
//! The transition rules are data-free and shared, so that the courier's phone can refuse a button before the server
//! does, with the same answer.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// How far an order is. Steps may be skipped forwards, never taken backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum OrderStatus {
    /// Received from the merchant; it has no courier yet.
    Created,
    /// A courier has it and is heading to the pickup.
    Assigned,
    /// The courier is at the pickup.
    AtPickup,
    /// The courier has the goods and is heading to the door.
    PickedUp,
    /// The courier is at the door.
    AtDropoff,
    /// Handed over. Final.
    Delivered,
    /// Could not be handed over; may still be returned or cancelled.
    Failed,
    /// Brought back to the merchant. Final.
    Returned,
    /// Called off. Final.
    Cancelled,
}

impl OrderStatus {
    /// Every status, in the order of a delivery's life.
    pub const ALL: [Self; 9] = [
        Self::Created,
        Self::Assigned,
        Self::AtPickup,
        Self::PickedUp,
        Self::AtDropoff,
        Self::Delivered,
        Self::Failed,
        Self::Returned,
        Self::Cancelled,
    ];

    /// The word used in SQL, JSON and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Assigned => "assigned",
            Self::AtPickup => "at_pickup",
            Self::PickedUp => "picked_up",
            Self::AtDropoff => "at_dropoff",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Returned => "returned",
            Self::Cancelled => "cancelled",
        }
    }

    /// True for delivered, returned and cancelled: nothing may follow, and the live feed has ended.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Returned | Self::Cancelled)
    }

    /// True while a courier is on the way with or to the goods.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Assigned | Self::AtPickup | Self::PickedUp | Self::AtDropoff)
    }

    /// How far along the way to the door, from 0 (created) to 5 (delivered); `None` off that way.
    pub const fn step(self) -> Option<u8> {
        match self {
            Self::Created => Some(0),
            Self::Assigned => Some(1),
            Self::AtPickup => Some(2),
            Self::PickedUp => Some(3),
            Self::AtDropoff => Some(4),
            Self::Delivered => Some(5),
            Self::Failed | Self::Returned | Self::Cancelled => None,
        }
    }

    /// Whether `next` may follow this status.
    ///
    /// Forwards along the way, `failed` from anywhere before delivery, `returned` after `failed`,
    /// and `cancelled` from everything that is not final. A status never follows itself.
    pub fn can_become(self, next: Self) -> bool {
        if self.is_final() || self == next {
            return false;
        }
        match (self, next) {
            (_, Self::Cancelled) => true,
            (Self::Failed, other) => other == Self::Returned,
            (_, Self::Failed) => true,
            (_, Self::Returned) => false,
            (from, to) => from.step() < to.step(),
        }
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text was not one of the known words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {text:?}")]
pub struct UnknownWord {
    what: &'static str,
    text: String,
}

impl FromStr for OrderStatus {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| UnknownWord { what: "order status", text: text.to_owned() })
    }
}

/// What a courier rides; it decides the speed that an arrival estimate assumes and the glyph on the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Vehicle {
    /// Walking.
    Foot,
    /// A bicycle, with or without a motor.
    Bicycle,
    /// A scooter or moped.
    Scooter,
    /// A motorcycle.
    Motorcycle,
    /// A car.
    Car,
    /// A van.
    Van,
}

impl Vehicle {
    /// Every vehicle.
    pub const ALL: [Self; 6] = [Self::Foot, Self::Bicycle, Self::Scooter, Self::Motorcycle, Self::Car, Self::Van];

    /// The word used in SQL and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Foot => "foot",
            Self::Bicycle => "bicycle",
            Self::Scooter => "scooter",
            Self::Motorcycle => "motorcycle",
            Self::Car => "car",
            Self::Van => "van",
        }
    }
}

impl fmt::Display for Vehicle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Vehicle {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|vehicle| vehicle.as_str() == text);
        found.ok_or_else(|| UnknownWord { what: "vehicle", text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;

    fn any_status() -> impl Strategy<Value = OrderStatus> {
        select(OrderStatus::ALL.to_vec())
    }

    #[test]
    fn steps_may_be_skipped_forwards_and_never_taken_backwards() {
        assert!(OrderStatus::Created.can_become(OrderStatus::Delivered));
        assert!(OrderStatus::Assigned.can_become(OrderStatus::PickedUp));
        assert!(!OrderStatus::PickedUp.can_become(OrderStatus::AtPickup));
        assert!(!OrderStatus::AtDropoff.can_become(OrderStatus::Created));
    }

    #[test]
    fn a_failed_order_is_returned_or_cancelled_and_nothing_else() {
        let after_failed: Vec<_> =
            OrderStatus::ALL.into_iter().filter(|next| OrderStatus::Failed.can_become(*next)).collect();
        assert_eq!(after_failed, [OrderStatus::Returned, OrderStatus::Cancelled]);
        assert!(!OrderStatus::AtDropoff.can_become(OrderStatus::Returned));
    }

    proptest! {
        #[test]
        fn a_final_state_is_never_left(from in any_status(), to in any_status()) {
            if from.is_final() {
                prop_assert!(!from.can_become(to));
            }
        }

        #[test]
        fn any_walk_of_allowed_transitions_ends(walk in prop::collection::vec(any_status(), 0..64)) {
            let mut status = OrderStatus::Created;
            let mut taken = 0;
            for next in walk {
                if status.can_become(next) {
                    status = next;
                    taken += 1;
                }
            }
            prop_assert!(taken <= 7, "no status repeats, so a life has at most seven transitions");
        }

        #[test]
        fn words_round_trip(status in any_status(), vehicle in select(Vehicle::ALL.to_vec())) {
            prop_assert_eq!(status.as_str().parse(), Ok(status));
            prop_assert_eq!(serde_json::to_string(&status).expect("a unit variant serialises"), format!("\"{status}\""));
            prop_assert_eq!(vehicle.as_str().parse(), Ok(vehicle));
        }
    }
}
