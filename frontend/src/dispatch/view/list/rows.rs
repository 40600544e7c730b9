//! The rows in sight. All rows of a list are as high as its box says, but only those in sight are in the page; a row keeps
//! its elements while it stays in sight, wherever it moves.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::Element;

use crate::dispatch::{
    browser,
    console::{Console, Intent, Item, ListIntent, OrderIntent, ROW_PX, Subject},
    fleet::{Courier, Order},
    route::Open,
    store::use_store,
    text,
    view::drag,
};

/// What a row says.
#[derive(Clone, Debug, Default, PartialEq)]
struct RowText {
    title: String,
    line: String,
    time: String,
    tone: &'static str,
    badge: String,
}

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
    let total = store.memo(Subject::List, |console| console.list.items.len());
    let first = store.memo(Subject::List, |console| console.list.visible().first);
    let items = store.memo(Subject::List | Subject::Fleet, visible_items);
    let active_row = store.memo(Subject::List | Subject::Selection, active_row);
    view! {
        <div
            class="list"
            id="list"
            role="listbox"
            tabindex="0"
            aria-label=name
            aria-activedescendant=active_row
            hidden=move || total.get() == 0
            node_ref=list
            on:scroll=move |_| measure()
            on:mouseleave=move |_| store.send(Intent::Hover(None))
        >
            <div class="rows" role="presentation" style:height=move || format!("{}px", total.get() as f64 * ROW_PX)>
                <div
                    class="slice"
                    role="presentation"
                    style:transform=move || format!("translateY({}px)", first.get() as f64 * ROW_PX)
                >
                    <For each=move || items.get() key=|item| *item let:item>
                        <Row item total />
                    </For>
                </div>
            </div>
        </div>
    }
}

/// The rows to draw. An order that the fleet has dropped leaves the list with the next sorting.
fn visible_items(console: &Console) -> Vec<Item> {
    let is_known = |item: &Item| match item {
        Item::Order(id) => console.fleet.orders.contains_key(id),
        Item::Courier(id) => console.fleet.couriers.contains_key(id),
    };
    console.list.visible_items().iter().copied().filter(is_known).collect()
}

/// The id of the row that keys act on, while it is in the page.
fn active_row(console: &Console) -> String {
    let cursor = console.selection.cursor.filter(|item| console.list.visible_items().contains(item));
    cursor.map(Item::row_id).unwrap_or_default()
}

/// The number of a row in its list, from 1.
fn position(console: &Console, item: Item) -> usize {
    let index = console.list.visible_items().iter().position(|other| *other == item);
    index.map_or(0, |index| console.list.visible().first + index + 1)
}

#[component]
fn Row(item: Item, total: Memo<usize>) -> impl IntoView {
    let store = use_store();
    let texts = store.memo(Subject::Fleet | Subject::Clock, move |console| row_text(console, item));
    let position = store.memo(Subject::List, move |console| position(console, item));
    let is_open = store.memo(Subject::Route, move |console| is_open(console.route.open, item));
    let is_cursor = store.memo(Subject::Selection, move |console| console.selection.cursor == Some(item));
    let is_hovered = store.memo(Subject::Selection, move |console| console.selection.hover == Some(item));
    view! {
        <div
            class="row"
            role="option"
            id=item.row_id()
            aria-selected=move || is_open.get().to_string()
            aria-setsize=move || total.get().to_string()
            aria-posinset=move || position.get().to_string()
            data-cursor=move || is_cursor.get().then_some("")
            data-hover=move || is_hovered.get().then_some("")
            draggable=matches!(item, Item::Order(_)).to_string()
            on:click=move |_| store.send(Intent::Open(item.opens()))
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
            <span class="row-title">{move || texts.with(|row| row.title.clone())}</span>
            <span class="badge" data-tone=move || texts.with(|row| row.tone)>
                {move || texts.with(|row| row.badge.clone())}
            </span>
            <span class="row-line">{move || texts.with(|row| row.line.clone())}</span>
            <span class="row-time">{move || texts.with(|row| row.time.clone())}</span>
        </div>
    }
}

fn is_open(open: Open, item: Item) -> bool {
    match (item, open) {
        (Item::Order(id), Open::Order(open)) => id == open,
        (Item::Courier(id), Open::Courier(open) | Open::Replay(open, _)) => id == open,
        _ => false,
    }
}

fn row_text(console: &Console, item: Item) -> RowText {
    let text = match item {
        Item::Order(id) => console.fleet.orders.get(&id).map(|order| order_text(console, order)),
        Item::Courier(id) => console.fleet.couriers.get(&id).map(|courier| courier_text(console, courier)),
    };
    text.unwrap_or_default()
}

fn order_text(console: &Console, order: &Order) -> RowText {
    let (fleet, at_ms, locale) = (&console.fleet, console.at_ms, &console.locale);
    let (tone, badge) = text::badge(fleet, order, at_ms);
    let door = order.details.as_ref().map(|details| details.dropoff.address.as_str());
    RowText {
        title: door.map_or_else(|| order.reference.clone(), |door| format!("{} · {door}", order.reference)),
        line: text::order_line(fleet, order, at_ms, locale),
        time: text::order_time(order, at_ms, locale),
        tone,
        badge,
    }
}

fn courier_text(console: &Console, courier: &Courier) -> RowText {
    let (tone, badge) = text::courier_badge(&console.fleet, courier, console.at_ms);
    RowText {
        title: courier.name.clone(),
        line: text::courier_line(courier, console.at_ms),
        time: courier.battery.map(text::battery).unwrap_or_default(),
        tone,
        badge: badge.to_owned(),
    }
}
