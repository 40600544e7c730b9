//! The main screen: what is wrong, the stop in hand, the stops after it, and the main button.

use leptos::prelude::*;

use super::{
    Desk,
    bar::Bar,
    fail::{FailSheet, Failing},
    header::{Chips, Header},
    later::Later,
    office::Day,
    plan::Plan,
    status::Panels,
    stop::StopInHand,
};
use crate::{
    courier::{
        intent::{Intent, Screen},
        state::{Duty, Shift},
        text::{fixed, status::position_problem, stops},
    },
    ui::bind::{flag, live, live_word},
};

/// The screen; it stays in the page, hidden, while another is shown.
#[component]
pub(super) fn Stops(desk: Desk) -> AnyView {
    let shift = desk.shift;
    let heading_class =
        move || if shift.with(|shift| is_off(shift) || shift.screen == Screen::Plan) { "title" } else { "unseen" };
    let failing = Failing::new();
    let is_plan = move || desk.screen.get() == Screen::Plan;
    view! {
        <main
            class="stops"
            data-plan=move || is_plan().to_string()
            hidden=move || !matches!(desk.screen.get(), Screen::Stops | Screen::Plan)
        >
            <BackToStops desk />
            <Header desk />
            <Chips desk />
            <h1 tabindex="-1" class=heading_class inner_html=live(shift, stops::heading)></h1>
            <Panels desk />
            <div class="columns">
                <StopInHand desk failing />
                <Later desk />
                {move || is_plan().then(|| view! { <Plan desk /> })}
            </div>
            <div class="blank" hidden=flag(shift, |shift| !is_idle(shift))>
                <svg class="icon mark" aria-hidden="true">
                    <use href="#bag" />
                </svg>
                <h2 inner_html=live_word(shift, stops::no_stops)></h2>
                <p>{stops::fixed::NO_STOPS_HINT}</p>
                <Day desk />
            </div>
            <Bar desk />
            <FailSheet desk failing />
        </main>
    }
    .into_any()
}

/// The way back from the whole tour.
#[component]
fn BackToStops(desk: Desk) -> AnyView {
    view! {
        <button
            type="button"
            class="icon-button to-stops"
            aria-label=fixed::BACK
            hidden=move || desk.screen.get() != Screen::Plan
            on:click=desk.press(Intent::Show(Screen::Stops))
        >
            <svg class="icon back" aria-hidden="true">
                <use href="#back" />
            </svg>
        </button>
    }
    .into_any()
}

fn is_off(shift: &Shift) -> bool {
    shift.duty == Duty::Off && position_problem(shift).is_none()
}

fn is_idle(shift: &Shift) -> bool {
    shift.duty == Duty::Online && shift.stops.is_empty() && position_problem(shift).is_none()
}
