//! Reads a file of orders as spreadsheets write them: the order of each row, and each row's errors.
//!
//! Pure: the caller brings the search for addresses and the check of an order along. The file is CSV in whatever encoding
//! and with whatever separator spreadsheets choose, see `sheet`. The first row names the columns, in any order, by our
//! names, by readable headings or by what other systems call them, see [`COLUMNS`]; the caller may say instead what each
//! column holds. Columns that mean nothing are ignored and listed.
//! [`mod@write`] is the other direction: the template and the export of orders. The import of orders over REST calls
//! [`read`] and [`columns`].

mod addresses;
mod columns;
mod degrees;
mod error;
mod header;
mod lines;
mod places;
mod row;
mod sheet;
mod synonyms;
mod times;
pub mod write;

use std::collections::HashMap;

use doorstep_shared::api::console::{ImportColumn, ImportRow, MAX_IMPORT_ROWS};

pub use self::{
    addresses::FindAddress,
    columns::{COLUMNS, Column, column_named},
    error::FileError,
    row::Surroundings,
};
use self::{
    header::Header,
    lines::Lines,
    row::Row,
    sheet::Sheet,
    times::{Calendar, DayOrder},
};

/// Rows that are looked at for samples of a file that lacks columns.
const MAX_SAMPLED_ROWS: usize = 100;

/// A file, and what its sender says of it.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// All of it.
    pub bytes: &'a [u8],
    /// The name of its encoding; without it the bytes say it.
    pub charset: Option<&'a str>,
    /// What each of its columns holds, in the file's order, and nothing for columns to leave out; without it the headings
    /// say so.
    pub mapping: Option<&'a [String]>,
}

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Every row that is not empty, in order.
    pub rows: Vec<ImportRow>,
    /// Columns that mean nothing to us.
    pub ignored_columns: Vec<String>,
    /// What each column of the file is taken for.
    pub columns: Vec<ImportColumn>,
    /// The name of its encoding.
    pub encoding: &'static str,
}

/// Reads a file.
///
/// # Errors
/// [`FileError`] when no row can be read; the errors of one row stand in that row.
pub fn read(file: File, surroundings: &Surroundings) -> Result<Table, FileError> {
    let sheet = Sheet::read(file.bytes, file.charset)?;
    let mut reader = sheet.reader();
    let header = Header::read(reader.headers().map_err(malformed)?, file.mapping)?;
    header.check_complete()?;
    let mut table = Table {
        rows: Vec::new(),
        ignored_columns: header.ignored(),
        columns: header.columns(),
        encoding: sheet.encoding,
    };
    let order = day_order(&sheet, &header, surroundings.is_month_first);
    let calendar = Calendar { zone: surroundings.zone, now: surroundings.now, order };
    let mut references = HashMap::<String, u32>::new();
    let mut lines = Lines::of(&sheet.text, sheet.first_line);
    for record in reader.records() {
        let record = record.map_err(malformed)?;
        let line = lines.at(record.position().map_or(0, |position| position.byte() as usize));
        if record.iter().all(str::is_empty) {
            continue;
        }
        if table.rows.len() == MAX_IMPORT_ROWS {
            return Err(FileError::TooManyRows);
        }
        header::sample(&mut table.columns, &record);
        let mut row = Row::new(&header, &record).into_row(line, surroundings, &calendar);
        let known = references.entry(row.reference.clone()).or_insert(row.line);
        if *known != row.line && !row.reference.is_empty() {
            let message = format!("line {known} has the same reference");
            row.warnings.push(header.note("reference", message));
        }
        table.rows.push(row);
    }
    Ok(table)
}

/// What each column of a file is taken for, with samples, for a file that may lack columns. No row is read.
///
/// # Errors
/// [`FileError`] when the file cannot be read at all.
pub fn columns(file: File) -> Result<Table, FileError> {
    let sheet = Sheet::read(file.bytes, file.charset)?;
    let mut reader = sheet.reader();
    let header = Header::read(reader.headers().map_err(malformed)?, file.mapping)?;
    let mut columns = header.columns();
    for record in reader.records().take(MAX_SAMPLED_ROWS) {
        header::sample(&mut columns, &record.map_err(malformed)?);
    }
    Ok(Table { columns, encoding: sheet.encoding, ..Table::default() })
}

/// The order of day and month, which only all of a file's dates together may say.
fn day_order(sheet: &Sheet, header: &Header, is_month_first: bool) -> DayOrder {
    let positions: Vec<_> =
        ["promised_from", "promised_until"].iter().filter_map(|column| header.position(column)).collect();
    let records: Vec<_> = sheet.reader().into_records().filter_map(Result::ok).collect();
    let cells = records.iter().flat_map(|record| positions.iter().filter_map(|position| record.get(*position)));
    DayOrder::of(cells, is_month_first)
}

fn malformed(error: csv::Error) -> FileError {
    FileError::Malformed(error.to_string())
}

#[cfg(test)]
mod tests {
    use doorstep_area::places::{Found, Kind};
    use doorstep_shared::{
        LatLon,
        api::{CreateOrder, PlaceBody},
        problem::FieldError,
        text,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::platform::clock::from_ms;

    const NOW_MS: i64 = 1_795_219_200_000;

    fn read_with(bytes: &[u8]) -> Result<Table, FileError> {
        let known = |text: &str, _near: Option<LatLon>| {
            text::fold(text).contains("merkanti").then(|| Found {
                name: "Triq il-Merkanti".to_owned(),
                town: Some("Valletta".to_owned()),
                kind: Kind::Street,
                point: LatLon::try_new(35.8971, 14.5131).expect("on earth"),
                distance_m: None,
                doubt: None,
            })
        };
        let check = |order: &CreateOrder| {
            let field = |field: &str| FieldError { field: field.to_owned(), message: "must be there".to_owned() };
            let mut errors = Vec::new();
            errors.extend(order.reference.is_empty().then(|| field("reference")));
            errors.extend(order.dropoff.address.is_empty().then(|| field("dropoff.address")));
            errors.extend(order.customer.name.is_empty().then(|| field("customer.name")));
            errors
        };
        let outside = |point: LatLon| (point.lat() < 0.0).then(|| "Northland".to_owned());
        let saved_pickup = |name: &str| (name == "Harbour Kitchen").then(kitchen);
        let surroundings = Surroundings {
            find: &known,
            saved_pickup: &saved_pickup,
            check: &check,
            outside: &outside,
            is_month_first: false,
            zone: chrono_tz::Europe::Malta,
            now: from_ms(NOW_MS),
        };
        read(File { bytes, charset: None, mapping: None }, &surroundings)
    }

    fn kitchen() -> PlaceBody {
        PlaceBody {
            lat: 35.8935,
            lon: 14.5005,
            address: "1 Xatt il-Barriera, Valletta".to_owned(),
            instructions: Some("at the back".to_owned()),
            phone: Some("+356 2100 0002".to_owned()),
        }
    }

    const HEADER: &str =
        "reference,pickup_address,pickup_lat,pickup_lon,dropoff_address,customer_name,promised_until,proof";

    fn row(text: &str) -> ImportRow {
        let table = read_with(format!("{HEADER}\n{text}\n").as_bytes()).expect("a file");
        table.rows.into_iter().next().expect("a row")
    }

    fn orders_of(table: &Table) -> Vec<(u32, Option<CreateOrder>)> {
        table.rows.iter().map(|row| (row.line, row.order.as_deref().cloned())).collect()
    }

    fn complaints(row: &ImportRow) -> Vec<(&str, Option<u32>)> {
        row.errors.iter().map(|error| (error.column.as_str(), error.position)).collect()
    }

    #[test]
    fn a_spreadsheets_file_is_read_whatever_parts_its_cells() {
        let comma = "reference,Pickup Address,pickup-lat,PICKUP_LON,dropoff_address,customer_name\n\
            A-1,\"Kitchen, back door\",35.9,14.5,12 Triq il-Merkanti,Eve\n";
        let semicolon = "\u{feff}reference;pickup_address;pickup_lat;pickup_lon;dropoff_address;customer_name\r\n\
            A-1;Kitchen, back door;35,9;14,5;12 Triq il-Merkanti;Eve\r\n\r\n;;;;;\r\n";
        let (comma, semicolon) = (read_with(comma.as_bytes()), read_with(semicolon.as_bytes()));
        let rows = |table: &Result<Table, FileError>| table.as_ref().map(orders_of).ok();
        assert_eq!(rows(&comma), rows(&semicolon));
        let table = comma.expect("a file");
        let order = table.rows[0].order.as_deref().expect("an order");
        assert_eq!((order.pickup.address.as_str(), order.pickup.lat), ("Kitchen, back door", 35.9));
        assert_eq!((order.dropoff.lat, order.dropoff.lon), (35.8971, 14.5131));
        assert_eq!(table.rows[0].line, 2);
        assert_eq!(table.rows[0].warnings[0].column, "dropoff_address");
        assert!(table.rows[0].warnings[0].message.contains("Triq il-Merkanti, Valletta"), "{table:?}");
    }

    #[test]
    fn errors_name_their_column() {
        assert_eq!(complaints(&row("A-1,K,35.9,14.5,Merkanti,Eve,18:30,pin+photo")), []);
        assert_eq!(complaints(&row("A-1,K,95,14.5,Merkanti,Eve")), [("pickup_lat", Some(3))]);
        assert_eq!(complaints(&row("A-1,K,35.9,,Merkanti,Eve")), [("pickup_lon", Some(4))]);
        assert_eq!(complaints(&row("A-1,Nowhere,,,Merkanti,Eve")), [("pickup_address", Some(2))]);
        assert_eq!(
            complaints(&row("A-1,K,35.9,14.5,Merkanti,Eve,soon,selfie")),
            [("promised_until", Some(7)), ("proof", Some(8))]
        );
        let empty = row(",K,35.9,14.5,,,,");
        assert_eq!(
            complaints(&empty),
            [("reference", Some(1)), ("dropoff_address", Some(5)), ("customer_name", Some(6))]
        );
        assert!(empty.order.is_none());
        assert_eq!(complaints(&row("A-1,K,35.9,14.5,Merkanti,Eve,18:30,pin,more,cells")), [("", Some(9))]);
        assert!(!complaints(&row("A-1")).is_empty(), "cells that are not there are empty");
    }

    #[test]
    fn times_are_those_of_the_servers_town() {
        let until = |text: &str| {
            row(&format!("A-1,K,35.9,14.5,Merkanti,Eve,{text}")).order.and_then(|order| order.promised_until)
        };
        let expected = "2026-11-21T17:30:00Z".parse().ok();
        for text in ["2026-11-21 18:30", "2026-11-21T18:30", "2026-11-21T17:30:00Z", "18:30", "2026-11-21 18:30:00"] {
            assert_eq!(until(text), expected, "{text}");
        }
        assert_eq!(until(""), None);
        assert_eq!(until("2027-03-29 14:00"), "2027-03-29T12:00:00Z".parse().ok(), "by then it is summer there");
        let forward = "2026-03-29T01:30:00Z".parse().ok();
        assert_eq!(until("2026-03-29 02:30"), forward, "the clocks skip that hour");
    }

    #[test]
    fn lines_are_counted_through_quotes_and_repeated_references_reported() {
        let file =
            format!("{HEADER},shelf\nA-1,\"K\nback\",35.9,14.5,Merkanti,Eve,,,x\nA-1,K,35.9,14.5,Merkanti,Eve,,,\n");
        let table = read_with(file.as_bytes()).expect("a file");
        assert_eq!(table.ignored_columns, ["shelf"]);
        assert_eq!(table.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 4]);
        assert!(table.rows[1].warnings.iter().any(|note| note.message == "line 2 has the same reference"));
    }

    #[test]
    fn headings_as_people_write_them_are_recognised_and_our_own_names_win() {
        let file = "Order number,From,Delivery address,Recipient,Mobile,E-mail,Address,Deliver by,Qty,Notes,Skills\n\
            A-1,Merkanti 1,Merkanti 2,Eve,21000001,eve@example.com,elsewhere,18:30,3,two bags,Van + cold\n";
        let table = read_with(file.as_bytes()).expect("a file");
        let order = table.rows[0].order.as_deref().expect("an order");
        assert_eq!(order.dropoff.address, "Merkanti 2", "the heading of our own, not the synonym");
        assert_eq!(table.ignored_columns, ["Address"]);
        assert_eq!((order.customer.phone.as_deref(), order.size), (Some("21000001"), Some(3)));
        assert_eq!(order.requires.as_deref(), Some(&["van".to_owned(), "cold".to_owned()][..]));
        assert_eq!(order.note.as_deref(), Some("two bags"));
        assert_eq!(table.columns[3].column.as_deref(), Some("customer_name"));
        assert_eq!(
            (table.columns[3].heading.as_str(), &table.columns[3].samples[..]),
            ("Recipient", &["Eve".to_owned()][..])
        );
    }

    #[test]
    fn a_mapping_says_what_each_column_holds_whatever_its_heading() {
        let file = b"A,A,,Reference,E\nA-1,Merkanti 1,Merkanti 2,Eve,x\n";
        let mapping = |names: &str| names.split(',').map(str::to_owned).collect::<Vec<_>>();
        let read = |names: &str| {
            let surroundings = Surroundings {
                find: &|_, _| None,
                saved_pickup: &|_| None,
                check: &|_| Vec::new(),
                outside: &|_| None,
                is_month_first: false,
                zone: chrono_tz::Europe::Malta,
                now: from_ms(NOW_MS),
            };
            super::read(File { bytes: file, charset: None, mapping: Some(&mapping(names)) }, &surroundings)
        };
        let table = read("reference,pickup_address,dropoff_address,customer_name").expect("a file");
        assert_eq!((table.rows[0].reference.as_str(), &table.ignored_columns[..]), ("A-1", &["E".to_owned()][..]));
        let complaint = &table.rows[0].errors[0];
        assert_eq!((complaint.column.as_str(), complaint.heading.as_deref()), ("pickup_address", Some("A")));
        let refused = |names: &str| read(names).expect_err("a wrong mapping");
        assert_eq!(refused("reference,shelf"), FileError::UnknownColumn("shelf".into()));
        assert_eq!(refused("reference,reference"), FileError::RepeatedColumn("reference".into()));
        assert_eq!(refused(",,,,,note"), FileError::MappingTooLong { mapped: 6, width: 5 });
        assert!(matches!(refused("reference,,,"), FileError::MissingColumns(missing) if missing.len() == 3));
    }

    #[test]
    fn a_file_that_lacks_columns_still_shows_those_that_it_has() {
        let file = b"Who,Where\nEve,Valletta\nEve,Sliema\nAdam,\n";
        let columns = columns(File { bytes: file, charset: None, mapping: None }).expect("a file").columns;
        let shown: Vec<_> = columns.iter().map(|column| (column.column.as_deref(), column.samples.join("|"))).collect();
        assert_eq!(shown, [(None, "Eve|Adam".to_owned()), (None, "Valletta|Sliema".to_owned())]);
    }

    #[test]
    fn a_point_outside_the_area_is_taken_with_a_warning() {
        let file = "reference,pickup_address,pickup_lat,pickup_lon,dropoff_address,dropoff_lat,dropoff_lon,customer_name\n\
            A-1,K,0.1,14.5,D,-0.1,14.5,Eve\n";
        let row = read_with(file.as_bytes()).expect("a file").rows.remove(0);
        assert!(row.order.is_some());
        let warnings: Vec<_> = row.warnings.iter().map(|note| (&*note.column, &*note.message)).collect();
        assert_eq!(warnings, [("dropoff_lat", "outside the area Northland: no streets are known there")]);
    }

    #[test]
    fn sizes_and_seconds_are_whole_numbers() {
        let header = format!("{HEADER},size,service_s");
        let cells = |size: &str, seconds: &str| {
            let table = read_with(format!("{header}\nA-1,K,35.9,14.5,Merkanti,Eve,,,{size},{seconds}\n").as_bytes());
            let row = table.expect("a file").rows.remove(0);
            (
                row.order.map(|order| (order.size, order.service_s)),
                row.errors.iter().map(|error| error.position).collect(),
            )
        };
        assert_eq!(cells("12", "0"), (Some((Some(12), Some(0))), vec![]));
        assert_eq!(cells("", ""), (Some((None, None)), vec![]));
        assert_eq!(cells("many", "1.5"), (None, vec![Some(9), Some(10)]));
        assert_eq!(cells("0", "14401"), (None, vec![Some(9), Some(10)]));
    }

    #[test]
    fn a_file_that_cannot_be_read_says_why() {
        assert_eq!(read_with(b""), Err(FileError::Empty));
        assert_eq!(read_with(b"\n\n"), Err(FileError::Empty));
        let missing = read_with(b"reference,customer_name\n").expect_err("columns are missing");
        assert_eq!(missing, FileError::MissingColumns(vec!["pickup_address", "dropoff_address"]));
        assert!(missing.to_string().contains("pickup_address, dropoff_address is missing"), "{missing}");
        let twice = format!("{HEADER},Reference\n");
        assert_eq!(read_with(twice.as_bytes()), Err(FileError::RepeatedColumn("reference".to_owned())));
        let binary = [format!("{HEADER}\nA-1,").as_bytes(), b"Caf\xe9\x02,35.9"].concat();
        assert_eq!(read_with(&binary), Err(FileError::NotText { line: 2 }));
        assert_eq!(read_with(b"PK\x03\x04..."), Err(FileError::Workbook));
        let many = format!("{HEADER}\n{}", "A,K,35.9,14.5,Merkanti,Eve\n".repeat(MAX_IMPORT_ROWS + 1));
        assert_eq!(read_with(many.as_bytes()), Err(FileError::TooManyRows));
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read_with(&bytes);
            let _ = read_with(&[HEADER.as_bytes(), b"\n", &bytes].concat());
        }

        #[test]
        fn orders_written_as_csv_are_read_back(
            cells in prop::collection::vec(("[^\\p{C}\\s]([^\\p{C}]{0,20}[^\\p{C}\\s])?", "[^\\p{C}\\s]([^\\p{C}]{0,20}[^\\p{C}\\s])?"), 1..10),
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(HEADER.split(',')).expect("memory takes it");
            for (reference, name) in &cells {
                writer.write_record([reference, "K", "35.9", "14.5", "Merkanti", name, "", ""]).expect("memory takes it");
            }
            let table = read_with(&writer.into_inner().expect("memory takes it")).expect("a file");
            let read: Vec<_> = table.rows.iter().map(|row| {
                let order = row.order.as_deref().expect("an order");
                (order.reference.clone(), order.customer.name.clone())
            }).collect();
            // An apostrophe before what begins a formula guards the cell and is not part of it.
            let bare = |cell: &String| write::without_guard(cell).to_owned();
            let expected: Vec<_> = cells.iter().map(|(reference, name)| (bare(reference), bare(name))).collect();
            prop_assert_eq!(read, expected);
        }
    }
}
