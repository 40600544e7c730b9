//! Works out when couriers arrive, off the hot path.
//!
//! About once a second one task takes the couriers that moved, some at a time, places each on their planned route and
//! plans anew when they left it; couriers who do not move are looked at every ten seconds, because standing and silence
//! change an arrival, too. A thread of its own plans one route at a time, so that positions never wait for planning
//! ([`crate::service::planner`]). What is told comes from `doorstep-arrival`; [`learner`] teaches it from what is stored,
//! and [`told_log`] keeps what was told, and [`approaching`] tells others that a courier is near. The task also sends fresh snapshots to viewers whose trail was completed from
//! behind.

pub mod approaching;
mod coverage_watch;
pub mod experience;
mod followed;
mod journey;
pub mod learner;
pub mod told_log;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use doorstep_arrival::{
    estimate::Knowledge,
    local_time::LocalTime,
    on_way::{self, Reading},
    score::COVERAGE,
    told::{Cause, Why},
};
use doorstep_shared::{
    CourierId, LatLon, OrderId, Vehicle,
    protocol::customer::{CustomerEvent, Ended, Eta, EtaWhy},
};

pub(crate) use self::journey::journey;
use self::{
    approaching::{Approaches, is_near},
    experience::Experience,
    followed::{Ahead, Followed, When, reading},
    told_log::ToldLog,
};
use crate::{
    domain::{
        arrival::ToldOrder,
        order::{Order, visibility},
        plan::{StopAhead, until_door},
        track::{eta::town_speed_mps, progress::PlannedRoute},
    },
    live::{
        broker::Broker,
        hub::{Hub, LiveEvent},
        tracker::{Heading, Heard, Tracker},
    },
    platform::{
        clock::{Clock, from_ms, offset_s},
        paced_chunks::PacedChunks,
    },
    service::{areas::Areas, orders::snapshot, planner::Planner},
    store::Store,
};

/// From one round over the couriers that moved to the next.
const ROUND: Duration = Duration::from_secs(1);

/// A courier who keeps leaving the planned route gets a new one no more often than this.
const REPLAN_AFTER: Duration = Duration::from_secs(12);

/// Couriers who do not move, and customers who wait for others, are looked at this often.
const LOOK_EVERY_MS: i64 = 10_000;

/// A courier who was not seen for this long is followed no more.
const FORGET_AFTER_MS: i64 = 45 * 60_000;

/// An estimate whose range stands is sent again when the remaining distance shrank by this much, in metres.
const WORTH_SENDING_M: u32 = 75;

/// What the arrival task works with.
#[derive(Debug)]
pub struct Arrivals {
    tracker: Arc<Tracker>,
    hub: Arc<Hub>,
    broker: Arc<dyn Broker>,
    store: Store,
    clock: Clock,
    planner: Planner,
    areas: Arc<Areas>,
    experience: Arc<Experience>,
    told_log: ToldLog,
    approaches: Approaches,
    followed: HashMap<CourierId, Followed>,
    /// When a route was last planned for each courier, and to which point.
    planned_at: HashMap<CourierId, (LatLon, Instant)>,
}

impl Arrivals {
    /// Prepares the task. Where `planner` finds no way, the way to the door is guessed from the straight line. Hours of the
    /// day are those of the area in use.
    pub fn new(
        (tracker, hub, broker): (Arc<Tracker>, Arc<Hub>, Arc<dyn Broker>),
        (store, clock): (Store, Clock),
        (planner, areas): (Planner, Arc<Areas>),
        experience: Arc<Experience>,
        (told_log, approaches): (ToldLog, Approaches),
    ) -> Self {
        let (followed, planned_at) = Default::default();
        Self {
            tracker,
            hub,
            broker,
            store,
            clock,
            planner,
            areas,
            experience,
            told_log,
            approaches,
            followed,
            planned_at,
        }
    }

    /// Runs until it is cancelled.
    pub async fn run(mut self) {
        let mut looked_ms = self.clock.now_ms();
        loop {
            let (moved, outdated) = self.changes().await;
            for order in outdated {
                self.correct_viewers(order).await;
            }
            self.update_all(&moved).await;
            self.planned_at.retain(|_, (_, at)| at.elapsed() < REPLAN_AFTER);
            if self.clock.now_ms() - looked_ms >= LOOK_EVERY_MS {
                looked_ms = self.clock.now_ms();
                self.look_at_still().await;
            }
        }
    }

    /// What changed, or nothing after some seconds in which nobody moved.
    async fn changes(&self) -> (Vec<CourierId>, Vec<OrderId>) {
        let some_seconds = Duration::from_millis(LOOK_EVERY_MS as u64);
        tokio::time::timeout(some_seconds, self.tracker.changes()).await.unwrap_or_default()
    }

    /// Looks at couriers who did not move, and forgets those who are gone.
    async fn look_at_still(&mut self) {
        let now_ms = self.clock.now_ms();
        self.followed.retain(|_, followed| now_ms - followed.seen_ms < FORGET_AFTER_MS);
        let is_still = |followed: &Followed| now_ms - followed.seen_ms >= LOOK_EVERY_MS;
        let still = self.followed.iter().filter(|(_, followed)| is_still(followed)).map(|(courier, _)| *courier);
        let still: Vec<CourierId> = still.collect();
        self.update_all(&still).await;
    }

    /// Looks at couriers, spread over a second: no fix should wait behind thousands of them.
    async fn update_all(&mut self, couriers: &[CourierId]) {
        let mut chunks = PacedChunks::new(couriers, ROUND);
        while let Some(chunk) = chunks.next().await {
            for courier in chunk {
                self.update(*courier).await;
            }
        }
    }

    async fn update(&mut self, courier: CourierId) {
        // The instance to which the courier reports makes the estimate and sends it to this one.
        if self.tracker.is_elsewhere(courier, self.clock.now_ms()) {
            return;
        }
        let Some(heading) = self.tracker.heading(courier) else { return };
        let (Some(here), Some(place)) = (heading.position.point(), heading.order.next_waypoint()) else { return };
        let reading = reading(&heading.position, here);
        let mut followed = self.followed.remove(&courier).unwrap_or_default();
        self.follow(courier, &mut followed, &heading, (reading, place.point)).await;
        let experience = self.experience.current();
        let knowledge = (&*experience, self.when());
        self.estimate_next(courier, &mut followed, &heading, here, knowledge);
        self.estimate_later(courier, &mut followed, (here, heading.vehicle), knowledge);
        self.plan_wanted_leg(&mut followed, heading.vehicle).await;
        self.followed.insert(courier, followed);
    }

    fn when(&self) -> When {
        let now_ms = self.clock.now_ms();
        (LocalTime::new(now_ms, offset_s(self.areas.time_zone(), from_ms(now_ms))), now_ms)
    }

    /// Places the courier on their way, on a new one if they left it.
    async fn follow(
        &mut self,
        courier: CourierId,
        followed: &mut Followed,
        heading: &Heading,
        (reading, target): (Reading, LatLon),
    ) {
        let (experience, when) = (self.experience.current(), self.when());
        let known = heading.route.as_ref().filter(|route| route.target == target);
        if let Some(route) = known {
            followed.observe(route, reading, heading.vehicle, (&experience, when));
        }
        let planned_lately = self.planned_at.get(&courier).is_some_and(|(place, _)| *place == target);
        if (known.is_some() && !followed.needs_way(target)) || planned_lately {
            return;
        }
        self.planned_at.insert(courier, (target, Instant::now()));
        if let Some(route) = self.plan(&reading, target, heading.vehicle).await {
            self.tracker.set_route(courier, Arc::clone(&route));
            followed.observe(&route, reading, heading.vehicle, (&experience, when));
        }
    }

    /// A way from the courier's place that begins as they travel, if one of the streets beside them has one.
    async fn plan(&self, reading: &Reading, target: LatLon, vehicle: Vehicle) -> Option<Arc<PlannedRoute>> {
        let mut first = None;
        for start in on_way::starts(reading) {
            let Some(route) = self.planner.plan(start, target, vehicle).await else { continue };
            if on_way::begins_as_travelled(&route.way(town_speed_mps(vehicle)), reading) {
                return Some(route);
            }
            first.get_or_insert(route);
        }
        first
    }

    /// Estimates the arrival at the door of the order that is served.
    fn estimate_next(
        &self,
        courier: CourierId,
        followed: &mut Followed,
        heading: &Heading,
        here: LatLon,
        knowledge: (&Knowledge, When),
    ) {
        let stops = until_door(&heading.ahead, heading.order.id);
        self.estimate(courier, followed, (&heading.order, true), (here, stops, heading.vehicle), knowledge);
        followed.seen_ms = knowledge.1.1;
    }

    /// Estimates for customers who wait for others, while they look at their page or have a promise. Where couriers are
    /// tonight says nothing about an order for tomorrow.
    fn estimate_later(
        &self,
        courier: CourierId,
        followed: &mut Followed,
        (here, vehicle): (LatLon, Vehicle),
        knowledge: (&Knowledge, When),
    ) {
        let now_ms = knowledge.1.1;
        if now_ms - followed.later_ms < LOOK_EVERY_MS {
            return;
        }
        followed.later_ms = now_ms;
        let planned = self.tracker.planned(courier);
        followed.keepers.retain(|order, _| planned.orders.iter().any(|known| known.id == *order));
        let (lead, now) = (self.store.feed_lead(), from_ms(now_ms));
        let is_near = |order: &&Order| order.status.is_active() && visibility::may_be_open(order, lead, now);
        for order in planned.orders.iter().skip(1).filter(is_near) {
            if self.hub.audience(order.id) > 0 || order.promised_until.is_some() {
                let stops = until_door(planned.ahead(), order.id);
                self.estimate(courier, followed, (order, false), (here, stops, vehicle), knowledge);
            }
        }
    }

    fn estimate(
        &self,
        courier: CourierId,
        followed: &mut Followed,
        (order, is_next): (&Order, bool),
        (here, stops, vehicle): (LatLon, &[StopAhead], Vehicle),
        knowledge: (&Knowledge, When),
    ) {
        let now_ms = knowledge.1.1;
        if stops.is_empty() {
            return;
        }
        let ahead = followed.ahead(here, stops, vehicle, now_ms);
        let fresh = followed.fresh((order.status, is_next), stops, &ahead, vehicle, knowledge);
        let keeper = followed.keepers.entry(order.id).or_default();
        let telling = keeper.offer(fresh, now_ms);
        let Some(told) = keeper.told(now_ms) else { return };
        let eta = Eta {
            earliest_ms: told.earliest_ms,
            latest_ms: told.latest_ms,
            computed_at_ms: now_ms,
            remaining_m: shown_metres(&ahead, is_next),
            expected_ms: Some(told.expected_ms),
            coverage: Some(COVERAGE),
            why: keeper.why().map(why),
        };
        if is_next && is_near(order, &eta, now_ms) {
            self.note_approach(followed, order);
        }
        let known = self.tracker.eta(courier, order.id);
        let is_nearer = known.is_none_or(|known| known.remaining_m.abs_diff(eta.remaining_m) >= WORTH_SENDING_M);
        if telling.is_some() || is_nearer {
            self.tracker.set_eta(courier, order.id, eta, Heard::Here);
        }
        if let Some(telling) = telling {
            metrics::counter!("doorstep_arrival_moves_total", "cause" => cause_word(telling.cause)).increment(1);
            self.told_log.note(ToldOrder { order: order.id, attempt: order.attempt, told: telling.told });
        }
    }

    fn note_approach(&self, followed: &mut Followed, order: &Order) {
        let attempt = (order.id, order.attempt);
        if followed.approached != Some(attempt) && self.approaches.note(attempt) {
            followed.approached = Some(attempt);
        }
    }

    /// Plans one of the legs that were guessed. The next look at the courier knows it.
    async fn plan_wanted_leg(&self, followed: &mut Followed, vehicle: Vehicle) {
        let Some((from, to)) = followed.wanted_leg.take() else { return };
        let speed_mps = town_speed_mps(vehicle);
        let rest = match self.planner.plan(from, to, vehicle).await {
            Some(route) => route.way(speed_mps).rest(0.0),
            None => doorstep_arrival::way::Way::guessed(from, to, speed_mps).rest(0.0),
        };
        followed.keep_leg(from, to, rest);
    }

    /// Sends the viewers of `order` a fresh snapshot.
    async fn correct_viewers(&self, order: OrderId) {
        if self.hub.audience(order) == 0 {
            return;
        }
        // When the database is away the viewers keep what they have; only the older trail is missing.
        let Ok(Some(tracked)) = self.store.tracked_order_by_id(order).await else { return };
        if tracked.order.status.is_final() {
            // Every viewer has it already, unless this instance could not receive another one's facts.
            let ended = Ended { status: tracked.order.status, at_ms: tracked.order.status_at.timestamp_millis() };
            self.broker.publish(order, LiveEvent::Ended(ended));
            return;
        }
        let snapshot = snapshot::build(&tracked, &self.tracker, None, self.clock.now_ms());
        self.broker.publish(order, LiveEvent::Tell(CustomerEvent::Snapshot(snapshot)));
        if let Some(courier) = &tracked.courier {
            self.tracker.tell_presence(courier.id, order);
        }
    }
}

/// The metres that a customer is told. Those who wait for others learn no more than whole kilometres of where the courier
/// is.
fn shown_metres(ahead: &Ahead, is_next: bool) -> u32 {
    let metres = if is_next { ahead.metres } else { (ahead.metres / 1_000.0).ceil() * 1_000.0 };
    metres.round().clamp(0.0, f64::from(u32::MAX)) as u32
}

const fn why(why: Why) -> EtaWhy {
    match why {
        Why::Standing => EtaWhy::Standing,
        Why::Silent => EtaWhy::Silent,
        Why::OffWay => EtaWhy::OffWay,
        Why::WaitingAtPickup => EtaWhy::WaitingAtPickup,
    }
}

const fn cause_word(cause: Cause) -> &'static str {
    match cause {
        Cause::First => "first",
        Cause::Reason => "reason",
        Cause::Over => "over",
        Cause::News => "news",
        Cause::Inside => "inside",
    }
}
