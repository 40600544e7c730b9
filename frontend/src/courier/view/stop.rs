//! The stop in hand: where, when, for whom, what they ask for, and how to get there.

use doorstep_shared::{OrderStatus, Vehicle, protocol::courier::StopKind};
use leptos::prelude::*;

use super::{Desk, desk::key, fail::Failing, map::Stage, orders::Orders};
use crate::{
    courier::{
        intent::Intent,
        links, plan,
        state::{Duty, Shift, StopCard},
        text::{fail, stops as text},
    },
    ui::bind::words,
};

/// The card. `failing` is the sheet of reasons.
#[component]
pub(super) fn StopInHand(desk: Desk, failing: Failing) -> AnyView {
    let chosen = desk.chosen;
    view! {
        <article class="stop" aria-labelledby="stop-address" hidden=desk.stop_flag(|_, _| false)>
            <Stage desk />
            <div class="body">
                <p class="over">
                    <span inner_html=desk.live(text::label)></span>
                    <span inner_html=desk.live(text::arrival)></span>
                </p>
                <h2 id="stop-address" translate=desk.stop_text(text::translate) inner_html=desk.live(text::place)></h2>
                <p class="detail" inner_html=desk.live(text::detail)></p>
                <p
                    class="promise"
                    data-late=desk.stop_flag(|_, card| text::is_late(card))
                    hidden=desk.stop_lacks(text::promise)
                    inner_html=desk.live(text::promise)
                ></p>
                <p class="detail" hidden=desk.stop_lacks(one_orders_facts) inner_html=desk.live(one_orders_facts)></p>
                <Changed desk />
                <p class="waits" hidden=desk.stop_lacks(text::wait) inner_html=desk.live(text::wait)></p>
                <p
                    class="pending"
                    hidden=desk.stop_flag(|_, card| !card.is_waiting)
                    inner_html=desk.live(text::waiting)
                ></p>
                <p class="note" hidden=desk.stop_lacks(text::instructions)>
                    <span class="unseen">{text::fixed::NOTE}</span>
                    <span inner_html=desk.live(text::instructions)></span>
                </p>
                <p class="detail" hidden=desk.stop_lacks(one_orders_note) inner_html=desk.live(one_orders_note)></p>
                <Orders desk failing />
                <Ways desk />
                <OtherActions desk failing />
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
            <a
                class="button"
                href=desk.stop_text(call)
                hidden=desk.stop_lacks(call)
                inner_html=desk.live(text::call)
            ></a>
        </div>
    }
    .into_any()
}

/// What may be done at the stop beside the main action.
#[component]
fn OtherActions(desk: Desk, failing: Failing) -> AnyView {
    let fail = move |_| {
        if let Some(stop) = desk.with_stop_now(|_, card| key(card)) {
            failing.open(stop);
        }
    };
    let give_back = move |_| {
        if let Some(order_id) = desk.with_stop_now(|_, card| card.stop.order_id) {
            desk.raise(Intent::GiveBack { order_id, reason: fail::NOT_READY.to_owned() });
        }
    };
    let tell_door = move |_| {
        if let Some(order_id) = desk.with_stop_now(|_, card| card.stop.order_id) {
            desk.raise(Intent::DoorHere { order_id });
        }
    };
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
                hidden=desk.stop_flag(|shift, card| !may_tell_door(shift, card))
                on:click=tell_door
            >
                {text::fixed::DOOR_HERE}
            </button>
            <button
                type="button"
                class="button quiet"
                hidden=desk.stop_flag(|_, card| card.wait.is_none() || card.count() > 1)
                on:click=give_back
            >
                {fail::way(StopKind::Pickup, fail::Way::GiveBack)}
            </button>
            <button
                type="button"
                class="button quiet"
                hidden=desk.stop_flag(|_, card| !can_fail(card))
                on:click=fail
                inner_html=desk.live(|_, card| fail::failure(card.stop.kind).to_owned())
            ></button>
        </div>
    }
    .into_any()
}

/// What dispatch changed here. A tap anywhere on it says that it was read.
#[component]
fn Changed(desk: Desk) -> AnyView {
    let was = move || {
        let befores = |_: &Shift, card: &StopCard| {
            let changes = card.orders().flat_map(|order| &order.changes);
            changes.filter_map(|change| change.was.clone()).collect::<Vec<_>>()
        };
        let line =
            |was| view! { <p><span class="unseen">{text::fixed::BEFORE}</span><s inner_html=words(was)></s></p> };
        desk.with_stop(befores).unwrap_or_default().into_iter().map(line).collect_view()
    };
    let read = move |_| {
        let names = |_: &Shift, card: &StopCard| card.orders().map(|order| plan::name(&order.stop)).collect::<Vec<_>>();
        for stop in desk.with_stop_now(names).unwrap_or_default() {
            desk.raise(Intent::ReadChanges { stop });
        }
    };
    view! {
        <div class="changed" hidden=desk.stop_lacks(text::changed) on:click=read>
            <div>
                <p class="what-changed" inner_html=desk.live(text::changed)></p>
                {was}
            </div>
            <button type="button" class="button">
                {text::fixed::READ}
            </button>
        </div>
    }
    .into_any()
}

/// Of several orders each says it in its own line.
fn one_orders_facts(shift: &Shift, card: &StopCard) -> String {
    if card.others.is_empty() { text::facts(shift, card) } else { String::new() }
}

fn one_orders_note(shift: &Shift, card: &StopCard) -> String {
    if card.others.is_empty() { text::note(shift, card) } else { String::new() }
}

/// At the door, where the phone knows its position.
fn may_tell_door(shift: &Shift, card: &StopCard) -> bool {
    card.stop.kind == StopKind::Dropoff
        && card.status == OrderStatus::AtDropoff
        && !card.is_door_told
        && shift.position.is_some()
}

fn can_fail(card: &StopCard) -> bool {
    card.next_status().is_some() && card.stop.kind != StopKind::Return && card.others.is_empty()
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
