//! The promised window as it is typed: clock times at the place of work, each with a date or without one.

use crate::{
    data::Locale,
    dispatch::dates::{date_code, rfc3339},
    ui::time::{self, MINUTE_MS},
};

const DAY_MS: i64 = 86_400_000;

/// A clock time without a date that is further in the past than this means tomorrow.
const SURELY_PAST_MS: i64 = 6 * 3_600_000;

/// A window whose end has no date passes midnight only when it is no longer than this; else its ends are the wrong way
/// round.
const LONGEST_NIGHT_MS: i64 = 12 * 3_600_000;

/// A window as it is typed: dates as `2026-11-28`, clock times as `18:30`, any of them empty.
#[derive(Clone, Copy, Debug)]
pub struct TypedWindow<'a> {
    pub from_date: &'a str,
    pub from: &'a str,
    pub until_date: &'a str,
    pub until: &'a str,
}

/// Both ends of a window, Unix epoch milliseconds.
pub type Window = (Option<i64>, Option<i64>);

impl TypedWindow<'_> {
    /// The window that was meant.
    ///
    /// # Errors
    /// The API's name for the end that cannot be read, and why.
    pub fn read(self, at_ms: i64, locale: &Locale) -> Result<Window, (&'static str, &'static str)> {
        let from_ms = moment(self.from_date, self.from, at_ms, locale);
        if from_ms.is_none() && !(self.from.is_empty() && self.from_date.is_empty()) {
            return Err(("promised_from", "Write a time such as 18:30"));
        }
        let until_ms = match from_ms.filter(|_| self.until_date.is_empty()) {
            Some(from_ms) => moment(&date_of(from_ms, locale), self.until, at_ms, locale)
                .map(|until_ms| after_midnight(from_ms, until_ms)),
            None => moment(self.until_date, self.until, at_ms, locale),
        };
        if until_ms.is_none() && !(self.until.is_empty() && self.until_date.is_empty()) {
            return Err(("promised_until", "Write a time such as 18:55"));
        }
        if from_ms.zip(until_ms).is_some_and(|(from_ms, until_ms)| until_ms < from_ms) {
            return Err(("promised_until", "The window ends before it begins"));
        }
        Ok((from_ms, until_ms))
    }
}

/// An end whose clock time is before the beginning is the next day's, unless the window would be too long then.
fn after_midnight(from_ms: i64, until_ms: i64) -> i64 {
    let is_tomorrow = until_ms < from_ms && until_ms + DAY_MS - from_ms <= LONGEST_NIGHT_MS;
    if is_tomorrow { until_ms + DAY_MS } else { until_ms }
}

/// The date of a moment at the place of work, as it is typed: `2026-11-28`.
pub fn date_of(at_ms: i64, locale: &Locale) -> String {
    date_code(time::day(at_ms, locale))
}

/// The clock time of a moment at the place of work, as it is typed: `18:30`.
pub fn clock_of(at_ms: i64, locale: &Locale) -> String {
    rfc3339(at_ms + offset_ms(locale))[11..16].to_owned()
}

fn offset_ms(locale: &Locale) -> i64 {
    i64::from(locale.utc_offset_min) * MINUTE_MS
}

/// The moment at which a clock at the place of work shows this time on that date. Without a date it is the next such
/// moment; a time that has just passed is still today's.
pub fn moment(date: &str, clock: &str, at_ms: i64, locale: &Locale) -> Option<i64> {
    let is_on_date = !date.is_empty();
    let date = if is_on_date { date.to_owned() } else { date_of(at_ms, locale) };
    let (hours, minutes) = clock.trim().split_once(':')?;
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.get(..2)?.parse().ok()?);
    let utc: chrono::DateTime<chrono::Utc> = format!("{date}T{hours:02}:{minutes:02}:00Z").parse().ok()?;
    let found_ms = utc.timestamp_millis() - offset_ms(locale);
    Some(if !is_on_date && at_ms - found_ms > SURELY_PAST_MS { found_ms + DAY_MS } else { found_ms })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dispatch::fleet::tests::NOW_MS;

    const HOUR_MS: i64 = 60 * MINUTE_MS;

    fn locale() -> Locale {
        Locale { lang: "en".into(), hour12: false, utc_offset_min: 60, miles: false }
    }

    fn read(from_date: &str, from: &str, until_date: &str, until: &str) -> Result<Window, &'static str> {
        let typed = TypedWindow { from_date, from, until_date, until };
        typed.read(NOW_MS, &locale()).map_err(|(field, _)| field)
    }

    #[test]
    fn a_time_long_past_is_tomorrows() {
        assert_eq!(moment("", "18:00", NOW_MS, &locale()), Some(NOW_MS - 42 * MINUTE_MS));
        assert_eq!(moment("", "00:10", NOW_MS, &locale()), Some(NOW_MS + (5 * 60 + 28) * MINUTE_MS));
        assert_eq!(moment("2026-11-21", "00:10", NOW_MS, &locale()), Some(NOW_MS - (18 * 60 + 32) * MINUTE_MS));
        for nonsense in ["", "24:00", "7", "7:6", "x:00"] {
            assert_eq!(moment("", nonsense, NOW_MS, &locale()), None, "{nonsense}");
        }
        assert_eq!(moment("2026-02-30", "12:00", NOW_MS, &locale()), None);
    }

    #[test]
    fn a_window_may_pass_midnight_and_lie_on_another_day() {
        let at = |hours: i64, minutes: i64| Some(NOW_MS + hours * HOUR_MS + minutes * MINUTE_MS);
        assert_eq!(read("", "23:30", "", "00:30"), Ok((at(4, 48), at(5, 48))), "the end is tomorrow");
        assert_eq!(read("2026-11-23", "10:00", "", "12:00"), Ok((at(39, 18), at(41, 18))), "the end is the same day");
        assert_eq!(read("", "18:00", "2026-11-22", "18:00"), Ok((at(0, -42), at(23, 18))));
        assert_eq!(read("2026-11-22", "06:00", "", "22:00"), Ok((at(11, 18), at(27, 18))), "a long day");
        assert_eq!(read("", "", "", ""), Ok((None, None)));
        assert_eq!(read("", "", "", "18:55"), Ok((None, at(0, 13))));
    }

    #[test]
    fn ends_that_are_the_wrong_way_round_are_refused() {
        assert_eq!(read("", "18:55", "", "18:30"), Err("promised_until"));
        assert_eq!(read("2026-11-23", "10:00", "2026-11-22", "10:00"), Err("promised_until"));
        assert_eq!(read("2026-11-23", "", "", ""), Err("promised_from"), "a date needs a time");
    }

    #[test]
    fn what_is_shown_is_read_again() {
        assert_eq!((date_of(NOW_MS, &locale()), clock_of(NOW_MS, &locale())), ("2026-11-21".into(), "18:42".into()));
    }

    proptest! {
        #[test]
        fn every_minute_is_read_as_it_is_shown(minutes in -1_000_000i64..1_000_000, offset in -720i32..840) {
            let locale = Locale { utc_offset_min: offset, ..locale() };
            let at_ms = (NOW_MS / MINUTE_MS + minutes) * MINUTE_MS;
            prop_assert_eq!(moment(&date_of(at_ms, &locale), &clock_of(at_ms, &locale), NOW_MS, &locale), Some(at_ms));
        }

        #[test]
        fn no_text_breaks_the_window(date in "\\PC{0,10}", clock in "\\PC{0,8}") {
            moment(&date, &clock, NOW_MS, &locale());
        }
    }
}
