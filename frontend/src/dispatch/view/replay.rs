//! A courier's day, or a part of it, in the drawer: a slider, its speed, and all of it as a file.

use doorstep_shared::CourierId;
use leptos::prelude::*;

use super::{
    icon::Icon,
    parts::{DrawerHead, Problem},
};
use crate::{
    dispatch::{
        console::{Console, Format, Intent, ReplayIntent, Subject},
        replay::{Replay, SPEEDS},
        route::Open,
        store::{Store, use_store},
        text,
    },
    ui::bind::{live_text, live_value},
    ui::time,
};

/// A value of the replay, or its default while there is none.
fn about<T>(store: Store, read: fn(&Console, &Replay) -> T) -> Memo<T>
where
    T: Default + PartialEq + Send + Sync + 'static,
{
    store.memo(Subject::Replay | Subject::Clock, move |console| {
        console.replay.current.as_ref().map(|replay| read(console, replay)).unwrap_or_default()
    })
}

#[component]
pub fn ReplayDrawer(id: CourierId) -> impl IntoView {
    let store = use_store();
    let name = store.memo(Subject::Fleet, move |console| {
        console.fleet.couriers.get(&id).map_or_else(|| "Courier".to_owned(), |courier| courier.name.clone())
    });
    let is_part = about(store, |_, replay| replay.part.is_some());
    let has_span = about(store, |_, replay| replay.span().is_some());
    view! {
        <div class="open" data-replay=id.to_string()>
            <span class="badge" data-tone="accent">"Replay"</span>
            <DrawerHead title=name />
            <Days is_part />
            <Problem />
            <NoPositions is_part has_span />
            <Controls has_span />
            <Download is_part has_span />
            <div class="actions">
                <button type="button" class="quiet" on:click=move |_| store.send(Intent::Open(Open::Courier(id)))>
                    "Back to the courier"
                </button>
            </div>
        </div>
    }
}

/// Which day is replayed, or which part of one.
#[component]
fn Days(is_part: Memo<bool>) -> impl IntoView {
    let store = use_store();
    let is_today = about(store, |console, replay| replay.day >= time::day(console.at_ms, &console.locale));
    let day = move |by: i64| {
        if let Some(day) = store.peek(|console| console.replay.current.as_ref().map(|replay| replay.day)) {
            store.send(ReplayIntent::Day(day + by));
        }
    };
    view! {
        <div class="days part" hidden=move || !is_part.get()>
            <span class="day" inner_html=live_value(about(store, part))></span>
            <button type="button" class="chip" on:click=move |_| day(0)>"Whole day"</button>
        </div>
        <div class="days" hidden=is_part>
            <button type="button" class="round" aria-label="The day before" on:click=move |_| day(-1)>
                <Icon name="back" />
            </button>
            <span class="day" aria-live="polite" inner_html=live_value(about(store, date))></span>
            <button type="button" class="round" aria-label="The day after" disabled=is_today on:click=move |_| day(1)>
                <Icon name="on" />
            </button>
        </div>
    }
}

/// Why there is no slider.
#[component]
fn NoPositions(is_part: Memo<bool>, has_span: Memo<bool>) -> impl IntoView {
    let is_complete = about(use_store(), |_, replay| replay.is_complete);
    let why = move || {
        if is_part.get() {
            "No positions in this time. Nobody knows where the courier was."
        } else {
            "No positions on this day. The courier was off duty, or had no phone signed in."
        }
    };
    view! {
        <p class="note" hidden=move || is_complete.get() || has_span.get()>"Fetching the positions…"</p>
        <p class="note" hidden=move || !is_complete.get() || has_span.get() inner_html=live_text(why)></p>
    }
}

#[component]
fn Controls(has_span: Memo<bool>) -> impl IntoView {
    let store = use_store();
    let moment = about(store, |console, replay| time::clock(replay.at_ms, &console.locale));
    let is_playing = about(store, |_, replay| replay.is_playing);
    let begin = about(store, |console, replay| clock(console, replay.span().map(|(from_ms, _)| from_ms)));
    let end = about(store, |console, replay| clock(console, replay.span().map(|(_, until_ms)| until_ms)));
    let seek = move |event| {
        if let Ok(at_ms) = event_target_value(&event).parse::<f64>() {
            store.send(ReplayIntent::Seek(at_ms as i64));
        }
    };
    view! {
        <div class="player" hidden=move || !has_span.get()>
            <output class="moment" inner_html=live_value(moment)></output>
            <p class="note" inner_html=live_value(about(store, situation))></p>
            <input
                type="range"
                id="slider"
                aria-label="Time of day"
                aria-valuetext=moment
                min=about(store, |_, replay| replay.span().map_or(0, |(from_ms, _)| from_ms).to_string())
                max=about(store, |_, replay| replay.span().map_or(0, |(_, until_ms)| until_ms).to_string())
                // By keyboard a hundredth of what is replayed, whether that is a day or a minute.
                step="any"
                prop:value=about(store, |_, replay| replay.at_ms.to_string())
                on:input=seek
            />
            <div class="ends">
                <span inner_html=live_value(begin)></span>
                <span inner_html=live_value(end)></span>
            </div>
            <div class="actions">
                <button type="button" class="primary play" on:click=move |_| store.send(ReplayIntent::Play)>
                    {move || view! { <Icon name=if is_playing.get() { "pause" } else { "play" } /> }}
                    <span inner_html=live_text(move || if is_playing.get() { "Pause" } else { "Play" })></span>
                </button>
                <div class="speeds" role="group" aria-label="Speed">
                    {SPEEDS.map(|speed| view! { <SpeedChip speed /> }).into_iter().collect_view()}
                </div>
            </div>
        </div>
    }
}

#[component]
fn SpeedChip(speed: u32) -> impl IntoView {
    let store = use_store();
    let is_chosen = store.memo(Subject::Replay, move |console| {
        console.replay.current.as_ref().is_some_and(|replay| replay.speed == speed)
    });
    view! {
        <button
            type="button"
            class="chip"
            aria-pressed=move || is_chosen.get().to_string()
            on:click=move |_| store.send(ReplayIntent::Speed(speed))
        >
            {format!("{speed}×")}
        </button>
    }
}

#[component]
fn Download(is_part: Memo<bool>, has_span: Memo<bool>) -> impl IntoView {
    let store = use_store();
    let button = move |format: Format| {
        view! {
            <button type="button" class="quiet" on:click=move |_| store.send(ReplayIntent::Export(format))>
                {format.name()}
            </button>
        }
    };
    view! {
        <section aria-label="Download" hidden=move || !has_span.get()>
            <h3
                inner_html=live_text(move || if is_part.get() { "Download these minutes" } else { "Download this day" })
            ></h3>
            <div class="actions">{Format::ALL.map(button).into_iter().collect_view()}</div>
        </section>
    }
}

fn clock(console: &Console, at_ms: Option<i64>) -> String {
    at_ms.map(|at_ms| time::clock(at_ms, &console.locale)).unwrap_or_default()
}

fn date(console: &Console, replay: &Replay) -> String {
    let date = time::date(time::day_from_ms(replay.day, &console.locale), &console.locale);
    if replay.day == time::day(console.at_ms, &console.locale) { format!("Today, {date}") } else { date }
}

fn part(console: &Console, replay: &Replay) -> String {
    let Some((from_ms, until_ms)) = replay.part else { return String::new() };
    let range = time::range(from_ms, until_ms, &console.locale);
    if replay.day == time::day(console.at_ms, &console.locale) {
        range
    } else {
        format!("{}, {range}", time::date(from_ms, &console.locale))
    }
}

fn situation(console: &Console, replay: &Replay) -> String {
    let Some(shown) = replay.shown() else { return String::new() };
    if shown.age_ms > 2 * time::MINUTE_MS {
        return format!("No position for {}", time::span(shown.age_ms));
    }
    match shown.speed_mps.filter(|speed| *speed >= 1.0) {
        Some(speed_mps) => format!("Moving at {}", text::speed(speed_mps, &console.locale)),
        None => format!("Standing · {} positions in all", replay.len()),
    }
}
