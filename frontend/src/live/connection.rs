//! The life of one connection to the server: when to open it, when to doubt it, and what to tell about it.
//!
//! The customer's page, the courier's app and the dispatcher's console share this machine, so that all three come back
//! from an interruption by the same rules: full-jitter backoff, at once when the network or the person returns, a new
//! connection after 40 s without a message, none after a close code that asks for none. What differs is in [`Rules`].
//!
//! It holds no socket and reads no clock: the caller reports what happened and when, on a clock that never goes back,
//! and carries out the [`Command`]s. Between two reports it sleeps until [`Connection::wake_ms`] and then asks
//! [`Connection::due`]. The customer's page runs a second one for its event stream.

use doorstep_shared::protocol::{CloseCode, HEARTBEAT_AFTER_MS, SILENCE_LIMIT_MS};

use super::backoff::{Backoff, HEALTHY_AFTER_MS};

/// The close code for a connection that ended without one.
pub const ABNORMAL: u16 = 1006;

/// The page tells of an interruption only after this long: most are over sooner, and a flash of bad news worries people.
pub const QUIET_BEFORE_TELLING_MS: f64 = 3_000.0;

/// A handshake that takes longer than this does not succeed any more.
pub const OPENING_LIMIT_MS: f64 = 10_000.0;

/// A connection in doubt has this long to bring a message.
const PROBE_LIMIT_MS: f64 = 5_000.0;

/// The least wait after the server closed a connection that flooded it.
const RATE_LIMITED_WAIT_MS: f64 = 10_000.0;

/// What differs between the pages.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Whether this close code means that another try is of no use.
    pub is_final: fn(u16) -> bool,
    /// How a connection in doubt shows whether it is alive.
    pub probe: Probe,
}

impl Rules {
    /// The server's close code decides, and a ping asks a connection in doubt. For the customer and the courier.
    pub const STANDARD: Self = Self { is_final: |code| !CloseCode::should_reconnect(code), probe: Probe::Ping };

    /// Only lost credentials end it, and the next heartbeat has to do as an answer. For the console, which dispatchers
    /// leave open for a whole shift and which must not stay behind after any other error.
    pub const CONSOLE: Self =
        Self { is_final: |code| code == CloseCode::Unauthorized.code(), probe: Probe::AwaitHeartbeat };
}

/// How a connection in doubt shows whether it is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// The page sends a ping and waits for any message.
    Ping,
    /// The page waits for the next heartbeat.
    AwaitHeartbeat,
}

/// What the caller does with the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Open one.
    Open,
    /// Drop it, opened or not.
    Close,
    /// Send a ping over it.
    Ping,
}

/// What the clock asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The wait is over: call [`Connection::connect`].
    Open,
    /// The socket is silent, or the handshake takes too long: drop it and call [`Connection::closed`] with [`ABNORMAL`].
    /// The browser may take minutes to notice by itself.
    GiveUp,
}

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The page wants no connection, or the server wants no more of it.
    Off,
    /// There is no socket until the next try.
    Waiting,
    /// A socket has brought no message yet.
    Opening,
    /// A socket has brought at least one message.
    Up,
}

/// Whether news arrives, as a page tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Connecting for the first time; nothing to say about it.
    #[default]
    Connecting,
    /// News arrives, or has been missing for a moment only.
    Live,
    /// News has stopped; the page tries to get it back.
    Reconnecting,
    /// The device says that it has no network.
    NoNetwork,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Off,
    Waiting { retry_at_ms: f64 },
    Opening { since_ms: f64 },
    Up { since_ms: f64, heard_ms: f64, probe_until_ms: Option<f64> },
}

/// One connection. All times are milliseconds on the caller's clock, which never goes back.
#[derive(Clone, Debug)]
pub struct Connection {
    rules: Rules,
    state: State,
    backoff: Backoff,
    has_network: bool,
    down_since_ms: f64,
    was_up: bool,
}

impl Connection {
    /// A connection that is not wanted yet.
    pub fn new(now_ms: f64, rules: Rules) -> Self {
        Self {
            rules,
            state: State::Off,
            backoff: Backoff::default(),
            has_network: true,
            down_since_ms: now_ms,
            was_up: false,
        }
    }

    /// Wants a connection from now on. It changes nothing about one that is wanted already.
    pub fn want(&mut self, now_ms: f64) -> Option<Command> {
        if self.state != State::Off {
            return None;
        }
        self.down_since_ms = now_ms;
        Some(self.open(now_ms))
    }

    /// Opens a socket now unless there is one, whether a connection was wanted before or not.
    pub fn connect(&mut self, now_ms: f64) -> Option<Command> {
        match self.state {
            State::Off => self.want(now_ms),
            State::Waiting { .. } => Some(self.open(now_ms)),
            State::Opening { .. } | State::Up { .. } => None,
        }
    }

    /// The network or the person is back: opens a socket if the next try still waits, and doubts the one that is up.
    pub fn nudge(&mut self, now_ms: f64) -> Option<Command> {
        match self.state {
            State::Waiting { .. } => Some(self.open(now_ms)),
            _ => self.probe(now_ms),
        }
    }

    /// Gives a socket that is up a short time to bring a message: a device that slept or changed its network may hold
    /// one that is dead.
    pub fn probe(&mut self, now_ms: f64) -> Option<Command> {
        let State::Up { heard_ms, probe_until_ms, .. } = &mut self.state else { return None };
        match self.rules.probe {
            Probe::Ping if probe_until_ms.is_some() => None,
            Probe::Ping => {
                *probe_until_ms = Some(now_ms + PROBE_LIMIT_MS);
                Some(Command::Ping)
            }
            Probe::AwaitHeartbeat => {
                // Without a network none comes, and the person is told within a few seconds.
                let rest_ms = if self.has_network { HEARTBEAT_AFTER_MS as f64 } else { 0.0 };
                let heartbeat_ms = *heard_ms + rest_ms;
                *probe_until_ms = Some(heartbeat_ms.max(now_ms) + PROBE_LIMIT_MS);
                None
            }
        }
    }

    /// Drops the socket and opens another one without a wait; the caller does both. For a socket that works but whose
    /// messages cannot be used.
    pub fn reopen(&mut self, now_ms: f64) -> [Command; 2] {
        [Command::Close, self.open(now_ms)]
    }

    /// Wants no connection any more.
    pub fn stop(&mut self) -> Option<Command> {
        let had_socket = self.has_socket();
        (self.state, self.was_up) = (State::Off, false);
        had_socket.then_some(Command::Close)
    }

    /// A message came; answers whether it is the first of this socket. Without a socket it changes nothing.
    pub fn heard(&mut self, now_ms: f64) -> bool {
        let since_ms = match self.state {
            State::Off | State::Waiting { .. } => return false,
            State::Opening { .. } => now_ms,
            State::Up { since_ms, .. } => since_ms,
        };
        let is_first = !self.is_up();
        self.state = State::Up { since_ms, heard_ms: now_ms, probe_until_ms: None };
        self.news(now_ms);
        is_first
    }

    /// News came, if only by another way than the socket: there is no interruption to tell of.
    pub fn news(&mut self, now_ms: f64) {
        (self.was_up, self.down_since_ms) = (true, now_ms);
    }

    /// The socket closed or never opened; answers where the connection stood. The next try comes with backoff; a final
    /// code turns the connection off. Without a socket it changes nothing. `random` is uniform in `[0, 1)`.
    pub fn closed(&mut self, now_ms: f64, random: f64, code: u16) -> Phase {
        let before = self.lost(now_ms);
        if self.has_socket() {
            let least_ms = if code == CloseCode::RateLimited.code() { RATE_LIMITED_WAIT_MS } else { 0.0 };
            let retry = !(self.rules.is_final)(code);
            let wait_ms = retry.then(|| self.next_wait_ms(random).max(least_ms));
            self.wait(now_ms, wait_ms);
        }
        before
    }

    /// Like [`Self::closed`] with a code that is not final, but the caller says how long to wait.
    pub fn closed_for(&mut self, now_ms: f64, wait_ms: f64) -> Phase {
        let before = self.lost(now_ms);
        if self.has_socket() {
            self.wait(now_ms, Some(wait_ms));
        }
        before
    }

    /// The next wait of the backoff, in milliseconds, for another way to the same server. `random` is uniform in `[0, 1)`.
    pub fn next_wait_ms(&mut self, random: f64) -> f64 {
        self.backoff.next_ms(random)
    }

    /// Takes note of what the device says about its network. It changes only [`Self::health`].
    pub fn set_network(&mut self, has_network: bool) {
        self.has_network = has_network;
    }

    /// What the clock asks for at `now_ms`, if anything.
    pub fn due(&self, now_ms: f64) -> Option<Due> {
        let is_due = self.wake_ms().is_some_and(|due_ms| due_ms <= now_ms);
        is_due.then(|| if self.has_socket() { Due::GiveUp } else { Due::Open })
    }

    /// When [`Self::due`] has something, if nothing else happens first.
    pub fn wake_ms(&self) -> Option<f64> {
        match self.state {
            State::Off => None,
            State::Waiting { retry_at_ms } => Some(retry_at_ms),
            State::Opening { since_ms } => Some(since_ms + OPENING_LIMIT_MS),
            State::Up { heard_ms, probe_until_ms, .. } => {
                let silent_ms = heard_ms + SILENCE_LIMIT_MS as f64;
                Some(probe_until_ms.map_or(silent_ms, |probe_ms| probe_ms.min(silent_ms)))
            }
        }
    }

    /// Where the connection stands.
    pub fn phase(&self) -> Phase {
        match self.state {
            State::Off => Phase::Off,
            State::Waiting { .. } => Phase::Waiting,
            State::Opening { .. } => Phase::Opening,
            State::Up { .. } => Phase::Up,
        }
    }

    /// Whether messages may be sent.
    pub fn is_up(&self) -> bool {
        self.phase() == Phase::Up
    }

    /// Since when a socket is being opened.
    pub fn opening_since_ms(&self) -> Option<f64> {
        match self.state {
            State::Opening { since_ms } => Some(since_ms),
            _ => None,
        }
    }

    /// What to tell about it.
    pub fn health(&self, now_ms: f64) -> Health {
        if self.is_up() {
            Health::Live
        } else if !self.has_network {
            Health::NoNetwork
        } else if now_ms - self.down_since_ms >= QUIET_BEFORE_TELLING_MS {
            Health::Reconnecting
        } else if self.was_up {
            Health::Live
        } else {
            Health::Connecting
        }
    }

    /// When [`Self::health`] changes by itself.
    pub fn telling_ms(&self, now_ms: f64) -> Option<f64> {
        let told_ms = self.down_since_ms + QUIET_BEFORE_TELLING_MS;
        (matches!(self.phase(), Phase::Waiting | Phase::Opening) && told_ms > now_ms).then_some(told_ms)
    }

    fn has_socket(&self) -> bool {
        matches!(self.state, State::Opening { .. } | State::Up { .. })
    }

    fn open(&mut self, now_ms: f64) -> Command {
        self.state = State::Opening { since_ms: now_ms };
        Command::Open
    }

    /// Takes note of what the end of a socket means for the backoff and for [`Self::health`].
    fn lost(&mut self, now_ms: f64) -> Phase {
        if let State::Up { since_ms, .. } = self.state {
            self.down_since_ms = now_ms;
            if now_ms - since_ms >= HEALTHY_AFTER_MS {
                self.backoff.reset();
            }
        }
        self.phase()
    }

    fn wait(&mut self, now_ms: f64, wait_ms: Option<f64>) {
        self.state = wait_ms.map_or(State::Off, |wait_ms| State::Waiting { retry_at_ms: now_ms + wait_ms });
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;

    /// A connection after its first two messages.
    fn connected(rules: Rules) -> Connection {
        let mut connection = Connection::new(0.0, rules);
        assert_eq!(connection.want(0.0), Some(Command::Open));
        assert_eq!(connection.want(50.0), None, "it is wanted already");
        assert!(connection.heard(100.0) && !connection.heard(200.0));
        connection
    }

    const BOTH: [Rules; 2] = [Rules::STANDARD, Rules::CONSOLE];

    /// Carries out what the clock asks for.
    fn tick(connection: &mut Connection, now_ms: f64) -> Option<Command> {
        match connection.due(now_ms)? {
            Due::Open => connection.connect(now_ms),
            Due::GiveUp => {
                connection.closed(now_ms, 0.5, ABNORMAL);
                Some(Command::Close)
            }
        }
    }

    #[test]
    fn a_lost_socket_comes_back_and_is_told_after_three_seconds() {
        for rules in BOTH {
            let mut connection = connected(rules);
            assert_eq!(connection.closed(1_000.0, 0.5, ABNORMAL), Phase::Up);
            assert_eq!(connection.telling_ms(1_000.0), Some(4_000.0));
            assert_eq!(connection.health(3_900.0), Health::Live, "short gaps are not worth a word");
            assert_eq!(connection.health(4_000.0), Health::Reconnecting);
            assert_eq!(tick(&mut connection, 1_249.0), None);
            assert_eq!(tick(&mut connection, 1_250.0), Some(Command::Open));
            assert!(connection.heard(4_500.0));
            assert_eq!(connection.health(4_500.0), Health::Live);
            assert_eq!(connection.telling_ms(4_500.0), None);
        }
    }

    #[test]
    fn a_first_connection_says_nothing_for_three_seconds_either() {
        let mut connection = Connection::new(0.0, Rules::STANDARD);
        connection.want(500.0);
        assert_eq!(connection.health(3_400.0), Health::Connecting);
        assert_eq!(connection.health(3_500.0), Health::Reconnecting);
    }

    #[test]
    fn a_refused_handshake_is_told_from_a_lost_socket() {
        let mut connection = Connection::new(0.0, Rules::CONSOLE);
        connection.want(0.0);
        assert_eq!(connection.closed(10.0, 0.5, ABNORMAL), Phase::Opening);
        assert_eq!(connection.closed(20.0, 0.5, ABNORMAL), Phase::Waiting, "there is no socket that could close");
        assert_eq!(connection.wake_ms(), Some(260.0));
    }

    #[test]
    fn close_codes_from_4500_stop_it_and_all_others_come_back() {
        for code in [1000, 1001, 1006, 1009, 1011, 1012, 4000, 4001, 4002, 4003] {
            let mut connection = connected(Rules::STANDARD);
            connection.closed(1_000.0, 0.5, code);
            assert_eq!(tick(&mut connection, 60_000.0), Some(Command::Open), "{code}");
        }
        for code in [4500, 4501, 4502, 4503, 4504, 4999] {
            let mut connection = connected(Rules::STANDARD);
            connection.closed(1_000.0, 0.5, code);
            assert_eq!((tick(&mut connection, 1e9), connection.phase()), (None, Phase::Off), "{code}");
        }
    }

    #[test]
    fn revoked_credentials_end_the_console_and_everything_else_does_not() {
        for code in [1000, 1006, 4000, 4003, 4501, 4503, 4504] {
            let mut connection = connected(Rules::CONSOLE);
            connection.closed(1_000.0, 0.5, code);
            assert_eq!(tick(&mut connection, 60_000.0), Some(Command::Open), "{code}");
        }
        let mut connection = connected(Rules::CONSOLE);
        assert_eq!(connection.closed(1_000.0, 0.5, 4500), Phase::Up);
        assert_eq!((connection.wake_ms(), connection.telling_ms(1_000.0)), (None, None));
        assert_eq!(connection.nudge(2_000.0), None);
    }

    #[test]
    fn a_flooded_server_is_left_alone_for_ten_seconds() {
        for rules in BOTH {
            let mut connection = connected(rules);
            connection.closed(1_000.0, 0.5, 4003);
            assert_eq!(tick(&mut connection, 10_999.0), None);
            assert_eq!(tick(&mut connection, 11_000.0), Some(Command::Open));
        }
    }

    #[test]
    fn forty_seconds_of_silence_end_it() {
        for rules in BOTH {
            let mut connection = connected(rules);
            assert_eq!(tick(&mut connection, 40_199.0), None);
            assert_eq!(tick(&mut connection, 40_200.0), Some(Command::Close));
            assert_eq!(connection.health(40_210.0), Health::Live);
            assert_eq!(connection.health(43_200.0), Health::Reconnecting);
        }
    }

    #[test]
    fn a_handshake_of_ten_seconds_is_given_up() {
        let mut connection = Connection::new(0.0, Rules::STANDARD);
        connection.want(0.0);
        assert_eq!((connection.opening_since_ms(), connection.due(9_999.0)), (Some(0.0), None));
        assert_eq!(tick(&mut connection, 10_000.0), Some(Command::Close));
        assert_eq!((connection.opening_since_ms(), connection.phase()), (None, Phase::Waiting));
    }

    #[test]
    fn a_ping_without_an_answer_ends_it_and_any_message_answers() {
        let mut connection = connected(Rules::STANDARD);
        assert_eq!(connection.nudge(1_000.0), Some(Command::Ping));
        assert_eq!(connection.nudge(2_000.0), None, "one question at a time");
        assert_eq!(tick(&mut connection, 5_999.0), None);
        assert_eq!(tick(&mut connection, 6_000.0), Some(Command::Close));
        let mut connection = connected(Rules::STANDARD);
        connection.probe(1_000.0);
        connection.heard(1_500.0);
        assert_eq!(tick(&mut connection, 31_500.0), None);
    }

    #[test]
    fn the_console_waits_for_the_next_heartbeat_instead() {
        let mut connection = connected(Rules::CONSOLE);
        assert_eq!(connection.nudge(1_000.0), None);
        assert_eq!(connection.wake_ms(), Some(20_200.0), "the heartbeat comes within 15 s of the last message");
        let mut connection = connected(Rules::CONSOLE);
        connection.probe(30_000.0);
        assert_eq!(connection.wake_ms(), Some(35_000.0), "it should have come already");
    }

    #[test]
    fn the_console_waits_for_no_heartbeat_when_the_device_has_no_network() {
        let mut connection = connected(Rules::CONSOLE);
        connection.set_network(false);
        connection.probe(1_000.0);
        assert_eq!(connection.wake_ms(), Some(6_000.0));
        assert_eq!(tick(&mut connection, 6_000.0), Some(Command::Close));
        assert_eq!(connection.health(6_000.0), Health::NoNetwork);
    }

    #[test]
    fn a_network_that_returns_is_used_at_once() {
        let mut connection = connected(Rules::STANDARD);
        connection.set_network(false);
        assert_eq!(connection.health(900.0), Health::Live, "the device may be wrong while messages come");
        connection.closed(1_000.0, 0.99, ABNORMAL);
        assert_eq!(connection.health(1_000.0), Health::NoNetwork);
        connection.set_network(true);
        assert_eq!(connection.nudge(1_001.0), Some(Command::Open));
    }

    #[test]
    fn thirty_seconds_of_health_start_the_backoff_anew() {
        let mut connection = connected(Rules::STANDARD);
        let mut now_ms = 1_000.0;
        for _ in 0..8 {
            connection.closed(now_ms, 0.5, 4000);
            now_ms += 30_001.0;
            assert_eq!(tick(&mut connection, now_ms), Some(Command::Open));
            connection.heard(now_ms);
        }
        connection.closed(now_ms + 29_999.0, 0.5, 4000);
        assert_eq!(connection.wake_ms(), Some(now_ms + 44_999.0), "it was not healthy for long enough");
        connection.connect(now_ms + 44_999.0);
        connection.heard(now_ms + 44_999.0);
        connection.closed(now_ms + 74_999.0, 0.5, 4000);
        assert_eq!(connection.wake_ms(), Some(now_ms + 75_249.0));
    }

    #[test]
    fn what_is_stopped_stays_so_until_it_is_wanted_again() {
        let mut connection = connected(Rules::STANDARD);
        assert_eq!(connection.stop(), Some(Command::Close));
        assert_eq!(connection.stop(), None);
        assert_eq!((connection.nudge(1_000.0), connection.wake_ms()), (None, None));
        assert!(!connection.heard(1_000.0), "a late message of the dropped socket");
        assert_eq!(connection.want(9_000.0), Some(Command::Open));
        assert_eq!(connection.health(9_000.0), Health::Connecting);
    }

    #[test]
    fn news_by_another_way_is_no_interruption() {
        let mut connection = Connection::new(0.0, Rules::STANDARD);
        connection.want(0.0);
        assert_eq!(connection.closed_for(10.0, 45_000.0), Phase::Opening);
        connection.news(9_000.0);
        assert_eq!((connection.health(11_999.0), connection.health(12_000.0)), (Health::Live, Health::Reconnecting));
        assert_eq!(connection.wake_ms(), Some(45_010.0));
    }

    #[test]
    fn messages_that_cannot_be_used_cost_a_new_socket_at_once() {
        let mut connection = connected(Rules::CONSOLE);
        assert_eq!(connection.reopen(300.0), [Command::Close, Command::Open]);
        assert_eq!(connection.phase(), Phase::Opening);
        assert!(connection.heard(400.0));
    }

    #[derive(Clone, Copy, Debug)]
    enum Event {
        Connect,
        Nudge,
        NoNetwork,
        Heard,
        Closed(u16),
        Tick,
    }

    fn any_event() -> impl Strategy<Value = Event> {
        let codes = [1006, 4000, 4001, 4003, 4501].map(Event::Closed);
        let others = [Event::Connect, Event::Nudge, Event::NoNetwork, Event::Heard, Event::Tick];
        select([codes, others].concat())
    }

    proptest! {
        /// Whatever happens, there is a socket, one is being opened, or the next try has a time.
        #[test]
        fn it_never_gives_up(story in prop::collection::vec((any_event(), 0.0f64..60_000.0, 0.0f64..1.0), 1..120)) {
            let mut connection = Connection::new(0.0, Rules::CONSOLE);
            connection.want(0.0);
            let mut now_ms = 0.0;
            for (event, wait_ms, random) in story {
                now_ms += wait_ms;
                match event {
                    Event::Connect => {
                        connection.connect(now_ms);
                    }
                    Event::Nudge => {
                        connection.nudge(now_ms);
                    }
                    Event::NoNetwork => connection.set_network(false),
                    Event::Heard => {
                        connection.heard(now_ms);
                    }
                    Event::Closed(code) => {
                        connection.closed(now_ms, random, code);
                    }
                    Event::Tick => {}
                }
                tick(&mut connection, now_ms);
                let wake_ms = connection.wake_ms().expect("something is always due");
                prop_assert!(wake_ms > now_ms && wake_ms - now_ms <= 60_000.0, "{wake_ms} after {now_ms}");
            }
        }

        /// Every socket is dropped before the next one is opened.
        #[test]
        fn there_is_never_more_than_one_socket(
            story in prop::collection::vec((any_event(), 0.0f64..20_000.0, 0.0f64..1.0), 0..60),
        ) {
            let mut connection = Connection::new(0.0, Rules::STANDARD);
            let (mut now_ms, mut is_open) = (0.0, false);
            for (event, wait_ms, random) in story {
                now_ms += wait_ms;
                let command = match event {
                    Event::Connect => connection.connect(now_ms),
                    Event::Nudge => connection.nudge(now_ms),
                    Event::Closed(code) => {
                        connection.closed(now_ms, random, code);
                        is_open = false;
                        None
                    }
                    Event::NoNetwork => None,
                    Event::Heard => {
                        connection.heard(now_ms);
                        None
                    }
                    Event::Tick => tick(&mut connection, now_ms),
                };
                match command {
                    Some(Command::Open) => {
                        prop_assert!(!is_open, "a second socket while the first is open");
                        is_open = true;
                    }
                    Some(Command::Close) => is_open = false,
                    Some(Command::Ping) | None => {}
                }
            }
        }
    }
}
