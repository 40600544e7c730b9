//! Tells, once for an attempt, that an order's courier is near its door.
//!
//! Estimates live in memory, so this is no change of an order that could write its own event: the arrival task notes it in
//! a bounded queue, and one task writes it. An index of the database holds it once, whichever instance notices it.

use std::time::Duration;

use doorstep_shared::{OrderId, OrderStatus, protocol::customer::Eta};
use tokio::sync::mpsc;

use crate::{domain::order::Order, platform::clock::Clock, store::Store};

/// A courier is near when they should be at the door within this: enough to come to the door or the gate.
const NEAR_MS: i64 = 3 * 60_000;

/// Orders that may wait. Overflow policy: the order is noted again with its next estimate.
const QUEUED: usize = 1_000;

/// How long after a failure the database is asked again.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// An order in one attempt.
pub(super) type Attempt = (OrderId, u32);

/// Whether the courier of an order that is served is near its door.
pub(super) fn is_near(order: &Order, eta: &Eta, now_ms: i64) -> bool {
    let expected_ms = eta.expected_ms.unwrap_or(eta.latest_ms);
    order.status == OrderStatus::PickedUp && expected_ms - now_ms <= NEAR_MS
}

/// Takes orders. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Approaches {
    queue: mpsc::Sender<Attempt>,
}

/// Writes them.
#[derive(Debug)]
pub struct ApproachWriter {
    store: Store,
    clock: Clock,
    waiting: mpsc::Receiver<Attempt>,
}

impl Approaches {
    /// The queue, and what writes its entries.
    pub fn new(store: Store, clock: Clock) -> (Self, ApproachWriter) {
        let (queue, waiting) = mpsc::channel(QUEUED);
        (Self { queue }, ApproachWriter { store, clock, waiting })
    }

    /// Puts an order into the queue, if there is room. Never waits.
    pub(super) fn note(&self, attempt: Attempt) -> bool {
        self.queue.try_send(attempt).is_ok()
    }
}

impl ApproachWriter {
    /// Runs until it is cancelled. What waits then is noted again with an estimate.
    pub async fn run(mut self) {
        while let Some((order, attempt)) = self.waiting.recv().await {
            while let Err(error) = self.store.tell_approaching(order, attempt, self.clock.now()).await {
                tracing::warn!(error = %error, order.id = %order, "could not tell that a courier is near; trying again");
                tokio::time::sleep(TRY_AGAIN).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::order::visibility::tests::order;

    fn eta(expected_ms: Option<i64>, latest_ms: i64) -> Eta {
        Eta { earliest_ms: 0, latest_ms, computed_at_ms: 0, remaining_m: 100, expected_ms, coverage: None, why: None }
    }

    #[test]
    fn a_courier_with_the_goods_is_near_three_minutes_before_the_door() {
        let loaded = order(OrderStatus::PickedUp, 0);
        for (eta, near) in [
            (eta(Some(180_000), 600_000), true),
            (eta(Some(180_001), 600_000), false),
            (eta(None, 600_000), false),
            (eta(None, 60_000), true),
        ] {
            assert_eq!(is_near(&loaded, &eta, 0), near, "{eta:?}");
        }
        let on_the_way_to_the_pickup = order(OrderStatus::Assigned, 0);
        assert!(!is_near(&on_the_way_to_the_pickup, &eta(Some(1), 1), 0));
    }
}
