//! Judges whether a courier with goods stands still away from their stops.
//!
//! Pure. [`super::stop`] detects the standstill itself; the watch over the fleet asks here whether it is an exception.

use doorstep_shared::{LatLon, geo::distance::haversine_m};

use super::verdict::Verdict;

/// Longer than any light, level crossing or ferry queue in town.
pub const STATIONARY_AFTER_MS: i64 = 8 * 60_000;

/// This near to one of their stops a courier is at work: looking for a place to park, waiting for a lift.
pub const AT_STOP_M: f64 = 120.0;

/// This far from where they stood they are on their way again. GPS moves less than that by itself between houses.
pub const MOVED_ON_M: f64 = 100.0;

/// An older position says nothing about now.
pub const KNOWN_FOR_MS: i64 = 3 * 60_000;

/// A courier's position and how they stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stand<'a> {
    /// The position.
    pub here: LatLon,
    /// Its accuracy in metres.
    pub accuracy_m: f64,
    /// When the last fix came in, Unix epoch milliseconds.
    pub heard_ms: i64,
    /// Since when they have not moved, if they stand still.
    pub still_since_ms: Option<i64>,
    /// They have picked something up.
    pub has_goods: bool,
    /// Their stops that are still open.
    pub stops: &'a [LatLon],
}

/// Since when a courier stands still for too long; `noticed_at` is the place of the exception that was noticed before,
/// if one was.
pub fn stationary(stand: &Stand<'_>, noticed_at: Option<LatLon>, now_ms: i64) -> Verdict<i64> {
    let reach_m = AT_STOP_M + stand.accuracy_m;
    if !stand.has_goods || stand.stops.iter().any(|stop| haversine_m(*stop, stand.here) <= reach_m) {
        return Verdict::Absent;
    }
    if now_ms.saturating_sub(stand.heard_ms) > KNOWN_FOR_MS {
        return Verdict::Unknown;
    }
    match (noticed_at, stand.still_since_ms) {
        (Some(place), _) if haversine_m(place, stand.here) - stand.accuracy_m > MOVED_ON_M => Verdict::Absent,
        (Some(_), since_ms) => since_ms.map_or(Verdict::Unknown, Verdict::Present),
        (None, since_ms) => since_ms.filter(|since_ms| now_ms.saturating_sub(*since_ms) >= STATIONARY_AFTER_MS).into(),
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::geo::distance::destination;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::track::tests::start;

    const NOW_MS: i64 = 1_795_219_200_000;

    fn standing(minutes: i64) -> Stand<'static> {
        Stand {
            here: start(),
            accuracy_m: 8.0,
            heard_ms: NOW_MS - 20_000,
            still_since_ms: Some(NOW_MS - minutes * 60_000),
            has_goods: true,
            stops: &[],
        }
    }

    #[test]
    fn only_a_courier_with_goods_who_stands_for_long_away_from_every_stop_is_noticed() {
        let (beside, away) = ([destination(start(), 40.0, 90.0)], [destination(start(), 40.0, 400.0)]);
        let still = standing(9);
        let cases = [
            ("nine minutes", still, Verdict::Present(NOW_MS - 9 * 60_000)),
            ("seven minutes", standing(7), Verdict::Absent),
            ("moving", Stand { still_since_ms: None, ..still }, Verdict::Absent),
            ("nothing on board", Stand { has_goods: false, ..still }, Verdict::Absent),
            ("at a stop", Stand { stops: &beside, ..still }, Verdict::Absent),
            ("far from the stop", Stand { stops: &away, ..still }, Verdict::Present(NOW_MS - 9 * 60_000)),
            ("not heard of", Stand { heard_ms: NOW_MS - KNOWN_FOR_MS - 1, ..still }, Verdict::Unknown),
        ];
        for (what, stand, expected) in cases {
            assert_eq!(stationary(&stand, None, NOW_MS), expected, "{what}");
        }
    }

    proptest! {
        #[test]
        fn noise_around_the_spot_neither_ends_it_nor_hides_that_they_left(bearing in 0.0f64..360.0, metres in 0.0f64..400.0) {
            let here = destination(start(), bearing, metres);
            let stand = Stand { here, still_since_ms: None, ..standing(20) };
            let verdict = stationary(&stand, Some(start()), NOW_MS);
            let left = metres > MOVED_ON_M + 8.5;
            let stayed = metres < MOVED_ON_M + 7.5;
            prop_assert!(!left || verdict == Verdict::Absent);
            prop_assert!(!stayed || verdict == Verdict::Unknown);
        }
    }
}
