//! A courier's state over time, pure: a track and a fix make a new track and an [`Update`].
//!
//! Every fix is stored, whatever this module makes of it; this module decides which fixes reach a map, with which
//! heading, and whether the courier stands still. Fix time rules, never arrival time: the newest fix is the position,
//! and older ones that come later fill in the trail behind it. [`crate::live::tracker`] holds a track for each courier.

pub mod device_clock;
pub mod duty;
pub mod eta;
pub mod filter;
pub mod odometer;
pub mod off_route;
pub mod pace;
pub mod progress;
pub mod silence;
pub mod source;
pub mod standstill;
pub mod stop;
pub mod tour;
pub mod verdict;

use std::{cmp::Ordering, collections::VecDeque};

use doorstep_shared::{DeviceId, Fix, LatLon, Position, geo::polyline};

use self::{
    filter::{Filter, OffMap},
    source::{Role, Sources},
    stop::StopDetector,
};

/// Points kept for the trail of the leg being driven. At one fix a second that is 33 minutes; a longer leg
/// loses its beginning.
const MAX_TRAIL_POINTS: usize = 2_000;

/// The most points of a trail that are sent; more could not be told apart on a phone.
const MAX_SENT_TRAIL_POINTS: usize = 300;

/// How far from the line a point must be to be worth sending: about 5 m.
const TRAIL_TOLERANCE_DEG: f64 = 0.000_045;

/// The leader's trail has a hole where its points are farther apart than this; the slowest pace leaves none.
const HOLE_MS: i64 = 61_000;

/// Where the leader has a point of its own after all, other devices' points this near in time are taken out again.
const FILLER_YIELDS_MS: i64 = 30_000;

/// Where a courier was, is, and whether they move.
#[derive(Clone, Debug, Default)]
pub struct Track {
    sources: Sources,
    filter: Filter,
    stop: StopDetector,
    position: Option<Position>,
    /// With the time of the fix that reported it.
    battery: Option<(i64, f32)>,
    trail: VecDeque<TrailPoint>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct TrailPoint {
    time_ms: i64,
    point: LatLon,
    /// From a device that did not lead at the time.
    fills_hole: bool,
}

/// What a batch of fixes changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Update {
    /// New positions, in fix time, the newest last. Empty when nothing newer than before came on the map.
    pub moved: Vec<Position>,
    /// Points that filled in the trail behind the newest position.
    pub filled_in: usize,
    /// Fixes kept off the map, for metrics.
    pub off_map: Vec<OffMap>,
}

impl Track {
    /// Applies what one of the courier's devices sent, in any order. Only the device that leads moves the position and
    /// draws the trail; see [`source`].
    pub fn hear(&mut self, device: DeviceId, fixes: &[Fix]) -> Update {
        match self.sources.hear(device, fixes) {
            Role::Leads { waited } if waited.is_empty() => self.apply(fixes),
            Role::Leads { mut waited } => {
                // The former leader drew everything up to its last position.
                waited.retain(|fix| self.position.is_none_or(|position| fix.recorded_at_ms() > position.time_ms));
                waited.extend_from_slice(fixes);
                self.apply(&waited)
            }
            Role::Follows => self.fill_holes(fixes),
        }
    }

    /// Applies a batch of fixes in any order, from whichever device.
    pub fn apply(&mut self, fixes: &[Fix]) -> Update {
        let mut ordered: Vec<&Fix> = fixes.iter().collect();
        ordered.sort_by(|a, b| a.recorded_at_ms().cmp(&b.recorded_at_ms()).then_with(|| by_accuracy(a, b)));
        let mut update = Update::default();
        for fix in ordered {
            self.apply_one(fix, &mut update);
        }
        update
    }

    fn apply_one(&mut self, fix: &Fix, update: &mut Update) {
        // Also from a fix that is of no use to the map.
        if let Some(charge) = fix.battery()
            && self.battery.is_none_or(|(time_ms, _)| fix.recorded_at_ms() > time_ms)
        {
            self.battery = Some((fix.recorded_at_ms(), charge));
        }
        if let Some(position) = self.position.filter(|position| improves(fix, position)) {
            self.correct(&position, fix, update);
            return;
        }
        let is_newest = self.position.is_none_or(|position| fix.recorded_at_ms() > position.time_ms);
        if !is_newest {
            match filter::plausible_alone(fix) {
                Ok(()) => update.filled_in += usize::from(self.fill_in(fix)),
                Err(reason) => update.off_map.push(reason),
            }
            return;
        }
        match self.filter.judge(fix) {
            Ok(heading_deg) => {
                let position = Position::from_fix(fix, heading_deg);
                self.stop.observe(fix.recorded_at_ms(), fix.point());
                self.position = Some(position);
                self.push_newest(TrailPoint { time_ms: fix.recorded_at_ms(), point: fix.point(), fills_hole: false });
                update.moved.push(position);
            }
            Err(reason) => update.off_map.push(reason),
        }
    }

    /// Puts a better reading of the same moment in the place of the newest position. A step that took no time says nothing
    /// of a heading.
    fn correct(&mut self, position: &Position, fix: &Fix, update: &mut Update) {
        let better = Position::from_fix(fix, position.heading_deg);
        self.position = Some(better);
        if let Some(last) = self.trail.back_mut().filter(|last| last.time_ms == position.time_ms) {
            last.point = fix.point();
        }
        update.moved.push(better);
    }

    fn push_newest(&mut self, point: TrailPoint) {
        if self.trail.len() == MAX_TRAIL_POINTS {
            self.trail.pop_front();
        }
        self.trail.push_back(point);
    }

    /// Inserts a late point at its time; false when it is there already or too old to keep.
    fn fill_in(&mut self, fix: &Fix) -> bool {
        let time_ms = fix.recorded_at_ms();
        let yields =
            |other: &TrailPoint| other.fills_hole && other.time_ms.abs_diff(time_ms) <= FILLER_YIELDS_MS as u64;
        let mut index = self.trail.partition_point(|known| known.time_ms < time_ms);
        while index > 0 && yields(&self.trail[index - 1]) {
            index -= 1;
            self.trail.remove(index);
        }
        while self.trail.get(index).is_some_and(yields) {
            self.trail.remove(index);
        }
        self.insert(TrailPoint { time_ms, point: fix.point(), fills_hole: false })
    }

    /// Inserts the points of a device that does not lead where the leader has none. Points newer than the position wait
    /// until that device leads.
    fn fill_holes(&mut self, fixes: &[Fix]) -> Update {
        let mut update = Update::default();
        for fix in fixes {
            if self.position.is_none_or(|position| fix.recorded_at_ms() > position.time_ms) {
                continue;
            }
            match filter::plausible_alone(fix) {
                Err(reason) => update.off_map.push(reason),
                Ok(()) if self.is_hole(fix.recorded_at_ms()) => {
                    let (time_ms, point) = (fix.recorded_at_ms(), fix.point());
                    update.filled_in += usize::from(self.insert(TrailPoint { time_ms, point, fills_hole: true }));
                }
                Ok(()) => {}
            }
        }
        update
    }

    /// Whether the leader's own points around a time are far apart.
    fn is_hole(&self, time_ms: i64) -> bool {
        let index = self.trail.partition_point(|known| known.time_ms < time_ms);
        let own = |point: &&TrailPoint| !point.fills_hole;
        let before = self.trail.range(..index).rev().find(own).map_or(time_ms, |point| point.time_ms);
        let after = self.trail.range(index..).find(own).map_or(time_ms, |point| point.time_ms);
        after.saturating_sub(before) > HOLE_MS
    }

    fn insert(&mut self, point: TrailPoint) -> bool {
        let Err(index) = self.trail.binary_search_by_key(&point.time_ms, |known| known.time_ms) else {
            return false;
        };
        if self.trail.len() < MAX_TRAIL_POINTS {
            self.trail.insert(index, point);
            return true;
        }
        if index == 0 {
            return false;
        }
        self.trail.pop_front();
        self.trail.insert(index - 1, point);
        true
    }

    /// The newest position that is fit for a map.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// Where the courier came along since `from_ms`, `[lon, lat]`, oldest first, simplified to what a phone
    /// can show.
    pub fn trail_since(&self, from_ms: i64) -> Vec<[f64; 2]> {
        let start = self.trail.partition_point(|point| point.time_ms < from_ms);
        let mut line: Vec<LatLon> = self.trail.iter().skip(start).map(|point| point.point).collect();
        let mut tolerance_deg = TRAIL_TOLERANCE_DEG;
        line = polyline::simplify(&line, tolerance_deg);
        while line.len() > MAX_SENT_TRAIL_POINTS {
            tolerance_deg *= 2.0;
            line = polyline::simplify(&line, tolerance_deg);
        }
        line.into_iter().map(LatLon::to_lon_lat).collect()
    }

    /// Charge of the device as last reported, 0 to 1; of several in use the lowest.
    pub fn battery(&self) -> Option<f32> {
        self.sources.battery().or(self.battery.map(|(_, charge)| charge))
    }

    /// The device that moves the position; `None` until a device reported since the server started.
    pub fn leader(&self) -> Option<DeviceId> {
        self.sources.leader()
    }

    /// Since when the courier has stood still, when they do. Unix epoch milliseconds.
    pub fn stationary_since_ms(&self) -> Option<i64> {
        self.stop.stationary_since_ms()
    }
}

/// Whether a fix is a more accurate reading of the moment of the newest position.
fn improves(fix: &Fix, position: &Position) -> bool {
    let accuracy_m = |known: Option<f32>| known.unwrap_or(f32::INFINITY);
    fix.recorded_at_ms() == position.time_ms
        && accuracy_m(fix.accuracy_m()) < accuracy_m(position.accuracy_m)
        && filter::plausible_alone(fix).is_ok()
}

/// The more accurate first; one that says nothing of it last.
fn by_accuracy(a: &Fix, b: &Fix) -> Ordering {
    let accuracy_m = |fix: &Fix| fix.accuracy_m().unwrap_or(f32::INFINITY);
    accuracy_m(a).total_cmp(&accuracy_m(b))
}

#[cfg(test)]
pub(crate) mod tests {
    use doorstep_shared::{RawFix, geo::distance::destination};
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn fix(time_ms: i64, point: LatLon) -> Fix {
        let raw = RawFix { time_ms, lat: point.lat(), lon: point.lon(), ..RawFix::default() };
        Fix::try_new(&raw).expect("test fixes are usable")
    }

    pub(crate) fn start() -> LatLon {
        LatLon::try_new(35.9, 14.5).expect("on earth")
    }

    /// A straight drive at 10 m/s, one fix a second.
    fn drive(seconds: i64) -> Vec<Fix> {
        (0..seconds).map(|second| fix(second * 1_000, destination(start(), 60.0, second as f64 * 10.0))).collect()
    }

    #[test]
    fn a_drive_moves_the_position_and_leaves_a_trail() {
        let mut track = Track::default();
        let update = track.apply(&drive(30));
        assert_eq!(update.moved.len(), 30);
        assert_eq!(track.position().map(|position| position.time_ms), Some(29_000));
        assert_eq!(track.trail_since(0).len(), 2, "a straight line needs its ends only");
        assert_eq!(track.trail_since(29_000).len(), 1);
    }

    #[test]
    fn a_repeated_fix_changes_nothing() {
        let mut track = Track::default();
        track.apply(&drive(10));
        let again = track.apply(&drive(10));
        assert_eq!(again, Update::default());
    }

    #[test]
    fn of_two_readings_of_one_moment_the_more_accurate_is_shown() {
        let reading = |lat: f64, accuracy_m: Option<f32>| {
            let raw = RawFix { time_ms: 1_000, lat, lon: 14.5, accuracy_m, ..RawFix::default() };
            Fix::try_new(&raw).expect("usable")
        };
        let (rough, fine, silent) = (reading(35.9, Some(65.0)), reading(35.9005, Some(5.0)), reading(35.8, None));
        let shown = |track: &Track| track.position().map(|position| position.lat);
        let orders: [&[Fix]; 4] = [&[rough, fine], &[fine, rough], &[silent, rough, fine], &[fine, silent]];
        for order in orders {
            let (mut one_by_one, mut together) = (Track::default(), Track::default());
            for fix in order {
                one_by_one.apply(&[*fix]);
            }
            let update = together.apply(order);
            assert_eq!((shown(&one_by_one), shown(&together)), (Some(35.9005), Some(35.9005)), "{order:?}");
            assert_eq!(update.moved.len(), 1, "in one batch only the best comes on the map");
            assert_eq!(one_by_one.trail_since(0), [[14.5, 35.9005]]);
        }
    }

    #[test]
    fn after_a_tunnel_the_newest_comes_first_and_history_fills_in_behind() {
        let all = drive(60);
        let mut track = Track::default();
        track.apply(&all[..10]);
        let newest = track.apply(&all[59..]);
        assert_eq!(newest.moved.len(), 1);
        let backlog = track.apply(&all[10..59]);
        assert!(backlog.moved.is_empty(), "the marker must not go back");
        assert_eq!(backlog.filled_in, 49);
        assert_eq!(track.position().map(|position| position.time_ms), Some(59_000));
    }

    proptest! {
        #[test]
        fn the_position_never_goes_back_in_fix_time(order in Just((0..60usize).collect::<Vec<_>>()).prop_shuffle()) {
            let all = drive(60);
            let mut track = Track::default();
            let mut newest_ms = i64::MIN;
            for index in order {
                let update = track.apply(&all[index..=index]);
                for position in update.moved {
                    prop_assert!(position.time_ms > newest_ms);
                    newest_ms = position.time_ms;
                }
            }
            prop_assert_eq!(newest_ms, 59_000);
            let times: Vec<_> = track.trail.iter().map(|point| point.time_ms).collect();
            prop_assert!(times.is_sorted());
        }

        #[test]
        fn no_reading_makes_it_panic(readings in prop::collection::vec((any::<i64>(), -90.0f64..90.0, -180.0f64..180.0), 0..80)) {
            let mut track = Track::default();
            for (time_ms, lat, lon) in readings {
                track.apply(&[fix(time_ms, LatLon::try_new(lat, lon).expect("in range"))]);
            }
            prop_assert!(track.trail_since(i64::MIN).len() <= MAX_SENT_TRAIL_POINTS);
        }
    }
}
