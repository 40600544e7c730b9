//! Adds orders, one by one or a whole file of them.
//!
//! An order, its first event, what others are told of it, and the hash of its tracking link are written in one transaction.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use doorstep_shared::api::{change::OrderEventKind, proof::ProofKind};
use sqlx::PgConnection;

use super::{
    Store, StoreError,
    order_changes::{OrderEvent, insert_event},
    outbox::{told, write_events},
};
use crate::{
    domain::{
        order::{Actor, Order},
        outbox::event::NewEvent,
    },
    platform::token::SecretHash,
};

/// What a new order asks for at the door.
#[derive(Clone, Debug, Default)]
pub struct WantedProofs {
    /// The kinds, each once.
    pub kinds: Vec<ProofKind>,
    /// Argon2id of the PIN, when it asks for one.
    pub pin_hash: Option<String>,
}

/// An order to be added.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// The order.
    pub order: Order,
    /// What it asks for at the door.
    pub at_the_door: WantedProofs,
    /// SHA-256 of its link's secret.
    pub tracking_token_hash: SecretHash,
}

impl Store {
    /// Adds an order with its first event.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn create_order(
        &self,
        order: &Order,
        at_the_door: &WantedProofs,
        tracking_token_hash: &[u8],
        by: &Actor,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        let event = insert_order(&mut transaction, order, at_the_door, tracking_token_hash, by).await?;
        write_events(&mut transaction, event.as_slice()).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Adds orders with their first events: all of them, or none.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn create_orders(&self, orders: &[NewOrder], by: &Actor) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        let mut events = Vec::with_capacity(orders.len());
        for NewOrder { order, at_the_door, tracking_token_hash } in orders {
            events.extend(insert_order(&mut transaction, order, at_the_door, tracking_token_hash, by).await?);
        }
        write_events(&mut transaction, &events).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Those of `references` that an order of the last month has.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn known_references(
        &self,
        references: &[String],
        now: DateTime<Utc>,
    ) -> Result<HashSet<String>, StoreError> {
        let known = sqlx::query_scalar!(
            "select reference from orders where created_at > $2::timestamptz - interval '1 month' and reference = any($1)",
            references,
            now
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(known.into_iter().collect())
    }
}

/// Adds an order with the first line of its history. Returns what to tell of it.
async fn insert_order(
    connection: &mut PgConnection,
    order: &Order,
    at_the_door: &WantedProofs,
    tracking_token_hash: &[u8],
    by: &Actor,
) -> Result<Option<NewEvent>, StoreError> {
    let kinds: Vec<String> = at_the_door.kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
    sqlx::query!(
        "insert into orders (id, reference, status, status_at, pickup_lat, pickup_lon, pickup_address, \
                 pickup_instructions, dropoff_lat, dropoff_lon, dropoff_address, dropoff_instructions, customer_name, \
                 customer_phone, customer_email, promised_from, promised_until, tracking_token_hash, created_at, \
                 proof_wanted, pin_hash, size, service_s, requires, note, pickup_phone) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $4, $19, $20, $21, \
                 $22, $23, $24, $25)",
        order.id.as_uuid(),
        order.reference,
        order.status.as_str(),
        order.status_at,
        order.pickup.point.lat(),
        order.pickup.point.lon(),
        order.pickup.address,
        order.pickup.instructions,
        order.dropoff.point.lat(),
        order.dropoff.point.lon(),
        order.dropoff.address,
        order.dropoff.instructions,
        order.customer.name,
        order.customer.phone,
        order.customer.email,
        order.promised_from,
        order.promised_until,
        tracking_token_hash,
        &kinds,
        at_the_door.pin_hash,
        order.demands.size.cast_signed(),
        order.demands.service_s.map(u32::cast_signed),
        &order.demands.requires,
        order.demands.note,
        order.pickup.phone,
    )
    .execute(&mut *connection)
    .await?;
    let event = OrderEvent::of(OrderEventKind::Status, order, order.status_at, by);
    insert_event(connection, order.id, &event).await?;
    Ok(told(&event, None, order))
}
