//! The main screen: what is wrong, the stop in hand, the stops after it, and the main button.

use leptos::prelude::*;

use super::{
    Desk,
    bar::Bar,
    fail::{FailSheet, Failing},
    header::{Chips, Header},
    later::Later,
    status::Panels,
    stop::StopInHand,
};
use crate::{
    courier::{
        intent::Screen,
        state::{Duty, Shift},
        text::{status::position_problem, stops},
    },
    ui::bind::{flag, text},
};

/// The screen; it stays in the page, hidden, while another is shown.
#[component]
pub(super) fn Stops(desk: Desk) -> AnyView {
    let shift = desk.shift;
    let heading_class = move || if shift.with(is_off) { "title" } else { "unseen" };
    let failing = Failing::new();
    let on_fail = Callback::new(move |()| failing.open(desk));
    view! {
        <main class="stops" hidden=move || desk.screen.get() != Screen::Stops>
            <Header desk />
            <Chips desk />
            <h1 tabindex="-1" class=heading_class>
                {text(shift, stops::heading)}
            </h1>
            <Panels desk />
            <div class="columns">
                <StopInHand desk on_fail />
                <Later desk />
            </div>
            <div class="blank" hidden=flag(shift, |shift| !is_idle(shift))>
                <svg class="icon mark" aria-hidden="true">
                    <use href="#bag" />
                </svg>
                <h2>{stops::fixed::NO_STOPS}</h2>
                <p>{stops::fixed::NO_STOPS_HINT}</p>
            </div>
            <Bar desk />
            <FailSheet desk failing />
        </main>
    }
    .into_any()
}

fn is_off(shift: &Shift) -> bool {
    shift.duty == Duty::Off && position_problem(shift).is_none()
}

fn is_idle(shift: &Shift) -> bool {
    shift.duty == Duty::Online && shift.stops.is_empty() && position_problem(shift).is_none()
}
