//! The order of a courier's stops, and what moving one of them does to the others.

use std::ops::Range;

use doorstep_shared::{
    api::plan::{PlanStop, PlanView, PlannedStop},
    protocol::courier::StopKind,
};
use uuid::Uuid;

/// The stops in their order, and how many at the start are locked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrangement {
    pub stops: Vec<PlanStop>,
    pub locked: usize,
}

/// Which stop of a plan this is.
pub const fn stop_of(planned: &PlannedStop) -> PlanStop {
    PlanStop { order_id: planned.order_id, kind: planned.kind }
}

/// A key for the stop's row: an order has at most one stop of each kind.
pub fn key(stop: PlanStop) -> Uuid {
    // Into the bits of the version, which all ids share.
    Uuid::from_u128(stop.order_id.as_uuid().as_u128() ^ (stop.kind as u128) << 78)
}

impl Arrangement {
    /// The plan as the server keeps it.
    pub fn of(plan: &PlanView) -> Self {
        let locked = plan.stops.iter().take_while(|stop| stop.locked).count();
        Self { stops: plan.stops.iter().map(stop_of).collect(), locked }
    }

    /// Where a stop stands, from 0.
    pub fn position(&self, stop: PlanStop) -> Option<usize> {
        self.stops.iter().position(|other| *other == stop)
    }

    /// The other end of a stop's order, while the plan holds both.
    pub fn partner(&self, stop: PlanStop) -> Option<PlanStop> {
        let kind = match stop.kind {
            StopKind::Pickup => StopKind::Dropoff,
            StopKind::Dropoff => StopKind::Pickup,
            StopKind::Return => return None,
        };
        let partner = PlanStop { kind, ..stop };
        self.position(partner).map(|_| partner)
    }

    /// The stop at index `to` among the others. A partner that would stand on the wrong side comes along, next to it. What
    /// moves into the locked stops is locked, what moves out of them is not, and beside the line it stays what it was.
    #[must_use]
    pub fn moved(&self, stop: PlanStop, to: usize) -> Self {
        let Some(from) = self.position(stop) else { return self.clone() };
        let moving = self.moving_together(stop, to);
        let mut to = to.min(self.stops.len() - 1);
        let others: Vec<_> = self.stops.iter().copied().filter(|other| *other != stop).collect();
        to -= others[..to].iter().filter(|other| moving.contains(other)).count();
        let still_locked = self.stops[..self.locked].iter().filter(|other| !moving.contains(other)).count();
        let is_locked = to < still_locked || to == still_locked && from < self.locked;
        let mut stops: Vec<_> = others.into_iter().filter(|other| !moving.contains(other)).collect();
        let locked = if is_locked { still_locked + moving.len() } else { still_locked };
        stops.splice(to..to, moving);
        if stops == self.stops { self.clone() } else { Self { stops, locked } }
    }

    /// The stop, with its partner when it moves past it, in their order.
    fn moving_together(&self, stop: PlanStop, to: usize) -> Vec<PlanStop> {
        let partner = self.partner(stop).and_then(|partner| Some((partner, self.position(partner)?)));
        let Some((partner, place)) = partner else { return vec![stop] };
        let place = place - usize::from(self.position(stop).is_some_and(|from| from < place));
        match stop.kind {
            StopKind::Pickup if place < to => vec![stop, partner],
            StopKind::Dropoff if place >= to => vec![partner, stop],
            _ => vec![stop],
        }
    }

    /// Where the stop may stand without its partner coming along.
    pub fn alone(&self, stop: PlanStop) -> Range<usize> {
        let all = 0..self.stops.len();
        let Some(place) = self.partner(stop).and_then(|partner| self.position(partner)) else { return all };
        if stop.kind == StopKind::Pickup { 0..place } else { place + 1..all.end }
    }

    /// The next index in this direction at which moving the stop from `now` changes anything.
    pub fn next_index(&self, stop: PlanStop, now: usize, is_down: bool) -> Option<usize> {
        let before = self.moved(stop, now);
        let changes = |to: &usize| self.moved(stop, *to).stops != before.stops;
        if is_down { (now + 1..self.stops.len()).find(changes) } else { (0..now).rev().find(changes) }
    }

    /// With so many locked at the start.
    #[must_use]
    pub fn with_lock(mut self, locked: usize) -> Self {
        self.locked = locked.min(self.stops.len());
        self
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::OrderId;
    use proptest::prelude::*;

    use super::*;

    /// `"a b B A"`: small letters are pickups, large ones the drop-offs of the same orders, `|` the end of the locked part.
    fn read(text: &str) -> Arrangement {
        let mut stops = Vec::new();
        let mut locked = 0;
        for word in text.split_whitespace() {
            if word == "|" {
                locked = stops.len();
            } else {
                stops.push(stop(word));
            }
        }
        Arrangement { stops, locked }
    }

    fn stop(word: &str) -> PlanStop {
        let letter = word.chars().next().expect("a word is a letter");
        let kind = if letter.is_lowercase() { StopKind::Pickup } else { StopKind::Dropoff };
        let number = u128::from(letter.to_ascii_lowercase() as u32);
        PlanStop { order_id: OrderId::from_uuid(uuid::Uuid::from_u128(number)), kind }
    }

    fn write(arrangement: &Arrangement) -> String {
        let word = |stop: &PlanStop| {
            let letter = char::from_u32(stop.order_id.as_uuid().as_u128() as u32).expect("a letter");
            if stop.kind == StopKind::Pickup { letter } else { letter.to_ascii_uppercase() }
        };
        let mut words: Vec<_> = arrangement.stops.iter().map(|stop| word(stop).to_string()).collect();
        if arrangement.locked > 0 {
            words.insert(arrangement.locked, "|".into());
        }
        words.join(" ")
    }

    #[test]
    fn a_stop_goes_where_it_is_put_and_the_others_keep_their_order() {
        for (before, moving, to, after) in [
            ("A B C D", "A", 2, "B C A D"),
            ("A B C D", "D", 0, "D A B C"),
            ("A B C D", "B", 9, "A C D B"),
            ("A B C D", "X", 0, "A B C D"),
        ] {
            assert_eq!(write(&read(before).moved(stop(moving), to)), after, "{moving} of {before} to {to}");
        }
    }

    #[test]
    fn a_pickup_that_goes_past_its_drop_off_takes_it_along() {
        for (before, moving, to, after) in [
            ("a A B C", "a", 3, "B C a A"),
            ("a B A C", "a", 1, "B a A C"),
            ("a B A C", "a", 2, "B a A C"),
            ("B a C A", "A", 0, "a A B C"),
            ("B a C A", "A", 2, "B a A C"),
        ] {
            assert_eq!(write(&read(before).moved(stop(moving), to)), after, "{moving} of {before} to {to}");
        }
        assert_eq!(read("B a C A").alone(stop("a")), 0..3);
        assert_eq!(read("B a C A").alone(stop("A")), 2..4);
    }

    #[test]
    fn a_step_that_only_meets_the_partner_goes_on_to_one_that_changes_something() {
        let plan = read("B a A C");
        assert_eq!(plan.next_index(stop("a"), 1, true), Some(3));
        assert_eq!(plan.next_index(stop("A"), 2, false), Some(0));
        assert_eq!(plan.next_index(stop("B"), 0, false), None);
        assert_eq!(read("a A").next_index(stop("a"), 0, true), None);
    }

    #[test]
    fn the_lock_holds_what_is_before_its_line() {
        for (before, moving, to, after) in [
            ("A B | C D", "C", 1, "A C B | D"),
            ("A B | C D", "B", 2, "A | C B D"),
            ("A B | C D", "A", 1, "B A | C D"),
            ("A B | C D", "D", 2, "A B | D C"),
            ("a | A B", "A", 0, "a | A B"),
            ("a | A B", "a", 2, "B a A"),
        ] {
            assert_eq!(write(&read(before).moved(stop(moving), to)), after, "{moving} of {before} to {to}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_moved_every_stop_stays_and_every_pickup_comes_first(
            orders in 1usize..8, moves in prop::collection::vec((0usize..16, 0usize..20), 1..30), locked in 0usize..9,
        ) {
            let order = |index: usize| OrderId::from_uuid(uuid::Uuid::from_u128(index as u128 + 1));
            let kinds = [StopKind::Pickup, StopKind::Dropoff];
            let stops: Vec<_> =
                (0..orders).flat_map(|index| kinds.map(|kind| PlanStop { order_id: order(index), kind })).collect();
            let mut plan = Arrangement { stops: stops.clone(), locked: 0 }.with_lock(locked);
            for (which, to) in moves {
                plan = plan.moved(stops[which % stops.len()], to);
                prop_assert_eq!(plan.stops.len(), stops.len());
                prop_assert!(plan.locked <= plan.stops.len());
                for index in 0..orders {
                    let [from, to] = kinds.map(|kind| plan.position(PlanStop { order_id: order(index), kind }));
                    prop_assert!(from.is_some() && from < to);
                }
            }
        }
    }
}
