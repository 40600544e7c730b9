//! The numbers beside the tabs and at the top of the page.

use super::{Console, sorting::tab_of};
use crate::dispatch::{fleet::is_live, route::Tab};

/// How many there are of everything that is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub unassigned: u32,
    pub active: u32,
    /// `None` until the server has counted them.
    pub done: Option<u32>,
    pub couriers: u32,
    pub live: u32,
    /// `None` until the inbox is known.
    pub attention: Option<u32>,
}

impl Console {
    /// The totals now. During a search orders are counted as the server found them, and those of a list that shows some
    /// days by these days.
    pub fn totals(&self) -> Totals {
        let mut totals = self.totals_of_all_days();
        let shown = (self.route.tab, self.listed_span());
        let of_days = self.list.counts_of_days.filter(|(tab, span, _)| (*tab, Some(*span)) == shown);
        match of_days {
            Some((Tab::Unassigned, _, counts)) => totals.unassigned = counts.unassigned,
            Some((Tab::Active, _, counts)) => totals.active = counts.active,
            Some((Tab::Done, _, counts)) => totals.done = Some(counts.done),
            Some((Tab::Couriers, ..)) | None => {}
        }
        totals
    }

    fn totals_of_all_days(&self) -> Totals {
        let mut totals = Totals {
            couriers: self.fleet.couriers.len() as u32,
            live: self.fleet.couriers.values().filter(|courier| is_live(courier, self.at_ms)).count() as u32,
            done: self.list.counts.map(|counts| counts.done),
            attention: self.attention().map(|count| count as u32),
            ..Totals::default()
        };
        if let Some(counts) = self.list.counts.filter(|_| !self.route.query.is_empty()) {
            return Totals { unassigned: counts.unassigned, active: counts.active, ..totals };
        }
        for order in self.fleet.orders.values() {
            match tab_of(order.status) {
                Tab::Unassigned => totals.unassigned += 1,
                Tab::Active => totals.active += 1,
                _ => {}
            }
        }
        totals
    }
}
