//! How fast a vehicle gets along, averaged over a street: what routes are timed with.

use crate::Vehicle;

const METRES_PER_SECOND: f64 = 1.0 / 3.6;

/// The average speed of `vehicle` in metres per second between the junctions of a street with a limit of
/// `limit_kmh`. Always above zero.
///
/// People do not average the limit: bends, parked cars and crossings cost a fifth to a third of it in a town.
pub fn cruise_mps(vehicle: Vehicle, limit_kmh: u8) -> f64 {
    let limit_mps = f64::from(limit_kmh.max(5)) * METRES_PER_SECOND;
    match vehicle {
        Vehicle::Foot => 1.35,
        Vehicle::Bicycle => (0.80 * limit_mps).min(4.8),
        Vehicle::Scooter => (0.80 * limit_mps).min(11.5),
        Vehicle::Motorcycle => 0.82 * limit_mps,
        Vehicle::Car => 0.78 * limit_mps,
        Vehicle::Van => 0.72 * limit_mps,
    }
}

/// What passing a junction costs on average, in seconds: mostly nothing, now and then a stop.
pub const fn junction_delay_s(vehicle: Vehicle) -> f64 {
    match vehicle {
        Vehicle::Foot => 0.5,
        Vehicle::Bicycle => 1.0,
        Vehicle::Scooter | Vehicle::Motorcycle => 1.5,
        Vehicle::Car | Vehicle::Van => 2.0,
    }
}
