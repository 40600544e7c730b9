//! Couriers' plans: one explicit order of stops, the same for dispatch, the courier and their customers.

use doorstep_server::{auth::scope::Scope, store::access::Role};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, HERE, Socket, TestApp, TestCourier, TestOrder, eventually, fix, now_ms, order_body, text, with_app,
    with_settings, with_two_instances,
};

/// An order from a place some 110 m for each step north of the kitchen to one as far in another direction.
async fn order_between(app: &TestApp, reference: &str, from: f64, to: f64) -> TestOrder {
    let mut body = order_body(reference);
    body["pickup"]["lat"] = json!(HERE.0 + from * 0.001);
    body["dropoff"] = json!({ "lat": HERE.0 + to * 0.001, "lon": HERE.1, "address": format!("{to} North Street") });
    let created = app.post("/api/v1/orders", &body).await.expect(201);
    TestOrder { id: text(&created["id"]), token: text(&created["tracking_token"]) }
}

fn path(courier: &TestCourier) -> String {
    format!("/api/v1/couriers/{}/plan", courier.id)
}

async fn plan(app: &TestApp, courier: &TestCourier) -> Value {
    app.get(&path(courier)).await.expect(200)
}

async fn put(app: &TestApp, courier: &TestCourier, body: &Value) -> Answer {
    Answer::to(app.request(Method::PUT, &path(courier)).json(body)).await
}

async fn put_own(app: &TestApp, courier: &TestCourier, body: &Value) -> Answer {
    Answer::to(app.bare(Method::PUT, &path(courier)).bearer_auth(&courier.device_token).json(body)).await
}

fn stop(order: &TestOrder, kind: &str) -> Value {
    json!({ "order_id": order.id, "kind": kind })
}

/// The stops as a `PUT` lists them.
fn stops(plan: &Value) -> Vec<Value> {
    let stops = plan["stops"].as_array().expect("a list of stops").iter();
    stops.map(|stop| json!({ "order_id": stop["order_id"], "kind": stop["kind"] })).collect()
}

fn one_after_the_other(orders: &[&TestOrder]) -> Vec<Value> {
    orders.iter().flat_map(|order| [stop(order, "pickup"), stop(order, "dropoff")]).collect()
}

async fn snapshot(app: &TestApp, order: &TestOrder) -> Value {
    app.get(&format!("/api/v1/track/{}", order.token)).await.expect(200)
}

async fn stops_before(app: &TestApp, order: &TestOrder) -> u64 {
    snapshot(app, order).await["order"]["stops_before"].as_u64().expect("a number")
}

/// The orders whose feed is open.
async fn open_feeds(app: &TestApp) -> Vec<String> {
    let ids = "select id::text from orders where feed_from is not null order by id";
    sqlx::query_scalar(ids).fetch_all(&app.db).await.expect("orders can be read")
}

async fn console(app: &TestApp) -> (Socket, Value) {
    let mut console = Socket::connect(app, "/ws/fleet", &[("authorization", &format!("Bearer {}", app.key))]).await;
    let snapshot = console.expect("snapshot").await;
    (console, snapshot)
}

/// Reads changes of `order` until one is as wanted.
async fn order_change(console: &mut Socket, order: &TestOrder, is_it: impl Fn(&Value) -> bool) -> Value {
    loop {
        let change = console.expect("order").await["order"].clone();
        if change["id"] == order.id && is_it(&change) {
            return change;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_lists_open_stops_with_their_load_and_times() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let empty = plan(app, &ana).await;
        assert_eq!((&empty["version"], &empty["stops"], &empty["load"]), (&json!(0), &json!([]), &json!([])));
        let a = order_between(app, "A-1", 0.0, 10.0).await;
        app.assign(&a, &ana).await;
        let without_place = plan(app, &ana).await;
        assert_eq!(without_place["stops"][0]["arrival"], Value::Null, "Ana has not reported yet");
        assert!(without_place["metres"].as_u64().is_some_and(|metres| metres > 1_000), "{without_place}");
        let mut phone = app.connect(&ana).await;
        phone.report(1, &[fix(now_ms(), HERE.0, HERE.1)]).await;
        sqlx::query("update couriers set capacity = 4").execute(&app.db).await.expect("couriers can be edited");
        let shown = eventually_plan(app, &ana, |plan| plan["stops"][0]["arrival"].is_object()).await;
        assert_eq!(shown["version"], 1);
        assert_eq!(stops(&shown), one_after_the_other(&[&a]));
        assert_eq!(shown["load"], json!([1, 0]));
        let first = &shown["stops"][0];
        assert_eq!((&first["sequence"], &first["locked"], &first["late"]), (&json!(1), &json!(false), &json!(false)));
        let time = |stop: &Value, word: &str| text(&stop["arrival"][word]);
        for stop in shown["stops"].as_array().expect("a list") {
            let (earliest, expected, latest) =
                (time(stop, "earliest_at"), time(stop, "expected_at"), time(stop, "latest_at"));
            assert!(earliest <= expected && expected <= latest, "{stop}");
        }
        assert!(shown["metres"].as_u64().is_some_and(|metres| metres > 1_000), "{shown}");
        let line = shown["line"].as_array().expect("the way through all stops");
        assert_eq!(line.first(), Some(&json!([HERE.1, HERE.0])), "from where Ana is");
        assert_eq!(line.last(), Some(&json!([HERE.1, HERE.0 + 0.01])), "to the last door");
        assert!(shown["seconds"].as_u64().is_some_and(|seconds| seconds > 240), "{shown}");
    })
    .await;
}

async fn eventually_plan(app: &TestApp, courier: &TestCourier, is_it: impl Fn(&Value) -> bool) -> Value {
    eventually("the plan", async || is_it(&plan(app, courier).await)).await;
    plan(app, courier).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_order_of_stops_is_the_same_on_every_screen() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let a = order_between(app, "A-1", 0.0, 10.0).await;
        let b = order_between(app, "A-2", 20.0, 30.0).await;
        app.assign(&a, &ana).await;
        app.assign(&b, &ana).await;
        let (mut console, first_picture) = console(app).await;
        let sequence_of = |order: &TestOrder| {
            let orders = first_picture["orders"].as_array().expect("a list");
            orders.iter().find(|shown| shown["id"] == order.id).expect("it is open")["sequence"].clone()
        };
        assert_eq!((sequence_of(&a), sequence_of(&b)), (json!(1), json!(3)));
        let mut phone = Socket::courier(app, &ana.device_token).await;
        let welcome = phone.expect("welcome").await;
        assert_eq!((&welcome["version"], &welcome["may_reorder"]), (&json!(2), &json!(true)));
        let (mut of_a, mut of_b) = (app.watch(&a).await, app.watch(&b).await);
        assert_eq!(of_a.expect("snapshot").await["order"]["stops_before"], 0);
        assert_eq!(of_b.expect("snapshot").await["order"]["stops_before"], 1);
        assert_eq!(open_feeds(app).await, std::slice::from_ref(&a.id));

        let wanted = one_after_the_other(&[&b, &a]);
        let now = put(app, &ana, &json!({ "version": 2, "stops": wanted, "locked": 1 })).await.expect(200);
        assert_eq!((now["version"].as_u64(), stops(&now)), (Some(3), wanted.clone()));
        assert_eq!((&now["stops"][0]["locked"], &now["stops"][1]["locked"]), (&json!(true), &json!(false)));
        let told = phone.expect("stops").await;
        assert_eq!((told["version"].as_u64(), stops(&told)), (Some(3), wanted));
        assert_eq!((&told["stops"][0]["locked"], &told["stops"][0]["sequence"]), (&json!(true), &json!(1)));
        assert_eq!(of_a.expect("order").await["stops_before"], 1);
        assert_eq!(of_b.expect("order").await["stops_before"], 0);
        assert_eq!(open_feeds(app).await, std::slice::from_ref(&b.id));
        order_change(&mut console, &b, |order| order["sequence"] == 1).await;
        order_change(&mut console, &a, |order| order["sequence"] == 3).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_too_late_learns_who_was_first() {
    with_app(async |app| {
        let (ana, dora) = (app.courier("Ana").await, app.person("dora@example.com", Role::Dispatcher).await);
        let (a, b) = (app.assigned("A-1", &ana).await, app.assigned("A-2", &ana).await);
        let seen = plan(app, &ana).await;
        let turned = json!({ "version": seen["version"], "stops": one_after_the_other(&[&b, &a]) });
        let before_ms = now_ms();
        Answer::to(app.as_person(&dora, Method::PUT, &path(&ana)).json(&turned)).await.expect(200);
        let refused = put(app, &ana, &turned).await.expect_problem(409, "version_conflict");
        let details = &refused["details"];
        assert_eq!(details["current"].as_u64(), seen["version"].as_u64().map(|version| version + 1));
        assert_eq!((&details["changed_by"], &details["change"]), (&json!("dora@example.com"), &json!("reordered")));
        assert!(details["changed_at_ms"].as_i64().is_some_and(|at| at >= before_ms - 1_000), "{details}");
        app.set_status(&b, "at_pickup").await;
        let refused = put(app, &ana, &turned).await.expect_problem(409, "version_conflict");
        assert_eq!(refused["details"]["change"], "status");
        assert_eq!(refused["details"]["changed_by"], "tests", "the key's name");
        let same = plan(app, &ana).await;
        let again = json!({ "version": same["version"], "stops": stops(&same) });
        let unchanged = put(app, &ana, &again).await.expect(200);
        assert_eq!(unchanged["version"], same["version"], "nothing changed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stops_that_cannot_be_made_like_that_are_refused_with_the_order() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        sqlx::query("update couriers set capacity = 1").execute(&app.db).await.expect("couriers can be edited");
        let (a, b) = (app.assigned("A-1", &ana).await, app.assigned("A-2", &ana).await);
        let others = app.order("A-3").await;
        let shown = plan(app, &ana).await;
        assert_eq!(stops(&shown), one_after_the_other(&[&a, &b]), "two do not fit");
        let [p_a, d_a, p_b, d_b] = [stop(&a, "pickup"), stop(&a, "dropoff"), stop(&b, "pickup"), stop(&b, "dropoff")];
        for (wanted, code, order) in [
            (json!([p_a, d_a, p_b]), "stop_missing", &b),
            (json!([p_a, d_a, p_b, d_b, stop(&others, "pickup")]), "stop_unknown", &others),
            (json!([p_a, d_a, p_b, d_b, p_a]), "stop_unknown", &a),
            (json!([d_a, p_a, p_b, d_b]), "dropoff_before_pickup", &a),
            (json!([p_a, p_b, d_a, d_b]), "over_capacity", &b),
        ] {
            let body = json!({ "version": shown["version"], "stops": wanted });
            let refused = put(app, &ana, &body).await.expect_problem(422, code);
            assert_eq!(refused["details"]["order_id"], order.id, "{code}");
        }
        let body = json!({ "version": shown["version"], "stops": stops(&shown), "locked": 5 });
        put(app, &ana, &body).await.expect_problem(422, "invalid_fields");
        assert_eq!(plan(app, &ana).await["version"], shown["version"], "nothing changed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn couriers_order_their_own_stops_around_those_that_dispatch_fixed() {
    with_app(async |app| {
        let (ana, ben) = (app.courier("Ana").await, app.courier("Ben").await);
        let (a, b) = (app.assigned("A-1", &ana).await, app.assigned("A-2", &ana).await);
        let own = async |method: Method, of: &TestCourier| {
            Answer::to(app.bare(method, &path(of)).bearer_auth(&ana.device_token)).await
        };
        let shown = own(Method::GET, &ana).await.expect(200);
        own(Method::GET, &ben).await.expect_problem(404, "not_found");
        let fixed = json!({ "version": shown["version"], "stops": one_after_the_other(&[&a, &b]), "locked": 1 });
        let fixed = put(app, &ana, &fixed).await.expect(200);
        let turned = json!({ "version": fixed["version"], "stops": one_after_the_other(&[&b, &a]), "locked": 0 });
        let refused = put_own(app, &ana, &turned).await.expect_problem(422, "stop_locked");
        assert_eq!(refused["details"]["order_id"], a.id);
        let behind = [stop(&a, "pickup"), stop(&b, "pickup"), stop(&b, "dropoff"), stop(&a, "dropoff")];
        let around = json!({ "version": fixed["version"], "stops": behind, "locked": 0 });
        let now = put_own(app, &ana, &around).await.expect(200);
        assert_eq!(stops(&now), behind);
        assert_eq!(now["stops"][0]["locked"], true, "the lock is dispatch's");
        put_own(app, &TestCourier { device_token: ana.device_token.clone(), ..ben }, &around)
            .await
            .expect_problem(404, "not_found");
    })
    .await;
    with_settings(&["--couriers-reorder=false"], async |app| {
        let ana = app.courier("Ana").await;
        let shown = plan(app, &ana).await;
        let body = json!({ "version": shown["version"], "stops": [] });
        put_own(app, &ana, &body).await.expect_problem(403, "reorder_not_allowed");
        put(app, &ana, &body).await.expect(200);
        let welcome = Socket::courier(app, &ana.device_token).await.expect("welcome").await;
        assert_eq!(welcome["may_reorder"], false);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_needs_its_scopes_and_the_log_says_who_looked() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let reader = app.key_with(&[Scope::CouriersRead]).await;
        Answer::to(app.bare(Method::GET, &path(&ana)).bearer_auth(&reader)).await.expect(200);
        let body = json!({ "version": 0, "stops": [] });
        let request = app.bare(Method::PUT, &path(&ana)).bearer_auth(&reader).json(&body);
        Answer::to(request).await.expect_problem(403, "missing_scope");
        eventually("the entry in the access log", async || {
            let count = "select count(*) from access_log where what = 'courier' and subject_id = $1::uuid";
            let counting = sqlx::query_scalar::<_, i64>(count).bind(&ana.id).fetch_one(&app.db);
            counting.await.expect("a count") == 1
        })
        .await;
        let stranger = format!("/api/v1/couriers/{}/plan", uuid::Uuid::now_v7());
        app.get(&stranger).await.expect_problem(404, "not_found");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_order_goes_where_it_costs_least_or_to_the_end() {
    let assign = async |app: &TestApp| {
        let ana = app.courier("Ana").await;
        let far = order_between(app, "A-1", 0.0, 40.0).await;
        let on_the_way = order_between(app, "A-2", 10.0, 20.0).await;
        app.assign(&far, &ana).await;
        app.assign(&on_the_way, &ana).await;
        (stops(&plan(app, &ana).await), far, on_the_way)
    };
    with_app(async |app| {
        let (stops, far, on_the_way) = assign(app).await;
        let expected =
            [stop(&far, "pickup"), stop(&on_the_way, "pickup"), stop(&on_the_way, "dropoff"), stop(&far, "dropoff")];
        assert_eq!(stops, expected);
    })
    .await;
    with_settings(&["--new-stops=last"], async |app| {
        let (stops, far, on_the_way) = assign(app).await;
        assert_eq!(stops, one_after_the_other(&[&far, &on_the_way]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_and_the_feed_follow_a_courier_who_takes_another_stop_first() {
    with_settings(&["--new-stops=last"], async |app| {
        let ana = app.courier("Ana").await;
        let mut phone = app.connect(&ana).await;
        let (a, b) = (app.assigned("A-1", &ana).await, app.assigned("A-2", &ana).await);
        let mut of_b = app.watch(&b).await;
        assert_eq!(of_b.expect("snapshot").await["order"]["stops_before"], 1);
        let report = json!({ "type": "status", "id": 1, "order_id": b.id, "status": "at_pickup", "time_ms": now_ms() });
        phone.send(&report).await;
        assert_eq!(phone.expect("ack").await["stored"], 1);
        assert_eq!(stops(&plan(app, &ana).await), one_after_the_other(&[&b, &a]));
        assert_eq!((stops_before(app, &b).await, stops_before(app, &a).await), (0, 1));
        assert_eq!(open_feeds(app).await, std::slice::from_ref(&b.id));
        // The feed opens with a picture; one of the assignment may still be on its way.
        while of_b.expect("snapshot").await["order"]["stops_before"] != 0 {}
        app.set_status(&b, "delivered").await;
        assert_eq!(stops(&plan(app, &ana).await), one_after_the_other(&[&a]));
        assert_eq!(open_feeds(app).await, std::slice::from_ref(&a.id));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dispatch_hears_when_the_couriers_screen_showed_an_order() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1", &ana).await;
        let (mut console, picture) = console(app).await;
        assert_eq!(picture["orders"][0]["seen_at_ms"], Value::Null);
        let mut phone = Socket::courier(app, &ana.device_token).await;
        let version = phone.expect("welcome").await["version"].clone();
        phone.send(&json!({ "type": "seen", "version": version })).await;
        let change = order_change(&mut console, &order, |order| order["seen_at_ms"].is_i64()).await;
        assert_eq!(change["sequence"], 1);
        let seen = app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200);
        assert!(seen["seen_at"].is_string(), "{seen}");
        assert_eq!(seen["sequence"], 1);
        // Dispatch moves it: the screen has not shown that.
        let second = app.assigned("A-2", &ana).await;
        let now = plan(app, &ana).await;
        phone.send(&json!({ "type": "seen", "version": now["version"] })).await;
        order_change(&mut console, &second, |order| order["seen_at_ms"].is_i64()).await;
        let wanted = json!({ "version": now["version"], "stops": one_after_the_other(&[&second, &order]) });
        put(app, &ana, &wanted).await.expect(200);
        order_change(&mut console, &order, |order| order["seen_at_ms"].is_null()).await;
        // An older picture shows nothing of it.
        phone.send(&json!({ "type": "seen", "version": now["version"] })).await;
        phone.everything_so_far().await;
        let unseen = app.get(&format!("/api/v1/orders/{}", order.id)).await.expect(200);
        assert_eq!(unseen["seen_at"], Value::Null);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stops_tell_what_the_courier_needs_there() {
    with_settings(&["--office-phone", "+356 2100 0009"], async |app| {
        let ana = app.courier("Ana").await;
        let mut body = order_body("A-1");
        body["pickup"]["address"] = json!("Harbour Kitchen, Valletta");
        body["pickup"]["phone"] = json!("+356 2100 0002");
        body["promised_until"] = json!("2026-12-01T12:00:00Z");
        body["size"] = json!(3);
        body["requires"] = json!(["cold"]);
        body["note"] = json!("two bags");
        let created = app.post("/api/v1/orders", &body).await.expect(201);
        let order = TestOrder { id: text(&created["id"]), token: text(&created["tracking_token"]) };
        app.assign(&order, &ana).await;
        let mut phone = Socket::courier(app, &ana.device_token).await;
        let welcome = phone.expect("welcome").await;
        assert_eq!(welcome["office_phone"], "+356 2100 0009");
        let pickup = &welcome["stops"][0];
        assert_eq!(pickup["contact"], json!({ "name": "Harbour Kitchen", "phone": "+356 2100 0002" }));
        assert_eq!((&pickup["size"], &pickup["requires"]), (&json!(3), &json!(["cold"])));
        assert_eq!(
            (&pickup["note"], &pickup["promised_until_ms"]),
            (&json!("two bags"), &json!(1_796_126_400_000_i64))
        );
        assert_eq!(
            (&pickup["attempt"], &pickup["locked"], &pickup["changed"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        assert_eq!(pickup["arrival"], Value::Null, "Ana has not reported yet");
        phone.report(1, &[fix(now_ms(), HERE.0, HERE.1)]).await;
        app.set_status(&order, "at_pickup").await;
        let told = phone.expect("stops").await;
        assert!(told["stops"][1]["arrival"]["expected_ms"].is_i64(), "{told}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_that_could_not_be_handed_over_stay_on_the_list_until_they_are_back() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (a, b) = (app.assigned("A-1", &ana).await, app.assigned("A-2", &ana).await);
        app.set_status(&a, "picked_up").await;
        app.set_status(&a, "at_dropoff").await;
        app.set_status(&a, "failed").await;
        let mut phone = Socket::courier(app, &ana.device_token).await;
        let welcome = phone.expect("welcome").await;
        assert!(stops(&welcome).contains(&stop(&a, "return")), "{welcome}");
        let back = stop(&a, "return");
        let first = [back.clone(), stop(&b, "pickup"), stop(&b, "dropoff")];
        let wanted = json!({ "version": welcome["version"], "stops": first });
        put(app, &ana, &wanted).await.expect(200);
        assert_eq!(open_feeds(app).await, [""; 0], "no customer sees Ana on her way back");
        assert_eq!(stops_before(app, &b).await, 1);
        app.set_status(&a, "returned").await;
        assert_eq!(stops(&plan(app, &ana).await), one_after_the_other(&[&b]));
        assert_eq!(open_feeds(app).await, std::slice::from_ref(&b.id));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_an_older_server_assigned_is_served() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (first, second) = (app.order("A-1").await, app.order("A-2").await);
        // As a server without plans does it: the order and its feed, and no plan.
        let assign = "update orders set courier_id = $1::uuid, status = 'assigned', status_at = now(), \
            assigned_at = now(), leg_from = now(), feed_from = case when $3 then now() end where id = $2::uuid";
        for (order, is_seen) in [(&first, true), (&second, false)] {
            let assigning = sqlx::query(assign).bind(&ana.id).bind(&order.id).bind(is_seen);
            assigning.execute(&app.db).await.expect("orders can be edited");
        }
        let mut phone = Socket::courier(app, &ana.device_token).await;
        let welcome = phone.expect("welcome").await;
        assert_eq!(stops(&welcome), one_after_the_other(&[&first, &second]));
        assert_eq!(stops(&plan(app, &ana).await), one_after_the_other(&[&first, &second]));
        phone.report(1, &[fix(now_ms(), HERE.0, HERE.1)]).await;
        assert!(snapshot(app, &first).await["position"].is_object());
        assert_eq!(snapshot(app, &second).await["position"], Value::Null);
        assert_eq!(stops_before(app, &second).await, 1);
        let body = json!({ "version": 0, "stops": one_after_the_other(&[&second, &first]) });
        put(app, &ana, &body).await.expect(200);
        assert_eq!(open_feeds(app).await, std::slice::from_ref(&second.id));
        phone.send(&json!({ "type": "seen", "version": 1 })).await;
        eventually("the order to be seen", async || {
            let seen = app.get(&format!("/api/v1/orders/{}", first.id)).await.expect(200);
            seen["seen_at"].is_string()
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_changes_on_one_instance_is_the_plan_on_the_other() {
    with_two_instances(async |a, b, _| {
        let ana = a.courier("Ana").await;
        let (first, second) = (a.assigned("A-1", &ana).await, a.assigned("A-2", &ana).await);
        let mut phone = b.connect(&ana).await;
        let mut page = b.watch(&second).await;
        assert_eq!(page.expect("snapshot").await["order"]["stops_before"], 1);
        let (mut there, _) = console(b).await;
        let shown = plan(a, &ana).await;
        let wanted = json!({ "version": shown["version"], "stops": one_after_the_other(&[&second, &first]) });
        put(a, &ana, &wanted).await.expect(200);
        let told = loop {
            let told = phone.expect("stops").await;
            if told["version"].as_u64() > shown["version"].as_u64() {
                break told;
            }
        };
        assert_eq!(stops(&told), one_after_the_other(&[&second, &first]));
        while page.expect("order").await["stops_before"] != 0 {}
        let change = order_change(&mut there, &second, |order| order["sequence"] == 1).await;
        assert!(change["version"].is_u64(), "{change}");
        let (mut here, _) = console(a).await;
        phone.send(&json!({ "type": "seen", "version": told["version"] })).await;
        order_change(&mut here, &second, |order| order["seen_at_ms"].is_i64()).await;
        order_change(&mut there, &second, |order| order["seen_at_ms"].is_i64()).await;
    })
    .await;
}
