//! Rows of `plans` and the orders that they are about, as one [`Planned`] for each courier.

use std::collections::{HashMap, HashSet};

use doorstep_shared::{CourierId, OrderId, api::plan::PlanStop, protocol::courier::StopKind};
use sqlx::PgConnection;

use super::{StoreError, order_rows::OrderRow};
use crate::domain::{
    order::Order,
    plan::{Plan, Planned},
};

/// The orders of each of these couriers with their plans.
pub(super) async fn open_orders_in(
    connection: &mut PgConnection,
    couriers: &[CourierId],
) -> Result<HashMap<CourierId, Planned>, StoreError> {
    // The plans first: what is committed in between is in the orders, and a version never promises more than they show.
    let mut stored = stored_plans(connection, couriers).await?;
    let mut orders = orders_in(connection, couriers).await?;
    let known: HashSet<_> = stored.keys().chain(orders.keys()).copied().collect();
    let planned = known.into_iter().map(|courier| {
        let orders = orders.remove(&courier).unwrap_or_default();
        (courier, Planned::new(courier, stored.remove(&courier), orders))
    });
    Ok(planned.collect())
}

pub(super) async fn stored_plans(
    connection: &mut PgConnection,
    couriers: &[CourierId],
) -> Result<HashMap<CourierId, Plan>, StoreError> {
    let ids: Vec<_> = couriers.iter().map(|courier| *courier.as_uuid()).collect();
    let rows = sqlx::query!(
        "select courier_id, version, locked, order_ids, kinds from plans where courier_id = any($1)",
        &ids
    )
    .fetch_all(connection)
    .await?;
    let plans = rows.into_iter().map(|row| {
        let stops = row.order_ids.into_iter().zip(&row.kinds).map(|(order, kind)| PlanStop {
            order_id: OrderId::from_uuid(order),
            kind: StopKind::from_word(kind).expect("the column's check allows only kinds"),
        });
        let plan = Plan {
            version: row.version.cast_unsigned(),
            locked: row.locked.cast_unsigned() as usize,
            stops: stops.collect(),
        };
        (CourierId::from_uuid(row.courier_id), plan)
    });
    Ok(plans.collect())
}

/// The open orders of each courier, and those over whose goods they have on board.
pub(super) async fn orders_in(
    connection: &mut PgConnection,
    couriers: &[CourierId],
) -> Result<HashMap<CourierId, Vec<Order>>, StoreError> {
    let ids: Vec<_> = couriers.iter().map(|courier| *courier.as_uuid()).collect();
    let rows = sqlx::query_as!(
        OrderRow,
        "select id, reference, status, status_at, pickup_lat, pickup_lon, pickup_address, pickup_instructions, \
             dropoff_lat, dropoff_lon, dropoff_address, dropoff_instructions, customer_name, customer_phone, \
             customer_email, promised_from, promised_until, courier_id, assigned_at, feed_from, leg_from, created_at, \
             version, attempt, size, service_s, requires, note, pickup_phone, carried_by, plan_version, seen_at, \
             unseen_changes \
         from orders \
         where (courier_id = any($1) and status in ('assigned', 'at_pickup', 'picked_up', 'at_dropoff')) \
            or (carried_by = any($1) and status in ('failed', 'cancelled'))",
        &ids
    )
    .fetch_all(connection)
    .await?;
    let mut of_each: HashMap<CourierId, Vec<Order>> = HashMap::new();
    for order in rows.into_iter().map(Order::from) {
        let courier = if order.status.is_active() { order.courier_id } else { order.carried_by };
        of_each.entry(courier.expect("asked for by courier")).or_default().push(order);
    }
    Ok(of_each)
}
