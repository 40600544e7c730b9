//! What the phone's clock is worth: how far it is from the server's, as far as it can be known.
//!
//! A message says what the server's clock showed before it arrived, so the server is at least that far on; when it answers
//! something, the server's clock cannot have shown more than that when it was asked. Between those two lies the truth, and
//! only where they are close together is anything concluded. Questions are timed by the clock that never goes back. When
//! the phone's own clock moves otherwise than that one, the courier has set it, or the phone slept, and everything known is
//! forgotten.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// A clock further ahead than this makes the server refuse what it dates.
const AHEAD_MS: i64 = 120_000;

/// A clock further behind than this makes a courier on the move look like one who is not heard of.
const BEHIND_MS: i64 = 60_000;

/// Less is no reason to make time jump again.
const LEAST_CHANGE_MS: i64 = 60_000;

/// An answer that took longer was asked for on another network, or waited in a sleeping page.
const LONGEST_ANSWER_MS: i64 = 10_000;

/// Clocks drift apart in the course of a day, and are read one after the other.
const DRIFT_MS: i64 = 1_000;

/// A difference between the two clocks that is no drift.
const JUMP_MS: i64 = 2_000;

/// The phone's clock as it is now. What is dated by it is marked by its number, so that it can be put right together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PhoneClock {
    /// Another one from when on the clock may have been set.
    pub number: u32,
    /// Whether it was compared with the server's; what it dated until then is right, or was put right.
    pub is_checked: bool,
}

impl PhoneClock {
    /// The clock may have been set since.
    pub fn set_anew(self) -> Self {
        Self { number: self.number.wrapping_add(1), is_checked: false }
    }
}

/// What to add to a clock from which the server's is this far away, when `before_ms` has been added until now.
pub fn shift_ms(offset_ms: i64, before_ms: i64) -> i64 {
    let is_wrong = !(-AHEAD_MS..=BEHIND_MS).contains(&offset_ms);
    let shift_ms = if is_wrong { offset_ms } else { 0 };
    if (shift_ms - before_ms).abs() < LEAST_CHANGE_MS { before_ms } else { shift_ms }
}

/// Compares the phone's clock with the server's over a connection. Offsets are what to add to the phone's.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Both clocks of the phone when they were last read.
    seen: Option<(f64, i64)>,
    /// Questions from before this are no measure any more.
    jumped_ms: Option<f64>,
    least_ms: Option<i64>,
    most_ms: Option<i64>,
    asked_ms: VecDeque<f64>,
    is_doubted: bool,
}

impl Comparison {
    /// Reads the phone's clocks: the one that never goes back and the one on the wall. Answers how far the latter jumped.
    pub fn pass(&mut self, now_ms: f64, date_ms: i64) -> Option<i64> {
        let (before_now_ms, before_date_ms) = self.seen.replace((now_ms, date_ms))?;
        let jump_ms = date_ms - before_date_ms - (now_ms - before_now_ms) as i64;
        if jump_ms.abs() < JUMP_MS {
            return None;
        }
        self.jumped_ms = Some(now_ms);
        (self.least_ms, self.most_ms) = (None, None);
        Some(jump_ms)
    }

    /// A new connection, asked for at `asked_ms`, began with this time.
    pub fn connected(&mut self, asked_ms: Option<f64>, server_ms: i64) {
        (self.least_ms, self.most_ms, self.is_doubted) = (None, None, false);
        self.asked_ms.clear();
        self.answered(asked_ms, server_ms);
    }

    /// A ping is sent.
    pub fn asked(&mut self) {
        self.asked_ms.extend(self.seen.map(|(now_ms, _)| now_ms));
    }

    /// The oldest ping was answered.
    pub fn ponged(&mut self, server_ms: i64) {
        let asked_ms = self.asked_ms.pop_front().filter(|asked_ms| self.is_measure(*asked_ms));
        self.is_doubted &= asked_ms.is_none();
        self.answered(asked_ms, server_ms);
    }

    /// The server said what time it is, who knows how long ago.
    pub fn heard(&mut self, server_ms: i64) {
        let Some((_, date_ms)) = self.seen else { return };
        let least_ms = server_ms - date_ms;
        if self.most_ms.is_some_and(|most_ms| least_ms > most_ms) {
            (self.least_ms, self.most_ms) = (None, None);
        }
        self.least_ms = self.least_ms.max(Some(least_ms));
    }

    /// Nothing that is dated leaves the phone until a ping that follows this is answered.
    pub fn doubt(&mut self) {
        self.is_doubted = true;
    }

    /// Whether it is to be waited for.
    pub fn is_doubted(&self) -> bool {
        self.is_doubted
    }

    /// The server's clock from the phone's, by the message that was fastest on its way, when it is sure enough to date by.
    pub fn sure_ms(&self) -> Option<i64> {
        let (least_ms, most_ms) = (self.least_ms?, self.most_ms?);
        (most_ms - least_ms <= LONGEST_ANSWER_MS + DRIFT_MS).then_some(least_ms)
    }

    fn is_measure(&self, asked_ms: f64) -> bool {
        self.jumped_ms.is_none_or(|jumped_ms| asked_ms >= jumped_ms)
    }

    fn answered(&mut self, asked_ms: Option<f64>, server_ms: i64) {
        self.heard(server_ms);
        let Some((now_ms, date_ms)) = self.seen else { return };
        let Some(asked_ms) = asked_ms.filter(|asked_ms| self.is_measure(*asked_ms)) else { return };
        let least_ms = server_ms - date_ms;
        let most_ms = least_ms + (now_ms - asked_ms) as i64 + DRIFT_MS;
        if self.least_ms > Some(most_ms) {
            (self.least_ms, self.most_ms) = (Some(least_ms), None);
        }
        self.most_ms = Some(self.most_ms.map_or(most_ms, |before_ms| before_ms.min(most_ms)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE_MS: i64 = 1_795_219_200_000;

    /// Connected at 0 in 100 ms, to a server whose clock is this far from the phone's.
    fn connected(offset_ms: i64) -> Comparison {
        let mut clock = Comparison::default();
        clock.pass(100.0, DATE_MS + 100);
        clock.connected(Some(0.0), DATE_MS + 50 + offset_ms);
        clock
    }

    #[test]
    fn only_a_clock_far_from_the_truth_is_put_right() {
        for (offset_ms, before_ms, expected_ms) in [
            (-119_999, 0, 0),
            (-120_001, 0, -120_001),
            (60_000, 0, 0),
            (60_001, 0, 60_001),
            (-130_000, -120_001, -120_001),
            (-600_000, -120_001, -600_000),
            (0, -600_000, 0),
            (300, 61_000, 0),
        ] {
            assert_eq!(shift_ms(offset_ms, before_ms), expected_ms, "{offset_ms} after {before_ms}");
        }
    }

    #[test]
    fn a_connection_that_came_up_quickly_tells_the_time() {
        assert_eq!(connected(-400_000).sure_ms(), Some(-400_050));
    }

    #[test]
    fn a_greeting_that_waited_in_a_sleeping_page_tells_nothing() {
        let mut clock = Comparison::default();
        clock.pass(200_000.0, DATE_MS + 200_000);
        clock.connected(Some(0.0), DATE_MS + 50);
        assert_eq!((clock.sure_ms(), clock.least_ms), (None, Some(-199_950)));
        clock.asked();
        clock.pass(200_100.0, DATE_MS + 200_100);
        clock.ponged(DATE_MS + 200_050);
        assert_eq!(clock.sure_ms(), Some(-50));
    }

    #[test]
    fn a_clock_that_is_set_is_noticed_and_asked_about() {
        let mut clock = connected(-600_000);
        clock.asked();
        assert_eq!(clock.pass(5_000.0, DATE_MS + 5_900), None, "that is no jump");
        assert_eq!(clock.pass(6_000.0, DATE_MS - 594_000), Some(-600_900));
        assert_eq!((clock.sure_ms(), clock.least_ms), (None, None));
        clock.doubt();
        clock.asked();
        clock.ponged(DATE_MS - 594_000);
        assert!(clock.is_doubted() && clock.sure_ms().is_none(), "that one was asked before");
        clock.ponged(DATE_MS - 594_000);
        assert_eq!((clock.is_doubted(), clock.sure_ms()), (false, Some(0)));
    }

    #[test]
    fn a_server_that_contradicts_what_was_known_is_asked_again() {
        let mut clock = connected(0);
        clock.heard(DATE_MS + 30_000);
        assert_eq!((clock.sure_ms(), clock.least_ms), (None, Some(29_900)));
        let mut clock = connected(0);
        clock.pass(300_000.0, DATE_MS + 300_000);
        clock.asked();
        clock.ponged(DATE_MS + 60_000);
        assert_eq!(clock.sure_ms(), Some(-240_000), "the newest answer counts");
    }
}
