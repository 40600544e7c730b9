//! Every text of the courier's screens, in one place.
//!
//! Sentence case, no exclamation marks, the reason before the remedy. Each function answers the text of one spot of a
//! screen from what the app knows; an empty answer means that the spot stays empty. The texts of each screen stand in a
//! module of its own; those in [`notices`] come from the engine.

pub mod account;
pub mod day;
pub mod door;
pub mod fail;
pub mod notices;
pub mod plan;
pub mod proof;
pub mod status;
pub mod stops;
pub mod trackers;

use super::{
    intent::Screen,
    state::{Door, Duty, Gps, Shift},
};
use crate::{live::connection::Health, ui::text::PRODUCT};

/// Texts of buttons and landmarks wherever they stand.
pub mod fixed {
    /// Leaves a screen.
    pub const BACK: &str = "Back";
    /// Closes a sheet without doing anything.
    pub const CANCEL: &str = "Cancel";
    /// Takes a notice away.
    pub const DISMISS: &str = "Dismiss";
    /// After something failed.
    pub const TRY_AGAIN: &str = "Try again";
    /// Puts a value into the clipboard.
    pub const COPY: &str = "Copy";
    /// After that.
    pub const COPIED: &str = "Copied";
    /// The switch that begins and ends sharing.
    pub const ONLINE: &str = "Online";
    /// Begins the shift.
    pub const GO_ONLINE: &str = "Go online";
    /// Ends it.
    pub const GO_OFFLINE: &str = "Go offline";
    /// Takes back what was pressed last.
    pub const UNDO: &str = "Undo";
    /// The list of notices, for people who do not see it.
    pub const NOTICES: &str = "Notices";
}

/// The window's title.
pub fn title(shift: &Shift) -> String {
    let title = match (shift.door, shift.screen) {
        (Door::Open, Screen::Stops | Screen::Plan) => stops::heading(shift),
        (Door::Open, Screen::Proof) => proof::fixed::HEADING.to_owned(),
        (Door::Open, Screen::Trackers) => trackers::fixed::HEADING.to_owned(),
        (Door::Open, Screen::Account) => account::fixed::HEADING.to_owned(),
        (door, _) => door::heading(door).to_owned(),
    };
    title + " · " + PRODUCT
}

/// How many notices follow the one that is shown; empty when it is the last.
pub fn more_notices(count: usize) -> String {
    if count == 0 { String::new() } else { count.to_string() + " more" }
}

/// What a button says that leads to a screen.
pub fn screen(screen: Screen) -> &'static str {
    match screen {
        Screen::Stops => "Your stops",
        Screen::Plan => plan::fixed::HEADING,
        Screen::Proof => proof::fixed::HEADING,
        Screen::Trackers => "Set up background tracking",
        Screen::Account => account::fixed::HEADING,
    }
}

/// What a screen reader says by itself: changes of the connection and of the position alone, not every metre.
pub fn spoken(shift: &Shift) -> &'static str {
    match (shift.duty, shift.gps, shift.health) {
        _ if shift.door != Door::Open => "",
        (Duty::Off, _, _) => "You are offline. Nothing is shared.",
        (Duty::GoingOnline, _, _) => "Looking for your position.",
        (Duty::Online, Gps::Denied | Gps::Lost | Gps::Unavailable, _) => "No position. Your location is not shared.",
        (Duty::Online, _, Health::NoNetwork) => "No network. Everything is kept on this phone.",
        (Duty::Online, Gps::Weak, _) => "Weak GPS.",
        (Duty::Online, _, Health::Reconnecting) => "Reconnecting.",
        (Duty::Online, Gps::Idle | Gps::Searching, _) => "Looking for your position.",
        (Duty::Online, Gps::Good { .. }, _) => "You are online and share your location.",
    }
}

/// `1 stop`, `2 stops`.
pub fn count(number: u32, one: &str, many: &str) -> String {
    let word = if number == 1 { one } else { many };
    number.to_string() + " " + word
}

/// The parts that are there, with a dot between.
pub fn dotted<const N: usize>(parts: [String; N]) -> String {
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}

#[cfg(test)]
pub(crate) mod tests;
