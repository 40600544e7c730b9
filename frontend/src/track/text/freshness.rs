//! How fresh the page is, and what keeps news from coming.

use doorstep_shared::{
    OrderStatus,
    protocol::{PresenceReason, PresenceState, customer::Presence},
};

use super::people::courier_name;
use crate::{
    live::connection::Health,
    track::{
        feed::FeedState,
        page::{Freshness, Page},
    },
    ui::{
        text::{Tone, join},
        time,
    },
};

/// The pill beside the label: how fresh what the page shows is. Empty where freshness means nothing.
pub fn pill(page: &Page) -> String {
    if page.status().is_final() || page.status() == OrderStatus::Failed {
        return String::new();
    }
    let is_live = page.feed.is_live();
    let live = |age_ms: i64| join(&[if is_live { "Live · " } else { "Updated " }, &time::ago(age_ms)]);
    if let Some(pause) = page.pause() {
        return join(&["Paused ", &time::span(page.now_ms - pause.since_ms)]);
    }
    match page.freshness() {
        Freshness::Fresh { age_ms } => live(age_ms),
        Freshness::Stale { age_ms } | Freshness::Lost { age_ms } => join(&["Last seen ", &time::ago(age_ms)]),
        Freshness::Waiting => "No position yet".to_owned(),
        Freshness::Hidden if is_live => "Live".to_owned(),
        Freshness::Hidden => String::new(),
    }
}

/// What the pill is about.
pub fn pill_tone(page: &Page) -> Tone {
    match page.freshness() {
        Freshness::Stale { .. } | Freshness::Lost { .. } => Tone::Warn,
        _ if page.pause().is_some() => Tone::Warn,
        Freshness::Fresh { .. } | Freshness::Hidden if page.feed.is_live() => Tone::Ok,
        _ => Tone::Quiet,
    }
}

/// The quiet bar over the map's edge: what keeps news from coming, and what that means.
pub fn bar(page: &Page) -> String {
    match page.feed {
        FeedState::Following(Health::NoNetwork) => {
            join(&["You are offline. This is what was known ", &known_at(page), "."])
        }
        FeedState::Following(Health::Reconnecting) => "Reconnecting…".to_owned(),
        FeedState::Stopped => "Live updates have stopped.".to_owned(),
        _ => match (page.pause(), page.freshness()) {
            (Some(pause), _) => paused(page, pause),
            (None, Freshness::Lost { .. }) => {
                let since = page
                    .snapshot()
                    .position
                    .map_or(String::new(), |position| join(&[" since ", &page.moment(position.time_ms)]));
                join(&["No position from ", &courier_name(page), &since, "."])
            }
            _ => String::new(),
        },
    }
}

/// What the bar is about.
pub fn bar_tone(page: &Page) -> Tone {
    if page.feed == FeedState::Following(Health::Reconnecting) { Tone::Quiet } else { Tone::Warn }
}

fn paused(page: &Page, pause: Presence) -> String {
    let name = courier_name(page);
    if pause.state == PresenceState::OffDuty {
        return join(&[&name, " is off duty, so no position comes."]);
    }
    let reason = match pause.reason {
        Some(PresenceReason::ScreenLocked) => "’s phone was locked, so no position comes.",
        Some(PresenceReason::NoPermission) => "’s phone does not give its position.",
        Some(PresenceReason::NoSignal) => "’s phone has no GPS signal.",
        Some(PresenceReason::LowBattery) => "’s phone is saving its battery, so no position comes.",
        Some(PresenceReason::User) | None => " is not sharing a position right now.",
    };
    join(&[&name, reason])
}

fn known_at(page: &Page) -> String {
    let snapshot = page.snapshot();
    let newest_ms = snapshot.position.map_or(snapshot.server_time_ms, |position| position.time_ms);
    page.at(newest_ms)
}
