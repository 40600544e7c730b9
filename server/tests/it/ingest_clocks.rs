//! Trackers whose clock is wrong, and what becomes of devices whose points are rejected.

use doorstep_server::{platform::clock::ManualClock, store::access::Role};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    ingest_trackers::{EMPTY, NO_COMMANDS, assert_taken, fixes, osmand_form, owntracks, payload},
    support::{Answer, TestApp, TestCourier, TestPerson, with_app, with_manual_clock},
};

const MINUTE_MS: i64 = 60_000;
const WEEKS_1024_S: i64 = 619_315_200;
/// From 1970 to 2001, where another epoch begins.
const TO_2001_S: i64 = 978_307_200;

fn now_s(app: &TestApp) -> i64 {
    app.state().clock.now_ms() / 1_000
}

/// A report of a device whose clock is `ahead_s` ahead.
async fn report(app: &TestApp, ana: &TestCourier, ahead_s: i64, lat: f64) {
    let time_s = now_s(app) + ahead_s;
    let form = format!("id={}&timestamp={time_s}&lat={lat}&lon=14.5&accuracy=6", ana.device_token);
    assert_taken(&Answer::to(osmand_form(app, form)).await, EMPTY, "a phone is never blocked");
}

/// One more each ten seconds, each a little to the north. Gives the latitude of the last.
async fn reports(app: &TestApp, hand: &ManualClock, ana: &TestCourier, ahead_s: i64, count: i64) -> f64 {
    let mut lat = 35.9;
    for number in 0..count {
        hand.advance(10_000);
        lat = 35.9 + number as f64 * 0.000_5;
        report(app, ana, ahead_s, lat).await;
    }
    lat
}

async fn device(app: &TestApp, ana: &TestCourier) -> Value {
    let devices = app.get(&format!("/api/v1/couriers/{}/devices", ana.id)).await.expect(200);
    devices["items"][0].clone()
}

async fn position(app: &TestApp, ana: &TestCourier) -> Value {
    app.get(&format!("/api/v1/couriers/{}", ana.id)).await.expect(200)["position"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_is_learned_and_corrected_and_the_raw_time_kept() {
    let cases = [
        ("three minutes ahead", 180, 6, 4),
        ("1024 weeks behind", -WEEKS_1024_S, 6, 4),
        ("seconds since 2001", -TO_2001_S, 6, 4),
        ("95 minutes ahead", 5_700, 6, 4),
        // It might be a delay, so it takes a while to prove; until then the points count as late ones.
        ("an hour behind", -3_600, 12, 12),
    ];
    for (what, ahead_s, sent, stored) in cases {
        with_manual_clock(async |app, hand| {
            let ana = app.courier("Ana").await;
            let lat = reports(app, hand, &ana, ahead_s, sent).await;
            assert_eq!(app.stored(&ana).await, stored, "{what}");
            let shown = position(app, &ana).await;
            assert_eq!(shown["lat"].as_f64(), Some(lat), "{what}: {shown}");
            let late_ms = app.state().clock.now_ms() - shown["time_ms"].as_i64().expect("a time");
            assert!((0..2_000).contains(&late_ms), "{what}: it is of now, and not {late_ms} ms late");
            let device = device(app, &ana).await;
            let found_ms = device["clock_ahead_ms"].as_i64().expect("it is known by now");
            assert!(found_ms.abs_diff(ahead_s * 1_000) < 2_000, "{what}: {device}");

            let raw_ms: i64 = sqlx::query_scalar(
                "select (extract(epoch from date_trunc('milliseconds', f.fixed_at)) * 1000)::bigint + s.clock_ahead_ms \
                 from fixes f join fix_sources s on s.courier_id = f.courier_id \
                   and s.number = (extract(microseconds from f.fixed_at)::integer % 1000)::smallint \
                 where f.courier_id = $1::uuid order by f.fixed_at desc limit 1",
            )
            .bind(&ana.id)
            .fetch_one(&app.db)
            .await
            .expect("every fix has a source");
            assert_eq!(raw_ms / 1_000, now_s(app) + ahead_s, "{what}: what the phone wrote is known");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owntracks_phone_that_counts_from_2001_is_shown_where_it_is() {
    with_manual_clock(async |app, hand| {
        let ana = app.courier("Ana").await;
        for number in 0..5 {
            hand.advance(30_000);
            let lat = 35.9 + f64::from(number) * 0.000_5;
            let body =
                json!({ "_type": "location", "lat": lat, "lon": 14.5, "tst": now_s(app) - TO_2001_S, "acc": 10 });
            let answer = Answer::to(owntracks(app, &ana.device_token, body.to_string())).await;
            assert_taken(&answer, NO_COMMANDS, "a location");
        }
        assert_eq!(position(app, &ana).await["lat"], 35.902);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_and_a_single_odd_time_are_no_wrong_clock() {
    with_manual_clock(async |app, hand| {
        let ana = app.courier("Ana").await;
        // What a phone collected in 20 minutes without a network, one point at a time.
        let until_s = now_s(app);
        for age_s in (0..120).rev().map(|number| number * 10) {
            hand.advance(50);
            let form = format!("id={}&timestamp={}&lat=35.9&lon=14.5", ana.device_token, until_s - age_s);
            assert_taken(&Answer::to(osmand_form(app, form)).await, EMPTY, "a late point");
        }
        let stored = fixes(app, &ana).await;
        assert_eq!(stored.len(), 100, "a page of them");
        assert_eq!(stored[0]["time_ms"], (until_s - 1_190) * 1_000, "each at its own time");
        report(app, &ana, 86_400, 35.9).await;
        let device = device(app, &ana).await;
        assert_eq!(device.get("clock_ahead_ms"), None, "{device}");
        assert_eq!(
            (&device["rejected_count"], &device["last_rejection"]["code"]),
            (&json!(1), &json!("time_in_future"))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_set_right_is_believed_again() {
    with_manual_clock(async |app, hand| {
        let ana = app.courier("Ana").await;
        reports(app, hand, &ana, -WEEKS_1024_S, 4).await;
        assert!(device(app, &ana).await["clock_ahead_ms"].is_i64());
        // At once, because its old clock would make these times impossible.
        hand.advance(10_000);
        report(app, &ana, 0, 35.95).await;
        assert_eq!(position(app, &ana).await["lat"], 35.95);
        reports(app, hand, &ana, 0, 9).await;
        assert_eq!(device(app, &ana).await.get("clock_ahead_ms"), None);
    })
    .await;
}

async fn codes(app: &TestApp, dora: &TestPerson) -> Vec<Value> {
    let open = Answer::to(app.as_person(dora, Method::GET, "/api/v1/exceptions")).await.expect(200);
    open["items"].as_array().expect("a list").clone()
}

async fn make_round(app: &TestApp) {
    app.state().exceptions.make_round().await.expect("the database is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_whose_clock_follows_no_rule_is_named_to_everybody_until_it_is_right() {
    with_manual_clock(async |app, hand| {
        let (ana, dora) = (app.courier("Ana").await, app.person("dora@example.com", Role::Dispatcher).await);
        let phone_of_ana = TestCourier { device_token: app.device(&ana.id).await, ..ana.clone() };
        let mut phone = app.connect(&phone_of_ana).await;
        for ahead_s in [300, 4_000, 900, 20_000] {
            hand.advance(10_000);
            report(app, &ana, ahead_s, 35.9).await;
        }
        assert_eq!(app.stored(&ana).await, 0);
        make_round(app).await;
        let open = codes(app, &dora).await;
        assert_eq!(open.len(), 1, "{open:?}");
        let found = &open[0];
        assert_eq!((&found["code"], &found["courier_name"]), (&json!("clock_wrong"), &json!("Ana")), "{found}");
        assert_eq!((&found["device_label"], &found["rejection"]), (&json!("a phone"), &json!("time_in_future")));
        let told = phone.expect("error").await;
        assert_eq!((&told["code"], &told["details"]["device"]), (&json!("clock_wrong"), &json!("a phone")), "{told}");
        make_round(app).await;
        assert_eq!(codes(app, &dora).await.len(), 1, "once");

        report(app, &ana, 0, 35.9).await;
        make_round(app).await;
        let over = codes(app, &dora).await;
        assert!(over[0]["ended_at"].is_string(), "{over:?}");
        assert_eq!(app.stored(&ana).await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_sends_what_cannot_be_read_is_named() {
    with_app(async |app| {
        let (ana, dora) = (app.courier("Ana").await, app.person("dora@example.com", Role::Dispatcher).await);
        for _ in 0..3 {
            let body = payload!("owntracks/encrypted.json").to_owned();
            assert_taken(&Answer::to(owntracks(app, &ana.device_token, body)).await, NO_COMMANDS, "encrypted");
        }
        let device = device(app, &ana).await;
        assert_eq!((&device["rejected_count"], &device["last_rejection"]["code"]), (&json!(3), &json!("unreadable")));
        make_round(app).await;
        let open = codes(app, &dora).await;
        assert_eq!(open.len(), 1, "{open:?}");
        assert_eq!((&open[0]["code"], &open[0]["rejection"]), (&json!("reports_unreadable"), &json!("unreadable")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_not_heard_of_any_more_is_no_rejected_one() {
    with_manual_clock(async |app, hand| {
        let (ana, dora) = (app.courier("Ana").await, app.person("dora@example.com", Role::Dispatcher).await);
        for ahead_s in [300, 4_000, 900] {
            hand.advance(10_000);
            report(app, &ana, ahead_s, 35.9).await;
        }
        make_round(app).await;
        assert_eq!(codes(app, &dora).await[0].get("ended_at"), None);
        hand.advance(16 * MINUTE_MS);
        make_round(app).await;
        assert!(codes(app, &dora).await[0]["ended_at"].is_string());
    })
    .await;
}
