//! Giving an order to a courier, moving it to another one, and taking it back.

use doorstep_shared::{CourierId, OrderId, OrderStatus, api::change::OrderEventKind};

use super::{
    error::LifecycleError,
    lifecycle::{Orders, check_seen},
};
use crate::{
    domain::order::{Actor, Order, steps},
    store::order_changes::{OrderChange, OrderEvent},
};

impl Orders {
    /// Gives an order to a courier, or from one courier to another. `version` is the order's version that the caller saw.
    ///
    /// # Errors
    /// [`LifecycleError`]; nothing was changed then.
    /// # Cancel safety
    /// As [`Orders::set_status`].
    pub async fn assign(
        &self,
        id: OrderId,
        courier: CourierId,
        by: &Actor,
        version: Option<u64>,
    ) -> Result<Order, LifecycleError> {
        self.check_known(courier).await?;
        let mut change = self.lock(id, Some(courier)).await?;
        check_works(&mut change, courier).await?;
        check_seen(&mut change, &version.into()).await?;
        let (before, now) = (change.order.clone(), self.clock.now());
        let after = steps::assigned(&before, courier, now)
            .ok_or_else(|| LifecycleError::no_step(&before, OrderStatus::Assigned))?;
        if before.courier_id == Some(courier) {
            // A caller who repeats may have lost the first answer, and the change may not have been published.
            return Ok(self.publish_again(change).await);
        }
        let after = change.commit(&after, &OrderEvent::of(OrderEventKind::Assigned, &after, now, by)).await?;
        self.publish_given(before.courier_id, courier, &after).await;
        Ok(after)
    }

    /// Takes an order from its courier before they collected it.
    ///
    /// # Errors
    /// [`LifecycleError`]; nothing was changed then.
    /// # Cancel safety
    /// As [`Orders::set_status`].
    pub async fn unassign(
        &self,
        id: OrderId,
        by: &Actor,
        reason: Option<&str>,
        version: Option<u64>,
    ) -> Result<Order, LifecycleError> {
        let mut change = self.lock(id, None).await?;
        check_seen(&mut change, &version.into()).await?;
        let (before, now) = (change.order.clone(), self.clock.now());
        let (Some(after), Some(former)) = (steps::taken_back(&before, now), before.courier_id) else {
            return Err(LifecycleError::no_step(&before, OrderStatus::Created));
        };
        let event = OrderEvent {
            note: reason,
            courier: Some(former),
            ..OrderEvent::of(OrderEventKind::Unassigned, &after, now, by)
        };
        let after = change.commit(&after, &event).await?;
        self.publish_taken_back(former, &after).await;
        Ok(after)
    }

    pub(super) async fn check_known(&self, courier: CourierId) -> Result<(), LifecycleError> {
        self.store.courier(courier).await?.map(drop).ok_or(LifecycleError::UnknownCourier)
    }
}

/// Asked under the lock of the courier's plan, which archiving takes as well.
pub(super) async fn check_works(change: &mut OrderChange, courier: CourierId) -> Result<(), LifecycleError> {
    if change.is_archived(courier).await? { Err(LifecycleError::CourierArchived) } else { Ok(()) }
}
