//! The hour of the week, as far as traffic and kitchens care.
//!
//! Two hundred hours of a week would each be learned from almost nothing. Seven parts of the day on working days and on
//! weekends share their deliveries, and the rush hours stand alone.

use serde::{Deserialize, Serialize};

const MINUTES_OF_DAY: u16 = 24 * 60;

/// When each part of the day begins, in minutes after midnight.
const PART_BEGINS: [u16; 7] = [0, 6 * 60, 9 * 60 + 30, 11 * 60 + 30, 14 * 60, 16 * 60 + 30, 19 * 60];

/// The time on the wall where the courier is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "u16", into = "u16")]
pub struct LocalTime {
    minute_of_week: u16,
}

impl From<u16> for LocalTime {
    fn from(minute_of_week: u16) -> Self {
        Self { minute_of_week: minute_of_week % (7 * MINUTES_OF_DAY) }
    }
}

impl From<LocalTime> for u16 {
    fn from(time: LocalTime) -> Self {
        time.minute_of_week
    }
}

/// A part of the day on a working day or on a weekend; fourteen in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartOfWeek(u8);

/// A day of the week, 0 is Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weekday(u8);

impl LocalTime {
    /// The local time at `unix_ms`, where clocks are `offset_s` seconds ahead of UTC.
    pub fn new(unix_ms: i64, offset_s: i32) -> Self {
        let minutes = (unix_ms.div_euclid(1_000) + i64::from(offset_s)).div_euclid(60);
        // The epoch was a Thursday.
        let minute = (minutes + 3 * i64::from(MINUTES_OF_DAY)).rem_euclid(7 * i64::from(MINUTES_OF_DAY));
        Self { minute_of_week: minute as u16 }
    }

    /// The part of the week.
    pub fn part(self) -> PartOfWeek {
        let minute = self.minute_of_week % MINUTES_OF_DAY;
        let part = PART_BEGINS.iter().take_while(|begins| **begins <= minute).count() as u8 - 1;
        let is_weekend = self.weekday().0 >= 5;
        PartOfWeek(part + if is_weekend { PART_BEGINS.len() as u8 } else { 0 })
    }

    /// The day.
    pub const fn weekday(self) -> Weekday {
        Weekday((self.minute_of_week / MINUTES_OF_DAY) as u8)
    }
}

impl PartOfWeek {
    /// What tables and programs call it, 0 to 13.
    pub const fn index(self) -> u8 {
        self.0
    }
}

impl Weekday {
    /// Every day, from Monday on.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..7).map(Self)
    }

    /// Its number, 0 is Monday.
    pub const fn index(self) -> u8 {
        self.0
    }

    /// Its English name.
    pub const fn name(self) -> &'static str {
        ["Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"][self.0 as usize]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_friday_evening_is_one_where_the_courier_is() {
        // 2026-11-27 was a Friday; 22:30 in UTC is half past eleven in Malta.
        let friday = LocalTime::new(1_795_818_600_000, 3_600);
        assert_eq!((friday.weekday().name(), friday.part().index()), ("Fridays", 6));
        let saturday = LocalTime::new(1_795_818_600_000, 2 * 3_600);
        assert_eq!(
            (saturday.weekday().name(), saturday.part().index()),
            ("Saturdays", 7),
            "two hours ahead it is past midnight"
        );
    }

    proptest! {
        #[test]
        fn every_moment_has_a_part_of_the_week(unix_ms in any::<i64>(), offset_s in -50_400i32..50_400) {
            let time = LocalTime::new(unix_ms, offset_s);
            prop_assert!(time.part().index() < 14 && time.weekday().index() < 7);
        }
    }
}
