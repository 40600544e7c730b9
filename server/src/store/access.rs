//! People, their sessions, and answers kept for repeated requests.
//!
//! An idempotency key is held by the request that works on it, and renewed while it does; its answer is kept sealed.

use chrono::{DateTime, Utc};
use doorstep_shared::UserId;
use uuid::Uuid;

use super::{Store, StoreError};

/// How often a request tries to reserve an idempotency key that its holder releases meanwhile, before the key counts as
/// taken.
const RESERVE_TRIES: u32 = 3;

/// What a person at the console may do.
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

/// A person who signs in.
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

/// An answer to keep for a repeat of its request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: i16,
    /// The body, sealed.
    pub body: Vec<u8>,
    /// What it is about: the ids in it, in any order. With an order or a courier that is erased, their answers go, too.
    pub about: Vec<Uuid>,
}

/// The answer to an earlier request with the same idempotency key.
#[derive(Clone, Debug)]
pub struct KeptAnswer {
    /// SHA-256 of that request.
    pub request_hash: Vec<u8>,
    /// The HTTP status; 0 while the first request is still being worked on.
    pub status: i16,
    /// The body; while the first request is still being worked on, the id of its holder.
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

    /// Starts a session of a person whose password was right; `false` when it was replaced meanwhile, or they were
    /// disabled. This and a replacement of the password wait for each other, so that no session slips in between the
    /// new password and the end of all sessions.
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

    /// Ends a session. Gives whose it was; `None` when there was none.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn delete_session(&self, token_hash: &[u8]) -> Result<Option<UserId>, StoreError> {
        let user = sqlx::query_scalar!("delete from sessions where token_hash = $1 returning user_id", token_hash)
            .fetch_optional(&self.pool)
            .await?;
        Ok(user.map(UserId::from_uuid))
    }

    /// Reserves an idempotency key for a new request, or returns the answer to its first use. The same request takes
    /// over a reservation that was not renewed for a minute: its holder is gone.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn begin_idempotent(
        &self,
        principal: &str,
        key: &str,
        request_hash: &[u8],
        lease: Uuid,
    ) -> Result<Option<KeptAnswer>, StoreError> {
        for _ in 0..RESERVE_TRIES {
            if self.reserve(principal, key, request_hash, lease).await? {
                return Ok(None);
            }
            if let Some(kept) = self.kept_answer(principal, key).await? {
                return Ok(Some(kept));
            }
            // Released between the two statements: the first request failed, and the key is free again.
        }
        Ok(Some(KeptAnswer { request_hash: request_hash.to_vec(), status: 0, body: Vec::new() }))
    }

    async fn reserve(&self, principal: &str, key: &str, request_hash: &[u8], lease: Uuid) -> Result<bool, StoreError> {
        let reserved = sqlx::query!(
            "insert into idempotency_keys as held (principal, key, request_hash, status, body) \
             values ($1, $2, $3, 0, $4) \
             on conflict (principal, key) do update set created_at = now(), body = excluded.body \
             where held.status = 0 and held.created_at < now() - interval '1 minute' \
               and held.request_hash = excluded.request_hash",
            principal,
            key,
            request_hash,
            &lease.as_bytes()[..]
        )
        .execute(&self.pool)
        .await?;
        Ok(reserved.rows_affected() == 1)
    }

    async fn kept_answer(&self, principal: &str, key: &str) -> Result<Option<KeptAnswer>, StoreError> {
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

    /// Renews the reservation of a request that is still being worked on.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn renew_idempotent(&self, principal: &str, key: &str, lease: Uuid) -> Result<(), StoreError> {
        sqlx::query!(
            "update idempotency_keys set created_at = now() where principal = $1 and key = $2 and status = 0 and body = $3",
            principal,
            key,
            &lease.as_bytes()[..]
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Keeps the answer to a request, or drops the reservation when there is no answer worth keeping. Does nothing when
    /// another request holds the key by now.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn finish_idempotent(
        &self,
        principal: &str,
        key: &str,
        lease: Uuid,
        answer: Option<&Answer>,
    ) -> Result<(), StoreError> {
        let lease = &lease.as_bytes()[..];
        match answer {
            Some(answer) => {
                sqlx::query!(
                    "update idempotency_keys set status = $3, body = $4, about = $6 \
                     where principal = $1 and key = $2 and status = 0 and body = $5",
                    principal,
                    key,
                    answer.status,
                    answer.body,
                    lease,
                    &answer.about
                )
                .execute(&self.pool)
                .await?
            }
            None => {
                sqlx::query!(
                    "delete from idempotency_keys where principal = $1 and key = $2 and status = 0 and body = $3",
                    principal,
                    key,
                    lease
                )
                .execute(&self.pool)
                .await?
            }
        };
        Ok(())
    }

    /// Deletes sessions that ran out and idempotency keys older than a day.
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
