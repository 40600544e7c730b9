//! API keys. Their secrets are kept as hashes; a key has two while one replaces the other.

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{
    ApiKeyId,
    api::keys::{ApiKeyView, Scope},
};

use super::{
    Store, StoreError,
    ended_credentials::{Ended, announce},
};
use crate::platform::token::SecretHash;

/// The last use of a key is known to the minute, so that a busy program costs no write for each request.
const USE_NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// A key that opens something.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What it may do.
    pub scopes: Vec<String>,
}

/// A key to add.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// SHA-256 of its secret.
    pub token_hash: SecretHash,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it is made.
    pub created_at: DateTime<Utc>,
    /// `user:…`, unless the command line makes it.
    pub created_by: Option<String>,
    /// From when on it opens nothing.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Another secret for a key.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    /// SHA-256 of the new secret.
    pub token_hash: SecretHash,
    /// Until when the secret until now goes on working; `None` to end it at once.
    pub former_until: Option<DateTime<Utc>>,
    /// From when on the key opens nothing; `None` for as before.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Store {
    /// Adds an API key, and gives it as it is shown.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn create_api_key(&self, key: &NewApiKey) -> Result<ApiKeyView, StoreError> {
        sqlx::query!(
            "insert into api_keys (id, name, token_hash, scopes, created_at, created_by, expires_at) \
             values ($1, $2, $3, $4, $5, $6, $7)",
            key.id.as_uuid(),
            key.name,
            &key.token_hash[..],
            &key.scopes,
            key.created_at,
            key.created_by,
            key.expires_at,
        )
        .execute(&self.pool)
        .await?;
        Ok(self.api_key(key.id).await?.ok_or(sqlx::Error::RowNotFound)?)
    }

    /// The key with this secret, while it works; notes that it is used.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn api_key_by_token(
        &self,
        token_hash: &SecretHash,
        now: DateTime<Utc>,
    ) -> Result<Option<ApiKey>, StoreError> {
        let row = sqlx::query!(
            "select id, scopes, last_used_at from api_keys \
             where (token_hash = $1 or former_token_hash = $1 and former_until > $2) \
               and revoked_at is null and (expires_at is null or expires_at > $2)",
            &token_hash[..],
            now,
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let id = ApiKeyId::from_uuid(row.id);
        if row.last_used_at.is_none_or(|used| used < now - USE_NOTED_EVERY) {
            self.note_api_key_use(&[id], now).await?;
        }
        Ok(Some(ApiKey { id, scopes: row.scopes }))
    }

    /// Those of these secrets of keys that still work.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn working_key_secrets(
        &self,
        token_hashes: &[Vec<u8>],
        now: DateTime<Utc>,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let hashes = sqlx::query_scalar!(
            r#"select held.hash as "hash!" from unnest($1::bytea[]) as held (hash)
               join api_keys k on k.token_hash = held.hash or k.former_token_hash = held.hash and k.former_until > $2
               where k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)"#,
            token_hashes,
            now,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(hashes)
    }

    /// Notes that these keys are being used.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn note_api_key_use(&self, ids: &[ApiKeyId], now: DateTime<Utc>) -> Result<(), StoreError> {
        let ids: Vec<_> = ids.iter().map(|id| *id.as_uuid()).collect();
        sqlx::query!("update api_keys set last_used_at = $2 where id = any($1)", &ids, now).execute(&self.pool).await?;
        Ok(())
    }

    /// At most `limit` keys, the newest first, those made before `before`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn api_keys_page(&self, before: Option<ApiKeyId>, limit: i64) -> Result<Vec<ApiKeyView>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            "select k.id as \"id!\", k.name as \"name!\", k.scopes as \"scopes!\", k.created_at as \"created_at!\", \
                 u.email as \"created_by?\", k.expires_at, k.last_used_at, k.revoked_at, k.former_until \
             from api_keys k left join users u on k.created_by = 'user:' || u.id \
             where $1::uuid is null or k.id < $1 order by k.id desc limit $2",
            before.map(|id| *id.as_uuid()),
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(ApiKeyView::from).collect())
    }

    /// A key, also one that ended.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn api_key(&self, id: ApiKeyId) -> Result<Option<ApiKeyView>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            "select k.id as \"id!\", k.name as \"name!\", k.scopes as \"scopes!\", k.created_at as \"created_at!\", \
                 u.email as \"created_by?\", k.expires_at, k.last_used_at, k.revoked_at, k.former_until \
             from api_keys k left join users u on k.created_by = 'user:' || u.id where k.id = $1",
            id.as_uuid(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(ApiKeyView::from))
    }

    /// Revokes an API key with all its secrets, and announces it. What it did stays attributed to it. Repeating it
    /// changes nothing. `None` when there is no such key, else whether it was not revoked before.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn revoke_api_key(&self, id: ApiKeyId, now: DateTime<Utc>) -> Result<Option<bool>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let before = sqlx::query_scalar!(
            r#"select revoked_at is null as "works!" from api_keys where id = $1 for update"#,
            id.as_uuid()
        )
        .fetch_optional(&mut *transaction)
        .await?;
        if before == Some(true) {
            sqlx::query!(
                "update api_keys set revoked_at = $2, former_token_hash = null, former_until = null where id = $1",
                id.as_uuid(),
                now
            )
            .execute(&mut *transaction)
            .await?;
            announce(&mut transaction, Ended::ApiKey(id)).await?;
        }
        transaction.commit().await?;
        Ok(before)
    }

    /// Gives a key another secret, and announces that the former ends or will. `None` when there is no such key, or it
    /// was revoked.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn rotate_api_key(&self, id: ApiKeyId, rotation: &Rotation) -> Result<Option<ApiKeyView>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query!(
            "update api_keys set former_token_hash = case when $3::timestamptz is not null then token_hash end, \
                 former_until = $3, token_hash = $2, expires_at = coalesce($4, expires_at) \
             where id = $1 and revoked_at is null",
            id.as_uuid(),
            &rotation.token_hash[..],
            rotation.former_until,
            rotation.expires_at,
        )
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        announce(&mut transaction, Ended::ApiKey(id)).await?;
        transaction.commit().await?;
        self.api_key(id).await
    }
}

struct Row {
    id: uuid::Uuid,
    name: String,
    scopes: Vec<String>,
    created_at: DateTime<Utc>,
    created_by: Option<String>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    former_until: Option<DateTime<Utc>>,
}

impl From<Row> for ApiKeyView {
    fn from(row: Row) -> Self {
        Self {
            id: ApiKeyId::from_uuid(row.id),
            name: row.name,
            // A later version may know more of them.
            scopes: row.scopes.iter().filter_map(|word| word.parse::<Scope>().ok()).collect(),
            created_at: row.created_at,
            created_by: row.created_by,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
            former_until: row.former_until,
        }
    }
}
