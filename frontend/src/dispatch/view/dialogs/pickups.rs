//! The dialog with the saved pickups: another is saved from the form, and others are removed.

use leptos::{ev, prelude::*};

use crate::{
    dispatch::{
        console::{Console, PickupIntent, Subject},
        draft::Field,
        store::use_store,
        view::{
            keyed::{Entries, Entry, Row},
            parts::Input,
        },
    },
    ui::bind::live_text,
};

fn saved(console: &Console) -> Vec<Entry> {
    let pickups = console.form.pickups.iter().map(|pickup| Entry {
        key: pickup.id,
        title: pickup.name.clone(),
        line: pickup.place.address.clone(),
        ..Entry::default()
    });
    pickups.collect()
}

#[component]
pub fn Pickups() -> impl IntoView {
    let store = use_store();
    let first = store.peek(|console| {
        let address = console.form.draft.text(Field::PickupAddress);
        address.split(',').next().unwrap_or_default().trim().to_owned()
    });
    let name = RwSignal::new(first);
    let is_busy = store.memo(Subject::Drawer, |console| console.drawer.is_busy);
    let pickups = store.memo(Subject::Form, saved);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        store.send(PickupIntent::Save { name: name.get_untracked() });
    };
    let pickup = move |row: Row| {
        let title = row.title();
        view! {
            <li class="choice">
                <span class="choice-name" translate="no" inner_html=live_text(title)></span>
                <span class="choice-line" inner_html=live_text(row.line())></span>
                <button
                    type="button"
                    class="quiet"
                    data-tone="bad"
                    aria-label=move || format!("Remove {}", title())
                    disabled=is_busy
                    on:click=move |_| store.send(PickupIntent::Forget(row.key))
                >
                    "Remove"
                </button>
            </li>
        }
    };
    view! {
        <form novalidate on:submit=submit>
            <Input label="Save this order’s pickup as" value=name />
            <div class="actions">
                <button type="submit" class="primary" disabled=is_busy>"Save pickup"</button>
            </div>
        </form>
        <ul>
            <Entries entries=pickups row=pickup />
        </ul>
    }
}
