//! The columns that a file of orders may have: our names for them, and what people read above them.
//!
//! The import recognises both, the template and the export of orders write the headings, and the console offers them where
//! a file's own headings say nothing.

/// A column that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Our name for it, which programs use.
    pub name: &'static str,
    /// What a person reads above it.
    pub heading: &'static str,
}

const fn column(name: &'static str, heading: &'static str) -> Column {
    Column { name, heading }
}

/// The column that names a saved pickup. An export has addresses instead.
pub const PICKUP: &str = "pickup";

const REQUIRED: [&str; 4] = ["reference", "pickup_address", "dropoff_address", "customer_name"];

/// Every column that means something.
pub const COLUMNS: [Column; 21] = [
    column("reference", "Reference"),
    column(PICKUP, "Pickup"),
    column("pickup_address", "Pickup address"),
    column("pickup_lat", "Pickup latitude"),
    column("pickup_lon", "Pickup longitude"),
    column("pickup_instructions", "Pickup instructions"),
    column("pickup_phone", "Pickup phone"),
    column("dropoff_address", "Delivery address"),
    column("dropoff_lat", "Delivery latitude"),
    column("dropoff_lon", "Delivery longitude"),
    column("dropoff_instructions", "Delivery instructions"),
    column("customer_name", "Customer name"),
    column("customer_phone", "Customer phone"),
    column("customer_email", "Customer e-mail"),
    column("promised_from", "Promised from"),
    column("promised_until", "Promised until"),
    column("proof", "Proof"),
    column("size", "Size"),
    column("service_s", "Seconds at the door"),
    column("requires", "Requires"),
    column("note", "Note"),
];

/// The columns without which no row can become an order, given which ones there are. A saved pickup's name is as good as
/// its address.
pub fn missing_columns(has: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let is_there = |name: &str| has(name) || name == "pickup_address" && has(PICKUP);
    REQUIRED.into_iter().filter(|name| !is_there(name)).collect()
}

/// The column of this name.
pub fn column_named(name: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_pickups_name_stands_for_its_address() {
        let missing = |columns: &[&str]| missing_columns(|name| columns.contains(&name));
        assert_eq!(missing(&["reference", "customer_name"]), ["pickup_address", "dropoff_address"]);
        assert_eq!(missing(&["reference", "pickup", "dropoff_address", "customer_name"]), [""; 0]);
    }
}
