//! The journey ahead of a courier by a rule of thumb, where nobody is told an arrival and a promise is judged all the same.

use doorstep_shared::{OrderStatus, Vehicle};

use crate::domain::{
    order::Order,
    plan::{StopAhead, until_door},
    track::{eta::Journey, progress, tour::stay_ms},
};

/// The journey ahead of a courier on `vehicle` to the door of `order`, who has `to_next_m` metres to the first of the
/// stops `ahead`.
pub(crate) fn journey(order: &Order, vehicle: Vehicle, to_next_m: f64, ahead: &[StopAhead]) -> Journey {
    let way = until_door(ahead, order.id);
    let legs = way.iter().zip(way.iter().skip(1));
    let between = way.iter().skip(1).take(way.len().saturating_sub(2));
    Journey {
        // Of a second attempt the goods may be on board already.
        status: if order.is_on_board() { on_board(order.status) } else { order.status },
        vehicle,
        to_next_m,
        next_to_door_m: legs.map(|(from, to)| progress::estimated_street_m(from.at, to.at)).sum(),
        between_ms: between.map(|stop| stay_ms(stop.stop.kind, stop.service_s)).sum(),
    }
}

const fn on_board(status: OrderStatus) -> OrderStatus {
    match status {
        OrderStatus::Assigned | OrderStatus::AtPickup => OrderStatus::PickedUp,
        other => other,
    }
}
