//! One row of a file of orders: the order it means, its errors and its warnings.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use csv::StringRecord;
use doorstep_area::places::Kind;
use doorstep_shared::{
    LatLon,
    api::{
        CreateOrder, CustomerBody, PlaceBody,
        console::{ImportNote, ImportRow},
        proof::ProofKind,
    },
    geo::distance::haversine_m,
    problem::FieldError,
    text,
};

use super::{
    addresses::{self, FindAddress},
    header::Header,
    times, write,
};
use crate::domain::order::{MAX_SERVICE_S, MAX_SIZE};

/// What the reader needs from its caller: search, check and time.
pub struct Surroundings<'a> {
    /// Finds the place of an address.
    pub find: &'a FindAddress<'a>,
    /// The errors of an order that was read; fields have their names in JSON.
    pub check: &'a dyn Fn(&CreateOrder) -> Vec<FieldError>,
    /// What the area is called, for a point outside it.
    pub outside: &'a dyn Fn(LatLon) -> Option<String>,
    /// The zone of times that name none.
    pub zone: Tz,
    /// Now.
    pub now: DateTime<Utc>,
}

/// One row being read.
pub(super) struct Row<'a> {
    header: &'a Header,
    record: &'a StringRecord,
    errors: Vec<ImportNote>,
    warnings: Vec<ImportNote>,
}

impl<'a> Row<'a> {
    pub(super) fn new(header: &'a Header, record: &'a StringRecord) -> Self {
        Self { header, record, errors: Vec::new(), warnings: Vec::new() }
    }

    pub(super) fn into_row(mut self, line: u32, surroundings: &Surroundings) -> ImportRow {
        let reference = self.cell("reference").unwrap_or_default().to_owned();
        let order = self.order(&reference, surroundings);
        if self.record.len() > self.header.width {
            let message = format!("the row has {} cells, the header {}", self.record.len(), self.header.width);
            let position = Some(self.header.width as u32 + 1);
            self.errors.push(ImportNote { column: String::new(), heading: None, position, message });
        }
        for error in (surroundings.check)(&order) {
            let column = column_of(&error.field);
            // An address that was not found has its message already.
            if !self.errors.iter().any(|known| known.column == column) {
                self.errors.push(self.header.note(&column, error.message));
            }
        }
        let order = self.errors.is_empty().then(|| Box::new(order));
        ImportRow { line, reference, order, errors: self.errors, warnings: self.warnings }
    }

    /// A column's cell; `None` when it is empty or missing.
    fn cell(&self, column: &str) -> Option<&'a str> {
        let cell = self.record.get(self.header.position(column)?).filter(|cell| !cell.is_empty())?;
        Some(write::without_guard(cell))
    }

    fn owned(&self, column: &str) -> Option<String> {
        self.cell(column).map(str::to_owned)
    }

    fn refuse(&mut self, column: &str, message: impl Into<String>) {
        self.errors.push(self.header.note(column, message));
    }

    fn order(&mut self, reference: &str, surroundings: &Surroundings) -> CreateOrder {
        let pickup = self.place("pickup", None, surroundings);
        // A pickup that was refused or is missing says nothing of where its door is.
        let is_known = self.errors.is_empty() && (pickup.lat, pickup.lon) != (0.0, 0.0);
        let near = LatLon::try_new(pickup.lat, pickup.lon).ok().filter(|_| is_known);
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
            size: self.whole_number("size", 1..=MAX_SIZE),
            service_s: self.whole_number("service_s", 0..=MAX_SERVICE_S),
            requires: self.requires(),
            note: self.owned("note"),
        }
    }

    fn place(&mut self, end: &str, near: Option<LatLon>, surroundings: &Surroundings) -> PlaceBody {
        let [lat, lon, address, instructions, phone] =
            ["lat", "lon", "address", "instructions", "phone"].map(|part| format!("{end}_{part}"));
        let mut place = PlaceBody {
            lat: 0.0,
            lon: 0.0,
            address: self.owned(&address).unwrap_or_default(),
            instructions: self.owned(&instructions),
            phone: self.owned(&phone),
        };
        match (self.cell(&lat), self.cell(&lon)) {
            (None, None) if place.address.is_empty() => {}
            (None, None) => self.look_up(&mut place, &address, near, surroundings),
            (Some(_), None) => self.refuse(&lon, "lat is given, and lon is not"),
            (None, Some(_)) => self.refuse(&lat, "lon is given, and lat is not"),
            (Some(north), Some(east)) => {
                place.lat = self.degrees(&lat, north, 90.0);
                place.lon = self.degrees(&lon, east, 180.0);
                self.warn_of_distance(&lat, &place, near);
                self.warn_of_outside(&lat, &place, surroundings);
            }
        }
        place
    }

    /// Columns that were exchanged, or a point of 0, 0.
    fn warn_of_distance(&mut self, column: &str, place: &PlaceBody, pickup: Option<LatLon>) {
        let door = LatLon::try_new(place.lat, place.lon).ok();
        let metres = pickup.zip(door).map(|(pickup, door)| haversine_m(pickup, door));
        if let Some(metres) = metres.filter(|metres| *metres > addresses::FARTHEST_DOOR_M) {
            let message = format!("{} km from its pickup", addresses::kilometres(metres));
            self.warnings.push(self.header.note(column, message));
        }
    }

    /// The order is taken, because an operator may deliver beyond the map; nothing is known of the ways there.
    fn warn_of_outside(&mut self, column: &str, place: &PlaceBody, surroundings: &Surroundings) {
        let area = LatLon::try_new(place.lat, place.lon).ok().and_then(surroundings.outside);
        let warning = area.map(|area| format!("outside the area {area}: no streets are known there"));
        self.warnings.extend(warning.map(|message| self.header.note(column, message)));
    }

    fn look_up(&mut self, place: &mut PlaceBody, column: &str, near: Option<LatLon>, surroundings: &Surroundings) {
        let found = match addresses::find(&place.address, near, surroundings.find) {
            Ok(found) => found,
            Err(reason) => return self.refuse(column, reason),
        };
        (place.lat, place.lon) = (found.point.lat(), found.point.lon());
        let found_as = format!("found as {}", addresses::full_name(&found));
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
        let time = times::time(text, surroundings.zone, surroundings.now);
        if time.is_none() {
            self.refuse(column, "must be a time like 2026-11-21 18:30, 18:30 for today, or 2026-11-21T18:30:00+01:00");
        }
        time
    }

    fn whole_number(&mut self, column: &str, allowed: RangeInclusive<u32>) -> Option<u32> {
        let text = self.cell(column)?;
        let number = text.parse().ok().filter(|number| allowed.contains(number));
        if number.is_none() {
            let (least, most) = (allowed.start(), allowed.end());
            self.refuse(column, format!("must be a whole number, {least} to {most}"));
        }
        number
    }

    /// Words with spaces, commas or plus signs between them, in small letters.
    fn requires(&self) -> Option<Vec<String>> {
        let is_between = |sign: char| sign.is_whitespace() || matches!(sign, ',' | ';' | '+' | '/');
        let words = self.cell("requires")?.split(is_between).filter(|word| !word.is_empty());
        Some(words.map(str::to_lowercase).collect())
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

/// The column of a JSON field: `pickup.address` is `pickup_address`, and an error of a whole point stands at its
/// latitude.
fn column_of(field: &str) -> String {
    match field.strip_suffix(".lon") {
        Some(place) => format!("{place}_lat"),
        None => field.replace('.', "_"),
    }
}
