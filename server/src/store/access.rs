//! People, their sessions, API keys, and answers kept for repeated requests.

use chrono::{DateTime, Utc};
use doorstep_shared::UserId;
use uuid::Uuid;

use super::{Store, StoreError};

/// What somebody at the console may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything, including couriers and people.
    Admin,
    /// Orders and the fleet.
    Dispatcher,
}

impl Role {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Dispatcher => "dispatcher",
        }
    }

    pub(super) fn from_column(word: &str) -> Self {
        if word == "admin" { Self::Admin } else { Self::Dispatcher }
    }
}

/// Somebody who signs in.
#[derive(Clone, Debug)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Their address, in lower case.
    pub email: String,
    /// Argon2id, in PHC form.
    pub password_hash: String,
    /// What they may do.
    pub role: Role,
}

/// A program's key.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Its id.
    pub id: Uuid,
    /// What it may do.
    pub scopes: Vec<String>,
}

/// What an earlier request with the same idempotency key was answered.
#[derive(Clone, Debug)]
pub struct KeptAnswer {
    /// SHA-256 of that request.
    pub request_hash: Vec<u8>,
    /// The HTTP status; 0 while the first request is still being worked on.
    pub status: i16,
    /// The body.
    pub body: Vec<u8>,
}

impl Store {
    /// Adds a person; `false` when the address is taken.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn create_user(&self, user: &User) -> Result<bool, StoreError> {
        let done = sqlx::query!(
            "insert into users (id, email, password_hash, role) values ($1, $2, $3, $4) on conflict (email) do nothing",
            user.id.as_uuid(),
            user.email,
            user.password_hash,
            user.role.as_str()
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The person with an address, unless they were disabled.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        let row = sqlx::query!(
            "select id, email, password_hash, role from users where email = $1 and disabled_at is null",
            email
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| User {
            id: UserId::from_uuid(row.id),
            email: row.email,
            password_hash: row.password_hash,
            role: Role::from_column(&row.role),
        }))
    }

    /// Starts a session of somebody whose password was found to be right; `false` when it was replaced meanwhile, or
    /// they were disabled. Whoever replaces a password waits for this, or this for them, so that no session slips
    /// between the new password and the end of all sessions.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn create_session(
        &self,
        token_hash: &[u8],
        user: &User,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query!(
            "with proven as ( \
                 select id from users where id = $2 and password_hash = $5 and disabled_at is null for share) \
             insert into sessions (token_hash, user_id, created_at, last_used_at, expires_at) \
             select $1, id, $3, $3, $4 from proven",
            token_hash,
            user.id.as_uuid(),
            now,
            expires_at,
            user.password_hash
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn delete_session(&self, token_hash: &[u8]) -> Result<(), StoreError> {
        sqlx::query!("delete from sessions where token_hash = $1", token_hash).execute(&self.pool).await?;
        Ok(())
    }

    /// Adds an API key.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn create_api_key(
        &self,
        id: Uuid,
        name: &str,
        token_hash: &[u8],
        scopes: &[String],
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into api_keys (id, name, token_hash, scopes) values ($1, $2, $3, $4)",
            id,
            name,
            token_hash,
            scopes
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Ends a key's life. What it did stays attributed to it.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn revoke_api_key(&self, token_hash: &[u8]) -> Result<(), StoreError> {
        sqlx::query!("update api_keys set revoked_at = now() where token_hash = $1 and revoked_at is null", token_hash)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The key with this secret, unless it was revoked.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn api_key_by_token(&self, token_hash: &[u8]) -> Result<Option<ApiKey>, StoreError> {
        let row = sqlx::query_as!(
            ApiKey,
            "select id, scopes from api_keys where token_hash = $1 and revoked_at is null",
            token_hash
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row)
    }

    /// Reserves an idempotency key for a new request, or returns what its first use was answered.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn begin_idempotent(
        &self,
        principal: &str,
        key: &str,
        request_hash: &[u8],
    ) -> Result<Option<KeptAnswer>, StoreError> {
        let reserved = sqlx::query!(
            "insert into idempotency_keys (principal, key, request_hash, status, body) values ($1, $2, $3, 0, '') \
             on conflict do nothing",
            principal,
            key,
            request_hash
        )
        .execute(&self.pool)
        .await?;
        if reserved.rows_affected() == 1 {
            return Ok(None);
        }
        let kept = sqlx::query_as!(
            KeptAnswer,
            "select request_hash, status, body from idempotency_keys where principal = $1 and key = $2",
            principal,
            key
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(kept)
    }

    /// Keeps the answer to a request, or forgets the reservation when there is none worth keeping.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn finish_idempotent(
        &self,
        principal: &str,
        key: &str,
        answer: Option<(i16, &[u8])>,
    ) -> Result<(), StoreError> {
        match answer {
            Some((status, body)) => {
                sqlx::query!(
                    "update idempotency_keys set status = $3, body = $4 where principal = $1 and key = $2",
                    principal,
                    key,
                    status,
                    body
                )
                .execute(&self.pool)
                .await?
            }
            None => {
                sqlx::query!("delete from idempotency_keys where principal = $1 and key = $2", principal, key)
                    .execute(&self.pool)
                    .await?
            }
        };
        Ok(())
    }

    /// Forgets sessions that ran out and idempotency keys older than a day.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn forget_expired(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query!("delete from sessions where expires_at <= $1", now).execute(&self.pool).await?;
        sqlx::query!("delete from idempotency_keys where created_at < $1::timestamptz - interval '1 day'", now)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
