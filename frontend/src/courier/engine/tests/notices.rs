//! A notice is true while it is shown: what became false goes, read or not.

use super::*;
use crate::courier::plan::{Place, name};

fn on_the_way(numbers: &[u128]) -> Vec<Stop> {
    let door = |number: &u128| Stop {
        lat: 35.9 + *number as f64 * 0.01,
        ..stop(*number, StopKind::Dropoff, OrderStatus::PickedUp)
    };
    numbers.iter().map(door).collect()
}

fn came(phone: &mut Phone, stops: Vec<Stop>, version: u64) {
    phone.hear(CourierEvent::Stops(Stops { stops, version: Some(version) }));
}

#[test]
fn what_became_of_a_word_on_an_order_goes_when_the_order_comes_back() {
    let mut phone = Phone::working(on_the_way(&[1]));
    phone.act(Intent::Advance { order_id: order(1) });
    let Some(CourierMessage::Status(report)) = phone.sent().pop() else { panic!("a status") };
    phone.hear(error(report.id, "order_withdrawn", "a sentence"));
    came(&mut phone, vec![], 2);
    assert_eq!(phone.notices().len(), 1);
    came(&mut phone, on_the_way(&[1]), 3);
    assert_eq!(phone.notices(), ["New on your list: order A-1, 1 Strait Street."]);
    phone.act(Intent::Advance { order_id: order(1) });
    assert_eq!(phone.notices(), Vec::<String>::new(), "who works on an order knows of it");
}

#[test]
fn a_refusal_goes_when_the_server_takes_the_next_word() {
    let mut phone = Phone::working(on_the_way(&[1]));
    phone.act(Intent::Advance { order_id: order(1) });
    let Some(CourierMessage::Status(report)) = phone.sent().pop() else { panic!("a status") };
    phone.hear(error(report.id, "bad_message", "not like this"));
    assert_eq!(phone.notices().len(), 1);
    phone.act(Intent::Advance { order_id: order(1) });
    phone.serve();
    assert_eq!(phone.notices(), Vec::<String>::new());
}

#[test]
fn another_sequence_is_news_until_its_next_stop_is_done() {
    let mut phone = Phone::working(on_the_way(&[1, 2, 3]));
    came(&mut phone, on_the_way(&[2, 1, 3]), 2);
    assert_eq!(phone.notices(), ["Dispatch put your stops in another order. Next: 2 Strait Street."]);
    phone.act(Intent::Advance { order_id: order(2) });
    assert_eq!(phone.notices().len(), 1, "the courier is there");
    phone.act(Intent::Advance { order_id: order(2) });
    assert_eq!(phone.notices(), Vec::<String>::new());
}

#[test]
fn a_change_that_was_read_at_its_stop_is_read() {
    let mut phone = Phone::working(on_the_way(&[1]));
    let changed =
        Stop { changed: Some(vec!["note".into()]), note: Some("two bags".into()), ..on_the_way(&[1]).remove(0) };
    came(&mut phone, vec![changed.clone()], 2);
    assert_eq!(phone.notices(), ["Order A-1: merchant’s note changed."]);
    phone.act(Intent::ReadChanges { stop: name(&changed) });
    assert_eq!(phone.notices(), Vec::<String>::new());
}

#[test]
fn a_sequence_that_was_not_taken_is_forgotten_with_the_next_one() {
    let mut phone = Phone::working(on_the_way(&[1, 2]));
    came(&mut phone, on_the_way(&[1, 2]), 2);
    let second = name(&on_the_way(&[2])[0]);
    phone.act(Intent::Move { stop: second, to: Place::Up });
    phone.tell(Input::PlanAnswered(PlanAnswer::Unreachable));
    assert_eq!(phone.notices().len(), 1);
    phone.act(Intent::Move { stop: second, to: Place::Up });
    assert_eq!(phone.notices(), Vec::<String>::new());
}

#[test]
fn what_is_said_of_the_shift_ends_with_it() {
    let mut phone = Phone::working(vec![]);
    phone.tell(Input::Hidden);
    phone.pass(60_000.0);
    phone.tell(Input::Shown);
    assert!(phone.notices()[0].starts_with("Sharing paused"));
    phone.act(Intent::GoOffline);
    assert_eq!(phone.notices(), Vec::<String>::new());
}

#[test]
fn a_warning_before_signing_out_goes_when_the_courier_stays_or_everything_was_sent() {
    for stays in [true, false] {
        let mut phone = Phone::working(vec![]);
        phone.lose_network();
        phone.drive(2);
        phone.act(Intent::SignOut);
        assert!(phone.notices()[0].starts_with("2 positions not sent yet."));
        if stays {
            phone.act(Intent::Show(Screen::Stops));
        } else {
            phone.find_network(vec![]);
            phone.serve();
        }
        assert_eq!(phone.notices(), Vec::<String>::new(), "{stays}");
    }
}

#[test]
fn a_sign_out_that_the_server_missed_is_said_until_it_knows() {
    let mut phone = Phone::working(vec![]);
    phone.act(Intent::SignOut);
    phone.tell(Input::SignedOut { is_known: false });
    assert!(phone.notices()[0].starts_with("Everything was deleted from this phone."));
    phone.tell(Input::Online);
    phone.tell(Input::SignedOut { is_known: true });
    assert_eq!(phone.notices(), Vec::<String>::new());
}

#[test]
fn distances_are_of_where_the_courier_is_now() {
    let mut phone = Phone::working(on_the_way(&[1, 2]));
    let first = &phone.shift().stops[0].stop;
    let (lat, lon) = (first.lat, first.lon);
    let tour_stop = |number| TourStop {
        order_id: order(number),
        kind: StopKind::Dropoff,
        earliest_at: None,
        latest_at: None,
        distance_m: Some(9_000),
        promised_from: None,
        promised_until: None,
        proof: vec![],
    };
    // Half a kilometre to the north and back, although the stop is where the courier is.
    let line = vec![[lon, lat], [lon, lat + 0.0045], [lon, lat]];
    let tour = Tour { computed_at: Default::default(), stops: vec![tour_stop(1), tour_stop(2)], line };
    phone.tell(Input::Tour(Some(tour)));
    let stand = |phone: &mut Phone, lat: f64, lon: f64| {
        phone.pass(5_000.0);
        phone.tell(Input::Reading(Reading {
            time_ms: START_MS + phone.now_ms as i64,
            lat,
            lon,
            accuracy_m: 5.0,
            speed_mps: None,
            heading_deg: None,
            altitude_m: None,
        }));
        [0, 1].map(|place| phone.shift().stops[place].distance_m.expect("a position"))
    };
    let turning = stand(&mut phone, lat + 0.0045, lon);
    assert_eq!(turning, [500, 611], "along the way to the next, as the crow flies to the one after it");
    let nearer = stand(&mut phone, lat + 0.0009, lon);
    assert_eq!(nearer, [100, 1_011]);
    phone.act(Intent::Advance { order_id: order(1) });
    assert_eq!(phone.shift().stops[0].distance_m, None, "they are there");
    phone.act(Intent::GoOffline);
    assert!(phone.shift().stops.iter().all(|card| card.distance_m.is_none()), "nobody knows where they are");
}
