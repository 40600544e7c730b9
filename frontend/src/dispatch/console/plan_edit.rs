//! Stops moved by the dispatcher: by buttons, by pointer, or held in the hand with the keyboard.
//!
//! Pointer and keyboard share one [`Grab`]: where the thing would be if it were dropped now. The views draw the stops there
//! without moving their elements, so the focus stays. Every step is also said for screen readers.

use doorstep_shared::{OrderId, api::plan::PlanStop};

use super::{Console, Effect, OrderIntent};
use crate::dispatch::{
    plan::{self, Arrangement, Step},
    route::Open,
    text,
};

/// What can be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Movable {
    Stop(PlanStop),
    /// The line below the locked stops.
    Lock,
}

impl Movable {
    /// The id of its handle in the page.
    pub fn handle_id(self) -> String {
        match self {
            Self::Stop(stop) => format!("grab-{}", plan::key(stop)),
            Self::Lock => "grab-lock".to_owned(),
        }
    }
}

/// Something in the dispatcher's hand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grab {
    pub what: Movable,
    /// Where it was taken, from 0.
    from: usize,
    /// Where it would be if it were dropped now.
    pub to: usize,
    /// How far the pointer has moved it, in CSS pixels; `None` for the keyboard.
    pub pointer_px: Option<f64>,
}

/// Where a button or a key moves something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nudge {
    Up,
    Down,
    First,
    Last,
}

/// What the dispatcher does to a plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PlanIntent {
    /// Press a button beside a stop or at the line.
    Press(Movable, Nudge),
    /// Take something into the hand; `is_pointer` for mouse and finger.
    Grab {
        what: Movable,
        is_pointer: bool,
    },
    /// Move it with the pointer: by so many rows, and by so many CSS pixels.
    Dragged {
        rows: f64,
        px: f64,
    },
    /// Move it with the keyboard.
    Nudge(Nudge),
    Drop,
    /// Put it back where it was.
    Cancel,
    /// Do what was refused again, to the newest plan.
    Again,
    /// Leave the newest plan as it is.
    Dismiss,
    /// Fetch the plan again after that failed.
    Retry,
    /// Choose another courier for an order.
    MoveTo(OrderId),
}

impl Console {
    pub(super) fn act_on_plan(&mut self, intent: PlanIntent, effects: &mut Vec<Effect>) {
        match intent {
            PlanIntent::Press(what, nudge) => self.press(what, nudge, effects),
            PlanIntent::Grab { what, is_pointer } => self.grab(what, is_pointer),
            PlanIntent::Dragged { rows, px } => self.dragged(rows, px),
            PlanIntent::Nudge(nudge) => self.nudge(nudge),
            PlanIntent::Drop => self.drop_grabbed(effects),
            PlanIntent::Cancel => self.cancel_grab(),
            PlanIntent::Again => self.do_again(effects),
            PlanIntent::Dismiss => self.planning.refusal = None,
            PlanIntent::Retry => self.plan_touched_by(None),
            PlanIntent::MoveTo(order) => {
                self.open(Open::Order(order), effects);
                self.act_on_order(OrderIntent::Assigning(true), effects);
                effects.push(Effect::Focus("courier-search"));
            }
        }
    }

    /// The stops as they are drawn: with what the dispatcher holds where it would be dropped.
    pub fn shown_plan(&self) -> Arrangement {
        let plan = self.planning.arrangement();
        match self.planning.grab {
            Some(Grab { what: Movable::Stop(stop), to, .. }) => plan.moved(stop, to),
            Some(Grab { what: Movable::Lock, to, .. }) => plan.with_lock(to),
            None => plan,
        }
    }

    fn place_of(&self, what: Movable) -> Option<usize> {
        let plan = self.planning.arrangement();
        match what {
            Movable::Stop(stop) => plan.position(stop),
            Movable::Lock => Some(plan.locked),
        }
    }

    /// Where a nudge leads from `now`, if anywhere.
    pub fn nudged(&self, what: Movable, now: usize, nudge: Nudge) -> Option<usize> {
        let plan = self.planning.arrangement();
        let last = match what {
            Movable::Stop(_) => plan.stops.len().checked_sub(1)?,
            Movable::Lock => plan.stops.len(),
        };
        match (what, nudge) {
            (_, Nudge::First) => (now > 0).then_some(0),
            (_, Nudge::Last) => (now < last).then_some(last),
            (Movable::Stop(stop), Nudge::Up) => plan.next_index(stop, now, false),
            (Movable::Stop(stop), Nudge::Down) => plan.next_index(stop, now, true),
            (Movable::Lock, Nudge::Up) => now.checked_sub(1),
            (Movable::Lock, Nudge::Down) => (now < last).then_some(now + 1),
        }
    }

    fn press(&mut self, what: Movable, nudge: Nudge, effects: &mut Vec<Effect>) {
        let Some(now) = self.place_of(what) else { return };
        if let Some(to) = self.nudged(what, now, nudge) {
            self.put(what, to, effects);
        }
    }

    /// Puts something at an index, and says where it is now.
    fn put(&mut self, what: Movable, to: usize, effects: &mut Vec<Effect>) {
        let before = self.planning.arrangement();
        let step = match what {
            Movable::Stop(stop) => Step::to_index(&before, stop, to),
            Movable::Lock => Step::Lock(to),
        };
        let after = step.apply(before.clone());
        if after != before {
            self.add_step(step, effects);
        }
        self.announce(self.where_it_is(what, &after));
    }

    fn where_it_is(&self, what: Movable, plan: &Arrangement) -> String {
        match what {
            Movable::Lock => text::locked(plan.locked),
            Movable::Stop(stop) => {
                let place = plan.position(stop).map_or(0, |index| index + 1);
                format!("{}: stop {place} of {}", text::stop(&self.fleet, stop), plan.stops.len())
            }
        }
    }

    fn grab(&mut self, what: Movable, is_pointer: bool) {
        let Some(from) = self.place_of(what) else { return };
        self.planning.grab = Some(Grab { what, from, to: from, pointer_px: is_pointer.then_some(0.0) });
        if !is_pointer {
            let place = self.where_it_is(what, &self.planning.arrangement());
            self.announce(format!("{place}. Arrows move it, Enter drops it, Escape puts it back."));
        }
    }

    fn dragged(&mut self, rows: f64, px: f64) {
        let count = self.planning.arrangement().stops.len();
        let Some(Grab { what, from, .. }) = self.planning.grab else { return };
        let last = if what == Movable::Lock { count } else { count.saturating_sub(1) };
        let to = (from as f64 + rows).round().clamp(0.0, last as f64) as usize;
        if let Some(grab) = &mut self.planning.grab {
            (grab.to, grab.pointer_px) = (to, Some(px));
        }
    }

    fn nudge(&mut self, nudge: Nudge) {
        let Some(Grab { what, to, .. }) = self.planning.grab else { return };
        if let (Some(to), Some(grab)) = (self.nudged(what, to, nudge), &mut self.planning.grab) {
            grab.to = to;
        }
        let shown = self.shown_plan();
        let mut words = self.where_it_is(what, &shown);
        if let Movable::Stop(stop) = what {
            words.push_str(self.company(stop, to_index(&self.planning)));
            words.push_str(if shown.position(stop).is_some_and(|index| index < shown.locked) {
                ", locked"
            } else {
                ""
            });
        }
        self.announce(words);
    }

    /// Says that a stop takes its partner along.
    fn company(&self, stop: PlanStop, to: usize) -> &'static str {
        let plan = self.planning.arrangement();
        let is_alone = plan.alone(stop).contains(&to) || plan.position(stop) == Some(to);
        text::company(stop.kind, !is_alone)
    }

    fn drop_grabbed(&mut self, effects: &mut Vec<Effect>) {
        if let Some(Grab { what, to, .. }) = self.planning.grab.take() {
            self.put(what, to, effects);
            effects.push(Effect::FocusHandle(what));
        }
    }

    fn cancel_grab(&mut self) {
        if let Some(Grab { what, .. }) = self.planning.grab.take() {
            let place = self.where_it_is(what, &self.planning.arrangement());
            self.announce(format!("Put back. {place}"));
        }
    }

    /// A newer plan came while a stop was in the hand.
    pub(super) fn grabbed_stop_may_be_gone(&mut self) {
        let Some(Grab { what: what @ Movable::Stop(stop), .. }) = self.planning.grab else { return };
        if self.place_of(what).is_none() {
            self.planning.grab = None;
            self.announce(format!("{} is not in the plan any more", text::stop(&self.fleet, stop)));
        }
    }
}

fn to_index(planning: &super::Planning) -> usize {
    planning.grab.map_or(0, |grab| grab.to)
}
