//! Lists of orders by tab, by courier and by typed text, and their counts.
//!
//! The conditions differ from request to request, so these queries are put together at run time, from fixed pieces and
//! bound values only. Postgres plans them anew each time: which index helps depends on what is typed (`order_search`).

use chrono::{DateTime, Utc};
use doorstep_shared::{
    CourierId, OrderId, OrderStatus,
    api::console::{ACTIVE, DONE, MAX_COUNT, OrderCounts, UNASSIGNED},
};
use sqlx::{Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::{
    Store, StoreError,
    order_rows::{ORDER_COLUMNS, OpenRow, OrderRow},
    order_search::Search,
    orders::OrderCursor,
};
use crate::domain::order::{OpenOrder, Order};

/// Which orders are meant; the default means all.
#[derive(Clone, Debug, Default)]
pub struct OrderFilter {
    /// Any of these; any at all when empty.
    pub statuses: Vec<OrderStatus>,
    /// Brought by this courier.
    pub courier: Option<CourierId>,
    /// In this span of time.
    pub period: Option<Period>,
    search: Search,
}

/// A span of time in which something about an order lies.
#[derive(Clone, Copy, Debug)]
pub struct Period {
    /// What lies in it.
    pub of: Dated,
    /// Not before this.
    pub from: Option<DateTime<Utc>>,
    /// Before this.
    pub until: Option<DateTime<Utc>>,
}

/// What about an order a [`Period`] is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dated {
    /// When it was created.
    #[default]
    Created,
    /// Until when it was promised.
    Promised,
    /// When it took its status.
    Changed,
}

impl Period {
    fn push_onto(&self, query: &mut QueryBuilder<Postgres>) {
        let column = match self.of {
            Dated::Created => "created_at",
            Dated::Promised => "promised_until",
            Dated::Changed => "status_at",
        };
        if let Some(from) = self.from {
            query.push(format_args!(" and {column} >= ")).push_bind(from);
        }
        if let Some(until) = self.until {
            query.push(format_args!(" and {column} < ")).push_bind(until);
            if self.of == Dated::Changed {
                // It is created first; said so that the index by that time is read no further.
                query.push(" and created_at < ").push_bind(until);
            }
        }
    }
}

impl OrderFilter {
    /// Orders with any of these statuses.
    pub fn of(statuses: &[OrderStatus]) -> Self {
        Self { statuses: statuses.to_vec(), ..Self::default() }
    }

    /// Orders that hold every word of `text`, in any order and case.
    pub fn search(mut self, text: &str) -> Self {
        self.search = Search::of(text);
        self
    }

    fn push_onto(&self, query: &mut QueryBuilder<Postgres>) {
        if !self.statuses.is_empty() {
            query.push(" and status in (");
            let mut list = query.separated(", ");
            // Written out and not bound, so that Postgres sees that a partial index covers them.
            for status in &self.statuses {
                list.push(format_args!("'{}'", status.as_str()));
            }
            query.push(")");
        }
        if let Some(courier) = self.courier {
            query.push(" and courier_id = ").push_bind(*courier.as_uuid());
        }
        if let Some(period) = self.period {
            period.push_onto(query);
        }
        self.search.push_onto(query);
    }
}

impl Store {
    /// The newest orders first, from `after` on.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn orders_newest(
        &self,
        filter: &OrderFilter,
        after: Option<OrderCursor>,
        limit: i64,
    ) -> Result<Vec<Order>, StoreError> {
        let mut query = newest(filter, after, limit);
        let rows: Vec<OrderRow> = query.build_query_as().persistent(false).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(Order::from).collect())
    }

    /// Postgres' plan of [`Self::orders_newest`], with times.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn explain_orders_newest(&self, filter: &OrderFilter, limit: i64) -> Result<String, StoreError> {
        let mut query = QueryBuilder::new("explain (analyze, costs off) ");
        push_newest(&mut query, filter, None, limit);
        let lines = query.build().persistent(false).fetch_all(&self.pool).await?;
        let lines: Result<Vec<String>, _> = lines.iter().map(|line| line.try_get(0)).collect();
        Ok(lines?.join("\n"))
    }

    /// At most `limit` orders, the earliest promise first and orders without a promise last.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn open_orders_to_rank(&self, filter: &OrderFilter, limit: i64) -> Result<Vec<OpenOrder>, StoreError> {
        let mut query = QueryBuilder::new(
            "select id, status, courier_id, pickup_lat, pickup_lon, dropoff_lat, dropoff_lon, promised_until \
             from orders where true",
        );
        filter.push_onto(&mut query);
        query.push(" order by promised_until nulls last, id limit ").push_bind(limit);
        let rows: Vec<OpenRow> = query.build_query_as().persistent(false).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(OpenOrder::from).collect())
    }

    /// These orders, in any order. Unknown ids are left out.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn orders_by_id(&self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| *id.as_uuid()).collect();
        let mut query = QueryBuilder::new("select ");
        query.push(ORDER_COLUMNS).push(" from orders where id = any(").push_bind(ids).push(")");
        let rows: Vec<OrderRow> = query.build_query_as().fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(Order::from).collect())
    }

    /// Whether a filter finds more than `most` orders.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn has_more_orders(&self, filter: &OrderFilter, most: u32) -> Result<bool, StoreError> {
        let mut query = QueryBuilder::new("select exists(select 1 from orders where true");
        filter.push_onto(&mut query);
        query.push(" offset ").push_bind(i64::from(most)).push(" limit 1)");
        Ok(query.build_query_scalar().persistent(false).fetch_one(&self.pool).await?)
    }

    /// How many orders each tab holds; the filter's own statuses do not matter.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn count_orders(&self, filter: &OrderFilter) -> Result<OrderCounts, StoreError> {
        let mut query = QueryBuilder::new("select");
        for (index, statuses) in [&UNASSIGNED[..], &ACTIVE, &DONE].into_iter().enumerate() {
            query.push(if index == 0 { " " } else { ", " });
            query.push("(select count(*) from (select 1 from orders where true");
            OrderFilter { statuses: statuses.to_vec(), ..filter.clone() }.push_onto(&mut query);
            query.push(" limit ").push_bind(i64::from(MAX_COUNT) + 1).push(") tab)");
        }
        let (unassigned, active, done): (i64, i64, i64) =
            query.build_query_as().persistent(false).fetch_one(&self.pool).await?;
        let count = |counted| u32::try_from(counted).unwrap_or(u32::MAX);
        Ok(OrderCounts { unassigned: count(unassigned), active: count(active), done: count(done) })
    }
}

fn newest(filter: &OrderFilter, after: Option<OrderCursor>, limit: i64) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("");
    push_newest(&mut query, filter, after, limit);
    query
}

fn push_newest(query: &mut QueryBuilder<Postgres>, filter: &OrderFilter, after: Option<OrderCursor>, limit: i64) {
    query.push("select ").push(ORDER_COLUMNS).push(" from orders where true");
    filter.push_onto(query);
    if let Some(after) = after {
        query.push(" and (created_at, id) < (").push_bind(after.created_at);
        query.push(", ").push_bind(*after.id.as_uuid()).push(")");
    }
    query.push(" order by created_at desc, id desc limit ").push_bind(limit);
}
