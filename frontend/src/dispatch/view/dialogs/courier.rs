//! The dialogs about a courier: their name, number and vehicle, and a phone that is signed out.

use doorstep_shared::Vehicle;
use leptos::{ev, prelude::*};

use crate::dispatch::{
    console::{CourierIntent, Dialog, DialogIntent, Subject},
    store::use_store,
    text,
};

#[component]
pub fn EditCourier() -> impl IntoView {
    let store = use_store();
    let (first_name, first_phone, first_vehicle) = store.peek(|console| match &*console.dialog {
        Some(Dialog::Courier { name, phone, vehicle, .. }) => (name.clone(), phone.clone(), *vehicle),
        _ => (String::new(), String::new(), Vehicle::Scooter),
    });
    let name = RwSignal::new(first_name);
    let phone = RwSignal::new(first_phone);
    let vehicle = RwSignal::new(first_vehicle);
    let is_busy = store.memo(Subject::Drawer, |console| console.drawer.is_busy);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        store.send(CourierIntent::Save {
            name: name.get_untracked(),
            phone: phone.get_untracked(),
            vehicle: vehicle.get_untracked(),
        });
    };
    view! {
        <form novalidate on:submit=submit>
            <label class="field">
                <span>"Name"</span>
                <input
                    type="text"
                    id="courier-name"
                    autocomplete="off"
                    autofocus
                    maxlength="100"
                    prop:value=name
                    on:input=move |event| name.set(event_target_value(&event))
                />
            </label>
            <label class="field">
                <span>"Phone, for dispatch only"</span>
                <input
                    type="tel"
                    autocomplete="off"
                    prop:value=phone
                    on:input=move |event| phone.set(event_target_value(&event))
                />
            </label>
            <label class="field">
                <span>"Rides"</span>
                <select on:change=move |event| if let Ok(chosen) = event_target_value(&event).parse() {
                    vehicle.set(chosen);
                }>
                    {Vehicle::ALL.map(|one| view! {
                        <option value=one.as_str() selected=one == first_vehicle>{text::vehicle(one)}</option>
                    }).into_iter().collect_view()}
                </select>
            </label>
            <div class="actions">
                <button type="submit" class="primary" disabled=is_busy>"Save"</button>
            </div>
        </form>
    }
}

#[component]
pub fn RevokeDevice() -> impl IntoView {
    let store = use_store();
    let label = store.peek(|console| match &*console.dialog {
        Some(Dialog::Revoke { label, .. }) => label.clone(),
        _ => String::new(),
    });
    let is_busy = store.memo(Subject::Drawer, |console| console.drawer.is_busy);
    view! {
        <p>{format!("“{label}” is signed out at once and cannot report any more. What it has not sent yet is lost.")}</p>
        <div class="actions">
            <button
                type="button"
                class="danger"
                disabled=is_busy
                on:click=move |_| store.send(CourierIntent::Revoke)
            >
                "Revoke"
            </button>
            <button type="button" class="quiet" on:click=move |_| store.send(DialogIntent::Close)>"Keep it"</button>
        </div>
    }
}
