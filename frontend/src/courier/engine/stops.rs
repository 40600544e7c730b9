//! The stops: as the server sends them, and what the courier reports at each.

use doorstep_shared::{
    OrderId, OrderStatus,
    protocol::courier::{Stop, StopKind},
};

use super::{Engine, Moment};
use crate::courier::{
    outbox::actions::{Action, Deed},
    state::{StopCard, Tone},
    stops,
    text::notices,
};

impl Engine {
    pub(super) fn cards(&self) -> Vec<StopCard> {
        let memory = &self.storage.memory;
        stops::cards(memory.stops.as_deref().unwrap_or_default(), &memory.legs, self.uploads.actions.iter())
    }

    /// The stop's main button was pressed.
    pub(super) fn advance(&mut self, at: Moment, order_id: OrderId) {
        let Some(card) = self.card(order_id) else { return };
        let Some(status) = card.next_status() else { return };
        if status == OrderStatus::Delivered && !card.proof.is_empty() {
            self.begin_proof(order_id);
            return;
        }
        self.report(at, &card, status, None);
    }

    pub(super) fn fail(&mut self, at: Moment, order_id: OrderId, reason: String) {
        let Some(card) = self.card(order_id) else { return };
        let note = Some(reason.trim().to_owned()).filter(|reason| !reason.is_empty());
        self.report(at, &card, OrderStatus::Failed, note);
        self.leave_proof();
    }

    pub(super) fn stops_came(&mut self, at: Moment, stops: Vec<Stop>) {
        if self.storage.memory.stops.as_ref() == Some(&stops) {
            return;
        }
        if let Some(before) = self.storage.memory.stops.clone() {
            self.report_changes(&before, &stops);
        }
        self.storage.remember().stops = Some(stops);
        self.tour.due_ms = Some(at.now_ms);
    }

    /// The server took a status: its stops follow at once, before it sends them anew.
    pub(super) fn status_taken(&mut self, action: &Action) {
        let Deed::Status { status, .. } = action.deed else { return };
        let mut stops = self.storage.memory.stops.clone().unwrap_or_default();
        stops::advance(&mut stops, action.order_id, status);
        if self.storage.memory.stops.as_ref().is_some_and(|before| *before != stops) {
            self.storage.remember().stops = Some(stops);
        }
        if status.is_final() || status == OrderStatus::Failed {
            self.drop_draft(action.order_id);
        }
    }

    /// Queues a status for the order of a stop, where its graph allows it.
    pub(super) fn report(&mut self, at: Moment, card: &StopCard, status: OrderStatus, note: Option<String>) {
        if card.status.can_become(status) {
            let time_ms = self.date_ms(at);
            self.queue(card, time_ms, Deed::Status { status, note });
        }
    }

    /// The stop at which an order is handed over.
    pub(super) fn door_card(&self, order_id: OrderId) -> Option<StopCard> {
        let is_door = |card: &StopCard| card.stop.order_id == order_id && card.stop.kind == StopKind::Dropoff;
        self.cards().into_iter().find(is_door)
    }

    fn card(&self, order_id: OrderId) -> Option<StopCard> {
        self.cards().into_iter().find(|card| card.stop.order_id == order_id)
    }

    /// Says what dispatch changed. What the courier did gets no notice of its own: its answer says what there is to say.
    fn report_changes(&mut self, before: &[Stop], after: &[Stop]) {
        let (came, went) = stops::changes(before, after);
        came.iter().for_each(|stop| self.screens.notify(Tone::Quiet, notices::new_order(stop)));
        for stop in went.iter().filter(|stop| !has_action(self, stop.order_id)).cloned().collect::<Vec<_>>() {
            self.screens.notify(Tone::Quiet, notices::order_gone(&stop));
            self.drop_draft(stop.order_id);
        }
    }
}

/// Whether something that the courier did on this order waits.
fn has_action(engine: &Engine, order_id: OrderId) -> bool {
    engine.uploads.actions.iter().any(|action| action.order_id == order_id)
}
