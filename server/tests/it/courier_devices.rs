//! Couriers' devices as dispatch sees them: which are in use, and that a revoked device is disconnected at once and for
//! good.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Invited, Socket, TestApp, TestCourier, now_ms, step, with_app, with_manual_clock};

async fn revoke(app: &TestApp, path: &str) {
    let answer = Answer::to(app.request(Method::DELETE, path)).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (204, String::new()));
}

async fn presence(app: &TestApp, courier: &str) -> Value {
    app.get(&format!("/api/v1/couriers/{courier}")).await.expect(200)["presence"].clone()
}

fn as_courier(invited: &Invited) -> TestCourier {
    TestCourier { id: invited.courier.clone(), device_token: invited.device_token.clone() }
}

/// A Traccar phone's report.
async fn report_by_traccar(app: &TestApp, token: &str) -> Answer {
    let query = format!("id={token}&lat=35.898&lon=14.5125&timestamp={}", now_ms() / 1_000);
    Answer::to(app.bare(Method::POST, &format!("/ingest/osmand?{query}"))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_device_is_out_within_a_second_and_for_good() {
    with_app(async |app| {
        let ana = app.invite().await;
        let session = app.sign_in(&ana.code).await;
        let link = app.post(&format!("{}/sign-in", ana.device()), &json!({})).await.expect(201);
        let mut browser = app.connect_browser(&session).await;
        browser.report(1, &[step(now_ms(), 0)]).await;
        let revoked_at = Instant::now();
        revoke(app, &ana.device()).await;
        assert_eq!(browser.close_code().await, 4500);
        assert!(revoked_at.elapsed() < Duration::from_secs(1), "{:?}", revoked_at.elapsed());
        let home = || app.bare(Method::GET, "/api/v1/courier");
        Answer::to(home().header("cookie", &session)).await.expect_problem(401, "unauthorized");
        Answer::to(home().bearer_auth(&ana.device_token)).await.expect_problem(401, "unauthorized");
        let (bearer, origin) = (format!("Bearer {}", ana.device_token), app.origin());
        for headers in [vec![("authorization", bearer.as_str())], vec![("cookie", &session), ("origin", &origin)]] {
            let refused = Socket::try_connect(app, "/ws/courier", &headers).await.err().expect("refused");
            assert_eq!(refused.status, 401);
        }
        report_by_traccar(app, &ana.device_token).await.expect_problem(400, "unknown_device");
        let owntracks = app.bare(Method::POST, "/ingest/owntracks").basic_auth("ana", Some(&ana.device_token));
        Answer::to(owntracks.body("{}")).await.expect_problem(401, "unauthorized");
        let overland = app.bare(Method::POST, "/ingest/overland").bearer_auth(&ana.device_token);
        Answer::to(overland.body("{}")).await.expect_problem(401, "unauthorized");
        let code = crate::support::code_in(&link);
        Answer::to(app.exchange(&code)).await.expect_problem(410, "sign_in_link_spent");
        assert_eq!(app.stored(&as_courier(&ana)).await, 1);
        revoke(app, &ana.device()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_native_phone_is_closed_too_and_other_devices_are_not() {
    with_app(async |app| {
        let ana = app.invite().await;
        let mut phone = app.connect(&as_courier(&ana)).await;
        let tablet = app.device(&ana.courier).await;
        let mut tablet = Socket::courier(app, &tablet).await;
        tablet.expect("welcome").await;
        tablet.send(&json!({ "type": "presence", "state": "tracking" })).await;
        tablet.everything_so_far().await;
        revoke(app, &ana.device()).await;
        assert_eq!(phone.close_code().await, 4500);
        assert_eq!(tablet.report(1, &[step(now_ms(), 0)]).await["stored"], 1);
        assert_eq!(presence(app, &ana.courier).await["state"], "tracking");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn customer_and_dispatch_read_why_a_revoked_phones_position_stops() {
    with_app(async |app| {
        let ana = app.invite().await;
        let order = app.assigned("A-1042", &as_courier(&ana)).await;
        let mut phone = app.connect(&as_courier(&ana)).await;
        phone.send(&json!({ "type": "presence", "state": "tracking" })).await;
        phone.report(1, &[step(now_ms(), 0)]).await;
        let mut page = app.watch(&order).await;
        page.expect("snapshot").await;
        revoke(app, &ana.device()).await;
        let told = loop {
            let told = page.expect("presence").await;
            if told["state"] != "tracking" {
                break told;
            }
        };
        assert_eq!((&told["state"], &told["reason"]), (&json!("paused"), &json!("no_permission")), "{told}");
        let known = presence(app, &ana.courier).await;
        assert_eq!((&known["state"], &known["reason"]), (&json!("paused"), &json!("no_permission")), "{known}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_off_duty_stays_so_and_a_phone_that_was_never_used_says_nothing() {
    with_app(async |app| {
        let ana = app.invite().await;
        revoke(app, &ana.device()).await;
        assert_eq!(presence(app, &ana.courier).await, Value::Null);
        let ben = app.invite().await;
        let mut phone = app.connect(&as_courier(&ben)).await;
        phone.send(&json!({ "type": "presence", "state": "off_duty", "reason": "user" })).await;
        crate::support::eventually("going off duty", async || presence(app, &ben.courier).await["state"] == "off_duty")
            .await;
        revoke(app, &ben.device()).await;
        assert_eq!(phone.close_code().await, 4500);
        assert_eq!(presence(app, &ben.courier).await["state"], "off_duty");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_tracker_reports_the_position_is_still_shared() {
    with_app(async |app| {
        let ana = app.invite().await;
        let mut phone = app.connect(&as_courier(&ana)).await;
        phone.send(&json!({ "type": "presence", "state": "tracking" })).await;
        phone.everything_so_far().await;
        let tracker = app.device(&ana.courier).await;
        assert_eq!(report_by_traccar(app, &tracker).await.status, 200);
        revoke(app, &ana.device()).await;
        assert_eq!(phone.close_code().await, 4500);
        assert_eq!(presence(app, &ana.courier).await["state"], "tracking");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_connects_while_it_is_revoked_does_not_stay() {
    with_app(async |app| {
        for _ in 0..20 {
            let ana = app.invite().await;
            let bearer = format!("Bearer {}", ana.device_token);
            let headers = [("authorization", bearer.as_str())];
            let path = ana.device();
            let (connected, ()) = tokio::join!(Socket::try_connect(app, "/ws/courier", &headers), revoke(app, &path));
            match connected {
                Ok(mut socket) => assert_eq!(socket.close_code().await, 4500),
                Err(refused) => assert_eq!(refused.status, 401),
            }
        }
        // A closed connection waits a second at most for the other end's close frame.
        let none = async || app.state().connections.connected_devices().is_empty();
        crate::support::eventually("the last connection's end", none).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_can_be_revoked_only_where_it_belongs() {
    with_app(async |app| {
        let (ana, ben) = (app.invite().await, app.invite().await);
        for path in [
            format!("{}/{}", ben.devices(), ana.device),
            format!("{}/nothing", ana.devices()),
            format!("/api/v1/couriers/nobody/devices/{}", ana.device),
            format!("{}/{}", ana.devices(), uuid::Uuid::now_v7()),
        ] {
            Answer::to(app.request(Method::DELETE, &path)).await.expect_problem(404, "not_found");
        }
        let home = app.bare(Method::GET, "/api/v1/courier").bearer_auth(&ana.device_token);
        Answer::to(home).await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_shows_which_devices_are_in_use_and_with_what() {
    with_manual_clock(async |app, clock| {
        let ana = app.invite().await;
        let list = async || app.get(&ana.devices()).await.expect(200)["items"].clone();
        let unseen = list().await;
        assert_eq!(unseen[0]["id"], ana.device.as_str());
        assert_eq!(unseen[0]["label"], "Ana's phone");
        assert_eq!((unseen[0].get("last_seen_at"), unseen[0].get("client")), (None, None), "{unseen}");
        let session = app.sign_in(&ana.code).await;
        let browser = app.connect_browser(&session).await;
        let tablet = app.device(&ana.courier).await;
        assert_eq!(report_by_traccar(app, &tablet).await.status, 200);
        let seen = list().await;
        let clients: Vec<_> = seen.as_array().expect("a list").iter().map(|device| device["client"].clone()).collect();
        assert_eq!(clients, [json!("traccar"), json!("web")]);
        let minute = |device: &Value| {
            let text = device["last_seen_at"].as_str().expect("a time");
            let time = chrono::DateTime::parse_from_rfc3339(text).expect("RFC 3339").timestamp_millis();
            assert_eq!(time % 60_000, 0, "to the minute: {text}");
            time
        };
        let first = minute(&seen[1]);
        // A connected device counts as seen; one that has hung up is not seen any more.
        clock.advance(5 * 60_000);
        app.state().devices.check_connected().await.expect("the database is there");
        let seen = list().await;
        assert_eq!((minute(&seen[1]) - first, minute(&seen[0]) - first), (5 * 60_000, 0));
        drop(browser);
        let written: i64 = sqlx::query_scalar("select count(*) from devices where last_seen_at is not null")
            .fetch_one(&app.db)
            .await
            .expect("the table is there");
        assert_eq!(written, 2);
        revoke(app, &ana.device()).await;
        let after = list().await;
        assert_eq!(after[1]["id"], ana.device.as_str(), "a revoked one stands last");
        assert!(after[1]["revoked_at"].is_string() && after[0].get("revoked_at").is_none(), "{after}");
        assert_eq!(after[1]["client"], "web");
    })
    .await;
}
