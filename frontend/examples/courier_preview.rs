//! Writes every screen of the courier's app as an HTML file, to look at without a server or a phone:
//!
//! ```text
//! cargo run -p doorstep-frontend --features ssr --example courier_preview -- target/courier-preview
//! node frontend/e2e/support/courier-looks.mjs target/courier-preview
//! ```
//!
//! The second line photographs each of them, light and dark, in three sizes, and has them checked for accessibility.

#![allow(clippy::expect_used, reason = "a developer's tool with examples of its own")]

use std::{env, error::Error, fs, path::Path};

use doorstep_frontend::{
    courier::{
        intent::Screen,
        marks::Change,
        plan::Reordering,
        platform::{Browser, Platform, System},
        state::{
            Door, Duty, Gps, Here, Install, Notice, Pin, ProofDraft, Shift, StopCard, Tone, TrackerSetup, Undo, Wait,
            Wake, Who,
        },
        view::{Act, app},
    },
    data::Locale,
    document::courier::ICONS,
    live::connection::Health,
};
use doorstep_shared::{
    DeviceId, OrderId, OrderStatus, Vehicle,
    api::{
        courier::{TrackerApp, TrackerCreated},
        plan::CourierDay,
        proof::ProofKind,
    },
    protocol::courier::{Audience, Contact, Pace, Stop, StopKind},
};
use leptos::prelude::*;

/// 18:30 on an evening in Malta.
const NOW_MS: i64 = 1_795_282_200_000;
const MINUTE_MS: i64 = 60_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).filter(|folder| !folder.starts_with('-')).ok_or("say into which folder")?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    fs::write(folder.join("courier.css"), style()?)?;
    for (name, shift) in states() {
        fs::write(folder.join(name).with_extension("html"), document(shift))?;
        println!("{name}");
    }
    Ok(())
}

/// As `cargo xtask site` puts it together.
fn style() -> Result<String, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("style");
    let mut sheets: Vec<_> =
        fs::read_dir(folder.join("common"))?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    sheets.sort();
    sheets.push(folder.join("courier.css"));
    Ok(sheets.into_iter().map(fs::read_to_string).collect::<Result<Vec<_>, _>>()?.join("\n"))
}

fn document(shift: Shift) -> String {
    let owner = Owner::new_root(None);
    let html = owner.with(|| app(RwSignal::new(shift), Act::new(|_| {})).into_view().to_html());
    owner.cleanup();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1,viewport-fit=cover\">\
         <title>Courier</title><link rel=\"stylesheet\" href=\"courier.css\"></head>\
         <body><div id=\"app\">{html}</div>{ICONS}</body></html>"
    )
}

fn states() -> Vec<(&'static str, Shift)> {
    let with = |change: &dyn Fn(&mut Shift)| {
        let mut shift = online();
        change(&mut shift);
        shift
    };
    let door = |door: Door| with(&|shift| shift.door = door);
    let off = |change: &dyn Fn(&mut Shift)| {
        with(&|shift| {
            (shift.duty, shift.gps, shift.wake, shift.audience, shift.position) =
                (Duty::Off, Gps::Idle, Wake::Idle, None, None);
            shift.way.clear();
            change(shift);
        })
    };
    let trouble = |duty: Duty, gps: Gps, system: System, browser: Browser| {
        with(&|shift| (shift.duty, shift.gps, shift.platform) = (duty, gps, Platform { system, browser }))
    };
    let proof = |change: &dyn Fn(&mut ProofDraft)| {
        with(&|shift| {
            let mut draft = draft();
            change(&mut draft);
            (shift.screen, shift.proof) = (Screen::Proof, Some(draft));
        })
    };
    let tracker =
        |setup: TrackerSetup| with(&|shift| (shift.screen, shift.tracker) = (Screen::Trackers, setup.clone()));
    let at = |kind: StopKind, status: OrderStatus, proof: &[ProofKind]| {
        with(&|shift| {
            let card = &mut shift.stops[0];
            (card.stop.kind, card.status, card.proof) = (kind, status, proof.to_vec());
        })
    };
    vec![
        ("starting", door(Door::Starting)),
        ("signed-out", door(Door::SignedOut)),
        ("invited", door(Door::Invited)),
        ("link-spent", door(Door::LinkSpent)),
        ("unreachable", door(Door::Unreachable)),
        ("revoked", door(Door::Revoked)),
        ("other-tab", door(Door::OtherTab)),
        ("superseded", door(Door::Superseded)),
        ("off-duty", off(&|_| {})),
        ("off-duty-empty", off(&|shift| shift.stops.clear())),
        (
            "off-duty-install",
            off(&|shift| {
                shift.install = Install::Offered;
                shift.stops.truncate(1);
            }),
        ),
        (
            "off-duty-install-ios",
            off(&|shift| {
                shift.install = Install::ByShareSheet;
                shift.stops.clear();
            }),
        ),
        (
            "going-online",
            with(&|shift| {
                (shift.duty, shift.gps, shift.position, shift.audience) =
                    (Duty::GoingOnline, Gps::Searching, None, None);
            }),
        ),
        ("denied-chrome", trouble(Duty::Off, Gps::Denied, System::Android, Browser::Chrome)),
        ("denied-safari", trouble(Duty::Off, Gps::Denied, System::Ios, Browser::Safari)),
        ("denied-firefox", trouble(Duty::GoingOnline, Gps::Denied, System::Android, Browser::Firefox)),
        ("lost", trouble(Duty::Online, Gps::Lost, System::Android, Browser::Chrome)),
        ("no-https", trouble(Duty::Off, Gps::Unavailable, System::Other, Browser::Other)),
        ("online", with(&|_| {})),
        (
            "online-offline",
            with(&|shift| {
                (shift.health, shift.waiting_fixes, shift.audience) = (Health::NoNetwork, 37, None);
            }),
        ),
        (
            "online-waiting",
            with(&|shift| {
                (shift.health, shift.waiting_fixes, shift.waiting_actions) = (Health::Reconnecting, 4, 1);
                shift.stops[0].status = OrderStatus::AtDropoff;
                shift.stops[0].is_waiting = true;
                shift.stops[1].is_waiting = true;
            }),
        ),
        (
            "online-weak",
            with(&|shift| {
                (shift.gps, shift.wake) = (Gps::Weak, Wake::Unavailable);
                shift.pace.interval_ms = 30_000;
                shift.audience = Some(Audience { customers: 0, dispatchers: 0 });
            }),
        ),
        (
            "online-empty",
            with(&|shift| {
                shift.stops.clear();
                shift.done_at_ms = None;
            }),
        ),
        ("online-one", with(&|shift| shift.stops.truncate(1))),
        ("pickup", at(StopKind::Pickup, OrderStatus::AtPickup, &[])),
        ("at-door", at(StopKind::Dropoff, OrderStatus::AtDropoff, &[])),
        ("at-door-proof", at(StopKind::Dropoff, OrderStatus::AtDropoff, &ProofKind::ALL)),
        ("waiting", with(&|shift| wait(shift, false))),
        ("waiting-long", with(&|shift| wait(shift, true))),
        ("undo", with(&|shift| undo(shift))),
        (
            "undo-account",
            with(&|shift| {
                undo(shift);
                shift.screen = Screen::Account;
            }),
        ),
        ("return", with(&bring_back)),
        ("changed", with(&change)),
        ("second-attempt", with(&try_again)),
        (
            "withdrawn",
            with(&|shift| {
                let text =
                    "Order A-1042, 12 Triq il-Merkanti, was given to Ben. Your “Delivered” was passed on to dispatch.";
                shift.notices = vec![Notice { id: 1, tone: Tone::Bad, text: text.into(), offer: None }];
                shift.stops.remove(0);
            }),
        ),
        ("group-pickup", with(&|shift| group(shift, StopKind::Pickup, OrderStatus::AtPickup))),
        ("group-door", with(&|shift| group(shift, StopKind::Dropoff, OrderStatus::AtDropoff))),
        ("promises", with(&promise)),
        ("plan", with(&plan)),
        (
            "plan-offline",
            with(&|shift| {
                plan(shift);
                (shift.reordering, shift.health) = (Reordering::Offline, Health::NoNetwork);
            }),
        ),
        (
            "plan-fixed",
            with(&|shift| {
                plan(shift);
                shift.reordering = Reordering::NotAllowed;
            }),
        ),
        (
            "day-done",
            with(&|shift| {
                shift.stops.clear();
                shift.done_at_ms = None;
                shift.day = Some(CourierDay { delivered: 14, failed: 1, returned: 1, metres: 38_400 });
            }),
        ),
        ("notices", with(&|shift| shift.notices = notices())),
        ("long", with(&make_long)),
        ("half-day-clock", with(&|shift| (shift.locale.hour12, shift.locale.miles) = (true, true))),
        ("proof", proof(&|_| {})),
        (
            "proof-done",
            proof(&|draft| {
                draft.photo_url = Some(photo());
                (draft.signed_by, draft.pin) = (Some("Kim Vella".into()), Pin::Entered);
            }),
        ),
        (
            "proof-problem",
            proof(&|draft| {
                draft.wanted = vec![ProofKind::Pin];
                draft.problem =
                    Some("That PIN is not right. Ask the customer to read it from their tracking page.".into());
            }),
        ),
        ("proof-optional", proof(&|draft| draft.wanted.clear())),
        ("trackers", tracker(TrackerSetup::Choose)),
        ("trackers-preparing", tracker(TrackerSetup::Preparing(TrackerApp::Owntracks))),
        (
            "trackers-failed",
            tracker(TrackerSetup::Failed("The server cannot be reached. Try again when there is a network.".into())),
        ),
        ("trackers-ready", {
            let mut shift = tracker(TrackerSetup::Ready(Box::new(tracker_created())));
            shift.platform.system = System::Android;
            shift
        }),
        (
            "account",
            with(&|shift| {
                (shift.screen, shift.install) = (Screen::Account, Install::Offered);
                shift.office_phone = Some("+356 2124 9999".into());
                shift.day = Some(CourierDay { delivered: 3, failed: 0, returned: 0, metres: 12_300 });
            }),
        ),
        (
            "account-offline",
            with(&|shift| {
                (shift.screen, shift.install) = (Screen::Account, Install::ByShareSheet);
                (shift.health, shift.waiting_fixes, shift.waiting_actions) = (Health::NoNetwork, 37, 1);
            }),
        ),
    ]
}

fn online() -> Shift {
    let locale = Locale { lang: "en".into(), hour12: false, zone: 60.into(), miles: false };
    let mut shift = Shift::starting(locale, Platform::default());
    shift.door = Door::Open;
    shift.courier = Some(Who { name: "Ana Borg".into(), vehicle: Vehicle::Scooter, device_label: "Pixel 9".into() });
    (shift.duty, shift.gps, shift.health, shift.wake) =
        (Duty::Online, Gps::Good { accuracy_m: 5.2 }, Health::Live, Wake::On);
    shift.stops = vec![
        card(1, "A-1042", "12 Triq il-Merkanti", Some("Kim"), 12, Some("Ring twice, second floor. Dog is friendly.")),
        card(2, "A-1044", "Triq San Gwann 4", Some("Harbour Kitchen"), 24, None),
        card(3, "A-1047", "Strait Street 71", None, 46, None),
    ];
    shift.stops[1].stop.kind = StopKind::Pickup;
    (shift.minute_ms, shift.done_at_ms) = (NOW_MS, Some(NOW_MS + 55 * MINUTE_MS));
    shift.position = Some(Here { lon: 14.5080, lat: 35.9003, heading_deg: Some(48.0) });
    shift.way =
        vec![[14.5080, 35.9003], [14.5098, 35.9011], [14.5111, 35.9002], [14.5125, 35.9006], [14.5142, 35.8990]];
    shift.audience = Some(Audience { customers: 1, dispatchers: 1 });
    shift.pace = Pace { interval_ms: 2_000, min_distance_m: 5, reason: None };
    shift
}

fn order_id(number: u32) -> OrderId {
    format!("01939d35-0000-7000-8000-00000000000{number}").parse().expect("a UUID")
}

fn card(number: u32, reference: &str, address: &str, name: Option<&str>, minutes: i64, note: Option<&str>) -> StopCard {
    let stop = Stop {
        sequence: number,
        lat: 35.8990,
        lon: 14.5142,
        address: address.into(),
        instructions: note.map(str::to_owned),
        contact: name.map(|name| Contact { name: name.into(), phone: Some("+356 2124 0000".into()) }),
        ..Stop::plain(order_id(number), reference, StopKind::Dropoff, OrderStatus::PickedUp)
    };
    StopCard {
        earliest_ms: Some(NOW_MS + minutes * MINUTE_MS),
        latest_ms: Some(NOW_MS + (minutes + 8) * MINUTE_MS),
        distance_m: Some(1_100),
        ..StopCard::new(stop)
    }
}

/// Waiting in the kitchen for the first order.
fn wait(shift: &mut Shift, is_long: bool) {
    let card = &mut shift.stops[0];
    (card.stop.kind, card.status) = (StopKind::Pickup, OrderStatus::AtPickup);
    (card.stop.address, card.stop.instructions) = ("Harbour Kitchen, Marina Street 2".into(), None);
    card.stop.contact = Some(Contact { name: "Harbour Kitchen".into(), phone: Some("+356 2124 1000".into()) });
    card.stop.usual_wait_s = Some(540);
    card.stop.note = Some("Two bags and a box.".into());
    card.wait = Some(Wait { since_ms: NOW_MS - 7 * MINUTE_MS, is_long, is_told: true });
    shift.office_phone = Some("+356 2124 9999".into());
}

fn undo(shift: &mut Shift) {
    shift.stops.remove(0);
    shift.stops[0].stop.sequence = 1;
    shift.undo = Some(Undo { text: "A-1042 delivered".into(), left_s: 6 });
}

fn bring_back(shift: &mut Shift) {
    let card = &mut shift.stops[0];
    (card.stop.kind, card.status) = (StopKind::Return, OrderStatus::Failed);
    (card.stop.address, card.stop.instructions) = ("Harbour Kitchen, Marina Street 2".into(), None);
    card.stop.contact = Some(Contact { name: "Harbour Kitchen".into(), phone: Some("+356 2124 1000".into()) });
}

fn change(shift: &mut Shift) {
    let was = |text: &str| Some(text.to_owned());
    let change = |what: &str, was| Change { what: what.into(), was };
    shift.stops[0].changes = vec![change("address", was("12 Triq id-Dejqa, first floor")), change("window", None)];
    shift.stops[0].stop.promised_until_ms = Some(NOW_MS + 25 * MINUTE_MS);
    shift.stops[2].changes = vec![change("address", was("Strait Street 7"))];
    let text = "Order A-1042: address, promised time changed. Now: 12 Triq il-Merkanti.";
    shift.notices = vec![Notice { id: 1, tone: Tone::Quiet, text: text.into(), offer: None }];
}

fn try_again(shift: &mut Shift) {
    let stop = &mut shift.stops[0].stop;
    (stop.attempt, stop.size) = (Some(2), Some(3));
    stop.requires = Some(vec!["van".into(), "cold".into()]);
    stop.note = Some("Three crates, keep them upright.".into());
    stop.promised_until_ms = Some(NOW_MS + 10 * MINUTE_MS);
}

/// Three orders at one place.
fn group(shift: &mut Shift, kind: StopKind, status: OrderStatus) {
    let mut lead = shift.stops.remove(0);
    (lead.stop.kind, lead.status) = (kind, status);
    let named = |reference: &str, number: u32| {
        let mut other = lead.clone();
        (other.stop.reference, other.stop.order_id) = (reference.into(), order_id(number));
        other.stop.contact = Some(Contact { name: "Maria Alexandra".into(), phone: None });
        other
    };
    let mut others = vec![named("A-1043", 5), named("A-1049", 6)];
    others[0].stop.note = Some("Keep it cold.".into());
    lead.others = others;
    shift.stops.insert(0, lead);
}

fn promise(shift: &mut Shift) {
    for (card, minutes) in shift.stops.iter_mut().zip([25, 40, 30]) {
        card.stop.promised_until_ms = Some(NOW_MS + minutes * MINUTE_MS);
    }
}

/// The whole tour, its first stop fixed.
fn plan(shift: &mut Shift) {
    promise(shift);
    shift.screen = Screen::Plan;
    shift.reordering = Reordering::Allowed;
    shift.stops[0].stop.locked = Some(true);
    shift.stops.push(card(4, "A-1050", "Republic Street 200, second entrance", Some("Jo"), 60, None));
    let places = [[14.5142, 35.8990], [14.5105, 35.8978], [14.5160, 35.9012], [14.5120, 35.9000]];
    for (card, [lon, lat]) in shift.stops.iter_mut().zip(places) {
        (card.stop.lon, card.stop.lat) = (lon, lat);
    }
}

fn draft() -> ProofDraft {
    ProofDraft {
        order_id: order_id(1),
        reference: "A-1042".into(),
        customer: Some("Kim".into()),
        wanted: ProofKind::ALL.to_vec(),
        photo_url: None,
        is_shrinking: false,
        signed_by: None,
        pin: Pin::Missing,
        note: String::new(),
        problem: None,
    }
}

/// A picture that needs no file.
fn photo() -> String {
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 400 300'%3E%3Crect width='400' \
     height='300' fill='%23b9a48a'/%3E%3Crect x='120' y='40' width='160' height='260' fill='%236b4f3a'/%3E%3Crect \
     x='150' y='220' width='100' height='70' fill='%23d8c3a0'/%3E%3C/svg%3E"
        .into()
}

fn notices() -> Vec<Notice> {
    let notice = |id, tone, text: &str, offer| Notice { id, tone, text: text.into(), offer };
    vec![
        notice(1, Tone::Quiet, "Order A-1051 was added to your list.", None),
        notice(
            2,
            Tone::Warn,
            "Sharing paused for 4 min while this page was in the background.",
            Some(Screen::Trackers),
        ),
        notice(3, Tone::Bad, "Order A-1042 was cancelled by your dispatcher, so “Picked up” was not taken.", None),
    ]
}

fn make_long(shift: &mut Shift) {
    let card = &mut shift.stops[0];
    card.stop.address =
        "Apartment 14, Block C, Residence Palazzo Sant’Antonio-Bartholomew, 1234 Triq l-Imperatur Franġisku".into();
    card.stop.reference = "ORD-2026-11-21-000000012345-REPLACEMENT".into();
    card.stop.instructions = Some(
        "Ring at the second bell from the left, wait for the concierge, go through the yard and up the stairs. \
         https://example.com/averyveryverylongaddresswithoutanyplacetobreakit"
            .into(),
    );
    card.stop.contact = Some(Contact {
        name: "Maria Alexandra Papadopoulou-Wojciechowska".into(),
        phone: Some("+356 2124 0000".into()),
    });
    card.status = OrderStatus::AtDropoff;
    shift.stops[1].stop.address = "Donaudampfschifffahrtsgesellschaftskapitänsstraße 1234567890".into();
    shift.waiting_fixes = 12_345;
    shift.health = Health::Reconnecting;
    shift.audience = Some(Audience { customers: 128, dispatchers: 17 });
}

fn tracker_created() -> TrackerCreated {
    TrackerCreated {
        device_id: "01939d35-0000-7000-8000-0000000000aa".parse::<DeviceId>().expect("a UUID"),
        app: TrackerApp::Traccar,
        server_url: "https://doorstep.example/ingest/osmand".into(),
        token: "T4kU9cV2".into(),
        config_url: "https://doorstep.example/traccar?url=x".into(),
        qr_svg:
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 29 29\"><path fill=\"#fff\" d=\"M0 0h29v29H0z\"/>\
                 <path d=\"M4 4h7v7H4zM18 4h7v7h-7zM4 18h7v7H4zM13 13h3v3h-3zM18 18h2v2h-2zM22 22h3v3h-3z\"/></svg>"
                .into(),
        settings: [
            ("Server URL", "https://doorstep.example/ingest/osmand"),
            ("Device identifier", "T4kU9cV2mNq8sXwZ1bLr6Q"),
            ("Location accuracy", "highest"),
            ("Interval", "5 s"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
    }
}
