//! Reads orders.
//!
//! New orders are added by [`super::new_orders`], changed by [`super::order_changes`], listed by
//! [`super::order_lists`], and read with their courier's plan by [`super::plans`]; what happened to them is in
//! [`super::order_history`].

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, OrderId, protocol::fleet::FleetOrder};

use super::{
    Store, StoreError,
    order_rows::{OrderRow, status_of},
};
use crate::domain::{
    courier::Courier,
    fleet::OrderState,
    order::{Order, OrderCourier, TrackedOrder},
};

/// Where a list of orders goes on: after the order created at this time with this id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderCursor {
    /// The last listed order's creation time.
    pub created_at: DateTime<Utc>,
    /// Its id.
    pub id: OrderId,
}

impl Store {
    /// One order.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn order(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.orders(&[id]).await?.pop())
    }

    /// These orders, in any order. Unknown ids are left out.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        let ids: Vec<_> = ids.iter().map(|id| *id.as_uuid()).collect();
        let rows = sqlx::query_as!(
            OrderRow,
            "select id, reference, status, status_at, pickup_lat, pickup_lon, pickup_address, pickup_instructions, \
                 dropoff_lat, dropoff_lon, dropoff_address, dropoff_instructions, customer_name, customer_phone, \
                 customer_email, promised_from, promised_until, courier_id, assigned_at, feed_from, leg_from, created_at, \
             version, attempt, size, service_s, requires, note, pickup_phone, carried_by, plan_version, seen_at, \
             unseen_changes \
             from orders where id = any($1)",
            &ids
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Order::from).collect())
    }

    /// One order with its events and its courier.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn tracked_order_by_id(&self, id: OrderId) -> Result<Option<TrackedOrder>, StoreError> {
        Ok(self.tracked_orders(&[id]).await?.remove(&id))
    }

    /// The same for many orders. Unknown ids are left out.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn tracked_orders(&self, ids: &[OrderId]) -> Result<HashMap<OrderId, TrackedOrder>, StoreError> {
        let orders = self.orders(ids).await?;
        let mut timelines = self.order_steps(ids).await?;
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
            "select id, reference, status, status_at, courier_id, assigned_at, version, seen_at from orders \
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
                version: Some(row.version.cast_unsigned()),
                sequence: None,
                seen_at_ms: row.seen_at.map(|at| at.timestamp_millis()),
            },
            assigned_at_ms: row.assigned_at.map(|at| at.timestamp_millis()),
        });
        Ok(state.collect())
    }

    /// Every courier who has an open order, or goods to bring back.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn couriers_with_open_orders(&self) -> Result<Vec<CourierId>, StoreError> {
        let ids = sqlx::query_scalar!(
            r#"select courier_id as "courier_id!" from orders
               where courier_id is not null and status in ('assigned', 'at_pickup', 'picked_up', 'at_dropoff')
               union
               select carried_by from orders where carried_by is not null and status in ('failed', 'cancelled')"#
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(ids.into_iter().map(CourierId::from_uuid).collect())
    }
}
