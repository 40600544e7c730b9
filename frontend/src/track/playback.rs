//! How the courier's marker moves.
//!
//! Positions arrive as points in time; a marker that jumped from one to the next would be hard to follow, and one that
//! ran ahead of them would be invented. So it plays what was received, one interval behind: through every point in
//! order, those a slow viewer missed included, linearly in time between them. It reaches the newest point 1.5 to 2 s
//! after that came and then stands still. It never goes back in fix time and never goes where the courier was not, except by one
//! jump where two points lie too far apart for anything in between to be true.
//!
//! Local times (`now_ms`) are a clock that never goes back, such as `performance.now()`; fix times are the devices'.

use std::collections::VecDeque;

use doorstep_shared::Position;

use crate::map::plane::{LonLat, bearing_deg, between, distance_m, turn_deg};

/// The playback never catches up faster than within this: shorter, and one-second fixes would stutter.
pub const LEAST_PLAY_MS: f64 = 1_500.0;

/// The playback never takes longer than this to reach the newest point.
pub const MOST_PLAY_MS: f64 = 2_000.0;

/// Two points farther apart than this are not joined: what lies between is unknown.
pub const SNAP_M: f64 = 300.0;

/// More way than this is not played at once, after the page was hidden or cut off for long: it would only race.
const MOST_PLAYED_M: f64 = 1_500.0;

/// Slower than this, a phone's heading is noise.
const LEAST_HEADING_SPEED_MPS: f32 = 1.0;

/// Nearer points are one point on the trail.
const TRAIL_STEP_M: f64 = 5.0;

const MAX_TRAIL: usize = 4_000;

/// The marker at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Where it is.
    pub at: LonLat,
    /// Where it points, in degrees clockwise from north; may exceed one turn, so that turning takes the short way.
    /// `None` until it is known.
    pub heading_deg: Option<f64>,
    /// When the courier was there, by the fixes, Unix epoch milliseconds.
    pub time_ms: f64,
}

/// A point still to be reached.
#[derive(Clone, Copy, Debug)]
struct Stop {
    frame: Frame,
    /// When to be there, local.
    due_ms: f64,
}

/// Plays received positions back.
#[derive(Clone, Debug, Default)]
pub struct Playback {
    jumps: bool,
    shown: Option<Frame>,
    shown_at_ms: f64,
    ahead: VecDeque<Stop>,
    trail: Vec<LonLat>,
}

impl Playback {
    /// An empty playback. With `jumps` it steps to each new position at once, for people who asked for less motion.
    pub fn new(jumps: bool) -> Self {
        Self { jumps, ..Self::default() }
    }

    /// Stops or starts gliding.
    pub fn set_jumps(&mut self, jumps: bool) {
        self.jumps = jumps;
    }

    /// Forgets everything that was played, for another courier's marker.
    pub fn restart(&mut self) {
        *self = Self::new(self.jumps);
    }

    /// The marker as it was at the last call of [`Self::advance`] or [`Self::push`].
    pub fn shown(&self) -> Option<Frame> {
        self.shown
    }

    /// The newest position received, reached or not.
    pub fn newest(&self) -> Option<Frame> {
        self.ahead.back().map(|stop| stop.frame).or(self.shown)
    }

    /// Whether there is anything left to play.
    pub fn is_moving(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// What lies behind the marker, oldest first, without the marker itself.
    pub fn trail(&self) -> &[LonLat] {
        &self.trail
    }

    /// Puts a trail behind the marker that was there before the page was.
    pub fn set_trail(&mut self, trail: &[LonLat]) {
        self.trail.clear();
        trail.iter().for_each(|point| self.leave_behind(*point));
    }

    /// Takes a received position, and the points missed before it. One that is not newer than the newest is nothing new.
    pub fn push(&mut self, now_ms: f64, position: &Position, skipped: &[LonLat]) {
        self.advance(now_ms);
        let to = [position.lon, position.lat];
        let time_ms = position.time_ms as f64;
        let Some(from) = self.newest() else {
            self.shown = Some(Frame { at: to, heading_deg: position.heading_deg.map(f64::from), time_ms });
            self.leave_behind(to);
            return;
        };
        if time_ms <= from.time_ms {
            return;
        }
        self.enqueue(from, skipped, to, time_ms, position);
        if self.jumps || self.is_too_far() {
            self.jump();
        } else {
            self.schedule(now_ms);
        }
    }

    /// Moves the marker to where it belongs at `now_ms`, and answers it.
    pub fn advance(&mut self, now_ms: f64) -> Option<Frame> {
        while let Some(next) = self.ahead.front().copied() {
            let from = self.shown?;
            if now_ms < next.due_ms {
                let whole_ms = next.due_ms - self.shown_at_ms;
                let share = ((now_ms - self.shown_at_ms) / whole_ms).clamp(0.0, 1.0);
                self.shown = Some(blend(&from, &next.frame, share));
                break;
            }
            self.reach(next);
        }
        // A clock that jumped back must not make the next step longer.
        self.shown_at_ms = self.shown_at_ms.max(now_ms);
        self.shown
    }

    fn reach(&mut self, next: Stop) {
        self.shown = Some(next.frame);
        self.shown_at_ms = next.due_ms;
        self.leave_behind(next.frame.at);
        self.ahead.pop_front();
    }

    fn enqueue(&mut self, from: Frame, skipped: &[LonLat], to: LonLat, time_ms: f64, position: &Position) {
        let route: Vec<LonLat> = skipped.iter().copied().chain([to]).collect();
        let whole_m = length_m(from.at, &route);
        let count = route.len() as f64;
        let mut last = from;
        let mut travelled_m = 0.0;
        for (index, at) in route.into_iter().enumerate() {
            travelled_m += distance_m(last.at, at);
            // The message does not say when the courier passed the missed points: spread by distance, or evenly on the spot.
            let share = if whole_m > 0.0 { travelled_m / whole_m } else { (index + 1) as f64 / count };
            let frame_ms = from.time_ms + (time_ms - from.time_ms) * share;
            let told = position.heading_deg.filter(|_| index + 1 == count as usize);
            let target = heading(&last, at, frame_ms, told, position.speed_mps);
            let heading_deg = turned(last.heading_deg, target);
            last = Frame { at, heading_deg, time_ms: frame_ms };
            self.ahead.push_back(Stop { frame: last, due_ms: 0.0 });
        }
    }

    /// Spreads what is ahead over the next 1.5 to 2 s, in proportion to fix time.
    fn schedule(&mut self, now_ms: f64) {
        let (Some(shown), Some(newest)) = (self.shown, self.newest()) else { return };
        let span_ms = newest.time_ms - shown.time_ms;
        let play_ms = span_ms.clamp(LEAST_PLAY_MS, MOST_PLAY_MS);
        self.shown_at_ms = now_ms;
        for stop in &mut self.ahead {
            stop.due_ms = now_ms + (stop.frame.time_ms - shown.time_ms) / span_ms * play_ms;
        }
    }

    fn is_too_far(&self) -> bool {
        let Some(shown) = self.shown else { return false };
        let (mut last, mut whole_m) = (shown.at, 0.0);
        for stop in &self.ahead {
            let step_m = distance_m(last, stop.frame.at);
            whole_m += step_m;
            last = stop.frame.at;
            if step_m > SNAP_M {
                return true;
            }
        }
        whole_m > MOST_PLAYED_M
    }

    fn jump(&mut self) {
        while let Some(next) = self.ahead.front().copied() {
            self.reach(next);
        }
    }

    fn leave_behind(&mut self, point: LonLat) {
        if self.trail.last().is_some_and(|last| distance_m(*last, point) < TRAIL_STEP_M) {
            return;
        }
        if self.trail.len() >= MAX_TRAIL {
            self.trail.drain(..MAX_TRAIL / 4);
        }
        self.trail.push(point);
    }
}

fn blend(from: &Frame, to: &Frame, share: f64) -> Frame {
    let heading_deg = match (from.heading_deg, to.heading_deg) {
        (Some(from), Some(to)) => Some(from + (to - from) * share),
        (from, to) => from.or(to),
    };
    Frame {
        at: between(from.at, to.at, share),
        heading_deg,
        time_ms: from.time_ms + (to.time_ms - from.time_ms) * share,
    }
}

/// The heading at a point: what the device said, or the way from the last point; `None` to keep the one before.
fn heading(last: &Frame, at: LonLat, time_ms: f64, told: Option<f32>, speed_mps: Option<f32>) -> Option<f64> {
    let step_m = distance_m(last.at, at);
    let implied_mps = step_m / ((time_ms - last.time_ms).max(1.0) / 1_000.0);
    let speed_mps = speed_mps.unwrap_or(implied_mps as f32);
    if speed_mps < LEAST_HEADING_SPEED_MPS {
        return None;
    }
    told.map(f64::from).or_else(|| (step_m >= 1.0).then(|| bearing_deg(last.at, at)))
}

/// `target` as a heading reached from `last` by the shortest turn.
fn turned(last: Option<f64>, target: Option<f64>) -> Option<f64> {
    match (last, target) {
        (Some(last), Some(target)) => Some(last + turn_deg(last, target)),
        (last, target) => target.or(last),
    }
}

fn length_m(from: LonLat, route: &[LonLat]) -> f64 {
    let mut last = from;
    route.iter().map(|point| distance_m(std::mem::replace(&mut last, *point), *point)).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: LonLat = [14.5, 35.9];

    fn fix(time_ms: i64, [lon, lat]: LonLat) -> Position {
        Position { time_ms, lat, lon, accuracy_m: None, speed_mps: Some(8.0), heading_deg: None }
    }

    fn east_of(at: LonLat, metres: f64) -> LonLat {
        [at[0] + metres / (111_195.0 * 0.81), at[1]]
    }

    fn is_on(line: &[LonLat], point: LonLat) -> bool {
        let near = |a, b| {
            let share = crate::map::plane::nearest_share(a, b, point);
            distance_m(between(a, b, share), point) < 0.01
        };
        line.len() == 1 && distance_m(line[0], point) < 0.01 || line.windows(2).any(|pair| near(pair[0], pair[1]))
    }

    #[test]
    fn the_first_position_is_shown_at_once() {
        let mut playback = Playback::new(false);
        playback.push(0.0, &fix(1_000, START), &[]);
        assert_eq!(playback.shown().map(|frame| frame.at), Some(START));
        assert!(!playback.is_moving());
    }

    #[test]
    fn two_second_fixes_play_at_their_own_speed() {
        let mut playback = Playback::new(false);
        playback.push(0.0, &fix(0, START), &[]);
        playback.push(0.0, &fix(2_000, east_of(START, 20.0)), &[]);
        for quarter in 0..=4 {
            let frame = playback.advance(f64::from(quarter) * 500.0).expect("there is a marker");
            assert!((frame.time_ms - f64::from(quarter) * 500.0).abs() < 1e-6);
            assert!((distance_m(START, frame.at) - f64::from(quarter) * 5.0).abs() < 0.05);
        }
        assert!(!playback.is_moving(), "it stands still where it was last seen");
        let later = playback.advance(60_000.0).expect("there is a marker");
        assert!(distance_m(later.at, east_of(START, 20.0)) < 0.01, "nothing is extrapolated");
    }

    #[test]
    fn one_second_fixes_settle_one_and_a_half_seconds_behind_and_never_stop() {
        let mut playback = Playback::new(false);
        for second in 0..20 {
            let now_ms = f64::from(second) * 1_000.0;
            playback.push(now_ms, &fix(i64::from(second) * 1_000, east_of(START, f64::from(second) * 8.0)), &[]);
        }
        let behind_ms = 19_000.0 - playback.shown().expect("there is a marker").time_ms;
        assert!((450.0..=1_500.0).contains(&behind_ms), "{behind_ms}");
        assert!(playback.is_moving());
    }

    #[test]
    fn a_jump_of_more_than_300_metres_is_a_jump() {
        let mut playback = Playback::new(false);
        playback.push(0.0, &fix(0, START), &[]);
        playback.push(1_000.0, &fix(2_000, east_of(START, 290.0)), &[]);
        assert!(playback.is_moving());
        playback.push(4_000.0, &fix(4_000, east_of(START, 600.0)), &[]);
        assert!(!playback.is_moving());
        assert!(distance_m(playback.shown().expect("there is a marker").at, east_of(START, 600.0)) < 0.01);
    }

    #[test]
    fn missed_points_bridge_what_would_be_a_jump() {
        let mut playback = Playback::new(false);
        playback.push(0.0, &fix(0, START), &[]);
        let skipped: Vec<_> = (1..4).map(|step| east_of(START, f64::from(step) * 150.0)).collect();
        playback.push(1_000.0, &fix(40_000, east_of(START, 600.0)), &skipped);
        assert!(playback.is_moving());
        let halfway = playback.advance(2_000.0).expect("there is a marker");
        assert!((distance_m(START, halfway.at) - 300.0).abs() < 1.0);
    }

    #[test]
    fn the_heading_turns_through_north_and_freezes_when_slow() {
        let mut playback = Playback::new(false);
        let heading = |heading_deg, speed_mps, time_ms, at| Position {
            heading_deg: Some(heading_deg),
            speed_mps: Some(speed_mps),
            ..fix(time_ms, at)
        };
        playback.push(0.0, &heading(350.0, 8.0, 0, START), &[]);
        playback.push(0.0, &heading(10.0, 8.0, 2_000, east_of(START, 16.0)), &[]);
        let halfway = playback.advance(1_000.0).and_then(|frame| frame.heading_deg);
        assert_eq!(halfway, Some(360.0), "north, not south");
        playback.push(2_000.0, &heading(200.0, 0.4, 4_000, east_of(START, 16.5)), &[]);
        assert_eq!(playback.advance(9_000.0).and_then(|frame| frame.heading_deg), Some(370.0));
    }

    #[test]
    fn whoever_wants_less_motion_gets_steps() {
        let mut playback = Playback::new(true);
        playback.push(0.0, &fix(0, START), &[]);
        playback.push(10.0, &fix(2_000, east_of(START, 20.0)), &[]);
        assert!(!playback.is_moving());
        assert_eq!(playback.shown().map(|frame| frame.time_ms), Some(2_000.0));
    }

    #[test]
    fn a_page_that_was_hidden_for_long_does_not_race_after_the_courier() {
        let mut playback = Playback::new(false);
        for step in 0..200 {
            playback.push(0.0, &fix(i64::from(step) * 2_000, east_of(START, f64::from(step) * 20.0)), &[]);
        }
        assert!(distance_m(playback.shown().expect("there is a marker").at, START) > 2_000.0);
    }

    /// What a courier sends, and how late each message comes: metres north and east, ms between fixes, ms of delay.
    fn drive() -> impl Strategy<Value = Vec<(f64, f64, u32, u32, usize)>> {
        prop::collection::vec((-120.0f64..120.0, -120.0f64..120.0, 1u32..6_000, 0u32..5_000, 0usize..4), 1..30)
    }

    proptest! {
        #[test]
        fn the_marker_goes_only_where_the_courier_was_and_never_back(steps in drive()) {
            let mut playback = Playback::new(false);
            let (mut now_ms, mut time_ms, mut at) = (0.0, 0i64, START);
            let mut line = vec![START];
            playback.push(now_ms, &fix(time_ms, at), &[]);
            let mut last_ms = 0.0;
            for (north_m, east_m, interval_ms, delay_ms, missed) in steps {
                let from = at;
                at = [at[0] + east_m / 90_000.0, at[1] + north_m / 111_195.0];
                let skipped: Vec<_> = (1..=missed).map(|part| {
                    let middle = between(from, at, part as f64 / (missed + 1) as f64);
                    [middle[0] + 1e-4, middle[1]]
                }).collect();
                time_ms += i64::from(interval_ms);
                line.extend(&skipped);
                line.push(at);
                playback.push(now_ms, &fix(time_ms, at), &skipped);
                for part in 0..8 {
                    let frame = playback.advance(now_ms + f64::from(delay_ms) * f64::from(part) / 8.0).expect("there is a marker");
                    prop_assert!(frame.time_ms >= last_ms, "back in fix time");
                    prop_assert!(frame.time_ms <= time_ms as f64, "ahead of what is known");
                    prop_assert!(is_on(&line, frame.at), "off the received points");
                    last_ms = frame.time_ms;
                }
                now_ms += f64::from(delay_ms);
            }
            let end = playback.advance(now_ms + MOST_PLAY_MS).expect("there is a marker");
            prop_assert_eq!(end.time_ms, time_ms as f64, "the newest point is reached within two seconds");
            prop_assert!(distance_m(end.at, at) < 1e-6);
            prop_assert!(!playback.is_moving());
        }

        #[test]
        fn old_and_repeated_positions_change_nothing(times in prop::collection::vec(0i64..20_000, 1..40)) {
            let mut playback = Playback::new(false);
            let mut newest = i64::MIN;
            for (index, time_ms) in times.into_iter().enumerate() {
                let before = playback.newest();
                let now_ms = index as f64 * 300.0;
                playback.push(now_ms, &fix(time_ms, east_of(START, index as f64)), &[]);
                if time_ms <= newest {
                    prop_assert_eq!(playback.newest(), before);
                }
                newest = newest.max(time_ms);
                prop_assert_eq!(playback.newest().map(|frame| frame.time_ms), Some(newest as f64));
            }
        }

        #[test]
        fn no_turn_is_longer_than_half_a_circle(headings in prop::collection::vec(0.0f32..360.0, 2..20)) {
            let mut playback = Playback::new(false);
            let mut last: Option<f64> = None;
            for (index, heading_deg) in headings.into_iter().enumerate() {
                let at = east_of(START, index as f64 * 10.0);
                let position = Position { heading_deg: Some(heading_deg), ..fix(index as i64 * 2_000, at) };
                playback.push(index as f64 * 2_000.0, &position, &[]);
                let now = playback.newest().and_then(|frame| frame.heading_deg).expect("a heading was told");
                prop_assert!(last.is_none_or(|last| (now - last).abs() <= 180.0 + 1e-3));
                last = Some(now);
            }
        }

        #[test]
        fn every_received_point_is_passed(steps in drive()) {
            let mut playback = Playback::new(false);
            let (mut at, mut passed) = (START, vec![]);
            playback.push(0.0, &fix(0, at), &[]);
            let mut time_ms = 0;
            for (north_m, east_m, interval_ms, ..) in &steps {
                at = [at[0] + east_m / 90_000.0, at[1] + north_m / 111_195.0];
                time_ms += i64::from(*interval_ms);
                playback.push(0.0, &fix(time_ms, at), &[]);
                passed.push(at);
            }
            playback.advance(MOST_PLAY_MS);
            for point in passed {
                let nearest_m = playback.trail().iter().map(|left| distance_m(*left, point)).fold(f64::MAX, f64::min);
                prop_assert!(nearest_m < TRAIL_STEP_M);
            }
        }
    }
}
