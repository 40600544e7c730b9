use doorstep_shared::api::console::{OrderCounts, SavedPickup};

use super::*;
use crate::dispatch::{draft::Draft, route::Days};

#[test]
fn the_days_of_a_list_are_asked_for_and_stand_in_the_address() {
    let mut bench = Bench::at("tab=done");
    bench.snapshot(vec![], vec![]);
    let effects = bench.act(ListIntent::Days(Some(Days::Yesterday)));
    assert!(effects.contains(&Effect::Url { url: "/dispatch?tab=done&days=yesterday".into(), is_new: false }));
    let span = bench.console.listed_span();
    let asked = asks(&effects).into_iter().find_map(|ask| match ask {
        ApiCall::Orders { tab: Tab::Done, span, .. } => Some(*span),
        _ => None,
    });
    assert_eq!((asked, span.map(|(from_ms, until_ms)| until_ms - from_ms)), (Some(span), Some(86_400_000)));
    let late = ApiCall::Orders { tab: Tab::Done, query: String::new(), span: None, cursor: None };
    let found = order("A-1", OrderStatus::Delivered, None);
    let page = ListPage { items: vec![details(&found, None)], next_cursor: None };
    bench.step(Input::Replied(late, Ok(ApiReply::Orders(page))));
    assert_eq!(bench.console.list.items, [], "the reply without the days comes too late");
    let effects = bench.act(ListIntent::Tab(Tab::Unassigned));
    assert!(effects.contains(&Effect::Url { url: "/dispatch?tab=unassigned".into(), is_new: false }));
}

#[test]
fn the_number_beside_a_list_of_some_days_is_of_these_days() {
    let mut bench = Bench::at("tab=unassigned");
    let orders = ["A-1", "A-2"].map(|reference| order(reference, OrderStatus::Created, None));
    bench.snapshot(vec![], orders.to_vec());
    assert_eq!(bench.console.totals().unassigned, 2);
    let effects = bench.act(ListIntent::Days(Some(Days::Yesterday)));
    let span = bench.console.listed_span().expect("a day");
    let call = ApiCall::Counts { query: String::new(), days: Some((Tab::Unassigned, span)) };
    assert!(asks(&effects).contains(&&call), "{effects:?}");
    let counts = OrderCounts { unassigned: 1, active: 5, done: 7 };
    bench.step(Input::Replied(call, Ok(ApiReply::Counts(counts))));
    let totals = bench.console.totals();
    assert_eq!((totals.unassigned, totals.active), (1, 0), "the other lists show all days");
    bench.act(ListIntent::Days(None));
    assert_eq!(bench.console.totals().unassigned, 2);
}

#[test]
fn open_orders_of_some_days_are_the_servers_list() {
    let mut bench = Bench::at("tab=unassigned&days=today");
    let (old, new) = (order("A-1", OrderStatus::Created, None), order("A-2", OrderStatus::Created, None));
    bench.snapshot(vec![], vec![old, new.clone()]);
    let span = bench.console.listed_span();
    let call = ApiCall::Orders { tab: Tab::Unassigned, query: String::new(), span, cursor: None };
    let page = ListPage { items: vec![details(&new, None)], next_cursor: None };
    bench.step(Input::Replied(call, Ok(ApiReply::Orders(page))));
    bench.wait(1_000.0);
    assert_eq!(bench.console.list.items, [Item::Order(new.id)]);
}

#[test]
fn escape_shows_all_days_again() {
    let mut bench = Bench::at("tab=done&days=week");
    bench.snapshot(vec![], vec![]);
    bench.act(Intent::Key(Command::Leave));
    assert_eq!(bench.console.route.days, None);
}

fn kitchen() -> SavedPickup {
    serde_json::from_value(serde_json::json!({
        "id": uuid::Uuid::from_u128(7), "name": "Harbour Kitchen",
        "place": { "lat": 35.9, "lon": 14.5, "address": "1 Quay Street", "instructions": "back door", "phone": "2100 0002" },
    }))
    .expect("a saved pickup")
}

#[test]
fn a_saved_pickup_fills_the_form_and_leaves_the_door_to_be_placed() {
    let mut bench = Bench::at("");
    bench.snapshot(vec![], vec![]);
    let effects = bench.act(Intent::Key(Command::New));
    assert!(asks(&effects).contains(&&ApiCall::Pickups));
    bench.step(Input::Replied(ApiCall::Pickups, Ok(ApiReply::Pickups(vec![kitchen()]))));
    bench.act(PickupIntent::Choose(kitchen().id));
    let draft = &bench.console.form.draft;
    assert_eq!(draft.at(StopKind::Pickup), Some([14.5, 35.9]));
    let texts = [Field::PickupAddress, Field::PickupInstructions, Field::PickupPhone].map(|field| draft.text(field));
    assert_eq!(texts, ["1 Quay Street", "back door", "2100 0002"]);
    assert_eq!(draft.placing, StopKind::Dropoff);
}

#[test]
fn the_forms_pickup_is_saved_under_a_name_once_it_has_a_place() {
    let mut bench = Bench::at("new=1");
    bench.snapshot(vec![], vec![]);
    bench.act(PickupIntent::Open);
    let save = || PickupIntent::Save { name: " Harbour Kitchen ".into() };
    assert_eq!(asks(&bench.act(save())), Vec::<&ApiCall>::new());
    assert_eq!(bench.console.drawer.problem.as_deref(), Some("Give the pickup an address and a pin first."));
    let mut draft = Draft::default();
    draft.take_place(StopKind::Pickup, &kitchen().place);
    bench.console.form.draft = draft;
    let effects = bench.act(save());
    let [call @ ApiCall::SavePickup(pickup)] = asks(&effects)[..] else { panic!("one call: {effects:?}") };
    assert_eq!((pickup.name.as_str(), &pickup.place), ("Harbour Kitchen", &kitchen().place));
    let call = call.clone();
    let effects = bench.step(Input::Replied(call, Ok(ApiReply::Done)));
    assert!(asks(&effects).contains(&&ApiCall::Pickups));
    assert_eq!(*bench.console.dialog, None);
}

#[test]
fn a_courier_is_found_by_a_name_without_its_marks() {
    for (name, typed) in [
        ("Ødegård", "odegard"),
        ("Nguyễn Thị Huệ", "nguyen"),
        ("Győző", "GYOZO"),
        ("Işık", "isik"),
        ("Γιώργος", "γιωργοσ"),
        ("Королёва", "королева"),
        ("Żammit", "Żam"),
    ] {
        let mut bench = Bench::at("tab=couriers");
        let wanted = courier(name);
        bench.snapshot(vec![wanted.clone(), courier("Ana")], vec![]);
        bench.act(ListIntent::Query(typed.into()));
        bench.wait(1_000.0);
        assert_eq!(bench.console.list.items, [Item::Courier(wanted.id)], "{typed} for {name}");
    }
}
