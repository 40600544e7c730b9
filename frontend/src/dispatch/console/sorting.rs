//! Which rows stand in a list, and in which order.

use doorstep_shared::{OrderStatus, text::fold};

use super::{Console, Item};
use crate::dispatch::{
    fleet::Activity,
    route::{Filter, Tab},
};

/// The list in which an order with this status stands.
pub const fn tab_of(status: OrderStatus) -> Tab {
    match status {
        OrderStatus::Created => Tab::Unassigned,
        OrderStatus::Delivered | OrderStatus::Returned | OrderStatus::Cancelled => Tab::Done,
        _ => Tab::Active,
    }
}

impl Filter {
    /// Whether a courier who does this is shown.
    pub const fn shows(self, activity: Activity) -> bool {
        matches!(
            (self, activity),
            (Self::Attention, Activity::Attention)
                | (Self::Delivering, Activity::Delivering)
                | (Self::Free, Activity::Free)
                | (Self::Away, Activity::Away)
        )
    }
}

impl Console {
    /// Puts the rows in their order.
    pub(super) fn sort(&mut self) {
        let items = match self.route.tab {
            Tab::Couriers => self.courier_items(),
            tab => self.order_items(tab),
        };
        if self.list.items != items {
            self.list.items = items;
        }
        // While a search is on its way nothing is listed, and the row that was chosen may well be in its result.
        let is_gone = self.selection.cursor.is_some_and(|item| !self.list.items.contains(&item));
        if is_gone && !self.list.is_waiting() {
            self.selection.cursor = None;
        }
    }

    fn order_items(&self, tab: Tab) -> Vec<Item> {
        let at_ms = self.at_ms;
        let orders = &self.fleet.orders;
        let mut found: Vec<_> = match self.list.found() {
            // An order that left the list since it was fetched is left out; one that entered it comes with the next search.
            Some(ids) => ids.iter().filter_map(|id| orders.get(id)).collect(),
            None => orders.values().collect(),
        };
        found.retain(|order| tab_of(order.status) == tab);
        if self.route.filter == Some(Filter::Attention) {
            found.retain(|order| self.fleet.risk(order, at_ms).is_some());
        }
        if tab != Tab::Done {
            found.sort_by_cached_key(|order| self.fleet.urgency(order, at_ms));
        }
        found.into_iter().map(|order| Item::Order(order.id)).collect()
    }

    fn courier_items(&self) -> Vec<Item> {
        let wanted = fold(&self.route.query);
        let is_shown = |activity| self.route.filter.is_none_or(|filter| filter.shows(activity));
        let mut rows: Vec<_> = self
            .fleet
            .couriers
            .values()
            .map(|courier| (self.fleet.activity(courier, self.at_ms), fold(&courier.name), courier.id))
            .filter(|(activity, name, _)| name.contains(&wanted) && is_shown(*activity))
            .collect();
        rows.sort();
        rows.into_iter().map(|(_, _, id)| Item::Courier(id)).collect()
    }
}
