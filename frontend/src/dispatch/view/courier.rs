//! A courier in the drawer: where they are, with which phones, and what they carry.

use doorstep_shared::{CourierId, DeviceId, OrderId};
use leptos::prelude::*;

use super::{
    exceptions::ExceptionsOf,
    keyed::follow,
    parts::{DrawerHead, Fact, Problem},
};
use crate::{
    dispatch::{
        console::{Console, CourierIntent, Intent, MapIntent, Subject},
        fleet::{Courier, Order},
        route::{Open, Span},
        store::{Store, use_store},
        text,
    },
    ui::time,
};

/// A text about the courier; empty while they are not known.
fn about(store: Store, id: CourierId, text: fn(&Console, &Courier) -> String) -> Memo<String> {
    store.memo(Subject::Fleet | Subject::Clock, move |console| {
        console.fleet.couriers.get(&id).map(|courier| text(console, courier)).unwrap_or_default()
    })
}

#[component]
pub fn CourierDrawer(id: CourierId) -> impl IntoView {
    let store = use_store();
    let badge = store.memo(Subject::Fleet | Subject::Clock, move |console| {
        let known = console.fleet.couriers.get(&id);
        known.map_or(("quiet", "Not known yet"), |courier| text::courier_badge(&console.fleet, courier, console.at_ms))
    });
    let name = store.memo(Subject::Fleet, move |console| {
        console.fleet.couriers.get(&id).map_or_else(|| "Courier".to_owned(), |courier| courier.name.clone())
    });
    view! {
        <div class="open" data-courier=id.to_string()>
            <span class="badge" data-tone=move || badge.get().0>
                {move || badge.get().1}
            </span>
            <DrawerHead title=name />
            <Problem />
            <dl class="facts">
                <Fact name="Presence" value=about(store, id, |console, courier| text::presence(courier.presence, &console.locale)) />
                <Fact name="Last seen" value=about(store, id, last_position) />
                <Fact name="Battery" value=about(store, id, |_, courier| courier.battery.map(text::battery).unwrap_or_default()) />
                <Fact name="Rides" value=about(store, id, |_, courier| text::vehicle(courier.vehicle).to_owned()) />
                <Phone />
            </dl>
            <Actions id />
            <ExceptionsOf courier=id />
            <Orders id />
            <Devices />
        </div>
    }
}

#[component]
fn Phone() -> impl IntoView {
    let phone = use_store()
        .memo(Subject::Drawer, |console| console.drawer.courier.as_ref().and_then(|courier| courier.phone.clone()));
    view! {
        <div class="fact" hidden=move || phone.with(Option::is_none)>
            <dt>"Phone"</dt>
            <dd>
                <a href=move || format!("tel:{}", phone.get().unwrap_or_default())>{move || phone.get().unwrap_or_default()}</a>
            </dd>
        </div>
    }
}

#[component]
fn Actions(id: CourierId) -> impl IntoView {
    let store = use_store();
    let is_following = store.memo(Subject::Drawer, |console| console.drawer.is_following);
    let is_busy = store.memo(Subject::Drawer, |console| console.drawer.is_busy);
    view! {
        <div class="actions">
            <button
                type="button"
                class="quiet"
                aria-pressed=move || is_following.get().to_string()
                on:click=move |_| store.send(MapIntent::Follow(!is_following.get_untracked()))
            >
                {move || if is_following.get() { "Following" } else { "Follow" }}
            </button>
            <button
                type="button"
                class="quiet"
                on:click=move |_| store.send(Intent::Open(Open::Replay(id, Span::Today)))
            >
                "Replay"
            </button>
            <button type="button" class="quiet" on:click=move |_| store.send(CourierIntent::Edit(Some(id)))>
                "Edit"
            </button>
            <button
                type="button"
                class="quiet"
                disabled=is_busy
                on:click=move |_| store.send(CourierIntent::Invite(id))
            >
                "Invite a phone"
            </button>
        </div>
    }
}

fn last_position(console: &Console, courier: &Courier) -> String {
    let Some(position) = courier.position else { return "None yet".to_owned() };
    let ago = time::ago(console.at_ms - position.time_ms);
    match position.speed_mps.filter(|speed| *speed >= 1.0) {
        Some(speed_mps) => format!("{ago} · {}", text::speed(speed_mps, &console.locale)),
        None => format!("{ago} · standing"),
    }
}

/// An order of the courier as it is drawn.
#[derive(Clone, Debug, PartialEq)]
struct OrderCard {
    id: OrderId,
    reference: String,
    door: String,
    tone: &'static str,
    badge: String,
}

fn orders_of(console: &Console, id: CourierId) -> Vec<OrderCard> {
    let ids = console.fleet.couriers.get(&id).map(|courier| courier.orders.as_slice()).unwrap_or_default();
    let mut orders: Vec<_> = ids.iter().filter_map(|id| console.fleet.orders.get(id)).collect();
    orders.sort_by_cached_key(|order| console.fleet.urgency(order, console.at_ms));
    let card = |order: &Order| {
        let door = order.details.as_ref().map(|details| details.dropoff.address.clone()).unwrap_or_default();
        let (tone, badge) = text::badge(&console.fleet, order, console.at_ms);
        OrderCard { id: order.id, reference: order.reference.clone(), door, tone, badge }
    };
    orders.into_iter().map(card).collect()
}

#[component]
fn Orders(id: CourierId) -> impl IntoView {
    let store = use_store();
    let orders = store.memo(Subject::Fleet | Subject::Clock, move |console| orders_of(console, id));
    let card = move |order: OrderCard| {
        let id = order.id;
        let order = follow(orders, order, |order| order.id);
        view! {
            <li>
                <button type="button" class="card" on:click=move |_| store.send(Intent::Open(Open::Order(id)))>
                    <span class="card-title">{move || order.with(|order| order.reference.clone())}</span>
                    <span class="badge" data-tone=move || order.with(|order| order.tone)>
                        {move || order.with(|order| order.badge.clone())}
                    </span>
                    <span class="card-line">{move || order.with(|order| order.door.clone())}</span>
                </button>
            </li>
        }
    };
    view! {
        <section aria-label="Orders">
            <h3>"Orders"</h3>
            <p class="note" hidden=move || !orders.with(Vec::is_empty)>"Free: no order at the moment."</p>
            <ul class="cards">
                <For each=move || orders.get() key=|order| order.id children=card />
            </ul>
        </section>
    }
}

/// A phone or tracker as it is drawn.
#[derive(Clone, Debug, PartialEq)]
struct Device {
    id: DeviceId,
    label: String,
    line: String,
    is_revoked: bool,
}

fn devices_of(console: &Console) -> Option<Vec<Device>> {
    let devices = console.drawer.devices.as_ref()?.iter().map(|device| {
        let is_revoked = device.revoked_at.is_some();
        let seen = device.last_seen_at.map(|at| time::ago(console.at_ms - at.timestamp_millis()));
        let client = device.client.as_deref().map_or("Has not reported yet", text::client);
        let line = match (is_revoked, seen) {
            (true, _) => "Revoked".to_owned(),
            (false, Some(seen)) => format!("{client} · {seen}"),
            (false, None) => client.to_owned(),
        };
        Device { id: device.id, label: device.label.clone(), line, is_revoked }
    });
    Some(devices.collect())
}

#[component]
fn Devices() -> impl IntoView {
    let store = use_store();
    let known = store.memo(Subject::Drawer | Subject::Clock, devices_of);
    let devices = Memo::new(move |_| known.get().unwrap_or_default());
    let row = move |device: Device| view! { <DeviceRow device=follow(devices, device, |device| device.id) /> };
    view! {
        <section aria-label="Phones and trackers">
            <h3>"Phones and trackers"</h3>
            <p class="note" hidden=move || known.with(|known| known.as_ref().is_none_or(|devices| !devices.is_empty()))>
                "None yet. Invite a phone: the courier scans a QR code and is signed in."
            </p>
            <ul>
                <For each=move || devices.get() key=|device| device.id children=row />
            </ul>
        </section>
    }
}

#[component]
fn DeviceRow(device: Memo<Device>) -> impl IntoView {
    let store = use_store();
    let is_revoked = move || device.with(|device| device.is_revoked);
    let revoke = move |_| {
        let Device { id: device, label, .. } = device.get_untracked();
        store.send(CourierIntent::ConfirmRevoke { device, label });
    };
    view! {
        <li class="choice" data-revoked=move || is_revoked().then_some("")>
            <span class="choice-name">{move || device.with(|device| device.label.clone())}</span>
            <span class="choice-line">{move || device.with(|device| device.line.clone())}</span>
            <button
                type="button"
                class="quiet"
                data-tone="bad"
                aria-label=move || device.with(|device| format!("Revoke {}", device.label))
                hidden=is_revoked
                on:click=revoke
            >
                "Revoke"
            </button>
        </li>
    }
}
