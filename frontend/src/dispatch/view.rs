//! The console's screens.
//!
//! Components read the one store by subject and keep their elements while its values change, so focus and half-typed text
//! stay. What is mounted depends only on what is open, never on how it fares. [`list`] is the left side, [`stage`] the map,
//! and the drawer on the right shows what is open; what several of them use stands in [`parts`], [`keyed`], [`drag`] and
//! [`icon`].

mod courier;
mod create;
mod dialogs;
mod drag;
mod exceptions;
mod fields;
mod head;
mod icon;
mod import;
mod inbox;
mod keyed;
mod list;
mod order;
mod parts;
mod picker;
mod plan;
mod qr;
mod replay;
mod stage;

pub use dialogs::AREA_FILE;
pub use head::User;
use leptos::prelude::*;

use self::{
    courier::CourierDrawer, create::CreateOrder, dialogs::Dialogs, head::Head, icon::Icon, inbox::InboxDrawer,
    list::Lists, order::OrderDrawer, replay::ReplayDrawer, stage::Stage,
};
use super::{
    console::{Intent, Screen, Subject},
    route::Open,
    store::use_store,
};
use crate::{live::connection::Health, ui::bind::live_value};

/// The whole console.
#[component]
pub fn ConsoleView(user: User) -> impl IntoView {
    let store = use_store();
    let subjects = Subject::Fleet | Subject::Clock | Subject::Inbox | Subject::List | Subject::Route;
    let totals = store.memo(subjects, |console| console.totals());
    let open = store.memo(Subject::Route, |console| console.route.open);
    let screen = store.memo(Subject::Selection, |console| screen_name(console.selection.screen));
    let health = store.memo(Subject::Connection, |console| health_name(console.connection.health));
    let is_known = store.memo(Subject::Fleet, |console| console.fleet.is_known);
    let announcement = store.memo(Subject::Announcement, |console| console.announcement.to_string());
    view! {
        <div
            class="console"
            data-screen=screen
            data-link=health
            data-known=is_known
            data-open=move || (open.get() != Open::Nothing).to_string()
        >
            <Head user totals />
            <ConnectionBar />
            <main class="work">
                <Lists totals />
                <Stage />
            </main>
            <aside class="drawer" id="drawer" tabindex="-1" aria-label="Details">
                {move || match open.get() {
                    Open::Nothing => view! { <InboxDrawer /> }.into_any(),
                    Open::Order(id) => view! { <OrderDrawer id /> }.into_any(),
                    Open::Courier(id) => view! { <CourierDrawer id /> }.into_any(),
                    Open::Replay(id, _) => view! { <ReplayDrawer id /> }.into_any(),
                    Open::NewOrder => view! { <CreateOrder /> }.into_any(),
                }}
            </aside>
            <Screens />
            <p class="unseen" role="status" inner_html=live_value(announcement)></p>
            <Dialogs />
        </div>
    }
}

/// Says when news does not arrive; what is shown stays.
#[component]
fn ConnectionBar() -> impl IntoView {
    let text = use_store().memo(Subject::Connection, |console| match console.connection.health {
        Health::Reconnecting => "Reconnecting… What you see may be out of date.",
        Health::NoNetwork => "No network. The console comes back by itself.",
        Health::Connecting | Health::Live => "",
    });
    view! {
        <p class="bar" role="status" hidden=move || text.get().is_empty() inner_html=live_value(text)></p>
    }
}

/// Chooses one of the three screens on a phone.
#[component]
fn Screens() -> impl IntoView {
    view! {
        <nav class="screens" aria-label="Screens">
            <ScreenButton to=Screen::List name="Lists" icon="list" />
            <ScreenButton to=Screen::Map name="Map" icon="map" />
            <ScreenButton to=Screen::Details name="Details" icon="details" />
        </nav>
    }
}

#[component]
fn ScreenButton(to: Screen, name: &'static str, icon: &'static str) -> impl IntoView {
    let store = use_store();
    let is_on_top = store.memo(Subject::Selection, move |console| console.selection.screen == to);
    view! {
        <button
            type="button"
            aria-pressed=move || is_on_top.get().to_string()
            on:click=move |_| store.send(Intent::Screen(to))
        >
            <Icon name=icon />
            {name}
        </button>
    }
}

const fn screen_name(screen: Screen) -> &'static str {
    match screen {
        Screen::List => "list",
        Screen::Map => "map",
        Screen::Details => "details",
    }
}

const fn health_name(health: Health) -> &'static str {
    match health {
        Health::Connecting => "connecting",
        Health::Live => "live",
        Health::Reconnecting => "reconnecting",
        Health::NoNetwork => "offline",
    }
}
