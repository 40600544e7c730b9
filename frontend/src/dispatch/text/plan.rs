//! Texts about a courier's plan: its stops, its times, and why a new order of them was refused.

use doorstep_shared::{
    OrderId,
    api::plan::{CourierShift, PlanStop, PlanView},
    problem::{ErrorDetails, Problem},
    protocol::courier::StopKind,
};

use super::distance;
use crate::{
    data::Locale,
    dispatch::{
        api::ApiError,
        fleet::{Fleet, Order},
    },
    ui::time,
};

/// What is done at a stop.
pub const fn stop_kind(kind: StopKind) -> &'static str {
    match kind {
        StopKind::Pickup => "Pick up",
        StopKind::Dropoff => "Drop off",
        StopKind::Return => "Bring back",
    }
}

/// A stop in a sentence: `A-1044, drop off`.
pub fn stop(fleet: &Fleet, stop: PlanStop) -> String {
    format!("{}, {}", reference(fleet, stop.order_id), stop_kind(stop.kind).to_lowercase())
}

fn reference(fleet: &Fleet, order: OrderId) -> &str {
    fleet.orders.get(&order).map_or("An order", |order| &order.reference)
}

/// How many stops keep their places.
pub fn locked(count: usize) -> String {
    match count {
        0 => "No stop is locked".to_owned(),
        1 => "The first stop is locked".to_owned(),
        many => format!("The first {many} stops are locked"),
    }
}

/// That a stop takes its partner along.
pub const fn company(kind: StopKind, is_along: bool) -> &'static str {
    match kind {
        _ if !is_along => "",
        StopKind::Dropoff => ", with its pickup before it",
        StopKind::Pickup | StopKind::Return => ", with its drop-off behind it",
    }
}

/// A length of time in hours and minutes: `45 min`, `1 h 20 min`.
pub fn duration(seconds: u32) -> String {
    match (seconds / 3_600, seconds % 3_600 / 60) {
        (0, minutes) => format!("{} min", minutes.max(1)),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// The line at the foot of a plan: how many stops, how far, how long.
pub fn plan_sum(plan: &PlanView, locale: &Locale) -> String {
    let count = match plan.stops.len() {
        1 => "1 stop".to_owned(),
        many => format!("{many} stops"),
    };
    let metres = plan.metres.map(|metres| distance(f64::from(metres), locale));
    [Some(count), metres, plan.seconds.map(duration)].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// When a courier works, and their break: `tomorrow 09:00–17:00, break 12:00–12:30`.
pub fn shift(shift: &CourierShift, at_ms: i64, locale: &Locale) -> String {
    let (from_ms, until_ms) = (shift.from.timestamp_millis(), shift.until.timestamp_millis());
    let hours = time::window((Some(from_ms), Some(until_ms)), at_ms, locale);
    match shift.r#break {
        Some(pause) => {
            let pause = time::range(pause.from.timestamp_millis(), pause.until.timestamp_millis(), locale);
            format!("{hours}, break {pause}")
        }
        None => hours,
    }
}

/// What was promised to the customer: `by 18:55`, `tomorrow 18:30–18:55`.
pub fn promise(order: &Order, at_ms: i64, locale: &Locale) -> Option<String> {
    let until_ms = order.promised_until_ms()?;
    let from = order.details.as_ref().and_then(|details| details.promised_from);
    Some(time::window((from.map(|from| from.timestamp_millis()), Some(until_ms)), at_ms, locale))
}

/// Why the server refused another order of the stops.
pub fn plan_refusal(fleet: &Fleet, courier: &str, error: &ApiError, at_ms: i64, locale: &Locale) -> String {
    let ApiError::Refused(problem) = error else { return error.text() };
    let details = problem.details.clone().unwrap_or_default();
    let order = details.order_id.map_or("An order", |order| reference(fleet, order));
    match problem.code.as_str() {
        "version_conflict" => conflict(courier, &details, at_ms, locale),
        "over_capacity" => format!("{order} does not fit there: {courier} would carry too much at once"),
        "dropoff_before_pickup" => format!("{order} must be picked up before it is dropped off"),
        "stop_missing" | "stop_unknown" => format!("{courier}'s stops have changed meanwhile"),
        _ => refused_otherwise(problem, error),
    }
}

fn refused_otherwise(problem: &Problem, error: &ApiError) -> String {
    if problem.status == 403 { "You may not change this plan".to_owned() } else { error.text() }
}

/// Who changed the plan first, and what they did: `Ben changed the order of Ana's stops at 18:42`.
fn conflict(courier: &str, details: &ErrorDetails, at_ms: i64, locale: &Locale) -> String {
    let who = details.changed_by.as_deref().unwrap_or("Somebody else");
    let done = match details.change.as_deref() {
        Some("reordered") => format!("changed the order of {courier}'s stops"),
        Some("assigned") => format!("gave {courier} an order"),
        Some("unassigned") => format!("took an order from {courier}"),
        Some("edited") => format!("edited an order of {courier}"),
        _ => format!("changed {courier}'s plan"),
    };
    let when = details.changed_at_ms.map(|changed_ms| match at_ms - changed_ms {
        0..60_000 => time::ago(at_ms - changed_ms),
        _ => time::at(changed_ms, at_ms, locale),
    });
    [Some(who.to_owned()), Some(done), when].into_iter().flatten().collect::<Vec<_>>().join(" ")
}
