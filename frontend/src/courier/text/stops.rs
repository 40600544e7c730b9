//! The stops: what is next, where, and what its buttons say.

use std::borrow::Cow;

use doorstep_shared::{OrderStatus, protocol::courier::StopKind};

use crate::{
    courier::{
        intent::Screen,
        state::{Duty, Shift, StopCard},
    },
    ui::text::distance,
};

use super::{count, day, dotted, plan};

/// Said by fixed spots of the screen.
pub mod fixed {
    /// Before going online.
    pub const SHARING: &str = "Your location is shared only while you are online. Customers see it only while you are \
                               on the way to them.";
    /// What the browser does next.
    pub const WILL_ASK: &str = "The browser then asks for your location. Choose Allow.";
    /// While the first position is awaited.
    pub const SEARCHING: &str = "Looking for your position";
    /// How it goes faster.
    pub const SEARCHING_HINT: &str = "Allow the location if the browser asks. Outside it is found faster.";
    /// No stops, heading.
    pub const NO_STOPS: &str = "No stops yet";
    /// The same after stops were done.
    pub const NO_MORE_STOPS: &str = "No more stops";
    /// No stops, text.
    pub const NO_STOPS_HINT: &str = "New ones appear here by themselves.";
    /// Calls the shop or the kitchen.
    pub const CALL_PICKUP: &str = "Call pickup";
    /// Calls someone whose name does not fit on the button.
    pub const CALL_CUSTOMER: &str = "Call customer";
    /// Opens a maps app.
    pub const NAVIGATE: &str = "Navigate";
    /// The map's name for people who do not see it.
    pub const MAP: &str = "Map of the way to the next stop";
    /// The sketch's.
    pub const SKETCH: &str = "Sketch of the way to the next stop, without streets";
    /// The list after the next stop.
    pub const LATER: &str = "After that";
    /// The same list, while a later stop is in hand.
    pub const OTHERS: &str = "Other stops";
    /// Before an instruction, for people who do not see its colour.
    pub const NOTE: &str = "Note: ";
    /// Takes a stop that was chosen from the list away from the card again.
    pub const BACK_TO_NEXT: &str = "Back to the next stop";
    /// Says that the map has the door elsewhere.
    pub const DOOR_HERE: &str = "The door is here";
    /// Opens the proofs where none is asked for.
    pub const ADD_PROOF: &str = "Add photo or note";
    /// The chips' name for people who do not see them.
    pub const STATE: &str = "Position and network";
    /// Opens the account.
    pub const ACCOUNT: &str = "Account";
    /// Opens the whole tour.
    pub const PLAN: &str = "Whole tour";
    /// One of several orders was collected.
    pub const PICKED_UP_ONE: &str = "Picked up";
    /// One of several orders was handed over.
    pub const DELIVERED_ONE: &str = "Delivered";
    /// One of several orders cannot be done.
    pub const PROBLEM: &str = "Problem";
    /// The courier has read what changed.
    pub const READ: &str = "Got it";
    /// Before what stood there, for people who do not see that it is struck through.
    pub const BEFORE: &str = "Before: ";
}

/// The longest name on a button.
const NAME_CHARS: usize = 14;

/// The screen's heading, heard rather than seen.
pub fn heading(shift: &Shift) -> String {
    match (shift.duty, shift.stops.len()) {
        _ if shift.screen == Screen::Plan => plan::fixed::HEADING.to_owned(),
        (Duty::Off, _) => "You are offline".to_owned(),
        (_, 0) => no_stops(shift).to_owned(),
        (_, stops) => count(u32::try_from(stops).unwrap_or(u32::MAX), "stop", "stops"),
    }
}

/// Over an empty list: whether the courier's work begins or is done.
pub fn no_stops(shift: &Shift) -> &'static str {
    let is_begun = shift.undo.is_some() || shift.waiting_actions > 0 || !day::lines(shift).is_empty();
    if is_begun { fixed::NO_MORE_STOPS } else { fixed::NO_STOPS }
}

/// How many stops, in the header.
pub fn summary_count(shift: &Shift) -> String {
    match shift.stops.len() {
        0 => String::new(),
        stops => count(u32::try_from(stops).unwrap_or(u32::MAX), "stop", "stops"),
    }
}

/// When the last of them is done.
pub fn summary_done(shift: &Shift) -> String {
    match shift.done_at_ms {
        Some(at_ms) if !shift.stops.is_empty() => "done ".to_owned() + &shift.moment(at_ms),
        _ => String::new(),
    }
}

/// `Stop 1 · Deliver`.
pub fn label(_: &Shift, card: &StopCard) -> String {
    "Stop ".to_owned() + &card.stop.sequence.to_string() + " · " + kind(card.stop.kind)
}

/// Where: the heading of the card.
pub fn place(_: &Shift, card: &StopCard) -> String {
    match card.stop.kind {
        StopKind::Return => "Bring back to ".to_owned() + &card.stop.address,
        StopKind::Pickup | StopKind::Dropoff => card.stop.address.clone(),
    }
}

/// Whether a page translator may change that: not an address; before that of a way back stands a sentence.
pub fn translate(_: &Shift, card: &StopCard) -> String {
    if card.stop.kind == StopKind::Return { "yes" } else { "no" }.to_owned()
}

/// What the merchant promised the customer: `tomorrow 12:00–14:00`, `by 18:55`; of several orders the first that is due.
pub fn promise(shift: &Shift, card: &StopCard) -> String {
    let ends = |card: &StopCard| (card.stop.promised_from_ms, card.stop.promised_until_ms);
    let due = |ends: &(Option<i64>, Option<i64>)| (ends.1.is_none(), ends.1, ends.0);
    let promised = card.orders().map(ends).filter(|ends| *ends != (None, None));
    let text = match promised.min_by_key(due) {
        Some(ends) if card.stop.kind != StopKind::Return => shift.window(ends),
        _ => return String::new(),
    };
    match card.stop.kind {
        StopKind::Pickup => "at the door ".to_owned() + &text,
        _ if is_late(card) => text + ", late",
        _ => text,
    }
}

/// Whether the customer will get it later than promised.
pub fn is_late(card: &StopCard) -> bool {
    let is_late = |order: &StopCard| match (card.earliest_ms, order.stop.promised_until_ms) {
        (Some(earliest_ms), Some(until_ms)) => earliest_ms > until_ms,
        _ => false,
    };
    card.stop.kind == StopKind::Dropoff && card.orders().any(is_late)
}

/// How long the courier waits for the goods, and who knows.
pub fn wait(shift: &Shift, card: &StopCard) -> String {
    let Some(wait) = card.wait else { return String::new() };
    let since = "Waiting since ".to_owned() + &shift.moment(wait.since_ms);
    match card.stop.usual_wait_s {
        _ if wait.is_long && wait.is_told => since + ", longer than usual. Dispatch knows.",
        _ if wait.is_long => since + ", longer than usual.",
        Some(usual_s) => since + ". Usually " + &usual_s.div_ceil(60).max(1).to_string() + " min here.",
        None => since + ".",
    }
}

/// What is special about an order: `2nd attempt · Size 3 · Needs van, cold`.
pub fn facts(_: &Shift, card: &StopCard) -> String {
    let stop = &card.stop;
    let attempt = stop.attempt.filter(|attempt| *attempt > 1).map_or(String::new(), ordinal_attempt);
    let size = stop.size.filter(|size| *size > 1).map_or(String::new(), |size| "Size ".to_owned() + &size.to_string());
    let requires = stop.requires.as_deref().unwrap_or_default();
    let needs = if requires.is_empty() { String::new() } else { "Needs ".to_owned() + &requires.join(", ") };
    dotted([attempt, size, needs])
}

fn ordinal_attempt(attempt: u32) -> String {
    let ending = match (attempt % 10, attempt % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    attempt.to_string() + ending + " attempt"
}

/// The merchant's remark.
pub fn note(_: &Shift, card: &StopCard) -> String {
    card.stop.note.clone().unwrap_or_default()
}

/// What changed, each by a word: `Address changed`.
pub fn changed(_: &Shift, card: &StopCard) -> String {
    let things = |card: &StopCard| {
        card.changes.iter().map(|change| super::notices::changed_thing(&change.what)).collect::<Vec<_>>()
    };
    let mut things: Vec<&str> = card.orders().flat_map(things).collect();
    things.dedup();
    let Some(first) = things.first() else { return String::new() };
    let capital = first[..1].to_uppercase() + &first[1..];
    [vec![&*capital], things[1..].to_vec()].concat().join(", ") + " changed"
}

/// What happens there.
pub fn kind(kind: StopKind) -> &'static str {
    match kind {
        StopKind::Pickup => "Pick up",
        StopKind::Dropoff => "Deliver",
        StopKind::Return => "Bring back",
    }
}

/// When the courier gets there, as a range; empty once they are there.
pub fn arrival(shift: &Shift, card: &StopCard) -> String {
    match (card.earliest_ms, card.latest_ms) {
        _ if card.is_there() => String::new(),
        (Some(at_ms), None) | (None, Some(at_ms)) => shift.moment(at_ms),
        ends => shift.window(ends),
    }
}

/// When the courier gets there, as one time: the middle of the range.
pub fn about(shift: &Shift, card: &StopCard) -> String {
    match (card.earliest_ms, card.latest_ms) {
        (Some(earliest_ms), Some(latest_ms)) if !card.is_there() => {
            shift.moment(earliest_ms + (latest_ms - earliest_ms) / 2)
        }
        _ => arrival(shift, card),
    }
}

/// Who is there, which order, how far.
pub fn detail(shift: &Shift, card: &StopCard) -> String {
    // A number never stands on another line than its unit.
    let distance =
        card.distance_m.map_or(String::new(), |metres| distance(metres, &shift.locale).replace(' ', "\u{a0}"));
    let who = if card.others.is_empty() { who(card) } else { String::new() };
    dotted([who, order(card), distance])
}

/// In the list: what is done there, for whom.
pub fn later_detail(_: &Shift, card: &StopCard) -> String {
    let who = if card.others.is_empty() { who(card) } else { String::new() };
    dotted([kind(card.stop.kind).to_owned(), order(card), who])
}

/// Which order, and where: for a sheet about one order.
pub fn order_at(_: &Shift, card: &StopCard) -> String {
    dotted([card.stop.reference.clone(), card.stop.address.clone()])
}

/// One of several orders at a stop.
pub fn order_detail(shift: &Shift, card: &StopCard) -> String {
    dotted([card.stop.reference.clone(), who(card), facts(shift, card)])
}

fn who(card: &StopCard) -> String {
    card.stop.contact.as_ref().map_or(String::new(), |contact| contact.name.clone())
}

fn order(card: &StopCard) -> String {
    let references: Vec<&str> = card.orders().map(|card| &*card.stop.reference).collect();
    (if card.others.is_empty() { "Order " } else { "Orders " }).to_owned() + &references.join(", ")
}

/// What the merchant or the customer asks for.
pub fn instructions(_: &Shift, card: &StopCard) -> String {
    card.stop.instructions.clone().unwrap_or_default()
}

/// The button that calls, and whom: a place has the name of its address, and that is nobody's.
pub fn call(_: &Shift, card: &StopCard) -> String {
    if card.stop.kind != StopKind::Dropoff {
        return fixed::CALL_PICKUP.to_owned();
    }
    let name = who(card);
    // A button has room for a short name; of a long one the first part says whom.
    let part = if name.chars().count() <= NAME_CHARS { &name } else { name.split_whitespace().next().unwrap_or("") };
    if part.is_empty() || part.chars().count() > NAME_CHARS {
        return fixed::CALL_CUSTOMER.to_owned();
    }
    "Call ".to_owned() + part
}

/// What was pressed and is not with the server yet.
pub fn waiting(_: &Shift, card: &StopCard) -> String {
    if !card.is_waiting {
        return String::new();
    }
    let done = match card.status {
        OrderStatus::AtPickup | OrderStatus::AtDropoff => "Arrived",
        OrderStatus::PickedUp => "Picked up",
        OrderStatus::Delivered => "Delivered",
        OrderStatus::Failed => "Not delivered",
        _ if card.wait.is_some() => "Waiting for the goods",
        OrderStatus::Created | OrderStatus::Assigned | OrderStatus::Returned | OrderStatus::Cancelled => "Saved",
    };
    done.to_owned() + " · waiting for network"
}

/// What the stop's main button says; empty when there is nothing to do.
pub fn action(card: &StopCard) -> Cow<'static, str> {
    let all = |words: &str| Cow::Owned(words.to_owned() + " all (" + &card.count().to_string() + ")");
    let one = |words: &str| Cow::Owned(words.to_owned() + " " + &card.stop.reference);
    let is_one = card.others.is_empty();
    match card.next_status() {
        Some(OrderStatus::AtPickup | OrderStatus::AtDropoff) => "I have arrived".into(),
        Some(OrderStatus::PickedUp) if is_one => "Picked up".into(),
        Some(OrderStatus::PickedUp) => all("Picked up"),
        Some(OrderStatus::Delivered) if card.proof.is_empty() && is_one => "Delivered".into(),
        Some(OrderStatus::Delivered) if card.proof.is_empty() => one("Delivered"),
        Some(OrderStatus::Delivered) if is_one => "Deliver".into(),
        Some(OrderStatus::Delivered) => one("Deliver"),
        Some(OrderStatus::Returned) if is_one => "Brought back".into(),
        Some(OrderStatus::Returned) => all("Brought back"),
        _ => "".into(),
    }
}
