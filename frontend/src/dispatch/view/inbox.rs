//! The drawer when nothing is open: what needs a look, ranked, each to be taken care of or replayed; and what to do when
//! nobody is there.

use doorstep_shared::{
    CourierId, ExceptionId, OrderId,
    api::exception::{ExceptionState, ExceptionView},
};
use leptos::prelude::*;

use super::{Desk, icon::icon, qr};
use crate::dispatch::{
    console::{Console, Intent, Item},
    fleet::Risk,
    place::{Open, Span},
    words,
};

/// More than this nobody reads from top to bottom; the list on the left has all of them.
const MAX_DUE: usize = 20;

/// An exception as it is drawn.
struct Card {
    id: ExceptionId,
    courier: Option<CourierId>,
    tone: &'static str,
    code: &'static str,
    title: String,
    line: String,
    when: String,
    acknowledgement: Option<String>,
    is_busy: bool,
    open: Option<Open>,
    replay: Option<Open>,
}

pub fn inbox(desk: Desk) -> impl IntoView {
    view! {
        <div class="open inbox">
            {nobody(desk)}
            {exceptions(desk)}
            {decisions(desk)}
            {due_soon(desk)}
        </div>
    }
}

/// What an empty console teaches.
fn nobody(desk: Desk) -> impl IntoView {
    let is_alone = move || desk.read(is_alone);
    let app_url = format!("{}/courier", crate::live::listen::window().location().origin().unwrap_or_default());
    let code = qr::source(&app_url);
    view! {
        <section aria-label="No couriers online" hidden=move || !is_alone()>
            <h2>"No couriers online"</h2>
            <p class="note">
                "Couriers open this address on their phone and go online. Somebody new needs an invitation first: add them, then invite their phone."
            </p>
            <img class="code" src=code alt="QR code of the courier app" />
            <p class="address">{app_url}</p>
            <div class="actions">
                <button type="button" class="quiet" on:click=move |_| desk.did(Intent::CourierForm(None))>
                    "Add courier"
                </button>
            </div>
        </section>
    }
}

fn is_alone(console: &Console) -> bool {
    console.fleet.is_known && console.totals().live == 0
}

fn exceptions(desk: Desk) -> impl IntoView {
    let cards = move || {
        desk.read(|console| console.inbox.shown.iter().flatten().map(|one| card(console, one)).collect::<Vec<_>>())
    };
    let is_empty = move || desk.read(|console| console.inbox.shown.as_ref().is_some_and(Vec::is_empty));
    let is_waiting = move || desk.read(|console| console.inbox.shown.is_none() && console.inbox.problem.is_none());
    let problem = move || desk.read(|console| console.inbox.problem.clone()).unwrap_or_default();
    let said = move || {
        desk.read(|console| match console.place.inbox {
            ExceptionState::Open => {
                "Nothing. Late orders, silent phones, couriers off their way and deliveries far from the door appear here, the worst first."
            }
            ExceptionState::All => "Nothing has needed a look so far.",
        })
    };
    view! {
        <section aria-labelledby="inbox">
            <div class="inbox-head">
                <h2 id="inbox" tabindex="-1">"Needs attention"</h2>
                <div class="shelves" role="group" aria-label="Which ones">
                    {shelf(desk, ExceptionState::Open, "Open")}
                    {shelf(desk, ExceptionState::All, "All")}
                </div>
            </div>
            <p class="problem" role="alert" hidden=move || problem().is_empty()>{problem}</p>
            <p class="note" hidden=move || !is_empty()>{said}</p>
            <div class="skeleton" aria-hidden="true" hidden=move || !is_waiting()>
                {(0..2).map(|_| view! { <div class="bone"><span></span><span></span></div> }).collect_view()}
            </div>
            <ul class="cards">{move || cards().into_iter().map(|card| drawn(desk, card)).collect_view()}</ul>
            <button
                type="button"
                class="quiet"
                hidden=move || desk.read(|console| console.inbox.next_cursor.is_none())
                on:click=move |_| desk.did(Intent::MoreExceptions)
            >
                "Show more"
            </button>
        </section>
    }
}

fn shelf(desk: Desk, state: ExceptionState, name: &'static str) -> impl IntoView {
    view! {
        <button
            type="button"
            class="chip"
            aria-pressed=move || desk.read(|console| console.place.inbox == state).to_string()
            on:click=move |_| desk.did(Intent::Shelf(state))
        >
            {name}
        </button>
    }
}

/// What is open about an order or a courier, for their own screens.
pub fn exceptions_of(desk: Desk, order: Option<OrderId>, courier: Option<CourierId>) -> impl IntoView {
    let cards = move || {
        desk.read(|console| {
            let is_about = |one: &&ExceptionView| {
                order.is_some_and(|id| one.order_id == Some(id)) || courier.is_some_and(|id| one.courier_id == Some(id))
            };
            let open = console.inbox.open.iter().flatten().filter(is_about);
            open.map(|one| Card { open: None, ..card(console, one) }).collect::<Vec<_>>()
        })
    };
    view! {
        <section aria-label="Needs attention" hidden=move || cards().is_empty()>
            <h3>"Needs attention"</h3>
            <ul class="cards">{move || cards().into_iter().map(|card| drawn(desk, card)).collect_view()}</ul>
        </section>
    }
}

fn card(console: &Console, exception: &ExceptionView) -> Card {
    let (title, line) = words::exception(exception, console.at_ms);
    let span = Span::around(exception.since.timestamp_millis());
    Card {
        id: exception.id,
        courier: exception.courier_id,
        tone: words::exception_tone(exception),
        code: exception.code.as_str(),
        title,
        line,
        when: words::exception_time(exception, &console.locale),
        acknowledgement: words::acknowledgement(exception, &console.locale),
        is_busy: console.inbox.busy.contains(&exception.id),
        open: exception.order_id.map(Open::Order).or(exception.courier_id.map(Open::Courier)),
        replay: exception.courier_id.map(|courier| Open::Replay(courier, span)),
    }
}

fn drawn(desk: Desk, card: Card) -> impl IntoView {
    let Card { id, courier, tone, code, title, line, when, acknowledgement, is_busy, open, replay } = card;
    let is_open = acknowledgement.is_none();
    let [acknowledges, notes, replays] =
        ["Acknowledge", "Acknowledge with a note", "Replay 10 min"].map(|does| format!("{does}: {title}"));
    let below = [line, when].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ");
    view! {
        <li
            class="alert"
            data-tone=tone
            data-code=code
            on:mouseenter=move |_| desk.did(Intent::Hover(courier.map(Item::Courier)))
            on:mouseleave=move |_| desk.did(Intent::Hover(None))
        >
            <button
                type="button"
                class="alert-open"
                disabled=open.is_none()
                on:click=move |_| if let Some(open) = open {
                    desk.did(Intent::Open(open));
                }
            >
                <span class="card-title">{title}</span>
                <span class="card-line">{below}</span>
            </button>
            <p class="card-line acknowledged">{acknowledgement}</p>
            <div class="actions">
                <button
                    type="button"
                    class="quiet small"
                    aria-label=replays
                    hidden=replay.is_none()
                    on:click=move |_| if let Some(replay) = replay {
                        desk.did(Intent::Open(replay));
                    }
                >
                    "Replay 10 min"
                </button>
                <button
                    type="button"
                    class="quiet small"
                    aria-label=acknowledges
                    hidden=!is_open
                    aria-disabled=is_busy.to_string()
                    on:click=move |_| desk.did(Intent::Acknowledge(id))
                >
                    "Acknowledge"
                </button>
                <button
                    type="button"
                    class="quiet small"
                    aria-label=notes
                    title="Acknowledge with a note"
                    hidden=!is_open
                    on:click=move |_| desk.did(Intent::AskNote(id))
                >
                    {icon("note")}
                </button>
            </div>
        </li>
    }
}

/// Orders that could not be delivered: a decision, not something to acknowledge.
fn decisions(desk: Desk) -> impl IntoView {
    let orders = move || {
        desk.read(|console| {
            let mut failed: Vec<_> = console.failed_orders().collect();
            failed.sort_by_key(|order| order.status_at_ms);
            let courier = |id: Option<CourierId>| id.and_then(|id| console.fleet.couriers.get(&id));
            let line = |id| {
                let who = courier(id).map_or("Nobody", |courier| &courier.name);
                format!("{who} had it. Bring it back, or cancel it.")
            };
            let told = failed
                .into_iter()
                .map(|order| (order.id, format!("{} could not be delivered", order.reference), line(order.courier_id)));
            told.collect::<Vec<_>>()
        })
    };
    orders_section(desk, "Waiting for a decision", "bad", orders)
}

/// Orders whose promise ends soon, with the goods not on their way.
fn due_soon(desk: Desk) -> impl IntoView {
    let orders = move || {
        desk.read(|console| {
            let (fleet, at_ms) = (&console.fleet, console.at_ms);
            let is_tight = |order: &&_| matches!(fleet.risk(order, at_ms), Some(Risk::Tight { .. }));
            let mut tight: Vec<_> = fleet.orders.values().filter(is_tight).collect();
            tight.sort_by_cached_key(|order| fleet.urgency(order, at_ms));
            let told = tight.into_iter().take(MAX_DUE).map(|order| {
                let (_, badge) = words::badge(fleet, order, at_ms);
                let courier = order.courier_id.and_then(|id| fleet.couriers.get(&id));
                let line =
                    courier.map_or_else(|| "No courier yet".to_owned(), |courier| format!("{} has it", courier.name));
                (order.id, format!("{} · {}", order.reference, badge.to_lowercase()), line)
            });
            told.collect::<Vec<_>>()
        })
    };
    orders_section(desk, "Due soon", "warn", orders)
}

fn orders_section(
    desk: Desk,
    name: &'static str,
    tone: &'static str,
    orders: impl Fn() -> Vec<(OrderId, String, String)> + Copy + Send + Sync + 'static,
) -> impl IntoView {
    view! {
        <section aria-label=name hidden=move || orders().is_empty()>
            <h3>{name}</h3>
            <ul class="cards">
                {move || orders().into_iter().map(|(id, title, line)| view! {
                    <li>
                        <button type="button" class="card" data-tone=tone on:click=move |_| desk.did(Intent::Open(Open::Order(id)))>
                            <span class="card-title">{title}</span>
                            <span class="card-line">{line}</span>
                        </button>
                    </li>
                }).collect_view()}
            </ul>
        </section>
    }
}
