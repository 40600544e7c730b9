//! Couriers, their presences and times off duty, and the courier of a device's token.
//!
//! The live view reads couriers through [`crate::service::orders::plans`]; the edge lists and edits them.

use std::{collections::HashMap, ops::Range};

use chrono::{DateTime, Utc};
use doorstep_shared::{
    CourierId, DeviceId, Vehicle,
    api::plan::{CourierShift, Depot},
    protocol::{PresenceReason, customer::Presence},
};

use super::{
    Store, StoreError,
    courier_rows::{CourierRow, signed_in_device},
    outbox::write_events,
};
use crate::{
    domain::{
        courier::Courier,
        outbox::event::{NewEvent, PresenceChange},
    },
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
    /// How much they can carry; `Some(None)` removes the limit.
    pub capacity: Option<Option<u32>>,
    /// What they can do.
    pub skills: Option<&'a [String]>,
    /// When they work; `Some(None)` removes it.
    pub shift: Option<Option<CourierShift>>,
    /// Where their tours begin and end; `Some(None)` removes it.
    pub depot: Option<Option<&'a Depot>>,
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
    /// How far its clock is believed to be ahead of ours, in milliseconds; negative behind.
    pub clock_ahead_ms: i64,
    /// Whether its last reports were all rejected, as far as was written down.
    pub is_rejected: bool,
    /// The session it came with, by its hash; `None` when it showed its token.
    pub session: Option<SecretHash>,
    /// Its courier.
    pub courier: Courier,
}

impl Store {
    /// Adds a courier.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn create_courier(&self, courier: &Courier) -> Result<(), StoreError> {
        let work = &courier.work;
        let pause = work.shift.and_then(|shift| shift.r#break);
        sqlx::query!(
            "insert into couriers (id, name, phone, vehicle, created_at, capacity, skills, shift_from, shift_until, \
                 break_from, break_until, depot_lat, depot_lon, depot_address) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            courier.id.as_uuid(),
            courier.name,
            courier.phone,
            courier.vehicle.as_str(),
            courier.created_at,
            work.capacity.map(u32::cast_signed),
            &work.skills,
            work.shift.map(|shift| shift.from),
            work.shift.map(|shift| shift.until),
            pause.map(|pause| pause.from),
            pause.map(|pause| pause.until),
            work.depot.as_ref().map(|depot| depot.lat),
            work.depot.as_ref().map(|depot| depot.lon),
            work.depot.as_ref().map(|depot| depot.address.as_str()),
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
            "select id, name, phone, vehicle, created_at, presence_state, presence_reason, presence_since, capacity, \
                 skills, shift_from, shift_until, break_from, break_until, depot_lat, depot_lon, depot_address, archived_at \
             from couriers where id = any($1)",
            &ids
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Courier::from).collect())
    }

    /// Changes a courier and returns them as they are now; `None` when there is no such courier, or they were erased.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn edit_courier(&self, id: CourierId, edit: CourierEdit<'_>) -> Result<Option<Courier>, StoreError> {
        let (shift, depot) = (edit.shift.flatten(), edit.depot.flatten());
        let pause = shift.and_then(|shift| shift.r#break);
        let row = sqlx::query_as!(
            CourierRow,
            "update couriers set name = coalesce($2, name), phone = case when $3 then $4 else phone end, \
                 vehicle = coalesce($5, vehicle), capacity = case when $6 then $7 else capacity end, \
                 skills = coalesce($8, skills), \
                 shift_from = case when $9 then $10 else shift_from end, \
                 shift_until = case when $9 then $11 else shift_until end, \
                 break_from = case when $9 then $12 else break_from end, \
                 break_until = case when $9 then $13 else break_until end, \
                 depot_lat = case when $14 then $15 else depot_lat end, \
                 depot_lon = case when $14 then $16 else depot_lon end, \
                 depot_address = case when $14 then $17 else depot_address end \
             where id = $1 and erased_at is null \
             returning id, name, phone, vehicle, created_at, presence_state, presence_reason, presence_since, capacity, \
                 skills, shift_from, shift_until, break_from, break_until, depot_lat, depot_lon, depot_address, archived_at",
            id.as_uuid(),
            edit.name,
            edit.phone.is_some(),
            edit.phone.flatten(),
            edit.vehicle.map(Vehicle::as_str),
            edit.capacity.is_some(),
            edit.capacity.flatten().map(u32::cast_signed),
            edit.skills,
            edit.shift.is_some(),
            shift.map(|shift| shift.from),
            shift.map(|shift| shift.until),
            pause.map(|pause| pause.from),
            pause.map(|pause| pause.until),
            edit.depot.is_some(),
            depot.map(|depot| depot.lat),
            depot.map(|depot| depot.lon),
            depot.map(|depot| depot.address.as_str()),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(Courier::from))
    }

    /// At most `limit` couriers other than these, of those who work here: those on duty by their own report first, then by name.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn couriers_besides(&self, besides: &[CourierId], limit: i64) -> Result<Vec<Courier>, StoreError> {
        let besides: Vec<_> = besides.iter().map(|id| *id.as_uuid()).collect();
        let rows = sqlx::query_as!(
            CourierRow,
            "select id, name, phone, vehicle, created_at, presence_state, presence_reason, presence_since, capacity, \
                 skills, shift_from, shift_until, break_from, break_until, depot_lat, depot_lon, depot_address, archived_at \
             from couriers where id <> all($1) and archived_at is null \
             order by coalesce(presence_state, 'off_duty') = 'off_duty', name, id limit $2",
            &besides,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Courier::from).collect())
    }

    /// Couriers by id, from after `after` on: those who work here, or those who are archived.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn couriers_page(
        &self,
        archived: bool,
        after: Option<CourierId>,
        limit: i64,
    ) -> Result<Vec<Courier>, StoreError> {
        let rows = sqlx::query_as!(
            CourierRow,
            "select id, name, phone, vehicle, created_at, presence_state, presence_reason, presence_since, capacity, \
                 skills, shift_from, shift_until, break_from, break_until, depot_lat, depot_lon, depot_address, archived_at \
             from couriers where ($1::uuid is null or id > $1) and (archived_at is not null) = $3 order by id limit $2",
            after.map(|id| *id.as_uuid()),
            limit,
            archived
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Courier::from).collect())
    }

    /// Writes a courier's presence, and the time off duty that it ended, if it did. One that says something new is told to
    /// others.
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
        let since = from_ms(presence.since_ms);
        let before = sqlx::query!(
            r#"with before as (select * from couriers where id = $1 for update)
               update couriers c set presence_state = $2, presence_reason = $3, presence_since = $4
               from before b where c.id = b.id
               returning b.name as "name!", (b.presence_state, b.presence_reason) is distinct from ($2, $3) as "is_new!""#,
            courier.as_uuid(),
            presence.state.as_str(),
            presence.reason.map(PresenceReason::as_str),
            since
        )
        .fetch_optional(&mut *transaction)
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
        if let Some(before) = before.filter(|before| before.is_new) {
            let change = PresenceChange { state: presence.state, reason: presence.reason, since };
            write_events(&mut transaction, &[NewEvent::of_presence(courier, &before.name, &change)]).await?;
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

    /// The device that holds a token, unless it was revoked or its courier is archived.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn device_by_token(&self, token_hash: &[u8]) -> Result<Option<SignedInDevice>, StoreError> {
        let row = sqlx::query!(
            "select d.id as device_id, d.label, d.tracker_app is not null as \"is_tracker!\", \
                 d.clock_ahead_ms, d.rejected_since is not null as \"is_rejected!\", c.id, c.name, c.phone, \
                 c.vehicle, c.created_at, c.presence_state, c.presence_reason, c.presence_since, c.capacity, c.skills, \
                 c.shift_from, c.shift_until, c.break_from, c.break_until, c.depot_lat, c.depot_lon, c.depot_address, \
                 c.archived_at \
             from devices d join couriers c on c.id = d.courier_id \
             where d.token_hash = $1 and d.revoked_at is null and c.archived_at is null",
            token_hash
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| signed_in_device!(row, None)))
    }
}
