//! What every screen beside the stops has in common: its head, and what the chips of the stops' screen say.

use leptos::prelude::*;

use super::Desk;
use crate::{
    courier::{
        intent::Intent,
        text::{fixed, status},
    },
    ui::bind::{flag, live_word},
};

/// The way back, and the screen's heading.
#[component]
pub(super) fn Top(desk: Desk, back: Intent, heading: &'static str) -> AnyView {
    view! {
        <header class="top">
            <button type="button" class="icon-button" aria-label=fixed::BACK on:click=desk.press(back)>
                <svg class="icon back" aria-hidden="true">
                    <use href="#back" />
                </svg>
            </button>
            <h1 tabindex="-1">{heading}</h1>
        </header>
    }
    .into_any()
}

/// Says that the server is not reached, where no chip does.
#[component]
pub(super) fn OfflineBar(desk: Desk) -> AnyView {
    let shift = desk.shift;
    view! {
        <p
            class="panel"
            data-tone="warn"
            hidden=flag(shift, |shift| status::offline_bar(shift).is_empty())
            inner_html=live_word(shift, status::offline_bar)
        ></p>
    }
    .into_any()
}
