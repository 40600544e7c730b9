//! A courier's plan as the stops that their phones show.
//!
//! The live view sends them to the courier's phones, and the tour gives a time to each.

use doorstep_shared::{
    LatLon, Vehicle,
    protocol::{
        courier::{Contact, Stop, StopArrival, StopKind, Stops},
        customer::Eta,
    },
};

use super::Order;
use crate::domain::{
    plan::{Planned, place_of},
    track::{
        eta::Window,
        progress::estimated_street_m,
        tour::{Arrival, Visit, arrivals},
    },
};

/// A courier's stops in the order of their plan, without arrival times.
pub fn stops_of(planned: &Planned) -> Stops {
    let locked = planned.plan.locked;
    let stops = planned.stops().enumerate().map(|(at, (stop, order))| Stop {
        sequence: at as u32 + 1,
        locked: (at < locked).then_some(true),
        ..stop_of(order, stop.kind)
    });
    Stops { stops: stops.collect(), version: Some(planned.plan.version) }
}

fn stop_of(order: &Order, kind: StopKind) -> Stop {
    let place = place_of(order, kind);
    let some = |words: &[String]| (!words.is_empty()).then(|| words.to_vec());
    Stop {
        lat: place.point.lat(),
        lon: place.point.lon(),
        address: place.address.clone(),
        instructions: place.instructions.clone(),
        contact: contact_at(order, kind),
        promised_from_ms: order.promised_from.map(|at| at.timestamp_millis()),
        promised_until_ms: order.promised_until.map(|at| at.timestamp_millis()),
        changed: some(&order.seen.unseen_changes),
        size: Some(order.demands.size).filter(|size| *size != 1),
        attempt: Some(order.attempt).filter(|attempt| *attempt != 1),
        requires: some(&order.demands.requires),
        note: order.demands.note.clone(),
        ..Stop::plain(order.id, order.reference.as_str(), kind, order.status)
    }
}

/// The customer at the door; at the pickup the shop, where its number is known.
fn contact_at(order: &Order, kind: StopKind) -> Option<Contact> {
    if kind == StopKind::Dropoff {
        return Some(Contact { name: order.customer.name.clone(), phone: order.customer.phone.clone() });
    }
    let phone = order.pickup.phone.clone()?;
    // The first part of an address is what the place is called: "Harbour Kitchen, Valletta".
    let name = order.pickup.address.split(',').next().unwrap_or_default().trim().to_owned();
    Some(Contact { name, phone: Some(phone) })
}

/// What is known of a courier when the times of their stops are guessed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whence {
    /// Where they are.
    pub here: Option<LatLon>,
    /// What they ride.
    pub vehicle: Option<Vehicle>,
    /// The newest estimate that a customer was told; it is that of the visible order.
    pub eta: Option<Eta>,
}

/// When the courier should be at each stop, from where they are and the straight line between the stops; `None` while
/// their place is unknown.
pub fn guessed_arrivals(planned: &Planned, whence: &Whence, now_ms: i64) -> Option<Vec<Arrival>> {
    let (mut from, vehicle) = (whence.here?, whence.vehicle?);
    let told = planned.visible().map(|order| order.id).zip(whence.eta);
    let visits = planned.stops().map(|(stop, order)| {
        let to = place_of(order, stop.kind).point;
        let leg_m = estimated_street_m(std::mem::replace(&mut from, to), to);
        let is_told = told.filter(|(told, _)| *told == order.id && stop.kind == StopKind::Dropoff);
        let customer_range = is_told.map(|(_, eta)| Window { earliest_ms: eta.earliest_ms, latest_ms: eta.latest_ms });
        Visit { kind: stop.kind, leg_m, customer_range, service_s: order.demands.service_s }
    });
    Some(arrivals(&visits.collect::<Vec<_>>(), vehicle, now_ms))
}

/// Adds the times to the stops of the same plan.
pub fn with_arrivals(mut stops: Stops, arrivals: &[Arrival]) -> Stops {
    for (stop, arrival) in stops.stops.iter_mut().zip(arrivals) {
        stop.arrival = Some(StopArrival {
            earliest_ms: arrival.window.earliest_ms,
            expected_ms: arrival.expected_ms,
            latest_ms: arrival.window.latest_ms,
        });
    }
    stops
}
