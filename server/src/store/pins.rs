//! Addresses that people pinned to their right point.

use chrono::{DateTime, Utc};
use doorstep_shared::{
    ExceptionId, LatLon, PinId,
    api::pins::{MAX_PINS, PinnedAddress},
};

use super::{Store, StoreError, order_rows::point_of};
use crate::domain::{order::Actor, pins::Pin};

/// What became of pinning an address.
#[derive(Clone, Debug, PartialEq)]
pub enum Pinning {
    /// It is pinned, and this is how it is shown.
    Pinned(PinnedAddress),
    /// There are [`MAX_PINS`] already.
    Enough,
}

/// A door that a courier proposed.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposedDoor {
    /// The order's address.
    pub address: String,
    /// Where they said the door is.
    pub point: LatLon,
}

impl Store {
    /// The door that an exception proposes; `None` when it proposes none.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn proposed_door(&self, id: ExceptionId) -> Result<Option<ProposedDoor>, StoreError> {
        let row = sqlx::query!(
            r#"select o.dropoff_address, e.lat as "lat!", e.lon as "lon!"
               from exceptions e join orders o on o.id = e.order_id
               where e.id = $1 and e.code = 'door_elsewhere' and e.lat is not null"#,
            id.as_uuid()
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| ProposedDoor { address: row.dropoff_address, point: point_of(row.lat, row.lon) }))
    }

    /// How often pins were changed. Other than the number that came with pins in memory, those are old.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn pins_version(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar!("select version from address_pins_version").fetch_one(&self.pool).await?)
    }

    /// Every pin.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn all_pins(&self) -> Result<Vec<Pin>, StoreError> {
        let rows =
            sqlx::query!("select id, address, lat, lon from address_pins order by key").fetch_all(&self.pool).await?;
        let pins = rows.into_iter().map(|row| Pin {
            id: PinId::from_uuid(row.id),
            address: row.address,
            point: point_of(row.lat, row.lon),
        });
        Ok(pins.collect())
    }

    /// Pins in the order of their keys, from behind `after` on, and the key of each.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn pins_page(&self, after: Option<&str>, limit: i64) -> Result<Vec<(String, PinnedAddress)>, StoreError> {
        let rows = sqlx::query!(
            r#"select p.key, p.id, p.address, p.lat, p.lon, p.pinned_at, coalesce(u.email, k.name) as "pinned_by"
               from address_pins p
               left join users u on p.pinned_by = 'user:' || u.id
               left join api_keys k on p.pinned_by = 'key:' || k.id
               where p.key collate "C" > coalesce($1, '') order by p.key collate "C" limit $2"#,
            after,
            limit
        )
        .fetch_all(&self.pool)
        .await?;
        let pins = rows.into_iter().map(|row| {
            let id = PinId::from_uuid(row.id);
            let (address, lat, lon, pinned_at, pinned_by) =
                (row.address, row.lat, row.lon, row.pinned_at, row.pinned_by);
            (row.key, PinnedAddress { id, address, lat, lon, pinned_at, pinned_by })
        });
        Ok(pins.collect())
    }

    /// Pins an address. Another pin for the same address makes room for it.
    ///
    /// # Errors
    /// When the database is away; nothing was changed then.
    pub async fn put_pin(&self, pin: &Pin, key: &str, by: &Actor, now: DateTime<Utc>) -> Result<Pinning, StoreError> {
        let mut transaction = self.pool.begin().await?;
        // So that two at once neither have one address nor both become the last. Searches go on reading.
        sqlx::query!("lock table address_pins in share row exclusive mode").execute(&mut *transaction).await?;
        let (id, Pin { address, point, .. }) = (*pin.id.as_uuid(), pin);
        sqlx::query!("delete from address_pins where key = $1 and id <> $2", key, id)
            .execute(&mut *transaction)
            .await?;
        let others = sqlx::query_scalar!(r#"select count(*) as "count!" from address_pins where id <> $1"#, id)
            .fetch_one(&mut *transaction)
            .await?;
        if others >= MAX_PINS as i64 {
            return Ok(Pinning::Enough);
        }
        let shown = sqlx::query!(
            r#"with pinned as (
                   insert into address_pins (id, address, key, lat, lon, pinned_at, pinned_by)
                   values ($1, $2, $3, $4, $5, $6, $7)
                   on conflict (id) do update set address = excluded.address, key = excluded.key, lat = excluded.lat,
                       lon = excluded.lon, pinned_at = excluded.pinned_at, pinned_by = excluded.pinned_by
                   returning pinned_at, pinned_by)
               select p.pinned_at as "pinned_at!", coalesce(u.email, k.name) as "pinned_by" from pinned p
               left join users u on p.pinned_by = 'user:' || u.id
               left join api_keys k on p.pinned_by = 'key:' || k.id"#,
            id,
            address,
            key,
            point.lat(),
            point.lon(),
            now,
            by.to_string()
        )
        .fetch_one(&mut *transaction)
        .await?;
        sqlx::query!("update address_pins_version set version = version + 1").execute(&mut *transaction).await?;
        transaction.commit().await?;
        let (lat, lon) = (point.lat(), point.lon());
        let (pinned_at, pinned_by) = (shown.pinned_at, shown.pinned_by);
        Ok(Pinning::Pinned(PinnedAddress { id: pin.id, address: address.clone(), lat, lon, pinned_at, pinned_by }))
    }

    /// Forgets a pin; `false` when there is none. Orders keep their points.
    ///
    /// # Errors
    /// When the database is away; nothing was changed then.
    pub async fn delete_pin(&self, id: PinId) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let done =
            sqlx::query!("delete from address_pins where id = $1", id.as_uuid()).execute(&mut *transaction).await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query!("update address_pins_version set version = version + 1").execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
