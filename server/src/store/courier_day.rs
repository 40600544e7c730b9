//! What a courier did since a time.

use chrono::{DateTime, Utc};
use doorstep_shared::CourierId;

use super::{Store, StoreError};

/// Orders that a courier ended, each counted once in each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DoneOrders {
    /// Delivered, and not reopened since.
    pub delivered: u32,
    /// Could not be delivered at least once.
    pub failed: u32,
    /// Brought back, and not reopened since.
    pub returned: u32,
}

impl Store {
    /// What a courier did since `since`, whoever wrote it down.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn orders_done_by(&self, courier: CourierId, since: DateTime<Utc>) -> Result<DoneOrders, StoreError> {
        let row = sqlx::query!(
            r#"with done as (
                   select distinct e.order_id, e.status, o.status as final_status
                   from order_events e join orders o on o.id = e.order_id
                   where e.happened_at >= $2 and e.status in ('delivered', 'failed', 'returned')
                     and e.kind = 'status'
                     and (e.actor = 'courier:' || $1::uuid::text or coalesce(e.courier_id, o.courier_id) = $1)
               ), back as (
                   select distinct e.order_id from order_events e join orders o on o.id = e.order_id
                   where e.happened_at >= $2 and e.kind = 'goods_returned'
                     and (e.actor = 'courier:' || $1::uuid::text or coalesce(e.courier_id, o.courier_id) = $1)
               )
               select (select count(*) from done where status = 'delivered' and final_status = 'delivered') as "delivered!",
                      (select count(*) from done where status = 'failed') as "failed!",
                      (select count(*) from done where status = 'returned' and final_status = 'returned')
                          + (select count(*) from back) as "returned!""#,
            courier.as_uuid(),
            since
        )
        .fetch_one(&self.pool)
        .await?;
        let count = |counted| u32::try_from(counted).unwrap_or(u32::MAX);
        Ok(DoneOrders { delivered: count(row.delivered), failed: count(row.failed), returned: count(row.returned) })
    }
}
