//! How good the told arrivals were, for people and for metrics, and which pickups were learned of.

use chrono::{DateTime, Utc};
use doorstep_shared::{LatLon, api::arrival::ArrivalScore};
use sqlx::{AssertSqlSafe, FromRow};

use super::{Store, StoreError, order_rows::point_of};
use crate::domain::arrival::GroupBy;

/// The most groups of an answer: more pickups than anybody reads.
const MOST_GROUPS: i64 = 500;

/// Deliveries that are looked through for pickups, the newest.
const MOST_LESSONS: i64 = 10_000;

/// A pickup with the number of its deliveries among the newest ones.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedPickup {
    /// Its address.
    pub address: String,
    /// Where it is.
    pub point: LatLon,
    /// How many deliveries.
    pub n: u64,
}

#[derive(FromRow)]
struct PickupRow {
    address: String,
    lat: f64,
    lon: f64,
    n: i64,
}

#[derive(FromRow)]
struct Row {
    group: String,
    name: Option<String>,
    n: i64,
    inside: f64,
    early: f64,
    late: f64,
    width_s: f64,
    bias_s: f64,
    mae_s: f64,
    interval_score_s: f64,
}

/// The expression that tells groups apart, and the one for what people call them.
const fn expressions(by: GroupBy) -> (&'static str, &'static str) {
    match by {
        GroupBy::Horizon => ("s.horizon_min::text", "null::text"),
        GroupBy::Vehicle => ("s.vehicle", "null::text"),
        GroupBy::Pickup => ("s.pickup", "null::text"),
        GroupBy::Courier => ("s.courier_id::text", "max(c.name)"),
    }
}

impl Store {
    /// Scores of the arrivals in `[from, until)`, those with most arrivals first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn arrival_scores(
        &self,
        by: GroupBy,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<ArrivalScore>, StoreError> {
        let (group, name) = expressions(by);
        // A range that misses costs ten times the distance to it: the interval score of an 80 % range.
        let query = format!(
            "select {group} as \"group\", {name} as name, count(*) as n, \
                 avg((s.arrived_at between s.earliest_at and s.latest_at)::integer)::double precision as inside, \
                 avg((s.arrived_at < s.earliest_at)::integer)::double precision as early, \
                 avg((s.arrived_at > s.latest_at)::integer)::double precision as late, \
                 avg(extract(epoch from s.latest_at - s.earliest_at))::double precision as width_s, \
                 avg(extract(epoch from s.arrived_at - s.expected_at))::double precision as bias_s, \
                 avg(abs(extract(epoch from s.arrived_at - s.expected_at)))::double precision as mae_s, \
                 avg(extract(epoch from s.latest_at - s.earliest_at) \
                     + 10 * greatest(extract(epoch from s.earliest_at - s.arrived_at), \
                         extract(epoch from s.arrived_at - s.latest_at), 0))::double precision as interval_score_s \
             from arrival_scores s left join couriers c on c.id = s.courier_id \
             where s.arrived_at >= $1 and s.arrived_at < $2 \
             group by {group} order by n desc, {group} limit $3"
        );
        let rows: Vec<Row> =
            sqlx::query_as(AssertSqlSafe(query)).bind(from).bind(until).bind(MOST_GROUPS).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(ArrivalScore::from).collect())
    }

    /// The pickups of the newest deliveries that were learned from, those with most deliveries first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn learned_pickups(&self) -> Result<Vec<LearnedPickup>, StoreError> {
        let rows: Vec<PickupRow> = sqlx::query_as(
            "select o.pickup_address as address, o.pickup_lat as lat, o.pickup_lon as lon, count(*) as n \
             from (select order_id from arrival_lessons order by learned_at desc limit $1) l \
             join orders o on o.id = l.order_id \
             group by o.pickup_address, o.pickup_lat, o.pickup_lon order by n desc, address limit $2",
        )
        .bind(MOST_LESSONS)
        .bind(MOST_GROUPS)
        .fetch_all(&self.pool)
        .await?;
        let pickups = rows.into_iter().map(|PickupRow { address, lat, lon, n }| LearnedPickup {
            address,
            point: point_of(lat, lon),
            n: n.unsigned_abs(),
        });
        Ok(pickups.collect())
    }
}

impl From<Row> for ArrivalScore {
    fn from(row: Row) -> Self {
        Self {
            group: row.group,
            name: row.name,
            n: row.n.unsigned_abs(),
            inside: row.inside,
            early: row.early,
            late: row.late,
            width_s: row.width_s,
            bias_s: row.bias_s,
            mae_s: row.mae_s,
            interval_score_s: row.interval_score_s,
        }
    }
}
