//! Times as people read them, from Unix epoch milliseconds and a [`Locale`], by arithmetic alone.
//!
//! No time zone data and no `Intl`: the server already said how far east of UTC the door is, and from when on
//! ([`super::zone`]), so that its render and the browser's are the same text. Nothing here reads a clock.

use super::text::join;
pub use super::zone::MINUTE_MS;
use crate::data::Locale;

/// Milliseconds in a day on which no clock is changed.
pub const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// Six hours from now, a clock time alone is not taken for another day's; the time after midnight is still tonight.
const SOON_MS: i64 = 6 * 60 * MINUTE_MS;

/// A window that is no longer than this belongs to the day on which it begins, though it may end after midnight.
const NIGHT_MS: i64 = 12 * 60 * MINUTE_MS;

/// From 1 January 1970 on, a Thursday.
const WEEKDAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

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

/// The day of a moment where it is not today or only hours away: `tomorrow`, a weekday within a week, else the date. Else
/// empty.
pub fn day_name(at_ms: i64, now_ms: i64, locale: &Locale) -> String {
    let day_number = day(at_ms, locale);
    match day_number - day(now_ms, locale) {
        0 => String::new(),
        _ if (at_ms - now_ms).abs() < SOON_MS => String::new(),
        1 => "tomorrow".to_owned(),
        2..7 => WEEKDAYS[day_number.rem_euclid(7) as usize].to_owned(),
        _ => date(at_ms, locale),
    }
}

/// A moment as a clock time, behind the name of its day where it is not today: `18:42`, `tomorrow 18:42`.
pub fn moment(at_ms: i64, now_ms: i64, locale: &Locale) -> String {
    on_day(day_name(at_ms, now_ms, locale), &clock(at_ms, locale))
}

/// A moment in a sentence: `at 18:42`, `tomorrow at 18:42`, `on 21 November at 18:42`.
pub fn at(at_ms: i64, now_ms: i64, locale: &Locale) -> String {
    let name = day_name(at_ms, now_ms, locale);
    let on = if name.is_empty() || name == "tomorrow" { "" } else { "on " };
    join(&[on, &on_day(name, "at "), &clock(at_ms, locale)])
}

/// A window, behind the name of the day on which it begins: `tomorrow 12:00–14:00`, `Saturday 23:30–00:30`. A longer one
/// that ends on another day names both: `18:00 – tomorrow 18:00`. Of an end alone: `from 12:00`, `by tomorrow 14:00`.
pub fn window(ends: (Option<i64>, Option<i64>), now_ms: i64, locale: &Locale) -> String {
    let moment = |at_ms| moment(at_ms, now_ms, locale);
    match ends {
        (None, None) => String::new(),
        (Some(from_ms), None) => join(&["from ", &moment(from_ms)]),
        (None, Some(until_ms)) => join(&["by ", &moment(until_ms)]),
        (Some(from_ms), Some(until_ms)) => {
            let is_one_day = until_ms - from_ms <= NIGHT_MS || day(from_ms, locale) == day(until_ms, locale);
            if is_one_day {
                on_day(day_name(from_ms, now_ms, locale), &range(from_ms, until_ms, locale))
            } else {
                join(&[&moment(from_ms), " – ", &moment(until_ms)])
            }
        }
    }
}

fn on_day(name: String, text: &str) -> String {
    if name.is_empty() { text.to_owned() } else { join(&[&name, " ", text]) }
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
    locale.zone.local_ms(at_ms).div_euclid(DAY_MS)
}

/// The first moment of a day at the door, counted as [`day`] counts them; Unix epoch milliseconds. A day on which the
/// clocks are changed has another length than others.
pub fn day_from_ms(day: i64, locale: &Locale) -> i64 {
    locale.zone.utc_ms(day * DAY_MS)
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
        let of_day = locale.zone.local_ms(at_ms).rem_euclid(DAY_MS) / MINUTE_MS;
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
    use crate::ui::zone::tests::{locale as at, lord_howe, malta, new_york};

    // 21 November 2026, 17:42 UTC.
    const AT_MS: i64 = 1_795_282_920_000;

    fn locale(hour12: bool, offset_min: i64) -> Locale {
        Locale { lang: "en".into(), hour12, zone: offset_min.into(), miles: false }
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

    /// 12:00 until 14:00 at the place on the day after its clocks change, seen an hour before they do, and the day before.
    #[test]
    fn a_promise_for_the_day_after_the_clocks_change_has_that_days_hours() {
        for (zone, changes_ms, noon_min) in [
            // 28 March 2027 and 25 October 2026, 01:00 UTC.
            (malta(), 1_806_195_600_000, 10 * 60 + 24 * 60 - 60),
            (malta(), 1_792_890_000_000, 11 * 60 + 24 * 60 - 60),
            // 14 March 2027, 07:00 UTC, and 1 November 2026, 06:00 UTC.
            (new_york(), 1_805_007_600_000, 16 * 60 + 24 * 60 - 7 * 60),
            (new_york(), 1_793_512_800_000, 17 * 60 + 24 * 60 - 6 * 60),
            // 3 October 2026, 15:30 UTC, and 3 April 2027, 15:00 UTC.
            (lord_howe(), 1_791_041_400_000, 25 * 60 + 24 * 60 - (15 * 60 + 30)),
            (lord_howe(), 1_806_764_400_000, 25 * 60 + 30 + 24 * 60 - 15 * 60),
        ] {
            let locale = at(zone);
            let from_ms = changes_ms + noon_min * MINUTE_MS;
            let ends = (Some(from_ms), Some(from_ms + 120 * MINUTE_MS));
            assert_eq!(window(ends, changes_ms - 60 * MINUTE_MS, &locale), "tomorrow 12:00–14:00");
            let before = window(ends, changes_ms - DAY_MS, &locale);
            let weekday = WEEKDAYS[day(from_ms, &locale).rem_euclid(7) as usize];
            assert_eq!(before, format!("{weekday} 12:00–14:00"));
            assert_eq!(weekday, "Monday", "clocks are changed on Sundays");
        }
    }

    #[test]
    fn a_day_is_named_unless_it_is_today_or_hours_away() {
        let locale = locale(false, 60);
        let named = |days: i64, hours: i64| moment(AT_MS + days * DAY_MS + hours * 60 * MINUTE_MS, AT_MS, &locale);
        for (days, hours, expected) in [
            (0, -18, "00:42"),
            (0, 5, "23:42"),
            (0, 11, "tomorrow 05:42"),
            (1, 5, "tomorrow 23:42"),
            (1, 6, "Monday 00:42"),
            (6, 0, "Friday 18:42"),
            (7, 0, "28 November 18:42"),
            (-1, 0, "20 November 18:42"),
        ] {
            assert_eq!(named(days, hours), expected);
        }
        // 23:42: what happens after midnight happens tonight, and so did what happened before it.
        let late_ms = AT_MS + 5 * 60 * MINUTE_MS;
        assert_eq!(moment(late_ms + 60 * MINUTE_MS, late_ms, &locale), "00:42");
        assert_eq!(moment(late_ms, late_ms + 60 * MINUTE_MS, &locale), "23:42");
        assert_eq!(super::at(AT_MS, AT_MS, &locale), "at 18:42");
        assert_eq!(super::at(AT_MS + DAY_MS, AT_MS, &locale), "tomorrow at 18:42");
        assert_eq!(super::at(AT_MS - DAY_MS, AT_MS, &locale), "on 20 November at 18:42");
    }

    #[test]
    fn a_window_over_midnight_belongs_to_its_evening_and_a_longer_one_names_both_days() {
        let locale = locale(false, 60);
        let at = |days: i64, minutes: i64| Some(AT_MS + days * DAY_MS + minutes * MINUTE_MS);
        for (ends, expected) in [
            ((at(0, 288), at(0, 348)), "23:30–00:30"),
            ((at(1, 288), at(1, 348)), "tomorrow 23:30–00:30"),
            ((at(0, 0), at(1, 0)), "18:42 – tomorrow 18:42"),
            ((at(2, 0), at(3, 0)), "Monday 18:42 – Tuesday 18:42"),
            ((at(1, 0), None), "from tomorrow 18:42"),
            ((None, at(8, 0)), "by 29 November 18:42"),
            ((None, None), ""),
        ] {
            assert_eq!(window(ends, AT_MS, &locale), expected);
        }
    }

    proptest! {
        #[test]
        fn every_time_has_a_text(at_ms in -1i64 << 50..1 << 50, offset_min in -720i64..840, hour12: bool) {
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
