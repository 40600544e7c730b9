//! What is on the street map: markers, trail, road ahead, and the part of the world in view.
//!
//! It plays positions back through [`Playback`] and draws what differs. While the map is not open it only remembers.

use doorstep_shared::{
    OrderStatus,
    protocol::customer::{CustomerEvent, Snapshot},
};
use leptos::prelude::*;
use wasm_bindgen::closure::Closure;

use super::{
    http::Paths,
    page::{Freshness, Page},
    playback::Playback,
    road_ahead::RoadAhead,
    signals::Signals,
};
use crate::{
    live::listen::{Listener, now_ms},
    map::{maplibre::StreetMap, plane::LonLat},
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

/// The map of one page, and what is on it.
pub(super) struct Drawing {
    pub(super) signals: Signals,
    pub(super) paths: Paths,
    pub(super) map: Option<StreetMap>,
    /// The map is open, or being opened.
    pub(super) is_asked: bool,
    pub(super) playback: Playback,
    pub(super) courier_name: Option<String>,
    pub(super) route: Option<RoadAhead>,
    /// The status that the route was asked for: it leads to that status' next place.
    pub(super) route_status: OrderStatus,
    /// How often to ask again when the server does not know the route; it may still be computing it.
    pub(super) route_tries: u8,
    pub(super) route_asked_ms: f64,
    pub(super) drawn_ms: f64,
    pub(super) framed_ms: f64,
    pub(super) frame_pending: bool,
    pub(super) on_frame: Option<Closure<dyn FnMut()>>,
    pub(super) on_move: Option<Closure<dyn FnMut()>>,
    pub(super) on_told: Option<Closure<dyn FnMut(String)>>,
    pub(super) listeners: Vec<Listener>,
}

impl Drawing {
    pub(super) fn new(signals: Signals) -> Self {
        Self {
            signals,
            paths: Paths::of_this_page(),
            map: None,
            is_asked: false,
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
            on_told: None,
            listeners: Vec::new(),
        }
    }

    pub(super) fn observe(&mut self, event: &CustomerEvent, resumed: bool) {
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

    pub(super) fn take_page(&mut self) {
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
    pub(super) fn refresh(&mut self) -> bool {
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

    pub(super) fn draw(&mut self, now_ms: f64) {
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

    pub(super) fn draw_places(&self) {
        let Some(map) = &self.map else { return };
        self.signals.page.with_untracked(|page| {
            let order = &page.snapshot().order;
            map.place("pickup", order.pickup.lon, order.pickup.lat, None);
            map.place("door", order.dropoff.lon, order.dropoff.lat, None);
        });
    }

    /// The trail up to the marker, the road ahead of it, and how sure it is.
    pub(super) fn draw_lines(&mut self) {
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
    pub(super) fn frame(&mut self, at_once: bool) {
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
    pub(super) fn in_view(&self, page: &Page) -> Vec<f64> {
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

    pub(super) fn release(&self) {
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
