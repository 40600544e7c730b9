//! What happens by itself while the server runs: the database is asked whether it is there, and what is too old is
//! forgotten.

use std::time::Duration;

use actix_web::web::Data;
use chrono::TimeDelta;

use crate::{platform::error_chain::SourceChain, service::devices::SESSION_LIFETIME, state::AppState};

/// How often the database is asked whether it is there. Readiness must notice within two seconds.
const DATABASE_CHECK_EVERY: Duration = Duration::from_millis(700);
const DATABASE_CHECK_TIMEOUT: Duration = Duration::from_millis(900);

const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(600);

pub(super) async fn check_database(app: Data<AppState>) {
    let mut clock = tokio::time::interval(DATABASE_CHECK_EVERY);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        let answer = tokio::time::timeout(DATABASE_CHECK_TIMEOUT, app.store.ping()).await;
        app.readiness.set_database(matches!(answer, Ok(Ok(()))));
        metrics::gauge!("doorstep_fix_writer_lag_seconds").set(app.fix_writer.backlog().lag().as_secs_f64());
    }
}

pub(super) async fn keep_house(app: Data<AppState>) {
    let mut clock = tokio::time::interval(HOUSEKEEPING_EVERY);
    loop {
        clock.tick().await;
        let now = app.clock.now();
        if let Err(error) = app.store.maintain_fix_partitions(now, app.config.settings.retention_days).await {
            tracing::warn!(error = %error, "could not prepare the days ahead; trying again in ten minutes");
        }
        let kept_from = now - TimeDelta::days(i64::from(app.config.settings.proof_days));
        if let Err(error) = app.proofs.forget(kept_from).await {
            tracing::warn!(error = %SourceChain(&error), "could not forget old proofs");
        }
        if let Err(error) = app.store.forget_expired(now).await {
            tracing::warn!(error = %error, "could not forget what has expired");
        }
        let kept_from = now - chrono::TimeDelta::days(i64::from(app.config.settings.retention_days));
        if let Err(error) = app.store.forget_off_duty_before(kept_from).await {
            tracing::warn!(error = %error, "could not forget old time off");
        }
        if let Err(error) = app.store.forget_expired_couriers(now, SESSION_LIFETIME).await {
            tracing::warn!(error = %error, "could not forget how couriers signed in");
        }
        let kept_from = now - chrono::TimeDelta::days(i64::from(app.config.settings.retention_days));
        if let Err(error) = app.store.forget_access_log(kept_from).await {
            tracing::warn!(error = %error, "could not delete old entries of the access log");
        }
        if let Err(error) = app.store.forget_exceptions(kept_from).await {
            tracing::warn!(error = %error, "could not forget old exceptions");
        }
        app.tracker.forget_idle(&app.connections.connected_couriers(), now.timestamp_millis());
        app.sign_in_limiter.forget_idle();
        app.unknown_secrets.forget_idle();
        app.ingest_limit.forget_idle();
        app.link_limit.forget_idle();
        app.metrics.run_upkeep();
    }
}
