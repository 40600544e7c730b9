//! Opens the map, and takes what it reports.

use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

use super::{Driver, Source};
use crate::{
    dispatch::{
        console::{Input, MapIntent, OrderIntent},
        fleet_map::{self, FleetMap},
    },
    live::listen::document,
    map::base::Base,
};

impl Driver {
    pub(super) async fn open_map(&self) {
        // Without the library (a blocked or lost download) everything is there as lists.
        let Some(map) = self.load_map().await else { return self.store().set_map(Base::Impossible) };
        let mut running = self.0.borrow_mut();
        let store = running.store;
        running.map.opened(map, store);
    }

    async fn load_map(&self) -> Option<FleetMap> {
        let container = document().get_element_by_id("map").filter(|_| fleet_map::can_draw())?;
        let map = fleet_map::open_fleet_map(&container, &self.map_reports()).await.ok()?;
        Some(map.unchecked_into())
    }

    /// The functions through which the map reports.
    fn map_reports(&self) -> JsValue {
        let reports = Object::new();
        let set = |name: &str, function: JsValue| {
            let _ = Reflect::set(&reports, &JsValue::from_str(name), &function);
        };
        let driver = self.clone();
        let clicked = move |lon: f64, lat: f64, number: Option<u32>, pin: Option<u32>| {
            driver.intend(MapIntent::Clicked { at: [lon, lat], number, pin });
        };
        set("clicked", Closure::<dyn FnMut(f64, f64, Option<u32>, Option<u32>)>::new(clicked).into_js_value());
        let driver = self.clone();
        let pointed = move |number: Option<u32>, pin: Option<u32>| driver.intend(MapIntent::Pointed { number, pin });
        set("pointed", Closure::<dyn FnMut(Option<u32>, Option<u32>)>::new(pointed).into_js_value());
        let driver = self.clone();
        set("moved", Closure::<dyn FnMut()>::new(move || driver.intend(MapIntent::Moved)).into_js_value());
        let driver = self.clone();
        let dropped = move |order: String, number: u32| {
            if let Ok(order) = order.parse() {
                driver.intend(OrderIntent::DropOn { order, number });
            }
        };
        set("dropped", Closure::<dyn FnMut(String, u32)>::new(dropped).into_js_value());
        let driver = self.clone();
        let viewport = move |west: f64, south: f64, east: f64, north: f64| {
            driver.post(Source::Page, Input::Viewport([west, south, east, north]));
        };
        set("viewport", Closure::<dyn FnMut(f64, f64, f64, f64)>::new(viewport).into_js_value());
        let store = self.store();
        let base = move |name: String| store.set_map(Base::from_name(&name));
        set("base", Closure::<dyn FnMut(String)>::new(base).into_js_value());
        reports.into()
    }
}
