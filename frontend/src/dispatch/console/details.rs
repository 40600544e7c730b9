//! Which orders' details were asked for. The feed names orders and their status only; addresses, customer and promise
//! come from the REST API, one by one or, of many at once, in a sweep through the pages of all open orders.

use std::collections::{BTreeSet, HashSet};

use doorstep_shared::{OrderId, api::OrderView};

use super::{ApiCall, Console, Effect};
use crate::dispatch::{
    fleet::Order,
    route::{Open, Tab},
};

/// More orders than this without details are fetched in pages, fewer one by one.
const ONE_BY_ONE: usize = 6;

/// The expected arrivals of open orders are fetched again this often.
const REFRESH_EVERY_MS: f64 = 60_000.0;

/// The requests for details of orders.
#[derive(Clone, Debug)]
pub struct OrderDetails {
    /// Orders whose details are on their way, and those whose details never came.
    requested: HashSet<OrderId>,
    /// The list through whose pages the sweep goes at the moment.
    sweep: Option<Tab>,
    refreshed_ms: f64,
    is_refresh_due: bool,
}

impl OrderDetails {
    /// Nothing was asked for yet.
    pub(super) fn new(now_ms: f64) -> Self {
        Self { requested: HashSet::new(), sweep: None, refreshed_ms: now_ms, is_refresh_due: false }
    }

    pub(super) fn second_passed(&mut self, now_ms: f64, has_active: bool) {
        self.is_refresh_due |= has_active && now_ms - self.refreshed_ms >= REFRESH_EVERY_MS;
    }

    pub(super) fn forget_requests(&mut self) {
        self.requested.clear();
    }

    pub(super) fn forget_request(&mut self, id: OrderId) {
        self.requested.remove(&id);
    }

    pub(super) fn retain_requests(&mut self, is_known: impl Fn(&OrderId) -> bool) {
        self.requested.retain(is_known);
    }

    /// A page of the sweep failed: what is missing is asked for again with the next sorting.
    pub(super) fn sweep_failed(&mut self, tab: Tab) {
        if self.sweep == Some(tab) {
            self.sweep = None;
            self.requested.clear();
        }
    }

    fn sweep_call(&mut self, tab: Tab, cursor: Option<String>) -> Effect {
        self.sweep = Some(tab);
        Effect::Call(ApiCall::Orders { tab, query: String::new(), span: None, cursor })
    }
}

impl Console {
    /// Asks for the details of orders that the feed named.
    pub(super) fn request_details(&mut self, effects: &mut Vec<Effect>) {
        if self.details.sweep.is_some() {
            return;
        }
        let is_missing = |order: &&Order| order.details.is_none() && !self.details.requested.contains(&order.id);
        let missing: BTreeSet<_> = self.fleet.orders.values().filter(is_missing).map(|order| order.id).collect();
        self.details.requested.extend(&missing);
        if missing.len() > ONE_BY_ONE {
            effects.push(self.details.sweep_call(Tab::Unassigned, None));
        } else {
            effects.extend(missing.into_iter().map(|id| Effect::Call(ApiCall::Order(id))));
        }
    }

    /// Fetches the expected arrivals of open orders again, if it is time.
    pub(super) fn arrivals_due(&mut self, now_ms: f64, effects: &mut Vec<Effect>) {
        if self.details.is_refresh_due && self.details.sweep.is_none() {
            (self.details.is_refresh_due, self.details.refreshed_ms) = (false, now_ms);
            effects.push(self.details.sweep_call(Tab::Active, None));
        }
    }

    /// After a page of the sweep through `tab`: goes on with the next page, or with the next list.
    pub(super) fn continue_sweep(&mut self, tab: Tab, next_cursor: Option<String>, effects: &mut Vec<Effect>) {
        if self.details.sweep != Some(tab) {
            return;
        }
        self.refresh.sort_now();
        match (next_cursor, tab) {
            (Some(cursor), tab) => effects.push(self.details.sweep_call(tab, Some(cursor))),
            (None, Tab::Unassigned) => effects.push(self.details.sweep_call(Tab::Active, None)),
            (None, _) => self.details.sweep = None,
        }
    }

    /// Takes an order with its timeline.
    pub(super) fn take_order(&mut self, order: OrderView) {
        let id = order.id;
        self.details.forget_request(id);
        self.rebase_edit(&order);
        if self.route.open == Open::Order(id) {
            let drawer = &mut *self.drawer;
            (drawer.order, drawer.is_missing) = (Some(Box::new(order.clone())), false);
        }
        self.fleet.take_details(order);
        self.refresh.request_sort();
    }
}
