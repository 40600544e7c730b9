//! The form for a new order: what is typed, what the search finds, and pins on the map.

mod stop;

use doorstep_shared::api::proof::ProofKind;
use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;

use self::stop::Stop;
use super::parts::DrawerHead;
use crate::dispatch::{
    console::{Change, Console, DraftIntent, Subject},
    draft::{Draft, StopKind},
    store::use_store,
};

#[component]
pub fn CreateOrder() -> impl IntoView {
    let store = use_store();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        store.send(DraftIntent::Create);
    };
    view! {
        <form class="open create" novalidate on:submit=submit>
            <DrawerHead title=Signal::stored("New order".to_owned()) />
            <Problems />
            <Field id="draft-reference" label="Reference" name="reference" kind="text" value=|draft| &draft.reference change=Change::Reference />
            <Stop kind=StopKind::Pickup id="draft-pickup" label="Pickup" />
            <Stop kind=StopKind::Dropoff id="draft-dropoff" label="Door" />
            <Field id="draft-customer" label="Customer" name="customer.name" kind="text" value=|draft| &draft.customer change=Change::Customer />
            <div class="pair">
                <Field id="draft-phone" label="Phone" name="customer.phone" kind="tel" value=|draft| &draft.phone change=Change::Phone />
                <Field id="draft-email" label="Email" name="customer.email" kind="email" value=|draft| &draft.email change=Change::Email />
            </div>
            <div class="pair">
                <Field id="draft-from" label="Promised from" name="promised_from" kind="time" value=|draft| &draft.from change=Change::From />
                <Field id="draft-until" label="Promised until" name="promised_until" kind="time" value=|draft| &draft.until change=Change::Until />
            </div>
            <fieldset class="proof">
                <legend>"Ask for at the door"</legend>
                <ProofBox kind=ProofKind::Photo name="Photo" />
                <ProofBox kind=ProofKind::Signature name="Signature" />
                <ProofBox kind=ProofKind::Pin name="PIN" />
            </fieldset>
            <div class="actions">
                <CreateButton />
            </div>
        </form>
    }
}

/// Why the order cannot be created; what is wrong with a field stands below it.
#[component]
fn Problems() -> impl IntoView {
    let text = use_store().memo(Subject::Form, |console| {
        let fields = &console.form.problems;
        match fields.iter().find(|(field, _)| field.is_empty()) {
            Some((_, why)) => why.clone(),
            None if fields.is_empty() => String::new(),
            None => "Something is missing below.".to_owned(),
        }
    });
    view! {
        <p class="problem" id="draft-problems" role="alert" tabindex="-1" hidden=move || text.with(String::is_empty)>
            {text}
        </p>
    }
}

#[component]
fn CreateButton() -> impl IntoView {
    let is_busy = use_store().memo(Subject::Form, |console| console.form.is_busy);
    view! {
        <button type="submit" class="primary" disabled=is_busy>
            {move || if is_busy.get() { "Creating…" } else { "Create order" }}
        </button>
    }
}

/// A field of the form; `name` is the API's name for it.
#[component]
fn Field(
    id: &'static str,
    label: &'static str,
    name: &'static str,
    kind: &'static str,
    value: fn(&Draft) -> &String,
    change: fn(String) -> Change,
) -> impl IntoView {
    let store = use_store();
    let problem = store.memo(Subject::Form, move |console| field_problem(console, name));
    let value = store.memo(Subject::Form, move |console| value(&console.form.draft).clone());
    let hint = format!("{id}-wrong");
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                id=id
                type=kind
                autocomplete="off"
                aria-invalid=move || (!problem.with(String::is_empty)).to_string()
                aria-describedby=hint.clone()
                prop:value=value
                on:input=move |event| store.send(DraftIntent::Change(change(event_target_value(&event))))
            />
            <span class="wrong" id=hint.clone()>{problem}</span>
        </label>
    }
}

/// What is wrong with a field, by the API's name for it.
fn field_problem(console: &Console, name: &str) -> String {
    let found = console.form.problems.iter().find(|(field, _)| field == name);
    found.map(|(_, why)| why.clone()).unwrap_or_default()
}

#[component]
fn ProofBox(kind: ProofKind, name: &'static str) -> impl IntoView {
    let store = use_store();
    let is_checked = store.memo(Subject::Form, move |console| console.form.draft.proof.contains(&kind));
    view! {
        <label class="check">
            <input
                type="checkbox"
                prop:checked=is_checked
                on:change=move |event| store.send(DraftIntent::Change(Change::Proof(kind, checked(&event))))
            />
            {name}
        </label>
    }
}

/// Whether a box is checked, from its event.
fn checked(event: &ev::Event) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok())
        .is_some_and(|input| input.checked())
}
