//! Work on many orders at once: which are selected, and a run through them with at most four requests at a time.
//!
//! A run is plain values: [`Run::take_next`] says which order is next, [`Run::answered`] takes what became of it. What failed
//! stays selected, with the reason. [`Bulk::keep`] writes selection and run as a text, and [`Bulk::restore`] reads it, so
//! that a reload loses nothing; orders whose reply was still on its way are done again, which changes nothing twice.

use std::collections::{BTreeMap, BTreeSet};

use doorstep_shared::{
    CourierId, OrderId,
    api::{
        console::CourierSuggestion,
        plan::{PlanStop, PlannedStop},
    },
    protocol::courier::StopKind,
};

/// Requests that are on their way at once.
const MAX_FLYING: usize = 4;

/// The plan of the new courier is fetched again so often when it changes under the run.
const MAX_ARRANGEMENTS: u32 = 4;

/// What is done with every selected order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Assign(CourierId),
    /// Assign, and keep the sequence in which the orders stood in their courier's plan.
    Move(CourierId),
    Unassign,
    Cancel {
        reason: String,
    },
}

impl Action {
    /// The courier who gets the orders.
    pub const fn courier(&self) -> Option<CourierId> {
        match self {
            Self::Assign(courier) | Self::Move(courier) => Some(*courier),
            Self::Unassign | Self::Cancel { .. } => None,
        }
    }

    fn line(&self) -> String {
        match self {
            Self::Assign(courier) => format!("assign {courier}"),
            Self::Move(courier) => format!("move {courier}"),
            Self::Unassign => "unassign".to_owned(),
            Self::Cancel { reason } => format!("cancel {}", reason.replace('\n', " ")),
        }
    }

    fn from_line(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        Some(match word {
            "assign" => Self::Assign(rest.parse().ok()?),
            "move" => Self::Move(rest.parse().ok()?),
            "unassign" => Self::Unassign,
            "cancel" => Self::Cancel { reason: rest.to_owned() },
            _ => return None,
        })
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The page was loaded again in the middle; the dispatcher decides.
    Paused,
    /// The plans of the couriers who have the orders are on their way.
    Reading,
    /// Orders are on their way.
    Working,
    /// The new courier's plan is put into its sequence.
    Arranging,
    /// Everything is answered.
    Over,
}

/// One action on many orders.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub action: Action,
    pub phase: Phase,
    pub total: usize,
    pub done: usize,
    /// Why orders failed, or the sequence could not be kept; sentences.
    pub failed: Vec<String>,
    /// In the sequence in which they are done.
    waiting: Vec<OrderId>,
    flying: Vec<OrderId>,
    /// The couriers whose plans are awaited.
    sources: Vec<CourierId>,
    /// The sequence of the moved stops in the plans that they come from.
    sequence: Vec<PlanStop>,
    arrangements: u32,
}

impl Run {
    /// A run that has not begun. `sources` are the couriers whose plans say the sequence; none unless orders move.
    pub fn new(action: Action, orders: Vec<OrderId>, sources: Vec<CourierId>) -> Self {
        let phase = if sources.is_empty() { Phase::Working } else { Phase::Reading };
        let total = orders.len();
        Self {
            action,
            phase,
            total,
            done: 0,
            failed: Vec::new(),
            waiting: orders,
            flying: Vec::new(),
            sources,
            sequence: Vec::new(),
            arrangements: 0,
        }
    }

    /// Whether replies are still to come.
    pub const fn is_busy(&self) -> bool {
        matches!(self.phase, Phase::Reading | Phase::Working | Phase::Arranging)
    }

    /// Orders that are not answered yet.
    pub fn left(&self) -> usize {
        self.waiting.len() + self.flying.len()
    }

    /// Whether a reply about this order is the run's.
    pub fn awaits(&self, order: OrderId) -> bool {
        self.flying.contains(&order)
    }

    /// Whether the plan of this courier is awaited for the sequence.
    pub fn reads(&self, courier: CourierId) -> bool {
        self.phase == Phase::Reading && self.sources.contains(&courier)
    }

    /// Takes the plan of a courier who has some of the orders; `None` when it could not be fetched, and their orders then
    /// move in the sequence in which they are listed.
    pub fn take_source(&mut self, courier: CourierId, stops: Option<&[PlannedStop]>) {
        self.sources.retain(|source| *source != courier);
        let stops = stops.into_iter().flatten().filter(|stop| self.waiting.contains(&stop.order_id));
        self.sequence.extend(stops.map(|stop| PlanStop { order_id: stop.order_id, kind: stop.kind }));
        if self.sources.is_empty() {
            let place = |id: &OrderId| {
                let found = self.sequence.iter().position(|stop| stop.order_id == *id);
                found.unwrap_or(usize::MAX)
            };
            self.waiting.sort_by_key(place);
            self.phase = Phase::Working;
        }
    }

    /// The next order to do; at most four are on their way at once.
    pub fn take_next(&mut self) -> Option<OrderId> {
        let may_fly = self.phase == Phase::Working && self.flying.len() < MAX_FLYING && !self.waiting.is_empty();
        may_fly.then(|| {
            let id = self.waiting.remove(0);
            self.flying.push(id);
            id
        })
    }

    /// Takes what became of an order: done, or why not.
    pub fn answered(&mut self, order: OrderId, outcome: Result<(), String>) {
        self.flying.retain(|id| *id != order);
        match outcome {
            Ok(()) => self.done += 1,
            Err(why) => self.failed.push(why),
        }
        if self.left() == 0 {
            let is_sequence_kept = self.sequence.is_empty() || self.done == 0;
            self.phase = if is_sequence_kept { Phase::Over } else { Phase::Arranging };
        }
    }

    /// Whether the new courier's plan may be fetched (again) to put the stops into their sequence; counts the tries.
    pub fn may_arrange(&mut self) -> bool {
        self.arrangements += 1;
        self.phase == Phase::Arranging && self.arrangements <= MAX_ARRANGEMENTS
    }

    /// The new courier's plan with the moved stops in their sequence; `None` when they stand in it already, and the run is
    /// over.
    pub fn arrange(&mut self, plan: &[PlannedStop]) -> Option<Vec<PlanStop>> {
        let plan: Vec<_> = plan.iter().map(|stop| PlanStop { order_id: stop.order_id, kind: stop.kind }).collect();
        let arranged = arranged(&plan, &self.sequence);
        if arranged == plan {
            self.phase = Phase::Over;
            return None;
        }
        Some(arranged)
    }

    /// The run is over, with a sequence that could not be kept, or without.
    pub fn arranged(&mut self, problem: Option<String>) {
        self.failed.extend(problem);
        self.phase = Phase::Over;
    }
}

/// `plan` with the stops of `sequence` in that sequence, on the places that they take in the plan.
fn arranged(plan: &[PlanStop], sequence: &[PlanStop]) -> Vec<PlanStop> {
    let mut moved = sequence.iter().copied().filter(|stop| plan.contains(stop));
    let place = |stop: &PlanStop| if sequence.contains(stop) { moved.next().unwrap_or(*stop) } else { *stop };
    plan.iter().map(place).collect()
}

/// The selection and what is done with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bulk {
    pub picked: BTreeSet<OrderId>,
    /// Where a range begins.
    pub anchor: Option<OrderId>,
    /// The versions of the selected orders when the dispatcher was asked for a courier or a reason: what others change
    /// while a dialog covers the list was not seen. Empty after a reload, when the present versions are what is seen.
    pub seen: BTreeMap<OrderId, u64>,
    pub run: Option<Run>,
    /// The first of them, for which the dispatcher is shown who would be there first.
    pub first: Option<OrderId>,
    /// The couriers who could take it; `None` until they came.
    pub suggestions: Option<Vec<CourierSuggestion>>,
}

impl Bulk {
    /// Selects an order, or no longer.
    pub fn toggle(&mut self, order: OrderId) {
        if !self.picked.remove(&order) {
            self.picked.insert(order);
        }
        self.anchor = Some(order);
    }

    /// Selects every order between the last one that was chosen and this one.
    pub fn extend_to(&mut self, order: OrderId, rows: &[OrderId]) {
        let place = |id: OrderId| rows.iter().position(|row| *row == id);
        match self.anchor.and_then(place).zip(place(order)) {
            Some((from, to)) => self.picked.extend(&rows[from.min(to)..=from.max(to)]),
            None => self.toggle(order),
        }
    }

    /// As a text that survives a reload; empty when there is nothing to keep.
    pub fn keep(&self) -> String {
        let run = self.run.as_ref().filter(|run| run.phase != Phase::Over);
        if self.picked.is_empty() && run.is_none() {
            return String::new();
        }
        let ids = |ids: &mut dyn Iterator<Item = OrderId>| ids.map(|id| id.to_string()).collect::<Vec<_>>().join(" ");
        let picked = ids(&mut self.picked.iter().copied());
        let Some(run) = run else { return picked };
        let left = ids(&mut run.flying.iter().chain(&run.waiting).copied());
        let stop = |stop: &PlanStop| format!("{}:{}", stop.order_id, kind_word(stop.kind));
        let sequence = run.sequence.iter().map(stop).collect::<Vec<_>>().join(" ");
        format!("{picked}\n{}\n{left}\n{sequence}", run.action.line())
    }

    /// What was kept; a run waits for the dispatcher. Anything unreadable is left out.
    pub fn restore(text: &str) -> Self {
        let mut lines = text.split('\n');
        let ids = |lines: &mut std::str::Split<'_, char>| -> Vec<OrderId> {
            lines.next().unwrap_or_default().split(' ').filter_map(|id| id.parse().ok()).collect()
        };
        let picked = ids(&mut lines).into_iter().collect();
        let action = lines.next().and_then(Action::from_line);
        let left = ids(&mut lines);
        let stop = |text: &str| {
            let (id, kind) = text.split_once(':')?;
            Some(PlanStop { order_id: id.parse().ok()?, kind: kind_of(kind)? })
        };
        let sequence = lines.next().unwrap_or_default().split(' ').filter_map(stop).collect();
        let run = action.filter(|_| !left.is_empty()).map(|action| Run {
            phase: Phase::Paused,
            sequence,
            ..Run::new(action, left, Vec::new())
        });
        Self { picked, run, ..Self::default() }
    }
}

const fn kind_word(kind: StopKind) -> &'static str {
    match kind {
        StopKind::Pickup => "pickup",
        StopKind::Dropoff => "dropoff",
        StopKind::Return => "return",
    }
}

fn kind_of(word: &str) -> Option<StopKind> {
    [StopKind::Pickup, StopKind::Dropoff, StopKind::Return].into_iter().find(|kind| kind_word(*kind) == word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids(count: usize) -> Vec<OrderId> {
        (0..count).map(|_| OrderId::new()).collect()
    }

    fn stop(order_id: OrderId, kind: StopKind) -> PlanStop {
        PlanStop { order_id, kind }
    }

    fn planned(stops: &[PlanStop]) -> Vec<PlannedStop> {
        let planned = stops.iter().zip(1..).map(|(stop, sequence)| PlannedStop {
            order_id: stop.order_id,
            kind: stop.kind,
            sequence,
            locked: false,
            arrival: None,
            late: false,
        });
        planned.collect()
    }

    #[test]
    fn at_most_four_are_on_their_way_and_each_is_answered_once() {
        let orders = ids(6);
        let mut run = Run::new(Action::Unassign, orders.clone(), vec![]);
        let flying: Vec<_> = std::iter::from_fn(|| run.take_next()).collect();
        assert_eq!(flying, orders[..4]);
        run.answered(orders[1], Ok(()));
        run.answered(orders[0], Err("A-1: it is over".into()));
        assert_eq!([run.take_next(), run.take_next(), run.take_next()], [Some(orders[4]), Some(orders[5]), None]);
        for order in [orders[2], orders[3], orders[4], orders[5]] {
            assert!(run.is_busy());
            run.answered(order, Ok(()));
        }
        assert_eq!((run.phase, run.done, run.failed.len()), (Phase::Over, 5, 1));
    }

    #[test]
    fn moved_orders_keep_the_sequence_of_the_plan_that_they_come_from() {
        let (a, b, other) = (OrderId::new(), OrderId::new(), OrderId::new());
        let (from, to) = (CourierId::new(), CourierId::new());
        let mut run = Run::new(Action::Move(to), vec![a, b], vec![from]);
        assert_eq!(run.take_next(), None, "the sequence is not known yet");
        let source = [(b, StopKind::Pickup), (a, StopKind::Pickup), (b, StopKind::Dropoff), (a, StopKind::Dropoff)];
        let source = source.map(|(order, kind)| stop(order, kind));
        run.take_source(from, Some(&planned(&source)));
        assert_eq!([run.take_next(), run.take_next()], [Some(b), Some(a)]);
        run.answered(b, Ok(()));
        run.answered(a, Ok(()));
        assert!(run.may_arrange());
        let target = [
            stop(other, StopKind::Dropoff),
            stop(a, StopKind::Pickup),
            stop(a, StopKind::Dropoff),
            stop(b, StopKind::Pickup),
            stop(b, StopKind::Dropoff),
        ];
        let wanted = run.arrange(&planned(&target)).expect("another sequence");
        assert_eq!(wanted[0], target[0], "the others keep their places");
        assert_eq!(wanted[1..], source);
        assert_eq!(run.arrange(&planned(&wanted)), None);
        assert_eq!(run.phase, Phase::Over);
    }

    #[test]
    fn a_plan_that_changes_again_and_again_does_not_hold_the_run_up_for_ever() {
        let a = OrderId::new();
        let (from, to) = (CourierId::new(), CourierId::new());
        let mut run = Run::new(Action::Move(to), vec![a], vec![from]);
        run.take_source(from, Some(&planned(&[stop(a, StopKind::Dropoff)])));
        run.take_next();
        run.answered(a, Ok(()));
        assert_eq!((0..9).filter(|_| run.may_arrange()).count(), MAX_ARRANGEMENTS as usize);
    }

    #[test]
    fn a_range_goes_from_the_last_choice_to_this_one() {
        let rows = ids(5);
        let mut bulk = Bulk::default();
        bulk.extend_to(rows[3], &rows);
        assert_eq!(bulk.picked.len(), 1, "without a beginning it is one");
        bulk.extend_to(rows[1], &rows);
        assert_eq!(bulk.picked, rows[1..=3].iter().copied().collect());
        bulk.toggle(rows[2]);
        assert_eq!(bulk.picked, [rows[1], rows[3]].into());
    }

    #[test]
    fn a_reload_in_the_middle_loses_nothing() {
        let orders = ids(6);
        let mut bulk = Bulk { picked: orders.iter().copied().collect(), ..Bulk::default() };
        assert_eq!(Bulk::restore(&bulk.keep()).picked, bulk.picked);
        let reason = "the kitchen\nhad to close".to_owned();
        let mut run = Run::new(Action::Cancel { reason }, orders.clone(), vec![]);
        run.take_next();
        run.take_next();
        run.answered(orders[0], Ok(()));
        bulk.run = Some(run);
        let restored = Bulk::restore(&bulk.keep());
        let mut run = restored.run.expect("a run");
        assert_eq!((run.phase, run.left()), (Phase::Paused, 5), "also the one whose reply never came");
        assert_eq!(run.action, Action::Cancel { reason: "the kitchen had to close".into() });
        run.phase = Phase::Working;
        assert_eq!(run.take_next(), Some(orders[1]));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_restoring(text in "\\PC{0,20}\n?\\PC{0,20}\n?\\PC{0,20}\n?\\PC{0,20}") {
            Bulk::restore(&text);
        }
    }
}
