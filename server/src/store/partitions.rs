//! Makes the tables of fixes of the coming days, and drops those of days past the retention.
//!
//! The server runs this at its start and then every ten minutes. Dropping a day's table is cheaper than deleting its
//! rows.

use chrono::{DateTime, Days, NaiveDate, Utc};
use sqlx::AssertSqlSafe;

use super::{Store, StoreError};

/// How many days ahead partitions exist: a server whose task failed for two days still stores.
const DAYS_AHEAD: u64 = 3;

impl Store {
    /// Creates the partitions for every day from `retention_days` ago to three days ahead, and drops older ones.
    ///
    /// A phone may deliver fixes as old as the retention, so past days need a table too.
    /// Returns how many days were dropped.
    ///
    /// # Errors
    /// When the database is away; calling again later continues.
    pub async fn maintain_fix_partitions(&self, now: DateTime<Utc>, retention_days: u32) -> Result<u32, StoreError> {
        let today = now.date_naive();
        let oldest = today - Days::new(u64::from(retention_days));
        let mut transaction = self.pool.begin().await?;
        // Two instances may start at once; the second waits and then finds the tables there.
        sqlx::query("select pg_advisory_xact_lock(7236402)").execute(&mut *transaction).await?;
        let existing = sqlx::query_scalar!(
            r#"select c.relname as "name!" from pg_inherits i join pg_class c on c.oid = i.inhrelid
               where i.inhparent = 'fixes'::regclass"#
        )
        .fetch_all(&mut *transaction)
        .await?;
        for day in oldest.iter_days().take((u64::from(retention_days) + DAYS_AHEAD + 1) as usize) {
            let name = partition_name(day);
            if !existing.contains(&name) {
                let next = day + Days::new(1);
                // Names and bounds are made of dates only.
                let create = format!(
                    "create table {name} partition of fixes for values from ('{day} 00:00:00+00') to ('{next} 00:00:00+00')"
                );
                sqlx::query(AssertSqlSafe(create)).execute(&mut *transaction).await?;
            }
        }
        let mut dropped = 0;
        for name in existing.iter().filter(|name| day_of(name).is_some_and(|day| day < oldest)) {
            sqlx::query(AssertSqlSafe(format!("drop table {name}"))).execute(&mut *transaction).await?;
            dropped += 1;
        }
        transaction.commit().await?;
        Ok(dropped)
    }
}

fn partition_name(day: NaiveDate) -> String {
    format!("fixes_{}", day.format("%Y%m%d"))
}

fn day_of(partition: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(partition.strip_prefix("fixes_")?, "%Y%m%d").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_knows_its_day() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 21).expect("a date");
        assert_eq!(partition_name(day), "fixes_20261121");
        assert_eq!(day_of("fixes_20261121"), Some(day));
        assert_eq!(day_of("fixes_default"), None);
    }
}
