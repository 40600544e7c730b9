use doorstep_shared::{
    OrderStatus, Vehicle,
    api::{plan::CourierDay, proof::ProofKind},
    protocol::courier::{Audience, Contact, Pace, Stop, StopKind},
};

use super::*;
use crate::{
    courier::{
        plan::Reordering,
        platform::{Browser, Platform},
        state::{Here, Install, Pin, ProofDraft, StopCard, Undo, Wait, Wake, Who},
    },
    data::Locale,
    ui::text::Tone,
};

const NOW_MS: i64 = 1_795_282_200_000;
const MINUTE_MS: i64 = 60_000;

/// 18:30 in Malta.
fn locale() -> Locale {
    Locale { lang: "en".into(), hour12: false, zone: 60.into(), miles: false }
}

pub(crate) fn stop() -> Stop {
    let order_id = "01939d35-0000-7000-8000-000000000001".parse().expect("a UUID");
    Stop {
        lat: 35.899,
        lon: 14.5142,
        address: "12 Triq il-Merkanti".into(),
        instructions: Some("Ring twice, second floor.".into()),
        contact: Some(Contact { name: "Kim".into(), phone: Some("+356 2124 0000".into()) }),
        ..Stop::plain(order_id, "A-1042", StopKind::Dropoff, OrderStatus::PickedUp)
    }
}

pub(crate) fn card(sequence: u32) -> StopCard {
    let order_id = format!("01939d35-0000-7000-8000-00000000000{sequence}").parse().expect("a UUID");
    StopCard {
        earliest_ms: Some(NOW_MS + 12 * MINUTE_MS),
        latest_ms: Some(NOW_MS + 20 * MINUTE_MS),
        distance_m: Some(1_100),
        ..StopCard::new(Stop { order_id, sequence, ..stop() })
    }
}

/// A courier on the road with three stops.
pub(crate) fn online() -> Shift {
    let mut shift = Shift::starting(locale(), Platform::default());
    shift.door = Door::Open;
    shift.courier = Some(Who { name: "Ana Borg".into(), vehicle: Vehicle::Scooter, device_label: "Pixel 9".into() });
    (shift.duty, shift.gps, shift.health, shift.wake) =
        (Duty::Online, Gps::Good { accuracy_m: 5.2 }, Health::Live, Wake::On);
    shift.stops = vec![card(1), card(2), card(3)];
    (shift.minute_ms, shift.done_at_ms) = (NOW_MS, Some(NOW_MS + 55 * MINUTE_MS));
    shift.position = Some(Here { lon: 14.508, lat: 35.9003, heading_deg: Some(48.0) });
    shift.way = vec![[14.508, 35.9003], [14.5111, 35.9011], [14.5142, 35.899]];
    shift.audience = Some(Audience { customers: 1, dispatchers: 1 });
    shift
}

pub(crate) fn draft() -> ProofDraft {
    ProofDraft {
        order_id: stop().order_id,
        reference: "A-1042".into(),
        customer: Some("Kim".into()),
        wanted: vec![ProofKind::Photo, ProofKind::Signature, ProofKind::Pin],
        photo_url: None,
        is_shrinking: false,
        signed_by: None,
        pin: Pin::Missing,
        note: String::new(),
        problem: None,
    }
}

const DOORS: [Door; 9] = [
    Door::Starting,
    Door::SignedOut,
    Door::Invited,
    Door::LinkSpent,
    Door::Unreachable,
    Door::Open,
    Door::Revoked,
    Door::OtherTab,
    Door::Superseded,
];

const GPS: [Gps; 7] =
    [Gps::Idle, Gps::Searching, Gps::Good { accuracy_m: 5.2 }, Gps::Weak, Gps::Denied, Gps::Lost, Gps::Unavailable];

const HEALTHS: [Health; 4] = [Health::Connecting, Health::Live, Health::Reconnecting, Health::NoNetwork];

#[test]
fn the_position_has_a_word_in_every_state() {
    let mut shift = online();
    for (gps, text, tone) in [
        (Gps::Idle, "", Tone::Quiet),
        (Gps::Searching, "Searching for GPS", Tone::Quiet),
        (Gps::Good { accuracy_m: 5.2 }, "GPS 5 m", Tone::Ok),
        (Gps::Good { accuracy_m: 0.2 }, "GPS 1 m", Tone::Ok),
        (Gps::Good { accuracy_m: 1_540.0 }, "GPS 1.5 km", Tone::Ok),
        (Gps::Good { accuracy_m: f32::NAN }, "GPS 1 m", Tone::Ok),
        (Gps::Weak, "Weak GPS", Tone::Warn),
        (Gps::Denied, "No GPS", Tone::Bad),
        (Gps::Lost, "No GPS", Tone::Bad),
        (Gps::Unavailable, "No GPS", Tone::Bad),
    ] {
        shift.gps = gps;
        assert_eq!((status::gps(&shift).as_str(), status::gps_tone(&shift)), (text, tone), "{gps:?}");
    }
    shift.locale.miles = true;
    shift.gps = Gps::Good { accuracy_m: 5.0 };
    assert_eq!(status::gps(&shift), "GPS 16 ft");
    shift.duty = Duty::Off;
    assert_eq!(status::gps(&shift), "");
}

#[test]
fn what_waits_on_the_phone_is_counted_when_it_is_more_than_what_is_on_its_way() {
    let mut shift = online();
    for (link, waiting, text) in [
        (Health::Live, 0, ""),
        (Health::Live, 3, ""),
        (Health::Live, 37, "Sending 37 saved on phone"),
        (Health::Connecting, 0, ""),
        (Health::Reconnecting, 0, "Reconnecting"),
        (Health::Reconnecting, 1, "Reconnecting · 1 saved on phone"),
        (Health::NoNetwork, 0, "No network"),
        (Health::NoNetwork, 37, "No network · 37 saved on phone"),
    ] {
        (shift.health, shift.waiting_fixes, shift.waiting_actions) = (link, waiting, 0);
        assert_eq!(status::network(&shift), text);
    }
    (shift.waiting_fixes, shift.waiting_actions) = (35, 2);
    assert_eq!(status::network(&shift), "No network · 37 saved on phone");
}

#[test]
fn the_courier_knows_who_looks() {
    let mut shift = online();
    for (duty, audience, text) in [
        (Duty::Off, Some((2, 1)), "Nothing is shared while you are offline"),
        (Duty::GoingOnline, None, "Shared only while you are online"),
        (Duty::Online, None, "Shared only while you are online"),
        (Duty::Online, Some((0, 0)), "Nobody is looking right now"),
        (Duty::Online, Some((1, 1)), "1 customer and 1 dispatcher can see you now"),
        (Duty::Online, Some((2, 0)), "2 customers can see you now"),
        (Duty::Online, Some((0, 3)), "3 dispatchers can see you now"),
    ] {
        shift.duty = duty;
        shift.audience = audience.map(|(customers, dispatchers)| Audience { customers, dispatchers });
        assert_eq!(status::audience(&shift), text);
    }
    shift.gps = Gps::Lost;
    assert_eq!(status::audience(&shift), "Your location is not shared now");
}

#[test]
fn a_slow_pace_is_told_and_a_quick_one_is_not() {
    let mut shift = online();
    for (interval_ms, text) in
        [(1_000, ""), (5_000, ""), (30_000, "Every 30 s to save battery"), (120_000, "Every 2 min to save battery")]
    {
        shift.pace = Pace { interval_ms, min_distance_m: 0, reason: None };
        assert_eq!(status::pace(&shift), text);
    }
}

#[test]
fn a_stop_says_what_where_when_and_for_whom() {
    let shift = online();
    let mut card = card(1);
    assert_eq!(stops::label(&shift, &card), "Stop 1 · Deliver");
    assert_eq!(stops::arrival(&shift, &card), "18:42–18:50");
    assert_eq!(stops::about(&shift, &card), "18:46");
    assert_eq!(stops::detail(&shift, &card), "Kim · Order A-1042 · 1.1\u{a0}km");
    assert_eq!(stops::later_detail(&shift, &card), "Deliver · Order A-1042 · Kim");
    assert_eq!(stops::call(&shift, &card), "Call Kim");
    assert_eq!(stops::summary_count(&shift), "3 stops");
    assert_eq!(stops::summary_done(&shift), "done 19:25");
    for (name, text) in [
        ("Maria Alexandra Papadopoulou", "Call Maria"),
        ("Papadopoulou-Wojciechowska", "Call customer"),
        ("", "Call customer"),
    ] {
        card.stop.contact = Some(Contact { name: name.into(), phone: None });
        assert_eq!(stops::call(&shift, &card), text);
    }
    (card.stop.contact, card.distance_m, card.earliest_ms) = (None, None, None);
    card.stop.kind = StopKind::Pickup;
    assert_eq!(stops::label(&shift, &card), "Stop 1 · Pick up");
    assert_eq!(stops::arrival(&shift, &card), "18:50");
    assert_eq!(stops::detail(&shift, &card), "Order A-1042");
}

#[test]
fn a_promise_is_said_with_each_stop_and_that_it_will_be_missed() {
    let shift = online();
    let mut card = card(1);
    assert_eq!(stops::promise(&shift, &card), "");
    for (kind, until_min, text) in [
        (StopKind::Dropoff, 25, "by 18:55"),
        (StopKind::Dropoff, 11, "by 18:41, late"),
        (StopKind::Pickup, 25, "at the door by 18:55"),
        (StopKind::Return, 25, ""),
    ] {
        (card.stop.kind, card.stop.promised_until_ms) = (kind, Some(NOW_MS + until_min * MINUTE_MS));
        assert_eq!(stops::promise(&shift, &card), text, "{kind:?}");
    }
    (card.stop.kind, card.stop.promised_until_ms) = (StopKind::Dropoff, None);
    card.stop.promised_from_ms = Some(NOW_MS);
    assert_eq!(stops::promise(&shift, &card), "from 18:30");
}

#[test]
fn an_order_for_another_day_names_the_day_with_its_window_and_with_the_arrival() {
    let shift = online();
    let mut card = card(1);
    // From 12:00 until 14:00 tomorrow.
    let noon_ms = NOW_MS + (17 * 60 + 30) * MINUTE_MS;
    (card.stop.promised_from_ms, card.stop.promised_until_ms) = (Some(noon_ms), Some(noon_ms + 120 * MINUTE_MS));
    (card.earliest_ms, card.latest_ms) = (Some(noon_ms), Some(noon_ms + 10 * MINUTE_MS));
    assert_eq!(stops::promise(&shift, &card), "tomorrow 12:00–14:00");
    assert_eq!(stops::arrival(&shift, &card), "tomorrow 12:00–12:10");
    assert_eq!(stops::about(&shift, &card), "tomorrow 12:05");
    let today = Shift { minute_ms: noon_ms - 60 * MINUTE_MS, ..online() };
    assert_eq!(stops::promise(&today, &card), "12:00–14:00");
}

#[test]
fn waiting_says_since_when_how_long_it_usually_takes_and_who_knows() {
    let shift = online();
    let mut card = card(1);
    card.stop.kind = StopKind::Pickup;
    for (usual_s, is_long, is_told, text) in [
        (Some(540), false, true, "Waiting since 18:30. Usually 9 min here."),
        (Some(20), false, true, "Waiting since 18:30. Usually 1 min here."),
        (None, false, false, "Waiting since 18:30."),
        (Some(540), true, true, "Waiting since 18:30, longer than usual. Dispatch knows."),
        (None, true, false, "Waiting since 18:30, longer than usual."),
    ] {
        card.stop.usual_wait_s = usual_s;
        card.wait = Some(Wait { since_ms: NOW_MS, is_long, is_told });
        assert_eq!(stops::wait(&shift, &card), text);
    }
}

#[test]
fn several_orders_at_one_place_are_named_and_counted() {
    let shift = online();
    let mut stop = card(1);
    (stop.stop.kind, stop.status) = (StopKind::Pickup, OrderStatus::AtPickup);
    let mut other = stop.clone();
    other.stop.reference = "A-1044".into();
    stop.others = vec![other];
    assert_eq!(stops::detail(&shift, &stop), "Orders A-1042, A-1044 · 1.1\u{a0}km");
    assert_eq!(stops::action(&stop), "Picked up all (2)");
    (stop.stop.kind, stop.status) = (StopKind::Dropoff, OrderStatus::AtDropoff);
    assert_eq!(stops::action(&stop), "Delivered A-1042", "one after the other");
    (stop.stop.kind, stop.status) = (StopKind::Return, OrderStatus::Failed);
    assert_eq!(stops::action(&stop), "Brought back all (2)");
    assert_eq!(stops::place(&shift, &stop), "Bring back to 12 Triq il-Merkanti");
}

#[test]
fn what_is_special_about_an_order_stands_on_its_card() {
    let shift = online();
    let mut card = card(1);
    assert_eq!((stops::facts(&shift, &card), stops::changed(&shift, &card)), (String::new(), String::new()));
    (card.stop.size, card.stop.attempt) = (Some(3), Some(2));
    card.stop.requires = Some(vec!["van".into(), "cold".into()]);
    assert_eq!(stops::facts(&shift, &card), "2nd attempt · Size 3 · Needs van, cold");
    let change = |what: &str| crate::courier::marks::Change { what: what.into(), was: None };
    card.changes = vec![change("address"), change("window")];
    assert_eq!(stops::changed(&shift, &card), "Address, promised time changed");
}

#[test]
fn the_day_counts_only_what_happened() {
    let mut shift = online();
    assert_eq!(day::lines(&shift), Vec::<String>::new());
    shift.day = Some(CourierDay { delivered: 1, failed: 0, returned: 0, metres: 0 });
    assert_eq!(day::lines(&shift), ["1 order delivered"]);
    shift.day = Some(CourierDay { delivered: 12, failed: 2, returned: 1, metres: 23_400 });
    assert_eq!(day::lines(&shift), ["12 orders delivered", "2 could not be delivered", "1 brought back", "23.4 km"]);
    shift.locale.miles = true;
    assert!(day::lines(&shift)[3].ends_with(" mi"), "{:?}", day::lines(&shift));
}

#[test]
fn not_ready_is_waiting_or_giving_back_and_nothing_ends_unasked() {
    use fail::Way::{Fail, GiveBack, Wait};
    assert_eq!(fail::ways(StopKind::Pickup, fail::NOT_READY), [Wait, GiveBack]);
    for reason in ["Closed", "Order not known here", "Cannot find it", fail::OTHER] {
        assert_eq!(fail::ways(StopKind::Pickup, reason), [Wait, GiveBack, Fail], "{reason}");
    }
    assert_eq!(fail::ways(StopKind::Dropoff, "Nobody answered"), [Fail]);
}

#[test]
fn what_was_pressed_without_a_network_is_said_to_wait() {
    let shift = online();
    let mut card = card(1);
    assert_eq!(stops::waiting(&shift, &card), "");
    card.is_waiting = true;
    for (status, text) in [
        (OrderStatus::AtPickup, "Arrived · waiting for network"),
        (OrderStatus::PickedUp, "Picked up · waiting for network"),
        (OrderStatus::AtDropoff, "Arrived · waiting for network"),
        (OrderStatus::Delivered, "Delivered · waiting for network"),
        (OrderStatus::Failed, "Not delivered · waiting for network"),
    ] {
        card.status = status;
        assert_eq!(stops::waiting(&shift, &card), text);
    }
}

#[test]
fn what_is_missing_at_the_door_is_named() {
    let mut draft = draft();
    let mut missing = |change: fn(&mut ProofDraft)| {
        change(&mut draft);
        proof::missing(&draft)
    };
    assert_eq!(missing(|_| {}), "Still needed: photo, signature and PIN");
    assert_eq!(missing(|draft| draft.photo_url = Some("blob:1".into())), "Still needed: signature and PIN");
    assert_eq!(missing(|draft| draft.signed_by = Some("Kim".into())), "Still needed: PIN");
    assert_eq!(missing(|draft| draft.pin = Pin::Entered), "Nothing is missing");
    assert_eq!(missing(|draft| draft.is_shrinking = true), "Preparing the photo");
}

#[test]
fn signing_out_says_what_would_be_lost() {
    let mut shift = online();
    for (actions, fixes, expected) in [
        (0, 0, None),
        (0, 1, Some("1 position")),
        (2, 0, Some("2 actions")),
        (1, 37, Some("1 action and 37 positions")),
    ] {
        (shift.waiting_actions, shift.waiting_fixes) = (actions, fixes);
        let expected = expected.map_or(String::new(), |what| {
            format!("{what} on this phone did not reach the server. Signing out now deletes them.")
        });
        assert_eq!(account::unsent(&shift), expected);
    }
}

#[test]
fn a_refused_permission_is_explained_for_the_browser_at_hand() {
    let mut shift = online();
    shift.gps = Gps::Denied;
    for (browser, word) in [
        (Browser::Chrome, "Permissions"),
        (Browser::Safari, "Privacy & Security"),
        (Browser::Firefox, "lock beside the address"),
        (Browser::Other, "site’s settings"),
    ] {
        shift.platform.browser = browser;
        let problem = status::position_problem(&shift).expect("a refusal is a problem");
        assert!(problem.steps.iter().any(|step| step.contains(word)), "{browser:?}");
        assert!(problem.can_retry);
    }
}

/// Every text of every state, as far as states change it.
fn every_text() -> Vec<String> {
    let mut texts = Vec::new();
    let mut shift = online();
    for door in DOORS {
        texts.extend([door::heading(door).to_owned(), door::text(door).to_owned()]);
        shift.door = door;
        texts.extend([title(&shift), spoken(&shift).to_owned()]);
    }
    shift.door = Door::Open;
    for (gps, link) in GPS.into_iter().flat_map(|gps| HEALTHS.map(|link| (gps, link))) {
        for duty in [Duty::Off, Duty::GoingOnline, Duty::Online] {
            (shift.gps, shift.health, shift.duty) = (gps, link, duty);
            texts.extend([
                status::gps(&shift),
                status::network(&shift),
                status::audience(&shift),
                status::pace(&shift),
            ]);
            texts.extend([status::wake(&shift), status::offline_bar(&shift), spoken(&shift)].map(str::to_owned));
            if let Some(problem) = status::position_problem(&shift) {
                texts.extend([problem.heading, problem.text].map(str::to_owned));
                texts.extend(problem.steps.iter().map(|step| (*step).to_owned()));
            }
        }
    }
    for install in [Install::NotOffered, Install::Offered, Install::ByShareSheet] {
        shift.install = install;
        texts.push(account::install(&shift).to_owned());
    }
    for app in trackers::APPS {
        texts.extend([trackers::runs_on(app), trackers::note(app), trackers::start(app)].map(str::to_owned));
    }
    for kind in StopKind::ALL {
        texts.extend(fail::reasons(kind).iter().map(|reason| (*reason).to_owned()));
        texts.push(fail::failure(kind).to_owned());
        for way in [fail::Way::Wait, fail::Way::GiveBack, fail::Way::Fail] {
            texts.extend([fail::way(kind, way), fail::follows(kind, way)].map(str::to_owned));
        }
    }
    for reordering in [Reordering::NotAllowed, Reordering::Offline, Reordering::Allowed] {
        shift.reordering = reordering;
        texts.push(plan::obstacle(&shift).to_owned());
    }
    let refusals = ["over_capacity", "dropoff_before_pickup", "stop_missing", "forbidden"];
    texts.extend(refusals.map(notices::plan_refused));
    texts.extend([notices::plan_conflict(), notices::plan_unreached()]);
    texts.extend(account::PRIVACY.map(str::to_owned));
    texts
}

#[test]
fn no_text_shouts_or_is_left_unfinished() {
    for text in every_text() {
        assert!(!text.contains('!') && !text.contains("  ") && !text.contains("{}"), "{text}");
        assert_eq!(text.trim(), text);
        let first = text.chars().next().unwrap_or('A');
        assert!(first.is_uppercase() || first.is_ascii_digit() || text.starts_with("iPhone"), "{text}");
    }
}

#[test]
fn sentence_case_everywhere_but_for_names() {
    const NAMES: &[&str] = &[
        "Add",
        "Allow",
        "Allowed",
        "Android",
        "Chrome",
        "Doorstep",
        "Firefox",
        "GPS",
        "Home",
        "Location",
        "Move",
        "PIN",
        "Permissions",
        "Privacy",
        "QR",
        "Safari",
        "Screen",
        "Security",
        "Service",
        "Services",
        "Settings",
        "Share",
        "Tracking",
        "Website",
        "Websites",
    ];
    for text in every_text() {
        // A sentence, or a part after a dot, begins with a capital.
        let parts = text.split(['.', '·', ',']).map(str::trim);
        let words = parts.flat_map(|part| part.split_whitespace().skip(1));
        for word in words {
            let word = word.trim_matches(|char: char| !char.is_alphanumeric());
            assert!(NAMES.contains(&word) || !word.starts_with(char::is_uppercase), "{word} in {text}");
        }
    }
}

#[test]
fn every_closed_door_says_what_and_why() {
    for door in DOORS {
        let (heading, text) = (door::heading(door), door::text(door));
        let is_silent = matches!(door, Door::Starting | Door::Open);
        assert_eq!(text.is_empty(), is_silent, "{door:?}");
        assert!(!heading.ends_with('.') && (is_silent || text.ends_with('.')), "{door:?}");
    }
}

#[test]
fn an_empty_list_is_a_beginning_or_an_end() {
    let mut shift = online();
    shift.stops.clear();
    shift.day = None;
    assert_eq!((stops::no_stops(&shift), stops::heading(&shift)), ("No stops yet", "No stops yet".to_owned()));
    shift.day = Some(CourierDay { delivered: 2, ..CourierDay::default() });
    assert_eq!((stops::no_stops(&shift), stops::heading(&shift)), ("No more stops", "No more stops".to_owned()));
    shift.day = Some(CourierDay::default());
    shift.undo = Some(Undo { text: "A-1 delivered".into(), left_s: 8 });
    assert_eq!(stops::no_stops(&shift), "No more stops", "it is done on the phone already");
}
