//! How long a person's session lasts, and that nothing outlives it.
//!
//! A session ends after a while without use, after its whole time however much it is used, at sign-out, with a new
//! password, and when its person is disabled. Connections opened with it are closed at once when this or another process
//! says so, and are checked against the database twice a minute besides. An open socket counts as use: a wall board
//! that nobody touches stays signed in at noon.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{UserId, protocol::CloseCode};
use tokio::time::MissedTickBehavior;

use crate::{
    live::connections::{Connections, Holder},
    platform::clock::Clock,
    store::{
        Store, StoreError,
        people::{EndedSessions, Lifetime},
    },
};

/// A working day and the way home without use; a week at the most, so that a forgotten board asks again some day.
pub const LIFETIME: Lifetime =
    Lifetime { absolute: TimeDelta::days(7), idle: TimeDelta::hours(12), noted: TimeDelta::minutes(1) };

/// A socket may outlive its session by this, should the notification of its end get lost. The rule is at most a minute.
const CHECK_EVERY: Duration = Duration::from_secs(30);

/// When a session that begins now ends however much it is used.
pub fn expires_at(now: DateTime<Utc>) -> DateTime<Utc> {
    now + LIFETIME.absolute
}

/// Closes the sockets of sessions and keys that ended.
#[derive(Debug)]
pub struct SessionWatch {
    /// The time.
    pub clock: Clock,
    /// Where sessions and keys are kept.
    pub store: Store,
    /// The open sockets.
    pub connections: Arc<Connections>,
}

impl SessionWatch {
    /// Watches for ever.
    pub async fn run(self) {
        let mut check = tokio::time::interval(CHECK_EVERY);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ended = None;
        loop {
            tokio::select! {
                _ = check.tick() => {
                    ended = self.listening(ended).await;
                    self.checked().await;
                }
                told = next(&mut ended) => if !self.follow(told).await {
                    ended = None;
                },
            }
        }
    }

    /// Acts on a notification. Gives whether more can come.
    async fn follow(&self, told: Result<Option<UserId>, StoreError>) -> bool {
        match told {
            Ok(Some(user)) => {
                self.connections.close_holders(CloseCode::Unauthorized, |holder| holder.user() == Some(user));
            }
            // A notification may have been lost with the connection.
            Ok(None) => self.checked().await,
            Err(error) => {
                tracing::warn!(error = %error, "not hearing of ended sessions; checking twice a minute");
                return false;
            }
        }
        true
    }

    async fn listening(&self, ended: Option<EndedSessions>) -> Option<EndedSessions> {
        if ended.is_some() {
            return ended;
        }
        let listening = self.store.ended_sessions().await;
        listening.inspect_err(|error| tracing::debug!(error = %error, "cannot listen for ended sessions yet")).ok()
    }

    async fn checked(&self) {
        if let Err(error) = self.check().await {
            tracing::warn!(error = %error, "could not check the sessions of open sockets");
        }
    }

    /// Closes every socket whose credential no longer works, and notes the use of the others.
    async fn check(&self) -> Result<(), StoreError> {
        let holders = self.connections.holders();
        let (now, mut sessions, mut keys) = (self.clock.now(), Vec::new(), Vec::new());
        for holder in &holders {
            match holder {
                Holder::Session { token_hash, .. } => sessions.push(token_hash.to_vec()),
                Holder::ApiKey(id) => keys.push(*id),
            }
        }
        if !sessions.is_empty() {
            sessions = self.store.lasting_sessions(&sessions, now, LIFETIME).await?;
            self.store.note_use(&sessions, now).await?;
        }
        if !keys.is_empty() {
            keys = self.store.working_api_keys(&keys).await?;
        }
        self.connections.close_holders(CloseCode::Unauthorized, |holder| {
            // The next round looks at sockets that opened while we asked.
            holders.contains(holder)
                && match holder {
                    Holder::Session { token_hash, .. } => !sessions.iter().any(|lasting| lasting == token_hash),
                    Holder::ApiKey(id) => !keys.contains(id),
                }
        });
        Ok(())
    }
}

async fn next(ended: &mut Option<EndedSessions>) -> Result<Option<UserId>, StoreError> {
    match ended {
        Some(ended) => ended.next().await,
        None => std::future::pending().await,
    }
}
