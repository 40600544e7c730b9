//! Moving an order on: the statuses that couriers report from their phones, and that people and programs set.
//!
//! A courier's report that comes too late is refused and yet kept: see [`super::reports`].

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, OrderId, OrderStatus, api::change::OrderEventKind};

use super::{
    error::LifecycleError,
    lifecycle::{Orders, Outcome, StatusReport, check_seen},
};
use crate::{
    domain::order::{Actor, Order, steps},
    service::exceptions::deliveries::Delivery,
    store::order_changes::{OrderChange, OrderEvent},
};

/// Statuses that couriers report. Cancelling and assigning are dispatch's decisions: a cancelled order asks for no
/// proof, and it cannot be taken back.
const fn is_reported_by_couriers(status: OrderStatus) -> bool {
    use OrderStatus::{AtDropoff, AtPickup, Delivered, Failed, PickedUp, Returned};
    matches!(status, AtPickup | PickedUp | AtDropoff | Delivered | Failed | Returned)
}

impl Orders {
    /// Moves an order on. A courier may only move their own.
    ///
    /// # Errors
    /// [`LifecycleError`]; nothing of the order was changed then.
    /// # Cancel safety
    /// A future that is dropped after its commit publishes nothing. A courier's repeated report makes up for that; all
    /// other callers run it to its end, see [`crate::platform::tasks::Tasks::complete`].
    pub async fn set_status(&self, id: OrderId, report: &StatusReport<'_>) -> Result<Outcome, LifecycleError> {
        let mut change = self.lock(id, None).await?;
        check_seen(&mut change, &report.version.into()).await?;
        if let Actor::Courier(courier) = report.by
            && change.order.courier_id != Some(*courier)
        {
            return Err(self.refuse_former(change, *courier, report).await?);
        }
        if change.order.status == report.to && matches!(report.by, Actor::Courier(_)) {
            // The first report's connection may have ended before the change was published.
            return Ok(Outcome::Unchanged(self.publish_again(change).await));
        }
        if report.to == OrderStatus::Returned && change.order.status == OrderStatus::Cancelled {
            return self.return_goods(change, report).await;
        }
        if let Err(refusal) = check_step(&change.order, report) {
            return Err(self.note_too_late(change, report, refusal).await?);
        }
        check_proofs(&mut change, report).await?;
        self.move_on(change, report).await.map(Outcome::Changed)
    }

    async fn move_on(&self, change: OrderChange, report: &StatusReport<'_>) -> Result<Order, LifecycleError> {
        let at = self.plausible_time(report.happened_ms, &change.order);
        let after = steps::moved_on(change.order.clone(), report.to, at);
        let event = OrderEvent { note: report.note, ..OrderEvent::of(OrderEventKind::Status, &after, at, report.by) };
        let after = change.commit(&after, &event).await?;
        self.note_delivery(&after);
        self.publish(&after);
        self.refresh_plan_of(&after).await;
        Ok(after)
    }

    /// The goods of a cancelled order came back; its status stays.
    async fn return_goods(
        &self,
        mut change: OrderChange,
        report: &StatusReport<'_>,
    ) -> Result<Outcome, LifecycleError> {
        let before = change.order.clone();
        let at = self.plausible_time(report.happened_ms, &before);
        if let Some(after) = steps::goods_returned(&before) {
            let event = OrderEvent {
                note: report.note,
                ..OrderEvent::of(OrderEventKind::GoodsReturned, &after, at, report.by)
            };
            let after = change.commit(&after, &event).await?;
            self.tell_dispatchers(&after);
            self.refresh_plan_of(&after).await;
            return Ok(Outcome::Changed(after));
        }
        if let Actor::Courier(courier) = report.by
            && change.knows_goods_returned(*courier).await?
        {
            return Ok(Outcome::Unchanged(self.publish_again(change).await));
        }
        let refusal = LifecycleError::no_step(&before, report.to);
        Err(self.note_too_late(change, report, refusal).await?)
    }

    fn note_delivery(&self, after: &Order) {
        if after.status == OrderStatus::Delivered
            && let Some(delivery) = Delivery::of(after, self.clock.now_ms())
        {
            self.deliveries.note(delivery);
        }
    }

    /// When something happened by the courier's phone, but not in the server's future and not before the order's
    /// present status.
    pub(super) fn plausible_time(&self, happened_ms: Option<i64>, before: &Order) -> DateTime<Utc> {
        self.past_time(happened_ms).max(before.status_at)
    }

    /// The courier's report about an order that is not theirs.
    async fn refuse_former(
        &self,
        mut change: OrderChange,
        courier: CourierId,
        report: &StatusReport<'_>,
    ) -> Result<LifecycleError, LifecycleError> {
        let Some(refusal) = self.withdrawn(&mut change, courier).await? else {
            return Ok(LifecycleError::UnknownOrder);
        };
        if !is_reported_by_couriers(report.to) {
            return Ok(refusal);
        }
        self.keep_late_report(change, courier, report).await?;
        Ok(refusal)
    }

    /// The report of an order's own courier that cannot follow what the order is by now.
    async fn note_too_late(
        &self,
        change: OrderChange,
        report: &StatusReport<'_>,
        refusal: LifecycleError,
    ) -> Result<LifecycleError, LifecycleError> {
        if let Actor::Courier(courier) = report.by
            && is_reported_by_couriers(report.to)
            && steps::is_news(change.order.status, report.to)
        {
            self.keep_late_report(change, *courier, report).await?;
        }
        Ok(refusal)
    }
}

fn check_step(before: &Order, report: &StatusReport<'_>) -> Result<(), LifecycleError> {
    // An order becomes assigned by `assign`, which names the courier.
    if !before.status.can_become(report.to) || report.to == OrderStatus::Assigned {
        return Err(LifecycleError::no_step(before, report.to));
    }
    if matches!(report.by, Actor::Courier(_)) && !is_reported_by_couriers(report.to) {
        let (order_id, from, reference) = (before.id, before.status, before.reference.clone());
        return Err(LifecycleError::NotForCouriers { order_id, reference, from, to: report.to });
    }
    Ok(())
}

/// Dispatch may deliver an order without its proofs; couriers may not.
async fn check_proofs(change: &mut OrderChange, report: &StatusReport<'_>) -> Result<(), LifecycleError> {
    if report.to != OrderStatus::Delivered || !matches!(report.by, Actor::Courier(_)) {
        return Ok(());
    }
    let missing = change.missing_proofs().await?;
    match missing.is_empty() {
        true => Ok(()),
        false => Err(LifecycleError::ProofRequired { reference: change.order.reference.clone(), missing }),
    }
}
