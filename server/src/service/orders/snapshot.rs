//! Builds the first message of a customer's feed.
//!
//! The page, the socket, the event stream and the plain HTTP answer all show what this returns, so what a customer may
//! see is decided in one place.

use doorstep_shared::{
    OrderStatus,
    api::OrderEventView,
    protocol::customer::{CourierCard, Place as Pin, Snapshot, TimelineEntry, TrackedOrder as TrackedOrderView},
};

use crate::{
    domain::order::{TrackedOrder, Waypoint},
    live::tracker::{Sight, Tracker},
};

/// Everything that the customer of an order may see, at `now_ms`. `trail_since_ms` leaves out trail points that the
/// customer already has.
pub fn build(tracked: &TrackedOrder, tracker: &Tracker, trail_since_ms: Option<i64>, now_ms: i64) -> Snapshot {
    let order = &tracked.order;
    let sight = match &tracked.courier {
        Some(courier) if order.status.is_active() => tracker.sight(courier.id, order.id, trail_since_ms),
        _ => Sight::default(),
    };
    Snapshot {
        server_time_ms: now_ms,
        order: TrackedOrderView {
            reference: order.reference.clone(),
            status: order.status,
            status_at_ms: order.status_at.timestamp_millis(),
            stops_before: sight.stops_before,
            pickup: pin(&order.pickup),
            dropoff: pin(&order.dropoff),
            timeline: timeline(&tracked.timeline),
        },
        courier: tracked
            .courier
            .as_ref()
            .map(|courier| CourierCard { name: courier.name.clone(), vehicle: courier.vehicle }),
        position: sight.position,
        trail: sight.trail,
        eta: sight.eta,
    }
}

fn pin(waypoint: &Waypoint) -> Pin {
    Pin { lat: waypoint.point.lat(), lon: waypoint.point.lon(), label: waypoint.address.clone() }
}

/// The order's history without repeats: a reassignment leaves the status as it was and does not concern the customer.
fn timeline(events: &[OrderEventView]) -> Vec<TimelineEntry> {
    let mut entries: Vec<TimelineEntry> = Vec::with_capacity(events.len());
    let mut seen: Option<OrderStatus> = None;
    for event in events {
        if seen != Some(event.status) {
            entries.push(TimelineEntry { status: event.status, at_ms: event.at.timestamp_millis() });
            seen = Some(event.status);
        }
    }
    entries
}
