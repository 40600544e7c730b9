//! The stops: what is next, where, and what its buttons say.

use doorstep_shared::{OrderStatus, protocol::courier::StopKind};

use crate::{
    courier::state::{Duty, Shift, StopCard},
    ui::{text::distance, time},
};

use super::{count, dotted};

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
    /// No stops, text.
    pub const NO_STOPS_HINT: &str = "New ones appear here by themselves.";
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
    /// Opens the proofs where none is asked for.
    pub const ADD_PROOF: &str = "Add photo or note";
    /// The chips' name for people who do not see them.
    pub const STATE: &str = "Position and network";
    /// Opens the account.
    pub const ACCOUNT: &str = "Account";
    /// Sends the reason.
    pub const REPORT: &str = "Report";
    /// Over the reasons.
    pub const REASON: &str = "What happened";
    /// The field for another reason.
    pub const OTHER_REASON: &str = "In your own words";
}

/// The longest name on a button.
const NAME_CHARS: usize = 14;

/// The screen's heading, heard rather than seen.
pub fn heading(shift: &Shift) -> String {
    match (shift.duty, shift.stops.len()) {
        (Duty::Off, _) => "You are offline".to_owned(),
        (_, 0) => fixed::NO_STOPS.to_owned(),
        (_, stops) => count(u32::try_from(stops).unwrap_or(u32::MAX), "stop", "stops"),
    }
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
        Some(at_ms) if !shift.stops.is_empty() => "done ".to_owned() + &time::clock(at_ms, &shift.locale),
        _ => String::new(),
    }
}

/// `Stop 1 · Deliver`.
pub fn label(_: &Shift, card: &StopCard) -> String {
    "Stop ".to_owned() + &card.stop.sequence.to_string() + " · " + kind(card.stop.kind)
}

/// What happens there.
pub fn kind(kind: StopKind) -> &'static str {
    match kind {
        StopKind::Pickup => "Pick up",
        StopKind::Dropoff => "Deliver",
        StopKind::Return => "Bring back",
    }
}

/// When the courier gets there, as a range.
pub fn arrival(shift: &Shift, card: &StopCard) -> String {
    match (card.earliest_ms, card.latest_ms) {
        (Some(earliest_ms), Some(latest_ms)) => time::range(earliest_ms, latest_ms, &shift.locale),
        (Some(at_ms), None) | (None, Some(at_ms)) => time::clock(at_ms, &shift.locale),
        (None, None) => String::new(),
    }
}

/// When the courier gets there, as one time: the middle of the range.
pub fn about(shift: &Shift, card: &StopCard) -> String {
    match (card.earliest_ms, card.latest_ms) {
        (Some(earliest_ms), Some(latest_ms)) => time::clock(earliest_ms + (latest_ms - earliest_ms) / 2, &shift.locale),
        _ => arrival(shift, card),
    }
}

/// Who is there, which order, how far.
pub fn detail(shift: &Shift, card: &StopCard) -> String {
    // A number never stands on another line than its unit.
    let distance =
        card.distance_m.map_or(String::new(), |metres| distance(metres, &shift.locale).replace(' ', "\u{a0}"));
    dotted([who(card), order(card), distance])
}

/// In the list: what is done there, for whom.
pub fn later_detail(_: &Shift, card: &StopCard) -> String {
    dotted([kind(card.stop.kind).to_owned(), order(card), who(card)])
}

fn who(card: &StopCard) -> String {
    card.stop.contact.as_ref().map_or(String::new(), |contact| contact.name.clone())
}

fn order(card: &StopCard) -> String {
    "Order ".to_owned() + &card.stop.reference
}

/// What the merchant or the customer asks for.
pub fn instructions(_: &Shift, card: &StopCard) -> String {
    card.stop.instructions.clone().unwrap_or_default()
}

/// The button that calls.
pub fn call(_: &Shift, card: &StopCard) -> String {
    let name = who(card);
    // A button has room for a short name; of a long one the first part says whom.
    let part = if name.chars().count() <= NAME_CHARS { &name } else { name.split_whitespace().next().unwrap_or("") };
    if part.is_empty() || part.chars().count() > NAME_CHARS { "Call".to_owned() } else { "Call ".to_owned() + part }
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
        OrderStatus::Created | OrderStatus::Assigned | OrderStatus::Returned | OrderStatus::Cancelled => "Saved",
    };
    done.to_owned() + " · waiting for network"
}

/// What the stop's main button says; empty when there is nothing to do.
pub fn action(card: &StopCard) -> &'static str {
    match card.next_status() {
        Some(OrderStatus::AtPickup | OrderStatus::AtDropoff) => "I have arrived",
        Some(OrderStatus::PickedUp) => "Picked up",
        Some(OrderStatus::Delivered) if card.proof.is_empty() => "Delivered",
        Some(OrderStatus::Delivered) => "Deliver",
        _ => "",
    }
}

/// The button for when it cannot be done.
pub fn failure(kind: StopKind) -> &'static str {
    match kind {
        StopKind::Pickup | StopKind::Return => "Could not pick up",
        StopKind::Dropoff => "Could not deliver",
    }
}

/// The usual reasons, as the customer and the dispatcher read them; [`OTHER`] follows them.
pub fn reasons(kind: StopKind) -> &'static [&'static str] {
    match kind {
        StopKind::Pickup | StopKind::Return => {
            &["Closed", "Order not known here", "Not ready", "Damaged", "Cannot find it"]
        }
        StopKind::Dropoff => &["Nobody answered", "Wrong address", "Refused", "Damaged", "Cannot find it"],
    }
}

/// After the reasons.
pub const OTHER: &str = "Other";
