//! Orders whose fields change: what a change needs, what it answers, who hears of it, and what may change when.

use doorstep_server::store::access::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Socket, TestApp, TestCourier, TestOrder, eventually, order_body, text, with_app};

fn path(order: &TestOrder) -> String {
    format!("/api/v1/orders/{}", order.id)
}

async fn show(app: &TestApp, order: &TestOrder) -> Answer {
    app.get(&path(order)).await
}

async fn edit_as_of(app: &TestApp, order: &TestOrder, if_match: &str, body: &Value) -> Answer {
    Answer::to(app.request(Method::PATCH, &path(order)).header("if-match", if_match).json(body)).await
}

/// Edits an order as it is by now.
async fn edit(app: &TestApp, order: &TestOrder, body: &Value) -> Answer {
    let tag = show(app, order).await.header("etag").to_owned();
    edit_as_of(app, order, &tag, body).await
}

async fn at(app: &TestApp, status: &str, courier: &TestCourier) -> TestOrder {
    let order = app.assigned("A-1", courier).await;
    if status == "returned" {
        app.set_status(&order, "failed").await;
    }
    if status != "assigned" {
        app.set_status(&order, status).await;
    }
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_with_one_order_has_its_version_as_a_tag() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let created = app.post("/api/v1/orders", &order_body("A-1")).await;
        assert_eq!(created.header("etag"), "\"1\"");
        let order = TestOrder { token: String::new(), id: text(&created.expect(201)["id"]) };
        assert_eq!(show(app, &order).await.header("etag"), "\"1\"");
        let assigned = app.post(&format!("{}/assign", path(&order)), &json!({ "courier_id": ana.id })).await;
        assert_eq!(assigned.header("etag"), "\"2\"");
        let on_the_way = app.post(&format!("{}/status", path(&order)), &json!({ "status": "picked_up" })).await;
        assert_eq!((on_the_way.header("etag"), &on_the_way.json()["version"]), ("\"3\"", &json!(3)));
        let edited = edit_as_of(app, &order, "\"3\"", &json!({ "note": "two bags" })).await;
        assert_eq!((edited.status.as_u16(), edited.header("etag")), (200, "\"4\""));
        assert_eq!(show(app, &order).await.json()["version"], 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_says_which_version_it_changes_and_loses_against_a_newer_one() {
    with_app(async |app| {
        let order = app.order("A-1").await;
        let body = json!({ "note": "two bags" });
        let blind = Answer::to(app.request(Method::PATCH, &path(&order)).json(&body)).await;
        blind.expect_problem(428, "precondition_required");
        for nonsense in ["7", "W/7", ""] {
            edit_as_of(app, &order, nonsense, &body).await.expect_problem(400, "bad_request");
        }
        edit_as_of(app, &order, "W/\"1\"", &body).await.expect(200);
        let late = json!({ "dropoff": { "address": "14 Triq il-Merkanti" } });
        for stale in ["\"1\"", "\"7\"", "\"another server's\""] {
            let problem = edit_as_of(app, &order, stale, &late).await.expect_problem(412, "version_conflict");
            let details = &problem["details"];
            assert_eq!((&details["current"], &details["change"]), (&json!(2), &json!("edited")), "{problem}");
            assert_eq!(details["changed_by"], "tests", "the key's name");
            assert!(details["changed_at_ms"].is_i64(), "{problem}");
        }
        edit_as_of(app, &order, "\"1\", \"2\"", &late).await.expect(200);
        let again = edit_as_of(app, &order, "*", &json!({ "note": null })).await.expect(200);
        assert!(again.get("note").is_none(), "{again}");
        assert_eq!((&again["version"], &again["dropoff"]["address"]), (&json!(4), &json!("14 Triq il-Merkanti")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_changes_and_the_history_says_what_it_was_and_who_did_it() {
    with_app(async |app| {
        let dora = app.person("dora@example.com", Role::Dispatcher).await;
        let order = app.order("A-1").await;
        let body = json!({
            "reference": " A-2 ",
            "pickup": { "lat": 35.9, "lon": 14.5, "address": "Bakery", "phone": "+356 2100 0002", "instructions": "at the back" },
            "dropoff": { "lat": 35.91, "lon": 14.52, "address": "14 Triq il-Merkanti", "instructions": "" },
            "customer": { "name": "Adam", "phone": null, "email": "adam@example.com" },
            "promised_from": "2026-12-01T10:00:00Z", "promised_until": "2026-12-01T11:00:00Z",
            "proof": ["signature", "photo"], "size": 3, "service_s": 90, "requires": ["cold"], "note": "two bags",
        });
        let request = app.as_person(&dora, Method::PATCH, &path(&order)).header("origin", app.origin());
        let edited = Answer::to(request.header("if-match", "\"1\"").json(&body)).await.expect(200);
        assert_eq!(edited["reference"], "A-2");
        assert_eq!(edited["pickup"], body["pickup"]);
        assert_eq!(edited["dropoff"], json!({ "lat": 35.91, "lon": 14.52, "address": "14 Triq il-Merkanti" }));
        assert_eq!(edited["customer"], json!({ "name": "Adam", "email": "adam@example.com" }));
        assert_eq!(edited["proof"], json!(["photo", "signature"]));
        for field in ["promised_from", "promised_until", "size", "service_s", "requires", "note"] {
            assert_eq!(edited[field], body[field], "{field}");
        }
        let event = &edited["timeline"][1];
        assert_eq!((&event["kind"], &event["actor_name"]), (&json!("edited"), &json!("dora@example.com")));
        assert_eq!(event["actor"], format!("user:{}", dora.id));
        let changes = event["changes"].as_object().expect("changes");
        assert_eq!(changes["reference"], json!({ "from": "A-1", "to": "A-2" }));
        assert_eq!(changes["dropoff.instructions"], json!({ "from": "ring twice" }));
        assert_eq!(changes["proof"], json!({ "to": "photo, signature" }));
        assert_eq!(changes["promised_from"], json!({ "to": "2026-12-01T10:00:00Z" }));
        assert_eq!(changes.len(), 20, "{changes:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_as_it_is_changes_nothing_and_makes_no_history() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = at(app, "picked_up", &ana).await;
        let before = show(app, &order).await.json();
        let same = json!({ "reference": "A-1", "pickup": { "address": "Harbour Kitchen" }, "note": "", "promised_from": null });
        let after = edit(app, &order, &same).await.expect(200);
        assert_eq!((&after["version"], &after["timeline"]), (&before["version"], &before["timeline"]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_change_any_more_is_refused_with_what_may() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = at(app, "picked_up", &ana).await;
        let body = json!({ "pickup": { "address": "Bakery" }, "size": 4, "note": "two bags" });
        let problem = edit(app, &order, &body).await.expect_problem(409, "not_editable");
        let details = &problem["details"];
        assert_eq!(details["status"], "picked_up");
        let refused: Vec<_> = details["fields"].as_object().expect("reasons").keys().collect();
        assert_eq!(refused, ["pickup.address", "size"]);
        let editable =
            ["reference", "dropoff", "customer", "promised_from", "promised_until", "proof", "service_s", "note"];
        assert_eq!(details["editable"], json!(editable));
        assert!(show(app, &order).await.json().get("note").is_none(), "all of it or nothing");

        let failed = at(app, "failed", &ana).await;
        edit(app, &failed, &json!({ "size": 4, "dropoff": { "address": "the neighbour" } })).await.expect(200);
        let problem = edit(app, &failed, &json!({ "pickup": { "address": "Bakery" } })).await;
        problem.expect_problem(409, "not_editable");
        for over in ["delivered", "returned", "cancelled"] {
            let order = at(app, over, &ana).await;
            let problem = edit(app, &order, &json!({ "note": "x" })).await.expect_problem(409, "not_editable");
            assert_eq!(problem["details"]["editable"], json!([]), "{over}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_change_is_said_for_every_field() {
    with_app(async |app| {
        let order = app.order("A-1").await;
        let body = json!({
            "reference": "", "pickup": { "lat": 35.9, "address": "x".repeat(301) },
            "dropoff": { "lat": 95, "lon": 14.5, "phone": "1" }, "customer": { "name": " ", "phone": "x".repeat(41) },
            "promised_from": "+12026-12-01T10:00:00Z", "size": 0, "service_s": 14_401, "requires": ["a b"], "note": "a\u{0}b",
        });
        let problem = edit(app, &order, &body).await.expect_problem(422, "invalid_fields");
        let fields: Vec<_> = problem["details"]["fields"].as_object().expect("reasons").keys().cloned().collect();
        let expected = [
            "customer.name", "customer.phone", "dropoff.lat", "dropoff.phone", "note", "pickup.address", "pickup.lon",
            "promised_from", "reference", "requires", "service_s", "size",
        ];
        assert_eq!(fields, expected);
        edit(app, &order, &json!({ "promised_until": "2026-12-01T10:00:00Z" })).await.expect(200);
        let backwards = json!({ "promised_from": "2026-12-01T11:00:00Z" });
        let problem = edit(app, &order, &backwards).await.expect_problem(422, "invalid_fields");
        assert!(problem["details"]["fields"]["promised_until"].is_string(), "{problem}");
        let problem = edit(app, &order, &json!({ "proof": ["pin"] })).await.expect_problem(422, "invalid_fields");
        assert!(problem["details"]["fields"]["proof"].is_string(), "{problem}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_pin_is_asked_of_nobody_any_more() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let mut body = order_body("A-1");
        body["proof"] = json!(["pin"]);
        let created = app.post("/api/v1/orders", &body).await.expect(201);
        let order = TestOrder { id: text(&created["id"]), token: text(&created["tracking_token"]) };
        app.assign(&order, &ana).await;
        assert!(edit(app, &order, &json!({ "proof": [] })).await.expect(200).get("proof").is_none());
        let mut phone = app.connect(&ana).await;
        phone
            .send(&json!({ "type": "status", "id": 1, "order_id": order.id, "status": "delivered", "time_ms": 1 }))
            .await;
        assert_eq!(phone.expect("ack").await["stored"], 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn phone_customer_and_dispatch_see_a_new_address_at_once() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1", &ana).await;
        let (mut phone, mut page) = (app.connect(&ana).await, app.watch(&order).await);
        page.expect("snapshot").await;
        let authorization = format!("Bearer {}", app.key);
        let mut console = Socket::connect(app, "/ws/fleet", &[("authorization", &authorization)]).await;
        let known = console.expect("snapshot").await["orders"][0]["version"].clone();
        let body = json!({ "dropoff": { "lat": 35.91, "lon": 14.52, "address": "14 Triq il-Merkanti" } });
        let edited = edit(app, &order, &body).await.expect(200);
        let stops = phone.expect("stops").await["stops"].clone();
        assert_eq!((&stops[1]["address"], &stops[1]["lat"]), (&json!("14 Triq il-Merkanti"), &json!(35.91)));
        let place = page.expect("snapshot").await["order"]["dropoff"].clone();
        assert_eq!(place, json!({ "lat": 35.91, "lon": 14.52, "label": "14 Triq il-Merkanti" }));
        let told = console.expect("order").await["order"]["version"].clone();
        assert_eq!((&known, &told), (&json!(2), &edited["version"]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_courier_has_not_seen_yet_is_kept_until_they_have() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1", &ana).await;
        edit(app, &order, &json!({ "note": "two bags", "service_s": 60 })).await.expect(200);
        edit(app, &order, &json!({ "customer": { "phone": "+356 2100 0009" }, "note": "three bags" }))
            .await
            .expect(200);
        let unseen = async || -> Vec<String> {
            let query = sqlx::query_scalar("select unseen_changes from orders where id = $1::uuid").bind(&order.id);
            query.fetch_one(&app.db).await.expect("the order")
        };
        assert_eq!(unseen().await, ["note", "contact"], "each word once, and none for what couriers do not read");
        let ben = app.courier("Ben").await;
        app.assign(&order, &ben).await;
        eventually("a new courier sees all of it", async || unseen().await.is_empty()).await;
    })
    .await;
}
