//! How far a tracker's clock is from ours, learned from when its reports come, pure.
//!
//! Our own app compares the clocks itself; other apps only write their time on what they send. A report that is sent as
//! soon as it is taken says how far that time is from ours, and several such reports in a row that agree say that it is
//! the clock: what a phone catches up with comes faster than it was recorded, so it never agrees for long. A time that is
//! impossible is proved by few reports. One that might be a delay is proved only over a while. The raw time stays known:
//! a fix's source says what was taken from it.

/// A clock further ahead than this makes what it dates impossible.
pub const MAX_AHEAD_MS: i64 = 120_000;

/// A clock further behind than this makes a courier on the move look like one who is not heard of.
const MAX_BEHIND_MS: i64 = 60_000;

/// Less is no reason to make time jump again.
const LEAST_CHANGE_MS: i64 = 60_000;

/// Reports of one clock agree within this: networks delay them differently.
const STEADY_MS: i64 = 10_000;

/// Reports that prove an impossible time.
const PROOF_OF_IMPOSSIBLE: usize = 3;

/// Reports, and the time between the first and the last of them, that prove a time which might be a delay.
const PROOF_OF_POSSIBLE: usize = 4;
const PROOF_OF_POSSIBLE_MS: i64 = 60_000;

/// What the reports of one device say of its clock.
#[derive(Clone, Debug, Default)]
pub struct ClockComparison {
    /// The reports in a row that agree; `None` before the first.
    row: Option<Row>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    reports: usize,
    began_ms: i64,
    newest_raw_ms: i64,
    newest_received_ms: i64,
    /// How far the clock looks ahead by these reports. A delay on the way makes it less, so the most is nearest to the
    /// truth.
    least_ahead_ms: i64,
    most_ahead_ms: i64,
}

impl ClockComparison {
    /// Takes in that a report came at `received_ms` whose newest reading is of `raw_ms` by the device's clock. Answers how
    /// far that clock is ahead when this is proved and differs from `believed_ms`; 0 when it is near enough. Readings
    /// older than `oldest_ms` before their receipt are not kept.
    pub fn observe(&mut self, raw_ms: i64, received_ms: i64, believed_ms: i64, oldest_ms: i64) -> Option<i64> {
        if self.row.is_some_and(|row| row.newest_raw_ms == raw_ms) {
            // The same reading once more says nothing new.
            return None;
        }
        let row =
            self.row.and_then(|row| row.with(raw_ms, received_ms)).unwrap_or_else(|| Row::of(raw_ms, received_ms));
        self.row = Some(row);
        let is_near = (-MAX_BEHIND_MS..=MAX_AHEAD_MS).contains(&row.most_ahead_ms);
        let found_ms = if is_near { 0 } else { row.most_ahead_ms };
        let is_news = found_ms.abs_diff(believed_ms) >= LEAST_CHANGE_MS.unsigned_abs();
        (is_news && row.is_proof(oldest_ms)).then_some(found_ms)
    }
}

impl Row {
    fn of(raw_ms: i64, received_ms: i64) -> Self {
        let ahead_ms = raw_ms.saturating_sub(received_ms);
        Self {
            reports: 1,
            began_ms: received_ms,
            newest_raw_ms: raw_ms,
            newest_received_ms: received_ms,
            least_ahead_ms: ahead_ms,
            most_ahead_ms: ahead_ms,
        }
    }

    /// The row with one more report; `None` when that does not agree.
    fn with(self, raw_ms: i64, received_ms: i64) -> Option<Self> {
        let ahead_ms = raw_ms.saturating_sub(received_ms);
        let least_ahead_ms = self.least_ahead_ms.min(ahead_ms);
        let most_ahead_ms = self.most_ahead_ms.max(ahead_ms);
        let agrees = raw_ms > self.newest_raw_ms && most_ahead_ms.abs_diff(least_ahead_ms) <= STEADY_MS.unsigned_abs();
        agrees.then_some(Self {
            reports: self.reports.saturating_add(1),
            began_ms: self.began_ms,
            newest_raw_ms: raw_ms,
            newest_received_ms: received_ms,
            least_ahead_ms,
            most_ahead_ms,
        })
    }

    fn is_proof(self, oldest_ms: i64) -> bool {
        if self.most_ahead_ms > MAX_AHEAD_MS || self.most_ahead_ms < -oldest_ms {
            return self.reports >= PROOF_OF_IMPOSSIBLE;
        }
        let lasted_ms = self.newest_received_ms.saturating_sub(self.began_ms);
        self.reports >= PROOF_OF_POSSIBLE && lasted_ms >= PROOF_OF_POSSIBLE_MS
    }
}

/// How far the clock was ahead that dated a reading with `raw_ms`: as far as believed, unless that makes the time
/// impossible and the clock's own time is not. Then the clock was set right meanwhile, or the reading is from before it
/// went wrong.
pub fn ahead_of_reading_ms(raw_ms: i64, believed_ms: i64, received_ms: i64, oldest_ms: i64) -> i64 {
    let is_possible = |time_ms: i64| {
        let ahead_ms = time_ms.saturating_sub(received_ms);
        (-oldest_ms..=MAX_AHEAD_MS).contains(&ahead_ms)
    };
    let corrected_ms = raw_ms.saturating_sub(believed_ms);
    if !is_possible(corrected_ms) && is_possible(raw_ms) { 0 } else { believed_ms }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW_MS: i64 = 1_795_219_200_000;
    const MINUTE_MS: i64 = 60_000;
    const RETENTION_MS: i64 = 30 * 86_400_000;

    /// The clock's place after reports every ten seconds, each with this offset; and how many reports that took.
    fn learned(ahead_ms: i64, reports: i64) -> Option<(i64, i64)> {
        let mut comparison = ClockComparison::default();
        (0..reports).find_map(|number| {
            let received_ms = NOW_MS + number * 10_000;
            let delay_ms = number * 37 % 3 * 700;
            let found = comparison.observe(received_ms - delay_ms + ahead_ms, received_ms, 0, RETENTION_MS);
            found.map(|found_ms| (found_ms, number + 1))
        })
    }

    #[test]
    fn a_steady_offset_is_learned_from_several_reports() {
        let weeks_ms = 1_024 * 7 * 86_400_000;
        let cases = [
            ("three minutes ahead", 3 * MINUTE_MS, 3),
            ("95 minutes ahead", 95 * MINUTE_MS, 3),
            ("1024 weeks behind", -weeks_ms, 3),
            ("seconds since 2001", -978_307_200_000, 3),
            ("an hour behind", -60 * MINUTE_MS, 7),
        ];
        for (what, ahead_ms, reports) in cases {
            let (found_ms, after) = learned(ahead_ms, 20).unwrap_or_else(|| panic!("{what} is learned"));
            assert!(found_ms.abs_diff(ahead_ms) < 1_500, "{what}: {found_ms}");
            assert_eq!(after, reports, "{what}");
        }
    }

    #[test]
    fn a_clock_that_is_near_enough_is_left_alone() {
        for ahead_ms in [0, 1_000, -59_000, 120_000, -30_000] {
            assert_eq!(learned(ahead_ms, 40), None, "{ahead_ms}");
        }
    }

    #[test]
    fn a_backlog_teaches_nothing() {
        let mut comparison = ClockComparison::default();
        // Two hours without a network, a point every ten seconds, sent ten a second.
        for number in 0..720 {
            let raw_ms = NOW_MS - 720 * 10_000 + number * 10_000;
            assert_eq!(comparison.observe(raw_ms, NOW_MS + number * 100, 0, RETENTION_MS), None, "in order");
        }
        let mut comparison = ClockComparison::default();
        for number in (0..7_200).rev() {
            let raw_ms = NOW_MS - 7_200_000 + number * 1_000;
            assert_eq!(comparison.observe(raw_ms, NOW_MS + 7_200_000 - number, 0, RETENTION_MS), None, "newest first");
        }
        let mut comparison = ClockComparison::default();
        for number in 0..7_200 {
            let raw_ms = NOW_MS - 7_200_000 + number * 1_000;
            assert_eq!(comparison.observe(raw_ms, NOW_MS + number * 50, 0, RETENTION_MS), None, "every second");
        }
    }

    #[test]
    fn the_same_reading_again_and_one_odd_time_prove_nothing() {
        let mut comparison = ClockComparison::default();
        for number in 0..50 {
            let ahead_ms = 5 * MINUTE_MS;
            assert_eq!(comparison.observe(NOW_MS + ahead_ms, NOW_MS + number * 10, 0, RETENTION_MS), None);
        }
        for number in 1..50 {
            let received_ms = NOW_MS + number * 10_000;
            let odd_ms = if number % 3 == 0 { 86_400_000 } else { 0 };
            assert_eq!(comparison.observe(received_ms + odd_ms, received_ms, 0, RETENTION_MS), None, "{number}");
        }
    }

    #[test]
    fn a_phone_that_reports_every_second_proves_a_delay_no_sooner_than_one_that_reports_rarely() {
        let mut comparison = ClockComparison::default();
        let found = (0..100).find_map(|second| {
            let received_ms = NOW_MS + second * 1_000;
            comparison.observe(received_ms - 60 * MINUTE_MS, received_ms, 0, RETENTION_MS).map(|found| (found, second))
        });
        assert_eq!(found, Some((-60 * MINUTE_MS, 60)));
    }

    #[test]
    fn a_clock_that_was_set_right_is_noticed() {
        let mut comparison = ClockComparison::default();
        let believed_ms = 95 * MINUTE_MS;
        for number in 0..5 {
            let received_ms = NOW_MS + number * 10_000;
            assert_eq!(comparison.observe(received_ms + believed_ms, received_ms, believed_ms, RETENTION_MS), None);
        }
        let found = (5..20).find_map(|number| {
            let received_ms = NOW_MS + number * 10_000;
            comparison.observe(received_ms, received_ms, believed_ms, RETENTION_MS)
        });
        assert_eq!(found, Some(0));
    }

    #[test]
    fn a_reading_is_dated_by_the_clock_that_makes_its_time_possible() {
        let weeks_ms = 1_024 * 7 * 86_400_000;
        let cases = [
            (NOW_MS + 3 * MINUTE_MS, 3 * MINUTE_MS, 3 * MINUTE_MS, "as believed"),
            (NOW_MS - 57 * MINUTE_MS, 3 * MINUTE_MS, 3 * MINUTE_MS, "an hour old"),
            (NOW_MS - weeks_ms, -weeks_ms, -weeks_ms, "as believed"),
            (NOW_MS - MINUTE_MS, -weeks_ms, 0, "the clock was set right"),
            (NOW_MS + weeks_ms, -weeks_ms, -weeks_ms, "impossible either way"),
            (NOW_MS, 0, 0, "no offset"),
        ];
        for (raw_ms, believed_ms, expected_ms, what) in cases {
            assert_eq!(ahead_of_reading_ms(raw_ms, believed_ms, NOW_MS, RETENTION_MS), expected_ms, "{what}");
        }
    }

    proptest! {
        #[test]
        fn no_times_make_it_panic(
            reports in prop::collection::vec((any::<i64>(), any::<i64>(), any::<i64>()), 0..30),
        ) {
            let mut comparison = ClockComparison::default();
            for (raw_ms, received_ms, believed_ms) in reports {
                let _ = comparison.observe(raw_ms, received_ms, believed_ms, RETENTION_MS);
                let _ = ahead_of_reading_ms(raw_ms, believed_ms, received_ms, RETENTION_MS);
            }
        }

        #[test]
        fn what_is_learned_makes_live_readings_possible(ahead_ms in -900_000_000_000i64..900_000_000_000) {
            if let Some((found_ms, _)) = learned(ahead_ms, 20) {
                let raw_ms = NOW_MS + ahead_ms;
                let dated_ms = raw_ms - ahead_of_reading_ms(raw_ms, found_ms, NOW_MS, RETENTION_MS);
                prop_assert!(dated_ms.abs_diff(NOW_MS) < 1_500, "{dated_ms}");
            } else {
                prop_assert!((-MAX_BEHIND_MS - 1_500..=MAX_AHEAD_MS + 1_500).contains(&ahead_ms));
            }
        }
    }
}
