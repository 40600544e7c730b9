//! Notices what needs a dispatcher's attention, keeps it, and tells the fleet feed of it.
//!
//! Every few seconds one task judges every courier who has orders: a [`round`] asks pure code in
//! [`crate::domain::track`] and [`crate::domain::order`] and compares the verdicts with what the database has. The
//! database holds each ongoing exception once, so neither a restart nor a second instance raises one twice. An instance
//! judges the couriers who report to it or to no instance; before it calls a courier silent whose phone may talk to
//! another instance, it asks the database. Hand-overs come from [`crate::service::orders::status`] and are judged a
//! little later, when their positions had time to come. What couriers report of an order that was given back or is over is
//! kept with their report, by [`crate::service::orders::reports`].

pub mod deliveries;
mod expected;
mod memory;
mod readers;
pub mod round;

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use doorstep_shared::{
    CourierId, UserId,
    api::exception::ExceptionCode,
    problem::ErrorDetails,
    protocol::{ErrorMessage, courier::CourierEvent, fleet::FleetAlert},
};
use tokio::time::{MissedTickBehavior, interval};

use self::{
    deliveries::{Deliveries, Delivery},
    memory::{Asked, Memory},
    readers::Readers,
    round::Round,
};
use crate::{
    domain::{
        exception::{Finding, Ongoing, RejectedDevice},
        fleet::FleetChange,
        order::handover::{self, Handover},
        track::silence,
    },
    live::{
        broker::Broker,
        connections::Connections,
        tracker::{AtWork, Tracker},
    },
    platform::{
        clock::{Clock, from_ms},
        error_chain::SourceChain,
    },
    service::devices::rejections::Rejections,
    store::{Store, StoreError},
};

/// From one round to the next. No exception is younger than a minute when it is noticed, so this is often enough.
pub const ROUND_EVERY: Duration = Duration::from_secs(5);

/// No delivery takes longer, so an order whose promise is farther away cannot be late yet.
const PROMISE_HORIZON: TimeDelta = TimeDelta::hours(3);

/// How long the database's answer about a courier who seems silent holds.
const ASK_AGAIN_AFTER_MS: i64 = 15_000;

/// Fixes that are read around one hand-over: four minutes of a phone that sends two a second.
const FIXES_AROUND: i64 = 500;

/// After a restart, hand-overs older than this are not judged any more.
const DELIVERED_LATELY: TimeDelta = TimeDelta::minutes(5);

/// A device that has not reported for this long is not rejected any more, but silent.
const REJECTED_LATELY: TimeDelta = TimeDelta::minutes(15);

/// From one word to a courier's phones about a rejected device to the next.
const TELL_AGAIN_AFTER_MS: i64 = 10 * 60_000;

/// Watches over the fleet. Shared by reference.
#[derive(Debug)]
pub struct Exceptions {
    tracker: Arc<Tracker>,
    store: Store,
    broker: Arc<dyn Broker>,
    clock: Clock,
    connections: Arc<Connections>,
    deliveries: Arc<Deliveries>,
    rejections: Arc<Rejections>,
    listening_since_ms: i64,
    /// Held for a whole round: two rounds at once would each judge what the other has half written.
    memory: tokio::sync::Mutex<Memory>,
    readers: Readers,
}

impl Exceptions {
    /// A watch that begins now.
    pub fn new(
        tracker: Arc<Tracker>,
        (store, clock): (Store, Clock),
        (broker, connections): (Arc<dyn Broker>, Arc<Connections>),
        deliveries: Arc<Deliveries>,
        rejections: Arc<Rejections>,
    ) -> Self {
        let listening_since_ms = clock.now_ms();
        let (memory, readers) = Default::default();
        Self { tracker, store, broker, clock, connections, deliveries, rejections, listening_since_ms, memory, readers }
    }

    /// Makes a round every [`ROUND_EVERY`], until it is cancelled. The next round makes up for one that failed.
    pub async fn run(self: Arc<Self>) {
        let mut clock = interval(ROUND_EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_well = true;
        loop {
            clock.tick().await;
            match self.make_round().await {
                Ok(()) => is_well = true,
                Err(error) => {
                    if std::mem::replace(&mut is_well, false) {
                        tracing::warn!(error = %SourceChain(&error), "cannot watch over the fleet; trying again");
                    }
                }
            }
        }
    }

    /// Judges the whole fleet once.
    ///
    /// # Errors
    /// When the database is away. The next round finds again what this one could not write.
    pub async fn make_round(&self) -> Result<(), StoreError> {
        let mut memory = self.memory.lock().await;
        let began = Instant::now();
        let now_ms = self.clock.now_ms();
        // The database first, so that the tracker's state is not older than the database's.
        let ongoing = self.store.ongoing_exceptions().await?;
        let unassigned = self.store.unassigned_promised_before(from_ms(now_ms) + PROMISE_HORIZON).await?;
        let fleet = self.tracker.at_work(now_ms);
        self.ask_about_quiet(&mut memory, &fleet, &ongoing, now_ms).await?;
        memory.forget_others(&fleet, &unassigned.iter().map(|order| order.id).collect::<Vec<_>>());

        let mut round = Round::begin(ongoing, now_ms, self.listening_since_ms);
        for courier in &fleet {
            round.judge_courier(courier, &mut memory);
        }
        for order in &unassigned {
            round.judge_unassigned(order, &mut memory.doubtful);
        }
        self.judge_waits(&mut memory, &mut round).await?;
        self.judge_devices(&mut memory, &mut round).await?;
        self.collect_deliveries(&mut memory, now_ms).await?;
        let (handovers, undecided) = self.judge_deliveries(&memory.pending, now_ms).await?;
        let mut found = round.found;
        found.extend(handovers);
        announce(&*self.broker, self.store.raise_exceptions(found, from_ms(now_ms)).await?);
        memory.pending = undecided;
        self.store.change_exceptions(&round.changed).await?;
        self.store.end_exceptions(&round.over).await?;
        metrics::histogram!("doorstep_exceptions_round_seconds").record(began.elapsed().as_secs_f64());
        metrics::gauge!("doorstep_exceptions_ongoing").set(round.going_on as f64);
        Ok(())
    }

    /// Judges couriers who wait at pickups. Another server may judge them, too; the database keeps one of both findings.
    async fn judge_waits(&self, memory: &mut Memory, round: &mut Round) -> Result<(), StoreError> {
        let waiting = self.store.waiting_at_pickups().await?;
        memory.usual_waits.retain(|order, _| waiting.iter().any(|known| known.order == *order));
        let new: Vec<_> = waiting.iter().filter(|waiting| !memory.usual_waits.contains_key(&waiting.order)).collect();
        let pickups: Vec<_> = new.iter().map(|waiting| waiting.pickup).collect();
        let usual = self.store.usual_waits(&pickups, self.clock.now()).await?;
        memory.usual_waits.extend(new.iter().map(|waiting| waiting.order).zip(usual));
        for waiting in &waiting {
            round.judge_wait(waiting, memory.usual_waits.get(&waiting.order).copied().flatten());
        }
        Ok(())
    }

    /// Judges devices of which nothing is taken, and tells their couriers' phones.
    async fn judge_devices(&self, memory: &mut Memory, round: &mut Round) -> Result<(), StoreError> {
        self.rejections.write_down(&self.store).await?;
        let now_ms = self.clock.now_ms();
        let rejected = self.store.rejected_devices(from_ms(now_ms) - REJECTED_LATELY).await?;
        memory.told.retain(|device, _| rejected.iter().any(|one| one.device == *device));
        for one in &rejected {
            let was_told = |told_ms: &i64| now_ms.saturating_sub(*told_ms) < TELL_AGAIN_AFTER_MS;
            if !memory.told.get(&one.device).is_some_and(was_told) && self.connections.has_phones(one.courier) {
                self.connections.tell(one.courier, &CourierEvent::Error(told(one)));
                memory.told.insert(one.device, now_ms);
            }
        }
        round.judge_devices(&rejected);
        Ok(())
    }

    /// Asks the database about couriers who seem silent: they may report to another instance, or this one has forgotten
    /// them since they reported.
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
                let answer_is_old = now_ms.saturating_sub(asked.at_ms) >= ASK_AGAIN_AFTER_MS;
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

    async fn collect_deliveries(&self, memory: &mut Memory, now_ms: i64) -> Result<(), StoreError> {
        if !memory.has_begun {
            let lately = self.store.delivered_since(from_ms(now_ms) - DELIVERED_LATELY).await?;
            memory.pending.extend(lately.iter().filter_map(|order| Delivery::of(order, now_ms)));
            memory.has_begun = true;
        }
        memory.pending.extend(self.deliveries.take());
        Ok(())
    }

    /// The hand-overs that were far from their door, and those that cannot be judged yet.
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

    /// Whether a person who reads the list now makes a new entry in the access log: once in ten minutes, however often
    /// their console asks.
    pub fn is_new_access(&self, by: UserId) -> bool {
        self.readers.is_new(by, self.clock.now_ms())
    }
}

/// What a courier's phones are told of another device of theirs.
fn told(rejected: &RejectedDevice) -> ErrorMessage {
    let label = &rejected.label;
    let sentence = match rejected.code {
        ExceptionCode::ClockWrong => format!("the clock of {label} is wrong, so its positions are rejected"),
        _ => format!("what {label} sends cannot be read, so its positions are rejected"),
    };
    let details = ErrorDetails { device: Some(label.clone()), ..ErrorDetails::default() };
    ErrorMessage { details: Some(details), ..ErrorMessage::refusal(None, rejected.code.as_str(), sentence) }
}

/// Tells dispatchers of exceptions that are new.
pub fn announce(broker: &dyn Broker, raised: impl IntoIterator<Item = Finding>) {
    for finding in raised {
        metrics::counter!("doorstep_exceptions_total", "code" => finding.code.as_str()).increment(1);
        let alert = FleetAlert {
            code: finding.code.as_str().to_owned(),
            since_ms: finding.since_ms,
            courier_id: finding.courier,
            order_id: finding.order,
        };
        broker.publish_fleet(FleetChange::Alert(alert));
    }
}
