//! The proofs that orders ask for, and the proofs that couriers brought.
//!
//! Pictures are not in the database, only their keys; [`crate::service::proofs`] keeps both in step.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{CourierId, OrderId, OrderStatus, api::proof::ProofKind};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::domain::proof::{MAX_PROOFS, Proof, ProofKey, pin};

/// The state of an order for which a courier brings a proof.
#[derive(Clone, Debug)]
pub struct AtTheDoor {
    /// The merchant's name for it.
    pub reference: String,
    /// Its courier.
    pub courier: Option<CourierId>,
    /// Its status.
    pub status: OrderStatus,
    /// Since when it has that status.
    pub status_at: DateTime<Utc>,
}

/// Whether another PIN may be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinAttempt {
    /// Yes; the PIN must match this hash.
    Allowed {
        /// Argon2id, as a PHC string.
        hash: String,
    },
    /// The order asks for no PIN.
    NotAsked,
    /// Too many wrong PINs.
    Wait {
        /// Seconds until the next attempt.
        retry_after_s: u32,
    },
}

/// The outcome of keeping a proof.
#[derive(Clone, Debug, PartialEq)]
pub enum Kept {
    /// It is new.
    New,
    /// There is a proof with its id; the caller tells a repeat from a conflict.
    Earlier(Box<StoredProof>),
    /// The order is no longer this courier's, or has proofs enough.
    Refused,
}

/// A proof as the database has it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredProof {
    /// Its order.
    pub order: OrderId,
    /// SHA-256 of what the phone sent.
    pub content_hash: Vec<u8>,
    /// The proof.
    pub proof: Proof,
}

struct ProofRow {
    id: Uuid,
    order_id: Uuid,
    kind: String,
    taken_at: DateTime<Utc>,
    name: Option<String>,
    image_key: Option<String>,
    media_type: Option<String>,
    content_hash: Vec<u8>,
}

impl From<ProofRow> for StoredProof {
    fn from(row: ProofRow) -> Self {
        Self {
            order: OrderId::from_uuid(row.order_id),
            content_hash: row.content_hash,
            proof: Proof {
                id: row.id,
                kind: kind_of(&row.kind),
                taken_at: row.taken_at,
                name: row.name,
                picture: row.image_key.as_deref().and_then(ProofKey::from_text).zip(row.media_type),
            },
        }
    }
}

fn kind_of(word: &str) -> ProofKind {
    ProofKind::from_word(word).expect("the column's check allows only kinds")
}

pub(super) fn kinds_of(words: &[String]) -> Vec<ProofKind> {
    words.iter().map(|word| kind_of(word)).collect()
}

impl Store {
    /// The proofs that each of these orders asks for. Orders that ask for none are left out.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn proofs_wanted(&self, orders: &[OrderId]) -> Result<HashMap<OrderId, Vec<ProofKind>>, StoreError> {
        let ids: Vec<_> = orders.iter().map(|id| *id.as_uuid()).collect();
        let rows =
            sqlx::query!("select id, proof_wanted from orders where id = any($1) and proof_wanted <> '{}'", &ids)
                .fetch_all(&self.pool)
                .await?;
        Ok(rows.into_iter().map(|row| (OrderId::from_uuid(row.id), kinds_of(&row.proof_wanted))).collect())
    }

    /// Whether the order that this very token was made for asks for a PIN. Another link to the same order has another
    /// token, from which the PIN does not follow.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn asks_for_pin(&self, tracking_token_hash: &[u8]) -> Result<bool, StoreError> {
        let asks = sqlx::query_scalar!(
            r#"select pin_hash is not null as "asks!" from orders where tracking_token_hash = $1"#,
            tracking_token_hash
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(asks.unwrap_or(false))
    }

    /// The state of an order.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn at_the_door(&self, order: OrderId) -> Result<Option<AtTheDoor>, StoreError> {
        let row =
            sqlx::query!("select reference, courier_id, status, status_at from orders where id = $1", order.as_uuid())
                .fetch_optional(&self.pool)
                .await?;
        Ok(row.map(|row| AtTheDoor {
            reference: row.reference,
            courier: row.courier_id.map(CourierId::from_uuid),
            status: row.status.parse().expect("the column's check allows only statuses"),
            status_at: row.status_at,
        }))
    }

    /// Counts an attempt at an order's PIN before it is compared, so that concurrent attempts all count.
    ///
    /// # Errors
    /// When the database is away; nothing was counted then.
    pub async fn begin_pin_attempt(&self, order: OrderId, now: DateTime<Utc>) -> Result<PinAttempt, StoreError> {
        let row = sqlx::query!(
            r#"with before as (select pin_hash, pin_tries, pin_tried_from from orders where id = $1 for update)
               update orders set
                   pin_tries = case when before.pin_tried_from > $3 then before.pin_tries + 1 else 1 end,
                   pin_tried_from = case when before.pin_tried_from > $3 then before.pin_tried_from else $2 end
               from before where orders.id = $1
                 and (before.pin_tried_from is null or before.pin_tried_from <= $3 or before.pin_tries < $4)
               returning before.pin_hash"#,
            order.as_uuid(),
            now,
            now - pin::WINDOW,
            pin::MAX_ATTEMPTS,
        )
        .fetch_optional(&self.pool)
        .await?;
        match row {
            Some(row) => Ok(row.pin_hash.map_or(PinAttempt::NotAsked, |hash| PinAttempt::Allowed { hash })),
            None => self.pin_wait(order, now).await,
        }
    }

    async fn pin_wait(&self, order: OrderId, now: DateTime<Utc>) -> Result<PinAttempt, StoreError> {
        let tried_from = sqlx::query_scalar!("select pin_tried_from from orders where id = $1", order.as_uuid())
            .fetch_optional(&self.pool)
            .await?
            .flatten();
        let wait = tried_from.map_or(TimeDelta::zero(), |from| from + pin::WINDOW - now);
        Ok(PinAttempt::Wait { retry_after_s: u32::try_from(wait.num_seconds()).unwrap_or(0) + 1 })
    }

    /// Resets the count of an order's attempts, after the right PIN.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn forget_pin_attempts(&self, order: OrderId) -> Result<(), StoreError> {
        sqlx::query!("update orders set pin_tries = 0, pin_tried_from = null where id = $1", order.as_uuid())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Keeps a proof, if the order is still this courier's.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn keep_proof(
        &self,
        stored: &StoredProof,
        courier: CourierId,
        received_at: DateTime<Utc>,
    ) -> Result<Kept, StoreError> {
        let proof = &stored.proof;
        let (key, media_type) = proof.picture.as_ref().map(|(key, kind)| (key.as_str(), kind.as_str())).unzip();
        let inserted = sqlx::query!(
            "insert into proofs (id, order_id, courier_id, kind, taken_at, received_at, name, image_key, media_type, content_hash) \
             select $1, id, $3, $4, $5, $6, $7, $8, $9, $10 from orders where id = $2 and courier_id = $3 \
               and (select count(*) from proofs where order_id = $2) < $11 \
             on conflict (id) do nothing",
            proof.id,
            stored.order.as_uuid(),
            courier.as_uuid(),
            proof.kind.as_str(),
            proof.taken_at,
            received_at,
            proof.name,
            key,
            media_type,
            stored.content_hash,
            MAX_PROOFS,
        )
        .execute(&self.pool)
        .await?;
        if inserted.rows_affected() == 1 {
            return Ok(Kept::New);
        }
        Ok(self.proof(proof.id).await?.map_or(Kept::Refused, |earlier| Kept::Earlier(Box::new(earlier))))
    }

    /// One proof.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn proof(&self, id: Uuid) -> Result<Option<StoredProof>, StoreError> {
        let row = sqlx::query_as!(
            ProofRow,
            "select id, order_id, kind, taken_at, name, image_key, media_type, content_hash from proofs where id = $1",
            id
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(StoredProof::from))
    }

    /// Every proof of an order, oldest first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn proofs_of(&self, order: OrderId) -> Result<Vec<Proof>, StoreError> {
        let rows = sqlx::query_as!(
            ProofRow,
            "select id, order_id, kind, taken_at, name, image_key, media_type, content_hash \
             from proofs where order_id = $1 order by received_at, id",
            order.as_uuid()
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| StoredProof::from(row).proof).collect())
    }

    /// Deletes proofs that came before `before`, and returns the pictures that are not needed any more.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn forget_proofs(&self, before: DateTime<Utc>) -> Result<Vec<ProofKey>, StoreError> {
        let keys = sqlx::query_scalar!("delete from proofs where received_at < $1 returning image_key", before)
            .fetch_all(&self.pool)
            .await?;
        Ok(keys.into_iter().flatten().filter_map(|key| ProofKey::from_text(&key)).collect())
    }

    /// Those of `keys` that belong to no proof.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn orphaned_pictures(&self, keys: Vec<ProofKey>) -> Result<Vec<ProofKey>, StoreError> {
        let texts: Vec<String> = keys.iter().map(|key| key.as_str().to_owned()).collect();
        let known =
            sqlx::query_scalar!(r#"select image_key as "image_key!" from proofs where image_key = any($1)"#, &texts)
                .fetch_all(&self.pool)
                .await?;
        let known: std::collections::HashSet<_> = known.into_iter().collect();
        Ok(keys.into_iter().filter(|key| !known.contains(key.as_str())).collect())
    }
}

/// The proofs that an order asks for and does not have yet. Those of an attempt that failed prove nothing of the next one.
pub(super) async fn missing_proofs(
    connection: &mut PgConnection,
    order: OrderId,
) -> Result<Vec<ProofKind>, StoreError> {
    let missing = sqlx::query_scalar!(
        r#"select kind as "kind!" from unnest((select proof_wanted from orders where id = $1)) as wanted (kind)
           where not exists (
               select 1 from proofs where order_id = $1 and proofs.kind = wanted.kind
                 and taken_at >= coalesce((select max(happened_at) from order_events
                     where order_id = $1 and order_events.kind = 'attempt'), '-infinity'))"#,
        order.as_uuid()
    )
    .fetch_all(connection)
    .await?;
    Ok(kinds_of(&missing))
}
