//! Runs the console in a browser: owns its socket, requests, timers and the map, and does what [`Console`] decides.
//!
//! Whatever happens is posted and handled one after the other in a task of its own. So nothing is dropped while the
//! browser is still calling it, and no handler runs inside another. Positions go to the map alone; the screens are drawn
//! anew when something else happened, and once a second, for the ages. Nothing is drawn while nobody looks.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use doorstep_shared::{
    CourierId,
    protocol::{self, fleet::FleetEvent},
};
use js_sys::{Array, Float64Array, Object, Reflect};
use serde_json::json;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::KeyboardEvent;

use super::{
    ask::{Ask, Trouble, day_span},
    console::{Console, Effect, Input, Intent, Item, Moment, Scene},
    fleet::Doing,
    keys,
    map::{self, FleetMap},
    place::PATH,
    view::Desk,
};
use crate::{
    data::Locale,
    live::{
        listen::{Listener, Timer, document, now_ms, spawn, window},
        socket::{ABNORMAL, News, Socket},
    },
};

/// The screens tell ages in whole seconds.
const TICK_MS: f64 = 1_000.0;

/// While a day is played, the slider and the line follow this often; the marker moves with every frame.
const REPLAY_DRAW_MS: f64 = 200.0;

/// The running console. It lives as long as the page; clones are the same.
#[derive(Clone)]
pub struct Driver(Rc<RefCell<Running>>);

struct Running {
    desk: Desk,
    clock: Clock,
    map: Option<FleetMap>,
    drawn: HashMap<CourierId, Doing>,
    scene: Scene,
    scene_text: String,
    /// What to bring into view once the map is open.
    fit: Vec<f64>,
    socket: Option<Socket>,
    /// Counts sockets, so that the last words of a dropped one are not taken for the next one's.
    opened: u32,
    hidden: bool,
    ticked_ms: f64,
    replay_drawn_ms: f64,
    timer: Option<Timer>,
    frame: Option<Closure<dyn FnMut()>>,
    frame_pending: bool,
    listeners: Vec<Listener>,
}

impl Driver {
    /// A console that is not running yet. The page was made at `server_time_ms`.
    pub fn new(locale: Locale, server_time_ms: i64) -> Self {
        let clock = Clock { offset_ms: server_time_ms as f64 - js_sys::Date::now() };
        let query = window().location().search().unwrap_or_default();
        let console = Console::new(locale, &query, clock.moment());
        let driver = Self(Rc::new_cyclic(|weak: &std::rc::Weak<RefCell<Running>>| {
            let weak = weak.clone();
            let desk = Desk::new(console, move |intent| {
                if let Some(running) = weak.upgrade() {
                    Driver(running).post(None, Input::Did(intent));
                }
            });
            RefCell::new(Running {
                desk,
                clock,
                map: None,
                drawn: HashMap::new(),
                scene: Scene::default(),
                scene_text: String::new(),
                fit: Vec::new(),
                socket: None,
                opened: 0,
                hidden: document().hidden(),
                ticked_ms: now_ms(),
                replay_drawn_ms: 0.0,
                timer: None,
                frame: None,
                frame_pending: false,
                listeners: Vec::new(),
            })
        }));
        let framed = driver.clone();
        let frame = Closure::wrap(Box::new(move || framed.on_frame()) as Box<dyn FnMut()>);
        driver.0.borrow_mut().frame = Some(frame);
        driver
    }

    /// What the screens are drawn from.
    pub fn desk(&self) -> Desk {
        self.0.borrow().desk
    }

    /// Connects, listens, and opens the map.
    pub fn start(&self) {
        self.listen();
        self.post(None, Input::Start);
        let driver = self.clone();
        spawn(Box::pin(async move { driver.open_map().await }));
    }

    fn listen(&self) {
        let window = window();
        let on = |target: &web_sys::EventTarget, kind, input: fn() -> Input| {
            let driver = self.clone();
            Listener::new(target, kind, Box::new(move |_| driver.post(None, input())))
        };
        let shown = self.clone();
        let keyed = self.clone();
        let popped = self.clone();
        let listeners = vec![
            on(&window, "online", || Input::Awake),
            on(&window, "offline", || Input::Offline),
            on(&window, "pageshow", || Input::Awake),
            Listener::new(&document(), "visibilitychange", Box::new(move |_| shown.visibility_changed())),
            Listener::new(&document(), "click", Box::new(|event| close_menu(&event))),
            Listener::new(&document(), "keydown", Box::new(move |event| keyed.key(&event.unchecked_into()))),
            Listener::new(
                &window,
                "popstate",
                Box::new(move |_| {
                    let query = crate::live::listen::window().location().search().unwrap_or_default();
                    popped.post(None, Input::Popped(query));
                }),
            ),
        ];
        self.0.borrow_mut().listeners = listeners;
    }

    fn visibility_changed(&self) {
        let is_hidden = document().hidden();
        self.0.borrow_mut().hidden = is_hidden;
        if !is_hidden {
            self.post(None, Input::Awake);
        }
    }

    fn key(&self, event: &KeyboardEvent) {
        let Some(target) = event.target() else { return };
        let is_in_list = target.dyn_ref::<web_sys::Element>().is_some_and(|element| element.id() == "list");
        let has_modifier = event.ctrl_key() || event.meta_key() || event.alt_key();
        if event.default_prevented() {
            return;
        }
        if let Some(command) = keys::command(&event.key(), map::typing(&target), is_in_list, has_modifier) {
            event.prevent_default();
            self.post(None, Input::Did(Intent::Key(command)));
        }
    }

    fn post(&self, socket: Option<u32>, input: Input) {
        let driver = self.clone();
        spawn(Box::pin(async move { driver.handle(socket, input) }));
    }

    fn handle(&self, socket: Option<u32>, input: Input) {
        let mut running = self.0.borrow_mut();
        if socket.is_some_and(|number| number != running.opened || running.socket.is_none()) {
            return;
        }
        let is_quiet = matches!(&input, Input::Feed(Some(FleetEvent::Positions(_) | FleetEvent::Heartbeat(_))));
        let is_scroll = matches!(&input, Input::Did(Intent::Scrolled { .. }));
        running.observe(&input);
        let moment = running.clock.moment();
        let desk = running.desk;
        let effects = desk.change(|console| console.step(moment, input));
        for effect in effects {
            self.perform(&mut running, effect);
        }
        if is_scroll {
            desk.list_changed();
        } else if !is_quiet {
            running.show();
        }
        running.draw_fleet();
        self.sleep(&mut running);
    }

    fn tick(&self) {
        {
            let mut running = self.0.borrow_mut();
            let now_ms = now_ms();
            if !running.hidden && now_ms - running.ticked_ms >= TICK_MS {
                running.ticked_ms = now_ms;
                let desk = running.desk;
                desk.change(|console| console.second_passed(now_ms));
                running.notice_changes();
            }
        }
        self.handle(None, Input::Tick);
    }

    fn perform(&self, running: &mut Running, effect: Effect) {
        match effect {
            Effect::Open => {
                running.opened += 1;
                let (driver, number) = (self.clone(), running.opened);
                let tell = move |news| {
                    driver.post(
                        Some(number),
                        match news {
                            News::Message(bytes) => Input::Feed(protocol::decode_postcard(&bytes).ok()),
                            News::Closed(code) => Input::FeedClosed(code),
                        },
                    );
                };
                running.socket = feed_url().and_then(|url| Socket::open(&url, tell));
                if running.socket.is_none() {
                    self.post(None, Input::FeedClosed(ABNORMAL));
                }
            }
            Effect::Close => running.socket = None,
            Effect::Say(message) => {
                if let Some(socket) = &running.socket {
                    socket.send(&protocol::encode_postcard(&message));
                }
            }
            Effect::SignIn => {
                let location = window().location();
                let search = location.search().unwrap_or_default();
                let next = super::place::encode(&format!("{PATH}{search}"));
                let _ = location.assign(&format!("/login?next={next}"));
            }
            Effect::Ask(ask) => self.ask(ask),
            Effect::Url { url, is_new } => {
                let Ok(history) = window().history() else { return };
                let _ = if is_new {
                    history.push_state_with_url(&JsValue::NULL, "", Some(&url))
                } else {
                    history.replace_state_with_url(&JsValue::NULL, "", Some(&url))
                };
            }
            Effect::Focus(id) => map::focus(id),
            Effect::Scroll(top_px) => {
                if let Some(list) = document().get_element_by_id("list") {
                    list.set_scroll_top(top_px as i32);
                }
            }
            Effect::Fit { points } => {
                let flat: Vec<f64> = points.into_iter().flatten().collect();
                match &running.map {
                    Some(map) => map.fit(&flat),
                    None => running.fit = flat,
                }
            }
            Effect::Copy(text) => {
                let driver = self.clone();
                spawn(Box::pin(async move {
                    let is_copied = map::copy(&text).await.is_truthy();
                    driver.post(None, Input::Copied(is_copied));
                }));
            }
            Effect::Print => {
                let _ = window().print();
            }
            Effect::Save { name, media_type, text } => map::save(&name, media_type, &text),
            Effect::Export { courier, from_ms, until_ms, format, name } => {
                let path = format!("/couriers/{courier}/fixes?{}", day_span(from_ms, until_ms));
                let driver = self.clone();
                spawn(Box::pin(async move {
                    let (status, text) = fetch("GET", &path, None, "", None, format.media_type()).await;
                    if status == 200 {
                        map::save(&name, format.media_type(), &text);
                    } else {
                        driver.post(None, Input::NotSaved);
                    }
                }));
            }
            Effect::Theme => map::next_theme(),
        }
    }

    fn ask(&self, ask: Ask) {
        let driver = self.clone();
        spawn(Box::pin(async move {
            let request = ask.request();
            let accept = "application/json, application/problem+json";
            let (status, text) =
                fetch(request.method, &request.path, request.body, request.media_type, request.key, accept).await;
            let answer = if status == 0 { Err(Trouble::Unreachable) } else { ask.read(status, &text) };
            driver.post(None, Input::Answered(ask, answer));
        }));
    }

    async fn open_map(&self) {
        let Some(place) = document().get_element_by_id("map").filter(|_| map::can_draw()) else {
            return self.desk().map_missing();
        };
        let tell = self.teller();
        // Without the library (a blocked or lost download) everything is there as lists.
        let Ok(map) = map::open_fleet_map(&place, &tell).await else { return self.desk().map_missing() };
        {
            let mut running = self.0.borrow_mut();
            running.map = Some(map.unchecked_into());
            running.drawn.clear();
            running.notice_changes();
            running.draw_scene();
            running.draw_fleet();
            let fit = std::mem::take(&mut running.fit);
            if let Some(map) = running.map.as_ref().filter(|_| !fit.is_empty()) {
                map.fit(&fit);
            }
        }
        self.desk().map_opened();
    }

    /// What the map reports through.
    fn teller(&self) -> JsValue {
        let tell = Object::new();
        let set = |name: &str, function: JsValue| {
            let _ = Reflect::set(&tell, &JsValue::from_str(name), &function);
        };
        let did = |driver: &Self, intent: Intent| driver.post(None, Input::Did(intent));
        let driver = self.clone();
        let clicked = move |lon: f64, lat: f64, number: Option<u32>| {
            did(&driver, Intent::Clicked { at: [lon, lat], number });
        };
        set("clicked", Closure::<dyn FnMut(f64, f64, Option<u32>)>::new(clicked).into_js_value());
        let driver = self.clone();
        let over = move |number: Option<u32>| did(&driver, Intent::Over(number));
        set("over", Closure::<dyn FnMut(Option<u32>)>::new(over).into_js_value());
        let driver = self.clone();
        set("moved", Closure::<dyn FnMut()>::new(move || did(&driver, Intent::Moved)).into_js_value());
        let driver = self.clone();
        let dropped = move |order: String, number: u32| {
            if let Ok(order) = order.parse() {
                did(&driver, Intent::DropOn { order, number });
            }
        };
        set("dropped", Closure::<dyn FnMut(String, u32)>::new(dropped).into_js_value());
        let driver = self.clone();
        let viewport = move |west: f64, south: f64, east: f64, north: f64| {
            driver.post(None, Input::Viewport([west, south, east, north]));
        };
        set("viewport", Closure::<dyn FnMut(f64, f64, f64, f64)>::new(viewport).into_js_value());
        tell.into()
    }

    /// Wakes when the console wants to, and every second while somebody looks.
    fn sleep(&self, running: &mut Running) {
        let now_ms = now_ms();
        let desk = running.desk;
        let (wake_ms, is_playing) = desk.peek(|console| {
            (console.next_wake_ms(now_ms), console.replay.as_ref().is_some_and(|replay| replay.is_playing))
        });
        if is_playing && !running.hidden {
            running.ask_frame();
        }
        let tick_ms = (!running.hidden).then_some(running.ticked_ms + TICK_MS);
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

    /// While a day is played.
    fn on_frame(&self) {
        let mut running = self.0.borrow_mut();
        running.frame_pending = false;
        let moment = running.clock.moment();
        let desk = running.desk;
        let effects = desk.change(|console| console.step(moment, Input::Tick));
        for effect in effects {
            self.perform(&mut running, effect);
        }
        let shown = desk.peek(|console| console.replay.as_ref().and_then(super::replay::Replay::shown));
        if let (Some(map), Some(shown)) = (&running.map, shown) {
            map.ghost(shown.at[0], shown.at[1], shown.heading_deg);
        }
        if moment.now_ms - running.replay_drawn_ms >= REPLAY_DRAW_MS {
            running.replay_drawn_ms = moment.now_ms;
            running.show();
        }
        self.sleep(&mut running);
    }
}

impl Running {
    /// The server's clock, as its messages tell it.
    fn observe(&mut self, input: &Input) {
        match input {
            Input::Feed(Some(FleetEvent::Snapshot(snapshot))) => self.clock.set(snapshot.server_time_ms),
            Input::Feed(Some(FleetEvent::Heartbeat(time) | FleetEvent::Pong(time))) => {
                self.clock.observe(time.server_time_ms);
            }
            _ => {}
        }
    }

    fn show(&mut self) {
        if self.hidden {
            return;
        }
        self.desk.changed();
        self.draw_scene();
    }

    /// Hands the couriers that moved to the map.
    fn draw_fleet(&mut self) {
        let Some(map) = self.map.as_ref().filter(|_| !self.hidden) else { return };
        let drawn = &mut self.drawn;
        let rows = self.desk.change(|console| {
            let at_ms = console.at_ms;
            let mut rows = Vec::new();
            for id in console.fleet.take_moved() {
                let Some(courier) = console.fleet.couriers.get(&id) else { continue };
                let doing = console.fleet.doing(courier, at_ms);
                drawn.insert(id, doing);
                let position = courier.position;
                let is_shown = position.is_some() && doing != Doing::Away;
                let [lon, lat] = position.map_or([0.0; 2], |position| [position.lon, position.lat]);
                let heading = position.and_then(|position| position.heading_deg).map_or(-1.0, f64::from);
                let doing = if is_shown { f64::from(doing as u8) } else { -1.0 };
                rows.extend([f64::from(courier.number), lon, lat, heading, doing]);
            }
            rows
        });
        if !rows.is_empty() {
            map.place(&Float64Array::from(&rows[..]));
            self.draw_scene();
        }
    }

    /// Time passes: who was well may be silent now.
    fn notice_changes(&mut self) {
        let drawn = &self.drawn;
        self.desk.change(|console| {
            let at_ms = console.at_ms;
            let fleet = &console.fleet;
            let changed = |id: &CourierId| {
                let doing = fleet.couriers.get(id).map(|courier| fleet.doing(courier, at_ms));
                drawn.get(id).copied() != doing
            };
            let changed: Vec<_> = fleet.couriers.keys().copied().filter(changed).collect();
            for id in changed {
                console.fleet.mark_moved(id);
            }
        });
    }

    /// Brings the rest of the map up to date; only what differs is handed over.
    fn draw_scene(&mut self) {
        let Some(map) = &self.map else { return };
        let (scene, text) = self.desk.peek(|console| (console.scene(), scene_text(console)));
        for (name, before, now) in [
            ("whole", &self.scene.whole, &scene.whole),
            ("behind", &self.scene.behind, &scene.behind),
            ("ahead", &vec![self.scene.ahead.clone()], &vec![scene.ahead.clone()]),
        ] {
            if before != now {
                let lengths: Vec<u32> = now.iter().map(|line| line.len() as u32).collect();
                let flat: Vec<f64> = now.iter().flatten().flatten().copied().collect();
                map.line(name, &flat, &lengths);
            }
        }
        if self.scene_text != text {
            map.show(&text);
            self.scene_text = text;
        }
        self.scene = scene;
    }

    fn ask_frame(&mut self) {
        if let Some(frame) = self.frame.as_ref().filter(|_| !self.frame_pending) {
            self.frame_pending = window().request_animation_frame(frame.as_ref().unchecked_ref()).is_ok();
        }
    }
}

/// The scene without its lines, as the map reads it.
fn scene_text(console: &Console) -> String {
    let scene = console.scene();
    let courier = |id: CourierId| {
        let courier = console.fleet.couriers.get(&id)?;
        let position = courier.position?;
        Some(json!({
            "number": courier.number, "at": [position.lon, position.lat], "heading": position.heading_deg,
            "label": courier.name,
        }))
    };
    let marks: Vec<_> = scene.marks.iter().map(|mark| json!({ "end": mark.end.word(), "at": mark.at })).collect();
    let ghost = scene.ghost.map(|(at, heading)| json!({ "at": at, "heading": heading, "label": "" }));
    let hover = scene.hover.filter(|id| scene.selected != Some(*id) && ghost.is_none()).and_then(courier);
    json!({
        "selected": scene.selected.and_then(courier), "hover": hover.map(|hover| hover["at"].clone()), "marks": marks,
        "ghost": ghost, "is_placing": scene.is_placing,
    })
    .to_string()
}

async fn fetch(
    method: &str,
    path: &str,
    body: Option<String>,
    media_type: &str,
    key: Option<String>,
    accept: &str,
) -> (u16, String) {
    let answer: Array = map::call(method, path, body, media_type, key, accept).await.unchecked_into();
    let status = answer.get(0).as_f64().unwrap_or_default() as u16;
    (status, answer.get(1).as_string().unwrap_or_default())
}

/// The server's clock, from what its messages say.
struct Clock {
    offset_ms: f64,
}

impl Clock {
    fn set(&mut self, server_time_ms: i64) {
        self.offset_ms = server_time_ms as f64 - js_sys::Date::now();
    }

    /// The message that was fastest on its way is the nearest to the truth.
    fn observe(&mut self, server_time_ms: i64) {
        self.offset_ms = self.offset_ms.max(server_time_ms as f64 - js_sys::Date::now());
    }

    fn moment(&self) -> Moment {
        let at_ms = (js_sys::Date::now() + self.offset_ms) as i64;
        Moment { now_ms: now_ms(), at_ms, random: js_sys::Math::random() }
    }
}

/// The menu closes when something in it was chosen, and when somebody clicks elsewhere.
fn close_menu(event: &web_sys::Event) {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let opens = target.is_some_and(|target| target.closest(".menu summary").is_ok_and(|found| found.is_some()));
    if let (false, Ok(Some(menu))) = (opens, document().query_selector(".menu[open]")) {
        let _ = menu.remove_attribute("open");
    }
}

/// Where the feed is.
fn feed_url() -> Option<String> {
    let location = window().location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    Some(format!("{scheme}://{}/ws/fleet", location.host().ok()?))
}

/// Which row of the list an item is, for its id in the page.
pub fn row_id(item: Item) -> String {
    match item {
        Item::Order(id) => format!("row-{id}"),
        Item::Courier(id) => format!("row-{id}"),
    }
}
