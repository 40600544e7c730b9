//! What dispatch changed: the stops come, and what is new about them is told once, with words, sound and vibration, and
//! marked until the courier has read it.
//!
//! What the courier did is no news: neither the stops that follow from a report nor an order that they wished for.

use doorstep_shared::{
    OrderId,
    api::plan::PlanStop,
    protocol::courier::{Stop, StopKind},
};

use super::{Effect, Engine, Moment, screens::About};
use crate::courier::{marks, plan, state::Tone, stops, text::notices};

impl Engine {
    pub(super) fn stops_came(&mut self, at: Moment, stops: Vec<Stop>, version: Option<u64>) {
        if self.storage.memory.plan_version != version {
            self.storage.remember().plan_version = version;
        }
        if self.storage.memory.stops.as_ref() != Some(&stops) {
            let before = self.storage.memory.stops.clone();
            match &before {
                Some(before) => self.tell_changes(before, &stops),
                None => self.mark(&marks::news(&[], &stops)),
            }
            self.keep_stops(stops, before.unwrap_or_default());
            self.tour.due_ms = Some(at.now_ms);
        }
        self.plan.reported.clear();
        self.put_plan();
    }

    /// The courier has read what changed at a stop.
    pub(super) fn read_changes(&mut self, stop: PlanStop) {
        marks::read(&mut self.storage.remember().marks, stop);
        self.screens.withdraw(&About::Order(stop.order_id));
    }

    /// Whether something that the courier did on this order waits.
    pub(super) fn has_action(&self, order_id: OrderId) -> bool {
        self.uploads.actions.iter().any(|action| action.order_id == order_id)
    }

    fn keep_stops(&mut self, stops: Vec<Stop>, before: Vec<Stop>) {
        let is_open = |order_id: OrderId| stops.iter().any(|stop| stop.order_id == order_id);
        let is_ahead = |pickup: &Stop| stops.iter().any(|stop| plan::name(stop) == plan::name(pickup));
        let collected = before.into_iter().filter(|stop| stop.kind == StopKind::Pickup && !is_ahead(stop));
        let memory = self.storage.remember();
        memory.collected.extend(collected);
        memory.collected.retain(|pickup| is_open(pickup.order_id) && !is_ahead(pickup));
        let is_pickup = |order_id| stops.iter().any(|stop| (stop.order_id, stop.kind) == (order_id, StopKind::Pickup));
        memory.waits.retain(|wait| is_pickup(wait.0));
        memory.doors.retain(|door| is_open(*door));
        marks::keep(&mut memory.marks, &stops);
        memory.stops = Some(stops);
    }

    fn tell_changes(&mut self, before: &[Stop], after: &[Stop]) {
        let (came, went) = stops::changes(before, after);
        let is_own = |order_id| self.has_action(order_id) || self.plan.reported.contains(&order_id);
        let is_told = |order_id| is_own(order_id) || self.screens.has_result_on(order_id);
        let went: Vec<Stop> = went.into_iter().filter(|stop| !is_told(stop.order_id)).collect();
        let is_known = |stop: &&Stop| before.iter().any(|before| before.order_id == stop.order_id);
        let turned: Vec<&Stop> = after.iter().filter(is_known).filter(|stop| is_turned(before, stop)).collect();
        let about = |stop: &Stop, text: String| (About::Order(stop.order_id), text);
        let mut news: Vec<(About, String)> = went.iter().map(|stop| about(stop, notices::order_gone(stop))).collect();
        let of_dispatch = turned.iter().filter(|stop| !is_own(stop.order_id));
        news.extend(of_dispatch.map(|stop| about(stop, notices::turned(stop))));
        let changes = marks::news(before, after);
        let is_at_a_known_stop = |stop: &Stop| before.iter().any(|before| plan::name(before) == plan::name(stop));
        let of_known: Vec<_> = changes.into_iter().filter(|(stop, _)| is_at_a_known_stop(stop)).collect();
        news.extend(of_known.iter().map(|(stop, changes)| about(stop, notices::changed(stop, changes))));
        if is_reordered(before, after, is_own) && !self.is_wanted(after) {
            let about = |next: &Stop| (About::Sequence(plan::name(next)), notices::reordered(next));
            news.extend(after.first().map(about));
        }
        self.mark(&of_known);
        came.iter().for_each(|stop| self.screens.withdraw_result_on(stop.order_id));
        // Proofs of one attempt prove nothing of the next.
        went.iter().chain(turned).for_each(|stop| self.drop_draft(stop.order_id));
        self.tell(&came, &went, news);
    }

    fn tell(&mut self, came: &[Stop], went: &[Stop], news: Vec<(About, String)>) {
        if !came.is_empty() || !news.is_empty() {
            self.out.push(Effect::Alert);
        }
        went.iter().for_each(|stop| self.screens.withdraw_order(stop.order_id));
        if !came.is_empty() {
            self.screens.tell_new(came);
        }
        news.into_iter().for_each(|(about, text)| self.screens.tell(about, Tone::Quiet, text));
    }

    fn mark(&mut self, news: &marks::News<'_>) {
        if !news.is_empty() {
            marks::add(&mut self.storage.remember().marks, news);
        }
    }
}

/// Whether an order that was to be handed over is to be brought back now, or is tried again.
fn is_turned(before: &[Stop], stop: &Stop) -> bool {
    let had = |kind| before.iter().any(|before| (before.order_id, before.kind) == (stop.order_id, kind));
    let attempt = |stop: &Stop| stop.attempt.unwrap_or(1);
    let is_earlier = |before: &Stop| before.order_id == stop.order_id && attempt(before) < attempt(stop);
    match stop.kind {
        StopKind::Return => !had(StopKind::Return),
        StopKind::Dropoff => had(StopKind::Return) || before.iter().any(is_earlier),
        StopKind::Pickup => false,
    }
}

/// Whether the stops that both have, but for those that the courier reported on, come in another order.
fn is_reordered(before: &[Stop], after: &[Stop], is_own: impl Fn(OrderId) -> bool) -> bool {
    let (before, after) = (plan::names(before), plan::names(after));
    let common = |these: &[PlanStop], others: &[PlanStop]| {
        let is_common = |stop: &PlanStop| others.contains(stop) && !is_own(stop.order_id);
        these.iter().copied().filter(is_common).collect::<Vec<_>>()
    };
    common(&before, &after) != common(&after, &before)
}
