//! A world whose speeds, waits and stays nobody tells the estimator.

use super::chance::Chance;
use doorstep_arrival::learned::{Door, PlaceKey};
use doorstep_arrival::local_time::LocalTime;
use doorstep_arrival::way::StreetKind;
use doorstep_shared::geo::distance::destination;
use doorstep_shared::{LatLon, Vehicle};

/// When a world begins: Monday, 2026-09-07, midnight.
pub(super) const BEGAN_MS: i64 = 1_788_739_200_000;

pub(super) const DAY_MS: i64 = 86_400_000;

/// A town with its couriers and kitchens.
pub(super) struct World {
    /// How much slower than the router each part of the week is; 1 to 2 in the rush hours.
    traffic: [f64; 14],
    kinds: [f64; 4],
    vehicles: [f64; 6],
    pub(super) couriers: Vec<Courier>,
    pub(super) kitchens: Vec<Kitchen>,
    rainy: Vec<bool>,
    /// How long approaches and stays take at a house and at a flat, in seconds.
    approach_s: [f64; 2],
    stay_s: [f64; 2],
    parcel_s: f64,
}

pub(super) struct Courier {
    pub(super) vehicle: Vehicle,
    factor: f64,
    /// New ones begin late and are slower.
    pub(super) from_day: i64,
}

pub(super) struct Kitchen {
    pub(super) at: LatLon,
    wait_s: f64,
    /// On Fridays and Saturdays its waits are this many times as long.
    weekend: f64,
    /// And at dinner.
    dinner: f64,
}

impl Kitchen {
    pub(super) fn place(&self) -> PlaceKey {
        PlaceKey::of(self.at)
    }

    /// How long a courier waits who comes at `at_ms`, in seconds.
    pub(super) fn wait_s(&self, at_ms: i64, chance: &mut Chance) -> f64 {
        let local = LocalTime::new(at_ms, 0);
        let day = if matches!(local.weekday().index(), 4 | 5) { self.weekend } else { 1.0 };
        let hour = if matches!(local.part().index() % 7, 5 | 6) { self.dinner } else { 1.0 };
        self.wait_s * day * hour * chance.factor(0.5)
    }
}

impl World {
    pub(super) fn new(chance: &mut Chance) -> Self {
        // Some towns flow freely, others are jammed from morning to night.
        let jam = chance.between(0.0, 1.0);
        let rush = [0.0, 0.8, 0.25, 0.35, 0.3, 1.0, 0.3, 0.0, 0.0, 0.15, 0.3, 0.3, 0.35, 0.2];
        let usual = chance.between(0.85, 1.15);
        let traffic = rush.map(|rush| usual * (1.0 + jam * rush * chance.between(0.8, 1.1)));
        let middle = LatLon::try_new(35.9, 14.45).expect("on earth");
        let vehicles = [Vehicle::Bicycle, Vehicle::Scooter, Vehicle::Scooter, Vehicle::Car, Vehicle::Van];
        let couriers = (0..8).map(|n| Courier {
            vehicle: vehicles[chance.index(vehicles.len())],
            factor: chance.factor(0.10) * if n == 7 { 1.2 } else { 1.0 },
            from_day: if n == 7 { 4 } else { 0 },
        });
        let couriers = couriers.collect();
        let kitchens = (0..9).map(|_| {
            let away = (chance.between(0.0, 360.0), chance.between(0.0, 5_000.0));
            Kitchen {
                at: destination(middle, away.0, away.1),
                wait_s: if chance.happens(0.3) { chance.between(420.0, 780.0) } else { chance.between(90.0, 300.0) },
                weekend: if chance.happens(0.3) { chance.between(1.4, 2.0) } else { 1.0 },
                dinner: chance.between(1.0, 1.5),
            }
        });
        let kitchens = kitchens.collect();
        Self {
            traffic,
            kinds: [chance.between(0.85, 1.1), chance.between(0.95, 1.35), chance.between(0.9, 1.25), 1.0],
            vehicles: [(); 6].map(|()| chance.between(0.88, 1.15)),
            couriers,
            kitchens,
            rainy: (0..60).map(|_| chance.happens(0.2)).collect(),
            approach_s: [chance.between(25.0, 60.0), chance.between(70.0, 140.0)],
            stay_s: [chance.between(80.0, 200.0), chance.between(140.0, 320.0)],
            parcel_s: chance.between(10.0, 40.0),
        }
    }

    /// How many times the router's seconds a street of this kind takes a courier at `at_ms`.
    pub(super) fn slowness(&self, courier: usize, kind: StreetKind, at_ms: i64) -> f64 {
        let courier = &self.couriers[courier];
        let part = LocalTime::new(at_ms, 0).part().index() as usize;
        let is_rainy = self.rainy[((at_ms - BEGAN_MS) / DAY_MS) as usize % self.rainy.len()];
        // Jams hold up cars more than those who pass between them.
        let jams = match courier.vehicle {
            Vehicle::Foot | Vehicle::Bicycle => 0.15,
            Vehicle::Scooter | Vehicle::Motorcycle => 0.6,
            Vehicle::Car | Vehicle::Van => 1.0,
        };
        let traffic = 1.0 + (self.traffic[part] - 1.0) * jams;
        let vehicle = self.vehicles[Vehicle::ALL.iter().position(|known| *known == courier.vehicle).unwrap_or(0)];
        traffic * vehicle * self.kinds[kind as usize] * courier.factor * if is_rainy { 1.18 } else { 1.0 }
    }

    pub(super) fn approach_s(&self, door: Door, chance: &mut Chance) -> f64 {
        self.approach_s[door as usize] * chance.factor(0.4)
    }

    pub(super) fn stay_s(&self, door: Door, parcels: u32, chance: &mut Chance) -> f64 {
        (self.stay_s[door as usize] + self.parcel_s * f64::from(parcels - 1)) * chance.factor(0.4)
    }
}
