//! Writes every state of the tracking page as an HTML file, to look at without a server:
//!
//! ```text
//! cargo xtask site
//! cargo run -p doorstep-frontend --features ssr --example preview -- target/preview
//! node frontend/e2e/support/preview.mjs target/preview
//! ```
//!
//! The files take their assets from the site that xtask built; the little server of the last line serves both. The
//! dispatcher's console draws itself: `dispatch.html` is its shell, and `console-preview.mjs` pretends a fleet behind it:
//!
//! ```text
//! node frontend/e2e/support/console-preview.mjs target/preview
//! ```

#![allow(clippy::disallowed_methods, reason = "a developer's tool draws its examples as of now")]

use std::{collections::BTreeMap, env, error::Error, fs, path::Path, slice, time::SystemTime};

use doorstep_frontend::{
    data::{AssetUrls, ConsoleAssetUrls, LinkState, Locale, OrderPage, PageArea, PageProof, PromisedWindow, TrackView},
    document::{
        dispatch::{ConsoleUser, dispatch_document},
        track_document,
    },
};
use doorstep_shared::{
    OrderStatus, Position, Vehicle,
    api::{
        area::{AreaView, Units},
        proof::ProofKind,
    },
    protocol::{
        PresenceReason, PresenceState,
        customer::{CourierCard, Eta, EtaWhy, Place, Presence, Snapshot, TimelineEntry, TrackedOrder},
    },
};

const MINUTE_MS: i64 = 60_000;

/// Where the courier came along, from the kitchen in Floriana to the edge of Valletta.
const TRAIL: [[f64; 2]; 6] = [
    [14.5005, 35.8935],
    [14.5030, 35.8952],
    [14.5041, 35.8967],
    [14.5069, 35.8972],
    [14.5062, 35.8990],
    [14.5080, 35.9003],
];

/// Stands for a photo: a parcel before a door, upright as phones are held.
const PHOTO: &str = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='1200' height='1600'>\
    <path fill='%23d8cbb4' d='M0 0h1200v1600H0z'/><path fill='%23bfae90' d='M0 1280h1200v320H0z'/>\
    <path fill='%232f5d50' d='M340 180h520v1100H340z'/><path fill='%23264c41' d='M400 250h400v420H400zM400 740h400v470H400z'/>\
    <circle cx='810' cy='730' r='22' fill='%23d9b45b'/><path fill='%23b98a5a' d='M620 1080h330v270H620z'/>\
    <path fill='%23d8b48a' d='M760 1080h50v270h-50z'/></svg>";

/// Stands for a signature, three times as wide as high.
const DRAWING: &str = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='600' height='200'>\
    <path fill='none' stroke='%2317181c' stroke-width='6' stroke-linecap='round' d='M70 150C90 60 110 30 120 40s-20 100-20 \
    100 60-90 90-90-70 50-70 60 90 50 110 40 20-60 30-60-10 60 5 60 25-50 40-50 0 50 15 50 25-55 40-50-5 50 15 50 90-40 \
    150-70'/></svg>";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).filter(|folder| !folder.starts_with('-')).ok_or("say into which folder")?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    let assets = assets()?;
    let now_ms = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis() as i64;
    for (name, view) in states(now_ms) {
        let html = track_document(&view, &assets, "preview");
        fs::write(folder.join(name).with_extension("html"), html)?;
        println!("{name}");
    }
    let user = ConsoleUser { email: "dora@example.org".into(), role: "admin".into() };
    fs::write(folder.join("dispatch.html"), dispatch_document(&user, &locale(), now_ms, &console_assets()?))?;
    println!("dispatch");
    Ok(())
}

fn states(now_ms: i64) -> Vec<(&'static str, TrackView)> {
    let live = |change: &dyn Fn(&mut OrderPage)| {
        let mut order = on_the_way(now_ms);
        change(&mut order);
        view(LinkState::Live(order), now_ms)
    };
    let ended = |status: OrderStatus, note: Option<&str>| {
        let mut order = in_status(now_ms, status);
        order.note = note.map(str::to_owned);
        view(LinkState::Ended(order), now_ms)
    };
    let status = |status: OrderStatus| view(LinkState::Live(in_status(now_ms, status)), now_ms);
    let aged = |age_ms: i64| {
        live(&|order| {
            if let Some(position) = order.snapshot.position.as_mut() {
                position.time_ms = now_ms - age_ms;
            }
        })
    };
    let promised =
        Some(PromisedWindow { from_ms: Some(now_ms + 30 * MINUTE_MS), until_ms: Some(now_ms + 60 * MINUTE_MS) });
    let mut failed = in_status(now_ms, OrderStatus::Failed);
    failed.note = Some("Nobody answered the door".into());
    let mut created = in_status(now_ms, OrderStatus::Created);
    let not_started = view(LinkState::Live(created.clone()), now_ms);
    created.promised = promised;
    let asked = |status: OrderStatus| {
        let mut order = in_status(now_ms, status);
        order.pin = Some("0821".into());
        view(LinkState::Live(order), now_ms)
    };
    let proved = |status: OrderStatus, proofs: &[PageProof]| {
        let mut order = in_status(now_ms, status);
        order.proofs = proofs.to_vec();
        view(LinkState::Ended(order), now_ms)
    };
    let proof = |kind, image: Option<&str>| PageProof {
        kind,
        taken_ms: now_ms - MINUTE_MS,
        name: (kind == ProofKind::Signature).then(|| "Kim Borg".into()),
        image_url: image.map(str::to_owned),
    };
    let photo = proof(ProofKind::Photo, Some(PHOTO));
    let signed = proof(ProofKind::Signature, Some(DRAWING));
    let pin = proof(ProofKind::Pin, None);
    let mut failed_with_photo = failed.clone();
    failed_with_photo.proofs = vec![photo.clone()];
    let mut half_day_clock = live(&|_| {});
    half_day_clock.locale.hour12 = true;
    half_day_clock.locale.miles = true;
    vec![
        ("on-the-way", live(&|_| {})),
        ("half-day-clock", half_day_clock),
        ("outside-area", live(&|order| order.outside_area = true)),
        ("created", not_started),
        ("created-promised", view(LinkState::Live(created), now_ms)),
        ("assigned", status(OrderStatus::Assigned)),
        ("at-pickup", status(OrderStatus::AtPickup)),
        ("near", live(&|order| set_remaining(order, 240))),
        ("at-dropoff", status(OrderStatus::AtDropoff)),
        ("stops-before", live(&|order| hide_behind(order, 2))),
        ("no-position", live(&|order| (order.snapshot.position, order.snapshot.eta) = (None, None))),
        ("stands", live(&|order| widen_eta(order, EtaWhy::Standing))),
        ("silent", live(&|order| make_silent(order, now_ms))),
        ("off-the-way", live(&|order| widen_eta(order, EtaWhy::OffWay))),
        ("waits-at-pickup", view(LinkState::Live(waiting_at_pickup(now_ms)), now_ms)),
        ("stale", aged(2 * MINUTE_MS + 5_000)),
        ("lost", aged(6 * MINUTE_MS)),
        ("paused", live(&|order| order.presence = Some(pause(now_ms)))),
        ("late", live(&|order| shift_eta(order, -25 * MINUTE_MS))),
        (
            "later-than-planned",
            live(&|order| {
                order.promised = Some(PromisedWindow { from_ms: None, until_ms: Some(now_ms + 5 * MINUTE_MS) })
            }),
        ),
        ("failed", view(LinkState::Live(failed), now_ms)),
        ("delivered", ended(OrderStatus::Delivered, Some("left with the concierge"))),
        ("returned", ended(OrderStatus::Returned, None)),
        ("cancelled", ended(OrderStatus::Cancelled, Some("The kitchen had to close"))),
        ("pin-later", asked(OrderStatus::Assigned)),
        ("pin", asked(OrderStatus::PickedUp)),
        ("pin-at-dropoff", asked(OrderStatus::AtDropoff)),
        ("proved-photo", proved(OrderStatus::Delivered, slice::from_ref(&photo))),
        ("proved-photos", proved(OrderStatus::Delivered, &[photo.clone(), photo.clone(), photo.clone()])),
        ("proved-all", proved(OrderStatus::Delivered, &[photo.clone(), signed, pin.clone()])),
        ("proved-pin", proved(OrderStatus::Delivered, &[pin])),
        ("proved-typed", proved(OrderStatus::Delivered, &[proof(ProofKind::Signature, None)])),
        ("proved-missing", proved(OrderStatus::Delivered, &[proof(ProofKind::Photo, Some("/assets/none.jpg"))])),
        ("failed-photo", view(LinkState::Live(failed_with_photo), now_ms)),
        ("hostile", live(&make_hostile)),
        ("unknown", view(LinkState::Unknown, now_ms)),
        ("expired", view(LinkState::Expired, now_ms)),
        ("unavailable", view(LinkState::Unavailable, now_ms)),
    ]
}

fn view(link: LinkState, now_ms: i64) -> TrackView {
    TrackView { link, locale: locale(), server_time_ms: now_ms }
}

fn locale() -> Locale {
    Locale { lang: "en".into(), hour12: false, zone: 60.into(), miles: false }
}

fn on_the_way(now_ms: i64) -> OrderPage {
    let entry = |status, minutes_ago: i64| TimelineEntry { status, at_ms: now_ms - minutes_ago * MINUTE_MS };
    let [lon, lat] = TRAIL[5];
    let snapshot = Snapshot {
        server_time_ms: now_ms,
        order: TrackedOrder {
            reference: "A-1042".into(),
            status: OrderStatus::PickedUp,
            status_at_ms: now_ms - 4 * MINUTE_MS,
            stops_before: 0,
            pickup: Place { lat: TRAIL[0][1], lon: TRAIL[0][0], label: "Harbour Kitchen".into() },
            dropoff: Place { lat: 35.9, lon: 14.5142, label: "12 Triq il-Merkanti, Valletta".into() },
            timeline: vec![
                entry(OrderStatus::Created, 29),
                entry(OrderStatus::Assigned, 20),
                entry(OrderStatus::AtPickup, 8),
                entry(OrderStatus::PickedUp, 4),
            ],
        },
        courier: Some(CourierCard { name: "Ana".into(), vehicle: Vehicle::Scooter }),
        position: Some(Position {
            time_ms: now_ms - 4_000,
            lat,
            lon,
            accuracy_m: Some(60.0),
            speed_mps: Some(6.0),
            heading_deg: Some(48.0),
        }),
        trail: TRAIL.to_vec(),
        eta: Some(Eta {
            earliest_ms: now_ms + 11 * MINUTE_MS,
            latest_ms: now_ms + 19 * MINUTE_MS,
            computed_at_ms: now_ms - 4_000,
            remaining_m: 1_100,
            expected_ms: Some(now_ms + 14 * MINUTE_MS),
            coverage: Some(0.8),
            why: None,
        }),
    };
    OrderPage {
        snapshot,
        presence: None,
        feed_opens_ms: None,
        promised: None,
        note: None,
        instructions: Some("Ring twice, second floor".into()),
        pin: None,
        proofs: vec![],
        outside_area: false,
    }
}

fn in_status(now_ms: i64, status: OrderStatus) -> OrderPage {
    let mut order = on_the_way(now_ms);
    let snapshot = &mut order.snapshot;
    snapshot.order.status = status;
    snapshot.order.status_at_ms = now_ms - MINUTE_MS;
    let timeline = &mut snapshot.order.timeline;
    timeline.retain(|entry| status.step().is_none_or(|step| entry.status.step() < Some(step)));
    timeline.push(TimelineEntry { status, at_ms: now_ms - MINUTE_MS });
    if !status.is_active() {
        (snapshot.position, snapshot.eta) = (None, None);
        snapshot.trail.clear();
    }
    if status == OrderStatus::Created {
        snapshot.courier = None;
    }
    order
}

fn set_remaining(order: &mut OrderPage, remaining_m: u32) {
    if let Some(eta) = order.snapshot.eta.as_mut() {
        eta.remaining_m = remaining_m;
    }
}

fn shift_eta(order: &mut OrderPage, by_ms: i64) {
    if let Some(eta) = order.snapshot.eta.as_mut() {
        (eta.earliest_ms, eta.latest_ms) = (eta.earliest_ms + by_ms, eta.latest_ms + by_ms);
        eta.expected_ms = eta.expected_ms.map(|expected_ms| expected_ms + by_ms);
    }
}

/// Later, less certain, and with the reason.
fn widen_eta(order: &mut OrderPage, why: EtaWhy) {
    if let Some(eta) = order.snapshot.eta.as_mut() {
        eta.latest_ms += 9 * MINUTE_MS;
        eta.expected_ms = eta.expected_ms.map(|expected_ms| expected_ms + 4 * MINUTE_MS);
        eta.why = Some(why);
    }
}

fn make_silent(order: &mut OrderPage, now_ms: i64) {
    widen_eta(order, EtaWhy::Silent);
    if let Some(position) = order.snapshot.position.as_mut() {
        position.time_ms = now_ms - 6 * MINUTE_MS;
    }
}

fn waiting_at_pickup(now_ms: i64) -> OrderPage {
    let mut order = in_status(now_ms, OrderStatus::AtPickup);
    widen_eta(&mut order, EtaWhy::WaitingAtPickup);
    order
}

fn hide_behind(order: &mut OrderPage, stops_before: u32) {
    order.snapshot.order.stops_before = stops_before;
    order.snapshot.position = None;
    order.snapshot.trail.clear();
}

fn pause(now_ms: i64) -> Presence {
    let reason = Some(PresenceReason::ScreenLocked);
    Presence { state: PresenceState::Paused, reason, since_ms: now_ms - 1_000 }
}

fn make_hostile(order: &mut OrderPage) {
    let probe = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&";
    order.snapshot.order.reference = probe.into();
    order.snapshot.order.pickup.label = probe.into();
    order.snapshot.order.dropoff.label = probe.into();
    order.instructions = Some(probe.into());
    order.snapshot.courier = Some(CourierCard { name: probe.into(), vehicle: Vehicle::Van });
}

fn assets() -> Result<AssetUrls, Box<dyn Error>> {
    let site = Site::open()?;
    Ok(AssetUrls {
        track_css: site.url("track.css")?,
        track_js: site.url("track.js")?,
        track_wasm: site.url("track.wasm")?,
        map_js: site.url("map.js")?,
        maplibre_css: site.url("maplibre.css")?,
        area: area()?,
        icon: "/assets/static/icons/icon.svg".into(),
    })
}

fn console_assets() -> Result<ConsoleAssetUrls, Box<dyn Error>> {
    let site = Site::open()?;
    Ok(ConsoleAssetUrls {
        dispatch_css: site.url("dispatch.css")?,
        dispatch_js: site.url("dispatch.js")?,
        dispatch_wasm: site.url("dispatch.wasm")?,
        start_js: site.url("dispatch-start.js")?,
        fleet_map_js: site.url("fleet-map.js")?,
        map_js: site.url("map.js")?,
        console_js: site.url("console.js")?,
        maplibre_css: site.url("maplibre.css")?,
        area: area()?,
        icon: "/assets/static/icons/icon.svg".into(),
    })
}

/// The built-in area, whose files the little servers have at the same addresses as the real one.
fn area() -> Result<PageArea, Box<dyn Error>> {
    let area: AreaView = serde_json::from_str(&fs::read_to_string("static/area/area.json")?)?;
    let file = |name: &str| Some(format!("/area/{}/{name}", area.id));
    Ok(PageArea {
        bounds: area.bounds,
        center: [area.center.lat, area.center.lon],
        streets: area.streets,
        imperial: area.units == Units::Imperial,
        basemap_pmtiles: file("map.pmtiles"),
        basemap_land: file("land.geojson"),
        basemap_style: None,
        id: area.id.to_string(),
        attribution: area.attribution,
    })
}

/// Where the site has its files, by their logical names.
struct Site(BTreeMap<String, String>);

impl Site {
    fn open() -> Result<Self, Box<dyn Error>> {
        let manifest = fs::read_to_string("target/site/manifest.json").map_err(|_| "run `cargo xtask site` first")?;
        Ok(Self(serde_json::from_str(&manifest)?))
    }

    fn url(&self, name: &str) -> Result<String, Box<dyn Error>> {
        self.0.get(name).cloned().ok_or_else(|| format!("the site has no {name}").into())
    }
}
