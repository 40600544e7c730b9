//! Sentences that want to be read, above whatever is shown.

use leptos::prelude::*;

use super::Desk;
use crate::courier::{
    intent::{Intent, Screen},
    state::{Notice, Shift, Tone},
    words,
};

/// So many are shown at once; the next appear as these are read.
const SHOWN: usize = 3;

/// What is said at once, and what may wait for a pause.
pub fn notices(desk: Desk) -> AnyView {
    view! {
        <div class="notices">
            <div role="alert">{list(desk, |notice| notice.tone == Tone::Bad)}</div>
            <div role="status">{list(desk, |notice| notice.tone != Tone::Bad)}</div>
        </div>
    }
    .into_any()
}

fn list(desk: Desk, belongs: fn(&Notice) -> bool) -> AnyView {
    let shown = move || desk.shift.with(|shift| of(shift, belongs));
    view! { <For each=shown key=|notice| notice.id children=move |notice| item(desk, notice) /> }.into_any()
}

/// The screen that helps.
fn help(desk: Desk, screen: Screen) -> AnyView {
    view! {
        <button type="button" class="button" on:click=desk.press(Intent::Show(screen))>
            {words::screen(screen)}
        </button>
    }
    .into_any()
}

fn of(shift: &Shift, belongs: fn(&Notice) -> bool) -> Vec<Notice> {
    shift.notices.iter().take(SHOWN).filter(|notice| belongs(notice)).cloned().collect()
}

fn item(desk: Desk, notice: Notice) -> AnyView {
    let Notice { id, tone, text, offer } = notice;
    let tone = match tone {
        Tone::Quiet => "quiet",
        Tone::Warn => "warn",
        Tone::Bad => "bad",
    };
    view! {
        <div class="notice" data-tone=tone>
            <div>
                <p>{text}</p>
                {offer.map(|screen| help(desk, screen))}
            </div>
            <button
                type="button"
                class="icon-button"
                aria-label=words::fixed::DISMISS
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
