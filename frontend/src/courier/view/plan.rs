//! The whole tour as a list in which stops are moved, by buttons or by dragging.
//!
//! Every stop has its four buttons, so dragging is never the only way. A button that cannot do anything now stays where it
//! is and keeps the focus; after a move the focus follows the stop.

use std::sync::Arc;

use doorstep_shared::api::plan::PlanStop;
use leptos::{ev::PointerEvent, prelude::*, wasm_bindgen::JsCast, web_sys::HtmlElement};

use super::{
    Desk,
    desk::{StopKey, find},
    list::stop_list,
};
use crate::{
    courier::{
        intent::Intent,
        plan::{Place, Reordering, can_move},
        state::{Shift, StopCard},
        text::{plan as text, stops},
    },
    ui::bind::{flag, live_text, live_word, word},
};

const PLACES: [Place; 4] = [Place::Up, Place::Down, Place::Next, Place::Last];

/// What is being moved; copies of it are the same.
#[derive(Clone, Copy)]
struct Moving {
    /// The stop that was moved last, for people who do not see where it went.
    last: RwSignal<Option<StopKey>>,
    /// The stop under the finger, and the one whose place it would take.
    dragged: RwSignal<Option<(StopKey, StopKey)>>,
}

/// The list.
#[component]
pub(super) fn Plan(desk: Desk) -> AnyView {
    let shift = desk.shift;
    let moving = Moving { last: RwSignal::new(None), dragged: RwSignal::new(None) };
    let told = move || {
        let stop = moving.last.get();
        let place = |stop| shift.with(|shift| find(shift, stop).map(|card| text::now_at(shift, card)));
        stop.and_then(place).unwrap_or_default()
    };
    view! {
        <section class="plan">
            <p
                class="panel"
                data-tone=word(shift, |shift| if shift.reordering == Reordering::Offline { "warn" } else { "" })
                hidden=flag(shift, |shift| text::obstacle(shift).is_empty())
                inner_html=live_word(shift, text::obstacle)></p>
            <ol>
                {stop_list(desk.stops, Arc::new(move |stop| view! { <PlanStopRow desk moving stop /> }.into_any()))}
            </ol>
            <p class="unseen" role="status" inner_html=live_text(told)></p>
        </section>
    }
    .into_any()
}

#[component]
fn PlanStopRow(desk: Desk, moving: Moving, stop: StopKey) -> AnyView {
    let is_target = move || moving.dragged.get().is_some_and(|(from, to)| to == stop && from != stop);
    let is_dragged = move || moving.dragged.get().is_some_and(|(from, _)| from == stop);
    let buttons = PLACES.map(|to| view! { <MoveButton desk moving stop to /> });
    view! {
        <li id=row_id(stop) data-target=move || is_target().to_string() data-dragged=move || is_dragged().to_string()>
            <Handle desk moving stop />
            <span class="number" translate="no" inner_html=desk.live_of(stop, |_, card| card.stop.sequence.to_string())></span>
            <span class="what">
                <span
                    class="place"
                    translate=desk.text_of(stop, stops::translate)
                    inner_html=desk.live_of(stop, stops::place)
                ></span>
                <span class="detail" inner_html=desk.live_of(stop, stops::later_detail)></span>
                <span
                    class="promise"
                    data-late=desk.flag_of(stop, |_, card| stops::is_late(card))
                    inner_html=desk.live_of(stop, stops::promise)
                ></span>
                <span class="pending" inner_html=desk.live_of(stop, stops::changed)></span>
                <span class="locked" hidden=desk.flag_of(stop, |_, card| !card.is_locked())>
                    {text::fixed::LOCKED}
                </span>
            </span>
            <span class="at" inner_html=desk.live_of(stop, stops::about)></span>
            <div class="moves" hidden=desk.flag_of(stop, |shift, card| !has_buttons(shift, card))>
                {buttons}
            </div>
        </li>
    }
    .into_any()
}

#[component]
fn MoveButton(desk: Desk, moving: Moving, stop: StopKey, to: Place) -> AnyView {
    let id = button_id(stop, to);
    let is_off = move || {
        desk.shift.with(|shift| shift.reordering != Reordering::Allowed || !can_move(&shift.stops, named(stop), to))
    };
    let label = move || desk.shift.with(|shift| find(shift, stop).map(|card| text::move_to(shift, card, to)));
    let focus = id.clone();
    let press = move |_| {
        if !untrack(is_off) {
            moving.to(desk, stop, to);
            focus_again(focus.clone());
        }
    };
    view! {
        <button type="button" class="button" id=id aria-label=label aria-disabled=move || is_off().then_some("true") on:click=press>
            {text::place(to)}
        </button>
    }
    .into_any()
}

/// What a finger or a mouse drags.
#[component]
fn Handle(desk: Desk, moving: Moving, stop: StopKey) -> AnyView {
    let grab = move |event: PointerEvent| {
        let handle = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok());
        if let Some(handle) = handle {
            let _ = handle.set_pointer_capture(event.pointer_id());
        }
        event.prevent_default();
        moving.dragged.set(Some((stop, stop)));
    };
    let drag = move |event: PointerEvent| {
        if moving.dragged.get_untracked().is_some() {
            let over = stop_at(desk, &event).unwrap_or(stop);
            moving.dragged.set(Some((stop, over)));
        }
    };
    let drop = move |_: PointerEvent| {
        let dragged = moving.dragged.get_untracked();
        moving.dragged.set(None);
        if let Some((from, to)) = dragged.filter(|(from, to)| from != to) {
            moving.to(desk, from, Place::At(named(to)));
        }
    };
    view! {
        <span
            class="handle"
            title=text::fixed::HANDLE
            aria-hidden="true"
            data-off=desk.flag_of(stop, |_, card| card.is_locked())
            hidden=desk.flag_of(stop, |shift, _| shift.reordering != Reordering::Allowed || shift.stops.len() < 2)
            on:pointerdown=grab
            on:pointermove=drag
            on:pointerup=drop
            on:pointercancel=move |_| moving.dragged.set(None)
        ></span>
    }
    .into_any()
}

impl Moving {
    fn to(self, desk: Desk, stop: StopKey, to: Place) {
        desk.raise(Intent::Move { stop: named(stop), to });
        self.last.set(Some(stop));
    }
}

fn has_buttons(shift: &Shift, card: &StopCard) -> bool {
    shift.reordering != Reordering::NotAllowed && shift.stops.len() > 1 && !card.is_locked()
}

fn named((order_id, kind): StopKey) -> PlanStop {
    PlanStop { order_id, kind }
}

fn row_id((order_id, kind): StopKey) -> String {
    ["stop-", kind.as_str(), "-", &order_id.to_string()].concat()
}

fn button_id(stop: StopKey, to: Place) -> String {
    [text::place(to), "-", &row_id(stop)].concat()
}

/// The row under the pointer, which the handle has captured.
fn stop_at(desk: Desk, event: &PointerEvent) -> Option<StopKey> {
    let element = document().element_from_point(event.client_x() as f32, event.client_y() as f32)?;
    let row = element.closest(".plan li").ok().flatten()?;
    desk.stops.with_untracked(|stops| stops.iter().copied().find(|stop| row_id(*stop) == row.id()))
}

/// A row that is moved in the page loses the focus.
fn focus_again(id: String) {
    request_animation_frame(move || {
        let button = document().get_element_by_id(&id).and_then(|element| element.dyn_into::<HtmlElement>().ok());
        if let Some(button) = button {
            let _ = button.focus();
        }
    });
}
