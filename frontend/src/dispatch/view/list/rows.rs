//! The rows in sight. The box of the list is as high as all rows together, but only those in sight are in the page.
//!
//! Rows are slots: when the list is scrolled or sorted they get other texts and keep their elements, because making thirty
//! rows anew with every turn of the wheel costs more than anything else here. The list listens for all of them
//! ([`super::actions`]), for the same reason.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::Element;

use crate::{
    dispatch::{
        browser,
        console::{Console, Intent, Item, ListIntent, ROW_PX, Subject},
        fleet::{Courier, Order},
        route::Open,
        store::use_store,
        text,
        view::{
            keyed::{Entries, Entry, Row, number_key},
            list::actions::Actions,
        },
    },
    ui::bind::live_text,
};

/// CSS pixels of a `rem` at the usual size of texts.
const REM_PX: f64 = 16.0;

/// What stands where in [`Entry::more`].
const ID: usize = 0;
const IS_OPEN: usize = 1;
const IS_PICKED: usize = 2;
const IS_ORDER: usize = 3;
/// Set for the row that keys act on, and for the one that the pointer is over.
const CURSOR: usize = 4;
const HOVER: usize = 5;

#[component]
pub fn Rows(name: Memo<&'static str>) -> impl IntoView {
    let store = use_store();
    let list = NodeRef::<leptos::html::Div>::new();
    let measure = move || {
        if let Some(list) = list.get_untracked() {
            let list: &Element = list.as_ref();
            // Rows grow with the texts in them; the console counts in rows of the usual height.
            let scale = browser::text_scale();
            store.send(ListIntent::Scrolled {
                top_px: f64::from(list.scroll_top()) / scale,
                height_px: f64::from(list.client_height()) / scale,
            });
        }
    };
    // Its height is known once it has rows, and changes with the page and with what stands above.
    list.on_load(move |list| {
        let then = Closure::<dyn FnMut()>::new(measure).into_js_value();
        browser::on_height(list.as_ref(), then.unchecked_ref());
    });
    let is_empty = store.memo(Subject::List, |console| console.list.items.is_empty());
    let height = store.memo(Subject::List, |console| rem(console.list.items.len()));
    let offset = store.memo(Subject::List, |console| format!("translateY({})", rem(console.list.visible().first)));
    let total = store.memo(Subject::List, |console| console.list.items.len().to_string());
    let followed =
        Subject::List | Subject::Fleet | Subject::Clock | Subject::Selection | Subject::Route | Subject::Area;
    let entries = store.memo(followed, entries);
    let actions = Actions::new(store);
    let active_row = store.memo(Subject::List | Subject::Selection, active_row);
    view! {
        <div
            class="list"
            id="list"
            role="listbox"
            tabindex="0"
            aria-label=name
            aria-activedescendant=active_row
            hidden=is_empty
            node_ref=list
            on:scroll=move |_| measure()
            on:mouseleave=move |_| store.send(Intent::Hover(None))
            on:mouseover=move |event| actions.pointed(&event)
            on:pointerdown=move |event| actions.pressed(&event)
            on:click=move |event| actions.clicked(&event)
            on:dragstart=move |event| actions.drag_begun(&event)
            on:dragover=move |event| actions.dragged_over(&event)
            on:drop=move |event| actions.dropped(&event)
        >
            <div class="rows" role="presentation" style:height=height>
                <div class="slice" role="presentation" style:transform=offset>
                    <Entries entries row=move |row| view! { <ListRow row total /> } />
                </div>
            </div>
        </div>
    }
}

/// The height of so many rows, by the size of the page's texts.
fn rem(rows: usize) -> String {
    format!("{}rem", rows as f64 * ROW_PX / REM_PX)
}

/// The rows to draw, a slot each. An order that the fleet has dropped leaves the list with the next sorting.
fn entries(console: &Console) -> Vec<Entry> {
    let entry = |item: &Item| match item {
        Item::Order(id) => Some(order_entry(console, console.fleet.orders.get(id)?)),
        Item::Courier(id) => Some(courier_entry(console, console.fleet.couriers.get(id)?)),
    };
    let first = console.list.visible().first + 1;
    let slot = |(slot, item): (usize, &Item)| {
        let more = marks(console, *item);
        Some(Entry { key: number_key(slot), position: first + slot, more, ..entry(item)? })
    };
    console.list.visible_items().iter().enumerate().filter_map(slot).collect()
}

fn marks(console: &Console, item: Item) -> Vec<String> {
    let selection = &console.selection;
    let is_open = console.route.open == item.opens()
        || matches!((console.route.open, item), (Open::Replay(id, _), Item::Courier(of)) if id == of);
    let is_picked = |id| selection.bulk.picked.contains(&id);
    let set = |is: bool| if is { "set".to_owned() } else { String::new() };
    vec![
        item.row_id(),
        is_open.to_string(),
        if let Item::Order(id) = item { is_picked(id).to_string() } else { String::new() },
        matches!(item, Item::Order(_)).to_string(),
        set(selection.cursor == Some(item)),
        set(selection.hover == Some(item)),
    ]
}

fn order_entry(console: &Console, order: &Order) -> Entry {
    let (fleet, at_ms, locale) = (&console.fleet, console.at_ms, &console.locale);
    let (tone, badge) = text::badge(fleet, order, at_ms);
    let door = order.details.as_ref().map(|details| details.dropoff.address.as_str());
    let is_outside = order.details.as_ref().is_some_and(|details| console.areas.is_outside(details));
    let line = text::order_line(fleet, order, at_ms, locale);
    Entry {
        title: door.map_or_else(|| order.reference.clone(), |door| format!("{} · {door}", order.reference)),
        line: if is_outside { text::outside(&line) } else { line },
        aside: text::order_time(order, at_ms, locale),
        tone,
        badge,
        ..Entry::default()
    }
}

fn courier_entry(console: &Console, courier: &Courier) -> Entry {
    let (tone, badge) = text::courier_badge(&console.fleet, courier, console.at_ms);
    Entry {
        title: courier.name.clone(),
        line: text::courier_line(courier, console.at_ms),
        aside: courier.battery.map(text::battery).unwrap_or_default(),
        tone,
        badge: badge.to_owned(),
        ..Entry::default()
    }
}

/// The id of the row that keys act on, while it is in the page.
fn active_row(console: &Console) -> String {
    let cursor = console.selection.cursor.filter(|item| console.list.visible_items().contains(item));
    cursor.map(Item::row_id).unwrap_or_default()
}

#[component]
fn ListRow(row: Row, total: Memo<String>) -> impl IntoView {
    view! {
        <div
            class="row"
            role="option"
            id=row.text(|row| &row.more[ID])
            aria-selected=row.text(|row| &row.more[IS_OPEN])
            aria-checked=row.mark(|row| &row.more[IS_PICKED])
            aria-setsize=total
            aria-posinset=row.position()
            data-cursor=row.mark(|row| &row.more[CURSOR])
            data-hover=row.mark(|row| &row.more[HOVER])
            draggable=row.text(|row| &row.more[IS_ORDER])
        >
            // Not a control of its own: the row is the option, and keys select it.
            <span class="pick" aria-hidden="true"></span>
            <span class="row-title" translate="no" inner_html=live_text(row.title())></span>
            <span class="badge" data-tone=row.tone() inner_html=live_text(row.badge())></span>
            <span class="row-line" inner_html=live_text(row.line())></span>
            <span class="row-time" inner_html=live_text(row.aside())></span>
        </div>
    }
}
