//! Couriers whose plan the database could not give when it changed: they wait here until it can.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use doorstep_shared::CourierId;
use tokio::sync::Notify;

/// Couriers whose plan could not be read. More than any company has. Overflow policy: the courier is not added, and
/// their plan is read with their next change.
const MAX_OUTDATED_PLANS: usize = 10_000;

/// Couriers whose plan could not be read.
#[derive(Debug, Default)]
pub(super) struct Outdated {
    couriers: Mutex<HashSet<CourierId>>,
    /// Wakes the task that reads them again.
    pub(super) more: Notify,
}

impl Outdated {
    pub(super) fn add(&self, courier: CourierId) {
        let mut couriers = self.couriers();
        if couriers.len() < MAX_OUTDATED_PLANS {
            couriers.insert(courier);
        }
        drop(couriers);
        self.more.notify_one();
    }

    pub(super) fn take(&self) -> HashSet<CourierId> {
        std::mem::take(&mut *self.couriers())
    }

    fn couriers(&self) -> MutexGuard<'_, HashSet<CourierId>> {
        self.couriers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
