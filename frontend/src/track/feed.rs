//! Decides how the page stays connected: given what happened, what to do next.
//!
//! The WebSocket comes first. When one does not open, the page asks by plain HTTP: the answer brings the order's state
//! meanwhile, tells an ended link from a broken network, and shows whether the server is there at all. Three sockets that
//! fail while HTTP works mean that something in between blocks WebSockets: then the page uses Server-Sent Events, and when
//! these fail too, plain HTTP every 10 s, with another try at the better ways from time to time. When the server cannot be
//! reached at all, the page retries the socket with backoff, since no other way would reach it either.
//!
//! It holds no browser object and reads no clock, so every rule is tested natively. The driver owns both.

use doorstep_shared::protocol::{CloseCode, customer::CustomerEvent};

use crate::live::connection::{ABNORMAL, Command, Connection, Due, Health, OPENING_LIMIT_MS, Phase, Rules};

/// Between two questions by plain HTTP.
const POLL_EVERY_MS: f64 = 10_000.0;

/// Between two tries at a WebSocket while something else works.
const RETRY_SOCKET_EVERY_MS: f64 = 60_000.0;

/// So many sockets must fail, with the server there, before something else is tried.
const SOCKET_TRIES: u32 = 3;

/// So many event streams must fail before plain HTTP has to do.
const EVENTS_TRIES: u32 = 2;

/// A way in which news arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A socket.
    WebSocket,
    /// Server-Sent Events.
    Events,
    /// Plain HTTP, again and again.
    Polling,
}

/// Whether the page follows its order, and how well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedState {
    /// News can come.
    Following(Health),
    /// The order is final; there will be no more news.
    Ended,
    /// The server refuses this page for good.
    Stopped,
}

impl FeedState {
    /// Whether news arrives.
    pub fn is_live(self) -> bool {
        self == Self::Following(Health::Live)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The page is ready to connect.
    Start,
    /// A message came over the socket.
    SocketMessage(CustomerEvent),
    /// The socket closed or never opened; 1006 without a close code.
    SocketClosed(u16),
    /// A message came over the event stream.
    EventsMessage(CustomerEvent),
    /// The event stream broke or never opened.
    EventsFailed,
    /// Plain HTTP answered.
    Answer(Answer),
    /// The page was replaced by what the server renders now; an order that is over stays over.
    Resolved {
        /// Whether the order is final.
        is_over: bool,
    },
    /// The device found a network.
    Online,
    /// The device lost its network, or believes so.
    Offline,
    /// The page is visible again.
    Shown,
    /// The page is hidden.
    Hidden,
    /// The time of [`Feed::next_wake_ms`] has come.
    Tick,
}

/// What plain HTTP answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The order's state.
    News(Box<CustomerEvent>),
    /// 404 or 410: there is no such feed any more.
    Gone,
    /// Something else, or nothing: nothing is known.
    Nothing,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Open a WebSocket, for trail points newer than this fix time only.
    OpenSocket {
        /// The newest fix time known, Unix epoch milliseconds.
        since_ms: Option<i64>,
    },
    /// Drop the socket, opened or not.
    CloseSocket,
    /// Ask over the socket for a sign of life.
    Ping,
    /// Open an event stream.
    OpenEvents {
        /// The newest fix time known, Unix epoch milliseconds.
        since_ms: Option<i64>,
    },
    /// Drop the event stream.
    CloseEvents,
    /// Ask plain HTTP for the order's state.
    Ask,
    /// Ask the server for the page as it is now: the feed does not say enough.
    Resolve,
    /// Give a message to the page.
    Deliver {
        /// The message.
        event: Box<CustomerEvent>,
        /// Whether a snapshot in it holds only what is new.
        resumed: bool,
    },
}

/// The state of the page's connections.
#[derive(Clone, Debug)]
pub struct Feed {
    socket: Connection,
    events: Connection,
    socket_resumes: bool,
    events_resumes: bool,
    failed_sockets: u32,
    failed_events: u32,
    poll_at_ms: Option<f64>,
    polled_ms: Option<f64>,
    asking_since_ms: Option<f64>,
    newest_fix_ms: Option<i64>,
    hidden: bool,
    ended: bool,
    stopped: bool,
}

impl Feed {
    /// A feed that is not connected. The page already knows positions up to `newest_fix_ms`.
    pub fn new(now_ms: f64, newest_fix_ms: Option<i64>) -> Self {
        Self {
            socket: Connection::new(now_ms, Rules::STANDARD),
            events: Connection::new(now_ms, Rules::STANDARD),
            socket_resumes: false,
            events_resumes: false,
            failed_sockets: 0,
            failed_events: 0,
            poll_at_ms: None,
            polled_ms: None,
            asking_since_ms: None,
            newest_fix_ms,
            hidden: false,
            ended: false,
            stopped: false,
        }
    }

    /// Takes note of what happened at `now_ms`, a clock that never goes back, and answers what to do, in order.
    /// `random` is uniform in `[0, 1)`.
    pub fn step(&mut self, now_ms: f64, random: f64, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Start | Input::Online => {
                self.socket.set_network(true);
                self.connect_now(now_ms, &mut effects);
            }
            Input::Offline => {
                self.socket.set_network(false);
                self.probe(now_ms, &mut effects);
            }
            Input::Hidden => self.hidden = true,
            Input::Shown => self.shown(now_ms, &mut effects),
            Input::SocketMessage(event) => self.socket_message(now_ms, event, &mut effects),
            Input::SocketClosed(code) => self.socket_closed(now_ms, random, code, &mut effects),
            Input::EventsMessage(event) => self.events_message(now_ms, event, &mut effects),
            Input::EventsFailed => self.events_failed(now_ms, random, &mut effects),
            Input::Answer(answer) => self.answered(now_ms, answer, &mut effects),
            Input::Resolved { is_over } => self.ended |= is_over,
            Input::Tick => {}
        }
        self.catch_up(now_ms, random, &mut effects);
        if self.transport(now_ms).is_some() {
            self.socket.news(now_ms);
        }
        effects
    }

    /// When the driver must send [`Input::Tick`], if nothing else happens first.
    pub fn next_wake_ms(&self, now_ms: f64) -> Option<f64> {
        let telling_ms = self.socket.telling_ms(now_ms).filter(|_| self.transport(now_ms).is_none() && !self.is_over());
        let lines = [self.socket.wake_ms(), self.events.wake_ms(), self.poll_at_ms];
        let waiting = lines.into_iter().flatten().filter(|_| !self.hidden && !self.is_over());
        waiting.chain(telling_ms).reduce(f64::min)
    }

    /// The way by which news arrives now.
    pub fn transport(&self, now_ms: f64) -> Option<Transport> {
        let polls = self.polled_ms.is_some_and(|at_ms| now_ms - at_ms < POLL_EVERY_MS * 1.5);
        if self.is_over() {
            None
        } else if self.socket.is_up() {
            Some(Transport::WebSocket)
        } else if self.events.is_up() {
            Some(Transport::Events)
        } else {
            (self.poll_at_ms.is_some() && polls).then_some(Transport::Polling)
        }
    }

    /// What the page tells about it.
    pub fn state(&self, now_ms: f64) -> FeedState {
        if self.ended {
            FeedState::Ended
        } else if self.stopped {
            FeedState::Stopped
        } else if self.transport(now_ms).is_some() {
            FeedState::Following(Health::Live)
        } else {
            FeedState::Following(self.socket.health(now_ms))
        }
    }

    fn is_over(&self) -> bool {
        self.ended || self.stopped
    }

    fn socket_message(&mut self, now_ms: f64, event: CustomerEvent, effects: &mut Vec<Effect>) {
        let came_up = self.socket.heard(now_ms);
        if came_up {
            (self.failed_sockets, self.failed_events) = (0, 0);
            self.leave_fallbacks(effects);
        }
        // Only the first snapshot of a connection resumes; a later one is whole.
        self.deliver(event, came_up && self.socket_resumes, effects);
    }

    fn events_message(&mut self, now_ms: f64, event: CustomerEvent, effects: &mut Vec<Effect>) {
        let came_up = self.events.heard(now_ms);
        if came_up {
            self.failed_events = 0;
            (self.poll_at_ms, self.polled_ms) = (None, None);
        }
        self.deliver(event, came_up && self.events_resumes, effects);
    }

    fn deliver(&mut self, event: CustomerEvent, resumed: bool, effects: &mut Vec<Effect>) {
        match &event {
            CustomerEvent::Position(update) => self.know_fix(update.time_ms),
            CustomerEvent::Snapshot(snapshot) => {
                if let Some(position) = snapshot.position {
                    self.know_fix(position.time_ms);
                }
            }
            CustomerEvent::Ended(_) => {
                self.ended = true;
                // The socket stays until the server closes it with its own code.
                self.leave_fallbacks(effects);
            }
            _ => {}
        }
        effects.push(Effect::Deliver { event: Box::new(event), resumed });
    }

    fn know_fix(&mut self, time_ms: i64) {
        self.newest_fix_ms = self.newest_fix_ms.max(Some(time_ms));
    }

    fn socket_closed(&mut self, now_ms: f64, random: f64, code: u16, effects: &mut Vec<Effect>) {
        effects.push(Effect::CloseSocket);
        if self.is_over() {
            self.socket.stop();
            return;
        }
        if !CloseCode::should_reconnect(code) {
            self.socket.stop();
            self.stopped = true;
            self.leave_fallbacks(effects);
            effects.push(Effect::Resolve);
            return;
        }
        if self.has_fallback() {
            self.socket.closed_for(now_ms, RETRY_SOCKET_EVERY_MS * (0.5 + random));
        } else if self.socket.closed(now_ms, random, code) == Phase::Opening {
            // Only a socket that never spoke says something about the way there.
            self.ask(now_ms, effects);
        }
        if self.poll_at_ms.is_some() && self.events.phase() == Phase::Off {
            self.open_events(now_ms, effects);
        }
    }

    fn events_failed(&mut self, now_ms: f64, random: f64, effects: &mut Vec<Effect>) {
        if !matches!(self.events.phase(), Phase::Opening | Phase::Up) {
            return;
        }
        effects.push(Effect::CloseEvents);
        self.failed_events += 1;
        if self.is_over() || self.failed_events >= EVENTS_TRIES {
            self.events.stop();
        } else {
            let wait_ms = self.socket.next_wait_ms(random);
            self.events.closed_for(now_ms, wait_ms);
        }
        if !self.is_over() && self.events.phase() == Phase::Off && self.poll_at_ms.is_none() {
            self.poll_at_ms = Some(now_ms);
        }
    }

    fn answered(&mut self, now_ms: f64, answer: Answer, effects: &mut Vec<Effect>) {
        self.asking_since_ms = None;
        if self.is_over() || self.socket.is_up() {
            return;
        }
        match answer {
            Answer::Gone => {
                self.stopped = true;
                self.leave_fallbacks(effects);
                effects.extend([Effect::CloseSocket, Effect::Resolve]);
                self.socket.stop();
            }
            Answer::News(event) => {
                self.polled_ms = Some(now_ms);
                self.deliver(*event, false, effects);
                // The server is there, so it is the socket that cannot pass.
                self.failed_sockets += 1;
                if self.failed_sockets == SOCKET_TRIES {
                    self.open_events(now_ms, effects);
                }
            }
            Answer::Nothing => {}
        }
    }

    fn shown(&mut self, now_ms: f64, effects: &mut Vec<Effect>) {
        self.hidden = false;
        self.probe(now_ms, effects);
        if self.transport(now_ms).is_none() {
            self.connect_now(now_ms, effects);
        }
        if self.poll_at_ms.is_some() {
            self.poll_at_ms = Some(now_ms);
        }
    }

    /// Opens the socket at once, unless it is there or on its way.
    fn connect_now(&mut self, now_ms: f64, effects: &mut Vec<Effect>) {
        if !self.is_over() && self.socket.connect(now_ms) == Some(Command::Open) {
            self.socket_resumes = self.newest_fix_ms.is_some();
            effects.push(Effect::OpenSocket { since_ms: self.newest_fix_ms });
        }
    }

    /// Gives a connection in doubt a short time to show life.
    fn probe(&mut self, now_ms: f64, effects: &mut Vec<Effect>) {
        if self.socket.probe(now_ms) == Some(Command::Ping) {
            effects.push(Effect::Ping);
        }
    }

    /// Acts on every deadline that has passed.
    fn catch_up(&mut self, now_ms: f64, random: f64, effects: &mut Vec<Effect>) {
        if self.is_over() || self.hidden {
            return;
        }
        match self.socket.due(now_ms) {
            Some(Due::Open) => self.connect_now(now_ms, effects),
            Some(Due::GiveUp) => self.socket_closed(now_ms, random, ABNORMAL, effects),
            None => {}
        }
        match self.events.due(now_ms) {
            Some(Due::Open) => self.open_events(now_ms, effects),
            Some(Due::GiveUp) => self.events_failed(now_ms, random, effects),
            None => {}
        }
        if self.poll_at_ms.is_some_and(|due_ms| due_ms <= now_ms) {
            self.poll_at_ms = Some(now_ms + POLL_EVERY_MS);
            self.ask(now_ms, effects);
        }
    }

    fn open_events(&mut self, now_ms: f64, effects: &mut Vec<Effect>) {
        if self.events.connect(now_ms) == Some(Command::Open) {
            self.events_resumes = self.newest_fix_ms.is_some();
            effects.push(Effect::OpenEvents { since_ms: self.newest_fix_ms });
        }
    }

    fn ask(&mut self, now_ms: f64, effects: &mut Vec<Effect>) {
        // An answer that takes too long counts for none; should it come after all, it is news like any other.
        let waits = self.asking_since_ms.is_some_and(|since_ms| now_ms - since_ms < OPENING_LIMIT_MS);
        if !waits && !self.hidden {
            self.asking_since_ms = Some(now_ms);
            effects.push(Effect::Ask);
        }
    }

    fn has_fallback(&self) -> bool {
        self.events.phase() != Phase::Off || self.poll_at_ms.is_some()
    }

    fn leave_fallbacks(&mut self, effects: &mut Vec<Effect>) {
        if self.events.stop() == Some(Command::Close) {
            effects.push(Effect::CloseEvents);
        }
        (self.poll_at_ms, self.polled_ms) = (None, None);
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{
        OrderStatus,
        protocol::{
            ServerTime,
            customer::{Ended, PositionUpdate},
        },
    };
    use proptest::{prelude::*, sample::select};

    use super::*;
    use crate::track::page::tests::{on_the_way, position};

    /// A feed with a clock of its own, as the driver runs it.
    struct Bench {
        feed: Feed,
        now_ms: f64,
    }

    impl Bench {
        fn started() -> Self {
            let mut bench = Self { feed: Feed::new(0.0, None), now_ms: 0.0 };
            assert_eq!(bench.tell(Input::Start), [Effect::OpenSocket { since_ms: None }]);
            bench
        }

        fn connected() -> Self {
            let mut bench = Self::started();
            bench.tell(Input::SocketMessage(snapshot()));
            assert_eq!(bench.state(), FeedState::Following(Health::Live));
            bench
        }

        fn tell(&mut self, input: Input) -> Vec<Effect> {
            self.feed.step(self.now_ms, 0.5, input)
        }

        fn after(&mut self, wait_ms: f64, input: Input) -> Vec<Effect> {
            self.now_ms += wait_ms;
            self.tell(input)
        }

        /// Lets time pass, with every wake-up on the way.
        fn pass(&mut self, whole_ms: f64) -> Vec<Effect> {
            let until_ms = self.now_ms + whole_ms;
            let mut effects = vec![];
            while let Some(wake_ms) = self.feed.next_wake_ms(self.now_ms).filter(|wake_ms| *wake_ms <= until_ms) {
                self.now_ms = wake_ms.max(self.now_ms);
                effects.extend(self.tell(Input::Tick));
            }
            self.now_ms = until_ms;
            effects
        }

        fn state(&self) -> FeedState {
            self.feed.state(self.now_ms)
        }

        fn transport(&self) -> Option<Transport> {
            self.feed.transport(self.now_ms)
        }

        /// Sockets fail, plain HTTP answers, until an event stream is opened.
        fn without_sockets() -> Self {
            let mut bench = Self::started();
            for attempt in 1.. {
                assert!(bench.tell(Input::SocketClosed(1006)).contains(&Effect::Ask));
                if bench.tell(Input::Answer(Answer::News(Box::new(snapshot())))).iter().any(is_events) {
                    assert_eq!(attempt, SOCKET_TRIES);
                    return bench;
                }
                bench.pass_until(is_socket);
            }
            unreachable!("the loop ends by returning")
        }

        /// Lets time pass until this is done.
        fn pass_until(&mut self, wanted: fn(&Effect) -> bool) {
            let wakes = std::iter::from_fn(|| {
                self.now_ms = self.feed.next_wake_ms(self.now_ms)?;
                Some(self.tell(Input::Tick))
            });
            assert!(wakes.take(20).any(|effects| effects.iter().any(wanted)));
        }
    }

    fn snapshot() -> CustomerEvent {
        CustomerEvent::Snapshot(on_the_way().snapshot().clone())
    }

    fn heartbeat() -> CustomerEvent {
        CustomerEvent::Heartbeat(ServerTime { server_time_ms: 0 })
    }

    fn ended() -> CustomerEvent {
        CustomerEvent::Ended(Ended { status: OrderStatus::Delivered, at_ms: 0 })
    }

    fn is_socket(effect: &Effect) -> bool {
        matches!(effect, Effect::OpenSocket { .. })
    }

    fn is_events(effect: &Effect) -> bool {
        matches!(effect, Effect::OpenEvents { .. })
    }

    #[test]
    fn a_lost_socket_comes_back_asking_only_for_what_is_new() {
        let mut bench = Bench::connected();
        let newest = position(1_795_282_300_000);
        bench.tell(Input::SocketMessage(CustomerEvent::Position(PositionUpdate::new(&newest, vec![]))));
        bench.after(1_000.0, Input::SocketClosed(4000));
        let effects = bench.pass(1_000.0);
        assert_eq!(effects, [Effect::OpenSocket { since_ms: Some(newest.time_ms) }]);
        let back = bench.tell(Input::SocketMessage(snapshot()));
        assert!(matches!(back[..], [Effect::Deliver { resumed: true, .. }]));
        let again = bench.tell(Input::SocketMessage(snapshot()));
        assert!(matches!(again[..], [Effect::Deliver { resumed: false, .. }]), "only the first one is partial");
    }

    #[test]
    fn reconnecting_is_told_after_three_seconds_and_not_before() {
        let mut bench = Bench::connected();
        bench.after(60_000.0, Input::SocketMessage(heartbeat()));
        bench.tell(Input::SocketClosed(1006));
        bench.pass(2_900.0);
        assert_eq!(bench.state(), FeedState::Following(Health::Live));
        bench.pass(200.0);
        assert_eq!(bench.state(), FeedState::Following(Health::Reconnecting));
        bench.tell(Input::SocketMessage(snapshot()));
        assert_eq!(bench.state(), FeedState::Following(Health::Live));
    }

    #[test]
    fn a_final_order_ends_the_feed_for_good() {
        let mut bench = Bench::connected();
        bench.tell(Input::SocketMessage(ended()));
        assert_eq!(bench.state(), FeedState::Ended);
        assert_eq!(bench.tell(Input::SocketClosed(4502)), [Effect::CloseSocket]);
        for input in [Input::Online, Input::Hidden, Input::Shown, Input::Tick] {
            assert!(!bench.after(60_000.0, input).iter().any(is_socket));
        }
        assert_eq!(bench.pass(3_600_000.0), []);
    }

    #[test]
    fn close_codes_from_4500_stop_and_all_others_come_back() {
        for code in [4000, 4001, 4002, 4003, 1000, 1001, 1006, 1009, 1011, 1012] {
            let mut bench = Bench::connected();
            bench.tell(Input::SocketClosed(code));
            assert!(bench.pass(31_000.0).iter().any(is_socket), "{code}");
        }
        for code in [4500, 4501, 4502, 4503, 4504, 4999] {
            let mut bench = Bench::connected();
            assert!(bench.tell(Input::SocketClosed(code)).contains(&Effect::Resolve), "{code}");
            assert!(!bench.pass(3_600_000.0).iter().any(is_socket), "{code}");
            assert_eq!(bench.state(), FeedState::Stopped);
        }
    }

    #[test]
    fn a_link_that_ended_meanwhile_is_found_out_by_http() {
        let mut bench = Bench::started();
        assert!(bench.tell(Input::SocketClosed(1006)).contains(&Effect::Ask));
        assert!(bench.tell(Input::Answer(Answer::Gone)).contains(&Effect::Resolve));
        bench.tell(Input::Resolved { is_over: true });
        assert_eq!(bench.state(), FeedState::Ended);
        assert_eq!(bench.pass(3_600_000.0), []);
    }

    #[test]
    fn blocked_sockets_give_way_to_events_and_are_tried_again() {
        let mut bench = Bench::without_sockets();
        bench.tell(Input::EventsMessage(snapshot()));
        assert_eq!((bench.transport(), bench.state()), (Some(Transport::Events), FeedState::Following(Health::Live)));
        let heard = (0..10).map(|_| bench.after(12_000.0, Input::EventsMessage(heartbeat())));
        assert!(heard.into_iter().any(|effects| effects.iter().any(is_socket)));
        let effects = bench.tell(Input::SocketMessage(snapshot()));
        assert_eq!((effects[0].clone(), bench.transport()), (Effect::CloseEvents, Some(Transport::WebSocket)));
    }

    #[test]
    fn blocked_events_give_way_to_polling_every_ten_seconds() {
        let mut bench = Bench::without_sockets();
        bench.tell(Input::EventsFailed);
        bench.pass_until(is_events);
        assert!(bench.tell(Input::EventsFailed).contains(&Effect::Ask));
        bench.tell(Input::Answer(Answer::News(Box::new(snapshot()))));
        assert_eq!((bench.transport(), bench.state()), (Some(Transport::Polling), FeedState::Following(Health::Live)));
        let asked = |effects: Vec<Effect>| effects.iter().filter(|effect| **effect == Effect::Ask).count();
        assert_eq!(asked(bench.pass(10_000.0)), 1);
        bench.tell(Input::Answer(Answer::News(Box::new(snapshot()))));
        assert_eq!(asked(bench.pass(10_000.0)), 1);
    }

    #[test]
    fn an_unreachable_server_is_waited_for_without_other_ways() {
        let mut bench = Bench::started();
        for _ in 0..20 {
            let closed = bench.tell(Input::SocketClosed(1006));
            let answered = bench.tell(Input::Answer(Answer::Nothing));
            let effects = [closed, answered, bench.pass(30_001.0)].concat();
            assert!(effects.iter().any(is_socket) && !effects.iter().any(is_events));
        }
        assert_eq!(bench.state(), FeedState::Following(Health::Reconnecting));
    }

    #[test]
    fn a_network_that_returns_is_used_at_once() {
        let mut bench = Bench::connected();
        bench.tell(Input::Offline);
        assert_eq!(
            bench.state(),
            FeedState::Following(Health::Live),
            "the device may be wrong: the socket is asked first"
        );
        bench.after(100.0, Input::SocketClosed(1006));
        assert_eq!(bench.state(), FeedState::Following(Health::NoNetwork));
        bench.tell(Input::Answer(Answer::Nothing));
        bench.pass(40_000.0);
        bench.tell(Input::SocketClosed(1006));
        assert!(bench.tell(Input::Online).iter().any(is_socket));
    }

    #[test]
    fn a_socket_that_does_not_answer_a_probe_is_dropped() {
        let mut bench = Bench::connected();
        assert_eq!(bench.tell(Input::Offline), [Effect::Ping]);
        assert!(bench.pass(5_000.0).contains(&Effect::CloseSocket));
        let mut answering = Bench::connected();
        answering.tell(Input::Offline);
        answering.after(500.0, Input::SocketMessage(heartbeat()));
        assert_eq!(answering.pass(30_000.0), []);
    }

    #[test]
    fn a_hidden_page_neither_retries_nor_polls_until_it_is_shown() {
        let mut bench = Bench::connected();
        bench.tell(Input::Hidden);
        bench.tell(Input::SocketClosed(1006));
        assert_eq!(bench.pass(3_600_000.0), []);
        assert!(bench.tell(Input::Shown).iter().any(is_socket));
    }

    fn any_input() -> impl Strategy<Value = Input> {
        select(vec![
            Input::Start,
            Input::SocketMessage(snapshot()),
            Input::SocketMessage(heartbeat()),
            Input::SocketClosed(1006),
            Input::SocketClosed(4000),
            Input::EventsMessage(heartbeat()),
            Input::EventsFailed,
            Input::Answer(Answer::News(Box::new(snapshot()))),
            Input::Answer(Answer::Nothing),
            Input::Online,
            Input::Offline,
            Input::Shown,
            Input::Hidden,
            Input::Tick,
        ])
    }

    proptest! {
        #[test]
        fn whatever_happens_a_page_in_view_gets_back_to_a_server_that_is_there(
            story in prop::collection::vec((any_input(), 0.0f64..20_000.0), 0..60),
        ) {
            let mut bench = Bench::started();
            for (input, wait_ms) in story {
                bench.pass(wait_ms);
                bench.tell(input);
            }
            bench.tell(Input::Shown);
            for _ in 0..20 {
                if bench.feed.socket.is_up() {
                    break;
                }
                if bench.feed.socket.phase() == Phase::Opening {
                    bench.tell(Input::SocketMessage(snapshot()));
                } else {
                    bench.pass(30_001.0);
                }
            }
            prop_assert_eq!(bench.transport(), Some(Transport::WebSocket));
            prop_assert_eq!(bench.feed.events.phase(), Phase::Off, "the fallback is left");
        }

        #[test]
        fn there_is_never_more_than_one_socket(
            story in prop::collection::vec((any_input(), 0.0f64..20_000.0), 0..60),
        ) {
            let mut bench = Bench { feed: Feed::new(0.0, None), now_ms: 0.0 };
            let mut open = false;
            for (input, wait_ms) in story {
                let effects = [bench.pass(wait_ms), bench.tell(input)].concat();
                for effect in effects {
                    match effect {
                        Effect::OpenSocket { .. } => {
                            prop_assert!(!open, "a second socket while the first is open");
                            open = true;
                        }
                        Effect::CloseSocket => open = false,
                        _ => {}
                    }
                }
            }
        }
    }
}
