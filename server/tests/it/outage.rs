//! The database goes away and comes back while a courier sends and a customer watches.

use std::time::{Duration, Instant};

use doorstep_server::{platform::token, service::ingest::Tense};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{
    embedded::Cluster,
    support::{Answer, Socket, TestApp, eventually, now_ms, step, with_app},
};

async fn readiness(app: &TestApp) -> u16 {
    Answer::to(app.bare(reqwest::Method::GET, "/health/ready")).await.status.as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_waits_for_the_database_takes_little_room() {
    with_app(async |app| {
        let (ana, state) = (app.courier("Ana").await, app.state());
        let device = state.store.device_by_token(&token::hash(&ana.device_token)).await.expect("the database is there");
        let origin = state.ingest.origin(&device.expect("a phone"), 0, Tense::Live).await.expect("it is still there");
        let waiting = state.ingest.accept(origin, Tense::Live, &[]);
        // Ten seconds of an outage under 500 couriers are 10 000 of these.
        assert!(size_of_val(&waiting) < 1_024, "{} bytes", size_of_val(&waiting));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_the_map_goes_on_and_nothing_is_acked() {
    let cluster = Cluster::new("outage");
    let postgres = cluster.start().await;
    let app = TestApp::start_on(&cluster.url(), cluster.pool(), &[]).await;
    let ana = app.courier("Ana").await;
    let order = app.assigned("A-1042", &ana).await;
    let mut phone = app.connect(&ana).await;
    let mut page = app.watch(&order).await;
    page.expect("snapshot").await;
    let start_ms = now_ms() - 60_000;
    phone.report(0, &[step(start_ms, 0)]).await;
    page.expect("position").await;

    // SIGQUIT is `pg_ctl stop -m immediate`: Postgres says goodbye to no client.
    cluster.kill(Signal::SIGQUIT).await;
    drop(postgres);
    let stopped = Instant::now();
    for id in 1..=20 {
        phone.send_fixes(id, &[step(start_ms + id as i64 * 1_000, id as i64)]).await;
        while page.expect("position").await["time_ms"] != start_ms + id as i64 * 1_000 {}
    }
    eventually("noticing that the database is away", async || readiness(&app).await == 503).await;
    assert!(stopped.elapsed() < Duration::from_secs(2), "it took {:?}", stopped.elapsed());
    assert_eq!(Answer::to(app.bare(reqwest::Method::GET, "/health/live")).await.status, 200);
    let asked = Instant::now();
    let problem = app.get("/api/v1/orders").await;
    assert!(asked.elapsed() < Duration::from_secs(4), "a request gives up in time: {:?}", asked.elapsed());
    let retry_after = problem.header("retry-after").to_owned();
    let problem = problem.expect_problem(503, "unavailable");
    assert!(retry_after.parse::<u32>().is_ok() && problem.get("detail").is_none(), "{problem}");
    let report = serde_json::json!({ "type": "status", "id": 77, "order_id": order.id, "status": "picked_up", "time_ms": now_ms() });
    phone.send(&report).await;
    // Viewers and paces are known without a database; an ack needs it.
    let unavailable = loop {
        let message = phone.message().await;
        if !["pace", "audience"].iter().any(|kind| message["type"] == *kind) {
            break message;
        }
    };
    assert_eq!(
        (&unavailable["type"], &unavailable["id"], &unavailable["code"]),
        (&"error".into(), &77.into(), &"unavailable".into())
    );
    assert!(
        unavailable["retry_after_ms"].as_u64().is_some_and(|ms| ms > 0),
        "and no ack came before it: {unavailable}"
    );

    let back = cluster.start().await;
    let started = Instant::now();
    let mut acked: Vec<Value> = Vec::new();
    while acked.len() < 20 {
        acked.push(phone.expect("ack").await);
    }
    assert!(started.elapsed() < Duration::from_secs(10), "it took {:?}", started.elapsed());
    let mut ids: Vec<_> = acked.iter().filter_map(|ack| ack["id"].as_u64()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=20).collect::<Vec<_>>());
    assert_eq!(app.stored(&ana).await, 21, "each exactly once");
    eventually("being ready again", async || readiness(&app).await == 200).await;
    phone.send(&report).await;
    assert_eq!(phone.expect("ack").await["stored"], 1, "the report works when it is sent again");
    app.stop().await;
    back.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_stops_in_time_without_its_database_and_acks_nothing() {
    let cluster = Cluster::new("stop-without");
    let postgres = cluster.start().await;
    let app = TestApp::start_on(&cluster.url(), cluster.pool(), &[]).await;
    let ana = app.courier("Ana").await;
    let mut phone = app.connect(&ana).await;
    cluster.kill(Signal::SIGQUIT).await;
    drop(postgres);
    for id in 1..=5 {
        phone.send_fixes(id, &[step(now_ms() - 60_000 + id as i64 * 1_000, 0)]).await;
    }
    let stopping = Instant::now();
    let (closed, ()) = tokio::join!(phone.closed(), app.stop());
    assert!(stopping.elapsed() < Duration::from_secs(8), "it took {:?}", stopping.elapsed());
    assert_eq!(closed.0, 4000);
    assert!(closed.1.iter().all(|message| message["type"] != "ack"), "{:?}", closed.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_freezes_in_the_middle_of_a_query_makes_no_request_wait_either() {
    let cluster = Cluster::new("mid-query");
    let postgres = cluster.start().await;
    let (app, pool) = (TestApp::start_on(&cluster.url(), cluster.pool(), &[]).await, cluster.pool());
    let mut holding = pool.begin().await.expect("a transaction");
    sqlx::query("lock table orders").execute(&mut *holding).await.expect("a lock");
    let waiting = "select count(*) from pg_locks where not granted";
    let freezing = async {
        eventually("a query that waits", async || {
            sqlx::query_scalar::<_, i64>(waiting).fetch_one(&pool).await.expect("a count") > 0
        })
        .await;
        cluster.signal_all(Signal::SIGSTOP);
        Instant::now()
    };
    let (answer, frozen) = tokio::join!(app.get("/api/v1/orders"), freezing);
    assert!(frozen.elapsed() < Duration::from_secs(6), "it took {:?}", frozen.elapsed());
    answer.expect_problem(503, "unavailable");
    cluster.signal_all(Signal::SIGCONT);
    drop(holding);
    eventually("being ready again", async || readiness(&app).await == 200).await;
    assert_eq!(app.get("/api/v1/orders").await.status, 200);
    app.stop().await;
    postgres.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_database_makes_no_request_wait_beyond_a_deadline() {
    let cluster = Cluster::new("frozen");
    let postgres = cluster.start().await;
    let app = TestApp::start_on(&cluster.url(), cluster.pool(), &[]).await;
    let ana = app.courier("Ana").await;
    let order = app.assigned("A-1042", &ana).await;
    let mut phone = app.connect(&ana).await;
    let mut page = app.watch(&order).await;
    page.expect("snapshot").await;
    let start_ms = now_ms() - 60_000;
    phone.report(0, &[step(start_ms, 0)]).await;
    page.expect("position").await;

    cluster.signal_all(Signal::SIGSTOP);
    phone.send_fixes(1, &[step(start_ms + 1_000, 1)]).await;
    while page.expect("position").await["time_ms"] != start_ms + 1_000 {}
    let asked = Instant::now();
    let body = serde_json::json!({ "status": "picked_up" });
    let status_path = format!("/api/v1/orders/{}/status", order.id);
    let (link_path, socket_path) = (format!("/api/v1/track/{}", order.token), format!("/ws/track/{}", order.token));
    let (orders, link, status, socket) = tokio::join!(
        app.get("/api/v1/orders"),
        app.get(&link_path),
        app.post(&status_path, &body),
        Socket::try_connect(&app, &socket_path, &[])
    );
    assert!(asked.elapsed() < Duration::from_secs(6), "it took {:?}", asked.elapsed());
    for answer in [orders, link, status] {
        answer.expect_problem(503, "unavailable");
    }
    assert_eq!(socket.err().map(|refusal| refusal.status), Some(503));
    eventually("noticing", async || readiness(&app).await == 503).await;

    cluster.signal_all(Signal::SIGCONT);
    assert_eq!(phone.expect("ack").await["id"], 1);
    assert_eq!(app.stored(&ana).await, 2);
    eventually("being ready again", async || readiness(&app).await == 200).await;

    cluster.signal_all(Signal::SIGSTOP);
    phone.send_fixes(2, &[step(start_ms + 2_000, 2)]).await;
    while page.expect("position").await["time_ms"] != start_ms + 2_000 {}
    let stopping = Instant::now();
    let (closed, ()) = tokio::join!(phone.closed(), app.stop());
    assert!(stopping.elapsed() < Duration::from_secs(6), "it took {:?}", stopping.elapsed());
    assert!(closed.0 == 4000 && closed.1.iter().all(|message| message["type"] != "ack"), "{closed:?}");
    cluster.signal_all(Signal::SIGCONT);
    postgres.stop().await;
}
