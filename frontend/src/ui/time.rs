//! Times as people read them, from Unix epoch milliseconds and a [`Locale`], by arithmetic alone.
//!
//! No time zone data and no `Intl`: the server already said how far east of UTC the door is, so that its render and the
//! browser's are the same text. Nothing here reads a clock.

use crate::data::Locale;

/// Milliseconds in a minute.
pub const MINUTE_MS: i64 = 60_000;

const DAY_MIN: i64 = 24 * 60;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A clock time: `18:42`, or `6:42 pm`.
pub fn clock(at_ms: i64, locale: &Locale) -> String {
    Clock::new(at_ms, locale).text(locale, true)
}

/// A range of clock times: `18:42–18:50`, `6:42–6:50 pm`, and one time alone where both ends read the same.
pub fn range(from_ms: i64, until_ms: i64, locale: &Locale) -> String {
    let (from, until) = (Clock::new(from_ms, locale), Clock::new(until_ms, locale));
    let until_text = until.text(locale, true);
    if from == until {
        return until_text;
    }
    from.text(locale, from.is_pm() != until.is_pm()) + "–" + &until_text
}

/// How long ago something was: `now`, `4 s ago`, `2 min ago`, `3 h ago`. A time in the future is now: clocks differ.
pub fn ago(age_ms: i64) -> String {
    if age_ms < 1_000 { "now".to_owned() } else { span(age_ms) + " ago" }
}

/// A length of time in its largest whole unit: `4 s`, `2 min`, `3 h`.
pub fn span(length_ms: i64) -> String {
    let seconds = length_ms.max(0) / 1_000;
    match seconds {
        0..60 => seconds.to_string() + " s",
        60..3_600 => (seconds / 60).to_string() + " min",
        _ => (seconds / 3_600).to_string() + " h",
    }
}

/// The calendar day at the door, counted from 1 January 1970.
pub fn day(at_ms: i64, locale: &Locale) -> i64 {
    minutes(at_ms, locale).div_euclid(DAY_MIN)
}

/// A date without its year: `21 November`.
pub fn date(at_ms: i64, locale: &Locale) -> String {
    let (month, day) = month_and_day(day(at_ms, locale));
    day.to_string() + " " + MONTHS[month]
}

/// The start of the minute.
pub fn floor_minute(at_ms: i64) -> i64 {
    at_ms.div_euclid(MINUTE_MS) * MINUTE_MS
}

/// The end of the minute; a whole minute stays itself.
pub fn ceil_minute(at_ms: i64) -> i64 {
    floor_minute(at_ms + MINUTE_MS - 1)
}

/// Minutes of local time since 1 January 1970.
fn minutes(at_ms: i64, locale: &Locale) -> i64 {
    at_ms.div_euclid(MINUTE_MS) + i64::from(locale.utc_offset_min)
}

/// Month from 0 and day of the month from 1, for a day counted from 1 January 1970.
///
/// After Howard Hinnant, "chrono-compatible low-level date algorithms": years begin in March, so that the leap day is
/// the last of its year.
fn month_and_day(day: i64) -> (usize, i64) {
    let since_march_0 = day + 719_468;
    let day_of_era = since_march_0.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    ((months_since_march as usize + 2) % 12, day_of_month)
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Clock {
    hour: i64,
    minute: i64,
}

impl Clock {
    fn new(at_ms: i64, locale: &Locale) -> Self {
        let of_day = minutes(at_ms, locale).rem_euclid(DAY_MIN);
        Self { hour: of_day / 60, minute: of_day % 60 }
    }

    fn is_pm(self) -> bool {
        self.hour >= 12
    }

    fn text(self, locale: &Locale, with_half: bool) -> String {
        let minute = two_digits(self.minute);
        if !locale.hour12 {
            return two_digits(self.hour) + ":" + &minute;
        }
        let hour = (self.hour + 11) % 12 + 1;
        let half = match (with_half, self.is_pm()) {
            (false, _) => "",
            // No-break spaces: a time never breaks over two lines.
            (true, false) => "\u{a0}am",
            (true, true) => "\u{a0}pm",
        };
        hour.to_string() + ":" + &minute + half
    }
}

fn two_digits(number: i64) -> String {
    let text = number.to_string();
    if number < 10 { "0".to_owned() + &text } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // 21 November 2026, 17:42 UTC.
    const AT_MS: i64 = 1_795_282_920_000;

    fn locale(hour12: bool, utc_offset_min: i32) -> Locale {
        Locale { lang: "en".into(), hour12, utc_offset_min, miles: false }
    }

    #[test]
    fn clock_times_are_those_at_the_door() {
        for (hour12, offset_min, expected) in [
            (false, 60, "18:42"),
            (true, 60, "6:42\u{a0}pm"),
            (false, -480, "09:42"),
            (true, -480, "9:42\u{a0}am"),
            (true, -1_062, "12:00\u{a0}am"),
            (true, -342, "12:00\u{a0}pm"),
            (false, 345, "23:27"),
        ] {
            assert_eq!(clock(AT_MS, &locale(hour12, offset_min)), expected);
        }
    }

    #[test]
    fn a_range_names_its_half_of_the_day_once() {
        let later = AT_MS + 8 * MINUTE_MS;
        assert_eq!(range(AT_MS, later, &locale(false, 60)), "18:42–18:50");
        assert_eq!(range(AT_MS, later, &locale(true, 60)), "6:42–6:50\u{a0}pm");
        assert_eq!(range(AT_MS, later, &locale(true, -347)), "11:55\u{a0}am–12:03\u{a0}pm");
        assert_eq!(range(AT_MS, AT_MS + 59_999, &locale(false, 60)), "18:42");
    }

    #[test]
    fn ages_are_in_their_largest_whole_unit() {
        for (age_ms, expected) in [
            (-5_000, "now"),
            (999, "now"),
            (4_900, "4 s ago"),
            (59_999, "59 s ago"),
            (60_000, "1 min ago"),
            (3_599_999, "59 min ago"),
            (7_300_000, "2 h ago"),
        ] {
            assert_eq!(ago(age_ms), expected);
        }
    }

    #[test]
    fn dates_follow_the_calendar_at_the_door() {
        let utc = locale(false, 0);
        for (at_ms, expected) in [
            (AT_MS, "21 November"),
            (0, "1 January"),
            (951_782_400_000, "29 February"),
            (1_709_251_200_000, "1 March"),
            (1_735_689_599_999, "31 December"),
        ] {
            assert_eq!(date(at_ms, &utc), expected);
        }
        assert_eq!(date(AT_MS, &locale(false, 8 * 60)), "22 November");
        assert_ne!(day(AT_MS, &locale(false, 8 * 60)), day(AT_MS, &utc));
    }

    proptest! {
        #[test]
        fn every_time_has_a_text(at_ms in -1i64 << 50..1 << 50, offset_min in -720i32..840, hour12: bool) {
            let locale = locale(hour12, offset_min);
            prop_assert!((5..=8).contains(&clock(at_ms, &locale).chars().count()) || hour12);
            prop_assert!(!date(at_ms, &locale).is_empty());
        }

        #[test]
        fn a_minute_is_rounded_outwards(at_ms in any::<i32>()) {
            let at_ms = i64::from(at_ms);
            prop_assert!(floor_minute(at_ms) <= at_ms && at_ms <= ceil_minute(at_ms));
            prop_assert!(ceil_minute(at_ms) - floor_minute(at_ms) <= MINUTE_MS);
        }
    }
}
