//! The map library: the only foreign functions of the page.
//!
//! `map.js` is small and comes with the page; the library itself is fetched by it when a map is opened, after the first
//! paint. Its address is absolute, because wasm-bindgen does not follow a module's own imports; the build replaces it
//! by the hashed one.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "/assets/js/map.js")]
extern "C" {
    /// Whether this browser can draw the street map.
    #[wasm_bindgen(js_name = canDraw)]
    pub fn can_draw() -> bool;

    /// Whether a place lies within the area that the map shows.
    #[wasm_bindgen(js_name = isInArea)]
    pub fn is_in_area(lon: f64, lat: f64) -> bool;

    /// Asks which area there is, and shows it in the place of the old one.
    #[wasm_bindgen(js_name = renewArea)]
    pub async fn renew_area();

    /// Opens the street map in the page's box, with these points in view, `lon, lat, lon, lat…`. `moved` is called when
    /// a person moves it, `told` with the name of a [`super::base::Base`] when that changes.
    #[wasm_bindgen(js_name = openMap, catch)]
    pub async fn open_map(
        points: &js_sys::Float64Array,
        moved: &js_sys::Function,
        told: &js_sys::Function,
    ) -> Result<JsValue, JsValue>;

    /// The open map.
    pub type StreetMap;

    /// Puts a marker at a place; its notch points in the direction `heading_deg`, if that is known.
    #[wasm_bindgen(method)]
    pub fn place(this: &StreetMap, name: &str, lon: f64, lat: f64, heading_deg: Option<f64>);

    /// Writes on the courier's marker where and when it is, for programs that read the page.
    #[wasm_bindgen(method)]
    pub fn note(this: &StreetMap, lon: f64, lat: f64, time_ms: f64);

    /// Takes a marker off the map.
    #[wasm_bindgen(method)]
    pub fn remove(this: &StreetMap, name: &str);

    /// Draws a line: `lon, lat, lon, lat…`; an empty one is none.
    #[wasm_bindgen(method)]
    pub fn line(this: &StreetMap, name: &str, points: &[f64]);

    /// Draws how uncertain a place is; a radius of 0 m draws nothing.
    #[wasm_bindgen(method)]
    pub fn disc(this: &StreetMap, lon: f64, lat: f64, radius_m: f64);

    /// Keeps these points in view, `lon, lat, lon, lat…`, moving only as far as needed; `now` moves at once.
    #[wasm_bindgen(method)]
    pub fn frame(this: &StreetMap, points: &[f64], now: bool);

    /// Has the phone keep the streets around these places, `lon, lat, lon, lat…`, for where there is no network.
    #[wasm_bindgen(method)]
    pub fn keep(this: &StreetMap, points: &[f64]);

    /// Keeps nothing in view any more.
    #[wasm_bindgen(method)]
    pub fn release(this: &StreetMap);
}
