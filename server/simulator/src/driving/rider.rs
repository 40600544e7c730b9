//! What a vehicle can do and how its rider uses it.

use doorstep_shared::Vehicle;
use rand::Rng;

/// A vehicle and how its rider drives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rider {
    /// What they ride.
    pub vehicle: Vehicle,
    /// Their usual speed as a share of the limit, 0.78 to 0.96.
    pub eagerness: f64,
    /// Speeding up, in metres per second squared.
    pub acceleration_mps2: f64,
    /// Slowing down, in metres per second squared.
    pub braking_mps2: f64,
}

impl Rider {
    /// A rider with a temperament drawn from `random`.
    pub fn new(vehicle: Vehicle, random: &mut impl Rng) -> Self {
        let (acceleration_mps2, braking_mps2) = match vehicle {
            Vehicle::Foot => (0.8, 1.2),
            Vehicle::Bicycle => (0.8, 1.6),
            Vehicle::Scooter | Vehicle::Motorcycle => (2.0, 2.4),
            Vehicle::Car => (1.6, 2.2),
            Vehicle::Van => (1.2, 2.0),
        };
        Self { vehicle, eagerness: random.random_range(0.78..0.96), acceleration_mps2, braking_mps2 }
    }

    /// Their speed on an empty straight street with this limit, in metres per second.
    pub fn free_speed_mps(&self, limit_kmh: u8) -> f64 {
        let limit_mps = f64::from(limit_kmh) / 3.6;
        let able_mps = match self.vehicle {
            Vehicle::Foot => 1.5,
            Vehicle::Bicycle => 5.6,
            Vehicle::Scooter => 12.5,
            Vehicle::Motorcycle | Vehicle::Car => 23.0,
            Vehicle::Van => 20.0,
        };
        // No rider crawls through a car park at its nominal walking pace.
        (limit_mps.max(3.0) * self.eagerness).min(able_mps * self.eagerness)
    }

    /// Their speed through a bend of `turn_deg` degrees, in metres per second.
    pub fn bend_speed_mps(&self, turn_deg: f64) -> f64 {
        if self.vehicle == Vehicle::Foot {
            return 1.2;
        }
        // From about 40 km/h through a gentle bend to walking pace in a U-turn.
        (10.5 * (1.0 - turn_deg / 165.0)).max(2.0)
    }
}
