//! The console's feed of the whole fleet, as rules without a socket.
//!
//! [`Connection`] decides when to connect. What is the console's own stands here: a gap in `seq` means that a message was
//! missed, so it reconnects for a fresh snapshot; a new connection is sent what the old one knew (viewport and followed
//! courier); and a refused handshake, which does not say why, makes it ask whether the session still holds. It never gives
//! up unless the credentials are gone: then the dispatcher must sign in.

use doorstep_shared::{
    CourierId,
    protocol::fleet::{FleetMessage, Follow, Viewport},
};

use crate::live::connection::{ABNORMAL, Command, Connection, Due, Health, Phase, Rules};

/// The box that limits nothing, `[west, south, east, north]`.
pub const WORLD: [f64; 4] = [-180.0, -90.0, 180.0, 90.0];

/// The map must rest this long before its viewport is sent: a drag is one message, not sixty.
const VIEWPORT_REST_MS: f64 = 400.0;

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Connect now: the page was opened or is seen again, or the network is back.
    Connect,
    /// The device says that it lost its network.
    Offline,
    /// A message; those that are numbered carry their place in the sequence.
    Message { seq: Option<u64> },
    /// The socket closed or never opened.
    Closed(u16),
    /// Positions are wanted from this box.
    Viewport([f64; 4]),
    /// This courier is wanted wherever they are.
    Follow(Option<CourierId>),
    /// The time of [`FleetFeed::next_wake_ms`] has come.
    Tick,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Open a socket.
    Connect,
    /// Drop the socket, opened or not.
    Disconnect,
    /// Send this.
    Send(FleetMessage),
    /// Ask the REST API whether the session still holds.
    CheckSession,
    /// Lead to the sign-in page.
    SignIn,
}

/// The state of the feed.
#[derive(Clone, Debug)]
pub struct FleetFeed {
    connection: Connection,
    /// The credentials are gone.
    is_signed_out: bool,
    next_seq: u64,
    viewport: Option<[f64; 4]>,
    viewport_due_ms: Option<f64>,
    follow: Option<CourierId>,
}

impl FleetFeed {
    /// Not connected yet.
    pub fn new(now_ms: f64) -> Self {
        Self {
            connection: Connection::new(now_ms, Rules::CONSOLE),
            is_signed_out: false,
            next_seq: 0,
            viewport: None,
            viewport_due_ms: None,
            follow: None,
        }
    }

    /// Takes one event at `now_ms`, on a clock that never goes back. Answers what to do, in order, and whether a message
    /// fits the sequence. `random` is uniform in `[0, 1)`.
    pub fn step(&mut self, now_ms: f64, random: f64, input: Input) -> (Vec<Effect>, bool) {
        let mut effects = Vec::new();
        let mut is_in_sequence = false;
        match input {
            Input::Connect => self.connect(now_ms, &mut effects),
            Input::Offline => {
                self.connection.set_network(false);
                self.connection.probe(now_ms);
            }
            Input::Message { seq } => is_in_sequence = self.message(now_ms, seq, &mut effects),
            Input::Closed(code) => self.closed(now_ms, random, code, &mut effects),
            Input::Viewport(bbox) if self.viewport.unwrap_or(WORLD) != bbox => {
                (self.viewport, self.viewport_due_ms) = (Some(bbox), Some(now_ms + VIEWPORT_REST_MS));
            }
            Input::Follow(courier) if self.follow != courier => {
                self.follow = courier;
                self.send_follow(&mut effects);
            }
            Input::Viewport(_) | Input::Follow(_) | Input::Tick => {}
        }
        self.catch_up(now_ms, random, &mut effects);
        (effects, is_in_sequence)
    }

    /// When [`Input::Tick`] is due, if nothing else happens before.
    pub fn next_wake_ms(&self, now_ms: f64) -> Option<f64> {
        let viewport_ms = self.viewport_due_ms.filter(|_| self.connection.is_up());
        let due_ms = [self.connection.wake_ms(), self.connection.telling_ms(now_ms), viewport_ms];
        due_ms.into_iter().flatten().reduce(f64::min)
    }

    /// What to tell about the connection.
    pub fn health(&self, now_ms: f64) -> Health {
        self.connection.health(now_ms)
    }

    fn connect(&mut self, now_ms: f64, effects: &mut Vec<Effect>) {
        self.connection.set_network(true);
        if self.is_signed_out {
            return;
        }
        // A laptop that slept may hold a socket that is dead without knowing.
        let command = self.connection.connect(now_ms).or_else(|| self.connection.probe(now_ms));
        self.follow_command(command, effects);
    }

    fn follow_command(&mut self, command: Option<Command>, effects: &mut Vec<Effect>) {
        match command {
            Some(Command::Open) => {
                self.next_seq = 0;
                effects.push(Effect::Connect);
            }
            Some(Command::Close) => effects.push(Effect::Disconnect),
            // The console waits for the next heartbeat instead.
            Some(Command::Ping) | None => {}
        }
    }

    /// Answers whether the message fits the sequence.
    fn message(&mut self, now_ms: f64, seq: Option<u64>, effects: &mut Vec<Effect>) -> bool {
        if !matches!(self.connection.phase(), Phase::Opening | Phase::Up) {
            return false;
        }
        self.connection.set_network(true);
        if self.connection.heard(now_ms) {
            self.send_viewport(effects);
            if self.follow.is_some() {
                self.send_follow(effects);
            }
        }
        if seq.is_none_or(|seq| seq == self.next_seq) {
            self.next_seq += u64::from(seq.is_some());
            return true;
        }
        for command in self.connection.reopen(now_ms) {
            self.follow_command(Some(command), effects);
        }
        false
    }

    fn closed(&mut self, now_ms: f64, random: f64, code: u16, effects: &mut Vec<Effect>) {
        effects.push(Effect::Disconnect);
        let before = self.connection.closed(now_ms, random, code);
        if self.connection.phase() == Phase::Off {
            self.is_signed_out = true;
            effects.push(Effect::SignIn);
        } else if before == Phase::Opening {
            effects.push(Effect::CheckSession);
        }
    }

    /// Does everything that has become due.
    fn catch_up(&mut self, now_ms: f64, random: f64, effects: &mut Vec<Effect>) {
        match self.connection.due(now_ms) {
            Some(Due::Open) => {
                let command = self.connection.connect(now_ms);
                self.follow_command(command, effects);
            }
            Some(Due::GiveUp) => self.closed(now_ms, random, ABNORMAL, effects),
            None => {}
        }
        if self.connection.is_up() && self.viewport_due_ms.is_some_and(|due_ms| now_ms >= due_ms) {
            self.send_viewport(effects);
        }
    }

    fn send_viewport(&mut self, effects: &mut Vec<Effect>) {
        self.viewport_due_ms = None;
        if let Some(bbox) = self.viewport {
            effects.push(Effect::Send(FleetMessage::Viewport(Viewport { bbox })));
        }
    }

    fn send_follow(&self, effects: &mut Vec<Effect>) {
        if self.connection.is_up() {
            effects.push(Effect::Send(FleetMessage::Follow(Follow { courier_id: self.follow })));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn up() -> FleetFeed {
        let mut feed = FleetFeed::new(0.0);
        assert_eq!(feed.step(0.0, 0.5, Input::Connect).0, [Effect::Connect]);
        assert_eq!(feed.step(10.0, 0.5, Input::Message { seq: Some(0) }), (vec![], true));
        feed
    }

    #[test]
    fn a_gap_in_the_sequence_fetches_a_fresh_snapshot() {
        let mut feed = up();
        assert_eq!(feed.step(20.0, 0.5, Input::Message { seq: Some(1) }), (vec![], true));
        assert_eq!(feed.step(30.0, 0.5, Input::Message { seq: None }), (vec![], true));
        let (effects, believed) = feed.step(40.0, 0.5, Input::Message { seq: Some(3) });
        assert_eq!((effects, believed), (vec![Effect::Disconnect, Effect::Connect], false));
        assert_eq!(feed.step(50.0, 0.5, Input::Message { seq: Some(0) }), (vec![], true));
    }

    #[test]
    fn a_lost_line_comes_back_within_a_second_and_is_told_what_the_old_one_knew() {
        let mut feed = up();
        let bbox = [14.4, 35.8, 14.6, 36.0];
        assert_eq!(feed.step(100.0, 0.5, Input::Viewport(bbox)).0, []);
        let viewport = Effect::Send(FleetMessage::Viewport(Viewport { bbox }));
        assert_eq!(feed.step(500.0, 0.5, Input::Tick).0, std::slice::from_ref(&viewport));
        assert_eq!(feed.step(600.0, 0.9, Input::Closed(4000)).0, [Effect::Disconnect]);
        let wake_ms = feed.next_wake_ms(600.0).expect("it tries again");
        assert!(wake_ms - 600.0 < 1_000.0);
        assert_eq!(feed.step(wake_ms, 0.9, Input::Tick).0, [Effect::Connect]);
        assert_eq!(feed.step(wake_ms + 5.0, 0.9, Input::Message { seq: Some(0) }).0, [viewport]);
    }

    #[test]
    fn a_drag_of_the_map_is_one_message() {
        let mut feed = up();
        for step in 0..60 {
            let west = 14.4 + f64::from(step) * 0.001;
            assert_eq!(feed.step(100.0 + f64::from(step) * 16.0, 0.5, Input::Viewport([west, 35.8, 14.6, 36.0])).0, []);
        }
        let wake_ms = feed.next_wake_ms(1_100.0).expect("the viewport is due");
        assert_eq!(feed.step(wake_ms, 0.5, Input::Tick).0.len(), 1);
        assert_eq!(feed.step(wake_ms + 1_000.0, 0.5, Input::Viewport([14.459, 35.8, 14.6, 36.0])).0, []);
    }

    #[test]
    fn revoked_credentials_end_it_and_everything_else_does_not() {
        let mut feed = up();
        assert_eq!(feed.step(20.0, 0.5, Input::Closed(4500)).0, [Effect::Disconnect, Effect::SignIn]);
        assert_eq!(feed.next_wake_ms(20.0), None);
        assert_eq!(feed.step(30.0, 0.5, Input::Connect).0, []);
    }

    #[test]
    fn a_refused_handshake_asks_whether_somebody_is_signed_in() {
        let mut feed = FleetFeed::new(0.0);
        feed.step(0.0, 0.5, Input::Connect);
        assert_eq!(feed.step(10.0, 0.5, Input::Closed(1006)).0, [Effect::Disconnect, Effect::CheckSession]);
    }

    #[test]
    fn a_lost_network_is_told_within_six_seconds_unless_messages_come_all_the_same() {
        let mut feed = up();
        feed.step(1_000.0, 0.5, Input::Offline);
        assert_eq!(feed.next_wake_ms(1_000.0), Some(6_000.0));
        assert_eq!(feed.step(6_000.0, 0.5, Input::Tick).0, [Effect::Disconnect]);
        assert_eq!(feed.health(6_000.0), Health::NoNetwork);
        let mut wrong = up();
        wrong.step(1_000.0, 0.5, Input::Offline);
        wrong.step(2_000.0, 0.5, Input::Message { seq: Some(1) });
        assert_eq!((wrong.step(6_000.0, 0.5, Input::Tick).0, wrong.health(6_000.0)), (vec![], Health::Live));
    }

    #[test]
    fn silence_of_forty_seconds_is_a_dead_line_and_is_told_after_three_more() {
        let mut feed = up();
        assert_eq!(feed.step(40_010.0, 0.5, Input::Tick).0, [Effect::Disconnect]);
        assert_eq!(feed.health(40_020.0), Health::Live, "short gaps are not worth a word");
        assert_eq!(feed.health(43_100.0), Health::Reconnecting);
        feed.step(43_200.0, 0.5, Input::Offline);
        assert_eq!(feed.health(43_200.0), Health::NoNetwork);
    }

    proptest! {
        /// Whatever happens, the console either has a line, is opening one, or knows when it will.
        #[test]
        fn it_never_gives_up(events in prop::collection::vec((0u8..7, 0.0f64..60_000.0, 0.0f64..1.0, 0u64..4), 1..120)) {
            let mut feed = FleetFeed::new(0.0);
            let mut now_ms = 0.0;
            feed.step(now_ms, 0.5, Input::Connect);
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
                feed.step(now_ms, random, input);
                let wake_ms = feed.next_wake_ms(now_ms).expect("something is always due");
                prop_assert!(wake_ms > now_ms && wake_ms - now_ms <= 60_000.0, "{wake_ms} after {now_ms}");
            }
        }
    }
}
