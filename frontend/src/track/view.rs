//! The components of the tracking page.
//!
//! The server renders them and the browser hydrates the very same ones. What a state of the order does not need is empty
//! or `hidden`, so nothing moves when something happens.

mod headline;
mod people;
mod progress;
mod proof;
mod stage;
mod timeline;

use leptos::prelude::*;

use self::{
    headline::Headline,
    people::{CourierCard, Places},
    progress::Progress,
    proof::Proof,
    stage::{Handle, Stage},
    timeline::Timeline,
};
use super::{
    feed::{FeedState, Transport},
    page::{Freshness, Page},
    signals::{MapState, Signals},
};
use crate::{
    live::connection::Health,
    ui::bind::{text, word},
};

/// The whole page.
#[component]
pub fn TrackPage(
    /// What the page shows.
    signals: Signals,
) -> impl IntoView {
    let Signals { page, map } = signals;
    view! {
        <main
            class="track"
            data-status=word(page, |page| page.status().as_str())
            data-link=word(page, feed_state)
            data-feed=word(page, transport)
            data-map=word(map, drawn_map)
            data-size=word(map, |map| if map.is_large { "large" } else { "half" })
        >
            <Stage signals />
            <div class="sheet">
                <Handle map />
                <Headline page />
                <Progress page />
                <Proof page />
                <CourierCard page />
                <Places page />
                <Timeline page />
            </div>
            <p class="unseen" role="status">
                {text(page, |page| page.spoken.clone())}
            </p>
        </main>
    }
}

fn feed_state(page: &Page) -> &'static str {
    match page.feed {
        FeedState::Following(health) => match health {
            Health::Connecting => "connecting",
            Health::Live if matches!(page.freshness(), Freshness::Stale { .. } | Freshness::Lost { .. }) => "stale",
            Health::Live => "live",
            Health::Reconnecting => "reconnecting",
            Health::NoNetwork => "offline",
        },
        FeedState::Ended => "ended",
        FeedState::Stopped => "stopped",
    }
}

fn transport(page: &Page) -> &'static str {
    match page.transport {
        Some(Transport::WebSocket) => "websocket",
        Some(Transport::Events) => "events",
        Some(Transport::Polling) => "polling",
        None => "none",
    }
}

fn drawn_map(map: &MapState) -> &'static str {
    if map.drawn.is_map() { "streets" } else { "sketch" }
}
