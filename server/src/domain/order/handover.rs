//! Judges whether an order was handed over far from its door.
//!
//! A phone that was offline sends its status before the positions around it, so the judgement waits until those had
//! time to come. One reading may be a mistake: the courier was far only if each of the few readings nearest in time was
//! far, and by more than its accuracy. Without a reading from those minutes the hand-over counts as near.

use doorstep_shared::{Fix, LatLon, geo::distance::haversine_m};

use crate::domain::track::filter::plausible_alone;

/// Farther than this is not the door, nor its yard, nor the far end of the car park.
pub const FAR_M: f64 = 150.0;

/// Only readings this near in time count, on either side.
pub const WITHIN_MS: i64 = 120_000;

/// A reading this near in time suffices; with a farther one the judgement waits for better ones.
const NEAR_IN_TIME_MS: i64 = 30_000;

/// The judgement always waits this long after the report, for positions to come.
pub const SETTLED_AFTER_MS: i64 = 10_000;

/// It waits this long when no reading is near in time.
pub const GIVEN_UP_AFTER_MS: i64 = 90_000;

/// How many readings have to agree, where there are as many.
const READINGS: usize = 3;

/// The accuracy of a reading that does not give one.
const ASSUMED_ACCURACY_M: f64 = 30.0;

/// Where an order was handed over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Handover {
    /// At its door, as far as the readings show.
    Near,
    /// Somewhere else.
    Far {
        /// Metres from the door.
        distance_m: f64,
        /// The courier's position.
        place: LatLon,
    },
    /// Ask again later: more positions may come.
    Undecided,
}

/// Judges a hand-over at `delivered_ms` by the courier's fixes around it, `waited_ms` after it was reported.
pub fn judge(door: LatLon, delivered_ms: i64, fixes: &[Fix], waited_ms: i64) -> Handover {
    let away_ms = |fix: &Fix| fix.recorded_at_ms().abs_diff(delivered_ms);
    let mut readings: Vec<&Fix> = fixes.iter().filter(|fix| plausible_alone(fix).is_ok()).collect();
    readings.retain(|fix| away_ms(fix) <= WITHIN_MS as u64);
    readings.sort_by_key(|fix| away_ms(fix));
    let is_sure = readings.first().is_some_and(|fix| away_ms(fix) <= NEAR_IN_TIME_MS as u64);
    if waited_ms < SETTLED_AFTER_MS || (!is_sure && waited_ms < GIVEN_UP_AFTER_MS) {
        return Handover::Undecided;
    }
    let beyond_m = |fix: &Fix| haversine_m(door, fix.point()) - fix.accuracy_m().map_or(ASSUMED_ACCURACY_M, f64::from);
    readings.truncate(READINGS);
    match readings.first() {
        Some(nearest) if readings.iter().all(|fix| beyond_m(fix) > FAR_M) => {
            Handover::Far { distance_m: haversine_m(door, nearest.point()), place: nearest.point() }
        }
        _ => Handover::Near,
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{RawFix, geo::distance::destination};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::track::tests::start as door;

    const DELIVERED_MS: i64 = 1_795_219_200_000;
    const LATER_MS: i64 = GIVEN_UP_AFTER_MS;

    /// A reading some seconds after the hand-over, some metres from the door.
    fn fix(after_s: i64, metres: f64, accuracy_m: f32) -> Fix {
        let point = destination(door(), 120.0, metres);
        let raw = RawFix {
            time_ms: DELIVERED_MS + after_s * 1_000,
            lat: point.lat(),
            lon: point.lon(),
            accuracy_m: Some(accuracy_m),
            ..RawFix::default()
        };
        Fix::try_new(&raw).expect("usable")
    }

    fn is_far(fixes: &[Fix]) -> bool {
        matches!(judge(door(), DELIVERED_MS, fixes, LATER_MS), Handover::Far { .. })
    }

    #[test]
    fn a_handover_is_far_when_every_near_reading_is_beyond_its_accuracy() {
        let cases: [(&str, &[Fix], bool); 8] = [
            ("at the door", &[fix(-2, 12.0, 8.0)], false),
            ("two streets away", &[fix(-2, 420.0, 8.0)], true),
            ("vague", &[fix(-2, 300.0, 160.0)], false),
            ("no reading", &[], false),
            ("an old reading", &[fix(-180, 900.0, 8.0)], false),
            ("one mistake", &[fix(-1, 4_000.0, 8.0), fix(-3, 20.0, 8.0), fix(-5, 20.0, 8.0)], false),
            ("rode away, then pressed", &[fix(-1, 300.0, 8.0), fix(-4, 280.0, 8.0), fix(-8, 260.0, 8.0)], true),
            ("useless for a map", &[fix(0, 900.0, 900.0)], false),
        ];
        for (what, fixes, expected) in cases {
            assert_eq!(is_far(fixes), expected, "{what}");
        }
    }

    #[test]
    fn the_judgement_waits_for_the_backlog_of_a_phone() {
        let before_the_tunnel = fix(-110, 900.0, 8.0);
        let early = judge(door(), DELIVERED_MS, &[before_the_tunnel], 20_000);
        assert_eq!(early, Handover::Undecided);
        let backlog = [before_the_tunnel, fix(-1, 10.0, 8.0)];
        assert_eq!(judge(door(), DELIVERED_MS, &backlog, 20_000), Handover::Near);
        assert_eq!(judge(door(), DELIVERED_MS, &backlog, 1_000), Handover::Undecided, "more may come");
    }

    proptest! {
        #[test]
        fn a_courier_at_the_door_is_never_accused(
            readings in prop::collection::vec((-120i64..120, 0.0f64..140.0, 0.0f32..300.0), 0..20), waited_s in 0i64..200,
        ) {
            let fixes: Vec<_> = readings.into_iter().map(|(after_s, metres, wrong_m)| fix(after_s, metres, wrong_m)).collect();
            let judged = judge(door(), DELIVERED_MS, &fixes, waited_s * 1_000);
            prop_assert!(!matches!(judged, Handover::Far { .. }), "{:?}", judged);
            prop_assert!(waited_s < 90 || judged == Handover::Near);
        }
    }
}
