use doorstep_shared::{
    OrderStatus,
    api::exception::ExceptionView,
    protocol::{PresenceReason, PresenceState, customer::Presence},
};

use super::*;
use crate::{
    dispatch::fleet::{
        Fleet,
        tests::{NOW_MS, courier, details, fleet, order},
    },
    ui::time::MINUTE_MS,
};

fn locale() -> Locale {
    Locale { lang: "en".into(), hour12: false, zone: 60.into(), miles: false }
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
    let paused = leah.presence.expect("she paused");
    assert_eq!(no_presence(false), "Has not gone online yet");
    assert_eq!(no_presence(true), "Not in the courier app; another app reports");
    assert_eq!(presence(paused, NOW_MS, &locale()), "Paused since 18:39: phone locked");
}

#[test]
fn every_exception_is_told_with_its_measure() {
    let told = |rest: serde_json::Value| {
        let mut view = serde_json::json!({ "id": doorstep_shared::ExceptionId::new(), "since": rfc3339(NOW_MS - 6 * MINUTE_MS),
            "courier_name": "Marco", "order_reference": "A-1039" });
        view.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        let view: ExceptionView = serde_json::from_value(view).expect("an exception");
        let (title, line) = exception(&Fleet::default(), &view, NOW_MS, &locale());
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
            serde_json::json!({ "code": "late_report", "reported": "delivered", "remark": "to the neighbour", "ended_at": over }),
            "Marco reported A-1039 as delivered, too late",
            "to the neighbour",
            "bad",
        ),
        (serde_json::json!({ "code": "given_back" }), "Marco gave A-1039 back", "", "warn"),
        (
            serde_json::json!({ "code": "clock_wrong", "device_label": "Traccar Client", "rejection": "time_in_future" }),
            "The clock of Marco's Traccar Client is wrong",
            "its positions are rejected",
            "warn",
        ),
        (
            serde_json::json!({ "code": "reports_unreadable", "device_label": "OwnTracks", "ended_at": over }),
            "Marco's OwnTracks sent what cannot be read",
            "its positions were rejected",
            "warn",
        ),
        (
            serde_json::json!({ "code": "door_elsewhere", "distance_m": 64, "ended_at": over }),
            "Marco found the door of A-1039 70 m from its pin",
            "",
            "warn",
        ),
        (
            serde_json::json!({ "code": "not_ready", "waiting_s": 660, "remark": "ten more minutes" }),
            "Marco has waited 11 min for A-1039: not ready",
            "ten more minutes",
            "warn",
        ),
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
fn the_inbox_and_the_list_name_one_lateness() {
    let made = order("A-1039", OrderStatus::Assigned, None);
    let late: ExceptionView = serde_json::from_value(serde_json::json!({
        "id": doorstep_shared::ExceptionId::new(), "code": "late", "since": rfc3339(NOW_MS), "late_by_s": 720,
        "order_id": made.id, "order_reference": "A-1039",
    }))
    .expect("an exception");
    let mut fleet = fleet(vec![], vec![made.clone()]);
    for (promised_ms, in_the_exception_ms, badge_text, title) in [
        (NOW_MS - 4 * MINUTE_MS, 12 * MINUTE_MS, "Late 4 min", "A-1039 is 4 min late"),
        (NOW_MS + 5 * MINUTE_MS, 12 * MINUTE_MS, "Late 12 min", "A-1039 is 12 min late"),
    ] {
        fleet.take_details(details(&made, Some(promised_ms)));
        fleet.late_by_ms = [(made.id, in_the_exception_ms)].into();
        assert_eq!(badge(&fleet, &fleet.orders[&made.id], NOW_MS).1, badge_text);
        assert_eq!(exception(&fleet, &late, NOW_MS, &locale()).0, title);
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
    let far: ExceptionView = serde_json::from_value(serde_json::json!({
        "id": doorstep_shared::ExceptionId::new(), "code": "off_route", "since": rfc3339(NOW_MS), "distance_m": 417,
        "courier_name": "Marco",
    }))
    .expect("an exception");
    let told = |locale: &Locale| exception(&Fleet::default(), &far, NOW_MS, locale).0;
    assert_eq!(told(&locale()), "Marco is 420 m off the route");
    assert_eq!(told(&miles), "Marco is 0.3 mi off the route");
}

#[test]
fn a_device_says_what_is_wrong_with_it() {
    let trouble = |rest: serde_json::Value| {
        let mut view = serde_json::json!({ "id": doorstep_shared::DeviceId::new(), "label": "Traccar Client",
            "created_at": rfc3339(NOW_MS - 60 * MINUTE_MS) });
        view.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        device_trouble(&serde_json::from_value(view).expect("a device"), NOW_MS)
    };
    let lately = rfc3339(NOW_MS - 3 * MINUTE_MS);
    let before = rfc3339(NOW_MS - 16 * MINUTE_MS);
    for (rest, expected) in [
        (serde_json::json!({}), None),
        (
            serde_json::json!({ "rejected_count": 12, "last_rejection": { "code": "time_in_future", "at": lately } }),
            Some("its clock is fast: 12 positions rejected, the last 3 min ago"),
        ),
        (
            serde_json::json!({ "rejected_count": 1, "last_rejection": { "code": "unreadable", "at": lately } }),
            Some("what it sends cannot be read: 1 position rejected, the last 3 min ago"),
        ),
        (
            serde_json::json!({ "rejected_count": 12, "last_rejection": { "code": "time_in_future", "at": before } }),
            None,
        ),
        (
            serde_json::json!({ "clock_ahead_ms": 5_700_000, "rejected_count": 2,
                "last_rejection": { "code": "time_in_future", "at": before } }),
            Some("its clock is 1 h fast, which is corrected"),
        ),
        (
            serde_json::json!({ "clock_ahead_ms": -619_315_200_000i64 }),
            Some("its clock is 7168 days slow, which is corrected"),
        ),
    ] {
        assert_eq!(trouble(rest.clone()).as_deref(), expected, "{rest}");
    }
}
