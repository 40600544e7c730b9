use doorstep_shared::{
    OrderStatus,
    protocol::{
        PresenceReason, PresenceState,
        customer::{CustomerEvent, EtaWhy, OrderUpdate, Presence},
    },
};

use super::{freshness::*, headline::*, history::happened, people::*};
use crate::{
    data::PromisedWindow,
    live::connection::Health,
    track::{
        feed::FeedState,
        page::{
            Page,
            tests::{NOW_MS, in_status, on_the_way, position},
        },
    },
    ui::{text::Tone, time::MINUTE_MS},
};

fn with(change: impl FnOnce(&mut Page)) -> Page {
    let mut page = on_the_way();
    change(&mut page);
    page
}

/// An order that no courier had yet.
fn received() -> Page {
    let mut page = on_the_way();
    page.order.snapshot.order.timeline.truncate(1);
    page.apply(
        &CustomerEvent::Order(OrderUpdate { status: OrderStatus::Created, status_at_ms: NOW_MS, stops_before: 0 }),
        false,
    );
    page
}

#[test]
fn every_state_has_the_words_that_were_agreed() {
    for (state, words) in [
        (OrderStatus::Assigned, "Ana is heading to Harbour Kitchen"),
        (OrderStatus::AtPickup, "Ana is picking up your order"),
        (OrderStatus::PickedUp, "On the way"),
        (OrderStatus::AtDropoff, "Ana is outside"),
        (OrderStatus::Delivered, "Delivered at 18:31"),
        (OrderStatus::Failed, "We could not deliver"),
        (OrderStatus::Returned, "Returned to Harbour Kitchen"),
        (OrderStatus::Cancelled, "Order cancelled"),
    ] {
        assert_eq!(status(&in_status(state)), words);
    }
    assert_eq!(status(&received()), "Order received");
    let near = with(|page| page.order.snapshot.eta.as_mut().expect("an arrival").remaining_m = 250);
    assert_eq!((status(&near), line(&near)), ("Almost there".into(), "Almost there · 250 m to your door".into()));
}

#[test]
fn on_the_way_reads_as_designed() {
    let page = with(|page| page.feed = FeedState::Following(Health::Live));
    assert_eq!(label(&page), "Arriving");
    assert_eq!(hero(&page), "18:42–18:50");
    assert_eq!(line(&page), "On the way · 1.1 km to your door");
    assert_eq!(pill(&page), "Live · 4 s ago");
    assert_eq!(courier_detail(&page), "by scooter · you are next");
    assert_eq!(pickup_detail(&page), "Order A-1042 · picked up at 18:27");
    assert_eq!(bar(&page), "");
}

#[test]
fn without_a_connection_the_page_says_only_when_it_was_updated() {
    assert_eq!((pill(&on_the_way()).as_str(), pill_tone(&on_the_way())), ("Updated 4 s ago", Tone::Quiet));
}

#[test]
fn an_order_for_tomorrow_names_the_day_and_says_of_nobody_that_they_are_coming() {
    let mut page = in_status(OrderStatus::Assigned);
    let noon_ms = NOW_MS + (17 * 60 + 29) * MINUTE_MS;
    page.order.promised = Some(PromisedWindow { from_ms: Some(noon_ms), until_ms: Some(noon_ms + 120 * MINUTE_MS) });
    page.order.feed_opens_ms = Some(noon_ms - 180 * MINUTE_MS);
    assert_eq!((label(&page).as_str(), hero(&page).as_str()), ("Expected", "tomorrow 12:00–14:00"));
    assert_eq!(
        (title(&page), status(&page).as_str()),
        ("A courier will bring your order", "Ana will bring your order")
    );
    assert_eq!((line(&page).as_str(), courier_detail(&page).as_str()), ("Ana will bring your order", "by scooter"));
    (page.now_ms, page.order.snapshot.eta) = (noon_ms - 170 * MINUTE_MS, None);
    assert_eq!((hero(&page).as_str(), status(&page).as_str()), ("12:00–14:00", "Ana is heading to Harbour Kitchen"));
    assert_eq!(courier_detail(&page), "by scooter · you are next");
}

#[test]
fn other_stops_come_first_in_words() {
    for (stops_before, expected) in [(1, "by scooter · 1 stop before you"), (2, "by scooter · 2 stops before you")] {
        let page = with(|page| page.order.snapshot.order.stops_before = stops_before);
        assert_eq!(courier_detail(&page), expected);
    }
    let page = with(|page| page.order.snapshot.order.stops_before = 2);
    assert_eq!(line(&page), "On the way · 2 stops before you");
}

#[test]
fn an_arrival_in_doubt_says_why() {
    for (why, expected) in [
        (EtaWhy::Standing, "On the way · standing still for some minutes"),
        (EtaWhy::OffWay, "On the way · taking another way than planned"),
        (EtaWhy::Silent, "On the way · no position for some minutes"),
    ] {
        let page = with(|page| page.order.snapshot.eta.as_mut().expect("an arrival").why = Some(why));
        assert_eq!(line(&page), expected);
    }
    let mut waiting = in_status(OrderStatus::AtPickup);
    waiting.order.snapshot.eta = on_the_way().order.snapshot.eta;
    waiting.order.snapshot.eta.as_mut().expect("an arrival").why = Some(EtaWhy::WaitingAtPickup);
    assert_eq!(line(&waiting), "Ana is picking up your order · your order is not ready yet");
}

#[test]
fn silence_is_told_in_steps() {
    let aged = |age_ms| with(|page| page.order.snapshot.position = Some(position(NOW_MS - age_ms)));
    assert_eq!(pill(&aged(125_000)), "Last seen 2 min ago");
    assert_eq!(bar(&aged(125_000)), "");
    let lost = aged(6 * MINUTE_MS);
    assert_eq!(bar(&lost), "No position from Ana since 18:25.");
    assert_eq!(label(&lost), "Arriving, as of 18:30");
    assert_eq!(line(&lost), "On the way", "a distance from a lost position says nothing");
}

#[test]
fn a_pause_has_its_reason_in_plain_words() {
    for (reason, expected) in [
        (Some(PresenceReason::ScreenLocked), "Ana’s phone was locked, so no position comes."),
        (Some(PresenceReason::NoPermission), "Ana’s phone does not give its position."),
        (Some(PresenceReason::NoSignal), "Ana’s phone has no GPS signal."),
        (Some(PresenceReason::LowBattery), "Ana’s phone is saving its battery, so no position comes."),
        (Some(PresenceReason::User), "Ana is not sharing a position right now."),
        (None, "Ana is not sharing a position right now."),
    ] {
        let page = with(|page| {
            page.now_ms += 4 * MINUTE_MS;
            page.order.presence = Some(Presence { state: PresenceState::Paused, reason, since_ms: NOW_MS });
        });
        assert_eq!((bar(&page).as_str(), pill(&page).as_str()), (expected, "Paused 4 min"));
    }
}

#[test]
fn lateness_is_said_with_a_new_arrival_and_never_with_an_old_one() {
    let late = with(|page| page.now_ms += 21 * MINUTE_MS);
    assert_eq!((label(&late).as_str(), label_tone(&late)), ("A few minutes late", Tone::Bad));
    assert_eq!(hero(&late), "18:52–19:03");
    let later = with(|page| page.now_ms += 40 * MINUTE_MS);
    assert_eq!(label(&later), "Later than expected");
    let promised = with(|page| {
        page.order.promised = Some(PromisedWindow { from_ms: None, until_ms: Some(NOW_MS) });
    });
    assert_eq!(label(&promised), "Later than planned");
}

#[test]
fn before_a_courier_there_is_the_promise_or_a_plain_sentence() {
    let mut created = received();
    created.order.snapshot.order.timeline.truncate(1);
    assert_eq!(hero(&created), "Order received");
    assert_eq!(line(&created), "The arrival time follows.");
    let mut promised = received();
    let window = |from_ms, until_ms| Some(PromisedWindow { from_ms, until_ms });
    let (from_ms, until_ms) = (Some(NOW_MS + 30 * MINUTE_MS), Some(NOW_MS + 60 * MINUTE_MS));
    for (promise, expected) in [
        (window(from_ms, until_ms), "19:01–19:31"),
        (window(None, until_ms), "by 19:31"),
        (window(from_ms, None), "from 19:01"),
    ] {
        promised.order.promised = promise;
        assert_eq!((label(&promised).as_str(), hero(&promised).as_str()), ("Expected", expected));
        assert_eq!(line(&promised), "Order received");
    }
}

#[test]
fn an_outcome_says_why_and_what_follows() {
    let mut failed = in_status(OrderStatus::Failed);
    failed.order.note = Some("Nobody answered the door".into());
    assert_eq!(
        line(&failed),
        "Nobody answered the door. It is still with the courier. If we try again, you see it here; if not, it goes back \
         to Harbour Kitchen."
    );
    let mut never_left = before_collection(OrderStatus::Failed);
    never_left.order.note = Some("Closed".into());
    assert_eq!(
        line(&never_left),
        "Closed. Harbour Kitchen could not hand the order over. Please ask them for another delivery."
    );
    let on_board = in_status(OrderStatus::Cancelled);
    assert_eq!(line(&on_board), "The order goes back to Harbour Kitchen. Questions go to them.");
    let mut cancelled = before_collection(OrderStatus::Cancelled);
    cancelled.order.note = Some("The kitchen is closed.".into());
    assert_eq!(line(&cancelled), "The kitchen is closed. Nothing will be brought. Questions go to Harbour Kitchen.");
    let mut delivered = in_status(OrderStatus::Delivered);
    delivered.order.note = Some("left with concierge".into());
    assert_eq!(dropoff_detail(&delivered), "Note: left with concierge");
    assert_eq!((label(&delivered).as_str(), hero(&delivered).as_str()), ("Delivered at", "18:31"));
    delivered.now_ms += 24 * 60 * MINUTE_MS;
    assert_eq!(label(&delivered), "Delivered on 21 November at");
    assert_eq!(status(&delivered), "Delivered on 21 November at 18:31");
}

/// An order whose goods never left the kitchen.
fn before_collection(status: OrderStatus) -> Page {
    let mut page = in_status(status);
    page.order.snapshot.order.timeline.retain(|entry| entry.status != OrderStatus::PickedUp);
    page
}

#[test]
fn a_next_attempt_is_said_with_its_new_window() {
    let mut page = in_status(OrderStatus::Failed);
    assert!(!page.is_next_attempt());
    let update = OrderUpdate { status: OrderStatus::Assigned, status_at_ms: NOW_MS, stops_before: 0 };
    page.apply(&CustomerEvent::Order(update), false);
    let (from_ms, until_ms) = (Some(NOW_MS + 30 * MINUTE_MS), Some(NOW_MS + 60 * MINUTE_MS));
    page.order.promised = Some(PromisedWindow { from_ms, until_ms });
    assert_eq!((label(&page).as_str(), hero(&page).as_str()), ("Expected", "19:01–19:31"));
    assert_eq!((line(&page).as_str(), title(&page)), ("Ana will try again", "We will try again"));
}

#[test]
fn an_order_whose_courier_gave_it_back_waits_for_another_one() {
    let mut page = before_collection(OrderStatus::AtPickup);
    let given_back = OrderUpdate { status: OrderStatus::Created, status_at_ms: NOW_MS, stops_before: 0 };
    page.apply(&CustomerEvent::Order(given_back), false);
    assert_eq!(
        (hero(&page).as_str(), line(&page).as_str()),
        ("Another courier is being found", "The arrival time follows.")
    );
    page.order.promised = Some(PromisedWindow { from_ms: None, until_ms: Some(NOW_MS + 30 * MINUTE_MS) });
    assert_eq!((hero(&page).as_str(), line(&page).as_str()), ("by 19:01", "Another courier is being found"));
    let newest = page.snapshot().order.timeline.len() - 1;
    assert_eq!(happened(&page, newest), "Another courier is being found");
}

#[test]
fn the_title_names_nobody_and_no_place() {
    for state in OrderStatus::ALL {
        let title = title(&in_status(state));
        assert!(!title.contains("Ana") && !title.contains("Harbour") && !title.contains("Triq"), "{title}");
    }
}

#[test]
fn no_text_shouts_or_is_left_unfinished() {
    for state in OrderStatus::ALL {
        let page = in_status(state);
        for text in [status(&page), label(&page), hero(&page), line(&page), courier_detail(&page), bar(&page)] {
            assert!(!text.contains('!') && !text.contains("  ") && !text.ends_with(" · "), "{text:?}");
        }
    }
}
