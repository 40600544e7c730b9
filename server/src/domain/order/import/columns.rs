//! The columns that a file of orders may have, and those that it must have.
//!
//! The header is checked against them, and [`super::FileError`] names the missing ones.

/// Every column that means something.
pub const COLUMNS: [&str; 15] = [
    "reference",
    "pickup_address",
    "pickup_lat",
    "pickup_lon",
    "pickup_instructions",
    "dropoff_address",
    "dropoff_lat",
    "dropoff_lon",
    "dropoff_instructions",
    "customer_name",
    "customer_phone",
    "customer_email",
    "promised_from",
    "promised_until",
    "proof",
];

/// The columns without which no row can become an order.
pub(super) const REQUIRED: [&str; 4] = ["reference", "pickup_address", "dropoff_address", "customer_name"];
