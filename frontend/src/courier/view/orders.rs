//! Several orders at one stop: each by name, with what can be done for it alone.

use std::sync::Arc;

use doorstep_shared::{OrderStatus, protocol::courier::StopKind};
use leptos::prelude::*;

use super::{
    Desk,
    desk::{StopKey, key},
    fail::Failing,
    list::stop_list,
};
use crate::courier::{
    intent::Intent,
    state::{Duty, Shift, StopCard},
    text::stops as text,
};

/// The list; a stop with one order has none.
#[component]
pub(super) fn Orders(desk: Desk, failing: Failing) -> AnyView {
    let keys = Memo::new(move |_| {
        let keys = |_: &Shift, card: &StopCard| card.orders().map(key).collect::<Vec<_>>();
        desk.with_stop(keys).filter(|keys| keys.len() > 1).unwrap_or_default()
    });
    view! {
        <ul class="orders" hidden=move || keys.with(Vec::is_empty)>
            {stop_list(keys, Arc::new(move |stop| view! { <Order desk failing stop /> }.into_any()))}
        </ul>
    }
    .into_any()
}

#[component]
fn Order(desk: Desk, failing: Failing, stop: StopKey) -> AnyView {
    let done = match stop.1 {
        StopKind::Dropoff => text::fixed::DELIVERED_ONE,
        StopKind::Pickup | StopKind::Return => text::fixed::PICKED_UP_ONE,
    };
    view! {
        <li>
            <span class="what">
                <span class="place" inner_html=desk.live_of(stop, text::order_detail)></span>
                <span class="pending" inner_html=desk.live_of(stop, text::wait)></span>
                <span class="detail" inner_html=desk.live_of(stop, text::note)></span>
            </span>
            <div class="row">
            <button
                type="button"
                class="button"
                hidden=desk.flag_of(stop, |shift, card| !can_be_done(shift, card))
                on:click=desk.press(Intent::AdvanceOne { order_id: stop.0 })
            >
                {done}
                <span class="unseen" inner_html=desk.live_of(stop, spoken_reference)></span>
            </button>
            <button
                type="button"
                class="button"
                hidden=desk.flag_of(stop, |shift, card| !can_fail(shift, card))
                on:click=move |_| failing.open(stop)
            >
                {text::fixed::PROBLEM}
                <span class="unseen" inner_html=desk.live_of(stop, spoken_reference)></span>
            </button>
            </div>
        </li>
    }
    .into_any()
}

/// After the word on a button, for people who do not see whose it is.
fn spoken_reference(_: &Shift, card: &StopCard) -> String {
    [" ", &card.stop.reference].concat()
}

fn can_be_done(shift: &Shift, card: &StopCard) -> bool {
    let is_there = matches!(card.next_status(), Some(OrderStatus::PickedUp | OrderStatus::Delivered));
    shift.duty == Duty::Online && is_there
}

fn can_fail(shift: &Shift, card: &StopCard) -> bool {
    shift.duty == Duty::Online && card.stop.kind != StopKind::Return && card.next_status().is_some()
}
