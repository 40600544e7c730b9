//! One row of a file of orders: the order it means, its errors and its warnings.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use csv::StringRecord;
use doorstep_shared::{
    LatLon,
    api::{
        CreateOrder, CustomerBody, PlaceBody,
        console::{ImportNote, ImportRow},
        proof::ProofKind,
    },
    contact,
    problem::FieldError,
    text,
};

use super::{
    addresses::FindAddress,
    columns::PICKUP,
    header::Header,
    places,
    times::{Calendar, Meant, Written},
    write,
};
use crate::domain::order::{MAX_SERVICE_S, MAX_SIZE};

/// What the reader needs from its caller: search, check and time.
pub struct Surroundings<'a> {
    /// Finds the place of an address.
    pub find: &'a FindAddress<'a>,
    /// The saved pickup of a name.
    pub saved_pickup: &'a dyn Fn(&str) -> Option<PlaceBody>,
    /// The errors of an order that was read; fields have their names in JSON.
    pub check: &'a dyn Fn(&CreateOrder) -> Vec<FieldError>,
    /// What the area is called, for a point outside it.
    pub outside: &'a dyn Fn(LatLon) -> Option<String>,
    /// Whether people of the area write the month before the day.
    pub is_month_first: bool,
    /// The zone of times that name none.
    pub zone: Tz,
    /// Now.
    pub now: DateTime<Utc>,
}

/// Words for nothing, where a number or an address of e-mail should stand.
const NOTHING: [&str; 5] = ["-", "–", "n/a", "none", "null"];

/// One row being read.
pub(super) struct Row<'a> {
    header: &'a Header,
    record: &'a StringRecord,
    pub(super) errors: Vec<ImportNote>,
    warnings: Vec<ImportNote>,
}

impl<'a> Row<'a> {
    pub(super) fn new(header: &'a Header, record: &'a StringRecord) -> Self {
        Self { header, record, errors: Vec::new(), warnings: Vec::new() }
    }

    pub(super) fn into_row(mut self, line: u32, surroundings: &Surroundings, calendar: &Calendar) -> ImportRow {
        let reference = self.joined("reference", " ").unwrap_or_default();
        let order = self.order(&reference, surroundings, calendar);
        if self.record.len() > self.header.width {
            let message = format!("the row has {} cells, the header {}", self.record.len(), self.header.width);
            let position = Some(self.header.width as u32 + 1);
            self.errors.push(ImportNote { column: String::new(), heading: None, position, message });
        }
        for error in (surroundings.check)(&order) {
            let column = self.shown_column(&error.field);
            // An address that was not found has its message already.
            if !self.errors.iter().any(|known| known.column == column) {
                self.errors.push(self.header.note(&column, error.message));
            }
        }
        let order = self.errors.is_empty().then(|| Box::new(order));
        ImportRow { line, reference, order, errors: self.errors, warnings: self.warnings }
    }

    /// A column's cell; `None` when it is empty or missing.
    pub(super) fn cell(&self, column: &str) -> Option<&'a str> {
        let cell = self.record.get(self.header.position(column)?).filter(|cell| !cell.is_empty())?;
        Some(write::without_guard(cell))
    }

    /// A cell whose lines are put together; blank ones are left out.
    pub(super) fn joined(&self, column: &str, between: &str) -> Option<String> {
        let lines = self.cell(column)?.lines().map(str::trim).filter(|line| !line.is_empty());
        // "12 Triq il-Merkanti," ends with the comma that joins it to the next line.
        Some(lines.collect::<Vec<_>>().join(between).replace(",, ", ", "))
    }

    /// A cell with its lines, without blank ones.
    pub(super) fn lines(&self, column: &str) -> Option<String> {
        let lines = self.cell(column)?.lines().map(str::trim).filter(|line| !line.is_empty());
        Some(lines.collect::<Vec<_>>().join("\n"))
    }

    /// A cell with a phone number or an e-mail address.
    pub(super) fn contact(&self, column: &str) -> Option<String> {
        let text = self.joined(column, " ")?;
        let is_nothing = NOTHING.contains(&text.to_lowercase().as_str());
        // A spreadsheet that took a number for a number may add its fraction.
        let whole = text.strip_suffix(".0").filter(|whole| whole.bytes().all(|sign| sign.is_ascii_digit()));
        (!is_nothing).then(|| whole.map_or(text.clone(), str::to_owned))
    }

    pub(super) fn refuse(&mut self, column: &str, message: impl Into<String>) {
        self.errors.push(self.header.note(column, message));
    }

    pub(super) fn warn(&mut self, column: &str, message: impl Into<String>) {
        self.warnings.push(self.header.note(column, message));
    }

    fn order(&mut self, reference: &str, surroundings: &Surroundings, calendar: &Calendar) -> CreateOrder {
        if contact::is_rounded(reference) {
            self.warn("reference", "a spreadsheet may have turned this into a rounded number");
        }
        let (pickup, dropoff) = places::read(self, surroundings);
        for column in ["pickup_phone", "customer_phone"] {
            self.warn_of_phone(column);
        }
        let [promised_from, promised_until] = self.window(calendar);
        CreateOrder {
            reference: reference.to_owned(),
            dropoff,
            pickup,
            customer: CustomerBody {
                name: self.joined("customer_name", " ").unwrap_or_default(),
                phone: self.contact("customer_phone"),
                email: self.contact("customer_email"),
            },
            promised_from,
            promised_until,
            proof: self.proof(),
            size: self.whole_number("size", 1..=MAX_SIZE),
            service_s: self.whole_number("service_s", 0..=MAX_SERVICE_S),
            requires: self.requires(),
            note: self.lines("note"),
        }
    }

    /// What nobody can call is refused with the order; what only looks odd is pointed out, as in the console's form.
    fn warn_of_phone(&mut self, column: &str) {
        let is_odd = |phone: &String| contact::check_phone(phone).is_ok() && !contact::is_usual_phone(phone);
        if self.contact(column).as_ref().is_some_and(is_odd) {
            self.warn(column, "does not look like a phone number");
        }
    }

    fn window(&mut self, calendar: &Calendar) -> [Option<DateTime<Utc>>; 2] {
        let columns = ["promised_from", "promised_until"];
        let (columns, ends) = match columns.map(|column| self.cell(column).is_some()) {
            [true, false] => self.one_cell(columns[0], [true, false], calendar),
            [false, true] => self.one_cell(columns[1], [false, true], calendar),
            _ => (columns, columns.map(|column| self.written(column, calendar))),
        };
        let meant = calendar.meant(ends[0], ends[1]);
        for (column, meant) in columns.into_iter().zip(meant) {
            self.warn_of_time(column, meant, calendar);
        }
        meant.map(|end| end.map(|end| end.at))
    }

    /// The only cell with a time, which may hold both ends.
    fn one_cell(
        &mut self,
        column: &'static str,
        is_end: [bool; 2],
        calendar: &Calendar,
    ) -> ([&'static str; 2], [Option<Written>; 2]) {
        let text = self.cell(column).unwrap_or_default();
        let both = calendar.read(text).is_none().then(|| calendar.read_window(text)).flatten();
        let ends = match both {
            Some(both) => both.map(Some),
            None => {
                let written = self.written(column, calendar);
                is_end.map(|is_end| written.filter(|_| is_end))
            }
        };
        ([column; 2], ends)
    }

    fn written(&mut self, column: &str, calendar: &Calendar) -> Option<Written> {
        let text = self.cell(column)?;
        let written = calendar.read(text);
        if written.is_none() {
            let is_day_number =
                text.split(['.', ',']).next().is_some_and(|day| day.len() == 5 && day.parse::<u32>().is_ok());
            let reason = if is_day_number {
                "is a spreadsheet's number of a day; format the column as date and time"
            } else {
                "must be a time like 2026-11-21 18:30, 18:30 for the next such time, or 2026-11-21T18:30:00+01:00"
            };
            self.refuse(column, reason);
        }
        written
    }

    fn warn_of_time(&mut self, column: &str, meant: Option<Meant>, calendar: &Calendar) {
        let Some(meant) = meant else { return };
        let local = meant.at.with_timezone(&calendar.zone);
        if meant.is_tomorrow {
            self.warn(column, format!("has passed today, so it is tomorrow, {}", local.format("%-d %B %H:%M")));
        }
        if meant.is_guessed {
            self.warn(
                column,
                format!("read as {}; write {} to be sure", local.format("%-d %B %Y"), local.format("%Y-%m-%d")),
            );
        }
    }

    fn whole_number(&mut self, column: &str, allowed: RangeInclusive<u32>) -> Option<u32> {
        let text = self.cell(column)?;
        let whole = text.strip_suffix(".0").or_else(|| text.strip_suffix(",0")).unwrap_or(text);
        let number = whole.parse().ok().filter(|number| allowed.contains(number));
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

    /// The column of a JSON field: `pickup.address` is `pickup_address`, or the saved pickup's name where the file has only
    /// that; an error of a whole point stands at its latitude.
    fn shown_column(&self, field: &str) -> String {
        let column = match field.strip_suffix(".lon") {
            Some(place) => format!("{place}_lat"),
            None => field.replace('.', "_"),
        };
        let is_named = column == "pickup_address"
            && self.header.position(&column).is_none()
            && self.header.position(PICKUP).is_some();
        if is_named { PICKUP.to_owned() } else { column }
    }
}
