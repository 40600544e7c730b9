//! What a customer reads: a range that rests until there is a reason to move it.
//!
//! A fresh range comes every second, and one that moved with each would be believed by nobody. So the range that was told
//! stays while the fresh one agrees with it; it moves when the courier came much nearer or the fresh one left it, at most
//! twice in ten minutes, and at once for a reason that can be said. Pure: one [`Keeper`] for each order.

use std::collections::VecDeque;

use crate::{
    forecast::Forecast,
    range::Range,
    score::{Situation, Told},
};

/// A range moves without a reason at most this often within this time.
const MOST_MOVES: usize = 2;
const MOVES_WINDOW_MS: i64 = 10 * 60_000;

/// And no sooner than this after the last move: the first sight of something is often wrong.
const LEAST_REST_MS: i64 = 90_000;

/// Between two moves for reasons lies at least this; a reason that comes and goes must not make a range flicker.
const LEAST_REASON_REST_MS: i64 = 45_000;

/// The fresh range is much narrower when its width is below this share of the told one.
const MUCH_NARROWER: f64 = 0.62;

/// It left the told one when an end is outside of it by this share of the told width, at least half a minute.
const LEFT_BY: f64 = 0.15;
const LEFT_BY_LEAST_MS: i64 = 30_000;

/// What is expected inside of a range that stands is told again when it moved by this much.
const EXPECTED_MOVED_MS: i64 = 20_000;

/// Why a range is wider or later than the way alone would make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// The courier has stood still for some time away from their stops.
    Standing,
    /// The courier's phone is silent.
    Silent,
    /// The courier left the way.
    OffWay,
    /// The goods are not ready.
    WaitingAtPickup,
}

impl Why {
    /// What programs call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standing => "standing",
            Self::Silent => "silent",
            Self::OffWay => "off_way",
            Self::WaitingAtPickup => "waiting_at_pickup",
        }
    }
}

/// A range that could be told now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fresh {
    /// The range from now on.
    pub range: Range,
    /// The seconds that it was made from, and the yardstick of their error.
    pub forecast: Forecast,
    /// What is going on.
    pub situation: Situation,
    /// Why it is wider, if it is.
    pub why: Option<Why>,
    /// Counts up with everything that changes what lies ahead: a step of the order, a new plan of stops.
    pub chapter: u64,
    /// The courier is in the customer's street.
    pub is_near: bool,
}

/// Why a range moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It is the first.
    First,
    /// Something happened that can be said: a step of the order, another plan, a doubt or its end, the customer's street.
    Reason,
    /// The last one is over.
    Over,
    /// More is known by now.
    News,
    /// The range stands; what is expected inside of it moved.
    Inside,
}

/// A range to tell, and why it moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Telling {
    /// The range.
    pub told: Told,
    /// Why it moved.
    pub cause: Cause,
}

/// What was told of one order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keeper {
    told: Option<(Told, Fresh)>,
    moved_ms: i64,
    /// When the range moved without a reason that can be said.
    moves: VecDeque<i64>,
}

impl Keeper {
    /// The range told last, as it reads at `now_ms`.
    pub fn told(&self, now_ms: i64) -> Option<Told> {
        self.told.map(|(told, _)| told.read_at(now_ms))
    }

    /// Why the range told last is wider, if it is.
    pub fn why(&self) -> Option<Why> {
        self.told.and_then(|(_, fresh)| fresh.why)
    }

    /// Takes a fresh range, and returns what to tell instead of the last one; `None` while that stands.
    pub fn offer(&mut self, fresh: Fresh, now_ms: i64) -> Option<Telling> {
        let new = told(&fresh, now_ms);
        let Some((last, before)) = self.told else { return Some(self.tell(new, fresh, Cause::First)) };
        let rested_ms = now_ms - self.moved_ms;
        let has_reason = fresh.why != before.why || fresh.chapter != before.chapter || fresh.is_near != before.is_near;
        if has_reason && (rested_ms >= LEAST_REASON_REST_MS || fresh.chapter != before.chapter) {
            return Some(self.tell(new, fresh, Cause::Reason));
        }
        // A range that is over must be followed by another; while the courier stands that is a reason in itself.
        let is_over = now_ms > last.latest_ms - 15_000;
        if is_over && rested_ms >= LEAST_REASON_REST_MS {
            return Some(self.tell(new, fresh, Cause::Over));
        }
        if rested_ms < LEAST_REST_MS || !differs(&last.read_at(now_ms), &new) {
            return self.tell_inside(new, now_ms);
        }
        while self.moves.front().is_some_and(|moved_ms| now_ms - moved_ms >= MOVES_WINDOW_MS) {
            self.moves.pop_front();
        }
        if self.moves.len() >= MOST_MOVES {
            return self.tell_inside(new, now_ms);
        }
        self.moves.push_back(now_ms);
        Some(self.tell(new, fresh, Cause::News))
    }

    fn tell(&mut self, told: Told, fresh: Fresh, cause: Cause) -> Telling {
        (self.told, self.moved_ms) = (Some((told, fresh)), told.at_ms);
        Telling { told, cause }
    }

    fn tell_inside(&mut self, new: Told, now_ms: i64) -> Option<Telling> {
        let (last, _) = self.told.as_mut()?;
        let expected_ms = new.expected_ms.clamp(last.earliest_ms, last.latest_ms);
        if expected_ms.abs_diff(last.expected_ms) < EXPECTED_MOVED_MS as u64 {
            return None;
        }
        (last.expected_ms, last.at_ms) = (expected_ms, now_ms);
        Some(Telling { told: *last, cause: Cause::Inside })
    }
}

fn told(fresh: &Fresh, now_ms: i64) -> Told {
    let at = |seconds: f64| now_ms.saturating_add((seconds * 1_000.0) as i64);
    Told {
        at_ms: now_ms,
        earliest_ms: at(fresh.range.earliest_s),
        expected_ms: at(fresh.range.expected_s),
        latest_ms: at(fresh.range.latest_s),
        forecast_ms: at(fresh.forecast.expected_s),
        scale_s: fresh.forecast.scale_s,
        situation: fresh.situation,
    }
}

/// Whether the fresh range says something else than the told one.
fn differs(told: &Told, fresh: &Told) -> bool {
    let width_ms = told.latest_ms - told.earliest_ms;
    let slack_ms = ((width_ms as f64 * LEFT_BY) as i64).max(LEFT_BY_LEAST_MS);
    let left = fresh.earliest_ms < told.earliest_ms - slack_ms || fresh.latest_ms > told.latest_ms + slack_ms;
    let is_narrower = ((fresh.latest_ms - fresh.earliest_ms) as f64) < width_ms as f64 * MUCH_NARROWER;
    left || is_narrower
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn fresh(earliest_s: f64, latest_s: f64) -> Fresh {
        let range = Range { earliest_s, expected_s: earliest_s.midpoint(latest_s), latest_s };
        let forecast = Forecast { expected_s: range.expected_s, scale_s: 60.0 };
        Fresh { range, forecast, situation: Situation::Direct, why: None, chapter: 0, is_near: false }
    }

    #[test]
    fn a_range_that_agrees_with_the_told_one_changes_nothing() {
        let mut keeper = Keeper::default();
        assert!(keeper.offer(fresh(600.0, 1_200.0), 0).is_some());
        assert_eq!(keeper.offer(fresh(320.0, 875.0), 5 * MINUTE_MS), None);
        let inside = keeper.offer(fresh(320.0, 800.0), 5 * MINUTE_MS).expect("what is expected moved");
        assert_eq!((inside.cause, inside.told.earliest_ms), (Cause::Inside, 10 * MINUTE_MS));
        assert!(keeper.offer(fresh(400.0, 600.0), 5 * MINUTE_MS).is_some(), "much is known by now");
    }

    #[test]
    fn a_reason_moves_it_at_once_and_is_kept_with_it() {
        let mut keeper = Keeper::default();
        keeper.offer(fresh(600.0, 1_200.0), 0);
        let standing = Fresh { why: Some(Why::Standing), ..fresh(600.0, 1_800.0) };
        assert!(keeper.offer(standing, MINUTE_MS).is_some());
        assert_eq!(keeper.why(), Some(Why::Standing));
        let collected = Fresh { chapter: 1, ..fresh(500.0, 900.0) };
        assert!(keeper.offer(collected, MINUTE_MS + 5_000).is_some(), "the goods are on board");
    }

    #[test]
    fn a_range_that_is_over_is_followed_by_another() {
        let mut keeper = Keeper::default();
        keeper.offer(fresh(60.0, 180.0), 0);
        let next = keeper.offer(fresh(60.0, 240.0), 3 * MINUTE_MS).expect("it is over");
        assert_eq!(next.cause, Cause::Over);
        assert!(next.told.latest_ms > 3 * MINUTE_MS);
    }

    proptest! {
        #[test]
        fn without_a_reason_it_moves_at_most_twice_in_ten_minutes_and_never_into_the_past(
            offers in prop::collection::vec((0.0f64..3_000.0, 900.0f64..2_000.0), 60..240),
        ) {
            let mut keeper = Keeper::default();
            let mut moved = Vec::new();
            for (n, (earliest_s, width_s)) in offers.into_iter().enumerate() {
                let now_ms = n as i64 * 10_000;
                if let Some(told) = keeper.offer(fresh(earliest_s, earliest_s + width_s), now_ms) {
                    prop_assert!(told.told.earliest_ms >= now_ms || told.cause == Cause::Inside);
                    moved.extend((told.cause == Cause::News).then_some(now_ms));
                }
                let read = keeper.told(now_ms).expect("the first offer was told");
                prop_assert!(read.earliest_ms >= now_ms && read.latest_ms >= read.earliest_ms);
            }
            for three in moved.windows(3) {
                prop_assert!(three[2] - three[0] >= MOVES_WINDOW_MS);
            }
        }
    }
}
