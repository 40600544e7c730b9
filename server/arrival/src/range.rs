//! A range that holds four arrivals of five.
//!
//! How far arrivals were from what was told, measured by the scale of each forecast, is kept for every horizon and
//! situation. The ends of a range are quantiles of these residuals (conformal prediction): nothing is assumed of their
//! shape. Where they are few, those of other situations and a presumed distribution fill in. Only the newest count, so
//! that a range follows a city that changes. The samples are a set, so instances that read the same rows agree.

use std::collections::{BTreeSet, HashMap};

use crate::{
    forecast::Forecast,
    score::{HORIZONS_MIN, Scored, Situation},
};

/// The newest residuals that count, for each horizon and situation: the sampling error of a quantile is then a
/// percentage point or two, and a week-old city is forgotten in a week.
const MOST_SAMPLES: usize = 400;

/// What the presumed distribution weighs, in residuals, and what all residuals of other situations may weigh at most.
const PRESUMED_WEIGHT: f64 = 7.0;
const OTHERS_WEIGHT: f64 = 24.0;

/// Arrivals before and after a range, as shares. An early courier finds nobody at the door, so fewer of them; and a told
/// range rests while the fresh one moves, which costs a percentage point of each.
const EARLY: f64 = 0.085;
const LATE: f64 = 0.112;

/// A minute before the arrival a range that is nearly over is replaced by another, so that fewer arrivals come after it
/// than its quantile says.
const LATE_AT_ONE_MINUTE: f64 = 0.16;

/// A range rests for about this long after it was told, in seconds; it is read, and scored, with so much less time left.
const RESTS_S: f64 = 110.0;

/// But at least this share of the time is left then.
const LEAST_LEFT: f64 = 0.6;

/// No range is narrower: people read whole minutes, and a courier looks for the bell.
const LEAST_EARLY_S: f64 = 15.0;
const LEAST_LATE_S: f64 = 20.0;

/// The presumed residuals: a normal distribution with a longer late side.
const PRESUMED: [f64; 20] = [
    -1.84, -1.37, -1.10, -0.90, -0.72, -0.57, -0.42, -0.28, -0.14, -0.01, 0.11, 0.22, 0.35, 0.48, 0.63, 0.81, 1.02,
    1.29, 1.69, 2.55,
];

/// A residual with what makes it unique, in the order of time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sample {
    arrived_ms: i64,
    /// Tells two arrivals in the same millisecond apart.
    delivery: u128,
    residual: f64,
}

impl Eq for Sample {}

impl Ord for Sample {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.arrived_ms, self.delivery).cmp(&(other.arrived_ms, other.delivery))
    }
}

impl PartialOrd for Sample {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The residuals of former deliveries.
#[derive(Clone, Debug, Default)]
pub struct Calibration {
    samples: HashMap<(Situation, u32), BTreeSet<Sample>>,
    /// The ends for each situation and horizon, worked out again when residuals came.
    ends: HashMap<(Situation, u32), Ends>,
}

/// The ends of a range as multiples of the scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ends {
    /// The early end, mostly negative.
    pub early: f64,
    /// The late end, mostly positive.
    pub late: f64,
}

/// A range from now on, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Not before.
    pub earliest_s: f64,
    /// Expected.
    pub expected_s: f64,
    /// Not after.
    pub latest_s: f64,
}

impl Calibration {
    /// Takes in how a delivery went. The same delivery and horizon twice counts once.
    pub fn learn(&mut self, delivery: u128, scored: &Scored) {
        let key = (scored.told.situation, scored.horizon_min);
        let samples = self.samples.entry(key).or_default();
        samples.insert(Sample { arrived_ms: scored.arrived_ms, delivery, residual: scored.residual() });
        while samples.len() > MOST_SAMPLES {
            samples.pop_first();
        }
        self.ends.clear();
    }

    /// Works out the ends of all ranges. Call it after learning; without it ranges are worked out each time.
    pub fn settle(&mut self) {
        let keys = Situation::ALL.into_iter().flat_map(|situation| HORIZONS_MIN.map(|horizon| (situation, horizon)));
        self.ends =
            keys.map(|(situation, horizon)| ((situation, horizon), self.quantiles(situation, horizon))).collect();
    }

    /// The range around a forecast.
    pub fn range(&self, forecast: &Forecast, situation: Situation) -> Range {
        let Ends { early, late } = self.ends(situation, forecast.expected_s);
        let Forecast { expected_s, scale_s } = *forecast;
        let earliest_s = (expected_s + early * scale_s).min(expected_s - LEAST_EARLY_S).max(0.0);
        let latest_s = (expected_s + late * scale_s).max(expected_s + LEAST_LATE_S);
        Range { earliest_s, expected_s, latest_s }
    }

    /// The ends at this distance in time, between those of the horizons on either side.
    pub fn ends(&self, situation: Situation, expected_s: f64) -> Ends {
        let minutes = (read_at_s(expected_s) / 60.0).clamp(f64::from(HORIZONS_MIN[0]), 30.0);
        let above = HORIZONS_MIN.iter().position(|horizon| f64::from(*horizon) >= minutes).unwrap_or(0);
        let (near, far) = (HORIZONS_MIN[above.saturating_sub(1)], HORIZONS_MIN[above]);
        let (a, b) = (self.known_ends(situation, near), self.known_ends(situation, far));
        let span = (f64::from(far) / f64::from(near)).ln();
        let share = if span > 0.0 { (minutes / f64::from(near)).ln() / span } else { 0.0 };
        Ends { early: a.early + share * (b.early - a.early), late: a.late + share * (b.late - a.late) }
    }

    fn known_ends(&self, situation: Situation, horizon_min: u32) -> Ends {
        let known = self.ends.get(&(situation, horizon_min)).copied();
        known.unwrap_or_else(|| self.quantiles(situation, horizon_min))
    }

    fn quantiles(&self, situation: Situation, horizon_min: u32) -> Ends {
        let presumed_weight = PRESUMED_WEIGHT / PRESUMED.len() as f64;
        let mut weighed: Vec<(f64, f64)> = PRESUMED.map(|residual| (residual, presumed_weight)).to_vec();
        let of = |situation| self.samples.get(&(situation, horizon_min));
        let others: Vec<_> = Situation::ALL.into_iter().filter(|other| *other != situation).filter_map(of).collect();
        let count: usize = others.iter().map(|samples| samples.len()).sum();
        let share = (OTHERS_WEIGHT / count.max(1) as f64).min(0.5);
        weighed.extend(others.into_iter().flatten().map(|sample| (sample.residual, share)));
        weighed.extend(of(situation).into_iter().flatten().map(|sample| (sample.residual, 1.0)));
        weighed.sort_by(|a, b| a.0.total_cmp(&b.0));
        let late = if horizon_min == HORIZONS_MIN[0] { LATE_AT_ONE_MINUTE } else { LATE };
        Ends { early: quantile(&weighed, EARLY), late: quantile(&weighed, 1.0 - late) }
    }
}

/// The time that is left when a range is read that is told with `expected_s` left, in seconds.
fn read_at_s(expected_s: f64) -> f64 {
    (expected_s - RESTS_S).max(expected_s * LEAST_LEFT)
}

/// The quantile of weighed values, in their order, between the two values on either side.
fn quantile(weighed: &[(f64, f64)], share: f64) -> f64 {
    let total: f64 = weighed.iter().map(|(_, weight)| weight).sum();
    let wanted = share * total;
    let (mut sum, mut before) = (0.0, None);
    for (value, weight) in weighed {
        let middle = sum + weight / 2.0;
        if middle >= wanted {
            return match before {
                Some((at, known)) => known + (value - known) * (wanted - at) / (middle - at),
                None => *value,
            };
        }
        (before, sum) = (Some((middle, *value)), sum + weight);
    }
    weighed.last().map_or(0.0, |(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::score::Told;

    fn scored(horizon_min: u32, arrived_s: i64, error_s: f64) -> Scored {
        let arrived_ms = arrived_s * 1_000;
        let expected_ms = arrived_ms - (error_s * 1_000.0) as i64;
        let told = Told {
            at_ms: arrived_ms - i64::from(horizon_min) * 60_000,
            earliest_ms: 0,
            expected_ms,
            forecast_ms: expected_ms,
            latest_ms: 0,
            scale_s: 60.0,
            situation: Situation::Direct,
        };
        Scored { horizon_min, told, arrived_ms }
    }

    /// A range that is read ten minutes before the arrival.
    const TEN_MINUTES: Forecast = Forecast { expected_s: 600.0 + RESTS_S, scale_s: 60.0 };

    #[test]
    fn the_first_day_has_a_range_with_a_longer_late_side() {
        let range = Calibration::default().range(&TEN_MINUTES, Situation::Direct);
        assert!((-110.0..-30.0).contains(&(range.earliest_s - range.expected_s)), "{range:?}");
        assert!((55.0..120.0).contains(&(range.latest_s - range.expected_s)), "{range:?}");
    }

    #[test]
    fn a_range_learns_to_hold_four_of_five() {
        let mut calibration = Calibration::default();
        // Arrivals from a minute before to nine minutes after what is expected, evenly.
        let error_s = |n: i64| ((n * 37) % 100) as f64 * 6.0 - 60.0;
        (0..200).for_each(|n| calibration.learn(n as u128, &scored(10, n, error_s(n))));
        calibration.settle();
        let range = calibration.range(&TEN_MINUTES, Situation::Direct);
        let inside =
            (0..100).filter(|n| (range.earliest_s..range.latest_s).contains(&(range.expected_s + error_s(*n)))).count();
        assert!((77..=84).contains(&inside), "{inside} of 100 in {range:?}");
        let other = calibration.range(&TEN_MINUTES, Situation::BehindStops);
        assert!(other.latest_s > other.expected_s + 300.0, "it is a hint for other situations, too: {other:?}");
    }

    proptest! {
        #[test]
        fn rows_in_any_order_and_twice_make_the_same_range(
            errors in prop::collection::vec(-300.0f64..900.0, 1..80), by in 0usize..80, expected_s in 30.0f64..3_000.0,
        ) {
            let rows: Vec<_> = (0..).zip(&errors).map(|(n, error_s)| (n, scored(10, i64::from(n), *error_s))).collect();
            let (mut one, mut other) = (Calibration::default(), Calibration::default());
            rows.iter().for_each(|(n, row)| one.learn(u128::from(*n as u32), row));
            let by = by % rows.len();
            rows[by..].iter().chain(&rows).for_each(|(n, row)| other.learn(u128::from(*n as u32), row));
            other.settle();
            let forecast = Forecast { expected_s, scale_s: 60.0 };
            let range = one.range(&forecast, Situation::Direct);
            prop_assert_eq!(range, other.range(&forecast, Situation::Direct));
            prop_assert!(0.0 <= range.earliest_s && range.earliest_s <= range.expected_s && range.expected_s < range.latest_s);
        }
    }
}
