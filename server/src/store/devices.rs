//! A courier's phones and trackers: added, listed, seen and revoked.

use chrono::{DateTime, Utc};
use doorstep_shared::{CourierId, DeviceId, api::courier::TrackerApp};

use super::{
    Store, StoreError,
    courier_sessions::{NewCode, insert_code},
};
use crate::platform::token::SecretHash;

/// The client with which a device reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceClient {
    /// The courier's web app.
    Web,
    /// A program with the device's token on the courier's socket or API.
    Native,
    /// Traccar Client, or another app that speaks OsmAnd's protocol.
    Traccar,
    /// OwnTracks.
    Owntracks,
    /// Overland.
    Overland,
}

impl DeviceClient {
    /// The client of a courier who signed in by a session, or by a token.
    pub const fn of_courier(by_session: bool) -> Self {
        if by_session { Self::Web } else { Self::Native }
    }

    /// The word in the API and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Native => "native",
            Self::Traccar => TrackerApp::Traccar.as_str(),
            Self::Owntracks => TrackerApp::Owntracks.as_str(),
            Self::Overland => TrackerApp::Overland.as_str(),
        }
    }
}

/// A device to be added.
#[derive(Clone, Debug)]
pub struct NewDevice<'a> {
    /// Its id.
    pub id: DeviceId,
    /// Its courier.
    pub courier: CourierId,
    /// What to call it.
    pub label: &'a str,
    /// The hash of its token.
    pub token_hash: SecretHash,
    /// Now.
    pub created_at: DateTime<Utc>,
}

/// A device as the database has it.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// What it is called.
    pub label: String,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it last connected or reported, to the minute.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Its latest client, one of [`DeviceClient`]'s words.
    pub client: Option<String>,
    /// Whether it was set up for a tracker's app.
    pub is_tracker: bool,
    /// How far its clock is ahead of ours, in milliseconds; 0 while it is near enough.
    pub clock_ahead_ms: i64,
    /// Points of it that were rejected.
    pub rejected_count: i64,
    /// The code of the last one, and when it came.
    pub last_rejection: Option<(String, DateTime<Utc>)>,
    /// Since when it may not report any more.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A device that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The device.
    pub device: DeviceId,
    /// Its client.
    pub client: DeviceClient,
    /// When, to the minute.
    pub seen_at: DateTime<Utc>,
}

/// The state of a device when it was revoked.
#[derive(Clone, Copy, Debug)]
pub struct Revoked {
    /// Whether it could still report until now.
    pub was_valid: bool,
    /// Whether it ever reported, as far as was written down.
    pub was_seen: bool,
}

/// The most devices of a courier that are listed; older ones are left out.
const MAX_LISTED: i64 = 1_000;

impl Store {
    /// Adds a device with the code of its first sign-in link; `false` when there is no such courier.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn create_device(&self, device: &NewDevice<'_>, code: &NewCode) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query!(
            "insert into devices (id, courier_id, label, token_hash, created_at) \
             select $1, id, $3, $4, $5 from couriers where id = $2",
            device.id.as_uuid(),
            device.courier.as_uuid(),
            device.label,
            &device.token_hash[..],
            device.created_at
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        insert_code(&mut transaction, device.id, code).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Adds a device for a tracker's app, in place of the courier's earlier one for it: that one is revoked, or deleted
    /// if it never reported.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn replace_tracker(&self, device: &NewDevice<'_>, app: TrackerApp) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        // The lock orders two set-ups of the same app.
        sqlx::query!("select id from couriers where id = $1 for no key update", device.courier.as_uuid())
            .fetch_optional(&mut *transaction)
            .await?;
        sqlx::query!(
            "delete from devices where courier_id = $1 and tracker_app = $2 and revoked_at is null \
             and last_seen_at is null",
            device.courier.as_uuid(),
            app.as_str()
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!(
            "update devices set revoked_at = $3 where courier_id = $1 and tracker_app = $2 and revoked_at is null",
            device.courier.as_uuid(),
            app.as_str(),
            device.created_at
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!(
            "insert into devices (id, courier_id, label, token_hash, created_at, tracker_app) \
             values ($1, $2, $3, $4, $5, $6)",
            device.id.as_uuid(),
            device.courier.as_uuid(),
            device.label,
            &device.token_hash[..],
            device.created_at,
            app.as_str()
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A courier's devices: those that may report first, then the newest first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn devices_of(&self, courier: CourierId) -> Result<Vec<Device>, StoreError> {
        self.devices_where(courier, None).await
    }

    /// One device of a courier.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn device_of(&self, courier: CourierId, device: DeviceId) -> Result<Option<Device>, StoreError> {
        Ok(self.devices_where(courier, Some(device)).await?.pop())
    }

    async fn devices_where(&self, courier: CourierId, device: Option<DeviceId>) -> Result<Vec<Device>, StoreError> {
        let rows = sqlx::query!(
            "select id, label, created_at, last_seen_at, client, tracker_app is not null as \"is_tracker!\", revoked_at, \
                 clock_ahead_ms, rejected_count, last_rejection, last_rejected_at \
             from devices where courier_id = $1 and ($2::uuid is null or id = $2) \
             order by revoked_at is not null, created_at desc, id desc limit $3",
            courier.as_uuid(),
            device.map(|device| *device.as_uuid()),
            MAX_LISTED
        )
        .fetch_all(&self.pool)
        .await?;
        let devices = rows.into_iter().map(|row| Device {
            id: DeviceId::from_uuid(row.id),
            label: row.label,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            client: row.client,
            is_tracker: row.is_tracker,
            clock_ahead_ms: row.clock_ahead_ms,
            rejected_count: row.rejected_count,
            last_rejection: row.last_rejection.zip(row.last_rejected_at),
            revoked_at: row.revoked_at,
        });
        Ok(devices.collect())
    }

    /// Ends what a device may do: its token, its sessions and its sign-in links. `None` when the courier has no
    /// such device.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn revoke_device(
        &self,
        courier: CourierId,
        device: DeviceId,
        now: DateTime<Utc>,
    ) -> Result<Option<Revoked>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let found = sqlx::query!(
            "select revoked_at is null as \"was_valid!\", last_seen_at is not null as \"was_seen!\" from devices \
             where courier_id = $1 and id = $2 for update",
            courier.as_uuid(),
            device.as_uuid()
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(found) = found else { return Ok(None) };
        if found.was_valid {
            sqlx::query!("update devices set revoked_at = $2 where id = $1", device.as_uuid(), now)
                .execute(&mut *transaction)
                .await?;
        }
        sqlx::query!("delete from courier_sessions where device_id = $1", device.as_uuid())
            .execute(&mut *transaction)
            .await?;
        sqlx::query!("delete from courier_sign_in_codes where device_id = $1", device.as_uuid())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(Revoked { was_valid: found.was_valid, was_seen: found.was_seen }))
    }

    /// Writes down when devices were last seen. An older sighting than the known one changes nothing.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn note_sightings(&self, sightings: &[Sighting]) -> Result<(), StoreError> {
        let devices: Vec<_> = sightings.iter().map(|sighting| *sighting.device.as_uuid()).collect();
        let clients: Vec<_> = sightings.iter().map(|sighting| sighting.client.as_str().to_owned()).collect();
        let times: Vec<_> = sightings.iter().map(|sighting| sighting.seen_at).collect();
        sqlx::query!(
            "update devices d set last_seen_at = s.seen_at, client = s.client \
             from unnest($1::uuid[], $2::text[], $3::timestamptz[]) as s (id, client, seen_at) \
             where d.id = s.id and (d.last_seen_at is null or d.last_seen_at < s.seen_at \
                 or d.last_seen_at = s.seen_at and d.client is distinct from s.client)",
            &devices,
            &clients,
            &times
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
