//! An order as the console knows it: what the feed sends, and the details that were fetched.

use std::sync::Arc;

use doorstep_shared::{CourierId, OrderId, OrderStatus, api::OrderView, protocol::fleet::FleetOrder};

/// A delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    pub id: OrderId,
    pub reference: String,
    pub status: OrderStatus,
    pub status_at_ms: i64,
    pub courier_id: Option<CourierId>,
    /// Counts up with every change; `None` from servers that do not count.
    pub version: Option<u64>,
    /// The place of its next stop in its courier's plan, from 1.
    pub sequence: Option<u32>,
    /// When the courier's screen first showed it as it is now.
    pub seen_at_ms: Option<i64>,
    /// Addresses, customer and promise, once they were fetched.
    pub details: Option<Arc<OrderView>>,
}

impl Order {
    /// When it should reach the door.
    pub fn expected_ms(&self) -> Option<i64> {
        self.details.as_ref()?.expected_at.map(|at| at.timestamp_millis())
    }

    /// When the promised window ends.
    pub fn promised_until_ms(&self) -> Option<i64> {
        self.details.as_ref()?.promised_until.map(|until| until.timestamp_millis())
    }

    /// Whether the courier has picked up the goods.
    pub fn is_loaded(&self) -> bool {
        self.status.step() >= Some(3)
    }

    pub(super) fn to_wire(&self) -> FleetOrder {
        FleetOrder {
            id: self.id,
            reference: self.reference.clone(),
            status: self.status,
            status_at_ms: self.status_at_ms,
            courier_id: self.courier_id,
            version: self.version,
            sequence: self.sequence,
            seen_at_ms: self.seen_at_ms,
        }
    }
}

/// An order of the REST API as the feed would send it.
pub(super) fn from_view(view: &OrderView) -> FleetOrder {
    FleetOrder {
        id: view.id,
        reference: view.reference.clone(),
        status: view.status,
        status_at_ms: view.status_at.timestamp_millis(),
        courier_id: view.courier_id,
        version: Some(view.version),
        sequence: view.sequence,
        seen_at_ms: view.seen_at.map(|at| at.timestamp_millis()),
    }
}

/// Whether the feed told more than this answer of the REST API knows.
pub(super) fn is_newer(known: &Order, view: &OrderView) -> bool {
    view.status_at.timestamp_millis() < known.status_at_ms
        || known.version.is_some_and(|version| view.version < version)
}
