//! The dialog with the scores of arrivals, and the pickups where couriers wait.

use leptos::prelude::*;

use crate::{
    dispatch::{
        arrivals::{By, Wait},
        console::{ArrivalIntent, Arrivals, Console, Dialog, Subject},
        store::use_store,
        text,
        view::{
            keyed::{Entries, Entry, Row, number_key},
            parts::Skeleton,
        },
    },
    ui::bind::live_text,
};

fn arrivals(console: &Console) -> Option<&Arrivals> {
    match &*console.dialog {
        Some(Dialog::Arrivals(arrivals)) => Some(arrivals),
        _ => None,
    }
}

fn scores(console: &Console) -> Vec<Entry> {
    let Some(arrivals) = arrivals(console) else { return Vec::new() };
    let entry = |(index, score)| {
        let (badge, tone) = text::score_badge(score);
        let (title, line) = (text::score_title(arrivals.by, score), text::score_line(score));
        Entry { key: number_key(index), title, line, badge, tone, ..Entry::default() }
    };
    arrivals.scores.iter().flatten().enumerate().map(entry).collect()
}

fn waits(console: &Console) -> Vec<Entry> {
    let waits = arrivals(console).and_then(|arrivals| arrivals.waits.as_ref());
    let entry = |(index, wait): (usize, &Wait)| {
        let line = text::wait_line(wait)?;
        Some(Entry { key: number_key(index), title: wait.pickup.clone(), line, ..Entry::default() })
    };
    waits.into_iter().flatten().enumerate().filter_map(entry).collect()
}

#[component]
pub fn ArrivalsDialog() -> impl IntoView {
    let store = use_store();
    let is_admin = store.peek(|console| arrivals(console).is_some_and(|arrivals| arrivals.is_admin));
    let chosen = store.memo(Subject::Dialog, |console| arrivals(console).map(|arrivals| arrivals.by as usize));
    let is_waiting = store.memo(Subject::Dialog | Subject::Drawer, |console| {
        arrivals(console).is_some_and(|arrivals| arrivals.scores.is_none()) && console.drawer.problem.is_none()
    });
    let is_new = store.memo(Subject::Dialog, |console| {
        arrivals(console).is_some_and(|arrivals| arrivals.scores.as_ref().is_some_and(Vec::is_empty))
    });
    let (scores, waits) = (store.memo(Subject::Dialog, scores), store.memo(Subject::Dialog, waits));
    let button = move |by: By| {
        view! {
            <button
                type="button"
                class="quiet"
                hidden=by == By::Courier && !is_admin
                aria-pressed=move || (chosen.get() == Some(by as usize)).to_string()
                on:click=move |_| store.send(ArrivalIntent::By(by))
            >
                {text::by(by)}
            </button>
        }
    };
    view! {
        <p class="note">
            "Customers read a range that should hold four of five arrivals. This is how the last seven days went."
        </p>
        <div class="actions" role="group" aria-label="Tell apart by">{By::ALL.map(button).into_iter().collect_view()}</div>
        <Skeleton rows=4 is_shown=is_waiting />
        <p hidden=move || !is_new.get()>"Nothing was delivered yet that somebody could follow."</p>
        <ul class="areas" aria-label="Scores" hidden=move || scores.with(Vec::is_empty)>
            <Entries entries=scores row=line />
        </ul>
        <h3 hidden=move || waits.with(Vec::is_empty)>"Where couriers wait"</h3>
        <ul class="areas" aria-label="Where couriers wait" hidden=move || waits.with(Vec::is_empty)>
            <Entries entries=waits row=line />
        </ul>
    }
}

fn line(row: Row) -> impl IntoView {
    view! {
        <li>
            <div class="area">
                <span class="area-name" inner_html=live_text(row.title())></span>
                <span
                    class="badge"
                    data-tone=row.tone()
                    hidden=move || row.badge()().is_empty()
                    inner_html=live_text(row.badge())
                ></span>
                <span class="note" inner_html=live_text(row.line())></span>
            </div>
        </li>
    }
}
