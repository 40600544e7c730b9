//! The main screen: what is wrong, what is next, what comes after, and the one thing to press.

use leptos::prelude::*;

use super::{Desk, bar, fail, header, later, status, stop};
use crate::{
    courier::{
        intent::Screen,
        state::{Duty, Shift},
        words::{status::trouble, stops as words},
    },
    ui::bind::{flag, text},
};

/// The screen; it stays in the page, hidden, while another is shown.
pub fn stops(desk: Desk, screen: Memo<Screen>) -> AnyView {
    let shift = desk.shift;
    let heading_class = move || if shift.with(is_off) { "title" } else { "unseen" };
    let reporting = fail::sheet(desk);
    view! {
        <main class="stops" hidden=move || screen.get() != Screen::Stops>
            {header::header(desk)}
            {header::chips(desk)}
            <h1 tabindex="-1" class=heading_class>
                {text(shift, words::heading)}
            </h1>
            {status::panels(desk)}
            <div class="columns">
                {stop::stop(desk, reporting.open)}
                {later::later(desk)}
            </div>
            <div class="blank" hidden=flag(shift, |shift| !is_idle(shift))>
                <svg class="icon mark" aria-hidden="true">
                    <use href="#bag" />
                </svg>
                <h2>{words::fixed::NO_STOPS}</h2>
                <p>{words::fixed::NO_STOPS_HINT}</p>
            </div>
            {bar::bar(desk)}
            {reporting.dialog}
        </main>
    }
    .into_any()
}

fn is_off(shift: &Shift) -> bool {
    shift.duty == Duty::Off && trouble(shift).is_none()
}

fn is_idle(shift: &Shift) -> bool {
    shift.duty == Duty::Online && shift.stops.is_empty() && trouble(shift).is_none()
}
