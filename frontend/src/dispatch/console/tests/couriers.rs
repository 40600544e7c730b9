use doorstep_shared::{api::CourierView, problem::ErrorDetails};

use super::{editing::refused, *};
use crate::dispatch::courier_form::TypedCourier;

fn view(id: CourierId) -> CourierView {
    serde_json::from_value(serde_json::json!({
        "id": id, "name": "Ana", "vehicle": "scooter", "created_at": "2026-11-21T17:42:00Z", "capacity": 4,
    }))
    .expect("a courier")
}

#[test]
fn archiving_is_confirmed_and_the_courier_leaves_the_lists() {
    let mut bench = Bench::at("tab=couriers");
    let ana = courier("Ana");
    bench.snapshot(vec![ana.clone()], vec![]);
    bench.act(Intent::Open(Open::Courier(ana.id)));
    let effects = bench.act(CourierIntent::ConfirmArchive { courier: ana.id, is_archived: true });
    assert_eq!(asks(&effects), Vec::<&ApiCall>::new());
    let effects = bench.act(CourierIntent::Archive);
    let call = ApiCall::Archive { courier: ana.id, is_archived: true };
    assert_eq!(asks(&effects), [&call]);
    let mut refusal = refused(409, "has_open_orders", ErrorDetails::default());
    if let Err(ApiError::Refused(problem)) = &mut refusal {
        problem.detail = Some("the courier has 2 open orders".into());
    }
    bench.step(Input::Replied(call.clone(), refusal));
    assert_eq!(bench.console.drawer.problem.as_deref(), Some("The courier has 2 open orders"));
    bench.act(CourierIntent::Archive);
    bench.step(Input::Replied(call, Ok(ApiReply::Courier(Box::new(view(ana.id))))));
    assert!(!bench.console.fleet.couriers.contains_key(&ana.id));
    assert_eq!((bench.console.route.open, &*bench.console.dialog), (Open::Nothing, &None));
    assert_eq!(*bench.console.announcement, "Ana is archived");
}

#[test]
fn who_was_archived_is_listed_and_comes_back_after_a_confirmation() {
    let mut bench = Bench::at("tab=couriers");
    let ana = courier("Ana").id;
    bench.snapshot(vec![], vec![]);
    assert_eq!(asks(&bench.act(CourierIntent::Archived)), [&ApiCall::Archived]);
    bench.step(Input::Replied(ApiCall::Archived, Ok(ApiReply::Couriers(vec![view(ana)]))));
    bench.act(CourierIntent::ConfirmArchive { courier: ana, is_archived: false });
    let call = ApiCall::Archive { courier: ana, is_archived: false };
    assert_eq!(asks(&bench.act(CourierIntent::Archive)), [&call]);
    bench.step(Input::Replied(call, Ok(ApiReply::Courier(Box::new(view(ana))))));
    assert_eq!(bench.console.route.open, Open::Courier(ana));
}

#[test]
fn the_form_sends_only_what_was_changed() {
    let mut bench = Bench::at("");
    let ana = courier("Ana");
    bench.snapshot(vec![ana.clone()], vec![]);
    bench.act(Intent::Open(Open::Courier(ana.id)));
    bench.step(Input::Replied(ApiCall::Courier(ana.id), Ok(ApiReply::Courier(Box::new(view(ana.id))))));
    bench.act(CourierIntent::Edit(Some(ana.id)));
    let Some(Dialog::Courier { known, .. }) = &*bench.console.dialog else { panic!("the form is open") };
    assert_eq!(known.capacity, "4");
    let typed = TypedCourier { skills: "cold".into(), ..known.as_ref().clone() };
    let effects = bench.act(CourierIntent::Save(Box::new(typed)));
    let [ApiCall::EditCourier { edit, .. }] = asks(&effects)[..] else { panic!("one call: {effects:?}") };
    assert_eq!((&edit.skills, &edit.name, edit.capacity), (&Some(vec!["cold".to_owned()]), &None, None));
}

#[test]
fn a_depot_stands_on_the_map_of_its_courier_alone() {
    let mut bench = Bench::at("");
    let (ana, joe) = (courier("Ana"), courier("Joe"));
    bench.snapshot(vec![ana.clone(), joe.clone()], vec![]);
    bench.act(Intent::Open(Open::Courier(ana.id)));
    let depot = doorstep_shared::api::plan::Depot { lat: 35.88, lon: 14.49, address: "Marsa depot".into() };
    let known = CourierView { depot: Some(depot), ..view(ana.id) };
    bench.step(Input::Replied(ApiCall::Courier(ana.id), Ok(ApiReply::Courier(Box::new(known)))));
    let marks = bench.console.scene().marks;
    assert_eq!(marks.iter().map(|mark| (mark.icon, mark.at)).collect::<Vec<_>>(), [("depot", [14.49, 35.88])]);
    bench.act(Intent::Open(Open::Courier(joe.id)));
    assert_eq!(bench.console.scene().marks, []);
}
