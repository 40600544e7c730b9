//! Whether a courier shares their position: which viewers learn it, what it undoes, what survives a restart.

use serde_json::{Value, json};

use crate::support::{Database, Socket, TestApp, TestCourier, eventually, now_ms, step, with_app};

/// Sends a presence and waits until it took effect: reports take effect one after the other, and this one is answered.
async fn say(phone: &mut Socket, state: &str, reason: Option<&str>, time_ms: i64) {
    let mut report = json!({ "type": "presence", "state": state, "time_ms": time_ms });
    if let Some(reason) = reason {
        report["reason"] = reason.into();
    }
    phone.send(&report).await;
    let nothing = uuid::Uuid::now_v7();
    phone.send(&json!({ "type": "status", "id": 7, "order_id": nothing, "status": "delivered", "time_ms": 1 })).await;
    while phone.expect("error").await["id"] != 7 {}
}

async fn known(app: &TestApp, courier: &TestCourier) -> Value {
    app.get(&format!("/api/v1/couriers/{}", courier.id)).await.expect(200)["presence"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_waited_in_a_dead_zone_does_not_undo_a_newer_one() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let tablet = app.device(&ana.id).await;
        let order = app.assigned("A-1042", &ana).await;
        let (mut phone, mut tablet) = (app.connect(&ana).await, Socket::courier(app, &tablet).await);
        let mut page = app.watch(&order).await;
        let now = now_ms();
        say(&mut phone, "off_duty", Some("user"), now - 10_000).await;
        assert_eq!(page.expect("presence").await["state"], "off_duty");
        say(&mut tablet, "tracking", None, now - 60_000).await;
        assert_eq!(known(app, &ana).await["state"], "off_duty");
        let ack = tablet.report(1, &[step(now, 0)]).await;
        assert_eq!(ack["rejected"], json!([{ "index": 0, "code": "off_duty" }]));
        say(&mut tablet, "tracking", None, now).await;
        // A fresh snapshot may repeat the pause; the first message with another presence is the new report.
        let told = loop {
            let told = page.expect("presence").await;
            if told["state"] != "off_duty" {
                break told;
            }
        };
        assert_eq!(
            told,
            json!({ "type": "presence", "state": "tracking", "since_ms": now }),
            "the old report reached no viewer"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn saying_the_same_again_keeps_the_time_since_when_it_is_so() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        let off_ms = now_ms() - 60_000;
        say(&mut phone, "off_duty", Some("user"), off_ms).await;
        say(&mut phone, "off_duty", Some("user"), off_ms + 50_000).await;
        let since: chrono::DateTime<chrono::Utc> =
            known(app, &ana).await["since_at"].as_str().and_then(|at| at.parse().ok()).expect("RFC 3339");
        assert_eq!(since.timestamp_millis(), off_ms);
        let ack = phone.report(1, &[step(off_ms - 1_000, 0), step(off_ms + 20_000, 1)]).await;
        assert_eq!((&ack["stored"], &ack["rejected"]), (&json!(1), &json!([{ "index": 1, "code": "off_duty" }])));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_whose_turn_comes_learns_why_the_courier_is_silent() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let first = app.assigned("A-1", &ana).await;
        let second = app.assigned("A-2", &ana).await;
        let mut phone = app.connect(&ana).await;
        let mut page = app.watch(&second).await;
        page.expect("snapshot").await;
        let since_ms = now_ms();
        say(&mut phone, "paused", Some("screen_locked"), since_ms).await;
        let before = page.everything_so_far().await;
        assert!(before.iter().all(|message| message["type"] != "presence"), "not theirs to know yet: {before:?}");
        app.set_status(&first, "delivered").await;
        let told = page.expect("presence").await;
        assert_eq!(
            told,
            json!({ "type": "presence", "state": "paused", "reason": "screen_locked", "since_ms": since_ms })
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_survives_a_restart_of_the_server() {
    let database = Database::create().await;
    let app = TestApp::start(&database, &[]).await;
    let ana = app.courier("Ana").await;
    let order = app.assigned("A-1", &ana).await;
    let since_ms = now_ms() - 1_000;
    say(&mut app.connect(&ana).await, "paused", Some("no_permission"), since_ms).await;
    app.stop().await;

    let app = TestApp::start(&database, &[]).await;
    let mut page = app.watch(&order).await;
    let told = page.expect("presence").await;
    assert_eq!(told, json!({ "type": "presence", "state": "paused", "reason": "no_permission", "since_ms": since_ms }));
    app.stop().await;
    database.remove().await;
}

/// Revoking a device changes the presence of a courier who may not be in memory.
#[tokio::test(flavor = "multi_thread")]
async fn the_server_can_speak_for_a_courier_it_has_not_seen_since_it_started() {
    let database = Database::create().await;
    let app = TestApp::start(&database, &[]).await;
    let ana = app.courier("Ana").await;
    let off_ms = now_ms() - 1_000;
    say(&mut app.connect(&ana).await, "off_duty", Some("user"), off_ms).await;
    app.stop().await;

    let app = TestApp::start(&database, &[]).await;
    let revoked = doorstep_shared::protocol::customer::Presence {
        state: doorstep_shared::protocol::PresenceState::Paused,
        reason: Some(doorstep_shared::protocol::PresenceReason::NoPermission),
        since_ms: off_ms - 5_000,
    };
    let id = ana.id.parse().expect("an id");
    app.state().presences.set(id, revoked).await.expect("the database is there");
    assert_eq!(known(&app, &ana).await["state"], "off_duty", "what the database knew was newer");
    app.state()
        .presences
        .set(id, doorstep_shared::protocol::customer::Presence { since_ms: i64::MAX, ..revoked })
        .await
        .expect("the database is there");
    let now = known(&app, &ana).await;
    assert_eq!((&now["state"], &now["reason"]), (&json!("paused"), &json!("no_permission")));
    let since: chrono::DateTime<chrono::Utc> =
        now["since_at"].as_str().and_then(|at| at.parse().ok()).expect("RFC 3339");
    assert!(since.timestamp_millis() <= now_ms(), "a time to come is now: {now}");
    app.stop().await;
    database.remove().await;
}

/// A tracker went on recording while its owner was off duty, and finds a network after a restart of the server.
#[tokio::test(flavor = "multi_thread")]
async fn time_off_that_is_over_stays_off_limits_through_a_restart() {
    let database = Database::create().await;
    let app = TestApp::start(&database, &[]).await;
    let ana = app.courier("Ana").await;
    let off_ms = now_ms() - 60_000;
    let mut phone = app.connect(&ana).await;
    say(&mut phone, "off_duty", Some("user"), off_ms).await;
    say(&mut phone, "tracking", None, off_ms + 30_000).await;
    app.stop().await;

    let app = TestApp::start(&database, &[]).await;
    let late = [step(off_ms - 1, 0), step(off_ms, 1), step(off_ms + 29_999, 2), step(off_ms + 30_000, 3)];
    let ack = app.connect(&ana).await.report(1, &late).await;
    let off_duty = json!([{ "index": 1, "code": "off_duty" }, { "index": 2, "code": "off_duty" }]);
    assert_eq!((&ack["stored"], &ack["rejected"]), (&json!(2), &off_duty));
    app.stop().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_whose_clock_is_absurd_is_understood_all_the_same() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        say(&mut phone, "paused", Some("user"), -8_000_000_000_000_000).await;
        eventually("the presence being stored", async || {
            let stored = sqlx::query_scalar("select presence_state from couriers where id = $1::uuid").bind(&ana.id);
            let stored: Option<String> = stored.fetch_one(&app.db).await.expect("the courier is there");
            stored.as_deref() == Some("paused")
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn time_off_stays_off_limits_however_long_a_phone_was_quiet() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let id = ana.id.parse().expect("an id");
        let off_ms = now_ms() - 60_000;
        let mut phone = app.connect(&ana).await;
        say(&mut phone, "off_duty", Some("user"), off_ms).await;
        say(&mut phone, "tracking", None, off_ms + 30_000).await;
        let tracker = &app.state().tracker;
        let later_ms = now_ms() + 31 * 60_000;
        tracker.forget_idle(&app.state().connections.connected_couriers(), later_ms);
        assert!(tracker.knows(id), "a courier whose phone is connected is not forgotten");
        tracker.forget_idle(&[], later_ms);
        assert!(!tracker.knows(id));
        let ack = phone.report(1, &[step(off_ms + 15_000, 0), step(off_ms + 45_000, 1)]).await;
        let off_duty = json!([{ "index": 0, "code": "off_duty" }]);
        assert_eq!((&ack["stored"], &ack["rejected"]), (&json!(1), &off_duty), "and who was is read again first");
        assert!(tracker.whereabouts(id).is_some_and(|known| known.position.is_some()), "with what they ride");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn speaking_for_a_courier_does_not_call_them_back_to_work() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let id = ana.id.parse().expect("an id");
        let no_permission = doorstep_shared::protocol::PresenceReason::NoPermission;
        app.state().presences.pause(id, no_permission).await.expect("the database is there");
        assert_eq!(known(app, &ana).await["state"], "paused");
        say(&mut app.connect(&ana).await, "off_duty", Some("user"), now_ms()).await;
        app.state().presences.pause(id, no_permission).await.expect("the database is there");
        assert_eq!(known(app, &ana).await["state"], "off_duty");
    })
    .await;
}
