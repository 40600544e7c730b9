//! Orders and what happened to them.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use doorstep_shared::{
    CourierId, LatLon, OrderId, OrderStatus,
    api::{CustomerBody, OrderEventView, proof::ProofKind},
    protocol::fleet::FleetOrder,
};
use sqlx::{PgConnection, PgTransaction};
use uuid::Uuid;

use super::{Store, StoreError, proofs::missing_proofs, tracking_links::LinkHash};
use crate::domain::{
    courier::Courier,
    fleet::OrderState,
    order::{Actor, Order, OrderCourier, Place, TrackedOrder, visibility},
};

/// A row of `orders`, with every column the domain uses.
#[derive(sqlx::FromRow)]
pub(super) struct OrderRow {
    id: Uuid,
    reference: String,
    status: String,
    status_at: DateTime<Utc>,
    pickup_lat: f64,
    pickup_lon: f64,
    pickup_address: String,
    pickup_instructions: Option<String>,
    dropoff_lat: f64,
    dropoff_lon: f64,
    dropoff_address: String,
    dropoff_instructions: Option<String>,
    customer_name: String,
    customer_phone: Option<String>,
    customer_email: Option<String>,
    promised_from: Option<DateTime<Utc>>,
    promised_until: Option<DateTime<Utc>>,
    courier_id: Option<Uuid>,
    assigned_at: Option<DateTime<Utc>>,
    feed_from: Option<DateTime<Utc>>,
    leg_from: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<OrderRow> for Order {
    fn from(row: OrderRow) -> Self {
        Self {
            id: OrderId::from_uuid(row.id),
            reference: row.reference,
            status: status_of(&row.status),
            status_at: row.status_at,
            pickup: Place {
                point: point_of(row.pickup_lat, row.pickup_lon),
                address: row.pickup_address,
                instructions: row.pickup_instructions,
            },
            dropoff: Place {
                point: point_of(row.dropoff_lat, row.dropoff_lon),
                address: row.dropoff_address,
                instructions: row.dropoff_instructions,
            },
            customer: CustomerBody { name: row.customer_name, phone: row.customer_phone, email: row.customer_email },
            promised_from: row.promised_from,
            promised_until: row.promised_until,
            courier_id: row.courier_id.map(CourierId::from_uuid),
            assigned_at: row.assigned_at,
            feed_from: row.feed_from,
            leg_from: row.leg_from,
            created_at: row.created_at,
        }
    }
}

pub(super) fn status_of(word: &str) -> OrderStatus {
    word.parse().expect("the column's check allows only statuses")
}

pub(super) fn point_of(lat: f64, lon: f64) -> LatLon {
    LatLon::try_new(lat, lon).expect("the columns' checks allow only coordinates")
}

/// Where a list of orders goes on: after the order created at this time with this id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderCursor {
    /// The last listed order's creation time.
    pub created_at: DateTime<Utc>,
    /// Its id.
    pub id: OrderId,
}

/// What a new order asks for at the door.
#[derive(Clone, Debug, Default)]
pub struct WantedProofs {
    /// Which kinds, each once.
    pub kinds: Vec<ProofKind>,
    /// Argon2id of the PIN, when it asks for one.
    pub pin_hash: Option<String>,
}

/// An order that is about to be added.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// The order.
    pub order: Order,
    /// What it asks for at the door.
    pub at_the_door: WantedProofs,
    /// SHA-256 of its link's secret.
    pub tracking_token_hash: [u8; 32],
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
        insert_order(&mut transaction, order, at_the_door, tracking_token_hash, by).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Adds orders with their first events: all of them, or none.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn create_orders(&self, orders: &[NewOrder], by: &Actor) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        for NewOrder { order, at_the_door, tracking_token_hash } in orders {
            insert_order(&mut transaction, order, at_the_door, tracking_token_hash, by).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Which of these references an order of the last month has.
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

    /// One order.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn order(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.orders(&[id]).await?.pop())
    }

    /// These orders, as far as there are such, in any order.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        let ids: Vec<_> = ids.iter().map(|id| *id.as_uuid()).collect();
        let rows = sqlx::query_as!(
            OrderRow,
            "select id, reference, status, status_at, pickup_lat, pickup_lon, pickup_address, pickup_instructions, \
                 dropoff_lat, dropoff_lon, dropoff_address, dropoff_instructions, customer_name, customer_phone, \
                 customer_email, promised_from, promised_until, courier_id, assigned_at, feed_from, leg_from, created_at \
             from orders where id = any($1)",
            &ids
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Order::from).collect())
    }

    /// What happened to an order, oldest first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn order_timeline(&self, id: OrderId) -> Result<Vec<OrderEventView>, StoreError> {
        Ok(self.order_timelines(&[id]).await?.remove(&id).unwrap_or_default())
    }

    /// What happened to each of these orders, oldest first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn order_timelines(&self, ids: &[OrderId]) -> Result<HashMap<OrderId, Vec<OrderEventView>>, StoreError> {
        let ids: Vec<_> = ids.iter().map(|id| *id.as_uuid()).collect();
        let rows = sqlx::query!(
            "select order_id, status, happened_at, note from order_events where order_id = any($1) order by id",
            &ids
        )
        .fetch_all(&self.pool)
        .await?;
        let mut of_each: HashMap<_, Vec<_>> = HashMap::new();
        for row in rows {
            let event = OrderEventView { status: status_of(&row.status), at: row.happened_at, note: row.note };
            of_each.entry(OrderId::from_uuid(row.order_id)).or_default().push(event);
        }
        Ok(of_each)
    }

    /// The order behind a tracking link, with its events and its courier.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn tracked_order(&self, tracking_token_hash: &LinkHash) -> Result<Option<TrackedOrder>, StoreError> {
        match self.order_by_tracking_token(tracking_token_hash).await? {
            Some((id, _)) => self.tracked_order_by_id(id).await,
            None => Ok(None),
        }
    }

    /// One order with its events and its courier.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn tracked_order_by_id(&self, id: OrderId) -> Result<Option<TrackedOrder>, StoreError> {
        Ok(self.tracked_orders(&[id]).await?.remove(&id))
    }

    /// The same for many orders. Those that are not there are left out.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn tracked_orders(&self, ids: &[OrderId]) -> Result<HashMap<OrderId, TrackedOrder>, StoreError> {
        let orders = self.orders(ids).await?;
        let mut timelines = self.order_timelines(ids).await?;
        let couriers: HashSet<_> = orders.iter().filter_map(|order| order.courier_id).collect();
        let couriers: Vec<_> = couriers.into_iter().collect();
        let couriers = if couriers.is_empty() { vec![] } else { self.couriers(&couriers).await? };
        let couriers = couriers.into_iter().map(|courier| {
            let Courier { id, presence, name, vehicle, .. } = courier;
            (id, OrderCourier { id, presence, name, vehicle })
        });
        let couriers: HashMap<_, _> = couriers.collect();
        let tracked = orders.into_iter().map(|order| {
            let timeline = timelines.remove(&order.id).unwrap_or_default();
            let courier = order.courier_id.and_then(|courier| couriers.get(&courier).cloned());
            (order.id, TrackedOrder { order, timeline, courier })
        });
        Ok(tracked.collect())
    }

    /// Every order that is not over, as dispatchers see it.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn orders_not_over(&self) -> Result<Vec<OrderState>, StoreError> {
        let rows = sqlx::query!(
            "select id, reference, status, status_at, courier_id, assigned_at from orders \
             where status not in ('delivered', 'returned', 'cancelled')"
        )
        .fetch_all(&self.pool)
        .await?;
        let state = rows.into_iter().map(|row| OrderState {
            order: FleetOrder {
                id: OrderId::from_uuid(row.id),
                reference: row.reference,
                status: status_of(&row.status),
                status_at_ms: row.status_at.timestamp_millis(),
                courier_id: row.courier_id.map(CourierId::from_uuid),
            },
            assigned_at_ms: row.assigned_at.map(|at| at.timestamp_millis()),
        });
        Ok(state.collect())
    }

    /// The courier's open orders, in serving order.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn open_orders_of(&self, courier: CourierId) -> Result<Vec<Order>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        Ok(open_orders_in(&mut connection, &[courier]).await?.remove(&courier).unwrap_or_default())
    }

    /// The open orders of each of these couriers, in serving order. Who has none is left out.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn open_orders_of_each(
        &self,
        couriers: &[CourierId],
    ) -> Result<HashMap<CourierId, Vec<Order>>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        open_orders_in(&mut connection, couriers).await
    }

    /// Everybody who has an open order.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn couriers_with_open_orders(&self) -> Result<Vec<CourierId>, StoreError> {
        let ids = sqlx::query_scalar!(
            r#"select distinct courier_id as "courier_id!" from orders
               where courier_id is not null and status in ('assigned', 'at_pickup', 'picked_up', 'at_dropoff')"#
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(CourierId::from_uuid).collect())
    }

    /// Starts a change to an order; the row is locked until the change is committed or dropped, and so is the plan
    /// of the courier who has the order and of the one who is to get it: a change reads and writes their other
    /// orders too, and two that did so at once would each miss the other's, or wait for each other for ever.
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
                     customer_email, promised_from, promised_until, courier_id, assigned_at, feed_from, leg_from, created_at \
                 from orders where id = $1 for update",
                id.as_uuid()
            )
            .fetch_optional(&mut *transaction)
            .await?;
            let Some(order) = row.map(Order::from) else { return Ok(None) };
            if order.courier_id == holder {
                return Ok(Some(OrderChange { transaction, order }));
            }
            // Somebody else got the order meanwhile, whose plan is not locked. Locks are only taken in one order,
            // so this begins again.
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
async fn lock_plans(connection: &mut PgConnection, couriers: [Option<CourierId>; 2]) -> Result<(), StoreError> {
    let ids: Vec<_> = couriers.into_iter().flatten().map(|courier| *courier.as_uuid()).collect();
    // Everybody takes them in the order of the keys, so nobody waits in a circle.
    sqlx::query!(
        r#"select pg_advisory_xact_lock(key) as "locked: ()" from
               (select distinct hashtextextended(id::text, 0) as key from unnest($1::uuid[]) as id order by key) as keys"#,
        &ids
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}

/// An order being changed, in a transaction that holds its row.
#[derive(Debug)]
pub struct OrderChange {
    transaction: PgTransaction<'static>,
    /// The order as it was when locked.
    pub order: Order,
}

impl OrderChange {
    /// What the order asks for at the door that was not brought back yet.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn missing_proofs(&mut self) -> Result<Vec<ProofKind>, StoreError> {
        missing_proofs(&mut self.transaction, self.order.id).await
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

async fn open_orders_in(
    connection: &mut PgConnection,
    couriers: &[CourierId],
) -> Result<HashMap<CourierId, Vec<Order>>, StoreError> {
    let ids: Vec<_> = couriers.iter().map(|courier| *courier.as_uuid()).collect();
    let rows = sqlx::query_as!(
        OrderRow,
        "select id, reference, status, status_at, pickup_lat, pickup_lon, pickup_address, pickup_instructions, \
             dropoff_lat, dropoff_lon, dropoff_address, dropoff_instructions, customer_name, customer_phone, \
             customer_email, promised_from, promised_until, courier_id, assigned_at, feed_from, leg_from, created_at \
         from orders where courier_id = any($1) and status in ('assigned', 'at_pickup', 'picked_up', 'at_dropoff')",
        &ids
    )
    .fetch_all(connection)
    .await?;
    let mut of_each: HashMap<CourierId, Vec<Order>> = HashMap::new();
    for order in rows.into_iter().map(Order::from) {
        of_each.entry(order.courier_id.expect("asked for by courier")).or_default().push(order);
    }
    Ok(of_each.into_iter().map(|(courier, open)| (courier, visibility::serving_order(open))).collect())
}

async fn insert_order(
    connection: &mut PgConnection,
    order: &Order,
    at_the_door: &WantedProofs,
    tracking_token_hash: &[u8],
    by: &Actor,
) -> Result<(), StoreError> {
    let kinds: Vec<String> = at_the_door.kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
    sqlx::query!(
        "insert into orders (id, reference, status, status_at, pickup_lat, pickup_lon, pickup_address, \
                 pickup_instructions, dropoff_lat, dropoff_lon, dropoff_address, dropoff_instructions, customer_name, \
                 customer_phone, customer_email, promised_from, promised_until, tracking_token_hash, created_at, \
                 proof_wanted, pin_hash) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $4, $19, $20)",
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
    )
    .execute(&mut *connection)
    .await?;
    insert_event(connection, order.id, order.status, order.status_at, by, None).await
}

async fn insert_event(
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
