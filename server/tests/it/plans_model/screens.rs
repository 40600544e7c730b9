//! The screens of all who are concerned, and what must hold between them.
//!
//! On one server everything holds as soon as the request is answered. Of two instances the other one follows within a
//! moment, so there the comparison is repeated until it holds; what it sends of a courier's moves is compared with who may
//! see them at each.

use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use serde_json::{Value, json};

use super::{ORDERS, phone::Phone, steps::Step};
use crate::support::{
    HERE, PATIENCE, Socket, TestApp, TestCourier, TestOrder, TestPerson, eventually, order_body, text,
};

pub(super) struct World<'a> {
    pub(super) dora: &'a TestPerson,
    pub(super) orders: Vec<TestOrder>,
    apps: [&'a TestApp; 2],
    turns: Cell<usize>,
    pages: HashMap<String, Socket>,
    /// When couriers moved, and the order whose customer may see it.
    moves: BTreeMap<i64, Option<String>>,
}

/// The state of an order in the database.
#[derive(Debug, sqlx::FromRow)]
struct Row {
    id: String,
    status: String,
    courier: Option<String>,
    carried_by: Option<String>,
    has_feed: bool,
    /// The plan's version that brought its last change to the courier, and whether their screen showed it.
    plan_version: Option<i64>,
    is_seen: bool,
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

/// What holds, or a sentence about what does not.
type Verdict = Result<(), String>;

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Verdict {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?} instead of {expected:?}")) }
}

impl<'a> World<'a> {
    pub(super) async fn new(apps: [&'a TestApp; 2], dora: &'a TestPerson, round: usize) -> Self {
        let mut orders = Vec::new();
        for number in 0..ORDERS {
            orders.push(distant_order(apps[0], &format!("M-{round}-{number}"), number).await);
        }
        Self { dora, orders, apps, turns: Cell::new(0), pages: HashMap::new(), moves: BTreeMap::new() }
    }

    /// The servers take turns.
    pub(super) fn an_app(&self) -> &'a TestApp {
        self.turns.set(self.turns.get() + 1);
        self.apps[self.turns.get() % self.apps.len()]
    }

    /// Whether the order's history has this report of a courier.
    pub(super) async fn has_heard(&self, courier: &TestCourier, order: &Value, status: &Value) -> bool {
        let view = self.an_app().get(&format!("/api/v1/orders/{}", text(order))).await.expect(200);
        let timeline = view["timeline"].as_array().expect("a history");
        let actor = format!("courier:{}", courier.id);
        timeline.iter().any(|event| event["status"] == *status && event["actor"] == actor)
    }

    /// Compares every screen.
    pub(super) async fn check(&mut self, phones: &mut [Phone<'_>; 2], done: &Step) {
        let rows = self.rows().await;
        self.open_pages(&rows).await;
        for phone in phones {
            let deadline = Instant::now() + PATIENCE;
            while let Err(why) = self.compare(&rows, phone).await {
                assert!(!self.is_one_server() && Instant::now() < deadline, "{why}, after {done:?}");
            }
            self.check_who_sees(phone, done).await;
        }
    }

    fn is_one_server(&self) -> bool {
        std::ptr::eq(self.apps[0], self.apps[1])
    }

    async fn rows(&self) -> Vec<Row> {
        let ids: Vec<_> = self.orders.iter().map(|order| order.id.clone()).collect();
        let rows = "select id::text, status, courier_id::text as courier, carried_by::text as carried_by, \
            feed_from is not null as has_feed, plan_version, seen_at is not null as is_seen \
            from orders where id::text = any($1) order by id";
        sqlx::query_as(rows).bind(&ids).fetch_all(&self.apps[0].db).await.expect("orders can be read")
    }

    /// Links end with their order, and live again when it does.
    async fn open_pages(&mut self, rows: &[Row]) {
        for (row, order) in rows.iter().filter_map(|row| Some((row, self.orders.iter().find(|it| it.id == row.id)?))) {
            if matches!(row.status.as_str(), "delivered" | "returned" | "cancelled") {
                self.pages.remove(&row.id);
            } else if !self.pages.contains_key(&row.id) {
                let mut page = self.an_app().watch(order).await;
                page.expect("snapshot").await;
                self.pages.insert(row.id.clone(), page);
            }
        }
    }

    /// The plan on each server, the phone, and what the customers are told.
    async fn compare(&self, rows: &[Row], phone: &mut Phone<'_>) -> Verdict {
        let courier = phone.courier.id.clone();
        let theirs: Vec<_> = rows.iter().filter(|row| !row.stops(&courier).is_empty()).collect();
        phone.catch_up().await;
        for app in self.apps {
            let plan = app.get(&format!("/api/v1/couriers/{courier}/plan")).await.expect(200);
            compare_plan(&plan, &theirs, &courier)?;
            if phone.is_online() {
                compare_phone(&plan, phone)?;
            }
            self.compare_customers(app, &plan, &theirs).await?;
        }
        compare_seen(&theirs, phone)
    }

    /// Each customer is told their place, and exactly the first is shown the courier.
    async fn compare_customers(&self, app: &TestApp, plan: &Value, theirs: &[&Row]) -> Verdict {
        let places = orders_in(plan);
        for row in theirs.iter().filter(|row| is_active(&row.status)) {
            let order = self.orders.iter().find(|order| order.id == row.id).expect("one of ours");
            let shown = app.get(&format!("/api/v1/track/{}", order.token)).await.expect(200);
            let place = places.iter().position(|id| *id == row.id).expect("it is in the plan");
            same("the stops before a customer's", &shown["order"]["stops_before"], &json!(place))?;
            // A courier who has never reported is nowhere; whoever is next sees them with their next move.
            let is_shown = shown["position"].is_object();
            let is_next = visible_in(plan).as_ref() == Some(&row.id);
            same("whether a customer who is not next is shown the courier", &(is_shown && !is_next), &false)?;
        }
        Ok(())
    }

    /// The courier moves, and exactly the customer of their first stop sees it. A phone without a network reports nothing.
    async fn check_who_sees(&mut self, phone: &mut Phone<'_>, done: &Step) {
        if !phone.is_online() {
            return;
        }
        let plan = self.an_app().get(&format!("/api/v1/couriers/{}/plan", phone.courier.id)).await.expect(200);
        let north = self.moves.len() as f64 * 0.000_2;
        let last_ms = self.moves.keys().next_back().map_or(0, |at_ms| at_ms + 1);
        let visible = visible_in(&plan);
        let at_ms = phone.move_to(HERE.0 + north, HERE.1, last_ms).await;
        self.moves.insert(at_ms, visible.clone());
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen_by = self.read_pages(at_ms, done).await;
            if seen_by == visible.iter().cloned().collect::<Vec<_>>() {
                break;
            }
            let may_wait = !self.is_one_server() && seen_by.is_empty() && Instant::now() < deadline;
            assert!(may_wait, "{seen_by:?} see the courier instead of {visible:?} after {done:?}");
        }
        for order in self.orders.iter().filter(|order| visible.as_ref() == Some(&order.id)) {
            let path = format!("/api/v1/track/{}", order.token);
            let is_shown = async || self.an_app().get(&path).await.expect(200)["position"].is_object();
            assert!(is_shown().await || !self.is_one_server(), "the next customer is shown nobody after {done:?}");
            eventually("the next customer is shown the courier", is_shown).await;
        }
    }

    /// Reads what the customers' pages were sent: nobody a move that is not theirs to see. Returns who saw the one at
    /// `at_ms`.
    async fn read_pages(&mut self, at_ms: i64, done: &Step) -> Vec<String> {
        let mut seen_by = Vec::new();
        for (id, page) in &mut self.pages {
            for told in page.everything_so_far().await {
                let moved_ms = told["time_ms"].as_i64().filter(|_| told["type"] == "position");
                let visible = moved_ms.and_then(|moved_ms| self.moves.get(&moved_ms));
                assert!(visible.is_none_or(|to| to.as_ref() == Some(id)), "{id} was sent {told} before {done:?}");
                if moved_ms == Some(at_ms) || told["position"]["time_ms"] == at_ms {
                    seen_by.push(id.clone());
                }
            }
        }
        seen_by.dedup();
        seen_by
    }
}

fn compare_plan(plan: &Value, theirs: &[&Row], courier: &str) -> Verdict {
    let expected: Vec<Value> = theirs.iter().flat_map(|row| row.stops(courier)).collect();
    let planned = stops(plan);
    let sorted = |mut stops: Vec<Value>| {
        stops.sort_by_key(Value::to_string);
        stops
    };
    same("each open stop once", &sorted(planned.clone()), &sorted(expected))?;
    for (at, stop) in planned.iter().enumerate().filter(|(_, stop)| stop["kind"] == "pickup") {
        let door = json!({ "order_id": stop["order_id"], "kind": "dropoff" });
        same("collected before it is handed over", &planned[at..].contains(&door), &true)?;
    }
    let open: Vec<_> = theirs.iter().filter(|row| row.has_feed).map(|row| row.id.clone()).collect();
    same("the one open feed", &open, &visible_in(plan).into_iter().collect())
}

fn compare_phone(plan: &Value, phone: &Phone<'_>) -> Verdict {
    same("the stops on the phone", &stops(&phone.stops), &stops(plan))?;
    if stops(plan).is_empty() && phone.stops["type"] != "stops" {
        return Ok(());
    }
    same("the plan's version on the phone", &phone.version(), &plan["version"].as_i64())
}

/// A change counts as seen only from the version on that brought it.
fn compare_seen(theirs: &[&Row], phone: &Phone<'_>) -> Verdict {
    let shown = phone.version().unwrap_or_default();
    let is_too_early = |row: &&&Row| row.is_seen && row.plan_version.is_some_and(|version| version > shown);
    same("orders seen before they were shown", &theirs.iter().filter(is_too_early).count(), &0)
}

/// The order of the first stop, unless that is a return.
fn visible_in(plan: &Value) -> Option<String> {
    stops(plan).into_iter().next().filter(|stop| stop["kind"] != "return").map(|stop| text(&stop["order_id"]))
}

fn is_active(status: &str) -> bool {
    matches!(status, "assigned" | "at_pickup" | "picked_up" | "at_dropoff")
}

/// The stops of a plan or of a phone's message, without what is said beside them.
pub(super) fn stops(plan: &Value) -> Vec<Value> {
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
