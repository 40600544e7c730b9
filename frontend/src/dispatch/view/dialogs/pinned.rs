//! The dialog with the pinned addresses.

use doorstep_shared::PinId;
use leptos::prelude::*;

use crate::{
    dispatch::{
        console::{Console, Dialog, PinnedIntent, PinnedList, Subject},
        store::use_store,
        text,
        view::{
            keyed::{Entries, Entry, Row},
            parts::Skeleton,
        },
    },
    ui::bind::live_text,
};

/// What stands where in [`Entry::more`]: whether it is asked if the pin may go.
const IS_LEAVING: usize = 0;

fn list(console: &Console) -> Option<&PinnedList> {
    match &*console.dialog {
        Some(Dialog::Pinned(list)) => Some(list),
        _ => None,
    }
}

fn entries(console: &Console) -> Vec<Entry> {
    let Some(list) = list(console) else { return Vec::new() };
    let entry = list.pins.iter().flatten().map(|pin| Entry {
        key: *pin.id.as_uuid(),
        title: pin.address.clone(),
        line: text::pinned_line(pin),
        more: vec![if list.removing == Some(pin.id) { "set".to_owned() } else { String::new() }],
        ..Entry::default()
    });
    entry.collect()
}

#[component]
pub fn PinnedDialog() -> impl IntoView {
    let store = use_store();
    let pins = store.memo(Subject::Dialog, entries);
    let is_waiting = store.memo(Subject::Dialog | Subject::Drawer, |console| {
        list(console).is_some_and(|list| list.pins.is_none()) && console.drawer.problem.is_none()
    });
    let is_empty = store.memo(Subject::Dialog, |console| {
        list(console).is_some_and(|list| list.pins.as_ref().is_some_and(Vec::is_empty))
    });
    let has_more = store.memo(Subject::Dialog, |console| list(console).is_some_and(|list| list.next.is_some()));
    view! {
        <p class="note">
            "Where these addresses are, somebody said who knows it better than the map. Searches and imports take it."
        </p>
        <Skeleton rows=3 is_shown=is_waiting />
        <p hidden=move || !is_empty.get()>
            "No address is pinned yet. Move a stop of an order to its door and choose “Pin this address”."
        </p>
        <ul class="areas" id="pinned" tabindex="-1" aria-label="Pinned addresses" hidden=move || pins.with(Vec::is_empty)>
            <Entries entries=pins row=|row| view! { <Pin row /> } />
        </ul>
        <div class="actions" hidden=move || !has_more.get()>
            <button type="button" class="quiet" on:click=move |_| store.send(PinnedIntent::More)>"Show more"</button>
        </div>
    }
}

#[component]
fn Pin(row: Row) -> impl IntoView {
    let store = use_store();
    let is_busy = store.memo(Subject::Drawer, |console| console.drawer.is_busy);
    let leaving = row.mark(|row| &row.more[IS_LEAVING]);
    let is_leaving = Memo::new(move |_| leaving().is_some());
    let is_asked = Memo::new(move |_| !is_leaving.get());
    let id = PinId::from_uuid(row.key);
    let button = move |name: &'static str, class: &'static str, is_hidden: Memo<bool>, intent: PinnedIntent| {
        let title = row.title();
        view! {
            <button
                type="button"
                class=class
                disabled=is_busy
                hidden=is_hidden
                aria-label=move || format!("{name} {}", title())
                on:click=move |_| store.send(intent)
            >
                {name}
            </button>
        }
    };
    view! {
        <li>
            <div class="area">
                <span class="area-name" translate="no" inner_html=live_text(row.title())></span>
                <span class="note" inner_html=live_text(row.line())></span>
            </div>
            <div class="actions">
                {button("Remove", "quiet", is_leaving, PinnedIntent::AskRemove(Some(id)))}
                {button("Really remove", "danger", is_asked, PinnedIntent::Remove(id))}
                {button("Keep", "quiet", is_asked, PinnedIntent::AskRemove(None))}
            </div>
        </li>
    }
}
