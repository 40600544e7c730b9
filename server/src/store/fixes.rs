//! Reads stored fixes. Writing is [`super::fix_writer`]'s.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, Fix, RawFix};

use super::{Store, StoreError};

struct FixRow {
    fixed_at: DateTime<Utc>,
    lat: f64,
    lon: f64,
    accuracy_m: Option<f32>,
    speed_mps: Option<f32>,
    heading_deg: Option<f32>,
    altitude_m: Option<f32>,
    battery: Option<f32>,
}

/// A fix with its key among its courier's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoredFix {
    /// The reading.
    pub fix: Fix,
    /// Its time with the number of its source below the milliseconds.
    key_time: DateTime<Utc>,
}

impl StoredFix {
    /// Where a list goes on behind it, Unix epoch microseconds.
    pub fn next_us(&self) -> i64 {
        self.key_time.timestamp_micros() + 1
    }
}

impl From<FixRow> for StoredFix {
    fn from(row: FixRow) -> Self {
        Self { key_time: row.fixed_at, fix: row.into() }
    }
}

impl From<FixRow> for Fix {
    fn from(row: FixRow) -> Self {
        let raw = RawFix {
            time_ms: row.fixed_at.timestamp_millis(),
            lat: row.lat,
            lon: row.lon,
            accuracy_m: row.accuracy_m,
            speed_mps: row.speed_mps,
            heading_deg: row.heading_deg,
            altitude_m: row.altitude_m,
            battery: row.battery,
        };
        Self::try_new(&raw).expect("the columns' checks allow only usable fixes")
    }
}

impl Store {
    /// A courier's fixes recorded in `[from, until)`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn fixes_between(
        &self,
        courier: CourierId,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<Fix>, StoreError> {
        let stored = self.stored_fixes_between(courier, from, until, limit).await?;
        Ok(stored.into_iter().map(|stored| stored.fix).collect())
    }

    /// The same for a list that goes on: several devices of a courier may have fixes of one moment.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn stored_fixes_between(
        &self,
        courier: CourierId,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<StoredFix>, StoreError> {
        let rows = sqlx::query_as!(
            FixRow,
            "select fixed_at, lat, lon, accuracy_m, speed_mps, heading_deg, altitude_m, battery from fixes \
             where courier_id = $1 and fixed_at >= $2 and fixed_at < $3 order by fixed_at limit $4",
            courier.as_uuid(),
            from,
            until,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(StoredFix::from).collect())
    }

    /// The newest `limit` fixes of each courier since their own time, oldest first, without what was told of the past.
    /// Couriers without one are left out.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn newest_fixes_of_each(
        &self,
        since: &[(CourierId, DateTime<Utc>)],
        limit: i64,
    ) -> Result<HashMap<CourierId, Vec<Fix>>, StoreError> {
        let (ids, from): (Vec<_>, Vec<_>) = since.iter().map(|(courier, from)| (*courier.as_uuid(), *from)).unzip();
        let rows = sqlx::query!(
            r#"select c.id as "courier_id!", f.fixed_at, f.lat, f.lon, f.accuracy_m, f.speed_mps, f.heading_deg,
                   f.altitude_m, f.battery
               from unnest($1::uuid[], $2::timestamptz[]) as c (id, since)
               cross join lateral (
                   select coalesce(array_agg(s.number), '{}') as numbers from fix_sources s
                   where s.courier_id = c.id and s.is_past
               ) past
               cross join lateral (
                   select * from fixes where courier_id = c.id and fixed_at >= c.since
                     and (extract(microseconds from fixed_at)::integer % 1000)::smallint <> all (past.numbers)
                   order by fixed_at desc limit $3
               ) f
               order by f.fixed_at"#,
            &ids,
            &from,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        let mut of_each: HashMap<CourierId, Vec<Fix>> = HashMap::new();
        for row in rows {
            let columns = FixRow {
                fixed_at: row.fixed_at,
                lat: row.lat,
                lon: row.lon,
                accuracy_m: row.accuracy_m,
                speed_mps: row.speed_mps,
                heading_deg: row.heading_deg,
                altitude_m: row.altitude_m,
                battery: row.battery,
            };
            of_each.entry(CourierId::from_uuid(row.courier_id)).or_default().push(columns.into());
        }
        Ok(of_each)
    }

    /// Where each of these couriers was last, if they ever were anywhere.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn newest_fix_of_each(&self, couriers: &[CourierId]) -> Result<HashMap<CourierId, Fix>, StoreError> {
        let since: Vec<_> = couriers.iter().map(|courier| (*courier, DateTime::UNIX_EPOCH)).collect();
        let of_each = self.newest_fixes_of_each(&since, 1).await?;
        Ok(of_each.into_iter().filter_map(|(courier, mut fixes)| Some((courier, fixes.pop()?))).collect())
    }
}
