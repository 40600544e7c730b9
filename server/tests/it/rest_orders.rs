//! Orders, couriers and devices over REST: what each call answers and what may follow what.

use serde_json::{Value, json};

use crate::support::{TestApp, order_body, with_app};

async fn show(app: &TestApp, order: &str) -> Value {
    app.get(&format!("/api/v1/orders/{order}")).await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_order_has_a_link_that_leads_to_it() {
    with_app(async |app| {
        let created = app.post("/api/v1/orders", &order_body("A-1042")).await.expect(201);
        let token = created["tracking_token"].as_str().expect("a token");
        assert!(
            token.len() >= 22 && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)),
            "{token}"
        );
        assert_eq!(created["tracking_url"], format!("http://{}/t/{token}", app.address));
        assert_eq!((&created["status"], &created["reference"]), (&json!("created"), &json!("A-1042")));
        let id = created["id"].as_str().expect("an id");
        assert_eq!(id.parse::<uuid::Uuid>().map(|id| id.get_version_num()).ok(), Some(7));
        let shown = show(app, id).await;
        assert!(!shown.to_string().contains(token), "the token is shown once");
        assert!(shown["created_at"].as_str().is_some_and(|time| time.ends_with('Z')), "{shown}");
        assert_eq!(shown["timeline"].as_array().map(Vec::len), Some(1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_gets_a_token_and_an_address_to_sign_in_with() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let path = format!("/api/v1/couriers/{}/devices", ana.id);
        let device = app.post(&path, &json!({ "label": "Ana's phone" })).await.expect(201);
        let token = device["token"].as_str().expect("a token");
        let link = device["sign_in_url"].as_str().expect("a link");
        assert!(link.starts_with(&format!("http://{}/courier#", app.address)), "{link}");
        assert!(!link.contains(token), "a link works for minutes, the token for ever");
        let listed = app.get(&format!("/api/v1/couriers/{}", ana.id)).await.expect(200);
        assert!(!listed.to_string().contains(token));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_a_404_and_so_is_what_is_no_id() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.order("A-1").await;
        for id in [uuid::Uuid::now_v7().to_string(), "nonsense".to_owned(), "0".to_owned(), "%00".to_owned()] {
            for path in [
                format!("/api/v1/orders/{id}"),
                format!("/api/v1/couriers/{id}"),
                format!("/api/v1/couriers/{id}/fixes"),
            ] {
                app.get(&path).await.expect_problem(404, "not_found");
            }
            let calls = [
                (format!("/api/v1/orders/{id}/assign"), json!({ "courier_id": ana.id })),
                (format!("/api/v1/orders/{id}/status"), json!({ "status": "delivered" })),
                (format!("/api/v1/couriers/{id}/devices"), json!({ "label": "x" })),
            ];
            for (path, body) in calls {
                app.post(&path, &body).await.expect_problem(404, "not_found");
            }
        }
        let path = format!("/api/v1/orders/{}/assign", order.id);
        app.post(&path, &json!({ "courier_id": uuid::Uuid::now_v7() })).await.expect_problem(404, "not_found");
        app.post(&path, &json!({ "courier_id": order.id })).await.expect_problem(404, "not_found");
        app.get(&format!("/api/v1/couriers/{}", order.id)).await.expect_problem(404, "not_found");
    })
    .await;
}

/// Every status with those that may follow it, as the contract has them.
const STEPS: [(&str, &[&str]); 9] = [
    ("created", &["at_pickup", "picked_up", "at_dropoff", "delivered", "failed", "cancelled"]),
    ("assigned", &["at_pickup", "picked_up", "at_dropoff", "delivered", "failed", "cancelled"]),
    ("at_pickup", &["picked_up", "at_dropoff", "delivered", "failed", "cancelled"]),
    ("picked_up", &["at_dropoff", "delivered", "failed", "cancelled"]),
    ("at_dropoff", &["delivered", "failed", "cancelled"]),
    ("delivered", &[]),
    ("failed", &["returned", "cancelled"]),
    ("returned", &[]),
    ("cancelled", &[]),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_order_takes_the_steps_of_the_contract_and_no_others() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        for (from, allowed) in STEPS {
            for (to, _) in STEPS {
                let order = app.order("A-1042").await;
                if from != "created" {
                    app.assign(&order, &ana).await;
                }
                if from == "returned" {
                    app.set_status(&order, "failed").await;
                }
                if !["created", "assigned"].contains(&from) {
                    app.set_status(&order, from).await;
                }
                let answer = app.post(&format!("/api/v1/orders/{}/status", order.id), &json!({ "status": to })).await;
                if allowed.contains(&to) {
                    assert_eq!(answer.expect(200)["status"], to, "{from} → {to}");
                } else {
                    let problem = answer.expect_problem(409, "invalid_transition");
                    assert_eq!(problem["details"], json!({ "from": from, "to": to, "order_id": order.id }));
                    let detail = problem["detail"].as_str().expect("a detail");
                    assert!(
                        detail.contains("A-1042") && detail.contains(&from.replace('_', " ")),
                        "{from} → {to}: {detail}"
                    );
                    assert_eq!(show(app, &order.id).await["status"], from);
                }
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_assigned_reassigned_and_not_after_its_end() {
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let order = app.order("A-1").await;
        let path = format!("/api/v1/orders/{}/assign", order.id);
        let to = |courier: &str| json!({ "courier_id": courier });
        let assigned = app.post(&path, &to(&ana.id)).await.expect(200);
        assert_eq!((&assigned["status"], &assigned["courier_id"]), (&json!("assigned"), &json!(ana.id)));
        app.post(&path, &to(&ana.id)).await.expect(200);
        app.set_status(&order, "picked_up").await;
        let passed_on = app.post(&path, &to(&ben.id)).await.expect(200);
        assert_eq!((&passed_on["status"], &passed_on["courier_id"]), (&json!("picked_up"), &json!(ben.id)));
        for status in ["failed", "returned"] {
            app.set_status(&order, status).await;
            let problem = app.post(&path, &to(&ana.id)).await.expect_problem(409, "invalid_transition");
            assert_eq!(problem["details"], json!({ "from": status, "to": "assigned", "order_id": order.id }));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remark_stays_with_its_status() {
    with_app(async |app| {
        let order = app.assigned("A-1", &app.courier("Ana").await).await;
        let path = format!("/api/v1/orders/{}/status", order.id);
        app.post(&path, &json!({ "status": "picked_up", "note": "two bags" })).await.expect(200);
        app.post(&path, &json!({ "status": "failed", "note": "x".repeat(1_001) }))
            .await
            .expect_problem(422, "invalid_fields");
        app.post(&path, &json!({ "status": "failed", "note": "a\u{0}b" })).await.expect_problem(422, "invalid_fields");
        let shown = show(app, &order.id).await;
        assert_eq!((&shown["timeline"][2]["note"], &shown["status"]), (&json!("two bags"), &json!("picked_up")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_change_an_order_at_once_do_so_one_after_the_other() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1", &ana).await;
        let path = format!("/api/v1/orders/{}/status", order.id);
        let body = json!({ "status": "delivered" });
        let answers = futures_util::future::join_all((0..6).map(|_| app.post(&path, &body))).await;
        let done = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(done, 1);
        assert!(answers.iter().all(|answer| [200, 409].contains(&answer.status.as_u16())));
        let shown = show(app, &order.id).await;
        assert_eq!(shown["timeline"].as_array().map(Vec::len), Some(3));
    })
    .await;
}
