//! The dialog for an action on the selected orders: the courier who gets them, or the confirmation of a cancellation.

use doorstep_shared::CourierId;
use leptos::{ev, prelude::*};
use uuid::Uuid;

use crate::{
    dispatch::{
        bulk::Action,
        console::{BulkIntent, Console, Dialog, DialogIntent, Subject, Wanted},
        store::use_store,
        text,
        view::{parts::Input, picker::Picker},
    },
    ui::bind::live_text,
};

fn wanted(console: &Console) -> Wanted {
    match *console.dialog {
        Some(Dialog::Bulk { wanted }) => wanted,
        _ => Wanted::Assign,
    }
}

/// The title of the dialog.
pub fn bulk_title(console: &Console) -> String {
    let orders = text::orders(console.selection.bulk.picked.len());
    match wanted(console) {
        Wanted::Assign => format!("Assign {orders}"),
        Wanted::Move => format!("Move {orders}"),
        Wanted::Cancel => format!("Cancel {orders}?"),
    }
}

#[component]
pub fn BulkDialog() -> impl IntoView {
    let store = use_store();
    let wanted = store.peek(wanted);
    let chosen = RwSignal::new(Uuid::nil());
    let reason = RwSignal::new(String::new());
    let name = store.memo(Subject::Fleet, move |console| {
        let courier = console.fleet.couriers.get(&CourierId::from_uuid(chosen.get()));
        courier.map(|courier| courier.name.clone()).unwrap_or_default()
    });
    let does = move || match (wanted, name.get()) {
        (Wanted::Cancel, _) => "Cancel them".to_owned(),
        (_, name) if name.is_empty() => "Choose a courier".to_owned(),
        (Wanted::Assign, name) => format!("Assign to {name}"),
        (Wanted::Move, name) => format!("Move to {name}"),
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let courier = CourierId::from_uuid(chosen.get_untracked());
        store.send(BulkIntent::Start(match wanted {
            Wanted::Assign => Action::Assign(courier),
            Wanted::Move => Action::Move(courier),
            Wanted::Cancel => Action::Cancel { reason: reason.get_untracked().trim().to_owned() },
        }));
    };
    let note = match wanted {
        Wanted::Assign => "Each order takes the best place in the courier’s plan.",
        Wanted::Move => "They keep the sequence in which they stand in their present plan.",
        Wanted::Cancel => "Their customers read that the order is cancelled, and why.",
    };
    let needs_courier = move || wanted != Wanted::Cancel && chosen.get().is_nil();
    view! {
        <form novalidate on:submit=submit>
            <p class="note">{note}</p>
            {if wanted == Wanted::Cancel {
                view! { <Input label="Why" value=reason /> }.into_any()
            } else {
                view! { <Picker label="Choose" chosen /> }.into_any()
            }}
            <div class="actions">
                <button
                    type="submit"
                    class=if wanted == Wanted::Cancel { "danger" } else { "primary" }
                    disabled=needs_courier
                    inner_html=live_text(does)
                ></button>
                <button type="button" class="quiet" on:click=move |_| store.send(DialogIntent::Close)>"Not now"</button>
            </div>
        </form>
    }
}
