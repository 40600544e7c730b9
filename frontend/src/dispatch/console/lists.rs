//! What stands on the left: the rows of the chosen list, in their order.

use std::collections::HashSet;

use doorstep_shared::{CourierId, OrderId, OrderStatus, api::OrderView};

use super::{Ask, Console, Effect};
use crate::dispatch::{
    fleet::Doing,
    place::{Only, Tab},
    window::Window,
};

/// A row's height; the style sheet says the same.
pub const ROW_PX: f64 = 64.0;

/// The next page is asked for when this few rows are left below.
const ROWS_AHEAD: usize = 60;

/// A row of a list, or its counterpart on the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// An order.
    Order(OrderId),
    /// A courier.
    Courier(CourierId),
}

/// The rows of the chosen list.
#[derive(Clone, Debug, Default)]
pub struct List {
    pub items: Vec<Item>,
    /// What the server found, for the lists that it keeps: those that are over, and every search.
    found: Option<Found>,
    top_px: f64,
    height_px: f64,
}

#[derive(Clone, Debug)]
struct Found {
    tab: Tab,
    query: String,
    ids: Vec<OrderId>,
    next_cursor: Option<String>,
    is_asking: bool,
    problem: Option<String>,
}

impl List {
    /// Which rows are in the page.
    pub fn window(&self) -> Window {
        Window::of(self.items.len(), ROW_PX, self.top_px, self.height_px)
    }

    /// Why the list is not complete.
    pub fn problem(&self) -> Option<&str> {
        self.found.as_ref()?.problem.as_deref()
    }

    /// Whether the first rows are still on their way.
    pub fn is_waiting(&self) -> bool {
        self.found.as_ref().is_some_and(|found| found.is_asking && found.ids.is_empty())
    }

    pub(super) fn is_at_top(&self) -> bool {
        self.top_px < ROW_PX
    }

    pub(super) fn scroll(&mut self, top_px: f64) {
        self.top_px = top_px;
    }

    pub(super) fn resize(&mut self, height_px: f64) {
        self.height_px = height_px;
    }

    pub(super) fn orders(&self) -> impl Iterator<Item = OrderId> {
        self.found.iter().flat_map(|found| found.ids.iter().copied())
    }

    pub(super) fn reveal(&mut self, index: usize) -> Option<f64> {
        let top_px = Window::reveal(index, ROW_PX, self.top_px, self.height_px)?;
        self.top_px = top_px;
        Some(top_px)
    }
}

/// The list that an order with this status stands in.
pub const fn tab_of(status: OrderStatus) -> Tab {
    match status {
        OrderStatus::Created => Tab::Unassigned,
        OrderStatus::Delivered | OrderStatus::Returned | OrderStatus::Cancelled => Tab::Done,
        _ => Tab::Active,
    }
}

impl Console {
    /// Whether the server keeps the chosen list.
    fn is_served(&self) -> bool {
        self.place.tab == Tab::Done || self.place.tab != Tab::Couriers && !self.place.query.is_empty()
    }

    /// Asks for the chosen list, if the server keeps it.
    pub(super) fn ask_list(&mut self, effects: &mut Vec<Effect>) {
        self.sort_due = true;
        self.sorted_ms = f64::MIN;
        if !self.is_served() {
            self.list.found = None;
            return;
        }
        let (tab, query) = (self.place.tab, self.place.query.clone());
        let is_same = self.list.found.as_ref().is_some_and(|found| (found.tab, &found.query) == (tab, &query));
        if !is_same {
            let ids = Vec::new();
            let found = Found { tab, query: query.clone(), ids, next_cursor: None, is_asking: true, problem: None };
            self.list.found = Some(found);
        }
        effects.push(Effect::Ask(Ask::Orders { tab, query, cursor: None }));
    }

    /// Takes a page of the list, if it is still the one that is shown.
    pub(super) fn list_came(
        &mut self,
        tab: Tab,
        query: &str,
        cursor: Option<&str>,
        ids: Vec<OrderId>,
        next: Option<String>,
    ) {
        let Some(found) = self.list.found.as_mut().filter(|found| found.tab == tab && found.query == query) else {
            return;
        };
        if cursor.is_none() {
            found.ids.clear();
        }
        let known: HashSet<_> = found.ids.iter().copied().collect();
        found.ids.extend(ids.into_iter().filter(|id| !known.contains(id)));
        (found.next_cursor, found.is_asking, found.problem) = (next, false, None);
        (self.sort_due, self.sorted_ms) = (true, f64::MIN);
    }

    /// The list could not be had.
    pub(super) fn list_failed(&mut self, tab: Tab, query: &str, problem: String) {
        if let Some(found) = self.list.found.as_mut().filter(|found| found.tab == tab && found.query == query) {
            (found.is_asking, found.problem) = (false, Some(problem));
        }
    }

    /// Asks for the next page when the end comes near.
    pub(super) fn ask_more(&mut self, effects: &mut Vec<Effect>) {
        let window = self.list.window();
        let Some(found) = &mut self.list.found else { return };
        let is_near = window.first + window.count + ROWS_AHEAD >= found.ids.len();
        if found.is_asking || !is_near || found.problem.is_some() {
            return;
        }
        let Some(cursor) = found.next_cursor.clone() else { return };
        found.is_asking = true;
        let (tab, query) = (found.tab, found.query.clone());
        effects.push(Effect::Ask(Ask::Orders { tab, query, cursor: Some(cursor) }));
    }

    /// Puts the rows in their order.
    pub(super) fn sort(&mut self) {
        self.list.items = match self.place.tab {
            Tab::Couriers => self.courier_items(),
            tab => self.order_items(tab),
        };
        // While a search is on its way nothing is listed, and the row that was chosen may well be in its answer.
        let is_gone = self.cursor.is_some_and(|item| !self.list.items.contains(&item));
        if is_gone && !self.list.is_waiting() {
            self.cursor = None;
        }
    }

    fn order_items(&self, tab: Tab) -> Vec<Item> {
        let at_ms = self.at_ms;
        let orders = &self.fleet.orders;
        let mut found: Vec<_> = match &self.list.found {
            // What left the list since it was asked for is left out; what came in comes with the next search.
            Some(found) => found.ids.iter().filter_map(|id| orders.get(id)).collect(),
            None => orders.values().collect(),
        };
        found.retain(|order| tab_of(order.status) == tab);
        if self.place.only == Some(Only::Attention) {
            found.retain(|order| self.fleet.risk(order, at_ms).is_some());
        }
        if tab != Tab::Done {
            found.sort_by_cached_key(|order| self.fleet.urgency(order, at_ms));
        }
        found.into_iter().map(|order| Item::Order(order.id)).collect()
    }

    fn courier_items(&self) -> Vec<Item> {
        let wanted = self.place.query.to_lowercase();
        let mut rows: Vec<_> = self
            .fleet
            .couriers
            .values()
            .map(|courier| (self.fleet.doing(courier, self.at_ms), courier.name.to_lowercase(), courier.id))
            .filter(|(doing, name, _)| name.contains(&wanted) && self.place.only.is_none_or(|only| only.shows(*doing)))
            .collect();
        rows.sort();
        rows.into_iter().map(|(_, _, id)| Item::Courier(id)).collect()
    }

    /// Takes a page of orders for what is known about them; answers their ids.
    pub(super) fn take_views(&mut self, views: Vec<OrderView>) -> Vec<OrderId> {
        let ids = views.iter().map(|view| view.id).collect();
        for view in views {
            self.fleet.take_details(view);
        }
        ids
    }
}

impl Only {
    /// Whether a courier who does this is shown.
    pub const fn shows(self, doing: Doing) -> bool {
        matches!(
            (self, doing),
            (Self::Attention, Doing::Attention)
                | (Self::Delivering, Doing::Delivering)
                | (Self::Free, Doing::Free)
                | (Self::Away, Doing::Away)
        )
    }
}
