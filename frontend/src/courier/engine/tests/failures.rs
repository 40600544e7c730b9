//! A failure is not an end: waiting, giving back, bringing back, trying again; and what becomes of a late word.

use doorstep_shared::protocol::courier::{OrderReport, ReportKind};

use super::*;

fn reports(phone: &mut Phone) -> Vec<OrderReport> {
    let report = |message| match message {
        CourierMessage::Report(report) => Some(report),
        _ => None,
    };
    phone.sent().into_iter().filter_map(report).collect()
}

fn refused(id: u64, code: &str, details: ErrorDetails) -> CourierEvent {
    let refusal = ErrorMessage::refusal(Some(id), code, "a sentence".to_owned());
    CourierEvent::Error(ErrorMessage { details: Some(details), ..refusal })
}

fn next_status(phone: &mut Phone) -> StatusReport {
    let Some(CourierMessage::Status(report)) = phone.sent().pop() else { panic!("a status") };
    report
}

#[test]
fn not_ready_is_waiting_and_the_order_stays() {
    let mut phone = Phone::working(vec![
        Stop { usual_wait_s: Some(540), ..stop(1, StopKind::Pickup, OrderStatus::Assigned) },
        stop(1, StopKind::Dropoff, OrderStatus::Assigned),
    ]);
    phone.act(Intent::Wait { order_id: order(1), reason: "Not ready".into() });
    let sent = reports(&mut phone);
    assert_eq!((sent[0].report, sent[0].note.as_deref()), (ReportKind::NotReady, Some("Not ready")));
    let wait = phone.shift().stops[0].wait.expect("the courier waits");
    assert_eq!((wait.since_ms, wait.is_long, wait.is_told), (START_MS, false, false));
    phone.hear(ack(sent[0].id));
    let card = phone.shift().stops[0].clone();
    assert_eq!((card.status, card.next_status()), (OrderStatus::AtPickup, Some(OrderStatus::PickedUp)));
    assert!(card.wait.is_some_and(|wait| wait.is_told));
    phone.pass(540_000.0);
    assert!(phone.shift().stops[0].wait.is_some_and(|wait| wait.is_long));
    phone.act(Intent::Advance { order_id: order(1) });
    phone.hear(CourierEvent::Stops(Stops {
        stops: vec![stop(1, StopKind::Dropoff, OrderStatus::PickedUp)],
        version: None,
    }));
    assert_eq!(phone.engine.storage.memory.waits, [], "the wait is over");
}

#[test]
fn waiting_goes_on_when_the_page_was_closed_in_a_tunnel() {
    let mut phone = Phone::working(whole_trip());
    phone.lose_network();
    phone.act(Intent::Wait { order_id: order(1), reason: String::new() });
    let mut again = Phone::opened(phone.disk.clone(), phone.now_ms + 30_000.0);
    again.tell(Input::WhoAmI(Answer::Unreachable));
    let wait = again.shift().stops[0].wait.expect("still waiting");
    assert_eq!((wait.since_ms, wait.is_told), (START_MS, false));
    again.take();
    again.find_network(whole_trip());
    assert_eq!(reports(&mut again)[0].time_ms, START_MS);
}

#[test]
fn an_order_that_is_given_back_leaves_the_list_and_nothing_is_said_to_be_taken_away() {
    let mut phone = Phone::working(whole_trip());
    phone.act(Intent::GiveBack { order_id: order(1), reason: "Closed".into() });
    let shift = phone.shift();
    assert_eq!((shift.stops.len(), shift.undo.map(|undo| undo.text)), (0, Some("A-1 given back".into())));
    phone.pass(UNDO_MS);
    let sent = reports(&mut phone);
    assert_eq!((sent[0].report, sent[0].note.as_deref()), (ReportKind::GiveBack, Some("Closed")));
    phone.hear(ack(sent[0].id));
    phone.hear(CourierEvent::Stops(Stops { stops: vec![], version: Some(2) }));
    assert_eq!((phone.shift().stops, phone.notices()), (vec![], vec![]));
}

#[test]
fn goods_that_were_refused_stay_on_the_list_until_they_are_brought_back() {
    let mut phone = Phone::working(whole_trip());
    for _ in 0..3 {
        phone.act(Intent::Advance { order_id: order(1) });
        phone.serve();
    }
    phone.act(Intent::Fail { order_id: order(1), reason: "Refused".into() });
    let back = phone.shift().stops[0].clone();
    assert_eq!((back.stop.kind, back.next_status()), (StopKind::Return, Some(OrderStatus::Returned)));
    phone.pass(UNDO_MS);
    phone.serve();
    assert_eq!(phone.shift().stops[0].stop.kind, StopKind::Return, "before the server sends the stops");
    phone.hear(CourierEvent::Stops(Stops {
        stops: vec![stop(1, StopKind::Return, OrderStatus::Failed)],
        version: Some(5),
    }));
    phone.act(Intent::Advance { order_id: order(1) });
    assert_eq!(phone.shift().undo.map(|undo| undo.text).as_deref(), Some("A-1 brought back"));
    phone.pass(UNDO_MS);
    assert_eq!(phone.serve().1[0].status, OrderStatus::Returned);
    phone.hear(CourierEvent::Stops(Stops { stops: vec![], version: Some(6) }));
    assert_eq!((phone.shift().stops, phone.notices()), (vec![], vec![]));
}

#[test]
fn a_whole_trip_that_fails_offline_ends_with_a_way_back() {
    let mut phone = Phone::working(whole_trip());
    phone.lose_network();
    for _ in 0..3 {
        phone.act(Intent::Advance { order_id: order(1) });
    }
    phone.act(Intent::Fail { order_id: order(1), reason: "Nobody answered".into() });
    phone.act(Intent::Advance { order_id: order(1) });
    assert_eq!(phone.shift().stops, []);
    phone.pass(UNDO_MS);
    phone.take();
    phone.find_network(whole_trip());
    let sent: Vec<_> = phone.serve().1.into_iter().map(|report| report.status).collect();
    use OrderStatus::{AtDropoff, AtPickup, Failed, PickedUp, Returned};
    assert_eq!(sent, [AtPickup, PickedUp, AtDropoff, Failed, Returned]);
}

#[test]
fn a_cancelled_order_with_the_goods_on_board_says_bring_it_back() {
    let mut phone = Phone::working(vec![stop(1, StopKind::Dropoff, OrderStatus::PickedUp)]);
    let back = stop(1, StopKind::Return, OrderStatus::Cancelled);
    phone.hear(CourierEvent::Stops(Stops { stops: vec![back], version: Some(2) }));
    assert_eq!(phone.notices(), ["Order A-1 was cancelled. Bring it back to 1 Strait Street."]);
    assert!(phone.take().contains(&Effect::Alert));
    phone.act(Intent::Advance { order_id: order(1) });
    phone.pass(UNDO_MS);
    assert_eq!(phone.serve().1[0].status, OrderStatus::Returned);
    assert_eq!(phone.shift().stops, []);
}

#[test]
fn a_next_attempt_turns_the_way_back_into_a_door_again() {
    let mut phone = Phone::working(vec![stop(1, StopKind::Return, OrderStatus::Failed)]);
    let again = Stop { attempt: Some(2), ..stop(1, StopKind::Dropoff, OrderStatus::Assigned) };
    phone.hear(CourierEvent::Stops(Stops { stops: vec![again], version: Some(3) }));
    assert_eq!(phone.notices(), ["Try order A-1 again: 1 Strait Street."]);
    assert_eq!(phone.shift().stops[0].next_status(), Some(OrderStatus::AtDropoff), "the goods are on board");
}

#[test]
fn a_next_attempt_is_told_whether_the_way_back_came_before_the_answer_or_after_it() {
    for is_way_back_first in [true, false] {
        let mut phone = Phone::working(whole_trip());
        for _ in 0..3 {
            phone.act(Intent::Advance { order_id: order(1) });
            phone.serve();
        }
        phone.act(Intent::Fail { order_id: order(1), reason: "Nobody answered".into() });
        phone.pass(UNDO_MS);
        let answer = ack(next_status(&mut phone).id);
        let way_back = stop(1, StopKind::Return, OrderStatus::Failed);
        let stops = CourierEvent::Stops(Stops { stops: vec![way_back], version: Some(2) });
        let came = if is_way_back_first { [stops, answer] } else { [answer, stops] };
        came.into_iter().for_each(|event| phone.hear(event));
        assert_eq!(phone.notices(), Vec::<String>::new(), "what the courier did is no news");
        assert_eq!(phone.shift().stops.len(), 1, "one way back");
        let again = Stop { attempt: Some(2), ..stop(1, StopKind::Dropoff, OrderStatus::Assigned) };
        phone.hear(CourierEvent::Stops(Stops { stops: vec![again], version: Some(3) }));
        assert_eq!(phone.notices(), ["Try order A-1 again: 1 Strait Street."], "{is_way_back_first}");
    }
}

#[test]
fn what_was_done_offline_on_a_withdrawn_order_ends_in_one_sentence_and_dispatch_hears_all_of_it() {
    let mut phone = Phone::working(vec![stop(1, StopKind::Dropoff, OrderStatus::PickedUp)]);
    phone.lose_network();
    phone.act(Intent::Advance { order_id: order(1) });
    phone.act(Intent::Advance { order_id: order(1) });
    phone.pass(UNDO_MS);
    phone.take();
    phone.find_network(vec![]);
    let given_to_ben = || ErrorDetails {
        order_id: Some(order(1)),
        status: Some(OrderStatus::Assigned),
        courier_name: Some("Ben".into()),
        ..ErrorDetails::default()
    };
    let arrived = next_status(&mut phone);
    phone.hear(refused(arrived.id, "order_withdrawn", given_to_ben()));
    let delivered = next_status(&mut phone);
    assert_eq!((arrived.status, delivered.status), (OrderStatus::AtDropoff, OrderStatus::Delivered));
    phone.hear(refused(delivered.id, "order_withdrawn", given_to_ben()));
    let said = "Order A-1, 1 Strait Street, was given to Ben. Your “Delivered” was passed on to dispatch.";
    assert_eq!(phone.notices(), [said]);
    phone.pass(120_000.0);
    assert_eq!((phone.serve().1, phone.disk.actions.len(), phone.notices().len()), (vec![], 0, 1), "and never again");
}

#[test]
fn a_refusal_before_the_stops_without_it_is_still_one_sentence() {
    let mut phone = Phone::working(whole_trip());
    phone.act(Intent::Advance { order_id: order(1) });
    let id = next_status(&mut phone).id;
    phone.hear(refused(id, "order_withdrawn", ErrorDetails::default()));
    phone.hear(CourierEvent::Stops(Stops { stops: vec![], version: Some(2) }));
    assert_eq!(
        phone.notices(),
        ["Order A-1, 1 Strait Street, was taken off your list. Your “I have arrived” was passed on to dispatch."]
    );
}

#[test]
fn proofs_of_a_withdrawn_order_are_dropped_but_its_delivery_is_passed_on() {
    let mut phone = proving(vec![ProofKind::Pin]);
    phone.act(Intent::EnterPin { order_id: order(1), pin: "1234".into() });
    phone.act(Intent::Deliver { order_id: order(1), note: String::new() });
    phone.pass(UNDO_MS);
    let id = proofs_put(&mut phone)[0];
    phone.tell(Input::ProofAnswered { id, answer: ProofAnswer::Refused { code: "not_found".into() } });
    assert_eq!(phone.notices(), Vec::<String>::new(), "not yet");
    let delivered = next_status(&mut phone);
    assert_eq!(delivered.status, OrderStatus::Delivered);
    let details = ErrorDetails { courier_name: Some("Ben".into()), ..ErrorDetails::default() };
    phone.hear(refused(delivered.id, "order_withdrawn", details));
    assert_eq!((phone.notices().len(), phone.disk.actions.len()), (1, 0));
    assert_eq!(phone.engine.storage.memory.drafts, []);
}

#[test]
fn the_next_attempt_asks_for_its_proofs_anew_before_the_tour_names_them() {
    let mut phone = proving(vec![ProofKind::Pin]);
    phone.act(Intent::EnterPin { order_id: order(1), pin: "1234".into() });
    let back = stop(1, StopKind::Return, OrderStatus::Failed);
    phone.hear(CourierEvent::Stops(Stops { stops: vec![back], version: Some(2) }));
    assert_eq!(phone.engine.storage.memory.drafts, [], "it proves nothing of another attempt");
    phone.tell(Input::Tour(Some(Tour { computed_at: Default::default(), stops: vec![], line: vec![] })));
    let again = Stop { attempt: Some(2), ..stop(1, StopKind::Dropoff, OrderStatus::Assigned) };
    phone.hear(CourierEvent::Stops(Stops { stops: vec![again], version: Some(3) }));
    assert_eq!(phone.notices(), ["Try order A-1 again: 1 Strait Street."], "the newest word on the order");
    for screen in [Screen::Stops, Screen::Proof] {
        phone.act(Intent::Advance { order_id: order(1) });
        assert_eq!(phone.shift().screen, screen);
    }
}

#[test]
fn an_attempt_that_began_while_the_phone_was_offline_is_told_and_takes_no_old_proof() {
    let mut phone = proving(vec![ProofKind::Pin]);
    phone.act(Intent::EnterPin { order_id: order(1), pin: "1234".into() });
    let again = Stop { attempt: Some(2), ..stop(1, StopKind::Dropoff, OrderStatus::Assigned) };
    phone.hear(CourierEvent::Stops(Stops { stops: vec![again], version: Some(3) }));
    assert_eq!(phone.notices(), ["Try order A-1 again: 1 Strait Street."]);
    assert_eq!(phone.engine.storage.memory.drafts, []);
}

#[test]
fn a_door_that_is_elsewhere_is_told_once_also_without_a_network() {
    let mut phone = Phone::working(vec![stop(1, StopKind::Dropoff, OrderStatus::AtDropoff)]);
    assert!(!phone.shift().stops[0].is_door_told);
    phone.lose_network();
    phone.act(Intent::DoorHere { order_id: order(1) });
    phone.act(Intent::DoorHere { order_id: order(1) });
    assert!(phone.shift().stops[0].is_door_told);
    let here = phone.shift().position.expect("a position");
    phone.take();
    phone.find_network(vec![stop(1, StopKind::Dropoff, OrderStatus::AtDropoff)]);
    let sent = reports(&mut phone);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!((sent[0].report, sent[0].lat, sent[0].lon), (ReportKind::DoorHere, Some(here.lat), Some(here.lon)));
    phone.hear(ack(sent[0].id));
    let card = phone.shift().stops[0].clone();
    assert_eq!((card.status, card.is_door_told), (OrderStatus::AtDropoff, true), "the stop stays as it is");
    phone.hear(CourierEvent::Stops(Stops { stops: vec![], version: Some(2) }));
    assert_eq!(phone.engine.storage.memory.doors, []);
}

#[test]
fn a_door_is_not_told_from_an_old_position() {
    let mut phone = Phone::working(vec![stop(1, StopKind::Dropoff, OrderStatus::AtDropoff)]);
    phone.pass(120_000.0);
    phone.take();
    phone.act(Intent::DoorHere { order_id: order(1) });
    assert_eq!(reports(&mut phone), []);
    assert!(!phone.shift().stops[0].is_door_told);
    assert!(phone.notices().iter().any(|notice| notice.contains("too old")), "{:?}", phone.notices());
}
