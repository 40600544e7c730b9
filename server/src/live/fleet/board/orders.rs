//! The orders of the fleet: all that are open, and a bounded number of those that are over.

use std::collections::{HashMap, VecDeque};

use doorstep_shared::{CourierId, OrderId, protocol::fleet::FleetOrder};

use super::journal::Journal;
use crate::domain::fleet::{OrderPlace, OrderState, PlanPlaces};

/// Orders that are over and kept for readers that have not heard of it yet. Overflow policy: the oldest is
/// forgotten, and a reader that far behind is closed with 4001.
pub(super) const MAX_OVER: usize = 10_000;

/// Orders, each with the version of its newest change.
#[derive(Debug, Default)]
pub(super) struct Orders {
    states: HashMap<OrderId, (OrderState, u64)>,
    /// Where the orders of each courier stand in their plan.
    plans: HashMap<CourierId, Places>,
    over: VecDeque<(u64, OrderId)>,
}

/// A courier's newest plan, and the same by order.
#[derive(Debug)]
struct Places {
    newest: PlanPlaces,
    of_order: HashMap<OrderId, OrderPlace>,
}

impl From<PlanPlaces> for Places {
    fn from(newest: PlanPlaces) -> Self {
        let of_order = newest.orders.iter().map(|place| (place.order, *place)).collect();
        Self { newest, of_order }
    }
}

impl Orders {
    /// Takes a plan in, unless a newer one is known; its orders get their places.
    pub(super) fn put_plan(&mut self, places: PlanPlaces, journal: &mut Journal) {
        let courier = places.courier;
        let before = self.plans.remove(&courier);
        let newest = match &before {
            Some(known) => places.after(&known.newest),
            None => Some(places),
        };
        let Some(newest) = newest else {
            before.into_iter().for_each(|known| _ = self.plans.insert(courier, known));
            return;
        };
        let mut concerned: Vec<_> = newest.orders.iter().map(|place| place.order).collect();
        concerned.extend(before.iter().flat_map(|known| known.of_order.keys()).copied());
        self.plans.insert(courier, newest.into());
        for order in concerned {
            let state = self.states.get(&order).map(|(state, _)| state.clone());
            state.into_iter().for_each(|state| self.put(state, journal));
        }
    }

    /// An order's state with its place in the plan.
    fn placed(&self, mut state: OrderState) -> OrderState {
        let order = &mut state.order;
        let plan = order.courier_id.and_then(|courier| self.plans.get(&courier)).filter(|_| !order.status.is_final());
        let place = plan.and_then(|plan| plan.of_order.get(&order.id));
        order.sequence = place.map(|place| place.sequence);
        if let Some(place) = place {
            order.seen_at_ms = place.seen_at_ms;
        }
        state
    }

    /// Takes a state in, unless it says nothing new or comes after what became of it.
    pub(super) fn put(&mut self, state: OrderState, journal: &mut Journal) {
        let state = self.placed(state);
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
