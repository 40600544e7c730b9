//! The use cases of API keys: an admin or the command line makes them, gives them another secret and takes them back.
//!
//! A secret is told once and kept as a hash. The database changes first and sockets close second, on every instance, by
//! the notification that the change sends.

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{
    ApiKeyId,
    api::keys::{ApiKeySecret, ApiKeyView, MAX_OVERLAP_S, Scope},
};

use crate::{
    domain::order::Actor,
    platform::token,
    store::{
        Store, StoreError,
        api_keys::{NewApiKey, Rotation},
    },
};

/// The longest name of a key, in characters.
pub const MAX_NAME_CHARACTERS: usize = 100;

/// A key that somebody wants.
#[derive(Clone, Debug)]
pub struct WantedApiKey {
    /// What it is for.
    pub name: String,
    /// What it may do; everything, when empty.
    pub scopes: Vec<Scope>,
    /// From when on it opens nothing.
    pub expires_at: Option<DateTime<Utc>>,
    /// Who makes it; `None` for the command line.
    pub by: Option<Actor>,
}

/// Why a key got no other secret.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// There is no such key.
    #[error("there is no such key")]
    Unknown,
    /// It was taken back, for good.
    #[error("the key was revoked; make a new one")]
    Revoked,
    /// A new secret would open nothing.
    #[error("the key has expired; say until when it works from now on")]
    Expired,
    /// The overlap is too long.
    #[error("both secrets may work for {MAX_OVERLAP_S} s at most")]
    Overlap,
    /// The database is away.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a key.
///
/// # Errors
/// When the database is away.
pub async fn create(store: &Store, wanted: WantedApiKey, now: DateTime<Utc>) -> Result<ApiKeySecret, StoreError> {
    let scopes = if wanted.scopes.is_empty() { Scope::ALL.to_vec() } else { wanted.scopes };
    let secret = token::new_api_key();
    let key = NewApiKey {
        id: ApiKeyId::new(),
        name: wanted.name.trim().to_owned(),
        token_hash: token::hash(&secret),
        scopes: scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
        created_at: now,
        created_by: wanted.by.map(|by| by.to_string()),
        expires_at: wanted.expires_at,
    };
    let api_key = store.create_api_key(&key).await?;
    Ok(ApiKeySecret { secret, api_key })
}

/// Gives a key another secret. The one until now goes on working for `overlap`, and ends at once when that is zero.
///
/// # Errors
/// [`RotateError`]; nothing was changed then.
pub async fn rotate(
    store: &Store,
    id: ApiKeyId,
    overlap: TimeDelta,
    expires_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<ApiKeySecret, RotateError> {
    if overlap < TimeDelta::zero() || overlap > TimeDelta::seconds(i64::from(MAX_OVERLAP_S)) {
        return Err(RotateError::Overlap);
    }
    let key = store.api_key(id).await?.ok_or(RotateError::Unknown)?;
    check_rotatable(&key, expires_at, now)?;
    let secret = token::new_api_key();
    let former_until = (overlap > TimeDelta::zero()).then(|| now + overlap);
    let rotation = Rotation { token_hash: token::hash(&secret), former_until, expires_at };
    let api_key = store.rotate_api_key(id, &rotation).await?.ok_or(RotateError::Revoked)?;
    Ok(ApiKeySecret { secret, api_key })
}

fn check_rotatable(key: &ApiKeyView, expires_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<(), RotateError> {
    match expires_at.or(key.expires_at) {
        _ if key.revoked_at.is_some() => Err(RotateError::Revoked),
        Some(expires_at) if expires_at <= now => Err(RotateError::Expired),
        _ => Ok(()),
    }
}

/// Takes a key back for good. Repeating it changes nothing. `false` when there is no such key.
///
/// # Errors
/// When the database is away.
pub async fn revoke(store: &Store, id: ApiKeyId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    Ok(store.revoke_api_key(id, now).await?.is_some())
}
