//! An order in the drawer: how it stands, who has it, and what can be done.

mod assign;
mod edit;
mod facts;
mod history;
mod statuses;

use doorstep_shared::{CourierId, OrderId, OrderStatus};
use leptos::prelude::*;

pub use self::assign::picker_choices;
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
    ui::bind::{live_text, live_value},
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
    let is_outside = store.memo(Subject::Fleet | Subject::Area, move |console| {
        let details = console.fleet.orders.get(&id).and_then(|order| order.details.as_ref());
        details.is_some_and(|details| console.areas.is_outside(details))
    });
    let is_edited = store.memo(Subject::Form | Subject::Route, |console| console.edited().is_some());
    view! {
        <div class="open" hidden=move || !is_missing.get()>
            <DrawerHead title=Signal::stored("No such order".to_owned()) />
            <p class="note">"It may have been removed, or the address is not complete."</p>
        </div>
        <div class="open" data-order=id.to_string() hidden=is_missing>
            <span class="badge" data-tone=tone inner_html=live_value(badge)></span>
            <DrawerHead title />
            <Problem />
            <p class="problem" data-tone="warn" hidden=move || !is_outside.get()>
                {text::OUTSIDE}
            </p>
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

/// What a button asks for when it is pressed.
type Press = Box<dyn Fn() -> Intent>;

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
    let is_assigning = store.memo(Subject::Drawer, |console| console.drawer.is_assigning);
    let of_courier = move |open: fn(CourierId, Span) -> Open| {
        let found = store.peek(|console| Some(open(courier_of(console, id)?, trip(console, id))));
        found.unwrap_or(Open::Order(id))
    };
    let replay = move || of_courier(Open::Replay);
    let courier = move || of_courier(|courier, _| Open::Courier(courier));
    let ask = move |deed: Deed| -> Press { Box::new(move || OrderIntent::Ask { order: id, deed }.into()) };
    let button = move |name: &'static str, key: &'static str, is_shown: Memo<bool>, press: Press| {
        let class = if name == "Next attempt" { "primary" } else { "quiet" };
        let keys = (!key.is_empty()).then_some(key);
        view! {
            <button
                type="button"
                class=class
                hidden=move || !is_shown.get()
                aria-keyshortcuts=keys
                on:click=move |_| store.send(press())
            >
                {name}
            </button>
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
                inner_html=live_text(move || if is_unassigned.get() { "Assign" } else { "Reassign" })
            ></button>
            {button("Next attempt", "T", is_failed, Box::new(move || OrderIntent::NextAttempt(id).into()))}
            {button("Edit", "E", is_open, Box::new(|| OrderIntent::Edit.into()))}
            {button("Unassign", "U", is_unassignable, ask(Deed::Unassign))}
            {button("Reopen", "R", is_over, ask(Deed::Reopen))}
            {button("Tracking link", "", is_known, Box::new(move || OrderIntent::TrackingLink(id).into()))}
            {button("Replay", "", had_courier, Box::new(move || Intent::Open(replay())))}
            {button("Courier", "", has_courier, Box::new(move || Intent::Open(courier())))}
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
