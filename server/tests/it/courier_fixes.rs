//! The way of a courier's fixes: acked when committed, stored once, refused one by one.

use doorstep_shared::{
    RawFix,
    protocol::courier::{CourierEvent, CourierMessage, Fixes},
};
use serde_json::{Value, json};

use crate::support::{HERE, Socket, fix, now_ms, step, with_app};

#[tokio::test(flavor = "multi_thread")]
async fn an_ack_means_that_the_row_is_committed() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        let start_ms = now_ms() - 60_000;
        for id in 1..=20 {
            let ack = phone.report(id, &[step(start_ms + id as i64 * 1_000, id as i64)]).await;
            assert_eq!(ack, json!({ "type": "ack", "id": id, "stored": 1, "duplicates": 0, "rejected": [] }));
            assert_eq!(app.stored(&ana).await, id as i64, "the row is there when the ack is");
        }
        let row: (f64, f64, f32) = sqlx::query_as("select lat, lon, accuracy_m from fixes order by fixed_at limit 1")
            .fetch_one(&app.db)
            .await
            .expect("a row");
        assert_eq!(row, (HERE.0 + 0.000_09, HERE.1, 6.0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_fix_is_acked_but_stored_once() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        let first = step(now_ms() - 2_000, 0);
        let second = step(now_ms() - 1_000, 1);
        phone.report(1, std::slice::from_ref(&first)).await;
        let again = phone.report(2, std::slice::from_ref(&first)).await;
        assert_eq!((&again["stored"], &again["duplicates"]), (&json!(0), &json!(1)));
        let twice_in_one = phone.report(3, &[second.clone(), second, first]).await;
        assert_eq!((&twice_in_one["stored"], &twice_in_one["duplicates"]), (&json!(1), &json!(2)));
        assert_eq!(app.stored(&ana).await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_reading_of_a_time_is_kept_whatever_is_sent_later() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        let time_ms = now_ms();
        phone.report(1, &[fix(time_ms, 35.9, 14.5)]).await;
        phone.report(2, &[fix(time_ms, 35.8, 14.4)]).await;
        let kept: (f64, f64) = sqlx::query_as("select lat, lon from fixes").fetch_one(&app.db).await.expect("one row");
        assert_eq!(kept, (35.9, 14.5));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fix_sent_is_stored_or_a_duplicate_or_rejected() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        let now = now_ms();
        phone.report(1, &[step(now - 9_000, 0), step(now - 8_000, 1)]).await;
        let mixed = [
            step(now - 9_000, 0),
            fix(now - 7_000, 91.0, 14.5),
            step(now - 6_000, 2),
            fix(now + 3_600_000, 35.9, 14.5),
            json!({ "time_ms": now - 5_000, "lat": "NaN", "lon": 14.5 }),
            step(now - 8_000, 1),
            json!("not a fix at all"),
        ];
        let ack = phone.report(2, &mixed).await;
        assert_eq!((&ack["stored"], &ack["duplicates"]), (&json!(1), &json!(2)), "{ack}");
        let rejected = json!([
            { "index": 1, "code": "lat_out_of_range" },
            { "index": 3, "code": "time_in_future" },
            { "index": 4, "code": "not_a_number" },
            { "index": 6, "code": "not_a_number" },
        ]);
        assert_eq!(ack["rejected"], rejected);
        assert_eq!(app.stored(&ana).await, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_of_being_wrong_has_its_code_and_nothing_is_stored() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        let now = now_ms();
        let month_ms = 31 * 86_400_000;
        let cases: [(String, &str); 22] = [
            (format!(r#"{{"time_ms":{now},"lat":90.0001,"lon":14.5}}"#), "lat_out_of_range"),
            (format!(r#"{{"time_ms":{now},"lat":-90.0001,"lon":14.5}}"#), "lat_out_of_range"),
            (format!(r#"{{"time_ms":{now},"lat":35.9,"lon":180.0001}}"#), "lon_out_of_range"),
            (format!(r#"{{"time_ms":{now},"lat":35.9,"lon":-180.0001}}"#), "lon_out_of_range"),
            (format!(r#"{{"time_ms":{},"lat":35.9,"lon":14.5}}"#, now + 130_000), "time_in_future"),
            (format!(r#"{{"time_ms":{},"lat":35.9,"lon":14.5}}"#, i64::MAX), "time_in_future"),
            (r#"{"time_ms":1e300,"lat":35.9,"lon":14.5}"#.to_owned(), "time_in_future"),
            (format!(r#"{{"time_ms":{},"lat":35.9,"lon":14.5}}"#, now - month_ms), "time_too_old"),
            (format!(r#"{{"time_ms":{},"lat":35.9,"lon":14.5}}"#, i64::MIN), "time_too_old"),
            (r#"{"time_ms":0,"lat":35.9,"lon":14.5}"#.to_owned(), "time_too_old"),
            (format!(r#"{{"time_ms":{now},"lat":"NaN","lon":14.5}}"#), "not_a_number"),
            (format!(r#"{{"time_ms":{now},"lat":"12","lon":14.5}}"#), "not_a_number"),
            (format!(r#"{{"time_ms":{now},"lat":null,"lon":14.5}}"#), "not_a_number"),
            (format!(r#"{{"time_ms":{now},"lon":14.5}}"#), "not_a_number"),
            (format!(r#"{{"time_ms":{now},"lat":1e400,"lon":14.5}}"#), "not_a_number"),
            (format!(r#"{{"time_ms":{now},"lat":35.9,"lon":-1e400}}"#), "not_a_number"),
            (format!(r#"{{"time_ms":{now},"lat":35.9,"lon":14.5,"accuracy_m":1e400}}"#), "not_a_number"),
            (format!(r#"{{"time_ms":{now},"lat":35.9,"lon":14.5,"speed_mps":"fast"}}"#), "not_a_number"),
            (r#"{"time_ms":"now","lat":35.9,"lon":14.5}"#.to_owned(), "not_a_number"),
            (format!(r#"{{"time_ms":{now},"lat":{},"lon":14.5}}"#, "9".repeat(309)), "not_a_number"),
            ("[1,2,3]".to_owned(), "not_a_number"),
            (format!(r#"{{"time_ms":{now},"lat":35.9,"lon":14.5,"accuracy_m":-0.1}}"#), "accuracy_negative"),
        ];
        for (id, (reading, code)) in (1..).zip(cases) {
            phone.send_text(&format!(r#"{{"type":"fixes","id":{id},"fixes":[{reading}]}}"#)).await;
            let ack = phone.expect("ack").await;
            let expected = json!({ "type": "ack", "id": id, "stored": 0, "duplicates": 0, "rejected": [{ "index": 0, "code": code }] });
            assert_eq!(ack, expected, "{reading}");
        }
        assert_eq!(app.stored(&ana).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_phone_does_not_know_is_stored_as_unknown() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        let unknown = json!({ "time_ms": now_ms(), "lat": -0.0, "lon": 180.0, "speed_mps": -1.0, "heading_deg": -1.0, "battery": -1.0,
            "altitude_m": null, "order_id": "nobody's", "received_at": 0 });
        assert_eq!(phone.report(1, &[unknown]).await["stored"], 1);
        let row: (Option<f32>, Option<f32>, Option<f32>, Option<f32>) =
            sqlx::query_as("select speed_mps, heading_deg, battery, altitude_m from fixes").fetch_one(&app.db).await.expect("a row");
        assert_eq!(row, (None, None, None, None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_fixes_fit_in_a_message_and_one_more_does_not() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        let start_ms = now_ms() - 600_000;
        let many: Vec<Value> =
            (0..501).map(|second| json!({ "time_ms": start_ms + second * 1_000, "lat": 35.9, "lon": 14.5 })).collect();
        assert_eq!(phone.report(7, &many[..500]).await["stored"], 500);
        phone.send_fixes(8, &many).await;
        let error = phone.expect("error").await;
        assert_eq!((&error["id"], &error["code"]), (&json!(8), &json!("bad_message")), "{error}");
        assert_eq!(app.stored(&ana).await, 500, "none of the refused message is stored");
        assert_eq!(phone.report(9, &many[500..]).await["stored"], 1, "the connection goes on");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_message_is_acked_with_nothing() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let ack = app.connect(&ana).await.report(5, &[]).await;
        assert_eq!(ack, json!({ "type": "ack", "id": 5, "stored": 0, "duplicates": 0, "rejected": [] }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn off_duty_nothing_more_is_accepted_until_the_courier_is_back() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        let off_ms = now_ms() - 5_000;
        phone.send(&json!({ "type": "presence", "state": "off_duty", "reason": "user", "time_ms": off_ms })).await;
        phone.everything_so_far().await;
        let ack = phone.report(1, &[step(off_ms - 1_000, 0), step(off_ms + 1_000, 1)]).await;
        assert_eq!((&ack["stored"], &ack["rejected"]), (&json!(1), &json!([{ "index": 1, "code": "off_duty" }])));
        phone.send(&json!({ "type": "presence", "state": "tracking", "time_ms": now_ms() })).await;
        phone.everything_so_far().await;
        assert_eq!(phone.report(2, &[step(now_ms(), 2)]).await["stored"], 1);
        assert_eq!(app.stored(&ana).await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn implausible_fixes_are_stored_and_acked_and_kept_off_the_map() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        let mut page = app.watch(&order).await;
        page.expect("snapshot").await;
        let start_ms = now_ms();
        phone.report(1, &[step(start_ms, 0)]).await;
        let implausible = [
            fix(start_ms + 1_000, HERE.0 + 0.5, HERE.1),
            json!({ "time_ms": start_ms + 2_000, "lat": HERE.0, "lon": HERE.1, "accuracy_m": 200.5 }),
            fix(start_ms + 3_000, 0.0, 0.0),
        ];
        for (id, reading) in (2..).zip(&implausible) {
            let ack = phone.report(id, std::slice::from_ref(reading)).await;
            assert_eq!((&ack["stored"], &ack["rejected"]), (&json!(1), &json!([])), "{reading}");
        }
        phone.report(9, &[step(start_ms + 4_000, 1)]).await;
        let seen = page.everything_so_far().await;
        let times: Vec<_> = seen
            .iter()
            .filter(|message| message["type"] == "position")
            .map(|position| position["time_ms"].as_i64())
            .collect();
        assert!(times.iter().all(|time| [Some(start_ms), Some(start_ms + 4_000)].contains(time)), "{times:?}");
        assert_eq!(times.last(), Some(&Some(start_ms + 4_000)));
        let skipped = seen.iter().filter_map(|message| message["skipped"].as_array()).flatten();
        assert!(skipped.clone().all(|point| (point[1].as_f64().unwrap_or_default() - HERE.0).abs() < 0.01), "{seen:?}");
        let snapshot = app.get(&format!("/api/v1/track/{}", order.token)).await.expect(200);
        let trail = snapshot["trail"].as_array().expect("a trail");
        assert!(trail.iter().all(|point| (point[1].as_f64().unwrap_or_default() - HERE.0).abs() < 0.01), "{snapshot}");
        assert_eq!(app.stored(&ana).await, 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_works_in_postcard() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let bearer = format!("Bearer {}", ana.device_token);
        let headers = [("authorization", bearer.as_str()), ("sec-websocket-protocol", "doorstep.v1.postcard")];
        let mut phone = Socket::connect(app, "/ws/courier", &headers).await;
        assert_eq!(
            phone.headers.get("sec-websocket-protocol").map(|name| name.as_bytes()),
            Some(&b"doorstep.v1.postcard"[..])
        );
        let CourierEvent::Welcome(welcome) = phone.postcard().await else { panic!("the welcome comes first") };
        assert_eq!((welcome.courier.name.as_str(), welcome.max_fixes), ("Ana", 500));
        assert!(matches!(phone.postcard().await, CourierEvent::Audience(_)), "then who is looking");
        let good = RawFix { time_ms: now_ms(), lat: HERE.0, lon: HERE.1, ..RawFix::default() };
        let bad = RawFix { lat: f64::NAN, ..good.clone() };
        phone.send_postcard(&CourierMessage::Fixes(Fixes { id: 4, fixes: vec![good, bad] })).await;
        let CourierEvent::Ack(ack) = phone.postcard().await else { panic!("an ack follows") };
        assert_eq!((ack.id, ack.stored, ack.duplicates, ack.rejected.len()), (4, 1, 0, 1));
        assert_eq!(app.stored(&ana).await, 1);
    })
    .await;
}
