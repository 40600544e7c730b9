use super::{
    editing::{conflict, refused},
    *,
};

/// An order of Joe's with this status, open; the feed has sent its version 7.
fn open_order(status: OrderStatus) -> (Bench, OrderId) {
    let mut bench = Bench::at("");
    let joe = courier("Joe");
    let mut made = order("A-1", status, Some(joe.id));
    made.version = Some(7);
    bench.snapshot(vec![joe], vec![made.clone()]);
    bench.act(Intent::Open(Open::Order(made.id)));
    if status.is_final() {
        bench.step(Input::Replied(ApiCall::Order(made.id), Ok(ApiReply::Order(Box::new(details(&made, None))))));
    }
    (bench, made.id)
}

#[test]
fn one_letter_and_a_reason_take_an_order_from_its_courier() {
    let (mut bench, id) = open_order(OrderStatus::AtPickup);
    bench.act(Intent::Key(Command::Unassign));
    let effects = bench.act(OrderIntent::Reason { note: " flat tyre ".into() });
    let call = ApiCall::Unassign { order: id, reason: Some("flat tyre".into()), version: Some(7) };
    assert_eq!(asks(&effects), [&call]);
}

#[test]
fn what_the_status_does_not_allow_is_not_asked_for() {
    for (status, command) in [
        (OrderStatus::PickedUp, Command::Unassign),
        (OrderStatus::Created, Command::Unassign),
        (OrderStatus::PickedUp, Command::Reopen),
        (OrderStatus::PickedUp, Command::Attempt),
    ] {
        let (mut bench, _) = open_order(status);
        bench.act(Intent::Key(command));
        assert_eq!(*bench.console.dialog, None, "{command:?} while {}", status.as_str());
    }
}

#[test]
fn a_failed_order_gets_another_attempt_with_a_new_window_and_another_courier() {
    let (mut bench, id) = open_order(OrderStatus::Failed);
    bench.act(Intent::Key(Command::Attempt));
    let sam = courier("Sam").id;
    let typed = |until: &str| TypedAttempt {
        from: "19:00".into(),
        until: until.into(),
        courier: Some(sam),
        ..TypedAttempt::default()
    };
    let effects = bench.act(OrderIntent::Attempt(Box::new(typed("18:50"))));
    assert_eq!(asks(&effects), Vec::<&ApiCall>::new());
    assert_eq!(bench.console.drawer.problem.as_deref(), Some("The window ends before it begins."));
    let effects = bench.act(OrderIntent::Attempt(Box::new(typed("19:30"))));
    let [ApiCall::Attempt { order, attempt }] = asks(&effects)[..] else { panic!("one call: {effects:?}") };
    assert_eq!((*order, attempt.courier_id, attempt.version), (id, Some(sam), Some(7)));
    let until_ms = attempt.promised_until.map(|at| at.timestamp_millis());
    assert_eq!(until_ms, Some(NOW_MS + 48 * 60_000));
}

#[test]
fn a_final_status_is_corrected_only_with_a_reason() {
    let (mut bench, id) = open_order(OrderStatus::Delivered);
    bench.act(Intent::Key(Command::Reopen));
    assert_eq!(asks(&bench.act(OrderIntent::Reason { note: " ".into() })), Vec::<&ApiCall>::new());
    assert!(bench.console.dialog.is_some(), "it still asks");
    let effects = bench.act(OrderIntent::Reason { note: "the wrong button".into() });
    let call = ApiCall::Reopen { order: id, reason: "the wrong button".into(), version: Some(7) };
    assert_eq!(asks(&effects), [&call]);
    let details = doorstep_shared::problem::ErrorDetails::default();
    let mut refusal = refused(409, "not_reopenable", details);
    if let Err(ApiError::Refused(problem)) = &mut refusal {
        problem.detail = Some("the order ended more than 24 hours ago".into());
    }
    bench.step(Input::Replied(call, refusal));
    assert_eq!(bench.console.drawer.problem.as_deref(), Some("The order ended more than 24 hours ago"));
}

#[test]
fn who_comes_second_reads_who_did_what_and_sees_the_order_as_it_is() {
    let (mut bench, id) = open_order(OrderStatus::Assigned);
    let sam = courier("Sam").id;
    let effects = bench.act(OrderIntent::Assign { order: id, courier: sam });
    let call = ApiCall::Assign { order: id, courier: sam, version: Some(7) };
    assert_eq!(asks(&effects), [&call]);
    let effects = bench.step(Input::Replied(call, refused(409, "version_conflict", conflict("assigned"))));
    let problem = bench.console.drawer.problem.clone().unwrap_or_default();
    assert!(problem.starts_with("Marija was given this by ben@example.org 3 s ago."), "{problem}");
    assert!(asks(&effects).contains(&&ApiCall::Order(id)));
    assert!(!bench.console.drawer.is_busy);
}

#[test]
fn a_lost_drop_on_a_row_names_the_order() {
    let (mut bench, id) = open_order(OrderStatus::Assigned);
    bench.act(Intent::Open(Open::Nothing));
    let call = ApiCall::Assign { order: id, courier: courier("Sam").id, version: Some(7) };
    bench.step(Input::Replied(call, refused(409, "version_conflict", conflict("assigned"))));
    let problem = bench.console.drawer.problem.clone().unwrap_or_default();
    assert!(problem.starts_with("A-1: Marija was given this"), "{problem}");
}
