//! What lies over the screen, one at a time. The browser's own modal dialog keeps the focus inside.

use doorstep_shared::{OrderStatus, Vehicle, api::exception::MAX_EXCEPTION_NOTE_CHARS};
use leptos::{ev, prelude::*};

use super::{Desk, icon::icon, import, qr};
use crate::{
    dispatch::{
        console::{Dialog, Intent},
        keys, map, words,
    },
    ui::time,
};

/// Which dialog is open; what is in it follows by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Help,
    Import,
    Courier,
    Invite,
    Link,
    Reason,
    Note,
    Revoke,
}

pub fn dialogs(desk: Desk) -> impl IntoView {
    let kind = Memo::new(move |_| {
        desk.read(|console| {
            console.dialog.as_ref().map(|dialog| match dialog {
                Dialog::Help => Kind::Help,
                Dialog::Import(_) => Kind::Import,
                Dialog::Courier { .. } => Kind::Courier,
                Dialog::Invite { .. } => Kind::Invite,
                Dialog::Link { .. } => Kind::Link,
                Dialog::Reason { .. } => Kind::Reason,
                Dialog::Note { .. } => Kind::Note,
                Dialog::Revoke { .. } => Kind::Revoke,
            })
        })
    });
    move || kind.get().map(|kind| frame(desk, kind))
}

fn frame(desk: Desk, kind: Kind) -> impl IntoView {
    map::show_modal("dialog");
    let title = match kind {
        Kind::Help => "Keys".to_owned(),
        Kind::Import => "Import orders".to_owned(),
        Kind::Courier => {
            let is_new = desk.peek(|console| matches!(console.dialog, Some(Dialog::Courier { id: None, .. })));
            if is_new { "New courier".to_owned() } else { "Edit courier".to_owned() }
        }
        Kind::Invite => "Sign in with this code".to_owned(),
        Kind::Link => "Tracking link".to_owned(),
        Kind::Reason => reason_title(desk),
        Kind::Note => "Acknowledge with a note".to_owned(),
        Kind::Revoke => "Revoke this phone?".to_owned(),
    };
    let content = match kind {
        Kind::Help => help().into_any(),
        Kind::Import => import::import(desk).into_any(),
        Kind::Courier => courier(desk).into_any(),
        Kind::Invite => invite(desk).into_any(),
        Kind::Link => link(desk).into_any(),
        Kind::Reason => reason(desk).into_any(),
        Kind::Note => note(desk).into_any(),
        Kind::Revoke => revoke(desk).into_any(),
    };
    let cancel = move |event: ev::Event| {
        event.prevent_default();
        desk.did(Intent::CloseDialog);
    };
    let problem = move || {
        desk.read(|console| match console.dialog {
            Some(Dialog::Note { .. }) => console.inbox.problem.clone(),
            _ => console.drawer.problem.clone(),
        })
        .unwrap_or_default()
    };
    view! {
        <dialog id="dialog" class="dialog" data-kind=format!("{kind:?}").to_lowercase() aria-labelledby="dialog-title" on:cancel=cancel>
            <div class="drawer-head">
                <h2 id="dialog-title">{title}</h2>
                <button type="button" class="round" aria-label="Close" on:click=move |_| desk.did(Intent::CloseDialog)>
                    {icon("close")}
                </button>
            </div>
            <p class="problem" role="alert" hidden=move || problem().is_empty()>{problem}</p>
            {content}
        </dialog>
    }
}

fn help() -> impl IntoView {
    let line = |(key, does): (&'static str, &'static str)| {
        view! {
            <div class="fact">
                <dt><kbd>{key}</kbd></dt>
                <dd>{does}</dd>
            </div>
        }
    };
    view! {
        <dl class="facts keys">{keys::HELP.map(line).into_iter().collect_view()}</dl>
        <p class="note">"Orders can also be dragged: onto a courier in the list, in the suggestions, or on the map."</p>
    }
}

fn courier(desk: Desk) -> impl IntoView {
    let (first_name, first_phone, first_vehicle) = desk.peek(|console| match &console.dialog {
        Some(Dialog::Courier { name, phone, vehicle, .. }) => (name.clone(), phone.clone(), *vehicle),
        _ => (String::new(), String::new(), Vehicle::Scooter),
    });
    let name = RwSignal::new(first_name);
    let phone = RwSignal::new(first_phone);
    let vehicle = RwSignal::new(first_vehicle);
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        desk.did(Intent::SaveCourier {
            name: name.get_untracked(),
            phone: phone.get_untracked(),
            vehicle: vehicle.get_untracked(),
        });
    };
    let is_busy = move || desk.read(|console| console.drawer.is_busy);
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
                        <option value=one.as_str() selected=one == first_vehicle>{words::vehicle(one)}</option>
                    }).into_iter().collect_view()}
                </select>
            </label>
            <div class="actions">
                <button type="submit" class="primary" disabled=is_busy>"Save"</button>
            </div>
        </form>
    }
}

fn invite(desk: Desk) -> impl IntoView {
    let (url, until) = desk.peek(|console| match &console.dialog {
        Some(Dialog::Invite { url, expires_ms, .. }) => (url.clone(), time::clock(*expires_ms, &console.locale)),
        _ => (String::new(), String::new()),
    });
    view! {
        <div class="printed">
            <img class="code" src=qr::source(&url) alt="QR code of the sign-in link" />
            <p class="note">
                {format!("The courier scans it with their phone's camera. It works once, until {until}. Whoever scans it is signed in as them.")}
            </p>
        </div>
        <div class="actions">
            <button type="button" class="quiet" on:click=move |_| desk.did(Intent::CopyLink)>"Copy link"</button>
            <button type="button" class="quiet" on:click=move |_| desk.did(Intent::Print)>"Print"</button>
        </div>
    }
}

fn link(desk: Desk) -> impl IntoView {
    let (url, svg, reference) = desk.peek(|console| match &console.dialog {
        Some(Dialog::Link { order, link, .. }) => {
            let reference = console.fleet.orders.get(order).map(|order| order.reference.clone());
            (link.tracking_url.clone(), link.qr_svg.clone(), reference.unwrap_or_default())
        }
        _ => Default::default(),
    });
    let is_copied = move || desk.read(|console| matches!(console.dialog, Some(Dialog::Link { is_copied: true, .. })));
    view! {
        <div class="printed">
            <p class="reference">{reference}</p>
            <img class="code" src=qr::picture(&svg) alt="QR code of the tracking link" />
            <p class="address" id="tracking-url">{url}</p>
        </div>
        <p class="note">"Whoever has the link sees where the order is. Earlier links go on working."</p>
        <div class="actions">
            <button type="button" class="primary" on:click=move |_| desk.did(Intent::CopyLink)>
                {move || if is_copied() { "Copied" } else { "Copy link" }}
            </button>
            <button type="button" class="quiet" on:click=move |_| desk.did(Intent::Print)>"Print QR code"</button>
        </div>
    }
}

fn reason_title(desk: Desk) -> String {
    desk.peek(|console| match &console.dialog {
        Some(Dialog::Reason { order, status }) => {
            let reference = console.fleet.orders.get(order).map(|order| order.reference.clone()).unwrap_or_default();
            format!("{reference}: {}", words::event(*status).to_lowercase())
        }
        _ => String::new(),
    })
}

fn reason(desk: Desk) -> impl IntoView {
    let status = desk.peek(|console| match &console.dialog {
        Some(Dialog::Reason { status, .. }) => *status,
        _ => OrderStatus::Cancelled,
    });
    let note = RwSignal::new(String::new());
    let common: &[&str] = match status {
        OrderStatus::Failed => &["Nobody answered the door", "Wrong address", "Customer refused it"],
        OrderStatus::Cancelled => &["Cancelled by the customer", "The kitchen had to close", "Entered twice"],
        _ => &[],
    };
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        desk.did(Intent::Reason { note: note.get_untracked() });
    };
    view! {
        <form novalidate on:submit=submit>
            <div class="filters" role="group" aria-label="Common reasons" hidden=common.is_empty()>
                {common.iter().map(|text| view! {
                    <button type="button" class="chip" on:click=move |_| note.set((*text).to_owned())>{*text}</button>
                }).collect_view()}
            </div>
            <label class="field">
                <span>"Why; the customer reads this too"</span>
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
                <button type="submit" class="primary">{words::action(status)}</button>
                <button type="button" class="quiet" on:click=move |_| desk.did(Intent::CloseDialog)>"Keep it as it is"</button>
            </div>
        </form>
    }
}

fn note(desk: Desk) -> impl IntoView {
    let title = desk.peek(|console| match console.dialog {
        Some(Dialog::Note { id }) => console.inbox.find(id).map(|one| words::exception(one, console.at_ms).0),
        _ => None,
    });
    let note = RwSignal::new(String::new());
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        desk.did(Intent::Note { note: note.get_untracked() });
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
                <button type="button" class="quiet" on:click=move |_| desk.did(Intent::CloseDialog)>"Not yet"</button>
            </div>
        </form>
    }
}

fn revoke(desk: Desk) -> impl IntoView {
    let label = desk.peek(|console| match &console.dialog {
        Some(Dialog::Revoke { label, .. }) => label.clone(),
        _ => String::new(),
    });
    view! {
        <p>{format!("“{label}” is signed out at once and cannot report any more. What it has not sent yet is lost.")}</p>
        <div class="actions">
            <button
                type="button"
                class="danger"
                disabled=move || desk.read(|console| console.drawer.is_busy)
                on:click=move |_| desk.did(Intent::Revoke)
            >
                "Revoke"
            </button>
            <button type="button" class="quiet" on:click=move |_| desk.did(Intent::CloseDialog)>"Keep it"</button>
        </div>
    }
}
