//! Runs the console in a browser: owns its socket, requests, timers and map, and carries out what [`Console`] decides.
//!
//! Every event is posted and handled in a task of its own, one after the other. So nothing is dropped while the browser is
//! still calling it, and no handler runs inside another. Positions go to the map alone; views are drawn when their subject
//! changed, and once a second for the ages. A hidden page draws nothing.

mod clock;
mod effects;
mod listeners;
mod map;
mod map_reports;
mod requests;

use std::{cell::RefCell, rc::Rc};

use doorstep_shared::protocol::fleet::FleetEvent;
use wasm_bindgen::{JsCast, closure::Closure};

use self::{clock::Clock, map::MapView};
use super::{
    areas::AreaInUse,
    console::{Console, Effect, Input, Intent, ListIntent, PlanIntent},
    replay::Replay,
    store::Store,
};
use crate::{
    data::Locale,
    live::{
        listen::{Listener, Timer, document, now_ms, spawn, window},
        socket::Socket,
    },
};

/// The views show ages in whole seconds.
const TICK_MS: f64 = 1_000.0;

/// While a day is played, slider and line follow this often; the marker moves with every frame.
const REPLAY_DRAW_MS: f64 = 200.0;

/// The running console. It lives as long as the page; clones are the same.
#[derive(Clone)]
pub struct Driver(Rc<RefCell<Running>>);

struct Running {
    store: Store,
    clock: Clock,
    map: MapView,
    socket: Option<Socket>,
    /// Counts sockets, so that the last words of a dropped one are not taken for the next one's.
    opened: u32,
    is_hidden: bool,
    ticked_ms: f64,
    replay_drawn_ms: f64,
    timer: Option<Timer>,
    frame: Option<Closure<dyn FnMut()>>,
    is_frame_pending: bool,
    /// What the feed changed is drawn with the next frame.
    is_show_due: bool,
    listeners: Vec<Listener>,
}

/// Where an event comes from.
#[derive(Clone, Copy)]
enum Source {
    /// The socket with this number; events of one that was dropped are ignored.
    Socket(u32),
    Page,
}

/// What an event may change on the screen, beside the fleet on the map.
#[derive(Clone, Copy)]
enum Reach {
    /// Nothing: lists show where couriers are with the next second.
    Fleet,
    /// Views and map, with the next frame: a courier's stop that is done changes the place of every order behind it, and
    /// the feed tells of each by itself.
    Frame,
    /// Views only.
    Views,
    /// Views, and what the map shows beside the fleet.
    All,
}

impl Reach {
    const fn of(input: &Input) -> Self {
        match input {
            Input::Feed(Some(FleetEvent::Positions(_) | FleetEvent::Heartbeat(_))) => Self::Fleet,
            Input::Feed(Some(FleetEvent::Order(_) | FleetEvent::Courier(_))) => Self::Frame,
            Input::Intent(Intent::List(ListIntent::Scrolled { .. }) | Intent::Plan(PlanIntent::Dragged { .. })) => {
                Self::Views
            }
            _ => Self::All,
        }
    }
}

impl Driver {
    /// A console that is not running yet. The page was made at `server_time_ms`.
    pub fn new(locale: Locale, area: Option<AreaInUse>, server_time_ms: i64) -> Self {
        let clock = Clock::new(server_time_ms);
        let query = window().location().search().unwrap_or_default();
        let console = Console::new(locale, area, &query, clock.moment());
        let driver = Self(Rc::new_cyclic(|weak: &std::rc::Weak<RefCell<Running>>| {
            let weak = weak.clone();
            let store = Store::new(console, move |intent| {
                if let Some(running) = weak.upgrade() {
                    Driver(running).intend(intent);
                }
            });
            RefCell::new(Running::new(store, clock))
        }));
        let framed = driver.clone();
        let frame = Closure::wrap(Box::new(move || framed.on_frame()) as Box<dyn FnMut()>);
        driver.0.borrow_mut().frame = Some(frame);
        driver
    }

    /// What the views are drawn from.
    pub fn store(&self) -> Store {
        self.0.borrow().store
    }

    /// Connects, listens, and opens the map.
    pub fn start(&self) {
        self.0.borrow_mut().listeners = self.listeners();
        self.post(Source::Page, Input::Kept(super::browser::kept()));
        self.post(Source::Page, Input::Start);
        let driver = self.clone();
        spawn(Box::pin(async move { driver.open_map().await }));
    }

    fn intend(&self, intent: impl Into<Intent>) {
        self.post(Source::Page, Input::Intent(intent.into()));
    }

    fn post(&self, source: Source, input: Input) {
        let driver = self.clone();
        spawn(Box::pin(async move { driver.handle(source, input) }));
    }

    fn handle(&self, source: Source, input: Input) {
        let mut running = self.0.borrow_mut();
        if !running.is_current(source) {
            return;
        }
        running.observe_time(&input);
        let reach = Reach::of(&input);
        self.step(&mut running, input);
        match reach {
            Reach::Fleet => {}
            Reach::Frame => running.show_with_frame(),
            Reach::Views => running.publish(),
            Reach::All => running.show(),
        }
        if !matches!(reach, Reach::Frame) {
            running.draw_fleet();
        }
        self.sleep(&mut running);
    }

    fn step(&self, running: &mut Running, input: Input) {
        let moment = running.clock.moment();
        let effects: Vec<Effect> = running.store.change(|console| console.step(moment, input));
        for effect in effects {
            self.perform(running, effect);
        }
    }

    fn tick(&self) {
        {
            let mut running = self.0.borrow_mut();
            let now_ms = now_ms();
            if !running.is_hidden && now_ms - running.ticked_ms >= TICK_MS {
                running.ticked_ms = now_ms;
                running.store.change(|console| console.second_passed(now_ms));
                running.mark_changed_activities();
            }
        }
        self.handle(Source::Page, Input::Tick);
    }

    /// Wakes when the console wants to, and every second while the page is seen.
    fn sleep(&self, running: &mut Running) {
        let now_ms = now_ms();
        let (wake_ms, is_playing) =
            running.store.peek(|console| (console.next_wake_ms(now_ms), console.replay.is_playing()));
        if is_playing && !running.is_hidden {
            running.request_frame();
        }
        let tick_ms = (!running.is_hidden).then_some(running.ticked_ms + TICK_MS);
        let wait_ms = wake_ms.into_iter().chain(tick_ms).reduce(f64::min).map(|at_ms| (at_ms - now_ms).max(0.0));
        running.timer = wait_ms.map(|wait_ms| {
            let driver = self.clone();
            Timer::new(
                wait_ms,
                Box::new(move || {
                    let driver = driver.clone();
                    spawn(Box::pin(async move { driver.tick() }));
                }),
            )
        });
    }

    /// Draws what the feed changed, and one frame of a day that is played.
    fn on_frame(&self) {
        let mut running = self.0.borrow_mut();
        running.is_frame_pending = false;
        if std::mem::take(&mut running.is_show_due) {
            running.show();
            running.draw_fleet();
        }
        if !running.store.peek(|console| console.replay.is_playing()) {
            return;
        }
        self.step(&mut running, Input::Tick);
        let shown = running.store.peek(|console| console.replay.current.as_ref().and_then(Replay::shown));
        running.map.move_replayed(shown);
        let now_ms = now_ms();
        if now_ms - running.replay_drawn_ms >= REPLAY_DRAW_MS {
            running.replay_drawn_ms = now_ms;
            running.show();
        }
        self.sleep(&mut running);
    }
}

impl Running {
    fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            map: MapView::default(),
            socket: None,
            opened: 0,
            is_hidden: document().hidden(),
            ticked_ms: now_ms(),
            replay_drawn_ms: 0.0,
            timer: None,
            frame: None,
            is_frame_pending: false,
            is_show_due: false,
            listeners: Vec::new(),
        }
    }

    fn is_current(&self, source: Source) -> bool {
        match source {
            Source::Page => true,
            Source::Socket(number) => number == self.opened && self.socket.is_some(),
        }
    }

    /// Takes the server's time from its messages.
    fn observe_time(&mut self, input: &Input) {
        match input {
            Input::Feed(Some(FleetEvent::Snapshot(snapshot))) => self.clock.set(snapshot.server_time_ms),
            Input::Feed(Some(FleetEvent::Heartbeat(time) | FleetEvent::Pong(time))) => {
                self.clock.observe(time.server_time_ms);
            }
            _ => {}
        }
    }

    /// Draws what changed, unless the page is hidden.
    fn show(&mut self) {
        self.publish();
        if !self.is_hidden {
            self.map.draw_scene(self.store);
        }
    }

    /// Draws what changed once, however much more comes before the next frame.
    fn show_with_frame(&mut self) {
        if !self.is_hidden {
            self.is_show_due = true;
            self.request_frame();
        }
    }

    fn publish(&self) {
        if !self.is_hidden {
            super::browser::keep_focus();
            self.store.publish();
        }
    }

    fn draw_fleet(&mut self) {
        if !self.is_hidden {
            self.map.draw_fleet(self.store);
        }
    }

    /// As time passes, a courier who was heard from may be silent now.
    fn mark_changed_activities(&mut self) {
        self.map.mark_changed_activities(self.store);
    }

    fn request_frame(&mut self) {
        if let Some(frame) = self.frame.as_ref().filter(|_| !self.is_frame_pending) {
            self.is_frame_pending = window().request_animation_frame(frame.as_ref().unchecked_ref()).is_ok();
        }
    }
}
