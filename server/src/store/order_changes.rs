//! Changes an order, in a transaction that locks its row and the plans of its couriers.
//!
//! The use cases of [`crate::service::orders::lifecycle`] read the locked order, decide, and commit; in the same
//! transaction the plans of the couriers concerned follow, and with them the feeds of their orders ([`super::plan_changes`]).

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, OrderId, OrderStatus, api::proof::ProofKind};
use sqlx::{PgConnection, PgTransaction};

use super::{
    Store, StoreError,
    order_rows::OrderRow,
    plan_changes::{NewPlaces, follow_order},
    plans::lock_plans,
    proofs::missing_proofs,
};
use crate::domain::order::{Actor, Order};

impl Store {
    /// Starts a change to an order. Until the change is committed or dropped it locks the order's row and the plans of
    /// the couriers who have the order or its goods and of `for_courier`, who is to get it: a change reads and writes
    /// their other orders too, and two concurrent changes would each miss the other's, or deadlock.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn lock_order(
        &self,
        id: OrderId,
        for_courier: Option<CourierId>,
    ) -> Result<Option<OrderChange>, StoreError> {
        let mut holders = self.holders_of(id).await?;
        loop {
            let mut transaction = self.pool.begin().await?;
            let couriers: Vec<_> = holders.into_iter().chain([for_courier]).flatten().collect();
            lock_plans(&mut transaction, &couriers).await?;
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
            let now_with = [order.courier_id, order.carried_by];
            if now_with == holders {
                return Ok(Some(OrderChange { transaction, order, places: NewPlaces::default() }));
            }
            // Another courier got the order meanwhile, whose plan is not locked. Locks must be taken in one order, so
            // this begins again.
            holders = now_with;
        }
    }

    /// The courier who has the order, and the one who has its goods.
    async fn holders_of(&self, id: OrderId) -> Result<[Option<CourierId>; 2], StoreError> {
        let row = sqlx::query!("select courier_id, carried_by from orders where id = $1", id.as_uuid())
            .fetch_optional(&self.pool)
            .await?;
        let holders = row.map_or([None, None], |row| [row.courier_id, row.carried_by]);
        Ok(holders.map(|holder| holder.map(CourierId::from_uuid)))
    }
}

/// An order being changed, in a transaction that locks its row.
#[derive(Debug)]
pub struct OrderChange {
    transaction: PgTransaction<'static>,
    /// The order as it was when locked.
    pub order: Order,
    /// Where its stops go in the plan of a courier who gets it; to the cheapest place unless set.
    pub places: NewPlaces,
}

impl OrderChange {
    /// The proofs that the order asks for and does not have yet.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn missing_proofs(&mut self) -> Result<Vec<ProofKind>, StoreError> {
        missing_proofs(&mut self.transaction, self.order.id).await
    }

    /// Writes the order's new state with its event, and in the same transaction the plans and feeds of the couriers
    /// concerned. Returns the order with the version that it has then.
    ///
    /// # Errors
    /// When the database is away; nothing was changed then.
    pub async fn commit(
        mut self,
        changed: &Order,
        event_at: DateTime<Utc>,
        by: &Actor,
        note: Option<&str>,
    ) -> Result<Order, StoreError> {
        let version = sqlx::query_scalar!(
            "update orders set status = $2, status_at = $3, courier_id = $4, assigned_at = $5, feed_from = $6, leg_from = $7 \
             where id = $1 returning version",
            changed.id.as_uuid(),
            changed.status.as_str(),
            changed.status_at,
            changed.courier_id.map(|courier| *courier.as_uuid()),
            changed.assigned_at,
            changed.feed_from,
            changed.leg_from,
        )
        .fetch_one(&mut *self.transaction)
        .await?;
        insert_event(&mut self.transaction, changed.id, changed.status, event_at, by, note).await?;
        follow_order(&mut self.transaction, (&self.order, changed), self.places, (event_at, by)).await?;
        self.transaction.commit().await?;
        Ok(Order { version: version.cast_unsigned(), ..changed.clone() })
    }
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
