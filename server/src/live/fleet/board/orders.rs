//! The orders of the fleet: all that are open, and a bounded number of those that are over.

use std::collections::{HashMap, VecDeque};

use doorstep_shared::{OrderId, protocol::fleet::FleetOrder};

use super::journal::Journal;
use crate::domain::fleet::OrderState;

/// Orders that are over and kept for readers that have not heard of it yet. Overflow policy: the oldest is
/// forgotten, and a reader that far behind is closed with 4001.
pub(super) const MAX_OVER: usize = 10_000;

/// Orders, each with the version of its newest change.
#[derive(Debug, Default)]
pub(super) struct Orders {
    states: HashMap<OrderId, (OrderState, u64)>,
    over: VecDeque<(u64, OrderId)>,
}

impl Orders {
    /// Takes a state in, unless it says nothing new or comes after what became of it.
    pub(super) fn put(&mut self, state: OrderState, journal: &mut Journal) {
        let (id, is_over) = (state.order.id, state.order.status.is_final());
        let known = self.states.get(&id);
        if known.is_some_and(|(known, _)| *known == state || !state.may_follow(known)) {
            return;
        }
        let version = journal.note_order(id, known.map(|(_, version)| *version));
        self.states.insert(id, (state, version));
        if is_over {
            self.over.push_back((version, id));
            self.forget_oldest(journal);
        }
    }

    fn forget_oldest(&mut self, journal: &mut Journal) {
        if self.over.len() > MAX_OVER
            && let Some((oldest, id)) = self.over.pop_front()
            // One that was reopened since is not over any more, or is over at a later version.
            && self.states.get(&id).is_some_and(|(_, version)| *version == oldest)
        {
            self.states.remove(&id);
            journal.forget(oldest);
        }
    }

    pub(super) fn get(&self, order: OrderId) -> &FleetOrder {
        &self.states[&order].0.order
    }

    /// Every order that is not over, in any order.
    pub(super) fn open(&self) -> impl Iterator<Item = &FleetOrder> {
        self.states.values().map(|(state, _)| &state.order).filter(|order| !order.status.is_final())
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.states.len()
    }
}
