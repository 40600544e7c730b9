//! Setting up another app for the time that the phone is locked.

use doorstep_shared::api::courier::{TrackerApp, TrackerCreated};
use leptos::prelude::*;

use super::{
    Desk,
    proof::{offline_bar, top},
};
use crate::{
    courier::{
        intent::{Intent, Screen},
        links,
        state::{Shift, TrackerSetup},
        words::{self, trackers},
    },
    ui::bind::text,
};

/// The screen.
pub fn trackers(desk: Desk) -> AnyView {
    let setup = Memo::new(move |_| desk.shift.with(|shift| shift.tracker.clone()));
    view! {
        <main class="page">
            {top(desk, Intent::Show(Screen::Account), trackers::fixed::HEADING)}
            {offline_bar(desk)}
            <p>{trackers::fixed::WHY}</p>
            <h2>{text(desk.shift, trackers::chosen)}</h2>
            {move || match setup.get() {
                TrackerSetup::Choose => choice(desk),
                TrackerSetup::Preparing(_) => preparing(),
                TrackerSetup::Ready(tracker) => ready(desk, *tracker),
                TrackerSetup::Failed(reason) => failed(desk, reason),
            }}
            <p class="detail">{trackers::fixed::SHIFT_ONLY}</p>
        </main>
    }
    .into_any()
}

fn choice(desk: Desk) -> AnyView {
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

fn preparing() -> AnyView {
    view! {
        <p class="searching" role="status">
            {trackers::fixed::PREPARING}
        </p>
    }
    .into_any()
}

fn failed(desk: Desk, reason: String) -> AnyView {
    view! {
        <p class="panel" data-tone="bad" role="alert">
            {reason}
        </p>
        {choice(desk)}
    }
    .into_any()
}

fn ready(desk: Desk, tracker: TrackerCreated) -> AnyView {
    let app = tracker.app;
    view! {
        <ol class="guide">
            <li>
                <h3>{trackers::fixed::INSTALL}</h3>
                <p class="detail">{trackers::name(app)} " · " {trackers::runs_on(app)}</p>
                {store(desk, app)}
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
                    <dl class="settings">{tracker.settings.into_iter().map(setting).collect_view()}</dl>
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

fn store(desk: Desk, app: TrackerApp) -> AnyView {
    let system = desk.shift.with_untracked(|shift: &Shift| shift.platform.system);
    let link = trackers::store(app, system).map(|url| {
        view! {
            <a class="button" href=url target="_blank" rel="noopener noreferrer">
                {trackers::fixed::STORE}
            </a>
        }
    });
    link.into_any()
}

fn setting((name, value): (String, String)) -> AnyView {
    let is_copied = RwSignal::new(false);
    let label = format!("{} {name}", words::fixed::COPY);
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
                <button type="button" class="button" aria-label=label on:click=copy>
                    {move || if is_copied.get() { words::fixed::COPIED } else { words::fixed::COPY }}
                </button>
            </dd>
        </div>
    }
    .into_any()
}

#[cfg(feature = "courier")]
fn write_clipboard(text: &str) {
    // Nobody waits for it: where the browser refuses, the text stands beside the button.
    let _ = window().navigator().clipboard().write_text(text);
}

#[cfg(not(feature = "courier"))]
fn write_clipboard(_: &str) {}
