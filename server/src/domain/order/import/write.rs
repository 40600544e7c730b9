//! Writes orders as a file that people open in a spreadsheet and that [`super::read`] takes back.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula and may run it, and customers choose
//! their own names. Such a cell begins with an apostrophe here, which the import takes off again.

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use csv::{Terminator, WriterBuilder};
use doorstep_area::places::Found;
use doorstep_shared::api::proof::ProofKind;

use super::columns::{COLUMNS, Column, PICKUP};
use crate::domain::order::Order;

/// Makes spreadsheets read the file as UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// What an export says of an order beside what the import reads.
const EXPORT_ONLY: [&str; 6] = ["Status", "Since", "Courier", "Attempt", "Created", "Id"];

/// The columns of the template, by our names.
const TEMPLATE: [&str; 15] = [
    "reference",
    "pickup_address",
    "pickup_phone",
    "dropoff_address",
    "dropoff_instructions",
    "customer_name",
    "customer_phone",
    "customer_email",
    "promised_from",
    "promised_until",
    "proof",
    "size",
    "service_s",
    "requires",
    "note",
];

/// An order to export, with what stands beside it.
#[derive(Clone, Copy, Debug)]
pub struct Exported<'a> {
    /// The order.
    pub order: &'a Order,
    /// Who has it.
    pub courier_name: Option<&'a str>,
    /// What it asks for at the door.
    pub proof: &'a [ProofKind],
}

/// The first line of an export.
pub fn export_heading() -> String {
    let headings = exported_columns().map(|column| column.heading).chain(EXPORT_ONLY);
    format!("{BYTE_ORDER_MARK}{}", line(headings.map(str::to_owned)))
}

/// Orders have addresses, and no names of saved pickups.
fn exported_columns() -> impl Iterator<Item = &'static Column> {
    COLUMNS.iter().filter(|column| column.name != PICKUP)
}

/// Orders as lines of an export. Times are written in `zone`, with its distance from UTC.
pub fn export_lines(orders: &[Exported], zone: Tz) -> String {
    orders.iter().map(|exported| line(cells(exported, zone))).collect()
}

fn cells(exported: &Exported, zone: Tz) -> Vec<String> {
    let Exported { order, courier_name, proof } = exported;
    let mut cells: Vec<String> = exported_columns().map(|column| cell(column.name, order, proof, zone)).collect();
    cells.extend([
        order.status.as_str().to_owned(),
        time(order.status_at, zone),
        guarded(courier_name.unwrap_or_default()),
        order.attempt.to_string(),
        time(order.created_at, zone),
        order.id.to_string(),
    ]);
    cells
}

fn cell(column: &str, order: &Order, proof: &[ProofKind], zone: Tz) -> String {
    let text = |text: Option<&str>| guarded(text.unwrap_or_default());
    let time = |at: Option<DateTime<Utc>>| at.map(|at| time(at, zone)).unwrap_or_default();
    let (pickup, dropoff, customer, demands) = (&order.pickup, &order.dropoff, &order.customer, &order.demands);
    match column {
        "reference" => guarded(&order.reference),
        "pickup_address" => guarded(&pickup.address),
        "pickup_lat" => pickup.point.lat().to_string(),
        "pickup_lon" => pickup.point.lon().to_string(),
        "pickup_instructions" => text(pickup.instructions.as_deref()),
        "pickup_phone" => text(pickup.phone.as_deref()),
        "dropoff_address" => guarded(&dropoff.address),
        "dropoff_lat" => dropoff.point.lat().to_string(),
        "dropoff_lon" => dropoff.point.lon().to_string(),
        "dropoff_instructions" => text(dropoff.instructions.as_deref()),
        "customer_name" => guarded(&customer.name),
        "customer_phone" => text(customer.phone.as_deref()),
        "customer_email" => text(customer.email.as_deref()),
        "promised_from" => time(order.promised_from),
        "promised_until" => time(order.promised_until),
        "proof" => proof.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join("+"),
        "size" => demands.size.to_string(),
        "service_s" => demands.service_s.map(|seconds| seconds.to_string()).unwrap_or_default(),
        "requires" => guarded(&demands.requires.join(" ")),
        "note" => text(demands.note.as_deref()),
        other => unreachable!("every column is written: {other}"),
    }
}

fn time(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A file to fill in: readable headings and two orders between these places.
pub fn template(places: &[Found]) -> String {
    let address = |number: usize| {
        let Some(found) = places.get(number) else { return format!("{} Main Street", number + 1) };
        let town = found.town.as_deref().map(|town| format!(", {town}")).unwrap_or_default();
        format!("{}{town}", found.name)
    };
    let (kitchen, eve, adam) = (address(0), address(1), address(2));
    let headings = COLUMNS.iter().filter(|column| TEMPLATE.contains(&column.name));
    let values: [[&str; 15]; 2] = [
        [
            "A-1001",
            &kitchen,
            "2100 0002",
            &eve,
            "ring twice",
            "Eve Camilleri",
            "2100 0001",
            "eve@example.com",
            "18:00",
            "18:30",
            "photo",
            "1",
            "",
            "",
            "two bags",
        ],
        [
            "A-1002",
            &kitchen,
            "2100 0002",
            &adam,
            "",
            "Adam Borg",
            "2100 0003",
            "",
            "",
            "19:15",
            "",
            "3",
            "120",
            "cold",
            "",
        ],
    ];
    let mut file = format!("{BYTE_ORDER_MARK}{}", line(headings.clone().map(|column| column.heading.to_owned())));
    for values in values {
        let of = |name: &str| TEMPLATE.iter().position(|known| *known == name).map_or("", |at| values[at]);
        file.push_str(&line(headings.clone().map(|column| guarded(of(column.name)))));
    }
    file
}

fn line(cells: impl IntoIterator<Item = String>) -> String {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(cells.into_iter().collect::<Vec<_>>()).expect("memory takes every cell");
    let bytes = writer.into_inner().expect("memory needs no flush that could fail");
    String::from_utf8(bytes).expect("it was made of text")
}

/// The cell as no spreadsheet takes it for a formula.
fn guarded(cell: &str) -> String {
    if begins_formula(cell.trim_start_matches('\'')) { format!("'{cell}") } else { cell.to_owned() }
}

/// The cell without the apostrophe that [`guarded`] put before it.
pub(super) fn without_guard(cell: &str) -> &str {
    let bare = cell.strip_prefix('\'').filter(|bare| begins_formula(bare.trim_start_matches('\'')));
    bare.unwrap_or(cell)
}

fn begins_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use doorstep_shared::OrderStatus;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::order::visibility::tests::order;

    #[test]
    fn the_template_has_every_column_that_it_names() {
        assert!(TEMPLATE.iter().all(|name| COLUMNS.iter().any(|column| column.name == *name)));
        let file = template(&[]);
        let mut lines = file.lines();
        assert!(lines.next().is_some_and(|line| line.starts_with("\u{feff}Reference,Pickup address,Pickup phone,")));
        assert_eq!(lines.count(), 2);
    }

    #[test]
    fn no_cell_of_an_export_begins_a_formula() {
        let mut dangerous = order(OrderStatus::Created, 0);
        dangerous.reference = "=1+1".into();
        dangerous.customer.name = "@SUM(A1)".into();
        dangerous.customer.phone = Some("+356 2100 0001".into());
        dangerous.demands.note = Some("-2".into());
        let exported = Exported { order: &dangerous, courier_name: Some("=Ana"), proof: &[ProofKind::Pin] };
        let file = format!("{}{}", export_heading(), export_lines(&[exported], chrono_tz::Europe::Malta));
        let mut reader = csv::Reader::from_reader(file.as_bytes());
        let record = reader.records().next().expect("a line").expect("CSV");
        let numbers = ["Pickup latitude", "Pickup longitude", "Delivery latitude", "Delivery longitude"];
        let headings = csv::Reader::from_reader(file.as_bytes()).headers().expect("headings").clone();
        let text = record.iter().zip(&headings).filter(|(_, heading)| !numbers.contains(heading));
        assert!(text.clone().all(|(cell, _)| !begins_formula(cell)), "{file}");
        assert_eq!(text.filter(|(cell, _)| cell.starts_with('\'')).count(), 5, "{file}");
    }

    proptest! {
        #[test]
        fn what_is_guarded_is_read_back(cell in "['=+@a-]{0,4}[^\\p{C}]{0,10}") {
            let guarded = guarded(&cell);
            prop_assert!(!begins_formula(&guarded));
            prop_assert_eq!(without_guard(&guarded), cell);
        }
    }
}
