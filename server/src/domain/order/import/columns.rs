//! How a file's header names the columns of [`doorstep_shared::order_file`]: by our names, by their headings, or as other
//! systems call them.
//!
//! [`super::FileError`] names the missing ones.

pub(super) use doorstep_shared::order_file::REQUIRED;
pub use doorstep_shared::order_file::{COLUMNS, Column, column_named};

/// Whether these folded words are the column's name or its heading.
pub(super) fn is_named(column: &Column, words: &[String]) -> bool {
    words.join("_") == column.name || doorstep_shared::text::words(column.heading) == words
}

/// Whether others call the column by these folded words.
pub(super) fn is_known_as(column: &Column, words: &[String]) -> bool {
    synonyms(column).contains(&words.join(" ").as_str())
}

/// What others call it: folded words with spaces between them.
fn synonyms(column: &Column) -> &'static [&'static str] {
    match column.name {
        "reference" => {
            &["order", "order id", "order number", "order no", "order reference", "ref", "order ref", "external id"]
        }
        "pickup_address" => &[
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
        "pickup_lat" => &["pick up latitude", "from latitude", "origin latitude"],
        "pickup_lon" => &["pickup lng", "pickup long", "pick up longitude", "from longitude", "origin longitude"],
        "pickup_instructions" => &["pickup note", "pickup notes", "collection instructions", "collection notes"],
        "pickup_phone" => &[
            "shop phone",
            "kitchen phone",
            "sender phone",
            "pickup phone number",
            "pickup telephone",
            "pickup contact",
        ],
        "dropoff_address" => &[
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
        "dropoff_lat" => {
            &["delivery lat", "drop off latitude", "dropoff latitude", "destination latitude", "latitude", "lat"]
        }
        "dropoff_lon" => &[
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
        "dropoff_instructions" => {
            &["delivery note", "delivery notes", "drop off instructions", "instructions", "door instructions"]
        }
        "customer_name" => {
            &["customer", "name", "full name", "recipient", "recipient name", "client", "client name", "contact name"]
        }
        "customer_phone" => &[
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
        "customer_email" => {
            &["email", "e mail", "mail", "email address", "e mail address", "customer mail", "recipient email"]
        }
        "promised_from" => &["deliver after", "delivery from", "window start", "window from", "not before", "earliest"],
        "promised_until" => &[
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
        "proof" => &["proof of delivery", "pod"],
        "size" => &["units", "quantity", "qty", "parcels", "packages", "boxes"],
        "service_s" => &["service seconds", "service time s", "handover seconds"],
        "requires" => &["requirements", "required skills", "skills", "needs"],
        "note" => &["notes", "remark", "remarks", "comment", "comments", "merchant note"],
        _ => &[],
    }
}

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
                    .chain(synonyms(&column).iter().map(|synonym| (*synonym).to_owned()))
                    .collect();
            for words in of_column {
                assert_eq!(doorstep_shared::text::words(&words).join(" "), words, "written as it is compared");
                assert!(known.insert(words.clone()), "{words} means two columns");
            }
        }
    }
}
