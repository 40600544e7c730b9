//! The dispatch office's number, and the day so far.

use leptos::prelude::*;

use super::Desk;
use crate::{
    courier::{
        links,
        state::Shift,
        text::{day, fail},
    },
    ui::bind::{flag, live, text, words},
};

/// A call to the office, where the operator set a number.
#[component]
pub(super) fn CallOffice(desk: Desk) -> AnyView {
    let shift = desk.shift;
    view! {
        <a class="button" href=text(shift, number) hidden=flag(shift, |shift| number(shift).is_empty())>
            {fail::fixed::CALL_DISPATCH}
        </a>
    }
    .into_any()
}

/// The office on a screen of its own.
#[component]
pub(super) fn Office(desk: Desk) -> AnyView {
    let shift = desk.shift;
    view! {
        <section hidden=flag(shift, |shift| number(shift).is_empty())>
            <h2>{day::fixed::OFFICE}</h2>
            <p class="detail" inner_html=live(shift, |shift| shift.office_phone.clone().unwrap_or_default())></p>
            <CallOffice desk />
        </section>
    }
    .into_any()
}

/// The day so far, once there is something to say of it.
#[component]
pub(super) fn Day(desk: Desk) -> AnyView {
    let lines = Memo::new(move |_| desk.shift.with(day::lines));
    view! {
        <section class="day" hidden=move || lines.with(Vec::is_empty)>
            <h2>{day::fixed::HEADING}</h2>
            <ul>{move || lines.get().into_iter().map(|line| view! { <li inner_html=words(line)></li> }).collect_view()}</ul>
        </section>
    }
    .into_any()
}

fn number(shift: &Shift) -> String {
    shift.office_phone.as_deref().and_then(links::phone).unwrap_or_default()
}
