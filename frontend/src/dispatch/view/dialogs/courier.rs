//! The dialogs about a courier: what is known about them, whether they work here, and a phone that is signed out.

use doorstep_shared::{
    CourierId, Vehicle,
    api::{console::PlaceFound, plan::Depot},
};
use leptos::{ev, prelude::*};

use crate::{
    dispatch::{
        console::{CourierIntent, Dialog, DialogIntent, Subject},
        courier_form::TypedCourier,
        store::use_store,
        text,
        view::{
            keyed::{Entries, Entry, Row, number_key},
            parts::Input,
        },
    },
    ui::bind::{live_text, live_value},
};

#[component]
pub fn EditCourier() -> impl IntoView {
    let store = use_store();
    let known = store.peek(|console| match &*console.dialog {
        Some(Dialog::Courier { known, .. }) => known.as_ref().clone(),
        _ => TypedCourier::default(),
    });
    let first_vehicle = known.vehicle;
    let text = |text: &str| RwSignal::new(text.to_owned());
    let (name, phone, capacity, skills) =
        (text(&known.name), text(&known.phone), text(&known.capacity), text(&known.skills));
    let shift = [&known.shift_date, &known.shift_from, &known.shift_until, &known.break_from, &known.break_until]
        .map(|one| text(one));
    let vehicle = RwSignal::new(known.vehicle);
    let depot = RwSignal::new(known.depot);
    let is_busy = store.memo(Subject::Drawer, |console| console.drawer.is_busy);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let [shift_date, shift_from, shift_until, break_from, break_until] = shift.map(|one| one.get_untracked());
        store.send(CourierIntent::Save(Box::new(TypedCourier {
            name: name.get_untracked(),
            phone: phone.get_untracked(),
            vehicle: vehicle.get_untracked(),
            capacity: capacity.get_untracked(),
            skills: skills.get_untracked(),
            shift_date,
            shift_from,
            shift_until,
            break_from,
            break_until,
            depot: depot.get_untracked(),
        })));
    };
    view! {
        <form novalidate on:submit=submit>
            <Input label="Name" id="courier-name" value=name />
            <Input label="Phone, for dispatch only" kind="tel" value=phone />
            <div class="pair">
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
                <Input label="Capacity" placeholder="No limit" value=capacity />
            </div>
            <Input label="Can do" placeholder="van, cold" value=skills />
            <div class="pair">
                <Input label="Shift from" kind="time" value=shift[1] />
                <Input label="Shift until" kind="time" value=shift[2] />
                <Input label="Break from" kind="time" value=shift[3] />
                <Input label="Break until" kind="time" value=shift[4] />
            </div>
            <Input label="Day of the shift" kind="date" value=shift[0] />
            <DepotField depot />
            <div class="actions">
                <button type="submit" class="primary" disabled=is_busy>"Save"</button>
            </div>
        </form>
    }
}

/// Where the courier's tours begin and end: an address that the search finds.
#[component]
fn DepotField(depot: RwSignal<Option<Depot>>) -> impl IntoView {
    let store = use_store();
    let query = RwSignal::new(String::new());
    let found = store.memo(Subject::Drawer, |console| {
        let place = |(index, place): (usize, &PlaceFound)| Entry {
            key: number_key(index),
            title: place.name.clone(),
            line: place.town.clone().unwrap_or_default(),
            ..Entry::default()
        };
        console.drawer.places.iter().enumerate().map(place).collect::<Vec<_>>()
    });
    let search = move |event: ev::Event| {
        let text = event_target_value(&event);
        query.set(text.clone());
        if text.trim().chars().count() > 1 {
            store.send(CourierIntent::FindDepot(text.trim().to_owned()));
        }
    };
    let choose = move |index: usize| {
        let place = store.peek(|console| console.drawer.places.get(index).cloned());
        depot.set(place.map(|place| Depot { lat: place.lat, lon: place.lon, address: place.address }));
        query.set(String::new());
    };
    let address = move |row: Row| {
        let index = row.key.as_u128() as usize;
        view! {
            <li>
                <button type="button" on:click=move |_| choose(index)>
                    <span inner_html=live_text(row.title())></span>
                    <span class="note" inner_html=live_text(row.line())></span>
                </button>
            </li>
        }
    };
    let chosen = move || depot.get().map(|depot| depot.address).unwrap_or_default();
    view! {
        <label class="field">
            <span>"Depot, where tours begin and end"</span>
            <input type="text" autocomplete="off" placeholder="Find an address" prop:value=query on:input=search />
        </label>
        <ul class="found" aria-label="Addresses found" hidden=move || query.with(String::is_empty) || found.with(Vec::is_empty)>
            <Entries entries=found row=address />
        </ul>
        <div class="pin-line" hidden=move || depot.get().is_none()>
            <span class="note" inner_html=live_text(chosen)></span>
            <button type="button" class="chip" on:click=move |_| depot.set(None)>"No depot"</button>
        </div>
    }
}

/// What archiving means, or bringing back.
#[component]
pub fn ArchiveCourier() -> impl IntoView {
    let store = use_store();
    let (name, is_archived) = store.peek(|console| match &*console.dialog {
        Some(Dialog::Archive { name, is_archived, .. }) => (name.clone(), *is_archived),
        _ => (String::new(), true),
    });
    let is_busy = store.memo(Subject::Drawer, |console| console.drawer.is_busy);
    let text = if is_archived {
        format!(
            "{name} is signed out on every phone and leaves the lists. What they did stays in the orders’ histories."
        )
    } else {
        format!("{name} comes back to the lists, without a phone: invite one again.")
    };
    view! {
        <p>{text}</p>
        <div class="actions">
            <button
                type="button"
                class=if is_archived { "danger" } else { "primary" }
                disabled=is_busy
                on:click=move |_| store.send(CourierIntent::Archive)
            >
                {if is_archived { "Archive" } else { "Bring back" }}
            </button>
            <button type="button" class="quiet" on:click=move |_| store.send(DialogIntent::Close)>"Not now"</button>
        </div>
    }
}

/// The couriers who work here no longer.
#[component]
pub fn ArchivedCouriers() -> impl IntoView {
    let store = use_store();
    let couriers = store.memo(Subject::Dialog, |console| match &*console.dialog {
        Some(Dialog::Archived(Some(couriers))) => {
            let entry = |(id, name): &(CourierId, String)| Entry {
                key: *id.as_uuid(),
                title: name.clone(),
                ..Entry::default()
            };
            couriers.iter().map(entry).collect()
        }
        _ => Vec::new(),
    });
    let note = store.memo(Subject::Dialog, |console| match &*console.dialog {
        Some(Dialog::Archived(None)) => "Fetching…",
        Some(Dialog::Archived(Some(couriers))) if couriers.is_empty() => {
            "Nobody. Couriers are archived on their own page."
        }
        _ => "",
    });
    let courier = move |row: Row| {
        let (name, courier) = (row.title(), CourierId::from_uuid(row.key));
        view! {
            <li class="choice">
                <span class="choice-name" translate="no" inner_html=live_text(name)></span>
                <button
                    type="button"
                    class="quiet"
                    aria-label=move || format!("Bring back {}", name())
                    on:click=move |_| store.send(CourierIntent::ConfirmArchive { courier, is_archived: false })
                >
                    "Bring back"
                </button>
            </li>
        }
    };
    view! {
        <p class="note" inner_html=live_value(note)></p>
        <ul>
            <Entries entries=couriers row=courier />
        </ul>
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
