//! A courier in the drawer: where they are, with which phones, and what they have.

use doorstep_shared::{CourierId, api::DeviceView};
use leptos::prelude::*;

use super::{Desk, drawer_head, fact, inbox::exceptions_of, problem};
use crate::{
    dispatch::{
        console::{Console, Intent},
        fleet::Courier,
        place::{Open, Span},
        words,
    },
    ui::time,
};

pub fn courier(desk: Desk, id: CourierId) -> impl IntoView {
    let text = move |words: fn(&Console, &Courier) -> String| {
        move || {
            desk.read(|console| {
                console.fleet.couriers.get(&id).map(|courier| words(console, courier)).unwrap_or_default()
            })
        }
    };
    let badge = move || {
        desk.read(|console| {
            let courier = console.fleet.couriers.get(&id)?;
            Some(words::courier_badge(&console.fleet, courier, console.at_ms))
        })
    };
    let phone = move || desk.read(|console| console.drawer.courier.as_ref().and_then(|courier| courier.phone.clone()));
    let is_following = move || desk.read(|console| console.drawer.is_following);
    view! {
        <div class="open" data-courier=id.to_string()>
            <span class="badge" data-tone=move || badge().map_or("quiet", |(tone, _)| tone)>
                {move || badge().map_or("Not known yet", |(_, words)| words)}
            </span>
            {drawer_head(desk, move || desk.read(|console| name(console, id)))}
            {problem(desk)}
            <dl class="facts">
                {fact("Presence", text(|console, courier| words::presence(courier.presence, &console.locale)))}
                {fact("Last seen", text(last_position))}
                {fact("Battery", text(|_, courier| courier.battery.map(words::battery).unwrap_or_default()))}
                {fact("Rides", text(|_, courier| words::vehicle(courier.vehicle).to_owned()))}
                <div class="fact" hidden=move || phone().is_none()>
                    <dt>"Phone"</dt>
                    <dd>
                        <a href=move || format!("tel:{}", phone().unwrap_or_default())>{move || phone().unwrap_or_default()}</a>
                    </dd>
                </div>
            </dl>
            <div class="actions">
                <button
                    type="button"
                    class="quiet"
                    aria-pressed=move || is_following().to_string()
                    on:click=move |_| desk.did(Intent::Follow(!desk.peek(|console| console.drawer.is_following)))
                >
                    {move || if is_following() { "Following" } else { "Follow" }}
                </button>
                <button type="button" class="quiet" on:click=move |_| desk.did(Intent::Open(Open::Replay(id, Span::Today)))>
                    "Replay"
                </button>
                <button type="button" class="quiet" on:click=move |_| desk.did(Intent::CourierForm(Some(id)))>
                    "Edit"
                </button>
                <button
                    type="button"
                    class="quiet"
                    disabled=move || desk.read(|console| console.drawer.is_busy)
                    on:click=move |_| desk.did(Intent::Invite(id))
                >
                    "Invite a phone"
                </button>
            </div>
            {exceptions_of(desk, None, Some(id))}
            {orders(desk, id)}
            {devices(desk)}
        </div>
    }
}

fn name(console: &Console, id: CourierId) -> String {
    console.fleet.couriers.get(&id).map_or_else(|| "Courier".to_owned(), |courier| courier.name.clone())
}

fn last_position(console: &Console, courier: &Courier) -> String {
    let Some(position) = courier.position else { return "None yet".to_owned() };
    let ago = time::ago(console.at_ms - position.time_ms);
    match position.speed_mps.filter(|speed| *speed >= 1.0) {
        Some(speed_mps) => {
            let (speed, unit) =
                if console.locale.miles { (speed_mps * 2.237, "mph") } else { (speed_mps * 3.6, "km/h") };
            format!("{ago} · {speed:.0} {unit}")
        }
        None => format!("{ago} · standing"),
    }
}

fn orders(desk: Desk, id: CourierId) -> impl IntoView {
    let orders = move || {
        desk.read(|console| {
            let ids = console.fleet.couriers.get(&id).map(|courier| courier.orders.clone()).unwrap_or_default();
            let mut orders: Vec<_> = ids.iter().filter_map(|id| console.fleet.orders.get(id)).collect();
            orders.sort_by_cached_key(|order| console.fleet.urgency(order, console.at_ms));
            let told = orders.into_iter().map(|order| {
                let door = order.details.as_ref().map(|details| details.dropoff.address.clone()).unwrap_or_default();
                let (tone, badge) = words::badge(&console.fleet, order, console.at_ms);
                (order.id, order.reference.clone(), door, tone, badge)
            });
            told.collect::<Vec<_>>()
        })
    };
    view! {
        <section aria-label="Orders">
            <h3>"Orders"</h3>
            <p class="note" hidden=move || !orders().is_empty()>"Free: no order at the moment."</p>
            <ul class="cards">
                {move || {
                    let card = |(id, reference, door, tone, badge)| {
                        view! {
                            <li>
                                <button type="button" class="card" on:click=move |_| desk.did(Intent::Open(Open::Order(id)))>
                                    <span class="card-title">{reference}</span>
                                    <span class="badge" data-tone=tone>{badge}</span>
                                    <span class="card-line">{door}</span>
                                </button>
                            </li>
                        }
                    };
                    orders().into_iter().map(card).collect_view()
                }}
            </ul>
        </section>
    }
}

fn devices(desk: Desk) -> impl IntoView {
    let devices = move || desk.read(|console| console.drawer.devices.clone());
    let told = move |device: DeviceView| {
        let (seen, is_revoked) = desk.peek(|console| {
            let seen = device.last_seen_at.map(|at| time::ago(console.at_ms - at.timestamp_millis()));
            (seen, device.revoked_at.is_some())
        });
        let client = device.client.as_deref().map(words::client).unwrap_or("Has not reported yet").to_owned();
        let line = match (is_revoked, seen) {
            (true, _) => "Revoked".to_owned(),
            (false, Some(seen)) => format!("{client} · {seen}"),
            (false, None) => client,
        };
        let (id, label) = (device.id, device.label.clone());
        let name = format!("Revoke {label}");
        view! {
            <li class="choice" data-revoked=is_revoked.then_some("")>
                <span class="choice-name">{device.label}</span>
                <span class="choice-line">{line}</span>
                <button
                    type="button"
                    class="quiet"
                    data-tone="bad"
                    aria-label=name
                    hidden=is_revoked
                    on:click=move |_| desk.did(Intent::AskRevoke { device: id, label: label.clone() })
                >
                    "Revoke"
                </button>
            </li>
        }
    };
    view! {
        <section aria-label="Phones and trackers">
            <h3>"Phones and trackers"</h3>
            <p class="note" hidden=move || devices().is_none_or(|devices| !devices.is_empty())>
                "None yet. Invite a phone: the courier scans a QR code and is signed in."
            </p>
            <ul>{move || devices().into_iter().flatten().map(told).collect_view()}</ul>
        </section>
    }
}
