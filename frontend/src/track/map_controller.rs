//! Keeps the street map in step with the page: markers, trail, road ahead, and the part of the world in view.
//!
//! It opens the map after the page has been painted, plays positions back through [`Playback`], and asks for frames only
//! while something moves. Where the browser cannot draw the map it does nothing; the sketch is part of the page.

use std::{cell::RefCell, rc::Rc};

use doorstep_shared::{
    OrderStatus,
    protocol::customer::{CustomerEvent, Snapshot},
};
use js_sys::{Float64Array, Function};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

use super::{
    http::Paths,
    page::{Freshness, Page},
    playback::Playback,
    road_ahead::RoadAhead,
    signals::Signals,
};
use crate::{
    live::listen::{Listener, document, now_ms, spawn, window},
    map::{
        maplibre::{self, StreetMap},
        plane::LonLat,
    },
};

/// Lines and attributes change this often at most; between two changes the marker covers the gap.
const DRAW_EVERY_MS: f64 = 250.0;

/// The road ahead is asked for this often at most.
const ROUTE_EVERY_MS: f64 = 10_000.0;

/// So often the road ahead is asked for before it counts as unknown.
const ROUTE_TRIES: u8 = 3;

/// The view is adjusted this often at most.
const FRAME_EVERY_MS: f64 = 4_000.0;

/// How far off a stale position may be when the device did not say.
const UNKNOWN_ACCURACY_M: f64 = 50.0;

/// The courier's marker.
const COURIER: &str = "courier";

/// The map of one page. Clones are the same map.
#[derive(Clone)]
pub struct MapController(Rc<RefCell<Drawing>>);

struct Drawing {
    signals: Signals,
    paths: Paths,
    map: Option<StreetMap>,
    playback: Playback,
    courier_name: Option<String>,
    route: Option<RoadAhead>,
    /// The status that the route was asked for: it leads to that status' next place.
    route_status: OrderStatus,
    /// How often to ask again when the server does not know the route; it may still be computing it.
    route_tries: u8,
    route_asked_ms: f64,
    drawn_ms: f64,
    framed_ms: f64,
    frame_pending: bool,
    on_frame: Option<Closure<dyn FnMut()>>,
    on_move: Option<Closure<dyn FnMut()>>,
    listeners: Vec<Listener>,
}

impl MapController {
    /// A map that is not open yet, for what the page shows.
    pub fn new(signals: Signals) -> Self {
        let controller = Self(Rc::new(RefCell::new(Drawing::new(signals))));
        controller.follow_motion_preference();
        let frame = controller.clone();
        let on_frame = Closure::wrap(Box::new(move || frame.on_frame()) as Box<dyn FnMut()>);
        {
            let mut drawing = controller.0.borrow_mut();
            drawing.on_frame = Some(on_frame);
            drawing.take_page();
        }
        controller
    }

    /// Opens the street map, where the browser can draw it, once the page has been painted and is at rest.
    pub fn open_when_idle(&self) {
        if !maplibre::can_draw() {
            return;
        }
        let controller = self.clone();
        let open = Closure::once_into_js(move || spawn(Box::pin(controller.open())));
        let open: Function = open.unchecked_into();
        // Not every browser can tell when it is at rest; a short while after the paint is near enough.
        let idle = js_sys::Reflect::get(&window(), &JsValue::from_str("requestIdleCallback"));
        let asked = match idle.ok().and_then(|idle| idle.dyn_into::<Function>().ok()) {
            Some(idle) => idle.call1(&window(), &open).is_ok(),
            None => false,
        };
        if !asked {
            let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&open, 200);
        }
    }

    /// Takes a message of the feed; the page knows it already.
    pub fn observe(&self, event: &CustomerEvent, resumed: bool) {
        self.0.borrow_mut().observe(event, resumed);
        self.wake();
    }

    /// Takes the page as it is, after it was replaced.
    pub fn observe_page(&self) {
        self.0.borrow_mut().take_page();
        self.wake();
    }

    /// Takes into account what time changes: age, what is in view, the road ahead. Called every second.
    pub fn refresh(&self) {
        let asks = self.0.borrow_mut().refresh();
        if asks {
            self.ask_route();
        }
        self.wake();
    }

    async fn open(self) {
        let moved = self.clone();
        let on_move = Closure::wrap(Box::new(move || moved.moved()) as Box<dyn FnMut()>);
        // Without the library (a blocked or lost download) the sketch stays, and everything is there as text.
        let points = {
            let drawing = self.0.borrow();
            drawing.signals.page.with_untracked(|page| Float64Array::from(&drawing.in_view(page)[..]))
        };
        let Ok(map) = maplibre::open_map(&points, on_move.as_ref().unchecked_ref()).await else { return };
        {
            let mut drawing = self.0.borrow_mut();
            drawing.map = Some(map.unchecked_into());
            drawing.on_move = Some(on_move);
            drawing.draw_places();
            drawing.draw(now_ms());
            drawing.frame(true);
            drawing.signals.map.update(|map| map.is_shown = true);
        }
        self.give_back_when_asked();
        self.refresh();
    }

    /// After the page's button, the map keeps courier and door in view again.
    fn give_back_when_asked(&self) {
        let Ok(Some(button)) = document().query_selector(".recenter") else { return };
        let controller = self.clone();
        let recenter = move |_| {
            let map = controller.0.borrow().signals.map;
            map.update(|map| map.is_following = true);
            controller.0.borrow_mut().frame(false);
        };
        let listener = Listener::new(&button, "click", Box::new(recenter));
        self.0.borrow_mut().listeners.push(listener);
    }

    /// The customer moved the map: it does not move by itself until they press the button.
    fn moved(&self) {
        let drawing = self.0.borrow();
        drawing.release();
        let map = drawing.signals.map;
        drop(drawing);
        map.update(|map| map.is_following = false);
    }

    fn follow_motion_preference(&self) {
        let Ok(Some(query)) = window().match_media("(prefers-reduced-motion: reduce)") else { return };
        self.0.borrow_mut().playback.set_jumps(query.matches());
        let (controller, changed) = (self.clone(), query.clone());
        let listener = Listener::new(
            &query,
            "change",
            Box::new(move |_| controller.0.borrow_mut().playback.set_jumps(changed.matches())),
        );
        self.0.borrow_mut().listeners.push(listener);
    }

    /// Asks for a frame, if there is something to move and none is coming.
    fn wake(&self) {
        let mut drawing = self.0.borrow_mut();
        if drawing.frame_pending || drawing.map.is_none() || !drawing.playback.is_moving() {
            return;
        }
        let Some(on_frame) = &drawing.on_frame else { return };
        let asked = window().request_animation_frame(on_frame.as_ref().unchecked_ref());
        drawing.frame_pending = asked.is_ok();
    }

    fn on_frame(&self) {
        {
            let mut drawing = self.0.borrow_mut();
            drawing.frame_pending = false;
            drawing.draw(now_ms());
        }
        self.wake();
    }

    fn ask_route(&self) {
        let controller = self.clone();
        let paths = self.0.borrow().paths.clone();
        spawn(Box::pin(async move {
            let line = paths.route().await;
            let mut drawing = controller.0.borrow_mut();
            drawing.route = line.and_then(RoadAhead::new);
            drawing.draw_lines();
            drawing.frame(false);
        }));
    }
}

impl Drawing {
    fn new(signals: Signals) -> Self {
        Self {
            signals,
            paths: Paths::of_this_page(),
            map: None,
            playback: Playback::default(),
            courier_name: None,
            route: None,
            route_status: OrderStatus::Created,
            route_tries: ROUTE_TRIES,
            route_asked_ms: f64::MIN,
            drawn_ms: 0.0,
            framed_ms: f64::MIN,
            frame_pending: false,
            on_frame: None,
            on_move: None,
            listeners: Vec::new(),
        }
    }

    fn observe(&mut self, event: &CustomerEvent, resumed: bool) {
        match event {
            CustomerEvent::Snapshot(snapshot) => self.take_snapshot(snapshot, resumed),
            CustomerEvent::Position(update) => {
                let skipped = update.skipped.as_deref().unwrap_or_default();
                self.playback.push(now_ms(), &update.position(), skipped);
            }
            CustomerEvent::Order(_) | CustomerEvent::Ended(_) => {
                self.forget_old_route();
                let trail_ends = self.signals.page.with_untracked(|page| page.snapshot().trail.is_empty());
                if trail_ends {
                    // A new leg starts where the courier stands.
                    self.playback.set_trail(&[]);
                }
                self.draw_lines();
                self.frame(false);
            }
            _ => {}
        }
    }

    fn take_page(&mut self) {
        let snapshot = self.signals.page.with_untracked(|page| page.snapshot().clone());
        self.take_snapshot(&snapshot, false);
    }

    fn take_snapshot(&mut self, snapshot: &Snapshot, resumed: bool) {
        let name = snapshot.courier.as_ref().map(|courier| courier.name.clone());
        if name != self.courier_name {
            // Another courier brings it now: their marker starts where they are.
            self.courier_name = name;
            self.playback.restart();
            self.route_status = OrderStatus::Created;
        }
        self.forget_old_route();
        let Some(position) = snapshot.position else { return };
        match self.playback.newest() {
            None => {
                self.playback.set_trail(&snapshot.trail);
                self.playback.push(now_ms(), &position, &[]);
            }
            Some(newest) => {
                let mut new = if resumed { &snapshot.trail[..] } else { after(&snapshot.trail, newest.at) };
                if new.last() == Some(&[position.lon, position.lat]) {
                    new = &new[..new.len() - 1];
                }
                self.playback.push(now_ms(), &position, new);
            }
        }
    }

    /// Answers whether the road ahead should be asked for.
    fn refresh(&mut self) -> bool {
        let now_ms = now_ms();
        if self.map.is_none() {
            return false;
        }
        self.draw(now_ms);
        if now_ms - self.framed_ms >= FRAME_EVERY_MS {
            self.frame(false);
        }
        self.asks_route(now_ms)
    }

    /// A route led to a place that is behind now.
    fn forget_old_route(&mut self) {
        let status = self.signals.page.with_untracked(Page::status);
        if status != self.route_status {
            (self.route, self.route_status, self.route_tries) = (None, status, ROUTE_TRIES);
        }
    }

    fn asks_route(&mut self, now_ms: f64) -> bool {
        let is_seen = self.signals.page.with_untracked(|page| matches!(page.freshness(), Freshness::Fresh { .. }));
        let is_missing = match &self.route {
            Some(route) => route.is_left(),
            None => self.route_tries > 0,
        };
        if !is_seen || !self.is_heading() || !is_missing || now_ms - self.route_asked_ms < ROUTE_EVERY_MS {
            return false;
        }
        (self.route_tries, self.route_asked_ms) = (self.route_tries.saturating_sub(1), now_ms);
        true
    }

    /// Whether the courier is between two places, with a road ahead.
    fn is_heading(&self) -> bool {
        matches!(self.route_status, OrderStatus::Assigned | OrderStatus::PickedUp)
    }

    fn draw(&mut self, now_ms: f64) {
        let shown = self.playback.advance(now_ms);
        let Some(map) = &self.map else { return };
        let is_drawn = self.signals.page.with_untracked(|page| page.drawn_position().is_some());
        let Some(frame) = shown.filter(|_| is_drawn) else {
            map.remove(COURIER);
            self.draw_lines();
            return;
        };
        map.place(COURIER, frame.at[0], frame.at[1], frame.heading_deg);
        if now_ms - self.drawn_ms >= DRAW_EVERY_MS || !self.playback.is_moving() {
            self.drawn_ms = now_ms;
            map.note(frame.at[0], frame.at[1], frame.time_ms);
            self.draw_lines();
        }
    }

    fn draw_places(&self) {
        let Some(map) = &self.map else { return };
        self.signals.page.with_untracked(|page| {
            let order = &page.snapshot().order;
            map.place("pickup", order.pickup.lon, order.pickup.lat, None);
            map.place("door", order.dropoff.lon, order.dropoff.lat, None);
        });
    }

    /// The trail up to the marker, the road ahead of it, and how sure it is.
    fn draw_lines(&mut self) {
        let Some(map) = &self.map else { return };
        let position = self.signals.page.with_untracked(Page::drawn_position);
        let (Some(shown), Some(position)) = (self.playback.shown(), position) else {
            map.line("trail", &[]);
            map.line("route", &[]);
            map.disc(0.0, 0.0, 0.0);
            return;
        };
        let mut trail = self.playback.trail().as_flattened().to_vec();
        trail.extend(shown.at);
        map.line("trail", &trail);
        let is_heading = self.is_heading();
        let ahead = self.route.as_mut().filter(|_| is_heading).map(|route| {
            route.follow(shown.at);
            route.ahead(shown.at).as_flattened().to_vec()
        });
        map.line("route", &ahead.unwrap_or_default());
        let is_stale = self.signals.page.with_untracked(|page| matches!(page.freshness(), Freshness::Stale { .. }));
        let accuracy_m = position.accuracy_m.map_or(UNKNOWN_ACCURACY_M, f64::from);
        map.disc(shown.at[0], shown.at[1], if is_stale { accuracy_m } else { 0.0 });
    }

    /// Brings into view what matters now, unless the customer moved the map.
    fn frame(&mut self, at_once: bool) {
        let Some(map) = &self.map else { return };
        let (following, points) = (
            self.signals.map.with_untracked(|map| map.is_following),
            self.signals.page.with_untracked(|page| self.in_view(page)),
        );
        if following {
            map.frame(&points, at_once);
            self.framed_ms = now_ms();
        }
    }

    /// Courier, door and the road between; the pickup until the order has been picked up, and when no courier is on the way.
    fn in_view(&self, page: &Page) -> Vec<f64> {
        let order = &page.snapshot().order;
        let courier = self.playback.newest().filter(|_| page.drawn_position().is_some());
        let mut points = vec![order.dropoff.lon, order.dropoff.lat];
        if let Some(courier) = courier {
            points.extend(courier.at);
            if let Some(route) = &self.route {
                points.extend(route.ahead(courier.at).as_flattened());
            }
        }
        let is_carried = order.status.step() >= Some(3) && courier.is_some();
        if !is_carried {
            points.extend([order.pickup.lon, order.pickup.lat]);
        }
        points
    }

    fn release(&self) {
        if let Some(map) = &self.map {
            map.release();
        }
    }
}

/// The part of a trail after a point that is on it; nothing when it is not.
fn after(trail: &[LonLat], point: LonLat) -> &[LonLat] {
    let index = trail.iter().rposition(|other| *other == point);
    index.map_or(&[], |index| &trail[index + 1..])
}
