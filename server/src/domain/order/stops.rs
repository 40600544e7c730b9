//! A courier's open orders as the stops they still have to make.

use doorstep_shared::{
    OrderStatus,
    protocol::courier::{Contact, Stop, StopKind},
};

use super::{Order, Place};

/// A courier's open orders as stops, in driving order.
pub fn stops_of(open: &[Order]) -> Vec<Stop> {
    let stop = |order: &Order, kind: StopKind, place: &Place, contact: Option<Contact>| Stop {
        order_id: order.id,
        reference: order.reference.clone(),
        kind,
        sequence: 0,
        lat: place.point.lat(),
        lon: place.point.lon(),
        address: place.address.clone(),
        instructions: place.instructions.clone(),
        contact,
        status: order.status,
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
