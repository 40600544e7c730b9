//! A courier in the drawer: where they are, with which phones, and what they carry.

use std::collections::HashSet;

use doorstep_shared::{CourierId, DeviceId, OrderId, api::CourierView};
use leptos::prelude::*;

use super::{
    exceptions::ExceptionsOf,
    keyed::{Entries, Entry, Row},
    parts::{DrawerHead, Fact, PhoneFact, Problem},
    plan::Plan,
};
use crate::{
    dispatch::{
        console::{Console, CourierIntent, Intent, MapIntent, Subject},
        fleet::{Courier, Order},
        route::{Open, Span},
        store::{Store, use_store},
        text,
    },
    ui::bind::{live_text, live_value},
    ui::time,
};

/// A text about the courier; empty while they are not known.
fn about(store: Store, id: CourierId, text: fn(&Console, &Courier) -> String) -> Memo<String> {
    store.memo(Subject::Fleet | Subject::Drawer | Subject::Clock, move |console| {
        console.fleet.couriers.get(&id).map(|courier| text(console, courier)).unwrap_or_default()
    })
}

#[component]
pub fn CourierDrawer(id: CourierId) -> impl IntoView {
    let store = use_store();
    let badge = move |console: &Console| {
        let known = console.fleet.couriers.get(&id);
        known.map_or(("quiet", "Not known yet"), |courier| text::courier_badge(&console.fleet, courier, console.at_ms))
    };
    let tone = store.memo(Subject::Fleet | Subject::Clock, move |console| badge(console).0);
    let activity = store.memo(Subject::Fleet | Subject::Clock, move |console| badge(console).1);
    let name = store.memo(Subject::Fleet, move |console| {
        console.fleet.couriers.get(&id).map_or_else(|| "Courier".to_owned(), |courier| courier.name.clone())
    });
    view! {
        <div class="open" data-courier=id.to_string()>
            <span class="badge" data-tone=tone inner_html=live_value(activity)></span>
            <DrawerHead title=name />
            <Problem />
            <dl class="facts">
                <Fact name="Presence" value=about(store, id, presence) />
                <Fact name="Last seen" value=about(store, id, last_position) />
                <Fact name="Battery" value=about(store, id, |_, courier| courier.battery.map(text::battery).unwrap_or_default()) />
                <Fact name="Rides" value=about(store, id, |_, courier| text::vehicle(courier.vehicle).to_owned()) />
                <PhoneFact name="Phone" value=known(store, |courier, _| courier.phone.clone()) />
                <Fact name="Carries" value=known(store, |courier, _| courier.capacity.map(|most| format!("up to {most}"))) />
                <Fact name="Can do" value=known(store, |courier, _| courier.skills.as_ref().map(|skills| skills.join(", "))) />
                <Fact name="Shift" value=known(store, shift) />
                <Fact is_data=true name="Depot" value=known(store, |courier, _| courier.depot.as_ref().map(|depot| depot.address.clone())) />
            </dl>
            <Actions id />
            <ExceptionsOf courier=id />
            <Plan />
            <Orders id />
            <Devices />
        </div>
    }
}

/// A text about the courier as the REST API knows them; empty until they are fetched.
fn known(store: Store, text: fn(&CourierView, &Console) -> Option<String>) -> Memo<String> {
    store.memo(Subject::Drawer | Subject::Clock, move |console| {
        console.drawer.courier.as_ref().and_then(|courier| text(courier, console)).unwrap_or_default()
    })
}

fn shift(courier: &CourierView, console: &Console) -> Option<String> {
    courier.shift.as_ref().map(|shift| text::shift(shift, console.at_ms, &console.locale))
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
                inner_html=live_text(move || if is_following.get() { "Following" } else { "Follow" })
            ></button>
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
                data-tone="bad"
                on:click=move |_| store.send(CourierIntent::ConfirmArchive { courier: id, is_archived: true })
            >
                "Archive"
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

fn presence(console: &Console, courier: &Courier) -> String {
    let Some(presence) = courier.presence else {
        let mut devices = console.drawer.devices.iter().flatten();
        let has_reported = courier.position.is_some() || devices.any(|device| device.last_seen_at.is_some());
        return text::no_presence(has_reported).to_owned();
    };
    text::presence(presence, console.at_ms, &console.locale)
}

fn last_position(console: &Console, courier: &Courier) -> String {
    let Some(position) = courier.position else { return "None yet".to_owned() };
    let ago = time::ago(console.at_ms - position.time_ms);
    match position.speed_mps.filter(|speed| *speed >= 1.0) {
        Some(speed_mps) => format!("{ago} · {}", text::speed(speed_mps, &console.locale)),
        None => format!("{ago} · standing"),
    }
}

/// The orders that are not in the plan: all of them until it is fetched, and those that failed.
fn orders_of(console: &Console, id: CourierId) -> Vec<Entry> {
    let ids = console.fleet.couriers.get(&id).map(|courier| courier.orders.as_slice()).unwrap_or_default();
    let planned: HashSet<_> =
        console.planning.view.iter().flat_map(|plan| &plan.stops).map(|stop| stop.order_id).collect();
    let unplanned = ids.iter().filter(|id| !planned.contains(id));
    let mut orders: Vec<_> = unplanned.filter_map(|id| console.fleet.orders.get(id)).collect();
    orders.sort_by_cached_key(|order| console.fleet.urgency(order, console.at_ms));
    let card = |order: &Order| {
        let (tone, badge) = text::badge(&console.fleet, order, console.at_ms);
        Entry {
            key: *order.id.as_uuid(),
            title: order.reference.clone(),
            line: order.details.as_ref().map(|details| details.dropoff.address.clone()).unwrap_or_default(),
            tone,
            badge,
            ..Entry::default()
        }
    };
    orders.into_iter().map(card).collect()
}

#[component]
fn Orders(id: CourierId) -> impl IntoView {
    let store = use_store();
    let orders = store.memo(Subject::Fleet | Subject::Clock | Subject::Plan, move |console| orders_of(console, id));
    let has_plan =
        store.memo(Subject::Plan, |console| console.planning.view.as_ref().is_some_and(|plan| !plan.stops.is_empty()));
    let card = move |row: Row| {
        let open = Intent::Open(Open::Order(OrderId::from_uuid(row.key)));
        view! {
            <li>
                <button type="button" class="card" on:click=move |_| store.send(open.clone())>
                    <span class="card-title" inner_html=live_text(row.title())></span>
                    <span class="badge" data-tone=row.tone() inner_html=live_text(row.badge())></span>
                    <span class="card-line" inner_html=live_text(row.line())></span>
                </button>
            </li>
        }
    };
    let has_orders = move || orders.with(|orders| !orders.is_empty());
    view! {
        <section aria-label="Orders" hidden=move || has_plan.get() && !has_orders()>
            <h3>"Orders"</h3>
            <p class="note" hidden=has_orders>"Free: no order at the moment."</p>
            <ul class="cards">
                <Entries entries=orders row=card />
            </ul>
        </section>
    }
}

/// The courier's phones and trackers; done are those that were revoked.
fn devices_of(console: &Console) -> Vec<Entry> {
    let devices = console.drawer.devices.iter().flatten().map(|device| {
        let is_done = device.revoked_at.is_some();
        let seen = device.last_seen_at.map(|at| time::ago(console.at_ms - at.timestamp_millis()));
        let client = device.client.as_deref().map_or("Has not reported yet", text::client);
        let line = match (is_done, seen) {
            (true, _) => "Revoked".to_owned(),
            (false, Some(seen)) => format!("{client} · {seen}"),
            (false, None) => client.to_owned(),
        };
        let trouble = text::device_trouble(device, console.at_ms).filter(|_| !is_done);
        let line = match trouble {
            Some(trouble) => format!("{line} · {trouble}"),
            None => line,
        };
        Entry { key: *device.id.as_uuid(), title: device.label.clone(), line, is_done, ..Entry::default() }
    });
    devices.collect()
}

#[component]
fn Devices() -> impl IntoView {
    let store = use_store();
    let devices = store.memo(Subject::Drawer | Subject::Clock, devices_of);
    let has_none = store.memo(Subject::Drawer, |console| console.drawer.devices.as_ref().is_some_and(Vec::is_empty));
    view! {
        <section aria-label="Phones and trackers">
            <h3>"Phones and trackers"</h3>
            <p class="note" hidden=move || !has_none.get()>
                "None yet. Invite a phone: the courier scans a QR code and is signed in."
            </p>
            <ul>
                <Entries entries=devices row=|device| view! { <Device device /> } />
            </ul>
        </section>
    }
}

#[component]
fn Device(device: Row) -> impl IntoView {
    let store = use_store();
    let (label, is_revoked) = (device.title(), device.is_done());
    let revoke = move |_| {
        let (id, label) = (DeviceId::from_uuid(device.key), device.title_now());
        store.send(CourierIntent::ConfirmRevoke { device: id, label });
    };
    view! {
        <li class="choice" data-revoked=move || is_revoked().then_some("")>
            <span class="choice-name" translate="no" inner_html=live_text(label)></span>
            <span class="choice-line" inner_html=live_text(device.line())></span>
            <button
                type="button"
                class="quiet"
                data-tone="bad"
                aria-label=move || format!("Revoke {}", label())
                hidden=is_revoked
                on:click=revoke
            >
                "Revoke"
            </button>
        </li>
    }
}
