//! The bindings to the phone: the only foreign functions of the courier's app besides the map's.
//!
//! `device.js` holds what has no typed bindings or differs per browser. It decides nothing. Its address is absolute,
//! because wasm-bindgen does not follow a module's own imports; the build replaces it by the hashed one.

use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "/assets/js/device.js")]
extern "C" {
    /// From now on `hear(word, numbers)` is called with the name of each event of the phone, and its numbers.
    pub fn listen(hear: &Function);

    /// Everything that is kept; undefined when storage does not answer.
    #[wasm_bindgen(catch)]
    pub async fn load() -> Result<JsValue, JsValue>;

    /// Changes storage, all of it or nothing: `[store, key, text]`, without a text to delete.
    #[wasm_bindgen(catch)]
    pub async fn commit(changes: &Array, is_strict: bool) -> Result<JsValue, JsValue>;

    /// Deletes everything that is kept.
    #[wasm_bindgen(catch)]
    pub async fn wipe() -> Result<JsValue, JsValue>;

    /// Asks for the right to be the one tab that works, or takes it.
    #[wasm_bindgen(js_name = takeLock)]
    pub fn take_lock(steal: bool);

    /// Watches the position, or stops.
    pub fn watch(on: bool);

    /// Whether there is a position to ask for.
    #[wasm_bindgen(js_name = canLocate)]
    pub fn can_locate() -> bool;

    /// Keeps the screen on, or lets it go.
    #[wasm_bindgen(js_name = keepAwake, catch)]
    pub async fn keep_awake(on: bool) -> Result<JsValue, JsValue>;

    /// Asks the browser not to clear away what waits to be sent.
    #[wasm_bindgen(catch)]
    pub async fn persist() -> Result<JsValue, JsValue>;

    /// Draws attention by vibration and sound, unless these are off.
    pub fn alert(is_audible: bool);

    /// Reads the photo in the file input with this id, makes it smaller, keeps it; answers where the page finds it.
    #[wasm_bindgen(js_name = takePhoto, catch)]
    pub async fn take_photo(input_id: &str, id: &str, side_px: u32) -> Result<JsValue, JsValue>;

    /// Lets a picture's address go.
    #[wasm_bindgen(js_name = forgetPhoto)]
    pub fn forget_photo(url: &str);

    /// Asks the server: with JSON, with the picture of this id, or with nothing.
    #[wasm_bindgen(catch)]
    pub async fn ask(
        method: &str,
        path: &str,
        json: Option<String>,
        photo_id: Option<String>,
        limit_ms: f64,
    ) -> Result<JsValue, JsValue>;

    /// Shows the browser's own question about installing.
    #[wasm_bindgen(js_name = promptInstall, catch)]
    pub async fn prompt_install() -> Result<JsValue, JsValue>;

    /// Whether the app was opened from the home screen.
    #[wasm_bindgen(js_name = isInstalled)]
    pub fn is_installed() -> bool;

    /// Lets the app open without a network.
    #[wasm_bindgen(js_name = registerWorker)]
    pub fn register_worker(url: &str, scope: &str);

    /// 16 random bytes.
    #[wasm_bindgen(js_name = randomBytes)]
    pub fn random_bytes() -> Vec<u8>;

    /// What [`load`] answers.
    pub type Kept;

    /// Times of the positions.
    #[wasm_bindgen(method, getter, js_name = fixKeys)]
    pub fn fix_keys(this: &Kept) -> Vec<f64>;

    /// The positions.
    #[wasm_bindgen(method, getter)]
    pub fn fixes(this: &Kept) -> Vec<String>;

    /// Ids of the actions.
    #[wasm_bindgen(method, getter, js_name = actionKeys)]
    pub fn action_keys(this: &Kept) -> Vec<f64>;

    /// The actions.
    #[wasm_bindgen(method, getter)]
    pub fn actions(this: &Kept) -> Vec<String>;

    /// Ids of the photos.
    #[wasm_bindgen(method, getter, js_name = photoIds)]
    pub fn photo_ids(this: &Kept) -> Vec<String>;

    /// Where the page finds them.
    #[wasm_bindgen(method, getter, js_name = photoUrls)]
    pub fn photo_urls(this: &Kept) -> Vec<String>;

    /// The memory.
    #[wasm_bindgen(method, getter)]
    pub fn memory(this: &Kept) -> Option<String>;

    /// What [`ask`] answers.
    pub type Reply;

    /// The HTTP status.
    #[wasm_bindgen(method, getter)]
    pub fn status(this: &Reply) -> u16;

    /// The body.
    #[wasm_bindgen(method, getter)]
    pub fn text(this: &Reply) -> String;

    /// How long to wait, in seconds; 0 when the server did not say.
    #[wasm_bindgen(method, getter, js_name = retryAfterS)]
    pub fn retry_after_s(this: &Reply) -> f64;
}
