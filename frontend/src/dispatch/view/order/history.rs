//! What happened with an order so far, and its proofs of delivery.

use leptos::prelude::*;

use crate::{
    dispatch::{
        console::{Console, Subject},
        store::use_store,
        text,
        view::keyed::{Entries, Entry, Row, is_empty, number_key},
    },
    ui::bind::live_text,
    ui::time,
};

fn events(console: &Console) -> Vec<Entry> {
    let events = console.drawer.order.iter().flat_map(|order| order.timeline.iter().flatten());
    let entry = events.enumerate().map(|(index, event)| {
        let text::HistoryLine { title, line, time, tone } = text::history(event, console.at_ms, &console.locale);
        Entry { key: number_key(index), title, line, aside: time, tone, ..Entry::default() }
    });
    entry.collect()
}

#[component]
pub fn Timeline() -> impl IntoView {
    let events = use_store().memo(Subject::Drawer, events);
    let event = |row: Row| {
        view! {
            <li data-tone=row.tone()>
                <span class="what" inner_html=live_text(row.title())></span>
                <time inner_html=live_text(row.aside())></time>
                <span class="note" inner_html=live_text(row.line())></span>
            </li>
        }
    };
    view! {
        <section aria-label="What happened so far" hidden=is_empty(events)>
            <h3>"So far"</h3>
            <ol class="timeline">
                <Entries entries=events row=event />
            </ol>
        </section>
    }
}

/// The proofs of delivery; beside each stands the address of its image, if it has one.
fn proofs(console: &Console) -> Vec<Entry> {
    let proofs = console.drawer.order.iter().flat_map(|order| order.proofs.iter().flatten());
    let entry = proofs.enumerate().map(|(index, proof)| {
        let at = time::moment(proof.taken_at.timestamp_millis(), console.at_ms, &console.locale);
        let by = proof.name.as_ref().map(|name| format!(" by {name}")).unwrap_or_default();
        Entry {
            key: number_key(index),
            title: format!("{}{by}, {at}", text::proof(proof.kind)),
            aside: proof.image_url.clone().unwrap_or_default(),
            ..Entry::default()
        }
    });
    entry.collect()
}

#[component]
pub fn Proofs() -> impl IntoView {
    let proofs = use_store().memo(Subject::Drawer, proofs);
    let proof = |row: Row| {
        let (caption, url) = (row.title(), row.aside());
        let picture = move || {
            (!url().is_empty()).then(|| {
                view! {
                    <a href=url() target="_blank" rel="noopener">
                        <img src=url() alt=caption() loading="lazy" />
                    </a>
                }
            })
        };
        view! { <li>{picture}<span inner_html=live_text(caption)></span></li> }
    };
    view! {
        <section aria-label="Proof of delivery" hidden=is_empty(proofs)>
            <h3>"Proof of delivery"</h3>
            <ul class="proofs">
                <Entries entries=proofs row=proof />
            </ul>
        </section>
    }
}
