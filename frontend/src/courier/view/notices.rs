//! Notices that want to be read, above whatever is shown.

use leptos::prelude::*;

use super::Desk;
use crate::courier::{
    intent::{Intent, Screen},
    state::{Notice, Tone},
    text::{self, fixed},
};

/// So many are shown at once; the next appear as these are read.
const SHOWN: usize = 3;

/// What a screen reader says at once, and what may wait for a pause.
#[component]
pub(super) fn Notices(desk: Desk) -> AnyView {
    view! {
        <div class="notices">
            <div role="alert">
                <NoticeList desk belongs=|notice| notice.tone == Tone::Bad />
            </div>
            <div role="status">
                <NoticeList desk belongs=|notice| notice.tone != Tone::Bad />
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn NoticeList(desk: Desk, belongs: fn(&Notice) -> bool) -> AnyView {
    let shown = move || desk.notices.with(|notices| first_of(notices, belongs));
    view! {
        <For each=shown key=|notice| notice.id let:notice>
            <NoticeCard desk notice />
        </For>
    }
    .into_any()
}

fn first_of(notices: &[Notice], belongs: fn(&Notice) -> bool) -> Vec<Notice> {
    notices.iter().take(SHOWN).filter(|notice| belongs(notice)).cloned().collect()
}

#[component]
fn NoticeCard(desk: Desk, notice: Notice) -> AnyView {
    let Notice { id, tone, text, offer } = notice;
    view! {
        <div class="notice" data-tone=tone_name(tone)>
            <div>
                <p>{text}</p>
                {offer.map(|screen| view! { <Help desk screen /> })}
            </div>
            <button
                type="button"
                class="icon-button"
                aria-label=fixed::DISMISS
                on:click=desk.press(Intent::Dismiss { notice: id })
            >
                <svg class="icon" aria-hidden="true">
                    <use href="#close" />
                </svg>
            </button>
        </div>
    }
    .into_any()
}

/// The way to the screen that helps.
#[component]
fn Help(desk: Desk, screen: Screen) -> AnyView {
    view! {
        <button type="button" class="button" on:click=desk.press(Intent::Show(screen))>
            {text::screen(screen)}
        </button>
    }
    .into_any()
}

fn tone_name(tone: Tone) -> &'static str {
    match tone {
        Tone::Quiet => "quiet",
        Tone::Warn => "warn",
        Tone::Bad => "bad",
    }
}
