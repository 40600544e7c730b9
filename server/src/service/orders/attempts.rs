//! Trying again after a failure, and correcting an end that was a mistake.
//!
//! Both keep the order as it is known outside: its reference, its links, its PIN and its history. A reopened order's links
//! live again by themselves, because they follow its status.

use doorstep_shared::{
    CourierId, OrderId, OrderStatus,
    api::change::{NextAttempt, OrderEventKind},
    problem::FieldError,
};

use super::{
    assign::check_works,
    error::LifecycleError,
    lifecycle::{Orders, check_seen},
};
use crate::{
    domain::order::{
        Actor, Order,
        steps::{self, BeforeEnd},
    },
    store::order_changes::{OrderChange, OrderEvent},
};

impl Orders {
    /// Begins another attempt to deliver a failed order, by its courier or another one.
    ///
    /// # Errors
    /// [`LifecycleError`]; nothing was changed then.
    /// # Cancel safety
    /// As [`Orders::set_status`].
    pub async fn try_again(&self, id: OrderId, wanted: &NextAttempt, by: &Actor) -> Result<Order, LifecycleError> {
        if let Some(courier) = wanted.courier_id {
            self.check_known(courier).await?;
        }
        let mut change = self.lock(id, wanted.courier_id).await?;
        if let Some(courier) = wanted.courier_id {
            check_works(&mut change, courier).await?;
        }
        check_seen(&mut change, &wanted.version.into()).await?;
        let (before, now) = (change.order.clone(), self.clock.now());
        if before.status != OrderStatus::Failed {
            return Err(LifecycleError::no_step(&before, OrderStatus::Assigned));
        }
        let courier = self.who_tries(&mut change, wanted.courier_id).await?;
        let window = (wanted.promised_from, wanted.promised_until);
        let after = steps::next_attempt(&before, courier, window, now)
            .ok_or_else(|| LifecycleError::no_step(&before, OrderStatus::Assigned))?;
        let after = change.commit(&after, &OrderEvent::of(OrderEventKind::Attempt, &after, now, by)).await?;
        self.publish_given(before.courier_id.filter(|former| *former != courier), courier, &after).await;
        Ok(after)
    }

    async fn who_tries(&self, change: &mut OrderChange, named: Option<CourierId>) -> Result<CourierId, LifecycleError> {
        if let Some(named) = named {
            return Ok(named);
        }
        let missing = |message: &str| {
            LifecycleError::InvalidFields(vec![FieldError { field: "courier_id".into(), message: message.into() }])
        };
        let present = change.order.courier_id.ok_or_else(|| missing("must name one: the order has no courier"))?;
        match change.courier_works().await? {
            true => Ok(present),
            false => Err(missing("must name one: the order's courier works here no longer")),
        }
    }

    /// Corrects a final status that was a mistake: the order is as it was before.
    ///
    /// # Errors
    /// [`LifecycleError`]; nothing was changed then.
    /// # Cancel safety
    /// As [`Orders::set_status`].
    pub async fn reopen(
        &self,
        id: OrderId,
        reason: &str,
        by: &Actor,
        version: Option<u64>,
    ) -> Result<Order, LifecycleError> {
        let mut change = self.lock(id, None).await?;
        check_seen(&mut change, &version.into()).await?;
        let (before, now) = (change.order.clone(), self.clock.now());
        let last = BeforeEnd::of(change.history().await?);
        let works = change.courier_works().await?;
        let in_time = now - before.status_at <= self.reopen_within;
        let Some(after) = steps::reopened(&before, last, works, now).filter(|_| in_time) else {
            return Err(LifecycleError::NotReopenable { reference: before.reference, status: before.status });
        };
        if let Actor::User(by) = by {
            change.settle_handover(*by, reason, now).await?;
        }
        let event = OrderEvent {
            note: Some(reason),
            courier: before.courier_id,
            ..OrderEvent::of(OrderEventKind::Reopened, &after, now, by)
        };
        let after = change.commit(&after, &event).await?;
        tracing::info!(order.id = %id, by = %by, was = %before.status, now = %after.status, "an order was reopened");
        self.publish_reopened(before.courier_id, &after).await;
        Ok(after)
    }
}
