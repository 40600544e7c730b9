//! Exceptions as the watch over the fleet reads and writes them, and what it asks the database about couriers and
//! orders.
//!
//! Unique indexes hold each ongoing exception once, so of two instances that notice it only one raises it.
//! [`crate::service::exceptions`] calls this; the console's lists are [`super::exception_lists`].

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, ExceptionId, OrderId, api::exception::ExceptionCode, protocol::PresenceReason};
use sqlx::{PgConnection, QueryBuilder};
use uuid::Uuid;

use super::{
    Store, StoreError,
    order_rows::{ORDER_COLUMNS, OpenRow, OrderRow, point_of, status_of},
    outbox::{self, write_events},
};
use crate::{
    domain::{
        exception::{Change, End, Finding, LastHeard, Ongoing, OrderNow, WaitingAtPickup},
        order::{OpenOrder, Order},
        outbox::event::{EventType, ExceptionNow, NewEvent},
        track::silence::Reporter,
    },
    platform::clock::from_ms,
};

/// The most orders without a courier that a round judges; those with the earliest promises.
const MAX_UNASSIGNED: i64 = 2_000;

/// The most couriers at pickups that a round judges.
const MAX_WAITING: i64 = 1_000;

impl Store {
    /// Every exception that goes on.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn ongoing_exceptions(&self) -> Result<Vec<Ongoing>, StoreError> {
        let rows = sqlx::query!(
            r#"select e.id as "id!", e.code as "code!", e.subject_id as "subject_id!", e.courier_id,
                   e.since_at as "since_at!", e.lat, e.lon, e.late_by_s, e.distance_m,
                   e.reason, o.status as "order_status?", o.status_at as "order_status_at?",
                   o.courier_id as "order_courier_id?",
                   coalesce(c.presence_state = 'off_duty', false) as "is_off_duty!",
                   exists (select 1 from orders w where w.courier_id = e.courier_id
                       and w.status in ('assigned', 'at_pickup', 'picked_up', 'at_dropoff')) as "has_orders!",
                   exists (select 1 from orders w where w.courier_id = e.courier_id
                       and w.status in ('assigned', 'at_pickup', 'picked_up', 'at_dropoff')
                       and w.status in ('picked_up', 'at_dropoff')) as "has_goods!"
               from exceptions e
               left join orders o on o.id = e.order_id
               left join couriers c on c.id = e.courier_id
               where e.ended_at is null"#
        )
        .fetch_all(&self.pool)
        .await?;
        let ongoing = rows.into_iter().map(|row| Ongoing {
            id: ExceptionId::from_uuid(row.id),
            code: code_of(&row.code),
            subject: row.subject_id,
            courier: row.courier_id.map(CourierId::from_uuid),
            since_ms: row.since_at.timestamp_millis(),
            place: row.lat.zip(row.lon).map(|(lat, lon)| point_of(lat, lon)),
            late_by_s: row.late_by_s,
            distance_m: row.distance_m,
            reason: row.reason.as_deref().and_then(PresenceReason::from_word),
            order_state: row.order_status.zip(row.order_status_at).map(|(status, at)| OrderNow {
                status: status_of(&status),
                status_at_ms: at.timestamp_millis(),
                courier: row.order_courier_id.map(CourierId::from_uuid),
            }),
            courier_has_orders: row.has_orders,
            courier_has_goods: row.has_goods,
            courier_is_off_duty: row.is_off_duty,
        });
        Ok(ongoing.collect())
    }

    /// Keeps exceptions that were noticed at `noticed_at`, and returns those that are new. An order that is over by now
    /// is not late any more, and one that was reopened was not handed over.
    ///
    /// # Errors
    /// When the database is away; nothing was kept then.
    pub async fn raise_exceptions(
        &self,
        found: Vec<Finding>,
        noticed_at: DateTime<Utc>,
    ) -> Result<Vec<Finding>, StoreError> {
        if found.is_empty() {
            return Ok(found);
        }
        let mut transaction = self.pool.begin().await?;
        let (raised, events) = insert_exceptions(&mut transaction, found, noticed_at).await?;
        write_events(&mut transaction, &events).await?;
        transaction.commit().await?;
        Ok(raised)
    }

    /// Writes down how exceptions changed.
    ///
    /// # Errors
    /// When the database is away; nothing was written then.
    pub async fn change_exceptions(&self, changes: &[Change]) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = changes.iter().map(|change| *change.id.as_uuid()).collect();
        let late: Vec<_> = changes.iter().map(|change| change.late_by_s).collect();
        let distances: Vec<_> = changes.iter().map(|change| change.distance_m).collect();
        let reasons: Vec<_> = changes.iter().map(|change| change.reason.map(|it| it.as_str().to_owned())).collect();
        sqlx::query!(
            "update exceptions e set late_by_s = coalesce(n.late_by_s, e.late_by_s), \
                 distance_m = coalesce(n.distance_m, e.distance_m), reason = n.reason \
             from unnest($1::uuid[], $2::integer[], $3::integer[], $4::text[]) \
                 as n (id, late_by_s, distance_m, reason) \
             where e.id = n.id",
            &ids,
            &late as &[Option<i32>],
            &distances as &[Option<i32>],
            &reasons as &[Option<String>],
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Ends exceptions. One that another instance ended keeps its time.
    ///
    /// # Errors
    /// When the database is away; nothing was ended then.
    pub async fn end_exceptions(&self, over: &[End]) -> Result<(), StoreError> {
        if over.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = over.iter().map(|end| *end.id.as_uuid()).collect();
        let at: Vec<_> = over.iter().map(|end| from_ms(end.at_ms)).collect();
        let mut transaction = self.pool.begin().await?;
        let rows = sqlx::query_as!(
            OverRow,
            "update exceptions e set ended_at = n.at from unnest($1::uuid[], $2::timestamptz[]) as n (id, at) \
             where e.id = n.id and e.ended_at is null \
             returning e.id, e.code, e.courier_id, e.order_id, e.since_at, e.ended_at, e.late_by_s, e.distance_m",
            &ids,
            &at,
        )
        .fetch_all(&mut *transaction)
        .await?;
        write_events(&mut transaction, &closed(rows)).await?;
        Ok(transaction.commit().await?)
    }

    /// When any instance last received a fix of each of these couriers. Couriers without one are left out.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn last_heard_of_each(
        &self,
        couriers: &[CourierId],
    ) -> Result<HashMap<CourierId, LastHeard>, StoreError> {
        let ids: Vec<_> = couriers.iter().map(|courier| *courier.as_uuid()).collect();
        let rows = sqlx::query!(
            r#"select c.id as "courier_id!", f.received_at as "received_at!", coalesce(d.client, d.tracker_app) as "client?"
               from unnest($1::uuid[]) as c (id)
               cross join lateral (
                   select received_at from fixes where courier_id = c.id order by fixed_at desc limit 1
               ) f
               left join lateral (
                   select client, tracker_app from devices where courier_id = c.id and revoked_at is null
                   order by last_seen_at desc nulls last limit 1
               ) d on true"#,
            &ids
        )
        .fetch_all(&self.pool)
        .await?;
        let heard = rows.into_iter().map(|row| {
            let is_app = row.client.is_none_or(|client| matches!(client.as_str(), "web" | "native"));
            let reporter = if is_app { Reporter::App } else { Reporter::Tracker };
            let heard = LastHeard { at_ms: row.received_at.timestamp_millis(), reporter };
            (CourierId::from_uuid(row.courier_id), heard)
        });
        Ok(heard.collect())
    }

    /// Orders that were delivered since `since`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn delivered_since(&self, since: DateTime<Utc>) -> Result<Vec<Order>, StoreError> {
        let mut query = QueryBuilder::new("select ");
        query.push(ORDER_COLUMNS).push(" from orders where status = 'delivered' and status_at >= ").push_bind(since);
        let rows: Vec<OrderRow> = query.build_query_as().persistent(false).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(Order::from).collect())
    }

    /// Orders without a courier that are promised before `before`, the earliest promise first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn unassigned_promised_before(&self, before: DateTime<Utc>) -> Result<Vec<OpenOrder>, StoreError> {
        let mut query = QueryBuilder::new(
            "select id, status, courier_id, pickup_lat, pickup_lon, dropoff_lat, dropoff_lon, promised_until \
             from orders where status = 'created' and promised_until is not null and promised_until < ",
        );
        query.push_bind(before).push(" order by promised_until limit ").push_bind(MAX_UNASSIGNED);
        let rows: Vec<OpenRow> = query.build_query_as().fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(OpenOrder::from).collect())
    }

    /// Couriers who wait at a pickup and said that the goods are not ready, those who wait longest first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn waiting_at_pickups(&self) -> Result<Vec<WaitingAtPickup>, StoreError> {
        let rows = sqlx::query!(
            r#"select o.id, o.courier_id as "courier_id!", o.pickup_lat, o.pickup_lon, o.status_at from orders o
               where o.status = 'at_pickup' and o.courier_id is not null and exists (
                   select 1 from order_events e where e.order_id = o.id and e.kind = 'not_ready'
                     and e.courier_id = o.courier_id and e.happened_at >= o.status_at)
               order by o.status_at limit $1"#,
            MAX_WAITING
        )
        .fetch_all(&self.pool)
        .await?;
        let waiting = rows.into_iter().map(|row| WaitingAtPickup {
            order: OrderId::from_uuid(row.id),
            courier: CourierId::from_uuid(row.courier_id),
            pickup: point_of(row.pickup_lat, row.pickup_lon),
            since_ms: row.status_at.timestamp_millis(),
        });
        Ok(waiting.collect())
    }

    /// Deletes exceptions that were noticed before `before` and are over.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn forget_exceptions(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query!("delete from exceptions where noticed_at < $1 and ended_at is not null", before)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// An exception that is over.
struct OverRow {
    id: Uuid,
    code: String,
    courier_id: Option<Uuid>,
    order_id: Option<Uuid>,
    since_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    late_by_s: Option<i32>,
    distance_m: Option<i32>,
}

/// What is told of exceptions that are over.
fn closed(rows: Vec<OverRow>) -> Vec<NewEvent> {
    let closed = rows.into_iter().map(|row| {
        let now = ExceptionNow {
            id: ExceptionId::from_uuid(row.id),
            code: code_of(&row.code),
            since: row.since_at,
            ended: row.ended_at,
            courier: row.courier_id.map(CourierId::from_uuid),
            order: row.order_id.map(OrderId::from_uuid),
            late_by_s: row.late_by_s,
            distance_m: row.distance_m,
        };
        NewEvent::of_exception(EventType::ExceptionClosed, &now, row.ended_at.unwrap_or(row.since_at))
    });
    closed.collect()
}

/// What is told of an exception that was noticed at `noticed_at`.
pub(super) fn opened_exception(id: Uuid, found: &Finding, noticed_at: DateTime<Utc>) -> NewEvent {
    let now = ExceptionNow {
        id: ExceptionId::from_uuid(id),
        code: found.code,
        since: from_ms(found.since_ms),
        ended: found.ended_ms.map(from_ms),
        courier: found.courier,
        order: found.order,
        late_by_s: found.late_by_s,
        distance_m: found.distance_m,
    };
    NewEvent::of_exception(EventType::ExceptionOpened, &now, noticed_at)
}

/// What is told of exceptions that are new, and of the orders that are late by them.
async fn events_of(
    connection: &mut PgConnection,
    raised: &[(Uuid, Finding)],
    noticed_at: DateTime<Utc>,
) -> Result<Vec<NewEvent>, StoreError> {
    let late = raised.iter().filter(|(_, found)| found.code == ExceptionCode::Late);
    let late: Vec<_> = late.filter_map(|(_, found)| found.order).collect();
    let mut events = outbox::late(connection, &late, noticed_at).await?;
    events.extend(raised.iter().map(|(id, found)| opened_exception(*id, found, noticed_at)));
    Ok(events)
}

/// Keeps exceptions, and returns those that are new, with what to tell of them.
pub(super) async fn insert_exceptions(
    connection: &mut PgConnection,
    found: Vec<Finding>,
    noticed_at: DateTime<Utc>,
) -> Result<(Vec<Finding>, Vec<NewEvent>), StoreError> {
    let ids: Vec<Uuid> = found.iter().map(|_| *ExceptionId::new().as_uuid()).collect();
    let codes: Vec<_> = found.iter().map(|new| new.code.as_str().to_owned()).collect();
    let subjects: Vec<_> = found.iter().map(|new| new.subject).collect();
    let couriers: Vec<_> = found.iter().map(|new| new.courier.map(|courier| *courier.as_uuid())).collect();
    let orders: Vec<_> = found.iter().map(|new| new.order.map(|order| *order.as_uuid())).collect();
    let since: Vec<_> = found.iter().map(|new| from_ms(new.since_ms)).collect();
    let ended: Vec<_> = found.iter().map(|new| new.ended_ms.map(from_ms)).collect();
    let lats: Vec<_> = found.iter().map(|new| new.place.map(|place| place.lat())).collect();
    let lons: Vec<_> = found.iter().map(|new| new.place.map(|place| place.lon())).collect();
    let late: Vec<_> = found.iter().map(|new| new.late_by_s).collect();
    let distances: Vec<_> = found.iter().map(|new| new.distance_m).collect();
    let reasons: Vec<_> = found.iter().map(|new| new.reason.map(|reason| reason.as_str().to_owned())).collect();
    let raised = sqlx::query_scalar!(
        "insert into exceptions (id, code, subject_id, courier_id, order_id, since_at, ended_at, lat, lon, \
             late_by_s, distance_m, reason, noticed_at) \
         select n.*, $13 from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], \
             $6::timestamptz[], $7::timestamptz[], $8::double precision[], $9::double precision[], $10::integer[], \
             $11::integer[], $12::text[]) \
             as n (id, code, subject_id, courier_id, order_id, since_at, ended_at, lat, lon, late_by_s, \
                 distance_m, reason) \
         where case n.code \
             when 'late' then exists (select 1 from orders o where o.id = n.order_id \
                 and o.status in ('created', 'assigned', 'at_pickup', 'picked_up', 'at_dropoff')) \
             when 'delivered_far' then exists (select 1 from orders o where o.id = n.order_id \
                 and o.status = 'delivered' and date_trunc('milliseconds', o.status_at) = n.since_at for share) \
             else true end \
         on conflict do nothing returning id",
        &ids,
        &codes,
        &subjects,
        &couriers as &[Option<Uuid>],
        &orders as &[Option<Uuid>],
        &since,
        &ended as &[Option<DateTime<Utc>>],
        &lats as &[Option<f64>],
        &lons as &[Option<f64>],
        &late as &[Option<i32>],
        &distances as &[Option<i32>],
        &reasons as &[Option<String>],
        noticed_at,
    )
    .fetch_all(&mut *connection)
    .await?;
    let raised: HashSet<Uuid> = raised.into_iter().collect();
    let new: Vec<_> = ids.into_iter().zip(found).filter(|(id, _)| raised.contains(id)).collect();
    let events = events_of(connection, &new, noticed_at).await?;
    Ok((new.into_iter().map(|(_, found)| found).collect(), events))
}

/// Ends what goes on about an order, at `at`, and returns what to tell of it. What the watch over the fleet writes at this moment is left to its next
/// round, so that neither waits for the other.
pub(super) async fn end_about_order(
    connection: &mut PgConnection,
    order: OrderId,
    codes: &[ExceptionCode],
    at: DateTime<Utc>,
) -> Result<Vec<NewEvent>, StoreError> {
    if codes.is_empty() {
        return Ok(Vec::new());
    }
    let words: Vec<String> = codes.iter().map(|code| code.as_str().to_owned()).collect();
    let rows = sqlx::query_as!(
        OverRow,
        "update exceptions set ended_at = greatest(since_at, $3) where id in ( \
             select id from exceptions where code = any($2) and subject_id = $1 and ended_at is null \
             for update skip locked) \
         returning id, code, courier_id, order_id, since_at, ended_at, late_by_s, distance_m",
        order.as_uuid(),
        &words,
        at,
    )
    .fetch_all(connection)
    .await?;
    Ok(closed(rows))
}

pub(super) fn code_of(word: &str) -> ExceptionCode {
    ExceptionCode::from_word(word).expect("the column's check allows only codes")
}
