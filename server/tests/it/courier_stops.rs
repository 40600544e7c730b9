//! The stops on a courier's phone: the newest are the last that it receives, whatever happens while it connects.

use serde_json::{Value, json};

use crate::support::{Socket, TestApp, TestCourier, TestOrder, with_app};

fn references(stops: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let stops = stops.as_array().expect("a list of stops").iter();
    stops
        .map(|stop| format!("{} {} {}", text(&stop["reference"]), text(&stop["kind"]), text(&stop["status"])))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_by_dispatch_reaches_the_phone_in_order() {
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let mut phone = app.connect(&ana).await;
        let first = app.assigned("A-1", &ana).await;
        let second = app.assigned("A-2", &ana).await;
        app.set_status(&first, "at_pickup").await;
        app.set_status(&first, "picked_up").await;
        app.assign(&second, &ben).await;
        app.assign(&second, &ana).await;
        app.set_status(&first, "cancelled").await;
        app.set_status(&second, "failed").await;
        let expected: [&[&str]; 8] = [
            &["A-1 pickup assigned", "A-1 dropoff assigned"],
            // From one kitchen: one trip.
            &["A-1 pickup assigned", "A-2 pickup assigned", "A-1 dropoff assigned", "A-2 dropoff assigned"],
            &["A-1 pickup at_pickup", "A-2 pickup assigned", "A-1 dropoff at_pickup", "A-2 dropoff assigned"],
            &["A-2 pickup assigned", "A-1 dropoff picked_up", "A-2 dropoff assigned"],
            &["A-1 dropoff picked_up"],
            &["A-1 dropoff picked_up", "A-2 pickup assigned", "A-2 dropoff assigned"],
            // The goods are on board, and go back.
            &["A-2 pickup assigned", "A-1 return cancelled", "A-2 dropoff assigned"],
            &["A-1 return cancelled"],
        ];
        for stops in expected {
            assert_eq!(references(&phone.expect("stops").await["stops"]), stops);
        }
    })
    .await;
}

/// Connects and reads until `order` is among the stops, in the welcome or after it.
async fn sees(app: &TestApp, courier: &TestCourier, order: &TestOrder) {
    let mut phone = Socket::courier(app, &courier.device_token).await;
    let welcome = phone.message().await;
    assert_eq!(welcome["type"], "welcome", "whatever happens meanwhile, it comes first");
    let mut stops = welcome["stops"].clone();
    let has = |stops: &Value| {
        stops.as_array().is_some_and(|stops| stops.iter().any(|stop| stop["order_id"] == json!(order.id)))
    };
    while !has(&stops) {
        stops = phone.expect("stops").await["stops"].clone();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_assigned_while_the_phone_connects_is_never_missed() {
    with_app(async |app| {
        for round in 0..25 {
            let ana = app.courier("Ana").await;
            // Half of the couriers are known to the live view already.
            if round % 2 == 0 {
                app.connect(&ana).await;
            }
            let order = app.order(&format!("A-{round}")).await;
            tokio::join!(sees(app, &ana, &order), app.assign(&order, &ana));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_changes_at_once_end_with_the_stops_that_are_true() {
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let mut phone = app.connect(&ana).await;
        let mut orders = Vec::new();
        for number in 0..6 {
            orders.push(app.order(&format!("A-{number}")).await);
        }
        let there_and_back = orders.iter().enumerate().map(async |(number, order)| {
            app.assign(order, &ana).await;
            app.assign(order, &ben).await;
            if number % 2 == 0 {
                app.assign(order, &ana).await;
            }
        });
        futures_util::future::join_all(there_and_back).await;
        let told = phone.everything_so_far().await;
        let last = told.iter().rev().find(|message| message["type"] == "stops").expect("there were changes");
        let mut open: Vec<_> = references(&last["stops"]).into_iter().filter(|stop| stop.contains("dropoff")).collect();
        open.sort();
        assert_eq!(open, ["A-0 dropoff assigned", "A-2 dropoff assigned", "A-4 dropoff assigned"]);
        let feeds: Vec<i64> = sqlx::query_scalar("select count(feed_from) from orders group by courier_id")
            .fetch_all(&app.db)
            .await
            .expect("orders can be counted");
        assert_eq!(feeds, [1, 1], "each courier is seen by the customer who is next, and by no other");
    })
    .await;
}
