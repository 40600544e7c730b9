//! Changes an order, in a transaction that locks its row and the plans of its couriers.
//!
//! The use cases of [`crate::service::orders::lifecycle`] read the locked order, decide, and commit; the commit also
//! opens and closes the feeds of the couriers' other orders.

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, OrderId, OrderStatus, api::proof::ProofKind};
use sqlx::{PgConnection, PgTransaction};

use super::{
    Store, StoreError, courier_archive::is_archived, order_rows::OrderRow, orders::open_orders_in,
    proofs::missing_proofs,
};
use crate::domain::order::{Actor, Order, visibility};

impl Store {
    /// Starts a change to an order. Until the change is committed or dropped it locks the order's row and the plans of
    /// the courier who has the order and of `for_courier`, who is to get it: a change reads and writes their other
    /// orders too, and two concurrent changes would each miss the other's, or deadlock.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn lock_order(
        &self,
        id: OrderId,
        for_courier: Option<CourierId>,
    ) -> Result<Option<OrderChange>, StoreError> {
        let mut holder = self.holder_of(id).await?;
        loop {
            let mut transaction = self.pool.begin().await?;
            lock_plans(&mut transaction, [holder, for_courier]).await?;
            let row = sqlx::query_as!(
                OrderRow,
                "select id, reference, status, status_at, pickup_lat, pickup_lon, pickup_address, pickup_instructions, \
                     dropoff_lat, dropoff_lon, dropoff_address, dropoff_instructions, customer_name, customer_phone, \
                     customer_email, promised_from, promised_until, courier_id, assigned_at, feed_from, leg_from, created_at, \
             version, attempt, size, service_s, requires, note, pickup_phone, carried_by, plan_version, seen_at, \
             unseen_changes \
                 from orders where id = $1 for update",
                id.as_uuid()
            )
            .fetch_optional(&mut *transaction)
            .await?;
            let Some(order) = row.map(Order::from) else { return Ok(None) };
            if order.courier_id == holder {
                return Ok(Some(OrderChange { transaction, order }));
            }
            // Another courier got the order meanwhile, whose plan is not locked. Locks must be taken in one order, so
            // this begins again.
            holder = order.courier_id;
        }
    }

    async fn holder_of(&self, id: OrderId) -> Result<Option<CourierId>, StoreError> {
        let holder = sqlx::query_scalar!("select courier_id from orders where id = $1", id.as_uuid())
            .fetch_optional(&self.pool)
            .await?;
        Ok(holder.flatten().map(CourierId::from_uuid))
    }
}

/// Makes changes to these couriers' plans wait for each other until the transaction ends.
pub(super) async fn lock_plans(
    connection: &mut PgConnection,
    couriers: [Option<CourierId>; 2],
) -> Result<(), StoreError> {
    let ids: Vec<_> = couriers.into_iter().flatten().map(|courier| *courier.as_uuid()).collect();
    // Every change takes the locks in the order of their keys, so none deadlocks.
    sqlx::query!(
        r#"select pg_advisory_xact_lock(key) as "locked: ()" from
               (select distinct hashtextextended(id::text, 0) as key from unnest($1::uuid[]) as id order by key) as keys"#,
        &ids
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}

/// An order being changed, in a transaction that locks its row.
#[derive(Debug)]
pub struct OrderChange {
    transaction: PgTransaction<'static>,
    /// The order as it was when locked.
    pub order: Order,
}

impl OrderChange {
    /// The proofs that the order asks for and does not have yet.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn missing_proofs(&mut self) -> Result<Vec<ProofKind>, StoreError> {
        missing_proofs(&mut self.transaction, self.order.id).await
    }

    /// Whether a courier works here no longer.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn is_archived(&mut self, courier: CourierId) -> Result<bool, StoreError> {
        is_archived(&mut self.transaction, courier).await
    }

    /// Writes the order's new state with its event, and reopens the feeds of both couriers concerned.
    ///
    /// # Errors
    /// When the database is away; nothing was changed then.
    pub async fn commit(
        mut self,
        changed: &Order,
        event_at: DateTime<Utc>,
        by: &Actor,
        note: Option<&str>,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "update orders set status = $2, status_at = $3, courier_id = $4, assigned_at = $5, feed_from = $6, leg_from = $7 \
             where id = $1",
            changed.id.as_uuid(),
            changed.status.as_str(),
            changed.status_at,
            changed.courier_id.map(|courier| *courier.as_uuid()),
            changed.assigned_at,
            changed.feed_from,
            changed.leg_from,
        )
        .execute(&mut *self.transaction)
        .await?;
        insert_event(&mut self.transaction, changed.id, changed.status, event_at, by, note).await?;
        let concerned =
            [self.order.courier_id, changed.courier_id.filter(|_| self.order.courier_id != changed.courier_id)];
        for courier in concerned.into_iter().flatten() {
            reopen_feed(&mut self.transaction, courier, event_at).await?;
        }
        self.transaction.commit().await?;
        Ok(())
    }
}

/// Opens the feed of the courier's next order and closes those of all others.
async fn reopen_feed(connection: &mut PgConnection, courier: CourierId, now: DateTime<Utc>) -> Result<(), StoreError> {
    let open = open_orders_in(connection, &[courier]).await?.remove(&courier).unwrap_or_default();
    let next = visibility::visible(&open);
    sqlx::query!(
        "update orders set feed_from = case when id = $2 then coalesce(feed_from, $3) end \
         where courier_id = $1 and status in ('assigned', 'at_pickup', 'picked_up', 'at_dropoff') \
           and (feed_from is null) = (id is not distinct from $2)",
        courier.as_uuid(),
        next.map(|order| *order.as_uuid()),
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn insert_event(
    connection: &mut PgConnection,
    order: OrderId,
    status: OrderStatus,
    happened_at: DateTime<Utc>,
    by: &Actor,
    note: Option<&str>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into order_events (order_id, status, happened_at, actor, note) values ($1, $2, $3, $4, $5)",
        order.as_uuid(),
        status.as_str(),
        happened_at,
        by.to_string(),
        note
    )
    .execute(connection)
    .await?;
    Ok(())
}
