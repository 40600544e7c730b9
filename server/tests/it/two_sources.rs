//! A courier with our app and another tracker at the same time.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, HERE, TestApp, fix, now_ms, with_app};

/// The tracker's receiver is 18 m to the east of the app's, which is at [`HERE`].
const TRACKER_LON: f64 = 14.5127;

async fn osmand(app: &TestApp, token: &str, time_ms: i64, lat: f64, lon: f64) {
    let query = format!("id={token}&timestamp={}&lat={lat}&lon={lon}&accuracy=6", time_ms / 1_000);
    let answer = Answer::to(app.bare(Method::GET, &format!("/ingest/osmand?{query}"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn longitudes(messages: &[Value]) -> Vec<f64> {
    let positions = messages.iter().filter(|message| message["type"] == "position");
    let skipped = |message: &Value| message["skipped"].as_array().cloned().unwrap_or_default();
    let each = |message: &Value| {
        let mut all: Vec<_> = skipped(message).iter().filter_map(|point| point[0].as_f64()).collect();
        all.extend(message["lon"].as_f64());
        all
    };
    positions.flat_map(each).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_at_once_show_the_customer_one_line_and_both_are_stored() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let tracker = app.device(&ana.id).await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        let mut page = app.watch(&order).await;
        page.expect("snapshot").await;
        // On whole seconds, as OsmAnd's protocol has them.
        // They may be a little ahead, and the trail begins with the order.
        let start_ms = now_ms() / 1_000 * 1_000 + 1_000;
        let lat = |second: i64| HERE.0 + second as f64 * 0.000_09;
        for second in 0..20 {
            phone.report(second as u64, &[fix(start_ms + second * 1_000, lat(second), HERE.1)]).await;
            osmand(app, &tracker, start_ms + second * 1_000 + 1_000, lat(second + 1), TRACKER_LON).await;
        }
        let seen = longitudes(&page.everything_so_far().await);
        assert!(seen.len() > 5 && seen.iter().all(|lon| *lon == HERE.1), "the tracker shows nowhere: {seen:?}");
        let snapshot = app.get(&format!("/api/v1/track/{}", order.token)).await.expect(200);
        let trail = snapshot["trail"].as_array().expect("a trail").clone();
        assert!(!trail.is_empty() && trail.iter().all(|point| point[0] == json!(HERE.1)), "{snapshot}");

        // The app was closed: the tracker goes on alone, and what it saw meanwhile comes with it.
        for second in (20..45).step_by(5) {
            osmand(app, &tracker, start_ms + second * 1_000, lat(second), TRACKER_LON).await;
        }
        let mut times = Vec::new();
        let mut seen = Vec::new();
        while times.last() != Some(&(start_ms + 40_000)) {
            let position = page.expect("position").await;
            times.extend(position["time_ms"].as_i64());
            seen.push(position);
        }
        assert!(times.is_sorted(), "{times:?}");
        let seen = longitudes(&seen);
        assert!(seen.iter().all(|lon| *lon == TRACKER_LON), "one change, and never back: {seen:?}");
        assert_eq!(app.stored(&ana).await, 20 + 20 + 4, "whichever leads, both devices' fixes are kept");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn off_duty_a_tracker_of_any_kind_is_answered_with_success_and_nothing_new_is_kept() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let token = app.device(&ana.id).await;
        let mut phone = app.connect(&ana).await;
        let off_ms = now_ms() / 1_000 * 1_000 - 60_000;
        phone.send(&json!({ "type": "presence", "state": "off_duty", "reason": "user", "time_ms": off_ms })).await;
        phone.everything_so_far().await;

        let owntracks = async |time_ms: i64| {
            let body = json!({ "_type": "location", "lat": HERE.0, "lon": HERE.1, "tst": time_ms / 1_000 });
            let request = app.bare(Method::POST, "/ingest/owntracks").basic_auth("ana", Some(&token));
            let answer = Answer::to(request.json(&body)).await;
            assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "[]"));
        };
        let overland = async |time_ms: i64| {
            let at = chrono::DateTime::from_timestamp_millis(time_ms).expect("a time of today").to_rfc3339();
            let body = json!({ "locations": [{ "type": "Feature", "geometry": { "type": "Point", "coordinates": [HERE.1, HERE.0] },
                "properties": { "timestamp": at } }] });
            let request = app.bare(Method::POST, "/ingest/overland").bearer_auth(&token);
            let answer = Answer::to(request.json(&body)).await;
            assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, r#"{"result":"ok"}"#));
        };
        osmand(app, &token, off_ms + 1_000, HERE.0, HERE.1).await;
        owntracks(off_ms + 2_000).await;
        overland(off_ms + 3_000).await;
        assert_eq!(app.stored(&ana).await, 0);
        osmand(app, &token, off_ms - 1_000, HERE.0, HERE.1).await;
        owntracks(off_ms - 2_000).await;
        overland(off_ms - 3_000).await;
        assert_eq!(app.stored(&ana).await, 3, "what was recorded on duty is theirs to send whenever they can");

        let on_ms = off_ms + 30_000;
        phone.send(&json!({ "type": "presence", "state": "tracking", "time_ms": on_ms })).await;
        phone.everything_so_far().await;
        osmand(app, &token, on_ms + 1_000, HERE.0, HERE.1).await;
        owntracks(on_ms + 2_000).await;
        overland(on_ms + 3_000).await;
        assert_eq!(app.stored(&ana).await, 6);
        osmand(app, &token, off_ms + 4_000, HERE.0, HERE.1).await;
        assert_eq!(app.stored(&ana).await, 6, "back on duty, the time between stays theirs alone");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tracker_that_reports_for_a_locked_phone_ends_the_pause_for_every_viewer() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let tracker = app.device(&ana.id).await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        let mut page = app.watch(&order).await;
        page.expect("snapshot").await;
        let locked_ms = now_ms() / 1_000 * 1_000 - 20_000;
        let locked = json!({ "type": "presence", "state": "paused", "reason": "screen_locked", "time_ms": locked_ms });
        phone.send(&locked).await;
        assert_eq!(page.expect("presence").await["reason"], "screen_locked");

        osmand(app, &tracker, locked_ms - 5_000, HERE.0, TRACKER_LON).await;
        osmand(app, &tracker, locked_ms + 10_000, HERE.0, TRACKER_LON).await;
        let told = page.expect("presence").await;
        assert_eq!((&told["state"], &told["since_ms"]), (&json!("tracking"), &json!(locked_ms + 10_000)), "{told}");
        let known = app.get(&format!("/api/v1/couriers/{}", ana.id)).await.expect(200)["presence"].clone();
        assert_eq!(known["state"], "tracking");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_that_report_in_the_same_seconds_are_both_stored() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let others = [app.device(&ana.id).await, app.device(&ana.id).await];
        let start_ms = now_ms() / 1_000 * 1_000 - 60_000;
        for second in 0..60 {
            let time_ms = start_ms + second * 1_000;
            osmand(app, &others[0], time_ms, HERE.0, HERE.1).await;
            osmand(app, &others[1], time_ms, HERE.0, TRACKER_LON).await;
        }
        assert_eq!(app.stored(&ana).await, 120);

        // Sent again, nothing is new.
        osmand(app, &others[0], start_ms, HERE.0, HERE.1).await;
        assert_eq!(app.stored(&ana).await, 120);

        // Whole pages and pages that end between two fixes of one moment list each fix once, at its own time.
        for limit in [1_000, 7] {
            let mut listed = Vec::new();
            let mut cursor = String::new();
            loop {
                let path = format!("/api/v1/couriers/{}/fixes?limit={limit}{cursor}", ana.id);
                let page = app.get(&path).await.expect(200);
                listed.extend(page["items"].as_array().expect("a list").clone());
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            let times: Vec<_> = listed.iter().map(|fix| fix["time_ms"].as_i64().expect("a time")).collect();
            let expected: Vec<_> = (0..120).map(|index| start_ms + index / 2 * 1_000).collect();
            assert_eq!(times, expected, "in pages of {limit}");
            let of_second = listed.iter().filter(|fix| fix["lon"] == TRACKER_LON).count();
            assert_eq!(of_second, 60, "in pages of {limit}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_devices_readings_of_one_moment_the_more_accurate_is_kept() {
    with_app(async |app| {
        let rough = r#"{"_type":"location","lat":35.9,"lon":14.5,"tst":1795883712,"acc":65}"#;
        let fine = r#"{"_type":"location","lat":35.9005,"lon":14.5005,"tst":1795883712,"acc":5,"t":"t"}"#;
        for order in [[rough, fine], [fine, rough]] {
            let ana = app.courier("Ana").await;
            for message in order {
                let body = message.replace("1795883712", &(now_ms() / 1_000 - 30).to_string());
                let request = app.bare(Method::POST, "/ingest/owntracks").basic_auth("ana", Some(&ana.device_token));
                assert_eq!(Answer::to(request.body(body)).await.status, 200);
            }
            let kept = app.get(&format!("/api/v1/couriers/{}/fixes", ana.id)).await.expect(200);
            let kept = kept["items"].as_array().expect("a list");
            assert_eq!(kept.len(), 1, "{kept:?}");
            assert_eq!((&kept[0]["lat"], &kept[0]["accuracy_m"]), (&json!(35.9005), &json!(5.0)), "{order:?}");
            let shown = app.get(&format!("/api/v1/couriers/{}", ana.id)).await.expect(200);
            assert_eq!(shown["position"]["lat"], 35.9005, "{order:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fixes_of_before_there_were_sources_are_listed_with_the_others() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let time_ms = now_ms() / 1_000 * 1_000 - 30_000;
        // As the previous version writes it.
        sqlx::query(
            "insert into fixes (courier_id, fixed_at, received_at, lat, lon) \
             values ($1::uuid, to_timestamp($2::double precision / 1000), now(), 35.8, 14.4) on conflict do nothing",
        )
        .bind(&ana.id)
        .bind(time_ms as f64)
        .execute(&app.db)
        .await
        .expect("the previous version's statement works");
        osmand(app, &ana.device_token, time_ms + 1_000, HERE.0, HERE.1).await;
        let listed = app.get(&format!("/api/v1/couriers/{}/fixes", ana.id)).await.expect(200);
        let times: Vec<_> =
            listed["items"].as_array().expect("a list").iter().map(|fix| fix["time_ms"].clone()).collect();
        assert_eq!(times, [json!(time_ms), json!(time_ms + 1_000)]);
        let shown = app.get(&format!("/api/v1/couriers/{}", ana.id)).await.expect(200);
        assert_eq!(shown["position"]["lat"], HERE.0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_devices_that_begin_at_once_are_all_told_apart() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut tokens = vec![ana.device_token.clone()];
        for _ in 0..11 {
            tokens.push(app.device(&ana.id).await);
        }
        let time_ms = now_ms() / 1_000 * 1_000 - 10_000;
        let all = tokens.iter().map(|token| osmand(app, token, time_ms, HERE.0, HERE.1));
        futures_util::future::join_all(all).await;
        assert_eq!(app.stored(&ana).await, 12);
        let (least, most): (i16, i16) =
            sqlx::query_as("select min(number), max(number) from fix_sources").fetch_one(&app.db).await.expect("a row");
        assert_eq!((least, most), (1, 12));
    })
    .await;
}
