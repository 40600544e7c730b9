//! The time that is left until the door, as an expectation and a scale of its error.
//!
//! It adds up what lies ahead: streets, waits, approaches and stays, each as [`crate::learned`] knows it, and what the
//! courier's own last half hour says of their pace. How far the sum may be wrong grows with each part; the scale is only
//! the yardstick by which [`crate::range`] compares deliveries, and need not be exact.

use std::collections::VecDeque;

use doorstep_shared::Vehicle;

use crate::{
    learned::{Door, Learned, PlaceKey},
    local_time::LocalTime,
    way::Seconds,
};

/// A part of what lies ahead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    /// Streets, in the router's seconds.
    Drive(Seconds),
    /// A wait at a pickup, of which this much is over, in seconds.
    Wait {
        /// Where.
        place: PlaceKey,
        /// Seconds since the courier came.
        waited_s: f64,
    },
    /// From the street beside the door to the door.
    Approach {
        /// What kind of door.
        door: Door,
        /// Seconds since the courier was beside it.
        passed_s: f64,
    },
    /// From arriving at another customer's door to leaving it.
    Stay {
        /// What kind of door.
        door: Door,
        /// How many parcels.
        parcels: u32,
        /// How long it takes in seconds, where the order says so.
        stated_s: Option<f64>,
        /// Seconds since the courier came.
        stayed_s: f64,
    },
}

/// How a courier drives at the moment, against what was expected of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pace {
    /// When, expected seconds and seconds taken, of stretches driven lately.
    stretches: VecDeque<(i64, f64, f64)>,
}

/// Older stretches say nothing of the traffic here and now.
const PACE_WINDOW_MS: i64 = 40 * 60_000;
const MOST_STRETCHES: usize = 120;

/// Before a courier's own pace counts half, they have driven this many seconds.
const PACE_PRESUMED_S: f64 = 400.0;

impl Pace {
    /// Notes a stretch that was expected to take `expected_s` and took `took_s`. Standing still longer than at any light
    /// is no pace: callers leave it out.
    pub fn note(&mut self, at_ms: i64, expected_s: f64, took_s: f64) {
        self.stretches.push_back((at_ms, expected_s, took_s));
        while self.stretches.len() > MOST_STRETCHES
            || self.stretches.front().is_some_and(|(before_ms, ..)| at_ms - before_ms > PACE_WINDOW_MS)
        {
            self.stretches.pop_front();
        }
    }

    /// The factor on what is expected of anybody now.
    pub fn factor(&self) -> f64 {
        let (expected_s, took_s) = self
            .stretches
            .iter()
            .fold((0.0, 0.0), |(expected, took), stretch| (expected + stretch.1, took + stretch.2));
        ((took_s + PACE_PRESUMED_S) / (expected_s + PACE_PRESUMED_S)).clamp(0.5, 2.0)
    }

    /// How much of what is unknown about the courier is known by now, 0 to 1.
    fn certainty(&self) -> f64 {
        let expected_s: f64 = self.stretches.iter().map(|stretch| stretch.1).sum();
        expected_s / (expected_s + PACE_PRESUMED_S)
    }
}

/// What is expected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Seconds until the courier is at the door.
    pub expected_s: f64,
    /// The yardstick for its error, in seconds; above zero.
    pub scale_s: f64,
}

/// What is left of a wait, a stay or an approach of which `passed_s` are over, and its spread, both in seconds.
///
/// Such times follow a log-logistic distribution well, and its tail has the property that everybody knows from queues: the
/// longer it lasted already, the longer it will. `spread` is the standard deviation of its logarithm.
fn left_s(usual_s: f64, passed_s: f64, spread: f64) -> (f64, f64) {
    let steepness = 1.702 / spread;
    // The share of waits that last longer than what is over already.
    let longer = 1.0 / (1.0 + (passed_s.max(0.0) / usual_s.max(10.0)).powf(steepness));
    let lasts_s = |share: f64| usual_s.max(10.0) * (1.0 / (longer * share).max(1e-12) - 1.0).powf(1.0 / steepness);
    ((lasts_s(0.5) - passed_s).max(1.0), (lasts_s(0.16) - lasts_s(0.84)) / 2.0)
}

/// The time until a courier has done all `parts`.
pub fn forecast(
    parts: impl IntoIterator<Item = Part>,
    vehicle: Vehicle,
    learned: &Learned,
    pace: &Pace,
    (local, now_ms): (LocalTime, i64),
) -> Forecast {
    let factors = learned.drive_factors(vehicle, local, now_ms);
    let (mut expected_s, mut driven_s, mut square) = (0.0, 0.0, 0.0);
    for part in parts {
        let (seconds, spread_s) = match part {
            Part::Drive(seconds) => {
                let seconds = Learned::driven_s(seconds, &factors);
                driven_s += seconds;
                // Lights and queues add up like coin tosses.
                (seconds * pace.factor(), (7.0 * seconds).sqrt())
            }
            Part::Wait { place, waited_s } => left_s(learned.wait_s(place, local, now_ms), waited_s, 0.55),
            Part::Approach { door, passed_s } => left_s(learned.approach_s(door, vehicle, now_ms), passed_s, 0.5),
            Part::Stay { door, parcels, stated_s, stayed_s } => {
                let expected_s = stated_s.unwrap_or_else(|| learned.stay_s(door, parcels, now_ms));
                left_s(expected_s, stayed_s, 0.45)
            }
        };
        expected_s += seconds;
        square += spread_s * spread_s;
    }
    // What is wrong about the pace of one street is wrong about all of them.
    let pace_s = driven_s * (0.16 - 0.08 * pace.certainty());
    Forecast { expected_s, scale_s: (square + pace_s * pace_s + 12.0 * 12.0).sqrt() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::way::tests::start;

    const NOW_MS: i64 = 1_795_818_600_000;

    fn of(parts: &[Part], pace: &Pace) -> Forecast {
        let when = (LocalTime::new(NOW_MS, 0), NOW_MS);
        forecast(parts.iter().copied(), Vehicle::Scooter, &Learned::default(), pace, when)
    }

    fn drive(seconds: f64) -> Part {
        Part::Drive(Seconds([0.0, seconds, 0.0, 0.0]))
    }

    #[test]
    fn a_courier_who_is_slow_today_is_expected_later() {
        let mut slow = Pace::default();
        (0..20).for_each(|minute| slow.note(NOW_MS + minute * 60_000, 60.0, 90.0));
        let (usual, today) = (of(&[drive(600.0)], &Pace::default()), of(&[drive(600.0)], &slow));
        assert!(today.expected_s > usual.expected_s * 1.3, "{today:?}");
        assert!(today.scale_s < usual.scale_s * 1.05, "and it is known better");
    }

    #[test]
    fn a_wait_that_lasts_is_not_over_any_moment() {
        let place = PlaceKey::of(start());
        let left = |waited_s| of(&[Part::Wait { place, waited_s }], &Pace::default()).expected_s;
        assert!(left(0.0) > left(120.0) && left(120.0) > 60.0);
        assert!(left(600.0) > 90.0 && left(1_200.0) > left(600.0), "{} {}", left(600.0), left(1_200.0));
    }

    proptest! {
        #[test]
        fn more_ahead_takes_longer_and_is_less_certain(
            drives in prop::collection::vec(1.0f64..3_000.0, 1..8), more_s in 1.0f64..3_000.0,
        ) {
            let mut parts: Vec<_> = drives.into_iter().map(drive).collect();
            let less = of(&parts, &Pace::default());
            parts.extend([drive(more_s), Part::Stay { door: Door::Flat, parcels: 3, stated_s: None, stayed_s: 0.0 }]);
            let more = of(&parts, &Pace::default());
            prop_assert!(more.expected_s > less.expected_s && more.scale_s > less.scale_s);
        }

        #[test]
        fn the_end_is_always_ahead(waited_s in 0.0f64..1e6, passed_s in 0.0f64..1e6) {
            let parts = [
                Part::Wait { place: PlaceKey::of(start()), waited_s },
                Part::Approach { door: Door::House, passed_s },
            ];
            let forecast = of(&parts, &Pace::default());
            prop_assert!(forecast.expected_s > 0.0 && forecast.scale_s > 0.0);
            prop_assert!(forecast.expected_s.is_finite() && forecast.scale_s.is_finite());
        }
    }
}
