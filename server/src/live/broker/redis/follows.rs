//! The couriers whom this instance follows, and how far the listener has come with subscribing.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use doorstep_shared::CourierId;
use tokio::sync::{Notify, watch};

/// What is wanted, and what Redis has confirmed. Shared by reference.
#[derive(Debug, Default)]
pub(super) struct Follows {
    wanted: Mutex<Wanted>,
    changed: Notify,
    confirmed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Wanted {
    couriers: HashSet<CourierId>,
    /// Counts changes of the set.
    version: u64,
}

/// What turns the subscriptions of a listener into those that are wanted.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) new: Vec<CourierId>,
    pub(super) gone: Vec<CourierId>,
    /// To be confirmed when both are done.
    pub(super) version: u64,
}

impl Follows {
    /// Wants a courier. Returns the version that [`Follows::confirmed`] should wait for.
    pub(super) fn add(&self, courier: CourierId) -> u64 {
        let mut wanted = self.lock();
        wanted.version += u64::from(wanted.couriers.insert(courier));
        let version = wanted.version;
        drop(wanted);
        self.changed.notify_one();
        version
    }

    /// Wants these couriers no longer.
    pub(super) fn remove(&self, couriers: &[CourierId]) {
        let mut wanted = self.lock();
        for courier in couriers {
            wanted.version += u64::from(wanted.couriers.remove(courier));
        }
        drop(wanted);
        self.changed.notify_one();
    }

    /// Every courier who is wanted, in any order.
    pub(super) fn all(&self) -> Vec<CourierId> {
        self.lock().couriers.iter().copied().collect()
    }

    /// Waits until the set changes. For the listener alone.
    /// # Cancel safety
    /// Safe for one waiting task: a missed wake-up is kept.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// How the subscriptions of the listener differ from what is wanted.
    pub(super) fn difference(&self, subscribed: &HashSet<CourierId>) -> Difference {
        let wanted = self.lock();
        Difference {
            new: wanted.couriers.difference(subscribed).copied().collect(),
            gone: subscribed.difference(&wanted.couriers).copied().collect(),
            version: wanted.version,
        }
    }

    /// Redis has confirmed everything that was wanted up to `version`.
    pub(super) fn confirm(&self, version: u64) {
        self.confirmed.send_replace(version);
    }

    /// Waits until everything that was wanted up to `version` is confirmed.
    pub(super) fn confirmed(&self, version: u64) -> impl Future<Output = ()> + use<> {
        let mut confirmed = self.confirmed.subscribe();
        async move {
            // The sender lives as long as the broker.
            let _ = confirmed.wait_for(|confirmed| *confirmed >= version).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
