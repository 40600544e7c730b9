//! The fields of an order's form that hold a text, by their names in the API, and in which status each can be changed.

use doorstep_shared::{OrderStatus, editing::is_editable};

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Reference,
    PickupAddress,
    PickupInstructions,
    PickupPhone,
    DropoffAddress,
    DropoffInstructions,
    Customer,
    Phone,
    Email,
    /// `2026-11-28`; empty for the next day on which the clock shows the time.
    FromDate,
    /// `18:30`.
    From,
    /// Empty for the day on which the window begins, or the next one where it passes midnight.
    UntilDate,
    Until,
    /// In units of a courier's capacity.
    Size,
    /// In minutes.
    Service,
    /// What the courier must have, separated by commas.
    Requires,
    Note,
}

impl Field {
    /// Every field, in the order of its number.
    pub const ALL: [Self; 17] = [
        Self::Reference,
        Self::PickupAddress,
        Self::PickupInstructions,
        Self::PickupPhone,
        Self::DropoffAddress,
        Self::DropoffInstructions,
        Self::Customer,
        Self::Phone,
        Self::Email,
        Self::FromDate,
        Self::From,
        Self::UntilDate,
        Self::Until,
        Self::Size,
        Self::Service,
        Self::Requires,
        Self::Note,
    ];

    /// The API's name for it, as a dotted path in the order.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::PickupAddress => "pickup.address",
            Self::PickupInstructions => "pickup.instructions",
            Self::PickupPhone => "pickup.phone",
            Self::DropoffAddress => "dropoff.address",
            Self::DropoffInstructions => "dropoff.instructions",
            Self::Customer => "customer.name",
            Self::Phone => "customer.phone",
            Self::Email => "customer.email",
            Self::FromDate | Self::From => "promised_from",
            Self::UntilDate | Self::Until => "promised_until",
            Self::Size => "size",
            Self::Service => "service_s",
            Self::Requires => "requires",
            Self::Note => "note",
        }
    }
}

/// What people call a field of an order, from the API's name for it. Fields of the API without a field in the form have
/// a name too: the history shows them.
pub fn name_of(path: &str) -> &'static str {
    match path {
        "reference" => "Reference",
        "pickup.address" => "Pickup",
        "pickup.instructions" => "Note at the pickup",
        "pickup.phone" => "Pickup’s phone",
        "pickup" | "pickup.lat" | "pickup.lon" => "Pickup’s pin",
        "dropoff.address" => "Door",
        "dropoff.instructions" => "Note at the door",
        "dropoff" | "dropoff.lat" | "dropoff.lon" => "Door’s pin",
        "customer.name" => "Customer",
        "customer.phone" => "Phone",
        "customer.email" => "Email",
        "promised_from" => "Promised from",
        "promised_until" => "Promised until",
        "size" => "Size",
        "service_s" => "Minutes at the door",
        "requires" => "Courier must have",
        "note" => "Remark",
        "proof" => "Proof",
        _ => "Something else",
    }
}

/// Why the field with this path cannot be changed in this status; `None` when it can.
pub fn locked(path: &str, status: OrderStatus) -> Option<&'static str> {
    let is_pickup = path.starts_with("pickup");
    Some(match status {
        _ if is_editable(path, status) => return None,
        _ if status.is_final() => "The order is over; reopen it first",
        OrderStatus::Failed if is_pickup => "The pickup stays after a failed attempt",
        _ if is_pickup => "The goods are picked up already",
        _ => "The goods are on board already",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_numbered_in_their_order_and_have_names() {
        for (index, field) in Field::ALL.into_iter().enumerate() {
            assert_eq!(field as usize, index);
            assert_ne!(name_of(field.path()), name_of("unheard of"), "{}", field.path());
        }
    }

    #[test]
    fn what_is_done_cannot_be_changed() {
        for (path, status, is_locked) in [
            ("pickup.address", OrderStatus::AtPickup, false),
            ("pickup.address", OrderStatus::PickedUp, true),
            ("pickup.phone", OrderStatus::Failed, true),
            ("dropoff.address", OrderStatus::AtDropoff, false),
            ("size", OrderStatus::Assigned, false),
            ("size", OrderStatus::PickedUp, true),
            ("size", OrderStatus::Failed, false),
            ("promised_until", OrderStatus::Failed, false),
            ("reference", OrderStatus::AtDropoff, false),
            ("reference", OrderStatus::Delivered, true),
        ] {
            assert_eq!(locked(path, status).is_some(), is_locked, "{path} while {}", status.as_str());
        }
    }
}
