//! One courier on the move: where on the way, how fast against what was expected, and since when they stand.
//!
//! Kept by whoever hears the courier's fixes; [`crate::estimate`] reads it.

use doorstep_shared::{LatLon, geo::distance::haversine_m};

use crate::{
    forecast::Pace,
    learned::Learned,
    on_way::{OnWay, Reading},
    way::{Rest, Way},
};

/// A pace is noted over stretches of at least this long, so that noise along the street averages out.
const STRETCH_MS: i64 = 20_000;

/// Standing longer than at any light is no pace.
const NO_PACE_MS: i64 = 75_000;

/// Within this many metres of where they stood they have not moved: receivers wander between houses.
const STANDS_WITHIN_M: f64 = 25.0;

/// A courier whose fixes are followed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Follower {
    on_way: OnWay,
    pace: Pace,
    /// Where the present stretch began.
    mark: Option<Mark>,
    /// Where and since when the courier stands, if they do.
    stood: Option<(LatLon, i64)>,
    off_since_ms: Option<i64>,
    heard_ms: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Mark {
    at_ms: i64,
    along_m: f64,
}

impl Follower {
    /// Begins a new way, on which the last reading may be observed again. The pace stays: it is the courier's.
    pub fn begin_way(&mut self) {
        (self.on_way, self.mark, self.heard_ms) = (OnWay::default(), None, None);
    }

    /// Takes in a reading of a courier on `way`, where streets take `factors` times what the router thinks.
    pub fn observe(&mut self, way: &Way, reading: Reading, factors: &[f64; 4]) {
        if self.heard_ms.is_some_and(|heard_ms| reading.time_ms <= heard_ms) {
            return;
        }
        self.heard_ms = Some(reading.time_ms);
        if self.stood.is_none_or(|(place, _)| haversine_m(place, reading.at) > STANDS_WITHIN_M) {
            self.stood = Some((reading.at, reading.time_ms));
        }
        self.on_way.observe(way, reading);
        if self.on_way.is_off() {
            self.off_since_ms.get_or_insert(reading.time_ms);
            self.mark = None;
            return;
        }
        self.off_since_ms = None;
        self.note_pace(way, reading.time_ms, factors);
    }

    fn note_pace(&mut self, way: &Way, at_ms: i64, factors: &[f64; 4]) {
        let along_m = self.on_way.along_m();
        let mark = self.mark.get_or_insert(Mark { at_ms, along_m });
        let took_ms = at_ms - mark.at_ms;
        let stands = self.stood.is_some_and(|(_, since_ms)| at_ms - since_ms >= NO_PACE_MS);
        if stands || along_m < mark.along_m || took_ms > 4 * NO_PACE_MS {
            *mark = Mark { at_ms, along_m };
        } else if took_ms >= STRETCH_MS && along_m - mark.along_m >= STANDS_WITHIN_M {
            let expected_s = Learned::driven_s(way.between(mark.along_m, along_m), factors);
            self.pace.note(at_ms, expected_s, took_ms as f64 / 1_000.0);
            *mark = Mark { at_ms, along_m };
        }
    }

    /// What is left of the way.
    pub fn rest(&self, way: &Way) -> Rest {
        self.on_way.rest(way)
    }

    /// Whether the courier left the way, so that it should be planned anew.
    pub fn is_off_way(&self) -> bool {
        self.on_way.is_off()
    }

    /// How the courier drives at the moment.
    pub const fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Seconds since the last reading; 0 before the first.
    pub fn silent_s(&self, now_ms: i64) -> f64 {
        self.heard_ms.map_or(0.0, |heard_ms| seconds(now_ms - heard_ms))
    }

    /// Seconds the courier has stood still by the last reading.
    pub fn still_s(&self) -> f64 {
        self.stood.zip(self.heard_ms).map_or(0.0, |((_, since_ms), heard_ms)| seconds(heard_ms - since_ms))
    }

    /// Seconds the courier has been off the way by the last reading.
    pub fn off_way_s(&self) -> f64 {
        self.off_since_ms.zip(self.heard_ms).map_or(0.0, |(since_ms, heard_ms)| seconds(heard_ms - since_ms))
    }
}

fn seconds(ms: i64) -> f64 {
    ms.max(0) as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use doorstep_shared::geo::distance::destination;

    use super::*;
    use crate::way::tests::{start, turning};

    fn reading(time_s: i64, at: LatLon) -> Reading {
        Reading { time_ms: time_s * 1_000, at, accuracy_m: Some(5.0), heading_deg: None, speed_mps: None }
    }

    #[test]
    fn half_the_expected_speed_shows_in_the_pace_and_a_break_does_not() {
        let way = turning(&[90.0; 40]);
        let mut follower = Follower::default();
        // The way expects 5 metres a second.
        for second in 0..400 {
            follower.observe(&way, reading(second, destination(start(), 90.0, 2.5 * second as f64)), &[1.0; 4]);
        }
        let slow = follower.pace().factor();
        assert!((1.2..1.6).contains(&slow), "{slow}");
        for second in 400..1_600 {
            follower.observe(&way, reading(second, destination(start(), 90.0, 1_000.0)), &[1.0; 4]);
        }
        assert!(follower.still_s() > 1_100.0);
        assert!(follower.pace().factor() < slow + 0.15, "{}", follower.pace().factor());
    }

    #[test]
    fn who_left_the_way_has_been_off_it_since_then() {
        let way = turning(&[90.0; 5]);
        let mut follower = Follower::default();
        follower.observe(&way, reading(0, start()), &[1.0; 4]);
        for second in [10, 40] {
            follower.observe(&way, reading(second, destination(start(), 180.0, 300.0)), &[1.0; 4]);
        }
        assert!(follower.is_off_way());
        assert!((follower.off_way_s() - 30.0).abs() < 1e-9);
        assert!((follower.silent_s(100_000) - 60.0).abs() < 1e-9);
    }
}
