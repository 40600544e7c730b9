use doorstep_shared::{OrderStatus, protocol::courier::Contact};
use leptos::prelude::*;

use super::*;
use crate::courier::{
    state::{Gps, Notice, Pin, Tone, TrackerSetup, Who},
    text::tests::{draft, online},
};

const PROBE: &str = "</p><script>alert(1)</script><img src=x onerror=alert(1)>\"'&<b>";

fn render(shift: Shift) -> String {
    let owner = Owner::new_root(None);
    let html = owner.with(|| app(RwSignal::new(shift), Act::new(|_| {})).into_view().to_html());
    owner.cleanup();
    html
}

/// Everything a browser would take for an element's start, by name.
fn elements(html: &str) -> Vec<&str> {
    let starts = html.split('<').skip(1).filter(|rest| rest.starts_with(|first: char| first.is_ascii_alphabetic()));
    starts.filter_map(|rest| rest.split([' ', '>', '/']).next()).collect()
}

/// A shift on every screen and at every door.
fn shifts() -> Vec<Shift> {
    let screens = [Screen::Stops, Screen::Proof, Screen::Trackers, Screen::Account].map(|screen| {
        let mut shift = online();
        (shift.screen, shift.proof) = (screen, Some(draft()));
        shift
    });
    let doors = [Door::Starting, Door::SignedOut, Door::Revoked, Door::OtherTab].map(|door| {
        let mut shift = online();
        shift.door = door;
        shift
    });
    screens.into_iter().chain(doors).collect()
}

#[test]
fn what_people_wrote_adds_no_element() {
    for screen in [Screen::Stops, Screen::Proof, Screen::Trackers, Screen::Account] {
        let write = |text: &str| {
            let mut shift = online();
            shift.screen = screen;
            for card in &mut shift.stops {
                (card.stop.address, card.stop.reference) = (text.into(), text.into());
                card.stop.instructions = Some(text.into());
                card.stop.contact = Some(Contact { name: text.into(), phone: Some(text.into()) });
            }
            shift.courier = shift.courier.map(|who| Who { name: text.into(), device_label: text.into(), ..who });
            shift.notices = vec![Notice { id: 1, tone: Tone::Bad, text: text.into(), offer: None }];
            let mut draft = draft();
            (draft.reference, draft.customer, draft.problem) = (text.into(), Some(text.into()), Some(text.into()));
            (draft.signed_by, draft.photo_url) = (Some(text.into()), Some(text.into()));
            shift.proof = Some(draft);
            shift.tracker = TrackerSetup::Failed(text.into());
            render(shift)
        };
        let (html, plain) = (write(PROBE), write("1 plain text"));
        assert_eq!(elements(&html), elements(&plain), "{screen:?}");
        assert!(!html.contains("<script") && !html.contains("<b>"));
    }
}

#[test]
fn the_strict_policy_finds_nothing_to_refuse() {
    for shift in shifts() {
        let html = render(shift);
        assert!(!html.contains(" style=") && !html.contains("<style") && !html.contains("<script"));
        assert!(!html.contains(" onclick") && !html.contains("javascript:"));
    }
}

#[test]
fn every_screen_has_one_heading_of_its_own() {
    for shift in shifts() {
        let (door, screen) = (shift.door, shift.screen);
        let html = render(shift);
        let mains: Vec<&str> = html.split("<main").skip(1).collect();
        let shown: Vec<&&str> =
            mains.iter().filter(|main| !main.split('>').next().unwrap_or_default().contains("hidden")).collect();
        assert_eq!(shown.len(), 1, "{door:?} {screen:?}");
        assert_eq!(shown[0].matches("<h1").count(), 1, "{door:?} {screen:?}");
    }
}

#[test]
fn the_next_stop_is_complete_as_text() {
    let html = render(online());
    for text in [
        "Stop 1 · Deliver",
        "18:42–18:50",
        "12 Triq il-Merkanti",
        "Kim · Order A-1042 · 1.1\u{a0}km",
        "Ring twice, second floor.",
        "href=\"tel:+35621240000\"",
        "I have arrived",
        "1 customer and 1 dispatcher can see you now",
        "role=\"switch\"",
        "aria-checked=\"true\"",
    ] {
        assert!(html.contains(text), "{text} in {html}");
    }
}

#[test]
fn a_stop_without_a_number_cannot_be_called() {
    let mut shift = online();
    shift.stops.truncate(1);
    shift.stops[0].stop.contact = None;
    assert!(!render(shift).contains("tel:"));
}

#[test]
fn what_happened_is_said_once_and_loudly_only_when_it_was_refused() {
    let mut shift = online();
    shift.notices = [Tone::Quiet, Tone::Warn, Tone::Bad, Tone::Quiet]
        .into_iter()
        .enumerate()
        .map(|(id, tone)| Notice {
            id: u32::try_from(id).expect("few"),
            tone,
            text: format!("News {id}."),
            offer: None,
        })
        .collect();
    let said = |shift: &Shift| {
        let html = render(shift.clone());
        let (alert, rest) = html.split_once("role=\"status\"").expect("quiet news have a place");
        let news = |html: &str| (0..4).filter(|id| html.contains(&format!("News {id}."))).collect::<Vec<_>>();
        assert_eq!(html.contains(">3 more<"), shift.notices.len() == 4);
        (news(alert), news(rest))
    };
    assert_eq!(said(&shift), (vec![2], vec![]), "one after the other, what matters most first");
    shift.notices.remove(2);
    assert_eq!(said(&shift), (vec![], vec![1]));
    shift.notices.remove(1);
    assert_eq!(said(&shift), (vec![], vec![0]));
}

#[test]
fn delivered_waits_for_every_proof_that_was_asked_for() {
    let mut shift = online();
    let mut draft = draft();
    shift.screen = Screen::Proof;
    shift.proof = Some(draft.clone());
    assert!(deliver_button(&render(shift.clone())).contains("disabled"));
    (draft.photo_url, draft.signed_by, draft.pin) = (Some("blob:1".into()), Some("Kim".into()), Pin::Entered);
    shift.proof = Some(draft);
    assert!(!deliver_button(&render(shift)).contains("disabled"));
}

fn deliver_button(html: &str) -> &str {
    let (before, _) = html.rsplit_once("id=\"missing\"").expect("the words for what is missing");
    let (_, button) = before.rsplit_once("<button").expect("the button above them");
    button.split('>').next().expect("an element ends")
}

#[test]
fn a_lost_position_leaves_the_stop_in_reach() {
    let mut shift = online();
    shift.gps = Gps::Lost;
    shift.stops[0].status = OrderStatus::AtDropoff;
    let html = render(shift);
    assert!(html.contains("Location was switched off") && html.contains(">Delivered<"));
}
