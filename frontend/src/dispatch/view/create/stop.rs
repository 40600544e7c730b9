//! One stop of a new order: its address with the search, its pin on the map, and a note for the courier.

use leptos::prelude::*;

use crate::dispatch::{
    console::{Change, Console, DraftIntent, Subject},
    draft::StopKind,
    store::use_store,
    view::keyed::{Entries, Entry, Row, is_empty, number_key},
};

#[component]
pub fn Stop(kind: StopKind, id: &'static str, label: &'static str) -> impl IntoView {
    let store = use_store();
    let is_placing = store.memo(Subject::Form, move |console| console.form.draft.placing == kind);
    view! {
        <div class="place" data-end=kind.word() data-placing=move || is_placing.get().then_some("")>
            <Address kind id label />
            <AddressesFound kind />
            <Pin kind is_placing />
            <Instructions kind label />
        </div>
    }
}

#[component]
fn Address(kind: StopKind, id: &'static str, label: &'static str) -> impl IntoView {
    let store = use_store();
    let address = store.memo(Subject::Form, move |console| console.form.draft.stop(kind).address.clone());
    let problem = store.memo(Subject::Form, move |console| stop_problem(console, kind));
    let hint = format!("{id}-wrong");
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                id=id
                type="text"
                autocomplete="off"
                placeholder="Street and number"
                aria-invalid=move || (!problem.with(String::is_empty)).to_string()
                aria-describedby=hint.clone()
                prop:value=address
                on:input=move |event| {
                    store.send(DraftIntent::Change(Change::Address(kind, event_target_value(&event))));
                }
            />
            <span class="wrong" id=hint.clone()>{problem}</span>
        </label>
    }
}

/// What is wrong with the stop, or else with its address, by the API's names for them.
fn stop_problem(console: &Console, kind: StopKind) -> String {
    let address = format!("{}.address", kind.word());
    let problem = |name: &str| console.form.problems.iter().find(|(field, _)| field == name);
    let found = problem(kind.word()).or_else(|| problem(&address));
    found.map(|(_, why)| why.clone()).unwrap_or_default()
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
                    <span>{row.title()}</span>
                    <span class="note">{row.line()}</span>
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
    let text = store.memo(Subject::Form, move |console| match console.form.draft.stop(kind).at {
        Some([lon, lat]) => format!("On the map: {lat:.5}, {lon:.5}"),
        None if console.form.draft.placing == kind => "Click on the map, or search for the address".to_owned(),
        None => "No pin yet".to_owned(),
    });
    view! {
        <div class="pin-line">
            <span class="note">{text}</span>
            <button
                type="button"
                class="chip"
                aria-pressed=move || is_placing.get().to_string()
                on:click=move |_| store.send(DraftIntent::Change(Change::Placing(kind)))
            >
                "Place on map"
            </button>
        </div>
    }
}

#[component]
fn Instructions(kind: StopKind, label: &'static str) -> impl IntoView {
    let store = use_store();
    let instructions = store.memo(Subject::Form, move |console| console.form.draft.stop(kind).instructions.clone());
    view! {
        <label class="field">
            <span class="unseen">{format!("Note for the courier, {}", label.to_lowercase())}</span>
            <input
                type="text"
                autocomplete="off"
                placeholder="Note for the courier"
                prop:value=instructions
                on:input=move |event| {
                    store.send(DraftIntent::Change(Change::Instructions(kind, event_target_value(&event))));
                }
            />
        </label>
    }
}
