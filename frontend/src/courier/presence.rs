//! What is reported about sharing itself: that it goes on, that it pauses and why, that the shift is over.
//!
//! A report says since when, so it may arrive late. The contract has no answer to it; a `pong` to a ping sent behind it
//! shows that it was read, and until then it is kept and goes again, in order, on the next connection. When nothing
//! waits, the present state is said again on each connection, because the server may have been told something else by
//! another app of the same courier.

use std::collections::VecDeque;

use doorstep_shared::protocol::{PresenceReason, PresenceState, courier::PresenceReport};
use serde::{Deserialize, Serialize};

/// Reports that wait. Without network for a whole shift the oldest give way; the newest says what counts.
const CAP: usize = 64;

/// The reports of one phone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Presence {
    /// What was reported last; `None` until the courier ever went online on this phone.
    current: Option<PresenceReport>,
    unread: VecDeque<PresenceReport>,
    /// How many of them were sent on this connection.
    #[serde(skip)]
    sent: usize,
    /// For each ping without an answer, how many reports stood before it.
    #[serde(skip)]
    pinged: VecDeque<usize>,
}

impl Presence {
    /// Takes note of how things stand since `since_ms`; answers whether that is new.
    pub fn note(&mut self, state: PresenceState, reason: Option<PresenceReason>, since_ms: i64) -> bool {
        if self.current.is_some_and(|current| (current.state, current.reason) == (state, reason)) {
            return false;
        }
        // What follows must not seem to have been before.
        let least_ms = self.current.and_then(|current| current.time_ms).unwrap_or(i64::MIN);
        let report = PresenceReport { state, reason, time_ms: Some(since_ms.max(least_ms)) };
        self.current = Some(report);
        self.unread.push_back(report);
        if self.unread.len() > CAP {
            self.unread.pop_front();
            self.sent = self.sent.saturating_sub(1);
            self.pinged.iter_mut().for_each(|before| *before = before.saturating_sub(1));
        }
        true
    }

    /// What was reported last.
    pub fn current(&self) -> Option<PresenceReport> {
        self.current
    }

    /// A new connection: everything that waits, or else how things stand.
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

    /// Whether something was said that the server may not have read.
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
        assert_eq!((told.len(), told.last().and_then(|report| report.time_ms)), (CAP, Some(499)));
    }
}
