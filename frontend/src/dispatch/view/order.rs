//! An order in the drawer: how it stands, who has it, and what can be done.

mod assign;
mod facts;
mod history;
mod statuses;

use doorstep_shared::{CourierId, OrderId, OrderStatus};
use leptos::prelude::*;

use self::{
    assign::Assign,
    facts::Facts,
    history::{Proofs, Timeline},
    statuses::Statuses,
};
use super::{
    exceptions::ExceptionsOf,
    parts::{DrawerHead, Problem},
};
use crate::{
    dispatch::{
        console::{Console, Intent, OrderIntent, Subject},
        fleet::Order,
        route::{Open, Span},
        store::use_store,
        text,
    },
    ui::time,
};

#[component]
pub fn OrderDrawer(id: OrderId) -> impl IntoView {
    let store = use_store();
    let is_missing = store.memo(Subject::Drawer, |console| console.drawer.is_missing);
    let status = store.memo(Subject::Fleet, move |console| console.fleet.orders.get(&id).map(|order| order.status));
    let title = store.memo(Subject::Fleet, move |console| {
        console.fleet.orders.get(&id).map_or_else(|| "Order".to_owned(), |order| title(console, order))
    });
    let badge = store.memo(Subject::Fleet | Subject::Clock, move |console| {
        let known = console.fleet.orders.get(&id);
        known.map_or_else(
            || ("quiet", "Fetching…".to_owned()),
            |order| text::badge(&console.fleet, order, console.at_ms),
        )
    });
    view! {
        <div class="open" hidden=move || !is_missing.get()>
            <DrawerHead title=Signal::stored("No such order".to_owned()) />
            <p class="note">"It may have been removed, or the address is not complete."</p>
        </div>
        <div class="open" data-order=id.to_string() hidden=is_missing>
            <span class="badge" data-tone=move || badge.with(|(tone, _)| *tone)>
                {move || badge.with(|(_, text)| text.clone())}
            </span>
            <DrawerHead title />
            <Problem />
            <Facts id />
            <Actions id status />
            <ExceptionsOf order=id />
            <Assign id />
            <Statuses id status />
            <Timeline />
            <Proofs />
        </div>
    }
}

fn title(console: &Console, order: &Order) -> String {
    let courier = order.courier_id.and_then(|id| console.fleet.couriers.get(&id));
    match courier {
        Some(courier) => format!("{} · {}", order.reference, courier.name),
        None => order.reference.clone(),
    }
}

#[component]
fn Actions(id: OrderId, status: Memo<Option<OrderStatus>>) -> impl IntoView {
    let store = use_store();
    let courier = store.memo(Subject::Fleet, move |console| courier_of(console, id));
    let is_assigning = store.memo(Subject::Drawer, |console| console.drawer.is_assigning);
    let is_unassigned = move || status.get() == Some(OrderStatus::Created);
    let is_going_on = move || status.get().is_some_and(|status| !status.is_final());
    let replay = move |_| {
        if let Some(courier) = courier.get_untracked() {
            let trip = store.peek(|console| trip(console, id));
            store.send(Intent::Open(Open::Replay(courier, trip)));
        }
    };
    let open_courier = move |_| {
        if let Some(courier) = courier.get_untracked() {
            store.send(Intent::Open(Open::Courier(courier)));
        }
    };
    view! {
        <div class="actions">
            <button
                type="button"
                class=move || if is_unassigned() { "primary" } else { "quiet" }
                hidden=move || !is_going_on() || status.get() == Some(OrderStatus::Failed)
                aria-expanded=move || is_assigning.get().to_string()
                aria-keyshortcuts="A"
                on:click=move |_| store.send(OrderIntent::Assigning(!is_assigning.get_untracked()))
            >
                {move || if is_unassigned() { "Assign" } else { "Reassign" }}
            </button>
            <button
                type="button"
                class="quiet"
                hidden=move || status.get().is_none()
                on:click=move |_| store.send(OrderIntent::TrackingLink(id))
            >
                "Tracking link"
            </button>
            <button type="button" class="quiet" hidden=move || courier.get().is_none() on:click=replay>
                "Replay"
            </button>
            <button
                type="button"
                class="quiet"
                hidden=move || !is_going_on() || courier.get().is_none()
                on:click=open_courier
            >
                "Courier"
            </button>
        </div>
    }
}

fn courier_of(console: &Console, id: OrderId) -> Option<CourierId> {
    console.fleet.orders.get(&id)?.courier_id
}

/// From when the courier had the order until it ended, or until now.
fn trip(console: &Console, id: OrderId) -> Span {
    let Some(order) = console.fleet.orders.get(&id) else { return Span::Today };
    let mut events = console.drawer.order.iter().flat_map(|order| order.timeline.iter().flatten());
    let given = events.rfind(|event| event.status == OrderStatus::Assigned).map(|event| event.at.timestamp_millis());
    let created = order.details.as_ref().map(|details| details.created_at.timestamp_millis());
    let from_ms = given.or(created).unwrap_or(order.status_at_ms);
    let until_ms = if order.status.is_final() { order.status_at_ms } else { console.at_ms };
    Span::Between(time::floor_minute(from_ms), time::ceil_minute(until_ms.max(from_ms + 1)))
}
