//! A map of couriers behind 64 locks, so that couriers who report at the same time seldom wait for one another.
//!
//! A lock is never held across an await, and never two of them at once.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

use doorstep_shared::CourierId;

const SHARDS: usize = 64;

type Shard<T> = HashMap<CourierId, T>;

/// What is known of each courier.
#[derive(Debug)]
pub(super) struct Shards<T> {
    shards: Box<[Mutex<Shard<T>>]>,
    hasher: RandomState,
}

impl<T> Default for Shards<T> {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::new(HashMap::new())).collect(), hasher: RandomState::new() }
    }
}

impl<T> Shards<T> {
    /// Locks the shard that a courier belongs to.
    pub(super) fn lock(&self, courier: CourierId) -> MutexGuard<'_, Shard<T>> {
        let index = self.hasher.hash_one(courier) as usize % SHARDS;
        lock(&self.shards[index])
    }

    /// Looks at every courier, and returns what `look` picks. Each shard is locked for its own part only.
    pub(super) fn collect<V, C: Default + Extend<V>>(&self, look: impl Fn(CourierId, &T) -> Option<V>) -> C {
        let mut found = C::default();
        for shard in &self.shards {
            found.extend(lock(shard).iter().filter_map(|(courier, known)| look(*courier, known)));
        }
        found
    }

    /// Forgets every courier whom `is_kept` does not keep.
    pub(super) fn retain(&self, is_kept: impl Fn(CourierId, &T) -> bool) {
        for shard in &self.shards {
            lock(shard).retain(|courier, known| is_kept(*courier, known));
        }
    }
}

fn lock<T>(shard: &Mutex<Shard<T>>) -> MutexGuard<'_, Shard<T>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
