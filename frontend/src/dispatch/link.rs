//! Decides how the console stays connected: given what happened, what to do next.
//!
//! The contract's rules: full-jitter backoff, at once when the network or the window comes back, silence of 40 s is a dead
//! line, and a gap in `seq` means that something was missed, so a fresh snapshot is fetched by reconnecting. What was said
//! to the old connection (viewport, followed courier) is said again to the new one. It never gives up, except when the
//! credentials are gone: then somebody has to sign in.

use doorstep_shared::{
    CourierId,
    protocol::{
        CloseCode, SILENCE_LIMIT_MS,
        fleet::{FleetMessage, Follow, Viewport},
    },
};

use crate::live::backoff::{Backoff, HEALTHY_AFTER_MS};

/// Without news for this long, the console says that it is reconnecting.
pub const QUIET_BEFORE_TELLING_MS: f64 = 3_000.0;

/// A handshake that takes longer will not come any more.
const OPENING_LIMIT_MS: f64 = 10_000.0;

/// A connection in doubt has this long to show life.
const PROBE_LIMIT_MS: f64 = 5_000.0;

/// After a flood the server wants to be left alone for a while.
const RATE_LIMITED_WAIT_MS: f64 = 10_000.0;

/// The box that limits nothing.
pub const WORLD: [f64; 4] = [-180.0, -90.0, 180.0, 90.0];

/// The map must rest this long before its viewport is sent: a drag is one message, not sixty.
const VIEWPORT_REST_MS: f64 = 400.0;

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Connect now: the console was opened, the network is back, or somebody looks again.
    Connect,
    /// The device says that it lost its network.
    Offline,
    /// A message; those that count carry their place in the sequence.
    Message { seq: Option<u64> },
    /// The socket closed or never opened; 1006 when nobody said why.
    Closed(u16),
    /// Positions are wanted from this box.
    Viewport([f64; 4]),
    /// This courier is wanted wherever they are.
    Follow(Option<CourierId>),
    /// The time told by [`Link::next_wake_ms`] has come.
    Tick,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Open a socket.
    Open,
    /// Drop the socket, opened or not.
    Close,
    /// Send this.
    Say(FleetMessage),
    /// Ask by plain HTTP whether the session still holds: a refused handshake does not say why.
    CheckSession,
    /// Nobody is signed in any more.
    SignIn,
}

/// What to tell about the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// The first snapshot is on its way.
    #[default]
    Connecting,
    /// News arrives.
    Live,
    /// News has stopped; the console tries to get it back.
    Reconnecting,
    /// The device says that it has no network.
    Offline,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Line {
    Down { retry_at_ms: Option<f64> },
    Opening { since_ms: f64 },
    Up { since_ms: f64, heard_ms: f64, probe_until_ms: Option<f64> },
}

/// The state of the connection.
#[derive(Clone, Debug)]
pub struct Link {
    line: Line,
    backoff: Backoff,
    next_seq: u64,
    down_since_ms: f64,
    was_up: bool,
    offline: bool,
    stopped: bool,
    viewport: Option<[f64; 4]>,
    viewport_due_ms: Option<f64>,
    follow: Option<CourierId>,
}

impl Link {
    /// Not connected yet.
    pub fn new(now_ms: f64) -> Self {
        Self {
            line: Line::Down { retry_at_ms: None },
            backoff: Backoff::default(),
            next_seq: 0,
            down_since_ms: now_ms,
            was_up: false,
            offline: false,
            stopped: false,
            viewport: None,
            viewport_due_ms: None,
            follow: None,
        }
    }

    /// Takes note of what happened at `now_ms`, a clock that never goes back, and answers what to do, in order, and
    /// whether a message that came is to be believed. `random` is uniform in `[0, 1)`.
    pub fn step(&mut self, now_ms: f64, random: f64, input: Input) -> (Vec<Effect>, bool) {
        if self.is_up() {
            self.down_since_ms = now_ms;
        }
        let mut effects = Vec::new();
        let mut believed = false;
        match input {
            Input::Connect => self.connect(now_ms, &mut effects),
            Input::Offline => {
                self.offline = true;
                self.probe(now_ms);
            }
            Input::Message { seq } => believed = self.message(now_ms, seq, &mut effects),
            Input::Closed(code) => self.closed(now_ms, random, code, &mut effects),
            Input::Viewport(bbox) if self.viewport.unwrap_or(WORLD) != bbox => {
                (self.viewport, self.viewport_due_ms) = (Some(bbox), Some(now_ms + VIEWPORT_REST_MS));
            }
            Input::Follow(courier) if self.follow != courier => {
                self.follow = courier;
                self.say_follow(&mut effects);
            }
            Input::Viewport(_) | Input::Follow(_) | Input::Tick => {}
        }
        self.catch_up(now_ms, random, &mut effects);
        if self.is_up() {
            (self.was_up, self.down_since_ms) = (true, now_ms);
        }
        (effects, believed)
    }

    /// When [`Input::Tick`] is due, if nothing else happens first.
    pub fn next_wake_ms(&self, now_ms: f64) -> Option<f64> {
        if self.stopped {
            return None;
        }
        let line_ms = match self.line {
            Line::Down { retry_at_ms } => retry_at_ms,
            Line::Opening { since_ms } => Some(since_ms + OPENING_LIMIT_MS),
            Line::Up { heard_ms, probe_until_ms, .. } => {
                let silent_ms = heard_ms + SILENCE_LIMIT_MS as f64;
                Some(probe_until_ms.map_or(silent_ms, |probe_ms| probe_ms.min(silent_ms)))
            }
        };
        let told_ms = self.down_since_ms + QUIET_BEFORE_TELLING_MS;
        let telling_ms = (told_ms > now_ms).then_some(told_ms);
        let viewport_ms = self.viewport_due_ms.filter(|_| self.is_up());
        line_ms.into_iter().chain(telling_ms).chain(viewport_ms).reduce(f64::min)
    }

    /// What to tell about it.
    pub fn health(&self, now_ms: f64) -> Health {
        if self.is_up() {
            Health::Live
        } else if self.offline {
            Health::Offline
        } else if now_ms - self.down_since_ms >= QUIET_BEFORE_TELLING_MS {
            Health::Reconnecting
        } else if self.was_up {
            Health::Live
        } else {
            Health::Connecting
        }
    }

    fn is_up(&self) -> bool {
        matches!(self.line, Line::Up { .. })
    }

    fn connect(&mut self, now_ms: f64, effects: &mut Vec<Effect>) {
        self.offline = false;
        match self.line {
            Line::Down { .. } if !self.stopped => self.open(now_ms, effects),
            // A laptop that slept may hold a socket that is dead without knowing.
            Line::Up { .. } => self.probe(now_ms),
            _ => {}
        }
    }

    fn open(&mut self, now_ms: f64, effects: &mut Vec<Effect>) {
        (self.line, self.next_seq) = (Line::Opening { since_ms: now_ms }, 0);
        effects.push(Effect::Open);
    }

    fn probe(&mut self, now_ms: f64) {
        if let Line::Up { heard_ms, probe_until_ms, .. } = &mut self.line {
            // Messages come at least every 15 s; one that is due soon shows life by itself.
            let due_ms = *heard_ms + doorstep_shared::protocol::HEARTBEAT_AFTER_MS as f64;
            *probe_until_ms = Some(due_ms.max(now_ms) + PROBE_LIMIT_MS);
        }
    }

    /// Answers whether the message fits the sequence.
    fn message(&mut self, now_ms: f64, seq: Option<u64>, effects: &mut Vec<Effect>) -> bool {
        match &mut self.line {
            Line::Down { .. } => return false,
            Line::Opening { .. } => {
                self.line = Line::Up { since_ms: now_ms, heard_ms: now_ms, probe_until_ms: None };
                self.say_viewport(effects);
                if self.follow.is_some() {
                    self.say_follow(effects);
                }
            }
            Line::Up { heard_ms, probe_until_ms, .. } => (*heard_ms, *probe_until_ms) = (now_ms, None),
        }
        self.offline = false;
        let Some(seq) = seq else { return true };
        if seq == self.next_seq {
            self.next_seq += 1;
            return true;
        }
        effects.push(Effect::Close);
        self.open(now_ms, effects);
        false
    }

    fn closed(&mut self, now_ms: f64, random: f64, code: u16, effects: &mut Vec<Effect>) {
        let before = std::mem::replace(&mut self.line, Line::Down { retry_at_ms: None });
        effects.push(Effect::Close);
        if code == CloseCode::Unauthorized.code() {
            self.stopped = true;
            effects.push(Effect::SignIn);
            return;
        }
        match before {
            Line::Up { since_ms, .. } if now_ms - since_ms >= HEALTHY_AFTER_MS => self.backoff.reset(),
            Line::Opening { .. } => effects.push(Effect::CheckSession),
            _ => {}
        }
        let least_ms = if code == CloseCode::RateLimited.code() { RATE_LIMITED_WAIT_MS } else { 0.0 };
        let wait_ms = self.backoff.next_ms(random).max(least_ms);
        self.line = Line::Down { retry_at_ms: Some(now_ms + wait_ms) };
    }

    /// Does what has become due.
    fn catch_up(&mut self, now_ms: f64, random: f64, effects: &mut Vec<Effect>) {
        let is_due = |at_ms: f64| now_ms >= at_ms;
        match self.line {
            Line::Down { retry_at_ms: Some(at_ms) } if is_due(at_ms) && !self.stopped => self.open(now_ms, effects),
            Line::Opening { since_ms } if is_due(since_ms + OPENING_LIMIT_MS) => {
                self.closed(now_ms, random, ABNORMAL, effects);
            }
            Line::Up { heard_ms, probe_until_ms, .. }
                if is_due(heard_ms + SILENCE_LIMIT_MS as f64) || probe_until_ms.is_some_and(is_due) =>
            {
                self.closed(now_ms, random, ABNORMAL, effects);
            }
            _ => {}
        }
        if self.is_up() && self.viewport_due_ms.is_some_and(is_due) {
            self.say_viewport(effects);
        }
    }

    fn say_viewport(&mut self, effects: &mut Vec<Effect>) {
        self.viewport_due_ms = None;
        if let Some(bbox) = self.viewport {
            effects.push(Effect::Say(FleetMessage::Viewport(Viewport { bbox })));
        }
    }

    fn say_follow(&self, effects: &mut Vec<Effect>) {
        if self.is_up() {
            effects.push(Effect::Say(FleetMessage::Follow(Follow { courier_id: self.follow })));
        }
    }
}

/// What a closed socket is called when nobody said why.
pub const ABNORMAL: u16 = 1006;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn up() -> Link {
        let mut link = Link::new(0.0);
        assert_eq!(link.step(0.0, 0.5, Input::Connect).0, [Effect::Open]);
        assert_eq!(link.step(10.0, 0.5, Input::Message { seq: Some(0) }), (vec![], true));
        link
    }

    #[test]
    fn a_gap_in_the_sequence_fetches_a_fresh_snapshot() {
        let mut link = up();
        assert_eq!(link.step(20.0, 0.5, Input::Message { seq: Some(1) }), (vec![], true));
        assert_eq!(link.step(30.0, 0.5, Input::Message { seq: None }), (vec![], true));
        let (effects, believed) = link.step(40.0, 0.5, Input::Message { seq: Some(3) });
        assert_eq!((effects, believed), (vec![Effect::Close, Effect::Open], false));
        assert_eq!(link.step(50.0, 0.5, Input::Message { seq: Some(0) }), (vec![], true));
    }

    #[test]
    fn a_lost_line_comes_back_within_a_second_and_is_told_what_the_old_one_knew() {
        let mut link = up();
        let bbox = [14.4, 35.8, 14.6, 36.0];
        assert_eq!(link.step(100.0, 0.5, Input::Viewport(bbox)).0, []);
        let viewport = Effect::Say(FleetMessage::Viewport(Viewport { bbox }));
        assert_eq!(link.step(500.0, 0.5, Input::Tick).0, std::slice::from_ref(&viewport));
        assert_eq!(link.step(600.0, 0.9, Input::Closed(4000)).0, [Effect::Close]);
        let wake_ms = link.next_wake_ms(600.0).expect("it tries again");
        assert!(wake_ms - 600.0 < 1_000.0);
        assert_eq!(link.step(wake_ms, 0.9, Input::Tick).0, [Effect::Open]);
        assert_eq!(link.step(wake_ms + 5.0, 0.9, Input::Message { seq: Some(0) }).0, [viewport]);
    }

    #[test]
    fn a_drag_of_the_map_is_one_message() {
        let mut link = up();
        for step in 0..60 {
            let west = 14.4 + f64::from(step) * 0.001;
            assert_eq!(link.step(100.0 + f64::from(step) * 16.0, 0.5, Input::Viewport([west, 35.8, 14.6, 36.0])).0, []);
        }
        let wake_ms = link.next_wake_ms(1_100.0).expect("the viewport is due");
        assert_eq!(link.step(wake_ms, 0.5, Input::Tick).0.len(), 1);
        assert_eq!(link.step(wake_ms + 1_000.0, 0.5, Input::Viewport([14.459, 35.8, 14.6, 36.0])).0, []);
    }

    #[test]
    fn revoked_credentials_end_it_and_everything_else_does_not() {
        let mut link = up();
        assert_eq!(link.step(20.0, 0.5, Input::Closed(4500)).0, [Effect::Close, Effect::SignIn]);
        assert_eq!(link.next_wake_ms(20.0), None);
        assert_eq!(link.step(30.0, 0.5, Input::Connect).0, []);
    }

    #[test]
    fn a_refused_handshake_asks_whether_somebody_is_signed_in() {
        let mut link = Link::new(0.0);
        link.step(0.0, 0.5, Input::Connect);
        assert_eq!(link.step(10.0, 0.5, Input::Closed(1006)).0, [Effect::Close, Effect::CheckSession]);
    }

    #[test]
    fn silence_of_forty_seconds_is_a_dead_line_and_is_told_after_three_more() {
        let mut link = up();
        assert_eq!(link.step(40_010.0, 0.5, Input::Tick).0, [Effect::Close]);
        assert_eq!(link.health(40_020.0), Health::Live, "short gaps are not worth a word");
        assert_eq!(link.health(43_100.0), Health::Reconnecting);
        link.step(43_200.0, 0.5, Input::Offline);
        assert_eq!(link.health(43_200.0), Health::Offline);
    }

    proptest! {
        /// Whatever happens, the console either has a line, is opening one, or knows when it will.
        #[test]
        fn it_never_gives_up(events in prop::collection::vec((0u8..7, 0.0f64..60_000.0, 0.0f64..1.0, 0u64..4), 1..120)) {
            let mut link = Link::new(0.0);
            let mut now_ms = 0.0;
            link.step(now_ms, 0.5, Input::Connect);
            for (kind, wait_ms, random, seq) in events {
                now_ms += wait_ms;
                let input = match kind {
                    0 => Input::Connect,
                    1 => Input::Offline,
                    2 => Input::Message { seq: Some(seq) },
                    3 => Input::Message { seq: None },
                    4 => Input::Closed([1006, 4000, 4001, 4003][seq as usize]),
                    5 => Input::Viewport([0.0, 0.0, seq as f64, 1.0]),
                    _ => Input::Tick,
                };
                link.step(now_ms, random, input);
                let wake_ms = link.next_wake_ms(now_ms).expect("something is always due");
                prop_assert!(wake_ms > now_ms && wake_ms - now_ms <= 60_000.0, "{wake_ms} after {now_ms}");
            }
        }
    }
}
