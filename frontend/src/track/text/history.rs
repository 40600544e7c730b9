//! The steps of the progress bar, and what happened so far.

use doorstep_shared::OrderStatus;

use super::people::courier_name;
use crate::{
    track::{page::Page, phase::Phase},
    ui::{text::join, time},
};

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
