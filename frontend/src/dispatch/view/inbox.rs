//! The drawer while nothing is open: what needs attention, the worst first, and what to do when no courier is online.

use doorstep_shared::{CourierId, OrderId, api::exception::ExceptionState};
use leptos::prelude::*;

use super::{
    exceptions::{Card, Cards},
    keyed::{Entries, Entry, Row, is_empty},
    parts::{Alert, Problem, Skeleton},
    qr,
};
use crate::{
    dispatch::{
        console::{Console, CourierIntent, InboxIntent, Intent, Subject},
        fleet::{Order, Risk, is_live},
        route::Open,
        store::use_store,
        text,
    },
    ui::bind::{live_text, live_value},
};

/// A dispatcher does not read more than this from top to bottom; the list on the left has all of them.
const MAX_DUE: usize = 20;

#[component]
pub fn InboxDrawer() -> impl IntoView {
    let store = use_store();
    let decisions = store.memo(Subject::Fleet, failed_orders);
    let due_soon = store.memo(Subject::Fleet | Subject::Clock, due_soon);
    view! {
        <div class="open inbox">
            <Problem />
            <NobodyOnline />
            <Exceptions />
            <OrderCards name="Waiting for a decision" tone="bad" orders=decisions />
            <OrderCards name="Due soon" tone="warn" orders=due_soon />
        </div>
    }
}

/// How couriers come online, while none is.
#[component]
fn NobodyOnline() -> impl IntoView {
    let store = use_store();
    let is_alone = store.memo(Subject::Fleet | Subject::Clock | Subject::Connection, |console| {
        let is_current = console.fleet.is_known && console.connection.is_current();
        is_current && !console.fleet.couriers.values().any(|courier| is_live(courier, console.at_ms))
    });
    let app_url = format!("{}/courier", crate::live::listen::window().location().origin().unwrap_or_default());
    let code = qr::source(&app_url);
    view! {
        <section aria-label="No couriers online" hidden=move || !is_alone.get()>
            <h2>"No couriers online"</h2>
            <p class="note">
                "Couriers open this address on their phone and go online. Somebody new needs an invitation first: add them, then invite their phone."
            </p>
            <img class="code" src=code alt="QR code of the courier app" />
            <p class="address" translate="no">{app_url}</p>
            <div class="actions">
                <button type="button" class="quiet" on:click=move |_| store.send(CourierIntent::Edit(None))>
                    "Add courier"
                </button>
            </div>
        </section>
    }
}

#[component]
fn Exceptions() -> impl IntoView {
    let store = use_store();
    let cards = store.memo(Subject::Inbox | Subject::Clock | Subject::Fleet, |console| {
        console.inbox.shown.iter().flatten().map(|exception| Card::of(console, exception)).collect::<Vec<_>>()
    });
    let has_none = store.memo(Subject::Inbox, |console| console.inbox.shown.as_ref().is_some_and(Vec::is_empty));
    let is_waiting =
        store.memo(Subject::Inbox, |console| console.inbox.shown.is_none() && console.inbox.problem.is_none());
    let problem = store.memo(Subject::Inbox, |console| console.inbox.problem.clone().unwrap_or_default());
    let has_more = store.memo(Subject::Inbox, |console| console.inbox.next_cursor.is_some());
    let empty = store.memo(Subject::Route, |console| match console.route.inbox {
        ExceptionState::Open => {
            "Nothing. Late orders, orders given back or not ready, late reports, silent phones, couriers off their way and deliveries far from the door appear here, the worst first."
        }
        ExceptionState::All => "Nothing has needed a look so far.",
    });
    view! {
        <section aria-labelledby="inbox">
            <div class="inbox-head">
                <h2 id="inbox" tabindex="-1">"Needs attention"</h2>
                <div class="shelves" role="group" aria-label="Which ones">
                    <StateChip state=ExceptionState::Open name="Open" />
                    <StateChip state=ExceptionState::All name="All" />
                </div>
            </div>
            <Alert text=problem />
            <p class="note" hidden=move || !has_none.get() inner_html=live_value(empty)></p>
            <Skeleton rows=2 is_shown=is_waiting />
            <Cards cards />
            <button
                type="button"
                class="quiet"
                hidden=move || !has_more.get()
                on:click=move |_| store.send(InboxIntent::More)
            >
                "Show more"
            </button>
        </section>
    }
}

/// Chooses the open exceptions, or all.
#[component]
fn StateChip(state: ExceptionState, name: &'static str) -> impl IntoView {
    let store = use_store();
    let is_chosen = store.memo(Subject::Route, move |console| console.route.inbox == state);
    view! {
        <button
            type="button"
            class="chip"
            aria-pressed=move || is_chosen.get().to_string()
            on:click=move |_| store.send(InboxIntent::State(state))
        >
            {name}
        </button>
    }
}

/// Orders that could not be delivered: they need a decision, not an acknowledgement.
fn failed_orders(console: &Console) -> Vec<Entry> {
    let mut failed: Vec<_> = console.failed_orders().collect();
    failed.sort_by_key(|order| order.status_at_ms);
    let card = |order: &Order| {
        let who = courier_name(console, order.courier_id).unwrap_or("Nobody");
        Entry {
            key: *order.id.as_uuid(),
            title: format!("{} could not be delivered", order.reference),
            line: format!("{who} had it. Try again, bring it back, or cancel it."),
            ..Entry::default()
        }
    };
    failed.into_iter().map(card).collect()
}

/// Orders whose promise ends soon, with the goods not picked up.
fn due_soon(console: &Console) -> Vec<Entry> {
    let (fleet, at_ms) = (&console.fleet, console.at_ms);
    let is_tight = |order: &&_| matches!(fleet.risk(order, at_ms), Some(Risk::Tight { .. }));
    let mut tight: Vec<_> = fleet.orders.values().filter(is_tight).collect();
    tight.sort_by_cached_key(|order| fleet.urgency(order, at_ms));
    let card = |order: &Order| {
        let name = courier_name(console, order.courier_id);
        Entry {
            key: *order.id.as_uuid(),
            title: format!("{} · {}", order.reference, text::badge(fleet, order, at_ms).1.to_lowercase()),
            line: name.map_or_else(|| "No courier yet".to_owned(), |name| format!("{name} has it")),
            ..Entry::default()
        }
    };
    tight.into_iter().take(MAX_DUE).map(card).collect()
}

fn courier_name(console: &Console, id: Option<CourierId>) -> Option<&str> {
    Some(&console.fleet.couriers.get(&id?)?.name)
}

#[component]
fn OrderCards(name: &'static str, tone: &'static str, orders: Memo<Vec<Entry>>) -> impl IntoView {
    let store = use_store();
    let card = move |row: Row| {
        let open = Intent::Open(Open::Order(OrderId::from_uuid(row.key)));
        view! {
            <li>
                <button type="button" class="card" data-tone=tone on:click=move |_| store.send(open.clone())>
                    <span class="card-title" inner_html=live_text(row.title())></span>
                    <span class="card-line" inner_html=live_text(row.line())></span>
                </button>
            </li>
        }
    };
    view! {
        <section aria-label=name hidden=is_empty(orders)>
            <h3>{name}</h3>
            <ul class="cards">
                <Entries entries=orders row=card />
            </ul>
        </section>
    }
}
