//! Final buttons: what they queue is held for eight seconds, in which the courier can take it back.
//!
//! It is in storage at once, with the time until which it is held, so a closed page neither loses it nor sends it early.
//! One press is held at a time: the next final button, or anything else at the same order, lets the one before go.

use super::{Engine, Moment, Slot};
use crate::courier::{outbox::actions::Action, state::Undo, text::notices};
use doorstep_shared::{OrderId, protocol::encode_json};

/// How long a final button can be taken back, in milliseconds.
const HOLD_MS: i64 = 8_000;

/// What is held, by the clock that never goes back. The actions themselves stand in the queue.
#[derive(Clone, Debug, Default)]
pub(super) struct Holding {
    until_ms: Option<f64>,
}

impl Holding {
    /// When what is held may go.
    pub(super) fn wake_ms(&self) -> Option<f64> {
        self.until_ms
    }
}

impl Engine {
    /// Begins to hold what is queued with the time that this answers; what was held before may go.
    pub(super) fn begin_hold(&mut self, at: Moment) -> Option<i64> {
        self.release_held();
        self.holding.until_ms = Some(at.now_ms + HOLD_MS as f64);
        Some(at.date_ms + HOLD_MS)
    }

    /// Holds what was held when the page was closed for the rest of its time. A clock that was set meanwhile holds nothing
    /// for longer.
    pub(super) fn hold_restored(&mut self, at: Moment) {
        let until_ms = self.held().filter_map(|action| action.held_until_ms).max();
        let rest_ms = until_ms.map(|until_ms| (until_ms - at.date_ms).clamp(0, HOLD_MS));
        self.holding.until_ms = rest_ms.map(|rest_ms| at.now_ms + rest_ms as f64);
    }

    /// Lets go what was held for its time.
    pub(super) fn release_in_time(&mut self, at: Moment) {
        if self.holding.until_ms.is_some_and(|until_ms| until_ms <= at.now_ms) {
            self.release_held();
        }
    }

    /// Lets go what is held, before anything else happens to its order.
    pub(super) fn release_held_of(&mut self, order_id: OrderId) {
        if self.held().any(|action| action.order_id == order_id) {
            self.release_held();
        }
    }

    pub(super) fn release_held(&mut self) {
        self.holding.until_ms = None;
        let ids: Vec<u64> = self.held().map(|action| action.id).collect();
        self.uploads.actions.release(&ids);
        for action in self.uploads.actions.iter().filter(|action| ids.contains(&action.id)) {
            self.storage.write(Slot::Action(action.id), Some(encode_json(action)));
        }
    }

    /// Takes back what is held.
    pub(super) fn undo(&mut self) {
        self.holding.until_ms = None;
        let ids: Vec<u64> = self.held().map(|action| action.id).collect();
        self.uploads.actions.remove(&ids);
        ids.into_iter().for_each(|id| self.delete_action(id));
        self.storage.be_strict();
    }

    /// What the bar says; `None` when nothing can be taken back.
    pub(super) fn undoable(&self, at: Moment) -> Option<Undo> {
        let left_ms = self.holding.until_ms? - at.now_ms;
        let held: Vec<&Action> = self.held().collect();
        let text = notices::held(&held)?;
        Some(Undo { text, left_s: (left_ms / 1_000.0).ceil().max(0.0) as u32 })
    }

    fn held(&self) -> impl Iterator<Item = &Action> {
        self.uploads.actions.iter().filter(|action| action.held_until_ms.is_some())
    }
}
