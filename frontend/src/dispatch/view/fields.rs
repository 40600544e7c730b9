//! The fields of an order, in the form for a new one and in the drawer of one that is changed.

mod stop;

use doorstep_shared::api::proof::ProofKind;
use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;

use self::stop::Stop;
use super::parts::Alert;
use crate::{
    dispatch::{
        console::{Change, Console, DraftIntent, Subject},
        draft::{Field, StopKind},
        store::use_store,
        text,
    },
    ui::bind::live_value,
};

#[component]
pub fn Fields() -> impl IntoView {
    // What an order that exists holds is not hidden.
    let is_edit = use_store().peek(|console| console.form.edit.is_some());
    view! {
        <TextField field=Field::Reference id="draft-reference" label="Reference" />
        <Stop kind=StopKind::Pickup id="draft-pickup" label="Pickup" />
        <Stop kind=StopKind::Dropoff id="draft-dropoff" label="Door" />
        <TextField field=Field::Customer id="draft-customer" label="Customer" />
        <div class="pair">
            <TextField field=Field::Phone id="draft-phone" label="Phone" kind="tel" />
            <TextField field=Field::Email id="draft-email" label="Email" kind="email" />
        </div>
        <Window />
        <fieldset class="proof">
            <legend>"Ask for at the door"</legend>
            <ProofBox kind=ProofKind::Photo name="Photo" />
            <ProofBox kind=ProofKind::Signature name="Signature" />
            <ProofBox kind=ProofKind::Pin name="PIN" />
        </fieldset>
        <details class="more" open=is_edit>
            <summary>"More"</summary>
            <TextField field=Field::Note id="draft-note" label="Remark for courier and dispatch" />
            <TextField field=Field::PickupPhone id="draft-pickup-phone" label="Phone of the pickup" kind="tel" />
            <div class="pair">
                <TextField field=Field::Size id="draft-size" label="Size" placeholder="1" />
                <TextField field=Field::Service id="draft-service" label="Minutes at the door" placeholder="Learned" />
            </div>
            <TextField field=Field::Requires id="draft-requires" label="The courier must have" placeholder="van, cold" />
        </details>
    }
}

/// The promised window, and how it was understood.
#[component]
fn Window() -> impl IntoView {
    let understood = use_store().memo(Subject::Form | Subject::Clock, |console| {
        let window = console.form.draft.typed_window().read(console.at_ms, &console.locale);
        window.map(|window| text::window(window, console.at_ms, &console.locale)).unwrap_or_default()
    });
    view! {
        <div class="window">
            <div class="pair">
                <TextField field=Field::From id="draft-from" label="Promised from" kind="time" />
                <TextField field=Field::FromDate id="draft-from-date" label="on the day" kind="date" />
            </div>
            <div class="pair">
                <TextField field=Field::Until id="draft-until" label="Promised until" kind="time" />
                <TextField field=Field::UntilDate id="draft-until-date" label="on that or another day" kind="date" />
            </div>
            <p class="note" inner_html=live_value(understood)></p>
        </div>
    }
}

/// What stands at the top of a form that cannot be saved, and who changed the order meanwhile; what is wrong with a field
/// stands below it.
#[component]
pub fn FormProblem() -> impl IntoView {
    let store = use_store();
    let text = store.memo(Subject::Form, |console| {
        let form = &console.form;
        let general = form.problems.iter().find(|(field, _)| field.is_empty()).map(|(_, why)| why.clone());
        let missing = (!form.problems.is_empty()).then(|| "Something is not right below.".to_owned());
        general.or(missing).unwrap_or_default()
    });
    let notice = store.memo(Subject::Form, |console| {
        console.form.edit.as_ref().and_then(|edit| edit.notice.clone()).unwrap_or_default()
    });
    view! {
        <div id="draft-problems" tabindex="-1" class="problems">
            <Alert text=text />
            <div class="problem" data-tone="warn" role="alert" hidden=move || notice.with(String::is_empty)>
                <p inner_html=live_value(notice)></p>
                <p>"What you typed is still here. Fields that you did not touch show what they hold now."</p>
            </div>
        </div>
    }
}

/// A field of the form.
#[component]
pub fn TextField(
    field: Field,
    id: &'static str,
    label: &'static str,
    #[prop(default = "text")] kind: &'static str,
    #[prop(default = "")] placeholder: &'static str,
    /// Only screen readers read the label.
    #[prop(default = false)]
    is_label_unseen: bool,
) -> impl IntoView {
    let store = use_store();
    let value = store.memo(Subject::Form, move |console| console.form.draft.text(field).to_owned());
    let remark = store.memo(Subject::Form, move |console| remark_on(console, field).1);
    let tone = store.memo(Subject::Form, move |console| remark_on(console, field).0);
    let is_locked = store.memo(Subject::Form, move |console| locked(console, field.path()).is_some());
    let hint = format!("{id}-wrong");
    view! {
        <label class="field">
            <span class:unseen=is_label_unseen>{label}</span>
            <input
                id=id
                type=kind
                autocomplete="off"
                placeholder=placeholder
                disabled=is_locked
                aria-invalid=move || (tone.get() == "bad").to_string()
                aria-describedby=hint.clone()
                prop:value=value
                on:input=move |event| store.send(DraftIntent::Change(change(field, event_target_value(&event))))
            />
            <span class="wrong" data-tone=tone id=hint.clone() inner_html=live_value(remark)></span>
        </label>
    }
}

/// An address is searched for while it is typed.
fn change(field: Field, text: String) -> Change {
    match StopKind::ALL.into_iter().find(|kind| kind.address() == field) {
        Some(kind) => Change::Address(kind, text),
        None => Change::Text(field, text),
    }
}

/// Why a field cannot be changed.
pub fn locked(console: &Console, path: &str) -> Option<&'static str> {
    console.form.edit.as_ref()?.locked(path)
}

/// What stands below a field, as its tone and words: what is wrong with it, why it cannot be changed, what a colleague made
/// of it, or what looks mistyped.
fn remark_on(console: &Console, field: Field) -> (&'static str, String) {
    let (form, path) = (&console.form, field.path());
    // The pin of a stop has no field of its own.
    let pin = StopKind::ALL.into_iter().find(|kind| kind.address() == field).map(StopKind::word);
    let of_field = |name: &str| name == path || pin.is_some_and(|pin| name == pin || name == format!("{pin}.lat"));
    let is_date = matches!(field, Field::FromDate | Field::UntilDate);
    if let Some((_, why)) = form.problems.iter().find(|(name, _)| of_field(name) && !is_date) {
        return ("bad", why.clone());
    }
    // One of a place's fields says it for all.
    let is_first = matches!(field, Field::PickupAddress | Field::Size | Field::Reference);
    if let Some(why) = locked(console, path) {
        return ("quiet", if is_first { why.to_owned() } else { String::new() });
    }
    let theirs = form.edit.iter().flat_map(|edit| &edit.theirs).find(|(other, _)| *other == field);
    if let Some((_, now)) = theirs {
        return ("warn", if now.is_empty() { "Now empty".to_owned() } else { format!("Now: {now}") });
    }
    ("warn", form.draft.warning(field).unwrap_or_default().to_owned())
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
pub fn checked(event: &ev::Event) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok())
        .is_some_and(|input| input.checked())
}
