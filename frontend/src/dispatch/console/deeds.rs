//! What a dispatcher does with an order beyond moving it on: taken from its courier, tried again, reopened. Each carries the
//! version that the dispatcher saw, so that the one who comes second is told who was first.

use doorstep_shared::{CourierId, OrderId, OrderStatus, api::change::NextAttempt};

use super::{ApiCall, ApiError, Console, Dialog, Effect, Item, Open};
use crate::dispatch::{
    draft::TypedWindow,
    text::{self, rfc3339},
};

/// What the dispatcher gives a reason for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Set a status.
    Status(OrderStatus),
    /// Take it from its courier.
    Unassign,
    /// Correct a final status.
    Reopen,
}

impl Deed {
    /// Whether it may be done to an order with this status.
    pub fn is_offered(self, now: OrderStatus) -> bool {
        match self {
            // An order without a courier can only be cancelled by hand.
            Self::Status(next) => {
                now.can_become(next) && (now != OrderStatus::Created || next == OrderStatus::Cancelled)
            }
            Self::Unassign => matches!(now, OrderStatus::Assigned | OrderStatus::AtPickup),
            Self::Reopen => now.is_final(),
        }
    }
}

/// A next attempt as it is typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TypedAttempt {
    /// Dates and clock times of the window, as in [`TypedWindow`].
    pub from_date: String,
    pub from: String,
    pub until_date: String,
    pub until: String,
    /// The present courier when left out.
    pub courier: Option<CourierId>,
}

impl TypedAttempt {
    fn window(&self) -> TypedWindow<'_> {
        TypedWindow { from_date: &self.from_date, from: &self.from, until_date: &self.until_date, until: &self.until }
    }
}

impl Console {
    /// The version of an order that the dispatcher sees.
    pub(super) fn seen_version(&self, id: OrderId) -> Option<u64> {
        let order = self.fleet.orders.get(&id)?;
        order.version.max(order.details.as_ref().map(|details| details.version))
    }

    /// The order that keys act on: what is open, or the row of the list.
    pub(super) fn order_at_hand(&self) -> Option<OrderId> {
        match (self.route.open, self.selection.cursor) {
            (Open::Order(id), _) | (_, Some(Item::Order(id))) => Some(id),
            _ => None,
        }
    }

    /// Asks for the reason of a deed, if the order's status allows the deed.
    pub(super) fn ask_reason(&mut self, order: OrderId, deed: Deed) {
        let status = self.fleet.orders.get(&order).map(|order| order.status);
        if status.is_some_and(|status| deed.is_offered(status)) {
            self.drawer.problem = None;
            *self.dialog = Some(Dialog::Reason { order, deed, version: self.seen_version(order) });
        }
    }

    /// Does what the reason was asked for.
    pub(super) fn give_reason(&mut self, note: &str, effects: &mut Vec<Effect>) {
        let Some(Dialog::Reason { order, deed, version }) = *self.dialog else { return };
        let reason = Some(note.trim().to_owned()).filter(|note| !note.is_empty());
        let call = match (deed, reason) {
            (Deed::Status(status), note) => ApiCall::SetStatus { order, status, note, version },
            (Deed::Unassign, reason) => ApiCall::Unassign { order, reason, version },
            (Deed::Reopen, Some(reason)) => ApiCall::Reopen { order, reason, version },
            (Deed::Reopen, None) => {
                self.drawer.problem = Some("Write what was wrong; the timeline keeps it.".to_owned());
                return;
            }
        };
        *self.dialog = None;
        self.call_busy(call, effects);
    }

    /// Opens the form for the next attempt at a failed order.
    pub(super) fn ask_attempt(&mut self, order: OrderId) {
        let is_failed = self.fleet.orders.get(&order).is_some_and(|order| order.status == OrderStatus::Failed);
        if is_failed {
            let version = self.seen_version(order);
            let drawer = &mut *self.drawer;
            (drawer.problem, drawer.courier_query) = (None, String::new());
            *self.dialog = Some(Dialog::Attempt { order, version });
        }
    }

    pub(super) fn begin_attempt(&mut self, typed: &TypedAttempt, effects: &mut Vec<Effect>) {
        let Some(Dialog::Attempt { order, version }) = *self.dialog else { return };
        match typed.window().read(self.at_ms, &self.locale) {
            Err((_, why)) => self.drawer.problem = Some(format!("{why}.")),
            Ok((from_ms, until_ms)) => {
                let time = |at_ms: Option<i64>| at_ms.and_then(|at_ms| rfc3339(at_ms).parse().ok());
                let (promised_from, promised_until) = (time(from_ms), time(until_ms));
                let attempt = NextAttempt { promised_from, promised_until, courier_id: typed.courier, version };
                self.call_busy(ApiCall::Attempt { order, attempt }, effects);
            }
        }
    }

    /// A change of an order failed. If a colleague was faster, the dispatcher reads who did what, and the order is fetched.
    pub(super) fn deed_failed(&mut self, order: OrderId, error: &ApiError, effects: &mut Vec<Effect>) {
        let Some(details) = error.conflict() else { return self.change_failed(error) };
        let told = text::conflict(details, self.at_ms);
        let is_open = self.route.open == Open::Order(order);
        let reference = self.fleet.orders.get(&order).filter(|_| !is_open).map(|order| order.reference.clone());
        let told = reference.map_or(told.clone(), |reference| format!("{reference}: {told}"));
        // The dialog was about the order as it was.
        *self.dialog = None;
        let drawer = &mut *self.drawer;
        (drawer.is_busy, drawer.problem) = (false, Some(told));
        effects.push(Effect::Call(ApiCall::Order(order)));
    }
}
