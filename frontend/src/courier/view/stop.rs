//! The stop in hand: where, when, for whom, what they ask for, and how to get there.

use doorstep_shared::{OrderStatus, Vehicle};
use leptos::prelude::*;

use super::{Desk, map::Stage};
use crate::courier::{
    intent::Intent,
    links,
    state::{Duty, Shift, StopCard},
    text::stops as text,
};

/// The card. `on_fail` opens the sheet of reasons.
#[component]
pub(super) fn StopInHand(desk: Desk, on_fail: Callback<()>) -> AnyView {
    let chosen = desk.chosen;
    view! {
        <article class="stop" aria-labelledby="stop-address" hidden=desk.stop_flag(|_, _| false)>
            <Stage desk />
            <div class="body">
                <p class="over">
                    <span>{desk.stop_text(text::label)}</span>
                    <span>{desk.stop_text(text::arrival)}</span>
                </p>
                <h2 id="stop-address">{desk.stop_text(|_, card| card.stop.address.clone())}</h2>
                <p class="detail">{desk.stop_text(text::detail)}</p>
                <p class="pending" hidden=desk.stop_flag(|_, card| !card.is_waiting)>
                    {desk.stop_text(text::waiting)}
                </p>
                <p class="note" hidden=desk.stop_flag(|shift, card| text::instructions(shift, card).is_empty())>
                    <span class="unseen">{text::fixed::NOTE}</span>
                    {desk.stop_text(text::instructions)}
                </p>
                <Ways desk />
                <OtherActions desk on_fail />
                <button
                    type="button"
                    class="button quiet"
                    hidden=move || !desk.is_out_of_turn()
                    on:click=move |_| chosen.set(None)
                >
                    {text::fixed::BACK_TO_NEXT}
                </button>
            </div>
        </article>
    }
    .into_any()
}

/// The way there, and a call.
#[component]
fn Ways(desk: Desk) -> AnyView {
    view! {
        <div class="ways">
            <a
                class="button"
                href=desk.stop_text(navigate)
                target="_blank"
                rel="noopener noreferrer"
            >
                {text::fixed::NAVIGATE}
            </a>
            <a class="button" href=desk.stop_text(call) hidden=desk.stop_flag(|shift, card| call(shift, card).is_empty())>
                {desk.stop_text(text::call)}
            </a>
        </div>
    }
    .into_any()
}

/// What may be done at the stop beside the main action.
#[component]
fn OtherActions(desk: Desk, on_fail: Callback<()>) -> AnyView {
    view! {
        <div class="others" hidden=desk.stop_flag(|shift, _| shift.duty != Duty::Online)>
            <button
                type="button"
                class="button quiet"
                hidden=desk.stop_flag(|_, card| !may_add_proof(card))
                on:click=move |_| begin_proof(desk)
            >
                {text::fixed::ADD_PROOF}
            </button>
            <button
                type="button"
                class="button quiet"
                hidden=desk.stop_flag(|_, card| card.next_status().is_none())
                on:click=move |_| on_fail.run(())
            >
                {desk.stop_text(|_, card| text::failure(card.stop.kind).to_owned())}
            </button>
        </div>
    }
    .into_any()
}

/// Where proofs are asked for, the main action opens them.
fn may_add_proof(card: &StopCard) -> bool {
    card.next_status() == Some(OrderStatus::Delivered) && card.proof.is_empty()
}

fn begin_proof(desk: Desk) {
    if let Some(order_id) = desk.with_stop_now(|_, card| card.stop.order_id) {
        desk.raise(Intent::BeginProof { order_id });
    }
}

fn navigate(shift: &Shift, card: &StopCard) -> String {
    let vehicle = shift.courier.as_ref().map_or(Vehicle::Car, |who| who.vehicle);
    links::navigate(&card.stop, shift.platform.system, vehicle)
}

fn call(_: &Shift, card: &StopCard) -> String {
    card.stop.contact.as_ref().and_then(links::call).unwrap_or_default()
}
