//! The dialogs with a QR code: a courier's sign-in link, and a customer's tracking link.

use leptos::prelude::*;

use crate::{
    dispatch::{
        console::{Dialog, DialogIntent, Subject},
        store::use_store,
        view::qr,
    },
    ui::bind::live_text,
    ui::time,
};

#[component]
pub fn Invite() -> impl IntoView {
    let store = use_store();
    let (url, until) = store.peek(|console| match &*console.dialog {
        Some(Dialog::Invite { url, expires_ms, .. }) => {
            (url.clone(), time::moment(*expires_ms, console.at_ms, &console.locale))
        }
        _ => Default::default(),
    });
    view! {
        <div class="printed">
            <img class="code" src=qr::source(&url) alt="QR code of the sign-in link" />
            <p class="note">
                {format!("The courier scans it with their phone's camera. It works once, until {until}. Whoever scans it is signed in as them.")}
            </p>
        </div>
        <div class="actions">
            <button type="button" class="quiet" on:click=move |_| store.send(DialogIntent::CopyLink)>"Copy link"</button>
            <button type="button" class="quiet" on:click=move |_| store.send(DialogIntent::Print)>"Print"</button>
        </div>
    }
}

#[component]
pub fn TrackingLink() -> impl IntoView {
    let store = use_store();
    let (url, svg, reference) = store.peek(|console| match &*console.dialog {
        Some(Dialog::TrackingLink { order, link, .. }) => {
            let reference = console.fleet.orders.get(order).map(|order| order.reference.clone());
            (link.tracking_url.clone(), link.qr_svg.clone(), reference.unwrap_or_default())
        }
        _ => Default::default(),
    });
    let is_copied = store
        .memo(Subject::Dialog, |console| matches!(*console.dialog, Some(Dialog::TrackingLink { is_copied: true, .. })));
    view! {
        <div class="printed">
            <p class="reference" translate="no">{reference}</p>
            <img class="code" src=qr::picture(&svg) alt="QR code of the tracking link" />
            <p class="address" translate="no" id="tracking-url">{url}</p>
        </div>
        <p class="note">"Whoever has the link sees where the order is. Earlier links go on working."</p>
        <div class="actions">
            <button
                type="button"
                class="primary"
                on:click=move |_| store.send(DialogIntent::CopyLink)
                inner_html=live_text(move || if is_copied.get() { "Copied" } else { "Copy link" })
            ></button>
            <button type="button" class="quiet" on:click=move |_| store.send(DialogIntent::Print)>"Print QR code"</button>
        </div>
    }
}
