//! Brings what happens to an order to all of its viewers on this instance.
//!
//! A topic is an order. A viewer never receives another order's messages, because a connection is subscribed to exactly
//! the order of its tracking link. Publishing never waits: it puts messages into outboxes and returns.
//! A session first subscribes and then builds the snapshot, so that no message is lost between the two; the outbox drops
//! positions that the snapshot already shows.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use doorstep_shared::{
    OrderId, Position,
    protocol::{
        CloseCode,
        customer::{CustomerEvent, PositionUpdate},
    },
};

use crate::live::outbox::{Encoded, Outbox};

/// A lock is held for as long as it takes to fill the outboxes of one order; with this many of them two workers seldom
/// wait for the same one.
const SHARDS: usize = 64;

/// Something that the viewers of an order should see.
#[allow(
    clippy::large_enum_variant,
    reason = "it lives for one publish; a box around the snapshot would cost every position an indirection"
)]
#[derive(Clone, Debug)]
pub enum LiveEvent {
    /// The courier moved; with what came between the last position and this one, `[lon, lat]`, oldest first.
    Moved {
        /// Where they are.
        position: Position,
        /// The points in between.
        skipped: Vec<[f64; 2]>,
    },
    /// Any other message of the feed. A snapshot here corrects what viewers have.
    Tell(CustomerEvent),
    /// The order is over: tell all viewers and close their connections with 4502.
    Ended(doorstep_shared::protocol::customer::Ended),
}

/// The subscribers of this instance, by order.
#[derive(Debug)]
pub struct Hub {
    shards: Box<[Mutex<HashMap<OrderId, Topic>>]>,
    hasher: RandomState,
    next_id: AtomicU64,
    viewers: AtomicUsize,
}

#[derive(Debug, Default)]
struct Topic {
    viewers: Vec<(u64, Arc<Outbox>)>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            next_id: AtomicU64::new(0),
            viewers: AtomicUsize::new(0),
        }
    }
}

impl Hub {
    /// Adds a viewer. It receives everything published from now on, until the subscription is dropped.
    pub fn subscribe(self: &Arc<Self>, order: OrderId, outbox: Arc<Outbox>) -> Subscription {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        self.shard(order).entry(order).or_default().viewers.push((id, outbox));
        let viewers = self.viewers.fetch_add(1, Ordering::Relaxed) + 1;
        metrics::gauge!("doorstep_viewers").set(viewers as f64);
        Subscription { hub: Arc::clone(self), order, id }
    }

    /// Hands an event to every viewer of `order`.
    pub fn publish(&self, order: OrderId, event: LiveEvent) {
        let shard = self.shard(order);
        let Some(topic) = shard.get(&order) else { return };
        let viewers = topic.viewers.iter().map(|(_, outbox)| outbox);
        match event {
            LiveEvent::Moved { position, skipped } => {
                let message = Encoded::new(CustomerEvent::Position(PositionUpdate::new(&position, skipped)));
                viewers.for_each(|outbox| outbox.push_position(&message));
            }
            LiveEvent::Tell(snapshot @ CustomerEvent::Snapshot(_)) => {
                let message = Encoded::new(snapshot);
                viewers.for_each(|outbox| outbox.push_correction(&message));
            }
            LiveEvent::Tell(event) => {
                let message = Encoded::new(event);
                viewers.for_each(|outbox| outbox.push_shared(&message));
            }
            LiveEvent::Ended(ended) => {
                let message = Encoded::new(CustomerEvent::Ended(ended));
                for outbox in viewers {
                    outbox.push_shared(&message);
                    outbox.close(CloseCode::TrackingEnded);
                }
            }
        }
    }

    /// Closes the feeds of `order` with 4502, without a word about how it ended: its link shows nothing any more.
    pub fn close(&self, order: OrderId) {
        let shard = self.shard(order);
        let viewers = shard.get(&order).into_iter().flat_map(|topic| &topic.viewers);
        viewers.for_each(|(_, outbox)| outbox.close(CloseCode::TrackingEnded));
    }

    /// How many viewers `order` has on this instance.
    pub fn audience(&self, order: OrderId) -> usize {
        self.shard(order).get(&order).map_or(0, |topic| topic.viewers.len())
    }

    /// Every order that has viewers on this instance, with how many, in any order.
    pub fn audiences(&self) -> Vec<(OrderId, u32)> {
        let shards = self.shards.iter().map(|shard| shard.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        let of_shard = |shard: MutexGuard<'_, HashMap<OrderId, Topic>>| {
            shard.iter().map(|(order, topic)| (*order, topic.viewers.len() as u32)).collect::<Vec<_>>()
        };
        shards.flat_map(of_shard).collect()
    }

    fn unsubscribe(&self, order: OrderId, id: u64) {
        let mut shard = self.shard(order);
        let Some(topic) = shard.get_mut(&order) else { return };
        topic.viewers.retain(|(known, _)| *known != id);
        if topic.viewers.is_empty() {
            shard.remove(&order);
        }
        drop(shard);
        let viewers = self.viewers.fetch_sub(1, Ordering::Relaxed) - 1;
        metrics::gauge!("doorstep_viewers").set(viewers as f64);
    }

    fn shard(&self, order: OrderId) -> MutexGuard<'_, HashMap<OrderId, Topic>> {
        let index = self.hasher.hash_one(order) as usize % SHARDS;
        self.shards[index].lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A viewer's place in the hub; dropping it unsubscribes.
#[derive(Debug)]
pub struct Subscription {
    hub: Arc<Hub>,
    order: OrderId,
    id: u64,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.unsubscribe(self.order, self.id);
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{
        OrderStatus,
        protocol::{Codec, customer::Ended},
    };

    use super::*;
    use crate::live::outbox::{Peer, Wire};

    #[test]
    fn a_viewer_gets_their_order_and_no_other_until_they_leave() {
        let hub = Arc::new(Hub::default());
        let (mine, other) = (OrderId::new(), OrderId::new());
        let outbox = Outbox::new(Wire::Socket(Codec::Json), Peer::Customer);
        let subscription = hub.subscribe(mine, Arc::clone(&outbox));
        let ended = |at_ms| LiveEvent::Ended(Ended { status: OrderStatus::Delivered, at_ms });
        hub.publish(other, ended(1));
        assert_eq!(outbox.closed_with(), None);
        assert_eq!((hub.audience(mine), hub.audience(other)), (1, 0));
        hub.publish(mine, ended(2));
        assert_eq!(outbox.closed_with(), Some(4502));
        drop(subscription);
        assert_eq!(hub.audience(mine), 0);
        assert!(
            hub.shards.iter().all(|shard| shard.lock().expect("not poisoned").is_empty()),
            "no topic is left behind"
        );
    }
}
