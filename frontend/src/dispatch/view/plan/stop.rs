//! One stop of a plan: handle and number, what is done where and when, and its buttons.

use leptos::prelude::*;
use uuid::Uuid;

use super::{
    drag::{self, begin_drag, key_pressed},
    rows::StopRow,
};
use crate::dispatch::{
    console::{Intent, Movable, Nudge, PlanIntent},
    route::Open,
    store::use_store,
    text,
    view::icon::Icon,
};

/// A part of the row, followed.
fn part<T: PartialEq + Clone + Send + Sync + 'static>(
    row: Memo<Option<StopRow>>,
    part: fn(&StopRow) -> T,
    none: T,
) -> impl Fn() -> T + Clone + Send + 'static {
    move || row.with(|row| row.as_ref().map_or_else(|| none.clone(), part))
}

#[component]
pub fn Stop(rows: Memo<Vec<StopRow>>, key: Uuid) -> Option<impl IntoView> {
    let store = use_store();
    let row = Memo::new(move |before: Option<&Option<StopRow>>| {
        let found = rows.with(|rows| rows.iter().find(|row| row.key == key).cloned());
        found.or_else(|| before.cloned().flatten())
    });
    let stop = row.with_untracked(|row| row.as_ref().map(|row| row.stop))?;
    let what = Movable::Stop(stop);
    let words = |of: fn(&StopRow) -> String| part(row, of, String::new());
    let is = |of: fn(&StopRow) -> bool| part(row, of, false);
    let (is_held, is_locked, is_old) = (is(|row| row.is_held), is(|row| row.is_locked), is(|row| row.is_old));
    let (is_overloaded, is_unseen) = (is(|row| row.is_overloaded), is(|row| row.is_unseen));
    let pressed = is_held.clone();
    let badge = words(|row| row.badge.clone());
    let is_on_time = badge.clone();
    let name = words(StopRow::name);
    let number = words(|row| row.number.to_string());
    let handle_name = move || format!("Move {}, stop {}", name(), number());
    Some(view! {
        <li
            class="stop"
            data-kind=stop.kind.as_str()
            data-held=move || is_held().then_some("")
            data-locked=move || is_locked().then_some("")
            data-partner=part(row, |row| row.partner, "")
            style:transform=words(|row| row.transform.clone())
        >
            <button
                type="button"
                class="stop-handle"
                id=what.handle_id()
                aria-label=handle_name
                aria-pressed=move || pressed().to_string()
                on:pointerdown=move |event| begin_drag(store, &event, what)
                on:keydown=move |event| key_pressed(store, &event, what)
                on:blur=move |_| drag::left(store)
            >
                <Icon name="grip" />
                <span class="stop-number">{words(|row| row.number.to_string())}</span>
            </button>
            <button
                type="button"
                class="stop-text"
                on:click=move |_| store.send(Intent::Open(Open::Order(stop.order_id)))
            >
                <span class="stop-title">
                    <b>{words(|row| row.reference.clone())}</b>
                    " · "
                    {text::stop_kind(stop.kind)}
                    <span class="badge" data-tone=StopRow::TONE hidden=move || is_on_time().is_empty()>
                        {badge}
                    </span>
                </span>
                <span class="stop-line">{words(|row| row.address.clone())}</span>
                <span class="stop-line stop-times" data-old=move || is_old().then_some("")>
                    {words(|row| row.times.clone())}
                </span>
                <span class="stop-line">
                    <span data-tone=move || is_overloaded().then_some("bad")>{words(|row| row.load.clone())}</span>
                    <span class="seen" data-tone=move || is_unseen().then_some("warn")>
                        {words(|row| row.seen.clone())}
                    </span>
                </span>
            </button>
            <div class="stop-buttons">
                <NudgeButton row what nudge=Nudge::Up />
                <NudgeButton row what nudge=Nudge::First />
                <NudgeButton row what nudge=Nudge::Down />
                <NudgeButton row what nudge=Nudge::Last />
                <MoveTo row stop=stop.order_id />
            </div>
        </li>
    })
}

const fn nudge_icon(nudge: Nudge) -> &'static str {
    match nudge {
        Nudge::Up => "up",
        Nudge::Down => "down",
        Nudge::First => "first",
        Nudge::Last => "last",
    }
}

const fn nudge_name(nudge: Nudge) -> &'static str {
    match nudge {
        Nudge::Up => "Earlier",
        Nudge::Down => "Later",
        Nudge::First => "Next stop",
        Nudge::Last => "Last stop",
    }
}

#[component]
fn NudgeButton(row: Memo<Option<StopRow>>, what: Movable, nudge: Nudge) -> impl IntoView {
    let store = use_store();
    let can_move = match nudge {
        Nudge::Up | Nudge::First => part(row, |row| row.can_rise, false),
        Nudge::Down | Nudge::Last => part(row, |row| row.can_sink, false),
    };
    let name = part(row, StopRow::name, String::new());
    view! {
        <button
            type="button"
            class="stop-button"
            title=nudge_name(nudge)
            aria-label=move || format!("{}: {}", nudge_name(nudge), name())
            // Not `disabled`: a button that loses the focus with every step is of no use.
            aria-disabled=move || (!can_move()).to_string()
            on:click=move |_| store.send(PlanIntent::Press(what, nudge))
        >
            <Icon name=nudge_icon(nudge) />
        </button>
    }
}

#[component]
fn MoveTo(row: Memo<Option<StopRow>>, stop: doorstep_shared::OrderId) -> impl IntoView {
    let store = use_store();
    let reference = part(row, |row| row.reference.clone(), String::new());
    view! {
        <button
            type="button"
            class="stop-move"
            aria-label=move || format!("Move {} to another courier", reference())
            on:click=move |_| store.send(PlanIntent::MoveTo(stop))
        >
            "Move to…"
        </button>
    }
}
