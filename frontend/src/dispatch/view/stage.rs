//! The map in the middle, and what stands on it.

use leptos::prelude::*;

use super::{Desk, MapState};
use crate::dispatch::{console::Intent, draft::End, place::Open};

pub fn stage(desk: Desk) -> impl IntoView {
    let is_placing = move || desk.read(|console| console.place.open == Open::NewOrder);
    let hint = move || {
        desk.read(|console| match console.form.draft.placing {
            End::Pickup => "Click where the order is picked up",
            End::Dropoff => "Click on the door",
        })
    };
    view! {
        <section class="stage" aria-label="Map" data-map=move || match desk.map.get() {
            MapState::Opening => "opening",
            MapState::Open => "open",
            MapState::Missing => "missing",
        }>
            <div class="map" id="map" data-title="Map of the fleet"></div>
            <p class="no-map" hidden=move || desk.map.get() != MapState::Missing>
                "This browser cannot draw the map. Everything is in the lists."
            </p>
            <p class="hint" hidden=move || !is_placing()>{hint}</p>
            <button
                type="button"
                class="following"
                hidden=move || desk.read(|console| !console.drawer.is_following)
                on:click=move |_| desk.did(Intent::Follow(false))
            >
                "Following · stop"
            </button>
            <ul class="legend" aria-label="Signs on the map">
                <li data-tone="accent">{sign("M0-8 6 7 0 3.5-6 7z", true)}"Delivering"</li>
                <li data-tone="quiet">{sign("M0-7.2 5.4 6.3 0 3.1-5.4 6.3z", false)}"Free"</li>
                <li data-tone="bad">{disc()}"Attention"</li>
            </ul>
        </section>
    }
}

fn sign(path: &'static str, is_full: bool) -> impl IntoView {
    view! {
        <svg viewBox="-10 -10 20 20" aria-hidden="true">
            <path
                d=path
                fill=if is_full { "currentColor" } else { "none" }
                stroke="currentColor"
                stroke-width=if is_full { "0" } else { "2" }
                stroke-linejoin="round"
            ></path>
        </svg>
    }
}

fn disc() -> impl IntoView {
    view! {
        <svg viewBox="-10 -10 20 20" aria-hidden="true">
            <circle r="9.5" fill="currentColor"></circle>
            <path class="cut" d="M0-6 4.5 5 0 2.6-4.5 5z"></path>
        </svg>
    }
}
