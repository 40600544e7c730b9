//! The means of the use cases that change orders, and what everybody hears of a change.
//!
//! The use cases beside this module alone write an order's status, its courier and its fields. The database commits first;
//! then, in this order, the change goes to dispatchers, the former courier leaves the live view, viewers get the new state,
//! the feed of an order that is over closes, and the couriers get their new stops. REST, couriers' sockets and other
//! instances' facts ([`crate::service::peers`]) call them.

use std::sync::Arc;

use chrono::TimeDelta;
use doorstep_shared::{
    CourierId, OrderId, OrderStatus,
    protocol::customer::{CustomerEvent, Ended, OrderUpdate},
};

pub use super::error::LifecycleError;
use super::plans::Plans;
use crate::{
    domain::{
        order::{Actor, Order},
        plan::NewStops,
    },
    live::{broker::Broker, hub::LiveEvent, tracker::Tracker},
    platform::clock::Clock,
    service::exceptions::deliveries::Deliveries,
    store::{Store, order_changes::OrderChange, plan_changes::NewPlaces},
};

/// A status that somebody wants an order to take.
#[derive(Clone, Copy, Debug)]
pub struct StatusReport<'a> {
    /// The status.
    pub to: OrderStatus,
    /// Who reports it.
    pub by: &'a Actor,
    /// When the courier pressed the button, Unix epoch milliseconds; now when `None`.
    pub happened_ms: Option<i64>,
    /// A remark.
    pub note: Option<&'a str>,
    /// The order's version that the caller saw; `None` wins over changes that they did not see.
    pub version: Option<u64>,
}

/// The versions of an order that a caller has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeenVersions {
    /// Whatever it is by now.
    Any,
    /// One of these.
    OneOf(Vec<u64>),
}

impl From<Option<u64>> for SeenVersions {
    fn from(seen: Option<u64>) -> Self {
        seen.map_or(Self::Any, |version| Self::OneOf(vec![version]))
    }
}

/// Refuses a caller who has not seen the order's newest version, and says who changed it.
pub(super) async fn check_seen(change: &mut OrderChange, seen: &SeenVersions) -> Result<(), LifecycleError> {
    let current = change.order.version;
    match seen {
        SeenVersions::OneOf(versions) if !versions.contains(&current) => {
            let (reference, last) = (change.order.reference.clone(), change.last_change().await?);
            Err(LifecycleError::VersionConflict { reference, current, last })
        }
        _ => Ok(()),
    }
}

/// What became of a status report.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The order moved on.
    Changed(Order),
    /// It had that status already; a phone resent its report.
    Unchanged(Order),
}

/// What an order's viewers see of it when it changes.
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
    pub(super) store: Store,
    pub(super) tracker: Arc<Tracker>,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) plans: Arc<Plans>,
    /// Where the stops of a new order go in its courier's plan.
    new_stops: NewStops,
    pub(super) deliveries: Arc<Deliveries>,
    pub(super) clock: Clock,
    /// For how long after its end an order can be reopened.
    pub(super) reopen_within: TimeDelta,
}

impl Orders {
    /// The use cases over these means; final statuses can be corrected within `reopen_within`.
    pub fn new(
        store: Store,
        tracker: Arc<Tracker>,
        broker: Arc<dyn Broker>,
        (plans, new_stops): (Arc<Plans>, NewStops),
        deliveries: Arc<Deliveries>,
        clock: Clock,
        reopen_within: TimeDelta,
    ) -> Self {
        Self { store, tracker, broker, plans, new_stops, deliveries, clock, reopen_within }
    }

    /// Locks an order with the plans of its couriers; see [`Store::lock_order`].
    pub(super) async fn lock(
        &self,
        id: OrderId,
        for_courier: Option<CourierId>,
    ) -> Result<OrderChange, LifecycleError> {
        let mut change = self.store.lock_order(id, for_courier).await?.ok_or(LifecycleError::UnknownOrder)?;
        let gets_it = for_courier.or(change.order.courier_id);
        change.places =
            NewPlaces { new_stops: self.new_stops, here: gets_it.and_then(|courier| self.tracker.place(courier)) };
        Ok(change)
    }

    /// Publishes an order's state once more. Harmless where it is known.
    pub(super) async fn publish_again(&self, unchanged: OrderChange) -> Order {
        // Before the row is unlocked, so that no later change is published first.
        self.publish(&unchanged.order);
        let order = unchanged.order.clone();
        drop(unchanged);
        self.refresh_plan_of(&order).await;
        order
    }

    pub(super) fn publish(&self, order: &Order) {
        self.tell_dispatchers(order);
        self.tell_viewers(&order.state_for_viewers());
    }

    pub(super) async fn refresh_plan_of(&self, order: &Order) {
        if let Some(courier) = order.courier_id {
            self.plans.refresh(courier).await;
        }
    }

    /// Publishes an order that `courier` got, from `former` if another one had it.
    pub(super) async fn publish_given(&self, former: Option<CourierId>, courier: CourierId, after: &Order) {
        self.broker.publish_order(after.into(), former);
        if let Some(former) = former {
            self.tracker.detach(former, after.id);
            self.plans.refresh(former).await;
        }
        // The plan first: it knows how many stops of the new courier come before this one.
        self.plans.refresh(courier).await;
        self.tell_viewers(&after.state_for_viewers());
    }

    /// Publishes an order that `former` had and nobody has now.
    pub(super) async fn publish_taken_back(&self, former: CourierId, after: &Order) {
        self.broker.publish_order(after.into(), Some(former));
        self.tracker.detach(former, after.id);
        self.tell_viewers(&after.state_for_viewers());
        // Their pages have a courier's name, which only a snapshot removes.
        self.tracker.outdate([after.id]);
        self.plans.refresh(former).await;
    }

    /// Publishes an order that was over. Its viewers were sent away; those who come back find it alive.
    pub(super) async fn publish_reopened(&self, former: Option<CourierId>, after: &Order) {
        self.tell_dispatchers(after);
        if let Some(courier) = after.courier_id.or(former) {
            self.plans.refresh(courier).await;
        }
        self.tell_viewers(&after.state_for_viewers());
    }

    /// Publishes a new or changed order to dispatchers and to the other instances. Call it after the commit.
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

    /// After another instance changed an order: takes from this instance's viewers at once what they must not see any
    /// more, which is the former courier and the feed of an order that is over. [`Orders::follow_change`] does the
    /// rest.
    pub fn close_after(&self, state: &StateForViewers, former: Option<CourierId>) {
        if let Some(former) = former {
            self.tracker.detach(former, state.order);
        }
        if !state.status.is_active() {
            self.tell_viewers(state);
        }
    }

    /// After another instance changed an order: brings couriers' plans, their phones and viewers up to date. Does
    /// nothing for an order without viewers whose couriers this instance does not know.
    pub async fn follow_change(&self, state: &StateForViewers, former: Option<CourierId>, is_watched: bool) {
        if let Some(former) = former.filter(|former| self.tracker.knows(*former)) {
            self.plans.follow(former).await;
        }
        if let Some(courier) = state.courier.filter(|courier| is_watched || self.tracker.knows(*courier)) {
            self.plans.follow(courier).await;
        }
        if is_watched && state.status.is_active() {
            self.tell_viewers(state);
        }
        if is_watched && !state.status.is_final() {
            // What else changed, an address or the courier's name, is in no fact and in every snapshot.
            self.tracker.outdate([state.order]);
        }
    }
}
