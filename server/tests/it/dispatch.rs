//! What a dispatcher does with one order or courier: suggestions, another link, corrections.

use doorstep_server::auth::scope::Scope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, BUILT_IN_AREA, HERE, TestApp, TestCourier, fix, now_ms, order_body, step, text, with_app, with_settings,
};

async fn suggestions(app: &TestApp, order: &str) -> Vec<Value> {
    let answer = app.get(&format!("/api/v1/orders/{order}/suggestions?limit=10")).await.expect(200);
    answer.as_array().expect("a list").clone()
}

fn names(suggestions: &[Value]) -> Vec<&str> {
    suggestions.iter().map(|one| one["name"].as_str().expect("a name")).collect()
}

async fn report(app: &TestApp, courier: &TestCourier, lat: f64, lon: f64) {
    app.connect(courier).await.report(1, &[fix(now_ms(), lat, lon)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_courier_who_gets_to_the_pickup_first_is_suggested_first() {
    with_settings(&[BUILT_IN_AREA], async |app| {
        let (near, busy, far) = (app.courier("Near").await, app.courier("Busy").await, app.courier("Far").await);
        let (home, silent) = (app.courier("Home").await, app.courier("Silent").await);
        report(app, &near, HERE.0 + 0.002, HERE.1).await;
        report(app, &far, 35.9375, 14.3754).await;
        // Nearer than Near, with another customer's dinner on board.
        report(app, &busy, HERE.0 + 0.0005, HERE.1).await;
        let mut dinner = order_body("dinner");
        dinner["dropoff"] = json!({ "lat": 35.8869, "lon": 14.4026, "address": "Rabat" });
        let dinner = text(&app.post("/api/v1/orders", &dinner).await.expect(201)["id"]);
        let path = format!("/api/v1/orders/{dinner}");
        app.post(&format!("{path}/assign"), &json!({ "courier_id": busy.id })).await.expect(200);
        app.post(&format!("{path}/status"), &json!({ "status": "picked_up" })).await.expect(200);
        let mut phone = app.connect(&home).await;
        phone.report(1, &[step(now_ms() - 1_000, 0)]).await;
        phone.send(&json!({ "type": "presence", "state": "off_duty", "reason": "user", "time_ms": now_ms() })).await;
        phone.send(&json!({ "type": "ping" })).await;
        phone.expect("pong").await;

        let order = app.order("A-1").await;
        let list = suggestions(app, &order.id).await;
        assert_eq!(names(&list)[0], "Near");
        let mut others = names(&list)[1..3].to_vec();
        others.sort_unstable();
        assert_eq!(others, ["Busy", "Far"]);
        let mut off_duty = names(&list)[3..].to_vec();
        off_duty.sort_unstable();
        assert_eq!(off_duty, ["Home", "Silent"], "who is not on duty comes last, and still comes: {silent:?}");
        assert_eq!(list[0]["on_duty"], json!(true));
        let metres = list[0]["distance_m"].as_u64().expect("metres");
        assert!((200..1_500).contains(&metres), "{metres} m along the streets");
        assert_eq!(list[0]["open_orders"], json!(0));
        assert!(list[0].get("free_at").is_none() && list[0]["arrives_at"].is_string());
        let busy = list.iter().find(|one| one["name"] == "Busy").expect("Busy is listed");
        assert_eq!(busy["open_orders"], json!(1));
        assert!(busy["free_at"].as_str() < busy["arrives_at"].as_str(), "{busy}");
        assert!(list[4].get("distance_m").is_none() && list[4]["on_duty"] == json!(false));

        app.assign(&order, &near).await;
        assert!(!names(&suggestions(app, &order.id).await).contains(&"Near"), "who has it is not suggested");
        app.set_status(&order, "delivered").await;
        assert!(suggestions(app, &order.id).await.is_empty(), "no courier can take it any more");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn suggestions_tell_where_couriers_are_and_need_that_scope_too() {
    with_app(async |app| {
        let order = app.order("A-1").await;
        let path = format!("/api/v1/orders/{}/suggestions", order.id);
        for (scopes, status) in [
            (&[Scope::OrdersRead][..], 403),
            (&[Scope::CouriersRead], 403),
            (&[Scope::OrdersRead, Scope::CouriersRead], 200),
        ] {
            let key = app.key_with(scopes).await;
            let answer = Answer::to(app.bare(Method::GET, &path).bearer_auth(key)).await;
            assert_eq!(answer.status.as_u16(), status, "{scopes:?}");
        }
        for limit in ["0", "51", "x"] {
            app.get(&format!("{path}?limit={limit}")).await.expect_problem(400, "bad_request");
        }
        app.get("/api/v1/orders/nothing/suggestions").await.expect_problem(404, "not_found");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_link_leads_to_the_same_order_and_the_first_goes_on_working() {
    with_app(async |app| {
        let (order, other) = (app.order("A-1").await, app.order("A-2").await);
        let path = format!("/api/v1/orders/{}/tracking-link", order.id);
        let create = async || {
            let request = app.request(Method::POST, &path).header("idempotency-key", "copy-the-link");
            Answer::to(request.json(&json!({}))).await.expect(201)
        };
        let link = create().await;
        assert_eq!(create().await, link, "the same link for the same click");
        let token = text(&link["tracking_token"]);
        assert_ne!(token, order.token);
        assert_eq!(link["tracking_url"], json!(app.url(&format!("/t/{token}"))));
        assert!(link["qr_svg"].as_str().is_some_and(|svg| svg.starts_with("<svg ")), "{link}");
        for (token, reference) in [(&token, "A-1"), (&order.token, "A-1"), (&other.token, "A-2")] {
            let snapshot = Answer::to(app.bare(Method::GET, &format!("/api/v1/track/{token}"))).await.expect(200);
            assert_eq!(snapshot["order"]["reference"], json!(reference));
            assert_eq!(Answer::to(app.bare(Method::GET, &format!("/t/{token}"))).await.status, 200);
        }
        let kept: i64 = sqlx::query_scalar(
            "select count(*) from tracking_links where encode(token_hash, 'escape') like '%' || $1 || '%'",
        )
        .bind(&token)
        .fetch_one(&app.db)
        .await
        .expect("a count");
        assert_eq!(kept, 0, "only its hash is kept");
        let mut feed = app.watch(&crate::support::TestOrder { id: order.id.clone(), token: token.clone() }).await;
        feed.expect("snapshot").await;
        app.set_status(&order, "cancelled").await;
        feed.expect("order").await;
        feed.expect("ended").await;
        for token in [&token, &order.token] {
            let over = Answer::to(app.bare(Method::GET, &format!("/api/v1/track/{token}"))).await;
            over.expect_problem(410, "tracking_ended");
        }
        let nothing = format!("/api/v1/orders/{}/tracking-link", uuid::Uuid::now_v7());
        app.post(&nothing, &json!({})).await.expect_problem(404, "not_found");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_is_corrected_and_what_is_left_out_stays() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let path = format!("/api/v1/couriers/{}", ana.id);
        let edit = async |body: Value| Answer::to(app.request(Method::PATCH, &path).json(&body)).await;
        let renamed = edit(json!({ "name": " Anna " })).await.expect(200);
        assert_eq!((&renamed["name"], &renamed["vehicle"]), (&json!("Anna"), &json!("scooter")));
        assert_eq!(renamed["phone"], json!("+356 9999 0000"));
        let changed = edit(json!({ "vehicle": "van", "phone": "" })).await.expect(200);
        assert_eq!(
            (&changed["name"], &changed["vehicle"], changed.get("phone")),
            (&json!("Anna"), &json!("van"), None)
        );
        assert_eq!(app.get(&path).await.expect(200), changed);
        for wrong in [json!({ "name": "" }), json!({ "name": "x".repeat(101) }), json!({ "phone": "\u{7}" })] {
            edit(wrong).await.expect_problem(422, "invalid_fields");
        }
        edit(json!({ "vehicle": "rocket" })).await.expect_problem(400, "bad_request");
        let order = app.assigned("A-1", &ana).await;
        edit(json!({ "name": "Annie" })).await.expect(200);
        let snapshot = Answer::to(app.bare(Method::GET, &format!("/api/v1/track/{}", order.token))).await.expect(200);
        assert_eq!(snapshot["courier"], json!({ "name": "Annie", "vehicle": "van" }));
        let unknown = app.request(Method::PATCH, &format!("/api/v1/couriers/{}", uuid::Uuid::now_v7()));
        Answer::to(unknown.json(&json!({}))).await.expect_problem(404, "not_found");
    })
    .await;
}
