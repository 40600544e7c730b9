//! How instances learn that credentials ended: a Postgres notification, sent in the transaction that ends
//! them, so that also another process may do it, as `doorstep user disable`, `api-key revoke` and `person erase` do.

use doorstep_shared::{ApiKeyId, CourierId, UserId};
use sqlx::{PgConnection, postgres::PgListener};

use super::{Store, StoreError};

/// The channel that announces the end of a person's sessions; the payload is the person's id.
const SESSIONS: &str = "doorstep_sessions_ended";

/// The channel that announces the end of an API key or of one of its secrets; the payload is the key's id.
const API_KEYS: &str = "doorstep_api_keys_ended";

/// The channel that announces that a courier was erased with all their devices; the payload is the courier's id.
const COURIERS: &str = "doorstep_couriers_erased";

/// What ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All sessions of a person.
    Person(UserId),
    /// A key, or one of its secrets.
    ApiKey(ApiKeyId),
    /// A courier, with all their devices.
    Courier(CourierId),
}

impl Ended {
    fn read(channel: &str, payload: &str) -> Option<Self> {
        match channel {
            SESSIONS => payload.parse().ok().map(Self::Person),
            API_KEYS => payload.parse().ok().map(Self::ApiKey),
            COURIERS => payload.parse().ok().map(Self::Courier),
            _ => None,
        }
    }
}

/// Announces an end to every instance, once the transaction commits.
pub(super) async fn announce(connection: &mut PgConnection, ended: Ended) -> Result<(), StoreError> {
    let (channel, id) = match ended {
        Ended::Person(user) => (SESSIONS, user.to_string()),
        Ended::ApiKey(key) => (API_KEYS, key.to_string()),
        Ended::Courier(courier) => (COURIERS, courier.to_string()),
    };
    sqlx::query("select pg_notify($1, $2)").bind(channel).bind(id).execute(connection).await?;
    Ok(())
}

impl Store {
    /// A connection of its own on which the ends of credentials arrive.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn ended_credentials(&self) -> Result<EndedCredentials, StoreError> {
        let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1).connect_lazy_with(self.options.clone());
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen_all([SESSIONS, API_KEYS, COURIERS]).await?;
        Ok(EndedCredentials(listener))
    }
}

/// Receives the ends of credentials.
#[derive(Debug)]
pub struct EndedCredentials(PgListener);

impl EndedCredentials {
    /// Waits for the next end; `None` when the connection was lost and some may have been missed.
    ///
    /// # Errors
    /// When the database is away.
    ///
    /// # Cancel safety
    /// Safe; nothing is lost.
    pub async fn next(&mut self) -> Result<Option<Ended>, StoreError> {
        let notification = self.0.try_recv().await?;
        Ok(notification.and_then(|told| Ended::read(told.channel(), told.payload())))
    }
}
