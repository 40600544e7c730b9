//! What a screen reader says when something changes.

use super::{
    headline::{hero, label, status},
    proof,
};
use crate::{
    track::{arrival::Arrival, page::Page, phase::Phase},
    ui::text::join,
};

/// What a screen reader says when the state changes.
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

/// What a screen reader says as the arrival comes near; with 0 minutes, that it has passed.
pub fn spoken_minutes(page: &Page, minutes: i64) -> String {
    if minutes == 0 {
        return join(&[&label(page), ". ", &hero(page), "."]);
    }
    join(&["Arriving within ", &minutes.to_string(), " minutes."])
}
