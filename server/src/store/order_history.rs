//! What happened to orders: the history for dispatchers, the steps for customers, and what a change must know of it.
//!
//! Events are written by [`super::order_changes`] and never changed; an order's events are kept as long as the order.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{
    CourierId, OrderId, OrderStatus,
    api::{OrderEventView, change::OrderEventKind},
};
use uuid::Uuid;

use super::{Store, StoreError, order_changes::OrderChange, order_rows::status_of};
use crate::domain::order::Actor;

/// The newest lines of a history that are shown. An order has about ten; only a program that edits it again and again
/// makes more than this.
const MAX_LINES: i64 = 1_000;

/// A report that is sent again carries the time of the first; the database keeps microseconds of it.
const SAME_TIME: TimeDelta = TimeDelta::milliseconds(1);

/// The newest change of an order, for a caller who had not seen it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastChange {
    /// What was done.
    pub kind: OrderEventKind,
    /// When.
    pub at: DateTime<Utc>,
    /// Who did it: a person's e-mail, a key's or a courier's name.
    pub by: Option<String>,
    /// The courier who has the order now.
    pub courier_name: Option<String>,
}

struct EventRow {
    kind: String,
    status: String,
    happened_at: DateTime<Utc>,
    note: Option<String>,
    actor: String,
    actor_name: Option<String>,
    courier_id: Option<Uuid>,
    courier_name: Option<String>,
    changes: Option<String>,
}

impl From<EventRow> for OrderEventView {
    fn from(row: EventRow) -> Self {
        Self {
            kind: kind_of(&row.kind),
            status: status_of(&row.status),
            at: row.happened_at,
            note: row.note,
            actor: Some(row.actor),
            actor_name: row.actor_name,
            courier_id: row.courier_id.map(CourierId::from_uuid),
            courier_name: row.courier_name,
            changes: row.changes.and_then(|changes| serde_json::from_str(&changes).ok()),
        }
    }
}

fn kind_of(word: &str) -> OrderEventKind {
    OrderEventKind::from_word(word).expect("the column's check allows only kinds")
}

impl Store {
    /// What happened to an order, oldest first, with the names of those who did it: its newest thousand events.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn order_timeline(&self, id: OrderId) -> Result<Vec<OrderEventView>, StoreError> {
        let mut rows = sqlx::query_as!(
            EventRow,
            r#"select e.kind, e.status, e.happened_at, e.note, e.actor,
                   coalesce(u.email, k.name, a.name) as actor_name, e.courier_id,
                   c.name as "courier_name?", e.changes::text as changes
               from order_events e
               left join couriers c on c.id = e.courier_id
               left join users u on u.id = case when e.actor like 'user:%' then substr(e.actor, 6)::uuid end
               left join api_keys k on k.id = case when e.actor like 'key:%' then substr(e.actor, 5)::uuid end
               left join couriers a on a.id = case when e.actor like 'courier:%' then substr(e.actor, 9)::uuid end
               where e.order_id = $1 order by e.id desc limit $2"#,
            id.as_uuid(),
            MAX_LINES,
        )
        .fetch_all(&self.pool)
        .await?;
        rows.reverse();
        Ok(rows.into_iter().map(OrderEventView::from).collect())
    }

    /// The steps that each of these orders took, oldest first, without those who took them: enough for its customer. They
    /// have the remark of a status, which is meant for the customer, and no reason that is meant for dispatch.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn order_steps(&self, ids: &[OrderId]) -> Result<HashMap<OrderId, Vec<OrderEventView>>, StoreError> {
        let ids: Vec<_> = ids.iter().map(|id| *id.as_uuid()).collect();
        let rows = sqlx::query!(
            "select order_id, kind, status, happened_at, case when kind = 'status' then note end as note \
             from order_events \
             where order_id = any($1) and kind not in ('edited', 'late_report', 'goods_returned') order by id",
            &ids
        )
        .fetch_all(&self.pool)
        .await?;
        let mut of_each: HashMap<_, Vec<_>> = HashMap::new();
        for row in rows {
            let step = OrderEventView {
                kind: kind_of(&row.kind),
                status: status_of(&row.status),
                at: row.happened_at,
                note: row.note,
                actor: None,
                actor_name: None,
                courier_id: None,
                courier_name: None,
                changes: None,
            };
            of_each.entry(OrderId::from_uuid(row.order_id)).or_default().push(step);
        }
        Ok(of_each)
    }
}

impl OrderChange {
    /// The order's newest change.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn last_change(&mut self) -> Result<Option<LastChange>, StoreError> {
        let row = sqlx::query!(
            r#"select e.kind, e.happened_at, coalesce(u.email, k.name, a.name) as by, c.name as "courier_name?"
               from order_events e
               join orders o on o.id = e.order_id
               left join couriers c on c.id = o.courier_id
               left join users u on u.id = case when e.actor like 'user:%' then substr(e.actor, 6)::uuid end
               left join api_keys k on k.id = case when e.actor like 'key:%' then substr(e.actor, 5)::uuid end
               left join couriers a on a.id = case when e.actor like 'courier:%' then substr(e.actor, 9)::uuid end
               where e.order_id = $1 and e.kind <> 'late_report' order by e.id desc limit 1"#,
            self.order.id.as_uuid()
        )
        .fetch_optional(&mut *self.transaction)
        .await?;
        Ok(row.map(|row| LastChange {
            kind: kind_of(&row.kind),
            at: row.happened_at,
            by: row.by,
            courier_name: row.courier_name,
        }))
    }

    /// The name of the courier who has the order now.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn courier_name(&mut self) -> Result<Option<String>, StoreError> {
        let Some(courier) = self.order.courier_id else { return Ok(None) };
        let name = sqlx::query_scalar!("select name from couriers where id = $1", courier.as_uuid())
            .fetch_optional(&mut *self.transaction)
            .await?;
        Ok(name)
    }

    /// Whether the order has a courier who still works here.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn courier_works(&mut self) -> Result<bool, StoreError> {
        let works = sqlx::query_scalar!(
            r#"select archived_at is null as "works!" from couriers where id = $1"#,
            self.order.courier_id.map(|courier| *courier.as_uuid())
        )
        .fetch_optional(&mut *self.transaction)
        .await?;
        Ok(works.unwrap_or(false))
    }

    /// Whether a courier reported that they brought the cancelled order's goods back.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn knows_goods_returned(&mut self, courier: CourierId) -> Result<bool, StoreError> {
        let known = sqlx::query_scalar!(
            r#"select exists (select 1 from order_events where order_id = $1 and kind = 'goods_returned'
                   and actor = $2) as "known!""#,
            self.order.id.as_uuid(),
            Actor::Courier(courier).to_string(),
        )
        .fetch_one(&mut *self.transaction)
        .await?;
        Ok(known)
    }

    /// The kind and status of the newest thousand events, oldest first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn history(&mut self) -> Result<Vec<(OrderEventKind, OrderStatus)>, StoreError> {
        let rows = sqlx::query!(
            "select kind, status from order_events where order_id = $1 order by id desc limit $2",
            self.order.id.as_uuid(),
            MAX_LINES,
        )
        .fetch_all(&mut *self.transaction)
        .await?;
        Ok(rows.into_iter().rev().map(|row| (kind_of(&row.kind), status_of(&row.status))).collect())
    }

    /// Whether a courier has, or had, the order. Events from before they named couriers tell it by what the courier
    /// reported.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn was_with(&mut self, courier: CourierId) -> Result<bool, StoreError> {
        let was = sqlx::query_scalar!(
            r#"select exists (select 1 from order_events where order_id = $1 and (courier_id = $2 or actor = $3)) as "was!""#,
            self.order.id.as_uuid(),
            courier.as_uuid(),
            Actor::Courier(courier).to_string(),
        )
        .fetch_one(&mut *self.transaction)
        .await?;
        Ok(was)
    }

    /// Whether a courier reported this before: the very report is sent again, or one like it came since the present
    /// attempt began.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn knows_report(
        &mut self,
        courier: CourierId,
        status: OrderStatus,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let known = sqlx::query_scalar!(
            r#"select exists (
                   select 1 from order_events where order_id = $1 and actor = $2 and status = $3
                     and kind in ('status', 'not_ready', 'late_report')
                     and (happened_at between $4 and $5 or id > coalesce((select max(id) from order_events
                         where order_id = $1 and kind in ('attempt', 'reopened')), 0))
               ) as "known!""#,
            self.order.id.as_uuid(),
            Actor::Courier(courier).to_string(),
            status.as_str(),
            at - SAME_TIME,
            at + SAME_TIME,
        )
        .fetch_one(&mut *self.transaction)
        .await?;
        Ok(known)
    }

    /// What last decided whether a courier has the order: who got it, had it taken away or gave it back.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn last_of_courier(&mut self, courier: CourierId) -> Result<Option<OrderEventKind>, StoreError> {
        let kind = sqlx::query_scalar!(
            "select kind from order_events where order_id = $1 and courier_id = $2 \
               and kind in ('assigned', 'attempt', 'unassigned', 'given_back', 'reopened') order by id desc limit 1",
            self.order.id.as_uuid(),
            courier.as_uuid(),
        )
        .fetch_optional(&mut *self.transaction)
        .await?;
        Ok(kind.as_deref().map(kind_of))
    }

    /// Whether the order's courier said since they are at the pickup that the goods are not ready.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn is_known_not_ready(&mut self) -> Result<bool, StoreError> {
        let known = sqlx::query_scalar!(
            r#"select exists (select 1 from order_events where order_id = $1 and kind = 'not_ready'
                   and courier_id = $2 and happened_at >= $3) as "known!""#,
            self.order.id.as_uuid(),
            self.order.courier_id.map(|courier| *courier.as_uuid()),
            self.order.status_at,
        )
        .fetch_one(&mut *self.transaction)
        .await?;
        Ok(known)
    }
}
