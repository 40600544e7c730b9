//! The tracking page, drawn.
//!
//! The same structure in every state of an order: what a state does not need is empty or `hidden`. So nothing moves when
//! something happens, and the browser's build holds no code that takes elements apart.

mod headline;
mod people;
mod progress;
mod proof;
mod stage;
mod timeline;

use leptos::prelude::*;

use super::{Page, page::Freshness};
use crate::{
    live::feed::{Link, Transport},
    ui::{
        bind::{Shared, text, word},
        words,
    },
};

/// The whole page.
pub fn track_page(page: Shared) -> impl IntoView {
    view! {
        <main
            class="track"
            data-status=word(page, |page| page.status().as_str())
            data-link=word(page, link)
            data-feed=word(page, feed)
            data-map=word(page, map)
            data-size=word(page, |page| if page.map_large { "large" } else { "half" })
        >
            {stage::stage(page)}
            <div class="sheet">
                {stage::handle(page)}
                {headline::headline(page)}
                {progress::progress(page)}
                {proof::proof(page)}
                {people::courier(page)}
                {people::places(page)}
                {timeline::timeline(page)}
            </div>
            <p class="unseen" role="status">
                {text(page, |page| page.spoken.clone())}
            </p>
        </main>
    }
}

fn link(page: &Page) -> &'static str {
    match page.link {
        Link::Unconnected => "connecting",
        Link::Live if matches!(page.freshness(), Freshness::Stale { .. } | Freshness::Lost { .. }) => "stale",
        Link::Live => "live",
        Link::Reconnecting => "reconnecting",
        Link::Offline => "offline",
        Link::Ended => "ended",
        Link::Stopped => "stopped",
    }
}

fn feed(page: &Page) -> &'static str {
    match page.transport {
        Some(Transport::WebSocket) => "websocket",
        Some(Transport::Events) => "events",
        Some(Transport::Polling) => "polling",
        None => "none",
    }
}

fn map(page: &Page) -> &'static str {
    if page.map_shown { "streets" } else { "sketch" }
}

/// How sure a marker is, as its `data-tone`.
fn marker_tone(page: &Page) -> &'static str {
    match page.freshness() {
        Freshness::Fresh { .. } => words::Tone::Ok.name(),
        _ => words::Tone::Warn.name(),
    }
}
