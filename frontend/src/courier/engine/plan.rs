//! The plan: its version, the order that the courier wants, and what the server says to it.
//!
//! A wish shows at once and is sent by plain HTTP with the version that it rests on. One request is on its way at a time;
//! what is wished meanwhile follows with the next version. Where dispatch was faster, its plan stays.

use doorstep_shared::{
    OrderId,
    api::plan::PlanStop,
    protocol::courier::{CourierMessage, Seen, Stop},
};

use super::{Effect, Engine, Moment, PlanAnswer};
use crate::courier::{
    groups::grouped,
    intent::Screen,
    plan::{self, Place, Reordering},
    state::{Door, Tone},
    text::notices,
};

/// What is known of the plan beside the stops in the memory.
#[derive(Clone, Debug, Default)]
pub(super) struct PlanState {
    /// The order that the courier wants, until the server has answered.
    wanted: Option<Vec<PlanStop>>,
    /// The order that the server was asked for.
    asked: Option<Vec<PlanStop>>,
    /// The version that this connection's server knows to have been on the screen.
    seen: Option<u64>,
    /// Orders about which the server took a report since it sent the stops: what it moved for these is no news.
    pub(super) reported: Vec<OrderId>,
}

impl PlanState {
    /// A new connection knows nothing.
    pub(super) fn disconnected(&mut self) {
        self.seen = None;
    }
}

impl Engine {
    /// The stops in the order that the courier wants.
    pub(super) fn stops_in_order(&self) -> Vec<Stop> {
        let mut stops = self.storage.memory.stops.clone().unwrap_or_default();
        if let Some(wanted) = &self.plan.wanted {
            plan::sort(&mut stops, wanted);
        }
        stops
    }

    pub(super) fn reordering(&self) -> Reordering {
        let memory = &self.storage.memory;
        match memory.plan_version {
            Some(_) if memory.may_reorder == Some(false) => Reordering::NotAllowed,
            Some(_) if self.connection.is_up() => Reordering::Allowed,
            Some(_) => Reordering::Offline,
            None => Reordering::NotAllowed,
        }
    }

    pub(super) fn move_stop(&mut self, stop: PlanStop, to: Place) {
        if self.reordering() != Reordering::Allowed {
            return;
        }
        let all = plan::names(&self.stops_in_order());
        let Some(mut order) = plan::moved(&all, &grouped(self.cards()), stop, to) else { return };
        // A way back that the server does not know of yet.
        order.retain(|stop| all.contains(stop));
        self.plan.wanted = Some(order);
        self.put_plan();
    }

    pub(super) fn plan_answered(&mut self, at: Moment, answer: PlanAnswer) {
        let asked = self.plan.asked.take();
        if let PlanAnswer::Taken { version, stops } = answer {
            self.take_plan(at, version, &stops);
            if self.plan.wanted == asked {
                self.plan.wanted = None;
            }
            self.put_plan();
            return;
        }
        self.plan.wanted = None;
        let text = match answer {
            PlanAnswer::Conflict { newest } => {
                if let Some((version, stops)) = newest {
                    self.take_plan(at, version, &stops);
                }
                notices::plan_conflict()
            }
            PlanAnswer::Refused { code } => notices::plan_refused(&code),
            PlanAnswer::Taken { .. } | PlanAnswer::Unreachable => notices::plan_unreached(),
        };
        self.screens.notify(Tone::Warn, text);
    }

    /// Says which version the courier sees, once, when they see it.
    pub(super) fn tell_seen(&mut self) {
        let is_seen = matches!(self.screens.open, Screen::Stops | Screen::Plan) && !self.browser.is_hidden;
        let Some(version) = self.storage.memory.plan_version.filter(|_| is_seen) else { return };
        if self.session.door == Door::Open && self.connection.is_up() && self.plan.seen != Some(version) {
            self.plan.seen = Some(version);
            self.out.push(Effect::Send(CourierMessage::Seen(Seen { version })));
        }
    }

    /// Whether the order of these stops is what the courier wanted.
    pub(super) fn is_wanted(&self, stops: &[Stop]) -> bool {
        let order = plan::names(stops);
        [&self.plan.wanted, &self.plan.asked].into_iter().flatten().any(|wanted| *wanted == order)
    }

    fn put_plan(&mut self) {
        let memory = &self.storage.memory;
        let (Some(courier), Some(version)) = (&memory.courier, memory.plan_version) else { return };
        if let Some(stops) = self.plan.wanted.clone().filter(|_| self.plan.asked.is_none()) {
            self.plan.asked = Some(stops.clone());
            self.out.push(Effect::PutPlan { courier_id: courier.id, version, stops });
        }
    }

    /// Takes an order of the stops over. One with other stops than the phone knows is left to the socket, which brings them.
    fn take_plan(&mut self, at: Moment, version: u64, order: &[PlanStop]) {
        let memory = &self.storage.memory;
        let known = plan::names(memory.stops.as_deref().unwrap_or_default());
        let is_same = known.len() == order.len() && known.iter().all(|stop| order.contains(stop));
        if !is_same || memory.plan_version > Some(version) {
            return;
        }
        let memory = self.storage.remember();
        memory.plan_version = Some(version);
        plan::sort(memory.stops.get_or_insert_default(), order);
        self.tour.due_ms = Some(at.now_ms);
    }
}
