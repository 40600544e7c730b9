//! The dialog with the server's areas: which one is in use, the others, and an extract that becomes another.

use doorstep_shared::api::area::AreaId;
use leptos::{ev, prelude::*};

use crate::{
    dispatch::{
        console::{AreaIntent, Console, Subject},
        store::{Store, use_store},
        text,
        view::{
            keyed::{Entries, Entry, Row, number_key},
            parts::{Input, Skeleton},
        },
    },
    ui::bind::{live_text, live_value},
};

/// The input that holds the extract; the browser sends it from there.
pub const AREA_FILE: &str = "area-file";

/// What stands where in [`Entry::more`]: whether the area is in use, whether it stays in any case, and whether it is asked if
/// it may go.
const IS_CURRENT: usize = 0;
const STAYS: usize = 1;
const IS_LEAVING: usize = 2;

fn stored(console: &Console) -> Vec<Entry> {
    let areas = &console.areas;
    let items = areas.list.iter().flat_map(|list| &list.items).enumerate();
    let set = |is: bool| if is { "set".to_owned() } else { String::new() };
    let entry = items.map(|(index, stored)| Entry {
        key: number_key(index),
        title: stored.name.clone(),
        line: text::area_line(stored),
        badge: if stored.current { "In use".to_owned() } else { String::new() },
        tone: text::tone::OK,
        more: vec![
            set(stored.current),
            set(stored.current || stored.built_in),
            set(areas.removing.as_ref() == Some(&stored.id)),
        ],
        ..Entry::default()
    });
    entry.collect()
}

#[component]
pub fn AreasDialog() -> impl IntoView {
    let store = use_store();
    let entries = store.memo(Subject::Area, stored);
    let is_waiting =
        store.memo(Subject::Area, |console| console.areas.list.is_none() && console.areas.problem.is_none());
    let is_missing =
        store.memo(Subject::Area, |console| console.areas.list.is_none() && console.areas.problem.is_some());
    let current = store.memo(Subject::Area, |console| {
        let mut items = console.areas.list.iter().flat_map(|list| &list.items);
        let current = items.find(|stored| stored.current);
        current
            .map(|stored| format!("The maps, streets and addresses are those of {}.", stored.name))
            .unwrap_or_default()
    });
    view! {
        <p class="note" hidden=move || current.with(String::is_empty) inner_html=live_value(current)></p>
        <Skeleton rows=2 is_shown=is_waiting />
        <button type="button" class="quiet" hidden=move || !is_missing.get() on:click=move |_| store.send(AreaIntent::Refresh)>
            "Try again"
        </button>
        <ul class="areas" id="areas" tabindex="-1" aria-label="Areas on the server" hidden=move || entries.with(Vec::is_empty)>
            <Entries entries row=|row| view! { <Area row /> } />
        </ul>
        <Running />
        <Extract />
    }
}

#[component]
fn Area(row: Row) -> impl IntoView {
    let store = use_store();
    let is_busy = store.memo(Subject::Area, |console| console.areas.is_busy);
    let (current, leaving) = (row.mark(|row| &row.more[IS_CURRENT]), row.mark(|row| &row.more[IS_LEAVING]));
    let stays = row.mark(|row| &row.more[STAYS]);
    let is_current = Memo::new(move |_| current().is_some());
    let is_leaving = Memo::new(move |_| leaving().is_some());
    let button =
        move |name: &'static str, class: &'static str, is_hidden: Memo<bool>, intent: fn(AreaId) -> AreaIntent| {
            let title = row.title();
            view! {
                <button
                    type="button"
                    class=class
                    disabled=is_busy
                    hidden=is_hidden
                    aria-label=move || format!("{name} {}", title())
                    on:click=move |_| if let Some(id) = id_of(store, row) {
                        store.send(intent(id));
                    }
                >
                    {name}
                </button>
            }
        };
    let is_unusable = Memo::new(move |_| is_current.get() || is_leaving.get());
    let is_staying = Memo::new(move |_| stays().is_some() || is_leaving.get());
    let is_asked = Memo::new(move |_| !is_leaving.get());
    view! {
        <li>
            <div class="area">
                <span class="area-name" inner_html=live_text(row.title())></span>
                <span
                    class="badge"
                    data-tone=row.tone()
                    hidden=move || !is_current.get()
                    inner_html=live_text(row.badge())
                ></span>
                <span class="note" inner_html=live_text(row.line())></span>
            </div>
            <div class="actions">
                {button("Use", "quiet", is_unusable, AreaIntent::Use)}
                {button("Remove", "quiet", is_staying, |id| AreaIntent::AskRemove(Some(id)))}
                {button("Really remove", "danger", is_asked, AreaIntent::Remove)}
                {button("Keep", "quiet", is_asked, |_| AreaIntent::AskRemove(None))}
            </div>
        </li>
    }
}

/// Rows are numbered; what is meant is the area that stands there now.
fn id_of(store: Store, row: Row) -> Option<AreaId> {
    let index = row.key.as_u128() as usize;
    store.peek(|console| Some(console.areas.list.as_ref()?.items.get(index)?.id.clone()))
}

/// How far upload or import are, or how the last import ended.
#[component]
fn Running() -> impl IntoView {
    let store = use_store();
    let line = store.memo(Subject::Area, |console| match (&console.areas.upload, &console.areas.list) {
        (Some(upload), _) => text::upload(*upload),
        (None, Some(list)) => list.import.as_ref().map(text::import).unwrap_or_default(),
        (None, None) => String::new(),
    });
    let is_running = store.memo(Subject::Area, |console| console.areas.is_importing());
    let is_busy = store.memo(Subject::Area, |console| console.areas.is_busy);
    let percent = store.memo(Subject::Area, |console| match (console.areas.upload, console.areas.running()) {
        (Some(upload), _) => (upload.sent * 100).checked_div(upload.total).unwrap_or_default().to_string(),
        (None, Some(import)) => text::percent(import),
        (None, None) => String::new(),
    });
    view! {
        <div class="running" hidden=move || line.with(String::is_empty)>
            <p inner_html=live_value(line)></p>
            <progress aria-label="Progress" max="100" value=percent hidden=move || !is_running.get()></progress>
            <div class="actions" hidden=move || !is_running.get()>
                <button type="button" class="quiet" disabled=is_busy on:click=move |_| store.send(AreaIntent::Stop)>
                    "Stop"
                </button>
            </div>
        </div>
    }
}

/// An extract of OpenStreetMap and its name.
#[component]
fn Extract() -> impl IntoView {
    let store = use_store();
    let name = RwSignal::new(String::new());
    let is_chosen = RwSignal::new(false);
    let is_running = store.memo(Subject::Area, |console| console.areas.is_importing());
    let chosen = move |event: ev::Event| is_chosen.set(!event_target_value(&event).is_empty());
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        store.send(AreaIntent::Upload { name: name.get_untracked().trim().to_owned() });
    };
    view! {
        <form on:submit=submit>
            <p class="note">
                "Another place: an OpenStreetMap extract of it becomes its map, streets and addresses. It is used as soon as it is imported; nobody is disconnected."
            </p>
            <label class="file">
                <span>"Extract (.osm.pbf)"</span>
                <input type="file" id=AREA_FILE accept=".pbf" disabled=is_running on:change=chosen />
            </label>
            <Input label="Name" placeholder="From the file’s name" value=name />
            <div class="actions">
                <button type="submit" class="primary" disabled=move || is_running.get() || !is_chosen.get()>
                    "Upload and import"
                </button>
            </div>
        </form>
    }
}
