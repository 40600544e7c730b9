//! A courier's open orders as the stops they still have to make.
//!
//! The live view sends them to the courier's phones, and the tour gives a time to each.

use doorstep_shared::{
    OrderStatus,
    protocol::courier::{Contact, Stop, StopKind},
};

use super::{Order, Waypoint};

/// A courier's open orders as stops, in driving order.
pub fn stops_of(open: &[Order]) -> Vec<Stop> {
    let stop = |order: &Order, kind: StopKind, waypoint: &Waypoint, contact: Option<Contact>| Stop {
        lat: waypoint.point.lat(),
        lon: waypoint.point.lon(),
        address: waypoint.address.clone(),
        instructions: waypoint.instructions.clone(),
        contact,
        promised_from_ms: order.promised_from.map(|at| at.timestamp_millis()),
        promised_until_ms: order.promised_until.map(|at| at.timestamp_millis()),
        ..Stop::plain(order.id, order.reference.as_str(), kind, order.status)
    };
    let mut stops: Vec<Stop> = Vec::with_capacity(open.len() * 2);
    for order in open {
        if matches!(order.status, OrderStatus::Assigned | OrderStatus::AtPickup) {
            stops.push(stop(order, StopKind::Pickup, &order.pickup, None));
        }
        let customer = Contact { name: order.customer.name.clone(), phone: order.customer.phone.clone() };
        stops.push(stop(order, StopKind::Dropoff, &order.dropoff, Some(customer)));
    }
    for (sequence, stop) in (1..).zip(&mut stops) {
        stop.sequence = sequence;
    }
    stops
}
