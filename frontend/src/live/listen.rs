//! Listeners and timers that end when their owner lets go of them.
//!
//! A page stays open all day: everything attached to the browser is a value here, and dropping it detaches it.

use std::{future::Future, pin::Pin};

use js_sys::Function;
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use web_sys::{Event, EventTarget};

/// One listener on one event.
pub struct Listener {
    target: EventTarget,
    kind: &'static str,
    closure: Closure<dyn FnMut(Event)>,
}

impl Listener {
    /// Calls `then` for every event of this kind, until dropped.
    pub fn new(target: &EventTarget, kind: &'static str, then: Box<dyn FnMut(Event)>) -> Self {
        let closure = Closure::wrap(then);
        // Only a listener that is no function is refused.
        let _ = target.add_event_listener_with_callback(kind, closure.as_ref().unchecked_ref());
        Self { target: target.clone(), kind, closure }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let callback = self.closure.as_ref().unchecked_ref();
        let _ = self.target.remove_event_listener_with_callback(self.kind, callback);
    }
}

// The browser chooses a timer's id: clocks that tests put in its place count far beyond 32 bits.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(then: &Function, wait_ms: i32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
}

/// One call after a while.
pub struct Timer {
    id: JsValue,
    _closure: Closure<dyn FnMut()>,
}

impl Timer {
    /// Calls `then` once after `wait_ms`, unless dropped before.
    pub fn new(wait_ms: f64, then: Box<dyn FnMut()>) -> Self {
        let closure = Closure::wrap(then);
        let callback: &Function = closure.as_ref().unchecked_ref();
        // Browsers keep waits as 32-bit integers; rounding up avoids waking just before the time.
        let wait_ms = wait_ms.ceil().clamp(0.0, f64::from(i32::MAX)) as i32;
        Self { id: set_timeout(callback, wait_ms), _closure: closure }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}

/// Runs a task beside everything else. Boxed, so that the page's build holds the code for this once.
pub fn spawn(task: Pin<Box<dyn Future<Output = ()>>>) {
    wasm_bindgen_futures::spawn_local(task);
}

/// The page's window.
pub fn window() -> web_sys::Window {
    web_sys::window().expect("the page's program runs in a window")
}

/// The page's document.
pub fn document() -> web_sys::Document {
    window().document().expect("a window shows a document")
}

/// A clock that never goes back, in milliseconds since the page was asked for.
pub fn now_ms() -> f64 {
    window().performance().map_or_else(js_sys::Date::now, |performance| performance.now())
}
