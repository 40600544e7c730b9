//! What was rejected of devices' reports, and what is believed of their clocks.

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, DeviceId};

use super::{Store, StoreError};
use crate::domain::exception::{RejectedDevice, of_rejection};

/// Reports in a row that must all have been rejected before a device counts as one that is rejected.
const MIN_IN_A_ROW: i32 = 3;

/// The most devices that are named at once.
const MAX_REJECTED: i64 = 1_000;

/// What came of a device's reports since it was last written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceRejections {
    /// The device.
    pub device: DeviceId,
    /// Points that were rejected.
    pub points: i64,
    /// The code of the last one, and when it came.
    pub last: Option<(&'static str, DateTime<Utc>)>,
    /// Whether a report was taken, which ended the rejections before it.
    pub was_taken: bool,
    /// Reports in a row, up to the last, that were rejected as a whole; after one that was taken, if one was.
    pub in_a_row: i32,
    /// When the first of those came.
    pub since: Option<DateTime<Utc>>,
}

impl Store {
    /// Writes down what came of devices' reports.
    ///
    /// # Errors
    /// When the database is away; nothing was written then.
    pub async fn note_rejections(&self, noted: &[DeviceRejections]) -> Result<(), StoreError> {
        if noted.is_empty() {
            return Ok(());
        }
        let devices: Vec<_> = noted.iter().map(|one| *one.device.as_uuid()).collect();
        let points: Vec<_> = noted.iter().map(|one| one.points).collect();
        let codes: Vec<_> = noted.iter().map(|one| one.last.map(|(code, _)| code.to_owned())).collect();
        let at: Vec<_> = noted.iter().map(|one| one.last.map(|(_, at)| at)).collect();
        let taken: Vec<_> = noted.iter().map(|one| one.was_taken).collect();
        let in_a_row: Vec<_> = noted.iter().map(|one| one.in_a_row).collect();
        let since: Vec<_> = noted.iter().map(|one| one.since).collect();
        sqlx::query!(
            "update devices d set rejected_count = d.rejected_count + n.points, \
                 last_rejection = coalesce(n.code, d.last_rejection), \
                 last_rejected_at = greatest(d.last_rejected_at, n.at), \
                 rejected_in_a_row = case when n.taken then 0 else d.rejected_in_a_row end + n.in_a_row, \
                 rejected_since = case when n.taken then n.since else coalesce(d.rejected_since, n.since) end \
             from unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[], $5::boolean[], $6::integer[], \
                 $7::timestamptz[]) as n (id, points, code, at, taken, in_a_row, since) \
             where d.id = n.id",
            &devices,
            &points,
            &codes as &[Option<String>],
            &at as &[Option<DateTime<Utc>>],
            &taken,
            &in_a_row,
            &since as &[Option<DateTime<Utc>>],
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The devices that may report and of which several reports in a row were rejected, the last one after `after`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn rejected_devices(&self, after: DateTime<Utc>) -> Result<Vec<RejectedDevice>, StoreError> {
        let rows = sqlx::query!(
            r#"select d.id, d.label, d.courier_id, d.last_rejection as "code!", d.rejected_since as "since!"
               from devices d join couriers c on c.id = d.courier_id
               where d.rejected_since is not null and d.rejected_in_a_row >= $2 and d.last_rejected_at > $1
                 and d.last_rejection is not null and d.revoked_at is null and c.archived_at is null
               order by d.rejected_since limit $3"#,
            after,
            MIN_IN_A_ROW,
            MAX_REJECTED
        )
        .fetch_all(&self.pool)
        .await?;
        let devices = rows.into_iter().map(|row| RejectedDevice {
            device: DeviceId::from_uuid(row.id),
            label: row.label,
            courier: CourierId::from_uuid(row.courier_id),
            code: of_rejection(&row.code),
            since_ms: row.since.timestamp_millis(),
        });
        Ok(devices.collect())
    }

    /// Keeps how far a device's clock is ahead of ours, in milliseconds.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn set_device_clock(&self, device: DeviceId, ahead_ms: i64) -> Result<(), StoreError> {
        sqlx::query!("update devices set clock_ahead_ms = $2 where id = $1", device.as_uuid(), ahead_ms)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
