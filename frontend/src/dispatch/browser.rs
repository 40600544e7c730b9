//! The functions of `js/console.js`: requests, files, the clipboard, the focus and the theme.
//!
//! The address is absolute, because wasm-bindgen does not follow a module's own imports; the build replaces it by the
//! hashed one.

use wasm_bindgen::prelude::*;
use web_sys::{Element, EventTarget};

#[wasm_bindgen(raw_module = "/assets/js/console.js")]
extern "C" {
    /// Calls the REST API with a text or bytes as its body, or none; answers `[status, text]`, with status 0 when nothing
    /// came back.
    pub async fn call(
        method: &str,
        path: &str,
        body: JsValue,
        media_type: &str,
        key: Option<String>,
        if_match: Option<String>,
        accept: &str,
    ) -> JsValue;

    /// Saves a text as a file.
    pub fn save(name: &str, media_type: &str, text: &str);

    /// Puts a text on the clipboard; answers whether the browser allowed it.
    pub async fn copy(text: &str) -> JsValue;

    /// The name of the file that was chosen, and its bytes, of a large file the first `max_bytes`.
    #[wasm_bindgen(js_name = chosenFile)]
    pub async fn chosen_file(input: &EventTarget, max_bytes: u32) -> JsValue;

    /// Sends the file that was chosen in the input with this id; answers as [`call`]. `progressed` hears how many bytes
    /// of how many were sent.
    #[wasm_bindgen(js_name = uploadFile)]
    pub async fn upload_file(id: &str, path: &str, progressed: &js_sys::Function) -> JsValue;

    /// How large texts are: 1 as browsers have them.
    #[wasm_bindgen(js_name = textScale)]
    pub fn text_scale() -> f64;

    /// Stops sending it; the answer is then `undefined`.
    #[wasm_bindgen(js_name = stopUpload)]
    pub fn stop_upload();

    /// Puts the focus on an element, once it is there.
    pub fn focus(id: &str);

    /// Puts the focus on an element, if the element that had it is gone.
    #[wasm_bindgen(js_name = focusIfLost)]
    pub fn focus_if_lost(id: &str);

    /// Gives the focus back to the element that has it now, if drawing moves it. Call it before drawing.
    #[wasm_bindgen(js_name = keepFocus)]
    pub fn keep_focus();

    /// Keeps a text for the next load of the page in this tab.
    pub fn keep(text: &str);

    /// The text that was kept; empty without one.
    pub fn kept() -> String;

    /// Whether keys are letters here.
    #[wasm_bindgen(js_name = isTextField)]
    pub fn is_text_field(target: &EventTarget) -> bool;

    /// Switches to the next of light, dark, and the device's own theme.
    #[wasm_bindgen(js_name = nextTheme)]
    pub fn next_theme();

    /// Restores the theme that was chosen before.
    #[wasm_bindgen(js_name = restoreTheme)]
    pub fn restore_theme();

    /// Calls `then` whenever an element has another height.
    #[wasm_bindgen(js_name = onHeight)]
    pub fn on_height(element: &Element, then: &js_sys::Function);

    /// Makes a dialog modal when it appears.
    #[wasm_bindgen(js_name = showModal)]
    pub fn show_modal(id: &str);
}
