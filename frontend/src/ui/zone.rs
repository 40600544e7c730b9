//! How far a place is from UTC at any time that its pages show.
//!
//! The server reads the rules of the place's time zone and sends what follows from them: the offset at first, and each
//! change of it. So a time is written by the rules of its own instant and not by today's, the render of the server and
//! that of the browser are the same text, and no page needs time zone data. Before the first change that was sent the
//! first offset holds, after the last one the last.

use serde::{Deserialize, Serialize};

/// Milliseconds of a minute.
pub const MINUTE_MS: i64 = 60_000;

/// The offsets of a place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Zone {
    /// Minutes east of UTC before the first change.
    first_min: i64,
    /// When the clocks change, in minutes since the Unix epoch, and how many minutes east of UTC they are from then on.
    changes: Vec<(i64, i64)>,
}

/// A place whose clocks never change, so many minutes east of UTC.
impl From<i64> for Zone {
    fn from(first_min: i64) -> Self {
        Self { first_min, changes: Vec::new() }
    }
}

impl Zone {
    /// A place with its offset in minutes east of UTC, and every change of it, the earliest first: the Unix epoch
    /// millisecond and the new offset.
    pub fn new(first_min: i64, changes: impl IntoIterator<Item = (i64, i64)>) -> Self {
        let changes = changes.into_iter().map(|(at_ms, offset_min)| (at_ms.div_euclid(MINUTE_MS), offset_min));
        Self { first_min, changes: changes.collect() }
    }

    /// The zone as an attribute of a page carries it: `60 29579100:120 29881500:60`.
    pub fn text(&self) -> String {
        let changes = self.changes.iter().map(|(at_min, offset_min)| format!(" {at_min}:{offset_min}"));
        self.first_min.to_string() + &changes.collect::<String>()
    }

    /// Reads [`Self::text`]; what cannot be read is left out, and an empty text is UTC.
    pub fn read(text: &str) -> Self {
        let (first, changes) = text.split_once(' ').unwrap_or((text, ""));
        let change = |text: &str| {
            let (at_min, offset_min) = text.split_once(':')?;
            Some((at_min.parse().ok()?, offset_min.parse().ok()?))
        };
        Self { first_min: first.parse().unwrap_or_default(), changes: changes.split(' ').filter_map(change).collect() }
    }

    /// What the clocks of the place show at `at_ms`, in milliseconds since they showed 1 January 1970.
    pub fn local_ms(&self, at_ms: i64) -> i64 {
        let past = self.changes.iter().take_while(|(at_min, _)| at_min * MINUTE_MS <= at_ms);
        at_ms + past.last().map_or(self.first_min, |(_, offset_min)| *offset_min) * MINUTE_MS
    }

    /// When the clocks of the place show `local_ms`.
    ///
    /// Of a time that they show twice, in autumn, it is the first. A time that they skip, in spring, moves forward by
    /// what is skipped: both are what the clocks would show had they not been changed yet.
    pub fn utc_ms(&self, local_ms: i64) -> i64 {
        let mut offset_min = self.first_min;
        for (at_min, next_min) in &self.changes {
            if local_ms < (at_min + offset_min.max(*next_min)) * MINUTE_MS {
                break;
            }
            offset_min = *next_min;
        }
        local_ms - offset_min * MINUTE_MS
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;
    use crate::{
        data::Locale,
        ui::time::{DAY_MS, day, day_from_ms},
    };

    const HOUR_MS: i64 = 60 * MINUTE_MS;

    fn ms(utc: &str) -> i64 {
        utc.parse::<chrono::DateTime<chrono::Utc>>().expect("a time in UTC").timestamp_millis()
    }

    fn zone(first_min: i64, changes: &[(&str, i64)]) -> Zone {
        Zone::new(first_min, changes.iter().map(|(at, offset_min)| (ms(at), *offset_min)))
    }

    /// Europe/Malta: an hour, at 01:00 UTC.
    pub(crate) fn malta() -> Zone {
        zone(
            60,
            &[
                ("2026-03-29T01:00:00Z", 120),
                ("2026-10-25T01:00:00Z", 60),
                ("2027-03-28T01:00:00Z", 120),
                ("2027-10-31T01:00:00Z", 60),
            ],
        )
    }

    /// America/New_York: west of Greenwich, an hour, at 02:00 there.
    pub(crate) fn new_york() -> Zone {
        zone(
            -300,
            &[
                ("2026-03-08T07:00:00Z", -240),
                ("2026-11-01T06:00:00Z", -300),
                ("2027-03-14T07:00:00Z", -240),
                ("2027-11-07T06:00:00Z", -300),
            ],
        )
    }

    /// Australia/Lord_Howe: in the south, half an hour.
    pub(crate) fn lord_howe() -> Zone {
        zone(
            660,
            &[
                ("2026-04-04T15:00:00Z", 630),
                ("2026-10-03T15:30:00Z", 660),
                ("2027-04-03T15:00:00Z", 630),
                ("2027-10-02T15:30:00Z", 660),
            ],
        )
    }

    /// Africa/Cairo: at midnight, so that one day has no first hour.
    fn cairo() -> Zone {
        zone(
            120,
            &[
                ("2026-04-23T22:00:00Z", 180),
                ("2026-10-29T21:00:00Z", 120),
                ("2027-04-29T22:00:00Z", 180),
                ("2027-10-28T21:00:00Z", 120),
            ],
        )
    }

    pub(crate) fn zones() -> Vec<Zone> {
        vec![malta(), new_york(), lord_howe(), cairo(), Zone::from(330), Zone::from(0)]
    }

    pub(crate) fn locale(zone: Zone) -> Locale {
        Locale { lang: "en".into(), hour12: false, zone, miles: false }
    }

    /// A local time, as its own milliseconds.
    fn local(text: &str) -> i64 {
        ms(&format!("{text}:00Z"))
    }

    #[test]
    fn each_moment_has_the_offset_of_its_own_season() {
        for (zone, at, shown) in [
            (malta(), "2027-03-29T10:00:00Z", "2027-03-29T12:00"),
            (malta(), "2027-03-28T00:59:00Z", "2027-03-28T01:59"),
            (malta(), "2027-03-28T01:00:00Z", "2027-03-28T03:00"),
            (malta(), "2026-10-25T00:59:00Z", "2026-10-25T02:59"),
            (malta(), "2026-10-25T01:00:00Z", "2026-10-25T02:00"),
            (malta(), "2020-07-01T12:00:00Z", "2020-07-01T13:00"),
            (new_york(), "2026-11-01T05:59:00Z", "2026-11-01T01:59"),
            (new_york(), "2026-11-01T06:00:00Z", "2026-11-01T01:00"),
            (new_york(), "2027-03-14T07:00:00Z", "2027-03-14T03:00"),
            (lord_howe(), "2026-10-03T15:29:00Z", "2026-10-04T01:59"),
            (lord_howe(), "2026-10-03T15:30:00Z", "2026-10-04T02:30"),
            (lord_howe(), "2027-04-03T14:59:00Z", "2027-04-04T01:59"),
            (lord_howe(), "2027-04-03T15:00:00Z", "2027-04-04T01:30"),
            (Zone::from(330), "2026-10-25T01:00:00Z", "2026-10-25T06:30"),
        ] {
            assert_eq!(zone.local_ms(ms(at)), local(shown), "{at}");
        }
    }

    #[test]
    fn a_time_shown_twice_is_the_first_and_one_that_is_skipped_moves_forward() {
        for (zone, typed, meant) in [
            (malta(), "2026-10-25T02:30", "2026-10-25T00:30:00Z"),
            (malta(), "2026-10-25T03:00", "2026-10-25T02:00:00Z"),
            (malta(), "2027-03-28T02:30", "2027-03-28T01:30:00Z"),
            (malta(), "2027-03-28T03:00", "2027-03-28T01:00:00Z"),
            (new_york(), "2026-11-01T01:30", "2026-11-01T05:30:00Z"),
            (new_york(), "2027-03-14T02:15", "2027-03-14T07:15:00Z"),
            (lord_howe(), "2027-04-04T01:45", "2027-04-03T14:45:00Z"),
            (lord_howe(), "2026-10-04T02:15", "2026-10-03T15:45:00Z"),
            (cairo(), "2026-04-24T00:00", "2026-04-23T22:00:00Z"),
            (Zone::from(0), "2027-03-28T02:30", "2027-03-28T02:30:00Z"),
        ] {
            assert_eq!(zone.utc_ms(local(typed)), ms(meant), "{typed}");
        }
    }

    #[test]
    fn the_days_of_a_change_are_shorter_and_longer() {
        for (zone, date, minutes) in [
            (malta(), "2026-10-25", 25 * 60),
            (malta(), "2027-03-28", 23 * 60),
            (new_york(), "2026-11-01", 25 * 60),
            (new_york(), "2027-03-14", 23 * 60),
            (lord_howe(), "2027-04-04", 24 * 60 + 30),
            (lord_howe(), "2026-10-04", 23 * 60 + 30),
            (cairo(), "2026-04-24", 23 * 60),
            (cairo(), "2026-10-29", 25 * 60),
            (Zone::from(330), "2026-10-25", 24 * 60),
        ] {
            let number = local(&format!("{date}T00:00")) / DAY_MS;
            let locale = locale(zone);
            let length_ms = day_from_ms(number + 1, &locale) - day_from_ms(number, &locale);
            assert_eq!(length_ms, minutes * MINUTE_MS, "{date}");
        }
    }

    #[test]
    fn what_the_page_carries_is_read_again_and_nonsense_is_utc() {
        for zone in zones() {
            assert_eq!(Zone::read(&zone.text()), zone);
        }
        assert_eq!(malta().text(), "60 29579100:120 29881500:60 30103260:120 30415740:60");
        for nonsense in ["", "x", " :", "- 1:2:3"] {
            assert_eq!(Zone::read(nonsense).local_ms(7), 7, "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_is_found_again_by_what_the_clocks_show(
            zone in select(zones()), minutes in 0i64..730 * 24 * 60,
        ) {
            let at_ms = ms("2026-01-01T00:00:00Z") + minutes * MINUTE_MS;
            let local_ms = zone.local_ms(at_ms);
            let found_ms = zone.utc_ms(local_ms);
            prop_assert_eq!(zone.local_ms(found_ms), local_ms, "the clocks do show it");
            prop_assert!(found_ms == at_ms || found_ms < at_ms && at_ms - found_ms <= HOUR_MS, "or it is their first time");
        }

        #[test]
        fn what_is_typed_is_kept_or_moves_forward(zone in select(zones()), minutes in 0i64..730 * 24 * 60) {
            let typed_ms = ms("2026-01-01T00:00:00Z") + minutes * MINUTE_MS;
            let shown_ms = zone.local_ms(zone.utc_ms(typed_ms));
            prop_assert!((0..=HOUR_MS).contains(&(shown_ms - typed_ms)));
        }

        #[test]
        fn every_day_begins_within_itself_after_the_day_before(zone in select(zones()), number in 20_454i64..21_184) {
            let locale = locale(zone);
            let from_ms = day_from_ms(number, &locale);
            prop_assert_eq!(day(from_ms, &locale), number);
            prop_assert_eq!(day(from_ms - 1, &locale), number - 1);
        }
    }
}
