//! Writes events into the outbox, in the transaction of the change that they tell.
//!
//! `write_events` is the last thing that such a transaction does: it puts each event, adds a delivery for every
//! endpoint that asks for it, and locks the queues that the deliveries join, always in one order, so that no two changes
//! wait for each other. A queue's row is written even when it is there already: a worker that empties the queue meanwhile
//! then waits for this transaction and sees the new delivery. [`super::deliveries`] is the other end.

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, OrderId};
use serde_json::Value;
use sqlx::{PgConnection, QueryBuilder};
use uuid::Uuid;

use super::{
    Store, StoreError,
    order_changes::OrderEvent,
    order_rows::{ORDER_COLUMNS, OrderRow},
};
use crate::domain::{
    order::Order,
    outbox::event::{About, EventType, NewEvent},
};

impl Store {
    /// Tells that the courier of an order is near its door, once for an attempt, if the order is on its way in that
    /// attempt still.
    ///
    /// # Errors
    /// When the database is away; nothing was told then.
    pub async fn tell_approaching(&self, order: OrderId, attempt: u32, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        let row = sqlx::query_as!(
            OrderRow,
            "select id, reference, status, status_at, pickup_lat, pickup_lon, pickup_address, pickup_instructions, \
                 dropoff_lat, dropoff_lon, dropoff_address, dropoff_instructions, customer_name, customer_phone, \
                 customer_email, promised_from, promised_until, courier_id, assigned_at, feed_from, leg_from, created_at, \
             version, attempt, size, service_s, requires, note, pickup_phone, carried_by, plan_version, seen_at, \
             unseen_changes \
             from orders where id = $1 and attempt = $2 and status = 'picked_up' for update",
            order.as_uuid(),
            attempt.cast_signed()
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(order) = row.map(Order::from) else { return Ok(()) };
        let event = NewEvent::of_order(EventType::OrderApproaching, &order, now, About::default());
        write_events(&mut transaction, &[event]).await?;
        Ok(transaction.commit().await?)
    }
}

/// What an order's history keeps of a change, told to others; `None` for what changed nothing about the order.
pub(super) fn told(event: &OrderEvent<'_>, before: Option<&Order>, after: &Order) -> Option<NewEvent> {
    let status_before = before.map_or(after.status, |before| before.status);
    let kind = EventType::of_change(event.kind, status_before, after.status)?;
    let former: Option<CourierId> = before.and_then(|before| before.courier_id);
    let about = About {
        by: Some(event.by),
        remark: event.note,
        former_courier: former.filter(|former| after.courier_id != Some(*former)),
        changes: event.changes,
    };
    Some(NewEvent::of_order(kind, after, event.at, about))
}

/// The customers of these orders may see their couriers from `at` on.
pub(super) fn opened(orders: &[Order], at: DateTime<Utc>) -> Vec<NewEvent> {
    orders.iter().map(|order| NewEvent::of_order(EventType::OrderNext, order, at, About::default())).collect()
}

/// These orders are late since `at`.
pub(super) async fn late(
    connection: &mut PgConnection,
    orders: &[OrderId],
    at: DateTime<Utc>,
) -> Result<Vec<NewEvent>, StoreError> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = orders.iter().map(|order| *order.as_uuid()).collect();
    let mut query = QueryBuilder::new("select ");
    query.push(ORDER_COLUMNS).push(" from orders where id = any(").push_bind(ids).push(")");
    let rows: Vec<OrderRow> = query.build_query_as().fetch_all(connection).await?;
    let late = rows.into_iter().map(Order::from);
    Ok(late.map(|order| NewEvent::of_order(EventType::OrderLate, &order, at, About::default())).collect())
}

/// Writes events, those of one subject in the order in which they happened, with a delivery for each endpoint that asks
/// for them. Nothing that locks may follow it in the transaction.
pub(super) async fn write_events(connection: &mut PgConnection, events: &[NewEvent]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let written = insert_events(connection, events).await?;
    let queues = join_queues(connection, &written).await?;
    if queues.is_empty() {
        return Ok(());
    }
    add_deliveries(connection, &written, queues).await
}

async fn insert_events(connection: &mut PgConnection, events: &[NewEvent]) -> Result<Vec<Uuid>, StoreError> {
    let ids: Vec<_> = events.iter().map(|event| *event.id.as_uuid()).collect();
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str().to_owned()).collect();
    let subjects: Vec<_> = events.iter().map(|event| event.subject).collect();
    let at: Vec<_> = events.iter().map(|event| event.at).collect();
    let data: Vec<_> = events.iter().map(|event| event.data.to_string()).collect();
    let personal: Vec<_> = events.iter().map(|event| some(&event.personal)).collect();
    let written = sqlx::query_scalar!(
        "insert into outbox_events (id, type, subject_id, occurred_at, data, personal) \
         select n.id, n.type, n.subject_id, n.occurred_at, n.data::jsonb, n.personal::jsonb \
         from unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[]) with ordinality \
             as n (id, type, subject_id, occurred_at, data, personal, place) \
         order by n.place on conflict do nothing returning id",
        &ids,
        &kinds,
        &subjects,
        &at,
        &data,
        &personal as &[Option<String>],
    )
    .fetch_all(connection)
    .await?;
    Ok(written)
}

fn some(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| value.to_string())
}

/// Locks the queue of every endpoint and subject that get something, in the order of their keys.
async fn join_queues(connection: &mut PgConnection, events: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    let rows = sqlx::query!(
        "insert into outbox_queues as q (target_id, subject_id, due_at) \
         select w.id, e.subject_id, min(e.occurred_at) from outbox_events e \
         join webhooks w on w.events && array['*', e.type, split_part(e.type, '.', 1) || '.*'] \
         where e.id = any($1) and w.disabled_at is null and w.deleted_at is null \
         group by w.id, e.subject_id order by w.id, e.subject_id \
         on conflict (target_id, subject_id) do update set due_at = q.due_at \
         returning q.target_id, q.subject_id",
        events
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.target_id, row.subject_id)).collect())
}

/// Adds deliveries to these queues, which are locked.
async fn add_deliveries(
    connection: &mut PgConnection,
    events: &[Uuid],
    queues: Vec<(Uuid, Uuid)>,
) -> Result<(), StoreError> {
    let (targets, subjects): (Vec<_>, Vec<_>) = queues.into_iter().unzip();
    sqlx::query!(
        "insert into outbox_deliveries (lane, target_id, subject_id, event_id, seq, queued_at) \
         select 'webhook', w.id, e.subject_id, e.id, e.seq, e.occurred_at from outbox_events e \
         join unnest($2::uuid[], $3::uuid[]) as q (target_id, subject_id) on q.subject_id = e.subject_id \
         join webhooks w on w.id = q.target_id \
             and w.events && array['*', e.type, split_part(e.type, '.', 1) || '.*'] \
         where e.id = any($1) order by e.seq",
        events,
        &targets,
        &subjects,
    )
    .execute(connection)
    .await?;
    Ok(())
}
