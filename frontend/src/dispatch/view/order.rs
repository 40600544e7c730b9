//! An order in the drawer: how it stands, who has it, and what can be done.

mod assign;
mod edit;
mod facts;
mod history;
mod statuses;

use doorstep_shared::{CourierId, OrderId, OrderStatus};
use leptos::prelude::*;

pub use self::assign::named_choices;
use self::{
    assign::Assign,
    edit::EditOrder,
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
        console::{Console, Deed, Intent, OrderIntent, Subject},
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
    let title = store.memo(Subject::Fleet, move |console| {
        console.fleet.orders.get(&id).map_or_else(|| "Order".to_owned(), |order| title(console, order))
    });
    let tone = store.memo(Subject::Fleet | Subject::Clock, move |console| badge(console, id).0);
    let badge = store.memo(Subject::Fleet | Subject::Clock, move |console| badge(console, id).1);
    let is_edited = store.memo(Subject::Form | Subject::Route, |console| console.edited().is_some());
    view! {
        <div class="open" hidden=move || !is_missing.get()>
            <DrawerHead title=Signal::stored("No such order".to_owned()) />
            <p class="note">"It may have been removed, or the address is not complete."</p>
        </div>
        <div class="open" data-order=id.to_string() hidden=is_missing>
            <span class="badge" data-tone=tone>{badge}</span>
            <DrawerHead title />
            <Problem />
            {move || is_edited.get().then(|| view! { <EditOrder /> })}
            <div class="whole" hidden=is_edited>
            <Facts id />
            <Actions id />
            <ExceptionsOf order=id />
            <Assign id />
            <Statuses id />
            <Timeline />
            <Proofs />
            </div>
        </div>
    }
}

fn badge(console: &Console, id: OrderId) -> (&'static str, String) {
    let known = console.fleet.orders.get(&id);
    let badge = known.map(|order| text::badge(&console.fleet, order, console.at_ms));
    badge.unwrap_or_else(|| ("quiet", "Fetching…".to_owned()))
}

fn title(console: &Console, order: &Order) -> String {
    let courier = order.courier_id.and_then(|id| console.fleet.couriers.get(&id));
    match courier {
        Some(courier) => format!("{} · {}", order.reference, courier.name),
        None => order.reference.clone(),
    }
}

#[component]
fn Actions(id: OrderId) -> impl IntoView {
    let store = use_store();
    let about = move |is: fn(&Order) -> bool| {
        store.memo(Subject::Fleet, move |console| console.fleet.orders.get(&id).is_some_and(is))
    };
    let is_known = about(|_| true);
    let is_unassigned = about(|order| order.status == OrderStatus::Created);
    let is_assignable = about(|order| !order.status.is_final() && order.status != OrderStatus::Failed);
    let had_courier = about(|order| order.courier_id.is_some());
    let has_courier = about(|order| order.courier_id.is_some() && !order.status.is_final());
    let is_open = about(|order| !order.status.is_final());
    let is_failed = about(|order| order.status == OrderStatus::Failed);
    let is_unassignable = about(|order| Deed::Unassign.is_offered(order.status));
    let is_over = about(|order| order.status.is_final());
    let ask = move |deed: Deed| move |_| store.send(OrderIntent::Ask { order: id, deed });
    let is_assigning = store.memo(Subject::Drawer, |console| console.drawer.is_assigning);
    let replay = move |_| {
        if let Some((courier, trip)) = store.peek(|console| Some((courier_of(console, id)?, trip(console, id)))) {
            store.send(Intent::Open(Open::Replay(courier, trip)));
        }
    };
    let open_courier = move |_| {
        if let Some(courier) = store.peek(|console| courier_of(console, id)) {
            store.send(Intent::Open(Open::Courier(courier)));
        }
    };
    view! {
        <div class="actions">
            <button
                type="button"
                class=move || if is_unassigned.get() { "primary" } else { "quiet" }
                hidden=move || !is_assignable.get()
                aria-expanded=move || is_assigning.get().to_string()
                aria-keyshortcuts="A"
                on:click=move |_| store.send(OrderIntent::Assigning(!is_assigning.get_untracked()))
            >
                {move || if is_unassigned.get() { "Assign" } else { "Reassign" }}
            </button>
            <button
                type="button"
                class="primary"
                hidden=move || !is_failed.get()
                aria-keyshortcuts="T"
                on:click=move |_| store.send(OrderIntent::NextAttempt(id))
            >
                "Next attempt"
            </button>
            <button
                type="button"
                class="quiet"
                hidden=move || !is_open.get()
                aria-keyshortcuts="E"
                on:click=move |_| store.send(OrderIntent::Edit)
            >
                "Edit"
            </button>
            <button
                type="button"
                class="quiet"
                hidden=move || !is_unassignable.get()
                aria-keyshortcuts="U"
                on:click=ask(Deed::Unassign)
            >
                "Unassign"
            </button>
            <button
                type="button"
                class="quiet"
                hidden=move || !is_over.get()
                aria-keyshortcuts="R"
                on:click=ask(Deed::Reopen)
            >
                "Reopen"
            </button>
            <button
                type="button"
                class="quiet"
                hidden=move || !is_known.get()
                on:click=move |_| store.send(OrderIntent::TrackingLink(id))
            >
                "Tracking link"
            </button>
            <button type="button" class="quiet" hidden=move || !had_courier.get() on:click=replay>
                "Replay"
            </button>
            <button
                type="button"
                class="quiet"
                hidden=move || !has_courier.get()
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
