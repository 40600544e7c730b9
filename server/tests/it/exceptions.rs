//! What needs a dispatcher's attention: when it is noticed, when it is not, when it is over, and who acknowledges it.
//!
//! The test moves the clock and starts each round; one test of its own checks that the server makes rounds by itself.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use doorstep_server::{
    domain::{
        order::{Demands, Order, Seen, stops::stops_of},
        plan::Planned,
        track::progress::{PlannedRoute, progress},
    },
    live::tracker::Known,
    platform::clock::{Clock, ManualClock},
    store::access::Role,
};
use doorstep_shared::{
    CourierId, DeviceId, Fix, LatLon, OrderId, OrderStatus, RawFix, Vehicle,
    geo::distance::{destination, haversine_m},
    protocol::PresenceState,
    protocol::customer::Presence,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, Database, HERE, Socket, TestApp, TestCourier, TestOrder, TestPerson, fix, order_body, text, with_app,
    with_manual_clock,
};

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;

/// The door of every order here.
const DOOR: (f64, f64) = (35.9012, 14.5160);

/// A place away from every waypoint of an order.
fn elsewhere() -> LatLon {
    point(35.9070, 14.5020)
}

fn point(lat: f64, lon: f64) -> LatLon {
    LatLon::try_new(lat, lon).expect("on earth")
}

async fn make_round(app: &TestApp) {
    app.state().exceptions.make_round().await.expect("the database is there");
}

async fn pass(app: &TestApp, hand: &ManualClock, ms: i64) {
    hand.advance(ms);
    make_round(app).await;
}

async fn dora(app: &TestApp) -> TestPerson {
    app.person("dora@example.com", Role::Dispatcher).await
}

async fn list(app: &TestApp, by: &TestPerson, query: &str) -> Vec<Value> {
    let answer = Answer::to(app.as_person(by, Method::GET, &format!("/api/v1/exceptions?{query}"))).await.expect(200);
    answer["items"].as_array().expect("items").clone()
}

fn codes(list: &[Value]) -> Vec<&str> {
    list.iter().map(|item| item["code"].as_str().expect("a code")).collect()
}

async fn console(app: &TestApp) -> Socket {
    let authorization = format!("Bearer {}", app.key);
    let mut socket = Socket::connect(app, "/ws/fleet", &[("authorization", &authorization)]).await;
    socket.expect("snapshot").await;
    socket
}

/// Reports one fix, now by the server's clock.
async fn be_at(app: &TestApp, phone: &mut Socket, place: LatLon) {
    let now_ms = app.state().clock.now_ms();
    phone.report(now_ms as u64, &[fix(now_ms, place.lat(), place.lon())]).await;
}

/// Stays in one place for this long, with a fix every half minute.
async fn stay(app: &TestApp, hand: &ManualClock, phone: &mut Socket, place: LatLon, ms: i64) {
    for _ in 0..ms / (30 * SECOND_MS) {
        hand.advance(30 * SECOND_MS);
        be_at(app, phone, place).await;
    }
}

async fn say(app: &TestApp, phone: &mut Socket, state: &str, reason: Option<&str>) {
    let mut said = json!({ "type": "presence", "state": state, "time_ms": app.state().clock.now_ms() });
    if let Some(reason) = reason {
        said["reason"] = json!(reason);
    }
    phone.send(&said).await;
    phone.send(&json!({ "type": "ping" })).await;
    phone.expect("pong").await;
}

async fn promised(app: &TestApp, reference: &str, in_ms: i64, door: (f64, f64)) -> TestOrder {
    let until = chrono::DateTime::from_timestamp_millis(app.state().clock.now_ms() + in_ms).expect("a time");
    let mut body = order_body(reference);
    body["promised_until"] = json!(until.to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
    body["dropoff"] = json!({ "lat": door.0, "lon": door.1, "address": "the door" });
    let created = app.post("/api/v1/orders", &body).await.expect(201);
    TestOrder { id: text(&created["id"]), token: text(&created["tracking_token"]) }
}

fn here() -> LatLon {
    point(HERE.0, HERE.1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_courier_with_an_order_who_falls_silent_is_noticed_once_and_until_the_next_fix() {
    with_manual_clock(async |app, hand| {
        let (dora, ana, ben) = (dora(app).await, app.courier("Ana").await, app.courier("Ben").await);
        app.assigned("A-1", &ana).await;
        let (mut phone, mut idle) = (app.connect(&ana).await, app.connect(&ben).await);
        be_at(app, &mut phone, here()).await;
        be_at(app, &mut idle, here()).await;
        let heard_ms = app.state().clock.now_ms();
        let mut console = console(app).await;
        pass(app, hand, 2 * MINUTE_MS).await;
        assert_eq!(list(app, &dora, "").await, [] as [Value; 0], "phones may be quiet for two minutes");

        pass(app, hand, 2 * MINUTE_MS).await;
        let alert = console.expect("alert").await["alert"].clone();
        assert_eq!(alert["code"], "silent");
        assert_eq!((&alert["courier_id"], &alert["since_ms"]), (&json!(ana.id), &json!(heard_ms)));
        for _ in 0..3 {
            pass(app, hand, MINUTE_MS).await;
        }
        let open = list(app, &dora, "").await;
        assert_eq!(codes(&open), ["silent"], "once, and not for who has no order");
        assert_eq!((&open[0]["courier_name"], &open[0]["silent_s"]), (&json!("Ana"), &json!(7 * 60)));
        assert_eq!((&open[0]["order_reference"], &open[0]["at"]["lat"]), (&json!("A-1"), &json!(HERE.0)));
        assert!(open[0].get("reason").is_none() && open[0].get("ended_at").is_none(), "{}", open[0]);

        be_at(app, &mut phone, here()).await;
        make_round(app).await;
        let over = list(app, &dora, "").await;
        assert!(over[0]["ended_at"].is_string(), "it is over, and still open: {}", over[0]);
        pass(app, hand, 4 * MINUTE_MS).await;
        let again = list(app, &dora, "").await;
        assert_eq!(codes(&again), ["silent", "silent"]);
        assert!(again[0].get("ended_at").is_none() && again[1]["ended_at"].is_string(), "what goes on comes first");
        let messages = console.everything_so_far().await;
        assert_eq!(messages.iter().filter(|message| message["type"] == "alert").count(), 1, "{messages:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announced_pause_explains_itself_for_a_while_and_is_then_said_as_what_it_is() {
    with_manual_clock(async |app, hand| {
        let dora = dora(app).await;
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        app.assigned("A-1", &ana).await;
        app.assigned("B-1", &ben).await;
        let (mut locked, mut gone) = (app.connect(&ana).await, app.connect(&ben).await);
        for phone in [&mut locked, &mut gone] {
            be_at(app, phone, here()).await;
        }
        say(app, &mut locked, "paused", Some("screen_locked")).await;
        say(app, &mut gone, "off_duty", None).await;
        pass(app, hand, 9 * MINUTE_MS).await;
        assert_eq!(list(app, &dora, "").await, [] as [Value; 0]);
        pass(app, hand, 2 * MINUTE_MS).await;
        let open = list(app, &dora, "").await;
        assert_eq!(codes(&open), ["silent"], "off duty is no silence");
        assert_eq!((&open[0]["courier_id"], &open[0]["reason"]), (&json!(ana.id), &json!("screen_locked")));
        say(app, &mut locked, "off_duty", None).await;
        make_round(app).await;
        assert!(list(app, &dora, "").await[0]["ended_at"].is_string(), "she said that she stopped");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tracker_that_stands_still_is_given_more_time_than_an_app() {
    with_manual_clock(async |app, hand| {
        let (dora, ana) = (dora(app).await, app.courier("Ana").await);
        app.assigned("A-1", &ana).await;
        let path = format!("/api/v1/couriers/{}/trackers", ana.id);
        let tracker = app.post(&path, &json!({ "app": "overland" })).await.expect(201);
        let devices = app.get(&format!("/api/v1/couriers/{}/devices", ana.id)).await.expect(200);
        for device in devices["items"].as_array().expect("devices").iter().filter(|it| it.get("client").is_none()) {
            if device["label"] == "a phone" {
                let path = format!("/api/v1/couriers/{}/devices/{}", ana.id, text(&device["id"]));
                assert_eq!(Answer::to(app.request(Method::DELETE, &path)).await.status, 204);
            }
        }
        let at = chrono::DateTime::from_timestamp_millis(app.state().clock.now_ms()).expect("a time");
        let batch = json!({ "locations": [{ "type": "Feature",
            "geometry": { "type": "Point", "coordinates": [HERE.1, HERE.0] },
            "properties": { "timestamp": at.to_rfc3339(), "horizontal_accuracy": 5 } }] });
        let token = tracker_token(&tracker);
        let sent = app.bare(Method::POST, "/ingest/overland").bearer_auth(token).json(&batch);
        assert_eq!(Answer::to(sent).await.status, 200);
        pass(app, hand, 14 * MINUTE_MS).await;
        assert_eq!(list(app, &dora, "").await, [] as [Value; 0], "it reports only while it moves");
        pass(app, hand, 2 * MINUTE_MS).await;
        assert_eq!(codes(&list(app, &dora, "").await), ["silent"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_late_when_its_time_is_over_or_surely_will_be() {
    with_manual_clock(async |app, hand| {
        let (dora, ana) = (dora(app).await, app.courier("Ana").await);
        let in_time = promised(app, "in time", 60 * MINUTE_MS, DOOR).await;
        let unassigned = promised(app, "unassigned", 20 * MINUTE_MS, DOOR).await;
        let too_far = promised(app, "too far", 6 * MINUTE_MS, (35.9500, 14.4000)).await;
        app.assign(&too_far, &ana).await;
        let mut phone = app.connect(&ana).await;
        be_at(app, &mut phone, here()).await;
        let mut console = console(app).await;
        make_round(app).await;
        assert_eq!(list(app, &dora, "").await, [] as [Value; 0], "one odd estimate is none");
        pass(app, hand, 31 * SECOND_MS).await;
        let alert = console.expect("alert").await["alert"].clone();
        assert_eq!((&alert["code"], &alert["order_id"]), (&json!("late"), &json!(too_far.id)));
        let open = list(app, &dora, "").await;
        assert_eq!(codes(&open), ["late"]);
        assert_eq!((&open[0]["order_reference"], &open[0]["courier_name"]), (&json!("too far"), &json!("Ana")));
        assert!(open[0]["late_by_s"].as_u64().is_some_and(|late_s| late_s > 600), "{}", open[0]);

        for _ in 0..22 {
            hand.advance(MINUTE_MS);
            be_at(app, &mut phone, here()).await;
        }
        make_round(app).await;
        let open = list(app, &dora, "").await;
        let late: Vec<_> = open.iter().map(|item| item["order_id"].as_str().expect("an order")).collect();
        assert_eq!(late, [too_far.id.as_str(), unassigned.id.as_str()], "{} is promised later", in_time.id);
        assert!(open[1].get("courier_id").is_none(), "it has no courier: {}", open[1]);
        app.assign(&unassigned, &ana).await;
        make_round(app).await;
        assert_eq!(list(app, &dora, "").await[1]["courier_name"], "Ana", "who has it now");

        let delivered_ms = app.state().clock.now_ms();
        app.set_status(&too_far, "delivered").await;
        app.set_status(&unassigned, "failed").await;
        pass(app, hand, MINUTE_MS).await;
        for item in list(app, &dora, "").await.iter().filter(|item| item["code"] == "late") {
            let ended_at = text(&item["ended_at"]).parse::<chrono::DateTime<chrono::Utc>>().expect("a time");
            assert_eq!(ended_at.timestamp_millis(), delivered_ms, "{item}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_its_courier_may_turn_to_first_is_not_surely_late() {
    with_manual_clock(async |app, hand| {
        let (dora, ana) = (dora(app).await, app.courier("Ana").await);
        let far = promised(app, "far", 3 * 60 * MINUTE_MS, (35.9500, 14.4000)).await;
        let near = promised(app, "near", 14 * MINUTE_MS, DOOR).await;
        for order in [&far, &near] {
            app.assign(order, &ana).await;
            app.set_status(order, "picked_up").await;
        }
        let mut phone = app.connect(&ana).await;
        be_at(app, &mut phone, here()).await;
        make_round(app).await;
        pass(app, hand, 31 * SECOND_MS).await;
        let shown = app.get(&format!("/api/v1/orders/{}", near.id)).await.expect(200);
        let expected = text(&shown["expected_at"]).parse::<chrono::DateTime<chrono::Utc>>().expect("a time");
        let promise = text(&shown["promised_until"]).parse::<chrono::DateTime<chrono::Utc>>().expect("a time");
        assert!(expected > promise, "one after the other it would be late: {shown}");
        assert_eq!(list(app, &dora, "").await, [] as [Value; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_estimate_that_recovers_ends_it() {
    with_manual_clock(async |app, hand| {
        let (dora, ana) = (dora(app).await, app.courier("Ana").await);
        let order = promised(app, "A-1", 12 * MINUTE_MS, DOOR).await;
        app.assign(&order, &ana).await;
        app.set_status(&order, "picked_up").await;
        let mut phone = app.connect(&ana).await;
        let far = destination(point(DOOR.0, DOOR.1), 270.0, 9_000.0);
        be_at(app, &mut phone, far).await;
        make_round(app).await;
        pass(app, hand, 31 * SECOND_MS).await;
        assert_eq!(codes(&list(app, &dora, "").await), ["late"]);
        hand.advance(3 * MINUTE_MS);
        be_at(app, &mut phone, destination(far, 90.0, 7_500.0)).await;
        make_round(app).await;
        assert!(list(app, &dora, "").await[0]["ended_at"].is_string(), "they were quicker than estimated");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stands_still_with_goods_away_from_every_stop_is_noticed_until_they_move_on() {
    with_manual_clock(async |app, hand| {
        let (dora, ana, ben) = (dora(app).await, app.courier("Ana").await, app.courier("Ben").await);
        let (order, waiting) = (app.assigned("A-1", &ana).await, app.assigned("B-1", &ben).await);
        app.set_status(&order, "picked_up").await;
        app.set_status(&waiting, "at_pickup").await;
        let (mut phone, mut at_shop) = (app.connect(&ana).await, app.connect(&ben).await);
        let mut console = console(app).await;
        let since_ms = app.state().clock.now_ms();
        be_at(app, &mut phone, elsewhere()).await;
        for _ in 0..9 {
            stay(app, hand, &mut at_shop, here(), 30 * SECOND_MS).await;
            be_at(app, &mut phone, elsewhere()).await;
            stay(app, hand, &mut phone, elsewhere(), 30 * SECOND_MS).await;
            make_round(app).await;
        }
        let alert = console.expect("alert").await["alert"].clone();
        assert_eq!((&alert["code"], &alert["courier_id"]), (&json!("stationary"), &json!(ana.id)));
        let open = list(app, &dora, "").await;
        assert_eq!(codes(&open), ["stationary"], "who waits for the kitchen is at work");
        assert_eq!((&open[0]["stationary_s"], &alert["since_ms"]), (&json!(9 * 60), &json!(since_ms)));
        assert_eq!(open[0]["order_reference"], "A-1");

        hand.advance(30 * SECOND_MS);
        be_at(app, &mut phone, destination(elsewhere(), 45.0, 60.0)).await;
        make_round(app).await;
        assert!(list(app, &dora, "").await[0].get("ended_at").is_none(), "round the corner is not away");
        hand.advance(30 * SECOND_MS);
        be_at(app, &mut phone, destination(elsewhere(), 45.0, 250.0)).await;
        make_round(app).await;
        assert!(list(app, &dora, "").await[0]["ended_at"].is_string());
        stay(app, hand, &mut phone, point(DOOR.0, DOOR.1), 10 * MINUTE_MS).await;
        make_round(app).await;
        let found = list(app, &dora, "").await;
        assert_eq!(codes(&found).iter().filter(|code| **code == "stationary").count(), 1, "at the door one may stand");
    })
    .await;
}

/// Does what the arrival task does, at once: plans the route from where the courier is. Here a straight line.
fn plan(app: &TestApp, courier: &TestCourier, from: LatLon) {
    let target = point(DOOR.0, DOOR.1);
    let route = PlannedRoute { target, line: vec![from, target], segments: vec![] };
    app.state().tracker.set_route(courier.id.parse().expect("an id"), Arc::new(route));
}

/// Rides from one place to another with a fix and a round every fifteen seconds.
async fn ride(
    app: &TestApp,
    hand: &ManualClock,
    courier: &TestCourier,
    phone: &mut Socket,
    (from, to): (LatLon, LatLon),
    planned: bool,
) {
    let steps = (haversine_m(from, to) / 150.0).ceil() as u32;
    let bearing = doorstep_shared::geo::distance::bearing_deg(from, to);
    for step in 0..=steps {
        let place = destination(from, bearing, haversine_m(from, to) * f64::from(step) / f64::from(steps));
        hand.advance(15 * SECOND_MS);
        be_at(app, phone, place).await;
        if planned {
            plan(app, courier, place);
        }
        make_round(app).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_rides_away_from_the_way_is_off_route_until_they_come_back() {
    with_manual_clock(async |app, hand| {
        let (dora, ana) = (dora(app).await, app.courier("Ana").await);
        let order = app.assigned("A-1", &ana).await;
        app.set_status(&order, "picked_up").await;
        let mut phone = app.connect(&ana).await;
        let door = point(DOOR.0, DOOR.1);
        let start = destination(door, 270.0, 3_000.0);
        let away = destination(start, 180.0, 3_500.0);
        ride(app, hand, &ana, &mut phone, (start, away), false).await;
        assert_eq!(codes(&list(app, &dora, "").await), [""; 0], "without a route no courier is off it");

        ride(app, hand, &ana, &mut phone, (start, destination(start, 90.0, 450.0)), true).await;
        assert_eq!(codes(&list(app, &dora, "").await), [""; 0]);
        let mut console = console(app).await;
        let corner = destination(start, 90.0, 450.0);
        ride(app, hand, &ana, &mut phone, (corner, destination(corner, 200.0, 3_000.0)), true).await;
        let alert = console.expect("alert").await["alert"].clone();
        assert_eq!((&alert["code"], &alert["order_id"]), (&json!("off_route"), &json!(order.id)));
        let open = list(app, &dora, "").await;
        assert_eq!(codes(&open), ["off_route"]);
        assert!(open[0]["distance_m"].as_u64().is_some_and(|metres| (2_000..3_500).contains(&metres)), "{}", open[0]);
        ride(app, hand, &ana, &mut phone, (destination(corner, 200.0, 3_000.0), corner), true).await;
        let over = list(app, &dora, "").await;
        assert_eq!(codes(&over), ["off_route"]);
        assert!(over[0]["ended_at"].is_string(), "{}", over[0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_handed_over_far_from_its_door_is_noticed_by_any_report() {
    with_manual_clock(async |app, hand| {
        let dora = dora(app).await;
        let door = point(DOOR.0, DOOR.1);
        let far = destination(door, 200.0, 800.0);
        let cases = [
            ("phone far", "phone", Some(far), true),
            ("phone near", "phone", Some(destination(door, 200.0, 60.0)), false),
            ("rest far", "rest", Some(far), true),
            ("rest near", "rest", Some(door), false),
            ("no position", "rest", None, false),
        ];
        for (what, by, place, expected) in cases {
            let ana = app.courier(what).await;
            let order = app.assigned(what, &ana).await;
            let mut phone = app.connect(&ana).await;
            if let Some(place) = place {
                be_at(app, &mut phone, place).await;
            }
            match by {
                "phone" => {
                    let time_ms = app.state().clock.now_ms();
                    let report = json!({ "type": "status", "id": 9, "order_id": order.id, "status": "delivered",
                        "time_ms": time_ms });
                    phone.send(&report).await;
                    assert_eq!(phone.expect("ack").await["stored"], 1);
                }
                _ => app.set_status(&order, "delivered").await,
            }
            make_round(app).await;
            let found = async || -> Vec<Value> {
                let all = list(app, &dora, "state=all").await;
                all.into_iter().filter(|item| item["order_reference"] == what).collect()
            };
            assert_eq!(found().await.len(), 0, "{what}: positions may still come");
            pass(app, hand, 11 * SECOND_MS).await;
            pass(app, hand, 90 * SECOND_MS).await;
            make_round(app).await;
            let found = found().await;
            assert_eq!(codes(&found), if expected { vec!["delivered_far"] } else { vec![] }, "{what}");
            if let Some(item) = found.first() {
                assert_eq!(item["since"], item["ended_at"], "it happened once: {item}");
                assert!(item["distance_m"].as_u64().is_some_and(|metres| (795..805).contains(&metres)), "{item}");
                assert_eq!((&item["courier_name"], &item["courier_id"]), (&json!(what), &json!(ana.id)));
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_that_was_a_mistake_is_settled_by_who_reopens_the_order_and_the_next_is_judged_anew() {
    with_manual_clock(async |app, hand| {
        let (dora, ana) = (dora(app).await, app.courier("Ana").await);
        let order = app.assigned("A-1", &ana).await;
        let mut phone = app.connect(&ana).await;
        let far = destination(point(DOOR.0, DOOR.1), 200.0, 800.0);
        let reopen = async |reason: &str| {
            let path = format!("/api/v1/orders/{}/reopen", order.id);
            let request = app.as_person(&dora, Method::POST, &path).header("origin", app.origin());
            Answer::to(request.json(&json!({ "reason": reason }))).await.expect(200);
        };
        be_at(app, &mut phone, far).await;
        app.set_status(&order, "delivered").await;
        reopen("not judged yet").await;
        stay(app, hand, &mut phone, far, 2 * MINUTE_MS).await;
        make_round(app).await;
        assert_eq!(list(app, &dora, "state=all").await, [] as [Value; 0], "it was not handed over");

        for times in 1..=2 {
            app.set_status(&order, "delivered").await;
            stay(app, hand, &mut phone, far, 2 * MINUTE_MS).await;
            make_round(app).await;
            let open = list(app, &dora, "").await;
            assert_eq!(codes(&open), ["delivered_far"], "the {times}. time");
            reopen("the neighbour has it").await;
            assert_eq!(list(app, &dora, "").await, [] as [Value; 0], "somebody took care of it");
        }
        let all = list(app, &dora, "state=all").await;
        assert_eq!(codes(&all), ["delivered_far"; 2]);
        let settled = (&all[0]["acknowledged_by"], &all[0]["note"]);
        assert_eq!(settled, (&json!("dora@example.com"), &json!("the neighbour has it")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delay_ends_with_the_promise_that_it_broke() {
    with_manual_clock(async |app, hand| {
        let dora = dora(app).await;
        let order = promised(app, "A-1", 5 * MINUTE_MS, DOOR).await;
        pass(app, hand, 7 * MINUTE_MS).await;
        assert_eq!(codes(&list(app, &dora, "").await), ["late"]);
        let path = format!("/api/v1/orders/{}", order.id);
        let seen = app.get(&path).await.header("etag").to_owned();
        // Farther away than what a round looks at.
        let until = chrono::DateTime::from_timestamp_millis(app.state().clock.now_ms() + 24 * 60 * MINUTE_MS);
        let body = json!({ "promised_until": until.expect("a time").to_rfc3339() });
        Answer::to(app.request(Method::PATCH, &path).header("if-match", &seen).json(&body)).await.expect(200);
        assert!(list(app, &dora, "").await[0]["ended_at"].is_string());
        pass(app, hand, MINUTE_MS).await;
        assert_eq!(codes(&list(app, &dora, "").await), ["late"], "and none begins");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_was_offline_at_the_door_is_believed_once_its_backlog_came() {
    with_manual_clock(async |app, hand| {
        let (dora, ana) = (dora(app).await, app.courier("Ana").await);
        let order = app.assigned("A-1", &ana).await;
        let mut phone = app.connect(&ana).await;
        let door = point(DOOR.0, DOOR.1);
        be_at(app, &mut phone, destination(door, 270.0, 1_500.0)).await;
        hand.advance(100 * SECOND_MS);
        let delivered_ms = app.state().clock.now_ms();
        hand.advance(5 * MINUTE_MS);
        be_at(app, &mut phone, destination(door, 90.0, 2_000.0)).await;
        let report = json!({ "type": "status", "id": 9, "order_id": order.id, "status": "delivered",
            "time_ms": delivered_ms });
        phone.send(&report).await;
        phone.expect("ack").await;
        pass(app, hand, 20 * SECOND_MS).await;
        phone.report(10, &[fix(delivered_ms - 2 * SECOND_MS, door.lat(), door.lon())]).await;
        pass(app, hand, 90 * SECOND_MS).await;
        assert_eq!(list(app, &dora, "state=all").await, [] as [Value; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_notices_nothing_twice_and_forgets_nothing() {
    let database = Database::create().await;
    let (clock, hand) = Clock::manual(crate::support::now_ms());
    let first = TestApp::start_by(clock.clone(), &database).await;
    let (dora, ana) = (dora(&first).await, first.courier("Ana").await);
    let late = promised(&first, "late", 2 * MINUTE_MS, DOOR).await;
    let order = first.assigned("A-1", &ana).await;
    let mut phone = first.connect(&ana).await;
    be_at(&first, &mut phone, here()).await;
    pass(&first, &hand, 4 * MINUTE_MS).await;
    let before = list(&first, &dora, "").await;
    assert_eq!(codes(&before), ["late", "silent"]);
    first.stop().await;

    hand.advance(MINUTE_MS);
    let second = TestApp::start_by(clock, &database).await;
    make_round(&second).await;
    pass(&second, &hand, 10 * MINUTE_MS).await;
    let after = list(&second, &dora, "state=all").await;
    let ids = |list: &[Value]| list.iter().map(|item| text(&item["id"])).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(ids(&after), ids(&before));
    assert!(after.iter().all(|item| item.get("ended_at").is_none()), "they go on: {after:?}");
    second.set_status(&late, "cancelled").await;
    second.set_status(&order, "cancelled").await;
    make_round(&second).await;
    let over = list(&second, &dora, "").await;
    assert!(over.iter().all(|item| item["ended_at"].is_string()), "{over:?}");
    second.stop().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_just_begun_gives_every_phone_time_to_come_back() {
    let database = Database::create().await;
    let (clock, hand) = Clock::manual(crate::support::now_ms());
    let first = TestApp::start_by(clock.clone(), &database).await;
    let (dora, ana) = (dora(&first).await, first.courier("Ana").await);
    first.assigned("A-1", &ana).await;
    let mut phone = first.connect(&ana).await;
    be_at(&first, &mut phone, here()).await;
    first.stop().await;
    hand.advance(20 * MINUTE_MS);
    let second = TestApp::start_by(clock, &database).await;
    pass(&second, &hand, MINUTE_MS).await;
    assert_eq!(list(&second, &dora, "").await, [] as [Value; 0], "it was the server that was away");
    pass(&second, &hand, 3 * MINUTE_MS).await;
    assert_eq!(codes(&list(&second, &dora, "").await), ["silent"], "and the phone did not come back");
    second.stop().await;
    database.remove().await;
}

/// Four orders that are late, and a courier who is silent.
async fn five_exceptions(app: &TestApp, hand: &ManualClock) {
    let ana = app.courier("Ana").await;
    app.assigned("A-1", &ana).await;
    let mut phone = app.connect(&ana).await;
    be_at(app, &mut phone, here()).await;
    for number in 0..4 {
        promised(app, &format!("L-{number}"), MINUTE_MS, DOOR).await;
        hand.advance(SECOND_MS);
    }
    pass(app, hand, 4 * MINUTE_MS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_person_acknowledges_and_no_later_person_changes_that() {
    with_manual_clock(async |app, hand| {
        five_exceptions(app, hand).await;
        let dora = dora(app).await;
        let ada = app.person("ada@example.com", Role::Admin).await;
        let id = text(&list(app, &dora, "").await[4]["id"]);
        let path = format!("/api/v1/exceptions/{id}/acknowledge");
        let acknowledge =
            async |by: &TestPerson, body: Value| Answer::to(app.as_person(by, Method::POST, &path).json(&body)).await;
        let silent = acknowledge(&dora, json!({ "note": " called her, flat battery " })).await.expect(200);
        assert_eq!((&silent["code"], &silent["acknowledged_by"]), (&json!("silent"), &json!("dora@example.com")));
        assert_eq!(silent["note"], "called her, flat battery");
        assert!(silent["acknowledged_at"].is_string());
        hand.advance(MINUTE_MS);
        let again = acknowledge(&ada, json!({ "note": "me too" })).await.expect(200);
        for field in ["acknowledged_by", "acknowledged_at", "note", "id"] {
            assert_eq!(again[field], silent[field]);
        }
        make_round(app).await;
        assert_eq!(codes(&list(app, &dora, "").await), ["late"; 4], "an acknowledged exception is not open");
        let all = list(app, &ada, "state=all").await;
        assert_eq!(all.len(), 5);
        assert_eq!(all.iter().filter(|item| item["acknowledged_by"] == "dora@example.com").count(), 1);

        let device = app.courier("Ben").await.device_token;
        let post = |path: &str| app.bare(Method::POST, path).json(&json!({}));
        Answer::to(post(&path)).await.expect_problem(401, "unauthorized");
        Answer::to(post(&path).bearer_auth(&device)).await.expect_problem(401, "unauthorized");
        Answer::to(post(&path).bearer_auth(&app.key)).await.expect_problem(403, "people_only");
        app.get("/api/v1/exceptions").await.expect_problem(403, "people_only");
        acknowledge(&dora, json!({ "note": "x".repeat(501) })).await.expect_problem(422, "invalid_fields");
        for unknown in ["0192a000-0000-7000-8000-000000000001", "nothing"] {
            let request = app.as_person(&dora, Method::POST, &format!("/api/v1/exceptions/{unknown}/acknowledge"));
            Answer::to(request.json(&json!({}))).await.expect_problem(404, "not_found");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_comes_in_pages_the_worst_first() {
    with_manual_clock(async |app, hand| {
        five_exceptions(app, hand).await;
        let dora = dora(app).await;
        for (query, expected) in [("state=open", vec!["late", "late", "late", "late", "silent"]), ("state=all", vec![])]
        {
            let whole = list(app, &dora, query).await;
            assert!(expected.is_empty() || codes(&whole) == expected, "{whole:?}");
            let (mut walked, mut cursor) = (Vec::new(), String::new());
            loop {
                let path = format!("/api/v1/exceptions?{query}&limit=2{cursor}");
                let page = Answer::to(app.as_person(&dora, Method::GET, &path)).await.expect(200);
                walked.extend(page["items"].as_array().expect("items").clone());
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(walked, whole, "{query}");
        }
        for wrong in ["limit=0", "limit=1001", "state=some", "cursor=x"] {
            let request = app.as_person(&dora, Method::GET, &format!("/api/v1/exceptions?{wrong}"));
            Answer::to(request).await.expect_problem(400, "bad_request");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_the_positions_again_and_again_is_one_entry_in_the_log() {
    with_manual_clock(async |app, hand| {
        five_exceptions(app, hand).await;
        let (dora, ada) = (dora(app).await, app.person("ada@example.com", Role::Admin).await);
        let entries = async || -> i64 {
            let path = format!("/api/v1/audit?what=fleet&actor=user:{}", dora.id);
            let log = Answer::to(app.as_person(&ada, Method::GET, &path)).await.expect(200);
            log["items"].as_array().expect("items").len() as i64
        };
        for _ in 0..5 {
            list(app, &dora, "").await;
        }
        crate::support::eventually("the entry is written", async || entries().await == 1).await;
        hand.advance(11 * MINUTE_MS);
        list(app, &dora, "").await;
        crate::support::eventually("the next entry is written", async || entries().await == 2).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_is_kept_as_long_as_fixes_and_what_goes_on_is_kept() {
    with_manual_clock(async |app, hand| {
        five_exceptions(app, hand).await;
        let dora = dora(app).await;
        let end = "update exceptions set ended_at = noticed_at where code = 'silent'";
        sqlx::query(end).execute(&app.db).await.expect("it can be ended");
        let forget = async |seconds: i64| {
            let before = chrono::DateTime::from_timestamp_millis(app.state().clock.now_ms()).expect("a time");
            let before = before + chrono::TimeDelta::seconds(seconds);
            app.state().store.forget_exceptions(before).await.expect("the database is there");
        };
        forget(-1).await;
        assert_eq!(list(app, &dora, "state=all").await.len(), 5);
        forget(1).await;
        assert_eq!(codes(&list(app, &dora, "state=all").await), ["late"; 4]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_makes_rounds_by_itself() {
    with_app(async |app| {
        let mut console = console(app).await;
        let order = promised(app, "A-1", -10 * MINUTE_MS, DOOR).await;
        // Longer than from one round to the next on a machine that is very busy.
        let alert = tokio::time::timeout(Duration::from_secs(60), async {
            loop {
                if let Some(alert) = console.everything_so_far().await.into_iter().find(|it| it["type"] == "alert") {
                    return alert;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        let alert = alert.await.expect("the watch runs");
        assert_eq!((&alert["alert"]["code"], &alert["alert"]["order_id"]), (&json!("late"), &json!(order.id)));
    })
    .await;
}

fn tracker_token(tracker: &Value) -> String {
    text(&tracker["token"])
}

fn order_of(courier: CourierId, status: OrderStatus, number: u32, now_ms: i64) -> Order {
    let at = |ms: i64| chrono::DateTime::from_timestamp_millis(ms).expect("a time");
    let waypoint = |bearing: u32, metres: f64| doorstep_server::domain::order::Waypoint {
        point: destination(here(), f64::from(bearing), metres),
        address: "somewhere in town".to_owned(),
        instructions: Some("ring twice".to_owned()),
        phone: None,
    };
    Order {
        id: OrderId::new(),
        reference: format!("A-{number}"),
        status,
        status_at: at(now_ms),
        pickup: waypoint(number, 1_000.0),
        dropoff: waypoint(number * 7, 3_000.0),
        customer: doorstep_shared::api::CustomerBody { name: "Eve".to_owned(), phone: None, email: None },
        promised_from: None,
        promised_until: Some(at(now_ms + 3 * 60 * MINUTE_MS)),
        courier_id: Some(courier),
        assigned_at: Some(at(now_ms - MINUTE_MS)),
        feed_from: Some(at(now_ms - MINUTE_MS)),
        leg_from: None,
        created_at: at(now_ms - MINUTE_MS),
        version: 1,
        attempt: 1,
        demands: Demands::default(),
        carried_by: Some(courier).filter(|_| status == OrderStatus::PickedUp),
        seen: Seen::default(),
    }
}

/// A route with eighty points, as across a town.
fn winding(from: LatLon, target: LatLon) -> Arc<PlannedRoute> {
    let bend = |step: u32| destination(from, f64::from(step * 3), f64::from(step) * 40.0);
    let line = std::iter::once(from).chain((1..80).map(bend)).chain([target]).collect();
    Arc::new(PlannedRoute { target, line, segments: vec![] })
}

fn place_of(number: u32) -> LatLon {
    destination(here(), f64::from(number), f64::from(number % 3_000))
}

/// Couriers of whom each has two orders, and all of whom report.
fn staff(app: &TestApp, couriers: u32) -> Vec<(CourierId, u32)> {
    let (tracker, now_ms) = (&app.state().tracker, app.state().clock.now_ms());
    let presence = Presence { state: PresenceState::Tracking, reason: None, since_ms: now_ms };
    let hire = |number: u32| {
        let courier = CourierId::new();
        tracker.seed(courier, Known { presence: Some(presence), ..Known::default() }, now_ms);
        let order = |status| order_of(courier, status, number, now_ms);
        let open = vec![order(OrderStatus::PickedUp), order(OrderStatus::Assigned)];
        let route = winding(place_of(number), open[0].dropoff.point);
        let planned = Planned::new(courier, None, open);
        let stops = stops_of(&planned);
        tracker.set_plan((courier, tracker.plan_ticket()), planned, Vehicle::Scooter, stops, now_ms, || ());
        tracker.set_route(courier, route);
        (courier, number)
    };
    (0..couriers).map(hire).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_over_five_thousand_couriers_costs_about_as_much_as_finding_each_on_their_route() {
    const COURIERS: u32 = 5_000;
    with_manual_clock(async |app, hand| {
        let staff = staff(app, COURIERS);
        let device = DeviceId::new();
        let (mut judging, mut finding) = (Duration::MAX, Duration::MAX);
        for _ in 0..4 {
            hand.advance(5 * SECOND_MS);
            let now_ms = app.state().clock.now_ms();
            for (courier, number) in &staff {
                let place = place_of(*number);
                let raw = RawFix { time_ms: now_ms, lat: place.lat(), lon: place.lon(), ..RawFix::default() };
                app.state().tracker.apply(*courier, device, &[Fix::try_new(&raw).expect("usable")], now_ms);
            }
            let began = Instant::now();
            make_round(app).await;
            judging = judging.min(began.elapsed());
            let seen = app.state().tracker.at_work(now_ms);
            assert_eq!(seen.len(), COURIERS as usize);
            let began = Instant::now();
            for courier in &seen {
                let here = courier.position.and_then(|position| position.point()).expect("they reported");
                let route = courier.route.as_deref().expect("it is planned");
                std::hint::black_box(progress(here, route.target, Some(route)));
            }
            finding = finding.min(began.elapsed());
        }
        println!(
            "{judging:?} for a round over {COURIERS} couriers who all moved; {finding:?} to find them on their ways"
        );
        // Two routes are searched, the first and the newest; the rest are a few distances and two small queries.
        assert!(judging < 8 * finding, "{judging:?} is out of proportion to {finding:?}");
    })
    .await;
}
