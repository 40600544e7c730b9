use doorstep_shared::{
    api::OrderView,
    problem::{ErrorDetails, Problem},
};

use super::*;
use crate::dispatch::draft::Draft;

/// A refusal of the server.
pub(super) fn refused(status: u16, code: &str, details: ErrorDetails) -> Result<ApiReply, ApiError> {
    Err(ApiError::Refused(Box::new(Problem {
        r#type: "about:blank".into(),
        title: "No".into(),
        status,
        code: code.into(),
        detail: None,
        errors: vec![],
        details: Some(details),
    })))
}

/// A colleague was faster.
pub(super) fn conflict(change: &str) -> ErrorDetails {
    ErrorDetails {
        current: Some(2),
        changed_by: Some("ben@example.org".into()),
        changed_at_ms: Some(NOW_MS - 3_000),
        change: Some(change.into()),
        courier_name: Some("Marija".into()),
        ..ErrorDetails::default()
    }
}

/// An order of Joe's, open and being changed.
fn editing() -> (Bench, OrderView) {
    let mut bench = Bench::at("");
    let joe = courier("Joe");
    let made = order("A-1", OrderStatus::Assigned, Some(joe.id));
    let view = details(&made, None);
    bench.snapshot(vec![joe], vec![made.clone()]);
    bench.act(Intent::Open(Open::Order(made.id)));
    bench.step(Input::Replied(ApiCall::Order(made.id), Ok(ApiReply::Order(Box::new(view.clone())))));
    bench.act(Intent::Key(Command::Edit));
    assert!(bench.console.edited().is_some());
    (bench, view)
}

fn write(bench: &mut Bench, field: Field, text: &str) {
    bench.act(DraftIntent::Change(Change::Text(field, text.into())));
}

fn sent(effects: &[Effect]) -> (u64, serde_json::Value) {
    let [ApiCall::EditOrder { version, changes, .. }] = asks(effects)[..] else { panic!("one change: {effects:?}") };
    (*version, changes.clone())
}

#[test]
fn a_changed_field_is_saved_with_the_version_that_was_seen() {
    let (mut bench, view) = editing();
    write(&mut bench, Field::DropoffInstructions, "ring twice");
    let (version, changes) = sent(&bench.act(DraftIntent::Save));
    assert_eq!((version, &changes), (1, &serde_json::json!({ "dropoff": { "instructions": "ring twice" } })));
    let mut saved = view.clone();
    (saved.version, saved.dropoff.instructions) = (2, Some("ring twice".into()));
    let call = ApiCall::EditOrder { order: view.id, version, changes };
    bench.step(Input::Replied(call, Ok(ApiReply::Order(Box::new(saved)))));
    assert!(bench.console.edited().is_none());
    assert_eq!(*bench.console.announcement, "A-1 saved");
}

#[test]
fn escape_leaves_the_order_as_it_is_and_nothing_changed_is_not_sent() {
    let (mut bench, view) = editing();
    write(&mut bench, Field::Customer, "Somebody else");
    bench.act(Intent::Key(Command::Leave));
    assert!(bench.console.edited().is_none());
    assert_eq!(bench.console.route.open, Open::Order(view.id), "only the change is left");
    bench.act(Intent::Key(Command::Edit));
    assert_eq!(bench.console.form.draft, Draft::of(&view, &locale()));
    assert_eq!(asks(&bench.act(DraftIntent::Save)), Vec::<&ApiCall>::new());
    assert!(bench.console.edited().is_none());
}

#[test]
fn a_click_on_the_map_moves_the_pin_of_the_door() {
    let (mut bench, _) = editing();
    bench.act(MapIntent::Clicked { at: [14.52, 35.89], number: None, pin: None });
    let (_, changes) = sent(&bench.act(DraftIntent::Save));
    assert_eq!(changes, serde_json::json!({ "dropoff": { "lat": 35.89, "lon": 14.52 } }));
}

#[test]
fn after_a_colleague_was_faster_the_fresh_order_is_seen_and_what_was_typed_is_kept() {
    let (mut bench, view) = editing();
    write(&mut bench, Field::DropoffInstructions, "ring twice");
    write(&mut bench, Field::Phone, "+356 9912 3456");
    let (version, changes) = sent(&bench.act(DraftIntent::Save));
    let call = ApiCall::EditOrder { order: view.id, version, changes };
    let effects = bench.step(Input::Replied(call, refused(412, "version_conflict", conflict("edited"))));
    assert!(asks(&effects).contains(&&ApiCall::Order(view.id)));
    let notice = |bench: &Bench| bench.console.edited().and_then(|edit| edit.notice.clone()).unwrap_or_default();
    assert!(notice(&bench).starts_with("ben@example.org changed its details 3 s ago."));
    let mut fresh = view.clone();
    fresh.version = 2;
    (fresh.dropoff.instructions, fresh.customer.name) = (Some("use the bell".into()), "Eva".into());
    bench.step(Input::Replied(ApiCall::Order(view.id), Ok(ApiReply::Order(Box::new(fresh)))));
    assert!(notice(&bench).starts_with("ben@example.org"), "it stays until the change is saved");
    let form = &bench.console.form;
    assert_eq!(form.draft.text(Field::DropoffInstructions), "ring twice");
    assert_eq!(form.draft.text(Field::Customer), "Eva", "an untouched field follows");
    let theirs = bench.console.edited().map(|edit| edit.theirs.clone());
    assert_eq!(theirs, Some(vec![(Field::DropoffInstructions, "use the bell".to_owned())]));
    let (version, changes) = sent(&bench.act(DraftIntent::Save));
    let expected = serde_json::json!({
        "dropoff": { "instructions": "ring twice" }, "customer": { "phone": "+356 9912 3456" },
    });
    assert_eq!((version, changes), (2, expected));
}

#[test]
fn what_may_not_change_any_more_says_why() {
    let (mut bench, view) = editing();
    write(&mut bench, Field::PickupInstructions, "back door");
    let (version, changes) = sent(&bench.act(DraftIntent::Save));
    let call = ApiCall::EditOrder { order: view.id, version, changes };
    let fields = [("pickup.instructions".to_owned(), "the goods are picked up already".to_owned())].into();
    let details = ErrorDetails { fields: Some(fields), ..ErrorDetails::default() };
    let effects = bench.step(Input::Replied(call, refused(409, "not_editable", details)));
    assert!(asks(&effects).contains(&&ApiCall::Order(view.id)));
    let why = ("pickup.instructions".to_owned(), "the goods are picked up already".to_owned());
    assert!(bench.console.form.problems.contains(&why));
    assert_eq!(bench.console.form.draft.text(Field::PickupInstructions), "back door");
    let mut loaded = view.clone();
    (loaded.version, loaded.status) = (2, OrderStatus::PickedUp);
    bench.step(Input::Replied(ApiCall::Order(view.id), Ok(ApiReply::Order(Box::new(loaded)))));
    let edit = bench.console.edited().expect("it is still being changed");
    assert!(edit.locked("pickup.address").is_some() && edit.locked("dropoff.address").is_none());
}

#[test]
fn a_new_order_that_was_begun_is_there_after_the_change_of_another() {
    let mut bench = Bench::at("new=1");
    let made = order("A-1", OrderStatus::Assigned, None);
    bench.snapshot(vec![], vec![made.clone()]);
    write(&mut bench, Field::Reference, "B-7");
    bench.act(Intent::Open(Open::Order(made.id)));
    bench.step(Input::Replied(ApiCall::Order(made.id), Ok(ApiReply::Order(Box::new(details(&made, None))))));
    bench.act(Intent::Key(Command::Edit));
    assert_eq!(bench.console.form.draft.text(Field::Reference), "A-1");
    bench.act(Intent::Key(Command::New));
    assert_eq!(bench.console.form.draft.text(Field::Reference), "B-7");
}

#[test]
fn an_order_that_is_over_is_not_changed() {
    let mut bench = Bench::at("tab=done");
    let made = order("A-1", OrderStatus::Delivered, None);
    bench.snapshot(vec![], vec![]);
    bench.act(Intent::Open(Open::Order(made.id)));
    bench.step(Input::Replied(ApiCall::Order(made.id), Ok(ApiReply::Order(Box::new(details(&made, None))))));
    bench.act(Intent::Key(Command::Edit));
    assert!(bench.console.edited().is_none());
}
