//! The day so far, and the office.

use crate::{courier::state::Shift, ui::text::distance};

use super::count;

/// Said by fixed spots of the screens.
pub mod fixed {
    /// The section.
    pub const HEADING: &str = "Today";
    /// The section with the office's number.
    pub const OFFICE: &str = "Dispatch";
}

/// What was done, line by line; empty before anything was.
pub fn lines(shift: &Shift) -> Vec<String> {
    let Some(day) = shift.day else { return Vec::new() };
    let some = |number: u32, words: &str| (number > 0).then(|| number.to_string() + words);
    let metres = (day.metres > 0).then(|| distance(day.metres, &shift.locale));
    let delivered = (day.delivered > 0).then(|| count(day.delivered, "order delivered", "orders delivered"));
    [delivered, some(day.failed, " could not be delivered"), some(day.returned, " brought back"), metres]
        .into_iter()
        .flatten()
        .collect()
}
