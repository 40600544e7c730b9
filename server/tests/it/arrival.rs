//! Arrivals as customers and the office read them: ranges of those who wait for others, what is learned, and the scores.

use std::sync::Arc;

use doorstep_arrival::{
    learned::PlaceKey,
    score::{Situation, Told},
};
use doorstep_server::{
    domain::arrival::ToldOrder,
    platform::clock::Clock,
    service::{
        arrival::{experience::Experience, learner::Learner},
        planner::Planner,
    },
    store::access::Role,
};
use doorstep_shared::{LatLon, OrderId};
use reqwest::Method;
use serde_json::Value;

use crate::support::{Answer, HERE, TestApp, TestOrder, eventually, fix, now_ms, with_app, with_settings};

const MINUTE_MS: i64 = 60_000;

fn number(message: &Value, name: &str) -> i64 {
    message[name].as_i64().unwrap_or_else(|| panic!("{name}: {message}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_behind_another_read_a_later_range_and_no_place() {
    with_settings(&["--new-stops=last"], async |app| {
        let ana = app.courier("Ana").await;
        let (first, second) = (app.assigned("A-1", &ana).await, app.assigned("A-2", &ana).await);
        let mut phone = app.connect(&ana).await;
        let (mut next, mut later) = (app.watch(&first).await, app.watch(&second).await);
        next.expect("snapshot").await;
        later.expect("snapshot").await;
        phone.report(1, &[fix(now_ms(), HERE.0 + 0.004, HERE.1)]).await;
        let (soon, then) = (next.expect("eta").await, later.expect("eta").await);
        for eta in [&soon, &then] {
            assert_eq!(eta["coverage"], 0.8);
            assert!(number(eta, "earliest_ms") <= number(eta, "expected_ms"), "{eta}");
            assert!(number(eta, "expected_ms") <= number(eta, "latest_ms"), "{eta}");
        }
        let width = |eta: &Value| number(eta, "latest_ms") - number(eta, "earliest_ms");
        assert!(number(&then, "expected_ms") > number(&soon, "expected_ms") && width(&then) > width(&soon), "{then}");
        assert_eq!(number(&then, "remaining_m") % 1_000, 0, "those who wait learn no more than whole kilometres");
        let mut again = app.watch(&second).await;
        let snapshot = again.expect("snapshot").await;
        assert_eq!(snapshot["eta"]["expected_ms"], then["expected_ms"]);
        assert!(snapshot.get("position").is_none(), "{snapshot}");
    })
    .await;
}

/// Tells the customer of `order`, twelve minutes ago, that the courier is there four minutes before they are.
async fn tell(app: &TestApp, order: &TestOrder) {
    let at_ms = now_ms() - 12 * MINUTE_MS;
    let told = Told {
        at_ms,
        earliest_ms: at_ms + 6 * MINUTE_MS,
        expected_ms: at_ms + 8 * MINUTE_MS,
        latest_ms: at_ms + 10 * MINUTE_MS,
        forecast_ms: at_ms + 8 * MINUTE_MS,
        scale_s: 90.0,
        situation: Situation::Direct,
    };
    let order: OrderId = order.id.parse().expect("an id");
    app.state().store.keep_told(&[ToldOrder { order, attempt: 1, told }]).await.expect("the database is there");
}

/// A learner for which the deliveries of this moment are over.
fn learner(app: &TestApp, experience: &Arc<Experience>) -> Learner {
    let (soon, _) = Clock::manual(now_ms() + MINUTE_MS);
    let (state, areas) = (app.state(), Arc::clone(&app.state().areas));
    let planner = Planner::start(Arc::clone(&areas), None, &state.tasks);
    Learner::new((state.store.clone(), soon), (planner, areas), Arc::clone(experience))
}

async fn scores(app: &TestApp, query: &str) -> Answer {
    let dora = app.person(&format!("{}@example.com", now_ms()), Role::Dispatcher).await;
    Answer::to(app.as_person(&dora, Method::GET, &format!("/api/v1/arrival/scores?{query}"))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_learned_once_by_every_instance_and_scored_against_what_was_told() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        tell(app, &order).await;
        for status in ["at_pickup", "picked_up", "at_dropoff", "delivered"] {
            app.set_status(&order, status).await;
        }
        let kitchen = PlaceKey::of(LatLon::try_new(HERE.0, HERE.1).expect("on earth"));
        for _instance in 0..2 {
            let experience = Arc::<Experience>::default();
            let mut learner = learner(app, &experience);
            for _round in 0..2 {
                learner.make_round().await.expect("the database is there");
            }
            let knowledge = experience.current();
            let habit = knowledge.learned.wait_habit(kitchen, now_ms()).expect("a courier waited there");
            assert!((0.9..1.1).contains(&habit.waits), "one wait, however often it was read: {habit:?}");
        }
        let by_horizon = scores(app, "by=horizon").await.expect(200);
        let late = by_horizon["items"].as_array().expect("items").iter().find(|item| item["group"] == "10");
        let late = late.unwrap_or_else(|| panic!("told ten minutes before: {by_horizon}"));
        assert_eq!((&late["n"], late["late"].as_f64(), late["inside"].as_f64()), (&1.into(), Some(1.0), Some(0.0)));
        assert!(late["bias_s"].as_f64().is_some_and(|bias_s| (230.0..260.0).contains(&bias_s)), "{late}");
        let by_pickup = scores(app, "by=pickup").await.expect(200);
        assert_eq!(by_pickup["items"][0]["group"], "Harbour Kitchen");
        scores(app, "by=courier").await.expect_problem(403, "admins_only");
        let dora = app.person("dora@example.com", Role::Dispatcher).await;
        // The server's own learner, which knows less until its next round, may come in between.
        eventually("the wait is known at the console", async || {
            learner(app, &app.state().experience).make_round().await.expect("the database is there");
            let waits = Answer::to(app.as_person(&dora, Method::GET, "/api/v1/arrival/waits")).await.expect(200);
            let item = &waits["items"][0];
            item["pickup"] == "Harbour Kitchen" && item["n"] == 1 && item["wait_s"].is_f64()
        })
        .await;
    })
    .await;
}
