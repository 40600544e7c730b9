//! Which customer sees a courier: `feed_from` of the courier's orders.
//!
//! It is set on the order of the first stop and cleared on all others in each transaction that writes the plan
//! ([`super::plans`]). What time alone brings about is done here, too: the window of an order whose stop is first comes
//! near. Every server looks for that; the plan's lock lets one of them open the feed.

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::CourierId;
use sqlx::PgConnection;

use super::{
    Store, StoreError,
    outbox::{opened, write_events},
    plan_rows::open_orders_in,
    plans::lock_plans,
};
use crate::domain::{
    order::{Order, visibility},
    plan::Planned,
};

impl Store {
    /// Couriers of whom no customer sees anything while the window of one of their orders is near. Of some of them the
    /// first stop is another.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn couriers_with_a_feed_to_open(&self, now: DateTime<Utc>) -> Result<Vec<CourierId>, StoreError> {
        let couriers = sqlx::query_scalar!(
            r#"select distinct courier_id as "courier_id!" from orders o
               where status in ('assigned', 'at_pickup', 'picked_up', 'at_dropoff') and courier_id is not null
                 and coalesce(promised_from, promised_until) <= $1
                 and not exists (
                     select from orders seen
                     where seen.courier_id = o.courier_id and seen.feed_from is not null
                       and seen.status in ('assigned', 'at_pickup', 'picked_up', 'at_dropoff'))"#,
            now + self.feed_lead
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(couriers.into_iter().map(CourierId::from_uuid).collect())
    }

    /// Opens the feed of the order of a courier's first stop, if its window is near and the feed is closed. Returns whether
    /// it did.
    ///
    /// # Errors
    /// When the database is away; nothing was opened then.
    pub async fn open_feed(&self, courier: CourierId, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        lock_plans(&mut transaction, &[courier]).await?;
        let planned = open_orders_in(&mut transaction, &[courier]).await?.remove(&courier).unwrap_or_default();
        if shown(&planned, self.feed_lead, now).is_none_or(|order| order.feed_from.is_some()) {
            return Ok(false);
        }
        let next = write_feeds(&mut transaction, courier, &planned, (self.feed_lead, now)).await?;
        write_events(&mut transaction, &opened(next.as_slice(), now)).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// The order whose customer may see the courier at `at`.
fn shown(planned: &Planned, lead: TimeDelta, at: DateTime<Utc>) -> Option<&Order> {
    planned.visible().filter(|order| visibility::may_be_open(order, lead, at))
}

/// Opens the feed of the order whose customer may see the courier at `at`, and closes those of the courier's other orders.
/// Returns the order if its feed was closed before.
pub(super) async fn write_feeds(
    connection: &mut PgConnection,
    courier: CourierId,
    planned: &Planned,
    (lead, at): (TimeDelta, DateTime<Utc>),
) -> Result<Option<Order>, StoreError> {
    let shown = shown(planned, lead, at);
    let written = sqlx::query_scalar!(
        "update orders set feed_from = case when id = $2 then coalesce(feed_from, $3) end \
         where courier_id = $1 and status in ('assigned', 'at_pickup', 'picked_up', 'at_dropoff') \
           and (feed_from is null) = (id is not distinct from $2) \
         returning id",
        courier.as_uuid(),
        shown.map(|order| *order.id.as_uuid()),
        at,
    )
    .fetch_all(connection)
    .await?;
    Ok(shown.filter(|order| written.contains(order.id.as_uuid())).cloned())
}
