//! Carries live events between instances.
//!
//! Delivery is at most once and unordered between couriers; for one courier events arrive in the order in
//! which they were published. A lost position is replaced by the next, and the snapshot on subscribing repairs
//! everything else. One instance needs no more than [`in_process::InProcess`].

pub mod in_process;

use doorstep_shared::OrderId;

use crate::hub::LiveEvent;

/// A way to reach the viewers of an order, wherever they are connected.
pub trait Broker: Send + Sync + std::fmt::Debug {
    /// Hands `event` on. Never waits, and never fails in a way that the publisher could mend.
    fn publish(&self, order: OrderId, event: LiveEvent);
}
