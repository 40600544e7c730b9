//! An order in the drawer: how it stands, who has it, what can be done.

use doorstep_shared::{
    CourierId, OrderId, OrderStatus,
    api::{OrderView, console::CourierSuggestion, proof::ProofKind},
};
use leptos::prelude::*;

use super::{Desk, drawer_head, fact, inbox::exceptions_of, list, problem};
use crate::{
    dispatch::{
        console::{Console, Intent},
        fleet::Order,
        place::{Open, Span},
        words,
    },
    ui::time,
};

/// Statuses that a dispatcher may set by hand, in the order of a delivery's life.
const SETTABLE: [OrderStatus; 7] = [
    OrderStatus::AtPickup,
    OrderStatus::PickedUp,
    OrderStatus::AtDropoff,
    OrderStatus::Delivered,
    OrderStatus::Failed,
    OrderStatus::Returned,
    OrderStatus::Cancelled,
];

/// So many couriers to choose from are shown.
const MAX_CHOICES: usize = 8;

pub fn order(desk: Desk, id: OrderId) -> impl IntoView {
    let known = move |console: &Console| console.fleet.orders.get(&id).cloned();
    let text = move |words: fn(&Console, &Order) -> String| {
        move || desk.read(|console| known(console).map(|order| words(console, &order)).unwrap_or_default())
    };
    let detail = move |words: fn(&OrderView) -> String| {
        move || {
            desk.read(|console| {
                let details = console.fleet.orders.get(&id).and_then(|order| order.details.clone());
                details.map(|details| words(&details)).unwrap_or_default()
            })
        }
    };
    let status = move || desk.read(|console| known(console).map(|order| order.status));
    let badge =
        move || desk.read(|console| known(console).map(|order| words::badge(&console.fleet, &order, console.at_ms)));
    let is_missing = move || desk.read(|console| console.drawer.is_missing);
    let is_open_order = move || status().is_some_and(|status| !status.is_final());
    view! {
        <div class="open" hidden=move || !is_missing()>
            {drawer_head(desk, || "No such order".to_owned())}
            <p class="note">"It may have been removed, or the address is not complete."</p>
        </div>
        <div class="open" data-order=id.to_string() hidden=is_missing>
            <span class="badge" data-tone=move || badge().map_or("quiet", |(tone, _)| tone)>
                {move || badge().map_or_else(|| "Fetching…".to_owned(), |(_, words)| words)}
            </span>
            {drawer_head(desk, move || desk.read(|console| known(console).map_or("Order".to_owned(), |order| title(console, &order))))}
            {problem(desk)}
            <dl class="facts">
                {fact("Arrives", text(arrives))}
                {fact("Door", detail(|order| order.dropoff.address.clone()))}
                {fact("Note", detail(|order| order.dropoff.instructions.clone().unwrap_or_default()))}
                {fact("From", detail(|order| order.pickup.address.clone()))}
                {fact("Customer", detail(customer))}
                {fact("Courier", text(courier))}
                {fact("Asks for", detail(asks_for))}
            </dl>
            <div class="actions">
                <button
                    type="button"
                    class=move || if status() == Some(OrderStatus::Created) { "primary" } else { "quiet" }
                    hidden=move || !is_open_order() || status() == Some(OrderStatus::Failed)
                    aria-expanded=move || desk.read(|console| console.drawer.is_assigning).to_string()
                    aria-keyshortcuts="A"
                    on:click=move |_| desk.did(Intent::Assigning(desk.peek(|console| !console.drawer.is_assigning)))
                >
                    {move || if status() == Some(OrderStatus::Created) { "Assign" } else { "Reassign" }}
                </button>
                <button
                    type="button"
                    class="quiet"
                    hidden=move || status().is_none()
                    on:click=move |_| desk.did(Intent::Link(id))
                >
                    "Tracking link"
                </button>
                <button
                    type="button"
                    class="quiet"
                    hidden=move || courier_of(desk, id).is_none()
                    on:click=move |_| if let Some(courier) = courier_of(desk, id) {
                        let trip = desk.peek(|console| trip(console, id));
                        desk.did(Intent::Open(Open::Replay(courier, trip)));
                    }
                >
                    "Replay"
                </button>
                <button
                    type="button"
                    class="quiet"
                    hidden=move || !is_open_order() || courier_of(desk, id).is_none()
                    on:click=move |_| if let Some(courier) = courier_of(desk, id) {
                        desk.did(Intent::Open(Open::Courier(courier)));
                    }
                >
                    "Courier"
                </button>
            </div>
            {exceptions_of(desk, Some(id), None)}
            {choices(desk, id)}
            {statuses(desk, id, status)}
            {timeline(desk)}
            {proofs(desk)}
        </div>
    }
}

fn courier_of(desk: Desk, id: OrderId) -> Option<CourierId> {
    desk.read(|console| console.fleet.orders.get(&id)?.courier_id)
}

/// From when somebody had the order until it ended, or until now.
fn trip(console: &Console, id: OrderId) -> Span {
    let Some(order) = console.fleet.orders.get(&id) else { return Span::Today };
    let mut events = console.drawer.order.iter().flat_map(|order| order.timeline.iter().flatten());
    let given = events.rfind(|event| event.status == OrderStatus::Assigned).map(|event| event.at.timestamp_millis());
    let created = order.details.as_ref().map(|details| details.created_at.timestamp_millis());
    let from_ms = given.or(created).unwrap_or(order.status_at_ms);
    let until_ms = if order.status.is_final() { order.status_at_ms } else { console.at_ms };
    Span::Between(time::floor_minute(from_ms), time::ceil_minute(until_ms.max(from_ms + 1)))
}

fn title(console: &Console, order: &Order) -> String {
    let courier = order.courier_id.and_then(|id| console.fleet.couriers.get(&id));
    match courier {
        Some(courier) => format!("{} · {}", order.reference, courier.name),
        None => order.reference.clone(),
    }
}

fn arrives(console: &Console, order: &Order) -> String {
    let locale = &console.locale;
    let promised = order.promised_until_ms().map(|until_ms| {
        let from_ms = order.details.as_ref().and_then(|details| details.promised_from);
        match from_ms {
            Some(from) => format!("promised {}", time::range(from.timestamp_millis(), until_ms, locale)),
            None => format!("promised by {}", time::clock(until_ms, locale)),
        }
    });
    if order.status.is_final() {
        let ended = format!("{} at {}", words::status(order.status), time::clock(order.status_at_ms, locale));
        return [Some(ended), promised].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    }
    let expected = order.expected_ms().filter(|at_ms| *at_ms >= console.at_ms);
    let expected = expected.map(|at_ms| format!("about {}", time::clock(at_ms, locale)));
    [expected, promised].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn courier(console: &Console, order: &Order) -> String {
    let Some(courier) = order.courier_id.and_then(|id| console.fleet.couriers.get(&id)) else { return String::new() };
    let mut parts = vec![words::vehicle(courier.vehicle).to_owned()];
    if let Some(position) = courier.position {
        parts.push(time::ago(console.at_ms - position.time_ms));
    }
    parts.extend(courier.battery.map(|charge| format!("battery {}", words::battery(charge))));
    parts.join(" · ")
}

fn customer(order: &OrderView) -> String {
    let customer = &order.customer;
    let parts = [Some(customer.name.clone()), customer.phone.clone(), customer.email.clone()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn asks_for(order: &OrderView) -> String {
    let kinds = order.proof.iter().flatten().map(|kind| proof_name(*kind));
    kinds.collect::<Vec<_>>().join(", ")
}

const fn proof_name(kind: ProofKind) -> &'static str {
    match kind {
        ProofKind::Photo => "Photo",
        ProofKind::Signature => "Signature",
        ProofKind::Pin => "PIN",
    }
}

/// The couriers to choose from: the suggested ones, or those that were looked for by name.
fn choices(desk: Desk, id: OrderId) -> impl IntoView {
    let is_shown = move || desk.read(|console| console.drawer.is_assigning);
    let is_waiting =
        move || desk.read(|console| console.drawer.suggestions.is_none() && console.drawer.courier_query.is_empty());
    let found = move || desk.read(|console| chosen(console, id));
    view! {
        <section class="choices" aria-label="Choose a courier" hidden=move || !is_shown()>
            <h3>{move || if desk.read(|console| console.drawer.courier_query.is_empty()) { "Best couriers" } else { "Found" }}</h3>
            <input
                type="search"
                id="courier-search"
                placeholder="Find a courier by name"
                aria-label="Find a courier by name"
                autocomplete="off"
                prop:value=move || desk.read(|console| console.drawer.courier_query.clone())
                on:input=move |event| desk.did(Intent::CourierQuery(event_target_value(&event)))
            />
            <p class="note" hidden=move || !is_waiting()>"Looking for who is near…"</p>
            <ul>
                {move || found().into_iter().map(|choice| choice_row(desk, id, choice)).collect_view()}
            </ul>
            <p class="note" hidden=move || is_waiting() || !found().is_empty()>
                "Nobody can take it now. When a courier goes online, they appear here."
            </p>
        </section>
    }
}

/// Somebody who could take the order.
struct Choice {
    courier: CourierId,
    name: String,
    line: String,
    has_it: bool,
}

fn chosen(console: &Console, id: OrderId) -> Vec<Choice> {
    let holder = console.fleet.orders.get(&id).and_then(|order| order.courier_id);
    let query = console.drawer.courier_query.trim().to_lowercase();
    if query.is_empty() {
        let suggested = console.drawer.suggestions.iter().flatten().take(MAX_CHOICES);
        return suggested.map(|found| suggestion(console, found, holder)).collect();
    }
    let fleet = &console.fleet;
    let mut named: Vec<_> =
        fleet.couriers.values().filter(|courier| courier.name.to_lowercase().contains(&query)).collect();
    named.sort_by_cached_key(|courier| (fleet.doing(courier, console.at_ms), courier.name.clone()));
    let choice = |courier: &&crate::dispatch::fleet::Courier| Choice {
        courier: courier.id,
        name: courier.name.clone(),
        line: words::courier_line(courier, console.at_ms),
        has_it: holder == Some(courier.id),
    };
    named.iter().take(MAX_CHOICES).map(choice).collect()
}

fn suggestion(console: &Console, found: &CourierSuggestion, holder: Option<CourierId>) -> Choice {
    let clock = |at_ms: i64| time::clock(at_ms, &console.locale);
    let mut parts = Vec::new();
    parts.extend(
        found.distance_m.map(|metres| format!("{} from pickup", words::distance(f64::from(metres), &console.locale))),
    );
    parts.push(match (found.open_orders, found.free_at) {
        (0, _) => "free now".to_owned(),
        (_, Some(at)) => format!("free at {}", clock(at.timestamp_millis())),
        (1, None) => "1 order".to_owned(),
        (many, None) => format!("{many} orders"),
    });
    parts.extend(found.arrives_at.map(|at| format!("there {}", clock(at.timestamp_millis()))));
    if !found.on_duty {
        parts.push("not online".to_owned());
    }
    let has_it = holder == Some(found.courier_id);
    Choice { courier: found.courier_id, name: found.name.clone(), line: parts.join(" · "), has_it }
}

fn choice_row(desk: Desk, order: OrderId, choice: Choice) -> impl IntoView {
    let courier = choice.courier;
    let label = format!("Assign to {}", choice.name);
    view! {
        <li
            class="choice"
            on:dragover=move |event| if list::carries_order(&event) {
                event.prevent_default();
            }
            on:drop=move |event| if let Some(order) = list::dropped_order(&event) {
                event.prevent_default();
                desk.did(Intent::Assign { order, courier });
            }
        >
            <span class="choice-name">{choice.name}</span>
            <span class="choice-line">{choice.line}</span>
            <button
                type="button"
                class="quiet"
                aria-label=label
                disabled=move || choice.has_it || desk.read(|console| console.drawer.is_busy)
                on:click=move |_| desk.did(Intent::Assign { order, courier })
            >
                {if choice.has_it { "Has it" } else { "Assign" }}
            </button>
        </li>
    }
}

fn statuses(
    desk: Desk,
    id: OrderId,
    status: impl Fn() -> Option<OrderStatus> + Copy + Send + 'static,
) -> impl IntoView {
    let is_over = move || status().is_none_or(OrderStatus::is_final);
    let button = move |next: OrderStatus| {
        let is_offered = move || {
            status().is_some_and(|now| {
                now.can_become(next) && now != OrderStatus::Created
                    || now.can_become(next) && next == OrderStatus::Cancelled
            })
        };
        view! {
            <button
                type="button"
                class="quiet"
                data-tone=matches!(next, OrderStatus::Failed | OrderStatus::Cancelled).then_some("bad")
                hidden=move || !is_offered()
                disabled=move || desk.read(|console| console.drawer.is_busy)
                on:click=move |_| desk.did(Intent::Status { order: id, status: next })
            >
                {words::action(next)}
            </button>
        }
    };
    view! {
        <details class="statuses" hidden=is_over>
            <summary>"Change status"</summary>
            <div class="actions">{SETTABLE.map(button).into_iter().collect_view()}</div>
        </details>
    }
}

fn timeline(desk: Desk) -> impl IntoView {
    let events = move || {
        desk.read(|console| {
            let events = console.drawer.order.iter().flat_map(|order| order.timeline.iter().flatten());
            let told = events.map(|event| {
                let at_ms = event.at.timestamp_millis();
                (
                    words::event(event.status),
                    time::clock(at_ms, &console.locale),
                    event.note.clone().unwrap_or_default(),
                )
            });
            told.collect::<Vec<_>>()
        })
    };
    view! {
        <section aria-label="What happened so far" hidden=move || events().is_empty()>
            <h3>"So far"</h3>
            <ol class="timeline">
                {move || {
                    let event = |(what, at, note): (&'static str, String, String)| {
                        view! {
                            <li>
                                <span class="what">{what}</span>
                                <time>{at}</time>
                                <span class="note">{note}</span>
                            </li>
                        }
                    };
                    events().into_iter().map(event).collect_view()
                }}
            </ol>
        </section>
    }
}

fn proofs(desk: Desk) -> impl IntoView {
    let proofs = move || {
        desk.read(|console| {
            let proofs = console.drawer.order.iter().flat_map(|order| order.proofs.iter().flatten());
            let told = proofs.map(|proof| {
                let at = time::clock(proof.taken_at.timestamp_millis(), &console.locale);
                let by = proof.name.as_ref().map(|name| format!(" by {name}")).unwrap_or_default();
                (format!("{}{by}, {at}", proof_name(proof.kind)), proof.image_url.clone())
            });
            told.collect::<Vec<_>>()
        })
    };
    view! {
        <section aria-label="Proof of delivery" hidden=move || proofs().is_empty()>
            <h3>"Proof of delivery"</h3>
            <ul class="proofs">
                {move || {
                    let proof = |(words, image): (String, Option<String>)| {
                        let picture = image.map(|url| {
                            let link = url.clone();
                            view! {
                                <a href=link target="_blank" rel="noopener">
                                    <img src=url alt=words.clone() loading="lazy" />
                                </a>
                            }
                        });
                        view! { <li>{picture}<span>{words}</span></li> }
                    };
                    proofs().into_iter().map(proof).collect_view()
                }}
            </ul>
        </section>
    }
}
