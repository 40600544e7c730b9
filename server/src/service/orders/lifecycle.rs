//! The use cases that move an order on, for couriers, people and programs alike.
//!
//! This module alone writes an order's status and its courier. The database commits first; then, in this order, the
//! change goes to dispatchers, the former courier leaves the live view, viewers get the new state, the feed of an order
//! that is over closes, and the couriers get their new stops. REST, couriers' sockets and other instances' facts
//! ([`crate::service::peers`]) call it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use doorstep_shared::{
    CourierId, OrderId, OrderStatus,
    api::proof::ProofKind,
    problem::ErrorDetails,
    protocol::customer::{CustomerEvent, Ended, OrderUpdate},
};

use super::plans::Plans;
use crate::{
    domain::{
        order::{Actor, Order, visibility},
        plan::NewStops,
    },
    live::{broker::Broker, hub::LiveEvent, tracker::Tracker},
    platform::clock::{Clock, from_ms},
    service::exceptions::deliveries::{Deliveries, Delivery},
    store::{Store, StoreError, order_changes::OrderChange, plan_changes::NewPlaces},
};

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
    /// Only dispatch may set this status.
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

/// Statuses that couriers report. Cancelling and assigning are dispatch's decisions: a cancelled order asks for no
/// proof, and it cannot be taken back.
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
    store: Store,
    tracker: Arc<Tracker>,
    broker: Arc<dyn Broker>,
    plans: Arc<Plans>,
    /// Where the stops of a new order go in its courier's plan.
    new_stops: NewStops,
    deliveries: Arc<Deliveries>,
    clock: Clock,
}

impl Orders {
    /// The use cases over these means.
    pub fn new(
        store: Store,
        tracker: Arc<Tracker>,
        broker: Arc<dyn Broker>,
        (plans, new_stops): (Arc<Plans>, NewStops),
        deliveries: Arc<Deliveries>,
        clock: Clock,
    ) -> Self {
        Self { store, tracker, broker, plans, new_stops, deliveries, clock }
    }

    /// Locks an order with the plans of its couriers; see [`Store::lock_order`].
    async fn lock(&self, id: OrderId, for_courier: Option<CourierId>) -> Result<OrderChange, LifecycleError> {
        let mut change = self.store.lock_order(id, for_courier).await?.ok_or(LifecycleError::UnknownOrder)?;
        let gets_it = for_courier.or(change.order.courier_id);
        change.places =
            NewPlaces { new_stops: self.new_stops, here: gets_it.and_then(|courier| self.tracker.place(courier)) };
        Ok(change)
    }

    /// Moves an order on. A courier may only move their own; `happened_ms` is when the button was pressed.
    ///
    /// # Errors
    /// [`LifecycleError`]; nothing was changed then.
    /// # Cancel safety
    /// A future that is dropped after its commit publishes nothing. A courier's repeated report makes up for that; all
    /// other callers run it to its end, see [`crate::platform::tasks::Tasks::complete`].
    pub async fn set_status(
        &self,
        id: OrderId,
        to: OrderStatus,
        by: &Actor,
        happened_ms: Option<i64>,
        note: Option<&str>,
    ) -> Result<Outcome, LifecycleError> {
        let mut change = self.lock(id, None).await?;
        let before = change.order.clone();
        if let Actor::Courier(courier) = by
            && before.courier_id != Some(*courier)
        {
            return Err(LifecycleError::UnknownOrder);
        }
        if before.status == to && matches!(by, Actor::Courier(_)) {
            // The first report's connection may have ended before the change was published.
            self.publish_again(change).await;
            return Ok(Outcome::Unchanged(before));
        }
        check_step(&before, to, by)?;
        check_proofs(&mut change, to, by).await?;
        let at = self.plausible_time(happened_ms, &before);
        let after = moved_on(before, to, at);
        let after = change.commit(&after, at, by, note).await?;
        self.note_delivery(&after);
        self.publish(&after);
        self.refresh_plan_of(&after).await;
        Ok(Outcome::Changed(after))
    }

    fn note_delivery(&self, after: &Order) {
        if after.status == OrderStatus::Delivered
            && let Some(delivery) = Delivery::of(after, self.clock.now_ms())
        {
            self.deliveries.note(delivery);
        }
    }

    /// Publishes an order's state once more. Harmless where it is known.
    async fn publish_again(&self, unchanged: OrderChange) {
        // Before the row is unlocked, so that no later change is published first.
        self.publish(&unchanged.order);
        let order = unchanged.order.clone();
        drop(unchanged);
        self.refresh_plan_of(&order).await;
    }

    fn publish(&self, order: &Order) {
        self.tell_dispatchers(order);
        self.tell_viewers(&order.state_for_viewers());
    }

    async fn refresh_plan_of(&self, order: &Order) {
        if let Some(courier) = order.courier_id {
            self.plans.refresh(courier).await;
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
        let change = self.lock(id, Some(courier)).await?;
        let before = change.order.clone();
        if !(before.status == OrderStatus::Created || before.status.is_active()) {
            let Order { reference, status: from, .. } = before;
            let to = OrderStatus::Assigned;
            return Err(LifecycleError::InvalidTransition { order_id: id, reference, from, to });
        }
        if before.courier_id == Some(courier) {
            // A caller who repeats may have lost the first answer, and the change may not have been published.
            self.publish_again(change).await;
            return Ok(before);
        }
        let now = self.clock.now();
        let after = assigned(&before, courier, now);
        let after = change.commit(&after, now, by, None).await?;
        self.broker.publish_order((&after).into(), before.courier_id);
        if let Some(former) = before.courier_id {
            self.tracker.detach(former, id);
            self.plans.refresh(former).await;
        }
        // The plan first: it knows how many stops of the new courier come before this one.
        self.plans.refresh(courier).await;
        self.tell_viewers(&after.state_for_viewers());
        Ok(after)
    }

    /// When something happened by the courier's phone, but not in the server's future and not before the order's
    /// present status.
    fn plausible_time(&self, happened_ms: Option<i64>, before: &Order) -> DateTime<Utc> {
        let now = self.clock.now();
        let happened = happened_ms.map_or(now, from_ms);
        happened.min(now).max(before.status_at)
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
    }
}

fn check_step(before: &Order, to: OrderStatus, by: &Actor) -> Result<(), LifecycleError> {
    let (order_id, from, reference) = (before.id, before.status, || before.reference.clone());
    // An order becomes assigned by `assign`, which names the courier.
    if !before.status.can_become(to) || to == OrderStatus::Assigned {
        return Err(LifecycleError::InvalidTransition { order_id, reference: reference(), from, to });
    }
    if matches!(by, Actor::Courier(_)) && !is_reported_by_couriers(to) {
        return Err(LifecycleError::NotForCouriers { order_id, reference: reference(), from, to });
    }
    Ok(())
}

/// Dispatch may deliver an order without its proofs; couriers may not.
async fn check_proofs(change: &mut OrderChange, to: OrderStatus, by: &Actor) -> Result<(), LifecycleError> {
    if to != OrderStatus::Delivered || !matches!(by, Actor::Courier(_)) {
        return Ok(());
    }
    let missing = change.missing_proofs().await?;
    match missing.is_empty() {
        true => Ok(()),
        false => Err(LifecycleError::ProofRequired { reference: change.order.reference.clone(), missing }),
    }
}

fn moved_on(before: Order, to: OrderStatus, at: DateTime<Utc>) -> Order {
    let leg_from = if visibility::starts_leg(to) { Some(at) } else { before.leg_from };
    let feed_from = before.feed_from.filter(|_| to.is_active());
    Order { status: to, status_at: at, leg_from, feed_from, ..before }
}

fn assigned(before: &Order, courier: CourierId, now: DateTime<Utc>) -> Order {
    let is_new = before.status == OrderStatus::Created;
    Order {
        status: if is_new { OrderStatus::Assigned } else { before.status },
        status_at: if is_new { now } else { before.status_at },
        courier_id: Some(courier),
        assigned_at: Some(now),
        feed_from: None,
        leg_from: Some(now),
        ..before.clone()
    }
}
