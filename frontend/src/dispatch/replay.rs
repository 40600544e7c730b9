//! A courier's day, or a part of it, on a slider: where they were at any moment, played at any speed.
//!
//! Between two fixes the marker moves along a straight line. In a gap it stays where the courier was last seen.

use doorstep_shared::{CourierId, RawFix};

use crate::{
    data::Locale,
    map::plane::{LonLat, between},
    ui::time,
};

/// A silence longer than this is a gap, as in the exported files.
const GAP_MS: i64 = 120_000;

/// The speeds at which a day may be played, in times of life.
pub const SPEEDS: [u32; 5] = [1, 10, 30, 60, 120];

/// The speed to begin with: an hour in two minutes.
const FIRST_SPEED: u32 = 30;

/// A replay of a day, or of a part of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    pub courier: CourierId,
    /// Counted from 1 January 1970 at the place of work.
    pub day: i64,
    /// Its begin and end, unless it is the whole day; Unix epoch milliseconds.
    pub part: Option<(i64, i64)>,
    /// Oldest first.
    fixes: Vec<Spot>,
    /// The moment shown, Unix epoch milliseconds.
    pub at_ms: i64,
    pub is_playing: bool,
    pub speed: u32,
    /// Whether all pages of the day have come.
    pub is_complete: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Spot {
    time_ms: i64,
    at: LonLat,
    heading_deg: Option<f32>,
    speed_mps: Option<f32>,
}

/// Where the courier was at the moment shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    pub at: LonLat,
    pub heading_deg: Option<f32>,
    pub speed_mps: Option<f32>,
    /// How old their last position was at that moment.
    pub age_ms: i64,
}

impl Replay {
    /// A day of which nothing has come yet.
    pub fn new(courier: CourierId, day: i64, part: Option<(i64, i64)>) -> Self {
        Self {
            courier,
            day,
            part,
            fixes: Vec::new(),
            at_ms: 0,
            is_playing: false,
            speed: FIRST_SPEED,
            is_complete: false,
        }
    }

    /// Begin and end of the positions to fetch: the part, or midnight to midnight at the place of work.
    /// A day on which the clocks are changed is whole, too.
    pub fn bounds(&self, locale: &Locale) -> (i64, i64) {
        let day = (time::day_from_ms(self.day, locale), time::day_from_ms(self.day + 1, locale));
        self.part.unwrap_or(day)
    }

    /// Takes the next page of the day, oldest first.
    pub fn take(&mut self, fixes: &[RawFix], is_last: bool) {
        let was_empty = self.fixes.is_empty();
        for fix in fixes {
            // A phone without a position reports exactly 0,0, which no map shows.
            if (fix.lat, fix.lon) == (0.0, 0.0) || self.fixes.last().is_some_and(|last| last.time_ms >= fix.time_ms) {
                continue;
            }
            let at = [fix.lon, fix.lat];
            let RawFix { heading_deg, speed_mps, .. } = *fix;
            self.fixes.push(Spot { time_ms: fix.time_ms, at, heading_deg, speed_mps });
        }
        self.is_complete = is_last;
        if was_empty && let Some((from_ms, _)) = self.span() {
            self.at_ms = from_ms;
        }
    }

    /// First and last moment; `None` for a day without a position.
    pub fn span(&self) -> Option<(i64, i64)> {
        Some((self.fixes.first()?.time_ms, self.fixes.last()?.time_ms))
    }

    /// How many positions the day has.
    pub fn len(&self) -> usize {
        self.fixes.len()
    }

    /// Goes to a moment.
    pub fn seek(&mut self, at_ms: i64) {
        if let Some((from_ms, until_ms)) = self.span() {
            self.at_ms = at_ms.clamp(from_ms, until_ms);
        }
    }

    /// Plays on for `elapsed_ms` of real time, at most to the end.
    pub fn advance(&mut self, elapsed_ms: f64) {
        let Some((_, until_ms)) = self.span().filter(|_| self.is_playing) else { return };
        self.at_ms = self.at_ms.saturating_add((elapsed_ms * f64::from(self.speed)) as i64).min(until_ms);
        self.is_playing = self.at_ms < until_ms;
    }

    /// Plays, or pauses; at the end it begins again.
    pub fn toggle(&mut self) {
        let Some((from_ms, until_ms)) = self.span() else { return };
        self.is_playing = !self.is_playing;
        if self.is_playing && self.at_ms >= until_ms {
            self.at_ms = from_ms;
        }
    }

    /// Where the courier was at the moment shown.
    pub fn shown(&self) -> Option<Shown> {
        let after = self.fixes.partition_point(|fix| fix.time_ms <= self.at_ms);
        let last = self.fixes[after.checked_sub(1)?];
        let age_ms = self.at_ms - last.time_ms;
        let next = self.fixes.get(after).filter(|next| next.time_ms - last.time_ms <= GAP_MS);
        let at = next
            .map_or(last.at, |next| between(last.at, next.at, age_ms as f64 / (next.time_ms - last.time_ms) as f64));
        Some(Shown { at, heading_deg: last.heading_deg, speed_mps: last.speed_mps, age_ms })
    }

    /// The way as it is drawn: one line for each stretch without a gap, up to the moment shown.
    pub fn behind(&self) -> Vec<Vec<LonLat>> {
        let after = self.fixes.partition_point(|fix| fix.time_ms <= self.at_ms);
        let mut lines = lines(&self.fixes[..after]);
        if let (Some(shown), Some(line)) = (self.shown().filter(|shown| shown.age_ms > 0), lines.last_mut()) {
            line.push(shown.at);
        }
        lines
    }

    /// The whole day's way.
    pub fn whole(&self) -> Vec<Vec<LonLat>> {
        lines(&self.fixes)
    }
}

fn lines(fixes: &[Spot]) -> Vec<Vec<LonLat>> {
    let stretches = fixes.chunk_by(|a, b| b.time_ms - a.time_ms <= GAP_MS);
    stretches.map(|stretch| stretch.iter().map(|fix| fix.at).collect()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::zone::tests::{locale, malta};

    fn fix(time_ms: i64, lon: f64) -> RawFix {
        serde_json::from_value(serde_json::json!({ "time_ms": time_ms, "lat": 35.9, "lon": lon })).expect("a fix")
    }

    fn day(fixes: &[RawFix]) -> Replay {
        let mut replay = Replay::new(CourierId::new(), 20_000, None);
        replay.take(fixes, true);
        replay
    }

    #[test]
    fn between_fixes_it_glides_and_over_a_gap_it_stands() {
        let mut replay = day(&[fix(1_000, 14.50), fix(11_000, 14.51), fix(500_000, 14.60)]);
        replay.seek(6_000);
        let shown = replay.shown().expect("a position");
        assert!((shown.at[0] - 14.505).abs() < 1e-9);
        replay.seek(200_000);
        let shown = replay.shown().expect("a position");
        assert_eq!((shown.at[0], shown.age_ms), (14.51, 189_000));
        assert_eq!(replay.whole().len(), 2, "a line for each stretch");
        assert_eq!(replay.behind().len(), 1);
    }

    #[test]
    fn it_plays_to_the_end_and_then_from_the_start() {
        let mut replay = day(&[fix(0, 14.5), fix(60_000, 14.6)]);
        replay.toggle();
        replay.advance(1_000.0);
        assert_eq!((replay.at_ms, replay.is_playing), (30_000, true));
        replay.advance(5_000.0);
        assert_eq!((replay.at_ms, replay.is_playing), (60_000, false));
        replay.toggle();
        assert_eq!((replay.at_ms, replay.is_playing), (0, true));
    }

    #[test]
    fn what_is_asked_for_is_a_day_at_the_place_of_work_or_a_part() {
        let courier = CourierId::new();
        let (from_ms, until_ms) = Replay::new(courier, 1, None).bounds(&locale(60.into()));
        assert_eq!((from_ms, until_ms), (82_800_000, 169_200_000));
        let part = Replay::new(courier, 1, Some((90_000_000, 90_600_000)));
        assert_eq!(part.bounds(&locale(60.into())), (90_000_000, 90_600_000));
    }

    #[test]
    fn a_day_on_which_the_clocks_are_changed_is_whole() {
        const HOUR_MS: i64 = 3_600_000;
        // 24 and 25 October 2026, and 28 March 2027; midnight in UTC.
        for (midnight_ms, from_hours, hours) in
            [(1_792_800_000_000, -2, 24), (1_792_886_400_000, -2, 25), (1_806_192_000_000, -1, 23)]
        {
            let day = midnight_ms / time::DAY_MS;
            let (from_ms, until_ms) = Replay::new(CourierId::new(), day, None).bounds(&locale(malta()));
            assert_eq!((from_ms - midnight_ms, until_ms - from_ms), (from_hours * HOUR_MS, hours * HOUR_MS));
        }
    }

    #[test]
    fn a_day_without_positions_has_nothing_to_play() {
        let mut replay = day(&[]);
        replay.toggle();
        replay.advance(1_000.0);
        assert_eq!((replay.span(), replay.shown(), replay.is_playing), (None, None, false));
    }

    proptest! {
        #[test]
        fn the_marker_is_always_between_two_neighbours(
            steps in prop::collection::vec((1i64..300_000, -0.01f64..0.01), 1..60), at_share in 0.0f64..1.0,
        ) {
            let (mut time_ms, mut lon) = (0, 14.5);
            let fixes: Vec<_> = steps.iter().map(|(wait_ms, east)| {
                (time_ms, lon) = (time_ms + wait_ms, lon + east);
                fix(time_ms, lon)
            }).collect();
            let mut replay = day(&fixes);
            let (from_ms, until_ms) = replay.span().expect("there are fixes");
            replay.seek(from_ms + ((until_ms - from_ms) as f64 * at_share) as i64);
            let shown = replay.shown().expect("inside the span there is a position");
            let after = fixes.partition_point(|fix| fix.time_ms <= replay.at_ms);
            let (a, b) = (fixes[after - 1].lon, fixes.get(after).map_or(fixes[after - 1].lon, |fix| fix.lon));
            prop_assert!(shown.at[0] >= a.min(b) - 1e-9 && shown.at[0] <= a.max(b) + 1e-9);
            let drawn: usize = replay.whole().iter().map(Vec::len).sum();
            prop_assert_eq!(drawn, fixes.len());
        }
    }
}
