//! What pages need of a time zone: its offset from UTC, and when that changes.
//!
//! The zone's rules stay on the server; a page gets what follows from them for the years that it may show
//! ([`doorstep_frontend::ui::zone`]). The years begin and end with the calendar's, so that the courier's document, which
//! phones keep, changes once a year and not with every answer.

use std::ops::Range;

use chrono::{DateTime, Datelike, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use doorstep_frontend::ui::zone::Zone;

use crate::platform::clock::offset_s;

/// Whole years before and after the present one; older history and later promises have the offset next to them.
const YEARS: i32 = 2;

/// No zone changes its clocks and changes them back within a week. Ramadan, over which Morocco does, is a month.
const STEP: TimeDelta = TimeDelta::weeks(1);

/// The offsets of `zone` in the years around `now`.
pub(super) fn zone_around(zone: Tz, now: DateTime<Utc>) -> Zone {
    let new_year = |year| Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).single().unwrap_or(now);
    let (first, end) = (new_year(now.year() - YEARS), new_year(now.year() + YEARS + 1));
    let weeks = std::iter::successors(Some(first), |at| Some(*at + STEP)).take_while(|at| *at < end);
    let changes = weeks.filter_map(|at| change_within(zone, at..at + STEP));
    Zone::new(offset_min(zone, first), changes)
}

/// When the clocks change between these moments, as the Unix epoch millisecond, and their offset from then on, in minutes.
fn change_within(zone: Tz, between: Range<DateTime<Utc>>) -> Option<(i64, i64)> {
    let (before, after) = (offset_min(zone, between.start), offset_min(zone, between.end));
    if before == after {
        return None;
    }
    let Range { start: mut still, end: mut changed } = between;
    // Clocks are changed on whole minutes.
    while changed - still > TimeDelta::minutes(1) {
        let middle = still + TimeDelta::minutes((changed - still).num_minutes() / 2);
        if offset_min(zone, middle) == before {
            still = middle;
        } else {
            changed = middle;
        }
    }
    Some((changed.timestamp_millis(), after))
}

fn offset_min(zone: Tz, at: DateTime<Utc>) -> i64 {
    i64::from(offset_s(zone, at) / 60)
}

#[cfg(test)]
mod tests {
    use chrono_tz::TZ_VARIANTS;
    use doorstep_frontend::ui::time::MINUTE_MS;
    use proptest::{prelude::*, sample::select};

    use super::*;
    use crate::platform::clock::from_ms;

    const YEAR_MS: i64 = 365 * 24 * 60 * MINUTE_MS;

    // 21 November 2026, 17:42 UTC.
    const NOW_MS: i64 = 1_795_282_920_000;

    #[test]
    fn a_page_gets_each_change_of_the_years_around() {
        let malta = zone_around(chrono_tz::Europe::Malta, from_ms(NOW_MS));
        let text = malta.text();
        assert!(
            text.starts_with("60 ") && text.contains(" 29579100:120 29881500:60 30103260:120 30415740:60 "),
            "{text}"
        );
        assert_eq!(text.split(' ').count(), 1 + 5 * 2, "two changes in each of five years");
        assert_eq!(zone_around(chrono_tz::Asia::Kolkata, from_ms(NOW_MS)), Zone::from(330));
        let new_year = zone_around(chrono_tz::Europe::Malta, from_ms(NOW_MS + YEAR_MS / 12));
        assert_eq!(new_year, malta, "the document stays the same until the year ends");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn pages_write_every_time_as_the_zone_has_it(zone in select(&TZ_VARIANTS[..]), at_ms in NOW_MS - 2 * YEAR_MS..NOW_MS + 2 * YEAR_MS) {
            let zone_of_page = zone_around(zone, from_ms(NOW_MS));
            prop_assert_eq!(zone_of_page.local_ms(at_ms) - at_ms, offset_min(zone, from_ms(at_ms)) * MINUTE_MS, "{}", zone);
        }
    }
}
