//! Tracking links of orders that nobody finishes: they close some time after the last change.

use chrono::TimeDelta;
use doorstep_server::service::orders::links;
use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, Socket, TestApp, TestOrder, order_body, text, with_manual_clock};

const HOUR_MS: i64 = 3_600_000;

/// What the link answers: the snapshot, the page, and the socket.
async fn answers(app: &TestApp, order: &TestOrder) -> [u16; 3] {
    let snapshot = Answer::to(app.bare(Method::GET, &format!("/api/v1/track/{}", order.token))).await;
    let page = Answer::to(app.bare(Method::GET, &format!("/t/{}", order.token))).await;
    let socket = Socket::try_connect(app, &format!("/ws/track/{}", order.token), &[]).await;
    [snapshot.status.as_u16(), page.status.as_u16(), socket.map_or_else(|refusal| refusal.status, |_| 101)]
}

async fn close_ended(app: &TestApp) {
    let state = app.state();
    let closing = links::close_ended(&state.store, &state.hub, state.config.settings.outcome(), state.clock.now());
    closing.await.expect("the database is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_of_an_order_that_failed_or_that_nobody_took_closes_after_a_while() {
    with_manual_clock(async |app, clock| {
        let ana = app.courier("Ana").await;
        let (failed, left) = (app.assigned("A-1", &ana).await, app.order("A-2").await);
        let going = app.assigned("A-3", &ana).await;
        app.set_status(&failed, "failed").await;
        let mut feeds = Vec::new();
        for order in [&failed, &left, &going] {
            let mut feed = app.watch(order).await;
            feed.expect("snapshot").await;
            feeds.push(feed);
        }
        clock.advance(71 * HOUR_MS);
        close_ended(app).await;
        for (order, feed) in [&failed, &left, &going].into_iter().zip(&mut feeds) {
            assert_eq!(answers(app, order).await, [200, 200, 101]);
            feed.send(&json!({ "type": "ping" })).await;
            feed.expect("pong").await;
        }
        clock.advance(2 * HOUR_MS);
        close_ended(app).await;
        let [of_failed, of_left, of_going] = &mut feeds[..] else { panic!("three feeds") };
        assert_eq!((of_failed.close_code().await, of_left.close_code().await), (4502, 4502));
        of_going.send(&json!({ "type": "ping" })).await;
        of_going.expect("pong").await;
        for (order, expected) in [(&failed, [410, 410, 410]), (&left, [410, 410, 410]), (&going, [200, 200, 101])] {
            assert_eq!(answers(app, order).await, expected);
        }
        // Another try, and the link lives again.
        let again = format!("/api/v1/orders/{}/attempts", failed.id);
        app.post(&again, &json!({ "courier_id": ana.id })).await.expect(200);
        assert_eq!(answers(app, &failed).await, [200, 200, 101]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_for_later_keeps_its_link_until_its_window_is_long_over() {
    with_manual_clock(async |app, clock| {
        let mut body = order_body("A-1");
        let until = app.state().clock.now() + TimeDelta::days(10);
        body["promised_until"] = json!(until);
        let created = app.post("/api/v1/orders", &body).await.expect(201);
        let order = TestOrder { id: text(&created["id"]), token: text(&created["tracking_token"]) };
        clock.advance(12 * 24 * HOUR_MS);
        assert_eq!(answers(app, &order).await, [200, 200, 101]);
        clock.advance(2 * 24 * HOUR_MS);
        assert_eq!(answers(app, &order).await, [410, 410, 410]);
    })
    .await;
}
