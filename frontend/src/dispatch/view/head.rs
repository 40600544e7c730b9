//! The line at the top: how the fleet fares, and what can be begun.

use leptos::prelude::*;

use super::icon::Icon;
use crate::{
    dispatch::{
        console::{
            AreaIntent, ArrivalIntent, DialogIntent, ImportIntent, InboxIntent, Intent, ListIntent, PinnedIntent,
            Subject, Totals,
        },
        route::{Open, Tab},
        store::use_store,
    },
    ui::bind::live_text,
};

/// Who is signed in.
#[derive(Clone, Debug, Default)]
pub struct User {
    pub email: String,
    pub is_admin: bool,
}

#[component]
pub fn Head(user: User, totals: Memo<Totals>) -> impl IntoView {
    let store = use_store();
    view! {
        <header class="head">
            <h1>
                <a class="brand" href="/dispatch">"Doorstep"<span class="unseen">" dispatch"</span></a>
            </h1>
            <div class="pills">
                <LivePill totals />
                <AttentionPill totals />
            </div>
            <div class="tools">
                <button type="button" class="quiet wide" on:click=move |_| store.send(ImportIntent::Open)>
                    <Icon name="file" />
                    "Import"
                </button>
                <button type="button" class="primary" on:click=move |_| store.send(Intent::Open(Open::NewOrder))>
                    "New order"
                </button>
                <Menu user />
            </div>
        </header>
    }
}

/// How many couriers are live; leads to their list.
#[component]
fn LivePill(totals: Memo<Totals>) -> impl IntoView {
    let store = use_store();
    let is_current = store.memo(Subject::Connection, |console| console.connection.is_current());
    let live = move || totals.get().live;
    // Who is live now is not known while no news come.
    let text = move || match (live(), is_current.get()) {
        (1, true) => "1 courier live".to_owned(),
        (many, true) => format!("{many} couriers live"),
        (1, false) => "1 was live".to_owned(),
        (many, false) => format!("{many} were live"),
    };
    view! {
        <button
            type="button"
            class="pill"
            data-tone=move || if live() == 0 || !is_current.get() { "quiet" } else { "ok" }
            on:click=move |_| store.send(ListIntent::Tab(Tab::Couriers))
        >
            <span class="dot" aria-hidden="true"></span>
            <span inner_html=live_text(text)></span>
        </button>
    }
}

/// How many things need attention; leads to the inbox.
#[component]
fn AttentionPill(totals: Memo<Totals>) -> impl IntoView {
    let store = use_store();
    let attention = move || totals.get().attention;
    let is_calm = move || attention().is_none_or(|count| count == 0);
    let count = move || attention().filter(|count| *count > 0).map(|count| count.to_string()).unwrap_or_default();
    let text = move || match attention() {
        None => "Inbox",
        Some(0) => "All well",
        Some(1) => " needs attention",
        Some(_) => " need attention",
    };
    view! {
        <button
            type="button"
            class="pill"
            data-tone=move || if is_calm() { "quiet" } else { "bad" }
            on:click=move |_| store.send(InboxIntent::Show)
        >
            <span>
                <span inner_html=live_text(count)></span>
                <span class=move || if is_calm() { "" } else { "long" } inner_html=live_text(text)></span>
            </span>
        </button>
    }
}

#[component]
fn Menu(user: User) -> impl IntoView {
    let store = use_store();
    view! {
        <details class="menu">
            <summary aria-label="More">
                <span class="initial" aria-hidden="true" translate="no">{initial(&user.email)}</span>
            </summary>
            <div class="menu-box">
                <p class="who">{user.email.clone()}<br />{if user.is_admin { "Admin" } else { "Dispatcher" }}</p>
                <button type="button" class="narrow" on:click=move |_| store.send(ImportIntent::Open)>
                    <Icon name="file" />
                    "Import orders"
                </button>
                <button type="button" hidden=!user.is_admin on:click=move |_| store.send(AreaIntent::Open)>
                    <Icon name="map" />
                    "Area"
                </button>
                <button type="button" on:click=move |_| store.send(ArrivalIntent::Open { is_admin: user.is_admin })>
                    <Icon name="clock" />
                    "Arrivals"
                </button>
                <button type="button" on:click=move |_| store.send(PinnedIntent::Open)>
                    <Icon name="pin" />
                    "Pinned addresses"
                </button>
                <button type="button" on:click=move |_| store.send(DialogIntent::Help)>
                    <Icon name="keys" />
                    "Keys"
                </button>
                <button type="button" on:click=move |_| store.send(Intent::Theme)>
                    <Icon name="theme" />
                    "Light or dark"
                </button>
                <button type="button" on:click=move |_| store.send(Intent::SignOut)>
                    <Icon name="out" />
                    "Sign out"
                </button>
            </div>
        </details>
    }
}

fn initial(email: &str) -> String {
    email.chars().next().map_or_else(|| "·".to_owned(), |letter| letter.to_uppercase().to_string())
}
