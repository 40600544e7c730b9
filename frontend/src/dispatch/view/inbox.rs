//! The drawer when nothing is open: what needs a look, ranked; and what to do when nobody is there.

use leptos::prelude::*;

use super::{Desk, qr};
use crate::dispatch::{
    console::{Console, Intent},
    fleet::{Risk, Trouble},
    place::Open,
    words,
};

/// More than this nobody reads from top to bottom; the list on the left has all of them.
const MAX_CARDS: usize = 40;

/// Something that needs a look.
struct Card {
    tone: &'static str,
    title: String,
    line: String,
    open: Open,
}

pub fn inbox(desk: Desk) -> impl IntoView {
    let cards = move || desk.read(cards);
    let is_known = move || desk.read(|console| console.fleet.is_known);
    let is_alone = move || desk.read(|console| console.fleet.is_known && console.totals().live == 0);
    let app_url = format!("{}/courier", crate::live::listen::window().location().origin().unwrap_or_default());
    let code = qr::source(&app_url);
    view! {
        <div class="open inbox">
            <section aria-label="No couriers online" hidden=move || !is_alone()>
                <h2>"No couriers online"</h2>
                <p class="note">
                    "Couriers open this address on their phone and go online. Somebody new needs an invitation first: open Couriers and add them."
                </p>
                <img class="code" src=code alt="QR code of the courier app" />
                <p class="address">{app_url}</p>
                <div class="actions">
                    <button type="button" class="quiet" on:click=move |_| desk.did(Intent::CourierForm(None))>
                        "Add courier"
                    </button>
                </div>
            </section>
            <h2 hidden=is_alone>"Needs attention"</h2>
            <p class="note" hidden=move || !is_known() || !cards().is_empty() || is_alone()>
                "Nothing. Late orders, silent phones and failed deliveries appear here, the worst first."
            </p>
            <ul class="cards">
                {move || cards().into_iter().map(|card| view! {
                    <li>
                        <button type="button" class="card" data-tone=card.tone on:click=move |_| desk.did(Intent::Open(card.open))>
                            <span class="card-title">{card.title}</span>
                            <span class="card-line">{card.line}</span>
                        </button>
                    </li>
                }).collect_view()}
            </ul>
        </div>
    }
}

fn cards(console: &Console) -> Vec<Card> {
    let (fleet, at_ms) = (&console.fleet, console.at_ms);
    let alerts = fleet.alerts.iter().filter_map(|alert| {
        let open = alert.order_id.map(Open::Order).or(alert.courier_id.map(Open::Courier))?;
        let title = words::alert(fleet, alert, at_ms);
        Some(Card { tone: "bad", title, line: String::new(), open })
    });
    let mut risky: Vec<_> =
        fleet.orders.values().filter_map(|order| Some((order, fleet.risk(order, at_ms)?))).collect();
    risky.sort_by_cached_key(|(order, _)| fleet.urgency(order, at_ms));
    let risks = risky.into_iter().map(|(order, risk)| {
        let courier = order.courier_id.and_then(|id| fleet.couriers.get(&id)).map(|courier| courier.name.clone());
        let who = courier.clone().unwrap_or_else(|| "Nobody".to_owned());
        let (tone, badge) = words::badge(fleet, order, at_ms);
        let title = match risk {
            Risk::Failed => format!("{} could not be delivered", order.reference),
            Risk::Late { .. } | Risk::Tight { .. } => format!("{} · {}", order.reference, badge.to_lowercase()),
            Risk::Courier(Trouble::Silent { .. }) => format!("{who} · {}", badge.to_lowercase()),
            Risk::Courier(Trouble::Paused { reason, .. }) => format!("{who} · {}", words::pause_reason(reason)),
        };
        let line = match risk {
            Risk::Courier(_) => format!("has {}", order.reference),
            Risk::Failed => format!("{who} had it. Bring it back, or cancel it."),
            _ => courier.map_or_else(|| "No courier yet".to_owned(), |name| format!("{name} has it")),
        };
        Card { tone, title, line, open: Open::Order(order.id) }
    });
    alerts.chain(risks).take(MAX_CARDS).collect()
}
