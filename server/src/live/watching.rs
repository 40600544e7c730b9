//! What is watched through the other instances, and by how many.
//!
//! Every instance tells the others what is watched through it: everything once, then the changes. The instance to which
//! a courier is connected decides their pace and audience, from its own counts and these. An instance that has been
//! silent for ten seconds counts as watching nothing.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use doorstep_shared::{CourierId, DeviceId, OrderId};

use crate::live::broker::{InstanceId, Watch};

/// An instance says something every two seconds.
const GONE_AFTER: Duration = Duration::from_secs(10);

/// What is watched, and by how many.
pub type Counts = HashMap<Watch, u32>;

/// The other instances. Shared by reference; empty when there are none.
#[derive(Debug, Default)]
pub struct Watching {
    instances: Mutex<HashMap<InstanceId, Instance>>,
}

#[derive(Debug)]
struct Instance {
    counts: Counts,
    heard: Instant,
}

impl Watching {
    /// How many customers watch `order` elsewhere.
    pub fn customers_of(&self, order: OrderId) -> u32 {
        self.sum(&[Watch::Order(order)])
    }

    /// How many dispatchers have `courier` in view elsewhere.
    pub fn dispatchers_of(&self, courier: CourierId) -> u32 {
        self.sum(&[Watch::Courier(courier), Watch::Fleet])
    }

    /// Whether a courier's device is connected elsewhere.
    pub fn has_device(&self, courier: CourierId, device: DeviceId) -> bool {
        self.sum(&[Watch::Device(courier, device)]) > 0
    }

    /// Whether another device of a courier than `device` is connected elsewhere.
    pub fn has_other_device(&self, courier: CourierId, device: DeviceId) -> bool {
        let is_other = |watch: &Watch| matches!(watch, Watch::Device(of, other) if *of == courier && *other != device);
        self.lock().values().any(|instance| instance.counts.keys().any(is_other))
    }

    /// Notes a sign of life. `false` when the instance is new, so that its counts are not known yet.
    pub fn heard(&self, from: InstanceId) -> bool {
        let mut instances = self.lock();
        let known = instances.get_mut(&from);
        let is_known = known.is_some();
        if let Some(known) = known {
            known.heard = Instant::now();
        }
        is_known
    }

    /// Replaces an instance's counts.
    pub fn replace(&self, from: InstanceId, counts: impl IntoIterator<Item = (Watch, u32)>) {
        let counts = counts.into_iter().filter(|(_, count)| *count > 0).collect();
        let mut instances = self.lock();
        instances.insert(from, Instance { counts, heard: Instant::now() });
        metrics::gauge!("doorstep_broker_peers").set(instances.len() as f64);
    }

    /// Takes in changes of an instance's counts. Does nothing for an instance that is not known.
    pub fn change(&self, from: InstanceId, changes: impl IntoIterator<Item = (Watch, u32)>) {
        let mut instances = self.lock();
        let Some(known) = instances.get_mut(&from) else { return };
        for (watch, count) in changes {
            match count {
                0 => known.counts.remove(&watch),
                _ => known.counts.insert(watch, count),
            };
        }
    }

    /// Forgets an instance that ended.
    pub fn forget(&self, from: InstanceId) {
        self.lock().remove(&from);
    }

    /// Forgets instances that have been silent for ten seconds.
    pub fn forget_silent(&self) {
        let mut instances = self.lock();
        instances.retain(|_, instance| instance.heard.elapsed() < GONE_AFTER);
        metrics::gauge!("doorstep_broker_peers").set(instances.len() as f64);
    }

    fn sum(&self, watches: &[Watch]) -> u32 {
        let instances = self.lock();
        let counts = instances.values().flat_map(|instance| watches.iter().map(|watch| instance.counts.get(watch)));
        counts.flatten().sum()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<InstanceId, Instance>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The changes that turn `before` into `now`.
pub fn changes(before: &Counts, now: &Counts) -> Vec<(Watch, u32)> {
    let gone = before.keys().filter(|watch| !now.contains_key(watch)).map(|watch| (*watch, 0));
    let new =
        now.iter().filter(|(watch, count)| before.get(watch) != Some(count)).map(|(watch, count)| (*watch, *count));
    gone.chain(new).collect()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::hash_map, prelude::*, sample::select};

    use super::*;

    proptest! {
        #[test]
        fn changes_add_up_to_the_whole(steps in prop::collection::vec(hash_map(0..6_usize, 1..4_u32, 0..6), 1..6)) {
            let watches: Vec<_> = (0..6).map(|_| Watch::Order(OrderId::new())).collect();
            let (watching, from) = (Watching::default(), InstanceId::new());
            watching.replace(from, []);
            let mut before = Counts::new();
            for step in steps {
                let now: Counts = step.iter().map(|(index, count)| (watches[*index], *count)).collect();
                watching.change(from, changes(&before, &now));
                prop_assert_eq!(&watching.lock()[&from].counts, &now);
                before = now;
            }
        }

        #[test]
        fn instances_are_added_up(counts in prop::collection::vec(1..5_u32, 1..4), kind in select(vec![true, false])) {
            let (watching, order, courier) = (Watching::default(), OrderId::new(), CourierId::new());
            let watch = if kind { Watch::Order(order) } else { Watch::Courier(courier) };
            counts.iter().for_each(|count| watching.replace(InstanceId::new(), [(watch, *count), (Watch::Fleet, 1)]));
            let (all, each) = (counts.len() as u32, counts.iter().sum::<u32>());
            prop_assert_eq!(watching.customers_of(order), if kind { each } else { 0 });
            prop_assert_eq!(watching.dispatchers_of(courier), if kind { all } else { each + all });
        }
    }

    #[test]
    fn an_unknown_instance_is_not_half_known() {
        let (watching, from, order) = (Watching::default(), InstanceId::new(), OrderId::new());
        watching.change(from, [(Watch::Order(order), 1)]);
        assert!(!watching.heard(from));
        assert_eq!(watching.customers_of(order), 0);
    }
}
