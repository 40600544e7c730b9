//! The lists on the left: search, tabs, filters, and the rows that are in sight.

use doorstep_shared::OrderId;
use leptos::{ev, prelude::*};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{DragEvent, Element};

use super::{Desk, icon::icon};
use crate::dispatch::{
    console::{Console, Intent, Item, ROW_PX, Totals},
    driver::row_id,
    map,
    place::{MAX_QUERY_CHARS, Only, Open, Tab},
    words,
};

/// The type under which a dragged order travels; the map's script knows it too.
pub const DRAGGED: &str = "application/x-doorstep-order";

/// A row as it is drawn.
struct Row {
    item: Item,
    position: usize,
    title: String,
    line: String,
    time: String,
    tone: &'static str,
    badge: String,
    is_open: bool,
    is_cursor: bool,
    is_hovered: bool,
}

pub fn lists(desk: Desk) -> impl IntoView {
    let totals = Memo::new(move |_| desk.read(|console| console.totals()));
    view! {
        <section class="lists" aria-label="Orders and couriers">
            <div class="search">
                {icon("search")}
                <input
                    type="search"
                    id="search"
                    placeholder="Search orders, couriers, streets"
                    aria-label="Search orders, couriers, streets"
                    maxlength=MAX_QUERY_CHARS.to_string()
                    autocomplete="off"
                    prop:value=move || desk.read(|console| console.place.query.clone())
                    on:input=move |event| desk.did(Intent::Query(event_target_value(&event)))
                />
                <kbd aria-hidden="true">"/"</kbd>
            </div>
            <div class="tabs" role="tablist" aria-label="Lists">
                {Tab::ALL.map(|which| tab(desk, which, totals)).into_iter().collect_view()}
            </div>
            {filters(desk)}
            <div class="panel" role="tabpanel" id="panel" aria-label=move || tab_name(desk.read(|console| console.place.tab))>
                {rows(desk)}
                {nothing(desk)}
                {waiting(desk)}
            </div>
        </section>
    }
}

fn tab(desk: Desk, tab: Tab, totals: Memo<Totals>) -> impl IntoView {
    let is_chosen = move || desk.read(|console| console.place.tab == tab);
    let count = move || {
        let totals = totals.get();
        let count = match tab {
            Tab::Unassigned => Some(totals.unassigned),
            Tab::Active => Some(totals.active),
            Tab::Done => totals.done,
            Tab::Couriers => Some(totals.couriers),
        };
        count.map(|count| count.to_string()).unwrap_or_default()
    };
    view! {
        <button
            type="button"
            role="tab"
            aria-controls="panel"
            aria-selected=move || is_chosen().to_string()
            on:click=move |_| desk.did(Intent::Tab(tab))
            // An order dragged here meets the couriers' rows.
            on:dragenter=move |event| if tab == Tab::Couriers && carries_order(&event) {
                desk.did(Intent::Tab(tab));
            }
        >
            {tab_name(tab)}
            <span class="count">{count}</span>
        </button>
    }
}

const fn tab_name(tab: Tab) -> &'static str {
    match tab {
        Tab::Unassigned => "Unassigned",
        Tab::Active => "Active",
        Tab::Done => "Done",
        Tab::Couriers => "Couriers",
    }
}

fn filters(desk: Desk) -> impl IntoView {
    let chip = move |only: Only, name: &'static str, is_for_orders: bool| {
        let is_hidden = move || {
            desk.read(|console| match console.place.tab {
                Tab::Couriers => false,
                Tab::Done => true,
                _ => !is_for_orders,
            })
        };
        let is_on = move || desk.read(|console| console.place.only == Some(only));
        view! {
            <button
                type="button"
                class="chip"
                hidden=is_hidden
                aria-pressed=move || is_on().to_string()
                on:click=move |_| {
                    let only = desk.peek(|console| console.place.only != Some(only)).then_some(only);
                    desk.did(Intent::Only(only));
                }
            >
                {name}
            </button>
        }
    };
    view! {
        <div class="filters" role="group" aria-label="Filters" hidden=move || desk.read(|console| console.place.tab == Tab::Done)>
            {chip(Only::Attention, "Needs attention", true)}
            {chip(Only::Delivering, "Delivering", false)}
            {chip(Only::Free, "Free", false)}
            {chip(Only::Away, "Off duty", false)}
            <button
                type="button"
                class="chip add"
                hidden=move || desk.read(|console| console.place.tab != Tab::Couriers)
                on:click=move |_| desk.did(Intent::CourierForm(None))
            >
                "Add courier"
            </button>
        </div>
    }
}

fn rows(desk: Desk) -> impl IntoView {
    let list = NodeRef::<leptos::html::Div>::new();
    let measure = move || {
        if let Some(list) = list.get_untracked() {
            let list: &Element = list.as_ref();
            desk.did(Intent::Scrolled {
                top_px: f64::from(list.scroll_top()),
                height_px: f64::from(list.client_height()),
            });
        }
    };
    // Its height is known once it has rows, and changes with the window and with what stands above.
    list.on_load(move |list| {
        let tell = Closure::<dyn FnMut()>::new(measure).into_js_value();
        map::on_height(list.as_ref(), tell.unchecked_ref());
    });
    let total = move || desk.read_list(|console| console.list.items.len());
    let active = move || desk.read_list(active_row).unwrap_or_default();
    view! {
        <div
            class="list"
            id="list"
            role="listbox"
            tabindex="0"
            aria-label=move || tab_name(desk.read(|console| console.place.tab))
            aria-activedescendant=active
            hidden=move || total() == 0
            node_ref=list
            on:scroll=move |_| measure()
            on:mouseleave=move |_| desk.did(Intent::Hover(None))
        >
            <div class="rows" role="presentation" style:height=move || format!("{}px", total() as f64 * ROW_PX)>
                <div
                    class="slice"
                    role="presentation"
                    style:transform=move || {
                        let first = desk.read_list(|console| console.list.window().first);
                        format!("translateY({}px)", first as f64 * ROW_PX)
                    }
                >
                    {move || {
                        let total = total();
                        desk.read_list(visible).into_iter().map(|drawn| row(desk, drawn, total)).collect_view()
                    }}
                </div>
            </div>
        </div>
    }
}

/// The id of the row that keys act on, when it is in the page.
fn active_row(console: &Console) -> Option<String> {
    let cursor = console.cursor?;
    let window = console.list.window();
    let drawn = console.list.items.iter().skip(window.first).take(window.count);
    drawn.into_iter().any(|item| *item == cursor).then(|| row_id(cursor))
}

fn visible(console: &Console) -> Vec<Row> {
    let window = console.list.window();
    let items = console.list.items.iter().enumerate().skip(window.first).take(window.count);
    items.filter_map(|(index, item)| drawn(console, *item, index + 1)).collect()
}

fn drawn(console: &Console, item: Item, position: usize) -> Option<Row> {
    let (fleet, at_ms, locale) = (&console.fleet, console.at_ms, &console.locale);
    let is_cursor = console.cursor == Some(item);
    let is_hovered = console.hover == Some(item);
    match item {
        Item::Order(id) => {
            let order = fleet.orders.get(&id)?;
            let (tone, badge) = words::badge(fleet, order, at_ms);
            let door = order.details.as_ref().map(|details| details.dropoff.address.as_str());
            let title = door.map_or_else(|| order.reference.clone(), |door| format!("{} · {door}", order.reference));
            let is_open = console.place.open == Open::Order(id);
            let line = words::order_line(fleet, order, at_ms, locale);
            let time = words::order_time(order, at_ms, locale);
            Some(Row { item, position, title, line, time, tone, badge, is_open, is_cursor, is_hovered })
        }
        Item::Courier(id) => {
            let courier = fleet.couriers.get(&id)?;
            let (tone, badge) = words::courier_badge(fleet, courier, at_ms);
            let battery = courier.battery.map(words::battery).unwrap_or_default();
            let is_open = matches!(console.place.open, Open::Courier(open) | Open::Replay(open, _) if open == id);
            let (title, line) = (courier.name.clone(), words::courier_line(courier, at_ms));
            let badge = badge.to_owned();
            Some(Row { item, position, title, line, time: battery, tone, badge, is_open, is_cursor, is_hovered })
        }
    }
}

fn row(desk: Desk, row: Row, total: usize) -> impl IntoView {
    let item = row.item;
    let open = match item {
        Item::Order(id) => Open::Order(id),
        Item::Courier(id) => Open::Courier(id),
    };
    view! {
        <div
            class="row"
            role="option"
            id=row_id(item)
            aria-selected=row.is_open.to_string()
            aria-setsize=total.to_string()
            aria-posinset=row.position.to_string()
            data-cursor=row.is_cursor.then_some("")
            data-hover=row.is_hovered.then_some("")
            draggable=matches!(item, Item::Order(_)).to_string()
            on:click=move |_| desk.did(Intent::Open(open))
            on:mouseenter=move |_| desk.did(Intent::Hover(Some(item)))
            on:dragstart=move |event| begin_drag(&event, item)
            on:dragover=move |event| allow_drop(&event, item)
            on:drop=move |event| drop_on(desk, &event, item)
        >
            <span class="row-title">{row.title}</span>
            <span class="badge" data-tone=row.tone>{row.badge}</span>
            <span class="row-line">{row.line}</span>
            <span class="row-time">{row.time}</span>
        </div>
    }
}

fn begin_drag(event: &DragEvent, item: Item) {
    if let (Item::Order(id), Some(data)) = (item, event.data_transfer()) {
        let _ = data.set_data(DRAGGED, &id.to_string());
        data.set_effect_allowed("move");
    }
}

fn allow_drop(event: &DragEvent, item: Item) {
    if matches!(item, Item::Courier(_)) && carries_order(event) {
        event.prevent_default();
    }
}

fn drop_on(desk: Desk, event: &DragEvent, item: Item) {
    if let (Item::Courier(courier), Some(order)) = (item, dropped_order(event)) {
        event.prevent_default();
        desk.did(Intent::Assign { order, courier });
    }
}

/// Whether an order is being dragged.
pub fn carries_order(event: &DragEvent) -> bool {
    event
        .data_transfer()
        .is_some_and(|data| data.types().iter().any(|kind| kind.as_string().as_deref() == Some(DRAGGED)))
}

/// Which order was dropped.
pub fn dropped_order(event: &DragEvent) -> Option<OrderId> {
    event.data_transfer()?.get_data(DRAGGED).ok()?.parse().ok()
}

/// What an empty list says.
fn nothing(desk: Desk) -> impl IntoView {
    let is_empty = move || {
        desk.read_list(|console| {
            console.fleet.is_known
                && console.list.items.is_empty()
                && !console.list.is_waiting()
                && console.list.problem().is_none()
        })
    };
    let said = move || {
        desk.read(|console| {
            let is_filtered = !console.place.query.is_empty() || console.place.only.is_some();
            words::empty(console.place.tab, is_filtered)
        })
    };
    let adds_courier =
        move || desk.read(|console| console.place.tab == Tab::Couriers && console.fleet.couriers.is_empty());
    view! {
        <div class="empty" hidden=move || !is_empty()>
            <p class="empty-title">{move || said().0}</p>
            <p>{move || said().1}</p>
            <button type="button" class="primary" hidden=move || !adds_courier() on:click=move |_| desk.did(Intent::CourierForm(None))>
                "Add courier"
            </button>
        </div>
    }
}

/// Grey rows until the first ones come, and why they do not.
fn waiting(desk: Desk) -> impl IntoView {
    let is_waiting = move || {
        desk.read_list(|console| {
            console.list.items.is_empty() && (!console.fleet.is_known || console.list.is_waiting())
        })
    };
    let problem = move || desk.read_list(|console| console.list.problem().map(str::to_owned)).unwrap_or_default();
    view! {
        <div class="skeleton" aria-hidden="true" hidden=move || !is_waiting()>
            {(0..6).map(|_| view! { <div class="bone"><span></span><span></span></div> }).collect_view()}
        </div>
        <div class="empty" role="alert" hidden=move || problem().is_empty()>
            <p>{problem}</p>
            <button type="button" class="quiet" on:click=move |_| desk.did(Intent::RetryList)>
                "Try again"
            </button>
        </div>
    }
}

/// The value of a field, from its event.
pub fn checked(event: &ev::Event) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok())
        .is_some_and(|input| input.checked())
}
