//! The doors to the map library and to the rest of the browser: the only foreign functions of the console.
//!
//! Addresses are absolute, because wasm-bindgen does not follow a module's own imports; the build replaces them by the
//! hashed ones.

use wasm_bindgen::prelude::*;
use web_sys::{Element, EventTarget};

#[wasm_bindgen(raw_module = "/assets/js/fleet-map.js")]
extern "C" {
    /// Whether this browser can draw the street map.
    #[wasm_bindgen(js_name = canDraw)]
    pub fn can_draw() -> bool;

    /// Opens the map in a box; `tell` is an object of functions that hear what people do on it.
    #[wasm_bindgen(js_name = openFleetMap, catch)]
    pub async fn open_fleet_map(place: &Element, tell: &JsValue) -> Result<JsValue, JsValue>;

    /// The open map.
    pub type FleetMap;

    /// Couriers as rows of five: number, longitude, latitude, heading (negative: unknown), what they do.
    #[wasm_bindgen(method, js_name = move)]
    pub fn place(this: &FleetMap, rows: &js_sys::Float64Array);

    /// What is shown beside the fleet, as JSON.
    #[wasm_bindgen(method)]
    pub fn show(this: &FleetMap, scene: &str);

    /// Draws a line: `lon, lat, lon, lat…`, in pieces of so many points.
    #[wasm_bindgen(method)]
    pub fn line(this: &FleetMap, name: &str, points: &[f64], lengths: &[u32]);

    /// Moves the replayed courier alone.
    #[wasm_bindgen(method)]
    pub fn ghost(this: &FleetMap, lon: f64, lat: f64, heading_deg: Option<f32>);

    /// Brings points into view.
    #[wasm_bindgen(method)]
    pub fn fit(this: &FleetMap, points: &[f64]);
}

#[wasm_bindgen(raw_module = "/assets/js/console.js")]
extern "C" {
    /// Asks the REST API; answers `[status, text]`, with status 0 when nothing came back.
    pub async fn call(
        method: &str,
        path: &str,
        body: Option<String>,
        media_type: &str,
        key: Option<String>,
        accept: &str,
    ) -> JsValue;

    /// Saves a text as a file.
    pub fn save(name: &str, media_type: &str, text: &str);

    /// Puts a text on the clipboard.
    pub async fn copy(text: &str) -> JsValue;

    /// The name and the text of the file that was chosen.
    #[wasm_bindgen(js_name = chosenFile)]
    pub async fn chosen_file(input: &EventTarget) -> JsValue;

    /// Puts the focus on an element, once it is there.
    pub fn focus(id: &str);

    /// Whether keys are letters here.
    pub fn typing(target: &EventTarget) -> bool;

    /// The next of light, dark, and as the device says.
    #[wasm_bindgen(js_name = nextTheme)]
    pub fn next_theme();

    /// The theme that was chosen before.
    #[wasm_bindgen(js_name = restoreTheme)]
    pub fn restore_theme();

    /// Calls `tell` whenever an element has another height.
    #[wasm_bindgen(js_name = onHeight)]
    pub fn on_height(element: &Element, tell: &js_sys::Function);

    /// Makes a dialog modal when it appears.
    #[wasm_bindgen(js_name = showModal)]
    pub fn show_modal(id: &str);
}
