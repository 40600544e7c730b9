//! Which callers may watch the fleet, and for how long.

use doorstep_server::{auth::scope::Scope, platform::token, store::access::Role};
use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, Database, Socket, TestApp, fix, now_ms, with_app};

/// A caller, their headers, and the status of the answer.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], u16);

/// The HTTP status with which the feed answers these headers: 101 when it opens.
async fn status(app: &TestApp, headers: &[(&str, &str)]) -> u16 {
    match Socket::try_connect(app, "/ws/fleet", headers).await {
        Ok(mut socket) => {
            assert_eq!(socket.message().await["type"], "snapshot");
            101
        }
        Err(refusal) => refusal.status,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_dispatchers_admins_and_keys_with_the_scope_watch_the_fleet() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1", &ana).await;
        let own = format!("http://{}", app.address);
        let dispatcher = app.person("dora@example.com", Role::Dispatcher).await.cookie;
        let admin = app.person("adam@example.com", Role::Admin).await.cookie;
        let bearer = |secret: &str| format!("Bearer {secret}");
        let with_scope = bearer(&app.key_with(&[Scope::FleetRead]).await);
        let others: Vec<_> = Scope::ALL.into_iter().filter(|scope| *scope != Scope::FleetRead).collect();
        let without_scope = bearer(&app.key_with(&others).await);
        let (courier, customer) = (bearer(&ana.device_token), bearer(&order.token));
        let courier_cookie = format!("doorstep={}", ana.device_token);
        let customer_cookie = format!("doorstep={}", order.token);
        let evil = "https://evil.example";
        let table: &[Row<'_>] = &[
            ("no credentials", &[], 401),
            ("no credentials, from our own page", &[("origin", &own)], 401),
            ("a customer", &[("authorization", &customer)], 401),
            ("a customer's token as a cookie", &[("cookie", &customer_cookie), ("origin", &own)], 401),
            ("a courier", &[("authorization", &courier)], 401),
            ("a courier's token as a cookie", &[("cookie", &courier_cookie), ("origin", &own)], 401),
            ("a dispatcher", &[("cookie", &dispatcher), ("origin", &own)], 101),
            ("an admin", &[("cookie", &admin), ("origin", &own)], 101),
            ("a dispatcher's cookie from another site", &[("cookie", &dispatcher), ("origin", evil)], 403),
            ("a dispatcher's cookie from nowhere", &[("cookie", &dispatcher), ("origin", "null")], 403),
            ("a dispatcher's cookie without an origin", &[("cookie", &dispatcher)], 403),
            ("a key without the scope", &[("authorization", &without_scope)], 403),
            ("a key with the scope", &[("authorization", &with_scope)], 101),
            ("a key with the scope from our own page", &[("authorization", &with_scope), ("origin", &own)], 101),
            ("a key with the scope from another site", &[("authorization", &with_scope), ("origin", evil)], 403),
            ("an unknown key", &[("authorization", "Bearer ds_nobody")], 401),
        ];
        for (who, headers, expected) in table {
            assert_eq!(status(app, headers).await, *expected, "{who}");
        }
        let offer = ("sec-websocket-protocol", "mqtt");
        assert_eq!(status(app, &[("authorization", &with_scope), offer]).await, 400);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_closes_that_sessions_consoles_and_no_others() {
    with_app(async |app| {
        let own = format!("http://{}", app.address);
        let dora = app.person("dora@example.com", Role::Dispatcher).await.cookie;
        let adam = app.person("adam@example.com", Role::Admin).await.cookie;
        let mut consoles = Vec::new();
        for cookie in [&dora, &dora, &adam] {
            let mut socket = Socket::connect(app, "/ws/fleet", &[("cookie", cookie), ("origin", &own)]).await;
            socket.expect("snapshot").await;
            consoles.push(socket);
        }
        let out = Answer::to(app.bare(Method::DELETE, "/api/v1/session").header("cookie", &dora)).await;
        assert_eq!(out.status, 204);
        let [first, second, other] = &mut consoles[..] else { panic!("three consoles") };
        assert_eq!((first.close_code().await, second.close_code().await), (4500, 4500));
        other.send(&json!({"type":"ping"})).await;
        other.expect("pong").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_loses_its_access_elsewhere_is_closed_soon() {
    with_app(async |app| {
        let own = format!("http://{}", app.address);
        let key = app.key_with(&[Scope::FleetRead]).await;
        let cookie = app.person("dora@example.com", Role::Dispatcher).await.cookie;
        let headers = [("cookie", cookie.as_str()), ("origin", own.as_str())];
        let mut person = Socket::connect(app, "/ws/fleet", &headers).await;
        let authorization = format!("Bearer {key}");
        let mut program = Socket::connect(app, "/ws/fleet", &[("authorization", &authorization)]).await;
        // As nobody but SQL does it: no notification announces it, so both are found by the next check. That is
        // within half a minute, or when the connection breaks over which other ends are announced.
        let revoked = "update api_keys set revoked_at = now() where token_hash = $1";
        let revoking = sqlx::query(revoked).bind(&token::hash(&key)[..]).execute(&app.db);
        revoking.await.expect("the database is there");
        let disabled = "update users set disabled_at = now() where email = 'dora@example.com'";
        sqlx::query(disabled).execute(&app.db).await.expect("the database is there");
        let listener = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
            where datname = current_database() and query ilike 'listen %'";
        crate::support::eventually("the listener cut off", async || {
            sqlx::query_scalar::<_, i64>(listener).fetch_one(&app.db).await.expect("the database is there") > 0
        })
        .await;
        assert_eq!(program.close_code().await, 4500);
        assert_eq!(person.close_code().await, 4500);
        assert_eq!(status(app, &headers).await, 401);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_every_courier_is_where_they_were() {
    let database = Database::create().await;
    let app = TestApp::start(&database, &[]).await;
    let (busy, idle) = (app.courier("Busy").await, app.courier("Idle").await);
    let order = app.assigned("A-1", &busy).await;
    let time_ms = now_ms() - 5_000;
    let mut phones = Vec::new();
    for (courier, lon) in [(&busy, 14.50), (&idle, 14.51)] {
        let mut phone = app.connect(courier).await;
        let mut reading = fix(time_ms, 35.9, lon);
        reading["battery"] = json!(0.75);
        // A phone without a fix sends 0,0; no courier should be shown there.
        phone.report(1, &[reading, fix(time_ms + 1_000, 0.0, 0.0)]).await;
        phone.send(&json!({"type":"presence","state":"paused","reason":"no_signal","time_ms":time_ms})).await;
        phones.push(phone);
    }
    let mut console = Socket::connect(&app, "/ws/fleet", &[("authorization", &format!("Bearer {}", app.key))]).await;
    console.expect("snapshot").await;
    let stored = "select count(*) from couriers where presence_state = 'paused'";
    crate::support::eventually("the presences stored", async || {
        sqlx::query_scalar::<_, i64>(stored).fetch_one(&app.db).await.expect("the database is there") == 2
    })
    .await;
    let key = app.key.clone();
    let stopping = app.stop();
    assert_eq!(tokio::join!(stopping, console.close_code()).1, 4000);

    let app = TestApp::start(&database, &[]).await;
    let authorization = format!("Bearer {key}");
    let mut console = Socket::connect(&app, "/ws/fleet", &[("authorization", &authorization)]).await;
    let snapshot = console.message().await;
    for (courier, lon) in [(&busy, 14.50), (&idle, 14.51)] {
        let couriers = snapshot["couriers"].as_array().expect("a list");
        let shown = couriers.iter().find(|shown| shown["id"] == courier.id).expect("every courier is there");
        assert_eq!((&shown["position"]["lat"], &shown["position"]["lon"]), (&json!(35.9), &json!(lon)), "{shown}");
        assert_eq!((&shown["position"]["time_ms"], &shown["battery"]), (&json!(time_ms), &json!(0.75)));
        assert_eq!(shown["presence"]["reason"], "no_signal");
    }
    assert_eq!(snapshot["orders"][0]["id"], json!(order.id));
    app.stop().await;
    database.remove().await;
}
