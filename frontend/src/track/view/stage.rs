//! The map's box: the sketch, the street map over it, and what floats above both.
//!
//! The box has its size before anything is in it, so the map moves no text when it comes. The pins are elements of the
//! page that the street map borrows: their looks and texts stay here, and no script builds HTML.

use doorstep_shared::{Vehicle, protocol::customer::Place};
use leptos::{
    ev::{MouseEvent, PointerEvent},
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys::Element,
};

use crate::{
    track::{
        feed::FeedState,
        page::{Freshness, Page},
        signals::{MapState, Signals},
        sketch,
        text::{fixed, freshness},
    },
    ui::{
        bind::{flag, live, live_word, text, word},
        text::Tone,
    },
};

/// The box.
#[component]
pub fn Stage(signals: Signals) -> impl IntoView {
    let Signals { page, map } = signals;
    view! {
        <div class="stage">
            <Sketch page map />
            <div class="map" data-title=fixed::MAP></div>
            <p
                class="map-note"
                hidden=flag(map, |map| !map.drawn.is_map() || map.drawn.note().is_empty())
                inner_html=live_word(map, |map| map.drawn.note())
            ></p>
            <Pins page />
            <button
                type="button"
                class="recenter"
                hidden=flag(map, |map| map.is_following || !map.drawn.is_map())
            >
                <svg class="icon" aria-hidden="true">
                    <use href="#target" />
                </svg>
                {fixed::RECENTER}
            </button>
            <p
                class="bar"
                data-tone=word(page, |page| freshness::bar_tone(page).name())
                hidden=flag(page, |page| freshness::bar(page).is_empty())
            >
                <span inner_html=live(page, freshness::bar)></span>
                " "
                // An empty address is this page's own.
                <a href="" hidden=flag(page, |page| page.feed != FeedState::Stopped)>
                    {fixed::RELOAD}
                </a>
            </p>
        </div>
    }
}

/// A pointer that moved this far, in CSS pixels, was dragging.
const DRAGGED_PX: i32 = 8;

/// The sheet's handle: dragged down it makes the map larger, dragged up smaller; pressed it does the one of the two that is
/// possible.
#[component]
pub fn Handle(map: RwSignal<MapState>) -> impl IntoView {
    let pressed_y = StoredValue::new(0);
    let dragged = StoredValue::new(false);
    let grab = move |event: PointerEvent| {
        pressed_y.set_value(event.client_y());
        dragged.set_value(false);
        // A mouse leaves the handle while it drags; without this another element would get its release.
        if let Some(handle) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) {
            let _ = handle.set_pointer_capture(event.pointer_id());
        }
    };
    let drop = move |event: PointerEvent| {
        let down_px = event.client_y() - pressed_y.get_value();
        if down_px.abs() >= DRAGGED_PX {
            dragged.set_value(true);
            map.update(|map| map.is_large = down_px > 0);
        }
    };
    let press = move |event: MouseEvent| {
        // A mouse that dragged clicks as well; a keyboard's click has no count.
        if event.detail() == 0 || !dragged.get_value() {
            map.update(|map| map.is_large = !map.is_large);
        }
    };
    view! {
        <div class="handle" hidden=flag(map, |map| !map.drawn.is_map())>
            <button
                type="button"
                aria-label=word(map, |map| if map.is_large { fixed::SMALLER_MAP } else { fixed::LARGER_MAP })
                on:pointerdown=grab
                on:pointerup=drop
                on:click=press
            ></button>
        </div>
    }
}

#[component]
fn Sketch(page: RwSignal<Page>, map: RwSignal<MapState>) -> impl IntoView {
    view! {
        <figure class="sketch" hidden=flag(map, |map| map.drawn.is_map())>
            <svg viewBox="0 0 360 360" role="img" aria-label=fixed::SKETCH>
                <polyline class="trail" points=text(page, sketch::trail) />
                <g transform=text(page, |page| at(page, &page.snapshot().order.pickup))>
                    <rect class="box pickup" x="-17" y="-17" width="34" height="34" rx="8" />
                    <use href="#bag" x="-9" y="-9" width="18" height="18" />
                </g>
                <g transform=text(page, |page| at(page, &page.snapshot().order.dropoff))>
                    <rect class="box door" x="-17" y="-17" width="34" height="34" rx="8" />
                    <use class="inverse" href="#house" x="-9" y="-9" width="18" height="18" />
                </g>
                <g
                    class="courier"
                    data-marker="courier"
                    data-tone=word(page, marker_tone)
                    hidden=flag(page, |page| sketch::courier(page).is_none())
                    transform=text(page, |page| sketch::transform(page, sketch::courier(page).unwrap_or_default()))
                >
                    <circle r="22" />
                    <use href=word(page, vehicle_icon) x="-11" y="-11" width="22" height="22" />
                </g>
            </svg>
            <figcaption inner_html=live_word(map, sketch_note)></figcaption>
        </figure>
    }
}

/// Without a word about the browser: whoever cannot have the map misses little.
fn sketch_note(map: &MapState) -> &'static str {
    if map.drawn.is_outside { map.drawn.note() } else { fixed::SKETCH_NOTE }
}

fn at(page: &Page, place: &Place) -> String {
    sketch::transform(page, [place.lon, place.lat])
}

#[component]
fn Pins(page: RwSignal<Page>) -> impl IntoView {
    view! {
        <div class="pins" hidden>
            <div class="pin box pickup" data-marker="pickup" aria-hidden="true">
                <svg class="icon">
                    <use href="#bag" />
                </svg>
            </div>
            <div class="pin box door" data-marker="door" aria-hidden="true">
                <svg class="icon">
                    <use href="#house" />
                </svg>
            </div>
            <div class="pin courier" data-marker="courier" aria-hidden="true" data-tone=word(page, marker_tone)>
                <svg class="notch" viewBox="-32 -32 64 64">
                    <path d="M-9-20 0-30 9-20Z" />
                </svg>
                <svg class="icon">
                    <use href=word(page, vehicle_icon) />
                </svg>
            </div>
        </div>
    }
}

fn vehicle_icon(page: &Page) -> &'static str {
    match page.snapshot().courier.as_ref().map(|courier| courier.vehicle) {
        Some(Vehicle::Foot) | None => "#foot",
        Some(Vehicle::Bicycle) => "#bicycle",
        Some(Vehicle::Scooter) => "#scooter",
        Some(Vehicle::Motorcycle) => "#motorcycle",
        Some(Vehicle::Car) => "#car",
        Some(Vehicle::Van) => "#van",
    }
}

/// How sure a marker is, as its `data-tone`.
fn marker_tone(page: &Page) -> &'static str {
    match page.freshness() {
        Freshness::Fresh { .. } => Tone::Ok.name(),
        _ => Tone::Warn.name(),
    }
}
