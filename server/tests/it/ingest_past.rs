//! Reports about the past: stored under their own time or counted, and never where the courier is.

use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    ingest_trackers::{EMPTY, NO_COMMANDS, TAKEN, assert_taken, fixes, osmand_form, osmand_json, overland, owntracks},
    support::{Answer, Socket, TestApp, TestCourier, now_ms, with_app},
};

const MINUTE_MS: i64 = 60_000;

fn minutes_ago(minutes: i64) -> String {
    (Utc::now() - TimeDelta::minutes(minutes)).to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn visit() -> String {
    include_str!("../payloads/overland/ios-visit.json")
        .replace("2026-08-22T10:00:00Z", &minutes_ago(0))
        .replace("2026-08-22T09:30:00Z", &minutes_ago(30))
        .replace("2026-08-22T09:57:00Z", &minutes_ago(3))
}

/// Reports where the courier is, half a kilometre to the east of all reports about the past.
async fn report_live(app: &TestApp, ana: &TestCourier, lat: f64) {
    let form = format!("id={}&lat={lat}&lon=14.52&accuracy=6", ana.device_token);
    assert_taken(&Answer::to(osmand_form(app, form)).await, EMPTY, "a live point");
}

async fn shown_lon(app: &TestApp, ana: &TestCourier) -> Value {
    app.get(&format!("/api/v1/couriers/{}", ana.id)).await.expect(200)["position"]["lon"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_is_stored_under_its_own_time_and_does_not_move_the_marker() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut page = app.watch(&order).await;
        page.expect("snapshot").await;
        report_live(app, &ana, 35.9).await;
        assert_eq!(page.expect("position").await["lat"], 35.9);

        assert_taken(&Answer::to(overland(app, &ana.device_token, visit())).await, TAKEN, "a visit");
        assert_eq!(shown_lon(app, &ana).await, 14.52, "they are where they reported, and not at the visit");
        let stored = fixes(app, &ana).await;
        assert_eq!(stored.len(), 2, "{stored:?}");
        assert_eq!((&stored[0]["lat"], &stored[0]["accuracy_m"]), (&json!(35.898912), &json!(25.0)));
        let left_ago_ms = now_ms() - stored[0]["time_ms"].as_i64().expect("a time");
        assert!((3 * MINUTE_MS..4 * MINUTE_MS).contains(&left_ago_ms), "it is dated by its departure: {left_ago_ms}");

        report_live(app, &ana, 35.9005).await;
        assert_eq!(page.expect("position").await["lat"], 35.9005, "the customer saw nothing between");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_of_whom_only_the_past_is_told_is_nowhere_yet() {
    with_app(async |app| {
        let now_s = now_ms() / 1_000;
        let region = |t: &str| json!({ "_type": "location", "lat": 35.9, "lon": 14.5, "tst": now_s - 60, "t": t });
        let coords = json!({ "latitude": 35.9, "longitude": 14.5 });
        for (what, app_of, body) in [
            ("a visit", "overland", visit()),
            ("a region", "owntracks", region("c").to_string()),
            ("a visit", "owntracks", region("v").to_string()),
            ("a ping", "owntracks", region("p").to_string()),
            ("a heartbeat", "json", json!({ "coords": coords, "event": "heartbeat" }).to_string()),
            ("a sample", "json", json!({ "coords": coords, "sample": true }).to_string()),
            ("an invalid point", "form", "lat=35.9&lon=14.5&valid=false".to_owned()),
            ("an implausible point", "form", "lat=35.9&lon=14.5&isPlausible=false".to_owned()),
        ] {
            let ana = app.courier("Ana").await;
            let token = &ana.device_token;
            let (request, expected) = match app_of {
                "overland" => (overland(app, token, body), TAKEN),
                "owntracks" => (owntracks(app, token, body), NO_COMMANDS),
                "json" => (osmand_json(app, format!(r#"{{"device_id":"{token}","location":{body}}}"#)), EMPTY),
                _ => (osmand_form(app, format!("id={token}&{body}")), EMPTY),
            };
            assert_taken(&Answer::to(request).await, expected, what);
            assert_eq!(app.stored(&ana).await, 1, "{what} is stored");
            let authorization = format!("Bearer {}", app.key);
            let mut console = Socket::connect(app, "/ws/fleet", &[("authorization", &authorization)]).await;
            let snapshot = console.expect("snapshot").await;
            let couriers = snapshot["couriers"].as_array().expect("a list");
            let seen = couriers.iter().find(|courier| courier["id"] == ana.id.as_str());
            assert_eq!(seen.map(|courier| courier.get("position")), Some(None), "{what}: {snapshot}");
            let known = app.get(&format!("/api/v1/couriers/{}", ana.id)).await.expect(200);
            assert_eq!(known.get("position"), None, "{what}: {known}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_no_time_is_counted_and_not_stored() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let token = &ana.device_token;
        let note = json!({
            "geometry": { "coordinates": [14.5, 35.9] },
            "properties": { "timestamp": minutes_ago(0), "action": "paused_location_updates" },
        });
        let transition =
            json!({ "_type": "transition", "lat": 35.9, "lon": 14.5, "tst": now_ms() / 1_000, "event": "enter" });
        let waypoint = json!({ "_type": "waypoint", "lat": 35.9, "lon": 14.5, "tst": now_ms() / 1_000, "rad": 50 });
        let heartbeat = json!({ "device_id": token, "location": { "event": "heartbeat" } });
        for (request, expected) in [
            (overland(app, token, json!({ "locations": [note] }).to_string()), TAKEN),
            (owntracks(app, token, transition.to_string()), NO_COMMANDS),
            (owntracks(app, token, waypoint.to_string()), NO_COMMANDS),
            (osmand_json(app, heartbeat.to_string()), EMPTY),
            (osmand_form(app, format!("id={token}&batt=80")), EMPTY),
        ] {
            assert_taken(&Answer::to(request).await, expected, "a report without a position");
        }
        assert_eq!(app.stored(&ana).await, 0);
        let metrics = app.metrics().await;
        assert!(metrics.contains(r#"doorstep_tracker_reports_total{kind="no_position"}"#), "they are counted");
    })
    .await;
}
