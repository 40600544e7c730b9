//! What dispatch and couriers do, made up at random, and how it is done.

use proptest::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};

use super::{ORDERS, phone::Phone, screens::World};
use crate::support::{Answer, HERE, TestCourier, now_ms};

/// What dispatch or a courier does.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Dispatch gives an order to a courier, from another one who may have it.
    Assign { order: usize, courier: usize },
    /// A courier reports on an order, whether or not it is theirs; without a network the phone keeps it.
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
    /// A courier's phone loses its network.
    Offline { courier: usize },
    /// It is back, and sends what was pressed meanwhile.
    Back { courier: usize },
    /// Something of a courier and something of dispatch, at once.
    AtOnce(Box<Step>, Box<Step>),
}

fn of_courier() -> impl Strategy<Value = Step> {
    let statuses = vec!["at_pickup", "picked_up", "at_dropoff", "delivered", "failed", "returned"];
    let statuses = (0..ORDERS, 0..2usize, prop::sample::select(statuses));
    let hold_ups = (0..ORDERS, 0..2usize, prop::sample::select(vec!["not_ready", "give_back"]));
    prop_oneof![
        5 => statuses.prop_map(|(order, courier, status)| Step::Report { order, courier, status }),
        1 => hold_ups.prop_map(|(order, courier, report)| Step::HoldUp { order, courier, report }),
        1 => (0..2usize).prop_map(|courier| Step::Back { courier }),
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

pub(super) fn step() -> impl Strategy<Value = Step> {
    let at_once = (of_courier(), of_dispatch()).prop_map(|(one, other)| Step::AtOnce(Box::new(one), Box::new(other)));
    let offline = (0..2usize).prop_map(|courier| Step::Offline { courier });
    prop_oneof![8 => of_dispatch(), 6 => of_courier(), 6 => at_once, 1 => offline]
}

/// Does a step.
pub(super) async fn take(step: &Step, world: &World<'_>, phones: &mut [Phone<'_>; 2]) {
    let couriers = [phones[0].courier.clone(), phones[1].courier.clone()];
    match step {
        Step::Report { order, courier, status } => {
            let message = json!({ "type": "status", "status": status });
            press(step, &mut phones[*courier], &world.orders[*order].id, message).await;
        }
        Step::HoldUp { order, courier, report } => {
            let message = json!({ "type": "report", "report": report });
            press(step, &mut phones[*courier], &world.orders[*order].id, message).await;
        }
        Step::Offline { courier } => phones[*courier].lose_network(),
        Step::Back { courier } => come_back(step, world, &mut phones[*courier]).await,
        Step::AtOnce(one, other) => {
            tokio::join!(Box::pin(take(one, world, phones)), dispatch(other, world, &couriers));
        }
        other => dispatch(other, world, &couriers).await,
    }
}

async fn press(step: &Step, phone: &mut Phone<'_>, order: &str, mut message: Value) {
    (message["order_id"], message["time_ms"]) = (json!(order), json!(now_ms()));
    if let Some(answer) = phone.press(message).await {
        check_answer(step, &answer);
    }
}

/// What was pressed without a network is answered, and dispatch has heard of each report that came too late.
async fn come_back(step: &Step, world: &World<'_>, phone: &mut Phone<'_>) {
    for (sent, answer) in phone.come_back().await {
        check_answer(step, &answer);
        if sent["type"] == "status" && answer["code"] == "order_withdrawn" {
            let is_kept = world.has_heard(&phone.courier, &sent["order_id"], &sent["status"]).await;
            assert!(is_kept, "dispatch knows nothing of {sent}");
        }
    }
}

fn check_answer(step: &Step, answer: &Value) {
    assert!(answer["type"] == "ack" || answer["code"] != "unavailable", "{step:?}: {answer}");
}

async fn dispatch(step: &Step, world: &World<'_>, couriers: &[TestCourier]) {
    let app = world.an_app();
    let path = |order: &usize, what: &str| format!("/api/v1/orders/{}{what}", world.orders[*order].id);
    let answer = match step {
        Step::Assign { order, courier } => {
            app.post(&path(order, "/assign"), &json!({ "courier_id": couriers[*courier].id })).await
        }
        Step::SetStatus { order, status } => app.post(&path(order, "/status"), &json!({ "status": status })).await,
        Step::Reorder { courier, by_courier, turns, locked } => {
            reorder(world, &couriers[*courier], *by_courier, turns, *locked).await
        }
        Step::Edit { order, north } => {
            let body = json!({ "dropoff": { "lat": HERE.0 + *north as f64 * 0.003, "lon": HERE.1 } });
            Answer::to(app.request(Method::PATCH, &path(order, "")).header("if-match", "*").json(&body)).await
        }
        Step::Unassign { order } => app.post(&path(order, "/unassign"), &json!({})).await,
        Step::TryAgain { order, courier } => {
            let courier = courier.map(|courier| couriers[courier].id.clone());
            app.post(&path(order, "/attempts"), &json!({ "courier_id": courier })).await
        }
        Step::Reopen { order } => {
            let request = app.as_person(world.dora, Method::POST, &path(order, "/reopen"));
            Answer::to(request.json(&json!({ "reason": "the wrong button" }))).await
        }
        Step::Report { .. } | Step::HoldUp { .. } | Step::Offline { .. } | Step::Back { .. } | Step::AtOnce(..) => {
            unreachable!("phones do these")
        }
    };
    assert!(answer.status.as_u16() < 500, "{step:?}: {}", answer.text());
}

async fn reorder(
    world: &World<'_>,
    courier: &TestCourier,
    by_courier: bool,
    turns: &[usize],
    locked: Option<usize>,
) -> Answer {
    let app = world.an_app();
    let path = format!("/api/v1/couriers/{}/plan", courier.id);
    let shown = app.get(&path).await.expect(200);
    let mut stops = super::screens::stops(&shown);
    // Some of these orders are impossible, and refused.
    for (at, turn) in turns.iter().enumerate().take(stops.len()) {
        let other = turn % stops.len();
        stops.swap(at, other);
    }
    let locked = locked.map(|locked| locked.min(stops.len()));
    let body = json!({ "version": shown["version"], "stops": stops, "locked": locked });
    let request = app.bare(Method::PUT, &path).json(&body);
    let secret = if by_courier { &courier.device_token } else { &app.key };
    Answer::to(request.bearer_auth(secret)).await
}
