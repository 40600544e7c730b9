//! The left side: search, tabs, filters, and the rows of the chosen list.

mod bulk;
mod rows;

use leptos::prelude::*;

use self::{bulk::BulkBar, rows::Rows};
use super::{drag, icon::Icon, parts::Skeleton};
use crate::dispatch::{
    console::{Console, CourierIntent, ListIntent, Subject, Totals},
    route::{Filter, MAX_QUERY_CHARS, Tab},
    store::use_store,
    text,
};

#[component]
pub fn Lists(totals: Memo<Totals>) -> impl IntoView {
    let store = use_store();
    let name = store.memo(Subject::Route, |console| tab_name(console.route.tab));
    view! {
        <section class="lists" aria-label="Orders and couriers">
            <Search />
            <Tabs totals />
            <Filters />
            <div class="panel" role="tabpanel" id="panel" aria-label=name>
                <Rows name />
                <Empty />
                <Waiting />
            </div>
            <BulkBar />
        </section>
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

#[component]
fn Search() -> impl IntoView {
    let store = use_store();
    let query = store.memo(Subject::Route, |console| console.route.query.clone());
    view! {
        <div class="search">
            <Icon name="search" />
            <input
                type="search"
                id="search"
                placeholder="Search orders, couriers, streets"
                aria-label="Search orders, couriers, streets"
                maxlength=MAX_QUERY_CHARS.to_string()
                autocomplete="off"
                prop:value=query
                on:input=move |event| store.send(ListIntent::Query(event_target_value(&event)))
            />
            <kbd aria-hidden="true">"/"</kbd>
        </div>
    }
}

#[component]
fn Tabs(totals: Memo<Totals>) -> impl IntoView {
    view! {
        <div class="tabs" role="tablist" aria-label="Lists">
            {Tab::ALL.map(|tab| view! { <TabButton tab totals /> }).into_iter().collect_view()}
        </div>
    }
}

#[component]
fn TabButton(tab: Tab, totals: Memo<Totals>) -> impl IntoView {
    let store = use_store();
    let is_chosen = store.memo(Subject::Route, move |console| console.route.tab == tab);
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
            aria-selected=move || is_chosen.get().to_string()
            on:click=move |_| store.send(ListIntent::Tab(tab))
            // An order dragged here meets the couriers' rows.
            on:dragenter=move |event| if tab == Tab::Couriers && drag::carries_order(&event) {
                store.send(ListIntent::Tab(tab));
            }
        >
            {tab_name(tab)}
            <span class="count">{count}</span>
        </button>
    }
}

#[component]
fn Filters() -> impl IntoView {
    let store = use_store();
    let is_done = store.memo(Subject::Route, |console| console.route.tab == Tab::Done);
    let is_couriers = store.memo(Subject::Route, |console| console.route.tab == Tab::Couriers);
    view! {
        <div class="filters" role="group" aria-label="Filters" hidden=is_done>
            <FilterChip filter=Filter::Attention name="Needs attention" is_for_orders=true />
            <FilterChip filter=Filter::Delivering name="Delivering" is_for_orders=false />
            <FilterChip filter=Filter::Free name="Free" is_for_orders=false />
            <FilterChip filter=Filter::Away name="Off duty" is_for_orders=false />
            <button
                type="button"
                class="chip add"
                hidden=move || !is_couriers.get()
                on:click=move |_| store.send(CourierIntent::Edit(None))
            >
                "Add courier"
            </button>
        </div>
    }
}

#[component]
fn FilterChip(filter: Filter, name: &'static str, is_for_orders: bool) -> impl IntoView {
    let store = use_store();
    let is_hidden = store.memo(Subject::Route, move |console| match console.route.tab {
        Tab::Couriers => false,
        Tab::Done => true,
        _ => !is_for_orders,
    });
    let is_on = store.memo(Subject::Route, move |console| console.route.filter == Some(filter));
    let toggle = move |_| {
        let chosen = store.peek(|console| console.route.filter != Some(filter)).then_some(filter);
        store.send(ListIntent::Filter(chosen));
    };
    view! {
        <button
            type="button"
            class="chip"
            hidden=is_hidden
            aria-pressed=move || is_on.get().to_string()
            on:click=toggle
        >
            {name}
        </button>
    }
}

/// What an empty list means, and what to do.
#[component]
fn Empty() -> impl IntoView {
    let store = use_store();
    let is_empty = store.memo(Subject::Fleet | Subject::List, |console| {
        console.fleet.is_known
            && console.list.items.is_empty()
            && !console.list.is_waiting()
            && console.list.problem().is_none()
    });
    let title = store.memo(Subject::Route, |console| empty_text(console).0);
    let advice = store.memo(Subject::Route, |console| empty_text(console).1);
    let adds_courier = store.memo(Subject::Route | Subject::Fleet, |console| {
        console.route.tab == Tab::Couriers && console.fleet.couriers.is_empty()
    });
    view! {
        <div class="empty" hidden=move || !is_empty.get()>
            <p class="empty-title">{title}</p>
            <p>{advice}</p>
            <button
                type="button"
                class="primary"
                hidden=move || !adds_courier.get()
                on:click=move |_| store.send(CourierIntent::Edit(None))
            >
                "Add courier"
            </button>
        </div>
    }
}

fn empty_text(console: &Console) -> (&'static str, &'static str) {
    let is_filtered = !console.route.query.is_empty() || console.route.filter.is_some();
    text::empty(console.route.tab, is_filtered)
}

/// Grey rows until the first ones come, and why they do not.
#[component]
fn Waiting() -> impl IntoView {
    let store = use_store();
    let is_waiting = store.memo(Subject::Fleet | Subject::List, |console| {
        console.list.items.is_empty() && (!console.fleet.is_known || console.list.is_waiting())
    });
    let problem = store.memo(Subject::List, |console| console.list.problem().unwrap_or_default().to_owned());
    view! {
        <Skeleton rows=6 is_shown=is_waiting />
        <div class="empty" role="alert" hidden=move || problem.with(String::is_empty)>
            <p>{problem}</p>
            <button type="button" class="quiet" on:click=move |_| store.send(ListIntent::Retry)>
                "Try again"
            </button>
        </div>
    }
}
