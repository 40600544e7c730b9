//! Keeps the street map of the stop in hand in step with the shift.
//!
//! It opens once, when the app has been painted and is at rest and there is a stop to show. Then it follows: the courier,
//! the stop, the way between; on the screen of the whole tour every stop by its number. Where the browser cannot draw it,
//! or the library does not come, the sketch stays.

use doorstep_shared::protocol::courier::StopKind;
use js_sys::{Float64Array, Function};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

use super::{
    intent::Screen,
    sketch::MAX_PINS,
    state::{Here, Shift},
};
use crate::map::{
    base::{Base, Drawn},
    maplibre::{self, StreetMap},
    plane::LonLat,
};

const COURIER: &str = "courier";
const PICKUP: &str = "pickup";
const DOOR: &str = "door";

/// The stop in hand.
pub type Target = (StopKind, LonLat);

/// What the map shows.
#[derive(Clone, Debug, PartialEq)]
struct Scene {
    target: Option<Target>,
    here: Option<Here>,
    way: Vec<LonLat>,
    /// Every stop, where the whole tour is shown.
    tour: Vec<LonLat>,
}

impl Scene {
    fn of(shift: &Shift, target: Option<Target>) -> Self {
        // The way leads to the next stop; to another one none is known.
        let is_tour = shift.screen == Screen::Plan;
        let next = shift.stops.first().map(|card| (card.stop.kind, [card.stop.lon, card.stop.lat]));
        let way = if is_tour || target == next { shift.way.clone() } else { Vec::new() };
        let places = shift.stops.iter().map(|card| [card.stop.lon, card.stop.lat]);
        let tour = if is_tour { places.collect() } else { Vec::new() };
        Self { target: target.filter(|_| !is_tour), here: shift.position, way, tour }
    }

    fn is_worth_a_map(&self) -> bool {
        self.here.is_some() && (self.target.is_some() || !self.tour.is_empty())
    }

    /// Whether a stop that is shown lies where the map has nothing.
    fn is_outside(&self) -> bool {
        let stops = self.target.map(|(_, place)| place).into_iter().chain(self.tour.iter().copied());
        stops.into_iter().any(|[lon, lat]| !maplibre::is_in_area(lon, lat))
    }

    fn in_view(&self) -> Vec<f64> {
        let here = self.here.map(|here| [here.lon, here.lat]);
        let target = self.target.map(|(_, place)| place);
        let places = here.into_iter().chain(target).chain(self.way.iter().copied());
        places.chain(self.tour.iter().copied()).flatten().collect()
    }

    fn draw(&self, map: &StreetMap) {
        match self.here {
            Some(here) => map.place(COURIER, here.lon, here.lat, here.heading_deg.map(f64::from)),
            None => map.remove(COURIER),
        }
        for (name, kind) in [(PICKUP, StopKind::Pickup), (DOOR, StopKind::Dropoff)] {
            match self.target.filter(|target| target.0 == kind) {
                Some((_, [lon, lat])) => map.place(name, lon, lat, None),
                None => map.remove(name),
            }
        }
        for number in 1..=MAX_PINS {
            let name = ["tour-", &number.to_string()].concat();
            match self.tour.get(number - 1) {
                Some([lon, lat]) => map.place(&name, *lon, *lat, None),
                None => map.remove(&name),
            }
        }
        let way: Vec<f64> = self.way.iter().copied().flatten().collect();
        map.line("route", &way);
        // Without a way along streets the line begins where the courier is.
        let here = self.here.map(|here| [here.lon, here.lat]).filter(|_| self.way.is_empty() && !self.tour.is_empty());
        let later: Vec<f64> = here.into_iter().chain(self.tour.iter().copied()).flatten().collect();
        map.line("later", &later);
        let points = self.in_view();
        if !points.is_empty() {
            map.frame(&points, false);
        }
    }
}

/// Opens the map when there is something to show, and keeps it in step from then on; `drawn` tells what is there.
pub fn open_when_idle(shift: RwSignal<Shift>, target: Memo<Option<Target>>, drawn: RwSignal<Drawn>) {
    let scene = Memo::new(move |_| shift.with(|shift| Scene::of(shift, target.get())));
    Effect::new(move |_| {
        let is_outside = scene.with(Scene::is_outside);
        if drawn.with_untracked(|drawn| drawn.is_outside) != is_outside {
            drawn.update(|drawn| drawn.is_outside = is_outside);
        }
    });
    if !maplibre::can_draw() {
        drawn.update(|drawn| drawn.base = Base::Impossible);
        return;
    }
    let map = StoredValue::new_local(None::<StreetMap>);
    let is_asked = StoredValue::new(false);
    Effect::new(move |_| {
        if scene.with(Scene::is_worth_a_map) && !is_asked.get_value() {
            is_asked.set_value(true);
            when_idle(move || wasm_bindgen_futures::spawn_local(open(scene, map, drawn)));
        }
    });
    let places = Memo::new(move |_| shift.with(places_of_the_day));
    Effect::new(move |_| {
        if drawn.get().base.is_map() {
            places.with(|places| map.with_value(|map| map.iter().for_each(|map| map.keep(places))));
        }
    });
    Effect::new(move |_| {
        if drawn.get().is_map() {
            scene.with(|scene| map.with_value(|map| map.iter().for_each(|map| scene.draw(map))));
        }
    });
}

/// Every stop, the next one first, and where the way to it begins.
fn places_of_the_day(shift: &Shift) -> Vec<f64> {
    let stops = shift.stops.iter().map(|card| [card.stop.lon, card.stop.lat]);
    let here = shift.position.map(|here| [whole_minutes(here.lon), whole_minutes(here.lat)]);
    stops.chain(here).flatten().collect()
}

/// A courier who moves on along a street needs no other tiles: those around a place reach further than this.
fn whole_minutes(degrees: f64) -> f64 {
    (degrees * 60.0).round() / 60.0
}

async fn open(scene: Memo<Scene>, map: StoredValue<Option<StreetMap>, LocalStorage>, drawn: RwSignal<Drawn>) {
    let Some(points) = scene.try_with_untracked(|scene| Float64Array::from(&scene.in_view()[..])) else { return };
    // No gesture moves this map, so there is nothing to do when it moves.
    let moved: Function = Closure::<dyn FnMut()>::new(|| {}).into_js_value().unchecked_into();
    let (base, is_open) = (StoredValue::new(Base::Opening), StoredValue::new(false));
    let told = move |name: String| {
        // The screens may be gone by now.
        let _ = base.try_set_value(Base::from_name(&name));
        if is_open.try_get_value().is_some_and(|is_open| is_open) {
            // It may be the base of another area by now.
            let is_outside = scene.with_untracked(Scene::is_outside);
            drawn.try_update(|drawn| *drawn = Drawn { base: base.get_value(), is_outside });
        }
    };
    let told: Function = Closure::<dyn FnMut(String)>::new(told).into_js_value().unchecked_into();
    let Ok(opened) = maplibre::open_map(&points, &moved, &told).await else { return };
    if map.try_set_value(Some(opened.unchecked_into())).is_none() {
        is_open.set_value(true);
        drawn.try_update(|drawn| drawn.base = base.get_value());
    }
}

fn when_idle(then: impl FnOnce() + 'static) {
    let then: Function = Closure::once_into_js(then).unchecked_into();
    let idle = js_sys::Reflect::get(&window(), &JsValue::from_str("requestIdleCallback"));
    let asked = match idle.ok().and_then(|idle| idle.dyn_into::<Function>().ok()) {
        Some(idle) => idle.call1(&window(), &then).is_ok(),
        None => false,
    };
    // Not every browser can tell when it is at rest; a short while after the paint is near enough.
    if !asked {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&then, 200);
    }
}
