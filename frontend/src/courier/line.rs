//! The courier's connection: when to open a socket, when to doubt it, what to say about it.
//!
//! The rule of the contract: full-jitter backoff, at once when the network or the courier comes back, a new try after
//! 40 s without a word, and none at all after a close code that says stop. Unlike the customer's page there is no other
//! way than the socket, because only the socket takes positions. It reads no clock.

use doorstep_shared::protocol::{CloseCode, SILENCE_LIMIT_MS};

use super::state::Link;
use crate::live::backoff::{Backoff, HEALTHY_AFTER_MS};

/// Without a connection for this long, the screen says so.
pub const QUIET_BEFORE_TELLING_MS: f64 = 3_000.0;

/// A handshake that takes longer will not come any more.
const OPENING_LIMIT_MS: f64 = 10_000.0;

/// A connection in doubt has this long to show life.
const PROBE_LIMIT_MS: f64 = 5_000.0;

/// After a flood the server wants to be left alone for a while.
const RATE_LIMITED_WAIT_MS: f64 = 10_000.0;

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Not wanted.
    Off,
    /// Closed, to be opened at this time.
    Down { retry_at_ms: f64 },
    /// On its way.
    Opening { since_ms: f64 },
    /// It brought at least one message.
    Up { since_ms: f64, heard_ms: f64, probe_until_ms: Option<f64> },
}

/// What to do about the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Open one.
    Open,
    /// Drop it, opened or not.
    Close,
    /// Ask it for a sign of life.
    Ping,
}

/// The state of the connection.
#[derive(Clone, Debug)]
pub struct Line {
    state: State,
    backoff: Backoff,
    has_network: bool,
    down_since_ms: f64,
    was_up: bool,
}

impl Line {
    /// A line that is not wanted yet.
    pub fn new(now_ms: f64) -> Self {
        Self { state: State::Off, backoff: Backoff::default(), has_network: true, down_since_ms: now_ms, was_up: false }
    }

    /// Wants a connection from now on.
    pub fn want(&mut self, now_ms: f64) -> Option<Step> {
        if self.state != State::Off {
            return None;
        }
        self.down_since_ms = now_ms;
        self.open(now_ms)
    }

    /// Wants none any more.
    pub fn stop(&mut self) -> Option<Step> {
        let before = std::mem::replace(&mut self.state, State::Off);
        self.was_up = false;
        matches!(before, State::Opening { .. } | State::Up { .. }).then_some(Step::Close)
    }

    /// A message came; answers whether it is the first of this connection.
    pub fn heard(&mut self, now_ms: f64) -> bool {
        self.down_since_ms = now_ms;
        match &mut self.state {
            State::Opening { .. } => {
                self.state = State::Up { since_ms: now_ms, heard_ms: now_ms, probe_until_ms: None };
                self.was_up = true;
                true
            }
            State::Up { heard_ms, probe_until_ms, .. } => {
                (*heard_ms, *probe_until_ms) = (now_ms, None);
                false
            }
            State::Off | State::Down { .. } => false,
        }
    }

    /// The socket closed or never opened. Answers whether it had been up; a code that says stop turns the line off.
    pub fn closed(&mut self, now_ms: f64, random: f64, code: u16) -> bool {
        let before = self.state;
        if before == State::Off || matches!(before, State::Down { .. }) {
            return false;
        }
        if let State::Up { since_ms, .. } = before
            && now_ms - since_ms >= HEALTHY_AFTER_MS
        {
            self.backoff.reset();
        }
        self.down_since_ms = if matches!(before, State::Up { .. }) { now_ms } else { self.down_since_ms };
        let least_ms = if code == CloseCode::RateLimited.code() { RATE_LIMITED_WAIT_MS } else { 0.0 };
        self.state = if CloseCode::should_reconnect(code) {
            State::Down { retry_at_ms: now_ms + self.backoff.next_ms(random).max(least_ms) }
        } else {
            State::Off
        };
        matches!(before, State::Up { .. })
    }

    /// The device found a network, or somebody looks again: a line that waits is opened, one that is up is probed.
    pub fn nudge(&mut self, now_ms: f64) -> Option<Step> {
        match &mut self.state {
            State::Down { .. } => self.open(now_ms),
            State::Up { probe_until_ms: probe @ None, .. } => {
                *probe = Some(now_ms + PROBE_LIMIT_MS);
                Some(Step::Ping)
            }
            _ => None,
        }
    }

    /// What the device says about its network.
    pub fn set_network(&mut self, has_network: bool) {
        self.has_network = has_network;
    }

    /// Does what is due. A socket that is silent, or never opens, is given up: the browser may take minutes to notice.
    pub fn tick(&mut self, now_ms: f64, random: f64) -> Option<Step> {
        if self.wake_ms().is_none_or(|due_ms| due_ms > now_ms) {
            return None;
        }
        if matches!(self.state, State::Down { .. }) {
            return self.open(now_ms);
        }
        self.closed(now_ms, random, 1006);
        Some(Step::Close)
    }

    /// When [`Self::tick`] is due.
    pub fn wake_ms(&self) -> Option<f64> {
        match self.state {
            State::Off => None,
            State::Down { retry_at_ms } => Some(retry_at_ms),
            State::Opening { since_ms } => Some(since_ms + OPENING_LIMIT_MS),
            State::Up { heard_ms, probe_until_ms, .. } => {
                let silent_ms = heard_ms + SILENCE_LIMIT_MS as f64;
                Some(probe_until_ms.map_or(silent_ms, |probe_ms| probe_ms.min(silent_ms)))
            }
        }
    }

    /// Since when a socket is being opened.
    pub fn opening_since_ms(&self) -> Option<f64> {
        match self.state {
            State::Opening { since_ms } => Some(since_ms),
            _ => None,
        }
    }

    /// Whether messages may be sent.
    pub fn is_up(&self) -> bool {
        matches!(self.state, State::Up { .. })
    }

    /// What to tell about it.
    pub fn link(&self, now_ms: f64) -> Link {
        if self.is_up() {
            Link::Live
        } else if !self.has_network {
            Link::NoNetwork
        } else if now_ms - self.down_since_ms >= QUIET_BEFORE_TELLING_MS {
            Link::Reconnecting
        } else if self.was_up {
            Link::Live
        } else {
            Link::Connecting
        }
    }

    /// When what there is to tell changes by itself.
    pub fn telling_ms(&self, now_ms: f64) -> Option<f64> {
        let told_ms = self.down_since_ms + QUIET_BEFORE_TELLING_MS;
        (!self.is_up() && self.state != State::Off && told_ms > now_ms).then_some(told_ms)
    }

    fn open(&mut self, now_ms: f64) -> Option<Step> {
        self.state = State::Opening { since_ms: now_ms };
        Some(Step::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connected() -> Line {
        let mut line = Line::new(0.0);
        assert_eq!(line.want(0.0), Some(Step::Open));
        assert!(line.heard(100.0) && !line.heard(200.0));
        line
    }

    #[test]
    fn a_lost_socket_comes_back_and_is_told_after_three_seconds() {
        let mut line = connected();
        assert!(line.closed(1_000.0, 0.5, 1006));
        assert_eq!(line.link(3_900.0), Link::Live);
        assert_eq!(line.link(4_000.0), Link::Reconnecting);
        assert_eq!(line.tick(1_249.0, 0.5), None);
        assert_eq!(line.tick(1_250.0, 0.5), Some(Step::Open));
        assert!(line.heard(4_500.0));
        assert_eq!(line.link(4_500.0), Link::Live);
    }

    #[test]
    fn close_codes_from_4500_stop_it_and_all_others_come_back() {
        for code in [1000, 1001, 1006, 1009, 4000, 4001, 4002, 4003] {
            let mut line = connected();
            line.closed(1_000.0, 0.5, code);
            assert_eq!(line.tick(60_000.0, 0.5), Some(Step::Open), "{code}");
        }
        for code in [4500, 4501, 4503, 4504] {
            let mut line = connected();
            line.closed(1_000.0, 0.5, code);
            assert_eq!(line.tick(1e9, 0.5), None, "{code}");
        }
    }

    #[test]
    fn a_flooded_server_is_left_alone_for_ten_seconds() {
        let mut line = connected();
        line.closed(0.0, 0.5, 4003);
        assert_eq!((line.tick(9_999.0, 0.5), line.tick(10_000.0, 0.5)), (None, Some(Step::Open)));
    }

    #[test]
    fn silence_and_a_probe_without_answer_end_it() {
        let mut line = connected();
        assert_eq!(line.tick(40_199.0, 0.5), None);
        assert_eq!(line.tick(40_200.0, 0.5), Some(Step::Close));
        let mut line = connected();
        assert_eq!(line.nudge(1_000.0), Some(Step::Ping));
        assert_eq!(line.tick(6_000.0, 0.5), Some(Step::Close));
    }

    #[test]
    fn a_network_that_returns_is_used_at_once() {
        let mut line = connected();
        line.set_network(false);
        line.closed(1_000.0, 1.0, 1006);
        assert_eq!(line.link(1_000.0), Link::NoNetwork);
        line.set_network(true);
        assert_eq!(line.nudge(1_001.0), Some(Step::Open));
    }
}
