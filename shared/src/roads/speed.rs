//! A vehicle's average speed on a street, with which routes are timed.

use crate::Vehicle;

const METRES_PER_SECOND: f64 = 1.0 / 3.6;

/// The average speed of `vehicle` in metres per second between the junctions of a street with a limit of
/// `limit_kmh`. Always above zero.
///
/// Drivers do not average the limit: bends, parked cars and crossings cost a fifth to a third of it in a town.
pub fn cruise_mps(vehicle: Vehicle, limit_kmh: u8) -> f64 {
    let limit_mps = f64::from(limit_kmh.max(5)) * METRES_PER_SECOND;
    match vehicle {
        Vehicle::Foot => 1.35,
        Vehicle::Bicycle => (0.75 * limit_mps).min(4.7),
        Vehicle::Scooter => (0.70 * limit_mps).min(9.5),
        Vehicle::Motorcycle => 0.72 * limit_mps,
        Vehicle::Car => 0.70 * limit_mps,
        Vehicle::Van => 0.66 * limit_mps,
    }
}

/// The average cost of passing a junction, in seconds: mostly a glance to both sides, now and then a stop. Together
/// with [`cruise_mps`] it makes the averages that couriers in towns report: 14 to 16 km/h by bicycle, 20 to 25 by
/// scooter, and about the same by car.
pub const fn junction_delay_s(vehicle: Vehicle) -> f64 {
    match vehicle {
        Vehicle::Foot => 0.5,
        Vehicle::Bicycle => 1.2,
        Vehicle::Scooter | Vehicle::Motorcycle => 2.5,
        Vehicle::Car => 3.0,
        Vehicle::Van => 3.5,
    }
}
