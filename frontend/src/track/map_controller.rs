//! Opens the street map and keeps it in step with the page.
//!
//! It opens the map after the page has been painted, asks for frames only while something moves, and for the road ahead
//! when [`Drawing`] lacks it. Where the browser cannot draw the map it does nothing; the sketch is part of the page.

use std::{cell::RefCell, rc::Rc};

use doorstep_shared::protocol::customer::CustomerEvent;
use js_sys::{Float64Array, Function};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

use super::{map_drawing::Drawing, road_ahead::RoadAhead, signals::Signals};
use crate::{
    live::listen::{Listener, document, now_ms, spawn, window},
    map::{base::Base, maplibre},
};

/// The map of one page. Clones are the same map.
#[derive(Clone)]
pub struct MapController(Rc<RefCell<Drawing>>);

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

    /// Opens the street map, once, where there is one and the browser can draw it, when the page has been painted and is
    /// at rest.
    pub fn open_when_idle(&self) {
        let mut drawing = self.0.borrow_mut();
        let is_outside = drawing.signals.map.with_untracked(|map| map.drawn.is_outside);
        if is_outside || drawing.is_asked || !maplibre::can_draw() {
            return;
        }
        drawing.is_asked = true;
        drop(drawing);
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

    /// The server delivers in another area: the map shows that one, if it is needed there.
    pub fn renew_area(&self) {
        let controller = self.clone();
        spawn(Box::pin(async move {
            maplibre::renew_area().await;
            controller.look_where_it_is();
            controller.open_when_idle();
        }));
    }

    /// Whether the order lies beyond the area, where the sketch shows more than a map.
    fn look_where_it_is(&self) {
        let signals = self.0.borrow().signals;
        let is_outside = signals.page.with_untracked(|page| {
            let order = &page.snapshot().order;
            [&order.pickup, &order.dropoff].iter().any(|place| !maplibre::is_in_area(place.lon, place.lat))
        });
        signals.map.update(|map| map.drawn.is_outside = is_outside);
    }

    async fn open(self) {
        let moved = self.clone();
        let on_move = Closure::wrap(Box::new(move || moved.moved()) as Box<dyn FnMut()>);
        let map_state = self.0.borrow().signals.map;
        let told = move |name: String| map_state.update(|map| map.drawn.base = Base::from_name(&name));
        let on_told = Closure::wrap(Box::new(told) as Box<dyn FnMut(String)>);
        // Without the library (a blocked or lost download) the sketch stays, and everything is there as text.
        let points = {
            let drawing = self.0.borrow();
            drawing.signals.page.with_untracked(|page| Float64Array::from(&drawing.in_view(page)[..]))
        };
        let (moved, told) = (on_move.as_ref().unchecked_ref(), on_told.as_ref().unchecked_ref());
        let Ok(map) = maplibre::open_map(&points, moved, told).await else { return };
        {
            let mut drawing = self.0.borrow_mut();
            drawing.map = Some(map.unchecked_into());
            drawing.on_move = Some(on_move);
            drawing.on_told = Some(on_told);
            drawing.draw_places();
            drawing.draw(now_ms());
            drawing.frame(true);
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
