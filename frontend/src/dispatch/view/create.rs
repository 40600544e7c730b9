//! The form for a new order: what is written, what the search finds, and pins on the map.

use doorstep_shared::api::proof::ProofKind;
use leptos::{ev, prelude::*};

use super::{Desk, drawer_head, list::checked};
use crate::dispatch::{
    console::{Change, Console, Intent},
    draft::{Draft, End},
};

pub fn create(desk: Desk) -> impl IntoView {
    let is_busy = move || desk.read(|console| console.form.is_busy);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        desk.did(Intent::Create);
    };
    let general = move || {
        desk.read(|console| {
            let fields = &console.form.problems;
            match fields.iter().find(|(field, _)| field.is_empty()) {
                Some((_, why)) => why.clone(),
                None if fields.is_empty() => String::new(),
                None => "Something is missing below.".to_owned(),
            }
        })
    };
    view! {
        <form class="open create" novalidate on:submit=submit>
            {drawer_head(desk, || "New order".to_owned())}
            <p class="problem" id="draft-problems" role="alert" tabindex="-1" hidden=move || general().is_empty()>
                {general}
            </p>
            {field(desk, "draft-reference", "Reference", "reference", "text", |draft| &draft.reference, Change::Reference)}
            {place(desk, End::Pickup, "Pickup")}
            {place(desk, End::Dropoff, "Door")}
            {field(desk, "draft-customer", "Customer", "customer.name", "text", |draft| &draft.customer, Change::Customer)}
            <div class="pair">
                {field(desk, "draft-phone", "Phone", "customer.phone", "tel", |draft| &draft.phone, Change::Phone)}
                {field(desk, "draft-email", "Email", "customer.email", "email", |draft| &draft.email, Change::Email)}
            </div>
            <div class="pair">
                {field(desk, "draft-from", "Promised from", "promised_from", "time", |draft| &draft.from, Change::From)}
                {field(desk, "draft-until", "Promised until", "promised_until", "time", |draft| &draft.until, Change::Until)}
            </div>
            <fieldset class="proof">
                <legend>"Ask for at the door"</legend>
                {[(ProofKind::Photo, "Photo"), (ProofKind::Signature, "Signature"), (ProofKind::Pin, "PIN")]
                    .map(|(kind, name)| proof(desk, kind, name))
                    .into_iter()
                    .collect_view()}
            </fieldset>
            <div class="actions">
                <button type="submit" class="primary" disabled=is_busy>
                    {move || if is_busy() { "Creating…" } else { "Create order" }}
                </button>
            </div>
        </form>
    }
}

fn field(
    desk: Desk,
    id: &'static str,
    label: &'static str,
    name: &'static str,
    kind: &'static str,
    value: fn(&Draft) -> &String,
    change: fn(String) -> Change,
) -> impl IntoView {
    let wrong = move || desk.read(|console| wrong(console, name));
    let hint = format!("{id}-wrong");
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                id=id
                type=kind
                autocomplete="off"
                aria-invalid=move || (!wrong().is_empty()).to_string()
                aria-describedby=hint.clone()
                prop:value=move || desk.read(|console| value(&console.form.draft).clone())
                on:input=move |event| desk.did(Intent::Draft(change(event_target_value(&event))))
            />
            <span class="wrong" id=hint.clone()>{wrong}</span>
        </label>
    }
}

fn wrong(console: &Console, name: &str) -> String {
    let found = console.form.problems.iter().find(|(field, _)| field == name);
    found.map(|(_, why)| why.clone()).unwrap_or_default()
}

fn place(desk: Desk, end: End, label: &'static str) -> impl IntoView {
    let id = match end {
        End::Pickup => "draft-pickup",
        End::Dropoff => "draft-dropoff",
    };
    let address = format!("{}.address", end.word());
    let wrong = move || {
        desk.read(|console| {
            let of_place = wrong(console, end.word());
            if of_place.is_empty() { wrong(console, &address) } else { of_place }
        })
    };
    let wrong = StoredValue::new(wrong);
    let wrong = move || wrong.with_value(|wrong| wrong());
    let is_placing = move || desk.read(|console| console.form.draft.placing == end);
    let pin = move || {
        desk.read(|console| match console.form.draft.place(end).at {
            Some([lon, lat]) => format!("On the map: {lat:.5}, {lon:.5}"),
            None if console.form.draft.placing == end => "Click on the map, or search for the address".to_owned(),
            None => "No pin yet".to_owned(),
        })
    };
    let found = move || {
        desk.read(|console| match &console.form.found {
            Some((found_end, places)) if *found_end == end => places.clone(),
            _ => Vec::new(),
        })
    };
    let hint = format!("{id}-wrong");
    view! {
        <div class="place" data-end=end.word() data-placing=move || is_placing().then_some("")>
            <label class="field">
                <span>{label}</span>
                <input
                    id=id
                    type="text"
                    autocomplete="off"
                    placeholder="Street and number"
                    aria-invalid=move || (!wrong().is_empty()).to_string()
                    aria-describedby=hint.clone()
                    prop:value=move || desk.read(|console| console.form.draft.place(end).address.clone())
                    on:input=move |event| desk.did(Intent::Draft(Change::Address(end, event_target_value(&event))))
                />
                <span class="wrong" id=hint.clone()>{wrong}</span>
            </label>
            <ul class="found" aria-label="Addresses found" hidden=move || found().is_empty()>
                {move || found().into_iter().enumerate().map(|(index, place)| {
                    let town = place.town.unwrap_or_default();
                    view! {
                        <li>
                            <button type="button" on:click=move |_| desk.did(Intent::Draft(Change::Choose(end, index)))>
                                <span>{place.name}</span>
                                <span class="note">{town}</span>
                            </button>
                        </li>
                    }
                }).collect_view()}
            </ul>
            <div class="pin-line">
                <span class="note">{pin}</span>
                <button
                    type="button"
                    class="chip"
                    aria-pressed=move || is_placing().to_string()
                    on:click=move |_| desk.did(Intent::Draft(Change::Placing(end)))
                >
                    "Place on map"
                </button>
            </div>
            <label class="field">
                <span class="unseen">{format!("Note for the courier, {}", label.to_lowercase())}</span>
                <input
                    type="text"
                    autocomplete="off"
                    placeholder="Note for the courier"
                    prop:value=move || desk.read(|console| console.form.draft.place(end).instructions.clone())
                    on:input=move |event| desk.did(Intent::Draft(Change::Instructions(end, event_target_value(&event))))
                />
            </label>
        </div>
    }
}

fn proof(desk: Desk, kind: ProofKind, name: &'static str) -> impl IntoView {
    view! {
        <label class="check">
            <input
                type="checkbox"
                prop:checked=move || desk.read(|console| console.form.draft.proof.contains(&kind))
                on:change=move |event| desk.did(Intent::Draft(Change::Proof(kind, checked(&event))))
            />
            {name}
        </label>
    }
}
