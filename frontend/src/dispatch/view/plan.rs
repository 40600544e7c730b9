//! The plan in a courier's drawer: the stops in their order, each with its handle, buttons and promise.
//!
//! While a stop is held, the rows stand where they would be by `transform` alone. Their elements move when it is dropped,
//! so focus and pointer stay on the handle.

mod actions;
mod rows;
mod stop;

use leptos::prelude::*;

use self::{
    rows::{is_shown, rows},
    stop::Stop,
};
use super::{keyed::Entries, parts::Fact};
use crate::{
    dispatch::{
        console::{Console, Movable, PlanIntent, Subject},
        store::use_store,
        text,
    },
    ui::bind::live_value,
};

#[component]
pub fn Plan() -> impl IntoView {
    let store = use_store();
    let is_hidden = store.memo(Subject::Plan, |console| !is_shown(console));
    let about = |text: fn(&Console) -> String| store.memo(Subject::Plan | Subject::Clock, text);
    view! {
        <section class="plan" aria-label="Stops" hidden=is_hidden>
            <h3>"Stops"</h3>
            <dl class="facts">
                <Fact name="Shift" value=about(shift) />
            </dl>
            <p class="note" data-tone="warn" inner_html=live_value(about(after_shift))></p>
            <Refused />
            <Stops />
            <p class="plan-sum" inner_html=live_value(about(sum))></p>
        </section>
        <NoPlan />
    }
}

fn shift(console: &Console) -> String {
    let shift = console.planning.view.as_ref().and_then(|plan| plan.shift.as_ref());
    shift.map(|shift| text::shift(shift, console.at_ms, &console.locale)).unwrap_or_default()
}

/// Whether the last stop comes after the shift has ended.
fn after_shift(console: &Console) -> String {
    let ends = || {
        let plan = console.planning.view.as_ref()?;
        let last = plan.stops.iter().filter_map(|stop| stop.arrival.as_ref()).map(|at| at.expected_at).max()?;
        (last > plan.shift?.until).then_some("The last stop comes after the shift ends")
    };
    ends().unwrap_or_default().to_owned()
}

fn sum(console: &Console) -> String {
    let Some(plan) = &console.planning.view else { return String::new() };
    let sum = text::plan_sum(plan, &console.locale);
    plan.capacity.map_or(sum.clone(), |capacity| format!("{sum} · carries up to {capacity}"))
}

/// Why the last change was refused, and a way to do it again.
#[component]
fn Refused() -> impl IntoView {
    let store = use_store();
    let text = store.memo(Subject::Plan, |console| {
        console.planning.refusal.as_ref().map(|refusal| refusal.text.clone()).unwrap_or_default()
    });
    view! {
        <div class="refused" hidden=move || text.with(String::is_empty)>
            <p class="problem" role="alert">
                <span inner_html=live_value(text)></span> <span class="long">". This is the plan as it is now."</span>
            </p>
            <div class="actions">
                <button type="button" class="quiet small" on:click=move |_| store.send(PlanIntent::Again)>
                    "Do mine again"
                </button>
                <button type="button" class="quiet small" on:click=move |_| store.send(PlanIntent::Dismiss)>
                    "Leave it"
                </button>
            </div>
        </div>
    }
}

/// The plan could not be fetched.
#[component]
fn NoPlan() -> impl IntoView {
    let store = use_store();
    let problem = store.memo(Subject::Plan, |console| {
        let is_known = console.planning.view.is_some();
        console.planning.problem.clone().filter(|_| !is_known).unwrap_or_default()
    });
    view! {
        <section class="no-plan" aria-label="Stops" hidden=move || problem.with(String::is_empty)>
            <h3>"Stops"</h3>
            <p class="note" inner_html=live_value(problem)></p>
            <button type="button" class="quiet small" on:click=move |_| store.send(PlanIntent::Retry)>
                "Try again"
            </button>
        </section>
    }
}

#[component]
fn Stops() -> impl IntoView {
    let store = use_store();
    let rows = store.memo(Subject::Plan | Subject::Fleet, rows);
    let count = move || rows.with(Vec::len).to_string();
    let is_grabbed = store.memo(Subject::Plan, |console| console.planning.grab.is_some());
    view! {
        <div
            class="stops"
            style:--stops=count
            data-grabbed=move || is_grabbed.get().then_some("")
            on:click=move |event| actions::clicked(store, &event)
            on:keydown=move |event| actions::key_pressed(store, &event)
            on:pointerdown=move |event| actions::pointer_down(store, &event)
            on:focusout=move |_| actions::focus_left(store)
        >
            <LockLine />
            <ol aria-label="Stops in their order">
                <Entries entries=rows row=|row| view! { <Stop row /> } />
            </ol>
        </div>
    }
}

/// The line below the locked stops. It comes before them for screen readers, as what rules them.
#[component]
fn LockLine() -> impl IntoView {
    let store = use_store();
    let name = store.memo(Subject::Plan, |console| match console.shown_plan().locked {
        0 => "Lock the first stops".to_owned(),
        locked => text::locked(locked),
    });
    let place = store.memo(Subject::Plan, |console| match console.planning.grab {
        Some(grab) if grab.what == Movable::Lock && grab.pointer_px.is_some() => {
            let from = console.planning.arrangement().locked;
            format!("translateY(calc(var(--stop) * {from} + {}px))", grab.pointer_px.unwrap_or_default() as i32)
        }
        _ => format!("translateY(calc(var(--stop) * {}))", console.shown_plan().locked),
    });
    let is_held = store.memo(Subject::Plan, |console| {
        console.planning.grab.is_some_and(|grab| grab.what == Movable::Lock).to_string()
    });
    view! {
        <div class="lock" style:transform=place>
            <button
                type="button"
                class="lock-handle"
                data-act="grab"
                id=Movable::Lock.handle_id()
                title="Drag, or press Space and then the arrows"
                aria-pressed=is_held
                inner_html=live_value(name)
            ></button>
        </div>
    }
}
