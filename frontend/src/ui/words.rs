//! Every word the tracking page says, in one place.
//!
//! Sentence case, no exclamation marks; times as clock times, freshness as "4 s ago"; the reason before the remedy.
//! Each function answers one spot of the page from what the page knows; an empty answer means that the spot stays empty.

use doorstep_shared::{
    OrderStatus, Vehicle,
    protocol::{PresenceReason, PresenceState, customer::Presence},
};

pub mod proof;

use super::time::{self, MINUTE_MS};
use crate::{
    data::Locale,
    live::feed::Link,
    track::{
        Page,
        arrival::{Arrival, Punctuality},
        page::Freshness,
        phase::Phase,
    },
};

/// What a text is about, for its colour; never the only sign of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing to notice.
    Quiet,
    /// All is well.
    Ok,
    /// Something is uncertain.
    Warn,
    /// Something went wrong.
    Bad,
}

impl Tone {
    /// The value of `data-tone`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// Said by the buttons and landmarks.
pub mod fixed {
    /// The product, after the page's own title.
    pub const PRODUCT: &str = "Doorstep";
    /// The map's name for people who do not see it.
    pub const MAP: &str = "Map of the delivery";
    /// The sketch's name.
    pub const SKETCH: &str = "Sketch of the delivery, without streets";
    /// Under the sketch.
    pub const SKETCH_NOTE: &str = "Sketch without streets";
    /// Takes the map back to courier and door.
    pub const RECENTER: &str = "Recenter";
    /// Gives the map most of the screen.
    pub const LARGER_MAP: &str = "Larger map";
    /// Gives it back.
    pub const SMALLER_MAP: &str = "Smaller map";
    /// Loads the page anew.
    pub const RELOAD: &str = "Reload";
    /// The four steps.
    pub const PROGRESS: &str = "Progress";
    /// The list of what happened.
    pub const TIMELINE: &str = "What happened so far";
    /// The order's places.
    pub const PLACES: &str = "From and to";
    /// The PIN before, and what was brought back from the door after.
    pub const DOOR: &str = "At the door";
    /// Before the address of the door, for people who do not see the house.
    pub const TO: &str = "To: ";
    /// Before the pickup, for people who do not see the bag.
    pub const FROM: &str = "From: ";
    /// After a step that is behind, unseen.
    pub const STEP_DONE: &str = ", done";
    /// After a step that is ahead, unseen.
    pub const STEP_AHEAD: &str = ", not yet";
}

/// The page's title and what a link preview may say: the state alone, without name, address or place.
pub fn title(page: &Page) -> &'static str {
    match Phase::of(page) {
        Phase::Received => "Order received",
        Phase::Assigned => "A courier is heading to the pickup",
        Phase::AtPickup => "Your order is being picked up",
        Phase::OnTheWay => "On the way",
        Phase::Near => "Almost there",
        Phase::Outside => "Your courier is outside",
        Phase::Delivered => "Delivered",
        Phase::Failed => "We could not deliver",
        Phase::Returned => "Returned",
        Phase::Cancelled => "Order cancelled",
    }
}

/// The state as one sentence about this order.
pub fn status(page: &Page) -> String {
    let name = courier_name(page);
    let order = &page.snapshot().order;
    match Phase::of(page) {
        Phase::Received => "Order received".to_owned(),
        Phase::Assigned if order.stops_before > 0 => join(&[&name, " will bring your order"]),
        Phase::Assigned => join(&[&name, " is heading to ", &order.pickup.label]),
        Phase::AtPickup => join(&[&name, " is picking up your order"]),
        Phase::OnTheWay => "On the way".to_owned(),
        Phase::Near => "Almost there".to_owned(),
        Phase::Outside => join(&[&name, " is outside"]),
        Phase::Delivered => join(&["Delivered", &at_time(page, OrderStatus::Delivered)]),
        Phase::Failed => "We could not deliver".to_owned(),
        Phase::Returned => join(&["Returned to ", &order.pickup.label]),
        Phase::Cancelled => "Order cancelled".to_owned(),
    }
}

/// The small line above the hero.
pub fn label(page: &Page) -> String {
    match (Phase::of(page), Arrival::of(page)) {
        (Phase::Delivered, _) => {
            let at_ms = page.snapshot().order.status_at_ms;
            match other_day(at_ms, page) {
                Some(date) => join(&["Delivered on ", &date, " at"]),
                None => "Delivered at".to_owned(),
            }
        }
        (Phase::Outside, _) | (_, Arrival::Unknown) => join(&["Order ", &page.snapshot().order.reference]),
        (_, Arrival::Promised { .. }) => "Expected".to_owned(),
        (_, Arrival::Expected { as_of_ms: Some(at_ms), .. }) => {
            join(&["Arriving, as of ", &time::clock(at_ms, &page.locale)])
        }
        (_, Arrival::Expected { punctuality, .. }) => match punctuality {
            Punctuality::OnTime => "Arriving",
            Punctuality::MayBeLate => "May be later than planned",
            Punctuality::WillBeLate => "Later than planned",
        }
        .to_owned(),
        (_, Arrival::Overdue { overdue_ms, .. }) => lateness(overdue_ms).to_owned(),
    }
}

/// What the small line is about.
pub fn label_tone(page: &Page) -> Tone {
    match (Phase::of(page), Arrival::of(page)) {
        (Phase::Delivered, _) => Tone::Ok,
        (Phase::Outside, _) => Tone::Quiet,
        (_, Arrival::Expected { punctuality: Punctuality::MayBeLate, .. }) => Tone::Warn,
        (_, Arrival::Expected { punctuality: Punctuality::WillBeLate, .. } | Arrival::Overdue { .. }) => Tone::Bad,
        _ => Tone::Quiet,
    }
}

/// The hero: the arrival where there is one, else the state.
pub fn hero(page: &Page) -> String {
    let locale = &page.locale;
    match (Phase::of(page), Arrival::of(page)) {
        (Phase::Delivered, _) => time::clock(page.snapshot().order.status_at_ms, locale),
        (Phase::Outside, _) => status(page),
        (_, Arrival::Promised { from_ms, until_ms }) => match (from_ms, until_ms) {
            (Some(from_ms), Some(until_ms)) => time::range(from_ms, until_ms, locale),
            (None, Some(until_ms)) => join(&["by ", &time::clock(until_ms, locale)]),
            (Some(from_ms), None) => join(&["from ", &time::clock(from_ms, locale)]),
            (None, None) => status(page),
        },
        (_, Arrival::Expected { from_ms, until_ms, .. } | Arrival::Overdue { from_ms, until_ms, .. }) => {
            time::range(from_ms, until_ms, locale)
        }
        (_, Arrival::Unknown) => status(page),
    }
}

/// Whether the hero is a sentence, which is set smaller than a time.
pub fn hero_is_sentence(page: &Page) -> bool {
    // What fits a phone of 320 pixels in the largest size.
    hero(page).chars().count() > 14
}

/// The line below the hero.
pub fn line(page: &Page) -> String {
    let order = &page.snapshot().order;
    match Phase::of(page) {
        Phase::Delivered => match page.snapshot().courier {
            Some(_) => join(&[&courier_name(page), " brought it to ", &order.dropoff.label]),
            None => order.dropoff.label.clone(),
        },
        Phase::Failed | Phase::Returned | Phase::Cancelled => after(page),
        Phase::Outside => {
            join(&["At ", &order.dropoff.label, " since ", &time::clock(order.status_at_ms, &page.locale)])
        }
        phase => {
            let hero_says_status = Arrival::of(page) == Arrival::Unknown;
            let detail = detail(page);
            match (hero_says_status, detail.is_empty()) {
                (true, true) => not_yet(phase).to_owned(),
                (true, false) => detail,
                (false, true) => status(page),
                (false, false) => join(&[&status(page), " · ", &detail]),
            }
        }
    }
}

/// The pill beside the label: how fresh what the page shows is. Empty where freshness means nothing.
pub fn pill(page: &Page) -> String {
    if page.status().is_final() || page.status() == OrderStatus::Failed {
        return String::new();
    }
    let is_live = page.link == Link::Live;
    let live = |age_ms: i64| join(&[if is_live { "Live · " } else { "Updated " }, &time::ago(age_ms)]);
    if let Some(pause) = page.pause() {
        return join(&["Paused ", &time::span(page.now_ms - pause.since_ms)]);
    }
    match page.freshness() {
        Freshness::Fresh { age_ms } => live(age_ms),
        Freshness::Stale { age_ms } | Freshness::Lost { age_ms } => join(&["Last seen ", &time::ago(age_ms)]),
        Freshness::Waiting => "No position yet".to_owned(),
        Freshness::Hidden if is_live => "Live".to_owned(),
        Freshness::Hidden => String::new(),
    }
}

/// What the pill is about.
pub fn pill_tone(page: &Page) -> Tone {
    match page.freshness() {
        Freshness::Stale { .. } | Freshness::Lost { .. } => Tone::Warn,
        _ if page.pause().is_some() => Tone::Warn,
        Freshness::Fresh { .. } | Freshness::Hidden if page.link == Link::Live => Tone::Ok,
        _ => Tone::Quiet,
    }
}

/// The quiet bar over the map's edge: what keeps news from coming, and what that means.
pub fn bar(page: &Page) -> String {
    match page.link {
        Link::Offline => join(&["You are offline. This is what was known at ", &known_at(page), "."]),
        Link::Reconnecting => "Reconnecting…".to_owned(),
        Link::Stopped => "Live updates have stopped.".to_owned(),
        _ => match (page.pause(), page.freshness()) {
            (Some(pause), _) => paused(page, pause),
            (None, Freshness::Lost { .. }) => {
                let since = page
                    .snapshot()
                    .position
                    .map_or(String::new(), |position| join(&[" since ", &time::clock(position.time_ms, &page.locale)]));
                join(&["No position from ", &courier_name(page), &since, "."])
            }
            _ => String::new(),
        },
    }
}

/// What the bar is about.
pub fn bar_tone(page: &Page) -> Tone {
    if page.link == Link::Reconnecting { Tone::Quiet } else { Tone::Warn }
}

/// The courier's name, or what stands for it.
pub fn courier_name(page: &Page) -> String {
    match &page.snapshot().courier {
        Some(courier) => courier.name.clone(),
        None => "Your courier".to_owned(),
    }
}

/// The heading of the courier's card.
pub fn courier_heading(page: &Page) -> String {
    match (&page.snapshot().courier, page.status().is_final()) {
        (Some(courier), _) => courier.name.clone(),
        (None, false) => "No courier yet".to_owned(),
        (None, true) => "No courier".to_owned(),
    }
}

/// The first letter of the courier's name, for the disc; empty without a name. The style sheet makes it a capital.
pub fn courier_initial(page: &Page) -> String {
    let name = page.snapshot().courier.as_ref().map_or("", |courier| courier.name.trim());
    name.chars().next().map_or(String::new(), String::from)
}

/// Below the courier's name.
pub fn courier_detail(page: &Page) -> String {
    let Some(courier) = &page.snapshot().courier else {
        return if page.status().is_final() { "Nobody was on the way." } else { "You will see here who brings it." }
            .to_owned();
    };
    let by = riding(courier.vehicle);
    if !page.status().is_active() {
        return by.to_owned();
    }
    join(&[by, " · ", &turn(page)])
}

/// The name of a step of the progress bar.
pub fn step(page: &Page, index: usize) -> &'static str {
    match (index, Phase::of(page)) {
        (0, _) => "Received",
        (1, _) => "Picked up",
        (2, _) => "On the way",
        (_, Phase::Failed) => "Not delivered",
        (_, Phase::Returned) => "Returned",
        (_, Phase::Cancelled) => "Cancelled",
        _ => "Delivered",
    }
}

/// Below the address of the door: the merchant's remark for the courier, and later the courier's own.
pub fn dropoff_detail(page: &Page) -> String {
    let over = page.status().is_final();
    match (&page.order.note, &page.order.instructions) {
        (Some(note), _) if over && page.status() == OrderStatus::Delivered => join(&["Note: ", note]),
        (_, Some(instructions)) if !over => instructions.clone(),
        _ => String::new(),
    }
}

/// Below the pickup.
pub fn pickup_detail(page: &Page) -> String {
    let reference = join(&["Order ", &page.snapshot().order.reference]);
    match page.reached_at_ms(OrderStatus::PickedUp) {
        Some(at_ms) => join(&[&reference, " · picked up at ", &time::clock(at_ms, &page.locale)]),
        None => reference,
    }
}

/// A line of the timeline.
pub fn happened(page: &Page, status: OrderStatus) -> String {
    match status {
        OrderStatus::Created => "Order received".to_owned(),
        OrderStatus::Assigned => join(&[&courier_name(page), " took the order"]),
        OrderStatus::AtPickup => join(&["At ", &page.snapshot().order.pickup.label]),
        OrderStatus::PickedUp => "Picked up".to_owned(),
        OrderStatus::AtDropoff => "At your door".to_owned(),
        OrderStatus::Delivered => "Delivered".to_owned(),
        OrderStatus::Failed => "Could not be delivered".to_owned(),
        OrderStatus::Returned => join(&["Returned to ", &page.snapshot().order.pickup.label]),
        OrderStatus::Cancelled => "Cancelled".to_owned(),
    }
}

/// When a line of the timeline was; empty when it was not.
pub fn happened_at(page: &Page, status: OrderStatus) -> String {
    page.reached_at_ms(status).map_or(String::new(), |at_ms| time::clock(at_ms, &page.locale))
}

/// What a screen reader is told when the state changes.
pub fn spoken_status(page: &Page) -> String {
    let pin = proof::pin_digits(page);
    if Phase::of(page) == Phase::Outside && !pin.is_empty() {
        return join(&[&status(page), ". Your PIN is ", &proof::spelled(&pin), "."]);
    }
    let arrival = Arrival::of(page);
    let hero_is_time = arrival != Arrival::Unknown && Phase::of(page) != Phase::Outside;
    if hero_is_time {
        join(&[&status(page), ". ", &label(page), " ", &hero(page), "."])
    } else {
        join(&[&status(page), "."])
    }
}

/// What a screen reader is told as the arrival comes near; 0 minutes are told when it has passed.
pub fn spoken_minutes(page: &Page, minutes: i64) -> String {
    if minutes == 0 {
        return join(&[&label(page), ". ", &hero(page), "."]);
    }
    join(&["Arriving within ", &minutes.to_string(), " minutes."])
}

/// The message of a page without an order: what is the case, and what helps.
pub fn message(link: &crate::data::LinkState) -> (&'static str, &'static str) {
    use crate::data::LinkState;
    match link {
        LinkState::Expired => ("This link has ended", "The delivery was a while ago, so it is not shown any more."),
        LinkState::Unknown => {
            ("We do not know this link", "Check that it was copied whole, or ask whoever sent it to send it again.")
        }
        LinkState::Unavailable | LinkState::Live(_) | LinkState::Ended(_) => {
            ("We cannot look this up right now", "This page tries again by itself every few seconds.")
        }
    }
}

/// A distance: `250 m`, `1.1 km`, `900 ft`, `0.7 mi`.
pub fn distance(metres: u32, locale: &Locale) -> String {
    if !locale.miles {
        // Finer than a phone can tell would look exact and is not.
        let rounded_m = (metres + 5) / 10 * 10;
        return if rounded_m < 1_000 {
            join(&[&rounded_m.to_string(), " m"])
        } else {
            tenths((metres + 50) / 100, " km")
        };
    }
    let feet = metres * 3_281 / 1_000;
    if feet < 1_000 {
        join(&[&((feet + 25) / 50 * 50).to_string(), " ft"])
    } else {
        tenths((metres * 10 + 804) / 1_609, " mi")
    }
}

fn tenths(count: u32, unit: &str) -> String {
    join(&[&(count / 10).to_string(), ".", &(count % 10).to_string(), unit])
}

/// What stands behind the status: how far, or how many stops.
fn detail(page: &Page) -> String {
    let stops_before = page.snapshot().order.stops_before;
    let on_the_way = matches!(Phase::of(page), Phase::OnTheWay | Phase::Near);
    if page.status().is_active() && stops_before > 0 {
        return stops(stops_before);
    }
    match page.snapshot().eta {
        // A distance from a position that is lost says nothing.
        Some(eta) if on_the_way && page.drawn_position().is_some() => {
            join(&[&distance(eta.remaining_m, &page.locale), " to your door"])
        }
        _ => String::new(),
    }
}

fn not_yet(phase: Phase) -> &'static str {
    match phase {
        Phase::Received => "The arrival time follows.",
        _ => "The arrival time is not known yet.",
    }
}

/// What follows when it did not end at the door: the reason first.
fn after(page: &Page) -> String {
    let pickup = &page.snapshot().order.pickup.label;
    let follows = match Phase::of(page) {
        Phase::Failed => join(&["The order goes back to ", pickup, ". Please ask them for another delivery."]),
        Phase::Returned => join(&["Please ask ", pickup, " for another delivery."]),
        _ => join(&["Nothing will be brought. Questions go to ", pickup, "."]),
    };
    match page.order.note.as_deref().map(str::trim).filter(|note| !note.is_empty()) {
        Some(note) => join(&[note, if is_closed(note) { " " } else { ". " }, &follows]),
        None => follows,
    }
}

/// Whether somebody's note ends like a sentence.
fn is_closed(note: &str) -> bool {
    note.ends_with(['.', '…', '!', '?'])
}

/// One text out of several. Kept out of line: the page says so much that each place it is built costs a phone bytes.
#[inline(never)]
fn join(parts: &[&str]) -> String {
    parts.concat()
}

fn paused(page: &Page, pause: Presence) -> String {
    let name = courier_name(page);
    if pause.state == PresenceState::OffDuty {
        return join(&[&name, " is off duty, so no position comes."]);
    }
    let reason = match pause.reason {
        Some(PresenceReason::ScreenLocked) => "’s phone was locked, so no position comes.",
        Some(PresenceReason::NoPermission) => "’s phone does not give its position.",
        Some(PresenceReason::NoSignal) => "’s phone has no GPS signal.",
        Some(PresenceReason::LowBattery) => "’s phone is saving its battery, so no position comes.",
        Some(PresenceReason::User) | None => " is not sharing a position right now.",
    };
    join(&[&name, reason])
}

fn lateness(overdue_ms: i64) -> &'static str {
    if overdue_ms < 10 * MINUTE_MS { "A few minutes late" } else { "Later than expected" }
}

fn riding(vehicle: Vehicle) -> &'static str {
    match vehicle {
        Vehicle::Foot => "on foot",
        Vehicle::Bicycle => "by bicycle",
        Vehicle::Scooter => "by scooter",
        Vehicle::Motorcycle => "by motorcycle",
        Vehicle::Car => "by car",
        Vehicle::Van => "by van",
    }
}

fn turn(page: &Page) -> String {
    match page.snapshot().order.stops_before {
        0 => "you are next".to_owned(),
        count => stops(count),
    }
}

fn stops(count: u32) -> String {
    join(&[&count.to_string(), if count == 1 { " stop before you" } else { " stops before you" }])
}

fn known_at(page: &Page) -> String {
    let snapshot = page.snapshot();
    let newest_ms = snapshot.position.map_or(snapshot.server_time_ms, |position| position.time_ms);
    time::clock(newest_ms, &page.locale)
}

fn at_time(page: &Page, status: OrderStatus) -> String {
    let at_ms = page.reached_at_ms(status).unwrap_or(page.snapshot().order.status_at_ms);
    let at = join(&[" at ", &time::clock(at_ms, &page.locale)]);
    match other_day(at_ms, page) {
        Some(date) => join(&[" on ", &date, &at]),
        None => at,
    }
}

/// The date, when it is not today's.
fn other_day(at_ms: i64, page: &Page) -> Option<String> {
    let today = time::day(page.now_ms, &page.locale);
    (time::day(at_ms, &page.locale) != today).then(|| time::date(at_ms, &page.locale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        data::PromisedWindow,
        track::page::tests::{NOW_MS, in_status, on_the_way, position},
    };

    fn with(change: impl FnOnce(&mut Page)) -> Page {
        let mut page = on_the_way();
        change(&mut page);
        page
    }

    #[test]
    fn every_state_has_the_words_that_were_agreed() {
        for (state, words) in [
            (OrderStatus::Created, "Order received"),
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
        let near = with(|page| page.order.snapshot.eta.as_mut().expect("an arrival").remaining_m = 250);
        assert_eq!((status(&near), line(&near)), ("Almost there".into(), "Almost there · 250 m to your door".into()));
    }

    #[test]
    fn on_the_way_reads_as_designed() {
        let page = with(|page| page.link = Link::Live);
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
    fn other_stops_come_first_in_words() {
        for (stops_before, expected) in [(1, "by scooter · 1 stop before you"), (2, "by scooter · 2 stops before you")]
        {
            let page = with(|page| page.order.snapshot.order.stops_before = stops_before);
            assert_eq!(courier_detail(&page), expected);
        }
        let page = with(|page| page.order.snapshot.order.stops_before = 2);
        assert_eq!(line(&page), "On the way · 2 stops before you");
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
        let created = in_status(OrderStatus::Created);
        assert_eq!(hero(&created), "Order received");
        assert_eq!(line(&created), "The arrival time follows.");
        let mut promised = in_status(OrderStatus::Created);
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
            "Nobody answered the door. The order goes back to Harbour Kitchen. Please ask them for another delivery."
        );
        let mut cancelled = in_status(OrderStatus::Cancelled);
        cancelled.order.note = Some("The kitchen is closed.".into());
        assert_eq!(
            line(&cancelled),
            "The kitchen is closed. Nothing will be brought. Questions go to Harbour Kitchen."
        );
        let mut delivered = in_status(OrderStatus::Delivered);
        delivered.order.note = Some("left with concierge".into());
        assert_eq!(dropoff_detail(&delivered), "Note: left with concierge");
        assert_eq!((label(&delivered).as_str(), hero(&delivered).as_str()), ("Delivered at", "18:31"));
        delivered.now_ms += 24 * 60 * MINUTE_MS;
        assert_eq!(label(&delivered), "Delivered on 21 November at");
        assert_eq!(status(&delivered), "Delivered on 21 November at 18:31");
    }

    #[test]
    fn the_title_names_nobody_and_no_place() {
        for state in OrderStatus::ALL {
            let title = title(&in_status(state));
            assert!(!title.contains("Ana") && !title.contains("Harbour") && !title.contains("Triq"), "{title}");
        }
    }

    #[test]
    fn distances_are_as_fine_as_a_phone_can_tell() {
        let metric = on_the_way().locale;
        let miles = Locale { miles: true, ..metric.clone() };
        for (metres, km, mi) in [
            (4, "0 m", "0 ft"),
            (247, "250 m", "800 ft"),
            (994, "990 m", "2.0 mi"),
            (996, "1.0 km", "0.6 mi"),
            (1_149, "1.1 km", "0.7 mi"),
            (12_345, "12.3 km", "7.7 mi"),
        ] {
            assert_eq!(distance(metres, &metric), km);
            if mi != "2.0 mi" {
                assert_eq!(distance(metres, &miles), mi);
            }
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
}
