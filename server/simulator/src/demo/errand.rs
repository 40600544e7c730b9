//! What an order is going to be: from where, to where, for whom, and how it will end.

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_area::roads::Route;
use doorstep_shared::{
    LatLon, Vehicle,
    api::{CreateOrder, CustomerBody, PlaceBody},
    geo::distance::haversine_m,
};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};

use super::cast;
use crate::streets::{Door, Quarter, Streets};

/// How an order ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Handed over.
    Delivered,
    /// The customer was not there: tried again, or brought back.
    Failed,
    /// Called off on the way to the pickup.
    Cancelled,
}

/// One order to be.
#[derive(Clone, Debug)]
pub(super) struct Errand {
    pub merchant: &'static str,
    pub pickup: Door,
    pub dropoff: Door,
    pub fate: Fate,
    customer: &'static str,
    phone: String,
    instructions: Option<&'static str>,
    /// From the pickup to the door.
    drive_s: f64,
}

/// How every customer's number begins.
pub(super) const CUSTOMERS_PHONE: &str = "+999 2099 ";

// Trips of everybody but the first, along the streets, in metres.
const TRIP_M: std::ops::Range<f64> = 1_000.0..5_000.0;
const TRIP_ON_FOOT_M: std::ops::Range<f64> = 400.0..1_400.0;
// How far a courier is sent to fetch something, along the streets, in metres.
const TO_PICKUP_M: f64 = 2_500.0;
const TO_PICKUP_ON_FOOT_M: f64 = 600.0;
// How far a customer turns out to be from their address.
const NEIGHBOURS_M: f64 = 500.0;
// The first trip: long enough to watch, short enough to see its end. In seconds by the map.
const FIRST_TRIP_S: std::ops::Range<f64> = 400.0..540.0;

/// How far from the busiest place the demo plays, in metres. A small town's streets end before that.
const AROUND_M: f64 = 2_600.0;
/// Where few people live, it plays farther around, up to this.
const FARTHEST_M: f64 = 40_000.0;
/// So many stretches of street are enough to draw from.
const ENOUGH_STREETS: usize = 60;
/// The first order's kitchen is in the middle of it all.
const KITCHEN_M: f64 = 700.0;

/// Where the demo plays: around the place of the area that has most streets with doors.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    streets: Streets,
    everywhere: Quarter,
    kitchens: Quarter,
}

impl Stage {
    /// Looks for a place on these streets; `None` when nobody lives along them.
    pub(super) fn new(streets: &Streets) -> Option<Self> {
        let middle = streets.busiest_place()?;
        let mut radius_m = AROUND_M;
        let mut everywhere = Quarter::around(streets, middle, radius_m);
        while everywhere.len() < ENOUGH_STREETS && radius_m < FARTHEST_M {
            radius_m *= 2.0;
            everywhere = Quarter::around(streets, middle, radius_m);
        }
        let kitchens = Quarter::of_shops(streets, middle, KITCHEN_M);
        let kitchens = if kitchens.is_empty() { everywhere.clone() } else { kitchens };
        (!everywhere.is_empty()).then(|| Self { streets: streets.clone(), everywhere, kitchens })
    }

    /// The streets that it plays on.
    pub(super) fn streets(&self) -> &Streets {
        &self.streets
    }

    /// Where a courier begins the day.
    pub(super) fn any_door(&self, random: &mut StdRng) -> Door {
        self.everywhere.any_door(random)
    }

    /// Another door not far from here: the customer is at the neighbours'.
    pub(super) fn door_near(&self, here: LatLon, random: &mut StdRng) -> Door {
        self.everywhere.best_door(random, |door| haversine_m(here, door.point) - NEIGHBOURS_M)
    }

    /// From a kitchen in the middle to a door some minutes away: the first thing that a visitor sees.
    pub(super) fn first_errand(&self, vehicle: Vehicle, random: &mut StdRng) -> Errand {
        let pickup = self.kitchens.any_door(random);
        let dropoff = self.everywhere.best_door(random, |door| {
            self.route(&pickup, door, vehicle).map_or(f64::INFINITY, |route| beside(&FIRST_TRIP_S, route.duration_s))
        });
        Errand { fate: Fate::Delivered, ..self.errand_between(pickup, dropoff, vehicle, random) }
    }

    /// `count` orders from one merchant near `here`, in the order they will be delivered.
    pub(super) fn errands(&self, here: LatLon, count: usize, vehicle: Vehicle, random: &mut StdRng) -> Vec<Errand> {
        let (trip_m, to_pickup_m) = match vehicle {
            Vehicle::Foot => (TRIP_ON_FOOT_M, TO_PICKUP_ON_FOOT_M),
            _ => (TRIP_M, TO_PICKUP_M),
        };
        let roads = self.streets.roads();
        let pickup = self.everywhere.best_door(random, |door| {
            // Streets are never shorter than the straight line: most doors need no route to be too far.
            match haversine_m(here, door.point) {
                line_m if line_m > to_pickup_m => line_m,
                _ => roads.route(here, door.point, vehicle).map_or(f64::INFINITY, |route| route.length_m - to_pickup_m),
            }
        });
        let merchant = *cast::MERCHANTS.choose(random).expect("there are merchants");
        let mut from = pickup.clone();
        let errands = (0..count).map(|_| {
            let dropoff = self.everywhere.best_door(random, |door| match haversine_m(from.point, door.point) {
                line_m if line_m > trip_m.end => line_m,
                _ => self.route(&from, door, vehicle).map_or(f64::INFINITY, |route| beside(&trip_m, route.length_m)),
            });
            let errand = self.errand_between(from.clone(), dropoff.clone(), vehicle, random);
            from = dropoff;
            Errand { merchant, pickup: pickup.clone(), ..errand }
        });
        errands.collect()
    }

    fn errand_between(&self, from: Door, dropoff: Door, vehicle: Vehicle, random: &mut StdRng) -> Errand {
        let drive_s = self.route(&from, &dropoff, vehicle).map_or(0.0, |route| route.duration_s);
        Self::errand(from, dropoff, drive_s, random)
    }

    fn route(&self, from: &Door, to: &Door, vehicle: Vehicle) -> Option<Route> {
        self.streets.roads().route(from.point, to.point, vehicle)
    }

    fn errand(pickup: Door, dropoff: Door, drive_s: f64, random: &mut StdRng) -> Errand {
        let fate = match random.random_range(0..100) {
            0..5 => Fate::Failed,
            5..8 => Fate::Cancelled,
            _ => Fate::Delivered,
        };
        Errand {
            merchant: cast::MERCHANTS[0],
            pickup,
            dropoff,
            fate,
            customer: cast::CUSTOMERS.choose(random).expect("there are customers"),
            phone: format!("{CUSTOMERS_PHONE}{:04}", random.random_range(0..10_000)),
            instructions: random.random_bool(0.6).then(|| *cast::INSTRUCTIONS.choose(random).expect("there are some")),
            drive_s,
        }
    }
}

/// By how much a value misses a range; nothing inside it.
fn beside(range: &std::ops::Range<f64>, value: f64) -> f64 {
    if range.contains(&value) { 0.0 } else { (range.start - value).max(value - range.end).max(f64::EPSILON) }
}

impl Errand {
    /// An order that a dispatcher made and gave to a courier.
    pub(super) fn given(pickup: Door, dropoff: Door) -> Self {
        let (merchant, customer) = (cast::MERCHANTS[0], cast::CUSTOMERS[0]);
        let fate = Fate::Delivered;
        Self { merchant, pickup, dropoff, fate, customer, phone: String::new(), instructions: None, drive_s: 0.0 }
    }

    /// The order as its merchant would send it at `now`.
    pub(super) fn order(&self, reference: String, now: DateTime<Utc>) -> CreateOrder {
        let ready = now + TimeDelta::minutes(4) + TimeDelta::seconds(self.drive_s as i64);
        let promised_from = rounded_down_to_five_minutes(ready);
        let place = |door: &Door, address: String, instructions: Option<&str>| PlaceBody {
            lat: door.point.lat(),
            lon: door.point.lon(),
            address,
            instructions: instructions.map(str::to_owned),
            phone: None,
        };
        CreateOrder {
            reference,
            pickup: place(&self.pickup, format!("{}, {}", self.merchant, self.pickup.address), None),
            dropoff: place(&self.dropoff, self.dropoff.address.clone(), self.instructions),
            customer: CustomerBody { name: self.customer.to_owned(), phone: Some(self.phone.clone()), email: None },
            promised_from: Some(promised_from),
            promised_until: Some(promised_from + TimeDelta::minutes(20)),
            ..CreateOrder::default()
        }
    }
}

fn rounded_down_to_five_minutes(time: DateTime<Utc>) -> DateTime<Utc> {
    const FIVE_MINUTES_S: i64 = 300;
    let seconds = time.timestamp().div_euclid(FIVE_MINUTES_S) * FIVE_MINUTES_S;
    DateTime::from_timestamp(seconds, 0).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::generator;

    #[test]
    fn the_first_trip_takes_six_to_ten_minutes_whatever_the_seed() {
        let stage = Stage::new(Streets::built_in()).expect("people live there");
        for seed in 0..30 {
            let mut random = generator(seed, 0);
            let errand = stage.first_errand(Vehicle::Scooter, &mut random);
            assert!(FIRST_TRIP_S.contains(&errand.drive_s), "seed {seed}: {} s", errand.drive_s);
            assert_eq!(errand.fate, Fate::Delivered);
            let order = errand.order("A-1".into(), Utc::now());
            assert!(order.pickup.address.starts_with("Corner Kitchen, "), "{}", order.pickup.address);
        }
    }

    #[test]
    fn other_trips_are_of_a_believable_length_and_every_ending_happens() {
        let stage = Stage::new(Streets::built_in()).expect("people live there");
        let mut random = generator(1, 0);
        let mut fates = Vec::new();
        for vehicle in Vehicle::ALL {
            for _ in 0..12 {
                let here = stage.any_door(&mut random);
                let errands = stage.errands(here.point, 2, vehicle, &mut random);
                let trip_m = if vehicle == Vehicle::Foot { TRIP_ON_FOOT_M } else { TRIP_M };
                let from = [&errands[0].pickup, &errands[0].dropoff];
                for (from, errand) in from.into_iter().zip(&errands) {
                    let route = stage.route(from, &errand.dropoff, vehicle).expect("a way exists");
                    assert!(trip_m.contains(&route.length_m), "{vehicle}: {} m", route.length_m);
                    fates.push(errand.fate);
                }
            }
        }
        for fate in [Fate::Delivered, Fate::Failed, Fate::Cancelled] {
            assert!(fates.contains(&fate), "{fate:?} never happens");
        }
    }
}
