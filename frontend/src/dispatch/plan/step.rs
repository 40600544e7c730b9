//! What a dispatcher did to a plan, so that it can be done again to a newer one.

use doorstep_shared::api::plan::PlanStop;

use super::Arrangement;

/// Where a stop was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    First,
    Last,
    /// Behind this stop.
    After(PlanStop),
}

/// One thing that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Move {
        stop: PlanStop,
        to: Place,
    },
    /// So many stops at the start are locked.
    Lock(usize),
}

impl Step {
    /// Moving a stop to index `to` among the others.
    pub fn to_index(plan: &Arrangement, stop: PlanStop, to: usize) -> Self {
        let others: Vec<_> = plan.stops.iter().filter(|other| **other != stop).collect();
        let to = match to {
            0 => Place::First,
            to if to >= others.len() => Place::Last,
            to => Place::After(*others[to - 1]),
        };
        Self::Move { stop, to }
    }

    /// The plan after this step; unchanged when a stop that it names is gone.
    #[must_use]
    pub fn apply(self, plan: Arrangement) -> Arrangement {
        let (stop, to) = match self {
            Self::Lock(locked) => return plan.with_lock(locked),
            Self::Move { stop, to } => (stop, to),
        };
        let index = match to {
            Place::First => Some(0),
            Place::Last => Some(plan.stops.len()),
            Place::After(anchor) => {
                plan.stops.iter().filter(|other| **other != stop).position(|other| *other == anchor)
            }
        };
        let behind = usize::from(matches!(to, Place::After(_)));
        index.map_or_else(|| plan.clone(), |index| plan.moved(stop, index + behind))
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{OrderId, protocol::courier::StopKind};

    use super::*;

    fn doors(count: u128) -> Vec<PlanStop> {
        let order = |number| OrderId::from_uuid(uuid::Uuid::from_u128(number));
        (1..=count).map(|number| PlanStop { order_id: order(number), kind: StopKind::Dropoff }).collect()
    }

    #[test]
    fn a_step_does_the_same_to_a_newer_plan() {
        let [a, b, c, d] = doors(4)[..] else { panic!("four") };
        let seen = Arrangement { stops: vec![a, b, c], locked: 0 };
        let step = Step::to_index(&seen, a, 1);
        assert_eq!(step, Step::Move { stop: a, to: Place::After(b) });
        assert_eq!(step.apply(seen.clone()).stops, [b, a, c]);
        let newer = Arrangement { stops: vec![d, c, a, b], locked: 1 };
        assert_eq!(step.apply(newer.clone()), Arrangement { stops: vec![d, c, b, a], locked: 1 });
        assert_eq!(Step::to_index(&seen, a, 2).apply(newer).stops, [d, c, b, a], "the last stays the last");
    }

    #[test]
    fn a_step_about_stops_that_are_done_changes_nothing() {
        let [a, b, c, d] = doors(4)[..] else { panic!("four") };
        let newer = Arrangement { stops: vec![a, c], locked: 0 };
        for step in [Step::Move { stop: b, to: Place::First }, Step::Move { stop: a, to: Place::After(d) }] {
            assert_eq!(step.apply(newer.clone()), newer);
        }
        assert_eq!(Step::Lock(9).apply(newer.clone()).locked, 2);
    }
}
