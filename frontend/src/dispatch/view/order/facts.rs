//! What is known about an order: when it arrives, where it goes, for whom, and with whom.

use doorstep_shared::{OrderId, api::OrderView};
use leptos::prelude::*;

use crate::{
    dispatch::{
        console::{Console, Subject},
        fleet::Order,
        store::{Store, use_store},
        text,
        view::parts::Fact,
    },
    ui::time,
};

#[component]
pub fn Facts(id: OrderId) -> impl IntoView {
    let store = use_store();
    view! {
        <dl class="facts">
            <Fact name="Arrives" value=about(store, id, arrives) />
            <Fact name="Door" value=detail(store, id, |order| order.dropoff.address.clone()) />
            <Fact name="Note" value=detail(store, id, |order| order.dropoff.instructions.clone().unwrap_or_default()) />
            <Fact name="From" value=detail(store, id, |order| order.pickup.address.clone()) />
            <Fact name="Customer" value=detail(store, id, customer) />
            <Fact name="Courier" value=about(store, id, courier) />
            <Fact name="Asks for" value=detail(store, id, asks_for) />
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
    let locale = &console.locale;
    let stands = if order.status.is_final() {
        Some(format!("{} at {}", text::status(order.status), time::clock(order.status_at_ms, locale)))
    } else {
        let expected = order.expected_ms().filter(|at_ms| *at_ms >= console.at_ms);
        expected.map(|at_ms| format!("about {}", time::clock(at_ms, locale)))
    };
    [stands, promise(console, order)].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn promise(console: &Console, order: &Order) -> Option<String> {
    let until_ms = order.promised_until_ms()?;
    let from = order.details.as_ref().and_then(|details| details.promised_from);
    Some(match from {
        Some(from) => format!("promised {}", time::range(from.timestamp_millis(), until_ms, &console.locale)),
        None => format!("promised by {}", time::clock(until_ms, &console.locale)),
    })
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
    let parts = [Some(customer.name.clone()), customer.phone.clone(), customer.email.clone()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn asks_for(order: &OrderView) -> String {
    order.proof.iter().flatten().map(|kind| text::proof(*kind)).collect::<Vec<_>>().join(", ")
}
