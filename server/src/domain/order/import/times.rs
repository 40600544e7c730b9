//! Reads the times in a file, which mostly have no zone and often no date.
//!
//! They are meant in the time zone of the server's town, by the rules of their own day. A clock time alone is the next such
//! time, as the console's form reads it, and an end that is before its beginning lies behind midnight. Whether 3/4 is in
//! March or in April the file's other dates say, then the area's country.

use chrono::{
    DateTime, Datelike, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;

/// A clock time without a date that is further in the past than this means tomorrow.
const SURELY_PAST: TimeDelta = TimeDelta::hours(6);

/// A window passes midnight only when it is no longer than this; else its ends are the wrong way round.
const LONGEST_NIGHT: TimeDelta = TimeDelta::hours(12);

/// Dates with the name of a month.
const WITH_MONTH_NAME: [&str; 8] =
    ["%d %B %Y", "%d-%B-%Y", "%d. %B %Y", "%d/%B/%Y", "%B %d, %Y", "%B %d %Y", "%d-%B-%y", "%d %B %y"];

/// The order of day and month in a file's dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DayOrder {
    is_month_first: bool,
    /// Whether the file's own dates say so.
    is_evident: bool,
}

impl DayOrder {
    /// What the cells of a file say; `is_month_first` where they leave it open.
    pub(super) fn of<'a>(cells: impl Iterator<Item = &'a str>, is_month_first: bool) -> Self {
        let (mut has_day_first, mut has_month_first) = (false, false);
        for (first, second) in cells.filter_map(|cell| slashed(cell.trim())).map(|date| (date.first, date.second)) {
            has_day_first |= first > 12;
            has_month_first |= second > 12;
        }
        let is_evident = has_day_first != has_month_first;
        Self { is_month_first: if is_evident { has_month_first } else { is_month_first }, is_evident }
    }
}

/// A time as a cell says it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Written {
    /// With its zone.
    Moment(DateTime<Utc>),
    /// What clocks show, and whether day and month may be the other way round.
    Local(NaiveDateTime, bool),
    /// A time of some day, since midnight; up to 24 hours.
    Clock(TimeDelta),
}

/// A time of an order, and what a dispatcher should know about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Meant {
    pub(super) at: DateTime<Utc>,
    /// It has no date and has passed today.
    pub(super) is_tomorrow: bool,
    /// Day and month may be the other way round.
    pub(super) is_guessed: bool,
}

/// When and where a file is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calendar {
    pub(super) zone: Tz,
    pub(super) now: DateTime<Utc>,
    pub(super) order: DayOrder,
}

impl Calendar {
    /// The time in a cell.
    pub(super) fn read(&self, text: &str) -> Option<Written> {
        let text = text.trim().replace(['\u{a0}', '\u{202f}', '\n'], " ");
        if let Ok(exact) = DateTime::parse_from_rfc3339(&text) {
            return Some(Written::Moment(exact.to_utc()));
        }
        let Some((date, is_guessed, rest)) = self.date(&text) else {
            let (clock, zone) = clock(&text, false)?;
            return zone.is_none().then_some(Written::Clock(clock));
        };
        let is_iso = rest.starts_with(['T', 't']);
        let (clock, zone) = clock(rest.strip_prefix(['T', 't', ',', ' '])?, is_iso)?;
        let local = date.and_time(NaiveTime::MIN) + clock;
        match zone {
            Some(zone) => Some(Written::Moment(zone.from_local_datetime(&local).single()?.to_utc())),
            None => Some(Written::Local(local, is_guessed)),
        }
    }

    /// Both ends of a window in one cell: `18:00–19:00`.
    pub(super) fn read_window(&self, text: &str) -> Option<[Written; 2]> {
        let parts = [" - ", " to ", " until ", "–", "—", "-"];
        parts.iter().find_map(|part| {
            let (from, until) = text.rsplit_once(part)?;
            Some([self.read(from)?, self.read(until)?])
        })
    }

    /// When the ends of a window are meant.
    pub(super) fn meant(&self, from: Option<Written>, until: Option<Written>) -> [Option<Meant>; 2] {
        let until_date = until.filter(|until| !matches!(until, Written::Clock(_))).map(|until| self.local(until).0);
        let from = from.map(|from| match (from, until_date) {
            (Written::Clock(clock), Some(until)) => (from, (last_before(until, clock), false)),
            _ => (from, self.local(from)),
        });
        let until = until.map(|until| match (until, from) {
            (Written::Clock(clock), Some((_, (from, _)))) => (until, (first_after(from, clock), false)),
            _ => (until, self.local(until)),
        });
        [from, until].map(|end| end.and_then(|(written, (local, is_tomorrow))| self.at(written, local, is_tomorrow)))
    }

    fn at(&self, written: Written, local: NaiveDateTime, is_tomorrow: bool) -> Option<Meant> {
        let (at, is_guessed) = match written {
            Written::Moment(at) => (at, false),
            Written::Local(_, is_guessed) => (moment(local, self.zone)?, is_guessed),
            Written::Clock(_) => (moment(local, self.zone)?, false),
        };
        Some(Meant { at, is_tomorrow, is_guessed })
    }

    /// What clocks show then, and whether that is tomorrow because it has passed today.
    fn local(&self, written: Written) -> (NaiveDateTime, bool) {
        match written {
            Written::Moment(at) => (at.with_timezone(&self.zone).naive_local(), false),
            Written::Local(local, _) => (local, false),
            Written::Clock(clock) => {
                let now = self.now.with_timezone(&self.zone).naive_local();
                let today = on_date_of(now, clock);
                let has_passed = now - today > SURELY_PAST;
                (if has_passed { today + TimeDelta::days(1) } else { today }, has_passed)
            }
        }
    }

    /// The date that a text begins with, whether day and month may be exchanged, and what stands behind it.
    fn date<'a>(&self, text: &'a str) -> Option<(NaiveDate, bool, &'a str)> {
        if let Some(date) = slashed(text) {
            let (day, month, is_guessed) = self.day_and_month(&date);
            return Some((NaiveDate::from_ymd_opt(date.year, month, day)?, is_guessed, date.rest));
        }
        if let Some((year, month, day, rest)) = iso(text) {
            return Some((NaiveDate::from_ymd_opt(year as i32, month, day)?, false, rest));
        }
        WITH_MONTH_NAME.iter().find_map(|format| {
            let (date, rest) = NaiveDate::parse_and_remainder(text, format).ok()?;
            (date.year() >= 1_000).then_some((date, false, rest))
        })
    }

    fn day_and_month(&self, date: &Slashed) -> (u32, u32, bool) {
        let Slashed { first, second, .. } = *date;
        let is_open = first <= 12 && second <= 12 && first != second && date.sign != '.';
        let is_month_first = second > 12 || is_open && self.order.is_month_first;
        let (day, month) = if is_month_first { (second, first) } else { (first, second) };
        (day, month, is_open && !self.order.is_evident)
    }
}

/// A date whose first two numbers are day and month in some order: `21/11/2026`, `21.11.26`.
#[derive(Clone, Copy, Debug)]
struct Slashed<'a> {
    first: u32,
    second: u32,
    year: i32,
    sign: char,
    rest: &'a str,
}

fn slashed(text: &str) -> Option<Slashed<'_>> {
    let (first, sign, second, year, rest) = three_numbers(text)?;
    let is_short = |number: &str| number.len() <= 2;
    let century = match year.len() {
        2 => 2_000,
        4 => 0,
        _ => return None,
    };
    let number = |text: &str| text.parse::<u32>().ok();
    (is_short(first) && is_short(second)).then_some(())?;
    let (first, second, year) = (number(first)?, number(second)?, century + number(year)? as i32);
    Some(Slashed { first, second, year, sign, rest })
}

/// A date that begins with its year: `2026-11-21`, `2026/11/21`.
fn iso(text: &str) -> Option<(u32, u32, u32, &str)> {
    let (year, _, month, day, rest) = three_numbers(text)?;
    let number = |text: &str| text.parse::<u32>().ok();
    (year.len() == 4 && month.len() <= 2 && day.len() <= 2).then_some(())?;
    Some((number(year)?, number(month)?, number(day)?, rest))
}

/// Three numbers with the same sign between them, and what stands behind.
fn three_numbers(text: &str) -> Option<(&str, char, &str, &str, &str)> {
    let number = |text: &'_ str| text.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(text.len());
    let (first, rest) = text.split_at(number(text));
    let sign = rest.chars().next().filter(|sign| matches!(sign, '/' | '-' | '.'))?;
    let rest = &rest[1..];
    let (second, rest) = rest.split_at(number(rest));
    let rest = rest.strip_prefix(sign)?;
    let (third, rest) = rest.split_at(number(rest));
    Some((first, sign, second, third, rest))
}

/// A clock time as people write it, since midnight, and its zone if it names one: `18:30`, `6.30 pm`, `18h30`, `24:00`.
/// Only behind an ISO date is a minus the sign of a zone; elsewhere it is the middle of a window.
fn clock(text: &str, is_iso: bool) -> Option<(TimeDelta, Option<FixedOffset>)> {
    let text = text.trim().to_lowercase().replace("a.m.", "am").replace("p.m.", "pm");
    let (text, zone) = without_zone(&text, is_iso);
    let (text, half) =
        match text.strip_suffix("am").map(|text| (text, 0)).or(text.strip_suffix("pm").map(|text| (text, 12))) {
            Some((text, noon)) => (text, Some(noon)),
            None => (text, None),
        };
    let bare = ["uhr", "hrs", "h"].iter().find_map(|word| text.trim().strip_suffix(word));
    let parts: Vec<&str> = bare.unwrap_or(text).split([':', '.', 'h']).map(str::trim).collect();
    let is_clock = parts.len() > 1 || half.is_some() || bare.is_some();
    let numbers: Vec<i64> = parts.iter().map(|part| two_digits(part)).collect::<Option<_>>()?;
    let [hour, minute, second] = [0, 1, 2].map(|at| numbers.get(at).copied().unwrap_or(0));
    let hour = match half {
        Some(noon) if (1..=12).contains(&hour) => hour % 12 + noon,
        Some(_) => return None,
        None => hour,
    };
    let since_midnight = TimeDelta::seconds(hour * 3_600 + minute * 60 + second);
    let is_usual = parts.len() <= 4 && minute < 60 && second < 60 && since_midnight <= TimeDelta::hours(24);
    // Minutes have two digits: "18.5" is a number. Only what stands behind seconds may be longer.
    let has_minutes =
        parts.get(1).is_none_or(|part| part.len() == 2) && parts.iter().take(3).all(|part| part.len() <= 2);
    (is_clock && is_usual && has_minutes).then_some((since_midnight, zone))
}

/// One or two digits; a fraction of a second may have more.
fn two_digits(text: &str) -> Option<i64> {
    let is_number = (1..=9).contains(&text.len()) && text.bytes().all(|sign| sign.is_ascii_digit());
    text.get(..text.len().min(2)).filter(|_| is_number)?.parse().ok()
}

fn without_zone(text: &str, is_iso: bool) -> (&str, Option<FixedOffset>) {
    if let Some(text) = ["z", "utc", "gmt"].iter().find_map(|name| text.strip_suffix(name)) {
        return (text.trim_end(), FixedOffset::east_opt(0));
    }
    let Some(at) = text.rfind(['+', '-']).filter(|at| is_iso || text[*at..].starts_with('+')) else {
        return (text, None);
    };
    let digits = text[at + 1..].replace(':', "");
    let number = |range: std::ops::Range<usize>| digits.get(range).map_or(Some(0), |digits| digits.parse::<i32>().ok());
    let seconds = (matches!(digits.len(), 2 | 4)).then(|| Some(number(0..2)? * 3_600 + number(2..4)? * 60)).flatten();
    let sign = if text[at..].starts_with('-') { -1 } else { 1 };
    match seconds.and_then(|seconds| FixedOffset::east_opt(sign * seconds)) {
        Some(zone) => (text[..at].trim_end(), Some(zone)),
        None => (text, None),
    }
}

fn on_date_of(local: NaiveDateTime, clock: TimeDelta) -> NaiveDateTime {
    local.date().and_time(NaiveTime::MIN) + clock
}

/// The end of a window that begins at `from`; one that would be too long has its ends the wrong way round.
fn first_after(from: NaiveDateTime, clock: TimeDelta) -> NaiveDateTime {
    let until = on_date_of(from, clock);
    let is_tomorrow = until < from && until + TimeDelta::days(1) - from <= LONGEST_NIGHT;
    if is_tomorrow { until + TimeDelta::days(1) } else { until }
}

/// The beginning of a window that ends at `until`.
fn last_before(until: NaiveDateTime, clock: TimeDelta) -> NaiveDateTime {
    let from = on_date_of(until, clock);
    let is_before = from > until && until - (from - TimeDelta::days(1)) <= LONGEST_NIGHT;
    if is_before { from - TimeDelta::days(1) } else { from }
}

/// When the clocks of `zone` show `local`, as the forms read it: a time that they show twice, in autumn, is the first; one
/// that they skip, in spring, moves forward by what is skipped.
fn moment(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => Some(at.to_utc()),
        MappedLocalTime::None => {
            // Half a day before, the clocks have not been changed yet.
            let before = zone.from_local_datetime(&(local - TimeDelta::hours(12))).earliest()?;
            Some(before.to_utc() + TimeDelta::hours(12))
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::{America::New_York, Asia::Kolkata, Australia::Lord_Howe, Europe::Malta};
    use proptest::prelude::*;

    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time in UTC")
    }

    const DAY_FIRST: DayOrder = DayOrder { is_month_first: false, is_evident: true };

    fn calendar(zone: Tz, now: &str) -> Calendar {
        Calendar { zone, now: utc(now), order: DAY_FIRST }
    }

    /// A Saturday afternoon in Malta, 18:42.
    fn saturday() -> Calendar {
        calendar(Malta, "2026-11-21T17:42:00Z")
    }

    fn time(text: &str, calendar: &Calendar) -> Option<DateTime<Utc>> {
        calendar.meant(calendar.read(text), None)[0].map(|meant| meant.at)
    }

    /// Both ends as clocks in Malta show them, `21 18:30`, with a `+` behind what is read as tomorrow.
    fn window(from: &str, until: &str, calendar: &Calendar) -> [Option<String>; 2] {
        let shown = |meant: Meant| {
            let tomorrow = if meant.is_tomorrow { "+" } else { "" };
            format!("{}{tomorrow}", meant.at.with_timezone(&Malta).format("%d %H:%M"))
        };
        calendar.meant(calendar.read(from), calendar.read(until)).map(|end| end.map(shown))
    }

    #[test]
    fn a_local_time_is_read_by_the_rules_of_its_own_day() {
        for (zone, written, meant) in [
            (Malta, "2027-03-29 12:00", "2027-03-29T10:00:00Z"),
            (Malta, "2027-03-28 02:30", "2027-03-28T01:30:00Z"),
            (Malta, "2026-10-25 02:30", "2026-10-25T00:30:00Z"),
            (New_York, "2027-03-14 02:15", "2027-03-14T07:15:00Z"),
            (New_York, "2026-11-01 01:30", "2026-11-01T05:30:00Z"),
            (Lord_Howe, "2026-10-04 02:15", "2026-10-03T15:45:00Z"),
            (Lord_Howe, "2027-04-04 01:45", "2027-04-03T14:45:00Z"),
            (Kolkata, "2027-03-28T02:30", "2027-03-27T21:00:00Z"),
            (Malta, "2027-03-28T02:30:00Z", "2027-03-28T02:30:00Z"),
        ] {
            let calendar = calendar(zone, "2026-11-21T17:42:00Z");
            assert_eq!(time(written, &calendar), Some(utc(meant)), "{written} in {zone}");
        }
        let early = calendar(Malta, "2027-03-28T23:30:00Z");
        assert_eq!(time("12:00", &early), Some(utc("2027-03-29T10:00:00Z")), "today is Monday");
    }

    #[test]
    fn a_time_is_read_however_spreadsheets_write_it() {
        for written in [
            "2026-11-21 18:30",
            "2026-11-21T18:30",
            "2026-11-21T18:30:00",
            "2026-11-21T18:30:00.000",
            "2026-11-21T17:30Z",
            "2026-11-21T18:30+01:00",
            "2026-11-21 18:30 +0100",
            "2026-11-21T12:30-05:00",
            "2026/11/21 18:30",
            "21/11/2026 18:30",
            "21/11/2026, 18:30:00",
            "21/11/26 6:30 PM",
            "21.11.2026 18.30 Uhr",
            "21-11-2026 18h30",
            "11/21/2026 6:30 p.m.",
            "21 Nov 2026 18:30",
            "21-Nov-2026 18:30",
            "21-Nov-26 18:30",
            "November 21, 2026 6:30pm",
            "18:30",
            "18:30:00",
            "18.30",
            "18h30",
            "6:30 PM",
            "6:30\u{202f}pm",
            "06:30 p.m.",
        ] {
            assert_eq!(time(written, &saturday()), Some(utc("2026-11-21T17:30:00Z")), "{written}");
        }
        for written in [
            "soon",
            "",
            "18",
            "2026-11-21",
            "46347.77",
            "18.5",
            "25:00",
            "13:00 PM",
            "0:00 am",
            "31/02/2026 18:30",
            "18:61",
        ] {
            assert_eq!(time(written, &saturday()), None, "{written}");
        }
    }

    #[test]
    fn a_clock_time_alone_is_the_next_one_and_a_window_may_pass_midnight() {
        let ends = |from: &str, until: &str| window(from, until, &saturday());
        let both = |from: &str, until: &str| [Some(from.to_owned()), Some(until.to_owned())];
        assert_eq!(ends("23:30", "00:30"), both("21 23:30", "22 00:30"));
        assert_eq!(ends("00:30", "01:00"), both("22 00:30+", "22 01:00"));
        assert_eq!(ends("18:00", "18:30"), both("21 18:00", "21 18:30"));
        assert_eq!(ends("20:00", "24:00"), both("21 20:00", "22 00:00"));
        assert_eq!(ends("12 am", "12 pm"), both("22 00:00+", "22 12:00"));
        assert_eq!(ends("20:00", "19:00"), both("21 20:00", "21 19:00"), "its ends are the wrong way round");
        assert_eq!(ends("2026-11-25 23:30", "00:30"), both("25 23:30", "26 00:30"));
        assert_eq!(ends("23:30", "2026-11-26 00:30"), both("25 23:30", "26 00:30"));
        assert_eq!(ends("", "00:30"), [None, Some("22 00:30+".to_owned())]);
    }

    #[test]
    fn both_ends_may_stand_in_one_cell() {
        let saturday = saturday();
        for written in [
            "23:30–00:30",
            "23:30-00:30",
            "23:30 - 00:30",
            "11:30 pm to 12:30 am",
            "21/11/2026 23:30-00:30",
            "2026-11-21 23:30 – 00:30",
        ] {
            let ends = saturday.read_window(written).expect(written).map(Some);
            let [from, until] = saturday.meant(ends[0], ends[1]).map(|end| end.map(|meant| meant.at));
            let expected = (Some(utc("2026-11-21T22:30:00Z")), Some(utc("2026-11-21T23:30:00Z")));
            assert_eq!((from, until), expected, "{written}");
        }
        assert_eq!(saturday.read_window("2026-11-21"), None);
    }

    #[test]
    fn the_files_own_dates_say_which_number_is_the_month() {
        let order = |cells: &[&str], is_month_first| DayOrder::of(cells.iter().copied(), is_month_first);
        let read = |text: &str, order| {
            let calendar = Calendar { order, ..saturday() };
            let meant = calendar.meant(calendar.read(text), None)[0].expect("a time");
            (meant.at.with_timezone(&Malta).format("%d %B").to_string(), meant.is_guessed)
        };
        let mixed = ["3/4/2027 12:00", "18:30", ""];
        assert_eq!(read("3/4/2027 12:00", order(&mixed, false)), ("03 April".to_owned(), true));
        assert_eq!(read("3/4/2027 12:00", order(&mixed, true)), ("04 March".to_owned(), true));
        let evident = ["3/4/2027 12:00", "3/14/2027 12:00"];
        assert_eq!(read("3/4/2027 12:00", order(&evident, false)), ("04 March".to_owned(), false));
        assert_eq!(read("3/3/2027 12:00", order(&mixed, false)), ("03 March".to_owned(), false));
        assert_eq!(read("3.4.2027 12:00", order(&mixed, true)), ("03 April".to_owned(), false), "points are European");
    }

    proptest! {
        #[test]
        fn nothing_written_makes_it_panic(text in "\\PC{0,30}", clock in "[0-9:.\\-+/ TZapm–]{0,24}") {
            let saturday = saturday();
            for text in [text, clock] {
                let _ = (saturday.meant(saturday.read(&text), saturday.read(&text)), saturday.read_window(&text));
            }
        }
    }
}
