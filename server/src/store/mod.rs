//! The only module that speaks SQL.
//!
//! One function per question, named for the question; rows become domain types here and never leave. Couriers' fixes do
//! not go through the pool: [`fix_writer`] has connections of its own, so a stalled report query cannot keep positions
//! from being stored. The live view, the use cases and the edge call this module.

pub mod access;
pub mod access_log;
pub mod api_keys;
pub mod arrival;
pub mod arrival_scores;
pub mod batch_loader;
pub mod courier_archive;
pub mod courier_day;
mod courier_rows;
pub mod courier_sessions;
pub mod couriers;
pub mod deliveries;
pub mod device_rejections;
pub mod devices;
pub mod embedded;
pub mod ended_credentials;
pub mod exception_lists;
pub mod exceptions;
mod feeds;
pub mod fix_sources;
pub mod fix_writer;
pub mod fixes;
pub mod new_orders;
pub mod order_changes;
pub mod order_history;
pub mod order_lists;
mod order_rows;
mod order_search;
pub mod orders;
pub mod outbox;
pub mod partitions;
pub mod people;
pub mod personal_data;
pub mod pins;
pub mod plan_changes;
mod plan_rows;
pub mod plans;
pub mod proofs;
pub mod resending;
pub mod saved_pickups;
pub mod tracking_links;
mod waits;
pub mod webhook_attempts;
pub mod webhooks;

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use sqlx::{
    ConnectOptions, Connection, PgPool,
    migrate::{Migrate, MigrateError},
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// How long before its window the feed of an order opens unless the operator says otherwise.
const FEED_LEAD: TimeDelta = TimeDelta::hours(3);

/// How long a request waits for a connection. sqlx's own default of 30 s would hide an outage.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// No statement of a request runs longer; longer ones are a bug or a frozen database.
const STATEMENT_TIMEOUT: &str = "5000";

/// How long a migration waits for a lock on a table. Meanwhile every other statement on the table waits, too. The
/// statements of an instance that still runs end before that.
const MIGRATION_LOCK_TIMEOUT: &str = "set lock_timeout = '30s'";

/// After this long the log says why the server does not start yet.
const MIGRATION_QUIET: Duration = Duration::from_secs(5);

/// What can go wrong between us and Postgres. Cheap to clone, because one answer may be for many.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is away, overloaded or refused the connection. Trying again later may help.
    #[error("the database is unavailable")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// The database refused a query, or its answer could not be read.
    #[error("the database refused a query")]
    Query(#[source] Arc<sqlx::Error>),
    /// A migration could not be applied.
    #[error("the database could not be migrated")]
    Migrate(#[source] Arc<MigrateError>),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_transient(&error) { Self::Unavailable(Arc::new(error)) } else { Self::Query(Arc::new(error)) }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        Self::Migrate(Arc::new(error))
    }
}

/// Whether Postgres refused a text for a character that none of its texts may have: NUL.
pub fn is_unstorable_text(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|database| database.code());
    code.is_some_and(|code| matches!(&*code, "22021" | "22P05"))
}

/// Whether the same query may succeed later: a lost connection, a shutdown, or a lack of resources.
pub fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(database) => {
            // Class 08 connection, 53 resources (disk full, too many connections), 57 operator intervention
            // (shutdown, cancel), 58 system error, 40 rollback, 55 object in use, 25 read-only transaction.
            database.code().is_some_and(|code| {
                ["08", "25", "40", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class))
            })
        }
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

/// The database as the rest of the server knows it.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
    options: PgConnectOptions,
    /// How long before its window the feed of an order may open.
    feed_lead: TimeDelta,
}

impl Store {
    /// Prepares a pool for `options`. Nothing connects before the first query.
    pub fn new(options: PgConnectOptions, max_connections: u32) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(options.clone().options([("statement_timeout", STATEMENT_TIMEOUT)]));
        Self { pool, options, feed_lead: FEED_LEAD }
    }

    /// How long before its window the feed of an order may open.
    pub const fn feed_lead(&self) -> TimeDelta {
        self.feed_lead
    }

    /// The same, with feeds that open `feed_lead` before an order's window.
    pub fn with_feed_lead(self, feed_lead: TimeDelta) -> Self {
        Self { feed_lead, ..self }
    }

    /// How to open a connection outside the pool.
    pub fn connect_options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Applies every migration that is not applied yet. Safe to call from several instances at once: they wait for
    /// each other. On a connection of its own, because rewriting a large table takes longer than any request may.
    ///
    /// # Errors
    /// [`StoreError::Migrate`] names the migration that failed.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let patient = [("statement_timeout", "0"), ("lock_timeout", "0"), ("application_name", "doorstep migrations")];
        let mut connection = self.options.clone().options(patient).connect().await?;
        wait_for_turn(connection.lock()).await?;
        sqlx::query(MIGRATION_LOCK_TIMEOUT).execute(&mut connection).await?;
        // The lock is ours already, and ends with the connection.
        let applied = sqlx::migrate!("../migrations").set_locking(false).run(&mut connection).await;
        let _ = connection.close().await;
        Ok(applied?)
    }

    /// Checks that the database answers.
    ///
    /// # Errors
    /// When it does not answer in time.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("select 1").execute(&self.pool).await?;
        Ok(())
    }

    /// A name for this database that no other database has, the same for every instance.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn identity(&self) -> Result<String, StoreError> {
        let identity = "select system_identifier || '-' || oid from pg_control_system(), pg_database \
             where datname = current_database()";
        Ok(sqlx::query_scalar(identity).fetch_one(&self.pool).await?)
    }

    /// Closes the pool's connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Waits until no other instance migrates, and logs it when that takes a while.
async fn wait_for_turn(mut turn: BoxFuture<'_, Result<(), MigrateError>>) -> Result<(), MigrateError> {
    match tokio::time::timeout(MIGRATION_QUIET, &mut turn).await {
        Ok(taken) => taken,
        Err(_elapsed) => {
            tracing::info!("another instance is preparing the database; waiting for it");
            turn.await
        }
    }
}
