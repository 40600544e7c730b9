//! Whether the two connections to Redis are there.

use std::sync::atomic::{AtomicBool, Ordering};

/// The state of both connections. Shared by reference.
#[derive(Debug, Default)]
pub(super) struct LinkState {
    publishing: AtomicBool,
    listening: AtomicBool,
}

impl LinkState {
    /// Whether the other instances can be reached: both connections are there.
    pub(super) fn is_up(&self) -> bool {
        self.is_publishing() && self.is_listening()
    }

    pub(super) fn is_publishing(&self) -> bool {
        self.publishing.load(Ordering::Acquire)
    }

    pub(super) fn is_listening(&self) -> bool {
        self.listening.load(Ordering::Acquire)
    }

    pub(super) fn set_publishing(&self, is_up: bool) {
        self.set(&self.publishing, is_up);
    }

    pub(super) fn set_listening(&self, is_up: bool) {
        self.set(&self.listening, is_up);
    }

    fn set(&self, which: &AtomicBool, is_up: bool) {
        let before = self.is_up();
        which.store(is_up, Ordering::Release);
        let now = self.is_up();
        metrics::gauge!("doorstep_broker_up").set(f64::from(u8::from(now)));
        match (before, now) {
            (false, true) => tracing::info!("the other instances can be reached"),
            (true, false) => tracing::warn!("the other instances cannot be reached; serving our own"),
            _ => {}
        }
    }
}
