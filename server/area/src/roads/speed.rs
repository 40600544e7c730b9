//! How long a vehicle takes along a street and past what stands in its way, on average.
//!
//! Drivers do not average the limit: bends, parked cars and crossings cost a tenth of it on a motorway and a third in a
//! town. The constants make the averages that couriers in towns report: about 15 km/h by bicycle, 20 to 25 by scooter,
//! and 20 to 30 by car.

use doorstep_shared::Vehicle;

use super::class::{Halt, RoadClass, Surface};

const METRES_PER_SECOND: f64 = 1.0 / 3.6;

/// What a van needs for what a car needs: loaded, it starts more slowly and sees less.
const VAN: f64 = 1.06;

/// How long boarding a boat takes, in seconds: to be there in time and to wait for it. Lines that run every half hour
/// cost more, those that come when called less.
pub const BOARDING_S: f64 = 300.0;

/// The average speed of `vehicle` in metres per second between the junctions of a street. Always above zero. A boat has
/// a speed of its own; the answer for its line is that of the quay.
pub fn cruise_mps(vehicle: Vehicle, class: RoadClass, limit_kmh: u8, surface: Surface) -> f64 {
    match vehicle {
        Vehicle::Foot => walking_mps(class),
        Vehicle::Bicycle => cycling_mps(class, limit_kmh) * rolling(surface),
        Vehicle::Scooter => (0.98 * driving_mps(class, limit_kmh) * driving_on(surface)).min(9.5),
        Vehicle::Motorcycle => 1.03 * driving_mps(class, limit_kmh) * driving_on(surface),
        Vehicle::Car => driving_mps(class, limit_kmh) * driving_on(surface),
        Vehicle::Van => driving_mps(class, limit_kmh) * driving_on(surface) / VAN,
    }
}

fn walking_mps(class: RoadClass) -> f64 {
    if class == RoadClass::Steps { 0.7 } else { 1.35 }
}

fn cycling_mps(class: RoadClass, limit_kmh: u8) -> f64 {
    let most: f64 = match class {
        RoadClass::Pedestrian | RoadClass::Footway | RoadClass::Steps => 3.2,
        RoadClass::Path => 4.0,
        RoadClass::Track | RoadClass::Service | RoadClass::LivingStreet => 4.3,
        _ => 4.7,
    };
    most.min(0.9 * f64::from(limit_kmh.max(5)) * METRES_PER_SECOND)
}

fn driving_mps(class: RoadClass, limit_kmh: u8) -> f64 {
    let (share, most_kmh) = match class {
        RoadClass::Motorway => (0.90, f64::INFINITY),
        RoadClass::Trunk => (0.85, 95.0),
        RoadClass::Primary => (0.80, 72.0),
        RoadClass::Secondary => (0.77, 62.0),
        RoadClass::Tertiary => (0.77, 54.0),
        RoadClass::Unclassified => (0.74, 45.0),
        RoadClass::Residential => (0.66, 38.0),
        _ => (0.60, 30.0),
    };
    // Where the law allows more than that, bends, crests and walls decide.
    (share * f64::from(limit_kmh.max(5))).min(most_kmh) * METRES_PER_SECOND
}

const fn rolling(surface: Surface) -> f64 {
    match surface {
        Surface::Paved => 1.0,
        Surface::Firm => 0.9,
        Surface::Rough => 0.75,
        Surface::Soft => 0.5,
    }
}

const fn driving_on(surface: Surface) -> f64 {
    match surface {
        Surface::Paved => 1.0,
        Surface::Firm => 0.8,
        Surface::Rough => 0.6,
        Surface::Soft => 0.35,
    }
}

/// How a traveller comes to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// No other street meets theirs.
    Along,
    /// Along a street that is as important as any that meets it.
    First,
    /// From a street that yields to another.
    Yielding,
}

/// The average wait at a node, in seconds: a red light now and then, a glance to both sides, a gap in the traffic.
pub const fn wait_s(vehicle: Vehicle, passage: Passage, halt: Option<Halt>) -> f64 {
    match (vehicle, halt) {
        (Vehicle::Foot, Some(Halt::Signals)) => 6.0,
        (Vehicle::Bicycle, Some(Halt::Signals)) => 8.0,
        (Vehicle::Scooter | Vehicle::Motorcycle, Some(Halt::Signals)) => 8.0,
        (Vehicle::Car, Some(Halt::Signals)) => 10.0,
        (Vehicle::Van, Some(Halt::Signals)) => 10.0 * VAN,
        (Vehicle::Bicycle, Some(Halt::Stop)) => 2.5,
        (Vehicle::Scooter | Vehicle::Motorcycle | Vehicle::Car, Some(Halt::Stop)) => 5.0,
        (Vehicle::Van, Some(Halt::Stop)) => 5.0 * VAN,
        (Vehicle::Scooter | Vehicle::Motorcycle | Vehicle::Car, Some(Halt::Crossing)) => 1.0,
        (Vehicle::Van, Some(Halt::Crossing)) => VAN,
        _ => meeting_s(vehicle, passage),
    }
}

const fn meeting_s(vehicle: Vehicle, passage: Passage) -> f64 {
    match (passage, vehicle) {
        (Passage::Along, _) => 0.0,
        (Passage::First, Vehicle::Foot) => 0.0,
        (Passage::First, Vehicle::Bicycle) => 0.6,
        (Passage::First, Vehicle::Scooter | Vehicle::Motorcycle) => 0.9,
        (Passage::First, Vehicle::Car) => 1.1,
        (Passage::First, Vehicle::Van) => 1.1 * VAN,
        (Passage::Yielding, Vehicle::Foot) => 1.5,
        (Passage::Yielding, Vehicle::Bicycle) => 2.0,
        (Passage::Yielding, Vehicle::Scooter | Vehicle::Motorcycle) => 2.5,
        (Passage::Yielding, Vehicle::Car) => 3.2,
        (Passage::Yielding, Vehicle::Van) => 3.7,
    }
}

/// What turning by `turn_deg` costs beyond the wait, in seconds: braking, and oncoming traffic when it must be crossed.
/// `turn_deg` is within ±180 and positive towards the side that vehicles keep to.
pub fn turn_s(vehicle: Vehicle, turn_deg: f64) -> f64 {
    let [near, across, sharp] = match vehicle {
        Vehicle::Foot => return 0.0,
        Vehicle::Bicycle => [0.8, 2.0, 3.0],
        Vehicle::Scooter | Vehicle::Motorcycle => [1.5, 3.0, 4.5],
        Vehicle::Car => [1.8, 3.8, 6.0],
        Vehicle::Van => [2.2, 4.5, 8.0],
    };
    match turn_deg {
        turn if turn.abs() < 30.0 => 0.0,
        turn if turn.abs() > 135.0 => sharp,
        turn if turn > 0.0 => near,
        _ => across,
    }
}

/// What turning round at a dead end costs, in seconds.
pub const fn turning_round_s(vehicle: Vehicle) -> f64 {
    match vehicle {
        Vehicle::Foot => 0.0,
        Vehicle::Bicycle => 4.0,
        Vehicle::Scooter | Vehicle::Motorcycle => 8.0,
        Vehicle::Car => 20.0,
        Vehicle::Van => 25.0,
    }
}
