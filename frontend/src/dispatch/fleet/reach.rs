//! When a courier would reach a place, as well as the console can tell without the server: straight lines, made longer by
//! what streets usually add, through the stops that the courier has.

use doorstep_shared::Vehicle;

use super::{Courier, Fleet, Order};
use crate::map::plane::{LonLat, distance_m};

/// Streets are longer than straight lines by this factor.
const DETOUR: f64 = 1.4;

/// A stop takes this long.
const STOP_S: f64 = 180.0;

/// How fast a vehicle gets on in a city.
const fn speed_mps(vehicle: Vehicle) -> f64 {
    match vehicle {
        Vehicle::Foot => 1.4,
        Vehicle::Bicycle => 4.5,
        Vehicle::Scooter | Vehicle::Motorcycle => 7.5,
        Vehicle::Car | Vehicle::Van => 6.5,
    }
}

impl Fleet {
    /// How long a courier needs until they are at `goal`, after the stops that they have; `None` without a position.
    pub fn reaches_in_s(&self, courier: &Courier, goal: LonLat) -> Option<f64> {
        let position = courier.position?;
        let stops = self.stops_ahead(courier);
        let mut at = [position.lon, position.lat];
        let mut metres = 0.0;
        for stop in stops.iter().copied().chain([goal]) {
            metres += distance_m(at, stop);
            at = stop;
        }
        Some(metres * DETOUR / speed_mps(courier.vehicle) + stops.len() as f64 * STOP_S)
    }

    /// The places that a courier goes to, in the order of their plan as far as the feed tells it.
    fn stops_ahead(&self, courier: &Courier) -> Vec<LonLat> {
        let mut orders: Vec<_> = courier.orders.iter().filter_map(|id| self.orders.get(id)).collect();
        orders.sort_by_key(|order| order.sequence.unwrap_or(u32::MAX));
        orders.into_iter().flat_map(places_ahead).collect()
    }
}

fn places_ahead(order: &Order) -> Vec<LonLat> {
    let Some(details) = &order.details else { return Vec::new() };
    let (pickup, door) = ([details.pickup.lon, details.pickup.lat], [details.dropoff.lon, details.dropoff.lat]);
    if order.is_loaded() { vec![door] } else { vec![pickup, door] }
}
