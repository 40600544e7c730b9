//! Notices what needs a dispatcher's look, keeps it, and tells the fleet feed of it.
//!
//! One task looks every few seconds at every courier who has orders. What is the case is decided by pure code, in
//! [`crate::domain::track`] and [`crate::domain::order`]; [`round`] asks it and compares with what is in the database. The database
//! holds what is going on, each thing once, so neither a restart nor a second instance notices anything twice. An
//! instance judges who reports to it, or to nobody; of a courier whose phone may talk to another one it asks the database
//! before it calls them silent.
//! Hand-overs are reported by [`crate::service::orders::lifecycle`] and judged a little later, when positions had time to come.

pub mod deliveries;
pub mod round;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use doorstep_shared::{CourierId, OrderId, UserId, api::exception::ExceptionCode, protocol::fleet::FleetAlert};
use tokio::time::{MissedTickBehavior, interval};

use self::{
    deliveries::{Deliveries, Delivery},
    round::Round,
};
use crate::{
    domain::{
        fleet::FleetChange,
        order::handover::{self, Handover},
        track::{off_route::Way, silence},
    },
    live::{
        broker::Broker,
        tracker::{AtWork, Tracker},
    },
    platform::{
        clock::{Clock, from_ms},
        error_chain::SourceChain,
    },
    store::{
        Store, StoreError,
        exceptions::{Finding, LastHeard, Ongoing},
    },
};

/// How often the fleet is looked at. Nothing that is noticed here is younger than a minute.
pub const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Nobody would need longer for an order; whose promise is farther away cannot be late yet.
const PROMISE_HORIZON: TimeDelta = TimeDelta::hours(3);

/// How long an answer of the database about a courier who is not heard of holds.
const HEARD_AGAIN_AFTER_MS: i64 = 15_000;

/// Fixes that are read around one hand-over: four minutes of a phone that sends two a second.
const FIXES_AROUND: i64 = 500;

/// Hand-overs this old are not judged any more after a restart.
const DELIVERED_LATELY: TimeDelta = TimeDelta::minutes(5);

/// A console that asks for the list again and again looks once in this time, as the log of looks has it.
const LOOK_LASTS_MS: i64 = 10 * 60_000;

/// Watches over the fleet. Shared by reference.
#[derive(Debug)]
pub struct Exceptions {
    tracker: Arc<Tracker>,
    store: Store,
    broker: Arc<dyn Broker>,
    clock: Clock,
    deliveries: Arc<Deliveries>,
    listening_since_ms: i64,
    /// Held for the whole of a look: two at once would judge each other's half-told story.
    memory: tokio::sync::Mutex<Memory>,
    looked: Mutex<HashMap<UserId, i64>>,
}

/// What is remembered from look to look; all of it may be lost.
#[derive(Debug, Default)]
struct Memory {
    ways: HashMap<CourierId, Way>,
    heard: HashMap<CourierId, Asked>,
    /// Since when an order will surely be late.
    doubtful: HashMap<OrderId, i64>,
    pending: Vec<Delivery>,
    has_begun: bool,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    at_ms: i64,
    answer: Option<LastHeard>,
}

impl Exceptions {
    /// A watch that begins now.
    pub fn new(
        tracker: Arc<Tracker>,
        store: Store,
        broker: Arc<dyn Broker>,
        clock: Clock,
        deliveries: Arc<Deliveries>,
    ) -> Self {
        let listening_since_ms = clock.now_ms();
        let (memory, looked) = Default::default();
        Self { tracker, store, broker, clock, deliveries, listening_since_ms, memory, looked }
    }

    /// Looks again and again until it is cancelled. A look that the database spoils is made up for by the next.
    pub async fn run(self: Arc<Self>) {
        let mut clock = interval(LOOK_EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_well = true;
        loop {
            clock.tick().await;
            match self.look().await {
                Ok(()) => is_well = true,
                Err(error) => {
                    if std::mem::replace(&mut is_well, false) {
                        tracing::warn!(error = %SourceChain(&error), "cannot watch over the fleet; trying on");
                    }
                }
            }
        }
    }

    /// Looks at the whole fleet once.
    ///
    /// # Errors
    /// When the database is away. What was not written is found again by the next look.
    pub async fn look(&self) -> Result<(), StoreError> {
        let mut memory = self.memory.lock().await;
        let began = Instant::now();
        let now_ms = self.clock.now_ms();
        // The database first: what the tracker says afterwards is not older.
        let ongoing = self.store.ongoing_exceptions().await?;
        let unassigned = self.store.unassigned_promised_before(from_ms(now_ms) + PROMISE_HORIZON).await?;
        let fleet = self.tracker.at_work(now_ms);
        self.ask_about_quiet(&mut memory, &fleet, &ongoing, now_ms).await?;
        memory.forget_others(&fleet, &unassigned.iter().map(|order| order.id).collect::<Vec<_>>());

        let mut round = Round::begin(ongoing, now_ms, self.listening_since_ms);
        for courier in &fleet {
            round.look_at(courier, &mut memory);
        }
        for order in &unassigned {
            round.look_at_unassigned(order, &mut memory.doubtful);
        }
        self.gather_deliveries(&mut memory, now_ms).await?;
        let (handovers, undecided) = self.judge_deliveries(&memory.pending, now_ms).await?;
        let mut found = round.found;
        found.extend(handovers);
        self.tell(self.store.raise_exceptions(found, from_ms(now_ms)).await?);
        memory.pending = undecided;
        self.store.change_exceptions(&round.changed).await?;
        self.store.end_exceptions(&round.over).await?;
        metrics::histogram!("doorstep_exceptions_round_seconds").record(began.elapsed().as_secs_f64());
        metrics::gauge!("doorstep_exceptions_ongoing").set(round.going_on as f64);
        Ok(())
    }

    fn tell(&self, raised: Vec<Finding>) {
        for finding in raised {
            metrics::counter!("doorstep_exceptions_total", "code" => finding.code.as_str()).increment(1);
            let alert = FleetAlert {
                code: finding.code.as_str().to_owned(),
                since_ms: finding.since_ms,
                courier_id: finding.courier,
                order_id: finding.order,
            };
            self.broker.publish_fleet(FleetChange::Alert(alert));
        }
    }

    /// Couriers who seem silent may have been heard elsewhere, or by what this instance has forgotten.
    async fn ask_about_quiet(
        &self,
        memory: &mut Memory,
        fleet: &[AtWork],
        ongoing: &[Ongoing],
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let seems_silent = |heard_ms: Option<i64>| {
            heard_ms.is_none_or(|heard_ms| now_ms.saturating_sub(heard_ms) >= silence::APP_PATIENCE_MS)
        };
        let noticed = ongoing.iter().filter(|known| known.code == ExceptionCode::Silent);
        let noticed: HashSet<CourierId> = noticed.filter_map(|known| known.courier).collect();
        let quiet = fleet.iter().filter(|seen| seems_silent(seen.heard_ms) || noticed.contains(&seen.courier));
        let quiet = quiet.map(|seen| seen.courier).filter(|courier| {
            memory.heard.get(courier).is_none_or(|asked| {
                let answer_is_old = now_ms.saturating_sub(asked.at_ms) >= HEARD_AGAIN_AFTER_MS;
                answer_is_old && seems_silent(asked.answer.map(|heard| heard.at_ms))
            })
        });
        let quiet: Vec<CourierId> = quiet.collect();
        if quiet.is_empty() {
            return Ok(());
        }
        let mut answers = self.store.last_heard_of_each(&quiet).await?;
        let asked = quiet.iter().map(|courier| (*courier, Asked { at_ms: now_ms, answer: answers.remove(courier) }));
        memory.heard.extend(asked);
        Ok(())
    }

    async fn gather_deliveries(&self, memory: &mut Memory, now_ms: i64) -> Result<(), StoreError> {
        if !memory.has_begun {
            let lately = self.store.delivered_since(from_ms(now_ms) - DELIVERED_LATELY).await?;
            memory.pending.extend(lately.iter().filter_map(|order| Delivery::of(order, now_ms)));
            memory.has_begun = true;
        }
        memory.pending.extend(self.deliveries.take());
        Ok(())
    }

    /// What there is to say about hand-overs, and those about which nothing can be said yet.
    async fn judge_deliveries(
        &self,
        pending: &[Delivery],
        now_ms: i64,
    ) -> Result<(Vec<Finding>, Vec<Delivery>), StoreError> {
        let (mut found, mut undecided) = (Vec::new(), Vec::new());
        let around = TimeDelta::milliseconds(handover::WITHIN_MS);
        for delivery in pending {
            let waited_ms = now_ms.saturating_sub(delivery.reported_ms);
            let at = from_ms(delivery.delivered_ms);
            let fixes = match waited_ms < handover::SETTLED_AFTER_MS {
                true => Vec::new(),
                false => self.store.fixes_between(delivery.courier, at - around, at + around, FIXES_AROUND).await?,
            };
            match handover::judge(delivery.door, delivery.delivered_ms, &fixes, waited_ms) {
                Handover::Near => {}
                Handover::Undecided => undecided.push(*delivery),
                Handover::Far { distance_m, place } => found.push(delivery.far(distance_m, place)),
            }
        }
        Ok((found, undecided))
    }

    /// Whether somebody who reads the list now has not been noted in the log of looks lately, for the same.
    pub fn is_new_look(&self, by: UserId) -> bool {
        let now_ms = self.clock.now_ms();
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        looked.retain(|_, at_ms| now_ms.saturating_sub(*at_ms) < LOOK_LASTS_MS);
        if looked.contains_key(&by) {
            return false;
        }
        looked.insert(by, now_ms);
        true
    }
}

impl Memory {
    /// Keeps nothing about couriers and orders that are no longer looked at.
    fn forget_others(&mut self, fleet: &[AtWork], unassigned: &[OrderId]) {
        let couriers: HashSet<CourierId> = fleet.iter().map(|seen| seen.courier).collect();
        self.ways.retain(|courier, _| couriers.contains(courier));
        self.heard.retain(|courier, _| couriers.contains(courier));
        if self.doubtful.is_empty() {
            return;
        }
        let open = fleet.iter().flat_map(|seen| seen.open.iter().map(|order| order.id));
        let orders: HashSet<OrderId> = open.chain(unassigned.iter().copied()).collect();
        self.doubtful.retain(|order, _| orders.contains(order));
    }

    /// What the database last said of a courier who seemed silent.
    fn heard(&self, courier: CourierId) -> Option<LastHeard> {
        self.heard.get(&courier).and_then(|asked| asked.answer)
    }
}
