//! What customers were told of arrivals, and the deliveries that the estimator learns from.
//!
//! A delivery is learned once, whichever instance does it: the row of `arrival_lessons` decides. Every instance reads the
//! same rows, [`crate::service::arrival::learner`] does so. The scores that people read are [`super::arrival_scores`].

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use doorstep_arrival::score::{Scored, Situation, Told};
use doorstep_shared::{CourierId, OrderId};
use sqlx::{FromRow, types::Json};
use uuid::Uuid;

use super::{Store, StoreError};
use crate::{
    domain::{
        arrival::{Finished, Lesson, ToldOrder},
        order::Order,
    },
    platform::clock::from_ms,
};

/// The most deliveries that a fresh server learns from: some months of a small fleet, weeks of a large one.
const MOST_LESSONS: i64 = 20_000;

/// The columns of a told range, in the tables that have one.
#[derive(FromRow)]
struct ToldRow {
    told_at: DateTime<Utc>,
    earliest_at: DateTime<Utc>,
    expected_at: DateTime<Utc>,
    latest_at: DateTime<Utc>,
    forecast_at: DateTime<Utc>,
    scale_s: f64,
    situation: String,
}

impl From<ToldRow> for Told {
    fn from(row: ToldRow) -> Self {
        Self {
            at_ms: row.told_at.timestamp_millis(),
            earliest_ms: row.earliest_at.timestamp_millis(),
            expected_ms: row.expected_at.timestamp_millis(),
            latest_ms: row.latest_at.timestamp_millis(),
            forecast_ms: row.forecast_at.timestamp_millis(),
            scale_s: row.scale_s,
            situation: Situation::from_word(&row.situation).expect("the column's check allows only situations"),
        }
    }
}

#[derive(FromRow)]
struct FinishedRow {
    order_id: Uuid,
    courier_id: Uuid,
    vehicle: String,
    at_pickup: Option<DateTime<Utc>>,
    picked_up: Option<DateTime<Utc>>,
    at_dropoff: Option<DateTime<Utc>>,
    delivered: DateTime<Utc>,
}

#[derive(FromRow)]
struct LessonRow {
    order_id: Uuid,
    attempt: i32,
    learned_at: DateTime<Utc>,
    seen: Json<serde_json::Value>,
}

#[derive(FromRow)]
struct ScoreRow {
    order_id: Uuid,
    attempt: i32,
    horizon_min: i32,
    arrived_at: DateTime<Utc>,
    #[sqlx(flatten)]
    told: ToldRow,
}

impl Store {
    /// Keeps ranges that customers were told. A range that is known already stays.
    ///
    /// # Errors
    /// When the database is away; none was kept then.
    pub async fn keep_told(&self, told: &[ToldOrder]) -> Result<(), StoreError> {
        let at = |ms: fn(&Told) -> i64| told.iter().map(|told| from_ms(ms(&told.told))).collect::<Vec<_>>();
        sqlx::query(
            "insert into arrival_told (order_id, attempt, told_at, earliest_at, expected_at, latest_at, forecast_at, \
                 scale_s, situation) \
             select * from unnest($1::uuid[], $2::integer[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], \
                 $6::timestamptz[], $7::timestamptz[], $8::double precision[], $9::text[]) \
             on conflict do nothing",
        )
        .bind(told.iter().map(|told| *told.order.as_uuid()).collect::<Vec<_>>())
        .bind(told.iter().map(|told| told.attempt as i32).collect::<Vec<_>>())
        .bind(at(|told| told.at_ms))
        .bind(at(|told| told.earliest_ms))
        .bind(at(|told| told.expected_ms))
        .bind(at(|told| told.latest_ms))
        .bind(at(|told| told.forecast_ms))
        .bind(told.iter().map(|told| told.told.scale_s).collect::<Vec<_>>())
        .bind(told.iter().map(|told| told.told.situation.as_str().to_owned()).collect::<Vec<_>>())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// What the customer of an order was told during an attempt, in the order of time.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn told(&self, order: OrderId, attempt: u32) -> Result<Vec<Told>, StoreError> {
        let rows: Vec<ToldRow> = sqlx::query_as(
            "select told_at, earliest_at, expected_at, latest_at, forecast_at, scale_s, situation \
             from arrival_told where order_id = $1 and attempt = $2 order by told_at",
        )
        .bind(order.as_uuid())
        .bind(attempt as i32)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Told::from).collect())
    }

    /// Deliveries reported in `[from, until)` of which nothing was learned yet, at most `limit`. Those that somebody at
    /// the console reported are left out: nobody knows when they were.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn finished_unlearned(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<Finished>, StoreError> {
        let rows: Vec<FinishedRow> = sqlx::query_as(
            "select o.id as order_id, o.courier_id, c.vehicle, d.happened_at as delivered, \
                 max(s.happened_at) filter (where s.status = 'at_pickup') as at_pickup, \
                 max(s.happened_at) filter (where s.status = 'picked_up') as picked_up, \
                 max(s.happened_at) filter (where s.status = 'at_dropoff') as at_dropoff \
             from order_events d \
             join orders o on o.id = d.order_id and o.status = 'delivered' \
             join couriers c on c.id = o.courier_id \
             left join order_events s on s.order_id = o.id and s.kind = 'status' \
                 and s.happened_at >= o.assigned_at and s.happened_at <= d.happened_at \
             where d.status = 'delivered' and d.kind = 'status' and d.happened_at >= $1 and d.happened_at < $2 \
                 and d.actor not like 'user:%' \
                 and not exists (select 1 from arrival_lessons l where l.order_id = o.id and l.attempt = o.attempt) \
             group by o.id, o.courier_id, c.vehicle, d.happened_at order by d.happened_at limit $3",
        )
        .bind(from)
        .bind(until)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        let ids: Vec<_> = rows.iter().map(|row| OrderId::from_uuid(row.order_id)).collect();
        let orders = self.orders(&ids).await?;
        Ok(rows.into_iter().filter_map(|row| finished(row, &orders)).collect())
    }

    /// Whether a courier worked on another order between two moments.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn served_others(
        &self,
        (courier, order): (CourierId, OrderId),
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let served = sqlx::query_scalar(
            "select exists (select 1 from orders o join order_events e on e.order_id = o.id \
             where o.courier_id = $1 and o.id <> $2 and o.status_at >= $3 \
                 and e.happened_at > $3 and e.happened_at < $4 \
                 and e.status in ('at_pickup', 'picked_up', 'at_dropoff', 'delivered') and e.kind = 'status')",
        )
        .bind(courier.as_uuid())
        .bind(order.as_uuid())
        .bind(from)
        .bind(until)
        .fetch_one(&self.pool)
        .await?;
        Ok(served)
    }

    /// Keeps what a delivery taught. Says whether this instance was the first to do so.
    ///
    /// # Errors
    /// When the database is away; nothing was kept then.
    pub async fn keep_lesson(&self, finished: &Finished, lesson: &Lesson) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let seen = serde_json::to_value(&lesson.seen).unwrap_or_default();
        let is_first = sqlx::query(
            "insert into arrival_lessons (order_id, attempt, seen) values ($1, $2, $3) on conflict do nothing",
        )
        .bind(lesson.order.as_uuid())
        .bind(lesson.attempt as i32)
        .bind(Json(seen))
        .execute(&mut *transaction)
        .await?
        .rows_affected()
            > 0;
        if is_first {
            for scored in &lesson.scored {
                insert_score(&mut transaction, finished, scored).await?;
            }
        }
        transaction.commit().await?;
        Ok(is_first)
    }

    /// Lessons since a moment of the database's clock, with that moment for each; the newest when there are too many.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn lessons_since(&self, since: DateTime<Utc>) -> Result<Vec<(DateTime<Utc>, Lesson)>, StoreError> {
        let rows: Vec<LessonRow> = sqlx::query_as(
            "select order_id, attempt, learned_at, seen from arrival_lessons \
             where learned_at >= $1 order by learned_at desc limit $2",
        )
        .bind(since)
        .bind(MOST_LESSONS)
        .fetch_all(&self.pool)
        .await?;
        let mut scores = self.scores_of(&rows).await?;
        let lessons = rows.into_iter().map(|row| {
            let key = (row.order_id, row.attempt);
            let lesson = Lesson {
                order: OrderId::from_uuid(row.order_id),
                attempt: row.attempt as u32,
                // What another version saw and this one does not know teaches this one nothing.
                seen: serde_json::from_value(row.seen.0).unwrap_or_default(),
                scored: scores.remove(&key).unwrap_or_default(),
            };
            (row.learned_at, lesson)
        });
        Ok(lessons.collect())
    }

    async fn scores_of(&self, lessons: &[LessonRow]) -> Result<HashMap<(Uuid, i32), Vec<Scored>>, StoreError> {
        let ids: Vec<_> = lessons.iter().map(|row| row.order_id).collect();
        let rows: Vec<ScoreRow> = sqlx::query_as(
            "select order_id, attempt, horizon_min, arrived_at, told_at, earliest_at, expected_at, latest_at, forecast_at, \
                 scale_s, situation \
             from arrival_scores where order_id = any($1)",
        )
        .bind(&ids)
        .fetch_all(&self.pool)
        .await?;
        let mut scores = HashMap::<_, Vec<Scored>>::new();
        for row in rows {
            scores.entry((row.order_id, row.attempt)).or_default().push(Scored {
                horizon_min: row.horizon_min as u32,
                told: row.told.into(),
                arrived_ms: row.arrived_at.timestamp_millis(),
            });
        }
        Ok(scores)
    }

    /// Forgets told ranges from before `told_before`, and lessons and scores from before `kept_from`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn forget_arrivals(
        &self,
        told_before: DateTime<Utc>,
        kept_from: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query("delete from arrival_told where told_at < $1").bind(told_before).execute(&self.pool).await?;
        sqlx::query("delete from arrival_lessons where learned_at < $1").bind(kept_from).execute(&self.pool).await?;
        sqlx::query("delete from arrival_scores where arrived_at < $1").bind(kept_from).execute(&self.pool).await?;
        Ok(())
    }
}

fn finished(row: FinishedRow, orders: &[Order]) -> Option<Finished> {
    let order = orders.iter().find(|order| *order.id.as_uuid() == row.order_id)?;
    Some(Finished {
        order: order.clone(),
        courier: CourierId::from_uuid(row.courier_id),
        vehicle: row.vehicle.parse().expect("the column's check allows only vehicles"),
        at_pickup: row.at_pickup,
        picked_up: row.picked_up,
        at_dropoff: row.at_dropoff,
        delivered: row.delivered,
    })
}

async fn insert_score(
    connection: &mut sqlx::PgConnection,
    finished: &Finished,
    scored: &Scored,
) -> Result<(), StoreError> {
    let told = scored.told;
    sqlx::query(
        "insert into arrival_scores (order_id, attempt, horizon_min, courier_id, vehicle, pickup, arrived_at, told_at, \
             earliest_at, expected_at, latest_at, forecast_at, scale_s, situation) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict do nothing",
    )
    .bind(finished.order.id.as_uuid())
    .bind(finished.order.attempt as i32)
    .bind(scored.horizon_min as i32)
    .bind(finished.courier.as_uuid())
    .bind(finished.vehicle.as_str())
    .bind(&finished.order.pickup.address)
    .bind(from_ms(scored.arrived_ms))
    .bind(from_ms(told.at_ms))
    .bind(from_ms(told.earliest_ms))
    .bind(from_ms(told.expected_ms))
    .bind(from_ms(told.latest_ms))
    .bind(from_ms(told.forecast_ms))
    .bind(told.scale_s)
    .bind(told.situation.as_str())
    .execute(connection)
    .await?;
    Ok(())
}
