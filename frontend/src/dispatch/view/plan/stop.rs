//! One stop of a plan: handle and number, what is done where and when, and its buttons.
//!
//! Nothing here listens: [`super::actions`] hears the whole list, and reads what was pressed from `data-act`. A plan may
//! have hundreds of stops, and listeners on each would cost more than their texts.

use doorstep_shared::api::plan::PlanStop;
use leptos::prelude::*;

use super::rows::{IS_FIRST, IS_HELD, IS_LAST, NUMBER, SEEN, STATE, TRANSFORM};
use crate::{
    dispatch::{
        console::{Console, Movable},
        plan,
        store::use_store,
        text,
        view::{
            icon::Icon,
            keyed::{Entry, Row},
        },
    },
    ui::bind::live_text,
};

fn stop_with(console: &Console, key: uuid::Uuid) -> Option<PlanStop> {
    console.planning.arrangement().stops.into_iter().find(|stop| plan::key(*stop) == key)
}

#[component]
pub fn Stop(row: Row) -> impl IntoView {
    let stop = use_store().peek(|console| stop_with(console, row.key));
    stop.map(|stop| stop_view(row, stop))
}

fn stop_view(row: Row, stop: PlanStop) -> impl IntoView {
    let (name, number) = (format!("stop-{}", row.key), format!("number-{}", row.key));
    view! {
        <li
            class="stop"
            data-key=row.key.to_string()
            data-kind=stop.kind.as_str()
            data-state=row.text(|row| &row.more[STATE])
            style:transform=row.text(|row| &row.more[TRANSFORM])
        >
            <button
                type="button"
                class="stop-handle"
                data-act="grab"
                id=Movable::Stop(stop).handle_id()
                title="Drag, or press Space and then the arrows"
                aria-labelledby=format!("{number} {name}")
                aria-pressed=row.text(|row| &row.more[IS_HELD])
            >
                <Icon name="grip" />
                <span
                    class="stop-number"
                    id=number.clone()
                    inner_html=live_text(row.text(|row| &row.more[NUMBER]))
                ></span>
            </button>
            <button type="button" class="stop-text" data-act="open">
                <span class="stop-title" id=name.clone()>
                    <b translate="no" inner_html=live_text(row.title())></b>
                    " · "
                    {text::stop_kind(stop.kind)}
                </span>
                <span class="stop-line" inner_html=live_text(row.line())></span>
                <span class="stop-line stop-times" inner_html=live_text(row.aside())></span>
                <span class="stop-line">
                    <span class="stop-load" inner_html=live_text(row.badge())></span>
                    <span class="stop-seen" inner_html=live_text(row.text(|row| &row.more[SEEN]))></span>
                </span>
            </button>
            <div class="stop-buttons">
                <NudgeButton row act="up" name="Earlier" at_end=IS_FIRST />
                <NudgeButton row act="first" name="Next stop" at_end=IS_FIRST />
                <NudgeButton row act="down" name="Later" at_end=IS_LAST />
                <NudgeButton row act="last" name="Last stop" at_end=IS_LAST />
                <button type="button" class="stop-move" data-act="move" title="Give the order to another courier">
                    "Move to…"
                </button>
            </div>
        </li>
    }
}

#[component]
fn NudgeButton(row: Row, act: &'static str, name: &'static str, at_end: usize) -> impl IntoView {
    let is_stuck: fn(&Entry) -> &str =
        if at_end == IS_FIRST { |row| &row.more[IS_FIRST] } else { |row| &row.more[IS_LAST] };
    view! {
        <button
            type="button"
            class="stop-button"
            data-act=act
            id=format!("{act}-{}", row.key)
            title=name
            aria-label=name
            aria-labelledby=format!("{act}-{} stop-{}", row.key, row.key)
            // Not `disabled`: a button that loses the focus with the last step is of no use.
            aria-disabled=row.text(is_stuck)
        >
            <Icon name=act />
        </button>
    }
}
