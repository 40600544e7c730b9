//! The plan of the courier of what is open: fetched, kept up to date, and changed step by step.
//!
//! What the dispatcher does shows at once and is sent in the background, one request after the other. When the server
//! refuses, the newest plan is shown with the reason, and the same steps can be done again to it. The feed says that
//! something of the courier changed, but not what the plan became; so the plan is fetched again, at most once a second.

use doorstep_shared::{
    CourierId, OrderId,
    api::plan::{PlanView, PutPlan},
};

use super::{ApiCall, ApiError, Console, Effect, plan_edit::Grab};
use crate::dispatch::{
    plan::{Arrangement, Step},
    text,
};

/// The plan is fetched this often at most.
const FETCH_EVERY_MS: f64 = 1_000.0;

/// The plan is fetched this often in any case: the times of arrival follow the courier's position.
const REFRESH_EVERY_MS: f64 = 30_000.0;

/// More unsent steps than this are not taken: the server cannot be reached, and nobody moves stops so fast.
const MAX_STEPS: usize = 100;

/// Plans with unsent steps whose courier is not open any more; more are not waited for.
const MAX_PARKED: usize = 8;

/// The plan of a courier, and what the dispatcher did to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Planning {
    pub courier: Option<CourierId>,
    /// As the server last said.
    pub view: Option<PlanView>,
    /// What the server has not confirmed yet.
    pub(super) steps: Vec<Step>,
    /// How many of the steps are on their way.
    sent: usize,
    /// The stop or line that the dispatcher moves at the moment.
    pub grab: Option<Grab>,
    pub refusal: Option<Refusal>,
    /// Why the plan is not known.
    pub problem: Option<String>,
}

/// Why steps were refused, and the steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    pub text: String,
    again: Vec<Step>,
}

impl Planning {
    fn of(courier: Option<CourierId>) -> Self {
        Self { courier, ..Self::default() }
    }

    /// The order of the stops with everything that the dispatcher did, without what they hold in their hand.
    pub fn arrangement(&self) -> Arrangement {
        let plan = self.view.as_ref().map(Arrangement::of).unwrap_or_default();
        self.steps.iter().fold(plan, |plan, step| step.apply(plan))
    }

    /// Whether the server has not confirmed the shown order yet.
    pub const fn is_unconfirmed(&self) -> bool {
        !self.steps.is_empty()
    }

    /// Whether the plan names an order.
    fn has(&self, order: OrderId) -> bool {
        self.view.iter().flat_map(|view| &view.stops).any(|stop| stop.order_id == order)
    }

    /// The request for all steps that have not been sent, unless one is on its way.
    fn send(&mut self) -> Option<ApiCall> {
        let (courier, version) = (self.courier?, self.view.as_ref()?.version);
        if self.sent > 0 || self.steps.is_empty() {
            return None;
        }
        let Arrangement { stops, locked } = self.arrangement();
        let view = self.view.as_ref().map(Arrangement::of)?;
        if view.stops == stops && view.locked == locked {
            self.steps.clear();
            return None;
        }
        self.sent = self.steps.len();
        let plan = PutPlan { version, stops, locked: u32::try_from(locked).ok() };
        Some(ApiCall::PutPlan { courier, plan })
    }

    fn take(&mut self, view: PlanView) {
        if self.view.as_ref().is_none_or(|known| known.version <= view.version) {
            self.view = Some(view);
        }
        self.problem = None;
    }

    /// The server took what was sent.
    fn confirmed(&mut self, view: PlanView) {
        self.steps.drain(..std::mem::take(&mut self.sent));
        self.take(view);
    }

    /// The server took nothing: what was done is kept for another try.
    fn refused(&mut self, text: String) {
        self.sent = 0;
        self.refusal = Some(Refusal { text, again: std::mem::take(&mut self.steps) });
    }
}

/// When the plan is fetched next.
#[derive(Clone, Debug, Default)]
pub(super) struct PlanRefresh {
    is_due: bool,
    is_requested: bool,
    requested_ms: Option<f64>,
    /// Plans whose courier is not open any more, until the server has answered.
    parked: Vec<Planning>,
}

impl PlanRefresh {
    const fn request(&mut self) {
        self.is_due = true;
    }

    pub fn due_ms(&self) -> Option<f64> {
        (self.is_due && !self.is_requested).then(|| self.requested_ms.map_or(0.0, |at_ms| at_ms + FETCH_EVERY_MS))
    }

    fn take_due(&mut self, now_ms: f64) -> bool {
        let is_old = self.requested_ms.is_none_or(|at_ms| now_ms >= at_ms + REFRESH_EVERY_MS);
        let is_now = self.due_ms().is_some_and(|at_ms| now_ms >= at_ms) || is_old && !self.is_requested;
        if is_now {
            (self.is_due, self.is_requested, self.requested_ms) = (false, true, Some(now_ms));
        }
        is_now
    }
}

impl Console {
    /// Follows the courier of what is open, and fetches their plan when it is time.
    pub(super) fn plan_due(&mut self, now_ms: f64, effects: &mut Vec<Effect>) {
        let courier = self.courier_of_open();
        if self.planning.courier != courier {
            self.park_plan();
            *self.planning = Planning::of(courier);
            (self.plan_refresh.is_requested, self.plan_refresh.requested_ms) = (false, None);
        }
        if let Some(courier) = courier
            && self.plan_refresh.take_due(now_ms)
        {
            effects.push(Effect::Call(ApiCall::Plan(courier)));
        }
    }

    /// Keeps a plan that the dispatcher leaves until the server has taken what they did.
    fn park_plan(&mut self) {
        if self.planning.is_unconfirmed() && self.plan_refresh.parked.len() < MAX_PARKED {
            let left = Planning { grab: None, ..Planning::clone(&self.planning) };
            self.plan_refresh.parked.push(left);
        }
    }

    /// An order changed, which was with `before` until now.
    pub(super) fn plan_touched(&mut self, order: OrderId, before: Option<CourierId>) {
        let now = self.fleet.orders.get(&order).and_then(|order| order.courier_id);
        let courier = self.planning.courier;
        if courier.is_some() && (now == courier || before == courier || self.planning.has(order)) {
            self.plan_refresh.request();
        }
    }

    /// The courier changed, or everything may have.
    pub(super) fn plan_touched_by(&mut self, courier: Option<CourierId>) {
        if courier.is_none() || courier == self.planning.courier {
            self.plan_refresh.request();
        }
    }

    /// Adds a step, which shows at once, and sends it.
    pub(super) fn add_step(&mut self, step: Step, effects: &mut Vec<Effect>) {
        if self.planning.steps.len() < MAX_STEPS {
            let planning = &mut *self.planning;
            planning.steps.push(step);
            planning.refusal = None;
            effects.extend(planning.send().map(Effect::Call));
        }
    }

    /// Does the refused steps again, to the plan as it is now.
    pub(super) fn do_again(&mut self, effects: &mut Vec<Effect>) {
        let planning = &mut *self.planning;
        if let Some(Refusal { again, .. }) = planning.refusal.take() {
            planning.steps = again;
            effects.extend(planning.send().map(Effect::Call));
        }
        self.plan_refresh.request();
    }

    /// The plan came.
    pub(super) fn plan_fetched(&mut self, courier: CourierId, view: PlanView) {
        if self.planning.courier == Some(courier) {
            self.plan_refresh.is_requested = false;
            self.planning.take(view);
            self.grabbed_stop_may_be_gone();
        }
    }

    pub(super) fn plan_not_fetched(&mut self, courier: CourierId, error: &ApiError) {
        if self.planning.courier == Some(courier) {
            self.plan_refresh.is_requested = false;
            self.planning.problem = Some(error.text());
        }
    }

    /// The server took the new order.
    pub(super) fn plan_saved(&mut self, courier: CourierId, view: PlanView, effects: &mut Vec<Effect>) {
        let Some(planning) = self.planning_of(courier) else { return };
        planning.confirmed(view);
        effects.extend(planning.send().map(Effect::Call));
        self.plan_refresh.parked.retain(Planning::is_unconfirmed);
    }

    /// The server refused the new order.
    pub(super) fn plan_refused(&mut self, courier: CourierId, error: &ApiError) {
        let name = self.fleet.couriers.get(&courier).map_or("The courier", |courier| &courier.name).to_owned();
        let why = text::plan_refusal(&self.fleet, &name, error, self.at_ms, &self.locale);
        let is_open = self.planning.courier == Some(courier);
        if let Some(planning) = self.planning_of(courier) {
            planning.refused(why.clone());
        }
        self.plan_refresh.parked.retain(Planning::is_unconfirmed);
        self.plan_refresh.request();
        if !is_open {
            self.drawer.problem = Some(format!("{name}: {why}"));
        }
        self.announce(why);
    }

    /// The open plan of a courier, or the one that was left with unsent steps.
    fn planning_of(&mut self, courier: CourierId) -> Option<&mut Planning> {
        let parked = self.plan_refresh.parked.iter_mut().find(|planning| planning.courier == Some(courier));
        match parked {
            Some(parked) => Some(parked),
            None if self.planning.courier == Some(courier) => Some(&mut self.planning),
            None => None,
        }
    }
}
