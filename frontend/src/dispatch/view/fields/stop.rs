//! One stop of an order: its address with the search, its pin on the map, and a note for the courier.

use doorstep_shared::api::console::SavedPickup;
use leptos::{ev, prelude::*};
use uuid::Uuid;

use crate::{
    dispatch::{
        console::{Change, Console, DraftIntent, PickupIntent, Subject},
        draft::StopKind,
        store::use_store,
        view::{
            fields::{TextField, locked},
            keyed::{Entries, Entry, Row, is_empty, number_key},
        },
    },
    ui::bind::{live_text, live_value, words},
};

#[component]
pub fn Stop(kind: StopKind, id: &'static str, label: &'static str) -> impl IntoView {
    let store = use_store();
    let is_placing = store.memo(Subject::Form, move |console| console.form.draft.placing == kind);
    let (note_id, note_label) = match kind {
        StopKind::Pickup => ("draft-pickup-note", "Note for the courier, pickup"),
        StopKind::Dropoff => ("draft-dropoff-note", "Note for the courier, door"),
    };
    view! {
        <div class="place" data-end=kind.word() data-placing=move || is_placing.get().then_some("")>
            {(kind == StopKind::Pickup).then(|| view! { <SavedPickups /> })}
            <TextField field=kind.address() id label placeholder="Street and number" />
            <AddressesFound kind />
            <Pin kind is_placing />
            <TextField
                field=kind.instructions()
                id=note_id
                label=note_label
                placeholder="Note for the courier"
                is_label_unseen=true
            />
        </div>
    }
}

/// The addresses that the search found for this stop.
fn found(console: &Console, kind: StopKind) -> Vec<Entry> {
    let places = console.form.found.as_ref().filter(|(found_for, _)| *found_for == kind);
    let places = places.into_iter().flat_map(|(_, places)| places).enumerate();
    let entry = places.map(|(index, place)| Entry {
        key: number_key(index),
        title: place.name.clone(),
        line: place.town.clone().unwrap_or_default(),
        ..Entry::default()
    });
    entry.collect()
}

#[component]
fn AddressesFound(kind: StopKind) -> impl IntoView {
    let store = use_store();
    let found = store.memo(Subject::Form, move |console| found(console, kind));
    let address = move |row: Row| {
        let index = row.key.as_u128() as usize;
        view! {
            <li>
                <button type="button" on:click=move |_| store.send(DraftIntent::Change(Change::Choose(kind, index)))>
                    <span inner_html=live_text(row.title())></span>
                    <span class="note" inner_html=live_text(row.line())></span>
                </button>
            </li>
        }
    };
    view! {
        <ul class="found" aria-label="Addresses found" hidden=is_empty(found)>
            <Entries entries=found row=address />
        </ul>
    }
}

#[component]
fn Pin(kind: StopKind, is_placing: Memo<bool>) -> impl IntoView {
    let store = use_store();
    let is_locked = store.memo(Subject::Form, move |console| locked(console, kind.word()).is_some());
    let text = store.memo(Subject::Form, move |console| match console.form.draft.at(kind) {
        Some([lon, lat]) => format!("On the map: {lat:.5}, {lon:.5}"),
        None if console.form.draft.placing == kind => "Click on the map, or search for the address".to_owned(),
        None => "No pin yet".to_owned(),
    });
    let action = store.memo(Subject::Form, move |console| console.form.draft.pin_action(kind));
    view! {
        <div class="pin-line">
            <span class="note" inner_html=live_value(text)></span>
            <button
                type="button"
                class="chip"
                title="Every order to this address goes there from then on"
                hidden=move || action.get().is_empty()
                on:click=move |_| store.send(DraftIntent::Change(Change::Pin(kind)))
                inner_html=live_value(action)
            ></button>
            <button
                type="button"
                class="chip"
                disabled=is_locked
                aria-pressed=move || is_placing.get().to_string()
                on:click=move |_| store.send(DraftIntent::Change(Change::Placing(kind)))
            >
                "Place on map"
            </button>
        </div>
    }
}

/// The saved pickups to choose from, and a way to save this one.
#[component]
fn SavedPickups() -> impl IntoView {
    let store = use_store();
    let saved = store.memo(Subject::Form, |console| {
        let name = |pickup: &SavedPickup| (pickup.id, pickup.name.clone());
        console.form.pickups.iter().map(name).collect::<Vec<_>>()
    });
    let is_locked = store.memo(Subject::Form, |console| locked(console, "pickup").is_some());
    let options = move || {
        let option =
            |(id, name): (Uuid, String)| view! { <option value=id.to_string() inner_html=words(name)></option> };
        saved.get().into_iter().map(option).collect_view()
    };
    let choose = move |event: ev::Event| {
        if let Ok(id) = event_target_value(&event).parse() {
            store.send(PickupIntent::Choose(id));
        }
    };
    view! {
        <div class="pin-line">
            <select aria-label="Saved pickups" disabled=is_locked hidden=move || saved.with(Vec::is_empty) on:change=choose>
                <option value="">"Saved pickups…"</option>
                {options}
            </select>
            <span class="note" hidden=move || !saved.with(Vec::is_empty)>"No saved pickups yet"</span>
            <button type="button" class="chip" on:click=move |_| store.send(PickupIntent::Open)>"Save or remove…"</button>
        </div>
    }
}
