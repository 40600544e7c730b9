//! Learns from deliveries that are over, within a minute, from what is stored.
//!
//! One instance writes down what a delivery taught: how long its legs, waits and stays took, and how the ranges that its
//! customer read held. Every instance reads these rows, its own among them, so that all know the same. Nothing here is
//! asked for by a request, so a database that is away only makes it later.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_arrival::{
    estimate::Knowledge,
    learned::{Door, Observation, PlaceKey, Seen},
    local_time::LocalTime,
    on_way::Reading,
    score::at_horizons,
    trip::{Leg, approach_s, drives},
};
use doorstep_shared::{Fix, LatLon, OrderId, geo::distance::haversine_m};

use super::experience::Experience;
use crate::{
    domain::{
        arrival::{Finished, GroupBy, Lesson},
        track::eta::town_speed_mps,
    },
    platform::{
        clock::{Clock, offset_s},
        error_chain::SourceChain,
    },
    service::{areas::Areas, planner::Planner},
    store::{Store, StoreError},
};

use super::coverage_watch::CoverageWatch;

/// From one round to the next.
const ROUND_EVERY: Duration = Duration::from_secs(15);

/// A delivery is learned when its last fixes had time to come.
const SETTLED_AFTER: TimeDelta = TimeDelta::seconds(20);

/// Deliveries are looked for this far back in each round.
const LATELY: TimeDelta = TimeDelta::minutes(15);

/// And this far, now and then: an outage and phones without a network leave some over.
const LEFT_OVER: TimeDelta = TimeDelta::hours(12);
const LOOK_FAR_EVERY: TimeDelta = TimeDelta::minutes(10);

/// Deliveries of one round: four a second, more than any one instance sees.
const ROUND_SIZE: i64 = 60;

/// What a server that starts reads. Older lessons weigh less than a sixteenth.
const REMEMBERED: TimeDelta = TimeDelta::days(90);

/// Transactions end out of order; rows younger than the newest that was read by this much are read again.
const OVERLAP: TimeDelta = TimeDelta::minutes(2);

/// Fixes of one delivery: more than an hour of a phone that sends one a second.
const MOST_FIXES: i64 = 5_000;

/// A leg ends this near to its stop, in metres; what follows is parking and stairs.
const LEG_ENDS_M: f64 = 60.0;

/// What the metrics are counted over, and how often.
const MEASURED: TimeDelta = TimeDelta::days(7);
const MEASURE_EVERY: TimeDelta = TimeDelta::minutes(2);

/// The task that learns.
#[derive(Debug)]
pub struct Learner {
    store: Store,
    clock: Clock,
    planner: Planner,
    areas: Arc<Areas>,
    experience: Arc<Experience>,
    knowledge: Knowledge,
    /// When the newest lesson that was read was written, by the database's clock.
    read_until: Option<DateTime<Utc>>,
    /// The lessons read lately, which the overlap shows again.
    read: HashMap<(OrderId, u32), DateTime<Utc>>,
    looked_far_at: Option<DateTime<Utc>>,
    measured_at: Option<DateTime<Utc>>,
    coverage: CoverageWatch,
}

impl Learner {
    /// Prepares the task. Hours of the day are those of the area in use.
    pub fn new(
        (store, clock): (Store, Clock),
        (planner, areas): (Planner, Arc<Areas>),
        experience: Arc<Experience>,
    ) -> Self {
        let (knowledge, read_until, read) = Default::default();
        let (looked_far_at, measured_at, coverage) = Default::default();
        Self {
            store,
            clock,
            planner,
            areas,
            experience,
            knowledge,
            read_until,
            read,
            looked_far_at,
            measured_at,
            coverage,
        }
    }

    /// Runs until it is cancelled.
    pub async fn run(mut self) {
        let mut clock = tokio::time::interval(ROUND_EVERY);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut is_well = true;
        loop {
            clock.tick().await;
            match self.make_round().await {
                Ok(()) => is_well = true,
                Err(error) if std::mem::replace(&mut is_well, false) => {
                    tracing::warn!(error = %SourceChain(&error), "cannot learn from deliveries; trying again");
                }
                Err(_) => {}
            }
        }
    }

    /// Learns from what is over, and reads what all instances learned.
    ///
    /// # Errors
    /// When the database is away. The next round makes up for it.
    pub async fn make_round(&mut self) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.learn_finished(now).await?;
        self.read_lessons().await?;
        if self.measured_at.is_none_or(|at| now - at >= MEASURE_EVERY) {
            self.measure(now).await?;
            self.measured_at = Some(now);
        }
        self.knowledge.settle(now.timestamp_millis());
        self.experience.replace(self.knowledge.clone());
        Ok(())
    }

    async fn learn_finished(&mut self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let looks_far = self.looked_far_at.is_none_or(|at| now - at >= LOOK_FAR_EVERY);
        let from = now - if looks_far { LEFT_OVER } else { LATELY };
        let unlearned = self.store.finished_unlearned(from, now - SETTLED_AFTER, ROUND_SIZE).await?;
        for finished in &unlearned {
            let lesson = self.study(finished).await?;
            self.store.keep_lesson(finished, &lesson).await?;
        }
        // Of a full round some may be left; the next one looks as far.
        if looks_far && unlearned.len() < ROUND_SIZE as usize {
            self.looked_far_at = Some(now);
        }
        Ok(())
    }

    /// Takes in lessons that any instance wrote.
    async fn read_lessons(&mut self) -> Result<(), StoreError> {
        let since = self.read_until.map_or(self.clock.now() - REMEMBERED, |until| until - OVERLAP);
        for (learned_at, lesson) in self.store.lessons_since(since).await? {
            self.read_until = self.read_until.max(Some(learned_at));
            if self.read.insert((lesson.order, lesson.attempt), learned_at).is_none() {
                self.learn(&lesson);
            }
        }
        let until = self.read_until;
        self.read.retain(|_, at| until.is_none_or(|until| *at >= until - OVERLAP * 2));
        Ok(())
    }

    fn learn(&mut self, lesson: &Lesson) {
        lesson.seen.iter().for_each(|seen| self.knowledge.learned.learn(seen));
        let delivery = lesson.order.as_uuid().as_u128() ^ u128::from(lesson.attempt);
        lesson.scored.iter().for_each(|scored| self.knowledge.calibration.learn(delivery, scored));
    }

    async fn measure(&mut self, now: DateTime<Utc>) -> Result<(), StoreError> {
        for score in self.store.arrival_scores(GroupBy::Horizon, now - MEASURED, now).await? {
            self.coverage.look_at(&score);
            let horizon = [("horizon_min", score.group)];
            metrics::gauge!("doorstep_arrival_inside_ratio", &horizon).set(score.inside);
            metrics::gauge!("doorstep_arrival_width_seconds", &horizon).set(score.width_s);
        }
        Ok(())
    }

    /// What a delivery teaches.
    async fn study(&self, finished: &Finished) -> Result<Lesson, StoreError> {
        let began = finished.order.assigned_at.unwrap_or(finished.delivered - TimeDelta::hours(1));
        let fixes = self.store.fixes_between(finished.courier, began, finished.delivered, MOST_FIXES).await?;
        let readings: Vec<Reading> = fixes.iter().map(reading).collect();
        let arrived_ms = finished.arrived().timestamp_millis();
        let mut seen = self.stays(finished, &readings);
        let legs = [
            (Some(began), finished.at_pickup, finished.order.pickup.point),
            (finished.picked_up, Some(finished.arrived()), finished.order.dropoff.point),
        ];
        for (from, until, target) in legs {
            let Some((from, until)) = from.zip(until).filter(|(from, until)| from < until) else { continue };
            if !self.store.served_others((finished.courier, finished.order.id), from, until).await? {
                seen.extend(self.leg(finished, between(&readings, from, until), target).await);
            }
        }
        let told = self.store.told(finished.order.id, finished.order.attempt).await?;
        let scored = at_horizons(&told, arrived_ms);
        Ok(Lesson { order: finished.order.id, attempt: finished.order.attempt, seen, scored })
    }

    /// The wait at the pickup, the approach to the door and the stay there.
    fn stays(&self, finished: &Finished, readings: &[Reading]) -> Vec<Observation> {
        let order = &finished.order;
        let door = Door::of(&order.dropoff.address);
        let mut seen = Vec::new();
        let seconds = |from: DateTime<Utc>, until: DateTime<Utc>| (until - from).num_milliseconds() as f64 / 1_000.0;
        if let Some((from, until)) = finished.at_pickup.zip(finished.picked_up).filter(|(from, until)| from <= until) {
            let wait = Seen::Wait { place: PlaceKey::of(order.pickup.point), took_s: seconds(from, until) };
            seen.push(self.observed(from, until, wait));
        }
        let arrived = finished.arrived();
        if let Some(took_s) = approach_s(order.dropoff.point, readings, arrived.timestamp_millis()) {
            let approach = Seen::Approach { door, vehicle: finished.vehicle, took_s };
            seen.push(self.observed(arrived, arrived, approach));
        }
        if let Some(there) = finished.at_dropoff {
            let stay = Seen::Stay { door, parcels: order.demands.size, took_s: seconds(there, finished.delivered) };
            seen.push(self.observed(there, finished.delivered, stay));
        }
        seen
    }

    fn observed(&self, began: DateTime<Utc>, ended: DateTime<Utc>, seen: Seen) -> Observation {
        let local = LocalTime::new(began.timestamp_millis(), self.offset_s(began));
        Observation { at_ms: ended.timestamp_millis(), local, seen }
    }

    fn offset_s(&self, at: DateTime<Utc>) -> i32 {
        offset_s(self.areas.time_zone(), at)
    }

    /// What a drive teaches of its streets.
    async fn leg(&self, finished: &Finished, readings: &[Reading], target: LatLon) -> Vec<Observation> {
        let ends = readings.iter().position(|reading| haversine_m(reading.at, target) <= LEG_ENDS_M);
        let readings = &readings[..ends.map_or(readings.len(), |ends| ends + 1)];
        let Some(first) = readings.first() else { return Vec::new() };
        let Some(route) = self.planner.plan(first.at, target, finished.vehicle).await else { return Vec::new() };
        let way = route.way(town_speed_mps(finished.vehicle));
        drives(&Leg { vehicle: finished.vehicle, way: &way, readings, offset_s: self.offset_s(finished.delivered) })
    }
}

fn reading(fix: &Fix) -> Reading {
    Reading {
        time_ms: fix.recorded_at_ms(),
        at: fix.point(),
        accuracy_m: fix.accuracy_m().map(f64::from),
        heading_deg: fix.heading_deg().map(f64::from),
        speed_mps: fix.speed_mps().map(f64::from),
    }
}

/// The readings from one moment to another, in the order of time.
fn between(readings: &[Reading], from: DateTime<Utc>, until: DateTime<Utc>) -> &[Reading] {
    let first = readings.partition_point(|reading| reading.time_ms < from.timestamp_millis());
    let last = readings.partition_point(|reading| reading.time_ms <= until.timestamp_millis());
    &readings[first..last.max(first)]
}
