//! Picks the readings to record: at the server's pace, once each, and with a time that holds.

use doorstep_shared::{LatLon, RawFix, geo::distance::haversine_m, protocol::courier::Pace};

use super::Reading;

/// A phone that stands still is heard this often all the same, so that dispatch does not take it for silent.
const KEEP_ALIVE_MS: i64 = 30_000;

/// A reading dated further from the phone's own clock than this is an old one, or its clock and the phone's differ.
const CREDIBLE_MS: i64 = 60_000;

/// What is dated further back than this cannot be old, only dated wrong: some chips count from the wrong epoch, or a
/// week of 1 024 off.
const OLDEST_MS: i64 = 24 * 3_600_000;

/// Two readings in a row that differ from the phone's clock by the same, give or take this, come from another clock.
const SAME_OFFSET_MS: i64 = 2_000;

/// Readings that waited together in a sleeping page come closer upon each other than this, and prove nothing by it.
const APART_MS: i64 = 500;

/// How long after its time a reading that came too early a newer one may still replace it.
const HELD_MS: i64 = 1_500;

/// Picks what to record.
#[derive(Clone, Debug)]
pub struct Sampler {
    pace: Pace,
    last: Option<RawFix>,
    /// When the last one was recorded, by the corrected clock: a reading that was held is older than that.
    paced_ms: i64,
    /// The newest reading that came too early. It counts when nothing newer follows: phones that report only what moves
    /// say nothing more once they have arrived.
    held: Option<RawFix>,
    /// The last reading that seemed old, its time and the phone's.
    odd: Option<(i64, i64)>,
    /// What to add to the phone's clock.
    clock_shift_ms: i64,
}

impl Sampler {
    /// Records everything until a pace is known.
    pub fn new(pace: Pace) -> Self {
        Self { pace, last: None, paced_ms: 0, held: None, odd: None, clock_shift_ms: 0 }
    }

    /// The pace in force.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Keeps to another pace from the next reading on.
    pub fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// What is added to the phone's clock.
    pub fn clock_shift_ms(&self) -> i64 {
        self.clock_shift_ms
    }

    /// Corrects the phone's clock from now on. What was recorded by the wrong clock is no measure for it.
    pub fn set_clock_shift(&mut self, shift_ms: i64) {
        if shift_ms != self.clock_shift_ms {
            self.clock_shift_ms = shift_ms;
            self.restart();
        }
    }

    /// When a reading that comes at `date_ms` by the phone's clock was taken, by the same clock; `None` when it is an old
    /// one, which phones hand out from memory and sleeping pages after they wake: the courier is not there any more.
    pub fn date(&mut self, date_ms: i64, read_ms: i64) -> Option<i64> {
        let offset_ms = read_ms - date_ms;
        if offset_ms.abs() <= CREDIBLE_MS {
            self.odd = None;
            return Some(read_ms);
        }
        if !(-OLDEST_MS..0).contains(&offset_ms) {
            return Some(date_ms);
        }
        let Some((odd_read_ms, odd_date_ms)) = self.odd else {
            self.odd = Some((read_ms, date_ms));
            return None;
        };
        if (0..APART_MS).contains(&(date_ms - odd_date_ms)) {
            return None;
        }
        self.odd = Some((read_ms, date_ms));
        let is_other_clock =
            read_ms != odd_read_ms && (offset_ms - (odd_read_ms - odd_date_ms)).abs() <= SAME_OFFSET_MS;
        is_other_clock.then_some(date_ms)
    }

    /// The position to record for a reading taken at `read_ms`, if it is due. Nothing is dated before `since_ms`, when
    /// sharing began; both are by the phone's clock.
    pub fn take(&mut self, read_ms: i64, since_ms: i64, battery: Option<f32>, reading: &Reading) -> Option<RawFix> {
        let fix = RawFix {
            time_ms: read_ms.max(since_ms) + self.clock_shift_ms,
            lat: reading.lat,
            lon: reading.lon,
            accuracy_m: Some(reading.accuracy_m),
            speed_mps: reading.speed_mps,
            heading_deg: reading.heading_deg,
            altitude_m: reading.altitude_m,
            battery,
        };
        let Some(last) = &self.last else { return Some(self.record(fix)) };
        if !is_news(last, &fix) {
            return None;
        }
        let interval_ms = self.interval_ms();
        // Phones that read once a second do so every 990 or 1 010 ms.
        let is_time = (fix.time_ms - self.paced_ms).abs() >= interval_ms - (interval_ms / 5).min(250);
        if is_time && self.is_worth(last, &fix) {
            return Some(self.record(fix));
        }
        self.held = Some(fix);
        None
    }

    /// The reading that was held, when its time has come and nothing newer did.
    pub fn take_held(&mut self, date_ms: i64) -> Option<RawFix> {
        let now_ms = date_ms + self.clock_shift_ms;
        let (last, held) = (self.last.as_ref()?, self.held.as_ref()?);
        if now_ms < self.held_until_ms() || !self.is_worth(last, held) {
            return None;
        }
        let fix = self.held.take()?;
        self.record(fix.clone());
        self.paced_ms = now_ms;
        Some(fix)
    }

    /// How long from now [`Self::take_held`] may have something.
    pub fn held_for_ms(&self, date_ms: i64) -> Option<i64> {
        let (last, held) = (self.last.as_ref()?, self.held.as_ref()?);
        self.is_worth(last, held).then(|| (self.held_until_ms() - self.clock_shift_ms - date_ms).max(0))
    }

    /// Begins anew: the next reading counts whatever came before.
    pub fn restart(&mut self) {
        (self.last, self.held) = (None, None);
    }

    fn record(&mut self, fix: RawFix) -> RawFix {
        (self.paced_ms, self.held) = (fix.time_ms, None);
        self.last.insert(fix).clone()
    }

    fn interval_ms(&self) -> i64 {
        i64::try_from(self.pace.interval_ms).unwrap_or(KEEP_ALIVE_MS)
    }

    fn held_until_ms(&self) -> i64 {
        let interval_ms = self.interval_ms();
        self.paced_ms + interval_ms + (interval_ms / 2).min(HELD_MS)
    }

    fn is_worth(&self, last: &RawFix, fix: &RawFix) -> bool {
        (fix.time_ms - last.time_ms).abs() >= KEEP_ALIVE_MS || self.is_far(last, fix)
    }

    fn is_far(&self, last: &RawFix, fix: &RawFix) -> bool {
        let points = (LatLon::try_new(last.lat, last.lon), LatLon::try_new(fix.lat, fix.lon));
        let (Ok(from), Ok(to)) = points else { return true };
        haversine_m(from, to) >= f64::from(self.pace.min_distance_m)
    }
}

/// Not the same reading again, nor one from before; a clock that was put back by more than a little starts anew.
fn is_news(last: &RawFix, fix: &RawFix) -> bool {
    !(-CREDIBLE_MS..=0).contains(&(fix.time_ms - last.time_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_795_219_200_000;

    fn reading(after_ms: i64, east_m: f64) -> Reading {
        Reading {
            time_ms: NOW_MS + after_ms,
            lat: 35.9,
            lon: 14.5 + east_m / 90_160.0,
            accuracy_m: 6.0,
            speed_mps: None,
            heading_deg: None,
            altitude_m: None,
        }
    }

    fn sampler(interval_ms: u64, min_distance_m: u32) -> Sampler {
        Sampler::new(Pace { interval_ms, min_distance_m, reason: None })
    }

    /// The moments, after the first, of what is recorded out of these readings.
    fn recorded(sampler: &mut Sampler, readings: impl IntoIterator<Item = Reading>) -> Vec<i64> {
        let take = |reading: Reading| sampler.take(reading.time_ms, 0, None, &reading);
        readings.into_iter().filter_map(take).map(|fix| fix.time_ms - NOW_MS).collect()
    }

    #[test]
    fn readings_are_thinned_to_the_pace() {
        let driving =
            |seconds: i64| (0..seconds).map(|second| reading(second * 1_000 + second % 3 * 15, second as f64 * 8.0));
        assert_eq!(recorded(&mut sampler(1_000, 0), driving(10)).len(), 10);
        assert_eq!(recorded(&mut sampler(5_000, 0), driving(60)).len(), 12);
        assert_eq!(recorded(&mut sampler(30_000, 0), driving(120)).len(), 4);
    }

    #[test]
    fn a_phone_that_stands_still_is_heard_every_half_minute() {
        let standing = (0..=90).map(|second| reading(second * 1_000, 0.0));
        assert_eq!(recorded(&mut sampler(1_000, 5), standing), [0, 30_000, 60_000, 90_000]);
    }

    #[test]
    fn a_faster_pace_is_obeyed_with_the_next_reading() {
        let mut sampler = sampler(30_000, 0);
        assert_eq!(recorded(&mut sampler, [reading(0, 0.0), reading(2_000, 0.0)]), [0]);
        sampler.set_pace(Pace { interval_ms: 1_000, min_distance_m: 0, reason: None });
        assert_eq!(recorded(&mut sampler, [reading(3_000, 0.0)]), [3_000]);
    }

    #[test]
    fn the_last_reading_before_a_stop_counts_although_it_came_too_early() {
        let mut sampler = sampler(5_000, 5);
        assert_eq!(recorded(&mut sampler, [reading(0, 0.0), reading(2_000, 40.0)]), [0]);
        assert_eq!((sampler.held_for_ms(NOW_MS + 2_000), sampler.take_held(NOW_MS + 6_499)), (Some(4_500), None));
        let held = sampler.take_held(NOW_MS + 6_500).map(|fix| fix.time_ms - NOW_MS);
        assert_eq!((held, sampler.held_for_ms(NOW_MS)), (Some(2_000), None));
        let early = recorded(&mut sampler, [reading(8_000, 80.0)]);
        assert!(early.is_empty(), "the pace counts from when it was recorded");
        assert_eq!(recorded(&mut sampler, [reading(12_000, 90.0)]), [12_000]);
    }

    #[test]
    fn a_phone_that_reads_all_the_time_never_sends_what_it_held() {
        let mut sampler = sampler(5_000, 0);
        for second in 0..60 {
            let reading = reading(second * 1_000, second as f64 * 8.0);
            sampler.take(reading.time_ms, 0, None, &reading);
            assert_eq!(sampler.take_held(NOW_MS + second * 1_000 + 900), None);
        }
    }

    #[test]
    fn the_same_moment_is_recorded_once() {
        let repeated = [reading(0, 0.0), reading(0, 50.0), reading(-500, 50.0)];
        assert_eq!(recorded(&mut sampler(0, 0), repeated), [0]);
    }

    #[test]
    fn a_reading_from_the_wrong_week_or_the_future_gets_the_phones_time() {
        for odd_ms in [1_175_000_000_000, NOW_MS + 61_000] {
            assert_eq!(sampler(0, 0).date(NOW_MS, odd_ms), Some(NOW_MS));
        }
        let fix = sampler(0, 0).take(NOW_MS, 0, Some(0.5), &reading(0, 0.0)).expect("the first is always recorded");
        assert_eq!((fix.time_ms, fix.battery), (NOW_MS, Some(0.5)));
    }

    #[test]
    fn where_somebody_was_three_minutes_ago_is_not_where_they_are() {
        let mut sampler = sampler(0, 0);
        assert_eq!(sampler.date(NOW_MS, NOW_MS - 180_000), None);
        assert_eq!(sampler.date(NOW_MS + 1_000, NOW_MS - 180_000), None, "the same again");
        assert_eq!(sampler.date(NOW_MS + 20_000, NOW_MS - 120_000), None, "another old one");
        assert_eq!(sampler.date(NOW_MS + 21_000, NOW_MS + 20_900), Some(NOW_MS + 20_900));
    }

    #[test]
    fn what_waited_in_a_sleeping_page_comes_all_at_once_and_is_old() {
        let mut sampler = sampler(0, 0);
        let waited = (0..5).filter_map(|second| sampler.date(NOW_MS + second, NOW_MS - 180_000 + second * 1_000));
        assert_eq!(waited.count(), 0);
    }

    #[test]
    fn a_receiver_whose_clock_is_another_one_gets_the_phones_time() {
        let mut sampler = sampler(0, 0);
        let dated: Vec<_> = (0..4)
            .filter_map(|second| sampler.date(NOW_MS + second * 1_000, NOW_MS - 600_000 + second * 1_000))
            .map(|time_ms| time_ms - NOW_MS)
            .collect();
        assert_eq!(dated, [1_000, 2_000, 3_000]);
    }

    #[test]
    fn nothing_is_dated_before_sharing_began() {
        let fix = sampler(0, 0).take(NOW_MS, NOW_MS + 200, None, &reading(0, 0.0)).expect("the first");
        assert_eq!(fix.time_ms, NOW_MS + 200);
    }

    #[test]
    fn a_wrong_clock_is_corrected() {
        let mut sampler = sampler(1_000, 0);
        recorded(&mut sampler, [reading(0, 0.0)]);
        sampler.set_clock_shift(-400_000);
        assert_eq!(recorded(&mut sampler, [reading(10_000, 0.0)]), [-390_000]);
    }
}
