//! Builds the first message of a customer's feed.
//!
//! The page, the socket, the event stream and the plain HTTP answer all show what this returns, so what a customer may
//! see is decided in one place.

use doorstep_shared::{
    OrderStatus,
    api::{OrderEventView, change::OrderEventKind},
    protocol::customer::{CourierCard, Place as Pin, Snapshot, TimelineEntry, TrackedOrder as TrackedOrderView},
};

use crate::{
    domain::order::{TrackedOrder, Waypoint, visibility},
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
            .map(|courier| CourierCard { name: visibility::first_name(&courier.name), vehicle: courier.vehicle }),
        position: sight.position,
        trail: sight.trail,
        eta: sight.eta,
    }
}

fn pin(waypoint: &Waypoint) -> Pin {
    Pin { lat: waypoint.point.lat(), lon: waypoint.point.lon(), label: waypoint.address.clone() }
}

/// The steps that the order took. None repeats, for a reassignment leaves the status as it was. A courier who lost the
/// order did take it, and its customer read their name: that it waits for another one is a step of its own. So is a
/// failure before another attempt. An end that was a mistake never was.
fn timeline(events: &[OrderEventView]) -> Vec<TimelineEntry> {
    let mut entries: Vec<TimelineEntry> = Vec::with_capacity(events.len());
    for event in events {
        match event.kind {
            OrderEventKind::Edited | OrderEventKind::LateReport | OrderEventKind::GoodsReturned => continue,
            OrderEventKind::Reopened => {
                entries.pop_if(|last| last.status.is_final());
                undo_to(&mut entries, event.status);
            }
            _ => {}
        }
        if entries.last().is_none_or(|last| last.status != event.status) {
            entries.push(TimelineEntry { status: event.status, at_ms: event.at.timestamp_millis() });
        }
    }
    entries
}

/// Removes the steps of the present attempt after `status`; that a courier took the order is true of one that waits for
/// the next, too.
fn undo_to(entries: &mut Vec<TimelineEntry>, status: OrderStatus) {
    if let Some(step) = status.step().max(OrderStatus::Assigned.step()) {
        while entries.pop_if(|last| last.status.step().is_some_and(|later| later > step)).is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use OrderEventKind::{
        Assigned as Gave, Attempt, Edited, GivenBack, LateReport, NotReady, Reopened, Status, Unassigned,
    };
    use OrderStatus::{Assigned, AtDropoff, AtPickup, Cancelled, Created, Delivered, Failed, PickedUp};

    use super::*;
    use crate::platform::clock::from_ms;

    /// What a customer reads, with the minute of each step.
    fn reads(history: &[(OrderEventKind, OrderStatus)]) -> Vec<(OrderStatus, i64)> {
        let event = |(minute, (kind, status)): (i64, &(OrderEventKind, OrderStatus))| OrderEventView {
            kind: *kind,
            status: *status,
            at: from_ms(minute),
            note: None,
            actor: None,
            actor_name: None,
            courier_id: None,
            courier_name: None,
            changes: None,
        };
        let events: Vec<_> = (0..).zip(history).map(event).collect();
        timeline(&events).into_iter().map(|entry| (entry.status, entry.at_ms)).collect()
    }

    #[test]
    fn steps_are_read_once_and_what_is_no_step_is_not_read() {
        let history = [
            (Status, Created),
            (Gave, Assigned),
            (Edited, Assigned),
            (NotReady, AtPickup),
            (NotReady, AtPickup),
            (Gave, AtPickup),
            (LateReport, Delivered),
            (Status, PickedUp),
        ];
        assert_eq!(reads(&history), [(Created, 0), (Assigned, 1), (AtPickup, 3), (PickedUp, 7)]);
    }

    #[test]
    fn an_order_whose_courier_lost_it_waits_for_another_one() {
        let mut history = vec![(Status, Created), (Gave, Assigned), (Status, AtPickup), (GivenBack, Created)];
        assert_eq!(reads(&history), [(Created, 0), (Assigned, 1), (AtPickup, 2), (Created, 3)]);
        history.extend([(Gave, Assigned), (Unassigned, Created), (Gave, Assigned)]);
        assert_eq!(reads(&history)[4..], [(Assigned, 4), (Created, 5), (Assigned, 6)]);
    }

    #[test]
    fn a_failure_and_the_next_attempt_are_both_read() {
        let history = [
            (Status, Created),
            (Gave, Assigned),
            (Status, PickedUp),
            (Status, Failed),
            (Attempt, Assigned),
            (Unassigned, Created),
            (Gave, Assigned),
            (Status, PickedUp),
            (Status, Delivered),
        ];
        let expected = [
            (Created, 0),
            (Assigned, 1),
            (PickedUp, 2),
            (Failed, 3),
            (Assigned, 4),
            (Created, 5),
            (Assigned, 6),
            (PickedUp, 7),
            (Delivered, 8),
        ];
        assert_eq!(reads(&history), expected);
    }

    #[test]
    fn an_end_that_was_a_mistake_is_not_read() {
        let history =
            [(Status, Created), (Gave, Assigned), (Status, AtDropoff), (Status, Delivered), (Reopened, AtDropoff)];
        assert_eq!(reads(&history), [(Created, 0), (Assigned, 1), (AtDropoff, 2)]);
        let without_courier = [(Status, Created), (Gave, Assigned), (Status, Delivered), (Reopened, Created)];
        assert_eq!(reads(&without_courier), [(Created, 0), (Assigned, 1), (Created, 3)]);
        let never_assigned = [(Status, Created), (Status, Cancelled), (Reopened, Created)];
        assert_eq!(reads(&never_assigned), [(Created, 0)]);
    }
}
