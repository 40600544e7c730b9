//! How long a person's session lasts, and that nothing outlives it.
//!
//! A session ends after a while without use, after its whole time however much it is used, at sign-out, with a new
//! password, and when its person is disabled. Connections opened with it are closed at once when this or another process
//! says so, and are checked against the database twice a minute besides. An open socket counts as use: a wall board
//! that nobody touches is not signed out at noon.

use std::time::Duration;

use actix_web::web::Data;
use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::protocol::CloseCode;
use tokio::time::MissedTickBehavior;

use crate::{
    live::connections::Holder,
    state::AppState,
    store::{
        StoreError,
        people::{EndedSessions, Lifetime},
    },
};

/// A working day and the way home without use; a week at the most, so that a forgotten board asks again some day.
pub const LIFETIME: Lifetime =
    Lifetime { absolute: TimeDelta::days(7), idle: TimeDelta::hours(12), noted: TimeDelta::minutes(1) };

/// A socket may outlive its session by this, should the word of its end get lost. The rule is at most a minute.
const CHECK_EVERY: Duration = Duration::from_secs(30);

/// When a session that begins now ends however much it is used.
pub fn expires_at(now: DateTime<Utc>) -> DateTime<Utc> {
    now + LIFETIME.absolute
}

/// Closes the sockets of sessions and keys that ended, for ever.
pub async fn watch(app: Data<AppState>) {
    let mut check = tokio::time::interval(CHECK_EVERY);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ended = None;
    loop {
        tokio::select! {
            _ = check.tick() => {
                ended = listening(&app, ended).await;
                checked(&app).await;
            }
            told = next(&mut ended) => match told {
                Ok(Some(user)) => {
                    app.connections.close_holders(CloseCode::Unauthorized, |holder| holder.user() == Some(user));
                }
                // Some word may have been lost with the connection.
                Ok(None) => checked(&app).await,
                Err(error) => {
                    tracing::warn!(error = %error, "not hearing of ended sessions; checking twice a minute");
                    ended = None;
                }
            },
        }
    }
}

async fn next(ended: &mut Option<EndedSessions>) -> Result<Option<doorstep_shared::UserId>, StoreError> {
    match ended {
        Some(ended) => ended.next().await,
        None => std::future::pending().await,
    }
}

async fn listening(app: &AppState, ended: Option<EndedSessions>) -> Option<EndedSessions> {
    if ended.is_some() {
        return ended;
    }
    let listening = app.store.ended_sessions().await;
    listening.inspect_err(|error| tracing::debug!(error = %error, "cannot listen for ended sessions yet")).ok()
}

async fn checked(app: &AppState) {
    if let Err(error) = check(app).await {
        tracing::warn!(error = %error, "could not check the sessions of open sockets");
    }
}

/// Closes every socket whose credential no longer works, and notes the use of the others.
async fn check(app: &AppState) -> Result<(), StoreError> {
    let holders = app.connections.holders();
    let (now, mut sessions, mut keys) = (app.clock.now(), Vec::new(), Vec::new());
    for holder in &holders {
        match holder {
            Holder::Session { token_hash, .. } => sessions.push(token_hash.to_vec()),
            Holder::ApiKey(id) => keys.push(*id),
        }
    }
    if !sessions.is_empty() {
        sessions = app.store.lasting_sessions(&sessions, now, LIFETIME).await?;
        app.store.note_use(&sessions, now).await?;
    }
    if !keys.is_empty() {
        keys = app.store.working_api_keys(&keys).await?;
    }
    app.connections.close_holders(CloseCode::Unauthorized, |holder| {
        // Who came while we asked is looked at next time.
        holders.contains(holder)
            && match holder {
                Holder::Session { token_hash, .. } => !sessions.iter().any(|lasting| lasting == token_hash),
                Holder::ApiKey(id) => !keys.contains(id),
            }
    });
    Ok(())
}
