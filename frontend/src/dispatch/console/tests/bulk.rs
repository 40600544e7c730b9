use doorstep_shared::{
    api::plan::{PlanStop, PlanView},
    protocol::courier::StopKind,
};

use super::{
    editing::{conflict, refused},
    *,
};
use crate::dispatch::bulk::{Action, Phase};

/// Orders of Ana's in the list of active ones, and Joe, who has none.
fn desk(count: usize) -> (Bench, Vec<doorstep_shared::protocol::fleet::FleetOrder>, [CourierId; 2]) {
    let mut bench = Bench::at("");
    let (ana, joe) = (courier("Ana"), courier("Joe"));
    let orders: Vec<_> =
        (0..count).map(|index| order(&format!("A-{index}"), OrderStatus::Assigned, Some(ana.id))).collect();
    let ids = [ana.id, joe.id];
    bench.snapshot(vec![ana, joe], orders.clone());
    bench.wait(1_000.0);
    (bench, orders, ids)
}

/// The calls about orders among the effects.
fn changes(effects: &[Effect]) -> Vec<ApiCall> {
    let is_change = |call: &&&ApiCall| matches!(call, ApiCall::Assign { .. } | ApiCall::Unassign { .. });
    asks(effects).iter().filter(is_change).map(|call| (*call).clone()).collect()
}

fn saved(made: &doorstep_shared::protocol::fleet::FleetOrder) -> Result<ApiReply, ApiError> {
    Ok(ApiReply::Order(Box::new(details(made, None))))
}

fn plan(version: u64, stops: &[(OrderId, StopKind)]) -> Result<ApiReply, ApiError> {
    let stop = |(index, (order_id, kind)): (usize, &(OrderId, StopKind))| serde_json::json!({ "order_id": order_id, "kind": kind, "sequence": index + 1, "locked": false, "late": false });
    let stops: Vec<_> = stops.iter().enumerate().map(stop).collect();
    let view: PlanView =
        serde_json::from_value(serde_json::json!({ "version": version, "stops": stops, "load": [] })).expect("a plan");
    Ok(ApiReply::Plan(Box::new(view)))
}

#[test]
fn the_keyboard_selects_and_unassigns_four_at_a_time_and_says_what_failed() {
    let (mut bench, orders, _) = desk(6);
    bench.act(Intent::Key(Command::Next));
    bench.act(Intent::Key(Command::Pick { is_range: false }));
    assert_eq!(bench.console.selection.bulk.picked.len(), 1);
    bench.act(Intent::Key(Command::PickAll));
    assert_eq!(bench.console.selection.bulk.picked.len(), 6);
    let effects = bench.act(Intent::Key(Command::Unassign));
    let mut calls = changes(&effects);
    assert_eq!(calls.len(), 4);
    let mut answered = 0;
    while !calls.is_empty() {
        let call = calls.remove(0);
        let ApiCall::Unassign { order, .. } = &call else { panic!("{call:?}") };
        let made = orders.iter().find(|made| made.id == *order).expect("a selected order").clone();
        let is_lost = answered == 2;
        let reply = if is_lost {
            refused(409, "version_conflict", conflict("assigned"))
        } else {
            let mut taken = made;
            (taken.status, taken.courier_id) = (OrderStatus::Created, None);
            saved(&taken)
        };
        calls.extend(changes(&bench.step(Input::Replied(call, reply))));
        answered += 1;
        assert!(calls.len() <= 4);
    }
    let bulk = &bench.console.selection.bulk;
    let run = bulk.run.as_ref().expect("a run");
    assert_eq!((answered, run.phase, run.done), (6, Phase::Over, 5));
    assert!(run.failed[0].contains("Marija was given this by ben@example.org"), "{:?}", run.failed);
    assert_eq!(bulk.picked.len(), 1, "what failed stays selected");
    assert_eq!(*bench.console.announcement, "5 of 6 unassigned.");
}

#[test]
fn what_another_changes_while_the_dialog_is_open_was_not_seen() {
    let (mut bench, orders, [_, joe]) = desk(2);
    let other = CourierId::new();
    let change = |seq: u64, version: u64, courier_id: CourierId| {
        let order = FleetOrder { version: Some(version), courier_id: Some(courier_id), ..orders[0].clone() };
        Input::Feed(Some(FleetEvent::Order(FleetOrderChange { seq, order })))
    };
    bench.step(change(1, 3, orders[0].courier_id.expect("Ana")));
    bench.act(BulkIntent::All);
    bench.act(BulkIntent::Ask(Wanted::Assign));
    bench.step(change(2, 4, other));
    let calls = changes(&bench.act(BulkIntent::Start(Action::Assign(joe))));
    let sent = |id| calls.iter().find(|call| matches!(call, ApiCall::Assign { order, .. } if *order == id));
    assert_eq!(sent(orders[0].id), Some(&ApiCall::Assign { order: orders[0].id, courier: joe, version: Some(3) }));
    assert!(sent(orders[1].id).is_some());
}

#[test]
fn moved_orders_keep_their_sequence_in_the_new_plan() {
    let (mut bench, orders, [ana, joe]) = desk(2);
    let [first, second] = [orders[0].id, orders[1].id];
    bench.act(BulkIntent::All);
    let effects = bench.act(BulkIntent::Start(Action::Move(joe)));
    assert!(asks(&effects).contains(&&ApiCall::Plan(ana)) && changes(&effects).is_empty());
    use StopKind::{Dropoff, Pickup};
    let source = [(second, Pickup), (first, Pickup), (second, Dropoff), (first, Dropoff)];
    let effects = bench.step(Input::Replied(ApiCall::Plan(ana), plan(3, &source)));
    let calls = changes(&effects);
    let mut last = Vec::new();
    for call in calls {
        let ApiCall::Assign { order, courier, .. } = &call else { panic!("{call:?}") };
        assert_eq!(*courier, joe);
        let mut moved = orders.iter().find(|made| made.id == *order).expect("a selected order").clone();
        moved.courier_id = Some(joe);
        last = bench.step(Input::Replied(call, saved(&moved)));
    }
    assert!(asks(&last).contains(&&ApiCall::Plan(joe)));
    let target = [(first, Pickup), (first, Dropoff), (second, Pickup), (second, Dropoff)];
    let effects = bench.step(Input::Replied(ApiCall::Plan(joe), plan(8, &target)));
    let put = |effects: &[Effect]| {
        let is_put = |call: &&&ApiCall| matches!(call, ApiCall::PutPlan { .. });
        asks(effects).iter().find(is_put).map(|call| (*call).clone())
    };
    let call = put(&effects).expect("a new sequence");
    let ApiCall::PutPlan { courier, plan: sent } = &call else { panic!("{call:?}") };
    let expected: Vec<_> =
        source.iter().map(|(order_id, kind)| PlanStop { order_id: *order_id, kind: *kind }).collect();
    assert_eq!((*courier, sent.version, &sent.stops), (joe, 8, &expected));
    let effects = bench.step(Input::Replied(call, refused(409, "version_conflict", conflict("reordered"))));
    assert!(asks(&effects).contains(&&ApiCall::Plan(joe)), "once more with the plan as it is now");
    let effects = bench.step(Input::Replied(ApiCall::Plan(joe), plan(9, &target)));
    let call = put(&effects).expect("a new sequence");
    bench.step(Input::Replied(call, plan(10, &source)));
    assert_eq!(bench.console.selection.bulk.run.as_ref().map(|run| run.phase), Some(Phase::Over));
    assert_eq!(*bench.console.announcement, "2 moved.");
}

#[test]
fn a_cancellation_is_confirmed_once_for_all() {
    let (mut bench, orders, _) = desk(3);
    bench.act(BulkIntent::Pick { order: orders[0].id, is_range: false });
    let effects = bench.act(Intent::Key(Command::Cancel));
    assert_eq!(changes(&effects), []);
    assert_eq!(*bench.console.dialog, Some(Dialog::Bulk { wanted: Wanted::Cancel }));
    let effects = bench.act(BulkIntent::Start(Action::Cancel { reason: "power cut".into() }));
    assert_eq!(*bench.console.dialog, None);
    let call = ApiCall::SetStatus {
        order: orders[0].id,
        status: OrderStatus::Cancelled,
        note: Some("power cut".into()),
        version: None,
    };
    assert!(asks(&effects).contains(&&call));
}

#[test]
fn after_a_reload_the_run_waits_and_goes_on_with_what_is_left() {
    let (mut bench, orders, [_, joe]) = desk(6);
    bench.act(BulkIntent::All);
    let effects = bench.act(BulkIntent::Start(Action::Assign(joe)));
    let call = changes(&effects)[0].clone();
    let ApiCall::Assign { order: first, .. } = call else { panic!("{call:?}") };
    let mut given = orders.iter().find(|made| made.id == first).expect("a selected order").clone();
    given.courier_id = Some(joe);
    let effects = bench.step(Input::Replied(call, saved(&given)));
    let kept =
        effects.iter().rev().find_map(|effect| if let Effect::Keep(text) = effect { Some(text.clone()) } else { None });
    let mut again = Bench::at("");
    again.step(Input::Kept(kept.expect("something is kept")));
    let mut couriers = vec![courier("Ana"), courier("Joe")];
    couriers[1].id = joe;
    again.snapshot(
        couriers,
        orders.iter().map(|made| if made.id == first { given.clone() } else { made.clone() }).collect(),
    );
    let bulk = &again.console.selection.bulk;
    assert_eq!(
        (bulk.picked.len(), bulk.run.as_ref().map(|run| (run.phase, run.left()))),
        (5, Some((Phase::Paused, 5)))
    );
    assert_eq!(changes(&again.act(BulkIntent::Resume)).len(), 4);
}

#[test]
fn orders_that_cannot_be_taken_back_are_said_without_a_request() {
    let mut bench = Bench::at("");
    let joe = courier("Joe");
    let loaded = order("A-1", OrderStatus::PickedUp, Some(joe.id));
    bench.snapshot(vec![joe], vec![loaded.clone()]);
    bench.wait(1_000.0);
    bench.act(BulkIntent::All);
    assert_eq!(changes(&bench.act(BulkIntent::Start(Action::Unassign))), []);
    let failed = bench.console.selection.bulk.run.as_ref().map(|run| run.failed.clone());
    assert_eq!(failed, Some(vec!["A-1 is on the way".to_owned()]));
}

#[test]
fn couriers_for_many_orders_are_ranked_by_their_arrival_at_the_first() {
    let (mut bench, orders, [ana, joe]) = desk(3);
    bench.act(BulkIntent::All);
    let effects = bench.act(BulkIntent::Ask(Wanted::Assign));
    let asked = asks(&effects).into_iter().find(|call| matches!(call, ApiCall::Suggestions(_))).cloned();
    let Some(call @ ApiCall::Suggestions(first)) = asked else { panic!("who is near is asked for") };
    assert!(orders.iter().any(|made| made.id == first));
    let suggestion = |id: CourierId, name: &str, arrives_at: &str| {
        serde_json::json!({
            "courier_id": id, "name": name, "vehicle": "scooter", "on_duty": true, "open_orders": 0,
            "arrives_at": arrives_at,
        })
    };
    let found = [suggestion(joe, "Joe", "2026-11-21T17:50:00Z"), suggestion(ana, "Ana", "2026-11-21T17:55:00Z")];
    let found = found.map(|found| serde_json::from_value(found).expect("a suggestion")).to_vec();
    let ranked = |bench: &Bench| {
        let name = |choice: &Choice<'_>| match choice {
            Choice::Suggested(found) => (found.name.clone(), found.arrives_at.is_some()),
            Choice::Other(courier) => (courier.name.clone(), false),
        };
        bench.console.dialog_choices().iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(ranked(&bench), [("Ana".to_owned(), false), ("Joe".to_owned(), false)], "until it is known");
    bench.step(Input::Replied(call, Ok(ApiReply::Suggestions(found))));
    assert_eq!(ranked(&bench), [("Joe".to_owned(), true), ("Ana".to_owned(), true)]);
    bench.act(OrderIntent::CourierQuery("an".into()));
    assert_eq!(ranked(&bench), [("Ana".to_owned(), true)], "also when a name is searched for");
}

#[test]
fn escape_leaves_the_selection() {
    let (mut bench, ..) = desk(2);
    bench.act(BulkIntent::All);
    bench.act(Intent::Key(Command::Leave));
    assert!(bench.console.selection.bulk.picked.is_empty());
}
