//! Whatever dispatch and couriers do, and in whatever order it arrives: the plan over REST, the courier's phone and the
//! customers' pages agree, and of each courier's customers exactly the one whose stop is first sees them.
//!
//! Random steps from a fixed seed, some of them two at once, against a real server and database. After each step all
//! screens are compared. Requests may be refused; they may not fail.

use std::collections::HashMap;

use doorstep_server::store::access::Role;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, HERE, Socket, TestApp, TestCourier, TestOrder, TestPerson, fix, now_ms, order_body, text, with_app,
};

const SEED: [u8; 32] = *b"an order has one plan,a plan one";
const ROUNDS: usize = 14;
const STEPS_IN_A_ROUND: usize = 12;
const ORDERS: usize = 4;

/// What dispatch or a courier does.
#[derive(Clone, Debug)]
enum Step {
    /// Dispatch gives an order to a courier, from another one who may have it.
    Assign { order: usize, courier: usize },
    /// A courier reports on an order, whether or not it is theirs.
    Report { order: usize, courier: usize, status: &'static str },
    /// A courier says what holds an order up, and may give it back.
    HoldUp { order: usize, courier: usize, report: &'static str },
    /// Dispatch sets a status.
    SetStatus { order: usize, status: &'static str },
    /// Dispatch corrects the door.
    Edit { order: usize, north: usize },
    /// Dispatch takes an order back.
    Unassign { order: usize },
    /// Dispatch has a failed order tried again, by its courier or another.
    TryAgain { order: usize, courier: Option<usize> },
    /// Dispatch corrects an end that was a mistake.
    Reopen { order: usize },
    /// Dispatch or the courier puts stops in another order.
    Reorder { courier: usize, by_courier: bool, turns: Vec<usize>, locked: Option<usize> },
    /// A courier's report and something that dispatch does, at once.
    AtOnce(Box<Step>, Box<Step>),
}

fn report() -> impl Strategy<Value = Step> {
    let statuses = vec!["at_pickup", "picked_up", "at_dropoff", "delivered", "failed", "returned"];
    let statuses = (0..ORDERS, 0..2usize, prop::sample::select(statuses));
    let hold_ups = (0..ORDERS, 0..2usize, prop::sample::select(vec!["not_ready", "give_back"]));
    prop_oneof![
        5 => statuses.prop_map(|(order, courier, status)| Step::Report { order, courier, status }),
        1 => hold_ups.prop_map(|(order, courier, report)| Step::HoldUp { order, courier, report }),
    ]
}

fn of_dispatch() -> impl Strategy<Value = Step> {
    let statuses = prop::sample::select(vec!["at_pickup", "picked_up", "cancelled", "failed"]);
    let reorder = (0..2usize, any::<bool>(), prop::collection::vec(0..8usize, 8), prop::option::of(0..3usize));
    prop_oneof![
        4 => (0..ORDERS, 0..2usize).prop_map(|(order, courier)| Step::Assign { order, courier }),
        1 => (0..ORDERS, statuses).prop_map(|(order, status)| Step::SetStatus { order, status }),
        1 => (0..ORDERS, 0..20usize).prop_map(|(order, north)| Step::Edit { order, north }),
        1 => (0..ORDERS).prop_map(|order| Step::Unassign { order }),
        1 => (0..ORDERS, prop::option::of(0..2usize)).prop_map(|(order, courier)| Step::TryAgain { order, courier }),
        1 => (0..ORDERS).prop_map(|order| Step::Reopen { order }),
        4 => reorder.prop_map(|(courier, by_courier, turns, locked)| Step::Reorder { courier, by_courier, turns, locked }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let at_once = (report(), of_dispatch()).prop_map(|(one, other)| Step::AtOnce(Box::new(one), Box::new(other)));
    prop_oneof![4 => of_dispatch(), 3 => report(), 3 => at_once]
}

/// A courier's phone, which remembers the stops that it was told last.
struct Phone {
    courier: TestCourier,
    socket: Socket,
    stops: Value,
    next_id: u64,
}

impl Phone {
    async fn connect(app: &TestApp, name: &str) -> Self {
        let courier = app.courier(name).await;
        let mut socket = Socket::courier(app, &courier.device_token).await;
        let stops = socket.expect("welcome").await;
        Self { courier, socket, stops, next_id: 1 }
    }

    fn note(&mut self, message: &Value) {
        if message["type"] == "stops" {
            self.stops = message.clone();
        }
    }

    /// Sends a message with an id and reads to its answer.
    async fn ask(&mut self, mut message: Value) -> Value {
        self.next_id += 1;
        message["id"] = json!(self.next_id);
        self.socket.send(&message).await;
        loop {
            let answer = self.socket.message().await;
            self.note(&answer);
            if answer["id"] == self.next_id {
                return answer;
            }
        }
    }

    async fn catch_up(&mut self) {
        for message in self.socket.everything_so_far().await {
            self.note(&message);
        }
    }
}

struct World<'a> {
    app: &'a TestApp,
    dora: &'a TestPerson,
    orders: Vec<TestOrder>,
    pages: HashMap<String, Socket>,
    moves: i64,
}

/// The state of an order in the database.
#[derive(Debug, sqlx::FromRow)]
struct Row {
    id: String,
    status: String,
    courier: Option<String>,
    carried_by: Option<String>,
    has_feed: bool,
}

impl Row {
    /// The stops that `courier` has to make for it.
    fn stops(&self, courier: &str) -> Vec<Value> {
        let is_theirs = self.courier.as_deref() == Some(courier);
        let has_goods = self.carried_by.as_deref() == Some(courier);
        let kinds: &[&str] = match self.status.as_str() {
            "assigned" | "at_pickup" if is_theirs && has_goods => &["dropoff"],
            "assigned" | "at_pickup" if is_theirs => &["pickup", "dropoff"],
            "picked_up" | "at_dropoff" if is_theirs => &["dropoff"],
            "failed" | "cancelled" if has_goods => &["return"],
            _ => &[],
        };
        kinds.iter().map(|kind| json!({ "order_id": self.id, "kind": kind })).collect()
    }
}

impl<'a> World<'a> {
    async fn new(app: &'a TestApp, dora: &'a TestPerson, round: usize) -> Self {
        let (mut orders, mut pages) = (Vec::new(), HashMap::new());
        for number in 0..ORDERS {
            let order = distant_order(app, &format!("M-{round}-{number}"), number).await;
            let mut page = app.watch(&order).await;
            page.expect("snapshot").await;
            pages.insert(order.id.clone(), page);
            orders.push(order);
        }
        Self { app, dora, orders, pages, moves: 0 }
    }

    async fn dispatch(&self, step: &Step, couriers: &[TestCourier]) {
        let app = self.app;
        let answer = match step {
            Step::Assign { order, courier } => {
                let path = format!("/api/v1/orders/{}/assign", self.orders[*order].id);
                app.post(&path, &json!({ "courier_id": couriers[*courier].id })).await
            }
            Step::SetStatus { order, status } => {
                let path = format!("/api/v1/orders/{}/status", self.orders[*order].id);
                app.post(&path, &json!({ "status": status })).await
            }
            Step::Reorder { courier, by_courier, turns, locked } => {
                self.reorder(&couriers[*courier], *by_courier, turns, *locked).await
            }
            Step::Edit { order, north } => {
                let path = format!("/api/v1/orders/{}", self.orders[*order].id);
                let body = json!({ "dropoff": { "lat": HERE.0 + *north as f64 * 0.003, "lon": HERE.1 } });
                Answer::to(app.request(Method::PATCH, &path).header("if-match", "*").json(&body)).await
            }
            Step::Unassign { order } => {
                app.post(&format!("/api/v1/orders/{}/unassign", self.orders[*order].id), &json!({})).await
            }
            Step::TryAgain { order, courier } => {
                let path = format!("/api/v1/orders/{}/attempts", self.orders[*order].id);
                app.post(&path, &json!({ "courier_id": courier.map(|courier| couriers[courier].id.clone()) })).await
            }
            Step::Reopen { order } => {
                let path = format!("/api/v1/orders/{}/reopen", self.orders[*order].id);
                let request = app.as_person(self.dora, Method::POST, &path);
                Answer::to(request.json(&json!({ "reason": "the wrong button" }))).await
            }
            Step::Report { .. } | Step::HoldUp { .. } | Step::AtOnce(..) => unreachable!("phones do these"),
        };
        assert!(answer.status.as_u16() < 500, "{step:?}: {}", answer.text());
    }

    async fn reorder(&self, courier: &TestCourier, by_courier: bool, turns: &[usize], locked: Option<usize>) -> Answer {
        let path = format!("/api/v1/couriers/{}/plan", courier.id);
        let shown = self.app.get(&path).await.expect(200);
        let mut stops = stops(&shown);
        // Some of these orders are impossible, and refused.
        for (at, turn) in turns.iter().enumerate().take(stops.len()) {
            let other = turn % stops.len();
            stops.swap(at, other);
        }
        let locked = locked.map(|locked| locked.min(stops.len()));
        let body = json!({ "version": shown["version"], "stops": stops, "locked": locked });
        let request = self.app.bare(Method::PUT, &path).json(&body);
        let secret = if by_courier { &courier.device_token } else { &self.app.key };
        Answer::to(request.bearer_auth(secret)).await
    }

    async fn rows(&self) -> Vec<Row> {
        let ids: Vec<_> = self.orders.iter().map(|order| order.id.clone()).collect();
        let rows = "select id::text, status, courier_id::text as courier, carried_by::text as carried_by, \
            feed_from is not null as has_feed from orders where id::text = any($1) order by id";
        sqlx::query_as(rows).bind(&ids).fetch_all(&self.app.db).await.expect("orders can be read")
    }

    /// Compares every screen.
    async fn check(&mut self, phones: &mut [Phone; 2], done: &Step) {
        let rows = self.rows().await;
        self.open_pages(&rows).await;
        for phone in phones {
            let path = format!("/api/v1/couriers/{}/plan", phone.courier.id);
            let plan = self.app.get(&path).await.expect(200);
            phone.catch_up().await;
            let courier = &phone.courier.id;
            let theirs: Vec<_> = rows.iter().filter(|row| !row.stops(courier).is_empty()).collect();
            check_plan(&plan, &theirs, courier, done);
            assert_eq!(stops(&phone.stops), stops(&plan), "on the phone, after {done:?}");
            if !stops(&plan).is_empty() || phone.stops["type"] == "stops" {
                assert_eq!(phone.stops["version"], plan["version"], "after {done:?}");
            }
            self.check_customers(&plan, &theirs, phone, done).await;
        }
    }

    /// Links end with their order, and live again when it does.
    async fn open_pages(&mut self, rows: &[Row]) {
        for (row, order) in rows.iter().filter_map(|row| Some((row, self.orders.iter().find(|it| it.id == row.id)?))) {
            if matches!(row.status.as_str(), "delivered" | "returned" | "cancelled") {
                self.pages.remove(&row.id);
            } else if !self.pages.contains_key(&row.id) {
                let mut page = self.app.watch(order).await;
                page.expect("snapshot").await;
                self.pages.insert(row.id.clone(), page);
            }
        }
    }

    /// Each customer is told their place, and exactly the first sees the courier move.
    async fn check_customers(&mut self, plan: &Value, theirs: &[&Row], phone: &mut Phone, done: &Step) {
        let places = orders_in(plan);
        self.moves += 1;
        let at_ms = now_ms();
        let moved = fix(at_ms, HERE.0 + self.moves as f64 * 0.000_2, HERE.1);
        let ack = phone.ask(json!({ "type": "fixes", "fixes": [moved] })).await;
        assert_eq!(ack["stored"], 1, "{ack}");
        let mut seen_by = Vec::new();
        for (id, page) in &mut self.pages {
            let told = page.everything_so_far().await;
            let shows = |told: &Value| {
                told["type"] == "position" && told["time_ms"] == at_ms || told["position"]["time_ms"] == at_ms
            };
            if told.iter().any(shows) {
                seen_by.push(id.clone());
            }
        }
        assert_eq!(seen_by, visible_in(plan), "who sees the courier after {done:?}");
        for row in theirs.iter().filter(|row| is_active(&row.status)) {
            let order = self.orders.iter().find(|order| order.id == row.id).expect("one of ours");
            let shown = self.app.get(&format!("/api/v1/track/{}", order.token)).await.expect(200);
            let place = places.iter().position(|id| *id == row.id).expect("it is in the plan");
            assert_eq!(shown["order"]["stops_before"], place, "after {done:?}");
            let is_visible = visible_in(plan).contains(&row.id);
            assert_eq!(shown["position"].is_object(), is_visible, "after {done:?}: {shown}");
        }
    }
}

fn check_plan(plan: &Value, theirs: &[&Row], courier: &str, done: &Step) {
    let expected: Vec<Value> = theirs.iter().flat_map(|row| row.stops(courier)).collect();
    let planned = stops(plan);
    let sorted = |mut stops: Vec<Value>| {
        stops.sort_by_key(Value::to_string);
        stops
    };
    assert_eq!(sorted(planned.clone()), sorted(expected), "each open stop once, after {done:?}");
    for (at, stop) in planned.iter().enumerate().filter(|(_, stop)| stop["kind"] == "pickup") {
        let door = json!({ "order_id": stop["order_id"], "kind": "dropoff" });
        assert!(planned[at..].contains(&door), "collected before it is handed over, after {done:?}");
    }
    let open: Vec<_> = theirs.iter().filter(|row| row.has_feed).map(|row| row.id.clone()).collect();
    assert_eq!(open, visible_in(plan), "the one open feed after {done:?}");
}

/// The order of the first stop, unless that is a return.
fn visible_in(plan: &Value) -> Vec<String> {
    let first = stops(plan).into_iter().take(1).filter(|stop| stop["kind"] != "return");
    first.map(|stop| text(&stop["order_id"])).collect()
}

fn is_active(status: &str) -> bool {
    matches!(status, "assigned" | "at_pickup" | "picked_up" | "at_dropoff")
}

fn stops(plan: &Value) -> Vec<Value> {
    let stops = plan["stops"].as_array().expect("a list of stops").iter();
    stops.map(|stop| json!({ "order_id": stop["order_id"], "kind": stop["kind"] })).collect()
}

/// The orders of a plan by their first stop.
fn orders_in(plan: &Value) -> Vec<String> {
    let mut orders = Vec::new();
    for stop in stops(plan) {
        let order = text(&stop["order_id"]);
        if !orders.contains(&order) {
            orders.push(order);
        }
    }
    orders
}

/// Two orders share a kitchen, and all have doors of their own.
async fn distant_order(app: &TestApp, reference: &str, number: usize) -> TestOrder {
    let mut body = order_body(reference);
    let north = |steps: usize| HERE.0 + steps as f64 * 0.004;
    body["pickup"]["lat"] = json!(north(number / 2 * 3));
    body["dropoff"] =
        json!({ "lat": north(number * 2 + 1), "lon": HERE.1, "address": format!("{number} North Street") });
    let created = app.post("/api/v1/orders", &body).await.expect(201);
    TestOrder { id: text(&created["id"]), token: text(&created["tracking_token"]) }
}

async fn take(step: &Step, world: &World<'_>, phones: &mut [Phone; 2]) {
    let couriers = [phones[0].courier.clone(), phones[1].courier.clone()];
    match step {
        Step::Report { order, courier, status } => {
            let order = &world.orders[*order].id;
            let report = json!({ "type": "status", "order_id": order, "status": status, "time_ms": now_ms() });
            let answer = phones[*courier].ask(report).await;
            assert!(answer["type"] == "ack" || answer["code"] != "unavailable", "{step:?}: {answer}");
        }
        Step::HoldUp { order, courier, report } => {
            let order = &world.orders[*order].id;
            let report = json!({ "type": "report", "order_id": order, "report": report, "time_ms": now_ms() });
            let answer = phones[*courier].ask(report).await;
            assert!(answer["type"] == "ack" || answer["code"] != "unavailable", "{step:?}: {answer}");
        }
        Step::AtOnce(report, other) => {
            tokio::join!(Box::pin(take(report, world, phones)), world.dispatch(other, &couriers));
        }
        other => world.dispatch(other, &couriers).await,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_all_screens_agree_and_one_customer_sees_the_courier() {
    with_app(async |app| {
        let dora = app.person("dora@example.com", Role::Dispatcher).await;
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &SEED);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        for round in 0..ROUNDS {
            let steps = prop::collection::vec(step(), STEPS_IN_A_ROUND).new_tree(&mut runner);
            let steps = steps.expect("steps can be made up").current();
            let mut phones = [Phone::connect(app, "Ana").await, Phone::connect(app, "Ben").await];
            let mut world = World::new(app, &dora, round).await;
            for step in &steps {
                take(step, &world, &mut phones).await;
                world.check(&mut phones, step).await;
            }
        }
    })
    .await;
}
