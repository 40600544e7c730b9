//! Which of a courier's devices moves the marker, pure.
//!
//! A courier may run our app and a tracker side by side, on one phone or two. Drawn together, two receivers that are
//! ten metres apart make a marker that flickers, so one of them leads: it moves the marker and draws the trail. It
//! leads until it has been silent for longer than its own habit explains, or until another has proved clearly better
//! for a while. Every fix is stored, whichever device leads, and the points of the others fill the holes that the
//! leader leaves. Silence is measured in fix time, so a leader that works off an old backlog is silent too.

use std::collections::VecDeque;

use doorstep_shared::{DeviceId, Fix};

use super::filter;

/// A leader that usually reports every second may take this long over one; a block's shadow is shorter.
pub const MIN_PATIENCE_MS: i64 = 15_000;

/// The patience with a silent leader ends here, or the map would stand still until a better habit is known.
pub const MAX_PATIENCE_MS: i64 = 90_000;

/// Two reports may get lost before a leader counts as silent.
const MISSED_REPORTS: f64 = 3.0;

/// The habit of a device that has reported once.
const USUAL_INTERVAL_MS: f64 = 10_000.0;

/// A pause this long is no habit.
const LONGEST_INTERVAL_MS: f64 = 120_000.0;

/// What the newest interval and accuracy weigh against those before.
const WEIGHT: f64 = 0.3;

/// A device is clearly better when it reports this many times as often …
const MUCH_MORE_OFTEN: f64 = 3.0;

/// … has proved it over this many reports …
const PROOF_REPORTS: u32 = 5;

/// … is about as accurate …
const AS_ACCURATE: f64 = 1.2;

/// … and the leader did not change within this time.
const MIN_TENURE_MS: i64 = 30_000;

/// Recent points of a device that does not lead, in case it takes over.
const MAX_WAITING: usize = 64;

/// Devices that are remembered of one courier. More than this are in a drawer.
const MAX_SOURCES: usize = 8;

/// A device silent for this long says nothing about batteries any more.
const BATTERY_COUNTS_MS: i64 = 10 * 60_000;

/// The devices of a courier that have reported.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    leader: Option<DeviceId>,
    /// The leader's fix time when it took over.
    changed_ms: i64,
    known: Vec<Source>,
}

#[derive(Clone, Debug)]
struct Source {
    device: DeviceId,
    /// Of its newest fix that a map could use; `i64::MIN` before there is one.
    newest_ms: i64,
    /// Messages that brought news, and the smoothed time between them.
    reports: u32,
    interval_ms: f64,
    accuracy_m: Option<f64>,
    battery: Option<(i64, f32)>,
    waiting: VecDeque<Fix>,
}

/// What to do with a device's fixes.
#[derive(Clone, Debug, PartialEq)]
pub enum Role {
    /// They move the marker, after the points that this device recorded while another one led.
    Leads {
        /// Oldest first; empty unless the device has just taken over.
        waited: Vec<Fix>,
    },
    /// They only fill holes.
    Follows,
}

impl Sources {
    /// Notes a message from `device` and returns which part it plays now.
    pub fn hear(&mut self, device: DeviceId, fixes: &[Fix]) -> Role {
        let index = self.index_of(device);
        let is_news = self.known[index].observe(fixes);
        match self.leader {
            Some(leader) if leader == device => return Role::Leads { waited: Vec::new() },
            Some(leader) if !(is_news && self.takes_over(&self.known[index], leader)) => {
                self.known[index].wait(fixes);
                return Role::Follows;
            }
            _ => {}
        }
        self.leader = Some(device);
        self.changed_ms = self.known[index].newest_ms;
        Role::Leads { waited: std::mem::take(&mut self.known[index].waiting).into() }
    }

    /// The device that moves the marker.
    pub fn leader(&self) -> Option<DeviceId> {
        self.leader
    }

    /// The lowest charge among the devices in use: the pace asks all of them to report.
    pub fn battery(&self) -> Option<f32> {
        let newest_ms = self.known.iter().map(|source| source.newest_ms).max()?;
        let in_use = self.known.iter().filter_map(|source| source.battery);
        let in_use = in_use.filter(|(time_ms, _)| newest_ms.saturating_sub(*time_ms) < BATTERY_COUNTS_MS);
        in_use.map(|(_, charge)| charge).min_by(f32::total_cmp)
    }

    fn takes_over(&self, candidate: &Source, leader: DeviceId) -> bool {
        let Some(leader) = self.known.iter().find(|source| source.device == leader) else { return true };
        let silent_ms = candidate.newest_ms.saturating_sub(leader.newest_ms);
        let is_settled = candidate.newest_ms.saturating_sub(self.changed_ms) >= MIN_TENURE_MS;
        silent_ms > leader.patience_ms() || (is_settled && silent_ms > 0 && candidate.is_clearly_better_than(leader))
    }

    fn index_of(&mut self, device: DeviceId) -> usize {
        if let Some(index) = self.known.iter().position(|source| source.device == device) {
            return index;
        }
        if self.known.len() == MAX_SOURCES {
            let followers = self.known.iter().enumerate().filter(|(_, source)| Some(source.device) != self.leader);
            if let Some((oldest, _)) = followers.min_by_key(|(_, source)| source.newest_ms) {
                self.known.swap_remove(oldest);
            }
        }
        self.known.push(Source::new(device));
        self.known.len() - 1
    }
}

impl Source {
    fn new(device: DeviceId) -> Self {
        Self {
            device,
            newest_ms: i64::MIN,
            reports: 0,
            interval_ms: USUAL_INTERVAL_MS,
            accuracy_m: None,
            battery: None,
            waiting: VecDeque::new(),
        }
    }

    /// Learns the device's habits; true when the message brought a newer fix. A message counts once, however many fixes
    /// it holds: what matters to a marker is how often new fixes come.
    fn observe(&mut self, fixes: &[Fix]) -> bool {
        for fix in fixes {
            let time_ms = fix.recorded_at_ms();
            if let Some(charge) = fix.battery()
                && self.battery.is_none_or(|(known_ms, _)| time_ms > known_ms)
            {
                self.battery = Some((time_ms, charge));
            }
        }
        let usable = fixes.iter().filter(|fix| filter::plausible_alone(fix).is_ok());
        let Some(newest) = usable.max_by_key(|fix| fix.recorded_at_ms()) else { return false };
        if newest.recorded_at_ms() <= self.newest_ms {
            return false;
        }
        if self.reports > 0 {
            let interval_ms = newest.recorded_at_ms().saturating_sub(self.newest_ms) as f64;
            let interval_ms = interval_ms.min(LONGEST_INTERVAL_MS);
            self.interval_ms = match self.reports {
                1 => interval_ms,
                _ => smooth(self.interval_ms, interval_ms),
            };
        }
        if let Some(accuracy_m) = newest.accuracy_m().map(f64::from) {
            self.accuracy_m = Some(self.accuracy_m.map_or(accuracy_m, |before| smooth(before, accuracy_m)));
        }
        self.newest_ms = newest.recorded_at_ms();
        self.reports = self.reports.saturating_add(1);
        true
    }

    fn wait(&mut self, fixes: &[Fix]) {
        self.waiting.extend(fixes);
        self.waiting.make_contiguous().sort_by_key(Fix::recorded_at_ms);
        let excess = self.waiting.len().saturating_sub(MAX_WAITING);
        self.waiting.drain(..excess);
    }

    fn patience_ms(&self) -> i64 {
        ((self.interval_ms * MISSED_REPORTS) as i64).clamp(MIN_PATIENCE_MS, MAX_PATIENCE_MS)
    }

    fn is_clearly_better_than(&self, other: &Self) -> bool {
        let is_as_accurate = match (self.accuracy_m, other.accuracy_m) {
            (Some(ours), Some(theirs)) => ours <= theirs * AS_ACCURATE,
            (None, Some(_)) => false,
            (_, None) => true,
        };
        self.reports >= PROOF_REPORTS && self.interval_ms * MUCH_MORE_OFTEN <= other.interval_ms && is_as_accurate
    }
}

fn smooth(before: f64, newest: f64) -> f64 {
    before + WEIGHT * (newest - before)
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{LatLon, RawFix, geo::distance::destination};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::track::{Track, tests::start};

    fn devices() -> [DeviceId; 2] {
        [DeviceId::new(), DeviceId::new()]
    }

    /// Where the courier truly is: eastwards at 8 m/s.
    fn truth(time_ms: i64) -> LatLon {
        destination(start(), 90.0, time_ms as f64 * 0.008)
    }

    fn reading(time_ms: i64, point: LatLon, accuracy_m: f32) -> Fix {
        let raw =
            RawFix { time_ms, lat: point.lat(), lon: point.lon(), accuracy_m: Some(accuracy_m), ..RawFix::default() };
        Fix::try_new(&raw).expect("test fixes are usable")
    }

    fn fix(time_ms: i64) -> Fix {
        reading(time_ms, truth(time_ms), 6.0)
    }

    fn leads(sources: &mut Sources, device: DeviceId, time_ms: i64) -> bool {
        matches!(sources.hear(device, &[fix(time_ms)]), Role::Leads { .. })
    }

    #[test]
    fn the_first_to_speak_leads_and_an_equal_follows() {
        let [app, tracker] = devices();
        let mut sources = Sources::default();
        for second in 0..300 {
            assert!(leads(&mut sources, app, second * 1_000));
            assert!(!leads(&mut sources, tracker, second * 1_000 + 500));
        }
    }

    #[test]
    fn when_the_leader_falls_silent_the_other_takes_over_with_its_points_from_meanwhile() {
        let [app, tracker] = devices();
        let mut sources = Sources::default();
        for second in 0..60 {
            assert!(leads(&mut sources, app, second * 1_000));
        }
        for second in (60..75).step_by(3) {
            assert!(!leads(&mut sources, tracker, second * 1_000 - 999), "the app has been silent for a moment only");
        }
        let Role::Leads { waited } = sources.hear(tracker, &[fix(75_000)]) else { panic!("16 s are enough") };
        assert_eq!(
            waited.iter().map(Fix::recorded_at_ms).collect::<Vec<_>>(),
            [59_001, 62_001, 65_001, 68_001, 71_001]
        );
        assert!(!leads(&mut sources, app, 76_000), "who comes back waits their turn");
        assert_eq!(sources.leader(), Some(tracker));
    }

    #[test]
    fn a_leader_with_slow_habits_gets_more_patience_up_to_a_bound() {
        let [tracker, app] = devices();
        let mut sources = Sources::default();
        for minute in 0..10 {
            leads(&mut sources, tracker, minute * 60_000);
        }
        assert!(!leads(&mut sources, app, 540_000 + MAX_PATIENCE_MS));
        assert!(leads(&mut sources, app, 540_001 + MAX_PATIENCE_MS));
    }

    #[test]
    fn a_leader_that_works_off_its_backlog_is_silent_too() {
        let [tracker, app] = devices();
        let mut sources = Sources::default();
        leads(&mut sources, tracker, 0);
        leads(&mut sources, tracker, 10_000);
        assert!(leads(&mut sources, app, 600_000), "the tracker is ten minutes behind");
        for second in 11..60 {
            assert!(!leads(&mut sources, tracker, second * 1_000));
        }
    }

    #[test]
    fn a_clearly_better_device_takes_over_and_a_vaguer_one_does_not() {
        for (accuracy_m, wins) in [(6.0, true), (40.0, false)] {
            let [tracker, app] = devices();
            let mut sources = Sources::default();
            for second in 0..120 {
                if second % 10 == 0 {
                    sources.hear(tracker, &[fix(second * 1_000)]);
                }
                sources.hear(app, &[reading(second * 1_000 + 1, truth(second * 1_000), accuracy_m)]);
            }
            assert_eq!(sources.leader() == Some(app), wins, "with {accuracy_m} m");
        }
    }

    #[test]
    fn a_device_that_sends_nothing_for_a_map_does_not_lead_for_long() {
        let [inside, outside] = devices();
        let mut sources = Sources::default();
        leads(&mut sources, inside, 0);
        for second in 1..40 {
            sources.hear(inside, &[reading(second * 1_000, truth(0), 500.0)]);
        }
        assert!(leads(&mut sources, outside, 40_000));
    }

    #[test]
    fn the_emptier_battery_of_those_in_use_counts() {
        let [app, tracker] = devices();
        let charged = |time_ms, charge| {
            let mut raw = fix(time_ms).to_raw();
            raw.battery = Some(charge);
            Fix::try_new(&raw).expect("usable")
        };
        let mut sources = Sources::default();
        assert_eq!(sources.battery(), None);
        sources.hear(app, &[charged(0, 0.9)]);
        sources.hear(tracker, &[charged(1_000, 0.15)]);
        sources.hear(app, &[charged(2_000, 0.89)]);
        assert_eq!(sources.battery(), Some(0.15));
        sources.hear(app, &[charged(BATTERY_COUNTS_MS + 2_000, 0.8)]);
        assert_eq!(sources.battery(), Some(0.8));
    }

    #[test]
    fn the_backlog_of_the_other_device_fills_only_holes_and_yields_to_the_leaders_own() {
        let [app, tracker] = devices();
        let north = |time_ms| reading(time_ms, destination(truth(time_ms), 0.0, 20.0), 6.0);
        let mut track = Track::default();
        for second in (0..60).chain(300..360) {
            track.hear(app, &[fix(second * 1_000)]);
        }
        let backlog: Vec<_> = (0..350).map(|second| north(second * 1_000 + 500)).collect();
        let update = track.hear(tracker, &backlog);
        assert!(update.moved.is_empty());
        assert_eq!(update.filled_in, 241, "a point a second between 59 s and 300 s");
        assert_eq!(track.hear(tracker, &backlog).filled_in, 0);
        let own: Vec<_> = (60..300).map(|second| fix(second * 1_000)).collect();
        assert_eq!(track.hear(app, &own).filled_in, 240);
        let line = track.trail_since(0);
        assert!(line.iter().all(|[_, lat]| (lat - start().lat()).abs() < 1e-5), "no point of the tracker is left");
    }

    /// What one device sends: its interval and jitter, its error, and pauses as (from second, seconds).
    #[derive(Clone, Debug)]
    struct Habit {
        interval_ms: i64,
        jitter_ms: Vec<i64>,
        north_m: f64,
        pauses: Vec<(i64, i64)>,
    }

    const DRIVE_MS: i64 = 900_000;

    fn habit() -> impl Strategy<Value = Habit> {
        let pauses = prop::collection::vec((0..DRIVE_MS / 1_000, 1..120i64), 0..8);
        (500..30_000i64, prop::collection::vec(-400..400i64, 8), -15.0..15.0f64, pauses)
            .prop_map(|(interval_ms, jitter_ms, north_m, pauses)| Habit { interval_ms, jitter_ms, north_m, pauses })
    }

    impl Habit {
        fn fixes(&self) -> impl Iterator<Item = Fix> + '_ {
            let times = (0..DRIVE_MS / self.interval_ms).zip(self.jitter_ms.iter().cycle());
            let times = times.map(|(index, jitter_ms)| (index * self.interval_ms + jitter_ms).max(0));
            let paused = |time_ms: i64| {
                self.pauses.iter().any(|(from_s, for_s)| (*from_s..from_s + for_s).contains(&(time_ms / 1_000)))
            };
            let times = times.filter(move |time_ms| !paused(*time_ms));
            times.map(|time_ms| reading(time_ms, destination(truth(time_ms), 0.0, self.north_m), 8.0))
        }
    }

    fn both(one: &Habit, other: &Habit) -> Vec<(usize, Fix)> {
        let mut all: Vec<_> = one.fixes().map(|fix| (0, fix)).chain(other.fixes().map(|fix| (1, fix))).collect();
        all.sort_by_key(|(_, fix)| fix.recorded_at_ms());
        all
    }

    proptest! {
        #[test]
        fn the_marker_changes_between_two_devices_four_times_a_minute_at_most_and_never_goes_back(
            one in habit(), other in habit(),
        ) {
            let devices = devices();
            let mut track = Track::default();
            let (mut newest_ms, mut leader, mut changes) = (i64::MIN, None, Vec::new());
            for (index, fix) in both(&one, &other) {
                for position in track.hear(devices[index], &[fix]).moved {
                    prop_assert!(position.time_ms > newest_ms);
                    newest_ms = position.time_ms;
                    if leader.replace(index).is_some_and(|before| before != index) {
                        changes.push(fix.recorded_at_ms());
                    }
                }
            }
            for window in changes.windows(5) {
                prop_assert!(window[4] - window[0] > 60_000, "changed at {changes:?}");
            }
        }

        #[test]
        fn when_one_dies_the_other_moves_the_marker_within_the_bound(
            one in habit(), other in habit(), dies_ms in 120_000..600_000i64, which in 0..2usize,
        ) {
            let (one, other) = (Habit { pauses: vec![], ..one }, Habit { pauses: vec![], ..other });
            let survivor = [&other, &one][which];
            let devices = devices();
            let mut track = Track::default();
            let mut stood_ms = 0;
            for (index, fix) in both(&one, &other) {
                if index == which && fix.recorded_at_ms() >= dies_ms {
                    continue;
                }
                let before = track.position();
                track.hear(devices[index], &[fix]);
                if fix.recorded_at_ms() >= dies_ms && track.position() == before {
                    stood_ms = fix.recorded_at_ms() - before.map_or(0, |position| position.time_ms);
                }
            }
            let bound_ms = MAX_PATIENCE_MS + survivor.interval_ms + 1_000;
            prop_assert!(stood_ms <= bound_ms, "the marker stood for {stood_ms} ms");
            let last_ms = track.position().map_or(0, |position| position.time_ms);
            prop_assert!(DRIVE_MS - last_ms <= 2 * survivor.interval_ms + 1_000, "and goes on to the end");
        }

        #[test]
        fn one_device_alone_is_treated_as_if_there_were_no_sources(
            batches in prop::collection::vec(prop::collection::vec((0..600_000i64, 0.0..400.0f32), 0..6), 0..40),
        ) {
            let device = DeviceId::new();
            let (mut with, mut without) = (Track::default(), Track::default());
            for batch in batches {
                let fixes: Vec<_> =
                    batch.into_iter().map(|(time_ms, accuracy_m)| reading(time_ms, truth(time_ms), accuracy_m)).collect();
                prop_assert_eq!(with.hear(device, &fixes), without.apply(&fixes));
            }
            prop_assert_eq!(with.trail_since(0), without.trail_since(0));
        }
    }
}
