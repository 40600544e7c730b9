//! What happened with an order so far, and its proofs of delivery.

use leptos::prelude::*;

use crate::{
    dispatch::{
        console::{Console, Subject},
        store::use_store,
        text,
        view::keyed::{Numbered, follow, numbered},
    },
    ui::time,
};

/// An event of the timeline as it is drawn.
#[derive(Clone, Debug, PartialEq)]
struct Event {
    what: &'static str,
    at: String,
    note: String,
}

fn events(console: &Console) -> Vec<Numbered<Event>> {
    let events = console.drawer.order.iter().flat_map(|order| order.timeline.iter().flatten());
    numbered(events.map(|event| Event {
        what: text::event(event.status),
        at: time::clock(event.at.timestamp_millis(), &console.locale),
        note: event.note.clone().unwrap_or_default(),
    }))
}

#[component]
pub fn Timeline() -> impl IntoView {
    let events = use_store().memo(Subject::Drawer, events);
    let row = move |event: Numbered<Event>| {
        let event = follow(events, event, |event| event.index);
        view! {
            <li>
                <span class="what">{move || event.with(|event| event.content.what)}</span>
                <time>{move || event.with(|event| event.content.at.clone())}</time>
                <span class="note">{move || event.with(|event| event.content.note.clone())}</span>
            </li>
        }
    };
    view! {
        <section aria-label="What happened so far" hidden=move || events.with(Vec::is_empty)>
            <h3>"So far"</h3>
            <ol class="timeline">
                <For each=move || events.get() key=|event| event.index children=row />
            </ol>
        </section>
    }
}

/// A proof as it is drawn.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Proof {
    caption: String,
    image: Option<String>,
}

fn proofs(console: &Console) -> Vec<Proof> {
    let proofs = console.drawer.order.iter().flat_map(|order| order.proofs.iter().flatten());
    let proof = proofs.map(|proof| {
        let at = time::clock(proof.taken_at.timestamp_millis(), &console.locale);
        let by = proof.name.as_ref().map(|name| format!(" by {name}")).unwrap_or_default();
        Proof { caption: format!("{}{by}, {at}", text::proof(proof.kind)), image: proof.image_url.clone() }
    });
    proof.collect()
}

#[component]
pub fn Proofs() -> impl IntoView {
    let proofs = use_store().memo(Subject::Drawer, proofs);
    // A proof never changes, so its number and content are its key.
    let row = |(_, proof): (usize, Proof)| {
        let Proof { caption, image } = proof;
        let picture = image.map(|url| {
            let link = url.clone();
            view! {
                <a href=link target="_blank" rel="noopener">
                    <img src=url alt=caption.clone() loading="lazy" />
                </a>
            }
        });
        view! { <li>{picture}<span>{caption}</span></li> }
    };
    view! {
        <section aria-label="Proof of delivery" hidden=move || proofs.with(Vec::is_empty)>
            <h3>"Proof of delivery"</h3>
            <ul class="proofs">
                <For each=move || proofs.get().into_iter().enumerate() key=Clone::clone children=row />
            </ul>
        </section>
    }
}
