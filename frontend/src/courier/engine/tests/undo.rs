//! Eight seconds in which a final button can be taken back.

use super::*;

fn statuses(phone: &mut Phone) -> Vec<(OrderStatus, i64)> {
    phone.serve().1.into_iter().map(|report| (report.status, report.time_ms - START_MS)).collect()
}

fn undo_text(phone: &mut Phone) -> Option<(String, u32)> {
    phone.shift().undo.map(|undo| (undo.text, undo.left_s))
}

fn two_doors() -> Vec<Stop> {
    let second = Stop { lat: 35.91, ..stop(2, StopKind::Dropoff, OrderStatus::AtDropoff) };
    [at_the_door(), vec![second]].concat()
}

#[test]
fn a_delivery_can_be_taken_back_for_eight_seconds_and_the_next_stop_is_shown_at_once() {
    let mut phone = Phone::working(two_doors());
    phone.act(Intent::Advance { order_id: order(1) });
    assert_eq!(phone.shift().stops[0].stop.order_id, order(2));
    assert_eq!(undo_text(&mut phone), Some(("A-1 delivered".into(), 8)));
    phone.pass(7_500.0);
    assert_eq!((statuses(&mut phone), undo_text(&mut phone).map(|undo| undo.1)), (vec![], Some(1)));
    phone.act(Intent::Undo);
    assert_eq!((undo_text(&mut phone), phone.disk.actions.len()), (None, 0));
    assert_eq!(phone.shift().stops[0].stop.order_id, order(1), "it is back");
    phone.pass(60_000.0);
    assert_eq!(statuses(&mut phone), []);
}

#[test]
fn what_is_not_taken_back_is_sent_with_the_time_at_which_it_was_pressed() {
    let mut phone = Phone::working(at_the_door());
    phone.pass(1_000.0);
    phone.act(Intent::Advance { order_id: order(1) });
    phone.pass(UNDO_MS);
    assert_eq!(statuses(&mut phone), [(OrderStatus::Delivered, 1_000)]);
    phone.act(Intent::Undo);
    assert_eq!((undo_text(&mut phone), phone.disk.actions.len()), (None, 0), "it is dispatch's matter now");
}

#[test]
fn a_second_final_button_sends_the_first_at_once() {
    let mut phone = Phone::working(two_doors());
    phone.act(Intent::Advance { order_id: order(1) });
    phone.pass(2_000.0);
    phone.act(Intent::Fail { order_id: order(2), reason: "Refused".into() });
    assert_eq!(statuses(&mut phone), [(OrderStatus::Delivered, 0)]);
    assert_eq!(undo_text(&mut phone), Some(("A-2 reported as failed".into(), 8)));
    phone.act(Intent::Undo);
    assert_eq!(phone.shift().stops.iter().map(|card| card.stop.order_id).collect::<Vec<_>>(), [order(2)]);
}

#[test]
fn a_step_at_the_same_order_ends_the_time_to_take_it_back() {
    let mut phone = Phone::working(two_pickups());
    phone.act(Intent::Advance { order_id: order(1) });
    phone.serve();
    phone.act(Intent::Advance { order_id: order(1) });
    assert_eq!(undo_text(&mut phone), Some(("2 orders picked up".into(), 8)));
    phone.act(Intent::Advance { order_id: order(1) });
    let sent: Vec<_> = statuses(&mut phone).into_iter().map(|(status, _)| status).collect();
    assert_eq!(sent, [OrderStatus::PickedUp, OrderStatus::PickedUp, OrderStatus::AtDropoff]);
}

/// Two orders at one kitchen, for two doors.
fn two_pickups() -> Vec<Stop> {
    let at = |number, kind, lat| Stop { lat, ..stop(number, kind, OrderStatus::Assigned) };
    vec![
        at(1, StopKind::Pickup, 35.9),
        at(2, StopKind::Pickup, 35.9),
        at(1, StopKind::Dropoff, 35.91),
        at(2, StopKind::Dropoff, 35.92),
    ]
}

#[test]
fn a_closed_page_holds_it_for_the_rest_of_its_time_and_then_sends_it() {
    let mut phone = Phone::working(at_the_door());
    phone.act(Intent::Advance { order_id: order(1) });
    let reopened = |after_ms| {
        let mut again = Phone::opened(phone.disk.clone(), phone.now_ms + after_ms);
        again.tell(Input::WhoAmI(Answer::Home(home(1))));
        again.welcome(at_the_door());
        again
    };
    let mut soon = reopened(3_000.0);
    assert_eq!((undo_text(&mut soon), statuses(&mut soon)), (Some(("A-1 delivered".into(), 5)), vec![]));
    soon.pass(5_000.0);
    assert_eq!(statuses(&mut soon), [(OrderStatus::Delivered, 0)]);
    let mut later = reopened(60_000.0);
    assert_eq!((undo_text(&mut later), statuses(&mut later)), (None, vec![(OrderStatus::Delivered, 0)]));
    let mut taken_back = reopened(3_000.0);
    taken_back.act(Intent::Undo);
    assert_eq!((taken_back.disk.actions.len(), taken_back.shift().stops.len()), (0, 1));
}

#[test]
fn a_clock_that_is_set_back_holds_nothing_for_longer() {
    let mut phone = Phone::working(at_the_door());
    phone.act(Intent::Advance { order_id: order(1) });
    let mut again = Phone::new(phone.disk.clone(), phone.now_ms);
    again.skew_ms = -3_600_000;
    again.tell(Input::Start(Start { can_locate: true, has_network: true, ..Start::default() }));
    again.tell(Input::Lock(Lock::Held));
    again.tell(Input::WhoAmI(Answer::Home(home(1))));
    assert_eq!(undo_text(&mut again).map(|undo| undo.1), Some(8));
    again.pass(UNDO_MS);
    assert_eq!(undo_text(&mut again), None);
}

#[test]
fn it_works_without_a_network() {
    let mut phone = Phone::working(at_the_door());
    phone.lose_network();
    phone.act(Intent::Advance { order_id: order(1) });
    phone.act(Intent::Undo);
    phone.act(Intent::Fail { order_id: order(1), reason: "Nobody answered".into() });
    phone.pass(UNDO_MS);
    phone.take();
    phone.find_network(at_the_door());
    let sent: Vec<_> = statuses(&mut phone).into_iter().map(|(status, _)| status).collect();
    assert_eq!(sent, [OrderStatus::Failed]);
}

#[test]
fn a_hand_over_with_proofs_is_taken_back_as_a_whole_and_costs_no_second_signature() {
    let mut phone = proving(vec![ProofKind::Signature]);
    phone.act(Intent::Sign { order_id: order(1), name: "Kim".into(), strokes: vec![] });
    phone.act(Intent::Deliver { order_id: order(1), note: String::new() });
    assert_eq!((undo_text(&mut phone).map(|undo| undo.0), phone.disk.actions.len()), (Some("A-1 delivered".into()), 2));
    phone.act(Intent::Undo);
    assert_eq!(phone.disk.actions.len(), 0);
    phone.act(Intent::BeginProof { order_id: order(1) });
    assert_eq!(phone.shift().proof.and_then(|proof| proof.signed_by).as_deref(), Some("Kim"));
    phone.pass(60_000.0);
    assert!(proofs_put(&mut phone).is_empty());
}

#[test]
fn signing_out_does_not_wait_for_it() {
    let mut phone = Phone::working(at_the_door());
    phone.act(Intent::Advance { order_id: order(1) });
    phone.act(Intent::SignOut);
    assert_eq!(statuses(&mut phone), [(OrderStatus::Delivered, 0)]);
}
