//! How couriers' browsers sign in: the codes of sign-in links, and the sessions that they are exchanged for.

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{CourierId, DeviceId};
use sqlx::PgConnection;

use super::{Store, StoreError, courier_rows::signed_in_device, couriers::SignedInDevice};
use crate::platform::token::SecretHash;

/// How long sessions last.
#[derive(Clone, Copy, Debug)]
pub struct Lifetime {
    /// A session that was not used for this long is over.
    pub idle: TimeDelta,
    /// A session is over after this long, however much it is used.
    pub absolute: TimeDelta,
}

/// The code of a sign-in link.
#[derive(Clone, Copy, Debug)]
pub struct NewCode {
    /// The code's hash.
    pub hash: SecretHash,
    /// Now.
    pub created_at: DateTime<Utc>,
    /// Until when it works.
    pub expires_at: DateTime<Utc>,
}

/// A code that was exchanged for a session.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Who is signed in now.
    pub signed_in: SignedInDevice,
    /// The device's earlier sessions, which ended.
    pub ended: Vec<SecretHash>,
}

/// A session with when it was last known to be used.
#[derive(Clone, Debug)]
pub struct UsedSession {
    /// Who is signed in.
    pub signed_in: SignedInDevice,
    /// To the hour.
    pub last_used_at: DateTime<Utc>,
}

pub(super) async fn insert_code(
    connection: &mut PgConnection,
    device: DeviceId,
    code: &NewCode,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into courier_sign_in_codes (code_hash, device_id, created_at, expires_at) values ($1, $2, $3, $4)",
        &code.hash[..],
        device.as_uuid(),
        code.created_at,
        code.expires_at
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn hash_in(column: Vec<u8>) -> SecretHash {
    column.try_into().expect("the column's check allows only 32 bytes")
}

impl Store {
    /// Gives a device a new code; its unused codes stop working.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn replace_sign_in_code(&self, device: DeviceId, code: &NewCode) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        // The lock orders two requests for a link, so that only the last one's works.
        sqlx::query!("select id from devices where id = $1 for no key update", device.as_uuid())
            .fetch_optional(&mut *transaction)
            .await?;
        sqlx::query!("delete from courier_sign_in_codes where device_id = $1 and used_at is null", device.as_uuid())
            .execute(&mut *transaction)
            .await?;
        insert_code(&mut transaction, device, code).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Uses a code up and begins a session with it, in place of the device's earlier ones. `None` when the code does
    /// not work, whatever the reason; of two requests with the same code at once, one gets the session.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn exchange_sign_in_code(
        &self,
        code: &SecretHash,
        session: &SecretHash,
        now: DateTime<Utc>,
        lifetime: Lifetime,
    ) -> Result<Option<Exchange>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let device = sqlx::query_scalar!(
            "update courier_sign_in_codes set used_at = $2 \
             where code_hash = $1 and used_at is null and expires_at > $2 returning device_id",
            &code[..],
            now
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(device) = device else { return Ok(None) };
        // The lock orders this and a revocation of the device: the earlier revocation is seen here, and a later one
        // finds the session.
        let row = sqlx::query!(
            "select d.id as device_id, d.label, d.tracker_app is not null as \"is_tracker!\", \
                 d.clock_ahead_ms, d.rejected_since is not null as \"is_rejected!\", c.id, c.name, c.phone, \
                 c.vehicle, c.created_at, c.presence_state, c.presence_reason, c.presence_since, c.capacity, c.skills, \
                 c.shift_from, c.shift_until, c.break_from, c.break_until, c.depot_lat, c.depot_lon, c.depot_address, \
                 c.archived_at \
             from devices d join couriers c on c.id = d.courier_id \
             where d.id = $1 and d.revoked_at is null and c.archived_at is null for no key update of d",
            device
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let ended =
            sqlx::query_scalar!("delete from courier_sessions where device_id = $1 returning token_hash", device)
                .fetch_all(&mut *transaction)
                .await?;
        sqlx::query!(
            "insert into courier_sessions (token_hash, device_id, created_at, last_used_at, expires_at) \
             values ($1, $2, $3, $3, $4)",
            &session[..],
            device,
            now,
            now + lifetime.absolute
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let ended = ended.into_iter().map(hash_in).collect();
        Ok(Some(Exchange { signed_in: signed_in_device!(row, Some(*session)), ended }))
    }

    /// The owner of a session, while it lasts and its device may report.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn courier_session(
        &self,
        session: &SecretHash,
        now: DateTime<Utc>,
        lifetime: Lifetime,
    ) -> Result<Option<UsedSession>, StoreError> {
        let row = sqlx::query!(
            "select d.id as device_id, d.label, d.tracker_app is not null as \"is_tracker!\", \
                 d.clock_ahead_ms, d.rejected_since is not null as \"is_rejected!\", c.id, c.name, c.phone, \
                 c.vehicle, c.created_at, c.presence_state, c.presence_reason, c.presence_since, c.capacity, c.skills, \
                 c.shift_from, c.shift_until, c.break_from, c.break_until, c.depot_lat, c.depot_lon, c.depot_address, \
                 c.archived_at, s.last_used_at \
             from courier_sessions s join devices d on d.id = s.device_id join couriers c on c.id = d.courier_id \
             where s.token_hash = $1 and s.expires_at > $2 and s.last_used_at > $3 and d.revoked_at is null \
                 and c.archived_at is null",
            &session[..],
            now,
            now - lifetime.idle
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| UsedSession {
            last_used_at: row.last_used_at,
            signed_in: signed_in_device!(row, Some(*session)),
        }))
    }

    /// Notes that sessions are in use.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn touch_courier_sessions(&self, sessions: &[SecretHash], now: DateTime<Utc>) -> Result<(), StoreError> {
        let hashes: Vec<Vec<u8>> = sessions.iter().map(|session| session.to_vec()).collect();
        sqlx::query!(
            "update courier_sessions set last_used_at = $2 \
             where token_hash = any($1) and last_used_at < $2::timestamptz - interval '1 hour'",
            &hashes,
            now
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Ends a session; returns its courier and device.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn end_courier_session(&self, session: &SecretHash) -> Result<Option<(CourierId, DeviceId)>, StoreError> {
        let row = sqlx::query!(
            "delete from courier_sessions s using devices d where s.token_hash = $1 and d.id = s.device_id \
             returning d.courier_id, d.id",
            &session[..]
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| (CourierId::from_uuid(row.courier_id), DeviceId::from_uuid(row.id))))
    }

    /// Those of these devices that may still report, and those of these sessions that last.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn still_valid(
        &self,
        devices: &[DeviceId],
        sessions: &[SecretHash],
        now: DateTime<Utc>,
        lifetime: Lifetime,
    ) -> Result<(Vec<DeviceId>, Vec<SecretHash>), StoreError> {
        let devices: Vec<_> = devices.iter().map(|device| *device.as_uuid()).collect();
        let devices = sqlx::query_scalar!("select id from devices where id = any($1) and revoked_at is null", &devices)
            .fetch_all(&self.pool)
            .await?;
        let hashes: Vec<Vec<u8>> = sessions.iter().map(|session| session.to_vec()).collect();
        let sessions = sqlx::query_scalar!(
            "select token_hash from courier_sessions \
             where token_hash = any($1) and expires_at > $2 and last_used_at > $3",
            &hashes,
            now,
            now - lifetime.idle
        )
        .fetch_all(&self.pool)
        .await?;
        Ok((devices.into_iter().map(DeviceId::from_uuid).collect(), sessions.into_iter().map(hash_in).collect()))
    }

    /// Deletes sessions that ran out, and codes a day after they stopped working.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn forget_expired_couriers(&self, now: DateTime<Utc>, lifetime: Lifetime) -> Result<(), StoreError> {
        sqlx::query!(
            "delete from courier_sessions where expires_at <= $1 or last_used_at <= $2",
            now,
            now - lifetime.idle
        )
        .execute(&self.pool)
        .await?;
        sqlx::query!("delete from courier_sign_in_codes where expires_at < $1::timestamptz - interval '1 day'", now)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
