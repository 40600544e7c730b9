//! What the decoders of other people's trackers have in common.
//!
//! A phone sends a refused request again, and some send nothing else until it is accepted. So a decoder never fails
//! over one bad point: it counts the point and goes on. A position must be whole and made of numbers; everything beside
//! it is a [`Hint`], ignored when it makes no sense. Numbers may be text, and written as the phone's language writes
//! them: an app that does so never learns otherwise. Pure: bytes in, [`Decoded`] out.

use std::fmt;

use chrono::{DateTime, NaiveDateTime};
use doorstep_shared::RawFix;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

/// Points in one request. Overland's largest batch is 1 000 and its default 200.
pub const MAX_POINTS: usize = 2_000;

/// Traccar reads a number from here on as milliseconds, below as seconds.
const FIRST_MILLISECONDS: f64 = 2_147_483_647.0;

/// The readings in a request, and the number of points that hold none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    /// Where the device is, or was when it could not send it. In the order sent, unchecked.
    pub fixes: Vec<RawFix>,
    /// Where it was at a time before, of which it tells now. In the order sent, unchecked.
    pub past: Vec<RawFix>,
    /// Reports without a position, or with one that belongs to no time.
    pub without_position: u32,
    /// Points without a usable position or time. They are bad for ever.
    pub unreadable: u32,
}

/// What a readable report says.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Where the device is, or was when it could not send it.
    Position(RawFix),
    /// Where it was at a time before: a visit or a trip that is over, a region that it crossed, a place that the device
    /// itself does not believe. Such a report is no position of now, whenever it comes.
    Past(RawFix),
    /// No position that belongs to a time: a heartbeat, a note about the app itself.
    NoPosition,
}

impl Reading {
    /// A position, or one of the past.
    pub fn of(fix: RawFix, is_past: bool) -> Self {
        if is_past { Self::Past(fix) } else { Self::Position(fix) }
    }
}

impl Decoded {
    /// One unreadable point.
    pub fn nothing_readable() -> Self {
        Self { unreadable: 1, ..Self::default() }
    }

    /// Adds one decoded report.
    pub fn add(&mut self, report: Result<Reading, Unreadable>) {
        match report {
            Ok(Reading::Position(fix)) => self.fixes.push(fix),
            Ok(Reading::Past(fix)) => self.past.push(fix),
            Ok(Reading::NoPosition) => self.without_position += 1,
            Err(Unreadable) => self.unreadable += 1,
        }
    }

    /// The number of reports in the request.
    pub fn reports(&self) -> usize {
        self.fixes.len() + self.past.len() + (self.without_position + self.unreadable) as usize
    }

    /// Whether something of it could be read.
    pub fn has_readable(&self) -> bool {
        self.reports() > self.unreadable as usize
    }
}

/// A point that a repeat will not make readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// Why a whole request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The body is not JSON, so its device is unknown.
    #[error("the body is not JSON")]
    NotJson,
    /// More than [`MAX_POINTS`].
    #[error("at most {MAX_POINTS} points fit in one request")]
    TooManyPoints,
}

/// The elements of a JSON array, or the one value that stands in its place.
///
/// # Errors
/// [`DecodeError`]
pub fn one_or_many(json: &[u8]) -> Result<Vec<&RawValue>, DecodeError> {
    if json.trim_ascii_start().first() != Some(&b'[') {
        return Ok(vec![serde_json::from_slice(json).map_err(|_| DecodeError::NotJson)?]);
    }
    let items: Items<'_> = serde_json::from_slice(json).map_err(|_| DecodeError::NotJson)?;
    items.few_enough()
}

/// The parts of a JSON array, each decoded later, so that a bad one does not spoil the others.
#[derive(Debug, Default)]
pub struct Items<'a>(Vec<&'a RawValue>);

impl<'a> Items<'a> {
    /// The elements.
    ///
    /// # Errors
    /// [`DecodeError::TooManyPoints`]
    pub fn few_enough(self) -> Result<Vec<&'a RawValue>, DecodeError> {
        if self.0.len() > MAX_POINTS { Err(DecodeError::TooManyPoints) } else { Ok(self.0) }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Items<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Items<'de>, A::Error> {
                let mut items = Vec::new();
                // One more than allowed is enough to refuse the array, and a long array must not cost more memory than
                // that.
                while items.len() <= MAX_POINTS
                    && let Some(item) = array.next_element()?
                {
                    items.push(item);
                }
                while array.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Items(items))
            }
        }
        deserializer.deserialize_seq(Collect)
    }
}

/// Reads a part of a JSON document.
///
/// # Errors
/// [`Unreadable`] when it has another shape.
pub fn part<'a, T: Deserialize<'a>>(json: &'a RawValue) -> Result<T, Unreadable> {
    serde_json::from_str(json.get()).map_err(|_| Unreadable)
}

/// Both coordinates, or neither: a heartbeat.
///
/// # Errors
/// [`Unreadable`] when one is missing.
pub fn place<T>(lat: Option<T>, lon: Option<T>) -> Result<Option<(T, T)>, Unreadable> {
    match (lat, lon) {
        (Some(lat), Some(lon)) => Ok(Some((lat, lon))),
        (None, None) => Ok(None),
        _ => Err(Unreadable),
    }
}

/// The zeros of the digits that phones write in languages with digits of their own: Arabic, Persian and Urdu, Hindi and
/// Marathi, Bengali.
const ZEROS: [char; 4] = ['\u{0660}', '\u{06F0}', '\u{0966}', '\u{09E6}'];

/// Reads a number as a program writes it, or as the phone's language does, with a decimal comma, its own digits or its own
/// minus. `None` for anything else, also for one with separators between thousands: nothing tells them from decimals.
pub fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    text.parse().ok().or_else(|| localised(text)?.parse().ok())
}

fn localised(text: &str) -> Option<String> {
    let has_point = text.contains('.');
    // Marks of direction stand around numbers in text that is written from right to left.
    let written = text.chars().filter(|c| !matches!(c, '\u{200E}' | '\u{200F}' | '\u{061C}'));
    let plain = written.map(|c| match c {
        ',' | '\u{066B}' => (!has_point).then_some('.'),
        '\u{2212}' => Some('-'),
        _ => Some(ascii_digit(c).unwrap_or(c)),
    });
    plain.collect()
}

fn ascii_digit(c: char) -> Option<char> {
    let value = |zero: char| (c as u32).checked_sub(zero as u32).filter(|value| *value < 10);
    ZEROS.into_iter().find_map(value).and_then(|value| char::from_digit(value, 10))
}

/// A number that must be there, as JSON's or as text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number(pub f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Hint(number) = Hint::deserialize(deserializer)?;
        number.map(Self).ok_or_else(|| D::Error::custom("not a number"))
    }
}

/// An optional number beside a position. Any other value in its place counts as unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hint(Option<f64>);

impl Hint {
    /// The number in `text`, if there is one.
    pub fn from_text(text: Option<&str>) -> Self {
        Self(text.and_then(number))
    }

    /// The number itself.
    pub fn value(self) -> Option<f32> {
        self.times(1.0)
    }

    /// A quantity that is never negative, in our unit: the client's number times `unit`. Phones send −1 for "unknown".
    pub fn known(self, unit: f64) -> Option<f32> {
        self.times(unit).filter(|value| *value >= 0.0)
    }

    /// Whether the number is there and negative: phones mark another value as invalid this way.
    pub fn is_negative(self) -> bool {
        self.0.is_some_and(|value| value < 0.0)
    }

    fn times(self, unit: f64) -> Option<f32> {
        self.0.map(|value| (value * unit) as f32).filter(|value| value.is_finite())
    }
}

impl<'de> Deserialize<'de> for Hint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HintVisitor)
    }
}

struct HintVisitor;

impl<'de> Visitor<'de> for HintVisitor {
    type Value = Hint;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E>(self, value: f64) -> Result<Hint, E> {
        Ok(Hint(Some(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Hint, E> {
        Ok(Hint(Some(value as f64)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Hint, E> {
        Ok(Hint(Some(value as f64)))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Hint, E> {
        Ok(Hint(None))
    }

    fn visit_str<E>(self, text: &str) -> Result<Hint, E> {
        Ok(Hint::from_text(Some(text)))
    }

    fn visit_unit<E>(self) -> Result<Hint, E> {
        Ok(Hint(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Hint, A::Error> {
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Hint(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Hint, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Hint(None))
    }
}

/// A yes or a no beside a position, in any of the forms that apps use. Anything else says neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag(Option<bool>);

impl Flag {
    /// The answer in `text`, if it is one.
    pub fn from_text(text: Option<&str>) -> Self {
        Self(match text.map(|text| text.trim().to_ascii_lowercase()).as_deref() {
            Some("true" | "1" | "yes") => Some(true),
            Some("false" | "0" | "no") => Some(false),
            _ => None,
        })
    }

    /// Whether it says yes.
    pub fn is_yes(self) -> bool {
        self.0 == Some(true)
    }

    /// Whether it says no.
    pub fn is_no(self) -> bool {
        self.0 == Some(false)
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::Bool(answer) => Self(Some(answer)),
            Value::String(text) => Self::from_text(Some(&text)),
            Value::Number(number) => Self::from_text(Some(&number.to_string())),
            _ => Self(None),
        })
    }
}

/// When a point was recorded, in any of the forms that apps use.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Timestamp {
    /// Unix epoch seconds or milliseconds.
    Epoch(f64),
    /// The same in digits, or a date and time.
    Text(String),
}

impl Timestamp {
    /// Unix epoch milliseconds.
    ///
    /// # Errors
    /// [`Unreadable`] when it is not a time.
    pub fn to_ms(&self) -> Result<i64, Unreadable> {
        match self {
            Self::Epoch(number) => Ok(epoch_ms(*number)),
            Self::Text(text) => time_ms(text),
        }
    }
}

/// Seconds since the epoch as milliseconds; far times stay far.
fn seconds_ms(seconds: f64) -> i64 {
    (seconds * 1_000.0).round() as i64
}

fn epoch_ms(number: f64) -> i64 {
    if number < FIRST_MILLISECONDS { seconds_ms(number) } else { number.round() as i64 }
}

/// Reads epoch seconds or milliseconds, ISO 8601, or `yyyy-MM-dd HH:mm:ss`; a time without an offset is UTC.
///
/// # Errors
/// [`Unreadable`] when it is none of these.
pub fn time_ms(text: &str) -> Result<i64, Unreadable> {
    let text = text.trim();
    if let Some(epoch) = number(text).filter(|epoch| epoch.is_finite()) {
        return Ok(epoch_ms(epoch));
    }
    let time = if text.contains('T') { iso_8601(text) } else { utc(text, "%Y-%m-%d %H:%M:%S%.f") };
    time.ok_or(Unreadable)
}

fn iso_8601(text: &str) -> Option<i64> {
    // A client that does not escape its query sends `+02:00`, which arrives as ` 02:00`.
    let text = text.replace(' ', "+");
    let with_offset =
        DateTime::parse_from_rfc3339(&text).or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    with_offset.map(|time| time.timestamp_millis()).ok().or_else(|| utc(&text, "%Y-%m-%dT%H:%M:%S%.f"))
}

fn utc(text: &str, format: &str) -> Option<i64> {
    NaiveDateTime::parse_from_str(text, format).ok().map(|time| time.and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_way_to_write_a_time_is_read() {
        let cases = [
            ("1787392800", Ok(1_787_392_800_000)),
            ("1787392800.25", Ok(1_787_392_800_250)),
            ("1787392800123", Ok(1_787_392_800_123)),
            ("2147483646", Ok(2_147_483_646_000)),
            ("2147483647", Ok(2_147_483_647)),
            ("-1", Ok(-1_000)),
            ("99999999999999999999", Ok(i64::MAX)),
            ("2026-08-22T10:00:00Z", Ok(1_787_392_800_000)),
            ("2026-08-22T10:00:00.123Z", Ok(1_787_392_800_123)),
            ("2026-08-22T12:00:00+02:00", Ok(1_787_392_800_000)),
            ("2026-08-22T12:00:00 02:00", Ok(1_787_392_800_000)),
            ("2026-08-22T12:00:00+0200", Ok(1_787_392_800_000)),
            ("2026-08-22T10:00:00", Ok(1_787_392_800_000)),
            ("2026-08-22 10:00:00", Ok(1_787_392_800_000)),
            ("", Err(Unreadable)),
            ("now", Err(Unreadable)),
            ("NaN", Err(Unreadable)),
            ("inf", Err(Unreadable)),
            ("2026-08-22", Err(Unreadable)),
            ("2026-13-22T10:00:00Z", Err(Unreadable)),
            ("T", Err(Unreadable)),
        ];
        for (text, expected) in cases {
            assert_eq!(time_ms(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_hint_that_makes_no_sense_is_unknown() {
        let cases = [
            ("4.5", Some(4.5)),
            ("4", Some(4.0)),
            ("-1", None),
            ("null", None),
            ("true", None),
            ("\"4.5\"", Some(4.5)),
            ("\"4,5\"", Some(4.5)),
            ("\"fast\"", None),
            ("[4.5]", None),
            ("{\"value\":4.5}", None),
            ("1e300", None),
        ];
        for (json, expected) in cases {
            let hint: Hint = serde_json::from_str(json).expect("any JSON will do");
            assert_eq!(hint.known(1.0), expected, "{json}");
        }
        assert_eq!(Hint::from_text(Some(" 36 ")).known(1.0 / 3.6), Some(10.0));
        assert_eq!(Hint::from_text(Some("-12.5")).value(), Some(-12.5), "below the sea");
        for text in [None, Some(""), Some("fast"), Some("NaN"), Some("inf"), Some("1e400")] {
            assert_eq!(Hint::from_text(text).known(1.0), None, "{text:?}");
        }
    }

    #[test]
    fn numbers_are_read_as_the_phones_language_writes_them() {
        let cases = [
            ("35.898912", Some(35.898912)),
            (" 35,898912 ", Some(35.898912)),
            ("-14,5", Some(-14.5)),
            ("\u{2212}14,5", Some(-14.5)),
            ("+3", Some(3.0)),
            ("\u{0663}\u{0665}\u{066B}\u{0669}", Some(35.9)),
            ("\u{200E}\u{2212}\u{06F1}\u{06F4}\u{066B}\u{06F5}", Some(-14.5)),
            ("\u{0969}\u{096B}.\u{096F}", Some(35.9)),
            ("\u{09E9}\u{09EB}.\u{09EF}", Some(35.9)),
            ("1.234,5", None),
            ("1,234.5", None),
            ("1,234,567", None),
            ("35.9N", None),
            ("35,9,", None),
            (",", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(number(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_flag_says_yes_or_no_or_nothing() {
        let cases = [
            ("true", (true, false)),
            ("1", (true, false)),
            ("\"True\"", (true, false)),
            ("false", (false, true)),
            ("0", (false, true)),
            ("\"no\"", (false, true)),
            ("null", (false, false)),
            ("2", (false, false)),
            ("[true]", (false, false)),
            ("\"\"", (false, false)),
        ];
        for (json, expected) in cases {
            let flag: Flag = serde_json::from_str(json).expect("any JSON will do");
            assert_eq!((flag.is_yes(), flag.is_no()), expected, "{json}");
        }
    }

    #[test]
    fn one_value_too_many_is_noticed() {
        let array = |length: usize| format!(" [{}]", vec!["1e400"; length].join(","));
        assert_eq!(one_or_many(array(MAX_POINTS).as_bytes()).map(|items| items.len()), Ok(MAX_POINTS));
        assert!(matches!(one_or_many(array(MAX_POINTS + 1).as_bytes()), Err(DecodeError::TooManyPoints)));
        assert!(matches!(one_or_many(array(10 * MAX_POINTS).as_bytes()), Err(DecodeError::TooManyPoints)));
        assert_eq!(one_or_many(b"{}").map(|items| items.len()), Ok(1));
        assert!(matches!(one_or_many(b"[1,"), Err(DecodeError::NotJson)));
        assert!(matches!(one_or_many(b""), Err(DecodeError::NotJson)));
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange_for_a_time(text in ".*") {
            let _ = time_ms(&text);
        }

        #[test]
        fn a_time_in_milliseconds_survives_every_form(ms in 2_147_483_647i64..4_000_000_000_000) {
            let time = crate::platform::clock::from_ms(ms);
            prop_assert_eq!(time_ms(&ms.to_string()), Ok(ms));
            prop_assert_eq!(time_ms(&time.to_rfc3339()), Ok(ms));
            prop_assert_eq!(time_ms(&time.format("%Y-%m-%d %H:%M:%S%.3f").to_string()), Ok(ms));
        }
    }
}
