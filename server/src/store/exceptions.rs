//! What needs a dispatcher's look, and what the watch over the fleet asks the database.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{
    CourierId, ExceptionId, LatLon, OrderId, OrderStatus, UserId,
    api::exception::{ExceptionCode, ExceptionPlace, ExceptionState, ExceptionView},
    protocol::PresenceReason,
};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{
    Store, StoreError,
    order_lists::{ORDER_COLUMNS, OpenOrder, OpenRow},
    orders::{OrderRow, point_of, status_of},
};
use crate::{
    domain::{order::Order, track::silence::Reporter},
    platform::clock::from_ms,
};

/// The most orders without a courier that are looked at; those with the earliest promises.
const MAX_UNASSIGNED: i64 = 2_000;

/// Something noticed for the first time.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What is wrong.
    pub code: ExceptionCode,
    /// What it is noticed once for: the courier or the order.
    pub subject: Uuid,
    /// Whom it is about.
    pub courier: Option<CourierId>,
    /// Which order it is about, or is being served.
    pub order: Option<OrderId>,
    /// Since when, Unix epoch milliseconds.
    pub since_ms: i64,
    /// When it was over, if it is.
    pub ended_ms: Option<i64>,
    /// Where the courier is.
    pub place: Option<LatLon>,
    /// Seconds behind the promise.
    pub late_by_s: Option<i32>,
    /// Metres from where they should be.
    pub distance_m: Option<i32>,
    /// Why the courier's phone pauses.
    pub reason: Option<PresenceReason>,
}

/// Something that goes on, and what the database knows of its courier and order now.
#[derive(Clone, Debug)]
pub struct Ongoing {
    /// Its id.
    pub id: ExceptionId,
    /// What is wrong.
    pub code: ExceptionCode,
    /// What it is noticed once for.
    pub subject: Uuid,
    /// Whom it is about.
    pub courier: Option<CourierId>,
    /// Since when, Unix epoch milliseconds.
    pub since_ms: i64,
    /// Where the courier was then.
    pub place: Option<LatLon>,
    /// Seconds behind the promise.
    pub late_by_s: Option<i32>,
    /// Metres from where they should be.
    pub distance_m: Option<i32>,
    /// Why the courier's phone pauses.
    pub reason: Option<PresenceReason>,
    /// The order it is about.
    pub order_state: Option<OrderNow>,
    /// The courier has an order that is not over.
    pub courier_has_orders: bool,
    /// The courier has picked something up.
    pub courier_has_goods: bool,
    /// The courier said that they stop working.
    pub courier_is_off_duty: bool,
}

/// An order as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderNow {
    /// How far it is.
    pub status: OrderStatus,
    /// Since when, Unix epoch milliseconds.
    pub status_at_ms: i64,
    /// Who brings it.
    pub courier: Option<CourierId>,
}

/// More is known of something that goes on. What is `None` stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Of what.
    pub id: ExceptionId,
    /// Seconds behind the promise.
    pub late_by_s: Option<i32>,
    /// Metres from where they should be.
    pub distance_m: Option<i32>,
    /// Why the courier's phone pauses; this one is replaced by nothing, too.
    pub reason: Option<PresenceReason>,
}

/// Something is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// What.
    pub id: ExceptionId,
    /// When, Unix epoch milliseconds.
    pub at_ms: i64,
}

/// The last that the database heard of a courier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastHeard {
    /// When their newest fix came in, Unix epoch milliseconds.
    pub at_ms: i64,
    /// From what, judged by the device that was there last.
    pub reporter: Reporter,
}

/// Where a list of exceptions goes on: after this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExceptionCursor {
    /// Whether it was over.
    pub is_over: bool,
    /// Its code's rank.
    pub rank: u8,
    /// Since when, Unix epoch milliseconds.
    pub since_ms: i64,
    /// Its id.
    pub id: ExceptionId,
}

impl ExceptionCursor {
    /// The place of an exception in a list.
    pub fn of(view: &ExceptionView) -> Self {
        Self {
            is_over: view.ended_at.is_some(),
            rank: view.code.rank(),
            since_ms: view.since.timestamp_millis(),
            id: view.id,
        }
    }
}

impl Store {
    /// Everything that goes on.
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

    /// Keeps what was noticed at `noticed_at`, and gives back what nobody had noticed before. An order that is over
    /// by now is not late any more.
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
             where n.code <> 'late' or exists (select 1 from orders o where o.id = n.order_id \
                 and o.status in ('created', 'assigned', 'at_pickup', 'picked_up', 'at_dropoff')) \
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
        .fetch_all(&self.pool)
        .await?;
        let raised: HashSet<Uuid> = raised.into_iter().collect();
        let is_new = ids.iter().map(|id| raised.contains(id));
        Ok(found.into_iter().zip(is_new).filter(|(_, is_new)| *is_new).map(|(new, _)| new).collect())
    }

    /// Writes down what is known by now.
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

    /// Ends what is over. What somebody else ended stays as they said.
    ///
    /// # Errors
    /// When the database is away; nothing was ended then.
    pub async fn end_exceptions(&self, over: &[End]) -> Result<(), StoreError> {
        if over.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = over.iter().map(|end| *end.id.as_uuid()).collect();
        let at: Vec<_> = over.iter().map(|end| from_ms(end.at_ms)).collect();
        sqlx::query!(
            "update exceptions e set ended_at = n.at from unnest($1::uuid[], $2::timestamptz[]) as n (id, at) \
             where e.id = n.id and e.ended_at is null",
            &ids,
            &at,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The last that was heard of each of these couriers, by any instance. Who was never heard of is left out.
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

    /// Orders that nobody has and that are promised before `before`, the earliest promise first.
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

    /// Exceptions in the order of `state`, from after `after` on, with names and amounts as they are at `now`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn exceptions_page(
        &self,
        state: ExceptionState,
        after: Option<ExceptionCursor>,
        limit: i64,
        now: DateTime<Utc>,
    ) -> Result<Vec<ExceptionView>, StoreError> {
        let mut query = QueryBuilder::new(VIEW);
        match state {
            ExceptionState::Open => push_open(&mut query, after),
            ExceptionState::All => push_all(&mut query, after),
        }
        query.push(" limit ").push_bind(limit);
        let rows: Vec<ViewRow> = query.build_query_as().fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|row| row.at(now)).collect())
    }

    /// Notes that a person took care of an exception, unless somebody did before, and shows it. `None` when there is
    /// no such exception.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn acknowledge_exception(
        &self,
        id: ExceptionId,
        by: UserId,
        note: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Option<ExceptionView>, StoreError> {
        sqlx::query!(
            "update exceptions set acknowledged_at = $2, acknowledged_by = $3, note = $4 \
             where id = $1 and acknowledged_at is null",
            id.as_uuid(),
            now,
            by.as_uuid(),
            note,
        )
        .execute(&self.pool)
        .await?;
        let mut query = QueryBuilder::new(VIEW);
        query.push(" and e.id = ").push_bind(*id.as_uuid());
        let row: Option<ViewRow> = query.build_query_as().fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.at(now)))
    }

    /// Forgets what was noticed before `before` and does not go on.
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

fn code_of(word: &str) -> ExceptionCode {
    ExceptionCode::from_word(word).expect("the column's check allows only codes")
}

/// Who is late is whoever has the order now.
const VIEW: &str = "select e.id, e.code, e.since_at, e.ended_at, e.order_id, e.lat, e.lon, e.late_by_s, e.distance_m, \
         e.reason, e.acknowledged_at, e.note, u.email as acknowledged_by, c.id as courier_id, c.name as courier_name, \
         o.reference as order_reference, o.promised_until \
     from exceptions e \
     left join orders o on o.id = e.order_id \
     left join couriers c on c.id = case e.code when 'late' then o.courier_id else e.courier_id end \
     left join users u on u.id = e.acknowledged_by \
     where true";

/// The gravest code has the lowest rank.
fn push_rank(query: &mut QueryBuilder<Postgres>) {
    query.push("(case e.code");
    for code in ExceptionCode::ALL {
        query.push(format_args!(" when '{}' then {}", code.as_str(), code.rank()));
    }
    query.push(" end)");
}

fn push_open(query: &mut QueryBuilder<Postgres>, after: Option<ExceptionCursor>) {
    query.push(" and e.acknowledged_at is null");
    if let Some(after) = after {
        query.push(" and (e.ended_at is not null, ");
        push_rank(query);
        query.push(", e.since_at, e.id) > (").push_bind(after.is_over);
        query.push(", ").push_bind(i32::from(after.rank));
        query.push(", ").push_bind(from_ms(after.since_ms));
        query.push(", ").push_bind(*after.id.as_uuid()).push(")");
    }
    query.push(" order by e.ended_at is not null, ");
    push_rank(query);
    query.push(", e.since_at, e.id");
}

/// Ids sort by when they were made, and that is when something was noticed.
fn push_all(query: &mut QueryBuilder<Postgres>, after: Option<ExceptionCursor>) {
    if let Some(after) = after {
        query.push(" and e.id < ").push_bind(*after.id.as_uuid());
    }
    query.push(" order by e.id desc");
}

#[derive(sqlx::FromRow)]
struct ViewRow {
    id: Uuid,
    code: String,
    since_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    order_id: Option<Uuid>,
    lat: Option<f64>,
    lon: Option<f64>,
    late_by_s: Option<i32>,
    distance_m: Option<i32>,
    reason: Option<String>,
    acknowledged_at: Option<DateTime<Utc>>,
    note: Option<String>,
    acknowledged_by: Option<String>,
    courier_id: Option<Uuid>,
    courier_name: Option<String>,
    order_reference: Option<String>,
    promised_until: Option<DateTime<Utc>>,
}

impl ViewRow {
    fn at(self, now: DateTime<Utc>) -> ExceptionView {
        let code = code_of(&self.code);
        let until = self.ended_at.unwrap_or(now);
        let seconds = |time: TimeDelta| u32::try_from(time.num_seconds()).ok();
        let lasted_s = |wanted| (code == wanted).then(|| seconds(until - self.since_at)).flatten();
        let expected_s = self.late_by_s.and_then(|late_by_s| u32::try_from(late_by_s).ok());
        let actual_s = self.promised_until.and_then(|promised| seconds(until - promised)).filter(|late_s| *late_s > 0);
        let late_by_s = match self.ended_at {
            // Once it is over, what was expected before does not count.
            Some(_) => actual_s.or(expected_s),
            None => actual_s.max(expected_s),
        };
        ExceptionView {
            id: ExceptionId::from_uuid(self.id),
            code,
            since: self.since_at,
            ended_at: self.ended_at,
            courier_id: self.courier_id.map(CourierId::from_uuid),
            courier_name: self.courier_name,
            order_id: self.order_id.map(OrderId::from_uuid),
            order_reference: self.order_reference,
            at: self.lat.zip(self.lon).map(|(lat, lon)| ExceptionPlace { lat, lon }),
            late_by_s: late_by_s.filter(|_| code == ExceptionCode::Late),
            silent_s: lasted_s(ExceptionCode::Silent),
            stationary_s: lasted_s(ExceptionCode::Stationary),
            distance_m: self.distance_m.and_then(|distance_m| u32::try_from(distance_m).ok()),
            reason: self.reason.as_deref().and_then(PresenceReason::from_word),
            acknowledged_at: self.acknowledged_at,
            acknowledged_by: self.acknowledged_by,
            note: self.note,
        }
    }
}
