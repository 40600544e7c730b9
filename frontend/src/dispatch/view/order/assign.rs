//! The couriers to choose from for an order: the suggested ones, or those found by name.

use doorstep_shared::{CourierId, OrderId, api::console::CourierSuggestion};
use leptos::prelude::*;

use crate::{
    dispatch::{
        console::{Choice, Console, OrderIntent, Subject},
        fleet::Courier,
        store::use_store,
        text,
        view::{
            drag,
            keyed::{Entries, Entry, Row},
        },
    },
    ui::bind::live_text,
    ui::time,
};

#[component]
pub fn Assign(id: OrderId) -> impl IntoView {
    let store = use_store();
    let is_shown = store.memo(Subject::Drawer, |console| console.drawer.is_assigning);
    let query = store.memo(Subject::Drawer, |console| console.drawer.courier_query.clone());
    let is_waiting = store.memo(Subject::Drawer, |console| {
        console.drawer.suggestions.is_none() && console.drawer.courier_query.is_empty()
    });
    let choices = store.memo(Subject::Drawer | Subject::Fleet | Subject::Clock, move |console| choices(console, id));
    view! {
        <section class="choices" aria-label="Choose a courier" hidden=move || !is_shown.get()>
            <h3 inner_html=live_text(move || if query.with(String::is_empty) { "Best couriers" } else { "Found" })></h3>
            <input
                type="search"
                id="courier-search"
                placeholder="Find a courier by name"
                aria-label="Find a courier by name"
                autocomplete="off"
                prop:value=query
                on:input=move |event| store.send(OrderIntent::CourierQuery(event_target_value(&event)))
            />
            <p class="note" hidden=move || !is_waiting.get()>"Looking for who is near…"</p>
            <ul>
                <Entries entries=choices row=move |choice| view! { <ChoiceRow order=id choice /> } />
            </ul>
            <p class="note" hidden=move || is_waiting.get() || !choices.with(Vec::is_empty)>
                "Nobody can take it now. When a courier goes online, they appear here."
            </p>
        </section>
    }
}

#[component]
fn ChoiceRow(order: OrderId, choice: Row) -> impl IntoView {
    let store = use_store();
    let courier = CourierId::from_uuid(choice.key);
    let (name, has_it) = (choice.title(), choice.is_done());
    let is_busy = store.memo(Subject::Drawer, |console| console.drawer.is_busy);
    view! {
        <li
            class="choice"
            on:dragover=move |event| drag::allow_drop(&event)
            on:drop=move |event| if let Some(order) = drag::dropped_order(&event) {
                store.send(OrderIntent::Assign { order, courier });
            }
        >
            <span class="choice-name" translate="no" inner_html=live_text(name)></span>
            <span class="choice-line" data-tone=choice.tone() inner_html=live_text(choice.line())></span>
            <button
                type="button"
                class="quiet"
                aria-label=move || format!("Assign to {}", name())
                disabled=move || has_it() || is_busy.get()
                on:click=move |_| store.send(OrderIntent::Assign { order, courier })
                inner_html=live_text(move || if has_it() { "Has it" } else { "Assign" })
            ></button>
        </li>
    }
}

/// The couriers who could take the order; done is the one who has it.
fn choices(console: &Console, id: OrderId) -> Vec<Entry> {
    let holder = console.fleet.orders.get(&id).and_then(|order| order.courier_id);
    console.order_choices().into_iter().map(|choice| entry(console, choice, holder)).collect()
}

/// The couriers for a choice in a dialog.
pub fn picker_choices(console: &Console) -> Vec<Entry> {
    console.dialog_choices().into_iter().map(|choice| entry(console, choice, None)).collect()
}

fn entry(console: &Console, choice: Choice<'_>, holder: Option<CourierId>) -> Entry {
    match choice {
        Choice::Suggested(found) => suggested_choice(console, found, holder),
        Choice::Other(courier) => named_choice(console, courier, holder),
    }
}

fn named_choice(console: &Console, courier: &Courier, holder: Option<CourierId>) -> Entry {
    Entry {
        key: *courier.id.as_uuid(),
        title: courier.name.clone(),
        line: text::courier_line(courier, console.at_ms),
        is_done: holder == Some(courier.id),
        ..Entry::default()
    }
}

fn suggested_choice(console: &Console, found: &CourierSuggestion, holder: Option<CourierId>) -> Entry {
    let ms = |at: chrono::DateTime<chrono::Utc>| at.timestamp_millis();
    let mut parts = Vec::new();
    parts.extend(
        found.arrives_at.map(|at| format!("at the pickup {}", time::moment(ms(at), console.at_ms, &console.locale))),
    );
    parts.extend(
        found.distance_m.map(|metres| format!("{} from pickup", text::distance(f64::from(metres), &console.locale))),
    );
    parts.push(match (found.open_orders, found.free_at) {
        (0, _) => "free now".to_owned(),
        (_, Some(at)) => format!("free {}", time::at(ms(at), console.at_ms, &console.locale)),
        (1, None) => "1 order".to_owned(),
        (many, None) => format!("{many} orders"),
    });
    parts.extend(found.lacks.as_ref().map(|lacks| format!("lacks {}", lacks.join(", "))));
    parts.extend((found.over_capacity == Some(true)).then(|| "full".to_owned()));
    parts.extend((found.off_shift == Some(true)).then(|| "outside of the shift".to_owned()));
    if !found.on_duty {
        parts.push("not online".to_owned());
    }
    Entry {
        key: *found.courier_id.as_uuid(),
        title: found.name.clone(),
        line: parts.join(" · "),
        tone: if found.lacks.is_some() || found.over_capacity == Some(true) {
            text::tone::WARN
        } else {
            text::tone::QUIET
        },
        is_done: holder == Some(found.courier_id),
        ..Entry::default()
    }
}
