//! Two instances on one database and one Redis: it does not matter which one a client is connected to.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Socket, TestApp, TestCourier, eventually, fix, now_ms, step, with_two_instances, within};

/// A snapshot that waits for nothing comes much sooner.
const OVERTAKING: Duration = Duration::from_millis(500);

async fn readiness(app: &TestApp) -> (u16, Value) {
    let answer = Answer::to(app.bare(Method::GET, "/health/ready")).await;
    (answer.status.as_u16(), answer.json())
}

/// Reads positions until one has this time; it must come, and time must not go back on the way.
async fn position_of(page: &mut Socket, time_ms: i64) -> Value {
    let mut newest = i64::MIN;
    loop {
        let position = page.expect("position").await;
        let at_ms = position["time_ms"].as_i64().expect("a time");
        assert!(at_ms > newest, "the marker goes forward");
        newest = at_ms;
        if at_ms == time_ms {
            return position;
        }
    }
}

/// Reads until the page has the position of this time, by itself or in a snapshot.
async fn shows(page: &mut Socket, time_ms: i64) {
    loop {
        let message = page.message().await;
        if message["time_ms"] == time_ms || message["position"]["time_ms"] == time_ms {
            return;
        }
    }
}

async fn console(app: &TestApp) -> (Socket, Value) {
    let authorization = format!("Bearer {}", app.key);
    let mut socket = Socket::connect(app, "/ws/fleet", &[("authorization", &authorization)]).await;
    let snapshot = socket.expect("snapshot").await;
    (socket, snapshot)
}

async fn fix_of(console: &mut Socket, courier: &TestCourier, time_ms: i64) -> Value {
    loop {
        let batch = console.expect("positions").await;
        let fixes = batch["fixes"].as_array().expect("a list");
        if let Some(fix) = fixes.iter().find(|fix| fix["courier_id"] == courier.id && fix["time_ms"] == time_ms) {
            return fix.clone();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_follows_a_courier_who_reports_to_the_other_instance() {
    with_two_instances(async |a, b, _| {
        let ana = a.courier("Ana").await;
        let order = b.assigned("A-1042", &ana).await;
        let mut phone = a.connect(&ana).await;
        let start_ms = now_ms();
        phone.report(1, &[step(start_ms, 0)]).await;
        let mut page = b.watch(&order).await;
        let snapshot = page.expect("snapshot").await;
        assert_eq!(snapshot["position"]["time_ms"], start_ms, "what is acked is in the database");
        for id in 1..=20 {
            phone.send_fixes(id, &[step(start_ms + id as i64 * 1_000, id as i64)]).await;
            phone.expect("ack").await;
        }
        position_of(&mut page, start_ms + 20_000).await;
        let presence = json!({"type":"presence","state":"paused","reason":"screen_locked","time_ms":now_ms()});
        phone.send(&presence).await;
        let told = page.expect("presence").await;
        assert_eq!((&told["state"], &told["reason"]), (&json!("paused"), &json!("screen_locked")));
        // A customer who comes later, and over plain HTTP, sees the same.
        let shown = b.get(&format!("/api/v1/track/{}", order.token)).await.expect(200);
        assert_eq!(shown["position"]["time_ms"], start_ms + 20_000);
        assert!(shown["trail"].as_array().is_some_and(|trail| trail.len() >= 2), "{shown}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_fills_in_the_trail_on_the_other_instance() {
    with_two_instances(async |a, b, _| {
        let ana = a.courier("Ana").await;
        let order = b.assigned("A-1042", &ana).await;
        let mut phone = a.connect(&ana).await;
        let mut page = b.watch(&order).await;
        page.expect("snapshot").await;
        let start_ms = now_ms();
        phone.report(1, &[step(start_ms + 50_000, 50)]).await;
        position_of(&mut page, start_ms + 50_000).await;
        // A detour, so that the trail needs its points.
        let backlog: Vec<_> = (1..50)
            .map(|second| fix(start_ms + second * 1_000, 35.898, 14.5125 + (second % 7) as f64 * 0.001))
            .collect();
        phone.report(2, &backlog).await;
        while page.expect("snapshot").await["trail"].as_array().map_or(0, Vec::len) < 10 {}
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_viewer_waits_until_what_the_other_instance_acked_is_read() {
    with_two_instances(async |a, b, _| {
        let ana = a.courier("Ana").await;
        // From here on B knows Ana, but not what she reports to A.
        let order = b.assigned("A-1042", &ana).await;
        let mut phone = a.connect(&ana).await;
        let start_ms = now_ms();
        let detour: Vec<_> = (1..50)
            .map(|second| fix(start_ms + second * 1_000, 35.898, 14.5125 + (second % 7) as f64 * 0.001))
            .collect();
        phone.report(1, &detour).await;
        let mut holding = b.db.begin().await.expect("a transaction");
        sqlx::query("lock table fixes").execute(&mut *holding).await.expect("a lock");
        let mut first = b.watch(&order).await;
        eventually("the read for the first viewer", async || {
            let waiting = "select count(*) from pg_locks where not granted
                and database = (select oid from pg_database where datname = current_database())";
            sqlx::query_scalar::<_, i64>(waiting).fetch_one(&b.db).await.expect("a count") > 0
        })
        .await;
        let mut second = b.watch(&order).await;
        let overtaking = tokio::time::timeout(OVERTAKING, second.expect("snapshot")).await;
        holding.rollback().await.expect("the lock is released");
        let of_second = match overtaking {
            Ok(snapshot) => snapshot,
            Err(_) => second.expect("snapshot").await,
        };
        for snapshot in [first.expect("snapshot").await, of_second] {
            let points = snapshot["trail"].as_array().map_or(0, Vec::len);
            assert!(points >= 10, "{points} of the trail's points: {snapshot}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_courier_reports_before_the_other_instance_follows_them_is_shown_when_it_is_read() {
    with_two_instances(async |a, b, _| {
        let order = a.assigned("A-1042", &a.courier("Ana").await).await;
        let mut page = b.watch(&order).await;
        page.expect("snapshot").await;
        // B follows a courier within a quarter of a second of knowing them: several, so that one reports before that.
        for (number, name) in (1..).zip(["Ben", "Cleo", "Dan", "Eve"]) {
            let courier = a.courier(name).await;
            let mut phone = a.connect(&courier).await;
            a.assign(&order, &courier).await;
            while page.expect("snapshot").await["courier"]["name"] != name {}
            let start_ms = now_ms();
            phone.report(1, &[step(start_ms, number)]).await;
            within("showing the only position", shows(&mut page, start_ms)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_moves_on_through_the_other_instance_for_courier_customer_and_dispatcher() {
    with_two_instances(async |a, b, _| {
        let (ana, ben) = (a.courier("Ana").await, a.courier("Ben").await);
        let mut of_ana = a.connect(&ana).await;
        let mut of_ben = b.connect(&ben).await;
        let order = b.assigned("A-1042", &ana).await;
        assert_eq!(of_ana.expect("stops").await["stops"][0]["order_id"], order.id, "the phone is on the other one");
        let (mut page, mut watching) = (a.watch(&order).await, b.watch(&order).await);
        let (mut of_a, _) = console(a).await;
        page.expect("snapshot").await;
        watching.expect("snapshot").await;
        let start_ms = now_ms() - 60_000;
        of_ana.report(1, &[step(start_ms, 0)]).await;
        position_of(&mut watching, start_ms).await;

        b.set_status(&order, "picked_up").await;
        for viewer in [&mut page, &mut watching] {
            assert_eq!(viewer.expect("order").await["status"], "picked_up");
        }
        while of_ana.expect("stops").await["stops"][0]["status"] != "picked_up" {}
        while of_a.expect("order").await["order"]["status"] != "picked_up" {}

        // Ben takes over: from the answer on no customer sees Ana.
        a.assign(&order, &ben).await;
        while of_ben.expect("stops").await["stops"][0]["order_id"] != order.id {}
        assert_eq!(of_ana.expect("stops").await["stops"], json!([]));
        while watching.expect("snapshot").await["courier"]["name"] != "Ben" {}
        of_ana.report(2, &[step(start_ms + 1_000, 1)]).await;
        of_ben.report(1, &[step(start_ms + 2_000, 200)]).await;
        let shown = watching.expect("position").await;
        assert_eq!(shown["time_ms"], start_ms + 2_000, "{shown}");

        b.set_status(&order, "delivered").await;
        for mut viewer in [page, watching] {
            let (code, messages) = viewer.closed().await;
            assert_eq!((code, messages.last().map(|last| &last["type"])), (4502, Some(&json!("ended"))));
        }
        while of_a.expect("order").await["order"]["status"] != "delivered" {}
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_device_is_closed_on_the_other_instance_and_its_customer_learns_it() {
    with_two_instances(async |a, b, _| {
        let ana = a.courier("Ana").await;
        let order = b.assigned("A-1042", &ana).await;
        let mut phone = a.connect(&ana).await;
        phone.report(1, &[step(now_ms() - 1_000, 0)]).await;
        let mut page = b.watch(&order).await;
        page.expect("snapshot").await;
        let devices = b.get(&format!("/api/v1/couriers/{}/devices", ana.id)).await.expect(200);
        let device = devices["items"][0]["id"].as_str().unwrap_or_else(|| panic!("{devices}"));
        let path = format!("/api/v1/couriers/{}/devices/{device}", ana.id);
        assert_eq!(Answer::to(b.request(Method::DELETE, &path)).await.status, 204);
        assert_eq!(phone.close_code().await, 4500);
        assert_eq!(page.expect("presence").await["reason"], "no_permission");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_connects_to_the_other_instance_supersedes_its_older_connection() {
    with_two_instances(async |a, b, _| {
        let ana = a.courier("Ana").await;
        let mut older = a.connect(&ana).await;
        let mut newer = b.connect(&ana).await;
        assert_eq!(older.close_code().await, 4503);
        newer.report(1, &[step(now_ms(), 0)]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_learns_who_watches_through_the_other_instance() {
    with_two_instances(async |a, b, _| {
        let ana = a.courier("Ana").await;
        let order = a.assigned("A-1042", &ana).await;
        let mut phone = a.connect(&ana).await;
        phone.report(1, &[step(now_ms(), 0)]).await;
        let page = b.watch(&order).await;
        while phone.expect("audience").await["customers"] != 1 {}
        let (board, _) = console(b).await;
        while phone.expect("audience").await["dispatchers"] != 1 {}
        drop((page, board));
        loop {
            let audience = phone.expect("audience").await;
            if (&audience["customers"], &audience["dispatchers"]) == (&json!(0), &json!(0)) {
                break;
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_sees_the_whole_fleet_whichever_instance_it_is_on() {
    with_two_instances(async |a, b, _| {
        let ana = a.courier("Ana").await;
        let mut phone = a.connect(&ana).await;
        let start_ms = now_ms() - 60_000;
        phone.report(1, &[step(start_ms, 0)]).await;
        let (mut board, snapshot) = console(b).await;
        let of_ana =
            snapshot["couriers"].as_array().and_then(|all| all.iter().find(|one| one["id"] == ana.id)).cloned();
        assert_eq!(of_ana.unwrap_or_default()["position"]["time_ms"], start_ms, "{snapshot}");
        phone.report(2, &[step(start_ms + 1_000, 1)]).await;
        fix_of(&mut board, &ana, start_ms + 1_000).await;
        let ben = a.courier("Ben").await;
        while board.expect("courier").await["courier"]["id"] != ben.id {}
        let order = a.order("A-1").await;
        while board.expect("order").await["order"]["id"] != order.id {}
        phone.send(&json!({"type":"presence","state":"off_duty","time_ms":now_ms()})).await;
        while board.expect("courier").await["courier"]["presence"]["state"] != "off_duty" {}
        // A courier who is off duty is so everywhere: a tracker that reports to the other instance is refused.
        let tracker = b.device(&ana.id).await;
        let mut other = Socket::courier(b, &tracker).await;
        other.expect("welcome").await;
        let ack = other.report(1, &[step(now_ms(), 2)]).await;
        assert_eq!(ack["rejected"][0]["code"], "off_duty", "{ack}");
        // Suggestions of the other instance know it, too.
        let cleo = a.courier("Cleo").await;
        let mut of_cleo = a.connect(&cleo).await;
        let at_ms = now_ms();
        of_cleo.report(1, &[step(at_ms, 0)]).await;
        fix_of(&mut board, &cleo, at_ms).await;
        let path = format!("/api/v1/orders/{}/suggestions", order.id);
        eventually("suggesting a courier who is near", async || {
            let suggested = b.get(&path).await.expect(200);
            suggested
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one["courier_id"] == cleo.id && one["on_duty"] == true))
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_follows_whom_it_shows_and_leaves_with_the_last_viewer() {
    with_two_instances(async |a, b, redis| {
        let ana = a.courier("Ana").await;
        let order = a.assigned("A-1042", &ana).await;
        assert_eq!(redis.listeners(":all").await, 2, "both instances");
        assert_eq!(redis.listeners(&ana.id).await, 0, "she has no viewers and reports to no instance");
        let (mut first, mut second) = (b.watch(&order).await, b.watch(&order).await);
        first.expect("snapshot").await;
        assert_eq!(redis.listeners(&ana.id).await, 1, "subscribed before the snapshot");
        second.expect("snapshot").await;
        drop(first);
        eventually("the first viewer's leaving", async || {
            b.state().hub.audiences().iter().map(|(_, count)| *count).sum::<u32>() == 1
        })
        .await;
        assert_eq!(redis.listeners(&ana.id).await, 1);
        drop(second);
        eventually("unsubscribing", async || redis.listeners(&ana.id).await == 0).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_each_instance_serves_its_own_clients_and_afterwards_all_are_corrected() {
    with_two_instances(async |a, b, redis| {
        let (ana, ben) = (a.courier("Ana").await, a.courier("Ben").await);
        let (order, over) = (a.assigned("A-1", &ana).await, a.assigned("A-2", &ben).await);
        let mut phone = a.connect(&ana).await;
        let start_ms = now_ms() - 60_000;
        phone.report(1, &[step(start_ms, 0)]).await;
        let (mut own, mut other, mut ending) = (a.watch(&order).await, b.watch(&order).await, b.watch(&over).await);
        for page in [&mut own, &mut other, &mut ending] {
            page.expect("snapshot").await;
        }
        let (mut board, _) = console(b).await;

        redis.kill().await;
        for app in [a, b] {
            eventually("noticing", async || readiness(app).await.1["broker"] == "degraded").await;
            let (status, body) = readiness(app).await;
            assert_eq!((status, &body["status"]), (200, &json!("degraded")), "it goes on serving");
        }
        for id in 2..=10 {
            phone.report(id, &[step(start_ms + id as i64 * 1_000, id as i64)]).await;
        }
        position_of(&mut own, start_ms + 10_000).await;
        a.set_status(&order, "picked_up").await;
        a.set_status(&over, "delivered").await;
        let late = a.watch(&order).await;
        let mut late_other = b.watch(&order).await;
        let snapshot = late_other.expect("snapshot").await;
        assert_eq!(snapshot["order"]["status"], "picked_up", "a customer who comes now sees what the database has");
        drop(late);

        redis.restart().await;
        for app in [a, b] {
            eventually("healing", async || readiness(app).await.1["broker"] == "ok").await;
        }
        loop {
            let snapshot = other.expect("snapshot").await;
            if snapshot["order"]["status"] == "picked_up" && snapshot["position"]["time_ms"] == start_ms + 10_000 {
                break;
            }
        }
        assert_eq!(ending.close_code().await, 4502, "the end of an order is not missed");
        while board.expect("order").await["order"]["status"] != "delivered" {}
        phone.report(11, &[step(start_ms + 11_000, 11)]).await;
        position_of(&mut other, start_ms + 11_000).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_without_its_redis_and_finds_it_later() {
    let mut redis = crate::support::RedisServer::start().await;
    redis.kill().await;
    let database = crate::support::Database::create().await;
    let url = redis.url();
    let app = TestApp::start(&database, &["--redis-url", &url]).await;
    assert_eq!(readiness(&app).await.0, 200);
    let ana = app.courier("Ana").await;
    let order = app.assigned("A-1", &ana).await;
    let mut page = within("watching", app.watch(&order)).await;
    page.expect("snapshot").await;
    redis.restart().await;
    eventually("finding it", async || readiness(&app).await.1["broker"] == "ok").await;
    app.stop().await;
    database.remove().await;
}
