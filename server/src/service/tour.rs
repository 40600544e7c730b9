//! A courier's tour: when they get to each stop of their plan, and the route to the next one.
//!
//! Their own phone and the dispatchers' view of the plan show the same. A tour is planned along the streets from the
//! courier's position through all their stops, on a blocking thread and one tour at a time, so that planning never takes
//! more than one core. Legs between stops are kept, because stops do not move; the whole answer is kept for a few
//! seconds. What cannot be planned in time is guessed from the straight line.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use doorstep_shared::{
    CourierId, LatLon, Vehicle,
    api::{
        courier::{Tour, TourStop},
        plan::PlanStop,
    },
    geo::polyline,
    protocol::courier::StopKind,
    roads::RoadNetwork,
};
use tokio::sync::Semaphore;

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

/// How exact the lines of legs between stops are: about 5 m, a pixel at the closest zoom at which a whole tour is seen.
const LEG_TOLERANCE_DEG: f64 = 5e-5;

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
    schedule: Arc<Schedule>,
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
    /// The way through all stops along the streets; `None` where a part of it is not known.
    pub whole_line: Option<Vec<LatLon>>,
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
    /// Whether the way to the first stop follows streets, or there is none to follow.
    is_line_on_streets: bool,
    legs: Vec<Leg>,
}

impl Way {
    /// The way through all stops, where every part of it follows streets.
    fn whole_line(&self) -> Option<Vec<LatLon>> {
        let legs_between_stops = self.leg_metres.len().saturating_sub(1);
        if !self.is_line_on_streets || self.legs.len() < legs_between_stops {
            return None;
        }
        let mut whole = polyline::simplify(&self.line, LEG_TOLERANCE_DEG);
        self.legs.iter().for_each(|leg| whole.extend_from_slice(&leg.line));
        whole.dedup();
        (whole.len() > 1).then_some(whole)
    }
}

impl Tours {
    /// Tours from this live view. Without `roads` every distance is guessed.
    pub fn new(tracker: Arc<Tracker>, clock: Clock, roads: Option<Arc<RoadNetwork>>) -> Self {
        Self { tracker, clock, roads, planning: Semaphore::new(1), kept: Mutex::default() }
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
        let plan = Plan {
            stops: on_tour.planned.ahead().iter().map(|stop| stop.at).collect(),
            from: here,
            vehicle,
            route: on_tour.route.clone(),
            legs: self.lock().get(&courier).map(|kept| kept.legs.clone()).unwrap_or_default(),
        };
        let planned = match permit {
            Ok(_permit) => plan_on_streets(self.roads.clone(), plan).await,
            Err(_) => plan.follow(None),
        };
        let arrivals = here.map(|_| arrivals_on(&on_tour, &planned, vehicle, now_ms));
        let whole_line = planned.whole_line();
        let Way { leg_metres, line, legs, .. } = planned;
        let schedule =
            Schedule { planned: on_tour.planned, computed_ms: now_ms, leg_metres, arrivals, line, whole_line };
        let schedule = Arc::new(schedule);
        self.keep(courier, Kept { at: Instant::now(), schedule: Arc::clone(&schedule), legs });
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
        let mut planned = Way { leg_metres: Vec::new(), line: Vec::new(), is_line_on_streets: true, legs: Vec::new() };
        let mut before = None;
        for to in &self.stops {
            match (before, self.from) {
                (Some(from), _) => {
                    let leg = self.leg(from, *to, in_time());
                    let guess_m = || progress::estimated_street_m(from, *to);
                    planned.leg_metres.push(leg.as_ref().map_or_else(guess_m, |leg| leg.metres));
                    planned.legs.extend(leg);
                }
                (None, Some(here)) => {
                    let (metres, line, is_on_streets) = self.first_leg(here, *to, in_time());
                    planned.leg_metres.push(metres);
                    (planned.line, planned.is_line_on_streets) = (line, is_on_streets);
                }
                (None, None) => planned.leg_metres.push(0.0),
            }
            before = Some(*to);
        }
        planned
    }

    fn guess(&self) -> Way {
        Self { legs: Vec::new(), stops: self.stops.clone(), route: None, ..*self }.follow(None)
    }

    /// The route behind the customer's arrival estimate, or a new one, and whether it follows streets.
    fn first_leg(&self, here: LatLon, to: LatLon, roads: Option<&RoadNetwork>) -> (f64, Vec<LatLon>, bool) {
        let on_it = progress::progress(here, to, self.route.as_deref());
        if let Some(route) = self.route.as_deref().filter(|_| !on_it.off_route) {
            return (on_it.remaining_m, progress::ahead(here, route), true);
        }
        match roads.and_then(|roads| roads.route(here, to, self.vehicle)) {
            Some(route) => {
                let planned = PlannedRoute { target: to, line: route.line };
                (progress::progress(here, to, Some(&planned)).remaining_m, planned.line, true)
            }
            None => (on_it.remaining_m, vec![here, to], false),
        }
    }

    /// The route between two stops, if it is known or can be found.
    fn leg(&self, from: LatLon, to: LatLon, roads: Option<&RoadNetwork>) -> Option<Leg> {
        let known = self.legs.iter().find(|leg| leg.from == from && leg.to == to);
        known.cloned().or_else(|| {
            let route = roads?.route(from, to, self.vehicle)?;
            let line = polyline::simplify(&route.line, LEG_TOLERANCE_DEG).into();
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
