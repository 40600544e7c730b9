//! Proof of delivery: what a courier brings back from the door.
//!
//! A phone may send the same proof again and again; it is kept once. Pictures go through [`picture`] or [`signature`],
//! so that the server stores and serves only what it wrote itself; a [`files::ProofStore`] keeps them under names that
//! cannot be guessed, and only rows of the database lead to them. A wrong PIN leaves only a count.

pub mod files;
pub mod uploads;

use std::{io, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{
    CourierId, OrderId, OrderStatus,
    api::proof::{ProofBody, ProofKind},
    text::is_plain,
};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use uuid::Uuid;

use files::ProofStore;

use crate::{
    domain::proof::{
        Proof, ProofKey,
        picture::{self, PictureError},
        pin, signature,
    },
    platform::{
        clock::{Clock, from_ms, is_usable},
        password,
    },
    store::{
        Store, StoreError,
        proofs::{AtTheDoor, Kept, PinAttempt, StoredProof},
    },
};

/// Pictures decoded at once; each may take some hundred megabytes. Others wait.
const DECODING_AT_ONCE: usize = 2;

/// How long after an order is delivered or failed a phone may still send what was recorded at the door.
const LATE: TimeDelta = TimeDelta::minutes(15);

/// A picture without a row is either about to get one or left over from a crash.
const ORPHAN_AFTER: Duration = Duration::from_secs(3_600);

/// What a phone sent.
#[derive(Clone, Debug)]
pub enum Given {
    /// A photo, as the phone sent it.
    Photo {
        /// JPEG, PNG or WebP.
        bytes: Vec<u8>,
        /// When it was taken, Unix epoch milliseconds; `None` means now.
        taken_ms: Option<i64>,
    },
    /// Any other proof.
    Words(ProofBody),
}

/// Why a proof was refused.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// No such order, or not this courier's.
    #[error("there is no such order")]
    UnknownOrder,
    /// The order is not at the door, or was there too long ago.
    #[error("order {reference} takes no proof now: it is {}", status.as_str().replace('_', " "))]
    NotNow {
        /// The merchant's name for it.
        reference: String,
        /// Its status.
        status: OrderStatus,
    },
    /// Another proof has this id.
    #[error("another proof has this id")]
    Conflict,
    /// The order has as many proofs as it takes.
    #[error("this order has enough proofs")]
    Enough,
    /// It is not the customer's PIN.
    #[error("the PIN for order {reference} is not right")]
    WrongPin {
        /// The merchant's name for it.
        reference: String,
    },
    /// Too many wrong PINs.
    #[error("too many wrong PINs; wait a little")]
    TooManyAttempts {
        /// Seconds from now.
        retry_after_s: u32,
    },
    /// The picture is not one, or too large.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// A field is not valid.
    #[error("{field} {message}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What is wrong with it.
        message: &'static str,
    },
    /// The database is away.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The picture could not be kept or read.
    #[error("the proof store failed")]
    Files(#[source] io::Error),
}

/// The outcome of receiving a proof.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// It is new and kept.
    New(Proof),
    /// It was there already.
    Again(Proof),
}

/// The use cases of proofs. Shared by reference.
#[derive(Debug)]
pub struct Proofs {
    store: Store,
    pictures: Arc<dyn ProofStore>,
    clock: Clock,
    decoding: Arc<Semaphore>,
}

impl Proofs {
    /// The use cases over these means.
    pub fn new(store: Store, pictures: Arc<dyn ProofStore>, clock: Clock) -> Self {
        Self { store, pictures, clock, decoding: Arc::new(Semaphore::new(DECODING_AT_ONCE)) }
    }

    /// Checks that an order is this courier's, before its photo is read.
    ///
    /// # Errors
    /// [`ProofError::UnknownOrder`] when it is not.
    pub async fn check_courier(&self, courier: CourierId, order: OrderId) -> Result<(), ProofError> {
        let at = self.store.at_the_door(order).await?.filter(|at| at.courier == Some(courier));
        at.map(drop).ok_or(ProofError::UnknownOrder)
    }

    /// Receives a proof from the phone of the order's courier. It is durable when this returns.
    ///
    /// # Errors
    /// [`ProofError`]; nothing was kept then. Only [`ProofError::Store`], [`ProofError::Files`] and
    /// [`ProofError::TooManyAttempts`] are worth another attempt.
    /// # Cancel safety
    /// A dropped future may leave a picture without a row, which housekeeping removes; the phone sends it again.
    pub async fn receive(
        &self,
        courier: CourierId,
        order: OrderId,
        id: Uuid,
        given: Given,
    ) -> Result<Received, ProofError> {
        let at = self.store.at_the_door(order).await?.filter(|at| at.courier == Some(courier));
        let at = at.ok_or(ProofError::UnknownOrder)?;
        let hash = content_hash(&given);
        if let Some(earlier) = self.store.proof(id).await? {
            return same(earlier, order, &hash);
        }
        self.check_door(&at)?;
        let proof = self.make(order, id, given, &at).await?;
        let stored = StoredProof { order, content_hash: hash.clone(), proof };
        match self.store.keep_proof(&stored, courier, self.clock.now()).await {
            Ok(Kept::New) => Ok(Received::New(stored.proof)),
            Ok(Kept::Earlier(earlier)) => {
                self.forget_picture(&stored.proof).await;
                same(*earlier, order, &hash)
            }
            Ok(Kept::Refused) => {
                self.forget_picture(&stored.proof).await;
                Err(ProofError::Enough)
            }
            Err(error) => {
                // The row may have been written all the same, so the picture stays; housekeeping finds it if it was
                // not.
                Err(error.into())
            }
        }
    }

    fn check_door(&self, at: &AtTheDoor) -> Result<(), ProofError> {
        let is_late =
            matches!(at.status, OrderStatus::Delivered | OrderStatus::Failed) && self.clock.now() - at.status_at < LATE;
        if matches!(at.status, OrderStatus::PickedUp | OrderStatus::AtDropoff) || is_late {
            return Ok(());
        }
        Err(ProofError::NotNow { reference: at.reference.clone(), status: at.status })
    }

    async fn make(&self, order: OrderId, id: Uuid, given: Given, at: &AtTheDoor) -> Result<Proof, ProofError> {
        match given {
            Given::Photo { bytes, taken_ms } => {
                let taken_at = self.plausible_time(taken_ms)?;
                let picture = Some(self.keep_photo(bytes).await?);
                Ok(Proof { id, kind: ProofKind::Photo, taken_at, name: None, picture })
            }
            Given::Words(ProofBody::Signature { name, strokes, taken_ms }) => {
                let taken_at = self.plausible_time(Some(taken_ms))?;
                let name = Some(signer(&name)?);
                let picture = self.keep_signature(&strokes).await?;
                Ok(Proof { id, kind: ProofKind::Signature, taken_at, name, picture })
            }
            Given::Words(ProofBody::Pin { pin, taken_ms }) => {
                let taken_at = self.plausible_time(Some(taken_ms))?;
                self.check_pin(order, pin, at).await?;
                Ok(Proof { id, kind: ProofKind::Pin, taken_at, name: None, picture: None })
            }
        }
    }

    async fn keep_photo(&self, bytes: Vec<u8>) -> Result<(ProofKey, String), ProofError> {
        let turn = Arc::clone(&self.decoding).acquire_owned().await.expect("the semaphore is never closed");
        // The permit moves along: decoding cannot be stopped when the phone hangs up, and counts until it ends.
        let cleaning = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            picture::clean(&bytes)
        });
        let cleaned = cleaning.await;
        // A decoder that panics met a picture that it cannot read.
        let jpeg = cleaned.unwrap_or(Err(PictureError::Damaged))?;
        self.keep(jpeg, picture::MEDIA_TYPE).await
    }

    /// A typed name without strokes has no picture.
    async fn keep_signature(&self, strokes: &[Vec<[f32; 2]>]) -> Result<Option<(ProofKey, String)>, ProofError> {
        let svg = signature::draw(strokes).map_err(|message| ProofError::Field { field: "strokes", message })?;
        if strokes.iter().all(Vec::is_empty) {
            return Ok(None);
        }
        self.keep(svg, signature::MEDIA_TYPE).await.map(Some)
    }

    async fn keep(&self, bytes: Vec<u8>, media_type: &str) -> Result<(ProofKey, String), ProofError> {
        let key = ProofKey::new();
        self.pictures.put(&key, bytes).await.map_err(ProofError::Files)?;
        Ok((key, media_type.to_owned()))
    }

    async fn check_pin(&self, order: OrderId, pin: String, at: &AtTheDoor) -> Result<(), ProofError> {
        if !pin::is_pin(&pin) {
            return Err(ProofError::Field { field: "pin", message: "must be four digits" });
        }
        let hash = match self.store.begin_pin_attempt(order, self.clock.now()).await? {
            PinAttempt::Allowed { hash } => hash,
            PinAttempt::NotAsked => {
                return Err(ProofError::Field { field: "pin", message: "is not asked by this order" });
            }
            PinAttempt::Wait { retry_after_s } => return Err(ProofError::TooManyAttempts { retry_after_s }),
        };
        if !password::verify_pin(pin, hash).await.unwrap_or(false) {
            return Err(ProofError::WrongPin { reference: at.reference.clone() });
        }
        self.store.forget_pin_attempts(order).await?;
        Ok(())
    }

    /// When the phone took it, but not in the server's future.
    fn plausible_time(&self, taken_ms: Option<i64>) -> Result<DateTime<Utc>, ProofError> {
        let now = self.clock.now();
        let taken_at = taken_ms.map_or(now, from_ms).min(now);
        match is_usable(taken_at) {
            true => Ok(taken_at),
            false => Err(ProofError::Field { field: "taken_ms", message: "must be a time" }),
        }
    }

    /// A proof's picture and its media type; `None` when it has none.
    ///
    /// # Errors
    /// When the proof store cannot be read.
    pub async fn picture(&self, proof: &Proof) -> Result<Option<(Vec<u8>, String)>, ProofError> {
        let Some((key, media_type)) = &proof.picture else { return Ok(None) };
        let bytes = self.pictures.get(key).await.map_err(ProofError::Files)?;
        Ok(bytes.map(|bytes| (bytes, media_type.clone())))
    }

    /// Deletes proofs that came before `before`, and pictures without a proof. The next call tries again what failed.
    ///
    /// # Errors
    /// When the database is away or the proof store cannot be listed.
    pub async fn forget(&self, before: DateTime<Utc>) -> Result<(), ProofError> {
        let expired = self.store.forget_proofs(before).await?;
        let old = self.pictures.keys(ORPHAN_AFTER).await.map_err(ProofError::Files)?;
        let orphans = self.store.orphaned_pictures(old).await?;
        for key in expired.iter().chain(&orphans) {
            self.pictures.delete(key).await.map_err(ProofError::Files)?;
        }
        Ok(())
    }

    async fn forget_picture(&self, proof: &Proof) {
        if let Some((key, _)) = &proof.picture
            && let Err(error) = self.pictures.delete(key).await
        {
            tracing::warn!(error = %error, "a picture without a proof could not be removed yet");
        }
    }
}

fn same(earlier: StoredProof, order: OrderId, hash: &[u8]) -> Result<Received, ProofError> {
    let is_same = earlier.order == order && earlier.content_hash == hash;
    if is_same { Ok(Received::Again(earlier.proof)) } else { Err(ProofError::Conflict) }
}

fn signer(name: &str) -> Result<String, ProofError> {
    let name = name.trim();
    let fits = (1..=100).contains(&name.chars().count()) && !name.contains('\n') && name.chars().all(is_plain);
    if fits {
        return Ok(name.to_owned());
    }
    Err(ProofError::Field { field: "name", message: "must have 1 to 100 characters, none of them control characters" })
}

/// A PIN itself is not hashed: trying four digits takes no time.
fn content_hash(given: &Given) -> Vec<u8> {
    let mut hasher = Sha256::new();
    match given {
        Given::Photo { bytes, .. } => hasher.update(bytes),
        Given::Words(ProofBody::Pin { .. }) => hasher.update("pin"),
        Given::Words(words) => hasher.update(serde_json::to_vec(words).unwrap_or_default()),
    }
    hasher.finalize().to_vec()
}
