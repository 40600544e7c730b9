//! The plan on the phone: what dispatch changed, what the courier saw, and the order that they want.

use doorstep_shared::api::plan::{CourierDay, PlanStop};

use super::*;
use crate::courier::plan::{Place, Reordering};

/// A door for each number, none near another.
fn doors(numbers: &[u128]) -> Vec<Stop> {
    let door = |number: &u128| Stop {
        lat: 35.9 + *number as f64 / 100.0,
        ..stop(*number, StopKind::Dropoff, OrderStatus::PickedUp)
    };
    numbers.iter().map(door).collect()
}

fn door(number: u128) -> PlanStop {
    PlanStop { order_id: order(number), kind: StopKind::Dropoff }
}

/// On duty, with stops of a plan of this version.
fn planned(stops: Vec<Stop>, version: u64) -> Phone {
    let mut phone = Phone::working(stops.clone());
    phone.hear(CourierEvent::Stops(Stops { stops, version: Some(version) }));
    phone.take();
    phone
}

fn came(phone: &mut Phone, stops: Vec<Stop>, version: u64) {
    phone.hear(CourierEvent::Stops(Stops { stops, version: Some(version) }));
}

fn shown(phone: &mut Phone) -> Vec<u128> {
    let stops = phone.shift().stops;
    stops.iter().flat_map(|card| card.orders()).map(|card| card.stop.order_id.as_uuid().as_u128()).collect()
}

fn seen(phone: &mut Phone) -> Vec<u64> {
    let version = |message| match message {
        CourierMessage::Seen(seen) => Some(seen.version),
        _ => None,
    };
    phone.sent().into_iter().filter_map(version).collect()
}

fn plans_put(phone: &mut Phone) -> Vec<(u64, Vec<PlanStop>)> {
    let put = |effect| match effect {
        Effect::PutPlan { version, stops, .. } => Some((version, stops)),
        _ => None,
    };
    phone.take().into_iter().filter_map(put).collect()
}

#[test]
fn what_changed_is_told_once_marked_until_it_is_read_and_struck_through() {
    let mut phone = planned(doors(&[1, 2]), 4);
    phone.act(Intent::Show(Screen::Account));
    let mut changed = doors(&[1, 2]);
    changed[1].address = "9 Old Street".into();
    changed[1].changed = Some(vec!["address".into()]);
    came(&mut phone, changed.clone(), 5);
    assert_eq!(phone.notices(), ["Order A-2: address changed. Now: 9 Old Street."], "on another screen too");
    assert!(phone.effects.contains(&Effect::Alert));
    let change = phone.shift().stops[1].changes[0].clone();
    assert_eq!((&*change.what, change.was.as_deref()), ("address", Some("2 Strait Street")));
    changed[1].changed = None;
    came(&mut phone, changed.clone(), 6);
    let mut phone = Phone::opened(phone.disk.clone(), phone.now_ms);
    phone.tell(Input::WhoAmI(Answer::Home(home(1))));
    came(&mut phone, changed, 6);
    assert_eq!((phone.shift().stops[1].changes.len(), phone.notices().len()), (1, 0));
    phone.act(Intent::ReadChanges { stop: door(2) });
    assert_eq!(phone.shift().stops[1].changes, []);
}

#[test]
fn news_take_the_place_of_older_ones_about_the_same() {
    let mut phone = planned(doors(&[1]), 1);
    came(&mut phone, doors(&[1, 2]), 2);
    assert_eq!(phone.notices(), ["New on your list: order A-2, 2 Strait Street."]);
    came(&mut phone, doors(&[1, 2, 3]), 3);
    assert_eq!(phone.notices(), ["New on your list: orders A-2, A-3."]);
    came(&mut phone, doors(&[1, 3]), 4);
    let gone = "Order A-2, 2 Strait Street, was taken off your list.";
    assert_eq!(phone.notices(), ["New on your list: order A-3, 3 Strait Street.", gone]);
    came(&mut phone, doors(&[1, 3, 2]), 5);
    assert_eq!(phone.notices(), ["New on your list: orders A-3, A-2."]);
    let notice = phone.shift().notices[0].id;
    phone.act(Intent::Dismiss { notice });
    came(&mut phone, doors(&[1, 3, 2, 4, 5, 6, 7]), 6);
    assert_eq!(
        phone.notices(),
        ["New on your list: orders A-4, A-5, A-6 and 1 more."],
        "what was read is not told again"
    );
}

#[test]
fn of_several_orders_of_the_stops_the_last_is_told() {
    let mut phone = planned(doors(&[1, 2, 3]), 1);
    came(&mut phone, doors(&[2, 1, 3]), 2);
    came(&mut phone, doors(&[3, 1, 2]), 3);
    assert_eq!(phone.notices(), ["Dispatch put your stops in another order. Next: 3 Strait Street."]);
}

#[test]
fn news_about_an_order_end_with_it() {
    let mut phone = planned(doors(&[1, 2]), 1);
    let mut changed = doors(&[1, 2]);
    changed[0].address = "9 Old Street".into();
    changed[0].changed = Some(vec!["address".into()]);
    came(&mut phone, changed, 2);
    assert_eq!(phone.notices().len(), 1);
    for _ in 0..2 {
        phone.act(Intent::Advance { order_id: order(1) });
    }
    phone.pass(UNDO_MS);
    phone.serve();
    assert_eq!(phone.notices(), Vec::<String>::new());
}

#[test]
fn a_version_counts_as_seen_when_its_stops_are_on_the_screen() {
    let mut phone = Phone::working(doors(&[1]));
    came(&mut phone, doors(&[1, 2]), 5);
    assert_eq!(seen(&mut phone), [5]);
    phone.act(Intent::Show(Screen::Account));
    came(&mut phone, doors(&[1, 2, 3]), 6);
    assert_eq!(seen(&mut phone), [0u64; 0], "another screen is open");
    phone.act(Intent::Show(Screen::Stops));
    assert_eq!(seen(&mut phone), [6]);
    phone.tell(Input::Hidden);
    came(&mut phone, doors(&[1, 2]), 7);
    assert_eq!(seen(&mut phone), [0u64; 0], "the phone is in a pocket");
    phone.tell(Input::Shown);
    assert_eq!(seen(&mut phone), [7]);
    phone.pass(10_000.0);
    assert_eq!(seen(&mut phone), [0u64; 0], "once");
}

#[test]
fn a_new_connection_hears_it_again() {
    let mut phone = planned(doors(&[1]), 5);
    phone.lose_network();
    phone.tell(Input::SocketClosed(1006));
    phone.tell(Input::Online);
    phone.take();
    phone.hear(CourierEvent::Welcome(Welcome {
        server_time_ms: START_MS + phone.now_ms as i64,
        courier: CourierIdentity { id: home(1).id, name: "Ana".into() },
        max_fixes: 500,
        pace: pace(1_000),
        stops: doors(&[1]),
        version: Some(5),
        office_phone: Some("+356 2124 9999".into()),
        may_reorder: Some(true),
    }));
    assert_eq!(seen(&mut phone), [5]);
    assert_eq!(phone.shift().office_phone.as_deref(), Some("+356 2124 9999"));
}

#[test]
fn another_order_of_the_stops_is_told_but_not_what_follows_from_the_couriers_own_work() {
    let mut phone = planned(doors(&[1, 2, 3]), 1);
    came(&mut phone, doors(&[1, 3, 2]), 2);
    assert_eq!(phone.notices(), ["Dispatch put your stops in another order. Next: 1 Strait Street."]);
    let mut phone = planned(doors(&[1, 2, 3]), 1);
    phone.act(Intent::Advance { order_id: order(3) });
    phone.serve();
    let mut after = doors(&[3, 1, 2]);
    after[0].status = OrderStatus::AtDropoff;
    came(&mut phone, after, 2);
    assert_eq!(phone.notices(), Vec::<String>::new());
}

#[test]
fn a_moved_stop_shows_at_once_and_the_next_move_waits_for_the_answer() {
    let mut phone = planned(doors(&[1, 2, 3]), 7);
    phone.act(Intent::Move { stop: door(3), to: Place::Next });
    assert_eq!(shown(&mut phone), [3, 1, 2]);
    phone.act(Intent::Move { stop: door(1), to: Place::Last });
    assert_eq!((shown(&mut phone), phone.shift().stops[0].stop.sequence), (vec![3, 2, 1], 1));
    let first = vec![door(3), door(1), door(2)];
    assert_eq!(plans_put(&mut phone), [(7, first)]);
    phone.tell(Input::PlanAnswered(PlanAnswer::Taken));
    assert_eq!(plans_put(&mut phone), [], "the next rests on the version that the stops bring");
    came(&mut phone, doors(&[3, 1, 2]), 8);
    assert_eq!((shown(&mut phone), phone.notices()), (vec![3, 2, 1], vec![]), "that is their own");
    assert_eq!(plans_put(&mut phone), [(8, vec![door(3), door(2), door(1)])]);
    came(&mut phone, doors(&[3, 2, 1]), 9);
    phone.tell(Input::PlanAnswered(PlanAnswer::Taken));
    assert_eq!((shown(&mut phone), plans_put(&mut phone), phone.notices()), (vec![3, 2, 1], vec![], vec![]));
}

#[test]
fn where_dispatch_was_faster_its_plan_is_shown_and_said() {
    let mut phone = planned(doors(&[1, 2, 3]), 7);
    phone.act(Intent::Move { stop: door(3), to: Place::Next });
    phone.tell(Input::PlanAnswered(PlanAnswer::Conflict));
    came(&mut phone, doors(&[2, 1, 3]), 9);
    assert_eq!(shown(&mut phone), [2, 1, 3]);
    let notices = phone.notices();
    assert_eq!(notices[0], "Dispatch changed your plan at the same time. Theirs is shown; your change was not made.");
    phone.act(Intent::Move { stop: door(3), to: Place::Next });
    assert_eq!(plans_put(&mut phone).last().map(|(version, _)| *version), Some(9), "the next try knows it");
}

#[test]
fn an_order_that_the_server_refuses_or_never_hears_of_is_taken_back() {
    for answer in [PlanAnswer::Refused { code: "over_capacity".into() }, PlanAnswer::Unreachable] {
        let mut phone = planned(doors(&[1, 2]), 7);
        phone.act(Intent::Move { stop: door(2), to: Place::Up });
        phone.tell(Input::PlanAnswered(answer));
        assert_eq!((shown(&mut phone), phone.notices().len()), (vec![1, 2], 1));
    }
}

#[test]
fn stops_are_moved_only_with_a_network_and_where_dispatch_allows_it() {
    let mut phone = Phone::working(doors(&[1, 2]));
    assert_eq!(phone.shift().reordering, Reordering::NotAllowed, "a server without plans");
    let mut phone = planned(doors(&[1, 2]), 7);
    assert_eq!(phone.shift().reordering, Reordering::Allowed);
    phone.engine.storage.memory.may_reorder = Some(false);
    assert_eq!(phone.shift().reordering, Reordering::NotAllowed);
    phone.engine.storage.memory.may_reorder = None;
    phone.lose_network();
    assert_eq!(phone.shift().reordering, Reordering::Offline);
    phone.act(Intent::Move { stop: door(2), to: Place::Up });
    assert_eq!((shown(&mut phone), plans_put(&mut phone)), (vec![1, 2], vec![]));
}

#[test]
fn a_delivery_that_can_still_be_taken_back_is_named_to_the_server_in_front() {
    let mut stops = doors(&[1, 2, 3]);
    stops[0].status = OrderStatus::AtDropoff;
    let mut phone = planned(stops, 7);
    phone.act(Intent::Advance { order_id: order(1) });
    phone.act(Intent::Move { stop: door(3), to: Place::Next });
    assert_eq!(plans_put(&mut phone), [(7, vec![door(1), door(3), door(2)])]);
}

#[test]
fn several_orders_at_one_kitchen_are_picked_up_at_once_or_one_by_one() {
    let at = |number, kind, lat| Stop { lat, ..stop(number, kind, OrderStatus::AtPickup) };
    let stops = || {
        let pickups = (1..=3).map(|number| at(number, StopKind::Pickup, 35.9));
        let doors = (1..=3).map(|number| at(number, StopKind::Dropoff, 35.9 + number as f64 / 100.0));
        pickups.chain(doors).collect::<Vec<_>>()
    };
    let mut phone = Phone::working(stops());
    assert_eq!((phone.shift().stops[0].count(), phone.shift().stops.len()), (3, 4));
    phone.act(Intent::Advance { order_id: order(1) });
    assert_eq!(phone.shift().undo.map(|undo| undo.text).as_deref(), Some("3 orders picked up"));
    phone.pass(UNDO_MS);
    assert_eq!(phone.serve().1.len(), 3);
    let mut phone = Phone::working(stops());
    phone.act(Intent::AdvanceOne { order_id: order(2) });
    assert_eq!((phone.shift().undo, phone.shift().stops[0].count()), (None, 2));
    assert_eq!(phone.serve().1[0].order_id, order(2));
}

#[test]
fn several_orders_at_one_door_are_reached_together_and_handed_over_one_after_the_other() {
    let mut phone = Phone::working(vec![
        stop(1, StopKind::Dropoff, OrderStatus::PickedUp),
        stop(2, StopKind::Dropoff, OrderStatus::PickedUp),
    ]);
    phone.act(Intent::Advance { order_id: order(1) });
    let arrived: Vec<_> = phone.serve().1.into_iter().map(|report| (report.order_id, report.status)).collect();
    assert_eq!(arrived, [(order(2), OrderStatus::AtDropoff), (order(1), OrderStatus::AtDropoff)]);
    assert_eq!(shown(&mut phone), [1, 2], "as the server moves them to the front");
    phone.act(Intent::Advance { order_id: order(1) });
    assert_eq!(shown(&mut phone), [2]);
    phone.act(Intent::Advance { order_id: order(2) });
    assert_eq!(phone.serve().1.len(), 1, "the first goes with the second button");
}

#[test]
fn the_day_is_asked_for_where_it_is_shown() {
    let mut phone = Phone::connected(doors(&[1]));
    assert!(!phone.effects.contains(&Effect::AskDay));
    phone.act(Intent::Show(Screen::Account));
    assert!(phone.take().contains(&Effect::AskDay));
    let day = CourierDay { delivered: 3, failed: 0, returned: 0, metres: 4_200 };
    phone.tell(Input::Day(Some(day)));
    phone.tell(Input::Day(None));
    assert_eq!(phone.shift().day, Some(day), "an answer that does not come takes nothing away");
    phone.pass(10_000.0);
    assert!(!phone.take().contains(&Effect::AskDay));
    phone.act(Intent::Show(Screen::Stops));
    phone.pass(60_000.0);
    assert!(!phone.take().contains(&Effect::AskDay));
    came(&mut phone, vec![], 9);
    phone.tell(Input::Tick);
    assert!(phone.take().contains(&Effect::AskDay), "the list is empty");
}
