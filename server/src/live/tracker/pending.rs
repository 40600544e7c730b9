//! What the arrival task must look at again: couriers who moved, and orders whose viewers need a fresh snapshot.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use doorstep_shared::{CourierId, OrderId};
use tokio::sync::Notify;

/// Couriers and orders that wait for the arrival task, each once. Bounded by how many there are.
#[derive(Debug, Default)]
pub(super) struct Pending {
    sets: Mutex<Sets>,
    woken: Notify,
}

#[derive(Debug, Default)]
struct Sets {
    /// The position changed.
    moved: HashSet<CourierId>,
    /// History filled in behind the position, or the feed just opened.
    outdated: HashSet<OrderId>,
}

impl Pending {
    /// Adds couriers who moved and orders whose viewers need a snapshot, and wakes the arrival task.
    pub(super) fn add(&self, moved: impl IntoIterator<Item = CourierId>, outdated: impl IntoIterator<Item = OrderId>) {
        let mut sets = self.lock();
        sets.moved.extend(moved);
        sets.outdated.extend(outdated);
        drop(sets);
        self.woken.notify_one();
    }

    /// Waits until there is something, and takes it all.
    /// # Cancel safety
    /// Safe while waiting; what was taken is gone.
    pub(super) async fn take(&self) -> (Vec<CourierId>, Vec<OrderId>) {
        loop {
            let Sets { moved, outdated } = std::mem::take(&mut *self.lock());
            if !moved.is_empty() || !outdated.is_empty() {
                return (moved.into_iter().collect(), outdated.into_iter().collect());
            }
            self.woken.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Sets> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
