//! A courier's day, or a part of it, in the drawer: a slider, its speed, and all of it as a file.

use doorstep_shared::CourierId;
use leptos::prelude::*;

use super::{Desk, drawer_head, icon::icon, problem};
use crate::{
    dispatch::{
        console::{Console, Format, Intent},
        place::Open,
        replay::{Replay, SPEEDS},
    },
    ui::time,
};

/// Noon is in the middle of every day, whatever the clocks do.
const HALF_DAY_MS: i64 = 43_200_000;

pub fn replay(desk: Desk, id: CourierId) -> impl IntoView {
    let name = move || {
        desk.read(|console| console.fleet.couriers.get(&id).map(|courier| courier.name.clone()))
            .unwrap_or_else(|| "Courier".to_owned())
    };
    let read = move |words: fn(&Console, &Replay) -> String| {
        move || desk.read(|console| console.replay.as_ref().map(|replay| words(console, replay)).unwrap_or_default())
    };
    let span = move || desk.read(|console| console.replay.as_ref().and_then(Replay::span));
    let is_playing = move || desk.read(|console| console.replay.as_ref().is_some_and(|replay| replay.is_playing));
    let is_complete = move || desk.read(|console| console.replay.as_ref().is_some_and(|replay| replay.is_complete));
    let is_today = move || {
        desk.read(|console| {
            console.replay.as_ref().is_some_and(|replay| replay.day >= time::day(console.at_ms, &console.locale))
        })
    };
    let is_part = move || desk.read(|console| console.replay.as_ref().is_some_and(|replay| replay.part.is_some()));
    let day = move |by: i64| {
        if let Some(day) = desk.peek(|console| console.replay.as_ref().map(|replay| replay.day)) {
            desk.did(Intent::Day(day + by));
        }
    };
    let seek = move |event| {
        if let Ok(at_ms) = event_target_value(&event).parse::<f64>() {
            desk.did(Intent::Seek(at_ms as i64));
        }
    };
    view! {
        <div class="open" data-replay=id.to_string()>
            <span class="badge" data-tone="accent">"Replay"</span>
            {drawer_head(desk, name)}
            <div class="days part" hidden=move || !is_part()>
                <span class="day">{read(part)}</span>
                <button type="button" class="chip" on:click=move |_| day(0)>"Whole day"</button>
            </div>
            <div class="days" hidden=is_part>
                <button type="button" class="round" aria-label="The day before" on:click=move |_| day(-1)>
                    {icon("back")}
                </button>
                <span class="day" aria-live="polite">{read(date)}</span>
                <button type="button" class="round" aria-label="The day after" disabled=is_today on:click=move |_| day(1)>
                    {icon("on")}
                </button>
            </div>
            {problem(desk)}
            <p class="note" hidden=move || is_complete() || span().is_some()>"Fetching the positions…"</p>
            <p class="note" hidden=move || !is_complete() || span().is_some()>
                {move || if is_part() {
                    "No positions in this time. Nobody knows where the courier was."
                } else {
                    "No positions on this day. The courier was off duty, or had no phone signed in."
                }}
            </p>
            <div class="player" hidden=move || span().is_none()>
                <output class="moment">{read(moment)}</output>
                <p class="note">{read(situation)}</p>
                <input
                    type="range"
                    id="slider"
                    aria-label="Time of day"
                    aria-valuetext=read(moment)
                    min=move || span().map_or(0, |(from_ms, _)| from_ms).to_string()
                    max=move || span().map_or(0, |(_, until_ms)| until_ms).to_string()
                    // By keyboard a hundredth of what is replayed, whether that is a day or a minute.
                    step="any"
                    prop:value=read(|_, replay| replay.at_ms.to_string())
                    on:input=seek
                />
                <div class="ends">
                    <span>{move || end(desk, span().map(|(from_ms, _)| from_ms))}</span>
                    <span>{move || end(desk, span().map(|(_, until_ms)| until_ms))}</span>
                </div>
                <div class="actions">
                    <button type="button" class="primary play" on:click=move |_| desk.did(Intent::Play)>
                        {move || if is_playing() { icon("pause").into_any() } else { icon("play").into_any() }}
                        {move || if is_playing() { "Pause" } else { "Play" }}
                    </button>
                    <div class="speeds" role="group" aria-label="Speed">
                        {SPEEDS.map(|speed| speed_button(desk, speed)).into_iter().collect_view()}
                    </div>
                </div>
            </div>
            <section aria-label="Download" hidden=move || span().is_none()>
                <h3>{move || if is_part() { "Download these minutes" } else { "Download this day" }}</h3>
                <div class="actions">
                    {Format::ALL.map(|format| view! {
                        <button type="button" class="quiet" on:click=move |_| desk.did(Intent::Export(format))>
                            {format.name()}
                        </button>
                    }).into_iter().collect_view()}
                </div>
            </section>
            <div class="actions">
                <button type="button" class="quiet" on:click=move |_| desk.did(Intent::Open(Open::Courier(id)))>
                    "Back to the courier"
                </button>
            </div>
        </div>
    }
}

fn speed_button(desk: Desk, speed: u32) -> impl IntoView {
    let is_on = move || desk.read(|console| console.replay.as_ref().is_some_and(|replay| replay.speed == speed));
    view! {
        <button
            type="button"
            class="chip"
            aria-pressed=move || is_on().to_string()
            on:click=move |_| desk.did(Intent::Speed(speed))
        >
            {format!("{speed}×")}
        </button>
    }
}

fn date(console: &Console, replay: &Replay) -> String {
    let noon_ms =
        replay.day * 2 * HALF_DAY_MS + HALF_DAY_MS - i64::from(console.locale.utc_offset_min) * time::MINUTE_MS;
    let date = time::date(noon_ms, &console.locale);
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

fn moment(console: &Console, replay: &Replay) -> String {
    time::clock(replay.at_ms, &console.locale)
}

fn situation(console: &Console, replay: &Replay) -> String {
    let Some(shown) = replay.shown() else { return String::new() };
    if shown.age_ms > 2 * time::MINUTE_MS {
        return format!("No position for {}", time::span(shown.age_ms));
    }
    match shown.speed_mps.filter(|speed| *speed >= 1.0) {
        Some(speed) if console.locale.miles => format!("Moving at {:.0} mph", speed * 2.237),
        Some(speed) => format!("Moving at {:.0} km/h", speed * 3.6),
        None => words_of_rest(replay),
    }
}

fn words_of_rest(replay: &Replay) -> String {
    format!("Standing · {} positions in all", replay.len())
}

fn end(desk: Desk, at_ms: Option<i64>) -> String {
    desk.peek(|console| at_ms.map(|at_ms| time::clock(at_ms, &console.locale))).unwrap_or_default()
}
