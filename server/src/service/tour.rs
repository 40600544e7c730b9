//! A courier's tour: when they get to each stop, and the route to the next one.
//!
//! A tour is planned along the streets from the courier's position through all their stops, on a blocking thread and
//! one tour at a time, so that planning never takes more than one core. Legs between stops are kept, because stops do
//! not move; the whole answer is kept for a few seconds. What cannot be planned in time is guessed from the straight
//! line.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use doorstep_shared::{
    CourierId, LatLon, Vehicle,
    api::courier::{Tour, TourStop},
    protocol::courier::{Stop, StopKind},
    roads::RoadNetwork,
};
use tokio::sync::Semaphore;

use crate::{
    domain::{
        order::stops::stops_of,
        track::{
            eta::Window,
            progress::{self, PlannedRoute},
            tour::{Visit, windows},
        },
    },
    live::tracker::{OnTour, Tracker},
    platform::clock::{Clock, from_ms},
};

/// How long an answer is good for, unless the stops change.
const FRESH_FOR: Duration = Duration::from_secs(5);

/// A request waits at most this long for others' planning, and planning itself takes at most this long.
const QUEUE_PATIENCE: Duration = Duration::from_secs(2);
const PLANNING_TIME: Duration = Duration::from_millis(1_500);

/// A position older than this says nothing about when a courier arrives.
const POSITION_COUNTS_MS: i64 = 15 * 60_000;

/// Couriers whose tours are kept. Overflow policy: the tours that were not asked for lately are dropped.
const MAX_KEPT: usize = 10_000;
const KEPT_FOR: Duration = Duration::from_secs(600);

/// Works out tours. Shared by reference.
#[derive(Debug)]
pub struct Tours {
    tracker: Arc<Tracker>,
    clock: Clock,
    roads: Option<Arc<RoadNetwork>>,
    planning: Semaphore,
    kept: Mutex<HashMap<CourierId, Kept>>,
}

#[derive(Clone, Debug)]
struct Kept {
    at: Instant,
    stops: Vec<Stop>,
    tour: Tour,
    legs: Vec<Leg>,
}

/// The streets between two points that do not move.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Leg {
    from: LatLon,
    to: LatLon,
    metres: f64,
}

/// What a tour is planned from.
struct Plan {
    stops: Vec<Stop>,
    from: LatLon,
    vehicle: Vehicle,
    route: Option<Arc<PlannedRoute>>,
    legs: Vec<Leg>,
}

/// What planning yields.
struct Planned {
    /// To each stop from the one before it.
    leg_metres: Vec<f64>,
    line: Vec<LatLon>,
    legs: Vec<Leg>,
}

impl Tours {
    /// Tours from this live view. Without `roads` every distance is guessed.
    pub fn new(tracker: Arc<Tracker>, clock: Clock, roads: Option<Arc<RoadNetwork>>) -> Self {
        Self { tracker, clock, roads, planning: Semaphore::new(1), kept: Mutex::default() }
    }

    /// The tour of a courier whom the live view knows.
    pub async fn of(&self, courier: CourierId) -> Tour {
        let on_tour = self.tracker.on_tour(courier);
        let stops = stops_of(&on_tour.open);
        if let Some(tour) = self.fresh(courier, &stops) {
            return tour;
        }
        let now_ms = self.clock.now_ms();
        let position = on_tour.position.filter(|position| position.time_ms > now_ms - POSITION_COUNTS_MS);
        let here = position.and_then(|position| position.point());
        let (Some(from), Some(vehicle), false) = (here, on_tour.vehicle, stops.is_empty()) else {
            return Self::without_times(&on_tour, &stops, now_ms);
        };
        let permit = tokio::time::timeout(QUEUE_PATIENCE, self.planning.acquire()).await;
        // Another request for the same courier may have been answered in the meantime.
        if let Some(tour) = self.fresh(courier, &stops) {
            return tour;
        }
        let legs = self.lock().get(&courier).map(|kept| kept.legs.clone()).unwrap_or_default();
        let plan = Plan { stops: stops.clone(), from, vehicle, route: on_tour.route.clone(), legs };
        let planned = match permit {
            Ok(_permit) => plan_on_streets(self.roads.clone(), plan).await,
            Err(_) => plan.follow(None),
        };
        let tour = tour(&on_tour, &stops, &planned, vehicle, now_ms);
        self.keep(courier, Kept { at: Instant::now(), stops, tour: tour.clone(), legs: planned.legs });
        tour
    }

    fn fresh(&self, courier: CourierId, stops: &[Stop]) -> Option<Tour> {
        let kept = self.lock();
        let kept = kept.get(&courier).filter(|kept| kept.at.elapsed() < FRESH_FOR && kept.stops == stops)?;
        Some(kept.tour.clone())
    }

    fn keep(&self, courier: CourierId, tour: Kept) {
        let mut kept = self.lock();
        if kept.len() >= MAX_KEPT {
            kept.retain(|_, tour| tour.at.elapsed() < KEPT_FOR);
        }
        if kept.len() < MAX_KEPT || kept.contains_key(&courier) {
            kept.insert(courier, tour);
        }
    }

    fn without_times(on_tour: &OnTour, stops: &[Stop], now_ms: i64) -> Tour {
        let stops = stops.iter().map(|stop| tour_stop(on_tour, stop, None)).collect();
        Tour { computed_at: from_ms(now_ms), stops, line: Vec::new() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CourierId, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Searching streets takes milliseconds for each leg: not on a thread that serves connections.
async fn plan_on_streets(roads: Option<Arc<RoadNetwork>>, plan: Plan) -> Planned {
    let guess = plan.guess();
    tokio::task::spawn_blocking(move || plan.follow(roads.as_deref())).await.unwrap_or(guess)
}

impl Plan {
    fn follow(&self, roads: Option<&RoadNetwork>) -> Planned {
        let started = Instant::now();
        let in_time = || roads.filter(|_| started.elapsed() < PLANNING_TIME);
        let mut planned = Planned { leg_metres: Vec::new(), line: Vec::new(), legs: Vec::new() };
        let mut from = self.from;
        for (index, to) in self.stops.iter().filter_map(point_of).enumerate() {
            if index == 0 {
                let (metres, line) = self.first_leg(to, in_time());
                planned.leg_metres.push(metres);
                planned.line = line;
            } else {
                let leg = self.leg(from, to, in_time());
                planned.leg_metres.push(leg.map_or_else(|| progress::estimated_street_m(from, to), |leg| leg.metres));
                planned.legs.extend(leg);
            }
            from = to;
        }
        planned
    }

    fn guess(&self) -> Planned {
        Self { legs: Vec::new(), stops: self.stops.clone(), route: None, ..*self }.follow(None)
    }

    /// The route behind the customer's arrival estimate, or a new one.
    fn first_leg(&self, to: LatLon, roads: Option<&RoadNetwork>) -> (f64, Vec<LatLon>) {
        let on_it = progress::progress(self.from, to, self.route.as_deref());
        if let Some(route) = self.route.as_deref().filter(|_| !on_it.off_route) {
            return (on_it.remaining_m, progress::ahead(self.from, route));
        }
        match roads.and_then(|roads| roads.route(self.from, to, self.vehicle)) {
            Some(route) => {
                let planned = PlannedRoute { target: to, line: route.line };
                (progress::progress(self.from, to, Some(&planned)).remaining_m, planned.line)
            }
            None => (on_it.remaining_m, vec![self.from, to]),
        }
    }

    /// The route between two stops, if it is known or can be found.
    fn leg(&self, from: LatLon, to: LatLon, roads: Option<&RoadNetwork>) -> Option<Leg> {
        let known = self.legs.iter().find(|leg| leg.from == from && leg.to == to);
        known.copied().or_else(|| {
            let metres = roads?.route(from, to, self.vehicle)?.length_m;
            Some(Leg { from, to, metres })
        })
    }
}

fn point_of(stop: &Stop) -> Option<LatLon> {
    LatLon::try_new(stop.lat, stop.lon).ok()
}

fn tour(on_tour: &OnTour, stops: &[Stop], planned: &Planned, vehicle: Vehicle, now_ms: i64) -> Tour {
    let customer_range = |stop: &Stop| {
        let (_, eta) = on_tour.eta.filter(|(order, _)| *order == stop.order_id && stop.kind == StopKind::Dropoff)?;
        Some(Window { earliest_ms: eta.earliest_ms, latest_ms: eta.latest_ms })
    };
    let visit =
        |(stop, leg_m): (&Stop, &f64)| Visit { kind: stop.kind, leg_m: *leg_m, customer_range: customer_range(stop) };
    let visits: Vec<_> = stops.iter().zip(&planned.leg_metres).map(visit).collect();
    let windows = windows(&visits, vehicle, now_ms);
    let legs = windows.into_iter().zip(&planned.leg_metres);
    let stops = stops.iter().zip(legs).map(|(stop, (window, leg_m))| tour_stop(on_tour, stop, Some((window, *leg_m))));
    Tour {
        computed_at: from_ms(now_ms),
        stops: stops.collect(),
        line: planned.line.iter().copied().map(LatLon::to_lon_lat).collect(),
    }
}

fn tour_stop(on_tour: &OnTour, stop: &Stop, arrival: Option<(Window, f64)>) -> TourStop {
    let order = on_tour.open.iter().find(|order| order.id == stop.order_id);
    TourStop {
        order_id: stop.order_id,
        kind: stop.kind,
        earliest_at: arrival.map(|(window, _)| from_ms(window.earliest_ms)),
        latest_at: arrival.map(|(window, _)| from_ms(window.latest_ms)),
        distance_m: arrival.map(|(_, leg_m)| leg_m.round().clamp(0.0, f64::from(u32::MAX)) as u32),
        promised_from: order.and_then(|order| order.promised_from),
        promised_until: order.and_then(|order| order.promised_until),
        // Only the database knows; the handler reads it.
        proof: Vec::new(),
    }
}
