//! How the screens hand on what the courier does.

use leptos::prelude::*;

use crate::courier::intent::Intent;

/// Takes what the courier does; copies of it are the same.
#[derive(Clone, Copy)]
pub struct Act(StoredValue<Box<dyn Fn(Intent)>, LocalStorage>);

impl Act {
    /// Hands every [`Intent`] to `take`, on the thread that made this: in a browser there is no other.
    pub fn new(take: impl Fn(Intent) + 'static) -> Self {
        Self(StoredValue::new_local(Box::new(take)))
    }

    /// Hands on one intent. After the screens are gone nothing happens.
    pub fn raise(self, intent: Intent) {
        let _ = self.0.try_with_value(|take| take(intent));
    }
}
