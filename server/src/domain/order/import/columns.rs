//! The columns that a file of orders may have: our names for them, their headings in files that people read, and what
//! other systems call them.
//!
//! The header is checked against them, and [`super::FileError`] names the missing ones. The template and the export of
//! orders write the headings, so that the import takes both back.

/// A column that means something.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Our name for it, which programs use.
    pub name: &'static str,
    /// What a person reads above it.
    pub heading: &'static str,
    /// What others call it: folded words with spaces between them.
    synonyms: &'static [&'static str],
}

impl Column {
    const fn new(name: &'static str, heading: &'static str, synonyms: &'static [&'static str]) -> Self {
        Self { name, heading, synonyms }
    }

    /// Whether these folded words are its name or its heading.
    pub(super) fn is_named(&self, words: &[String]) -> bool {
        words.join("_") == self.name || doorstep_shared::text::words(self.heading) == words
    }

    /// Whether others call it by these folded words.
    pub(super) fn is_known_as(&self, words: &[String]) -> bool {
        self.synonyms.contains(&words.join(" ").as_str())
    }
}

/// The column of this name.
pub fn column(name: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.name == name)
}

/// Every column that means something.
pub const COLUMNS: [Column; 20] = [
    Column::new(
        "reference",
        "Reference",
        &["order", "order id", "order number", "order no", "order reference", "ref", "order ref", "external id"],
    ),
    Column::new(
        "pickup_address",
        "Pickup address",
        &[
            "pickup",
            "pick up",
            "pick up address",
            "collection address",
            "collect from",
            "from",
            "from address",
            "origin",
            "shop address",
            "sender address",
        ],
    ),
    Column::new("pickup_lat", "Pickup latitude", &["pick up latitude", "from latitude", "origin latitude"]),
    Column::new(
        "pickup_lon",
        "Pickup longitude",
        &["pickup lng", "pickup long", "pick up longitude", "from longitude", "origin longitude"],
    ),
    Column::new(
        "pickup_instructions",
        "Pickup instructions",
        &["pickup note", "pickup notes", "collection instructions", "collection notes"],
    ),
    Column::new(
        "pickup_phone",
        "Pickup phone",
        &["shop phone", "kitchen phone", "sender phone", "pickup phone number", "pickup telephone", "pickup contact"],
    ),
    Column::new(
        "dropoff_address",
        "Delivery address",
        &[
            "address",
            "delivery",
            "deliver to",
            "dropoff",
            "drop off",
            "drop off address",
            "to",
            "to address",
            "destination",
            "destination address",
            "shipping address",
            "customer address",
            "recipient address",
        ],
    ),
    Column::new(
        "dropoff_lat",
        "Delivery latitude",
        &["delivery lat", "drop off latitude", "dropoff latitude", "destination latitude", "latitude", "lat"],
    ),
    Column::new(
        "dropoff_lon",
        "Delivery longitude",
        &[
            "delivery lon",
            "delivery lng",
            "dropoff lng",
            "drop off longitude",
            "dropoff longitude",
            "destination longitude",
            "longitude",
            "lon",
            "lng",
        ],
    ),
    Column::new(
        "dropoff_instructions",
        "Delivery instructions",
        &["delivery note", "delivery notes", "drop off instructions", "instructions", "door instructions"],
    ),
    Column::new(
        "customer_name",
        "Customer name",
        &["customer", "name", "full name", "recipient", "recipient name", "client", "client name", "contact name"],
    ),
    Column::new(
        "customer_phone",
        "Customer phone",
        &[
            "phone",
            "phone number",
            "telephone",
            "telephone number",
            "tel",
            "mobile",
            "mobile number",
            "customer phone number",
            "customer telephone",
            "customer mobile",
            "recipient phone",
            "contact phone",
        ],
    ),
    Column::new(
        "customer_email",
        "Customer e-mail",
        &["email", "e mail", "mail", "email address", "e mail address", "customer mail", "recipient email"],
    ),
    Column::new(
        "promised_from",
        "Promised from",
        &["deliver after", "delivery from", "window start", "window from", "not before", "earliest"],
    ),
    Column::new(
        "promised_until",
        "Promised until",
        &[
            "promised",
            "promised by",
            "deliver by",
            "delivery by",
            "delivery until",
            "window end",
            "window until",
            "due",
            "due by",
            "deadline",
            "latest",
        ],
    ),
    Column::new("proof", "Proof", &["proof of delivery", "pod"]),
    Column::new("size", "Size", &["units", "quantity", "qty", "parcels", "packages", "boxes"]),
    Column::new("service_s", "Seconds at the door", &["service seconds", "service time s", "handover seconds"]),
    Column::new("requires", "Requires", &["requirements", "required skills", "skills", "needs"]),
    Column::new("note", "Note", &["notes", "remark", "remarks", "comment", "comments", "merchant note"]),
];

/// The columns without which no row can become an order.
pub(super) const REQUIRED: [&str; 4] = ["reference", "pickup_address", "dropoff_address", "customer_name"];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_heading_means_two_columns() {
        let mut known = HashSet::new();
        for column in COLUMNS {
            let of_column: HashSet<_> =
                [column.name.replace('_', " "), doorstep_shared::text::words(column.heading).join(" ")]
                    .into_iter()
                    .chain(column.synonyms.iter().map(|synonym| (*synonym).to_owned()))
                    .collect();
            for words in of_column {
                assert_eq!(doorstep_shared::text::words(&words).join(" "), words, "written as it is compared");
                assert!(known.insert(words.clone()), "{words} means two columns");
            }
        }
    }
}
