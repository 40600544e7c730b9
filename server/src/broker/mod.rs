//! Carries live events between instances.
//!
//! Delivery is at most once and unordered between couriers; for one courier events arrive in the order in
//! which they were published. A lost position is replaced by the next, and the snapshot on subscribing repairs
//! everything else. One instance needs no more than [`in_process::InProcess`].

pub mod in_process;

use doorstep_shared::OrderId;

use crate::{fleet::change::FleetChange, hub::LiveEvent};

/// A way to reach the viewers of an order, and dispatchers, wherever they are connected.
pub trait Broker: Send + Sync + std::fmt::Debug {
    /// Hands `event` on. Never waits, and never fails in a way that the publisher could mend.
    fn publish(&self, order: OrderId, event: LiveEvent);

    /// Hands a change on to every dispatcher's view of the fleet, on the same terms. Called for every position of
    /// every courier: it costs next to nothing while nobody watches.
    fn publish_fleet(&self, change: FleetChange);
}
