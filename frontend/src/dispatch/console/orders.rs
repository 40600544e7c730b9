//! Work on an order: given to a courier, moved on by hand, shared by its tracking link.

use doorstep_shared::{
    CourierId, OrderId, OrderStatus,
    api::{
        OrderView,
        console::{CourierSuggestion, TrackingLink},
    },
};

use super::{ApiCall, ApiError, ApiReply, Console, Deed, Dialog, Effect, TypedAttempt};
use crate::{
    dispatch::{
        fleet::{Courier, is_away},
        route::Open,
        text,
    },
    map::plane::distance_m,
};

/// What the dispatcher does with an order.
#[derive(Clone, Debug, PartialEq)]
pub enum OrderIntent {
    /// Show the couriers to choose from, or hide them.
    Assigning(bool),
    /// Type in the search for a courier.
    CourierQuery(String),
    /// Give an order to a courier: from the menu, or dropped on their row.
    Assign { order: OrderId, courier: CourierId },
    /// Drop an order on a courier on the map.
    DropOn { order: OrderId, number: u32 },
    /// Set a status; some ask for a reason first.
    Status { order: OrderId, status: OrderStatus },
    /// Change the fields of the open order.
    Edit,
    /// Ask for the reason of a deed.
    Ask { order: OrderId, deed: Deed },
    /// Open the form for the next attempt.
    NextAttempt(OrderId),
    /// Begin the attempt that was typed.
    Attempt(Box<TypedAttempt>),
    /// Give the reason that was asked for.
    Reason { note: String },
    /// Make a tracking link and its QR code.
    TrackingLink(OrderId),
}

/// Whether the dispatcher must say why when they set this status.
const fn needs_reason(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::Failed | OrderStatus::Cancelled | OrderStatus::Returned)
}

impl Console {
    pub(super) fn act_on_order(&mut self, intent: OrderIntent, effects: &mut Vec<Effect>) {
        match intent {
            OrderIntent::Assigning(is_assigning) => self.assigning(is_assigning, effects),
            OrderIntent::CourierQuery(query) => self.drawer.courier_query = query,
            OrderIntent::Assign { order, courier } => self.assign(order, courier, effects),
            OrderIntent::DropOn { order, number } => {
                if let Some(courier) = self.fleet.numbered(number) {
                    self.assign(order, courier, effects);
                }
            }
            OrderIntent::Status { order, status } if needs_reason(status) => {
                self.ask_reason(order, Deed::Status(status));
            }
            OrderIntent::Status { order, status } => {
                let version = self.seen_version(order);
                self.call_busy(ApiCall::SetStatus { order, status, note: None, version }, effects);
            }
            OrderIntent::Edit => self.begin_edit(effects),
            OrderIntent::Ask { order, deed } => self.ask_reason(order, deed),
            OrderIntent::NextAttempt(order) => self.ask_attempt(order),
            OrderIntent::Attempt(typed) => self.begin_attempt(&typed, effects),
            OrderIntent::Reason { note } => self.give_reason(&note, effects),
            OrderIntent::TrackingLink(order) => self.call_busy(ApiCall::TrackingLink(order), effects),
        }
    }

    /// Shows the couriers who could take the open order, or hides them.
    pub(super) fn assigning(&mut self, is_assigning: bool, effects: &mut Vec<Effect>) {
        let drawer = &mut *self.drawer;
        (drawer.is_assigning, drawer.courier_query) = (is_assigning, String::new());
        if let (true, Open::Order(id)) = (is_assigning, self.route.open) {
            drawer.is_busy = false;
            effects.push(Effect::Call(ApiCall::Suggestions(id)));
        }
    }

    fn assign(&mut self, order: OrderId, courier: CourierId, effects: &mut Vec<Effect>) {
        let has_it = self.fleet.orders.get(&order).is_some_and(|known| known.courier_id == Some(courier));
        if !has_it {
            let version = self.seen_version(order);
            self.call_busy(ApiCall::Assign { order, courier, version }, effects);
        }
    }

    /// The API answered a call about an order.
    pub(super) fn order_replied(&mut self, call: ApiCall, reply: ApiReply, effects: &mut Vec<Effect>) {
        match (call, reply) {
            (ApiCall::Order(id), ApiReply::Order(order)) => self.order_fetched(id, *order, effects),
            (ApiCall::Assign { courier, .. }, ApiReply::Order(order)) => {
                let name = self.fleet.couriers.get(&courier).map_or("a courier", |courier| &courier.name);
                self.announce(format!("{} given to {name}", order.reference));
                self.order_saved(*order, effects);
            }
            (ApiCall::EditOrder { .. }, ApiReply::Order(order)) => self.edit_saved(*order, effects),
            (
                ApiCall::SetStatus { .. } | ApiCall::Unassign { .. } | ApiCall::Attempt { .. } | ApiCall::Reopen { .. },
                ApiReply::Order(order),
            ) => {
                self.announce(format!("{}: {}", order.reference, text::status(order.status)));
                self.order_saved(*order, effects);
            }
            (ApiCall::Suggestions(id), ApiReply::Suggestions(found)) => self.suggested(id, found),
            (ApiCall::TrackingLink(order), ApiReply::TrackingLink(link)) => self.link_made(order, link, effects),
            _ => {}
        }
    }

    fn order_fetched(&mut self, id: OrderId, order: OrderView, effects: &mut Vec<Effect>) {
        let is_first = self.drawer.order.is_none() && self.route.open == Open::Order(id);
        let is_unassigned = order.status == OrderStatus::Created;
        self.take_order(order);
        if is_first && is_unassigned && !self.drawer.is_assigning {
            self.assigning(true, effects);
        }
        self.begin_trail(effects);
    }

    /// The dispatcher's own change is saved. Couriers that they opened again meanwhile stay open: the feed often brings a
    /// change before its reply is here.
    fn order_saved(&mut self, order: OrderView, effects: &mut Vec<Effect>) {
        let id = order.id;
        self.take_order(order);
        self.refresh.sort_now();
        self.refresh.request_count();
        let is_awaited = std::mem::take(&mut self.drawer.is_busy);
        if is_awaited {
            self.drawer.is_assigning = false;
            *self.dialog = None;
        }
        if self.route.open == Open::Order(id) {
            self.begin_trail(effects);
            effects.extend(is_awaited.then_some(Effect::Focus("drawer")));
        }
    }

    fn link_made(&mut self, order: OrderId, link: TrackingLink, effects: &mut Vec<Effect>) {
        self.drawer.is_busy = false;
        effects.push(Effect::Copy(link.tracking_url.clone()));
        *self.dialog = Some(Dialog::TrackingLink { order, link, is_copied: false });
    }

    /// An order could not be fetched.
    pub(super) fn order_failed(&mut self, id: OrderId, error: &ApiError) {
        if self.route.open == Open::Order(id) {
            let drawer = &mut *self.drawer;
            drawer.is_missing = matches!(error, ApiError::Refused(problem) if problem.status == 404);
            drawer.problem = Some(error.text());
        }
        self.details.forget_request(id);
    }

    /// Suggestions could not be fetched. The console too knows who is near; only roads and loads are the server's.
    pub(super) fn suggestions_failed(&mut self, id: OrderId) {
        self.suggested(id, self.nearest(id));
    }

    /// The couriers who could take an order: the open one, or the first of those that are selected.
    fn suggested(&mut self, id: OrderId, found: Vec<CourierSuggestion>) {
        if self.selection.bulk.first == Some(id) {
            self.selection.bulk.suggestions = Some(found.clone());
        }
        if self.route.open == Open::Order(id) {
            self.drawer.suggestions = Some(found);
        }
    }

    /// The couriers on duty, those first who would be at the pickup first.
    fn nearest(&self, id: OrderId) -> Vec<CourierSuggestion> {
        let details = self.fleet.orders.get(&id).and_then(|order| order.details.as_ref());
        let pickup = details.map(|details| [details.pickup.lon, details.pickup.lat]);
        let on_duty = self.fleet.couriers.values().filter(|courier| !is_away(courier, self.at_ms));
        let reaches_in_s = |courier: &Courier| self.fleet.reaches_in_s(courier, pickup?);
        let mut found: Vec<_> = on_duty.map(|courier| (reaches_in_s(courier), courier)).collect();
        found.sort_by(|(a, _), (b, _)| a.unwrap_or(f64::MAX).total_cmp(&b.unwrap_or(f64::MAX)));
        let arrives_ms = |seconds: f64| self.at_ms + (seconds * 1_000.0) as i64;
        found.into_iter().map(|(in_s, courier)| suggestion(courier, pickup, in_s.map(arrives_ms))).collect()
    }
}

fn suggestion(courier: &Courier, pickup: Option<[f64; 2]>, arrives_ms: Option<i64>) -> CourierSuggestion {
    let at = courier.position.map(|position| [position.lon, position.lat]);
    CourierSuggestion {
        courier_id: courier.id,
        name: courier.name.clone(),
        vehicle: courier.vehicle,
        on_duty: true,
        presence: None,
        distance_m: pickup.zip(at).map(|(pickup, at)| distance_m(pickup, at) as u32),
        position_at: None,
        open_orders: courier.orders.len() as u32,
        lacks: None,
        over_capacity: None,
        off_shift: None,
        free_at: None,
        arrives_at: arrives_ms.and_then(chrono::DateTime::from_timestamp_millis),
    }
}
