//! A courier's connection: which clients may open one, what it sends first, and what happens to orders over it.

use doorstep_shared::{
    OrderId, OrderStatus,
    problem::ErrorDetails,
    protocol::courier::{CourierEvent, CourierMessage, StatusReport},
};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Answer, Socket, TestApp, TestCourier, eventually, now_ms, step, with_app, with_settings};

#[tokio::test(flavor = "multi_thread")]
async fn the_welcome_comes_first_and_names_the_courier_and_their_stops() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = Socket::courier(app, &ana.device_token).await;
        assert!(phone.headers.get("sec-websocket-protocol").is_none(), "none was offered");
        let welcome = phone.message().await;
        assert_eq!(welcome["type"], "welcome");
        assert_eq!(welcome["courier"], json!({ "id": ana.id, "name": "Ana" }));
        assert_eq!(welcome["max_fixes"], 500);
        assert!(welcome["server_time_ms"].as_i64().is_some_and(|time_ms| (time_ms - now_ms()).abs() < 5_000));
        assert!(welcome["pace"]["interval_ms"].as_u64().is_some_and(|ms| ms > 0), "{welcome}");
        let stops = [
            json!({ "order_id": order.id, "reference": "A-1042", "kind": "pickup", "sequence": 1, "lat": 35.8980, "lon": 14.5125,
                "address": "Harbour Kitchen", "status": "assigned" }),
            json!({ "order_id": order.id, "reference": "A-1042", "kind": "dropoff", "sequence": 2, "lat": 35.9012, "lon": 14.5160,
                "address": "12 Triq il-Merkanti", "instructions": "ring twice",
                "contact": { "name": "Eve", "phone": "+356 2122 0000" }, "status": "assigned" }),
        ];
        assert_eq!(welcome["stops"], Value::from(stops.to_vec()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_device_token_opens_a_courier_socket() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let cases = [
            None,
            Some("Bearer wrong".to_owned()),
            Some("Bearer ".to_owned()),
            Some(ana.device_token.clone()),
            Some(format!("Basic {}", ana.device_token)),
            Some(format!("Bearer {}", app.key)),
            Some(format!("Bearer {}", order.token)),
        ];
        for authorization in cases {
            let headers: Vec<_> = authorization.iter().map(|value| ("authorization", value.as_str())).collect();
            let refusal = Socket::try_connect(app, "/ws/courier", &headers)
                .await
                .err()
                .unwrap_or_else(|| panic!("{authorization:?}"));
            assert_eq!((refusal.status, refusal.code.as_str()), (401, "unauthorized"), "{authorization:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_of_another_site_is_refused_and_our_own_passes() {
    let arguments = ["--public-url=https://app.example.com", "--allowed-origins=https://console.example.org"];
    with_settings(&arguments, async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let bearer = format!("Bearer {}", ana.device_token);
        let page = format!("/ws/track/{}", order.token);
        let cases = [
            ("https://app.example.com", true),
            ("https://console.example.org", true),
            ("https://evil.example", false),
            ("null", false),
            ("", false),
            ("https://app.example.com.evil", false),
            ("https://evil-app.example.com", false),
            ("https://app.example.com:444", false),
            ("http://app.example.com", false),
            ("https://app.example.com/", false),
            ("https://app.example.com, https://evil.example", false),
        ];
        for (origin, passes) in cases {
            for path in ["/ws/courier", &page] {
                let headers = [("authorization", bearer.as_str()), ("origin", origin)];
                match (Socket::try_connect(app, path, &headers).await, passes) {
                    (Ok(_), true) => {}
                    (Err(refusal), false) => {
                        assert_eq!(
                            (refusal.status, refusal.code.as_str()),
                            (403, "origin_not_allowed"),
                            "{origin} {path}"
                        );
                    }
                    (answer, _) => panic!("{origin} {path}: {:?}", answer.err()),
                }
            }
        }
        let twice = [
            ("authorization", bearer.as_str()),
            ("origin", "https://app.example.com"),
            ("origin", "https://evil.example"),
        ];
        let refusal = Socket::try_connect(app, "/ws/courier", &twice).await.err().expect("two origins are none");
        assert_eq!(refusal.status, 403);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_subprotocol_is_agreed_or_refused_before_the_upgrade() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let bearer = format!("Bearer {}", ana.device_token);
        let cases = [
            ("doorstep.v1.json", Some("doorstep.v1.json")),
            ("doorstep.v1.postcard", Some("doorstep.v1.postcard")),
            ("mqtt, doorstep.v1.json", Some("doorstep.v1.json")),
            ("doorstep.v1.json, doorstep.v1.postcard", Some("doorstep.v1.json")),
            ("mqtt", None),
            ("doorstep.v2.json", None),
            ("DOORSTEP.V1.JSON", None),
        ];
        for (offer, expected) in cases {
            let headers = [("authorization", bearer.as_str()), ("sec-websocket-protocol", offer)];
            match (Socket::try_connect(app, "/ws/courier", &headers).await, expected) {
                (Ok(phone), Some(name)) => {
                    assert_eq!(
                        phone.headers.get("sec-websocket-protocol").and_then(|value| value.to_str().ok()),
                        Some(name)
                    );
                }
                (Err(refusal), None) => {
                    assert_eq!((refusal.status, refusal.code.as_str()), (400, "no_common_subprotocol"), "{offer}")
                }
                (answer, _) => panic!("{offer}: {:?}", answer.err()),
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_connection_of_a_device_closes_the_first_and_another_device_does_not() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let tablet = app.device(&ana.id).await;
        let mut first = app.connect(&ana).await;
        let mut other_device = Socket::courier(app, &tablet).await;
        other_device.expect("welcome").await;
        let mut second = app.connect(&ana).await;
        assert_eq!(first.close_code().await, 4503);
        let now = now_ms();
        assert_eq!(second.report(1, &[step(now - 1_000, 0)]).await["stored"], 1);
        assert_eq!(other_device.report(1, &[step(now, 1)]).await["stored"], 1);
        let mut third = app.connect(&ana).await;
        assert_eq!(second.close_code().await, 4503, "the newest wins again");
        assert_eq!(third.report(2, &[step(now + 1_000, 2)]).await["stored"], 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_kinds_of_ping_are_answered() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        phone.send(&json!({ "type": "ping" })).await;
        let pong = phone.message().await;
        assert_eq!(pong["type"], "pong");
        assert!(pong["server_time_ms"].as_i64().is_some_and(|time_ms| (time_ms - now_ms()).abs() < 5_000), "{pong}");
        for payload in [&b""[..], b"are you there?", &[0xFF; 125]] {
            phone.send_raw(Message::Ping(payload.to_vec().into())).await;
            assert_eq!(phone.pong().await, payload);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_frame_is_answered_with_its_code() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        let bye = tokio_tungstenite::tungstenite::protocol::CloseFrame { code: 1000.into(), reason: "".into() };
        phone.send_raw(Message::Close(Some(bye))).await;
        assert_eq!(phone.close_code().await, 1000);
    })
    .await;
}

async fn press(phone: &mut Socket, id: u64, order: &str, status: &str) -> Value {
    phone.send(&json!({ "type": "status", "id": id, "order_id": order, "status": status, "time_ms": now_ms() })).await;
    loop {
        let answer = phone.message().await;
        if answer["id"] == id {
            return answer;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_moves_their_order_on_and_a_repeat_is_a_duplicate() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        for (id, status) in (1..).zip(["at_pickup", "picked_up", "at_dropoff"]) {
            let ack = press(&mut phone, id, &order.id, status).await;
            assert_eq!(ack, json!({ "type": "ack", "id": id, "stored": 1, "duplicates": 0, "rejected": [] }));
            let shown = app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200);
            assert_eq!(shown["status"], status, "the ack means committed");
        }
        let again = press(&mut phone, 9, &order.id, "at_dropoff").await;
        assert_eq!(again, json!({ "type": "ack", "id": 9, "stored": 0, "duplicates": 1, "rejected": [] }));
        let shown = app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200);
        assert_eq!(shown["timeline"].as_array().map(Vec::len), Some(5), "{shown}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_impossible_status_is_an_error_with_the_id_a_sentence_and_the_values_behind_it() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        press(&mut phone, 1, &order.id, "delivered").await;
        for (id, status) in (18..).zip(["picked_up", "failed", "cancelled", "assigned", "created"]) {
            let error = press(&mut phone, id, &order.id, status).await;
            let expected = json!({ "type": "error", "id": id, "code": "invalid_transition", "message": "order A-1042 is already delivered",
                "details": { "from": "delivered", "to": status, "order_id": order.id } });
            assert_eq!(error, expected, "{status}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_dispatch_cancels_an_order() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        let expected = json!({ "type": "error", "id": 1, "code": "invalid_transition", "message": "only dispatch can make order A-1042 cancelled",
            "details": { "from": "assigned", "to": "cancelled", "order_id": order.id } });
        assert_eq!(press(&mut phone, 1, &order.id, "cancelled").await, expected);
        let shown = app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200);
        assert_eq!(shown["status"], "assigned");
        app.set_status(&order, "cancelled").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_small_wire_carries_the_same_values_and_other_errors_carry_none() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        app.set_status(&order, "failed").await;
        let order_id: OrderId = order.id.parse().expect("an id");
        let headers = [
            ("authorization", &*format!("Bearer {}", ana.device_token)),
            ("sec-websocket-protocol", "doorstep.v1.postcard"),
        ];
        let mut phone = Socket::connect(app, "/ws/courier", &headers).await;
        let to = OrderStatus::PickedUp;
        let details = Some(ErrorDetails::invalid_transition(order_id, OrderStatus::Failed, to));
        for (id, order_id, code, details) in
            [(5, order_id, "invalid_transition", details), (6, OrderId::new(), "not_found", None)]
        {
            let report = StatusReport { id, order_id, status: to, time_ms: 0, note: None };
            phone.send_postcard(&CourierMessage::Status(report)).await;
            let error = loop {
                if let CourierEvent::Error(error) = phone.postcard().await {
                    break error;
                }
            };
            assert_eq!((error.id, &*error.code, error.details), (Some(id), code, details));
        }
    })
    .await;
}

/// Keeps an order's row from being changed until the transaction ends.
async fn hold(app: &TestApp, order: &str) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut holding = app.db.begin().await.expect("the database is there");
    let locked = sqlx::query("select 1 from orders where id = $1::uuid for update").bind(order);
    locked.execute(&mut *holding).await.expect("the order is there");
    holding
}

/// Waits until a transaction waits for the lock that [`hold`] holds.
async fn a_transaction_waits(app: &TestApp) {
    let waiting =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    eventually("a transaction waiting for the order", async || {
        let count: i64 = sqlx::query_scalar(waiting).fetch_one(&app.db).await.expect("the database is there");
        count > 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_phone_said_last_is_seen_through_when_it_goes() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut page = app.watch(&order).await;
        let mut phone = app.connect(&ana).await;
        let holding = hold(app, &order.id).await;
        let delivered =
            json!({ "type": "status", "id": 1, "order_id": order.id, "status": "delivered", "time_ms": now_ms() });
        phone.send(&delivered).await;
        phone.send(&json!({ "type": "presence", "state": "off_duty", "time_ms": now_ms() })).await;
        a_transaction_waits(app).await;
        drop(phone);
        eventually("the phone being gone", async || app.state().connections.connected_couriers().is_empty()).await;
        holding.rollback().await.expect("the database is there");
        assert_eq!(page.expect("ended").await["status"], "delivered");
        eventually("the presence being stored", async || {
            let stored = sqlx::query_scalar("select presence_state from couriers where id = $1::uuid").bind(&ana.id);
            let stored: Option<String> = stored.fetch_one(&app.db).await.expect("the courier is there");
            stored.as_deref() == Some("off_duty")
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_reaches_viewers_whom_the_first_report_did_not_reach() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut page = app.watch(&order).await;
        page.expect("snapshot").await;
        let mut phone = app.connect(&ana).await;
        // As if the server had died between the commit and the publication.
        let stored = "update orders set status = 'delivered', status_at = now(), feed_from = null where id = $1::uuid";
        sqlx::query(stored).bind(&order.id).execute(&app.db).await.expect("the order is there");
        assert_eq!(press(&mut phone, 1, &order.id, "delivered").await["duplicates"], 1);
        assert_eq!(page.expect("ended").await["status"], "delivered");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_could_not_be_read_is_read_later() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.order("A-1042").await;
        let mut phone = app.connect(&ana).await;
        let assigned = "update orders set status = 'assigned', courier_id = $2::uuid, assigned_at = now(), leg_from = now() where id = $1::uuid";
        sqlx::query(assigned).bind(&order.id).bind(&ana.id).execute(&app.db).await.expect("the order is there");
        sqlx::query("alter table couriers rename to elsewhere").execute(&app.db).await.expect("it is not locked");
        app.state().plans.refresh(ana.id.parse().expect("an id")).await;
        sqlx::query("alter table elsewhere rename to couriers").execute(&app.db).await.expect("it is not locked");
        let stops = phone.expect("stops").await;
        assert_eq!(stops["stops"].as_array().map(Vec::len), Some(2), "pickup and drop-off: {stops}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_goes_on_when_its_client_hangs_up() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut page = app.watch(&order).await;
        let holding = hold(app, &order.id).await;
        let request = app.request(reqwest::Method::POST, &format!("/api/v1/orders/{}/status", order.id));
        let asking = Answer::to(request.json(&json!({ "status": "delivered" })));
        tokio::select! {
            answer = asking => panic!("the order is held: {answer:?}"),
            () = a_transaction_waits(app) => {}
        }
        holding.rollback().await.expect("the database is there");
        assert_eq!(page.expect("ended").await["status"], "delivered");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_couriers_order_does_not_exist_for_a_courier() {
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let bens = app.assigned("B-1", &ben).await;
        let unassigned = app.order("C-1").await;
        let mut phone = app.connect(&ana).await;
        let unknown = uuid::Uuid::now_v7().to_string();
        let answers = [
            press(&mut phone, 1, &bens.id, "delivered").await,
            press(&mut phone, 1, &unassigned.id, "delivered").await,
            press(&mut phone, 1, &unknown, "delivered").await,
        ];
        for answer in &answers {
            assert_eq!((&answer["type"], &answer["code"]), (&json!("error"), &json!("not_found")), "{answer}");
            assert_eq!(answer, &answers[2], "nothing tells another's order from none");
        }
        let shown = app.get(&format!("/api/v1/orders/{}", bens.id)).await.expect(200);
        assert_eq!(shown["status"], "assigned");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_that_come_at_once_take_effect_in_the_order_sent() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        for round in 0..5 {
            let order = app.assigned(&format!("A-{round}"), &ana).await;
            let statuses = ["at_pickup", "picked_up", "at_dropoff", "delivered"];
            for (id, status) in (1..).zip(statuses) {
                phone.send(&json!({ "type": "status", "id": id, "order_id": order.id, "status": status, "time_ms": now_ms() })).await;
            }
            for id in 1..=4 {
                let ack = phone.expect("ack").await;
                assert_eq!((&ack["id"], &ack["stored"]), (&json!(id), &json!(1)), "{ack}");
            }
        }
        for state in ["paused", "off_duty", "paused", "tracking", "off_duty"] {
            phone.send(&json!({ "type": "presence", "state": state, "time_ms": now_ms() })).await;
        }
        // A later report that is answered proves that the earlier ones are done.
        press(&mut phone, 99, &uuid::Uuid::now_v7().to_string(), "delivered").await;
        let shown = app.get(&format!("/api/v1/couriers/{}", ana.id)).await.expect(200);
        assert_eq!(shown["presence"]["state"], "off_duty");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remark_that_cannot_be_kept_is_refused_for_good() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        for (id, note) in (1..).zip(["a\u{0}b".to_owned(), "\u{1b}[31m".to_owned(), "x".repeat(1_001)]) {
            let report = json!({ "type": "status", "id": id, "order_id": order.id, "status": "picked_up", "time_ms": 1, "note": note });
            phone.send(&report).await;
            let error = phone.expect("error").await;
            assert_eq!((&error["id"], &error["code"]), (&json!(id), &json!("bad_message")), "{error}");
        }
        let report = json!({ "type": "status", "id": 9, "order_id": order.id, "status": "failed", "time_ms": 1, "note": "nobody\nthere" });
        phone.send(&report).await;
        assert_eq!(phone.expect("ack").await["stored"], 1);
        let shown = app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200);
        assert_eq!(shown["timeline"][2]["note"], "nobody\nthere");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_a_report_is_the_phones_but_never_impossible() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        for (id, status, time_ms) in
            [(1, "at_pickup", i64::MIN), (2, "picked_up", i64::MAX), (3, "at_dropoff", now_ms() - 86_400_000)]
        {
            phone
                .send(
                    &json!({ "type": "status", "id": id, "order_id": order.id, "status": status, "time_ms": time_ms }),
                )
                .await;
            assert_eq!(phone.expect("ack").await["stored"], 1);
        }
        let shown = app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200);
        let times: Vec<_> = shown["timeline"]
            .as_array()
            .expect("a timeline")
            .iter()
            .map(|event| event["at"].as_str().expect("a time").to_owned())
            .collect();
        let times: Vec<chrono::DateTime<chrono::Utc>> =
            times.iter().map(|time| time.parse().expect("RFC 3339")).collect();
        assert!(times.is_sorted(), "{times:?}");
        assert!(times.last().is_some_and(|last| last.timestamp_millis() <= now_ms()), "{times:?}");
    })
    .await;
}

async fn references_of(phone: &mut Socket) -> Vec<String> {
    let stops = phone.expect("stops").await;
    let stops = stops["stops"].as_array().expect("a list").clone();
    stops
        .iter()
        .map(|stop| {
            format!("{} {}", stop["reference"].as_str().unwrap_or_default(), stop["kind"].as_str().unwrap_or_default())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_assignment_brings_the_new_stops_and_a_reassignment_takes_them_away() {
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let (mut anas, mut bens) = (app.connect(&ana).await, app.connect(&ben).await);
        let first = app.assigned("A-1", &ana).await;
        assert_eq!(references_of(&mut anas).await, ["A-1 pickup", "A-1 dropoff"]);
        app.assigned("A-2", &ana).await;
        assert_eq!(references_of(&mut anas).await, ["A-1 pickup", "A-2 pickup", "A-1 dropoff", "A-2 dropoff"]);
        app.set_status(&first, "picked_up").await;
        assert_eq!(references_of(&mut anas).await, ["A-2 pickup", "A-1 dropoff", "A-2 dropoff"]);
        app.assign(&first, &ben).await;
        assert_eq!(references_of(&mut anas).await, ["A-2 pickup", "A-2 dropoff"]);
        assert_eq!(references_of(&mut bens).await, ["A-1 dropoff"]);
        app.set_status(&first, "delivered").await;
        assert!(references_of(&mut bens).await.is_empty());
    })
    .await;
}

/// Off duty survives a restart, however the courier comes back into memory.
#[tokio::test(flavor = "multi_thread")]
async fn an_off_duty_courier_stays_off_duty_when_a_restart_and_an_order_come_between() {
    let database = crate::support::Database::create().await;
    let app = TestApp::start(&database, &[]).await;
    let ana: TestCourier = app.courier("Ana").await;
    let mut phone = app.connect(&ana).await;
    phone.send(&json!({ "type": "presence", "state": "off_duty", "time_ms": now_ms() - 1_000 })).await;
    press(&mut phone, 1, &uuid::Uuid::now_v7().to_string(), "delivered").await;
    app.stop().await;

    let app = TestApp::start(&database, &[]).await;
    app.assigned("A-1", &ana).await;
    let ack = app.connect(&ana).await.report(1, &[step(now_ms(), 0)]).await;
    assert_eq!(ack["rejected"], json!([{ "index": 0, "code": "off_duty" }]));
    app.stop().await;
    database.remove().await;
}
