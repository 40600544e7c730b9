//! The way to a stop: its line, and how long the streets along it take.
//!
//! A [`Way`] carries the seconds of every segment beside its metres, so that what is left is a time and not a distance
//! divided by a constant. Seconds are kept apart by the kind of street, because each kind is slower or faster than the
//! router believes by a factor of its own ([`crate::learned`]).

use doorstep_shared::{LatLon, geo::distance::haversine_m};
use serde::{Deserialize, Serialize};

/// Streets are this much longer than the straight line: the usual detour index of towns is 1.3 to 1.4.
pub const DETOUR_FACTOR: f64 = 1.35;

/// Kinds of street that are slow and fast together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreetKind {
    /// Motorways and trunk roads.
    Fast,
    /// Roads between quarters and towns, with their lights and queues.
    Main,
    /// Where people live and walk.
    Side,
    /// No street is known: the time was guessed from the straight line.
    Unknown,
}

impl StreetKind {
    /// Every kind, in the order of [`Seconds`].
    pub const ALL: [Self; 4] = [Self::Fast, Self::Main, Self::Side, Self::Unknown];

    /// What tables and programs call it.
    pub const fn as_str(self) -> &'static str {
        ["fast", "main", "side", "unknown"][self as usize]
    }
}

/// Seconds by kind of street, in the order of [`StreetKind::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seconds(pub [f64; 4]);

impl Seconds {
    /// All kinds together.
    pub fn total(self) -> f64 {
        self.0.iter().sum()
    }

    fn add(&mut self, kind: StreetKind, seconds: f64) {
        self.0[kind as usize] += seconds;
    }
}

/// What is left of a way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rest {
    /// Metres along the streets.
    pub metres: f64,
    /// The streets' own seconds.
    pub seconds: Seconds,
}

/// A way along the streets to a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    target: LatLon,
    line: Vec<LatLon>,
    /// Metres from the start, for each point of the line.
    along_m: Vec<f64>,
    /// Each segment's seconds and kind.
    segments: Vec<(f64, StreetKind)>,
    /// Metres and seconds between the end of the line and the target.
    last_m: f64,
    last_s: f64,
}

impl Way {
    /// A way to `target` along `line`, whose segments have these seconds and kinds, as many as there are segments.
    /// Segments that are missing take no time. From the line's end to the target it goes at `last_mps`.
    pub fn new(target: LatLon, line: Vec<LatLon>, mut segments: Vec<(f64, StreetKind)>, last_mps: f64) -> Self {
        segments.resize(line.len().saturating_sub(1), (0.0, StreetKind::Unknown));
        let mut along_m = Vec::with_capacity(line.len());
        let mut metres = 0.0;
        for (index, point) in line.iter().enumerate() {
            metres += index.checked_sub(1).map_or(0.0, |before| haversine_m(line[before], *point));
            along_m.push(metres);
        }
        let last_m = line.last().map_or(0.0, |end| haversine_m(*end, target));
        Self { target, line, along_m, segments, last_m, last_s: last_m / last_mps.max(0.1) }
    }

    /// A guess where no streets are known: the straight line, stretched, at `speed_mps`.
    pub fn guessed(from: LatLon, target: LatLon, speed_mps: f64) -> Self {
        let seconds = haversine_m(from, target) * DETOUR_FACTOR / speed_mps.max(0.1);
        Self::new(target, vec![from, target], vec![(seconds, StreetKind::Unknown)], speed_mps)
    }

    /// Where it leads.
    pub const fn target(&self) -> LatLon {
        self.target
    }

    /// Its points.
    pub fn line(&self) -> &[LatLon] {
        &self.line
    }

    /// The metres from the start to each point of the line.
    pub fn along_m(&self) -> &[f64] {
        &self.along_m
    }

    /// Metres from end to end of the line.
    pub fn length_m(&self) -> f64 {
        self.along_m.last().copied().unwrap_or(0.0)
    }

    /// What is left `along_m` metres after the start.
    pub fn rest(&self, along_m: f64) -> Rest {
        let mut rest = Rest { metres: (self.length_m() - along_m.max(0.0)).max(0.0) + self.last_m, ..Rest::default() };
        rest.seconds = self.between(along_m, f64::INFINITY);
        rest.seconds.add(StreetKind::Side, self.last_s);
        rest
    }

    /// The streets' own seconds between two places on the line, in metres after its start.
    pub fn between(&self, from_m: f64, to_m: f64) -> Seconds {
        let mut sum = Seconds::default();
        let first = self.along_m.partition_point(|along| *along <= from_m).saturating_sub(1);
        for (index, (seconds, kind)) in self.segments.iter().enumerate().skip(first) {
            let (begins_m, ends_m) = (self.along_m[index], self.along_m[index + 1]);
            if begins_m >= to_m {
                break;
            }
            let length_m = ends_m - begins_m;
            let inside_m = (ends_m.min(to_m) - begins_m.max(from_m)).clamp(0.0, length_m);
            let share = if length_m > 0.0 { inside_m / length_m } else { 1.0 };
            sum.add(*kind, seconds * share);
        }
        sum
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use doorstep_shared::geo::distance::destination;
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn start() -> LatLon {
        LatLon::try_new(35.9, 14.5).expect("on earth")
    }

    /// A way that turns by `bearings`, 100 metres and 20 seconds for each.
    pub(crate) fn turning(bearings: &[f64]) -> Way {
        let mut line = vec![start()];
        for bearing in bearings {
            line.push(destination(line[line.len() - 1], *bearing, 100.0));
        }
        let segments = vec![(20.0, StreetKind::Side); bearings.len()];
        Way::new(line[line.len() - 1], line, segments, 5.0)
    }

    #[test]
    fn half_way_along_half_of_the_time_is_left() {
        let way = turning(&[90.0, 90.0, 0.0, 0.0]);
        let rest = way.rest(200.0);
        assert!((rest.metres - 200.0).abs() < 1.0 && (rest.seconds.total() - 40.0).abs() < 0.5, "{rest:?}");
    }

    #[test]
    fn the_last_metres_from_the_street_to_the_door_take_time_too() {
        let door = destination(start(), 0.0, 50.0);
        let way = Way::new(door, vec![start(), start()], vec![], 5.0);
        assert!((way.rest(0.0).seconds.total() - 10.0).abs() < 0.1);
    }

    proptest! {
        #[test]
        fn what_was_driven_and_what_is_left_add_up(
            bearings in prop::collection::vec(0.0f64..360.0, 1..30), share in 0.0f64..1.0,
        ) {
            let way = turning(&bearings);
            let at_m = way.length_m() * share;
            let whole = way.rest(0.0).seconds.total();
            let parts = way.between(0.0, at_m).total() + way.rest(at_m).seconds.total();
            prop_assert!((whole - parts).abs() < 1e-6);
        }

        #[test]
        fn less_is_left_the_farther_a_courier_has_come(
            bearings in prop::collection::vec(0.0f64..360.0, 1..30), a in 0.0f64..1.0, b in 0.0f64..1.0,
        ) {
            let way = turning(&bearings);
            let (near, far) = (a.max(b) * way.length_m(), a.min(b) * way.length_m());
            prop_assert!(way.rest(near).seconds.total() <= way.rest(far).seconds.total() + 1e-9);
        }
    }
}
