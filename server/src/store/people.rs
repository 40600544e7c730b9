//! People at the console and their sessions.
//!
//! Another process may disable a person, `doorstep user disable`; every server learns of it through
//! [`super::ended_credentials`].

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::UserId;
use uuid::Uuid;

use super::{
    Store, StoreError,
    access::Role,
    ended_credentials::{Ended, announce},
};

/// When a session ends by itself.
#[derive(Clone, Copy, Debug)]
pub struct Lifetime {
    /// After this long, however much it is used.
    pub absolute: TimeDelta,
    /// After this long without use.
    pub idle: TimeDelta,
    /// Use is written down this often.
    pub noted: TimeDelta,
}

/// A person's session, while it lasts.
#[derive(Clone, Debug)]
pub struct Session {
    /// The person.
    pub user: UserId,
    /// Their address.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// When it ends however much it is used.
    pub expires_at: DateTime<Utc>,
}

/// A person as the command line lists them.
#[derive(Clone, Debug)]
pub struct Person {
    /// Their address.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// When they were added.
    pub created_at: DateTime<Utc>,
    /// When they last used a session that is still there.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Since when they may not sign in.
    pub disabled_at: Option<DateTime<Utc>>,
}

impl Store {
    /// The session with this secret, while it lasts; writes down that it is used.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn session(
        &self,
        token_hash: &[u8],
        now: DateTime<Utc>,
        lifetime: Lifetime,
    ) -> Result<Option<Session>, StoreError> {
        let row = sqlx::query!(
            "select u.id, u.email, u.role, s.expires_at, s.last_used_at from sessions s join users u on u.id = s.user_id \
             where s.token_hash = $1 and s.expires_at > $2 and s.last_used_at > $3 and u.disabled_at is null",
            token_hash,
            now,
            now - lifetime.idle,
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else { return Ok(None) };
        if row.last_used_at < now - lifetime.noted {
            self.note_use(&[token_hash.to_vec()], now).await?;
        }
        Ok(Some(Session {
            user: UserId::from_uuid(row.id),
            email: row.email,
            role: Role::from_column(&row.role),
            expires_at: row.expires_at,
        }))
    }

    /// Those of these sessions that still last.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn lasting_sessions(
        &self,
        token_hashes: &[Vec<u8>],
        now: DateTime<Utc>,
        lifetime: Lifetime,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let hashes = sqlx::query_scalar!(
            "select s.token_hash from sessions s join users u on u.id = s.user_id \
             where s.token_hash = any($1) and s.expires_at > $2 and s.last_used_at > $3 and u.disabled_at is null",
            token_hashes,
            now,
            now - lifetime.idle,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(hashes)
    }

    /// Notes that these sessions are being used.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn note_use(&self, token_hashes: &[Vec<u8>], now: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query!("update sessions set last_used_at = $2 where token_hash = any($1)", token_hashes, now)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Every person, by address.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn people(&self) -> Result<Vec<Person>, StoreError> {
        let rows = sqlx::query!(
            "select u.email, u.role, u.created_at, u.disabled_at, max(s.last_used_at) as last_used_at \
             from users u left join sessions s on s.user_id = u.id group by u.id order by u.email"
        )
        .fetch_all(&self.pool)
        .await?;
        let person = |email, role: String, created_at, last_used_at, disabled_at| Person {
            email,
            role: Role::from_column(&role),
            created_at,
            last_used_at,
            disabled_at,
        };
        let rows = rows.into_iter();
        Ok(rows.map(|row| person(row.email, row.role, row.created_at, row.last_used_at, row.disabled_at)).collect())
    }

    /// Enables or disables a person; disabling ends all their sessions. `false` when there is no person with the
    /// address.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn set_user_disabled(&self, email: &str, disabled: bool) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let id = sqlx::query_scalar!(
            "update users set disabled_at = case when $2 then coalesce(disabled_at, now()) end where email = $1 returning id",
            email,
            disabled
        )
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(id) = id.filter(|_| disabled) {
            end_sessions_of(&mut transaction, id).await?;
        }
        transaction.commit().await?;
        Ok(id.is_some())
    }

    /// Replaces a person's password and ends all their sessions, so that the old password opens nothing any more.
    /// `false` when there is no person with the address.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn set_password(&self, email: &str, password_hash: &str) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let id = sqlx::query_scalar!(
            "update users set password_hash = $2 where email = $1 returning id",
            email,
            password_hash
        )
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(id) = id {
            end_sessions_of(&mut transaction, id).await?;
        }
        transaction.commit().await?;
        Ok(id.is_some())
    }
}

async fn end_sessions_of(connection: &mut sqlx::PgConnection, user: Uuid) -> Result<(), StoreError> {
    sqlx::query!("delete from sessions where user_id = $1", user).execute(&mut *connection).await?;
    announce(connection, Ended::Person(UserId::from_uuid(user))).await
}
