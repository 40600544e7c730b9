//! Which couriers dispatchers have in view, counted.
//!
//! A console holds one guard for each courier it shows, or one for all of them; dropping the guard takes it out of
//! the count. Counting never waits and sends nothing: [`crate::service::pacing`] looks at the counts every round and tells
//! couriers' phones when they changed. Customers are counted by [`crate::live::hub::Hub::audience`].

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use doorstep_shared::CourierId;

/// The dispatchers' views. Shared by reference.
#[derive(Debug, Default)]
pub struct Audience {
    views: Mutex<Views>,
}

#[derive(Debug, Default)]
struct Views {
    of_all: u32,
    of_one: HashMap<CourierId, u32>,
}

/// One dispatcher's view of one courier, or of all; it counts until it is dropped.
#[derive(Debug)]
#[must_use = "dropping it takes it out of the count"]
pub struct View {
    audience: Arc<Audience>,
    courier: Option<CourierId>,
}

impl Audience {
    /// Counts a dispatcher who has `courier` in view. A console holds this or [`Audience::watch_all`], not both, or
    /// it counts twice.
    pub fn watch(self: &Arc<Self>, courier: CourierId) -> View {
        *self.lock().of_one.entry(courier).or_default() += 1;
        View { audience: Arc::clone(self), courier: Some(courier) }
    }

    /// Counts a dispatcher who has every courier in view.
    pub fn watch_all(self: &Arc<Self>) -> View {
        self.lock().of_all += 1;
        View { audience: Arc::clone(self), courier: None }
    }

    /// How many dispatchers have `courier` in view.
    pub fn dispatchers_of(&self, courier: CourierId) -> u32 {
        let views = self.lock();
        views.of_all + views.of_one.get(&courier).copied().unwrap_or_default()
    }

    /// How many dispatchers have every courier in view, and how many more have each single courier in view.
    pub fn counts(&self) -> (u32, Vec<(CourierId, u32)>) {
        let views = self.lock();
        (views.of_all, views.of_one.iter().map(|(courier, count)| (*courier, *count)).collect())
    }

    fn lock(&self) -> MutexGuard<'_, Views> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for View {
    fn drop(&mut self) {
        let mut views = self.audience.lock();
        let Some(courier) = self.courier else {
            views.of_all -= 1;
            return;
        };
        if let Some(count) = views.of_one.get_mut(&courier) {
            *count -= 1;
            if *count == 0 {
                views.of_one.remove(&courier);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_counts_until_it_is_dropped() {
        let audience = Arc::new(Audience::default());
        let (ana, ben) = (CourierId::new(), CourierId::new());
        let everybody = audience.watch_all();
        let (first, second) = (audience.watch(ana), audience.watch(ana));
        assert_eq!((audience.dispatchers_of(ana), audience.dispatchers_of(ben)), (3, 1));
        drop(everybody);
        drop(first);
        assert_eq!((audience.dispatchers_of(ana), audience.dispatchers_of(ben)), (1, 0));
        drop(second);
        assert!(audience.lock().of_one.is_empty(), "nothing is left behind");
    }
}
