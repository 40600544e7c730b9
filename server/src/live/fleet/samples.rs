//! Changes that the tests of the fleet's feed make.

use doorstep_shared::{CourierId, OrderId, OrderStatus, Position, Vehicle, protocol::fleet::FleetOrder};

use crate::domain::fleet::{CourierProfile, FleetChange, OrderState};

pub(super) fn courier() -> CourierProfile {
    CourierProfile { id: CourierId::new(), name: "Ana".into(), vehicle: Vehicle::Scooter }
}

pub(super) fn moved(courier: CourierId, time_ms: i64, lat: f64, lon: f64) -> FleetChange {
    let position = Position { time_ms, lat, lon, accuracy_m: None, speed_mps: None, heading_deg: None };
    FleetChange::Moved { courier, position, battery: None }
}

pub(super) fn order(id: OrderId, status: OrderStatus) -> FleetChange {
    let order = FleetOrder {
        id,
        reference: "A-1".into(),
        status,
        status_at_ms: 0,
        courier_id: None,
        version: None,
        sequence: None,
        seen_at_ms: None,
    };
    FleetChange::Order(OrderState { order, assigned_at_ms: None })
}
