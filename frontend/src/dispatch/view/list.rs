//! The left side: search, tabs, filters, and the rows of the chosen list.

mod actions;
mod bulk;
mod rows;

use leptos::{ev, prelude::*};

use self::{bulk::BulkBar, rows::Rows};
use super::{drag, icon::Icon, parts::Skeleton};
use crate::{
    dispatch::{
        api::orders_export,
        console::{Console, CourierIntent, ListIntent, Subject, Totals},
        route::{Days, Filter, MAX_QUERY_CHARS, Tab},
        store::use_store,
        text,
    },
    ui::bind::{live_text, live_value},
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
                placeholder="Order, courier, phone, street"
                aria-label="Search orders, couriers, streets"
                maxlength=MAX_QUERY_CHARS.to_string()
                autocomplete="off"
                prop:value=query
                on:input=move |event| store.send(ListIntent::Query(event_target_value(&event)))
            />
            <kbd translate="no" aria-hidden="true">"/"</kbd>
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
            <span class="count" inner_html=live_text(count)></span>
        </button>
    }
}

#[component]
fn Filters() -> impl IntoView {
    let store = use_store();
    let is_couriers = store.memo(Subject::Route, |console| console.route.tab == Tab::Couriers);
    view! {
        <div class="filters" role="group" aria-label="Filters">
            <FilterChip filter=Filter::Attention name="Needs attention" is_for_orders=true />
            <FilterChip filter=Filter::Delivering name="Delivering" is_for_orders=false />
            <FilterChip filter=Filter::Free name="Free" is_for_orders=false />
            <FilterChip filter=Filter::Away name="Off duty" is_for_orders=false />
            <DayFilter />
            <button
                type="button"
                class="chip"
                hidden=move || !is_couriers.get()
                on:click=move |_| store.send(CourierIntent::Archived)
            >
                "Archived"
            </button>
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

/// The choice of days, and the file of what is listed.
#[component]
fn DayFilter() -> impl IntoView {
    let store = use_store();
    let is_couriers = store.memo(Subject::Route, |console| console.route.tab == Tab::Couriers);
    // Orders that are over are filtered by the day on which they ended, others by the day on which they came in.
    let is_done = store.memo(Subject::Route, |console| console.route.tab == Tab::Done);
    let days = store.memo(Subject::Route, |console| console.route.days);
    // The dates are offered before both are chosen.
    let is_choosing = RwSignal::new(matches!(days.get_untracked(), Some(Days::Between(..))));
    let word = move || match days.get() {
        _ if is_choosing.get() => "between".to_owned(),
        None => "any".to_owned(),
        Some(days) => days.word(),
    };
    let choose = move |event: ev::Event| {
        let word = event_target_value(&event);
        is_choosing.set(word == "between");
        if word != "between" {
            store.send(ListIntent::Days(Days::from_word(&word)));
        }
    };
    let dates = move || match days.get() {
        Some(Days::Between(first, last)) => [first, last].map(text::date_code),
        _ => [String::new(), String::new()],
    };
    let limit = move |index: usize, event: &ev::Event| {
        let mut ends = dates();
        ends[index] = event_target_value(event);
        // One date alone is that day.
        let [first, last] = ends.each_ref().map(|date| text::day_of(date));
        let chosen = first.or(last).zip(last.or(first)).filter(|(first, last)| first <= last);
        store.send(ListIntent::Days(chosen.map(|(first, last)| Days::Between(first, last))));
    };
    let export = store.memo(Subject::Route | Subject::Clock, |console| {
        orders_export(console.route.tab, &console.route.query, console.listed_span())
    });
    let has_filter = store.memo(Subject::Route, |console| console.route.filter.is_some());
    let option = move |value: &'static str, name: &'static str| {
        view! { <option value=value selected=move || word() == value>{name}</option> }
    };
    view! {
        <label class="days-filter" hidden=is_couriers>
            <span
                class:unseen=move || !is_done.get()
                inner_html=live_text(move || if is_done.get() { "Ended" } else { "Came in" })
            ></span>
            <select class="chip" prop:value=word on:change=choose>
                {option("any", "Any day")}
                {option("today", "Today")}
                {option("yesterday", "Yesterday")}
                {option("week", "7 days")}
                {option("between", "From – until")}
            </select>
        </label>
        <a
            class="chip export"
            download=""
            href=export
            hidden=move || is_couriers.get() || has_filter.get()
            title="Everything in this list as a CSV file"
        >
            "CSV"
        </a>
        <div class="pair dates" hidden=move || !is_choosing.get() || is_couriers.get()>
            <input type="date" aria-label="From the day" prop:value=move || dates()[0].clone() on:change=move |event| limit(0, &event) />
            <input type="date" aria-label="Until the day" prop:value=move || dates()[1].clone() on:change=move |event| limit(1, &event) />
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
            <p class="empty-title" inner_html=live_value(title)></p>
            <p inner_html=live_value(advice)></p>
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
    let is_filtered = !console.route.query.is_empty() || console.route.filter.is_some() || console.route.days.is_some();
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
            <p inner_html=live_value(problem)></p>
            <button type="button" class="quiet" on:click=move |_| store.send(ListIntent::Retry)>
                "Try again"
            </button>
        </div>
    }
}
