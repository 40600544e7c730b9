//! Decides which fixes reach a map, and with which heading.
//!
//! Pure. A fix that is kept off the map is stored all the same; [`super::Track`] asks for each fix newer than all
//! before it.

use doorstep_shared::{
    Fix, LatLon,
    geo::{
        distance::{bearing_deg, haversine_m},
        motion::implied_speed_mps,
    },
};

/// A fix with a worse accuracy than this names hardly more than the district.
const MAX_ACCURACY_M: f32 = 200.0;

/// No vehicle that delivers goes faster: 70 m/s are 252 km/h.
const MAX_SPEED_MPS: f64 = 70.0;

/// A shorter step is never a jump: noise between two readings of one second can look that fast.
const MIN_JUMP_M: f64 = 300.0;

/// After this many jumping fixes in a row that agree with each other, the earlier place was the wrong one.
const JUMPS_TO_BELIEVE: u8 = 3;

/// Slower than this the heading is noise and stays as it was.
const HEADING_MIN_SPEED_MPS: f64 = 1.0;

/// A heading is computed from two points only when they are this far apart.
const HEADING_MIN_STEP_M: f64 = 8.0;

/// Why a valid fix is kept off the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffMap {
    /// Accuracy over 200 m.
    Inaccurate,
    /// Exactly 0,0.
    NullIsland,
    /// Too far from the last fix for the time between.
    Jump,
}

impl OffMap {
    /// The label in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inaccurate => "inaccurate",
            Self::NullIsland => "null_island",
            Self::Jump => "jump",
        }
    }
}

/// What the filter remembers of a courier.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    last: Option<Seen>,
    heading_deg: Option<f32>,
    heading_from: Option<LatLon>,
    jumped: Option<(Seen, u8)>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    time_ms: i64,
    point: LatLon,
}

impl Filter {
    /// Judges a fix newer than all before it; a fix for the map gets the returned heading.
    pub fn judge(&mut self, fix: &Fix) -> Result<Option<f32>, OffMap> {
        plausible_alone(fix)?;
        let seen = Seen { time_ms: fix.recorded_at_ms(), point: fix.point() };
        if let Some(last) = self.last
            && is_jump(last, seen)
            && !self.believes_jump(seen)
        {
            return Err(OffMap::Jump);
        }
        self.jumped = None;
        let speed_mps = fix
            .speed_mps()
            .map(f64::from)
            .or_else(|| self.last.map(|last| implied_speed_mps(last.point, last.time_ms, seen.point, seen.time_ms)));
        self.last = Some(seen);
        self.turn(fix, speed_mps);
        Ok(self.heading_deg)
    }

    /// A phone that was restarted in another town jumps once and then stays: believe it when it insists.
    fn believes_jump(&mut self, seen: Seen) -> bool {
        let times = match self.jumped {
            Some((before, times)) if !is_jump(before, seen) => times + 1,
            _ => 1,
        };
        self.jumped = Some((seen, times));
        times >= JUMPS_TO_BELIEVE
    }

    fn turn(&mut self, fix: &Fix, speed_mps: Option<f64>) {
        let here = fix.point();
        if speed_mps.is_some_and(|speed| speed < HEADING_MIN_SPEED_MPS) {
            return;
        }
        if let Some(reported) = fix.heading_deg() {
            self.heading_deg = Some(reported);
            self.heading_from = Some(here);
            return;
        }
        match self.heading_from {
            Some(from) if haversine_m(from, here) < HEADING_MIN_STEP_M => {}
            Some(from) => {
                self.heading_deg = Some(bearing_deg(from, here) as f32);
                self.heading_from = Some(here);
            }
            None => self.heading_from = Some(here),
        }
    }
}

/// Judges a fix by itself, without any other.
pub fn plausible_alone(fix: &Fix) -> Result<(), OffMap> {
    if fix.point().is_null_island() {
        return Err(OffMap::NullIsland);
    }
    if fix.accuracy_m().is_some_and(|accuracy| accuracy > MAX_ACCURACY_M) {
        return Err(OffMap::Inaccurate);
    }
    Ok(())
}

fn is_jump(from: Seen, to: Seen) -> bool {
    haversine_m(from.point, to.point) > MIN_JUMP_M
        && implied_speed_mps(from.point, from.time_ms, to.point, to.time_ms) > MAX_SPEED_MPS
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{RawFix, geo::distance::destination};

    use super::*;
    use crate::domain::track::tests::{fix, start};

    fn with(base: Fix, change: impl FnOnce(&mut RawFix)) -> Fix {
        let mut raw = base.to_raw();
        change(&mut raw);
        Fix::try_new(&raw).expect("still usable")
    }

    #[test]
    fn implausible_fixes_stay_off_the_map_with_their_reason() {
        let mut filter = Filter::default();
        assert!(filter.judge(&fix(0, start())).is_ok());
        let vague = with(fix(1_000, start()), |raw| raw.accuracy_m = Some(200.1));
        assert_eq!(filter.judge(&vague), Err(OffMap::Inaccurate));
        let nowhere = fix(2_000, LatLon::try_new(0.0, 0.0).expect("a coordinate"));
        assert_eq!(filter.judge(&nowhere), Err(OffMap::NullIsland));
        let leap = fix(3_000, destination(start(), 0.0, 5_000.0));
        assert_eq!(filter.judge(&leap), Err(OffMap::Jump));
        assert!(
            filter.judge(&fix(4_000, destination(start(), 0.0, 30.0))).is_ok(),
            "one leap does not move the courier"
        );
    }

    #[test]
    fn a_place_that_insists_is_believed() {
        let elsewhere = destination(start(), 0.0, 20_000.0);
        let mut filter = Filter::default();
        assert!(filter.judge(&fix(0, start())).is_ok());
        assert!(filter.judge(&fix(1_000, elsewhere)).is_err());
        assert!(filter.judge(&fix(2_000, elsewhere)).is_err());
        assert!(filter.judge(&fix(3_000, elsewhere)).is_ok());
    }

    #[test]
    fn a_long_silence_allows_a_long_way() {
        let mut filter = Filter::default();
        assert!(filter.judge(&fix(0, start())).is_ok());
        assert!(filter.judge(&fix(3_600_000, destination(start(), 0.0, 20_000.0))).is_ok());
    }

    #[test]
    fn the_heading_is_frozen_while_the_courier_is_slow() {
        let mut filter = Filter::default();
        let moving = with(fix(0, start()), |raw| (raw.speed_mps, raw.heading_deg) = (Some(5.0), Some(90.0)));
        assert_eq!(filter.judge(&moving), Ok(Some(90.0)));
        let waiting = with(fix(1_000, start()), |raw| (raw.speed_mps, raw.heading_deg) = (Some(0.4), Some(213.0)));
        assert_eq!(filter.judge(&waiting), Ok(Some(90.0)));
    }

    #[test]
    fn without_a_compass_the_heading_is_the_way_that_was_driven() {
        let mut filter = Filter::default();
        assert_eq!(filter.judge(&fix(0, start())), Ok(None));
        let heading = filter.judge(&fix(2_000, destination(start(), 135.0, 20.0))).expect("on the map");
        assert!(heading.is_some_and(|heading| (heading - 135.0).abs() < 1.0), "{heading:?}");
    }
}
