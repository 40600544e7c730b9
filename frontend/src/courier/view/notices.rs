//! Notices that want to be read, above whatever is shown.

use leptos::prelude::*;

use super::Desk;
use crate::{
    courier::{
        intent::{Intent, Screen},
        state::{Notice, Tone},
        text::{self, fixed},
    },
    ui::bind::live_text,
};

/// The one notice that is shown, and what a screen reader says at once or after a pause. More than one would cover the
/// stop, so the others follow as it is read.
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
    let shown = move || desk.notices.with(|notices| shown(notices).filter(|notice| belongs(notice)).cloned());
    view! {
        <For each=shown key=|notice| notice.id let:notice>
            <NoticeCard desk notice />
        </For>
    }
    .into_any()
}

/// The first of those that matter most.
fn shown(notices: &[Notice]) -> Option<&Notice> {
    let matters = |notice: &&Notice| match notice.tone {
        Tone::Bad => 0,
        Tone::Warn => 1,
        Tone::Quiet => 2,
    };
    notices.iter().min_by_key(matters)
}

#[component]
fn NoticeCard(desk: Desk, notice: Notice) -> AnyView {
    let Notice { id, tone, text, offer } = notice;
    let more = move || desk.notices.with(|notices| text::more_notices(notices.len().saturating_sub(1)));
    view! {
        <div class="notice" data-tone=tone_name(tone)>
            <div>
                <p>{text}</p>
                <p class="more" hidden=move || more().is_empty() inner_html=live_text(more)></p>
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
