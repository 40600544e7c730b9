//! Tracking links of an order besides its first.
//!
//! Only hashes are kept, so nobody can read a link again: who needs one gets another, and those given out before go on
//! working. The delivery PIN belongs to the first link alone.

use chrono::{DateTime, Utc};
use doorstep_shared::{OrderId, OrderStatus};

use super::{Store, StoreError, orders::status_of};
use crate::order::Actor;

impl Store {
    /// Gives an order one more link; `false` when there is no such order.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn add_tracking_link(
        &self,
        order: OrderId,
        tracking_token_hash: &[u8],
        by: &Actor,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query!(
            "insert into tracking_links (token_hash, order_id, created_at, created_by) \
             select $2, id, $3, $4 from orders where id = $1",
            order.as_uuid(),
            tracking_token_hash,
            now,
            by.to_string(),
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Which order a tracking link leads to, its first or another, and how far it is: enough to let somebody in.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn order_by_tracking_token(
        &self,
        tracking_token_hash: &[u8],
    ) -> Result<Option<(OrderId, OrderStatus)>, StoreError> {
        let row = sqlx::query!(
            r#"select id as "id!", status as "status!" from orders where tracking_token_hash = $1
               union all
               select o.id, o.status from tracking_links l join orders o on o.id = l.order_id where l.token_hash = $1
               limit 1"#,
            tracking_token_hash
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| (OrderId::from_uuid(row.id), status_of(&row.status))))
    }
}
