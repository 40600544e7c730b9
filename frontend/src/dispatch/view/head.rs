//! The line at the top: how the fleet fares, and what can be begun.

use leptos::prelude::*;

use super::{Desk, Who, icon::icon};
use crate::dispatch::{
    console::{Intent, Totals},
    place::{Open, Tab},
};

pub fn head(desk: Desk, who: Who) -> impl IntoView {
    let totals = Memo::new(move |_| desk.read(|console| console.totals()));
    let live = move || couriers_live(totals.get());
    let is_calm = move || totals.get().attention.is_none_or(|count| count == 0);
    let count = move || totals.get().attention.filter(|count| *count > 0).map(|count| count.to_string());
    let attention = move || match totals.get().attention {
        None => "Inbox",
        Some(0) => "All well",
        Some(1) => " needs attention",
        Some(_) => " need attention",
    };
    view! {
        <header class="head">
            <h1>
                <a class="brand" href="/dispatch">"Doorstep"<span class="unseen">" dispatch"</span></a>
            </h1>
            <div class="pills">
                <button
                    type="button"
                    class="pill"
                    data-tone=move || if totals.get().live == 0 { "quiet" } else { "ok" }
                    on:click=move |_| desk.did(Intent::Tab(Tab::Couriers))
                >
                    <span class="dot" aria-hidden="true"></span>
                    {live}
                </button>
                <button
                    type="button"
                    class="pill"
                    data-tone=move || if is_calm() { "quiet" } else { "bad" }
                    on:click=move |_| desk.did(Intent::Inbox)
                >
                    <span>{count}<span class=move || if is_calm() { "" } else { "long" }>{attention}</span></span>
                </button>
            </div>
            <div class="tools">
                <button type="button" class="quiet wide" on:click=move |_| desk.did(Intent::Import)>
                    {icon("file")}
                    "Import"
                </button>
                <button type="button" class="primary" on:click=move |_| desk.did(Intent::Open(Open::NewOrder))>
                    "New order"
                </button>
                <details class="menu">
                    <summary aria-label="More">
                        <span class="initial" aria-hidden="true">{initial(&who.email)}</span>
                    </summary>
                    <div class="menu-box">
                        <p class="who">{who.email.clone()}<br />{if who.is_admin { "Admin" } else { "Dispatcher" }}</p>
                        <button type="button" class="narrow" on:click=move |_| desk.did(Intent::Import)>
                            {icon("file")}
                            "Import orders"
                        </button>
                        <button type="button" on:click=move |_| desk.did(Intent::Help)>
                            {icon("keys")}
                            "Keys"
                        </button>
                        <button type="button" on:click=move |_| desk.did(Intent::Theme)>
                            {icon("theme")}
                            "Light or dark"
                        </button>
                        <button type="button" on:click=move |_| desk.did(Intent::SignOut)>
                            {icon("out")}
                            "Sign out"
                        </button>
                    </div>
                </details>
            </div>
        </header>
    }
}

fn couriers_live(totals: Totals) -> String {
    match totals.live {
        1 => "1 courier live".to_owned(),
        many => format!("{many} couriers live"),
    }
}

fn initial(email: &str) -> String {
    email.chars().next().map_or_else(|| "·".to_owned(), |letter| letter.to_uppercase().to_string())
}
