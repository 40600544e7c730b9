//! What is open beside the map, and the address that says so: opening, closing, and the back button.

use doorstep_shared::{OrderId, OrderStatus};

use super::{ApiCall, BulkIntent, Console, Drawer, Effect, Item, Moment, Screen, Trail, pickups::FETCH_PICKUPS};
use crate::dispatch::{
    draft::Draft,
    route::{Open, Route, Tab},
};

impl Console {
    /// Opens something beside the map; the back button closes it again.
    pub(super) fn open(&mut self, open: Open, effects: &mut Vec<Effect>) {
        let is_new = self.route.open != open;
        self.route.open = open;
        self.show_address(effects, is_new);
        self.begin(effects);
        self.selection.screen = if open == Open::Nothing { Screen::List } else { Screen::Details };
        if open != Open::Nothing {
            effects.push(Effect::Focus(if open == Open::NewOrder { "draft-reference" } else { "drawer" }));
        }
    }

    /// Shows the address of this route; `is_new` for a step that the back button takes back.
    pub(super) fn show_address(&self, effects: &mut Vec<Effect>, is_new: bool) {
        effects.push(Effect::Url { url: self.route.url(), is_new });
    }

    /// The back button led to another address.
    pub(super) fn popped(&mut self, moment: Moment, query: &str, effects: &mut Vec<Effect>) {
        *self.route = Route::from_query(query);
        self.refresh.request_sort();
        self.refresh.request_query(moment.now_ms);
        self.list.scroll(0.0);
        self.begin(effects);
    }

    /// Asks for what belongs to the route.
    pub(super) fn begin(&mut self, effects: &mut Vec<Effect>) {
        (*self.drawer, self.trail) = (Drawer::default(), Trail::default());
        self.end_replay();
        if self.route.tab == Tab::Done || !self.route.query.is_empty() || self.route.days.is_some() {
            self.request_list(effects);
        }
        match self.route.open {
            Open::Nothing => {}
            Open::Order(id) => self.begin_order(id, effects),
            Open::Courier(id) => {
                effects.extend([ApiCall::Courier(id), ApiCall::Devices(id)].map(Effect::Call));
                self.selection.cursor = Some(Item::Courier(id));
            }
            Open::Replay(courier, span) => self.begin_replay(courier, span, effects),
            Open::NewOrder => self.begin_draft(effects),
        }
        self.begin_trail(effects);
        self.map_view.is_fit_due = matches!(self.route.open, Open::Order(_) | Open::Courier(_));
    }

    fn begin_order(&mut self, id: OrderId, effects: &mut Vec<Effect>) {
        self.selection.cursor = Some(Item::Order(id));
        effects.push(Effect::Call(ApiCall::Order(id)));
        let known = self.fleet.orders.get(&id);
        // The next new order most likely comes from the same kitchen.
        if let Some(details) = known.and_then(|order| order.details.as_ref()) {
            self.form.last = Some(Box::new(details.as_ref().clone()));
        }
        if known.is_some_and(|order| order.status == OrderStatus::Created) {
            self.assigning(true, effects);
        }
    }

    fn begin_draft(&mut self, effects: &mut Vec<Effect>) {
        effects.push(FETCH_PICKUPS);
        self.end_edit();
        if self.form.draft == Draft::default() {
            self.form.draft = Draft::after(self.form.last.as_deref());
        }
    }

    /// One step back: the change of an order, the couriers to choose from, what is open, the selection, or the search.
    pub(super) fn leave(&mut self, effects: &mut Vec<Effect>) {
        if self.edited().is_some() {
            return self.cancel_edit(effects);
        }
        if self.drawer.is_assigning && self.is_assigned_order_open() {
            self.drawer.is_assigning = false;
            effects.push(Effect::Focus("drawer"));
            return;
        }
        if self.route.open != Open::Nothing {
            self.open(Open::Nothing, effects);
        } else if self.has_picked() {
            self.act_on_bulk(BulkIntent::Clear, effects);
        } else if !self.route.query.is_empty() || self.route.filter.is_some() || self.route.days.is_some() {
            let route = &mut *self.route;
            (route.query, route.filter, route.days) = (String::new(), None, None);
            self.refresh.request_query(0.0);
            self.show_address(effects, false);
        }
        effects.push(Effect::Focus("list"));
    }

    fn is_assigned_order_open(&self) -> bool {
        let Open::Order(id) = self.route.open else { return false };
        self.fleet.orders.get(&id).is_some_and(|order| order.status != OrderStatus::Created)
    }
}
