//! The dialogs that ask for a sentence: the reason of a status, and a remark on an acknowledgement.

use doorstep_shared::{OrderStatus, api::exception::MAX_EXCEPTION_NOTE_CHARS};
use leptos::{ev, prelude::*};

use crate::dispatch::{
    console::{Console, Deed, Dialog, DialogIntent, InboxIntent, OrderIntent},
    store::use_store,
    text,
};

/// The title of the dialog for a reason.
pub fn reason_title(console: &Console) -> String {
    match &*console.dialog {
        Some(Dialog::Reason { order, deed, .. }) => {
            let reference = console.fleet.orders.get(order).map(|order| order.reference.as_str()).unwrap_or_default();
            let what = match deed {
                Deed::Status(status) => text::event(*status).to_lowercase(),
                Deed::Unassign => "take it from its courier".to_owned(),
                Deed::Reopen => "reopen".to_owned(),
            };
            format!("{reference}: {what}")
        }
        _ => String::new(),
    }
}

/// Reasons to choose from.
const fn common_reasons(deed: Deed) -> &'static [&'static str] {
    match deed {
        Deed::Status(OrderStatus::Failed) => &["Nobody answered the door", "Wrong address", "Customer refused it"],
        Deed::Status(OrderStatus::Cancelled) => {
            &["Cancelled by the customer", "The kitchen had to close", "Entered twice"]
        }
        Deed::Unassign => &["Another courier is nearer", "The courier cannot go on"],
        Deed::Reopen => &["Closed by mistake", "It was not delivered"],
        Deed::Status(_) => &[],
    }
}

/// What the field asks for, the button that does it, and the one that does not.
const fn reason_words(deed: Deed) -> (&'static str, &'static str, &'static str) {
    match deed {
        Deed::Status(status) => ("Why; the customer reads this too", text::action(status), "Keep it as it is"),
        Deed::Unassign => ("Why, if it matters", "Unassign", "Leave it there"),
        Deed::Reopen => ("What was wrong", "Reopen", "Keep it closed"),
    }
}

#[component]
pub fn Reason() -> impl IntoView {
    let store = use_store();
    let deed = store.peek(|console| match &*console.dialog {
        Some(Dialog::Reason { deed, .. }) => *deed,
        _ => Deed::Unassign,
    });
    let note = RwSignal::new(String::new());
    let common = common_reasons(deed);
    let (question, does, does_not) = reason_words(deed);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        store.send(OrderIntent::Reason { note: note.get_untracked() });
    };
    view! {
        <form novalidate on:submit=submit>
            <div class="filters" role="group" aria-label="Common reasons" hidden=common.is_empty()>
                {common.iter().map(|text| view! {
                    <button type="button" class="chip" on:click=move |_| note.set((*text).to_owned())>{*text}</button>
                }).collect_view()}
            </div>
            <label class="field">
                <span>{question}</span>
                <input
                    type="text"
                    id="reason"
                    autocomplete="off"
                    autofocus
                    maxlength="1000"
                    prop:value=note
                    on:input=move |event| note.set(event_target_value(&event))
                />
            </label>
            <div class="actions">
                <button type="submit" class="primary">{does}</button>
                <button type="button" class="quiet" on:click=move |_| store.send(DialogIntent::Close)>{does_not}</button>
            </div>
        </form>
    }
}

#[component]
pub fn Note() -> impl IntoView {
    let store = use_store();
    let title = store.peek(|console| match *console.dialog {
        Some(Dialog::Note { id }) => {
            console.inbox.find(id).map(|found| text::exception(&console.fleet, found, console.at_ms, &console.locale).0)
        }
        _ => None,
    });
    let note = RwSignal::new(String::new());
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        store.send(InboxIntent::Note { note: note.get_untracked() });
    };
    view! {
        <form novalidate on:submit=submit>
            <p>{title}</p>
            <label class="field">
                <span>"What you did about it, for your colleagues"</span>
                <input
                    type="text"
                    id="note"
                    autocomplete="off"
                    autofocus
                    maxlength=MAX_EXCEPTION_NOTE_CHARS.to_string()
                    prop:value=note
                    on:input=move |event| note.set(event_target_value(&event))
                />
            </label>
            <div class="actions">
                <button type="submit" class="primary">"Acknowledge"</button>
                <button type="button" class="quiet" on:click=move |_| store.send(DialogIntent::Close)>"Not yet"</button>
            </div>
        </form>
    }
}
