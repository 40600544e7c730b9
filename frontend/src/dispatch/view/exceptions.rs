//! Cards of exceptions: each opens what it is about, is replayed, or acknowledged.

use doorstep_shared::{
    CourierId, ExceptionId, OrderId, OrderStatus,
    api::exception::{ExceptionCode, ExceptionView},
};
use leptos::prelude::*;
use uuid::Uuid;

use super::{icon::Icon, keyed::Keyed};
use crate::{
    dispatch::{
        console::{Console, Deed, InboxIntent, Intent, Item, OrderIntent, Subject},
        route::{Open, Span},
        store::use_store,
        text,
    },
    ui::bind::live_text,
};

/// An exception as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    id: ExceptionId,
    courier: Option<CourierId>,
    tone: &'static str,
    code: &'static str,
    title: String,
    /// What stands below the title.
    line: String,
    /// What to do about it.
    next: &'static str,
    step: Option<(&'static str, OrderId)>,
    acknowledgement: Option<String>,
    is_busy: bool,
    open: Option<Open>,
    replay: Option<Open>,
}

impl Card {
    pub fn of(console: &Console, exception: &ExceptionView) -> Self {
        let (title, line) = text::exception(&console.fleet, exception, console.at_ms, &console.locale);
        let when = text::exception_time(exception, console.at_ms, &console.locale);
        let span = Span::around(exception.since.timestamp_millis());
        Self {
            id: exception.id,
            courier: exception.courier_id,
            tone: text::exception_tone(exception),
            code: exception.code.as_str(),
            title,
            line: [line, when].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · "),
            next: text::next_step(exception),
            step: exception.order_id.and_then(|order| Some((step(console, exception, order)?, order))),
            acknowledgement: text::acknowledgement(exception, console.at_ms, &console.locale),
            is_busy: console.inbox.busy.contains(&exception.id),
            open: exception.order_id.map(Open::Order).or(exception.courier_id.map(Open::Courier)),
            replay: exception.courier_id.map(|courier| Open::Replay(courier, span)),
        }
    }
}

/// The button for the next step.
fn step(console: &Console, exception: &ExceptionView, order: OrderId) -> Option<&'static str> {
    let status = console.fleet.orders.get(&order).map(|order| order.status);
    match exception.code {
        ExceptionCode::GivenBack if status == Some(OrderStatus::Created) => Some(ASSIGN),
        ExceptionCode::NotReady if status.is_some_and(|status| Deed::Unassign.is_offered(status)) => Some(UNASSIGN),
        ExceptionCode::LateReport => Some(OPEN),
        ExceptionCode::DoorElsewhere if exception.acknowledged_at.is_none() => Some(PIN),
        _ => None,
    }
}

const ASSIGN: &str = "Assign";
const UNASSIGN: &str = "Unassign";
const OPEN: &str = "Open the order";
const PIN: &str = "Pin the address there";

/// The open exceptions about an order or a courier, on their own screens.
#[component]
pub fn ExceptionsOf(
    #[prop(optional)] order: Option<OrderId>,
    #[prop(optional)] courier: Option<CourierId>,
) -> impl IntoView {
    let is_about = move |exception: &&ExceptionView| {
        order.is_some_and(|id| exception.order_id == Some(id))
            || courier.is_some_and(|id| exception.courier_id == Some(id))
    };
    let cards = use_store().memo(Subject::Inbox | Subject::Clock | Subject::Fleet, move |console| {
        let open = console.inbox.open.iter().flatten().filter(is_about);
        // What it is about is open already.
        open.map(|exception| Card { open: None, ..Card::of(console, exception) }).collect::<Vec<_>>()
    });
    view! {
        <section aria-label="Needs attention" hidden=move || cards.with(Vec::is_empty)>
            <h3>"Needs attention"</h3>
            <Cards cards />
        </section>
    }
}

#[component]
pub fn Cards(cards: Memo<Vec<Card>>) -> impl IntoView {
    let keys = Memo::new(move |_| cards.with(|cards| cards.iter().map(|card| *card.id.as_uuid()).collect::<Vec<_>>()));
    view! {
        <ul class="cards">
            <Keyed keys row=move |key| view! { <ExceptionCard card=follow(cards, key) /> } />
        </ul>
    }
}

/// The card of this exception. One that is about to go keeps its last content.
fn follow(cards: Memo<Vec<Card>>, key: Uuid) -> Memo<Card> {
    Memo::new(move |before: Option<&Card>| {
        let found = cards.with(|cards| cards.iter().find(|card| card.id.as_uuid() == &key).cloned());
        found.or_else(|| before.cloned()).expect("a row is drawn for a key of the cards")
    })
}

#[component]
fn ExceptionCard(card: Memo<Card>) -> impl IntoView {
    let store = use_store();
    let hover = move |_| store.send(Intent::Hover(card.with_untracked(|card| card.courier.map(Item::Courier))));
    let open = move |_| {
        if let Some(open) = card.with_untracked(|card| card.open) {
            store.send(Intent::Open(open));
        }
    };
    view! {
        <li
            class="alert"
            data-tone=move || card.with(|card| card.tone)
            data-code=move || card.with(|card| card.code)
            on:mouseenter=hover
            on:mouseleave=move |_| store.send(Intent::Hover(None))
        >
            <button type="button" class="alert-open" disabled=move || card.with(|card| card.open.is_none()) on:click=open>
                <span class="card-title" inner_html=live_text(move || card.with(|card| card.title.clone()))></span>
                <span class="card-line" inner_html=live_text(move || card.with(|card| card.line.clone()))></span>
            </button>
            <p class="card-line" inner_html=live_text(move || card.with(|card| card.next))></p>
            <p
                class="card-line acknowledged"
                inner_html=live_text(move || card.with(|card| card.acknowledgement.clone().unwrap_or_default()))
            ></p>
            <ExceptionActions card />
        </li>
    }
}

#[component]
fn ExceptionActions(card: Memo<Card>) -> impl IntoView {
    let store = use_store();
    let id = card.with_untracked(|card| card.id);
    let label = move |action: &'static str| move || card.with(|card| format!("{action}: {}", card.title));
    let is_acknowledged = move || card.with(|card| card.acknowledgement.is_some());
    let replay = move |_| {
        if let Some(replay) = card.with_untracked(|card| card.replay) {
            store.send(Intent::Open(replay));
        }
    };
    let take_step = move |_| match card.with_untracked(|card| card.step) {
        Some((PIN, _)) => store.send(InboxIntent::TakeDoor(id)),
        Some((UNASSIGN, order)) => store.send(OrderIntent::Ask { order, deed: Deed::Unassign }),
        // An order without a courier opens with the couriers to choose from.
        Some((_, order)) => store.send(Intent::Open(Open::Order(order))),
        None => {}
    };
    let step = move || card.with(|card| card.step.map(|(name, _)| name).unwrap_or_default());
    view! {
        <div class="actions">
            <button
                type="button"
                class="quiet small"
                aria-label=move || label(step())()
                hidden=move || step().is_empty()
                on:click=take_step
                inner_html=live_text(step)
            ></button>
            <button
                type="button"
                class="quiet small"
                aria-label=label("Replay 10 min")
                hidden=move || card.with(|card| card.replay.is_none())
                on:click=replay
            >
                "Replay 10 min"
            </button>
            <button
                type="button"
                class="quiet small"
                id=format!("acknowledge-{id}")
                aria-label=label("Acknowledge")
                hidden=is_acknowledged
                aria-disabled=move || card.with(|card| card.is_busy).to_string()
                on:click=move |_| store.send(InboxIntent::Acknowledge(id))
            >
                "Acknowledge"
            </button>
            <button
                type="button"
                class="quiet small"
                aria-label=label("Acknowledge with a note")
                title="Acknowledge with a note"
                hidden=is_acknowledged
                on:click=move |_| store.send(InboxIntent::WriteNote(id))
            >
                <Icon name="note" />
            </button>
        </div>
    }
}
