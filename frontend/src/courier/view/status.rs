//! Between the chips and the stops: why to go online, what is awaited, what is wrong, and how to install.

use leptos::prelude::*;

use super::Desk;
use crate::{
    courier::{
        intent::Intent,
        preferences,
        state::{Duty, Gps, Install, Shift},
        words::{self, account, status, stops},
    },
    ui::bind::{flag, word},
};

/// Every panel; mostly none is shown.
pub fn panels(desk: Desk) -> AnyView {
    let shift = desk.shift;
    view! {
        {trouble(desk)}
        <div class="explain" hidden=flag(shift, |shift| !explains(shift))>
            <p>{stops::fixed::SHARING}</p>
            <p hidden=flag(shift, |shift| shift.gps != Gps::Idle)>{stops::fixed::WILL_ASK}</p>
        </div>
        <div class="panel" hidden=flag(shift, |shift| !searches(shift))>
            <h2 class="searching">{stops::fixed::SEARCHING}</h2>
            <p>{stops::fixed::SEARCHING_HINT}</p>
        </div>
        {install_hint(desk)}
    }
    .into_any()
}

fn explains(shift: &Shift) -> bool {
    shift.duty == Duty::Off && status::trouble(shift).is_none()
}

fn searches(shift: &Shift) -> bool {
    shift.duty == Duty::GoingOnline && status::trouble(shift).is_none()
}

/// Why there is no position, and what to do about it.
fn trouble(desk: Desk) -> AnyView {
    let shift = desk.shift;
    let steps =
        Memo::new(move |_| shift.with(|shift| status::trouble(shift).map_or(&[] as &[_], |trouble| trouble.steps)));
    view! {
        <section class="panel" data-tone="bad" role="alert" hidden=flag(shift, |shift| status::trouble(shift).is_none())>
            <h2>{word(shift, |shift| status::trouble(shift).map_or("", |trouble| trouble.heading))}</h2>
            <p>{word(shift, |shift| status::trouble(shift).map_or("", |trouble| trouble.text))}</p>
            <ol class="steps">
                {move || steps.get().iter().map(|step| view! { <li>{*step}</li> }).collect_view()}
            </ol>
            // Off duty the main action says the same.
            <button
                type="button"
                class="button"
                hidden=flag(shift, |shift| {
                    shift.duty != Duty::Online || !status::trouble(shift).is_some_and(|trouble| trouble.can_retry)
                })
                on:click=desk.press(Intent::Retry)
            >
                {words::fixed::TRY_AGAIN}
            </button>
        </section>
    }
    .into_any()
}

/// A quiet offer, off duty only, until it was read.
fn install_hint(desk: Desk) -> AnyView {
    let shift = desk.shift;
    let is_read = RwSignal::new(preferences::is_install_hint_read());
    let close = move |_| {
        preferences::read_install_hint();
        is_read.set(true);
    };
    let is_hidden = move || {
        is_read.get()
            || shift.with(|shift| {
                shift.duty != Duty::Off || shift.install == Install::NotOffered || status::trouble(shift).is_some()
            })
    };
    view! {
        <section class="panel" data-panel="install" hidden=is_hidden>
            <h2>{account::fixed::INSTALL}</h2>
            <p>{word(shift, account::install)}</p>
            <div class="row">
                <button
                    type="button"
                    class="button"
                    hidden=flag(shift, |shift| shift.install != Install::Offered)
                    on:click=desk.press(Intent::Install)
                >
                    {account::fixed::INSTALL_ACTION}
                </button>
                <button type="button" class="button quiet" on:click=close>
                    {account::fixed::NOT_NOW}
                </button>
            </div>
        </section>
    }
    .into_any()
}
