//! The title, and the headline: when the order arrives, or what became of it.

use doorstep_shared::{OrderStatus, protocol::customer::EtaWhy};

use super::people::{courier_name, stops};
use crate::{
    track::{
        arrival::{Arrival, Punctuality},
        page::Page,
        phase::Phase,
    },
    ui::{
        text::{Tone, distance, join},
        time::{self, MINUTE_MS},
    },
};

/// The page's title and what a link preview may say: the state alone, without name, address or place.
pub fn title(page: &Page) -> &'static str {
    match Phase::of(page) {
        Phase::Received => "Order received",
        Phase::Assigned if page.is_next_attempt() => "We will try again",
        Phase::Assigned if page.is_for_later() => "A courier will bring your order",
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
        Phase::Received if page.lost_its_courier() => "Another courier is being found".to_owned(),
        Phase::Received => "Order received".to_owned(),
        Phase::Assigned if page.is_next_attempt() => join(&[&name, " will try again"]),
        Phase::Assigned if order.stops_before > 0 || page.is_for_later() => join(&[&name, " will bring your order"]),
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
            let day = time::day_name(page.snapshot().order.status_at_ms, page.now_ms, &page.locale);
            if day.is_empty() { "Delivered at".to_owned() } else { join(&["Delivered on ", &day, " at"]) }
        }
        (Phase::Outside, _) | (_, Arrival::Unknown) => join(&["Order ", &page.snapshot().order.reference]),
        (_, Arrival::Promised { .. }) => "Expected".to_owned(),
        (_, Arrival::Expected { as_of_ms: Some(at_ms), .. }) => join(&["Arriving, as of ", &page.moment(at_ms)]),
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
    let window = |ends| time::window(ends, page.now_ms, &page.locale);
    match (Phase::of(page), Arrival::of(page)) {
        (Phase::Delivered, _) => time::clock(page.snapshot().order.status_at_ms, &page.locale),
        (Phase::Outside, _) => status(page),
        (_, Arrival::Promised { from_ms, until_ms }) => window((from_ms, until_ms)),
        (_, Arrival::Expected { from_ms, until_ms, .. } | Arrival::Overdue { from_ms, until_ms, .. }) => {
            window((Some(from_ms), Some(until_ms)))
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
        Phase::Outside => join(&["At ", &order.dropoff.label, " since ", &page.moment(order.status_at_ms)]),
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

/// Why the arrival is less certain, or later, than the way alone would make it.
const fn reason(why: EtaWhy) -> &'static str {
    match why {
        EtaWhy::Standing => "standing still for some minutes",
        EtaWhy::Silent => "no position for some minutes",
        EtaWhy::OffWay => "taking another way than planned",
        EtaWhy::WaitingAtPickup => "your order is not ready yet",
    }
}

/// What follows the status: how many stops, what is in doubt, or how far.
fn detail(page: &Page) -> String {
    let stops_before = page.snapshot().order.stops_before;
    let on_the_way = matches!(Phase::of(page), Phase::OnTheWay | Phase::Near);
    if page.status().is_active() && stops_before > 0 {
        return stops(stops_before);
    }
    if let Some(why) = page.snapshot().eta.and_then(|eta| eta.why) {
        return reason(why).to_owned();
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

/// What follows when the order did not end at the door: the reason first.
fn after(page: &Page) -> String {
    let pickup = &page.snapshot().order.pickup.label;
    let follows = match Phase::of(page) {
        // Whether it is tried again is not decided yet.
        Phase::Failed if page.was_collected() => join(&[
            "It is still with the courier. If we try again, you see it here; if not, it goes back to ",
            pickup,
            ".",
        ]),
        Phase::Failed => join(&[pickup, " could not hand the order over. Please ask them for another delivery."]),
        Phase::Cancelled if page.was_collected() => {
            join(&["The order goes back to ", pickup, ". Questions go to them."])
        }
        Phase::Returned => join(&["Please ask ", pickup, " for another delivery."]),
        _ => join(&["Nothing will be brought. Questions go to ", pickup, "."]),
    };
    match page.order.note.as_deref().map(str::trim).filter(|note| !note.is_empty()) {
        Some(note) => join(&[note, if is_closed(note) { " " } else { ". " }, &follows]),
        None => follows,
    }
}

/// Whether a note ends like a sentence.
fn is_closed(note: &str) -> bool {
    note.ends_with(['.', '…', '!', '?'])
}

fn lateness(overdue_ms: i64) -> &'static str {
    if overdue_ms < 10 * MINUTE_MS { "A few minutes late" } else { "Later than expected" }
}

fn at_time(page: &Page, status: OrderStatus) -> String {
    let at_ms = page.reached_at_ms(status).unwrap_or(page.snapshot().order.status_at_ms);
    join(&[" ", &page.at(at_ms)])
}
