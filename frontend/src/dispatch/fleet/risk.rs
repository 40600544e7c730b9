//! What couriers do and what may go wrong with orders, judged from the fleet at a moment.

use doorstep_shared::{OrderId, OrderStatus};

use super::{Courier, CourierIssue, Fleet, Order, is_away};
use crate::ui::time::MINUTE_MS;

/// An order whose promise ends this soon, with the goods not picked up, is at risk.
const TIGHT_MS: i64 = 10 * MINUTE_MS;

/// What a courier is doing, as the map and the list show it. The map's script reads the number of the variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Activity {
    /// Needs attention.
    Attention,
    /// Has an order.
    Delivering,
    /// On duty with nothing to do.
    Free,
    /// Off duty, or never seen.
    Away,
}

/// What may go wrong with an order, or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// It failed at the door, and a dispatcher must decide what happens next.
    Failed,
    /// The promised window is over, or will be when it arrives.
    Late { by_ms: i64 },
    /// Its courier is not heard from.
    Courier(CourierIssue),
    /// The promise ends soon, and the goods are not picked up.
    Tight { left_ms: i64 },
}

impl Risk {
    /// The worst first.
    const fn rank(self) -> (u8, i64) {
        match self {
            Self::Failed => (0, 0),
            Self::Late { by_ms } => (1, -by_ms),
            Self::Courier(issue) => (2, issue.since_ms()),
            Self::Tight { left_ms } => (3, left_ms),
        }
    }
}

impl Fleet {
    /// What a courier is doing.
    pub fn activity(&self, courier: &Courier, at_ms: i64) -> Activity {
        let is_free = courier.orders.is_empty();
        if is_away(courier, at_ms) {
            return if is_free { Activity::Away } else { Activity::Attention };
        }
        let has_issue = self.flagged.contains(&courier.id) || !is_free && courier.issue(at_ms).is_some();
        if has_issue || courier.orders.iter().any(|id| self.is_late(id, at_ms)) {
            Activity::Attention
        } else if is_free {
            Activity::Free
        } else {
            Activity::Delivering
        }
    }

    /// What may go wrong with an order.
    pub fn risk(&self, order: &Order, at_ms: i64) -> Option<Risk> {
        if order.status == OrderStatus::Failed {
            return Some(Risk::Failed);
        }
        if order.status.is_final() {
            return None;
        }
        if let Some(by_ms) = self.late_by_ms(order, at_ms) {
            return Some(Risk::Late { by_ms });
        }
        let courier = order.courier_id.and_then(|id| self.couriers.get(&id));
        if let Some(issue) = courier.and_then(|courier| courier.issue(at_ms)) {
            return Some(Risk::Courier(issue));
        }
        let left_ms = left_ms(order, at_ms);
        left_ms.filter(|left_ms| *left_ms < TIGHT_MS && !order.is_loaded()).map(|left_ms| Risk::Tight { left_ms })
    }

    /// How late an order that is not over will be, in lists, in the inbox and on its own screen: against its promise, by
    /// when it is expected or by now; or else as its exception says, which weighs the whole range of the arrival.
    pub fn late_by_ms(&self, order: &Order, at_ms: i64) -> Option<i64> {
        let by_ms = left_ms(order, at_ms).map(|left_ms| -left_ms).filter(|by_ms| *by_ms > 0);
        by_ms.or_else(|| self.late_by_ms.get(&order.id).copied())
    }

    /// Where an order stands in a list: the worst risk first, then the promise that ends soonest, then the oldest.
    pub fn urgency(&self, order: &Order, at_ms: i64) -> (u8, i64, i64, OrderId) {
        let (rank, within) = self.risk(order, at_ms).map_or((9, 0), Risk::rank);
        (rank, within, order.promised_until_ms().unwrap_or(i64::MAX), order.id)
    }

    fn is_late(&self, id: &OrderId, at_ms: i64) -> bool {
        let risk = self.orders.get(id).and_then(|order| self.risk(order, at_ms));
        matches!(risk, Some(Risk::Failed | Risk::Late { .. }))
    }
}

/// How much of its promise is left when it arrives as expected, or now. The promise is broken when its end has passed, and
/// as soon as it is known that it will.
fn left_ms(order: &Order, at_ms: i64) -> Option<i64> {
    let reached_ms = order.expected_ms().unwrap_or(at_ms).max(at_ms);
    order.promised_until_ms().map(|until_ms| until_ms - reached_ms)
}
