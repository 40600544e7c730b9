//! The sources of a courier's fixes: their devices, as these date what they report.
//!
//! A source has a number among its courier's, which stands below the milliseconds of a fix's time in the database: so two
//! devices may report in one moment, a fix says where it came from, and no row is larger for it.

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{CourierId, DeviceId};

use super::{Store, StoreError};
use crate::platform::clock::from_ms;

/// Sources of one courier that may get their numbers at the same moment: each try loses against one of them at least.
const TRIES: u32 = 32;

/// A device as it dates what it reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FixSource {
    /// Whose device.
    pub courier: CourierId,
    /// The device.
    pub device: DeviceId,
    /// How far its clock is ahead of ours, in milliseconds; negative behind.
    pub clock_ahead_ms: i64,
    /// Whether it tells of the past, and not of where it is or was when it could not send.
    pub is_past: bool,
}

/// A source's number among its courier's, 1 to 999; the default is 0, for a source that has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceNumber(i16);

impl SourceNumber {
    /// The key in the database of a fix that this source dated, Unix epoch milliseconds.
    pub fn key_time(self, recorded_at_ms: i64) -> DateTime<Utc> {
        from_ms(recorded_at_ms) + TimeDelta::microseconds(i64::from(self.0))
    }
}

impl Store {
    /// The number of a source, which it gets with its first question. A courier's sources beyond 999 have none.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn fix_source(&self, source: FixSource) -> Result<SourceNumber, StoreError> {
        for _ in 0..TRIES {
            if let Some(number) = self.known_or_new_source(source).await? {
                return Ok(SourceNumber(number));
            }
        }
        tracing::warn!(courier.id = %source.courier, device.id = %source.device, "no number is left for a source of fixes");
        Ok(SourceNumber::default())
    }

    /// Forgets the sources of devices that were revoked, or went, before `before`. Their numbers may be given out again.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn forget_fix_sources(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query!(
            "delete from fix_sources s where s.created_at < $1 and not exists ( \
                 select from devices d where d.id = s.device_id and (d.revoked_at is null or d.revoked_at >= $1))",
            before
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// `None` when another request took the number meanwhile, or none is left.
    async fn known_or_new_source(&self, source: FixSource) -> Result<Option<i16>, StoreError> {
        let number = sqlx::query_scalar!(
            r#"with known as (
                   select number from fix_sources
                   where courier_id = $1 and device_id = $2 and clock_ahead_ms = $3 and is_past = $4
               ), added as (
                   insert into fix_sources (courier_id, number, device_id, clock_ahead_ms, is_past)
                   select $1, free.number, $2, $3, $4
                   from (select min(n)::smallint as number from generate_series(1, 999) as n
                         where not exists (select from fix_sources where courier_id = $1 and number = n)) as free
                   where free.number is not null and not exists (select from known)
                   on conflict do nothing
                   returning number
               )
               select number as "number!" from known union all select number from added"#,
            source.courier.as_uuid(),
            source.device.as_uuid(),
            source.clock_ahead_ms,
            source.is_past
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stays_below_the_millisecond() {
        let time = SourceNumber(999).key_time(1_795_219_200_123);
        assert_eq!((time.timestamp_millis(), time.timestamp_subsec_micros()), (1_795_219_200_123, 123_999));
        assert_eq!(SourceNumber::default().key_time(17), from_ms(17), "as before there were sources");
    }
}
