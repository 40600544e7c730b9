//! Every word the console says about orders and couriers, in one place.
//!
//! Sentence case, no exclamation marks, times as clock times, freshness as "4 s ago"; the reason before the remedy.

use chrono::{DateTime, SecondsFormat, Utc};
use doorstep_shared::{
    OrderStatus, Vehicle,
    api::exception::{ExceptionCode, ExceptionView},
    protocol::{PresenceReason, PresenceState, customer::Presence},
};

use super::{
    fleet::{Courier, Doing, Fleet, Order, Risk, Trouble, is_live},
    place::Tab,
};
use crate::{
    data::Locale,
    map::plane::distance_m,
    ui::{
        time::{self, MINUTE_MS},
        words::Tone,
    },
};

/// A time as the API takes it.
pub fn rfc3339(at_ms: i64) -> String {
    let at = DateTime::from_timestamp_millis(at_ms).unwrap_or_default();
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// What a status is called on the console.
pub const fn status(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Created => "Unassigned",
        OrderStatus::Assigned => "Assigned",
        OrderStatus::AtPickup => "At pickup",
        OrderStatus::PickedUp => "On the way",
        OrderStatus::AtDropoff => "At the door",
        OrderStatus::Delivered => "Delivered",
        OrderStatus::Failed => "Failed",
        OrderStatus::Returned => "Returned",
        OrderStatus::Cancelled => "Cancelled",
    }
}

/// What an event of the timeline is called.
pub const fn event(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Created => "Received",
        OrderStatus::Assigned => "Assigned",
        OrderStatus::AtPickup => "Arrived at the pickup",
        OrderStatus::PickedUp => "Picked up",
        OrderStatus::AtDropoff => "Arrived at the door",
        OrderStatus::Delivered => "Delivered",
        OrderStatus::Failed => "Could not be delivered",
        OrderStatus::Returned => "Brought back",
        OrderStatus::Cancelled => "Cancelled",
    }
}

/// What the button that sets a status says.
pub const fn action(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::AtPickup => "Arrived at pickup",
        OrderStatus::PickedUp => "Picked up",
        OrderStatus::AtDropoff => "Arrived at door",
        OrderStatus::Delivered => "Delivered",
        OrderStatus::Failed => "Could not deliver",
        OrderStatus::Returned => "Brought back",
        OrderStatus::Cancelled => "Cancel order",
        OrderStatus::Created | OrderStatus::Assigned => "Assign",
    }
}

/// The colour of a status.
pub const fn tone(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::PickedUp | OrderStatus::AtDropoff => "accent",
        OrderStatus::Delivered => "ok",
        OrderStatus::Failed => "bad",
        _ => "quiet",
    }
}

/// An order's badge: its risk, or else its status. Colour and words.
pub fn badge(fleet: &Fleet, order: &Order, at_ms: i64) -> (&'static str, String) {
    let bad = Tone::Bad.name();
    let warn = Tone::Warn.name();
    match fleet.risk(order, at_ms) {
        Some(Risk::Failed) => (bad, status(order.status).to_owned()),
        Some(Risk::Late { by_ms }) => (bad, format!("Late {}", time::span(by_ms.max(MINUTE_MS)))),
        Some(Risk::Courier(Trouble::Silent { since_ms })) => (warn, format!("Silent {}", time::span(at_ms - since_ms))),
        Some(Risk::Courier(Trouble::Paused { since_ms, .. })) => {
            (warn, format!("Paused {}", time::span(at_ms - since_ms)))
        }
        Some(Risk::Tight { left_ms }) => (warn, format!("Due in {}", time::span(left_ms))),
        None => (tone(order.status), status(order.status).to_owned()),
    }
}

/// The second line of an order in a list: who, how far, and what is the matter.
pub fn order_line(fleet: &Fleet, order: &Order, at_ms: i64, locale: &Locale) -> String {
    let courier = order.courier_id.and_then(|id| fleet.couriers.get(&id));
    let Some(courier) = courier else {
        let from = order.details.as_ref().map(|details| details.pickup.address.clone());
        return from.map_or_else(String::new, |from| format!("From {from}"));
    };
    if order.status.is_final() || order.status == OrderStatus::Failed {
        return courier.name.clone();
    }
    let matter = match fleet.risk(order, at_ms) {
        Some(Risk::Courier(Trouble::Paused { reason, .. })) => Some(pause_reason(reason).to_owned()),
        Some(Risk::Courier(Trouble::Silent { .. })) => Some("no position".to_owned()),
        _ => to_go(order, courier, locale),
    };
    let at_door = order.status == OrderStatus::AtDropoff;
    match matter.filter(|_| !at_door) {
        Some(matter) => format!("{} · {matter}", courier.name),
        None => courier.name.clone(),
    }
}

/// How far the courier is from where the order makes them go next, as the crow flies.
fn to_go(order: &Order, courier: &Courier, locale: &Locale) -> Option<String> {
    let details = order.details.as_ref()?;
    let position = courier.position?;
    let is_loaded = order.status.step() >= Some(3);
    let goal = if is_loaded { &details.dropoff } else { &details.pickup };
    let away = distance(distance_m([position.lon, position.lat], [goal.lon, goal.lat]), locale);
    Some(if is_loaded { format!("{away} to go") } else { format!("{away} to pickup") })
}

/// A distance: `350 m`, `1.2 km`, or miles.
pub fn distance(metres: f64, locale: &Locale) -> String {
    if locale.miles {
        return format!("{:.1} mi", metres / 1_609.344);
    }
    if metres < 995.0 {
        format!("{:.0} m", (metres / 10.0).round() * 10.0)
    } else {
        format!("{:.1} km", metres / 1_000.0)
    }
}

/// The time at the end of an order's row: when it was promised, or when it ended.
pub fn order_time(order: &Order, at_ms: i64, locale: &Locale) -> String {
    let told = |ms: i64| {
        let is_today = time::day(ms, locale) == time::day(at_ms, locale);
        if is_today {
            time::clock(ms, locale)
        } else {
            format!("{} {}", time::date(ms, locale), time::clock(ms, locale))
        }
    };
    if order.status.is_final() {
        return told(order.status_at_ms);
    }
    match order.promised_until_ms() {
        Some(until_ms) => format!("by {}", told(until_ms)),
        None => format!(
            "since {}",
            told(order.details.as_ref().map_or(order.status_at_ms, |details| details.created_at.timestamp_millis()))
        ),
    }
}

/// A courier's badge.
pub fn courier_badge(fleet: &Fleet, courier: &Courier, at_ms: i64) -> (&'static str, &'static str) {
    match fleet.doing(courier, at_ms) {
        Doing::Attention => (Tone::Bad.name(), "Attention"),
        Doing::Delivering => ("accent", "Delivering"),
        Doing::Free if is_live(courier, at_ms) => (Tone::Ok.name(), "Free"),
        Doing::Free => ("quiet", "Free"),
        Doing::Away => ("quiet", "Off duty"),
    }
}

/// The second line of a courier in a list.
pub fn courier_line(courier: &Courier, at_ms: i64) -> String {
    let mut parts = vec![vehicle(courier.vehicle).to_owned()];
    match courier.orders.len() {
        0 => {}
        1 => parts.push("1 order".to_owned()),
        many => parts.push(format!("{many} orders")),
    }
    if let Some(presence) = courier.presence.filter(|presence| presence.state == PresenceState::Paused) {
        parts.push(pause_reason(presence.reason).to_owned());
    } else if let Some(position) = courier.position {
        parts.push(time::ago(at_ms - position.time_ms));
    } else {
        parts.push("never seen".to_owned());
    }
    parts.join(" · ")
}

/// What a courier rides.
pub const fn vehicle(vehicle: Vehicle) -> &'static str {
    match vehicle {
        Vehicle::Foot => "On foot",
        Vehicle::Bicycle => "Bicycle",
        Vehicle::Scooter => "Scooter",
        Vehicle::Motorcycle => "Motorcycle",
        Vehicle::Car => "Car",
        Vehicle::Van => "Van",
    }
}

/// Why positions pause, in a word or two.
pub const fn pause_reason(reason: Option<PresenceReason>) -> &'static str {
    match reason {
        Some(PresenceReason::ScreenLocked) => "phone locked",
        Some(PresenceReason::NoPermission) => "location not allowed",
        Some(PresenceReason::NoSignal) => "no GPS signal",
        Some(PresenceReason::LowBattery) => "battery low",
        Some(PresenceReason::User) => "paused by the courier",
        None => "sharing paused",
    }
}

/// Whether a courier shares their position, as a sentence.
pub fn presence(presence: Option<Presence>, locale: &Locale) -> String {
    let Some(Presence { state, reason, since_ms }) = presence else { return "Has not gone online yet".to_owned() };
    let since = time::clock(since_ms, locale);
    match state {
        PresenceState::Tracking => format!("On duty since {since}"),
        PresenceState::Paused => format!("Paused since {since}: {}", pause_reason(reason)),
        PresenceState::OffDuty => format!("Off duty since {since}"),
    }
}

/// A reading of the battery.
pub fn battery(charge: f32) -> String {
    // The sign stays with its number.
    format!("{:.0}\u{a0}%", (charge.clamp(0.0, 1.0) * 100.0).round())
}

/// The app a device reports with.
pub fn client(word: &str) -> &str {
    match word {
        "web" => "Courier app in the browser",
        "native" => "Own client",
        "traccar" => "Traccar Client",
        "owntracks" => "OwnTracks",
        "overland" => "Overland",
        other => other,
    }
}

/// An exception as a sentence, and what stands below it.
pub fn exception(exception: &ExceptionView, at_ms: i64) -> (String, String) {
    let courier = exception.courier_name.as_deref().unwrap_or("A courier");
    let order = exception.order_reference.as_deref().unwrap_or("An order");
    let lasted = |seconds: Option<u32>| {
        let until_ms = exception.ended_at.map_or(at_ms, |at| at.timestamp_millis());
        let known_ms = seconds.map_or(0, |seconds| i64::from(seconds) * 1_000);
        time::span(known_ms.max(until_ms - exception.since.timestamp_millis()).max(MINUTE_MS))
    };
    let has = exception.order_reference.as_ref().map(|order| format!("has {order}"));
    let away = exception.distance_m.map(|metres| format!("{} m", u64::from(metres).next_multiple_of(10)));
    let is_over = exception.ended_at.is_some();
    let told = match exception.code {
        ExceptionCode::DeliveredFar => {
            let away = away.unwrap_or_else(|| "far".to_owned());
            (format!("{order} was delivered {away} from its door"), Some(format!("by {courier}")))
        }
        ExceptionCode::Late => {
            let by = exception.late_by_s.map_or_else(String::new, |seconds| {
                format!("{} ", time::span((i64::from(seconds) * 1_000).max(MINUTE_MS)))
            });
            let whose =
                exception.courier_name.as_ref().map_or("no courier yet".to_owned(), |name| format!("{name} has it"));
            (format!("{order} {} {by}late", if is_over { "was" } else { "is" }), Some(whose))
        }
        ExceptionCode::Silent => {
            let lasted = lasted(exception.silent_s);
            let why = exception.reason.map(|reason| pause_reason(Some(reason)).to_owned());
            let told = if is_over {
                format!("{courier} was silent for {lasted}")
            } else {
                format!("{courier} went silent {lasted} ago")
            };
            (told, join(&[why, has]))
        }
        ExceptionCode::OffRoute => {
            let away = away.map_or_else(String::new, |away| format!("{away} "));
            (format!("{courier} {} {away}off the route", if is_over { "was" } else { "is" }), has)
        }
        ExceptionCode::Stationary => {
            let lasted = lasted(exception.stationary_s);
            let told = if is_over {
                format!("{courier} did not move for {lasted}")
            } else {
                format!("{courier} has not moved for {lasted}")
            };
            (told, has)
        }
    };
    (told.0, told.1.unwrap_or_default())
}

/// The colour of an exception.
pub const fn exception_tone(exception: &ExceptionView) -> &'static str {
    match exception.code {
        _ if exception.acknowledged_at.is_some() => "quiet",
        ExceptionCode::DeliveredFar | ExceptionCode::Late => "bad",
        ExceptionCode::Stationary if exception.ended_at.is_none() => "bad",
        _ => "warn",
    }
}

/// From when until when it went on.
pub fn exception_time(exception: &ExceptionView, locale: &Locale) -> String {
    let clock = |at: &DateTime<Utc>| time::clock(at.timestamp_millis(), locale);
    let since = clock(&exception.since);
    match &exception.ended_at {
        _ if exception.code == ExceptionCode::DeliveredFar => format!("at {since}"),
        Some(ended) => format!("{since}–{}, over", clock(ended)),
        None => format!("since {since}"),
    }
}

/// Who took care of an exception, when, and with which remark.
pub fn acknowledgement(exception: &ExceptionView, locale: &Locale) -> Option<String> {
    let at = exception.acknowledged_at?;
    let by = exception.acknowledged_by.as_deref().unwrap_or("somebody");
    let note = exception.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    Some(format!("Acknowledged by {by} at {}{note}", time::clock(at.timestamp_millis(), locale)))
}

fn join(parts: &[Option<String>]) -> Option<String> {
    let parts: Vec<_> = parts.iter().flatten().map(String::as_str).collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// A day as it stands in a file's name: `2026-11-21`. Counted from 1 January 1970.
pub fn date_code(day: i64) -> String {
    rfc3339(day * 24 * 60 * MINUTE_MS)[..10].to_owned()
}

/// What an empty list says: what it means, and what to do.
pub const fn empty(tab: Tab, is_filtered: bool) -> (&'static str, &'static str) {
    if is_filtered {
        return ("Nothing found", "Try fewer letters, or leave the filter out.");
    }
    match tab {
        Tab::Unassigned => ("Every order has a courier", "New orders appear here. Press N to create one."),
        Tab::Active => ("Nothing on the way", "Orders appear here once a courier has them."),
        Tab::Done => ("Nothing delivered yet", "Orders appear here when they are over."),
        Tab::Couriers => ("No couriers yet", "Add the first one, and let them scan their QR code."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::fleet::tests::{NOW_MS, courier, details, fleet, order};

    fn locale() -> Locale {
        Locale { lang: "en".into(), hour12: false, utc_offset_min: 60, miles: false }
    }

    #[test]
    fn a_late_order_says_how_late_and_who_has_it() {
        let ana = courier("Ana");
        let late = order("A-1039", OrderStatus::PickedUp, Some(ana.id));
        let mut fleet = fleet(vec![ana], vec![late.clone()]);
        fleet.take_details(details(&late, Some(NOW_MS - 12 * MINUTE_MS)));
        let order = &fleet.orders[&late.id];
        assert_eq!(badge(&fleet, order, NOW_MS), ("bad", "Late 12 min".to_owned()));
        assert_eq!(order_line(&fleet, order, NOW_MS, &locale()), "Ana · 900 m to go");
        assert_eq!(order_time(order, NOW_MS, &locale()), "by 18:30");
    }

    #[test]
    fn a_silent_phone_is_told_with_its_reason() {
        let mut leah = courier("Leah");
        let reason = Some(PresenceReason::ScreenLocked);
        leah.presence = Some(Presence { state: PresenceState::Paused, reason, since_ms: NOW_MS - 3 * MINUTE_MS });
        let assigned = order("A-1051", OrderStatus::PickedUp, Some(leah.id));
        let fleet = fleet(vec![leah.clone()], vec![assigned.clone()]);
        let order = &fleet.orders[&assigned.id];
        assert_eq!(badge(&fleet, order, NOW_MS), ("warn", "Paused 3 min".to_owned()));
        assert_eq!(order_line(&fleet, order, NOW_MS, &locale()), "Leah · phone locked");
        assert_eq!(presence(leah.presence, &locale()), "Paused since 18:39: phone locked");
    }

    #[test]
    fn every_exception_is_told_with_its_measure() {
        let told = |rest: serde_json::Value| {
            let mut view = serde_json::json!({ "id": doorstep_shared::ExceptionId::new(), "since": rfc3339(NOW_MS - 6 * MINUTE_MS),
                "courier_name": "Marco", "order_reference": "A-1039" });
            view.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
            let view: ExceptionView = serde_json::from_value(view).expect("an exception");
            let (title, line) = exception(&view, NOW_MS);
            (title, line, exception_tone(&view))
        };
        let over = rfc3339(NOW_MS - 2 * MINUTE_MS);
        for (rest, title, line, tone) in [
            (
                serde_json::json!({ "code": "silent", "silent_s": 360, "reason": "screen_locked" }),
                "Marco went silent 6 min ago",
                "phone locked · has A-1039",
                "warn",
            ),
            (
                serde_json::json!({ "code": "silent", "silent_s": 240, "ended_at": over }),
                "Marco was silent for 4 min",
                "has A-1039",
                "warn",
            ),
            (serde_json::json!({ "code": "late", "late_by_s": 720 }), "A-1039 is 12 min late", "Marco has it", "bad"),
            (
                serde_json::json!({ "code": "stationary", "stationary_s": 360 }),
                "Marco has not moved for 6 min",
                "has A-1039",
                "bad",
            ),
            (
                serde_json::json!({ "code": "off_route", "distance_m": 417 }),
                "Marco is 420 m off the route",
                "has A-1039",
                "warn",
            ),
            (
                serde_json::json!({ "code": "delivered_far", "distance_m": 320, "ended_at": over }),
                "A-1039 was delivered 320 m from its door",
                "by Marco",
                "bad",
            ),
            (
                serde_json::json!({ "code": "late", "acknowledged_at": over, "acknowledged_by": "dora@example.org" }),
                "A-1039 is late",
                "Marco has it",
                "quiet",
            ),
        ] {
            assert_eq!(told(rest), (title.to_owned(), line.to_owned(), tone));
        }
    }

    #[test]
    fn times_for_the_api_are_in_utc() {
        assert_eq!(rfc3339(NOW_MS), "2026-11-21T17:42:00.000Z");
    }

    #[test]
    fn distances_are_as_coarse_as_they_are_useful() {
        let miles = Locale { miles: true, ..locale() };
        for (metres, expected) in [(4.0, "0 m"), (347.0, "350 m"), (996.0, "1.0 km"), (12_340.0, "12.3 km")] {
            assert_eq!(distance(metres, &locale()), expected);
        }
        assert_eq!(distance(1_609.0, &miles), "1.0 mi");
    }
}
