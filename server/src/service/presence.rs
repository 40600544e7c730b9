//! Whether a courier shares their position: the one place that changes it.
//!
//! Phones say it over their socket, and the server says it for them when a device is revoked. The live view
//! and whoever watches learn it at once, whatever the database does, because going off duty must take effect
//! before the next fix; the database follows. What is older than what is known changes nothing, so a report that
//! waited in a dead zone does not undo what another phone said meanwhile.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use doorstep_shared::{
    CourierId,
    protocol::{PresenceReason, PresenceState, customer::Presence},
};

use crate::{
    live::tracker::{Heard, Tracker},
    platform::clock::Clock,
    service::orders::plans::Plans,
    store::{Store, StoreError},
};

/// Two couriers of one lane wait for each other's write, which takes a millisecond or two.
const LANES: usize = 32;

/// Two devices of a courier may disagree about the time, and what was recorded just before a pause is no end of it.
const PAUSE_SLACK_MS: i64 = 3_000;

/// Changes presences. Shared by reference.
#[derive(Debug)]
pub struct Presences {
    tracker: Arc<Tracker>,
    plans: Arc<Plans>,
    store: Store,
    clock: Clock,
    /// Nothing is kept from before.
    retention_ms: i64,
    /// Whose turn it is to write: the database gets a courier's presences one after the other, the last one last.
    lanes: Arc<[tokio::sync::Mutex<()>]>,
    hasher: RandomState,
}

impl Presences {
    /// Presences over these means.
    /// Nothing is since longer ago than `retention_ms`.
    pub fn new(tracker: Arc<Tracker>, plans: Arc<Plans>, store: Store, clock: Clock, retention_ms: i64) -> Self {
        let lanes = (0..LANES).map(|_| tokio::sync::Mutex::default()).collect();
        Self { tracker, plans, store, clock, retention_ms, lanes, hasher: RandomState::new() }
    }

    /// Changes a courier's presence, unless it is older than the known one: for the live view and its viewers
    /// before this returns, in the database when the future is done.
    ///
    /// A time in the server's future becomes now, and one from before what is kept, the beginning of that. Saying the same again keeps the earlier `since_ms`.
    /// # Errors
    /// When the database is away; the live view keeps the change, a restart forgets it.
    /// # Cancel safety
    /// Dropping the future may leave the database behind the live view.
    pub fn set(
        self: &Arc<Self>,
        courier: CourierId,
        presence: Presence,
    ) -> impl Future<Output = Result<(), StoreError>> + use<> {
        let now_ms = self.clock.now_ms();
        let since_ms = presence.since_ms.clamp(now_ms - self.retention_ms, now_ms);
        let presence = Presence { since_ms, ..presence };
        let is_known = self.tracker.set_presence(courier, presence, Heard::Here, now_ms);
        let presences = Arc::clone(self);
        async move {
            if !is_known {
                // What the database knows may be newer, and an off-duty courier must not be forgotten over this.
                presences.plans.load(courier).await?;
                presences.tracker.set_presence(courier, presence, Heard::Here, now_ms);
            }
            presences.write_down(courier).await
        }
    }

    /// Says for a courier that no position comes and why, as when dispatch revokes their phone. Whoever is off duty
    /// stays off duty.
    ///
    /// # Errors
    /// When the database is away.
    /// # Cancel safety
    /// As [`Presences::set`].
    pub async fn pause(self: &Arc<Self>, courier: CourierId, reason: PresenceReason) -> Result<(), StoreError> {
        self.plans.load(courier).await?;
        let known = self.tracker.presence(courier);
        if known.is_some_and(|known| known.state == PresenceState::OffDuty) {
            return Ok(());
        }
        let since_ms = self.clock.now_ms();
        self.set(courier, Presence { state: PresenceState::Paused, reason: Some(reason), since_ms }).await
    }

    /// A position that came although the phone said that none would: a tracker reports for a phone that is locked.
    /// What `shared_at_ms` proves is that the pause is over, for everybody before this returns, in the database when
    /// the future is done; `None` when there is nothing to take back. Going off duty is never taken back like this.
    pub fn resume(
        self: &Arc<Self>,
        courier: CourierId,
        shared_at_ms: i64,
    ) -> Option<impl Future<Output = Result<(), StoreError>> + use<>> {
        let known = self.tracker.presence(courier)?;
        let is_over = known.state == PresenceState::Paused && shared_at_ms > known.since_ms + PAUSE_SLACK_MS;
        let resumed = Presence { state: PresenceState::Tracking, reason: None, since_ms: shared_at_ms };
        is_over.then(|| self.set(courier, resumed))
    }

    /// Stores whatever is known now, so that of two writers the last one is right, whoever it is.
    async fn write_down(&self, courier: CourierId) -> Result<(), StoreError> {
        let _turn = self.lanes[self.hasher.hash_one(courier) as usize % LANES].lock().await;
        let Some(presence) = self.tracker.presence(courier) else { return Ok(()) };
        self.store.set_presence(courier, &presence, self.tracker.off_duty(courier).last_span()).await
    }
}
