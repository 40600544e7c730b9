//! Runs the feed in a browser: owns its sockets, timers and listeners, does what [`Feed`] decides, and keeps the page's
//! clock.
//!
//! Each event is posted, and handled after those before it in a task of its own. So nothing is dropped while the browser is
//! still calling it, and no handler runs inside another.

use std::{cell::RefCell, rc::Rc};

use doorstep_shared::{
    OrderStatus,
    protocol::{
        self,
        courier::Ping,
        customer::{CustomerEvent, CustomerMessage},
    },
};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::PageTransitionEvent;

use super::{
    announcer::Announcer,
    events::Events,
    feed::{Effect, Feed, Input},
    http::{Paths, Rendered},
    map_controller::MapController,
    signals::Signals,
    text::headline,
};
use crate::{
    data::LinkState,
    live::{
        connection::ABNORMAL,
        listen::{Listener, Timer, document, now_ms, spawn, window},
        socket::{News, Socket},
    },
    ui::text::PRODUCT,
};

/// The page tells ages in whole seconds.
const TICK_MS: f64 = 1_000.0;

/// The running feed. It lives as long as the page.
#[derive(Clone)]
pub struct Driver(Rc<RefCell<Running>>);

struct Running {
    feed: Feed,
    signals: Signals,
    map: MapController,
    paths: Paths,
    clock: Clock,
    announcer: Announcer,
    title: &'static str,
    hidden: bool,
    socket: Option<Socket>,
    events: Option<Events>,
    /// Counts sockets and streams, so that the last events of a dropped one are not taken for the next one's.
    opened: u32,
    socket_number: u32,
    events_number: u32,
    timer: Option<Timer>,
    listeners: Vec<Listener>,
}

/// Where an input comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The socket or stream with this number.
    Connection(u32),
    Page,
}

impl Driver {
    /// Starts following an order that can still change. The page was drawn at `server_time_ms`.
    pub fn start(signals: Signals, map: MapController, server_time_ms: i64) {
        let page = signals.page;
        let newest_fix_ms = page.with_untracked(|page| page.snapshot().position.map(|position| position.time_ms));
        let (announcer, title) = page.with_untracked(|page| (Announcer::new(page), headline::title(page)));
        let driver = Self(Rc::new(RefCell::new(Running {
            feed: Feed::new(now_ms(), newest_fix_ms),
            signals,
            map,
            paths: Paths::of_this_page(),
            clock: Clock::new(server_time_ms),
            announcer,
            title,
            hidden: document().hidden(),
            socket: None,
            events: None,
            opened: 0,
            socket_number: 0,
            events_number: 0,
            timer: None,
            listeners: Vec::new(),
        })));
        driver.listen();
        if document().hidden() {
            driver.post(Source::Page, Input::Hidden);
        }
        driver.post(Source::Page, Input::Start);
    }

    fn listen(&self) {
        let window = window();
        let on = |target: &web_sys::EventTarget, kind, input: fn() -> Input| {
            let driver = self.clone();
            Listener::new(target, kind, Box::new(move |_| driver.post(Source::Page, input())))
        };
        let restored = self.clone();
        let listeners = vec![
            on(&window, "online", || Input::Online),
            on(&window, "offline", || Input::Offline),
            on(&document(), "visibilitychange", || if document().hidden() { Input::Hidden } else { Input::Shown }),
            // A page kept for the back button holds no connection; one that comes back from there starts again.
            on(&window, "pagehide", || Input::SocketClosed(ABNORMAL)),
            Listener::new(
                &window,
                "pageshow",
                Box::new(move |event| {
                    if event.unchecked_into::<PageTransitionEvent>().persisted() {
                        restored.post(Source::Page, Input::Shown);
                    }
                }),
            ),
        ];
        self.0.borrow_mut().listeners = listeners;
    }

    fn post(&self, source: Source, input: Input) {
        let driver = self.clone();
        spawn(Box::pin(async move { driver.handle(source, input) }));
    }

    fn handle(&self, source: Source, input: Input) {
        let mut running = self.0.borrow_mut();
        let current = [running.socket_number, running.events_number];
        if matches!(source, Source::Connection(number) if !current.contains(&number)) {
            return;
        }
        match input {
            Input::Hidden => running.hidden = true,
            Input::Shown => running.hidden = false,
            _ => {}
        }
        let effects = running.feed.step(now_ms(), js_sys::Math::random(), input);
        for effect in effects {
            self.perform(&mut running, effect);
        }
        running.show();
        self.sleep(&mut running);
    }

    fn perform(&self, running: &mut Running, effect: Effect) {
        match effect {
            Effect::OpenSocket { since_ms } => {
                let tell = self.teller(running);
                running.socket_number = running.opened;
                let told = tell.clone();
                running.socket = Socket::open(&running.paths.socket(since_ms), move |news| match news {
                    // A message this build does not understand comes from a newer server; the others still matter.
                    News::Message(bytes) => {
                        if let Ok(event) = protocol::decode_postcard(&bytes) {
                            told(Input::SocketMessage(event));
                        }
                    }
                    News::Closed(code) => told(Input::SocketClosed(code)),
                });
                if running.socket.is_none() {
                    tell(Input::SocketClosed(ABNORMAL));
                }
            }
            Effect::CloseSocket => (running.socket, running.socket_number) = (None, 0),
            Effect::Ping => {
                if let Some(socket) = &running.socket {
                    socket.send(&protocol::encode_postcard(&CustomerMessage::Ping(Ping {})));
                }
            }
            Effect::OpenEvents { since_ms } => {
                let tell = self.teller(running);
                running.events_number = running.opened;
                running.events = Events::open(&running.paths.events(since_ms), tell.clone());
                if running.events.is_none() {
                    tell(Input::EventsFailed);
                }
            }
            Effect::CloseEvents => (running.events, running.events_number) = (None, 0),
            Effect::Ask => {
                let (driver, paths) = (self.clone(), running.paths.clone());
                spawn(Box::pin(async move {
                    let answer = paths.ask().await;
                    driver.post(Source::Page, Input::Answer(answer));
                }));
            }
            Effect::Resolve => self.resolve(running),
            Effect::Deliver { event, resumed } => {
                running.deliver(&event, resumed);
                if running.needs_more(&event) {
                    self.resolve(running);
                }
            }
        }
    }

    /// Asks for the page anew, for what the feed does not carry: why the order ended, which courier brings it.
    fn resolve(&self, running: &Running) {
        let (driver, paths) = (self.clone(), running.paths.clone());
        spawn(Box::pin(async move {
            match paths.page().await {
                Rendered::Order(view) => {
                    if let LinkState::Live(order) | LinkState::Ended(order) = view.link {
                        let is_over = order.snapshot.order.status.is_final();
                        let mut running = driver.0.borrow_mut();
                        running.clock.observe(view.server_time_ms);
                        running.signals.page.update_untracked(|page| page.replace_order(order));
                        running.map.observe_page();
                        drop(running);
                        driver.post(Source::Page, Input::Resolved { is_over });
                    }
                }
                // The page that replaces this one has no script, so it cannot reload again.
                Rendered::Message => {
                    let _ = window().location().reload();
                }
                Rendered::Nothing => {}
            }
        }));
    }

    /// What a new connection reports through.
    fn teller(&self, running: &mut Running) -> impl Fn(Input) + Clone + 'static {
        running.opened += 1;
        let (driver, source) = (self.clone(), Source::Connection(running.opened));
        move |input| driver.post(source, input)
    }

    /// Wakes when the feed wants to, and every second while the page is visible.
    fn sleep(&self, running: &mut Running) {
        let now_ms = now_ms();
        let wake_ms = running.feed.next_wake_ms(now_ms).map(|at_ms| at_ms - now_ms);
        let is_over = running.signals.page.with_untracked(|page| page.status().is_final());
        let tick_ms = (!running.hidden && !is_over).then_some(TICK_MS);
        let wait_ms = wake_ms.into_iter().chain(tick_ms).reduce(f64::min);
        running.timer = wait_ms.map(|wait_ms| {
            let driver = self.clone();
            Timer::new(wait_ms, Box::new(move || driver.post(Source::Page, Input::Tick)))
        });
    }
}

impl Running {
    fn deliver(&mut self, event: &CustomerEvent, resumed: bool) {
        match event {
            CustomerEvent::Snapshot(snapshot) => self.clock.set(snapshot.server_time_ms),
            CustomerEvent::Heartbeat(time) | CustomerEvent::Pong(time) => self.clock.observe(time.server_time_ms),
            CustomerEvent::Area(_) => self.map.renew_area(),
            _ => {}
        }
        self.signals.page.update_untracked(|page| page.apply(event, resumed));
        self.map.observe(event, resumed);
    }

    /// Whether the page needs what no message of the feed brings.
    fn needs_more(&self, event: &CustomerEvent) -> bool {
        match event {
            CustomerEvent::Ended(_) => true,
            CustomerEvent::Order(update) => {
                let is_unknown = self.signals.page.with_untracked(|page| page.snapshot().courier.is_none());
                // Why it failed, who brings it now or nobody, and the window of a next attempt.
                let is_telling =
                    matches!(update.status, OrderStatus::Created | OrderStatus::Assigned | OrderStatus::Failed);
                is_telling || update.status.is_active() && is_unknown
            }
            _ => false,
        }
    }

    /// Brings page and map up to date; a hidden page draws nothing.
    fn show(&mut self) {
        let now_ms = now_ms();
        let (feed, transport) = (self.feed.state(now_ms), self.feed.transport(now_ms));
        let server_now_ms = self.clock.now_ms();
        let page = self.signals.page;
        page.update_untracked(|page| {
            (page.feed, page.transport, page.now_ms) = (feed, transport, server_now_ms);
        });
        if self.hidden {
            return;
        }
        page.update(|page| {
            if let Some(sentence) = self.announcer.say(page) {
                page.spoken = sentence;
            }
        });
        let title = page.with_untracked(headline::title);
        if title != self.title {
            self.title = title;
            document().set_title(&[title, " · ", PRODUCT].concat());
        }
        self.map.refresh();
    }
}

/// The server's clock, from what its messages say.
struct Clock {
    offset_ms: f64,
}

/// A message says the time at which it was sent; the one that was fastest on its way is the nearest to the truth.
impl Clock {
    fn new(server_time_ms: i64) -> Self {
        Self { offset_ms: server_time_ms as f64 - js_sys::Date::now() }
    }

    /// Takes the time of a fresh connection as it is: the device's own clock may have been set since.
    fn set(&mut self, server_time_ms: i64) {
        self.offset_ms = server_time_ms as f64 - js_sys::Date::now();
    }

    fn observe(&mut self, server_time_ms: i64) {
        let offset_ms = server_time_ms as f64 - js_sys::Date::now();
        self.offset_ms = self.offset_ms.max(offset_ms);
    }

    fn now_ms(&self) -> i64 {
        (js_sys::Date::now() + self.offset_ms) as i64
    }
}
