//! How often a courier's phone must report, and how many viewers it shows.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{HERE, Socket, fix, now_ms, with_app, with_manual_clock};

/// The customer's page promises that a change is noticed within a second; the rest is a busy machine's.
const SOON: Duration = Duration::from_secs(2);

/// The courier's first order leads to [`HERE`], where its pickup is.
fn at(time_ms: i64, metres_south: f64) -> Value {
    fix(time_ms, HERE.0 - metres_south / 111_195.0, HERE.1)
}

fn pace(interval_ms: u64, min_distance_m: u32, reason: &str) -> Value {
    json!({ "type": "pace", "interval_ms": interval_ms, "min_distance_m": min_distance_m, "reason": reason })
}

async fn soon(phone: &mut Socket, kind: &str) -> Value {
    let asked = Instant::now();
    let message = phone.expect(kind).await;
    let took = asked.elapsed();
    if took >= SOON {
        // A machine that is slow at everything is slow at a mere pong, too.
        let asked = Instant::now();
        phone.send(&json!({ "type": "ping" })).await;
        phone.expect("pong").await;
        let pong = asked.elapsed();
        assert!(took < SOON + 20 * pong, "{message} took {took:?}, and a pong {pong:?}");
    }
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_opens_the_page_makes_the_phone_report_more_often_until_some_time_after_they_leave() {
    with_manual_clock(async |app, clock| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = Socket::courier(app, &ana.device_token).await;
        let welcome = phone.expect("welcome").await;
        assert_eq!(welcome["pace"], json!({ "interval_ms": 30_000, "min_distance_m": 30, "reason": "unwatched" }));
        assert_eq!(phone.message().await, json!({ "type": "audience", "customers": 0, "dispatchers": 0 }));
        phone.report(1, &[at(now_ms(), 5_000.0)]).await;

        let page = app.watch(&order).await;
        assert_eq!(soon(&mut phone, "pace").await, pace(5_000, 10, "watched"));
        assert_eq!(phone.expect("audience").await["customers"], 1);
        drop(page);
        assert_eq!(phone.expect("audience").await["customers"], 0);
        clock.advance(19_000);
        let page = app.watch(&order).await;
        assert_eq!(phone.expect("audience").await["customers"], 1);
        drop(page);
        let gone = phone.expect("audience").await;
        assert_eq!(gone["customers"], 0, "a reload changed the audience only, no pace came before: {gone}");
        clock.advance(20_001);
        assert_eq!(soon(&mut phone, "pace").await, pace(30_000, 30, "unwatched"));
        phone.report(2, &[at(now_ms(), 4_900.0)]).await;
        let rest = phone.everything_so_far().await;
        assert!(rest.is_empty(), "only changes are sent: {rest:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn near_the_stop_a_watched_courier_reports_every_second_or_two() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        let _page = app.watch(&order).await;
        assert_eq!(phone.expect("pace").await, pace(5_000, 10, "watched"), "their distance is not known yet");
        let now = now_ms();
        for (id, (metres, expected)) in (1..).zip([
            (1_400.0, Some(pace(2_000, 5, "near"))),
            (450.0, Some(pace(1_000, 0, "near"))),
            (600.0, None),
            (700.0, Some(pace(2_000, 5, "near"))),
            (1_700.0, None),
            (1_900.0, Some(pace(5_000, 10, "watched"))),
        ]) {
            phone.report(id, &[at(now + id as i64 * 20_000 - 120_000, metres)]).await;
            if let Some(expected) = expected {
                assert_eq!(soon(&mut phone, "pace").await, expected, "at {metres} m");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_who_stands_still_or_has_little_battery_reports_less_often() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        let _page = app.watch(&order).await;
        phone.expect("pace").await;
        let start_ms = now_ms() - 200_000;
        phone.report(1, &[at(start_ms, 3_000.0), at(start_ms + 121_000, 3_005.0)]).await;
        assert_eq!(phone.expect("pace").await, pace(15_000, 25, "stationary"));
        phone.report(2, &[at(start_ms + 140_000, 2_900.0)]).await;
        assert_eq!(phone.expect("pace").await, pace(5_000, 10, "watched"));
        let with_battery = |time_ms: i64, charge: f64| {
            let mut reading = at(time_ms, 2_900.0);
            reading["battery"] = charge.into();
            reading
        };
        phone.report(3, &[with_battery(start_ms + 150_000, 0.19)]).await;
        assert_eq!(phone.expect("pace").await, pace(10_000, 10, "low_battery"));
        phone.report(4, &[with_battery(start_ms + 160_000, 0.24)]).await;
        phone.report(5, &[with_battery(start_ms + 170_000, 0.26)]).await;
        assert_eq!(phone.expect("pace").await, pace(5_000, 10, "watched"), "0.24 alone had changed nothing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phone_learns_how_many_customers_and_dispatchers_watch() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let id = ana.id.parse().expect("an id");
        let first = app.assigned("A-1", &ana).await;
        let second = app.assigned("A-2", &ana).await;
        let dispatcher = app.state().audience.watch(id);
        let mut phone = Socket::courier(app, &ana.device_token).await;
        assert_eq!(phone.expect("welcome").await["pace"]["reason"], "watched");
        let audience = |customers: u32, dispatchers: u32| {
            json!({ "type": "audience", "customers": customers, "dispatchers": dispatchers })
        };
        assert_eq!(phone.message().await, audience(0, 1), "it follows the welcome");
        let mut waiting = app.watch(&second).await;
        waiting.expect("snapshot").await;
        let all = app.state().audience.watch_all();
        assert_eq!(phone.expect("audience").await, audience(0, 2), "who waits for another stop does not look at Ana");
        let _pages = (app.watch(&first).await, Socket::connect(app, &format!("/ws/track/{}", first.token), &[]).await);
        while phone.expect("audience").await != audience(2, 2) {}
        drop((dispatcher, all));
        while phone.expect("audience").await != audience(2, 0) {}
        app.set_status(&first, "delivered").await;
        while phone.expect("audience").await != audience(1, 0) {}
    })
    .await;
}
