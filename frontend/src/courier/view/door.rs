//! The screens before the stops: no courier is signed in, or another tab or phone works.

use leptos::prelude::*;

use super::Desk;
use crate::{
    courier::{state::Door, text::door as text},
    ui::bind::words,
};

/// The screen of a door that is not open.
#[component]
pub(super) fn Closed(desk: Desk, door: Door) -> AnyView {
    if door == Door::Starting {
        return view! { <Skeleton /> }.into_any();
    }
    let action = text::action(door).map(|(label, intent)| {
        view! {
            <button type="button" class="action" on:click=desk.press(intent) inner_html=words(label)></button>
        }
    });
    view! {
        <main class="door" data-door=name(door)>
            <svg class="icon mark" aria-hidden="true">
                <use href=icon(door) />
            </svg>
            <h1 tabindex="-1" inner_html=words(text::heading(door))></h1>
            <p inner_html=words(text::text(door))></p>
            {action}
        </main>
    }
    .into_any()
}

/// The stops' places, empty, so that nothing moves when they come.
#[component]
fn Skeleton() -> AnyView {
    view! {
        <main class="stops skeleton" aria-busy="true">
            <h1 class="unseen">{text::heading(Door::Starting)}</h1>
            <div class="head">
                <span class="bone switch-bone"></span>
                <span class="bone line-bone"></span>
                <span class="bone avatar-bone"></span>
            </div>
            <div class="chips">
                <span class="bone chip-bone"></span>
                <span class="bone chip-bone"></span>
            </div>
            <div class="stop">
                <div class="stage"></div>
                <div class="body">
                    <span class="bone short-bone"></span>
                    <span class="bone title-bone"></span>
                    <span class="bone line-bone"></span>
                    <span class="bone button-bone"></span>
                </div>
            </div>
            <div class="bar">
                <span class="bone action-bone"></span>
            </div>
        </main>
    }
    .into_any()
}

fn icon(door: Door) -> &'static str {
    match door {
        Door::Unreachable => "#no-network",
        Door::OtherTab | Door::Superseded => "#devices",
        Door::Starting | Door::SignedOut | Door::Invited | Door::LinkSpent | Door::Open | Door::Revoked => "#key",
    }
}

/// The value of `data-door`.
pub(super) fn name(door: Door) -> &'static str {
    match door {
        Door::Starting => "starting",
        Door::SignedOut => "signed-out",
        Door::Invited => "invited",
        Door::LinkSpent => "link-spent",
        Door::Unreachable => "unreachable",
        Door::Open => "open",
        Door::Revoked => "revoked",
        Door::OtherTab => "other-tab",
        Door::Superseded => "superseded",
    }
}
