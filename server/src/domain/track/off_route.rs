//! Judges whether a courier goes another way than the one to their next stop.
//!
//! The route is planned anew whenever the courier leaves it, so its newest form says nothing about that. What counts is
//! the route as it was when they set out for the stop, and how much is left on the newest one: a courier who takes
//! another street and gets nearer has only chosen another street. A courier is off the route only while they are far
//! from the first route *and* have clearly farther to go than before, for two minutes and several readings. It ends
//! when they are back on the first route, or have made up a good part of what they had lost.

use std::sync::Arc;

use doorstep_shared::{
    LatLon,
    geo::{distance::haversine_m, polyline},
};

use super::{
    progress::{PlannedRoute, progress},
    verdict::Verdict,
};

/// Farther than this from the route, beyond the reading's accuracy, is not beside the road any more.
pub const LEFT_M: f64 = 200.0;

/// Nearer than this is back on the route.
pub const BACK_M: f64 = 100.0;

/// This much more must be left to go than there was at best, or a quarter more on a long way.
pub const LOST_M: f64 = 500.0;
const LOST_SHARE: f64 = 0.25;

/// It ends when this much of it is made up.
pub const MADE_UP_M: f64 = 500.0;

/// It must last this long, in the readings' own time, and for at least this many of them.
pub const LEFT_FOR_MS: i64 = 120_000;
const LEFT_READINGS: u32 = 3;

/// A courier who got this much nearer to another of their stops is going there first.
const OTHER_STOP_NEARER_M: f64 = 150.0;

/// A courier's position, and where they should go.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// When it was recorded, Unix epoch milliseconds.
    pub time_ms: i64,
    /// The position.
    pub here: LatLon,
    /// Its accuracy in metres.
    pub accuracy_m: f64,
    /// Their next stop.
    pub target: LatLon,
    /// The newest route.
    pub route: Option<&'a Arc<PlannedRoute>>,
    /// Their other stops.
    pub others: &'a [LatLon],
}

/// A courier left the route.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Off {
    /// When, Unix epoch milliseconds.
    pub since_ms: i64,
    /// The greatest distance from it so far, in metres.
    pub distance_m: f64,
}

/// One courier's way to the next stop. The default knows nothing yet.
#[derive(Clone, Debug, Default)]
pub struct Way {
    leg: Option<Leg>,
}

#[derive(Clone, Debug)]
struct Leg {
    first: Arc<PlannedRoute>,
    last_ms: i64,
    /// The least that ever was left to go, in metres.
    best_m: f64,
    left: Option<Left>,
    is_off: bool,
}

#[derive(Clone, Copy, Debug)]
struct Left {
    since_ms: i64,
    from: LatLon,
    readings: u32,
    farthest_m: f64,
    /// The most that was left to go since.
    worst_m: f64,
}

impl Way {
    /// Applies a reading. `noticed_ms` is when the exception began that was noticed before, if one was: after a restart
    /// nothing else is known.
    pub fn observe(&mut self, seen: &Seen<'_>, noticed_ms: Option<i64>) -> Verdict<Off> {
        if self.leg.as_ref().is_some_and(|leg| leg.first.target != seen.target) {
            self.leg = None;
            return Verdict::Absent;
        }
        if let Some(leg) = self.leg.as_ref().filter(|leg| leg.last_ms >= seen.time_ms) {
            return leg.verdict();
        }
        let Some(route) = seen.route.filter(|route| route.target == seen.target) else { return Verdict::Unknown };
        let now = progress(seen.here, seen.target, Some(route));
        if now.off_route {
            // The route from here is not planned yet, and a guess would look like a detour.
            return self.leg.as_ref().map_or(Verdict::Unknown, Leg::verdict);
        }
        let leg = self.leg.get_or_insert_with(|| Leg::begin(route, seen, now.remaining_m, noticed_ms));
        leg.last_ms = seen.time_ms;
        leg.step(seen, now.remaining_m);
        leg.verdict()
    }
}

impl Leg {
    fn begin(route: &Arc<PlannedRoute>, seen: &Seen<'_>, remaining_m: f64, noticed_ms: Option<i64>) -> Self {
        let (from, worst_m) = (seen.here, remaining_m);
        let left = noticed_ms.map(|since_ms| Left { since_ms, from, readings: 0, farthest_m: 0.0, worst_m });
        Self { first: Arc::clone(route), last_ms: i64::MIN, best_m: remaining_m, is_off: left.is_some(), left }
    }

    fn step(&mut self, seen: &Seen<'_>, remaining_m: f64) {
        let offset_m = polyline::locate(&self.first.line, seen.here).map_or(0.0, |along| along.offset_m);
        match self.left.filter(|_| self.is_off) {
            Some(left) => self.step_off(left, offset_m, remaining_m),
            None => self.step_on(seen, offset_m, remaining_m),
        }
    }

    fn step_on(&mut self, seen: &Seen<'_>, offset_m: f64, remaining_m: f64) {
        self.best_m = self.best_m.min(remaining_m);
        let is_far = offset_m - seen.accuracy_m > LEFT_M;
        let has_lost = remaining_m > self.best_m + LOST_M.max(self.best_m * LOST_SHARE);
        let since = (seen.time_ms, seen.here);
        let left =
            self.left.unwrap_or(Left { since_ms: since.0, from: since.1, readings: 0, farthest_m: 0.0, worst_m: 0.0 });
        if !is_far || !has_lost || goes_elsewhere(left.from, seen) {
            self.left = None;
            return;
        }
        let left = Left {
            readings: left.readings + 1,
            farthest_m: left.farthest_m.max(offset_m),
            worst_m: left.worst_m.max(remaining_m),
            ..left
        };
        self.is_off = left.readings >= LEFT_READINGS && seen.time_ms.saturating_sub(left.since_ms) >= LEFT_FOR_MS;
        self.left = Some(left);
    }

    fn step_off(&mut self, left: Left, offset_m: f64, remaining_m: f64) {
        // After a restart the first route begins where the courier was then, and being on it says nothing.
        let is_back = left.readings > 0 && offset_m < BACK_M;
        if is_back || remaining_m <= left.worst_m - MADE_UP_M {
            self.is_off = false;
            self.left = None;
            // From here on they lose anew.
            self.best_m = remaining_m;
            return;
        }
        let (farthest_m, worst_m) = (left.farthest_m.max(offset_m), left.worst_m.max(remaining_m));
        self.left = Some(Left { farthest_m, worst_m, ..left });
    }

    fn verdict(&self) -> Verdict<Off> {
        let off = self.left.filter(|_| self.is_off);
        off.map(|left| Off { since_ms: left.since_ms, distance_m: left.farthest_m }).into()
    }
}

fn goes_elsewhere(from: LatLon, seen: &Seen<'_>) -> bool {
    let nearer_m = |stop: &LatLon| haversine_m(from, *stop) - haversine_m(seen.here, *stop);
    seen.others.iter().any(|stop| nearer_m(stop) > OTHER_STOP_NEARER_M)
}

#[cfg(test)]
mod tests {
    use doorstep_shared::geo::distance::destination;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::track::tests::start;

    fn east(metres: f64) -> LatLon {
        destination(start(), 90.0, metres)
    }

    /// A courier who reports every five seconds, and whose route is always planned straight from where they are.
    struct Drive {
        way: Way,
        time_ms: i64,
        target: LatLon,
        others: Vec<LatLon>,
        noticed_ms: Option<i64>,
        accuracy_m: f64,
        wobble: u32,
    }

    impl Drive {
        fn new() -> Self {
            Self {
                way: Way::default(),
                time_ms: 0,
                target: east(2_000.0),
                others: Vec::new(),
                noticed_ms: None,
                accuracy_m: 8.0,
                wobble: 0,
            }
        }

        fn at(&mut self, here: LatLon) -> Verdict<Off> {
            self.time_ms += 5_000;
            self.wobble += 1;
            let here = destination(here, f64::from(self.wobble) * 77.0, 10.0);
            let route = Arc::new(PlannedRoute { target: self.target, line: vec![here, self.target], segments: vec![] });
            let seen = Seen {
                time_ms: self.time_ms,
                here,
                accuracy_m: self.accuracy_m,
                target: self.target,
                route: Some(&route),
                others: &self.others,
            };
            let verdict = self.way.observe(&seen, self.noticed_ms);
            self.noticed_ms = match verdict {
                Verdict::Present(off) => Some(off.since_ms),
                Verdict::Absent => None,
                Verdict::Unknown => self.noticed_ms,
            };
            verdict
        }

        /// At 10 m/s from one place to another.
        fn go(&mut self, from: LatLon, to: LatLon) -> Verdict<Off> {
            let steps = (haversine_m(from, to) / 50.0).ceil() as u32;
            let bearing = doorstep_shared::geo::distance::bearing_deg(from, to);
            let mut verdict = Verdict::Unknown;
            for step in 0..=steps {
                verdict = self.at(destination(from, bearing, f64::from(step) * 50.0));
            }
            verdict
        }
    }

    #[test]
    fn a_courier_who_drives_away_is_off_the_route_after_two_minutes_and_not_before() {
        let mut drive = Drive::new();
        assert_eq!(drive.go(start(), east(500.0)), Verdict::Absent);
        let south = |metres| destination(east(500.0), 180.0, metres);
        assert_eq!(drive.go(south(50.0), south(1_800.0)), Verdict::Absent, "not for long");
        let Verdict::Present(off) = drive.go(south(1_850.0), south(2_800.0)) else { panic!("far away by now") };
        assert!((2_700.0..2_900.0).contains(&off.distance_m), "{off:?}");
        assert!(drive.time_ms - off.since_ms >= LEFT_FOR_MS, "{off:?}");
    }

    #[test]
    fn it_ends_when_they_come_back() {
        let mut drive = Drive::new();
        drive.go(start(), east(500.0));
        let south = |metres| destination(east(500.0), 180.0, metres);
        assert!(matches!(drive.go(south(50.0), south(3_000.0)), Verdict::Present(_)));
        assert!(matches!(drive.go(south(3_000.0), south(2_800.0)), Verdict::Present(_)), "not for a few metres");
        assert_eq!(drive.go(south(2_800.0), south(1_500.0)), Verdict::Absent);
        assert_eq!(drive.go(south(1_500.0), east(1_000.0)), Verdict::Absent);
    }

    #[test]
    fn another_street_that_leads_there_is_no_exception() {
        let mut drive = Drive::new();
        let corner = destination(start(), 0.0, 600.0);
        assert_eq!(drive.go(start(), corner), Verdict::Absent);
        assert_eq!(drive.go(corner, destination(east(2_000.0), 0.0, 600.0)), Verdict::Absent);
    }

    #[test]
    fn visiting_another_of_their_stops_first_is_no_exception() {
        let mut drive = Drive::new();
        let other = destination(start(), 180.0, 4_000.0);
        drive.others = vec![other];
        assert_eq!(drive.go(start(), other), Verdict::Absent);
    }

    #[test]
    fn after_a_restart_a_noticed_detour_goes_on_until_they_make_it_up() {
        let south = |metres| destination(start(), 180.0, metres);
        let mut drive = Drive { noticed_ms: Some(-600_000), ..Drive::new() };
        let Verdict::Present(off) = drive.go(south(3_000.0), south(3_400.0)) else { panic!("they drive on") };
        assert_eq!(off.since_ms, -600_000);
        assert_eq!(drive.go(south(3_400.0), south(2_000.0)), Verdict::Absent);
    }

    #[test]
    fn another_stop_begins_anew_and_without_a_route_the_verdict_is_unknown() {
        let mut drive = Drive::new();
        drive.go(start(), east(500.0));
        drive.go(east(500.0), destination(east(500.0), 180.0, 3_000.0));
        drive.target = destination(east(500.0), 180.0, 3_500.0);
        assert_eq!(drive.at(destination(east(500.0), 180.0, 3_000.0)), Verdict::Absent);
        let seen = Seen { time_ms: 0, here: start(), accuracy_m: 5.0, target: east(100.0), route: None, others: &[] };
        assert_eq!(Way::default().observe(&seen, None), Verdict::Unknown);
    }

    proptest! {
        #[test]
        fn noise_on_the_way_is_never_an_exception(
            noise in prop::collection::vec((0.0f64..360.0, 0.0f64..150.0), 60),
        ) {
            let mut drive = Drive { accuracy_m: 30.0, ..Drive::new() };
            for (step, (bearing, metres)) in noise.into_iter().enumerate() {
                let here = destination(east(step as f64 * 30.0), bearing, metres);
                prop_assert_eq!(drive.at(here), Verdict::Absent);
            }
        }
    }
}
