//! How long a person's session lasts, and that nothing outlives it.
//!
//! A session ends after a while without use, after its whole time however much it is used, at sign-out, with a new
//! password, and when its person is disabled; an API key at its time, when it is revoked, and each of its secrets when
//! another takes its place. Connections opened with it are closed at once when this or another process says so, and are
//! checked against the database twice a minute besides. An open socket counts as use: a wall board that nobody touches
//! stays signed in at noon.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use doorstep_shared::{ApiKeyId, protocol::CloseCode};
use tokio::time::MissedTickBehavior;

use crate::{
    domain::order::Actor,
    live::connections::{Connections, Holder},
    platform::{
        clock::Clock,
        security::{Kind, SecurityEvent},
    },
    service::devices::Devices,
    store::{
        Store, StoreError,
        ended_credentials::{Ended, EndedCredentials},
        people::Lifetime,
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
    /// Couriers' devices, which end with an erased courier.
    pub devices: Arc<Devices>,
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
                    self.checked(|_| true).await;
                }
                told = next(&mut ended) => if !self.follow(told).await {
                    ended = None;
                },
            }
        }
    }

    /// Acts on a notification. Gives whether more can come.
    async fn follow(&self, told: Result<Option<Ended>, StoreError>) -> bool {
        match told {
            Ok(Some(Ended::Person(user))) => {
                let sockets =
                    self.connections.close_holders(CloseCode::Unauthorized, |holder| holder.user() == Some(user));
                let ended = SecurityEvent::new(Kind::SessionEnded).because("disabled_or_new_password");
                ended.about(Actor::User(user)).counting(sockets as u64).log();
            }
            Ok(Some(Ended::Courier(courier))) => self.devices.forget_courier(courier),
            Ok(Some(Ended::ApiKey(key))) => {
                SecurityEvent::new(Kind::ApiKeyChanged).about(Actor::ApiKey(key)).log();
                // The key may go on working with its other secret.
                self.checked(|holder| holder.api_key() == Some(key)).await;
            }
            // A notification may have been lost with the connection.
            Ok(None) => self.checked(|_| true).await,
            Err(error) => {
                tracing::warn!(error = %error, "not hearing of ended credentials; checking twice a minute");
                return false;
            }
        }
        true
    }

    async fn listening(&self, ended: Option<EndedCredentials>) -> Option<EndedCredentials> {
        if ended.is_some() {
            return ended;
        }
        let listening = self.store.ended_credentials().await;
        listening.inspect_err(|error| tracing::debug!(error = %error, "cannot listen for ended credentials yet")).ok()
    }

    async fn checked(&self, is_meant: impl Fn(&Holder) -> bool) {
        if let Err(error) = self.check(is_meant).await {
            tracing::warn!(error = %error, "could not check the credentials of open sockets");
        }
    }

    /// Closes every socket whose credential `is_meant` and no longer works, and notes the use of the others.
    async fn check(&self, is_meant: impl Fn(&Holder) -> bool) -> Result<(), StoreError> {
        let mut holders = self.connections.holders();
        holders.retain(is_meant);
        let (sessions, keys) = (self.lasting_sessions(&holders).await?, self.working_secrets(&holders).await?);
        let closed = self.connections.close_holders(CloseCode::Unauthorized, |holder| {
            // The next round looks at sockets that opened while we asked.
            holders.contains(holder)
                && match holder {
                    Holder::Session { token_hash, .. } => !sessions.iter().any(|lasting| lasting == token_hash),
                    Holder::ApiKey { token_hash, .. } => !keys.iter().any(|working| working == token_hash),
                }
        });
        if closed > 0 {
            SecurityEvent::new(Kind::SessionEnded).because("credential_ended").counting(closed as u64).log();
        }
        Ok(())
    }

    async fn lasting_sessions(&self, holders: &[Holder]) -> Result<Vec<Vec<u8>>, StoreError> {
        let hashes: Vec<_> = holders
            .iter()
            .filter_map(|holder| match holder {
                Holder::Session { token_hash, .. } => Some(token_hash.to_vec()),
                Holder::ApiKey { .. } => None,
            })
            .collect();
        if hashes.is_empty() {
            return Ok(hashes);
        }
        let now = self.clock.now();
        let lasting = self.store.lasting_sessions(&hashes, now, LIFETIME).await?;
        self.store.note_use(&lasting, now).await?;
        Ok(lasting)
    }

    async fn working_secrets(&self, holders: &[Holder]) -> Result<Vec<Vec<u8>>, StoreError> {
        let held: Vec<(ApiKeyId, Vec<u8>)> = holders
            .iter()
            .filter_map(|holder| match holder {
                Holder::ApiKey { id, token_hash } => Some((*id, token_hash.to_vec())),
                Holder::Session { .. } => None,
            })
            .collect();
        if held.is_empty() {
            return Ok(Vec::new());
        }
        let (now, hashes) = (self.clock.now(), held.iter().map(|(_, hash)| hash.clone()).collect::<Vec<_>>());
        let working = self.store.working_key_secrets(&hashes, now).await?;
        let used: Vec<_> = held.iter().filter(|(_, hash)| working.contains(hash)).map(|(id, _)| *id).collect();
        self.store.note_api_key_use(&used, now).await?;
        Ok(working)
    }
}

async fn next(ended: &mut Option<EndedCredentials>) -> Result<Option<Ended>, StoreError> {
    match ended {
        Some(ended) => ended.next().await,
        None => std::future::pending().await,
    }
}
