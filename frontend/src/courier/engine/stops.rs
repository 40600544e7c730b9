//! The work at the stops: what the courier reports at each, and what the stops become by it.

use doorstep_shared::{
    OrderId, OrderStatus,
    protocol::courier::{ReportKind, Stop, StopKind},
};

use super::{Engine, Moment, screens::About};
use crate::courier::{
    groups::grouped,
    marks,
    outbox::actions::{Action, Deed},
    state::{StopCard, Tone, Wait},
    stops,
    text::notices,
};

/// How long couriers wait at a pickup of which nothing is known, in seconds.
const USUAL_WAIT_S: u32 = 600;

/// A position that is older than this may be another house's, in milliseconds. Phones that stand still record one every
/// half a minute.
const FRESH_MS: i64 = 60_000;

impl Engine {
    /// The stops ahead, each order by itself.
    pub(super) fn cards(&self) -> Vec<StopCard> {
        let memory = &self.storage.memory;
        let mut stops = self.stops_in_order();
        stops.extend(stops::ways_back(&stops, &memory.collected, self.uploads.actions.iter()));
        let mut cards = stops::cards(&stops, &memory.legs, self.uploads.actions.iter());
        for card in &mut cards {
            card.changes = marks::of(&memory.marks, &card.stop);
            card.is_door_told = memory.doors.contains(&card.stop.order_id);
        }
        cards
    }

    /// The stops ahead as they are shown.
    pub(super) fn shown_stops(&self, at: Moment) -> Vec<StopCard> {
        let mut cards = self.cards();
        for card in cards.iter_mut().filter(|card| card.stop.kind == StopKind::Pickup) {
            card.wait = self.wait_at(at, card);
        }
        grouped(cards)
    }

    /// The stop's main button was pressed.
    pub(super) fn advance(&mut self, at: Moment, order_id: OrderId) {
        let Some(card) = self.card(order_id) else { return };
        let Some(status) = card.next_status() else { return };
        if status == OrderStatus::Delivered {
            self.hand_over(at, &card);
            return;
        }
        let mut together = self.together_with(&card);
        together.retain(|card| stops::follows(card.status, status) && !card.needs_pickup);
        let is_final = status == OrderStatus::Returned || (status == OrderStatus::PickedUp && together.len() > 1);
        let held_until_ms = if is_final { self.begin_hold(at) } else { None };
        // The server moves each to the front of the plan as it comes. Doors told from the last to the first stay in their
        // order; a pickup in front would take its door along, and so part the others from it.
        if card.stop.kind == StopKind::Dropoff {
            together.reverse();
        }
        together.iter().for_each(|card| self.report(at, card, status, None, held_until_ms));
    }

    /// The button of one of several orders was pressed.
    pub(super) fn advance_one(&mut self, at: Moment, order_id: OrderId) {
        let Some(card) = self.card(order_id) else { return };
        match card.next_status() {
            Some(OrderStatus::Delivered) => self.hand_over(at, &card),
            Some(OrderStatus::AtPickup) => self.report(at, &card, OrderStatus::PickedUp, None, None),
            Some(status) => {
                let held_until_ms = if status == OrderStatus::Returned { self.begin_hold(at) } else { None };
                self.report(at, &card, status, None, held_until_ms);
            }
            None => {}
        }
    }

    pub(super) fn fail(&mut self, at: Moment, order_id: OrderId, reason: String) {
        let Some(card) = self.card(order_id) else { return };
        let held_until_ms = self.begin_hold(at);
        self.report(at, &card, OrderStatus::Failed, written(&reason), held_until_ms);
        self.leave_proof();
    }

    /// The goods are not ready, and the courier waits.
    pub(super) fn wait(&mut self, at: Moment, order_id: OrderId, reason: String) {
        let Some(card) = self.pickup_card(order_id) else { return };
        let since_ms = self.date_ms(at);
        let waits = &mut self.storage.remember().waits;
        if waits.iter().all(|wait| wait.0 != order_id) {
            waits.push((order_id, since_ms));
        }
        let deed = Deed::Report { report: ReportKind::NotReady, note: written(&reason), at: None };
        self.queue(&card, since_ms, deed, None);
    }

    /// The courier gives an order back that they have not collected.
    pub(super) fn give_back(&mut self, at: Moment, order_id: OrderId, reason: String) {
        let Some(card) = self.pickup_card(order_id) else { return };
        let held_until_ms = self.begin_hold(at);
        let deed = Deed::Report { report: ReportKind::GiveBack, note: written(&reason), at: None };
        let time_ms = self.date_ms(at);
        self.queue(&card, time_ms, deed, held_until_ms);
    }

    /// The courier stands at the door, which the map has elsewhere. Told once: dispatch decides what becomes of it.
    pub(super) fn tell_door(&mut self, at: Moment, order_id: OrderId) {
        let is_told = self.storage.memory.doors.contains(&order_id);
        let Some(card) = self.door_card(order_id).filter(|_| !is_told) else { return };
        let time_ms = self.date_ms(at);
        let is_fresh = self.positions.recorded_ms.is_some_and(|read_ms| time_ms - read_ms <= FRESH_MS);
        let Some(here) = self.positions.here.filter(|_| is_fresh) else {
            self.screens.tell(About::Door(order_id), Tone::Warn, notices::no_position_for_door());
            return;
        };
        self.storage.remember().doors.push(order_id);
        let deed = Deed::Report { report: ReportKind::DoorHere, note: None, at: Some([here.lon, here.lat]) };
        self.queue(&card, time_ms, deed, None);
        self.screens.tell(About::Door(order_id), Tone::Quiet, notices::door_told());
    }

    /// The server took what the courier did: its stops follow at once, before it sends them anew.
    pub(super) fn action_taken(&mut self, action: &Action) {
        self.day.went_on();
        self.screens.withdraw_result_on(action.order_id);
        if !self.has_followed(action) {
            self.plan.reported.push(action.order_id);
            self.follow_action(action);
        }
        match action.deed {
            Deed::Status { status, .. } if status.is_final() || status == OrderStatus::Failed => {
                self.drop_draft(action.order_id);
                self.screens.withdraw_order(action.order_id);
            }
            Deed::Report { report: ReportKind::GiveBack, .. } => self.screens.withdraw_order(action.order_id),
            _ => {}
        }
    }

    fn follow_action(&mut self, action: &Action) {
        let order_id = action.order_id;
        match action.deed {
            Deed::Status { status, .. } => self.follow_status(order_id, status),
            Deed::Report { report: ReportKind::NotReady, .. } => {
                self.change_stops(|stops, _| stops::advance(stops, order_id, OrderStatus::AtPickup));
            }
            Deed::Report { report: ReportKind::GiveBack, .. } => {
                self.change_stops(|stops, _| stops.retain(|stop| stop.order_id != order_id));
            }
            Deed::Report { report: ReportKind::DoorHere, .. } | Deed::Proof { .. } => {}
        }
    }

    /// Whether the server's stops are already as the action leaves them. They come before its answer as well as after it,
    /// and what comes after both is dispatch's doing.
    fn has_followed(&self, action: &Action) -> bool {
        let stops = self.storage.memory.stops.iter().flatten();
        let mut of_order = stops.filter(|stop| stop.order_id == action.order_id);
        match action.deed {
            Deed::Status { status: OrderStatus::Failed, .. } => of_order.all(|stop| stop.kind == StopKind::Return),
            Deed::Status { status, .. } if status.is_final() => of_order.next().is_none(),
            Deed::Status { status, .. } => of_order.all(|stop| stop.status == status),
            Deed::Report { report: ReportKind::NotReady, .. } => {
                of_order.all(|stop| stop.status == OrderStatus::AtPickup)
            }
            Deed::Report { report: ReportKind::GiveBack, .. } => of_order.next().is_none(),
            Deed::Report { report: ReportKind::DoorHere, .. } | Deed::Proof { .. } => true,
        }
    }

    /// Queues a status for the order of a stop, where its graph allows it.
    pub(super) fn report(
        &mut self,
        at: Moment,
        card: &StopCard,
        status: OrderStatus,
        note: Option<String>,
        held_until_ms: Option<i64>,
    ) {
        if stops::follows(card.status, status) {
            let time_ms = self.date_ms(at);
            self.queue(card, time_ms, Deed::Status { status, note }, held_until_ms);
        }
    }

    /// The stop at which an order is handed over.
    pub(super) fn door_card(&self, order_id: OrderId) -> Option<StopCard> {
        self.card_of(order_id, StopKind::Dropoff)
    }

    fn hand_over(&mut self, at: Moment, card: &StopCard) {
        if card.proof.is_empty() {
            let held_until_ms = self.begin_hold(at);
            self.report(at, card, OrderStatus::Delivered, None, held_until_ms);
        } else {
            self.begin_proof(card.stop.order_id);
        }
    }

    fn follow_status(&mut self, order_id: OrderId, status: OrderStatus) {
        self.change_stops(|stops, collected| {
            let pickup = |stop: &&Stop| is_at(stop, order_id, StopKind::Pickup);
            if status == OrderStatus::PickedUp {
                collected.extend(stops.iter().find(pickup).cloned());
            }
            let back = stops::way_back(&[], collected, order_id, status).filter(|_| status == OrderStatus::Failed);
            stops::advance(stops, order_id, status);
            stops.extend(back);
        });
    }

    /// Changes the stops and the pickups of what is on board.
    fn change_stops(&mut self, change: impl FnOnce(&mut Vec<Stop>, &mut Vec<Stop>)) {
        let memory = &self.storage.memory;
        let (mut stops, mut collected) = (memory.stops.clone().unwrap_or_default(), memory.collected.clone());
        change(&mut stops, &mut collected);
        if memory.stops.as_ref().is_some_and(|before| *before != stops) {
            let memory = self.storage.remember();
            (memory.stops, memory.collected) = (Some(stops), collected);
        }
    }

    fn wait_at(&self, at: Moment, card: &StopCard) -> Option<Wait> {
        let order_id = card.stop.order_id;
        let since_ms = self.storage.memory.waits.iter().find(|wait| wait.0 == order_id)?.1;
        let usual_ms = i64::from(card.stop.usual_wait_s.unwrap_or(USUAL_WAIT_S)) * 1_000;
        let is_long = self.date_ms(at) - since_ms >= usual_ms;
        Some(Wait { since_ms, is_long, is_told: !self.has_action(order_id) })
    }

    /// The order of a stop and the others at its place.
    fn together_with(&self, card: &StopCard) -> Vec<StopCard> {
        let is_here = |group: &StopCard| group.orders().any(|other| same_stop(other, card));
        let group = grouped(self.cards()).into_iter().find(is_here);
        group.map_or_else(Vec::new, |group| group.orders().cloned().collect())
    }

    fn pickup_card(&self, order_id: OrderId) -> Option<StopCard> {
        self.card_of(order_id, StopKind::Pickup)
    }

    fn card_of(&self, order_id: OrderId, kind: StopKind) -> Option<StopCard> {
        self.cards().into_iter().find(|card| is_at(&card.stop, order_id, kind))
    }

    fn card(&self, order_id: OrderId) -> Option<StopCard> {
        self.cards().into_iter().find(|card| card.stop.order_id == order_id)
    }
}

fn is_at(stop: &Stop, order_id: OrderId, kind: StopKind) -> bool {
    (stop.order_id, stop.kind) == (order_id, kind)
}

fn same_stop(one: &StopCard, other: &StopCard) -> bool {
    is_at(&one.stop, other.stop.order_id, other.stop.kind)
}

/// What the courier wrote, if anything.
fn written(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
