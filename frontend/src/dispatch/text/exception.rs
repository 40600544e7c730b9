//! Texts about exceptions: what happened, for how long, and who acknowledged it.

use doorstep_shared::api::exception::{ExceptionCode, ExceptionView};

use super::{distance, pause_reason, tone};
use crate::{
    data::Locale,
    dispatch::fleet::Fleet,
    ui::time::{self, MINUTE_MS},
};

/// An exception as a sentence, and the line below it.
pub fn exception(fleet: &Fleet, exception: &ExceptionView, at_ms: i64, locale: &Locale) -> (String, String) {
    (title(fleet, exception, at_ms, locale), line(exception).unwrap_or_default())
}

/// By how much an order is late: while it is, as the list of orders says.
fn late_by_ms(fleet: &Fleet, exception: &ExceptionView, at_ms: i64) -> Option<i64> {
    let order = exception.order_id.and_then(|id| fleet.orders.get(&id)).filter(|_| exception.ended_at.is_none());
    let listed_ms = order.and_then(|order| fleet.late_by_ms(order, at_ms));
    listed_ms.or(exception.late_by_s.map(|seconds| i64::from(seconds) * 1_000))
}

fn title(fleet: &Fleet, exception: &ExceptionView, at_ms: i64, locale: &Locale) -> String {
    let courier = exception.courier_name.as_deref().unwrap_or("A courier");
    let order = exception.order_reference.as_deref().unwrap_or("An order");
    let is_over = exception.ended_at.is_some();
    let is = if is_over { "was" } else { "is" };
    match exception.code {
        ExceptionCode::DeliveredFar => {
            let away = away(exception, locale).unwrap_or_else(|| "far".to_owned());
            format!("{order} was delivered {away} from its door")
        }
        ExceptionCode::Late => {
            let by = late_by_ms(fleet, exception, at_ms).map(|by_ms| time::span(by_ms.max(MINUTE_MS)));
            format!("{order} {is} {}late", spaced(by))
        }
        ExceptionCode::LateReport => {
            let reported = exception.reported.map_or("more", super::status).to_lowercase();
            format!("{courier} reported {order} as {reported}, too late")
        }
        ExceptionCode::GivenBack => format!("{courier} gave {order} back"),
        ExceptionCode::NotReady => {
            let lasted = lasted(exception, exception.waiting_s, at_ms);
            let verb = if is_over { "waited" } else { "has waited" };
            format!("{courier} {verb} {lasted} for {order}: not ready")
        }
        ExceptionCode::DoorElsewhere => {
            let away = away(exception, locale).unwrap_or_else(|| "far".to_owned());
            format!("{courier} found the door of {order} {away} from its pin")
        }
        ExceptionCode::OffRoute => format!("{courier} {is} {}off the route", spaced(away(exception, locale))),
        ExceptionCode::Silent => {
            let lasted = lasted(exception, exception.silent_s, at_ms);
            if is_over {
                format!("{courier} was silent for {lasted}")
            } else {
                format!("{courier} went silent {lasted} ago")
            }
        }
        ExceptionCode::ClockWrong => format!("The clock of {courier}'s {} {is} wrong", device(exception)),
        ExceptionCode::ReportsUnreadable => {
            let verb = if is_over { "sent" } else { "sends" };
            format!("{courier}'s {} {verb} what cannot be read", device(exception))
        }
        ExceptionCode::Stationary => {
            let lasted = lasted(exception, exception.stationary_s, at_ms);
            let verb = if is_over { "did not move" } else { "has not moved" };
            format!("{courier} {verb} for {lasted}")
        }
    }
}

fn line(exception: &ExceptionView) -> Option<String> {
    let has = exception.order_reference.as_ref().map(|order| format!("has {order}"));
    let courier = exception.courier_name.as_deref();
    match exception.code {
        ExceptionCode::DeliveredFar => Some(format!("by {}", courier.unwrap_or("A courier"))),
        ExceptionCode::Late => Some(courier.map_or("no courier yet".to_owned(), |name| format!("{name} has it"))),
        ExceptionCode::LateReport | ExceptionCode::GivenBack | ExceptionCode::NotReady => exception.remark.clone(),
        ExceptionCode::Silent => {
            let why = exception.reason.map(|reason| pause_reason(Some(reason)).to_owned());
            join(&[why, has])
        }
        ExceptionCode::OffRoute | ExceptionCode::Stationary => has,
        ExceptionCode::ClockWrong | ExceptionCode::ReportsUnreadable => {
            let verb = if exception.ended_at.is_some() { "were" } else { "are" };
            Some(format!("its positions {verb} rejected"))
        }
        ExceptionCode::DoorElsewhere => None,
    }
}

/// What to do next about it, in plain words.
pub const fn next_step(exception: &ExceptionView) -> &'static str {
    match exception.code {
        ExceptionCode::NotReady if exception.ended_at.is_none() => {
            "Call the pickup, or give the order back to the list and let the courier go on."
        }
        ExceptionCode::ClockWrong if exception.ended_at.is_none() => {
            "Ask the courier to let the phone set its date and time by itself."
        }
        ExceptionCode::ReportsUnreadable if exception.ended_at.is_none() => {
            "Set the app up anew from the courier's page, without an encryption key."
        }
        ExceptionCode::GivenBack if exception.ended_at.is_none() => "Give it to another courier.",
        ExceptionCode::LateReport => "Ask the courier what happened, and correct the order if they are right.",
        ExceptionCode::DoorElsewhere => "Pin the address there for all orders to come, or acknowledge to leave it.",
        _ => "",
    }
}

fn device(exception: &ExceptionView) -> &str {
    exception.device_label.as_deref().unwrap_or("device")
}

/// The distance of an exception, rounded up to tens of metres, in the area's units.
fn away(exception: &ExceptionView, locale: &Locale) -> Option<String> {
    exception.distance_m.map(|metres| distance((f64::from(metres) / 10.0).ceil() * 10.0, locale))
}

/// How long it has gone on: as long as the server measured, or longer by now.
fn lasted(exception: &ExceptionView, measured_s: Option<u32>, at_ms: i64) -> String {
    let until_ms = exception.ended_at.map_or(at_ms, |at| at.timestamp_millis());
    let measured_ms = measured_s.map_or(0, |seconds| i64::from(seconds) * 1_000);
    time::span(measured_ms.max(until_ms - exception.since.timestamp_millis()).max(MINUTE_MS))
}

/// A text with a space behind it, if there is one.
fn spaced(text: Option<String>) -> String {
    text.map_or_else(String::new, |text| text + " ")
}

/// The tone of an exception.
pub const fn exception_tone(exception: &ExceptionView) -> &'static str {
    match exception.code {
        _ if exception.acknowledged_at.is_some() => tone::QUIET,
        ExceptionCode::DeliveredFar | ExceptionCode::Late | ExceptionCode::LateReport => tone::BAD,
        ExceptionCode::Stationary if exception.ended_at.is_none() => tone::BAD,
        _ => tone::WARN,
    }
}

/// When it began and ended.
pub fn exception_time(exception: &ExceptionView, at_ms: i64, locale: &Locale) -> String {
    let since_ms = exception.since.timestamp_millis();
    match exception.ended_at {
        _ if matches!(
            exception.code,
            ExceptionCode::DeliveredFar | ExceptionCode::LateReport | ExceptionCode::DoorElsewhere
        ) =>
        {
            time::at(since_ms, at_ms, locale)
        }
        Some(ended) => {
            let lasted = time::window((Some(since_ms), Some(ended.timestamp_millis())), at_ms, locale);
            format!("{lasted}, over")
        }
        None => format!("since {}", time::moment(since_ms, at_ms, locale)),
    }
}

/// Who acknowledged an exception, when, and with which remark.
pub fn acknowledgement(exception: &ExceptionView, at_ms: i64, locale: &Locale) -> Option<String> {
    let at = exception.acknowledged_at?;
    let by = exception.acknowledged_by.as_deref().unwrap_or("somebody");
    let note = exception.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    Some(format!("Acknowledged by {by} {}{note}", time::at(at.timestamp_millis(), at_ms, locale)))
}

fn join(parts: &[Option<String>]) -> Option<String> {
    let parts: Vec<_> = parts.iter().flatten().map(String::as_str).collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}
