//! The whole tour, and moving stops within it.

use crate::courier::{
    plan::{Place, Reordering},
    state::{Shift, StopCard},
};

use super::stops;

/// Said by fixed spots of the screen.
pub mod fixed {
    /// The screen.
    pub const HEADING: &str = "Your tour";
    /// The sketch's name for people who do not see it.
    pub const SKETCH: &str = "Sketch of the whole tour, without streets";
    /// A stop whose place dispatch fixed.
    pub const LOCKED: &str = "Fixed by dispatch";
    /// What is dragged.
    pub const HANDLE: &str = "Drag to another place";
}

/// Why stops cannot be moved now; empty when they can.
pub fn obstacle(shift: &Shift) -> &'static str {
    match shift.reordering {
        _ if shift.stops.len() < 2 => "",
        Reordering::Allowed => "",
        Reordering::NotAllowed => "Dispatch decides the order of your stops.",
        Reordering::Offline => "No network. The order of your stops can be changed again when there is one.",
    }
}

/// What a button says that moves a stop.
pub fn place(to: Place) -> &'static str {
    match to {
        Place::Up => "Up",
        Place::Down => "Down",
        Place::Next => "Next",
        Place::Last => "Last",
        Place::At(_) => "",
    }
}

/// The same for people who do not see beside which stop it stands.
pub fn move_to(shift: &Shift, card: &StopCard, to: Place) -> String {
    let place = match to {
        Place::Up => " up",
        Place::Down => " down",
        Place::Next => " to the next place",
        Place::Last => " to the last place",
        Place::At(_) => "",
    };
    "Move ".to_owned() + &stops::place(shift, card) + place
}

/// Where a stop is now, after it was moved.
pub fn now_at(shift: &Shift, card: &StopCard) -> String {
    [&stops::place(shift, card), ": stop ", &card.stop.sequence.to_string(), " of ", &shift.stops.len().to_string()]
        .concat()
}
