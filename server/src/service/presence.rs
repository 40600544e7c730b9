//! Changes whether a courier shares their position; the only module that does.
//!
//! Phones report it over their socket, and the server reports it for them when a device is revoked. The live view and
//! viewers change at once, before the database, because going off duty must take effect before the next fix. A report
//! older than the known one changes nothing, so one that waited in a dead zone does not undo what another phone
//! reported meanwhile.

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

/// Couriers of one lane wait for each other's write, which takes a millisecond or two.
const LANES: usize = 32;

/// Two devices of a courier may disagree about the time, and a fix recorded just before a pause does not end it.
const PAUSE_SLACK_MS: i64 = 3_000;

/// Changes presences. Shared by reference.
#[derive(Debug)]
pub struct Presences {
    tracker: Arc<Tracker>,
    plans: Arc<Plans>,
    store: Store,
    clock: Clock,
    /// No presence begins longer ago than this.
    retention_ms: i64,
    /// Serialises writes: the database gets a courier's presences one after the other, the last one last.
    lanes: Arc<[tokio::sync::Mutex<()>]>,
    hasher: RandomState,
}

impl Presences {
    /// Presences over this live view and this database. `retention_ms` is how far back `since_ms` may lie.
    pub fn new(tracker: Arc<Tracker>, plans: Arc<Plans>, store: Store, clock: Clock, retention_ms: i64) -> Self {
        let lanes = (0..LANES).map(|_| tokio::sync::Mutex::default()).collect();
        Self { tracker, plans, store, clock, retention_ms, lanes, hasher: RandomState::new() }
    }

    /// Changes a courier's presence, unless it is older than the known one. The live view and its viewers have it when
    /// this returns, the database when the future is done.
    ///
    /// A time in the server's future becomes now, and one from before the retention becomes its beginning. Repeating a
    /// presence keeps the earlier `since_ms`.
    ///
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
                // The database may know a newer presence, and an off-duty courier must not be forgotten over this one.
                presences.plans.load(courier).await?;
                presences.tracker.set_presence(courier, presence, Heard::Here, now_ms);
            }
            presences.write_down(courier).await
        }
    }

    /// Reports for a courier that no position comes and why, as when dispatch revokes their phone. A courier who is off
    /// duty stays so.
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

    /// Ends a pause because of a position recorded at `shared_at_ms`: a tracker may report for a phone that is locked.
    /// Viewers know it when this returns, the database when the future is done; `None` when there is no pause to end.
    /// Going off duty never ends like this.
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

    /// Stores the newest presence at this moment, so that the last of two concurrent writers is right, whichever it is.
    async fn write_down(&self, courier: CourierId) -> Result<(), StoreError> {
        let _turn = self.lanes[self.hasher.hash_one(courier) as usize % LANES].lock().await;
        let Some(presence) = self.tracker.presence(courier) else { return Ok(()) };
        self.store.set_presence(courier, &presence, self.tracker.off_duty(courier).last_span()).await
    }
}
