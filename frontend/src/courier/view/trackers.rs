//! Setting up another app for the time that the phone is locked.

use doorstep_shared::api::courier::{TrackerApp, TrackerCreated};
use leptos::prelude::*;

use super::{
    Desk,
    page::{OfflineBar, Top},
};
use crate::{
    courier::{
        intent::{Intent, Screen},
        links,
        state::TrackerSetup,
        text::{fixed, trackers},
    },
    ui::bind::{live_text, words},
};

/// The screen.
#[component]
pub(super) fn Trackers(desk: Desk) -> AnyView {
    view! {
        <main class="page">
            <Top desk back=Intent::Show(Screen::Account) heading=trackers::fixed::HEADING />
            <OfflineBar desk />
            <p>{trackers::fixed::WHY}</p>
            <h2 inner_html=live_text(move || desk.tracker.with(trackers::chosen))></h2>
            {move || match desk.tracker.get() {
                TrackerSetup::Choose => view! { <Apps desk /> },
                TrackerSetup::Preparing(_) => view! { <Preparing /> },
                TrackerSetup::Ready(tracker) => view! { <Guide desk tracker=*tracker /> },
                TrackerSetup::Failed(reason) => view! { <Failed desk reason /> },
            }}
            <p class="detail">{trackers::fixed::SHIFT_ONLY}</p>
        </main>
    }
    .into_any()
}

/// Every app that can report.
#[component]
fn Apps(desk: Desk) -> AnyView {
    let apps = trackers::APPS.map(|app| {
        view! {
            <li>
                <button type="button" class="option" on:click=desk.press(Intent::SetUpTracker(app))>
                    <span class="place">{trackers::name(app)}</span>
                    <span class="detail">{trackers::runs_on(app)}</span>
                    <span class="detail">{trackers::note(app)}</span>
                </button>
            </li>
        }
    });
    view! { <ul class="options">{apps.into_iter().collect_view()}</ul> }.into_any()
}

#[component]
fn Preparing() -> AnyView {
    view! {
        <p class="searching" role="status">
            {trackers::fixed::PREPARING}
        </p>
    }
    .into_any()
}

#[component]
fn Failed(desk: Desk, reason: String) -> AnyView {
    view! {
        <p class="panel" data-tone="bad" role="alert" inner_html=words(reason)></p>
        <Apps desk />
    }
    .into_any()
}

/// The three steps, and all settings.
#[component]
fn Guide(desk: Desk, tracker: TrackerCreated) -> AnyView {
    let app = tracker.app;
    let settings = tracker.settings.into_iter().map(|(name, value)| view! { <Setting name value /> });
    view! {
        <ol class="guide">
            <li>
                <h3>{trackers::fixed::INSTALL}</h3>
                <p class="detail">{trackers::name(app)} " · " {trackers::runs_on(app)}</p>
                <Store desk app />
            </li>
            <li>
                <h3>{trackers::fixed::LOAD}</h3>
                <a class="button primary" href=tracker.config_url>
                    {trackers::open(app)}
                </a>
                <p class="detail">{trackers::fixed::SCAN}</p>
                <img class="qr" src=links::svg_image(&tracker.qr_svg) alt=trackers::fixed::QR />
                <details>
                    <summary>{trackers::fixed::BY_HAND}</summary>
                    <dl class="settings">{settings.collect_view()}</dl>
                </details>
                <p class="detail">{trackers::fixed::ONCE}</p>
            </li>
            <li>
                <h3>{trackers::fixed::START}</h3>
                <p class="detail">{trackers::start(app)}</p>
                <p class="detail">{trackers::note(app)}</p>
            </li>
        </ol>
        <button type="button" class="button" on:click=desk.press(Intent::LeaveTracker)>
            {trackers::fixed::OTHER_APP}
        </button>
    }
    .into_any()
}

/// Where the phone gets the app.
#[component]
fn Store(desk: Desk, app: TrackerApp) -> AnyView {
    let system = desk.shift.with_untracked(|shift| shift.platform.system);
    let link = trackers::store(app, system).map(|url| {
        view! {
            <a class="button" href=url target="_blank" rel="noopener noreferrer">
                {trackers::fixed::STORE}
            </a>
        }
    });
    link.into_any()
}

/// One setting, with a button that copies it.
#[component]
fn Setting(name: String, value: String) -> AnyView {
    let is_copied = RwSignal::new(false);
    let label = format!("{} {name}", fixed::COPY);
    let copied = value.clone();
    let copy = move |_| {
        write_clipboard(&copied);
        is_copied.set(true);
    };
    view! {
        <div>
            <dt>{name}</dt>
            <dd>{value}</dd>
            <dd>
                <button
                    type="button"
                    class="button"
                    aria-label=label
                    on:click=copy
                    inner_html=live_text(move || if is_copied.get() { fixed::COPIED } else { fixed::COPY })
                ></button>
            </dd>
        </div>
    }
    .into_any()
}

#[cfg(feature = "courier")]
fn write_clipboard(text: &str) {
    // The answer does not matter: where the browser refuses, the text stands beside the button.
    let _ = window().navigator().clipboard().write_text(text);
}

#[cfg(not(feature = "courier"))]
fn write_clipboard(_: &str) {}
