//! The map in the middle, and what stands on it.

use leptos::prelude::*;

use super::icon::Icon;
use crate::{
    dispatch::{
        console::{Console, MapIntent, Subject},
        draft::StopKind,
        store::use_store,
    },
    map::base::Base,
    ui::bind::{live_text, live_value},
};

#[component]
pub fn Stage() -> impl IntoView {
    let store = use_store();
    let is_placing = store.memo(Subject::Route | Subject::Form, Console::is_form_open);
    let is_following = store.memo(Subject::Drawer, |console| console.drawer.is_following);
    let hint = store.memo(Subject::Form, |console| match console.form.draft.placing {
        StopKind::Pickup => "Click where the order is picked up",
        StopKind::Dropoff => "Click on the door",
    });
    let state = move || match store.map() {
        Base::Opening => "opening",
        Base::Impossible => "missing",
        Base::Streets | Base::Partial | Base::Plain => "open",
    };
    let note = move || Some(store.map()).filter(|base| base.is_map()).map_or("", Base::note);
    view! {
        <section class="stage" aria-label="Map" data-map=state>
            <div class="map" id="map" data-title="Map of the fleet"></div>
            <p class="no-map" hidden=move || store.map() != Base::Impossible>
                "This browser cannot draw the map. Everything is in the lists."
            </p>
            <p class="map-note" role="status" hidden=move || note().is_empty() inner_html=live_text(note)></p>
            <p class="hint" hidden=move || !is_placing.get() inner_html=live_value(hint)></p>
            <button
                type="button"
                class="following"
                hidden=move || !is_following.get()
                on:click=move |_| store.send(MapIntent::Follow(false))
            >
                "Following · stop"
            </button>
            <button type="button" class="show-all" on:click=move |_| store.send(MapIntent::ShowAll)>
                <Icon name="all" />
                "Show all"
            </button>
            <ul class="legend" aria-label="Signs on the map">
                <li data-tone="accent"><Arrowhead path="M0-8 6 7 0 3.5-6 7z" is_full=true />"Delivering"</li>
                <li data-tone="quiet"><Arrowhead path="M0-7.2 5.4 6.3 0 3.1-5.4 6.3z" is_full=false />"Free"</li>
                <li data-tone="bad"><Disc />"Attention"</li>
                <li data-tone="warn"><Pin />"Unassigned order"</li>
            </ul>
        </section>
    }
}

#[component]
fn Arrowhead(path: &'static str, is_full: bool) -> impl IntoView {
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

#[component]
fn Pin() -> impl IntoView {
    view! {
        <svg viewBox="-10 -10 20 20" aria-hidden="true">
            <rect x="-8" y="-8" width="16" height="16" rx="4" fill="currentColor"></rect>
        </svg>
    }
}

#[component]
fn Disc() -> impl IntoView {
    view! {
        <svg viewBox="-10 -10 20 20" aria-hidden="true">
            <circle r="9.5" fill="currentColor"></circle>
            <path class="cut" d="M0-6 4.5 5 0 2.6-4.5 5z"></path>
        </svg>
    }
}
