//! Archives couriers who work here no longer, and restores them.
//!
//! Archiving takes the lock on the courier's plan, as every assignment does: a courier is never archived while an order
//! on its way to them is committed. [`crate::service::devices`] calls this and closes what the devices have open.

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, DeviceId};
use sqlx::PgConnection;

use super::{Store, StoreError, plans::lock_plans};

/// What became of archiving a courier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Archiving {
    /// They are archived; these devices could report until now.
    Archived(Vec<RevokedDevice>),
    /// They have this many orders that are open or whose goods are on board. Nothing was changed.
    HasOpenOrders(u32),
}

/// A device that was revoked with its courier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevokedDevice {
    /// The device.
    pub device: DeviceId,
    /// Whether it ever reported, as far as was written down.
    pub was_seen: bool,
}

impl Store {
    /// Archives a courier: no order can be assigned to them, and their devices, sessions and sign-in links stop
    /// working. Repeating it changes nothing. `None` when there is no such courier.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn archive_courier(
        &self,
        courier: CourierId,
        now: DateTime<Utc>,
    ) -> Result<Option<Archiving>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        lock_plans(&mut transaction, &[courier]).await?;
        let open = open_orders(&mut transaction, courier).await?;
        if open > 0 {
            return Ok(Some(Archiving::HasOpenOrders(open)));
        }
        let archived = sqlx::query!(
            "update couriers set archived_at = coalesce(archived_at, $2) where id = $1",
            courier.as_uuid(),
            now
        )
        .execute(&mut *transaction)
        .await?;
        if archived.rows_affected() == 0 {
            return Ok(None);
        }
        let revoked = revoke_devices(&mut transaction, courier, now).await?;
        transaction.commit().await?;
        Ok(Some(Archiving::Archived(revoked)))
    }

    /// Makes an archived courier work here again, without any device. Does nothing for others, nor for one who was erased.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn restore_courier(&self, courier: CourierId) -> Result<(), StoreError> {
        sqlx::query!("update couriers set archived_at = null where id = $1 and erased_at is null", courier.as_uuid())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

pub(super) async fn is_archived(connection: &mut PgConnection, courier: CourierId) -> Result<bool, StoreError> {
    let archived = sqlx::query_scalar!(
        r#"select archived_at is not null as "is_archived!" from couriers where id = $1"#,
        courier.as_uuid()
    )
    .fetch_optional(connection)
    .await?;
    Ok(archived.unwrap_or(false))
}

async fn open_orders(connection: &mut PgConnection, courier: CourierId) -> Result<u32, StoreError> {
    let open = sqlx::query_scalar!(
        r#"select count(*) as "open!" from orders
           where courier_id = $1 and status in ('assigned', 'at_pickup', 'picked_up', 'at_dropoff')
              or carried_by = $1"#,
        courier.as_uuid()
    )
    .fetch_one(connection)
    .await?;
    Ok(u32::try_from(open).unwrap_or(u32::MAX))
}

async fn revoke_devices(
    connection: &mut PgConnection,
    courier: CourierId,
    now: DateTime<Utc>,
) -> Result<Vec<RevokedDevice>, StoreError> {
    let devices = sqlx::query!(
        r#"update devices set revoked_at = $2 where courier_id = $1 and revoked_at is null
           returning id, last_seen_at is not null as "was_seen!""#,
        courier.as_uuid(),
        now
    )
    .fetch_all(&mut *connection)
    .await?;
    sqlx::query!(
        "delete from courier_sessions where device_id in (select id from devices where courier_id = $1)",
        courier.as_uuid()
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "delete from courier_sign_in_codes where device_id in (select id from devices where courier_id = $1)",
        courier.as_uuid()
    )
    .execute(connection)
    .await?;
    let revoked = |id, was_seen| RevokedDevice { device: DeviceId::from_uuid(id), was_seen };
    Ok(devices.into_iter().map(|row| revoked(row.id, row.was_seen)).collect())
}
