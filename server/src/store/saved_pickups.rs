//! Pickups to choose from when an order is created.

use chrono::{DateTime, Utc};
use doorstep_shared::api::{PlaceBody, console::SavedPickup};
use uuid::Uuid;

use super::{Store, StoreError};

/// The most pickups that are kept: a list to choose from, not a directory.
pub const MAX_SAVED_PICKUPS: usize = 500;

/// What became of saving a pickup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saving {
    /// It is saved.
    Saved,
    /// Another one has its name, whatever the case and the accents.
    NameTaken,
    /// There are [`MAX_SAVED_PICKUPS`] already.
    Enough,
}

impl Store {
    /// Every saved pickup, by name.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn saved_pickups(&self) -> Result<Vec<SavedPickup>, StoreError> {
        let rows = sqlx::query!(
            "select id, name, lat, lon, address, instructions, phone from saved_pickups \
             order by search_fold(name), id limit $1",
            MAX_SAVED_PICKUPS as i64
        )
        .fetch_all(&self.pool)
        .await?;
        let pickups = rows.into_iter().map(|row| SavedPickup {
            id: row.id,
            name: row.name,
            place: PlaceBody {
                lat: row.lat,
                lon: row.lon,
                address: row.address,
                instructions: row.instructions,
                phone: row.phone,
            },
        });
        Ok(pickups.collect())
    }

    /// Saves a pickup.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn save_pickup(&self, pickup: &SavedPickup, now: DateTime<Utc>) -> Result<Saving, StoreError> {
        let mut transaction = self.pool.begin().await?;
        // So that two at once do not both become the last.
        sqlx::query!("lock table saved_pickups in share row exclusive mode").execute(&mut *transaction).await?;
        let known = sqlx::query!(
            r#"select count(*) as "count!", coalesce(bool_or(search_fold(name) = search_fold($1)), false) as "is_taken!"
               from saved_pickups"#,
            pickup.name
        )
        .fetch_one(&mut *transaction)
        .await?;
        if known.is_taken {
            return Ok(Saving::NameTaken);
        }
        if known.count >= MAX_SAVED_PICKUPS as i64 {
            return Ok(Saving::Enough);
        }
        sqlx::query!(
            "insert into saved_pickups (id, name, lat, lon, address, instructions, phone, created_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            pickup.id,
            pickup.name,
            pickup.place.lat,
            pickup.place.lon,
            pickup.place.address,
            pickup.place.instructions,
            pickup.place.phone,
            now
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Saving::Saved)
    }

    /// Forgets a saved pickup; `false` when there is none. Orders that were created with it keep their place.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn delete_pickup(&self, id: Uuid) -> Result<bool, StoreError> {
        let done = sqlx::query!("delete from saved_pickups where id = $1", id).execute(&self.pool).await?;
        Ok(done.rows_affected() > 0)
    }
}
