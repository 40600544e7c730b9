//! What was acked is stored, once, whatever happens to the connections and to the server itself.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use doorstep_server::store::Store;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, migrate::Migrate, postgres::PgConnectOptions};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{
    Answer, Database, HERE, Socket, TestApp, TestCourier, eventually, fix, now_ms, step, with_app, within,
};

#[tokio::test(flavor = "multi_thread")]
async fn there_is_a_table_for_every_day_kept_and_three_days_ahead() {
    with_app(async |app| {
        let days: Vec<String> = sqlx::query_scalar(
            "select c.relname::text from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'fixes'::regclass",
        )
        .fetch_all(&app.db)
        .await
        .expect("the catalogue can be read");
        let today = chrono::Utc::now().date_naive();
        for offset in -29..=3 {
            let name = format!("fixes_{}", (today + chrono::TimeDelta::days(offset)).format("%Y%m%d"));
            assert!(days.contains(&name), "{name} is missing from {days:?}");
        }
        let ana = app.courier("Ana").await;
        let month_ms = 30 * 86_400_000;
        let ack = app.connect(&ana).await.report(1, &[step(now_ms() - month_ms + 60_000, 0), step(now_ms() + 110_000, 1)]).await;
        assert_eq!(ack["stored"], 2, "the oldest and the newest that are accepted have a table: {ack}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_past_keeping_are_dropped_and_days_ahead_are_made() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        app.connect(&ana).await.report(1, &[step(now_ms() - 20 * 86_400_000, 0), step(now_ms(), 1)]).await;
        let store = &app.state().store;
        let later = chrono::Utc::now() + chrono::TimeDelta::days(12);
        let dropped = store.maintain_fix_partitions(later, 30).await.expect("the database is there");
        assert!((12..=13).contains(&dropped), "{dropped}");
        assert_eq!(app.stored(&ana).await, 1, "what is past keeping is gone and the rest is not");
        assert_eq!(store.maintain_fix_partitions(later, 30).await.expect("the database is there"), 0);
    })
    .await;
}

/// What the server checks, the database checks again: a mistake in the one, or a hand in the other, stores no nonsense.
#[tokio::test(flavor = "multi_thread")]
async fn the_database_refuses_what_cannot_be_true_by_itself() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        app.assigned("A-1", &ana).await;
        app.connect(&ana).await.report(1, &[step(now_ms(), 0)]).await;
        for statement in [
            "update fixes set lat = 90.0001",
            "update fixes set lat = 'NaN'",
            "update fixes set lon = -180.0001",
            "update fixes set lon = 'Infinity'",
            "update fixes set accuracy_m = -1",
            "update fixes set speed_mps = -1",
            "update fixes set heading_deg = 360",
            "update fixes set battery = 1.1",
            "update orders set pickup_lat = -91",
            "update orders set dropoff_lon = 'NaN'",
            "update orders set reference = ''",
            "update orders set status = 'teleported'",
            "update orders set promised_from = now(), promised_until = now() - interval '1 hour'",
            "update couriers set name = ''",
            "update couriers set vehicle = 'rocket'",
            "update devices set token_hash = 'short'",
            "update api_keys set token_hash = 'short'",
        ] {
            let refused = sqlx::query(statement).execute(&app.db).await.expect_err(statement);
            let code = refused.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
            assert_eq!(code, "23514", "{statement}: {refused}");
        }
        assert_eq!(app.stored(&ana).await, 1);
    })
    .await;
}

/// Sends `count` messages of one fix without waiting, and returns what was sent.
async fn pour(phone: &mut Socket, count: i64) -> Vec<Value> {
    let start_ms = now_ms() - 1_000_000;
    let fixes: Vec<_> = (0..count).map(|index| step(start_ms + index * 1_000, index % 100)).collect();
    for (id, fix) in (0..).zip(&fixes) {
        phone.send_fixes(id, std::slice::from_ref(fix)).await;
    }
    fixes
}

/// Reads acks until every id below `count` has one; returns how many fixes they report as stored, and how many as
/// duplicates.
async fn all_acked(phone: &mut Socket, count: u64) -> (u64, u64) {
    let (mut waiting, mut sums) = ((0..count).collect::<BTreeSet<_>>(), (0, 0));
    while !waiting.is_empty() {
        let ack = phone.expect("ack").await;
        let id = ack["id"].as_u64().expect("an id");
        assert!(waiting.remove(&id), "{id} was acked twice");
        sums.0 += ack["stored"].as_u64().expect("a number");
        sums.1 += ack["duplicates"].as_u64().expect("a number");
    }
    sums
}

#[tokio::test(flavor = "multi_thread")]
async fn the_writers_survive_being_disconnected_with_nothing_lost_or_doubled() {
    with_app(async |app| {
        let couriers = [app.courier("Ana").await, app.courier("Ben").await, app.courier("Cat").await];
        let terminating = async {
            for _ in 0..20 {
                let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
                           where datname = current_database() and application_name = 'doorstep fix writer'";
                let _: i64 = sqlx::query_scalar(cut).fetch_one(&app.db).await.expect("an administrator may");
                tokio::time::sleep(std::time::Duration::from_millis(15)).await;
            }
        };
        let sending = join_all(couriers.iter().map(async |courier| {
            let mut phone = app.connect(courier).await;
            pour(&mut phone, 150).await;
            let (stored, duplicates) = all_acked(&mut phone, 150).await;
            assert_eq!(stored + duplicates, 150);
        }));
        tokio::join!(terminating, sending);
        for courier in &couriers {
            assert_eq!(app.stored(courier).await, 150);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_over_two_sockets_each_is_stored_exactly_once_and_all_acked() {
    with_app(async |app| {
        let start_ms = now_ms() - 600_000;
        let flood = async |index: i64| {
            let courier = app.courier(&format!("courier {index}")).await;
            let tablet = app.device(&courier.id).await;
            let (mut first, mut second) = (app.connect(&courier).await, Socket::courier(app, &tablet).await);
            second.expect("welcome").await;
            let fixes: Vec<_> = (0..100).map(|second| step(start_ms + second * 1_000, second)).collect();
            let mut acked = (0, 0);
            let mut messages = 0;
            // Both phones send everything, in batches that overlap differently, and the first one twice.
            for (id, batch) in (0..).zip(fixes.chunks(7).chain(fixes.chunks(33))) {
                first.send_fixes(id, batch).await;
                messages = id + 1;
            }
            for (id, batch) in (0..).zip(fixes.chunks(10).rev()) {
                second.send_fixes(id, batch).await;
            }
            for (phone, count) in [(&mut first, messages), (&mut second, 10)] {
                let (stored, duplicates) = all_acked(phone, count).await;
                acked = (acked.0 + stored, acked.1 + duplicates);
            }
            assert_eq!(acked, (200, 100), "each phone's fix is new in one ack only");
            courier
        };
        let couriers: Vec<TestCourier> = join_all((0..20).map(flood)).await;
        for courier in &couriers {
            assert_eq!(app.stored(courier).await, 200);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_closes_every_socket_with_4000_and_loses_nothing_acked() {
    let database = Database::create().await;
    let app = TestApp::start(&database, &[]).await;
    let ana = app.courier("Ana").await;
    let order = app.assigned("A-1", &ana).await;
    let mut page = app.watch(&order).await;
    page.expect("snapshot").await;
    let events = app.bare(reqwest::Method::GET, &format!("/api/v1/track/{}/events", order.token));
    let mut events = within("opening a stream", events.send()).await.expect("the server answers");
    let mut phone = app.connect(&ana).await;
    pour(&mut phone, 100).await;
    let stopping = Instant::now();
    let reading = async {
        let (code, answers) = phone.closed().await;
        assert_eq!(code, 4000);
        answers
            .iter()
            .filter(|answer| answer["type"] == "ack")
            .map(|ack| ack["stored"].as_i64().expect("a number"))
            .sum::<i64>()
    };
    let (acked, page_code, ()) = tokio::join!(reading, page.close_code(), app.stop());
    assert!(stopping.elapsed().as_secs() < 5, "{:?}", stopping.elapsed());
    assert_eq!(page_code, 4000);
    while within("the stream ending", events.chunk()).await.is_ok_and(|chunk| chunk.is_some()) {}
    let db = database.pool();
    let stored: i64 =
        sqlx::query_scalar("select count(*) from fixes").fetch_one(&db).await.expect("fixes can be counted");
    assert!(acked <= stored && stored <= 100, "{acked} acked, {stored} stored");

    // The phone does what it should: it sends the messages without an ack again.
    let app = TestApp::start(&database, &[]).await;
    let mut phone = app.connect(&ana).await;
    let start_ms = now_ms() - 60_000;
    phone.report(1, &[step(start_ms, 0)]).await;
    assert_eq!(app.stored(&ana).await, stored + 1);
    app.stop().await;
    db.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_viewers_see_where_the_courier_was_and_how_they_came() {
    let database = Database::create().await;
    let app = TestApp::start(&database, &[]).await;
    let ana = app.courier("Ana").await;
    let (order, waiting) = (app.assigned("A-1", &ana).await, app.assigned("A-2", &ana).await);
    let start_ms = now_ms();
    let zigzag = |index: i64| {
        fix(start_ms + index * 1_000, HERE.0 + index as f64 * 0.000_2, HERE.1 + (index % 2) as f64 * 0.000_5)
    };
    let mut phone = app.connect(&ana).await;
    phone.report(1, &(0..10).map(zigzag).collect::<Vec<_>>()).await;
    phone.send(&json!({ "type": "presence", "state": "paused", "reason": "no_signal", "time_ms": start_ms })).await;
    phone
        .send(&json!({ "type": "status", "id": 2, "order_id": uuid::Uuid::now_v7(), "status": "failed", "time_ms": 1 }))
        .await;
    phone.expect("error").await;
    let snapshot_of = async |app: &TestApp, token: &str| app.get(&format!("/api/v1/track/{token}")).await.expect(200);
    let before = snapshot_of(&app, &order.token).await;
    drop(phone);
    app.stop().await;

    let app = TestApp::start(&database, &[]).await;
    let after = snapshot_of(&app, &order.token).await;
    for field in ["order", "courier", "position", "trail"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    assert_eq!(after["trail"].as_array().map(Vec::len), Some(10));
    let hidden = snapshot_of(&app, &waiting.token).await;
    assert!(hidden.get("position").is_none() && hidden["order"]["stops_before"] == 1, "{hidden}");
    let mut page = app.watch(&order).await;
    page.expect("snapshot").await;
    assert_eq!(page.expect("presence").await["reason"], "no_signal");
    let mut phone = app.connect(&ana).await;
    phone.report(2, &[zigzag(5)]).await;
    phone.report(3, &[zigzag(10)]).await;
    assert_eq!(page.expect("position").await["time_ms"], start_ms + 10_000, "and never goes back");
    app.stop().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_does_not_start_on_a_port_in_use() {
    with_app(async |app| {
        let bind = format!("--bind={}", app.address);
        let settings = crate::support::settings(&app.database_url, &[&bind]);
        let started = doorstep_server::app::start(settings, doorstep_server::platform::clock::Clock::system()).await;
        let error = started.err().expect("the port is taken");
        assert!(format!("{error:#}").contains(&format!("cannot listen on {}", app.address)), "{error:#}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_tell_how_we_are() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        phone.report(1, &[step(now_ms(), 0), fix(now_ms(), 99.0, 0.0)]).await;
        let bare = async |path: &str| Answer::to(app.bare(reqwest::Method::GET, path)).await;
        assert_eq!(bare("/health/live").await.expect(200), json!({ "status": "ok" }));
        let ready = bare("/health/ready").await.expect(200);
        assert_eq!(
            (&ready["status"], &ready["database"], &ready["broker"]),
            (&json!("ok"), &json!("ok"), &json!("ok"))
        );
        assert!(ready["writer"]["lag_ms"].as_u64().is_some_and(|lag| lag < 5_000), "{ready}");
        let metrics = app.metrics().await;
        for name in [
            "doorstep_fixes_received_total",
            "doorstep_fixes_rejected_total{code=\"lat_out_of_range\"}",
            "doorstep_fix_commit_seconds_bucket",
            "doorstep_fix_batch_rows_bucket",
            "doorstep_connections",
            "doorstep_tasks_running{task=\"fix_writer\"}",
        ] {
            assert!(metrics.contains(name), "{name} is missing:\n{metrics}");
        }
        let personal = [&ana.id, &ana.device_token, "Ana"];
        assert!(personal.iter().all(|word| !metrics.contains(*word)), "no personal data in a metric");
        phone.send_raw(Message::Close(None)).await;
        eventually("forgetting the phone", async || app.state().connections.is_empty()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_must_come_back_later() {
    crate::support::with_settings(&["--max-connections=2"], async |app| {
        let order = app.order("A-1").await;
        let path = format!("/ws/track/{}", order.token);
        let first = app.watch(&order).await;
        let mut second = app.watch(&order).await;
        let refusal = Socket::try_connect(app, &path, &[]).await.err().expect("there is no room");
        assert_eq!((refusal.status, refusal.code.as_str()), (429, "too_many_attempts"));
        let events = app.get(&format!("/api/v1/track/{}/events", order.token)).await;
        assert!(events.header("retry-after").parse::<u32>().is_ok());
        events.expect_problem(429, "too_many_attempts");
        second.expect("snapshot").await;
        drop(first);
        eventually("the place being free", async || app.state().connections.len() == 1).await;
        app.watch(&order).await.expect("snapshot").await;
    })
    .await;
}

/// A large table may take minutes to rewrite, and a second instance waits for the first.
#[tokio::test(flavor = "multi_thread")]
async fn migrations_have_more_time_than_requests() {
    let database = Database::create().await;
    let options: PgConnectOptions = database.url().parse().expect("an address of Postgres");
    let mut other = options.connect().await.expect("the database is there");
    other.lock().await.expect("no other instance migrates");
    let store = Store::new(options, 1);
    let longer_than_a_request = Duration::from_secs(6);
    let (migrated, ()) = tokio::join!(tokio::time::timeout(3 * longer_than_a_request, store.migrate()), async {
        tokio::time::sleep(longer_than_a_request).await;
        other.close().await.expect("the connection ends");
    });
    migrated.expect("it ends").expect("it waits for its turn");
    store.close().await;
    database.remove().await;
}
