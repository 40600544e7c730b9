//! Orders that go back, are tried again, and whose end was a mistake: what dispatch, couriers and customers see of it.

use doorstep_server::store::access::Role;
use doorstep_shared::OrderStatus;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, Socket, TestApp, TestCourier, TestOrder, TestPerson, eventually, now_ms, order_body, step, text, with_app,
    with_manual_clock, with_settings, with_two_instances,
};

async fn call(app: &TestApp, order: &TestOrder, what: &str, body: &Value) -> Answer {
    app.post(&format!("/api/v1/orders/{}/{what}", order.id), body).await
}

async fn show(app: &TestApp, order: &TestOrder) -> Value {
    app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200)
}

async fn dora(app: &TestApp) -> TestPerson {
    app.person("dora@example.com", Role::Dispatcher).await
}

async fn reopen(app: &TestApp, by: &TestPerson, order: &TestOrder, body: &Value) -> Answer {
    let request = app.as_person(by, Method::POST, &format!("/api/v1/orders/{}/reopen", order.id));
    Answer::to(request.header("origin", app.origin()).json(body)).await
}

fn mistake() -> Value {
    json!({ "reason": "the wrong button" })
}

/// The steps that the customer's page shows.
async fn steps(app: &TestApp, order: &TestOrder) -> Vec<String> {
    let snapshot = app.watch(order).await.expect("snapshot").await;
    snapshot["order"]["timeline"].as_array().expect("a list").iter().map(|entry| text(&entry["status"])).collect()
}

fn history(order: &Value) -> Vec<(String, String)> {
    let events = order["timeline"].as_array().expect("a list").iter();
    events.map(|event| (text(&event["kind"]), text(&event["status"]))).collect()
}

async fn link_status(app: &TestApp, order: &TestOrder) -> u16 {
    let path = format!("/api/v1/track/{}", order.token);
    Answer::to(app.bare(Method::GET, &path)).await.status.as_u16()
}

/// Orders of this courier whose customer sees them.
async fn open_feeds(app: &TestApp, courier: &TestCourier) -> Vec<String> {
    sqlx::query_scalar("select id::text from orders where courier_id = $1::uuid and feed_from is not null")
        .bind(&courier.id)
        .fetch_all(&app.db)
        .await
        .expect("orders can be read")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_taken_back_until_it_is_collected() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        for status in ["assigned", "at_pickup"] {
            let order = app.assigned("A-1", &ana).await;
            if status != "assigned" {
                app.set_status(&order, status).await;
            }
            let answer = call(app, &order, "unassign", &json!({ "reason": "the kitchen is closed" })).await;
            assert_eq!(answer.header("etag"), format!("\"{}\"", answer.json()["version"]));
            let taken = answer.expect(200);
            assert_eq!(taken["status"], "created");
            assert!(taken.get("courier_id").is_none(), "{taken}");
            let event = taken["timeline"].as_array().and_then(|events| events.last()).expect("an event");
            assert_eq!((&event["kind"], &event["note"]), (&json!("unassigned"), &json!("the kitchen is closed")));
            assert_eq!((&event["courier_name"], &event["actor_name"]), (&json!("Ana"), &json!("tests")));
            let problem = call(app, &order, "unassign", &json!({})).await.expect_problem(409, "invalid_transition");
            assert_eq!(problem["details"], json!({ "from": "created", "to": "created", "order_id": order.id }));
        }
        for status in ["picked_up", "at_dropoff", "delivered", "failed", "cancelled"] {
            let order = app.assigned("A-1", &ana).await;
            app.set_status(&order, status).await;
            let problem = call(app, &order, "unassign", &json!({})).await.expect_problem(409, "invalid_transition");
            assert_eq!(problem["details"], json!({ "from": status, "to": "created", "order_id": order.id }));
        }
        let order = app.assigned("A-1", &ana).await;
        let path = format!("/api/v1/orders/{}/unassign", order.id);
        let unassigned = Answer::to(app.request(Method::POST, &path)).await.expect(200);
        assert_eq!(unassigned["status"], "created", "a body says nothing that is needed");
        app.assign(&order, &ana).await;
        Answer::to(app.request(Method::POST, &path).body("{")).await.expect_problem(415, "unsupported_media_type");
        let long = json!({ "reason": "x".repeat(1_001) });
        call(app, &order, "unassign", &long).await.expect_problem(422, "invalid_fields");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_whose_order_is_taken_back_disappears_from_its_page_and_it_from_their_phone() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1", &ana).await;
        let next = app.assigned("A-2", &ana).await;
        let mut phone = app.connect(&ana).await;
        phone.report(1, &[step(now_ms(), 0)]).await;
        let mut page = app.watch(&order).await;
        assert_eq!(page.expect("snapshot").await["courier"]["name"], "Ana");
        assert_eq!(open_feeds(app, &ana).await, [order.id.as_str()]);
        call(app, &order, "unassign", &json!({})).await.expect(200);
        assert_eq!(page.expect("order").await["status"], "created");
        let snapshot = page.expect("snapshot").await;
        assert!(snapshot.get("courier").is_none() && snapshot.get("position").is_none(), "{snapshot}");
        assert_eq!(phone.expect("stops").await["stops"][0]["order_id"], json!(next.id));
        assert_eq!(open_feeds(app, &ana).await, [next.id.as_str()], "the next customer sees Ana now");
        assert_eq!(steps(app, &order).await, ["created", "assigned", "created"], "it waits for another courier");
        app.assign(&order, &ana).await;
        assert_eq!(steps(app, &order).await, ["created", "assigned", "created", "assigned"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_attempt_keeps_what_the_order_is_known_by() {
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let mut body = order_body("A-1");
        body["promised_until"] = json!("2026-12-01T11:00:00Z");
        let created = app.post("/api/v1/orders", &body).await.expect(201);
        let order = TestOrder { id: text(&created["id"]), token: text(&created["tracking_token"]) };
        app.assign(&order, &ana).await;
        for status in ["picked_up", "at_dropoff", "failed"] {
            app.set_status(&order, status).await;
        }
        let failed = show(app, &order).await;
        assert_eq!((&failed["carried_by"], &failed["attempt"]), (&json!(ana.id), &json!(1)), "still on board");

        let again = json!({ "promised_from": "2026-12-01T16:00:00Z", "promised_until": "2026-12-01T18:00:00Z" });
        let again = call(app, &order, "attempts", &again).await.expect(200);
        assert_eq!((&again["status"], &again["attempt"]), (&json!("assigned"), &json!(2)));
        assert_eq!((&again["reference"], &again["courier_id"]), (&json!("A-1"), &json!(ana.id)));
        assert_eq!((&again["carried_by"], &again["promised_until"]), (&json!(ana.id), &json!("2026-12-01T18:00:00Z")));
        assert_eq!(link_status(app, &order).await, 200);
        let expected = ["created", "assigned", "picked_up", "at_dropoff", "failed", "assigned"];
        assert_eq!(steps(app, &order).await, expected);
        assert_eq!(history(&again).last(), Some(&("attempt".to_owned(), "assigned".to_owned())));

        app.set_status(&order, "failed").await;
        let by_ben = call(app, &order, "attempts", &json!({ "courier_id": ben.id })).await.expect(200);
        assert_eq!((&by_ben["attempt"], &by_ben["courier_id"]), (&json!(3), &json!(ben.id)));
        assert_eq!(by_ben["carried_by"], json!(ben.id), "the goods go where the order goes");
        assert!(by_ben.get("promised_until").is_none(), "the old window ended with its attempt: {by_ben}");
        app.set_status(&order, "delivered").await;
        assert!(show(app, &order).await.get("carried_by").is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_failed_order_is_tried_again_and_by_a_courier() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        for status in ["assigned", "picked_up", "delivered", "cancelled"] {
            let order = app.assigned("A-1", &ana).await;
            if status != "assigned" {
                app.set_status(&order, status).await;
            }
            let problem = call(app, &order, "attempts", &json!({})).await.expect_problem(409, "invalid_transition");
            assert_eq!(problem["details"], json!({ "from": status, "to": "assigned", "order_id": order.id }));
        }
        let order = app.order("A-2").await;
        app.set_status(&order, "failed").await;
        let problem = call(app, &order, "attempts", &json!({})).await.expect_problem(422, "invalid_fields");
        assert!(problem["details"]["fields"]["courier_id"].is_string(), "{problem}");
        let nobody = json!({ "courier_id": uuid::Uuid::now_v7() });
        call(app, &order, "attempts", &nobody).await.expect_problem(404, "not_found");
        let backwards = json!({ "promised_from": "2026-12-01T18:00:00Z", "promised_until": "2026-12-01T16:00:00Z" });
        call(app, &order, "attempts", &backwards).await.expect_problem(422, "invalid_fields");
        call(app, &order, "attempts", &json!({ "courier_id": ana.id })).await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_of_the_failed_attempt_proves_nothing_of_the_next() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut body = order_body("A-1");
        body["proof"] = json!(["signature"]);
        let created = app.post("/api/v1/orders", &body).await.expect(201);
        let order = TestOrder { id: text(&created["id"]), token: text(&created["tracking_token"]) };
        app.assign(&order, &ana).await;
        app.set_status(&order, "at_dropoff").await;
        let sign = async || {
            let path = format!("/api/v1/courier/orders/{}/proofs/{}", order.id, uuid::Uuid::now_v7());
            let strokes = [[[0.1, 0.2], [0.5, 0.6], [0.9, 0.3]]];
            let body = json!({ "kind": "signature", "name": "Eve", "strokes": strokes, "taken_ms": now_ms() });
            Answer::to(app.bare(Method::PUT, &path).bearer_auth(&ana.device_token).json(&body)).await.expect(201)
        };
        sign().await;
        app.set_status(&order, "failed").await;
        call(app, &order, "attempts", &json!({})).await.expect(200);
        app.set_status(&order, "at_dropoff").await;
        let mut phone = app.connect(&ana).await;
        let deliver =
            json!({ "type": "status", "id": 1, "order_id": order.id, "status": "delivered", "time_ms": now_ms() });
        phone.send(&deliver).await;
        assert_eq!(phone.expect("error").await["code"], "proof_required");
        sign().await;
        phone.send(&deliver).await;
        assert_eq!(phone.expect("ack").await["stored"], 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_s_link_lives_again_when_an_end_was_a_mistake() {
    with_app(async |app| {
        let (dora, ana) = (dora(app).await, app.courier("Ana").await);
        let order = app.assigned("A-1", &ana).await;
        app.set_status(&order, "at_dropoff").await;
        let mut page = app.watch(&order).await;
        page.expect("snapshot").await;
        app.set_status(&order, "delivered").await;
        assert_eq!(page.close_code().await, 4502);
        assert_eq!(link_status(app, &order).await, 410);
        let refused = Socket::try_connect(app, &format!("/ws/track/{}", order.token), &[]).await;
        assert_eq!(refused.err().map(|refusal| refusal.status), Some(410));
        assert_eq!(open_feeds(app, &ana).await, [] as [String; 0]);
        let authorization = format!("Bearer {}", app.key);
        let mut console = Socket::connect(app, "/ws/fleet", &[("authorization", &authorization)]).await;
        assert_eq!(console.expect("snapshot").await["orders"], json!([]));
        let mut phone = app.connect(&ana).await;

        let reopened = reopen(app, &dora, &order, &mistake()).await;
        assert_eq!(reopened.header("etag"), format!("\"{}\"", reopened.json()["version"]));
        let reopened = reopened.expect(200);
        assert_eq!((&reopened["status"], &reopened["courier_id"]), (&json!("at_dropoff"), &json!(ana.id)));
        assert_eq!(reopened["carried_by"], json!(ana.id), "the goods were never handed over");
        let event = reopened["timeline"].as_array().and_then(|events| events.last()).expect("an event");
        assert_eq!((&event["kind"], &event["note"]), (&json!("reopened"), &json!("the wrong button")));
        assert_eq!(event["actor_name"], "dora@example.com");

        assert_eq!(link_status(app, &order).await, 200);
        assert_eq!(steps(app, &order).await, ["created", "assigned", "at_dropoff"], "it was not delivered");
        assert_eq!(open_feeds(app, &ana).await, [order.id.as_str()]);
        assert_eq!(console.expect("order").await["order"]["status"], "at_dropoff");
        assert_eq!(phone.expect("stops").await["stops"][0]["order_id"], json!(order.id));
        phone.report(1, &[step(now_ms(), 0)]).await;
        let mut page = app.watch(&order).await;
        assert_eq!(page.expect("snapshot").await["order"]["status"], "at_dropoff");
        app.set_status(&order, "delivered").await;
        assert_eq!(page.expect("ended").await["status"], "delivered");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_reopened_as_it_was_before_its_end() {
    with_app(async |app| {
        let (dora, ana) = (dora(app).await, app.courier("Ana").await);
        let cases: [(&[&str], &str, bool); 6] = [
            (&["delivered"], "assigned", false),
            (&["at_pickup", "cancelled"], "at_pickup", false),
            (&["picked_up", "cancelled"], "picked_up", true),
            (&["picked_up", "failed", "returned"], "failed", true),
            (&["failed", "returned"], "failed", false),
            (&["picked_up", "failed", "cancelled"], "failed", true),
        ];
        for (way, expected, is_loaded) in cases {
            let order = app.assigned("A-1", &ana).await;
            for status in way {
                app.set_status(&order, status).await;
            }
            let reopened = reopen(app, &dora, &order, &mistake()).await.expect(200);
            assert_eq!(reopened["status"], expected, "{way:?}");
            assert_eq!(reopened.get("carried_by").is_some(), is_loaded, "{way:?}");
        }
        let order = app.order("A-2").await;
        app.set_status(&order, "cancelled").await;
        let reopened = reopen(app, &dora, &order, &mistake()).await.expect(200);
        assert_eq!((&reopened["status"], reopened.get("courier_id")), (&json!("created"), None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_courier_works_here_no_longer_waits_for_another_one() {
    with_app(async |app| {
        let (dora, ana) = (dora(app).await, app.courier("Ana").await);
        let order = app.assigned("A-1", &ana).await;
        app.set_status(&order, "delivered").await;
        let failed = app.assigned("A-2", &ana).await;
        app.set_status(&failed, "failed").await;
        sqlx::query("update couriers set archived_at = now() where id = $1::uuid")
            .bind(&ana.id)
            .execute(&app.db)
            .await
            .expect("a courier leaves");
        let reopened = reopen(app, &dora, &order, &mistake()).await.expect(200);
        assert_eq!((&reopened["status"], reopened.get("courier_id")), (&json!("created"), None));
        assert_eq!(steps(app, &order).await, ["created", "assigned", "created"]);
        let to_ana = json!({ "courier_id": ana.id });
        call(app, &order, "assign", &to_ana).await.expect_problem(409, "courier_archived");
        call(app, &failed, "attempts", &to_ana).await.expect_problem(409, "courier_archived");
        call(app, &failed, "attempts", &json!({})).await.expect_problem(422, "invalid_fields");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_people_reopen_only_what_is_over_and_only_for_a_day() {
    with_manual_clock(async |app, hand| {
        let (dora, ana) = (dora(app).await, app.courier("Ana").await);
        let order = app.assigned("A-1", &ana).await;
        let problem = reopen(app, &dora, &order, &mistake()).await.expect_problem(409, "not_reopenable");
        assert_eq!(problem["details"], json!({ "status": "assigned" }));
        app.set_status(&order, "delivered").await;
        call(app, &order, "reopen", &mistake()).await.expect_problem(403, "people_only");
        let blank = json!({ "reason": " " });
        reopen(app, &dora, &order, &blank).await.expect_problem(422, "invalid_fields");
        // A day is longer than a session.
        let back = async || TestPerson { id: dora.id, cookie: app.signed_in("dora@example.com").await };
        hand.advance(24 * 3_600_000 - 1_000);
        reopen(app, &back().await, &order, &mistake()).await.expect(200);
        app.set_status(&order, "cancelled").await;
        hand.advance(24 * 3_600_000 + 1_000);
        let problem = reopen(app, &back().await, &order, &mistake()).await.expect_problem(409, "not_reopenable");
        assert_eq!(problem["details"], json!({ "status": "cancelled" }));
    })
    .await;
    with_settings(&["--reopen-hours=0"], async |app| {
        let (dora, order) = (dora(app).await, app.order("A-1").await);
        app.set_status(&order, "cancelled").await;
        reopen(app, &dora, &order, &mistake()).await.expect_problem(409, "not_reopenable");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_on_board_stay_with_their_courier_until_they_are_handed_over_or_brought_back() {
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let carried = async |order: &TestOrder| show(app, order).await.get("carried_by").cloned();
        let order = app.assigned("A-1", &ana).await;
        assert_eq!(carried(&order).await, None);
        app.set_status(&order, "at_dropoff").await;
        assert_eq!(carried(&order).await, Some(json!(ana.id)), "skipped steps count");
        app.assign(&order, &ben).await;
        assert_eq!(carried(&order).await, Some(json!(ben.id)), "the couriers met");
        app.set_status(&order, "cancelled").await;
        assert_eq!(carried(&order).await, Some(json!(ben.id)));
        let back = call(app, &order, "status", &json!({ "status": "returned" })).await.expect(200);
        assert_eq!((&back["status"], back.get("carried_by")), (&json!("cancelled"), None), "it stays cancelled");
        let last = history(&back).pop().expect("an event");
        assert_eq!(last, ("goods_returned".to_owned(), OrderStatus::Cancelled.to_string()));
        let again = call(app, &order, "status", &json!({ "status": "returned" })).await;
        again.expect_problem(409, "invalid_transition");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_s_dispatchers_and_customers_follow_an_order_back_and_forth() {
    with_two_instances(async |here, there, _| {
        let (dora, ana) = (dora(here).await, here.courier("Ana").await);
        let order = here.assigned("A-1", &ana).await;
        let authorization = format!("Bearer {}", there.key);
        let mut console = Socket::connect(there, "/ws/fleet", &[("authorization", &authorization)]).await;
        console.expect("snapshot").await;
        let mut page = there.watch(&order).await;
        assert_eq!(page.expect("snapshot").await["courier"]["name"], "Ana");
        call(here, &order, "unassign", &json!({})).await.expect(200);
        assert_eq!(console.expect("order").await["order"]["status"], "created");
        loop {
            let snapshot = page.expect("snapshot").await;
            if snapshot.get("courier").is_none() {
                break;
            }
        }
        here.assign(&order, &ana).await;
        here.set_status(&order, "delivered").await;
        while console.expect("order").await["order"]["status"] != "delivered" {}
        reopen(here, &dora, &order, &mistake()).await.expect(200);
        assert_eq!(console.expect("order").await["order"]["status"], "assigned");
        eventually("the link there", async || link_status(there, &order).await == 200).await;
    })
    .await;
}
