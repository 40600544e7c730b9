//! The functions of the map's script, `js/fleet-map.js`.
//!
//! The address is absolute, because wasm-bindgen does not follow a module's own imports; the build replaces it by the
//! hashed one.

use wasm_bindgen::prelude::*;
use web_sys::Element;

#[wasm_bindgen(raw_module = "/assets/js/fleet-map.js")]
extern "C" {
    /// Whether this browser can draw the street map.
    #[wasm_bindgen(js_name = canDraw)]
    pub fn can_draw() -> bool;

    /// Asks which area there is, and shows it in the place of the old one. Answers it as JSON; `undefined` when the
    /// server does not say it.
    #[wasm_bindgen(js_name = renewArea)]
    pub async fn renew_area() -> JsValue;

    /// Opens the map in a box; `report` is an object of functions that hear what the dispatcher does on it.
    #[wasm_bindgen(js_name = openFleetMap, catch)]
    pub async fn open_fleet_map(container: &Element, report: &JsValue) -> Result<JsValue, JsValue>;

    /// The open map.
    pub type FleetMap;

    /// Moves couriers, as rows of five: number, longitude, latitude, heading (negative: unknown), activity (negative: not
    /// drawn).
    #[wasm_bindgen(method, js_name = move)]
    pub fn move_couriers(this: &FleetMap, rows: &js_sys::Float64Array);

    /// Names the courier with this number; their next row shows it.
    #[wasm_bindgen(method)]
    pub fn name(this: &FleetMap, number: u32, name: &str);

    /// Draws open orders, as the rows of [`super::pins::Pins::update`].
    #[wasm_bindgen(method)]
    pub fn pins(this: &FleetMap, rows: &js_sys::Float64Array);

    /// What is shown beside the fleet, as JSON.
    #[wasm_bindgen(method)]
    pub fn show(this: &FleetMap, scene: &str);

    /// Draws a line: `lon, lat, lon, lat…`, in pieces of so many points.
    #[wasm_bindgen(method)]
    pub fn line(this: &FleetMap, name: &str, points: &[f64], lengths: &[u32]);

    /// Moves the replayed courier alone.
    #[wasm_bindgen(method, js_name = moveReplayed)]
    pub fn move_replayed(this: &FleetMap, lon: f64, lat: f64, heading_deg: Option<f32>);

    /// Brings points into view.
    #[wasm_bindgen(method)]
    pub fn fit(this: &FleetMap, points: &[f64]);
}
