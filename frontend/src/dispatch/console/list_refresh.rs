//! When the lists are searched, counted and sorted next: each as soon as it matters, and none more often than it may be.

use doorstep_shared::api::console::OrderCounts;

use super::{ApiCall, Console, Effect};
use crate::dispatch::{api::TimeSpan, route::Tab};

/// A list changes its order this often at most: a row must not run away from the pointer.
const SORT_EVERY_MS: f64 = 1_000.0;

/// The search waits this long for the next letter.
pub(super) const TYPING_REST_MS: f64 = 180.0;

/// Orders are counted this often at most.
const COUNT_EVERY_MS: f64 = 5_000.0;

/// The timers of the lists.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListRefresh {
    query_due_ms: Option<f64>,
    is_sort_due: bool,
    sorted_ms: f64,
    is_count_due: bool,
    counted_ms: f64,
}

impl Default for ListRefresh {
    fn default() -> Self {
        Self { query_due_ms: None, is_sort_due: true, sorted_ms: f64::MIN, is_count_due: true, counted_ms: f64::MIN }
    }
}

impl ListRefresh {
    /// The times at which something is due.
    pub fn due_ms(&self) -> [Option<f64>; 3] {
        let due = |is_due: bool, at_ms: f64| is_due.then_some(at_ms);
        [
            self.query_due_ms,
            due(self.is_sort_due, self.sorted_ms + SORT_EVERY_MS),
            due(self.is_count_due, self.counted_ms + COUNT_EVERY_MS),
        ]
    }

    /// Sorts when the last order of the rows has stood long enough.
    pub const fn request_sort(&mut self) {
        self.is_sort_due = true;
    }

    /// Sorts with this step: the dispatcher expects another order of the rows.
    pub const fn sort_now(&mut self) {
        (self.is_sort_due, self.sorted_ms) = (true, f64::MIN);
    }

    /// Counts the orders when the last count is old enough.
    pub const fn request_count(&mut self) {
        self.is_count_due = true;
    }

    /// Asks for the list with the first step after `at_ms`.
    pub const fn request_query(&mut self, at_ms: f64) {
        self.query_due_ms = Some(at_ms);
    }

    /// Asks for the list after a rest, however often this is requested meanwhile.
    pub fn request_query_after_rest(&mut self, now_ms: f64) {
        self.query_due_ms.get_or_insert(now_ms + TYPING_REST_MS);
    }

    fn take_query(&mut self, now_ms: f64) -> bool {
        self.query_due_ms.take_if(|at_ms| now_ms >= *at_ms).is_some()
    }

    fn take_count(&mut self, now_ms: f64) -> bool {
        let is_due = self.is_count_due && now_ms >= self.counted_ms + COUNT_EVERY_MS;
        if is_due {
            (self.is_count_due, self.counted_ms) = (false, now_ms);
        }
        is_due
    }

    fn take_sort(&mut self, now_ms: f64) -> bool {
        let is_due = self.is_sort_due && now_ms >= self.sorted_ms + SORT_EVERY_MS;
        if is_due {
            (self.is_sort_due, self.sorted_ms) = (false, now_ms);
        }
        is_due
    }
}

impl Console {
    /// Searches and counts, if it is time.
    pub(super) fn lists_due(&mut self, now_ms: f64, effects: &mut Vec<Effect>) {
        if self.refresh.take_query(now_ms) {
            self.request_list(effects);
            (self.refresh.is_count_due, self.refresh.counted_ms) = (true, f64::MIN);
        }
        if self.refresh.take_count(now_ms) {
            let count = |days| Effect::Call(ApiCall::Counts { query: self.route.query.clone(), days });
            let of_days = self.listed_span().map(|span| count(Some((self.route.tab, span))));
            effects.extend([Some(count(None)), of_days].into_iter().flatten());
        }
    }

    /// Sorts the rows, if it is time, and asks for the details of orders that came in since.
    pub(super) fn sort_due(&mut self, now_ms: f64, effects: &mut Vec<Effect>) {
        if self.refresh.take_sort(now_ms) {
            self.sort();
            self.request_details(effects);
        }
    }

    /// Takes the counts, if they are of the search that is shown.
    pub(super) fn counted(&mut self, query: &str, days: Option<(Tab, TimeSpan)>, counts: OrderCounts) {
        if query != self.route.query {
            return;
        }
        match days {
            None => self.list.counts = Some(counts),
            Some((tab, span)) => self.list.counts_of_days = Some((tab, span, counts)),
        }
    }
}
