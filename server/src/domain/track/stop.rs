//! Detects that a courier stands still.
//!
//! Pure. Pace and the watch over the fleet depend on it.

use doorstep_shared::{LatLon, geo::geofence::Geofence};

/// A courier who stays within this circle is not going anywhere; GPS noise in a street canyon is about that.
pub(super) const RADIUS_M: f64 = 35.0;

/// They must stay this long, so that a red light is no stop.
const MIN_STAY_MS: i64 = 120_000;

/// Watches for a stay.
#[derive(Clone, Debug, Default)]
pub struct StopDetector {
    anchor: Option<(i64, LatLon)>,
    last_ms: i64,
}

impl StopDetector {
    /// Notes where the courier is; times go up.
    pub fn observe(&mut self, time_ms: i64, point: LatLon) {
        self.last_ms = time_ms;
        let stays = |centre| Geofence { centre, radius_m: RADIUS_M }.contains(point);
        if !self.anchor.is_some_and(|(_, centre)| stays(centre)) {
            self.anchor = Some((time_ms, point));
        }
    }

    /// Since when the courier has been standing, Unix epoch milliseconds; `None` while they move.
    pub fn stationary_since_ms(&self) -> Option<i64> {
        let (since_ms, _) = self.anchor?;
        (self.last_ms.saturating_sub(since_ms) >= MIN_STAY_MS).then_some(since_ms)
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::geo::distance::destination;

    use super::*;
    use crate::domain::track::tests::start;

    #[test]
    fn two_minutes_on_one_spot_are_a_stop_and_driving_on_ends_it() {
        let mut stop = StopDetector::default();
        for second in 0..=120 {
            let wobble = destination(start(), f64::from(second) * 40.0, 9.0);
            stop.observe(i64::from(second) * 1_000, wobble);
            assert_eq!(stop.stationary_since_ms().is_some(), second >= 120, "after {second} s");
        }
        stop.observe(121_000, destination(start(), 0.0, 80.0));
        assert_eq!(stop.stationary_since_ms(), None);
    }
}
