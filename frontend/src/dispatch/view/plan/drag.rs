//! A stop moved by pointer or by keyboard.

use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use web_sys::{KeyboardEvent, PointerEvent};

use crate::dispatch::{
    console::{Movable, Nudge, PlanIntent},
    store::Store,
};

#[wasm_bindgen(raw_module = "/assets/js/plan-drag.js")]
extern "C" {
    /// Follows a pointer that was put down on a handle: `moved` hears by how many CSS pixels the handle was moved in its
    /// scrolled box and how high a row is, `ended` whether it was dropped.
    #[wasm_bindgen(js_name = followPointer)]
    fn follow_pointer(event: &PointerEvent, began: &JsValue, moved: &JsValue, ended: &JsValue);
}

/// Takes a stop or the line into the hand, once the pointer moves.
pub fn begin_drag(store: Store, event: &PointerEvent, what: Movable) {
    if event.button() != 0 {
        return;
    }
    let began = Closure::once_into_js(move || store.send(PlanIntent::Grab { what, is_pointer: true }));
    let moved = Closure::<dyn FnMut(f64, f64)>::new(move |px: f64, row_px: f64| {
        store.send(PlanIntent::Dragged { rows: px / row_px.max(1.0), px });
    });
    let ended = Closure::once_into_js(move |is_dropped: bool| {
        store.send(if is_dropped { PlanIntent::Drop } else { PlanIntent::Cancel });
    });
    follow_pointer(event, &began, &moved.into_js_value(), &ended);
}

/// Space takes and drops, arrows move, Enter drops, Escape puts back.
pub fn key_pressed(store: Store, event: &KeyboardEvent, what: Movable) {
    let is_held = store.peek(|console| console.planning.grab.is_some_and(|grab| grab.what == what));
    let intent = match (event.key().as_str(), is_held) {
        (" " | "Enter", false) => PlanIntent::Grab { what, is_pointer: false },
        (" " | "Enter", true) => PlanIntent::Drop,
        ("Escape", true) => PlanIntent::Cancel,
        ("ArrowUp", true) => PlanIntent::Nudge(Nudge::Up),
        ("ArrowDown", true) => PlanIntent::Nudge(Nudge::Down),
        ("Home", true) => PlanIntent::Nudge(Nudge::First),
        ("End", true) => PlanIntent::Nudge(Nudge::Last),
        _ => return,
    };
    // Otherwise Space scrolls, and Escape closes the drawer.
    event.prevent_default();
    event.unchecked_ref::<web_sys::Event>().stop_propagation();
    store.send(intent);
}

/// The focus left the handle: what was held with the keyboard is put back.
pub fn left(store: Store) {
    let is_by_keyboard = store.peek(|console| console.planning.grab.is_some_and(|grab| grab.pointer_px.is_none()));
    if is_by_keyboard {
        store.send(PlanIntent::Cancel);
    }
}
