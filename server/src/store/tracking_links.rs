//! Tracking links of an order besides its first.
//!
//! The database keeps only hashes, so a link cannot be shown again: dispatch makes another, and earlier links go on
//! working. The delivery PIN belongs to the first link alone.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use doorstep_shared::OrderId;

use super::{Store, StoreError, order_rows::status_of};
use crate::{
    domain::order::{Actor, link::LinkedOrder},
    platform::token::SecretHash,
};

/// SHA-256 of a tracking link's secret.
pub type LinkHash = SecretHash;

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

    /// The order that a tracking link leads to, its first link or another: enough to let a customer in.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn order_by_tracking_token(&self, token_hash: &LinkHash) -> Result<Option<LinkedOrder>, StoreError> {
        Ok(self.orders_by_tracking_tokens(&[*token_hash]).await?.remove(token_hash))
    }

    /// The same for many links. Unknown links are left out.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn orders_by_tracking_tokens(
        &self,
        token_hashes: &[LinkHash],
    ) -> Result<HashMap<LinkHash, LinkedOrder>, StoreError> {
        let hashes: Vec<_> = token_hashes.iter().map(|hash| hash.to_vec()).collect();
        let rows = sqlx::query!(
            r#"select tracking_token_hash as "token_hash!", id as "id!", status as "status!", status_at as "status_at!",
                   changed_at as "changed_at!", coalesce(promised_until, promised_from) as promised,
                   erased_at is not null as "is_erased!"
               from orders where tracking_token_hash = any($1)
               union all
               select l.token_hash, o.id, o.status, o.status_at, o.changed_at,
                   coalesce(o.promised_until, o.promised_from), o.erased_at is not null
               from tracking_links l join orders o on o.id = l.order_id where l.token_hash = any($1)"#,
            &hashes
        )
        .fetch_all(&self.pool)
        .await?;
        let found = rows.into_iter().filter_map(|row| {
            let token_hash = row.token_hash.try_into().ok()?;
            let linked = LinkedOrder {
                order: OrderId::from_uuid(row.id),
                status: status_of(&row.status),
                status_at: row.status_at,
                changed_at: row.changed_at,
                promised: row.promised,
                is_erased: row.is_erased,
            };
            Some((token_hash, linked))
        });
        Ok(found.collect())
    }

    /// Those of these orders whose links may have closed by themselves, with what decides it: no courier has them.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn left_orders(&self, orders: &[OrderId]) -> Result<Vec<LinkedOrder>, StoreError> {
        let ids: Vec<_> = orders.iter().map(|id| *id.as_uuid()).collect();
        let rows = sqlx::query!(
            r#"select id, status, status_at, changed_at, coalesce(promised_until, promised_from) as promised,
                   erased_at is not null as "is_erased!"
               from orders where id = any($1) and (status in ('created', 'failed') or erased_at is not null)"#,
            &ids
        )
        .fetch_all(&self.pool)
        .await?;
        let left = rows.into_iter().map(|row| LinkedOrder {
            order: OrderId::from_uuid(row.id),
            status: status_of(&row.status),
            status_at: row.status_at,
            changed_at: row.changed_at,
            promised: row.promised,
            is_erased: row.is_erased,
        });
        Ok(left.collect())
    }
}
