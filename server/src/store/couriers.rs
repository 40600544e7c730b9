//! Couriers, their presences and times off duty, and the courier of a device's token.
//!
//! The live view reads couriers through [`crate::service::orders::plans`]; the edge lists and edits them.

use std::{collections::HashMap, ops::Range};

use chrono::{DateTime, Utc};
use doorstep_shared::{
    CourierId, DeviceId, Vehicle,
    protocol::{PresenceReason, PresenceState, customer::Presence},
};
use uuid::Uuid;

use super::{Store, StoreError};
use crate::{
    domain::courier::{Courier, Work},
    platform::{clock::from_ms, token::SecretHash},
};

/// What to change about a courier; `None` leaves it.
#[derive(Clone, Copy, Debug, Default)]
pub struct CourierEdit<'a> {
    /// Their name.
    pub name: Option<&'a str>,
    /// Their number; `Some(None)` removes it.
    pub phone: Option<Option<&'a str>>,
    /// What they ride.
    pub vehicle: Option<Vehicle>,
}

struct CourierRow {
    id: Uuid,
    name: String,
    phone: Option<String>,
    vehicle: String,
    created_at: DateTime<Utc>,
    presence_state: Option<String>,
    presence_reason: Option<String>,
    presence_since: Option<DateTime<Utc>>,
}

impl From<CourierRow> for Courier {
    fn from(row: CourierRow) -> Self {
        let state = row.presence_state.as_deref().and_then(PresenceState::from_word);
        let presence = state.zip(row.presence_since).map(|(state, since)| Presence {
            state,
            reason: row.presence_reason.as_deref().and_then(PresenceReason::from_word),
            since_ms: since.timestamp_millis(),
        });
        Self {
            id: CourierId::from_uuid(row.id),
            name: row.name,
            phone: row.phone,
            vehicle: row.vehicle.parse().expect("the column's check allows only vehicles"),
            created_at: row.created_at,
            presence,
            work: Work::default(),
        }
    }
}

/// A device that may connect, with its courier.
#[derive(Clone, Debug)]
pub struct SignedInDevice {
    /// The device.
    pub device: DeviceId,
    /// What it is called.
    pub label: String,
    /// Whether it was set up for a tracker's app, which may report positions and nothing else.
    pub is_tracker: bool,
    /// The session it came with, by its hash; `None` when it showed its token.
    pub session: Option<SecretHash>,
    /// Its courier.
    pub courier: Courier,
}

/// A device with its courier, as a query gives them.
pub(super) struct SignedInRow {
    pub device_id: Uuid,
    pub label: String,
    pub is_tracker: bool,
    pub id: Uuid,
    pub name: String,
    pub phone: Option<String>,
    pub vehicle: String,
    pub created_at: DateTime<Utc>,
    pub presence_state: Option<String>,
    pub presence_reason: Option<String>,
    pub presence_since: Option<DateTime<Utc>>,
}

impl SignedInRow {
    pub(super) fn signed_in_by(self, session: Option<SecretHash>) -> SignedInDevice {
        SignedInDevice {
            device: DeviceId::from_uuid(self.device_id),
            label: self.label,
            is_tracker: self.is_tracker,
            session,
            courier: CourierRow {
                id: self.id,
                name: self.name,
                phone: self.phone,
                vehicle: self.vehicle,
                created_at: self.created_at,
                presence_state: self.presence_state,
                presence_reason: self.presence_reason,
                presence_since: self.presence_since,
            }
            .into(),
        }
    }
}

impl Store {
    /// Adds a courier.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn create_courier(&self, courier: &Courier) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into couriers (id, name, phone, vehicle, created_at) values ($1, $2, $3, $4, $5)",
            courier.id.as_uuid(),
            courier.name,
            courier.phone,
            courier.vehicle.as_str(),
            courier.created_at
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// One courier.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn courier(&self, id: CourierId) -> Result<Option<Courier>, StoreError> {
        Ok(self.couriers(&[id]).await?.pop())
    }

    /// These couriers, in any order. Unknown ids are left out.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn couriers(&self, ids: &[CourierId]) -> Result<Vec<Courier>, StoreError> {
        let ids: Vec<_> = ids.iter().map(|id| *id.as_uuid()).collect();
        let rows = sqlx::query_as!(
            CourierRow,
            "select id, name, phone, vehicle, created_at, presence_state, presence_reason, presence_since \
             from couriers where id = any($1)",
            &ids
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Courier::from).collect())
    }

    /// Changes a courier and returns them as they are now; `None` when there is no such courier.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn edit_courier(&self, id: CourierId, edit: CourierEdit<'_>) -> Result<Option<Courier>, StoreError> {
        let row = sqlx::query_as!(
            CourierRow,
            "update couriers set name = coalesce($2, name), phone = case when $3 then $4 else phone end, \
                 vehicle = coalesce($5, vehicle) \
             where id = $1 \
             returning id, name, phone, vehicle, created_at, presence_state, presence_reason, presence_since",
            id.as_uuid(),
            edit.name,
            edit.phone.is_some(),
            edit.phone.flatten(),
            edit.vehicle.map(Vehicle::as_str),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(Courier::from))
    }

    /// At most `limit` couriers other than these: those on duty by their own report first, then by name.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn couriers_besides(&self, besides: &[CourierId], limit: i64) -> Result<Vec<Courier>, StoreError> {
        let besides: Vec<_> = besides.iter().map(|id| *id.as_uuid()).collect();
        let rows = sqlx::query_as!(
            CourierRow,
            "select id, name, phone, vehicle, created_at, presence_state, presence_reason, presence_since \
             from couriers where id <> all($1) \
             order by coalesce(presence_state, 'off_duty') = 'off_duty', name, id limit $2",
            &besides,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Courier::from).collect())
    }

    /// Couriers by id, from after `after` on.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn couriers_page(&self, after: Option<CourierId>, limit: i64) -> Result<Vec<Courier>, StoreError> {
        let rows = sqlx::query_as!(
            CourierRow,
            "select id, name, phone, vehicle, created_at, presence_state, presence_reason, presence_since \
             from couriers where $1::uuid is null or id > $1 order by id limit $2",
            after.map(|id| *id.as_uuid()),
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Courier::from).collect())
    }

    /// Writes a courier's presence, and the time off duty that it ended, if it did.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn set_presence(
        &self,
        courier: CourierId,
        presence: &Presence,
        was_off_duty: Option<Range<i64>>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "update couriers set presence_state = $2, presence_reason = $3, presence_since = $4 where id = $1",
            courier.as_uuid(),
            presence.state.as_str(),
            presence.reason.map(PresenceReason::as_str),
            from_ms(presence.since_ms)
        )
        .execute(&mut *transaction)
        .await?;
        if let Some(span) = was_off_duty {
            sqlx::query!(
                "insert into off_duty_spans (courier_id, from_at, until_at) select id, $2, $3 from couriers where id = $1 \
                 on conflict (courier_id, from_at) do nothing",
                courier.as_uuid(),
                from_ms(span.start),
                from_ms(span.end)
            )
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// When each of these couriers was off duty, oldest first, in Unix epoch milliseconds. Couriers who never were are
    /// left out.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn off_duty_spans_of_each(
        &self,
        couriers: &[CourierId],
    ) -> Result<HashMap<CourierId, Vec<Range<i64>>>, StoreError> {
        let ids: Vec<_> = couriers.iter().map(|id| *id.as_uuid()).collect();
        let rows = sqlx::query!(
            "select courier_id, from_at, until_at from off_duty_spans where courier_id = any($1) order by from_at",
            &ids
        )
        .fetch_all(&self.pool)
        .await?;
        let mut of_each: HashMap<CourierId, Vec<Range<i64>>> = HashMap::new();
        for row in rows {
            let span = row.from_at.timestamp_millis()..row.until_at.timestamp_millis();
            of_each.entry(CourierId::from_uuid(row.courier_id)).or_default().push(span);
        }
        Ok(of_each)
    }

    /// Deletes times off duty that ended before `before`: fixes as old as that are refused for their age.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn forget_off_duty_before(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query!("delete from off_duty_spans where until_at < $1", before).execute(&self.pool).await?;
        Ok(())
    }

    /// The device that holds a token, unless it was revoked.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn device_by_token(&self, token_hash: &[u8]) -> Result<Option<SignedInDevice>, StoreError> {
        let row = sqlx::query_as!(
            SignedInRow,
            "select d.id as device_id, d.label, d.tracker_app is not null as \"is_tracker!\", c.id, c.name, c.phone, \
                 c.vehicle, c.created_at, c.presence_state, c.presence_reason, c.presence_since \
             from devices d join couriers c on c.id = d.courier_id \
             where d.token_hash = $1 and d.revoked_at is null",
            token_hash
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| row.signed_in_by(None)))
    }
}
