//! The rows in sight. The box of the list is as high as all rows together, but only those in sight are in the page; a row
//! keeps its elements while it stays in sight, wherever it moves.

use leptos::{ev, prelude::*};
use uuid::Uuid;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::Element;

use crate::dispatch::{
    browser,
    console::{BulkIntent, Console, Intent, Item, ListIntent, OrderIntent, ROW_PX, Subject},
    fleet::{Courier, Order},
    route::Open,
    store::use_store,
    text,
    view::{
        drag,
        keyed::{Entries, Entry, Row},
    },
};

#[component]
pub fn Rows(name: Memo<&'static str>) -> impl IntoView {
    let store = use_store();
    let list = NodeRef::<leptos::html::Div>::new();
    let measure = move || {
        if let Some(list) = list.get_untracked() {
            let list: &Element = list.as_ref();
            store.send(ListIntent::Scrolled {
                top_px: f64::from(list.scroll_top()),
                height_px: f64::from(list.client_height()),
            });
        }
    };
    // Its height is known once it has rows, and changes with the page and with what stands above.
    list.on_load(move |list| {
        let then = Closure::<dyn FnMut()>::new(measure).into_js_value();
        browser::on_height(list.as_ref(), then.unchecked_ref());
    });
    let marks = Marks {
        total: store.memo(Subject::List, |console| console.list.items.len().to_string()),
        open: store.memo(Subject::Route, |console| open_key(console.route.open)),
        cursor: store.memo(Subject::Selection, |console| key(console.selection.cursor)),
        hover: store.memo(Subject::Selection, |console| key(console.selection.hover)),
    };
    let is_empty = store.memo(Subject::List, |console| console.list.items.is_empty());
    let height = store.memo(Subject::List, |console| px(console.list.items.len()));
    let offset = store.memo(Subject::List, |console| format!("translateY({})", px(console.list.visible().first)));
    let entries = store.memo(Subject::List | Subject::Fleet | Subject::Clock | Subject::Selection, entries);
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
        >
            <div class="rows" role="presentation" style:height=height>
                <div class="slice" role="presentation" style:transform=offset>
                    <Entries entries row=move |row| view! { <ListRow row marks /> } />
                </div>
            </div>
        </div>
    }
}

/// The height of so many rows.
fn px(rows: usize) -> String {
    format!("{}px", rows as f64 * ROW_PX)
}

/// What all rows follow: each by itself would cost a signal per row, and rows come and go with every turn of the wheel.
#[derive(Clone, Copy)]
struct Marks {
    /// How many rows the list has.
    total: Memo<String>,
    /// The keys of what is open, of the row that keys act on, and of what the pointer is over; nil for none.
    open: Memo<Uuid>,
    cursor: Memo<Uuid>,
    hover: Memo<Uuid>,
}

fn key(item: Option<Item>) -> Uuid {
    item.map_or(Uuid::nil(), Item::uuid)
}

fn open_key(open: Open) -> Uuid {
    match open {
        Open::Order(id) => *id.as_uuid(),
        Open::Courier(id) | Open::Replay(id, _) => *id.as_uuid(),
        Open::Nothing | Open::NewOrder => Uuid::nil(),
    }
}

/// The rows to draw; done are the selected ones. An order that the fleet has dropped leaves the list with the next sorting.
fn entries(console: &Console) -> Vec<Entry> {
    let entry = |item: &Item| match item {
        Item::Order(id) => Some(order_entry(console, console.fleet.orders.get(id)?)),
        Item::Courier(id) => Some(courier_entry(console, console.fleet.couriers.get(id)?)),
    };
    let first = console.list.visible().first + 1;
    let numbered = console.list.visible_items().iter().enumerate();
    numbered.filter_map(|(index, item)| Some(Entry { position: first + index, ..entry(item)? })).collect()
}

fn order_entry(console: &Console, order: &Order) -> Entry {
    let (fleet, at_ms, locale) = (&console.fleet, console.at_ms, &console.locale);
    let (tone, badge) = text::badge(fleet, order, at_ms);
    let door = order.details.as_ref().map(|details| details.dropoff.address.as_str());
    Entry {
        key: *order.id.as_uuid(),
        title: door.map_or_else(|| order.reference.clone(), |door| format!("{} · {door}", order.reference)),
        line: text::order_line(fleet, order, at_ms, locale),
        aside: text::order_time(order, at_ms, locale),
        tone,
        badge,
        is_done: console.selection.bulk.picked.contains(&order.id),
        ..Entry::default()
    }
}

fn courier_entry(console: &Console, courier: &Courier) -> Entry {
    let (tone, badge) = text::courier_badge(&console.fleet, courier, console.at_ms);
    Entry {
        key: *courier.id.as_uuid(),
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

fn item_with(console: &Console, key: Uuid) -> Option<Item> {
    console.list.visible_items().iter().copied().find(|item| item.uuid() == key)
}

#[component]
fn ListRow(row: Row, marks: Marks) -> Option<impl IntoView> {
    let store = use_store();
    let item = store.peek(|console| item_with(console, row.key))?;
    let is_order = matches!(item, Item::Order(_));
    // Not a control of its own: the row is the option, and keys select it.
    let pick = is_order.then(|| {
        let pick = move |event: ev::MouseEvent| {
            event.stop_propagation();
            if let Item::Order(order) = item {
                store.send(BulkIntent::Pick { order, is_range: event.shift_key() });
            }
        };
        view! { <span class="pick" aria-hidden="true" on:click=pick></span> }
    });
    Some(view! {
        <div
            class="row"
            role="option"
            id=item.row_id()
            aria-selected=move || (marks.open.get() == row.key).to_string()
            aria-checked=move || is_order.then(|| row.is_done()().to_string())
            aria-setsize=marks.total
            aria-posinset=row.position()
            data-cursor=move || (marks.cursor.get() == row.key).then_some("")
            data-hover=move || (marks.hover.get() == row.key).then_some("")
            draggable=is_order.to_string()
            on:click=move |event| match item {
                Item::Order(order) if event.shift_key() || event.ctrl_key() || event.meta_key() => {
                    store.send(BulkIntent::Pick { order, is_range: event.shift_key() });
                }
                _ => store.send(Intent::Open(item.opens())),
            }
            on:mouseenter=move |_| store.send(Intent::Hover(Some(item)))
            on:dragstart=move |event| if let Item::Order(order) = item {
                drag::begin(&event, order);
            }
            on:dragover=move |event| if matches!(item, Item::Courier(_)) {
                drag::allow_drop(&event);
            }
            on:drop=move |event| if let Item::Courier(courier) = item
                && let Some(order) = drag::dropped_order(&event)
            {
                store.send(OrderIntent::Assign { order, courier });
            }
        >
            {pick}
            <span class="row-title">{row.title()}</span>
            <span class="badge" data-tone=row.tone()>{row.badge()}</span>
            <span class="row-line">{row.line()}</span>
            <span class="row-time">{row.aside()}</span>
        </div>
    })
}
