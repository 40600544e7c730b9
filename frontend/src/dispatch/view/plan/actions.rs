//! What is done to the stops, heard by their whole list: buttons, keys and the pointer.

use leptos::ev;
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use web_sys::{Element, Event, PointerEvent};

use crate::dispatch::{
    console::{Console, Intent, Movable, Nudge, PlanIntent},
    plan,
    route::Open,
    store::Store,
};

#[wasm_bindgen(raw_module = "/assets/js/plan-drag.js")]
extern "C" {
    /// Follows a pointer that was put down on a handle: `moved` hears by how many CSS pixels the handle was moved in its
    /// scrolled box and how high a row is, `ended` whether it was dropped.
    #[wasm_bindgen(js_name = followPointer)]
    fn follow_pointer(event: &PointerEvent, handle: &Element, began: &JsValue, moved: &JsValue, ended: &JsValue);
}

/// The button that an event is about, what it does, and to what.
fn target(store: Store, event: &Event) -> Option<(Element, String, Movable)> {
    let button = event.target()?.dyn_into::<Element>().ok()?.closest("[data-act]").ok()??;
    let act = button.get_attribute("data-act")?;
    let row = button.closest(".stop").ok()?;
    let what = match row {
        None => Movable::Lock,
        Some(row) => {
            let key = row.get_attribute("data-key")?;
            let is_it = |stop: &_| plan::key(*stop).to_string() == key;
            Movable::Stop(store.peek(|console| console.planning.arrangement().stops.into_iter().find(is_it))?)
        }
    };
    Some((button, act, what))
}

/// A button of a stop was pressed.
pub fn clicked(store: Store, event: &ev::MouseEvent) {
    let Some((_, act, what)) = target(store, event) else { return };
    let intent = match (act.as_str(), what) {
        ("up", _) => PlanIntent::Press(what, Nudge::Up).into(),
        ("down", _) => PlanIntent::Press(what, Nudge::Down).into(),
        ("first", _) => PlanIntent::Press(what, Nudge::First).into(),
        ("last", _) => PlanIntent::Press(what, Nudge::Last).into(),
        ("move", Movable::Stop(stop)) => PlanIntent::MoveTo(stop.order_id).into(),
        ("open", Movable::Stop(stop)) => Intent::Open(Open::Order(stop.order_id)),
        _ => return,
    };
    store.send(intent);
}

/// The pointer was put down: takes a stop or the line into the hand, once it moves.
pub fn pointer_down(store: Store, event: &PointerEvent) {
    let Some((handle, act, what)) = target(store, event) else { return };
    if event.button() != 0 || act != "grab" {
        return;
    }
    let began = Closure::once_into_js(move || store.send(PlanIntent::Grab { what, is_pointer: true }));
    let moved = Closure::<dyn FnMut(f64, f64)>::new(move |px: f64, row_px: f64| {
        store.send(PlanIntent::Dragged { rows: px / row_px.max(1.0), px });
    });
    let ended = Closure::once_into_js(move |is_dropped: bool| {
        store.send(if is_dropped { PlanIntent::Drop } else { PlanIntent::Cancel });
    });
    follow_pointer(event, &handle, &began, &moved.into_js_value(), &ended);
}

/// On a handle, Space takes and drops, arrows move, Enter drops, Escape puts back.
pub fn key_pressed(store: Store, event: &ev::KeyboardEvent) {
    let Some((_, act, what)) = target(store, event) else { return };
    let is_held = store.peek(|console| console.planning.grab.is_some_and(|grab| grab.what == what));
    let intent = match (event.key().as_str(), is_held) {
        _ if act != "grab" => return,
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
    event.stop_propagation();
    store.send(intent);
}

/// The focus left a handle: what was held with the keyboard is put back.
pub fn focus_left(store: Store) {
    let is_by_keyboard = |console: &Console| console.planning.grab.is_some_and(|grab| grab.pointer_px.is_none());
    if store.peek(is_by_keyboard) {
        store.send(PlanIntent::Cancel);
    }
}
