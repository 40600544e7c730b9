//! A file of orders, as spreadsheets write them: what each row means, and what is wrong with it.
//!
//! Pure: streets are looked up and orders checked by what the caller brings along. The file is CSV in UTF-8, with or
//! without a byte order mark, its cells parted by commas or semicolons, whichever the header has more of. The first
//! row names the columns, in any order; see [`COLUMNS`]. Unknown columns are left out and said to be.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use csv::{ReaderBuilder, StringRecord, Trim};
use doorstep_shared::{
    LatLon,
    api::{
        CreateOrder, CustomerBody, PlaceBody,
        console::{ImportNote, ImportRow, MAX_IMPORT_ROWS},
        proof::ProofKind,
    },
    places::{Found, Kind},
    problem::FieldError,
    text,
};

/// Every column there is.
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

/// Those without which no row can become an order.
const REQUIRED: [&str; 4] = ["reference", "pickup_address", "dropoff_address", "customer_name"];

/// Why a file cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Some bytes are no UTF-8.
    #[error("line {line} is not UTF-8 text; save the file as \"CSV UTF-8\"")]
    NotText {
        /// Where.
        line: usize,
    },
    /// Nothing in it.
    #[error("the file is empty; its first line names the columns")]
    Empty,
    /// Columns that must be there are not.
    #[error("the first line must name the columns {}; {} is missing", REQUIRED.join(", "), .0.join(", "))]
    MissingColumns(Vec<&'static str>),
    /// A column is there twice.
    #[error("the column {0} is there twice")]
    RepeatedColumn(String),
    /// Too many rows.
    #[error("the file has more than {MAX_IMPORT_ROWS} orders; send it in parts")]
    TooManyRows,
    /// Quotes that are never closed, and the like.
    #[error("the file cannot be read as CSV: {0}")]
    Malformed(String),
}

/// What the reader needs of its surroundings.
pub struct Surroundings<'a> {
    /// The place that an address means, if any; the nearer to the point the better.
    pub find: &'a dyn Fn(&str, Option<LatLon>) -> Option<Found>,
    /// What is wrong with an order that was read; fields are called as in JSON.
    pub check: &'a dyn Fn(&CreateOrder) -> Vec<FieldError>,
    /// Zone of times without one.
    pub zone: Tz,
    /// Now.
    pub now: DateTime<Utc>,
}

/// A file as it was understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Every row that is not empty, in order.
    pub rows: Vec<ImportRow>,
    /// Columns that mean nothing.
    pub ignored_columns: Vec<String>,
}

/// Reads a file.
///
/// # Errors
/// [`FileError`] when no row can be read; whatever is wrong with one row stands in that row.
pub fn read(bytes: &[u8], surroundings: &Surroundings) -> Result<Table, FileError> {
    let text = as_text(bytes)?;
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter(text)).flexible(true).trim(Trim::All).from_reader(text.as_bytes());
    let malformed = |error: csv::Error| FileError::Malformed(error.to_string());
    let header = Header::read(reader.headers().map_err(malformed)?)?;
    let mut table = Table { rows: Vec::new(), ignored_columns: header.ignored.clone() };
    let mut references = HashMap::<String, u32>::new();
    let mut lines = Lines::of(text);
    for record in reader.records() {
        let record = record.map_err(malformed)?;
        let line = lines.at(record.position().map_or(0, |position| position.byte() as usize));
        if record.iter().all(str::is_empty) {
            continue;
        }
        if table.rows.len() == MAX_IMPORT_ROWS {
            return Err(FileError::TooManyRows);
        }
        let mut row = Row::new(&header, &record).into_row(line, surroundings);
        let known = references.entry(row.reference.clone()).or_insert(row.line);
        if *known != row.line && !row.reference.is_empty() {
            let message = format!("line {known} has the same reference");
            row.warnings.push(header.note("reference", message));
        }
        table.rows.push(row);
    }
    Ok(table)
}

/// Tells on which line a row begins. The reader's own count is one behind after `\r\n`, and after empty lines.
struct Lines<'a> {
    text: &'a str,
    counted: usize,
    line: u32,
}

impl<'a> Lines<'a> {
    const fn of(text: &'a str) -> Self {
        Self { text, counted: 0, line: 1 }
    }

    /// The line of the first character at or after `byte` that ends no line. Bytes must not go back.
    fn at(&mut self, byte: usize) -> u32 {
        let rest = self.text.as_bytes().get(byte..).unwrap_or_default();
        let skipped = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let between = self.text.as_bytes().get(self.counted..byte + skipped).unwrap_or_default();
        self.line += between.iter().filter(|byte| **byte == b'\n').count() as u32;
        self.counted = byte + skipped;
        self.line
    }
}

fn as_text(bytes: &[u8]) -> Result<&str, FileError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        FileError::NotText { line: 1 + before.iter().filter(|byte| **byte == b'\n').count() }
    })
}

/// Spreadsheets of half of Europe part cells by semicolons, because the comma is in their numbers.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |sign| header.matches(sign).count();
    if count(';') > count(',') { b';' } else { b',' }
}

/// Where each column stands.
struct Header {
    places: HashMap<&'static str, usize>,
    ignored: Vec<String>,
    width: usize,
}

impl Header {
    fn read(names: &StringRecord) -> Result<Self, FileError> {
        if names.iter().all(str::is_empty) {
            return Err(FileError::Empty);
        }
        let mut header = Self { places: HashMap::new(), ignored: Vec::new(), width: names.len() };
        let mut seen = HashSet::new();
        for (place, name) in names.iter().enumerate() {
            let plain = text::words(name).join("_");
            match COLUMNS.iter().find(|column| **column == plain) {
                Some(column) if seen.insert(*column) => drop(header.places.insert(column, place)),
                Some(column) => return Err(FileError::RepeatedColumn((*column).to_owned())),
                None if name.is_empty() => {}
                None => header.ignored.push(name.to_owned()),
            }
        }
        let missing: Vec<_> = REQUIRED.into_iter().filter(|column| !header.places.contains_key(column)).collect();
        if missing.is_empty() { Ok(header) } else { Err(FileError::MissingColumns(missing)) }
    }

    fn note(&self, column: &str, message: impl Into<String>) -> ImportNote {
        let position = self.places.get(column).map(|place| *place as u32 + 1);
        ImportNote { column: column.to_owned(), position, message: message.into() }
    }
}

/// One row being read.
struct Row<'a> {
    header: &'a Header,
    record: &'a StringRecord,
    errors: Vec<ImportNote>,
    warnings: Vec<ImportNote>,
}

impl<'a> Row<'a> {
    fn new(header: &'a Header, record: &'a StringRecord) -> Self {
        Self { header, record, errors: Vec::new(), warnings: Vec::new() }
    }

    fn into_row(mut self, line: u32, surroundings: &Surroundings) -> ImportRow {
        let reference = self.cell("reference").unwrap_or_default().to_owned();
        let order = self.order(&reference, surroundings);
        if self.record.len() > self.header.width {
            let message = format!("the row has {} cells, the header {}", self.record.len(), self.header.width);
            let position = Some(self.header.width as u32 + 1);
            self.errors.push(ImportNote { column: String::new(), position, message });
        }
        for error in (surroundings.check)(&order) {
            let column = column_of(&error.field);
            // A place that was not found has been told already.
            if !self.errors.iter().any(|known| known.column == column) {
                self.errors.push(self.header.note(&column, error.message));
            }
        }
        let order = self.errors.is_empty().then(|| Box::new(order));
        ImportRow { line, reference, order, errors: self.errors, warnings: self.warnings }
    }

    /// What stands in a column; `None` when it is empty or not there.
    fn cell(&self, column: &str) -> Option<&'a str> {
        let place = self.header.places.get(column)?;
        self.record.get(*place).filter(|cell| !cell.is_empty())
    }

    fn owned(&self, column: &str) -> Option<String> {
        self.cell(column).map(str::to_owned)
    }

    fn refuse(&mut self, column: &str, message: impl Into<String>) {
        self.errors.push(self.header.note(column, message));
    }

    fn order(&mut self, reference: &str, surroundings: &Surroundings) -> CreateOrder {
        let pickup = self.place("pickup", None, surroundings);
        let near = LatLon::try_new(pickup.lat, pickup.lon).ok();
        CreateOrder {
            reference: reference.to_owned(),
            dropoff: self.place("dropoff", near, surroundings),
            pickup,
            customer: CustomerBody {
                name: self.owned("customer_name").unwrap_or_default(),
                phone: self.owned("customer_phone"),
                email: self.owned("customer_email"),
            },
            promised_from: self.time("promised_from", surroundings),
            promised_until: self.time("promised_until", surroundings),
            proof: self.proof(),
        }
    }

    fn place(&mut self, end: &str, near: Option<LatLon>, surroundings: &Surroundings) -> PlaceBody {
        let [lat, lon, address, instructions] =
            ["lat", "lon", "address", "instructions"].map(|part| format!("{end}_{part}"));
        let mut place = PlaceBody {
            lat: 0.0,
            lon: 0.0,
            address: self.owned(&address).unwrap_or_default(),
            instructions: self.owned(&instructions),
        };
        match (self.cell(&lat), self.cell(&lon)) {
            (None, None) if place.address.is_empty() => {}
            (None, None) => self.look_up(&mut place, &address, near, surroundings),
            (Some(_), None) => self.refuse(&lon, "lat is given, and lon is not"),
            (None, Some(_)) => self.refuse(&lat, "lon is given, and lat is not"),
            (Some(north), Some(east)) => {
                place.lat = self.degrees(&lat, north, 90.0);
                place.lon = self.degrees(&lon, east, 180.0);
            }
        }
        place
    }

    fn look_up(&mut self, place: &mut PlaceBody, column: &str, near: Option<LatLon>, surroundings: &Surroundings) {
        let Some(found) = find(&place.address, near, surroundings) else {
            return self.refuse(column, "no such address was found; correct it, or give lat and lon");
        };
        (place.lat, place.lon) = (found.point.lat(), found.point.lon());
        let town = found.town.as_deref().map(|town| format!(", {town}")).unwrap_or_default();
        let found_as = format!("found as {}{town}", found.name);
        let note = match found.kind {
            Kind::House => None,
            Kind::Street => Some(format!("{found_as}; the middle of the street is used")),
            Kind::Town => Some(format!("{found_as}; only the town was found")),
            Kind::PointOfInterest => Some(found_as),
        };
        self.warnings.extend(note.map(|note| self.header.note(column, note)));
    }

    fn degrees(&mut self, column: &str, text: &str, most: f64) -> f64 {
        let number = text.replace(',', ".").parse::<f64>();
        match number {
            Ok(degrees) if (-most..=most).contains(&degrees) => degrees,
            _ => {
                self.refuse(column, format!("must be degrees between -{most} and {most}"));
                0.0
            }
        }
    }

    fn time(&mut self, column: &str, surroundings: &Surroundings) -> Option<DateTime<Utc>> {
        let text = self.cell(column)?;
        let time = time(text, surroundings);
        if time.is_none() {
            self.refuse(column, "must be a time like 2026-11-21 18:30, 18:30 for today, or 2026-11-21T18:30:00+01:00");
        }
        time
    }

    fn proof(&mut self) -> Option<Vec<ProofKind>> {
        let words = text::words(self.cell("proof")?);
        let kinds: Option<Vec<_>> = words.iter().map(|word| ProofKind::from_word(word)).collect();
        if kinds.is_none() {
            self.refuse("proof", "must be photo, signature or pin, or several of them with a + between them");
        }
        kinds
    }
}

/// The place that an address means. What stands between commas may be a flat or a post code that no map knows: the
/// street, with or without its town, is enough.
fn find(address: &str, near: Option<LatLon>, surroundings: &Surroundings) -> Option<Found> {
    let parts: Vec<&str> = address.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let mut tries = vec![parts.join(" ")];
    if let [first, .., last] = parts.as_slice() {
        tries.push(format!("{first} {}", parts[1]));
        tries.push(format!("{first} {last}"));
        tries.push((*first).to_owned());
    }
    tries.dedup();
    tries.iter().find_map(|text| (surroundings.find)(text, near))
}

fn time(text: &str, surroundings: &Surroundings) -> Option<DateTime<Utc>> {
    if let Ok(exact) = DateTime::parse_from_rfc3339(text) {
        return Some(exact.to_utc());
    }
    let today = surroundings.now.with_timezone(&surroundings.zone).date_naive();
    let of_today = NaiveTime::parse_from_str(text, "%H:%M").map(|time| today.and_time(time));
    let formats = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S"];
    let dated = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    // The hour that the clocks skip in spring does not exist; of the one that comes twice the first is meant.
    let local = of_today.ok().or(dated)?;
    Some(surroundings.zone.from_local_datetime(&local).earliest()?.to_utc())
}

/// `pickup.address` is the column `pickup_address`; what concerns both numbers of a point stands at the first.
fn column_of(field: &str) -> String {
    match field.strip_suffix(".lon") {
        Some(place) => format!("{place}_lat"),
        None => field.replace('.', "_"),
    }
}

#[cfg(test)]
mod tests {
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
        let zone = chrono_tz::Europe::Malta;
        read(bytes, &Surroundings { find: &known, check: &check, zone, now: from_ms(NOW_MS) })
    }

    const HEADER: &str =
        "reference,pickup_address,pickup_lat,pickup_lon,dropoff_address,customer_name,promised_until,proof";

    fn row(text: &str) -> ImportRow {
        let table = read_with(format!("{HEADER}\n{text}\n").as_bytes()).expect("a file");
        table.rows.into_iter().next().expect("a row")
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
        assert_eq!(comma, semicolon);
        let table = comma.expect("a file");
        let order = table.rows[0].order.as_deref().expect("an order");
        assert_eq!((order.pickup.address.as_str(), order.pickup.lat), ("Kitchen, back door", 35.9));
        assert_eq!((order.dropoff.lat, order.dropoff.lon), (35.8971, 14.5131));
        assert_eq!(table.rows[0].line, 2);
        assert_eq!(table.rows[0].warnings[0].column, "dropoff_address");
        assert!(table.rows[0].warnings[0].message.contains("Triq il-Merkanti, Valletta"), "{table:?}");
    }

    #[test]
    fn what_is_wrong_is_said_where_it_stands() {
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
        assert_eq!(until("2026-03-29 02:30"), None, "the clocks skip that hour");
    }

    #[test]
    fn lines_are_counted_through_quotes_and_repeated_references_told() {
        let file =
            format!("{HEADER},note\nA-1,\"K\nback\",35.9,14.5,Merkanti,Eve,,,x\nA-1,K,35.9,14.5,Merkanti,Eve,,,\n");
        let table = read_with(file.as_bytes()).expect("a file");
        assert_eq!(table.ignored_columns, ["note"]);
        assert_eq!(table.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 4]);
        assert!(table.rows[1].warnings.iter().any(|note| note.message == "line 2 has the same reference"));
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
        let latin1 = [format!("{HEADER}\nA-1,").as_bytes(), b"Caf\xe9,35.9"].concat();
        assert_eq!(read_with(&latin1), Err(FileError::NotText { line: 2 }));
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
        fn what_is_written_as_csv_is_read_back(
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
            prop_assert_eq!(read, cells);
        }
    }
}
