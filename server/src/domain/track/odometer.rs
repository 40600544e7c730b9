//! How far a courier went, from their stored fixes, pure.
//!
//! What is kept off the map counts for nothing, and neither does what looks like moving on one spot: a way is measured
//! from circle to circle of the size within which [`super::stop`] says that a courier stands. That also makes one way
//! of what two devices report at once. Time off duty is left out, whatever lies between its ends.

use std::ops::Range;

use doorstep_shared::{Fix, LatLon, geo::distance::haversine_m};

use super::{filter::Filter, stop::RADIUS_M};

/// Measures a way, batch after batch of fixes.
#[derive(Clone, Debug, Default)]
pub struct Odometer {
    filter: Filter,
    /// Where the measured way ends.
    anchor: Option<LatLon>,
    last_ms: Option<i64>,
    metres: f64,
}

impl Odometer {
    /// Goes on with fixes that are newer than all before, oldest first; `off_duty` in Unix epoch milliseconds.
    pub fn go_on(&mut self, fixes: &[Fix], off_duty: &[Range<i64>]) {
        for fix in fixes {
            self.begin_anew_after(fix.recorded_at_ms(), off_duty);
            if self.filter.judge(fix).is_ok() {
                self.move_to(fix.point());
            }
        }
    }

    fn begin_anew_after(&mut self, time_ms: i64, off_duty: &[Range<i64>]) {
        let was_off = |last_ms: i64| off_duty.iter().any(|span| last_ms < span.end && span.start < time_ms);
        if self.last_ms.replace(time_ms).is_some_and(was_off) {
            (self.filter, self.anchor) = (Filter::default(), None);
        }
    }

    fn move_to(&mut self, point: LatLon) {
        let Some(anchor) = self.anchor else {
            self.anchor = Some(point);
            return;
        };
        let step_m = haversine_m(anchor, point);
        if step_m > RADIUS_M {
            self.metres += step_m;
            self.anchor = Some(point);
        }
    }

    /// The way so far.
    pub fn metres(&self) -> f64 {
        self.metres
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::geo::distance::destination;

    use super::*;
    use crate::domain::track::tests::{fix, start};

    fn measured(fixes: &[Fix], off_duty: &[Range<i64>]) -> f64 {
        let mut odometer = Odometer::default();
        fixes.chunks(7).for_each(|some| odometer.go_on(some, off_duty));
        odometer.metres()
    }

    fn ride(from_s: i64, seconds: i64, begin_m: f64) -> Vec<Fix> {
        let at = |second: i64| destination(start(), 90.0, begin_m + second as f64 * 5.0);
        (0..=seconds).map(|second| fix((from_s + second) * 1_000, at(second))).collect()
    }

    #[test]
    fn a_straight_ride_is_as_long_as_it_is() {
        let metres = measured(&ride(0, 400, 0.0), &[]);
        assert!((1_960.0..=2_000.5).contains(&metres), "{metres} m of 2 000");
    }

    #[test]
    fn standing_at_a_kitchen_is_no_way() {
        let wobble = |second: i64| destination(start(), (second * 77 % 360) as f64, (second % 15) as f64);
        let fixes: Vec<_> = (0..3_600).map(|second| fix(second * 1_000, wobble(second))).collect();
        assert_eq!(measured(&fixes, &[]), 0.0);
    }

    #[test]
    fn a_jump_of_the_receiver_adds_nothing() {
        let mut fixes = ride(0, 100, 0.0);
        fixes[50] = fix(50_000, destination(start(), 0.0, 9_000.0));
        let metres = measured(&fixes, &[]);
        assert!((460.0..=500.5).contains(&metres), "{metres} m of 500");
    }

    #[test]
    fn the_way_between_two_shifts_is_the_couriers_own() {
        let mut fixes = ride(0, 100, 0.0);
        fixes.extend(ride(4_000, 100, 6_000.0));
        let off_duty = std::iter::once(200_000..3_900_000).collect::<Vec<_>>();
        let (both, whole) = (measured(&fixes, &off_duty), measured(&fixes, &[]));
        assert!((920.0..=1_001.0).contains(&both), "{both} m of 1 000");
        assert!(whole > 6_000.0, "without time off a silence is ridden through: {whole} m");
    }
}
