//! The list on the left: the rows of the chosen tab, in their order.

use std::collections::HashSet;

use doorstep_shared::{
    CourierId, OrderId,
    api::{ListPage, OrderView, console::OrderCounts},
};
use uuid::Uuid;

use super::{ApiCall, ApiError, Console, Effect, Moment, list_refresh::TYPING_REST_MS};
use crate::dispatch::{
    api::TimeSpan,
    route::{Days, Filter, MAX_QUERY_CHARS, Open, Tab},
    visible::VisibleRange,
};

/// A row's height in CSS pixels with texts of the usual size; the style sheet says the same in `rem`.
pub const ROW_PX: f64 = 64.0;

/// The next page is asked for when this few rows are left below.
const ROWS_AHEAD: usize = 60;

/// A row of a list, or its counterpart on the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    Order(OrderId),
    Courier(CourierId),
}

impl Item {
    /// The id of its row in the page.
    pub fn row_id(self) -> String {
        format!("row-{}", self.uuid())
    }

    /// The UUID of the order or courier.
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::Order(id) => *id.as_uuid(),
            Self::Courier(id) => *id.as_uuid(),
        }
    }

    /// What a click on its row opens.
    pub const fn opens(self) -> Open {
        match self {
            Self::Order(id) => Open::Order(id),
            Self::Courier(id) => Open::Courier(id),
        }
    }
}

/// What the dispatcher does to the list.
#[derive(Clone, Debug, PartialEq)]
pub enum ListIntent {
    /// Choose another list.
    Tab(Tab),
    /// Type in the search field.
    Query(String),
    /// Filter the rows, or stop filtering.
    Filter(Option<Filter>),
    /// Show the orders of some days, or of all.
    Days(Option<Days>),
    /// Ask for the list again after it failed.
    Retry,
    /// Scroll, or change the height of the list's box; in CSS pixels.
    Scrolled { top_px: f64, height_px: f64 },
}

/// The rows of the chosen list.
#[derive(Clone, Debug, Default)]
pub struct List {
    pub items: Vec<Item>,
    /// How many orders each list holds, as the server counted them.
    pub(super) counts: Option<OrderCounts>,
    /// The same of the days that are chosen for this list.
    pub(super) counts_of_days: Option<(Tab, TimeSpan, OrderCounts)>,
    /// What the server found, for the lists that it keeps: orders that are over, and every search.
    found: Option<Found>,
    top_px: f64,
    height_px: f64,
}

/// What is searched for: the list, what is typed, and the days.
pub type Search<'a> = (Tab, &'a str, Option<TimeSpan>);

/// The pages of a search that have come so far.
#[derive(Clone, Debug)]
struct Found {
    tab: Tab,
    query: String,
    span: Option<TimeSpan>,
    ids: Vec<OrderId>,
    next_cursor: Option<String>,
    is_requested: bool,
    problem: Option<String>,
}

impl Found {
    fn new((tab, query, span): (Tab, String, Option<TimeSpan>)) -> Self {
        Self { tab, query, span, ids: Vec::new(), next_cursor: None, is_requested: true, problem: None }
    }
}

impl List {
    /// The rows that are drawn.
    pub fn visible(&self) -> VisibleRange {
        VisibleRange::of(self.items.len(), ROW_PX, self.top_px, self.height_px)
    }

    /// The items of the rows that are drawn.
    pub fn visible_items(&self) -> &[Item] {
        let VisibleRange { first, count } = self.visible();
        &self.items[first..first + count]
    }

    /// Why the list is not complete.
    pub fn problem(&self) -> Option<&str> {
        self.found.as_ref()?.problem.as_deref()
    }

    /// Whether the first rows are still on their way.
    pub fn is_waiting(&self) -> bool {
        self.found.as_ref().is_some_and(|found| found.is_requested && found.ids.is_empty())
    }

    pub(super) fn is_at_top(&self) -> bool {
        self.top_px < ROW_PX
    }

    pub(super) const fn scroll(&mut self, top_px: f64) {
        self.top_px = top_px;
    }

    pub(super) fn orders(&self) -> impl Iterator<Item = OrderId> {
        self.found.iter().flat_map(|found| found.ids.iter().copied())
    }

    /// Scrolls just so far that a row is in sight; answers the new offset, if there is one.
    pub(super) fn reveal(&mut self, index: usize) -> Option<f64> {
        let top_px = VisibleRange::reveal(index, ROW_PX, self.top_px, self.height_px)?;
        self.top_px = top_px;
        Some(top_px)
    }

    fn found_for(&mut self, (tab, query, span): Search<'_>) -> Option<&mut Found> {
        self.found.as_mut().filter(|found| found.tab == tab && found.query == query && found.span == span)
    }

    /// The orders that the server found, if it keeps the list.
    pub(super) fn found(&self) -> Option<&[OrderId]> {
        self.found.as_ref().map(|found| found.ids.as_slice())
    }

    /// Begins a search, unless the same one is shown already.
    fn search(&mut self, search: Search<'_>) {
        if self.found_for(search).is_none() {
            let (tab, query, span) = search;
            self.found = Some(Found::new((tab, query.to_owned(), span)));
        }
    }

    /// Takes a page of the search that is shown; answers whether it was of that one.
    fn take_page(&mut self, search: Search<'_>, is_first: bool, ids: Vec<OrderId>, next: Option<String>) -> bool {
        let Some(found) = self.found_for(search) else { return false };
        if is_first {
            found.ids.clear();
        }
        let known: HashSet<_> = found.ids.iter().copied().collect();
        found.ids.extend(ids.into_iter().filter(|id| !known.contains(id)));
        (found.next_cursor, found.is_requested, found.problem) = (next, false, None);
        true
    }

    /// The call for the next page, when the rows in sight come near the end of those that are here.
    fn request_more(&mut self) -> Option<ApiCall> {
        let VisibleRange { first, count } = self.visible();
        let found = self.found.as_mut()?;
        let is_near = first + count + ROWS_AHEAD >= found.ids.len();
        if found.is_requested || !is_near || found.problem.is_some() {
            return None;
        }
        let cursor = found.next_cursor.clone()?;
        found.is_requested = true;
        let (query, span) = (found.query.clone(), found.span);
        Some(ApiCall::Orders { tab: found.tab, query, span, cursor: Some(cursor) })
    }
}

impl Console {
    pub(super) fn act_on_list(&mut self, moment: Moment, intent: ListIntent, effects: &mut Vec<Effect>) {
        match intent {
            ListIntent::Tab(tab) => self.choose_tab(moment, tab, effects),
            ListIntent::Query(query) => {
                self.route.query = query.chars().take(MAX_QUERY_CHARS).collect();
                self.refresh.request_query(moment.now_ms + TYPING_REST_MS);
                self.scroll_to_top(effects);
                self.show_address(effects, false);
            }
            ListIntent::Filter(filter) => {
                self.route.filter = filter;
                self.refresh.sort_now();
                self.scroll_to_top(effects);
                self.show_address(effects, false);
            }
            ListIntent::Days(days) => {
                self.route.days = days;
                self.refresh.request_query(moment.now_ms);
                self.scroll_to_top(effects);
                self.show_address(effects, false);
            }
            ListIntent::Retry => self.request_list(effects),
            ListIntent::Scrolled { top_px, height_px } => {
                self.list.scroll(top_px);
                self.list.height_px = height_px;
                self.request_more(effects);
            }
        }
    }

    pub(super) fn choose_tab(&mut self, moment: Moment, tab: Tab, effects: &mut Vec<Effect>) {
        if self.route.tab == tab {
            return;
        }
        let route = &mut *self.route;
        (route.tab, route.filter, route.days) = (tab, None, None);
        self.selection.cursor = None;
        self.refresh.request_query(moment.now_ms);
        self.scroll_to_top(effects);
        self.refresh.sort_now();
        self.show_address(effects, false);
    }

    fn scroll_to_top(&mut self, effects: &mut Vec<Effect>) {
        self.list.scroll(0.0);
        effects.push(Effect::Scroll(0.0));
    }

    /// Whether the server keeps the chosen list.
    fn is_served(&self) -> bool {
        let route = &*self.route;
        route.tab == Tab::Done || route.tab != Tab::Couriers && (!route.query.is_empty() || route.days.is_some())
    }

    /// The time of which the chosen list shows orders.
    pub fn listed_span(&self) -> Option<TimeSpan> {
        self.route.days.map(|days| days.span(self.at_ms, &self.locale))
    }

    /// Asks for the chosen list, if the server keeps it.
    pub(super) fn request_list(&mut self, effects: &mut Vec<Effect>) {
        self.refresh.sort_now();
        if !self.is_served() {
            self.list.found = None;
            return;
        }
        let (tab, query, span) = (self.route.tab, self.route.query.clone(), self.listed_span());
        self.list.search((tab, &query, span));
        effects.push(Effect::Call(ApiCall::Orders { tab, query, span, cursor: None }));
    }

    /// Asks for the next page when the end of the list comes near.
    pub(super) fn request_more(&mut self, effects: &mut Vec<Effect>) {
        effects.extend(self.list.request_more().map(Effect::Call));
    }

    /// Takes a page of orders: for what is known about them, and for the list if it is still the one that is shown.
    pub(super) fn orders_page(
        &mut self,
        search: Search<'_>,
        is_first: bool,
        page: ListPage<OrderView>,
        effects: &mut Vec<Effect>,
    ) {
        let ids = page.items.iter().map(|view| view.id).collect();
        for view in page.items {
            self.fleet.take_details(view);
        }
        if let (tab, "", None) = search {
            self.continue_sweep(tab, page.next_cursor.clone(), effects);
        }
        if self.list.take_page(search, is_first, ids, page.next_cursor) {
            self.refresh.sort_now();
        }
    }

    /// The list could not be fetched.
    pub(super) fn orders_failed(&mut self, search: Search<'_>, error: &ApiError) {
        self.details.sweep_failed(search.0);
        if let Some(found) = self.list.found_for(search) {
            (found.is_requested, found.problem) = (false, Some(error.text()));
        }
    }
}
