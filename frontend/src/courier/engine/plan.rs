//! The plan: its version, the order that the courier wants, and what the server says to it.
//!
//! A wish shows at once and is sent by plain HTTP with the version that it rests on. One request is on its way at a time;
//! what is wished meanwhile follows with the next version, which comes with the stops over the socket. Where dispatch was
//! faster, its plan stays.

use doorstep_shared::{
    OrderId,
    api::plan::PlanStop,
    protocol::courier::{CourierMessage, Seen, Stop},
};

use super::{Effect, Engine, PlanAnswer, screens::About};
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
    /// The version with which it was asked.
    put_version: Option<u64>,
    /// The version that this connection's server knows to have been on the screen.
    seen: Option<u64>,
    /// Orders about which the server took a report since it sent the stops: what it moved for these is no news.
    pub(super) reported: Vec<OrderId>,
}

impl PlanState {
    /// A new connection knows nothing.
    pub(super) fn disconnected(&mut self) {
        (self.seen, self.put_version) = (None, None);
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
        self.screens.withdraw(&About::Plan);
        self.plan.wanted = Some(order);
        self.put_plan();
    }

    pub(super) fn plan_answered(&mut self, answer: PlanAnswer) {
        let Some(asked) = self.plan.asked.take() else { return };
        let text = match answer {
            PlanAnswer::Taken => {
                plan::sort(self.storage.remember().stops.get_or_insert_default(), &asked);
                if self.plan.wanted.as_ref() == Some(&asked) {
                    self.plan.wanted = None;
                }
                self.put_plan();
                return;
            }
            PlanAnswer::Conflict => notices::plan_conflict(),
            PlanAnswer::Refused { code } => notices::plan_refused(&code),
            PlanAnswer::Unreachable => notices::plan_unreached(),
        };
        (self.plan.wanted, self.plan.put_version) = (None, None);
        self.screens.tell(About::Plan, Tone::Warn, text);
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

    /// Asks for the order that is wanted. After one that was taken, the next waits for the stops that the server then sends:
    /// they bring the version that it rests on.
    pub(super) fn put_plan(&mut self) {
        let memory = &self.storage.memory;
        let (Some(courier), Some(version)) = (&memory.courier, memory.plan_version) else { return };
        let may_ask = self.plan.asked.is_none() && self.plan.put_version != Some(version) && self.connection.is_up();
        if let Some(stops) = self.plan.wanted.clone().filter(|_| may_ask) {
            (self.plan.asked, self.plan.put_version) = (Some(stops.clone()), Some(version));
            self.out.push(Effect::PutPlan { courier_id: courier.id, version, stops });
        }
    }
}
