//! The live state of every courier on this instance, and the only place where fixes become live events.
//!
//! Keeps the track and the open orders of each courier in memory, behind sharded locks that are never held
//! across an await. A courier's events are published under their shard's lock, so viewers get them in the
//! order in which they were decided; the lock order is tracker, then hub, then outbox.
//! Arrival estimates are not made here, because planning a route takes milliseconds: see [`crate::service::arrival`].
//! With several instances each instance that shows a courier takes in all their fixes, its own and those that others
//! received, and decides for itself what they mean; what costs more, like an estimate, is done where the courier
//! reports.

mod courier_state;
mod fixes;
mod marks;
mod pending;
mod plans;
mod presence;
mod queries;
mod shards;
mod views;

use std::{
    collections::HashSet,
    sync::{Arc, atomic::AtomicU64},
};

use doorstep_shared::{CourierId, OrderId};

use self::{
    courier_state::{CourierState, FilledIn},
    pending::Pending,
    shards::Shards,
};
use crate::{domain::track::Update, live::broker::Broker};

pub use self::{
    courier_state::{Known, shown_from_ms},
    views::{AtWork, Heading, LastSeen, OnTour, Sight, Standing, Whereabouts},
};

/// The instance to whose client a courier said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// This one, which tells the others.
    Here,
    /// Another one.
    Elsewhere,
}

/// The live state of every courier. Shared by reference.
#[derive(Debug)]
pub struct Tracker {
    couriers: Shards<CourierState>,
    broker: Arc<dyn Broker>,
    pending: Pending,
    plan_tickets: AtomicU64,
}

impl Tracker {
    /// A tracker that publishes through `broker` and knows nobody yet.
    pub fn new(broker: Arc<dyn Broker>) -> Self {
        Self { couriers: Shards::default(), broker, pending: Pending::default(), plan_tickets: AtomicU64::new(0) }
    }

    /// Fills in what the database knows of a courier: when they become known here, and after facts of other instances
    /// were missed. Tells viewers a presence that is news. Returns what the fixes changed, for
    /// [`Tracker::show_filled_in`] once the plan is known that goes with them: it says who may see them.
    pub fn seed(&self, courier: CourierId, known: Known, now_ms: i64) -> Update {
        let mut shard = self.couriers.lock(courier);
        let state = shard.entry(courier).or_insert_with(|| CourierState::new(now_ms));
        let FilledIn { update, presence } = state.fill_in(known, now_ms);
        if let Some(presence) = presence {
            self.change_presence(state, presence);
        }
        drop(shard);
        self.pending.add([courier], []);
        update
    }

    /// Shows what fixes from the database changed to every viewer who may see the courier, and who would otherwise wait
    /// for it until the courier's next fix. Whatever they have seen meanwhile is newer and stays.
    pub fn show_filled_in(&self, courier: CourierId, update: &Update) {
        let shard = self.couriers.lock(courier);
        let order = shard.get(&courier).and_then(|state| self.show_late(state, update));
        drop(shard);
        self.pending.add([], order.filter(|_| update.filled_in > 0));
    }

    /// Whether anything is known of a courier; when not, [`Tracker::seed`] should be called first.
    pub fn knows(&self, courier: CourierId) -> bool {
        self.couriers.lock(courier).contains_key(&courier)
    }

    /// As [`Tracker::knows`]; and a courier who is known is not forgotten for a while, so that what follows can rely on
    /// it.
    pub fn keep(&self, courier: CourierId, now_ms: i64) -> bool {
        let mut shard = self.couriers.lock(courier);
        let known = shard.get_mut(&courier);
        known.map(|state| state.marks.keep(now_ms)).is_some()
    }

    /// Forgets couriers that have nothing to deliver and were not heard of for half an hour, but none who are
    /// `connected`.
    pub fn forget_idle(&self, connected: &[CourierId], now_ms: i64) {
        let connected: HashSet<_> = connected.iter().copied().collect();
        self.couriers.retain(|courier, state| connected.contains(&courier) || !state.is_forgettable(now_ms));
    }

    /// Marks orders whose viewers need a fresh snapshot.
    pub fn outdate(&self, orders: impl IntoIterator<Item = OrderId>) {
        self.pending.add([], orders);
    }

    /// Waits until some courier moved or some order's viewers need a snapshot, and takes both lists.
    /// # Cancel safety
    /// Safe while waiting; what was taken is gone.
    pub async fn changes(&self) -> (Vec<CourierId>, Vec<OrderId>) {
        self.pending.take().await
    }
}
