//! The database of a command that runs and ends.

use anyhow::Context;

use crate::{
    app,
    platform::config::Settings,
    store::{Store, embedded::Layout},
};

/// Runs `work` on the database that `settings` name, also while a server runs on the embedded one. An embedded
/// Postgres that was not running is started for the purpose and stopped again.
pub(super) async fn with_store<T>(
    settings: &Settings,
    work: impl AsyncFnOnce(&Store) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let is_served = match &settings.database_url {
        Some(_) => true,
        None => Layout::under(&settings.data_dir)?.is_running().await,
    };
    let (options, embedded) = app::database(settings).await?;
    let store = Store::new(options, 2);
    store.migrate().await.context("preparing the database")?;
    let done = work(&store).await;
    store.close().await;
    if let Some(embedded) = embedded.filter(|_| !is_served) {
        embedded.stop().await;
    }
    done
}
