//! Texts about orders: their status, their badge, and the lines of their row.

use doorstep_shared::OrderStatus;

use super::{distance, moment, pause_reason, tone};
use crate::{
    data::Locale,
    dispatch::fleet::{Courier, CourierIssue, Fleet, Order, Risk},
    map::plane::distance_m,
    ui::time::{self, MINUTE_MS},
};

/// What a status is called on the console.
pub const fn status(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Created => "Unassigned",
        OrderStatus::Assigned => "Assigned",
        OrderStatus::AtPickup => "At pickup",
        OrderStatus::PickedUp => "On the way",
        OrderStatus::AtDropoff => "At the door",
        OrderStatus::Delivered => "Delivered",
        OrderStatus::Failed => "Failed",
        OrderStatus::Returned => "Returned",
        OrderStatus::Cancelled => "Cancelled",
    }
}

/// What an event of the timeline is called.
pub const fn event(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Created => "Received",
        OrderStatus::Assigned => "Assigned",
        OrderStatus::AtPickup => "Arrived at the pickup",
        OrderStatus::PickedUp => "Picked up",
        OrderStatus::AtDropoff => "Arrived at the door",
        OrderStatus::Delivered => "Delivered",
        OrderStatus::Failed => "Could not be delivered",
        OrderStatus::Returned => "Brought back",
        OrderStatus::Cancelled => "Cancelled",
    }
}

/// What the button that sets a status says.
pub const fn action(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::AtPickup => "Arrived at pickup",
        OrderStatus::PickedUp => "Picked up",
        OrderStatus::AtDropoff => "Arrived at door",
        OrderStatus::Delivered => "Delivered",
        OrderStatus::Failed => "Could not deliver",
        OrderStatus::Returned => "Brought back",
        OrderStatus::Cancelled => "Cancel order",
        OrderStatus::Created | OrderStatus::Assigned => "Assign",
    }
}

/// The tone of a status.
const fn status_tone(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::PickedUp | OrderStatus::AtDropoff => tone::ACCENT,
        OrderStatus::Delivered => tone::OK,
        OrderStatus::Failed => tone::BAD,
        _ => tone::QUIET,
    }
}

/// An order's badge, as its tone and words: its risk, or else its status.
pub fn badge(fleet: &Fleet, order: &Order, at_ms: i64) -> (&'static str, String) {
    match fleet.risk(order, at_ms) {
        Some(Risk::Failed) => (tone::BAD, status(order.status).to_owned()),
        Some(Risk::Late { by_ms }) => (tone::BAD, format!("Late {}", time::span(by_ms.max(MINUTE_MS)))),
        Some(Risk::Courier(CourierIssue::Silent { since_ms })) => {
            (tone::WARN, format!("Silent {}", time::span(at_ms - since_ms)))
        }
        Some(Risk::Courier(CourierIssue::Paused { since_ms, .. })) => {
            (tone::WARN, format!("Paused {}", time::span(at_ms - since_ms)))
        }
        Some(Risk::Tight { left_ms }) => (tone::WARN, format!("Due in {}", time::span(left_ms))),
        None => (status_tone(order.status), status(order.status).to_owned()),
    }
}

/// The second line of an order in a list: its courier, and the distance to go or why it is at risk.
pub fn order_line(fleet: &Fleet, order: &Order, at_ms: i64, locale: &Locale) -> String {
    let courier = order.courier_id.and_then(|id| fleet.couriers.get(&id));
    let Some(courier) = courier else {
        let from = order.details.as_ref().map(|details| details.pickup.address.clone());
        return from.map_or_else(String::new, |from| format!("From {from}"));
    };
    if order.status.is_final() || order.status == OrderStatus::Failed {
        return courier.name.clone();
    }
    let matter = match fleet.risk(order, at_ms) {
        Some(Risk::Courier(CourierIssue::Paused { reason, .. })) => Some(pause_reason(reason).to_owned()),
        Some(Risk::Courier(CourierIssue::Silent { .. })) => Some("no position".to_owned()),
        _ => to_go(order, courier, locale),
    };
    let at_door = order.status == OrderStatus::AtDropoff;
    match matter.filter(|_| !at_door) {
        Some(matter) => format!("{} · {matter}", courier.name),
        None => courier.name.clone(),
    }
}

/// The distance from the courier to their next stop, as the crow flies.
fn to_go(order: &Order, courier: &Courier, locale: &Locale) -> Option<String> {
    let details = order.details.as_ref()?;
    let position = courier.position?;
    let is_loaded = order.is_loaded();
    let goal = if is_loaded { &details.dropoff } else { &details.pickup };
    let away = distance(distance_m([position.lon, position.lat], [goal.lon, goal.lat]), locale);
    Some(if is_loaded { format!("{away} to go") } else { format!("{away} to pickup") })
}

/// The time at the end of an order's row: when it was promised, or when it ended.
pub fn order_time(order: &Order, at_ms: i64, locale: &Locale) -> String {
    let clock = |ms: i64| moment(ms, at_ms, locale);
    if order.status.is_final() {
        return clock(order.status_at_ms);
    }
    match order.promised_until_ms() {
        Some(until_ms) => format!("by {}", clock(until_ms)),
        None => format!(
            "since {}",
            clock(order.details.as_ref().map_or(order.status_at_ms, |details| details.created_at.timestamp_millis()))
        ),
    }
}
