//! Several people at one order: whoever acts on an older version is told what happened, and by whom.

use doorstep_server::store::access::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, TestOrder, TestPerson, now_ms, with_app};

async fn call(app: &TestApp, by: &TestPerson, order: &TestOrder, what: &str, body: &Value) -> Answer {
    let request = app.as_person(by, Method::POST, &format!("/api/v1/orders/{}/{what}", order.id));
    Answer::to(request.header("origin", app.origin()).json(body)).await
}

async fn version(app: &TestApp, order: &TestOrder) -> u64 {
    app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200)["version"].as_u64().expect("a version")
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_dispatchers_within_a_second_the_second_is_told_who_did_what() {
    with_app(async |app| {
        let ben_at_work = app.person("ben@example.com", Role::Dispatcher).await;
        let dora = app.person("dora@example.com", Role::Dispatcher).await;
        let (marija, paul) = (app.courier("Marija").await, app.courier("Paul").await);
        let order = app.order("A-1").await;
        let seen = version(app, &order).await;
        let give = |courier: &str| json!({ "courier_id": courier, "version": seen });
        let (to_marija, to_paul) = (give(&marija.id), give(&paul.id));
        let began_ms = now_ms();
        let (first, second) = tokio::join!(
            call(app, &ben_at_work, &order, "assign", &to_marija),
            call(app, &dora, &order, "assign", &to_paul),
        );
        let (won, lost, winner, courier) = match first.status.as_u16() {
            200 => (first, second, "ben@example.com", "Marija"),
            _ => (second, first, "dora@example.com", "Paul"),
        };
        let won = won.expect(200);
        let problem = lost.expect_problem(409, "version_conflict");
        let details = &problem["details"];
        assert_eq!((&details["changed_by"], &details["courier_name"]), (&json!(winner), &json!(courier)));
        assert_eq!((&details["change"], &details["current"]), (&json!("assigned"), &won["version"]));
        let at_ms = details["changed_at_ms"].as_i64().expect("a time");
        assert!((began_ms..=now_ms()).contains(&at_ms), "{problem}");
        let shown = app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200);
        assert_eq!(shown["timeline"][1]["actor_name"], winner, "and the history agrees");
        assert_eq!(shown["timeline"].as_array().map(Vec::len), Some(2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_that_takes_a_version_refuses_an_older_one_and_changes_nothing() {
    with_app(async |app| {
        let (dora, ana) = (app.person("dora@example.com", Role::Dispatcher).await, app.courier("Ana").await);
        let order = app.assigned("A-1", &ana).await;
        for status in ["at_pickup", "failed"] {
            app.set_status(&order, status).await;
        }
        let current = version(app, &order).await;
        let calls = [
            ("assign", json!({ "courier_id": ana.id })),
            ("status", json!({ "status": "returned" })),
            ("unassign", json!({})),
            ("attempts", json!({})),
            ("reopen", json!({ "reason": "the wrong button" })),
        ];
        for (what, body) in &calls {
            for stale in [1, current - 1, current + 1] {
                let mut body = body.clone();
                body["version"] = json!(stale);
                let problem = call(app, &dora, &order, what, &body).await.expect_problem(409, "version_conflict");
                assert_eq!(problem["details"]["current"], json!(current), "{what}");
                assert_eq!(problem["details"]["change"], "status", "{what}");
            }
        }
        assert_eq!(version(app, &order).await, current);
        let mut body = calls[3].1.clone();
        body["version"] = json!(current);
        assert_eq!(call(app, &dora, &order, "attempts", &body).await.expect(200)["version"], json!(current + 1));
        call(app, &dora, &order, "status", &json!({ "status": "cancelled" })).await.expect(200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_s_report_is_a_change_that_a_dispatcher_has_to_see() {
    with_app(async |app| {
        let (dora, ana) = (app.person("dora@example.com", Role::Dispatcher).await, app.courier("Ana").await);
        let order = app.assigned("A-1", &ana).await;
        let seen = version(app, &order).await;
        let mut phone = app.connect(&ana).await;
        phone
            .send(
                &json!({ "type": "status", "id": 1, "order_id": order.id, "status": "at_pickup", "time_ms": now_ms() }),
            )
            .await;
        phone.expect("ack").await;
        let problem = call(app, &dora, &order, "unassign", &json!({ "version": seen })).await;
        let problem = problem.expect_problem(409, "version_conflict");
        let details = &problem["details"];
        assert_eq!((&details["changed_by"], &details["change"]), (&json!("Ana"), &json!("status")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_names_who_did_each_line_and_which_courier_it_concerns() {
    with_app(async |app| {
        let dora = app.person("dora@example.com", Role::Admin).await;
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let order = app.order("A-1").await;
        call(app, &dora, &order, "assign", &json!({ "courier_id": ana.id })).await.expect(200);
        call(app, &dora, &order, "assign", &json!({ "courier_id": ben.id })).await.expect(200);
        let mut phone = app.connect(&ben).await;
        let failed = json!({ "type": "status", "id": 1, "order_id": order.id, "status": "failed", "time_ms": now_ms(), "note": "nobody home" });
        phone.send(&failed).await;
        phone.expect("ack").await;
        app.post(&format!("/api/v1/orders/{}/attempts", order.id), &json!({})).await.expect(200);
        let shown = app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200);
        let lines: Vec<_> = shown["timeline"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|line| json!([line["kind"], line["status"], line["actor_name"], line["courier_name"]]))
            .collect();
        let expected = json!([
            ["status", "created", "tests", null],
            ["assigned", "assigned", "dora@example.com", "Ana"],
            ["assigned", "assigned", "dora@example.com", "Ben"],
            ["status", "failed", "Ben", "Ben"],
            ["attempt", "assigned", "tests", "Ben"],
        ]);
        assert_eq!(json!(lines), expected);
        assert_eq!(shown["timeline"][3]["actor"], format!("courier:{}", ben.id));
        let of_customer = app.watch(&order).await.expect("snapshot").await;
        assert!(!of_customer.to_string().contains("dora"), "{of_customer}");
    })
    .await;
}
