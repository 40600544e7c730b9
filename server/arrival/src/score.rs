//! What was told, against what came.
//!
//! A delivery is scored at fixed horizons: the range that a customer had 1, 3, 5, 10, 15 and 30 minutes before the courier
//! stood at the door. The same rows recalibrate the ranges to come ([`crate::range`]) and make the tables that people read.

/// How long before the arrival a range is scored, in minutes.
pub const HORIZONS_MIN: [u32; 6] = [1, 3, 5, 10, 15, 30];

/// The share of arrivals that a range is meant to hold.
pub const COVERAGE: f64 = 0.8;

/// What is going on, as far as it changes how wrong an estimate may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Situation {
    /// On the way to the door, with nothing in between.
    Direct,
    /// The goods are still to be collected.
    BeforePickup,
    /// Other customers come first.
    BehindStops,
}

impl Situation {
    /// Every situation.
    pub const ALL: [Self; 3] = [Self::Direct, Self::BeforePickup, Self::BehindStops];

    /// The situation of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|situation| situation.as_str() == word)
    }

    /// What tables and programs call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::BeforePickup => "before_pickup",
            Self::BehindStops => "behind_stops",
        }
    }
}

/// A range that a customer was told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Told {
    /// When, Unix epoch milliseconds.
    pub at_ms: i64,
    /// Its early end, Unix epoch milliseconds.
    pub earliest_ms: i64,
    /// What is expected, within the range, Unix epoch milliseconds.
    pub expected_ms: i64,
    /// Its late end, Unix epoch milliseconds.
    pub latest_ms: i64,
    /// What was expected when the range moved last, Unix epoch milliseconds.
    pub forecast_ms: i64,
    /// The yardstick of its error, in seconds.
    pub scale_s: f64,
    /// What was going on.
    pub situation: Situation,
}

/// A told range with what came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// How long before the arrival it stood, in minutes.
    pub horizon_min: u32,
    /// The range as it was read at that moment.
    pub told: Told,
    /// When the courier was at the door, Unix epoch milliseconds.
    pub arrived_ms: i64,
}

/// The ranges that stood at each horizon before `arrived_ms`. `told` is in the order of time.
pub fn at_horizons(told: &[Told], arrived_ms: i64) -> Vec<Scored> {
    let stood = HORIZONS_MIN.into_iter().filter_map(|horizon_min| {
        let at_ms = arrived_ms - i64::from(horizon_min) * 60_000;
        let told = told.iter().rev().find(|told| told.at_ms <= at_ms)?;
        Some(Scored { horizon_min, told: told.read_at(at_ms), arrived_ms })
    });
    stood.collect()
}

impl Told {
    /// The range as it reads at a moment: nobody is told that a courier may come in the past.
    pub fn read_at(self, at_ms: i64) -> Self {
        let earliest_ms = self.earliest_ms.max(at_ms);
        let latest_ms = self.latest_ms.max(earliest_ms);
        Self { earliest_ms, latest_ms, expected_ms: self.expected_ms.clamp(earliest_ms, latest_ms), ..self }
    }
}

impl Scored {
    /// How far the arrival was from the forecast, measured by its scale.
    pub fn residual(&self) -> f64 {
        (self.arrived_ms - self.told.forecast_ms) as f64 / 1_000.0 / self.told.scale_s.max(1.0)
    }

    /// The courier came before the range.
    pub const fn is_early(&self) -> bool {
        self.arrived_ms < self.told.earliest_ms
    }

    /// The courier came after it.
    pub const fn is_late(&self) -> bool {
        self.arrived_ms > self.told.latest_ms
    }

    /// Width and, outside of it, ten times the distance to it, in seconds: the proper score of an 80 % range.
    pub fn interval_score_s(&self) -> f64 {
        let penalty = 2.0 / (1.0 - COVERAGE);
        let outside_ms = (self.told.earliest_ms - self.arrived_ms).max(self.arrived_ms - self.told.latest_ms).max(0);
        self.width_s() + penalty * outside_ms as f64 / 1_000.0
    }

    /// From end to end, in seconds.
    pub fn width_s(&self) -> f64 {
        (self.told.latest_ms - self.told.earliest_ms) as f64 / 1_000.0
    }
}

/// Figures over many told ranges.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// How many.
    pub n: u64,
    /// How many arrivals were inside, before and after their range.
    pub inside: u64,
    /// Before.
    pub early: u64,
    /// After.
    pub late: u64,
    width_s: f64,
    error_s: f64,
    absolute_error_s: f64,
    interval_score_s: f64,
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, scored: &Scored) {
        let error_s = (scored.arrived_ms - scored.told.expected_ms) as f64 / 1_000.0;
        self.n += 1;
        self.early += u64::from(scored.is_early());
        self.late += u64::from(scored.is_late());
        self.inside += u64::from(!scored.is_early() && !scored.is_late());
        self.width_s += scored.width_s();
        self.error_s += error_s;
        self.absolute_error_s += error_s.abs();
        self.interval_score_s += scored.interval_score_s();
    }

    fn mean(&self, sum: f64) -> f64 {
        if self.n == 0 { 0.0 } else { sum / self.n as f64 }
    }

    /// The share inside, 0 to 1.
    pub fn inside_ratio(&self) -> f64 {
        self.mean(self.inside as f64)
    }

    /// The share that came before their range, 0 to 1.
    pub fn early_ratio(&self) -> f64 {
        self.mean(self.early as f64)
    }

    /// The mean width in seconds.
    pub fn mean_width_s(&self) -> f64 {
        self.mean(self.width_s)
    }

    /// By how much couriers came later than expected on average, in seconds.
    pub fn bias_s(&self) -> f64 {
        self.mean(self.error_s)
    }

    /// The mean absolute error in seconds.
    pub fn mean_absolute_error_s(&self) -> f64 {
        self.mean(self.absolute_error_s)
    }

    /// The mean interval score in seconds; less is better.
    pub fn mean_interval_score_s(&self) -> f64 {
        self.mean(self.interval_score_s)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(at_min: i64, earliest_min: i64, latest_min: i64) -> Told {
        Told {
            at_ms: at_min * 60_000,
            earliest_ms: earliest_min * 60_000,
            expected_ms: (earliest_min + latest_min) * 30_000,
            latest_ms: latest_min * 60_000,
            forecast_ms: (earliest_min + latest_min) * 30_000,
            scale_s: 60.0,
            situation: Situation::Direct,
        }
    }

    #[test]
    fn each_horizon_is_scored_by_the_range_that_stood_then() {
        let scored = at_horizons(&[told(0, 10, 20), told(12, 15, 18)], 20 * 60_000);
        let horizons: Vec<_> = scored.iter().map(|scored| (scored.horizon_min, scored.is_late())).collect();
        assert_eq!(horizons, [(1, true), (3, true), (5, true), (10, false), (15, false)]);
    }

    #[test]
    fn a_courier_who_comes_before_the_range_was_early() {
        let scored = at_horizons(&[told(0, 10, 20)], 7 * 60_000)[0];
        assert!(scored.is_early() && !scored.is_late());
        assert!((scored.interval_score_s() - (600.0 + 10.0 * 180.0)).abs() < 1e-6);
        let mut tally = Tally::default();
        tally.add(&scored);
        assert_eq!((tally.n, tally.early, tally.inside), (1, 1, 0));
        assert!((tally.bias_s() + 480.0).abs() < 1e-6 && (tally.mean_absolute_error_s() - 480.0).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn no_range_is_read_with_an_end_in_the_past(at_min in 0i64..100, earliest in 0i64..50, width in 0i64..50) {
            let read = told(0, earliest, earliest + width).read_at(at_min * 60_000);
            prop_assert!(read.earliest_ms >= at_min * 60_000 && read.latest_ms >= read.earliest_ms);
        }
    }
}
