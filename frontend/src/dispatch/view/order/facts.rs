//! What is known about an order: when it arrives, where it goes, for whom, and with whom.

use doorstep_shared::{OrderId, api::OrderView};
use leptos::prelude::*;

use crate::{
    dispatch::{
        console::{Console, Subject},
        fleet::Order,
        store::{Store, use_store},
        text,
        view::parts::{Fact, PhoneFact},
    },
    ui::time,
};

#[component]
pub fn Facts(id: OrderId) -> impl IntoView {
    let store = use_store();
    view! {
        <dl class="facts">
            <Fact name="Arrives" value=about(store, id, arrives) />
            <Fact is_data=true name="Door" value=detail(store, id, |order| order.dropoff.address.clone()) />
            <Fact name="Note" value=detail(store, id, |order| order.dropoff.instructions.clone().unwrap_or_default()) />
            <Fact is_data=true name="From" value=detail(store, id, |order| order.pickup.address.clone()) />
            <Fact name="Pickup note" value=detail(store, id, |order| order.pickup.instructions.clone().unwrap_or_default()) />
            <PhoneFact name="Call there" value=detail(store, id, |order| order.pickup.phone.clone().unwrap_or_default()) />
            <Fact is_data=true name="Customer" value=detail(store, id, customer) />
            <PhoneFact name="Phone" value=detail(store, id, |order| order.customer.phone.clone().unwrap_or_default()) />
            <Fact name="Courier" value=about(store, id, courier) />
            <Fact name="Asks for" value=detail(store, id, asks_for) />
            <Fact name="Takes" value=detail(store, id, takes) />
            <Fact name="Remark" value=detail(store, id, |order| order.note.clone().unwrap_or_default()) />
            <Fact name="Attempt" value=detail(store, id, attempt) />
            <Fact name="On board" value=about(store, id, on_board) />
        </dl>
    }
}

/// A text about the order as the feed knows it; empty while it is not known.
fn about(store: Store, id: OrderId, text: fn(&Console, &Order) -> String) -> Memo<String> {
    store.memo(Subject::Fleet | Subject::Clock, move |console| {
        console.fleet.orders.get(&id).map(|order| text(console, order)).unwrap_or_default()
    })
}

/// A text from the order's details; empty until they are fetched.
fn detail(store: Store, id: OrderId, text: fn(&OrderView) -> String) -> Memo<String> {
    store.memo(Subject::Fleet, move |console| {
        let details = console.fleet.orders.get(&id).and_then(|order| order.details.as_ref());
        details.map(|details| text(details)).unwrap_or_default()
    })
}

fn arrives(console: &Console, order: &Order) -> String {
    let (locale, at_ms) = (&console.locale, console.at_ms);
    let stands = if order.status.is_final() {
        Some(format!("{} {}", text::status(order.status), text::moment(order.status_at_ms, at_ms, locale)))
    } else {
        let expected = order.expected_ms().filter(|expected_ms| *expected_ms >= at_ms);
        expected.map(|expected_ms| format!("about {}", text::moment(expected_ms, at_ms, locale)))
    };
    [stands, promise(console, order)].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn promise(console: &Console, order: &Order) -> Option<String> {
    let details = order.details.as_ref()?;
    let [from_ms, until_ms] =
        [details.promised_from, details.promised_until].map(|at| at.map(|at| at.timestamp_millis()));
    let window = text::window((from_ms, until_ms), console.at_ms, &console.locale);
    Some(format!("promised {window}")).filter(|_| !window.is_empty())
}

fn courier(console: &Console, order: &Order) -> String {
    let Some(courier) = order.courier_id.and_then(|id| console.fleet.couriers.get(&id)) else { return String::new() };
    let mut parts = vec![text::vehicle(courier.vehicle).to_owned()];
    parts.extend(courier.position.map(|position| time::ago(console.at_ms - position.time_ms)));
    parts.extend(courier.battery.map(|charge| format!("battery {}", text::battery(charge))));
    parts.join(" · ")
}

fn customer(order: &OrderView) -> String {
    let customer = &order.customer;
    let parts = [Some(customer.name.clone()), customer.email.clone()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn asks_for(order: &OrderView) -> String {
    order.proof.iter().flatten().map(|kind| text::proof(*kind)).collect::<Vec<_>>().join(", ")
}

/// What the order asks of its courier.
fn takes(order: &OrderView) -> String {
    let size = order.size.map(|size| format!("size {size}"));
    let service = order.service_s.map(|seconds| format!("{} at the door", time::span(i64::from(seconds) * 1_000)));
    let requires = order.requires.as_ref().map(|requires| requires.join(", "));
    [size, service, requires].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Which attempt it is, from the second on.
fn attempt(order: &OrderView) -> String {
    if order.attempt > 1 { order.attempt.to_string() } else { String::new() }
}

/// Who still has the goods of an order that is not on its way to the door.
fn on_board(console: &Console, order: &Order) -> String {
    let carrier = order.details.as_ref().and_then(|details| details.carried_by);
    let is_plain = order.is_loaded() && carrier == order.courier_id;
    let carrier = carrier.filter(|_| !is_plain).and_then(|id| console.fleet.couriers.get(&id));
    carrier.map(|courier| format!("{} has the goods", courier.name)).unwrap_or_default()
}
