//! What the phone reports about sharing itself: that it goes on, that it pauses and why, that the shift is over.
//!
//! A report says since when, so it may arrive late. The contract has no answer to it; a `pong` to a ping sent behind it
//! shows that the server has read it; until then the phone keeps it and sends it again, in order, on the next connection.
//! When nothing waits, the phone reports the present state again on each connection, because another app of the same
//! courier may have reported another one.

use std::collections::VecDeque;

use doorstep_shared::protocol::{PresenceReason, PresenceState, courier::PresenceReport};
use serde::{Deserialize, Serialize};

/// The most reports that wait. In a shift without network the phone forgets pauses in the middle first, never when a shift
/// ended or the next one began: by those the server knows what was recorded off duty.
const CAP: usize = 64;

/// The reports of one phone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Presence {
    /// What was reported last; `None` until the courier ever went online on this phone.
    current: Option<PresenceReport>,
    unread: VecDeque<PresenceReport>,
    /// How many of the newest were dated by the phone's clock as it is now.
    by_this_clock: usize,
    /// How many of them were sent on this connection.
    #[serde(skip)]
    sent: usize,
    /// For each ping without an answer, how many reports stood before it.
    #[serde(skip)]
    pinged: VecDeque<usize>,
}

impl Presence {
    /// Takes note of the presence since `since_ms`; answers whether that is new.
    pub fn note(&mut self, state: PresenceState, reason: Option<PresenceReason>, since_ms: i64) -> bool {
        if self.current.is_some_and(|current| (current.state, current.reason) == (state, reason)) {
            return false;
        }
        // A later report must not seem to come from before.
        let least_ms = self.current.and_then(|current| current.time_ms).unwrap_or(i64::MIN);
        let report = PresenceReport { state, reason, time_ms: Some(since_ms.max(least_ms)) };
        self.current = Some(report);
        self.unread.push_back(report);
        self.by_this_clock += 1;
        if self.unread.len() > CAP {
            self.forget_one_pause();
        }
        true
    }

    /// What is noted from now on is dated by another clock than what was.
    pub fn clock_changed(&mut self) {
        self.by_this_clock = 0;
    }

    /// Moves what was dated by the phone's clock as it is now, because that turned out to be wrong. Answers whether there
    /// was anything.
    pub fn shift(&mut self, by_ms: i64) -> bool {
        let moved = self.unread.iter_mut().rev().take(self.by_this_clock);
        let current = self.current.iter_mut().filter(|_| self.by_this_clock > 0);
        moved.chain(current).filter_map(|report| report.time_ms.as_mut()).for_each(|time_ms| *time_ms += by_ms);
        self.by_this_clock > 0
    }

    /// What was reported last.
    pub fn current(&self) -> Option<PresenceReport> {
        self.current
    }

    /// A new connection: everything that waits is sent, or else the present state.
    pub fn connected(&mut self) {
        self.disconnected();
        if self.unread.is_empty() {
            self.unread.extend(self.current);
        }
    }

    /// Nothing on its way counts any more.
    pub fn disconnected(&mut self) {
        self.sent = 0;
        self.pinged.clear();
    }

    /// What to send now, in order; a ping must follow.
    pub fn take(&mut self) -> Vec<PresenceReport> {
        let reports = self.unread.iter().skip(self.sent).copied().collect();
        self.sent = self.unread.len();
        reports
    }

    /// Whether there is a report that the server may not have read.
    pub fn is_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// A ping was sent.
    pub fn pinged(&mut self) {
        self.pinged.push_back(self.sent);
    }

    /// The oldest ping was answered: what stood before it was read. Answers whether that changed anything.
    pub fn ponged(&mut self) -> bool {
        let Some(read) = self.pinged.pop_front() else { return false };
        self.unread.drain(..read.min(self.unread.len()));
        self.sent = self.sent.saturating_sub(read);
        self.pinged.iter_mut().for_each(|before| *before = before.saturating_sub(read));
        read > 0
    }

    /// Makes room: a pause with its end, as near to the middle as there is one. A courier who only began and ended
    /// shifts loses the oldest break between two, in which nothing was recorded anyway.
    fn forget_one_pause(&mut self) {
        let unread = &self.unread;
        let (middle, inner) = (unread.len() / 2, 1..unread.len() - 2);
        let is_paused = |place: usize| unread[place].state == PresenceState::Paused;
        let is_off_duty = |place: usize| unread[place].state == PresenceState::OffDuty;
        let pause =
            inner.clone().filter(|place| is_paused(*place) && !is_off_duty(place + 1) && !is_off_duty(place - 1));
        let place = pause.min_by_key(|place| (is_paused(place + 1), place.abs_diff(middle)));
        let Some(place) = place.or_else(|| inner.clone().find(|place| is_off_duty(*place))) else { return };
        self.forget(place);
        self.forget(place);
    }

    fn forget(&mut self, place: usize) {
        let is_by_this_clock = place + self.by_this_clock >= self.unread.len();
        self.by_this_clock -= usize::from(is_by_this_clock);
        self.unread.remove(place);
        let less = |count: usize| count - usize::from(count > place);
        self.sent = less(self.sent);
        self.pinged.iter_mut().for_each(|before| *before = less(*before));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(reports: &[PresenceReport]) -> Vec<PresenceState> {
        reports.iter().map(|report| report.state).collect()
    }

    #[test]
    fn the_same_twice_is_said_once() {
        let mut presence = Presence::default();
        assert!(presence.note(PresenceState::Tracking, None, 1));
        assert!(!presence.note(PresenceState::Tracking, None, 2));
        assert_eq!(presence.take().len(), 1);
        assert_eq!(presence.take(), []);
    }

    #[test]
    fn what_happened_in_a_tunnel_is_told_in_order_until_it_was_read() {
        let mut presence = Presence::default();
        presence.note(PresenceState::Tracking, None, 1);
        presence.note(PresenceState::Paused, Some(PresenceReason::ScreenLocked), 2);
        presence.note(PresenceState::OffDuty, Some(PresenceReason::User), 3);
        for _ in 0..2 {
            presence.connected();
            let told = states(&presence.take());
            assert_eq!(told, [PresenceState::Tracking, PresenceState::Paused, PresenceState::OffDuty]);
            presence.pinged();
            presence.disconnected();
        }
        presence.connected();
        presence.take();
        presence.pinged();
        assert!(presence.ponged());
        presence.connected();
        assert_eq!(states(&presence.take()), [PresenceState::OffDuty], "how things stand");
    }

    #[test]
    fn a_pong_reads_only_what_stood_before_its_ping() {
        let mut presence = Presence::default();
        presence.note(PresenceState::Tracking, None, 1);
        presence.take();
        presence.pinged();
        presence.note(PresenceState::OffDuty, Some(PresenceReason::User), 2);
        presence.take();
        presence.ponged();
        presence.connected();
        assert_eq!(states(&presence.take()), [PresenceState::OffDuty]);
    }

    #[test]
    fn a_phone_that_was_never_online_says_nothing() {
        let mut presence = Presence::default();
        presence.connected();
        assert_eq!(presence.take(), []);
    }

    #[test]
    fn a_shift_without_network_stays_bounded_and_ends_with_the_truth() {
        let mut presence = Presence::default();
        for minute in 0..500 {
            let state = if minute % 2 == 0 { PresenceState::Tracking } else { PresenceState::Paused };
            presence.note(state, None, minute);
        }
        let told = presence.take();
        assert!(told.len() <= CAP, "{}", told.len());
        let times_ms = [told.first(), told.last()].map(|report| report.and_then(|report| report.time_ms));
        assert_eq!(times_ms, [Some(0), Some(499)]);
        assert!(told.windows(2).all(|pair| pair[0].state != pair[1].state && pair[0].time_ms < pair[1].time_ms));
    }

    #[test]
    fn however_many_pauses_there_were_the_ends_and_beginnings_of_shifts_are_told() {
        let mut presence = Presence::default();
        let mut shifts = vec![];
        for minute in 0..400 {
            let (state, reason) = match minute % 50 {
                49 => (PresenceState::OffDuty, Some(PresenceReason::User)),
                odd if odd % 2 == 1 => (PresenceState::Paused, Some(PresenceReason::NoSignal)),
                _ => (PresenceState::Tracking, None),
            };
            presence.note(state, reason, minute);
            if matches!(minute % 50, 0 | 49) {
                shifts.push(minute);
            }
        }
        let told: Vec<_> = presence.take().iter().filter_map(|report| report.time_ms).collect();
        assert!(told.len() <= CAP && told.is_sorted(), "{told:?}");
        assert!(shifts.iter().all(|minute| told.contains(minute)), "{told:?}");
    }

    #[test]
    fn even_nothing_but_short_shifts_stays_bounded() {
        let mut presence = Presence::default();
        for minute in 0..501 {
            match minute % 2 {
                0 => presence.note(PresenceState::Tracking, None, minute),
                _ => presence.note(PresenceState::OffDuty, Some(PresenceReason::User), minute),
            };
        }
        let told = presence.take();
        let times_ms = [told.first(), told.last()].map(|report| report.and_then(|report| report.time_ms));
        assert!(told.len() <= CAP && times_ms == [Some(0), Some(500)], "{told:?}");
    }

    #[test]
    fn what_is_forgotten_on_its_way_leaves_the_count_of_the_rest_right() {
        let mut presence = Presence::default();
        let state = |minute| if minute % 2 == 0 { PresenceState::Tracking } else { PresenceState::Paused };
        for minute in 0..CAP as i64 {
            presence.note(state(minute), None, minute);
        }
        presence.take();
        presence.pinged();
        presence.note(state(CAP as i64), None, CAP as i64);
        presence.ponged();
        let told: Vec<_> = presence.take().iter().filter_map(|report| report.time_ms).collect();
        assert_eq!(told, [CAP as i64]);
        assert!(presence.is_unread());
    }

    #[test]
    fn only_what_the_wrong_clock_dated_is_moved() {
        let mut presence = Presence::default();
        presence.note(PresenceState::OffDuty, Some(PresenceReason::User), 1_000);
        presence.clock_changed();
        presence.shift(-100);
        presence.note(PresenceState::Tracking, None, 2_000);
        presence.shift(-500);
        let times_ms = |presence: &mut Presence| {
            presence.connected();
            presence.take().iter().filter_map(|report| report.time_ms).collect::<Vec<_>>()
        };
        assert_eq!(times_ms(&mut presence), [1_000, 1_500]);
        presence.pinged();
        presence.ponged();
        presence.shift(50);
        assert_eq!(times_ms(&mut presence), [1_550], "how things stand is moved too");
    }
}
