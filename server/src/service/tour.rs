//! A courier's tour: when they get to each stop of their plan, and the route to the next one.
//!
//! Their own phone and the dispatchers' view of the plan show the same. A tour is planned along the streets from the courier's position through all their stops, on a blocking thread and
//! one tour at a time, so that planning never takes more than one core. Legs between stops are kept, because stops do
//! not move; the whole answer is kept for a few seconds. What cannot be planned in time is guessed from the straight
//! line.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use doorstep_area::roads::RoadNetwork;
use doorstep_shared::{
    CourierId, LatLon, Vehicle,
    api::{
        area::AreaId,
        courier::{Tour, TourStop},
        plan::PlanStop,
    },
    geo::polyline,
    protocol::courier::StopKind,
};
use tokio::sync::Semaphore;

use super::areas::Areas;
use crate::{
    domain::{
        plan::Planned,
        track::{
            eta::Window,
            progress::{self, PlannedRoute},
            tour::{Arrival, Visit, arrivals},
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

/// Couriers whose tours are kept, some 30 kB each with the streets between twenty stops. Overflow policy: the tours that
/// were not asked for lately are dropped.
const MAX_KEPT: usize = 2_000;
const KEPT_FOR: Duration = Duration::from_secs(600);

/// How far a kept line may be from its streets, in degrees: three metres, less than a street is wide.
const LINE_TOLERANCE_DEG: f64 = 0.000_03;

/// The most points of a way through all stops, from the contract.
const MAX_POINTS: usize = 20_000;

/// Works out tours. Shared by reference.
#[derive(Debug)]
pub struct Tours {
    tracker: Arc<Tracker>,
    clock: Clock,
    areas: Arc<Areas>,
    planning: Semaphore,
    kept: Mutex<HashMap<CourierId, Kept>>,
}

#[derive(Clone, Debug)]
struct Kept {
    at: Instant,
    schedule: Arc<Schedule>,
    /// Where its legs lie: those of one area say nothing about another.
    area: AreaId,
    legs: Vec<Leg>,
}

/// A courier's plan with the way through it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schedule {
    /// The plan that it is for.
    pub planned: Planned,
    /// When it was worked out, Unix epoch milliseconds.
    pub computed_ms: i64,
    /// To each stop from the one before it, and to the first from the courier; 0 while their place is unknown. Empty
    /// without stops.
    pub leg_metres: Vec<f64>,
    /// When the courier is at each stop; `None` while their place is unknown.
    pub arrivals: Option<Vec<Arrival>>,
    /// The way to the first stop.
    pub line: Vec<LatLon>,
    /// The way from the courier through all stops, straight where no streets are known; from the first stop while the
    /// courier's place is unknown. Empty when it has too many points.
    pub way: Vec<LatLon>,
}

/// The streets between two points that do not move.
#[derive(Clone, Debug, PartialEq)]
struct Leg {
    from: LatLon,
    to: LatLon,
    metres: f64,
    line: Arc<[LatLon]>,
}

/// What a tour is planned from.
struct Plan {
    stops: Vec<LatLon>,
    /// Where the courier is, if that is known.
    from: Option<LatLon>,
    vehicle: Vehicle,
    route: Option<Arc<PlannedRoute>>,
    legs: Vec<Leg>,
}

/// What planning yields.
struct Way {
    /// To each stop from the one before it.
    leg_metres: Vec<f64>,
    line: Vec<LatLon>,
    /// From the courier, or from the first stop, to the last.
    way: Vec<LatLon>,
    legs: Vec<Leg>,
}

impl Tours {
    /// Tours from this live view on the streets of the area in use. Where none are known every distance is guessed.
    pub fn new(tracker: Arc<Tracker>, clock: Clock, areas: Arc<Areas>) -> Self {
        Self { tracker, clock, areas, planning: Semaphore::new(1), kept: Mutex::default() }
    }

    /// The tour of a courier whom the live view knows, for their own phone.
    pub async fn of(&self, courier: CourierId) -> Tour {
        tour(&*self.schedule(courier).await)
    }

    /// The plan of a courier whom the live view knows, with its times and the way through it.
    pub async fn schedule(&self, courier: CourierId) -> Arc<Schedule> {
        let on_tour = self.tracker.on_tour(courier);
        let now_ms = self.clock.now_ms();
        let here = on_tour.position.filter(|position| position.time_ms > now_ms - POSITION_COUNTS_MS);
        let here = here.and_then(|position| position.point());
        if let Some(schedule) = self.fresh(courier, &on_tour, here.is_some()) {
            return schedule;
        }
        let Some(vehicle) = on_tour.vehicle.filter(|_| !on_tour.planned.orders.is_empty()) else {
            return Arc::new(Schedule { planned: on_tour.planned, computed_ms: now_ms, ..Schedule::default() });
        };
        let permit = tokio::time::timeout(QUEUE_PATIENCE, self.planning.acquire()).await;
        // Another request for the same courier may have been answered in the meantime.
        if let Some(schedule) = self.fresh(courier, &on_tour, here.is_some()) {
            return schedule;
        }
        let area = self.areas.current();
        let known = |kept: &Kept| if kept.area == *area.id() { kept.legs.clone() } else { Vec::new() };
        let plan = Plan {
            stops: on_tour.planned.ahead().iter().map(|stop| stop.at).collect(),
            from: here,
            vehicle,
            route: on_tour.route.clone(),
            legs: self.lock().get(&courier).map(known).unwrap_or_default(),
        };
        let planned = match permit {
            Ok(_permit) => plan_on_streets(area.roads().cloned(), plan).await,
            Err(_) => plan.follow(None),
        };
        let arrivals = here.map(|_| arrivals_on(&on_tour, &planned, vehicle, now_ms));
        let Way { leg_metres, line, mut way, legs } = planned;
        if way.len() > MAX_POINTS {
            way.clear();
        }
        let schedule = Schedule { planned: on_tour.planned, computed_ms: now_ms, leg_metres, arrivals, line, way };
        let schedule = Arc::new(schedule);
        self.keep(courier, Kept { at: Instant::now(), schedule: Arc::clone(&schedule), area: area.id().clone(), legs });
        schedule
    }

    fn fresh(&self, courier: CourierId, on_tour: &OnTour, is_located: bool) -> Option<Arc<Schedule>> {
        let kept = self.lock();
        let is_fresh = |kept: &&Kept| {
            let schedule = &kept.schedule;
            let is_current = schedule.planned == on_tour.planned && schedule.arrivals.is_some() == is_located;
            is_current && kept.at.elapsed() < FRESH_FOR
        };
        kept.get(&courier).filter(is_fresh).map(|kept| Arc::clone(&kept.schedule))
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

    fn lock(&self) -> MutexGuard<'_, HashMap<CourierId, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Searching streets takes milliseconds for each leg: not on a thread that serves connections.
async fn plan_on_streets(roads: Option<Arc<RoadNetwork>>, plan: Plan) -> Way {
    let guess = plan.guess();
    tokio::task::spawn_blocking(move || plan.follow(roads.as_deref())).await.unwrap_or(guess)
}

impl Plan {
    fn follow(&self, roads: Option<&RoadNetwork>) -> Way {
        let started = Instant::now();
        let in_time = || roads.filter(|_| started.elapsed() < PLANNING_TIME);
        let mut planned = Way { leg_metres: Vec::new(), line: Vec::new(), way: Vec::new(), legs: Vec::new() };
        let mut before = None;
        for to in &self.stops {
            match (before, self.from) {
                (Some(from), _) => {
                    let leg = self.leg(from, *to, in_time());
                    let guess_m = || progress::estimated_street_m(from, *to);
                    planned.leg_metres.push(leg.as_ref().map_or_else(guess_m, |leg| leg.metres));
                    planned.way.extend(leg.iter().flat_map(|leg| leg.line.iter()).copied().chain([*to]));
                    planned.legs.extend(leg);
                }
                (None, Some(here)) => {
                    let (metres, line) = self.first_leg(here, *to, in_time());
                    planned.leg_metres.push(metres);
                    planned.way.extend(polyline::simplify(&line, LINE_TOLERANCE_DEG));
                    planned.way.push(*to);
                    planned.line = line;
                }
                (None, None) => {
                    planned.leg_metres.push(0.0);
                    planned.way.push(*to);
                }
            }
            before = Some(*to);
        }
        planned
    }

    fn guess(&self) -> Way {
        Self { legs: Vec::new(), stops: self.stops.clone(), route: None, ..*self }.follow(None)
    }

    /// The route behind the customer's arrival estimate, or a new one.
    fn first_leg(&self, here: LatLon, to: LatLon, roads: Option<&RoadNetwork>) -> (f64, Vec<LatLon>) {
        let on_it = progress::progress(here, to, self.route.as_deref());
        if let Some(route) = self.route.as_deref().filter(|_| !on_it.off_route) {
            return (on_it.remaining_m, progress::ahead(here, route));
        }
        match roads.and_then(|roads| roads.route(here, to, self.vehicle)) {
            Some(route) => {
                let planned = PlannedRoute { target: to, line: route.line, segments: Vec::new() };
                (progress::progress(here, to, Some(&planned)).remaining_m, planned.line)
            }
            None => (on_it.remaining_m, vec![here, to]),
        }
    }

    /// The route between two stops, if it is known or can be found.
    fn leg(&self, from: LatLon, to: LatLon, roads: Option<&RoadNetwork>) -> Option<Leg> {
        let known = self.legs.iter().find(|leg| leg.from == from && leg.to == to);
        known.cloned().or_else(|| {
            let route = roads?.route(from, to, self.vehicle)?;
            let line = polyline::simplify(&route.line, LINE_TOLERANCE_DEG).into();
            Some(Leg { from, to, metres: route.length_m, line })
        })
    }
}

fn arrivals_on(on_tour: &OnTour, way: &Way, vehicle: Vehicle, now_ms: i64) -> Vec<Arrival> {
    let customer_range = |stop: PlanStop| {
        let (_, eta) = on_tour.eta.filter(|(order, _)| *order == stop.order_id && stop.kind == StopKind::Dropoff)?;
        Some(Window { earliest_ms: eta.earliest_ms, latest_ms: eta.latest_ms })
    };
    let ahead = on_tour.planned.ahead();
    let visits = ahead.iter().zip(&way.leg_metres).map(|(ahead, leg_m)| Visit {
        kind: ahead.stop.kind,
        leg_m: *leg_m,
        customer_range: customer_range(ahead.stop),
        service_s: ahead.service_s,
    });
    arrivals(&visits.collect::<Vec<_>>(), vehicle, now_ms)
}

fn tour(schedule: &Schedule) -> Tour {
    let stops = schedule.planned.stops().enumerate().map(|(at, (stop, order))| {
        let arrival = schedule.arrivals.as_ref().and_then(|arrivals| arrivals.get(at));
        let leg_m = schedule.leg_metres.get(at).filter(|_| arrival.is_some());
        TourStop {
            order_id: stop.order_id,
            kind: stop.kind,
            earliest_at: arrival.map(|arrival| from_ms(arrival.window.earliest_ms)),
            latest_at: arrival.map(|arrival| from_ms(arrival.window.latest_ms)),
            distance_m: leg_m.map(|leg_m| leg_m.round().clamp(0.0, f64::from(u32::MAX)) as u32),
            promised_from: order.promised_from,
            promised_until: order.promised_until,
            // Only the database knows; the handler reads it.
            proof: Vec::new(),
        }
    });
    Tour {
        computed_at: from_ms(schedule.computed_ms),
        stops: stops.collect(),
        line: schedule.line.iter().copied().map(LatLon::to_lon_lat).collect(),
    }
}
