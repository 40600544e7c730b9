//! The promised window as it is typed: clock times at the place of work, each with a date or without one.

use crate::{
    data::Locale,
    dispatch::dates::{date_code, day_of, rfc3339},
    ui::time::{self, DAY_MS, MINUTE_MS},
};

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
        let zone = &locale.zone;
        let now = zone.local_ms(at_ms);
        let from = local(self.from_date, self.from, now);
        if from.is_none() && !(self.from.is_empty() && self.from_date.is_empty()) {
            return Err(("promised_from", "Write a time such as 18:30"));
        }
        let until = match from.filter(|_| self.until_date.is_empty()) {
            Some(from) => on_date_of(from, self.until).map(|until| after_midnight(from, until)),
            None => local(self.until_date, self.until, now),
        };
        if until.is_none() && !(self.until.is_empty() && self.until_date.is_empty()) {
            return Err(("promised_until", "Write a time such as 18:55"));
        }
        let (from_ms, until_ms) = (from.map(|from| zone.utc_ms(from)), until.map(|until| zone.utc_ms(until)));
        if from_ms.zip(until_ms).is_some_and(|(from_ms, until_ms)| until_ms < from_ms) {
            return Err(("promised_until", "The window ends before it begins"));
        }
        Ok((from_ms, until_ms))
    }
}

/// An end whose clock time is before the beginning is the next day's, unless the window would be too long then. Local
/// milliseconds, so that a night in which the clocks are changed has no other end.
fn after_midnight(from: i64, until: i64) -> i64 {
    let is_tomorrow = until < from && until + DAY_MS - from <= LONGEST_NIGHT_MS;
    if is_tomorrow { until + DAY_MS } else { until }
}

/// The date of a moment at the place of work, as it is typed: `2026-11-28`.
pub fn date_of(at_ms: i64, locale: &Locale) -> String {
    date_code(time::day(at_ms, locale))
}

/// The clock time of a moment at the place of work, as it is typed: `18:30`.
pub fn clock_of(at_ms: i64, locale: &Locale) -> String {
    rfc3339(locale.zone.local_ms(at_ms))[11..16].to_owned()
}

/// The first moment from `from_ms` on at which a clock at the place of work shows this time: on the same date, or on the
/// next.
pub fn moment_after(from_ms: i64, clock: &str, locale: &Locale) -> Option<i64> {
    let local = on_date_of(locale.zone.local_ms(from_ms), clock)?;
    let found_ms = locale.zone.utc_ms(local);
    Some(if found_ms < from_ms { locale.zone.utc_ms(local + DAY_MS) } else { found_ms })
}

/// What a clock shows on that date, in local milliseconds. Without a date it is the next such time after `now`; one that
/// has just passed is still today's.
fn local(date: &str, clock: &str, now: i64) -> Option<i64> {
    if !date.is_empty() {
        return Some(day_of(date)? * DAY_MS + clock_ms(clock)?);
    }
    let found = on_date_of(now, clock)?;
    Some(if now - found > SURELY_PAST_MS { found + DAY_MS } else { found })
}

/// A clock time on the date of another local time.
fn on_date_of(local: i64, clock: &str) -> Option<i64> {
    Some(local.div_euclid(DAY_MS) * DAY_MS + clock_ms(clock)?)
}

/// A clock time, `18:30`, in milliseconds since midnight; what stands behind the minutes is left out.
fn clock_ms(clock: &str) -> Option<i64> {
    let (hours, minutes) = clock.trim().split_once(':')?;
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.get(..2)?.parse().ok()?);
    (hours < 24 && minutes < 60).then_some((i64::from(hours) * 60 + i64::from(minutes)) * MINUTE_MS)
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;
    use crate::{dispatch::fleet::tests::NOW_MS, ui::zone::tests as zone};

    const HOUR_MS: i64 = 60 * MINUTE_MS;

    fn locale() -> Locale {
        zone::locale(60.into())
    }

    /// The moment at which a clock shows this time, typed as the beginning of a window.
    fn moment(date: &str, clock: &str, at_ms: i64, locale: &Locale) -> Option<i64> {
        let typed = TypedWindow { from_date: date, from: clock, until_date: "", until: "" };
        typed.read(at_ms, locale).ok()?.0
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

    #[test]
    fn a_window_on_a_day_with_another_offset_has_that_days_hours() {
        let malta = zone::locale(zone::malta());
        let read = |from_date, from, until| {
            TypedWindow { from_date, from, until_date: "", until }.read(NOW_MS, &malta).map_err(|(field, _)| field)
        };
        let utc = |text: &str| day_of(&text[..10]).zip(clock_ms(&text[11..])).map(|(day, ms)| day * DAY_MS + ms);
        for (from_date, from, until, expected) in [
            ("2027-03-29", "12:00", "14:00", ("2027-03-29 10:00", "2027-03-29 12:00")),
            // Over the night of the change: 5 hours on the clock, 4 of waiting.
            ("2027-03-27", "23:00", "04:00", ("2027-03-27 22:00", "2027-03-28 02:00")),
            ("2027-10-30", "23:00", "04:00", ("2027-10-30 21:00", "2027-10-31 03:00")),
            // Skipped, and shown twice.
            ("2027-03-28", "02:30", "05:00", ("2027-03-28 01:30", "2027-03-28 03:00")),
            ("2027-10-31", "02:30", "05:00", ("2027-10-31 00:30", "2027-10-31 04:00")),
        ] {
            assert_eq!(read(from_date, from, until), Ok((utc(expected.0), utc(expected.1))), "{from_date} {from}");
        }
        assert_eq!(read("2027-03-28", "02:45", "03:00"), Err("promised_until"), "02:45 is 03:45");
    }

    #[test]
    fn a_time_after_another_is_on_its_date_or_the_next() {
        for (clock, minutes) in [("18:42", 0), ("20:00", 78), ("18:41", 24 * 60 - 1), ("00:10", 5 * 60 + 28)] {
            assert_eq!(moment_after(NOW_MS, clock, &locale()), Some(NOW_MS + minutes * MINUTE_MS), "{clock}");
        }
        assert_eq!(moment_after(NOW_MS, "24:10", &locale()), None);
    }

    proptest! {
        #[test]
        fn every_minute_is_read_as_it_is_shown(minutes in -450_000i64..490_000, zone in select(zone::zones())) {
            let locale = zone::locale(zone);
            let at_ms = (NOW_MS / MINUTE_MS + minutes) * MINUTE_MS;
            let found_ms = moment(&date_of(at_ms, &locale), &clock_of(at_ms, &locale), NOW_MS, &locale);
            // Of a time that the clocks show twice, the first is read.
            prop_assert!(found_ms.is_some_and(|found_ms| (0..=HOUR_MS).contains(&(at_ms - found_ms))));
            let shown = found_ms.map(|found_ms| (date_of(found_ms, &locale), clock_of(found_ms, &locale)));
            prop_assert_eq!(shown, Some((date_of(at_ms, &locale), clock_of(at_ms, &locale))));
        }

        #[test]
        fn no_text_breaks_the_window(date in "\\PC{0,10}", clock in "\\PC{0,8}") {
            moment(&date, &clock, NOW_MS, &locale());
        }
    }
}
