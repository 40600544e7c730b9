//! The tour on a courier's phone: when they get to each stop, and the route to the next one.

use chrono::{DateTime, Utc};
use doorstep_shared::{
    LatLon,
    geo::{distance::haversine_m, polyline},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, BUILT_IN_AREA, HERE, TestApp, TestCourier, fix, now_ms, order_body, with_app, with_settings,
};

async fn tour(app: &TestApp, courier: &TestCourier) -> Answer {
    Answer::to(app.bare(Method::GET, "/api/v1/courier/tour").bearer_auth(&courier.device_token)).await
}

fn at(value: &Value) -> i64 {
    let at: DateTime<Utc> = value.as_str().and_then(|at| at.parse().ok()).unwrap_or_else(|| panic!("{value}"));
    at.timestamp_millis()
}

fn stops(tour: &Value) -> &Vec<Value> {
    tour["stops"].as_array().expect("a list of stops")
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_position_only_the_promised_windows_are_known() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        assert_eq!(tour(app, &ana).await.expect(200)["stops"], json!([]));
        let mut body = order_body("A-1");
        body["promised_from"] = "2031-03-01T10:00:00Z".into();
        body["promised_until"] = "2031-03-01T11:00:00Z".into();
        let order = app.post("/api/v1/orders", &body).await.expect(201);
        let id = order["id"].as_str().expect("an id");
        app.post(&format!("/api/v1/orders/{id}/assign"), &json!({ "courier_id": ana.id })).await.expect(200);
        let known = tour(app, &ana).await.expect(200);
        let stop = |kind: &str| {
            json!({ "order_id": id, "kind": kind, "promised_from": "2031-03-01T10:00:00Z",
                "promised_until": "2031-03-01T11:00:00Z", "proof": [] })
        };
        assert_eq!(known["stops"], json!([stop("pickup"), stop("dropoff")]));
        assert_eq!(known["line"], json!([]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stops_are_reached_one_after_the_other_along_the_streets() {
    with_settings(&[BUILT_IN_AREA, "--new-stops=last"], async |app| {
        let ana = app.courier("Ana").await;
        let first = app.assigned("A-1", &ana).await;
        app.assigned("A-2", &ana).await;
        let mut phone = app.connect(&ana).await;
        let from = (35.8930, 14.5060);
        phone.report(1, &[fix(now_ms(), from.0, from.1)]).await;
        let mut page = app.watch(&first).await;
        let snapshot = page.expect("snapshot").await;
        let eta = match snapshot.get("eta") {
            Some(eta) => eta.clone(),
            None => page.expect("eta").await,
        };

        let tour = tour(app, &ana).await.expect(200);
        let kinds: Vec<_> = stops(&tour).iter().map(|stop| stop["kind"].as_str().unwrap_or_default()).collect();
        assert_eq!(kinds, ["pickup", "dropoff", "pickup", "dropoff"]);
        let ranges: Vec<_> =
            stops(&tour).iter().map(|stop| (at(&stop["earliest_at"]), at(&stop["latest_at"]))).collect();
        assert!(ranges.iter().all(|(earliest, latest)| earliest < latest), "{ranges:?}");
        assert!(ranges.is_sorted() && ranges.windows(2).all(|pair| pair[0].1 < pair[1].1), "{ranges:?}");
        let told = (eta["earliest_ms"].as_i64().expect("a time"), eta["latest_ms"].as_i64().expect("a time"));
        assert_eq!(ranges[1], told, "the courier reads what the customer reads");

        let line: Vec<_> = tour["line"].as_array().expect("a line").iter().map(point).collect();
        let (here, pickup) = (LatLon::try_new(from.0, from.1), LatLon::try_new(HERE.0, HERE.1));
        let (here, pickup) = (here.expect("on earth"), pickup.expect("on earth"));
        assert!(line.len() > 5, "streets bend: {line:?}");
        assert!(haversine_m(line[0], here) < 100.0 && haversine_m(line[line.len() - 1], pickup) < 100.0, "{line:?}");
        let first_m = stops(&tour)[0]["distance_m"].as_f64().expect("a distance");
        assert!((first_m - polyline::length_m(&line)).abs() < 150.0, "{first_m} m along {line:?}");
        let door_m = stops(&tour)[1]["distance_m"].as_f64().expect("a distance");
        assert!((475.0..3_000.0).contains(&door_m), "{door_m} m for 475 m as the crow flies");
        assert_eq!(stops(&tour)[3]["distance_m"], stops(&tour)[1]["distance_m"], "the same way again");
    })
    .await;
}

fn point(pair: &Value) -> LatLon {
    let degrees = |index: usize| pair[index].as_f64().expect("degrees");
    LatLon::try_new(degrees(1), degrees(0)).expect("on earth")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_stops_is_in_the_next_answer() {
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let first = app.assigned("A-1", &ana).await;
        let mut phone = app.connect(&ana).await;
        phone.report(1, &[fix(now_ms(), HERE.0, HERE.1)]).await;
        assert_eq!(stops(&tour(app, &ana).await.expect(200)).len(), 2);
        app.set_status(&first, "picked_up").await;
        assert_eq!(stops(&tour(app, &ana).await.expect(200)).len(), 1);
        app.assign(&first, &ben).await;
        assert_eq!(stops(&tour(app, &ana).await.expect(200)).len(), 0);
        let bens = tour(app, &ben).await.expect(200);
        assert_eq!(stops(&bens)[0]["order_id"], first.id.as_str());
        assert!(stops(&bens)[0].get("earliest_at").is_none(), "Ben has no known position: {bens}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tour_is_for_the_courier_alone() {
    with_app(async |app| {
        let bare = Answer::to(app.bare(Method::GET, "/api/v1/courier/tour")).await;
        bare.expect_problem(401, "unauthorized");
        app.get("/api/v1/courier/tour").await.expect_problem(401, "unauthorized");
    })
    .await;
}
