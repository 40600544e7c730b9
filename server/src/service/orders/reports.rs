//! What couriers report besides an order's next status: goods that are not ready, an order given back, a door that is
//! elsewhere, and reports that come too late.
//!
//! A phone that was offline reports what happened before it heard that the order was taken away, or is over. Such a report
//! changes nothing about the order, and the phone gets the reason; but the courier did what it says, so each status is kept
//! once in the order's history. Dispatch hears of the last one: what a courier pressed about one order is one matter.

use chrono::{DateTime, Utc};
use doorstep_shared::{
    CourierId, LatLon, OrderId, OrderStatus,
    api::{change::OrderEventKind, exception::ExceptionCode},
    geo::distance::haversine_m,
};

use super::{
    error::LifecycleError,
    lifecycle::{Orders, Outcome, StatusReport},
};
use crate::{
    domain::{
        exception::Finding,
        order::{Actor, Order, steps},
    },
    platform::clock::from_ms,
    service::exceptions::announce,
    store::order_changes::{OrderChange, OrderEvent},
};

/// What a courier says holds an order up.
#[derive(Clone, Copy, Debug)]
pub struct CourierReport<'a> {
    /// Who says so.
    pub courier: CourierId,
    /// When they pressed the button, Unix epoch milliseconds.
    pub happened_ms: i64,
    /// A remark for the dispatcher.
    pub note: Option<&'a str>,
}

impl Orders {
    /// The courier waits at the pickup: the goods are not ready. An order on the way there is at the pickup then.
    ///
    /// # Errors
    /// [`LifecycleError`]; nothing was changed then.
    /// # Cancel safety
    /// As [`Orders::set_status`].
    pub async fn report_not_ready(&self, id: OrderId, report: &CourierReport<'_>) -> Result<Outcome, LifecycleError> {
        let mut change = self.lock_own(id, report.courier).await?;
        let at = self.plausible_time(Some(report.happened_ms), &change.order);
        let after = steps::waiting(&change.order, at)
            .ok_or_else(|| LifecycleError::no_step(&change.order, OrderStatus::AtPickup))?;
        if change.order.status == OrderStatus::AtPickup && change.is_known_not_ready().await? {
            return Ok(Outcome::Unchanged(self.publish_again(change).await));
        }
        let by = Actor::Courier(report.courier);
        let event = OrderEvent { note: report.note, ..OrderEvent::of(OrderEventKind::NotReady, &after, at, &by) };
        let after = change.commit(&after, &event).await?;
        self.publish(&after);
        self.refresh_plan_of(&after).await;
        Ok(Outcome::Changed(after))
    }

    /// The courier gives an order back whose goods they have not collected. It waits for another courier, and dispatch
    /// hears of it.
    ///
    /// # Errors
    /// [`LifecycleError`]; nothing was changed then.
    /// # Cancel safety
    /// As [`Orders::set_status`].
    pub async fn give_back(&self, id: OrderId, report: &CourierReport<'_>) -> Result<Outcome, LifecycleError> {
        let mut change = self.lock(id, None).await?;
        if change.order.courier_id != Some(report.courier) {
            return self.given_back_already(change, report.courier).await;
        }
        let (before, now) = (change.order.clone(), self.clock.now());
        let after =
            steps::given_back(&before, now).ok_or_else(|| LifecycleError::no_step(&before, OrderStatus::Created))?;
        let at = self.plausible_time(Some(report.happened_ms), &before);
        let raised = change.raise(finding(ExceptionCode::GivenBack, id, report.courier, at), now).await?;
        let by = Actor::Courier(report.courier);
        let event = OrderEvent {
            note: report.note,
            courier: Some(report.courier),
            ..OrderEvent::of(OrderEventKind::GivenBack, &after, at, &by)
        };
        let after = change.commit(&after, &event).await?;
        announce(&*self.broker, raised);
        self.publish_taken_back(report.courier, &after).await;
        Ok(Outcome::Changed(after))
    }

    /// The courier says that the order's door is at `door`. The order stays as it is; dispatch hears of it and may pin its
    /// address there.
    ///
    /// # Errors
    /// [`LifecycleError`]; nothing was changed then.
    /// # Cancel safety
    /// As [`Orders::set_status`].
    pub async fn propose_door(
        &self,
        id: OrderId,
        report: &CourierReport<'_>,
        door: LatLon,
    ) -> Result<Outcome, LifecycleError> {
        let mut change = self.lock_own(id, report.courier).await?;
        let order = change.order.clone();
        if !was_near_the_door(order.status) {
            return Err(LifecycleError::no_step(&order, OrderStatus::AtDropoff));
        }
        let at = self.past_time(Some(report.happened_ms));
        let proposal = Finding {
            ended_ms: Some(at.timestamp_millis()),
            place: Some(door),
            distance_m: Some(haversine_m(order.dropoff.point, door).round() as i32),
            ..finding(ExceptionCode::DoorElsewhere, id, report.courier, at)
        };
        let raised = change.raise(proposal, self.clock.now()).await?;
        change.commit_raised().await?;
        let is_new = raised.is_some();
        announce(&*self.broker, raised);
        Ok(if is_new { Outcome::Changed(order) } else { Outcome::Unchanged(order) })
    }

    async fn given_back_already(&self, mut change: OrderChange, courier: CourierId) -> Result<Outcome, LifecycleError> {
        if change.last_of_courier(courier).await? == Some(OrderEventKind::GivenBack) {
            return Ok(Outcome::Unchanged(self.publish_again(change).await));
        }
        Err(self.withdrawn(&mut change, courier).await?.unwrap_or(LifecycleError::UnknownOrder))
    }

    /// Locks an order of this courier.
    async fn lock_own(&self, id: OrderId, courier: CourierId) -> Result<OrderChange, LifecycleError> {
        let mut change = self.lock(id, None).await?;
        if change.order.courier_id == Some(courier) {
            return Ok(change);
        }
        Err(self.withdrawn(&mut change, courier).await?.unwrap_or(LifecycleError::UnknownOrder))
    }

    /// What a courier is answered whose order it was; `None` when it never was.
    pub(super) async fn withdrawn(
        &self,
        change: &mut OrderChange,
        courier: CourierId,
    ) -> Result<Option<LifecycleError>, LifecycleError> {
        if !change.was_with(courier).await? {
            return Ok(None);
        }
        let courier_name = change.courier_name().await?;
        let Order { id: order_id, ref reference, status, .. } = change.order;
        Ok(Some(LifecycleError::Withdrawn { order_id, reference: reference.clone(), status, courier_name }))
    }

    /// Keeps a report that changes nothing any more, unless it is kept already or was taken when it first came.
    pub(super) async fn keep_late_report(
        &self,
        mut change: OrderChange,
        courier: CourierId,
        report: &StatusReport<'_>,
    ) -> Result<(), LifecycleError> {
        let (now, at) = (self.clock.now(), self.past_time(report.happened_ms));
        if change.knows_report(courier, report.to, at).await? {
            return Ok(());
        }
        let late = finding(ExceptionCode::LateReport, change.order.id, courier, at);
        // It says what was, so it is over as soon as it is noticed.
        let late = Finding { ended_ms: Some(late.since_ms), ..late };
        change.raise_late_report(late.clone(), now).await?;
        let event = OrderEvent {
            kind: OrderEventKind::LateReport,
            status: report.to,
            at,
            by: report.by,
            courier: Some(courier),
            note: report.note,
            changes: None,
        };
        change.commit_event(&event).await?;
        announce(&*self.broker, [late]);
        Ok(())
    }

    /// When something happened by the courier's phone, but not in the server's future.
    pub(super) fn past_time(&self, happened_ms: Option<i64>) -> DateTime<Utc> {
        let now = self.clock.now();
        happened_ms.map_or(now, from_ms).min(now)
    }
}

/// Whether a courier has been on the way to the door, or at it. What they pressed offline comes before the status that
/// they pressed next, yet a dispatcher may have set that meanwhile.
fn was_near_the_door(status: OrderStatus) -> bool {
    use OrderStatus::{AtDropoff, Delivered, Failed, PickedUp, Returned};
    matches!(status, PickedUp | AtDropoff | Delivered | Failed | Returned)
}

fn finding(code: ExceptionCode, order: OrderId, courier: CourierId, at: DateTime<Utc>) -> Finding {
    Finding {
        code,
        subject: *order.as_uuid(),
        courier: Some(courier),
        order: Some(order),
        since_ms: at.timestamp_millis(),
        ended_ms: None,
        place: None,
        late_by_s: None,
        distance_m: None,
        reason: None,
    }
}
