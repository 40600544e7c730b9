//! A courier whom the arrival task follows: their way, their later legs, and what each customer was told.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use doorstep_arrival::{
    estimate::{Knowledge, Sight},
    follower::Follower,
    forecast::Part,
    learned::PlaceKey,
    local_time::LocalTime,
    on_way::Reading,
    score::Situation,
    told::{Fresh, Keeper},
    way::{Rest, Way},
};
use doorstep_shared::{
    LatLon, OrderId, OrderStatus, Position, Vehicle, geo::distance::haversine_m, protocol::courier::StopKind,
};

use super::approaching::Attempt;
use crate::domain::{
    plan::StopAhead,
    track::{eta::town_speed_mps, progress::PlannedRoute},
};

/// Pickups within this many metres of each other are one wait.
const ONE_PLACE_M: f64 = 60.0;

/// Within this many metres of the door the courier is in the customer's street.
const NEAR_M: f64 = 300.0;

/// Legs kept for a courier. Overflow policy: all are forgotten and planned anew.
const MOST_LEGS: usize = 64;

/// A courier whom somebody waits for.
#[derive(Debug, Default)]
pub(super) struct Followed {
    follower: Follower,
    route: Option<Arc<PlannedRoute>>,
    way: Option<Arc<Way>>,
    legs: Vec<(LatLon, LatLon, Rest)>,
    /// A leg that was guessed from the straight line, for want of a plan.
    pub(super) wanted_leg: Option<(LatLon, LatLon)>,
    pub(super) keepers: HashMap<OrderId, Keeper>,
    /// When the courier was last looked at, Unix epoch milliseconds.
    pub(super) seen_ms: i64,
    /// When those who wait for others were last estimated, Unix epoch milliseconds.
    pub(super) later_ms: i64,
    /// The attempt whose door they were near, as others were told.
    pub(super) approached: Option<Attempt>,
}

/// The time at which an estimate is made.
pub(super) type When = (LocalTime, i64);

/// What lies ahead of a courier until a door.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    pub(super) parts: Vec<Part>,
    pub(super) metres: f64,
    pub(super) has_pickup: bool,
    pub(super) has_stops: bool,
}

impl Ahead {
    pub(super) const fn situation(&self) -> Situation {
        match (self.has_pickup, self.has_stops) {
            (_, true) => Situation::BehindStops,
            (true, false) => Situation::BeforePickup,
            (false, false) => Situation::Direct,
        }
    }
}

/// What the courier's device says, for the estimator.
pub(super) fn reading(position: &Position, at: LatLon) -> Reading {
    Reading {
        time_ms: position.time_ms,
        at,
        accuracy_m: position.accuracy_m.map(f64::from),
        heading_deg: position.heading_deg.map(f64::from),
        speed_mps: position.speed_mps.map(f64::from),
    }
}

impl Followed {
    /// Takes in where the courier is on `route`, which leads to their next stop.
    pub(super) fn observe(
        &mut self,
        route: &Arc<PlannedRoute>,
        reading: Reading,
        vehicle: Vehicle,
        (knowledge, (local, now_ms)): (&Knowledge, When),
    ) {
        let is_same = self.route.as_ref().is_some_and(|known| Arc::ptr_eq(known, route));
        if !is_same {
            self.way = Some(Arc::new(route.way(town_speed_mps(vehicle))));
            self.route = Some(Arc::clone(route));
            self.follower.begin_way();
        }
        let Some(way) = self.way.clone() else { return };
        let factors = knowledge.learned.drive_factors(vehicle, local, now_ms);
        self.follower.observe(&way, reading, &factors);
    }

    /// Whether a way to `target` must be planned: there is none, or the courier left it.
    pub(super) fn needs_way(&self, target: LatLon) -> bool {
        self.route.as_ref().is_none_or(|route| route.target != target) || self.follower.is_off_way()
    }

    /// Keeps a leg that was planned.
    pub(super) fn keep_leg(&mut self, from: LatLon, to: LatLon, rest: Rest) {
        if self.legs.len() >= MOST_LEGS {
            self.legs.clear();
        }
        self.legs.push((from, to, rest));
    }

    /// What lies ahead through `stops`, of which the last is the door that is meant.
    pub(super) fn ahead(&mut self, here: LatLon, stops: &[StopAhead], vehicle: Vehicle, now_ms: i64) -> Ahead {
        let mut ahead = Ahead::default();
        let mut before: Option<&StopAhead> = None;
        for (at, stop) in stops.iter().enumerate() {
            let is_door = at + 1 == stops.len();
            let rest = match before {
                None if stop.is_there => Rest::default(),
                None => self.first_leg(here, stop.at, vehicle),
                Some(before) => self.leg(before.at, stop.at, vehicle),
            };
            ahead.metres += rest.metres;
            ahead.parts.push(Part::Drive(rest.seconds));
            let passed_s = if stop.is_there { (now_ms - stop.status_ms).max(0) as f64 / 1_000.0 } else { 0.0 };
            ahead.stop_at(stop, before, is_door, passed_s);
            before = Some(stop);
        }
        if stops.first().is_some_and(|first| first.is_there) {
            // The wait or the stay is what goes on, not the drive of no length before it.
            ahead.parts.remove(0);
        }
        ahead
    }

    fn first_leg(&self, here: LatLon, to: LatLon, vehicle: Vehicle) -> Rest {
        match self.way.as_ref().filter(|way| way.target() == to && !self.follower.is_off_way()) {
            Some(way) => self.follower.rest(way),
            None => Way::guessed(here, to, town_speed_mps(vehicle)).rest(0.0),
        }
    }

    fn leg(&mut self, from: LatLon, to: LatLon, vehicle: Vehicle) -> Rest {
        let known = self.legs.iter().find(|(known_from, known_to, _)| *known_from == from && *known_to == to);
        if let Some((_, _, rest)) = known {
            return *rest;
        }
        if haversine_m(from, to) > ONE_PLACE_M {
            self.wanted_leg.get_or_insert((from, to));
        }
        Way::guessed(from, to, town_speed_mps(vehicle)).rest(0.0)
    }

    /// The range that could be told now.
    pub(super) fn fresh(
        &self,
        order: (OrderStatus, bool),
        stops: &[StopAhead],
        ahead: &Ahead,
        vehicle: Vehicle,
        (knowledge, when): (&Knowledge, When),
    ) -> Fresh {
        let (status, is_next) = order;
        let sight = Sight {
            vehicle,
            follower: &self.follower,
            parts: &ahead.parts,
            situation: ahead.situation(),
            chapter: chapter(status, stops),
            is_near: is_next && stops.len() == 1 && ahead.metres <= NEAR_M,
        };
        knowledge.fresh(&sight, when)
    }
}

impl Ahead {
    fn stop_at(&mut self, stop: &StopAhead, before: Option<&StopAhead>, is_door: bool, passed_s: f64) {
        match stop.stop.kind {
            StopKind::Pickup | StopKind::Return => {
                let is_same = before.is_some_and(|before| {
                    before.stop.kind == stop.stop.kind && haversine_m(before.at, stop.at) <= ONE_PLACE_M
                });
                self.has_pickup = true;
                if !is_same {
                    self.parts.push(Part::Wait { place: PlaceKey::of(stop.at), waited_s: passed_s });
                }
            }
            StopKind::Dropoff if is_door && stop.is_there => {}
            StopKind::Dropoff if is_door => self.parts.push(Part::Approach { door: stop.door, passed_s: 0.0 }),
            StopKind::Dropoff => {
                self.has_stops = true;
                if !stop.is_there {
                    self.parts.push(Part::Approach { door: stop.door, passed_s: 0.0 });
                }
                self.parts.push(Part::Stay {
                    door: stop.door,
                    parcels: stop.parcels,
                    stated_s: stop.service_s.map(f64::from),
                    stayed_s: passed_s,
                });
            }
        }
    }
}

/// Changes with every step of the order and every change of the stops before it.
fn chapter(status: OrderStatus, stops: &[StopAhead]) -> u64 {
    let mut hasher = DefaultHasher::new();
    status.as_str().hash(&mut hasher);
    for stop in stops {
        (stop.stop.order_id, stop.stop.kind as u8, stop.is_there).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{CourierId, geo::distance::destination};

    use super::*;
    use crate::domain::{
        order::{Order, visibility::tests::order},
        plan::{Planned, until_door},
    };

    const NOW_MS: i64 = 1_795_818_600_000;

    /// The plan of a courier with orders in these states, all of one kitchen.
    fn planned(statuses: &[OrderStatus]) -> Planned {
        let ana = CourierId::new();
        let of_ana = |(second, status): (i64, &OrderStatus)| Order { courier_id: Some(ana), ..order(*status, second) };
        Planned::new(ana, None, (0..).zip(statuses).map(of_ana).collect())
    }

    fn ahead_of(planned: &Planned, place: usize, followed: &mut Followed) -> Ahead {
        let here = destination(planned.orders[0].pickup.point, 90.0, 700.0);
        followed.ahead(here, until_door(planned.ahead(), planned.orders[place].id), Vehicle::Scooter, NOW_MS)
    }

    fn waits(ahead: &Ahead) -> usize {
        ahead.parts.iter().filter(|part| matches!(part, Part::Wait { .. })).count()
    }

    #[test]
    fn what_lies_ahead_ends_at_the_door_and_says_what_comes_before() {
        let planned = planned(&[OrderStatus::PickedUp, OrderStatus::Assigned]);
        let mut followed = Followed::default();
        let (next, later) = (ahead_of(&planned, 0, &mut followed), ahead_of(&planned, 1, &mut followed));
        assert_eq!((next.situation(), later.situation()), (Situation::Direct, Situation::BehindStops));
        assert!(matches!(next.parts[..], [Part::Drive(_), Part::Approach { .. }]), "{next:?}");
        assert_eq!(waits(&later), 1);
        assert!(later.metres > next.metres && later.parts.iter().any(|part| matches!(part, Part::Stay { .. })));
        assert!(matches!(later.parts.last(), Some(Part::Approach { .. })), "to the door, and no stay there");
    }

    #[test]
    fn a_courier_at_the_pickup_waits_and_drives_nowhere_first() {
        let planned = planned(&[OrderStatus::AtPickup]);
        let ahead = ahead_of(&planned, 0, &mut Followed::default());
        assert!(matches!(ahead.parts[..], [Part::Wait { .. }, Part::Drive(_), Part::Approach { .. }]), "{ahead:?}");
        assert_eq!(ahead.situation(), Situation::BeforePickup);
    }

    #[test]
    fn a_leg_that_nobody_planned_is_guessed_and_asked_for_once() {
        let planned = planned(&[OrderStatus::Assigned]);
        let mut followed = Followed::default();
        let guessed = ahead_of(&planned, 0, &mut followed);
        let (from, to) = followed.wanted_leg.take().expect("from the kitchen to the door");
        assert_eq!((from, to), (planned.orders[0].pickup.point, planned.orders[0].dropoff.point));
        let rest = Rest { metres: 5_000.0, ..Rest::default() };
        followed.keep_leg(from, to, rest);
        assert!(ahead_of(&planned, 0, &mut followed).metres > guessed.metres);
        assert_eq!(followed.wanted_leg, None);
    }
}
