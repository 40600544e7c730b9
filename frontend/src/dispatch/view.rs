//! The console, drawn.
//!
//! The screens read the one [`Console`] and are drawn anew in place when it changed: elements, focus and what somebody
//! types stay. What is mounted depends only on what is open, never on how it fares.

mod courier;
mod create;
mod dialogs;
mod head;
mod icon;
mod import;
mod inbox;
mod list;
mod order;
mod qr;
mod replay;
mod stage;

use leptos::prelude::*;

use super::{
    console::{Console, Intent, Screen},
    link::Health,
    place::Open,
};

/// Who is signed in.
#[derive(Clone, Debug, Default)]
pub struct Who {
    pub email: String,
    pub is_admin: bool,
}

/// What the screens are drawn from, and how they tell what people do. Copies are the same.
#[derive(Clone, Copy)]
pub struct Desk {
    console: StoredValue<Console, LocalStorage>,
    act: StoredValue<Box<dyn Fn(Intent)>, LocalStorage>,
    version: RwSignal<u32>,
    list_version: RwSignal<u32>,
    map: RwSignal<MapState>,
}

/// Whether there is a street map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapState {
    Opening,
    Open,
    Missing,
}

impl Desk {
    /// A desk for a console; `act` hears every intent.
    pub fn new(console: Console, act: impl Fn(Intent) + 'static) -> Self {
        Self {
            console: StoredValue::new_local(console),
            act: StoredValue::new_local(Box::new(act)),
            version: RwSignal::new(0),
            list_version: RwSignal::new(0),
            map: RwSignal::new(MapState::Opening),
        }
    }

    /// Reads what is shown; whoever draws with it draws again when it changed.
    pub fn read<T>(self, read: impl FnOnce(&Console) -> T) -> T {
        self.version.track();
        self.console.with_value(read)
    }

    /// The same for the list, which scrolls more often than anything else changes.
    pub fn read_list<T>(self, read: impl FnOnce(&Console) -> T) -> T {
        self.list_version.track();
        self.console.with_value(read)
    }

    /// Reads without drawing again.
    pub fn peek<T>(self, read: impl FnOnce(&Console) -> T) -> T {
        self.console.with_value(read)
    }

    /// Somebody did something.
    pub fn did(self, intent: Intent) {
        let _ = self.act.try_with_value(|act| act(intent));
    }

    /// Changes the console; what is drawn follows with [`Self::changed`].
    pub fn change<T>(self, change: impl FnOnce(&mut Console) -> T) -> T {
        self.console.try_update_value(change).expect("the console lives as long as the page")
    }

    /// Draws everything anew.
    pub fn changed(self) {
        self.version.update(|version| *version = version.wrapping_add(1));
        self.list_changed();
    }

    /// Draws the list anew.
    pub fn list_changed(self) {
        self.list_version.update(|version| *version = version.wrapping_add(1));
    }

    /// The street map is there.
    pub fn map_opened(self) {
        self.map.set(MapState::Open);
    }

    /// There will be no street map.
    pub fn map_missing(self) {
        self.map.set(MapState::Missing);
    }

    /// A text that follows the console.
    fn text(self, words: impl Fn(&Console) -> String + 'static) -> impl Fn() -> String + 'static {
        move || self.read(&words)
    }
}

/// The whole console.
pub fn console(desk: Desk, who: Who) -> impl IntoView {
    let open = Memo::new(move |_| desk.read(|console| console.place.open));
    view! {
        <div
            class="console"
            data-screen=move || desk.read(|console| screen(console.screen)).to_owned()
            data-link=move || desk.read(|console| link(console.health)).to_owned()
            data-known=move || desk.read(|console| console.fleet.is_known)
            data-open=move || (open.get() != Open::Nothing).to_string()
        >
            {head::head(desk, who)}
            {bar(desk)}
            <main class="work">
                {list::lists(desk)}
                {stage::stage(desk)}
            </main>
            <aside class="drawer" id="drawer" tabindex="-1" aria-label="Details">
                {move || drawer(desk, open.get())}
            </aside>
            {screens(desk)}
            <p class="unseen" role="status">
                {desk.text(|console| console.spoken.clone())}
            </p>
            {dialogs::dialogs(desk)}
        </div>
    }
}

fn drawer(desk: Desk, open: Open) -> AnyView {
    match open {
        Open::Nothing => inbox::inbox(desk).into_any(),
        Open::Order(id) => order::order(desk, id).into_any(),
        Open::Courier(id) => courier::courier(desk, id).into_any(),
        Open::Replay(id, _) => replay::replay(desk, id).into_any(),
        Open::NewOrder => create::create(desk).into_any(),
    }
}

/// Says when news does not arrive; what is shown stays.
fn bar(desk: Desk) -> impl IntoView {
    let words = move || {
        desk.read(|console| match console.health {
            Health::Reconnecting => "Reconnecting… What you see may be out of date.",
            Health::Offline => "No network. The console comes back by itself.",
            Health::Connecting | Health::Live => "",
        })
    };
    view! {
        <p class="bar" role="status" hidden=move || words().is_empty()>
            {words}
        </p>
    }
}

/// On a phone: which of the three is on top.
fn screens(desk: Desk) -> impl IntoView {
    let button = move |to: Screen, name: &'static str, icon: &'static str| {
        view! {
            <button
                type="button"
                aria-pressed=move || desk.read(|console| console.screen == to).to_string()
                on:click=move |_| desk.did(Intent::Screen(to))
            >
                {icon::icon(icon)}
                {name}
            </button>
        }
    };
    view! {
        <nav class="screens" aria-label="Screens">
            {button(Screen::List, "Lists", "list")}
            {button(Screen::Map, "Map", "map")}
            {button(Screen::Details, "Details", "details")}
        </nav>
    }
}

/// Why the last thing did not work.
fn problem(desk: Desk) -> impl IntoView {
    let words = move || desk.read(|console| console.drawer.problem.clone()).unwrap_or_default();
    view! {
        <p class="problem" role="alert" hidden=move || words().is_empty()>
            {words}
        </p>
    }
}

/// The drawer's first line: a way back, and what is open.
fn drawer_head(desk: Desk, title: impl Fn() -> String + Send + 'static) -> impl IntoView {
    view! {
        <div class="drawer-head">
            <h2>{title}</h2>
            <button type="button" class="round" aria-label="Close" on:click=move |_| desk.did(Intent::Open(Open::Nothing))>
                {icon::icon("close")}
            </button>
        </div>
    }
}

/// A line of facts: what, and its value; empty values are left out.
fn fact(name: &'static str, value: impl Fn() -> String + Copy + Send + 'static) -> impl IntoView {
    view! {
        <div class="fact" hidden=move || value().is_empty()>
            <dt>{name}</dt>
            <dd>{value}</dd>
        </div>
    }
}

const fn screen(screen: Screen) -> &'static str {
    match screen {
        Screen::List => "list",
        Screen::Map => "map",
        Screen::Details => "details",
    }
}

const fn link(health: Health) -> &'static str {
    match health {
        Health::Connecting => "connecting",
        Health::Live => "live",
        Health::Reconnecting => "reconnecting",
        Health::Offline => "offline",
    }
}
