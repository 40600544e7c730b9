//! What couriers report besides the next status: goods that are not ready, orders given back, and reports that come too
//! late because a phone was offline.

use doorstep_server::{platform::clock::ManualClock, store::access::Role};
use doorstep_shared::{
    LatLon,
    protocol::{
        Codec,
        courier::{CourierMessage, OrderReport, ReportKind},
    },
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, HERE, Socket, TestApp, TestCourier, TestOrder, TestPerson, text, with_app, with_manual_clock,
};

const MINUTE_MS: i64 = 60_000;

async fn dora(app: &TestApp) -> TestPerson {
    app.person("dora@example.com", Role::Dispatcher).await
}

async fn exceptions(app: &TestApp, by: &TestPerson) -> Vec<Value> {
    let answer = Answer::to(app.as_person(by, Method::GET, "/api/v1/exceptions")).await.expect(200);
    answer["items"].as_array().expect("items").clone()
}

async fn pass(app: &TestApp, hand: &ManualClock, ms: i64) {
    hand.advance(ms);
    app.state().exceptions.make_round().await.expect("the database is there");
}

async fn console(app: &TestApp) -> Socket {
    let authorization = format!("Bearer {}", app.key);
    let mut socket = Socket::connect(app, "/ws/fleet", &[("authorization", &authorization)]).await;
    socket.expect("snapshot").await;
    socket
}

async fn show(app: &TestApp, order: &TestOrder) -> Value {
    app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200)
}

fn now_of(app: &TestApp) -> i64 {
    app.state().clock.now_ms()
}

fn report(app: &TestApp, id: u64, order: &TestOrder, what: &str) -> Value {
    json!({ "type": "report", "id": id, "order_id": order.id, "report": what, "time_ms": now_of(app), "note": "no rider bag" })
}

fn status(app: &TestApp, id: u64, order: &TestOrder, status: &str) -> Value {
    json!({ "type": "status", "id": id, "order_id": order.id, "status": status, "time_ms": now_of(app) })
}

/// Sends a report, and returns the ack or the error.
async fn answer(phone: &mut Socket, message: &Value) -> Value {
    phone.send(message).await;
    loop {
        let answer = phone.message().await;
        if ["ack", "error"].iter().any(|kind| answer["type"] == *kind) {
            assert_eq!(answer["id"], message["id"], "{answer}");
            return answer;
        }
    }
}

async fn taken(phone: &mut Socket, message: &Value) -> bool {
    let answer = answer(phone, message).await;
    assert_eq!(answer["type"], "ack", "{answer}");
    answer["stored"] == 1
}

async fn refused(phone: &mut Socket, message: &Value, code: &str) -> Value {
    let answer = answer(phone, message).await;
    assert_eq!(answer["code"], code, "{answer}");
    answer
}

fn kinds(order: &Value) -> Vec<String> {
    order["timeline"].as_array().expect("a list").iter().map(|event| text(&event["kind"])).collect()
}

/// An order collected there `wait_ms` after its courier came.
async fn collected_after(app: &TestApp, hand: &ManualClock, courier: &TestCourier, wait_ms: i64) {
    let order = app.assigned("earlier", courier).await;
    app.set_status(&order, "at_pickup").await;
    hand.advance(wait_ms);
    app.set_status(&order, "picked_up").await;
    app.set_status(&order, "delivered").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_that_are_not_ready_are_waited_for_and_dispatch_hears_when_it_takes_too_long() {
    with_manual_clock(async |app, hand| {
        let (dora, ana) = (dora(app).await, app.courier("Ana").await);
        let order = app.assigned("A-1", &ana).await;
        let (mut phone, mut console) = (app.connect(&ana).await, console(app).await);
        let not_ready = report(app, 1, &order, "not_ready");
        assert!(taken(&mut phone, &not_ready).await);
        assert!(!taken(&mut phone, &not_ready).await, "a phone may send it again");
        let shown = show(app, &order).await;
        assert_eq!(
            (&shown["status"], kinds(&shown)),
            (&json!("at_pickup"), ["status", "assigned", "not_ready"].map(String::from).to_vec())
        );
        assert_eq!(
            (&shown["timeline"][2]["note"], &shown["timeline"][2]["actor_name"]),
            (&json!("no rider bag"), &json!("Ana"))
        );
        assert_eq!(console.expect("order").await["order"]["status"], "at_pickup");

        pass(app, hand, 9 * MINUTE_MS).await;
        assert_eq!(exceptions(app, &dora).await.iter().filter(|it| it["code"] == "not_ready").count(), 0);
        pass(app, hand, 2 * MINUTE_MS).await;
        while console.expect("alert").await["alert"]["code"] != "not_ready" {}
        let open = exceptions(app, &dora).await;
        let waiting = open.iter().find(|it| it["code"] == "not_ready").expect("it takes too long");
        assert_eq!((&waiting["waiting_s"], &waiting["remark"]), (&json!(11 * 60), &json!("no rider bag")));
        assert_eq!((&waiting["courier_name"], &waiting["order_reference"]), (&json!("Ana"), &json!("A-1")));
        assert!(taken(&mut phone, &status(app, 2, &order, "picked_up")).await);
        pass(app, hand, 5_000).await;
        let open = exceptions(app, &dora).await;
        assert!(open.iter().find(|it| it["code"] == "not_ready").expect("not acknowledged").get("ended_at").is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_long_is_too_long_is_learned_from_those_who_waited_there() {
    with_manual_clock(async |app, hand| {
        let (dora, ana) = (dora(app).await, app.courier("Ana").await);
        let here = LatLon::try_new(HERE.0, HERE.1).expect("on earth");
        let (near, far) = (LatLon::try_new(HERE.0 + 0.000_4, HERE.1), LatLon::try_new(HERE.0 + 0.001, HERE.1));
        let places = [here, near.expect("on earth"), far.expect("on earth")];
        let usual = async || {
            let now = app.state().clock.now();
            app.state().store.usual_waits(&places, now).await.expect("the database is there")
        };
        for wait_s in [20, 200, 100, 150] {
            collected_after(app, hand, &ana, wait_s * 1_000).await;
        }
        assert_eq!(usual().await, [None, None, None], "four say too little");
        collected_after(app, hand, &ana, 90_000).await;
        assert_eq!(usual().await, [Some(100), Some(100), None], "the median, within sixty metres");

        let order = app.assigned("A-1", &ana).await;
        let mut phone = app.connect(&ana).await;
        assert!(taken(&mut phone, &report(app, 1, &order, "not_ready")).await);
        pass(app, hand, 90_000).await;
        assert_eq!(exceptions(app, &dora).await, [] as [Value; 0]);
        pass(app, hand, 20_000).await;
        assert_eq!(exceptions(app, &dora).await[0]["code"], "not_ready");
        app.assign(&order, &app.courier("Ben").await).await;
        pass(app, hand, 5_000).await;
        assert!(exceptions(app, &dora).await[0].get("ended_at").is_some(), "it was taken from Ana");
        hand.advance(31 * 24 * 60 * MINUTE_MS);
        assert_eq!(usual().await, [None, None, None], "what was a month ago says nothing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_given_back_waits_for_another_courier_and_dispatch_hears_of_it() {
    with_manual_clock(async |app, hand| {
        let (dora, ana, ben) = (dora(app).await, app.courier("Ana").await, app.courier("Ben").await);
        let order = app.assigned("A-1", &ana).await;
        let (mut phone, mut console) = (app.connect(&ana).await, console(app).await);
        app.set_status(&order, "at_pickup").await;
        let give_back = report(app, 1, &order, "give_back");
        assert!(taken(&mut phone, &give_back).await);
        assert!(!taken(&mut phone, &give_back).await);
        let alert = console.expect("alert").await["alert"].clone();
        assert_eq!((&alert["code"], &alert["order_id"]), (&json!("given_back"), &json!(order.id)));
        let shown = show(app, &order).await;
        assert_eq!((&shown["status"], shown.get("courier_id")), (&json!("created"), None));
        assert_eq!(kinds(&shown).last().map(String::as_str), Some("given_back"));
        let open = exceptions(app, &dora).await;
        assert_eq!(
            (open.len(), &open[0]["code"], &open[0]["remark"]),
            (1, &json!("given_back"), &json!("no rider bag"))
        );
        assert_eq!(open[0]["courier_name"], "Ana");
        pass(app, hand, 5_000).await;
        assert!(exceptions(app, &dora).await[0].get("ended_at").is_none(), "it still waits");
        app.assign(&order, &ben).await;
        pass(app, hand, 5_000).await;
        assert!(exceptions(app, &dora).await[0].get("ended_at").is_some());

        let withdrawn = refused(&mut phone, &report(app, 2, &order, "not_ready"), "order_withdrawn").await;
        assert_eq!(withdrawn["details"]["courier_name"], "Ben");
        assert!(!taken(&mut phone, &give_back).await, "still the same report");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_the_next_courier_gives_back_at_once_is_told_again() {
    with_manual_clock(async |app, hand| {
        let (dora, ana, ben) = (dora(app).await, app.courier("Ana").await, app.courier("Ben").await);
        let order = app.assigned("A-1", &ana).await;
        let (mut of_ana, mut of_ben) = (app.connect(&ana).await, app.connect(&ben).await);
        let mut console = console(app).await;
        assert!(taken(&mut of_ana, &report(app, 1, &order, "give_back")).await);
        assert_eq!(console.expect("alert").await["alert"]["courier_id"], json!(ana.id));
        hand.advance(1_000);
        app.assign(&order, &ben).await;
        assert!(exceptions(app, &dora).await[0]["ended_at"].is_string(), "with the assignment, not some seconds later");
        hand.advance(1_000);
        assert!(taken(&mut of_ben, &report(app, 1, &order, "give_back")).await);
        assert_eq!(console.expect("alert").await["alert"]["courier_id"], json!(ben.id));
        let open = exceptions(app, &dora).await;
        let by: Vec<_> = open.iter().map(|item| (&item["courier_name"], item.get("ended_at").is_some())).collect();
        assert_eq!(by, [(&json!("Ben"), false), (&json!("Ana"), true)]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_order_whose_goods_are_not_on_board_is_held_up_or_given_back() {
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let (order, other) = (app.assigned("A-1", &ana).await, app.assigned("B-1", &ben).await);
        let mut phone = app.connect(&ana).await;
        app.set_status(&order, "picked_up").await;
        for (what, to) in [("not_ready", "at_pickup"), ("give_back", "created")] {
            let refusal = refused(&mut phone, &report(app, 1, &order, what), "invalid_transition").await;
            assert_eq!(refusal["details"], json!({ "from": "picked_up", "to": to, "order_id": order.id }));
            refused(&mut phone, &report(app, 2, &other, what), "not_found").await;
        }
        let mut long = report(app, 3, &order, "give_back");
        long["note"] = json!("x".repeat(1_001));
        refused(&mut phone, &long, "bad_message").await;
        refused(&mut phone, &report(app, 4, &order, "on_fire"), "bad_message").await;
        assert_eq!(show(app, &order).await["status"], "picked_up");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_native_phone_reports_in_postcard_too() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1", &ana).await;
        let headers = [
            ("authorization", &*format!("Bearer {}", ana.device_token)),
            ("sec-websocket-protocol", Codec::Postcard.subprotocol()),
        ];
        let mut phone = Socket::connect(app, "/ws/courier", &headers).await;
        let order_id = order.id.parse().expect("an id");
        let (report, time_ms) = (ReportKind::GiveBack, now_of(app));
        let report = OrderReport { id: 7, order_id, report, time_ms, note: None, lat: None, lon: None };
        phone.send_postcard(&CourierMessage::Report(report)).await;
        loop {
            if let doorstep_shared::protocol::courier::CourierEvent::Ack(ack) = phone.postcard().await {
                assert_eq!((ack.id, ack.stored), (7, 1));
                break;
            }
        }
        assert_eq!(show(app, &order).await["status"], "created");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_delivered_of_the_former_courier_reaches_dispatch_and_is_kept_once() {
    with_app(async |app| {
        let (dora, ana, ben) = (dora(app).await, app.courier("Ana").await, app.courier("Ben").await);
        let order = app.assigned("A-1", &ana).await;
        app.set_status(&order, "picked_up").await;
        let mut console = console(app).await;
        let delivered = status(app, 1, &order, "delivered");
        app.assign(&order, &ben).await;
        let before = show(app, &order).await;
        let mut phone = app.connect(&ana).await;
        for _ in 0..3 {
            let refusal = refused(&mut phone, &delivered, "order_withdrawn").await;
            let expected = json!({ "order_id": order.id, "status": "picked_up", "courier_name": "Ben" });
            assert_eq!(refusal["details"], expected);
            assert!(
                refusal["message"].as_str().is_some_and(|text| text.contains("A-1") && text.contains("Ben")),
                "{refusal}"
            );
        }
        let alert = console.expect("alert").await["alert"].clone();
        assert_eq!((&alert["code"], &alert["courier_id"]), (&json!("late_report"), &json!(ana.id)));
        let open = exceptions(app, &dora).await;
        assert_eq!(
            (open.len(), &open[0]["code"], &open[0]["reported"]),
            (1, &json!("late_report"), &json!("delivered"))
        );
        assert_eq!((&open[0]["courier_name"], &open[0]["order_reference"]), (&json!("Ana"), &json!("A-1")));
        let after = show(app, &order).await;
        assert_eq!(
            (&after["status"], &after["version"]),
            (&before["status"], &before["version"]),
            "it did not take it"
        );
        let late = &after["timeline"][4];
        assert_eq!((&late["kind"], &late["status"]), (&json!("late_report"), &json!("delivered")));
        assert_eq!((&late["actor_name"], &late["courier_name"]), (&json!("Ana"), &json!("Ana")));
        assert_eq!(after["timeline"].as_array().map(Vec::len), Some(5), "once");
        let page = app.watch(&order).await.expect("snapshot").await;
        assert!(!page["order"]["timeline"].to_string().contains("delivered"), "{page}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_pressed_on_one_trip_without_a_network_is_one_matter_for_dispatch() {
    with_app(async |app| {
        let (dora, ana, ben) = (dora(app).await, app.courier("Ana").await, app.courier("Ben").await);
        let order = app.assigned("A-1", &ana).await;
        app.set_status(&order, "picked_up").await;
        let mut at_ms = now_of(app);
        let mut pressed = ["at_dropoff", "delivered"].map(|status| {
            at_ms += 1_000;
            json!({ "type": "status", "id": at_ms, "order_id": order.id, "status": status, "time_ms": at_ms - 60_000 })
        });
        app.assign(&order, &ben).await;
        let mut console = console(app).await;
        let mut phone = app.connect(&ana).await;
        for message in &pressed {
            refused(&mut phone, message, "order_withdrawn").await;
            assert_eq!(console.expect("alert").await["alert"]["code"], "late_report");
        }
        let open = exceptions(app, &dora).await;
        let told: Vec<_> = open.iter().map(|late| text(&late["reported"])).collect();
        assert_eq!(told, ["delivered"], "the last of it");
        let late = kinds(&show(app, &order).await).into_iter().filter(|kind| kind == "late_report").count();
        assert_eq!(late, 2, "the history has both");

        let path = format!("/api/v1/exceptions/{}/acknowledge", text(&open[0]["id"]));
        Answer::to(app.as_person(&dora, Method::POST, &path).json(&json!({}))).await.expect(200);
        pressed[1]["status"] = json!("failed");
        refused(&mut phone, &pressed[1], "order_withdrawn").await;
        let told: Vec<_> = exceptions(app, &dora).await.iter().map(|late| text(&late["reported"])).collect();
        assert_eq!(told, ["failed"], "what comes after somebody took care of it is a new matter");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_cannot_follow_any_more_is_kept_and_one_that_is_behind_is_not() {
    with_app(async |app| {
        let (dora, ana) = (dora(app).await, app.courier("Ana").await);
        let cancelled = app.assigned("A-1", &ana).await;
        let on_the_way = app.assigned("A-2", &ana).await;
        let mut phone = app.connect(&ana).await;
        app.set_status(&cancelled, "cancelled").await;
        let refusal = refused(&mut phone, &status(app, 1, &cancelled, "picked_up"), "invalid_transition").await;
        assert_eq!(refusal["details"]["from"], "cancelled");
        assert_eq!(kinds(&show(app, &cancelled).await).last().map(String::as_str), Some("late_report"));

        let at_pickup = status(app, 2, &on_the_way, "at_pickup");
        assert!(taken(&mut phone, &at_pickup).await);
        assert!(taken(&mut phone, &status(app, 3, &on_the_way, "picked_up")).await);
        refused(&mut phone, &at_pickup, "invalid_transition").await;
        let open = exceptions(app, &dora).await;
        assert_eq!(open.len(), 1, "a phone that sends its reports again says nothing new: {open:?}");
        assert_eq!(open[0]["reported"], "picked_up");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_report_of_before_the_order_changed_hands_is_no_news() {
    with_app(async |app| {
        let (dora, ana, ben) = (dora(app).await, app.courier("Ana").await, app.courier("Ben").await);
        let order = app.assigned("A-1", &ana).await;
        let mut phone = app.connect(&ana).await;
        let picked_up = status(app, 1, &order, "picked_up");
        assert!(taken(&mut phone, &picked_up).await);
        app.assign(&order, &ben).await;
        refused(&mut phone, &picked_up, "order_withdrawn").await;
        assert_eq!(exceptions(app, &dora).await, [] as [Value; 0]);
        let stranger = app.courier("Carmen").await;
        let mut phone = app.connect(&stranger).await;
        refused(&mut phone, &status(app, 1, &order, "delivered"), "not_found").await;
        assert_eq!(kinds(&show(app, &order).await).len(), 4, "a stranger's report is kept nowhere");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_goods_of_a_cancelled_order_come_back_and_it_stays_cancelled() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1", &ana).await;
        let mut phone = app.connect(&ana).await;
        assert!(taken(&mut phone, &status(app, 1, &order, "picked_up")).await);
        app.set_status(&order, "cancelled").await;
        assert_eq!(show(app, &order).await["carried_by"], json!(ana.id));
        let returned = status(app, 2, &order, "returned");
        assert!(taken(&mut phone, &returned).await);
        assert!(!taken(&mut phone, &returned).await);
        let shown = show(app, &order).await;
        assert_eq!((&shown["status"], shown.get("carried_by")), (&json!("cancelled"), None));
        assert_eq!(kinds(&shown).last().map(String::as_str), Some("goods_returned"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_has_the_order_open_hears_of_the_wait() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1", &ana).await;
        let mut phone = app.connect(&ana).await;
        assert!(taken(&mut phone, &status(app, 1, &order, "at_pickup")).await);
        let before = show(app, &order).await["version"].as_u64().expect("a version");
        let mut console = console(app).await;
        assert!(taken(&mut phone, &report(app, 2, &order, "not_ready")).await);
        let told = loop {
            let told = console.expect("order").await;
            if told["order"]["version"].as_u64() > Some(before) {
                break told;
            }
        };
        assert_eq!((&told["order"]["id"], &told["order"]["status"]), (&json!(order.id), &json!("at_pickup")));
        assert_eq!(show(app, &order).await["version"], before + 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_a_courier_found_elsewhere_is_proposed_once_and_taken_or_left() {
    with_app(async |app| {
        let (dora, ana) = (dora(app).await, app.courier("Ana").await);
        let order = app.assigned("A-1", &ana).await;
        let (mut phone, mut console) = (app.connect(&ana).await, console(app).await);
        // Within the area of the tests' server; the order's own door is far outside it.
        let here = |id: u64| {
            let mut said = report(app, id, &order, "door_here");
            (said["lat"], said["lon"]) = (json!(60.0), json!(5.0005));
            said
        };
        refused(&mut phone, &here(1), "invalid_transition").await;
        app.set_status(&order, "at_dropoff").await;
        refused(&mut phone, &report(app, 2, &order, "door_here"), "bad_message").await;
        let said = here(3);
        assert!(taken(&mut phone, &said).await);
        assert!(!taken(&mut phone, &said).await, "a phone may send it again");
        while console.expect("alert").await["alert"]["code"] != "door_elsewhere" {}
        let open = exceptions(app, &dora).await;
        let proposed: Vec<_> = open.iter().filter(|it| it["code"] == "door_elsewhere").collect();
        assert_eq!((proposed.len(), &proposed[0]["at"]), (1, &json!({ "lat": 60.0, "lon": 5.0005 })));
        assert_eq!((&proposed[0]["courier_name"], &proposed[0]["order_reference"]), (&json!("Ana"), &json!("A-1")));
        assert!(proposed[0]["distance_m"].as_u64().is_some_and(|metres| metres > 1_000), "{}", proposed[0]);
        assert_eq!(show(app, &order).await["status"], "at_dropoff", "the order stays as it is");

        let take = format!("/api/v1/exceptions/{}/pin", text(&proposed[0]["id"]));
        let settled = Answer::to(app.as_person(&dora, Method::POST, &take)).await.expect(200);
        assert_eq!(settled["acknowledged_by"], json!("dora@example.com"));
        let pins = app.get("/api/v1/places/pins").await.expect(200);
        let pin = &pins["items"][0];
        assert_eq!((&pin["lat"], &pin["pinned_by"]), (&json!(60.0), &json!("dora@example.com")));
        assert_eq!(pin["address"], show(app, &order).await["dropoff"]["address"]);
        Answer::to(app.as_person(&dora, Method::POST, &take)).await.expect(200);
        assert_eq!(app.get("/api/v1/places/pins").await.expect(200)["items"].as_array().map(Vec::len), Some(1));

        app.set_status(&order, "delivered").await;
        assert!(taken(&mut phone, &here(4)).await, "what was said offline comes later than what dispatch did");
    })
    .await;
}
