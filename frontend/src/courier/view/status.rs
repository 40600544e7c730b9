//! Panels between the chips and the stops: why to go online, that a position is on its way, what is wrong with it, and how
//! to install.

use leptos::prelude::*;

use super::Desk;
use crate::{
    courier::{
        intent::Intent,
        preferences,
        state::{Duty, Gps, Install, Shift},
        text::{account, fixed, status, stops},
    },
    ui::bind::{flag, live_word, words},
};

/// Every panel; mostly none is shown.
#[component]
pub(super) fn Panels(desk: Desk) -> AnyView {
    let shift = desk.shift;
    view! {
        <PositionProblem desk />
        <div class="explain" hidden=flag(shift, |shift| !explains(shift))>
            <p>{stops::fixed::SHARING}</p>
            <p hidden=flag(shift, |shift| shift.gps != Gps::Idle)>{stops::fixed::WILL_ASK}</p>
        </div>
        <div class="panel" hidden=flag(shift, |shift| !searches(shift))>
            <h2 class="searching">{stops::fixed::SEARCHING}</h2>
            <p>{stops::fixed::SEARCHING_HINT}</p>
        </div>
        <InstallHint desk />
    }
    .into_any()
}

fn explains(shift: &Shift) -> bool {
    shift.duty == Duty::Off && status::position_problem(shift).is_none()
}

fn searches(shift: &Shift) -> bool {
    shift.duty == Duty::GoingOnline && status::position_problem(shift).is_none()
}

/// Why there is no position, and what to do about it.
#[component]
fn PositionProblem(desk: Desk) -> AnyView {
    let shift = desk.shift;
    let steps = Memo::new(move |_| {
        shift.with(|shift| status::position_problem(shift).map_or(&[] as &[_], |problem| problem.steps))
    });
    view! {
        <section class="panel" data-tone="bad" role="alert" hidden=flag(shift, |shift| status::position_problem(shift).is_none())>
            <h2
                inner_html=live_word(shift, |shift| status::position_problem(shift).map_or("", |problem| problem.heading))
            ></h2>
            <p
                inner_html=live_word(shift, |shift| status::position_problem(shift).map_or("", |problem| problem.text))
            ></p>
            <ol class="steps">
                {move || steps.get().iter().map(|step| view! { <li inner_html=words(*step)></li> }).collect_view()}
            </ol>
            // Off duty the main action says the same.
            <button
                type="button"
                class="button"
                hidden=flag(shift, |shift| {
                    shift.duty != Duty::Online || !status::position_problem(shift).is_some_and(|problem| problem.can_retry)
                })
                on:click=desk.press(Intent::Retry)
            >
                {fixed::TRY_AGAIN}
            </button>
            // The switch is off without a position, and tries again.
            <button
                type="button"
                class="button quiet"
                hidden=flag(shift, |shift| shift.duty == Duty::Off)
                on:click=desk.press(Intent::GoOffline)
            >
                {fixed::GO_OFFLINE}
            </button>
        </section>
    }
    .into_any()
}

/// A quiet offer, off duty only, until it was read.
#[component]
fn InstallHint(desk: Desk) -> AnyView {
    let shift = desk.shift;
    let is_read = RwSignal::new(preferences::is_install_hint_read());
    let close = move |_| {
        preferences::read_install_hint();
        is_read.set(true);
    };
    let is_hidden = move || {
        is_read.get()
            || shift.with(|shift| {
                shift.duty != Duty::Off
                    || shift.install == Install::NotOffered
                    || status::position_problem(shift).is_some()
            })
    };
    view! {
        <section class="panel" data-panel="install" hidden=is_hidden>
            <h2>{account::fixed::INSTALL}</h2>
            <p inner_html=live_word(shift, account::install)></p>
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
