//! What the server does by itself while it runs: it asks the database whether it is there, opens feeds whose time has
//! come, and forgets what is too old.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    platform::error_chain::SourceChain,
    service::{devices::SESSION_LIFETIME, orders::links},
    state::AppState,
    store::StoreError,
};

/// How often the database is asked whether it is there. Readiness must notice within two seconds.
const DATABASE_CHECK_EVERY: Duration = Duration::from_millis(700);
const DATABASE_CHECK_TIMEOUT: Duration = Duration::from_millis(900);

/// Ranges that customers were told are scored within a minute; two days outlast an outage.
const TOLD_DAYS: u32 = 2;

/// How often feeds are opened whose window has come near: of three hours, nobody misses half a minute.
const FEEDS_EVERY: Duration = Duration::from_secs(30);

/// How often links are closed that show nothing any more. Those who open one are refused at once.
const LINKS_EVERY: Duration = Duration::from_secs(60);

const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(600);

pub(super) async fn check_database(app: Arc<AppState>) {
    let mut clock = tokio::time::interval(DATABASE_CHECK_EVERY);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        let answer = tokio::time::timeout(DATABASE_CHECK_TIMEOUT, app.store.ping()).await;
        app.readiness.set_database(matches!(answer, Ok(Ok(()))));
        metrics::gauge!("doorstep_fix_writer_lag_seconds").set(app.fix_writer.backlog().lag().as_secs_f64());
    }
}

/// Looks for feeds whose window has come near.
pub(super) async fn open_feeds(app: Arc<AppState>) {
    let mut clock = tokio::time::interval(FEEDS_EVERY);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        if let Err(error) = app.plans.open_feeds().await {
            tracing::warn!(error = %error, "could not look for feeds to open; trying again soon");
        }
    }
}

/// Closes the feeds of orders whose links show nothing any more although no status ended them.
pub(super) async fn close_links(app: Arc<AppState>) {
    let mut clock = tokio::time::interval(LINKS_EVERY);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        let outcome = app.config.settings.outcome();
        if let Err(error) = links::close_ended(&app.store, &app.hub, outcome, app.clock.now()).await {
            tracing::warn!(error = %error, "could not look for links to close; trying again soon");
        }
    }
}

pub(super) async fn keep_house(app: Arc<AppState>) {
    let mut clock = tokio::time::interval(HOUSEKEEPING_EVERY);
    loop {
        clock.tick().await;
        let now = app.clock.now();
        keep_database(&app, now).await;
        app.tracker.forget_idle(&app.connections.connected_couriers(), now.timestamp_millis());
        app.sign_in_limiter.forget_idle();
        app.unknown_secrets.forget_idle();
        app.ingest_limit.forget_idle();
        app.ingest.forget_idle();
        app.metrics.run_upkeep();
    }
}

/// Prepares the days ahead and forgets what is too old. What fails is tried again in the next round.
async fn keep_database(app: &AppState, now: DateTime<Utc>) {
    let (store, settings) = (&app.store, &app.config.settings);
    let days_ago = |days: u32| now - TimeDelta::days(i64::from(days));
    let kept_from = days_ago(settings.retention_days);
    warn("prepare the days ahead", store.maintain_fix_partitions(now, settings.retention_days).await);
    if let Err(error) = app.proofs.forget(days_ago(settings.proof_days)).await {
        tracing::warn!(error = %SourceChain(&error), "could not forget old proofs");
    }
    warn("forget what has expired", store.forget_expired(now).await);
    warn("forget old time off", store.forget_off_duty_before(kept_from).await);
    warn("forget how couriers signed in", store.forget_expired_couriers(now, SESSION_LIFETIME).await);
    warn("delete old entries of the access log", store.forget_access_log(kept_from).await);
    warn("forget what customers were told", store.forget_arrivals(days_ago(TOLD_DAYS), kept_from).await);
    warn("forget what left the server", store.forget_outbox(kept_from).await);
    warn("forget old exceptions", store.forget_exceptions(kept_from).await);
    // Fixes go by whole days, and a source after the last fix that may name it.
    let sources_from = days_ago(settings.retention_days.saturating_add(2));
    warn("forget sources of fixes", store.forget_fix_sources(sources_from).await);
    // Last, because it may take long.
    end_personal_data(app, days_ago(settings.customer_days), kept_from).await;
}

/// Ends orders' personal data, and what is left of erased couriers and revoked devices.
async fn end_personal_data(app: &AppState, customers_before: DateTime<Utc>, kept_from: DateTime<Utc>) {
    match app.personal_data.end_expired(customers_before).await {
        Ok(0) => {}
        Ok(orders) => tracing::info!(orders, "customers' data came to its end"),
        Err(error) => tracing::warn!(error = %SourceChain(&error), "could not end customers' data"),
    }
    if let Err(error) = app.personal_data.end_leftovers(kept_from).await {
        tracing::warn!(error = %SourceChain(&error), "could not delete what erased couriers left");
    }
}

fn warn<T>(what: &str, done: Result<T, StoreError>) {
    if let Err(error) = done {
        tracing::warn!(error = %error, "could not {what}; trying again in ten minutes");
    }
}
