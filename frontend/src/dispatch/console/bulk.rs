//! Work on the selected orders: selecting them, and a run through them whose replies come one by one.

use doorstep_shared::{CourierId, OrderId, OrderStatus, api::plan::PutPlan};

use super::{ApiCall, ApiError, ApiReply, Console, Deed, Dialog, Effect, Item};
use crate::dispatch::{
    bulk::{Action, Bulk, Phase, Run},
    text,
};

/// What the dispatcher does with many orders.
#[derive(Clone, Debug, PartialEq)]
pub enum BulkIntent {
    /// Select an order or no longer; with `is_range` all from the last choice to this one.
    Pick { order: OrderId, is_range: bool },
    /// Select every order of the list as it is filtered.
    All,
    /// Select nothing, and put the last run away.
    Clear,
    /// Ask for what an action needs: a courier, or a reason.
    Ask(Wanted),
    /// Do it with every selected order.
    Start(Action),
    /// Go on with a run that a reload stopped.
    Resume,
}

/// An action that needs a courier or a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Assign,
    Move,
    Cancel,
}

impl Console {
    pub(super) fn act_on_bulk(&mut self, intent: BulkIntent, effects: &mut Vec<Effect>) {
        match intent {
            BulkIntent::Pick { order, is_range } => {
                let rows: Vec<_> = self.listed_orders().collect();
                let bulk = &mut self.selection.bulk;
                if is_range { bulk.extend_to(order, &rows) } else { bulk.toggle(order) }
            }
            BulkIntent::All => {
                let rows: Vec<_> = self.listed_orders().collect();
                self.selection.bulk.picked.extend(&rows);
            }
            BulkIntent::Clear => self.clear_bulk(),
            BulkIntent::Ask(wanted) => self.ask_bulk(wanted, effects),
            BulkIntent::Start(action) => self.start_bulk(action, effects),
            BulkIntent::Resume => {
                if let Some(run) = self.selection.bulk.run.as_mut().filter(|run| run.phase == Phase::Paused) {
                    run.phase = Phase::Working;
                }
                self.advance_bulk(effects);
            }
        }
        self.keep_bulk(effects);
    }

    /// The orders of the list, as it is filtered; none where nothing can be done with them.
    fn listed_orders(&self) -> impl Iterator<Item = OrderId> {
        let is_open = |id: &OrderId| self.fleet.orders.get(id).is_some_and(|order| !order.status.is_final());
        let orders = self.list.items.iter().filter_map(|item| match item {
            Item::Order(id) => Some(*id),
            Item::Courier(_) => None,
        });
        orders.filter(is_open)
    }

    pub(super) fn has_picked(&self) -> bool {
        !self.selection.bulk.picked.is_empty()
    }

    /// Selects nothing; a run that still works goes on.
    pub(super) fn clear_bulk(&mut self) {
        let bulk = &mut self.selection.bulk;
        let run = bulk.run.take().filter(Run::is_busy);
        *bulk = Bulk { run, ..Bulk::default() };
    }

    pub(super) fn ask_bulk(&mut self, wanted: Wanted, effects: &mut Vec<Effect>) {
        let is_busy = self.selection.bulk.run.as_ref().is_some_and(Run::is_busy);
        if self.has_picked() && !is_busy {
            let drawer = &mut *self.drawer;
            (drawer.problem, drawer.courier_query) = (None, String::new());
            *self.dialog = Some(Dialog::Bulk { wanted });
            self.note_seen();
            if wanted != Wanted::Cancel {
                self.ask_who_is_near(effects);
            }
        }
    }

    /// Couriers are ranked by when they would be at the first of the orders: where the others lie follows from that one's
    /// place in the list.
    fn ask_who_is_near(&mut self, effects: &mut Vec<Effect>) {
        let first = self.in_sequence(self.selection.bulk.picked.iter().copied().collect()).first().copied();
        let bulk = &mut self.selection.bulk;
        (bulk.first, bulk.suggestions) = (first, None);
        effects.extend(first.map(|id| Effect::Call(ApiCall::Suggestions(id))));
    }

    /// Notes the versions that the dispatcher sees now.
    fn note_seen(&mut self) {
        let version = |id: &OrderId| Some((*id, self.seen_version(*id)?));
        let seen = self.selection.bulk.picked.iter().filter_map(version).collect();
        self.selection.bulk.seen = seen;
    }

    pub(super) fn start_bulk(&mut self, action: Action, effects: &mut Vec<Effect>) {
        if !self.has_picked() || self.selection.bulk.run.as_ref().is_some_and(Run::is_busy) {
            return;
        }
        if matches!(*self.dialog, Some(Dialog::Bulk { .. })) {
            *self.dialog = None;
        } else {
            self.note_seen();
        }
        let orders = self.in_sequence(self.selection.bulk.picked.iter().copied().collect());
        let sources = if matches!(action, Action::Move(_)) { self.holders(&orders, &action) } else { Vec::new() };
        effects.extend(sources.iter().map(|courier| Effect::Call(ApiCall::Plan(*courier))));
        self.selection.bulk.run = Some(Run::new(action, orders, sources));
        self.advance_bulk(effects);
    }

    /// The orders as they stand in the list; those that are not in it come last.
    fn in_sequence(&self, mut orders: Vec<OrderId>) -> Vec<OrderId> {
        let rows: Vec<_> = self.listed_orders().collect();
        orders.sort_by_key(|id| rows.iter().position(|row| row == id).unwrap_or(usize::MAX));
        orders
    }

    /// The couriers who have these orders now, without the one who gets them.
    fn holders(&self, orders: &[OrderId], action: &Action) -> Vec<CourierId> {
        let holder = |id: &OrderId| self.fleet.orders.get(id)?.courier_id;
        let mut holders: Vec<_> = orders.iter().filter_map(holder).filter(|id| Some(*id) != action.courier()).collect();
        holders.sort();
        holders.dedup();
        holders
    }

    /// Sends what may be sent. Orders that are as they should be, and those that cannot become so, are answered here.
    fn advance_bulk(&mut self, effects: &mut Vec<Effect>) {
        while let Some(id) = self.selection.bulk.run.as_mut().and_then(Run::take_next) {
            let Some(run) = &self.selection.bulk.run else { return };
            match self.bulk_call(id, &run.action) {
                Ok(Some(call)) => effects.push(Effect::Call(call)),
                Ok(None) => self.bulk_answered(id, Ok(())),
                Err(why) => self.bulk_answered(id, Err(why)),
            }
        }
        self.arrange_bulk(effects);
    }

    /// The call for one order; none when it is as it should be.
    fn bulk_call(&self, order: OrderId, action: &Action) -> Result<Option<ApiCall>, String> {
        let known = self.fleet.orders.get(&order).ok_or_else(|| "an order is not open any more".to_owned())?;
        let version = self.selection.bulk.seen.get(&order).copied().or_else(|| self.seen_version(order));
        let (is_done, is_offered) = match action {
            Action::Assign(courier) | Action::Move(courier) => {
                let is_assignable = !known.status.is_final() && known.status != OrderStatus::Failed;
                (known.courier_id == Some(*courier), is_assignable)
            }
            Action::Unassign => (known.courier_id.is_none(), Deed::Unassign.is_offered(known.status)),
            Action::Cancel { .. } => {
                let is_cancelled = known.status == OrderStatus::Cancelled;
                (is_cancelled, Deed::Status(OrderStatus::Cancelled).is_offered(known.status))
            }
        };
        match (is_done, is_offered) {
            (true, _) => Ok(None),
            (false, false) => Err(format!("{} is {}", known.reference, text::status(known.status).to_lowercase())),
            (false, true) => Ok(Some(match action {
                Action::Assign(courier) | Action::Move(courier) => {
                    ApiCall::Assign { order, courier: *courier, version }
                }
                Action::Unassign => ApiCall::Unassign { order, reason: None, version },
                Action::Cancel { reason } => {
                    let note = Some(reason.clone()).filter(|reason| !reason.is_empty());
                    ApiCall::SetStatus { order, status: OrderStatus::Cancelled, note, version }
                }
            })),
        }
    }

    fn bulk_answered(&mut self, order: OrderId, outcome: Result<(), String>) {
        let bulk = &mut self.selection.bulk;
        if outcome.is_ok() {
            bulk.picked.remove(&order);
        }
        let Some(run) = &mut bulk.run else { return };
        run.answered(order, outcome);
        if run.phase == Phase::Over {
            let told = text::run(run);
            self.announce(told);
        }
    }

    /// Fetches the new courier's plan once all orders are theirs, to put the stops into their sequence.
    fn arrange_bulk(&mut self, effects: &mut Vec<Effect>) {
        let Some(run) = &mut self.selection.bulk.run else { return };
        let Some(courier) = run.action.courier().filter(|_| run.phase == Phase::Arranging) else { return };
        if run.may_arrange() {
            effects.push(Effect::Call(ApiCall::Plan(courier)));
        } else {
            run.arranged(Some("The plan kept changing; check its sequence.".to_owned()));
        }
    }

    /// Takes a reply, if it is one of the run's; answers whether nothing else needs it.
    pub(super) fn bulk_replied(
        &mut self,
        call: &ApiCall,
        reply: &Result<ApiReply, ApiError>,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let Some(run) = &self.selection.bulk.run else { return false };
        let is_taken = match (call, reply) {
            (
                ApiCall::Assign { order, .. } | ApiCall::Unassign { order, .. } | ApiCall::SetStatus { order, .. },
                reply,
            ) if run.awaits(*order) => {
                self.bulk_order_replied(*order, reply, effects);
                true
            }
            (ApiCall::Plan(courier), reply) if run.reads(*courier) => {
                let stops = if let Ok(ApiReply::Plan(plan)) = reply { Some(plan.stops.clone()) } else { None };
                if let Some(run) = &mut self.selection.bulk.run {
                    run.take_source(*courier, stops.as_deref());
                }
                self.advance_bulk(effects);
                reply.is_err()
            }
            (ApiCall::Plan(courier) | ApiCall::PutPlan { courier, .. }, reply)
                if run.phase == Phase::Arranging && run.action.courier() == Some(*courier) =>
            {
                self.bulk_plan_replied(call, reply, effects);
                reply.is_err()
            }
            _ => return false,
        };
        self.keep_bulk(effects);
        is_taken
    }

    fn bulk_order_replied(&mut self, order: OrderId, reply: &Result<ApiReply, ApiError>, effects: &mut Vec<Effect>) {
        let outcome = match reply {
            Ok(ApiReply::Order(view)) => {
                self.take_order(view.as_ref().clone());
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(error) => {
                let reference = self.fleet.orders.get(&order).map_or("An order", |order| &order.reference);
                let why = error.conflict().map_or_else(|| error.text(), |details| text::conflict(details, self.at_ms));
                let failed = format!("{reference}: {why}");
                effects.extend(error.conflict().map(|_| Effect::Call(ApiCall::Order(order))));
                Err(failed)
            }
        };
        self.bulk_answered(order, outcome);
        self.refresh.sort_now();
        self.refresh.request_count();
        self.advance_bulk(effects);
    }

    fn bulk_plan_replied(&mut self, call: &ApiCall, reply: &Result<ApiReply, ApiError>, effects: &mut Vec<Effect>) {
        let Some(run) = &mut self.selection.bulk.run else { return };
        match (call, reply) {
            (ApiCall::Plan(courier), Ok(ApiReply::Plan(plan))) => match run.arrange(&plan.stops) {
                Some(stops) => {
                    let plan = PutPlan { version: plan.version, stops, locked: None };
                    effects.push(Effect::Call(ApiCall::PutPlan { courier: *courier, plan }));
                }
                None => self.bulk_over(),
            },
            // Somebody else changed the plan in between: once more with the new one.
            (ApiCall::PutPlan { .. }, Err(error)) if error.conflict().is_some() => self.arrange_bulk(effects),
            (_, reply) => {
                let problem = reply.as_ref().err().map(|error| format!("The sequence is not kept: {}", error.text()));
                run.arranged(problem);
                self.bulk_over();
            }
        }
    }

    fn bulk_over(&mut self) {
        if let Some(run) = &self.selection.bulk.run {
            let told = text::run(run);
            self.announce(told);
        }
    }

    /// What was kept of a page that was loaded again.
    pub(super) fn restore_bulk(&mut self, text: &str) {
        if !text.is_empty() {
            self.selection.bulk = Bulk::restore(text);
        }
    }

    fn keep_bulk(&self, effects: &mut Vec<Effect>) {
        effects.push(Effect::Keep(self.selection.bulk.keep()));
    }
}
