//! A choice of one courier, found by name.

use leptos::{ev, prelude::*};
use uuid::Uuid;

use super::keyed::{Entries, Row};
use crate::{
    dispatch::{
        console::{OrderIntent, Subject},
        store::use_store,
        view::order::picker_choices,
    },
    ui::bind::live_text,
};

/// Couriers by name; `chosen` is the key of the one who was chosen.
#[component]
pub fn Picker(
    /// What a courier's button says.
    label: &'static str,
    chosen: RwSignal<Uuid>,
) -> impl IntoView {
    let store = use_store();
    let query = store.memo(Subject::Drawer, |console| console.drawer.courier_query.clone());
    let followed = Subject::Drawer | Subject::Selection | Subject::Fleet | Subject::Clock;
    let choices = store.memo(followed, picker_choices);
    let choice = move |row: Row| {
        let (name, key) = (row.title(), row.key);
        let word = move || if chosen.get() == key { "Chosen" } else { label };
        view! {
            <li class="choice">
                <span class="choice-name" translate="no" inner_html=live_text(name)></span>
                <span class="choice-line" inner_html=live_text(row.line())></span>
                <button
                    type="button"
                    class="quiet"
                    aria-label=move || format!("{} {}", word(), name())
                    aria-pressed=move || (chosen.get() == key).to_string()
                    on:click=move |_| chosen.set(key)
                    inner_html=live_text(word)
                ></button>
            </li>
        }
    };
    // Enter takes the first one found; once more, it does what the dialog is for.
    let take_first = move |event: ev::KeyboardEvent| {
        let first = choices.with_untracked(|choices| choices.first().map(|choice| choice.key));
        if let Some(first) = first.filter(|first| event.key() == "Enter" && chosen.get_untracked() != *first) {
            event.prevent_default();
            chosen.set(first);
        }
    };
    view! {
        <div class="choices">
            <input
                type="search"
                id="picker-search"
                autofocus
                placeholder="Find a courier by name"
                aria-label="Find a courier by name"
                autocomplete="off"
                prop:value=query
                on:input=move |event| store.send(OrderIntent::CourierQuery(event_target_value(&event)))
                on:keydown=take_first
            />
            <ul>
                <Entries entries=choices row=choice />
            </ul>
        </div>
    }
}
