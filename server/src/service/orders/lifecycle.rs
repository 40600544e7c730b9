//! The use cases that move an order on, for couriers, people and programs alike.
//!
//! The only writer of a status and of who has an order. The database commits first; then, in this order,
//! dispatchers are told, the old courier is taken off the live view, the viewers are told, the feed is closed if
//! the order is over, and the couriers get their new stops.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use doorstep_shared::{
    CourierId, OrderId, OrderStatus, Vehicle,
    api::proof::ProofKind,
    problem::ErrorDetails,
    protocol::{
        courier::CourierEvent,
        customer::{CustomerEvent, Ended, OrderUpdate},
    },
};

use tokio::sync::Notify;

use crate::{
    domain::{
        courier::Courier,
        order::{Actor, Order, visibility},
        track::duty::OffDuty,
    },
    live::{
        broker::Broker,
        connections::Connections,
        hub::LiveEvent,
        tracker::{Known, Tracker},
    },
    platform::clock::Clock,
    service::exceptions::deliveries::{Deliveries, Delivery},
    store::{Store, StoreError, orders::OrderChange},
};

/// How many fixes are read back after a restart for one courier.
const SEED_FIXES: i64 = 2_000;

/// Couriers that are read back at once: few queries, and a bounded number of fixes in memory.
const LOAD_AT_ONCE: usize = 500;

/// Couriers whose plan could not be read, to be read later. More than any company has; whoever finds no place is read
/// with their next change.
const MAX_OUTDATED_PLANS: usize = 10_000;

/// How long after a plan could not be read it is tried again.
const RETRY_PLAN_AFTER: Duration = Duration::from_secs(1);

/// Why an order did not move on.
#[derive(Debug, thiserror::Error)]
pub enum LifecycleError {
    /// No such order, or not this courier's.
    #[error("there is no such order")]
    UnknownOrder,
    /// No such courier.
    #[error("there is no such courier")]
    UnknownCourier,
    /// The status may not follow the present one.
    #[error("order {reference} is already {from}", from = words(*from))]
    InvalidTransition {
        /// The order.
        order_id: OrderId,
        /// The merchant's name for the order.
        reference: String,
        /// What it is.
        from: OrderStatus,
        /// What it should have become.
        to: OrderStatus,
    },
    /// What only dispatch decides.
    #[error("only dispatch can make order {reference} {to}", to = words(*to))]
    NotForCouriers {
        /// The order.
        order_id: OrderId,
        /// The merchant's name for the order.
        reference: String,
        /// What it is.
        from: OrderStatus,
        /// What it should have become.
        to: OrderStatus,
    },
    /// The order asks for proofs that the courier has not sent yet.
    #[error("order {reference} needs {} before it is delivered", list(missing))]
    ProofRequired {
        /// The merchant's name for the order.
        reference: String,
        /// What is missing.
        missing: Vec<ProofKind>,
    },
    /// The database is away.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LifecycleError {
    /// The values behind the error, for programs.
    pub fn details(&self) -> Option<ErrorDetails> {
        match self {
            Self::InvalidTransition { order_id, from, to, .. } | Self::NotForCouriers { order_id, from, to, .. } => {
                Some(ErrorDetails::invalid_transition(*order_id, *from, *to))
            }
            Self::UnknownOrder | Self::UnknownCourier | Self::ProofRequired { .. } | Self::Store(_) => None,
        }
    }
}

fn list(missing: &[ProofKind]) -> String {
    let words = missing.iter().map(|kind| match kind {
        ProofKind::Photo => "a photo",
        ProofKind::Signature => "a signature",
        ProofKind::Pin => "the customer's PIN",
    });
    words.collect::<Vec<_>>().join(" and ")
}

/// What couriers report. Whether an order is cancelled or given to somebody is dispatch's decision: a cancelled one
/// asks for no proof, and nobody could take it back.
const fn is_reported_by_couriers(status: OrderStatus) -> bool {
    use OrderStatus::{AtDropoff, AtPickup, Delivered, Failed, PickedUp, Returned};
    matches!(status, AtPickup | PickedUp | AtDropoff | Delivered | Failed | Returned)
}

fn words(status: OrderStatus) -> String {
    status.as_str().replace('_', " ")
}

/// What became of a status report.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The order moved on.
    Changed(Order),
    /// It had that status already; a phone resent its report.
    Unchanged(Order),
}

/// What an order's viewers are told when it changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StateForViewers {
    /// Which order.
    pub order: OrderId,
    /// Who brings it.
    pub courier: Option<CourierId>,
    /// How far it is.
    pub status: OrderStatus,
    /// Since when, Unix epoch milliseconds.
    pub status_at_ms: i64,
}

impl Order {
    const fn state_for_viewers(&self) -> StateForViewers {
        let status_at_ms = self.status_at.timestamp_millis();
        StateForViewers { order: self.id, courier: self.courier_id, status: self.status, status_at_ms }
    }
}

/// The use cases. Shared by reference.
#[derive(Debug)]
pub struct Orders {
    store: Store,
    tracker: Arc<Tracker>,
    broker: Arc<dyn Broker>,
    connections: Arc<Connections>,
    deliveries: Arc<Deliveries>,
    clock: Clock,
    gathering: Gathering,
    /// The newest batch that was read; held while one is.
    loaded: tokio::sync::Mutex<u64>,
    /// Whose plan could not be read.
    outdated: Mutex<HashSet<CourierId>>,
    outdated_more: Notify,
}

/// Couriers who wait to be read together, in numbered batches.
#[derive(Debug, Default)]
struct Gathering(Mutex<(u64, HashSet<CourierId>)>);

impl Gathering {
    /// Adds a courier; the number of the batch that they are in.
    fn add(&self, courier: CourierId) -> u64 {
        let mut gathering = self.lock();
        gathering.1.insert(courier);
        gathering.0 + 1
    }

    /// The batch with its number; whoever begins it is in it. If it never ends, the next one has it again.
    fn begin(&self, courier: CourierId) -> (u64, Vec<CourierId>) {
        let mut gathering = self.lock();
        gathering.0 += 1;
        gathering.1.insert(courier);
        (gathering.0, gathering.1.iter().copied().collect())
    }

    /// Takes those out who were read.
    fn end(&self, couriers: &[CourierId]) {
        let mut gathering = self.lock();
        couriers.iter().for_each(|courier| _ = gathering.1.remove(courier));
    }

    fn lock(&self) -> MutexGuard<'_, (u64, HashSet<CourierId>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Orders {
    /// The use cases over these means.
    pub fn new(
        store: Store,
        tracker: Arc<Tracker>,
        broker: Arc<dyn Broker>,
        connections: Arc<Connections>,
        deliveries: Arc<Deliveries>,
        clock: Clock,
    ) -> Self {
        let (gathering, loaded, outdated, outdated_more) = Default::default();
        Self { store, tracker, broker, connections, deliveries, clock, gathering, loaded, outdated, outdated_more }
    }

    /// Moves an order on. A courier may only move their own; `happened_ms` is when the button was pressed.
    ///
    /// # Errors
    /// [`LifecycleError`]; nothing was changed then.
    /// # Cancel safety
    /// Dropped between its commit and its end, nobody is told. A courier's report that is repeated makes up for it;
    /// everybody else completes it, see [`crate::platform::tasks::Tasks::complete`].
    pub async fn set_status(
        &self,
        id: OrderId,
        to: OrderStatus,
        by: &Actor,
        happened_ms: Option<i64>,
        note: Option<&str>,
    ) -> Result<Outcome, LifecycleError> {
        let mut change = self.store.lock_order(id, None).await?.ok_or(LifecycleError::UnknownOrder)?;
        let before = change.order.clone();
        if let Actor::Courier(courier) = by
            && before.courier_id != Some(*courier)
        {
            return Err(LifecycleError::UnknownOrder);
        }
        if before.status == to && matches!(by, Actor::Courier(_)) {
            // The first report may have ended with its connection before anybody was told.
            self.tell_again(change).await;
            return Ok(Outcome::Unchanged(before));
        }
        // Being assigned takes a courier; that is what `assign` is for.
        if !before.status.can_become(to) || to == OrderStatus::Assigned {
            let Order { reference, status: from, .. } = before;
            return Err(LifecycleError::InvalidTransition { order_id: id, reference, from, to });
        }
        if matches!(by, Actor::Courier(_)) && !is_reported_by_couriers(to) {
            let Order { reference, status: from, .. } = before;
            return Err(LifecycleError::NotForCouriers { order_id: id, reference, from, to });
        }
        if to == OrderStatus::Delivered && matches!(by, Actor::Courier(_)) {
            let missing = change.missing_proofs().await?;
            if !missing.is_empty() {
                return Err(LifecycleError::ProofRequired { reference: before.reference, missing });
            }
        }
        let at = self.plausible_time(happened_ms, &before);
        let mut after = Order { status: to, status_at: at, ..before.clone() };
        if visibility::starts_leg(to) {
            after.leg_from = Some(at);
        }
        if !to.is_active() {
            after.feed_from = None;
        }
        change.commit(&after, at, by, note).await?;
        if to == OrderStatus::Delivered
            && let Some(delivery) = Delivery::of(&after, self.clock.now_ms())
        {
            self.deliveries.note(delivery);
        }
        self.tell(&after);
        self.refresh_plan_of(&after).await;
        Ok(Outcome::Changed(after))
    }

    /// Tells everybody once more what became of an order. Harmless when they know.
    async fn tell_again(&self, unchanged: OrderChange) {
        // Before the row is free, so that nobody is told of a later change first.
        self.tell(&unchanged.order);
        let order = unchanged.order.clone();
        drop(unchanged);
        self.refresh_plan_of(&order).await;
    }

    fn tell(&self, order: &Order) {
        self.tell_dispatchers(order);
        self.tell_viewers(&order.state_for_viewers());
    }

    async fn refresh_plan_of(&self, order: &Order) {
        if let Some(courier) = order.courier_id {
            self.refresh_plan(courier).await;
        }
    }

    /// Gives an order to a courier, or from one courier to another.
    ///
    /// # Errors
    /// [`LifecycleError`]; nothing was changed then.
    /// # Cancel safety
    /// As [`Orders::set_status`].
    pub async fn assign(&self, id: OrderId, courier: CourierId, by: &Actor) -> Result<Order, LifecycleError> {
        if self.store.courier(courier).await?.is_none() {
            return Err(LifecycleError::UnknownCourier);
        }
        let change = self.store.lock_order(id, Some(courier)).await?.ok_or(LifecycleError::UnknownOrder)?;
        let before = change.order.clone();
        if !(before.status == OrderStatus::Created || before.status.is_active()) {
            let Order { reference, status: from, .. } = before;
            let to = OrderStatus::Assigned;
            return Err(LifecycleError::InvalidTransition { order_id: id, reference, from, to });
        }
        if before.courier_id == Some(courier) {
            // Whoever asks twice may have lost the first answer, and others what they were to be told.
            self.tell_again(change).await;
            return Ok(before);
        }
        let now = self.clock.now();
        let status = if before.status == OrderStatus::Created { OrderStatus::Assigned } else { before.status };
        let after = Order {
            status,
            status_at: if status == before.status { before.status_at } else { now },
            courier_id: Some(courier),
            assigned_at: Some(now),
            feed_from: None,
            leg_from: Some(now),
            ..before.clone()
        };
        change.commit(&after, now, by, None).await?;
        self.broker.publish_order((&after).into(), before.courier_id);
        if let Some(former) = before.courier_id {
            self.tracker.detach(former, id);
            self.refresh_plan(former).await;
        }
        // The plan first: it knows how many stops of the new courier come before this one.
        self.refresh_plan(courier).await;
        self.tell_viewers(&after.state_for_viewers());
        Ok(after)
    }

    /// When something happened, by the courier's phone; never in our future, never before what came before.
    fn plausible_time(&self, happened_ms: Option<i64>, before: &Order) -> DateTime<Utc> {
        let now = self.clock.now();
        let happened = happened_ms.map_or(now, crate::platform::clock::from_ms);
        happened.min(now).max(before.status_at)
    }

    /// Shows dispatchers a new order, or what became of one, and tells the other instances. After the commit.
    pub fn tell_dispatchers(&self, order: &Order) {
        self.broker.publish_order(order.into(), None);
    }

    fn tell_viewers(&self, state: &StateForViewers) {
        let StateForViewers { order, courier, status, status_at_ms } = *state;
        if let Some(courier) = courier
            && !status.is_active()
        {
            self.tracker.detach(courier, order);
        }
        let stops_before = courier.map_or(0, |courier| self.tracker.sight(courier, order, None).stops_before);
        let update = OrderUpdate { status, status_at_ms, stops_before };
        self.broker.publish(order, LiveEvent::Tell(CustomerEvent::Order(update)));
        if status.is_final() {
            let ended = Ended { status, at_ms: status_at_ms };
            self.broker.publish(order, LiveEvent::Ended(ended));
        }
    }

    /// Takes at once from the viewers of this instance what they must not see any more, after another instance changed
    /// an order: the courier who had it before, and the feed of an order that is over.
    /// [`Orders::follow_change`] does the rest.
    pub fn close_after(&self, state: &StateForViewers, former: Option<CourierId>) {
        if let Some(former) = former {
            self.tracker.detach(former, state.order);
        }
        if !state.status.is_active() {
            self.tell_viewers(state);
        }
    }

    /// Brings this instance up to date after another one changed an order: couriers' plans and phones, and viewers.
    /// Does nothing for orders that nobody here has to do with.
    pub async fn follow_change(&self, state: &StateForViewers, former: Option<CourierId>, is_watched: bool) {
        if let Some(former) = former.filter(|former| self.tracker.knows(*former)) {
            self.refresh_plan(former).await;
        }
        if let Some(courier) = state.courier.filter(|courier| is_watched || self.tracker.knows(*courier)) {
            self.refresh_plan(courier).await;
        }
        if is_watched && state.status.is_active() {
            self.tell_viewers(state);
        }
    }

    /// Reads a courier's open orders anew: for the live view, and for the courier's own screen. When the database is
    /// away it is done later, see [`Orders::keep_plans`].
    pub async fn refresh_plan(&self, courier: CourierId) {
        if let Err(error) = self.read_plan(courier).await {
            tracing::warn!(courier.id = %courier, error = %error, "could not read a courier's open orders; trying again");
            let mut outdated = self.outdated();
            if outdated.len() < MAX_OUTDATED_PLANS {
                outdated.insert(courier);
            }
            drop(outdated);
            self.outdated_more.notify_one();
        }
    }

    async fn read_plan(&self, courier: CourierId) -> Result<(), StoreError> {
        // A courier who enters the live view must not do so without what the database knows of them: that they
        // are off duty, for one.
        self.load(courier).await?;
        let ticket = self.tracker.plan_ticket();
        let open = self.store.open_orders_of(courier).await?;
        if let Some(known) = self.store.courier(courier).await? {
            self.set_plan(courier, ticket, open, known.vehicle);
        }
        Ok(())
    }

    /// Reads the plans that could not be read when something changed, as soon as that is possible. For ever.
    pub async fn keep_plans(&self) {
        loop {
            self.outdated_more.notified().await;
            tokio::time::sleep(RETRY_PLAN_AFTER).await;
            // Taken before it is read: a change that fails meanwhile puts them back.
            let outdated = std::mem::take(&mut *self.outdated());
            for courier in outdated {
                self.refresh_plan(courier).await;
            }
        }
    }

    fn outdated(&self) -> MutexGuard<'_, HashSet<CourierId>> {
        self.outdated.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_plan(&self, courier: CourierId, ticket: u64, open: Vec<Order>, vehicle: Vehicle) {
        let tell = |stops| self.connections.tell(courier, &CourierEvent::Stops(stops));
        self.tracker.set_plan(courier, ticket, open, vehicle, self.clock.now_ms(), tell);
    }

    /// The open orders of a courier whose phone connects, in serving order, read from the database once. The phone
    /// must be registered already: a change that is not in the answer is told to it.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn open_of(&self, courier: &Courier) -> Result<Vec<Order>, StoreError> {
        if self.tracker.keep(courier.id, self.clock.now_ms()) {
            let ticket = self.tracker.plan_ticket();
            let open = self.store.open_orders_of(courier.id).await?;
            self.set_plan(courier.id, ticket, open, courier.vehicle);
        } else {
            self.load_all(&[courier.id]).await?;
        }
        // Not what was just read: a newer plan may have come in between.
        Ok(self.tracker.open_orders(courier.id))
    }

    /// Makes sure that the live view knows a courier: reads their plan and recent fixes once.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn load(&self, courier: CourierId) -> Result<(), StoreError> {
        if self.tracker.keep(courier, self.clock.now_ms()) {
            return Ok(());
        }
        // Boxed, as below: who asks for somebody who is known already should not make room for reading them.
        Box::pin(self.load_all(&[courier])).await
    }

    /// The same for somebody who is about to watch: also asks the other instances for every fix that they hear.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn load_to_watch(&self, courier: CourierId) -> Result<(), StoreError> {
        if !self.broker.has_peers() {
            return self.load(courier).await;
        }
        // In this order: what is heard from here on is not missed, and what was heard before is in the database.
        let is_new = self.broker.follow(courier).await;
        if is_new { Box::pin(self.load_together(courier)).await } else { self.load(courier).await }
    }

    /// Reads a courier anew, together with all others who are wanted by the time it is this one's turn: after a
    /// restart thousands of customers come at once.
    async fn load_together(&self, courier: CourierId) -> Result<(), StoreError> {
        let batch = self.gathering.add(courier);
        let mut loaded = self.loaded.lock().await;
        if *loaded >= batch {
            return Ok(());
        }
        let (batch, couriers) = self.gathering.begin(courier);
        self.reload(&couriers).await?;
        self.gathering.end(&couriers);
        *loaded = batch;
        Ok(())
    }

    /// Reads couriers' plans and recent fixes anew, whether they are known or not, some at a time.
    ///
    /// # Errors
    /// When the database is away; some may have been read.
    pub async fn reload(&self, couriers: &[CourierId]) -> Result<(), StoreError> {
        for some in couriers.chunks(LOAD_AT_ONCE) {
            self.load_all(some).await?;
        }
        Ok(())
    }

    async fn load_all(&self, couriers: &[CourierId]) -> Result<(), StoreError> {
        let ticket = self.tracker.plan_ticket();
        let known = self.store.couriers(couriers).await?;
        let mut open_of_each = self.store.open_orders_of_each(couriers).await?;
        let shown_from = |open: &Vec<Order>| open.iter().map(crate::live::tracker::shown_from_ms).min();
        let since = open_of_each.iter().filter_map(|(courier, open)| Some((*courier, shown_from(open)?)));
        let since: Vec<_> = since
            .filter(|(_, from_ms)| *from_ms != i64::MAX)
            .map(|(courier, from_ms)| (courier, crate::platform::clock::from_ms(from_ms)))
            .collect();
        let mut fixes_of_each = self.store.newest_fixes_of_each(&since, SEED_FIXES).await?;
        let mut off_duty_of_each = self.store.off_duty_spans_of_each(couriers).await?;
        let now_ms = self.clock.now_ms();
        for courier in known {
            let open = open_of_each.remove(&courier.id).unwrap_or_default();
            let known = Known {
                fixes: fixes_of_each.remove(&courier.id).unwrap_or_default(),
                presence: courier.presence,
                off_duty: OffDuty::of_spans(off_duty_of_each.remove(&courier.id).unwrap_or_default()),
            };
            // First what the courier said of themselves: from the moment they are known, fixes are judged by it.
            self.tracker.seed(courier.id, known, now_ms);
            self.set_plan(courier.id, ticket, open, courier.vehicle);
        }
        Ok(())
    }

    /// Loads every courier who has an open order, after a restart.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn load_open(&self) -> Result<usize, StoreError> {
        let couriers = self.store.couriers_with_open_orders().await?;
        self.reload(&couriers).await?;
        Ok(couriers.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_was_not_read_is_in_the_next_one() {
        let gathering = Gathering::default();
        let (ana, ben, cleo) = (CourierId::new(), CourierId::new(), CourierId::new());
        assert_eq!((gathering.add(ana), gathering.add(ben)), (1, 1));
        let (first, couriers) = gathering.begin(ana);
        assert_eq!((first, couriers.len()), (1, 2));
        assert_eq!(gathering.add(cleo), 2, "too late for the first");
        let (second, couriers) = gathering.begin(ben);
        assert_eq!((second, couriers.len()), (2, 3), "the first one failed");
        gathering.end(&couriers);
        let (_, couriers) = gathering.begin(cleo);
        assert_eq!(couriers, [cleo], "nobody is read twice");
    }
}
