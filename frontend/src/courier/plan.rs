//! Moving stops within the plan: what the courier may do, and what order of stops comes of it.
//!
//! A stop with several orders moves as one. No order is handed over before it is collected: what would break that moves
//! along. The stops that dispatch locked stay where they are, in front.

use doorstep_shared::{
    api::plan::PlanStop,
    protocol::courier::{Stop, StopKind},
};

use super::state::StopCard;

/// Whether the courier may put their own stops in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reordering {
    /// Dispatch alone does, or the server has no plans.
    NotAllowed,
    /// They may, but the server is not reached.
    Offline,
    /// They may, now.
    Allowed,
}

/// Where a stop goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// One place forward.
    Up,
    /// One place back.
    Down,
    /// The next one to make.
    Next,
    /// The last one to make.
    Last,
    /// Where this stop is now.
    At(PlanStop),
}

/// The name of a stop.
pub fn name(stop: &Stop) -> PlanStop {
    PlanStop { order_id: stop.order_id, kind: stop.kind }
}

/// The names of stops in their order.
pub fn names(stops: &[Stop]) -> Vec<PlanStop> {
    stops.iter().map(name).collect()
}

/// Puts stops into the order of `names`; one that it does not name comes last. A sort of the library would be kilobytes of
/// program on a phone.
pub fn sort(stops: &mut [Stop], names: &[PlanStop]) {
    let mut sorted = 0;
    for named in names {
        if let Some(behind) = stops[sorted..].iter().position(|stop| name(stop) == *named) {
            stops[sorted..=sorted + behind].rotate_right(1);
            sorted += 1;
        }
    }
}

/// Whether a stop can go there.
pub fn can_move(cards: &[StopCard], stop: PlanStop, to: Place) -> bool {
    moved(&[], cards, stop, to).is_some()
}

/// All stops after a move; `None` when it is not allowed or changes nothing. `all` are the names of every open stop as the
/// server knows them: those that are done on this phone and not there yet stay in front.
pub fn moved(all: &[PlanStop], cards: &[StopCard], stop: PlanStop, to: Place) -> Option<Vec<PlanStop>> {
    let from = cards.iter().position(|card| has(card, stop))?;
    let locked = cards.iter().take_while(|card| card.is_locked()).count();
    let free = locked..cards.len();
    let places = match to {
        // One step may change nothing: a door that steps over its own pickup takes it along.
        Place::Up => (locked..from).rev().collect(),
        Place::Down => (from + 1..cards.len()).collect(),
        Place::Next => vec![locked],
        Place::Last => vec![cards.len() - 1],
        Place::At(stop) => cards.iter().position(|card| has(card, stop)).into_iter().collect(),
    };
    let mut orders =
        places.into_iter().filter(|place| free.contains(place)).map(|place| with_moved(cards, from, place));
    let order = orders.find(|order| !cards.iter().flat_map(members).eq(order.iter().copied()))?;
    let done = all.iter().copied().filter(|stop| !order.contains(stop)).collect();
    free.contains(&from).then(|| [done, order].concat())
}

fn with_moved(cards: &[StopCard], from: usize, place: usize) -> Vec<PlanStop> {
    let mut groups: Vec<Vec<PlanStop>> = cards.iter().map(members).collect();
    let group = groups.remove(from);
    groups.insert(place, group);
    let mut order = groups.concat();
    keep_pickups_first(&mut order, place < from);
    order
}

/// Where an order would be handed over before it is collected, one of its two stops moves along with the one that moved.
fn keep_pickups_first(order: &mut Vec<PlanStop>, is_forward: bool) {
    let mut at = 0;
    while at < order.len() {
        let stop = order[at];
        let pickup = order[at..].iter().position(|later| is_pickup_of(later, &stop)).map(|behind| at + behind);
        match pickup {
            Some(pickup) if is_forward => {
                let pickup = order.remove(pickup);
                order.insert(at, pickup);
            }
            Some(pickup) => {
                let dropoff = order.remove(at);
                order.insert(pickup, dropoff);
                continue;
            }
            None => {}
        }
        at += 1;
    }
}

fn is_pickup_of(pickup: &PlanStop, dropoff: &PlanStop) -> bool {
    (pickup.order_id, pickup.kind, dropoff.kind) == (dropoff.order_id, StopKind::Pickup, StopKind::Dropoff)
}

fn members(card: &StopCard) -> Vec<PlanStop> {
    card.orders().map(|card| name(&card.stop)).collect()
}

fn has(card: &StopCard, stop: PlanStop) -> bool {
    card.orders().any(|card| name(&card.stop) == stop)
}

#[cfg(test)]
mod tests {
    use doorstep_shared::OrderStatus;
    use proptest::prelude::*;

    use super::*;
    use crate::courier::{
        groups::grouped,
        stops::tests::{order, stop},
    };

    /// Stops by their letters: `p1 d1 d2`, each somewhere else; a capital is locked.
    fn cards(words: &str) -> Vec<StopCard> {
        let card = |(place, word): (usize, &str)| {
            let (letter, number) = word.split_at(1);
            let kind = if letter.eq_ignore_ascii_case("p") { StopKind::Pickup } else { StopKind::Dropoff };
            let mut stop = stop(number.parse().expect("a number"), kind, OrderStatus::Assigned);
            stop.lat += place as f64 / 100.0;
            stop.locked = letter.chars().all(char::is_uppercase).then_some(true);
            StopCard::new(stop)
        };
        words.split(' ').enumerate().map(card).collect()
    }

    fn named(word: &str) -> PlanStop {
        name(&cards(word)[0].stop)
    }

    fn words(order: Vec<PlanStop>) -> String {
        let word = |stop: &PlanStop| {
            let letter = if stop.kind == StopKind::Pickup { "p" } else { "d" };
            format!("{letter}{}", stop.order_id.as_uuid().as_u128())
        };
        order.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    fn after(plan: &str, stop: &str, to: Place) -> Option<String> {
        moved(&[], &cards(plan), named(stop), to).map(words)
    }

    #[test]
    fn a_stop_moves_by_one_to_the_front_or_to_the_end() {
        for (to, expected) in [
            (Place::Up, "d2 d1 d3 d4"),
            (Place::Down, "d1 d3 d2 d4"),
            (Place::Next, "d2 d1 d3 d4"),
            (Place::Last, "d1 d3 d4 d2"),
            (Place::At(named("d4")), "d1 d3 d4 d2"),
        ] {
            assert_eq!(after("d1 d2 d3 d4", "d2", to).as_deref(), Some(expected), "{to:?}");
        }
        assert_eq!((after("d1 d2", "d1", Place::Up), after("d1 d2", "d2", Place::Last)), (None, None));
    }

    #[test]
    fn a_door_takes_its_pickup_along_and_a_pickup_its_door() {
        for (plan, stop, to, expected) in [
            ("d2 p1 d3 d1", "d1", Place::Next, "p1 d1 d2 d3"),
            ("d2 p1 d3 d1", "p1", Place::Last, "d2 d3 p1 d1"),
            ("p1 d1 d2 d3", "p1", Place::Down, "d2 p1 d1 d3"),
            ("d3 d2 p1 d1", "d1", Place::Up, "d3 p1 d1 d2"),
        ] {
            assert_eq!(after(plan, stop, to).as_deref(), Some(expected), "{stop} {to:?} in {plan}");
        }
        assert_eq!(after("p1 d1", "d1", Place::Up), None);
    }

    #[test]
    fn what_dispatch_locked_stays_in_front() {
        assert_eq!(after("D1 d2 d3", "d3", Place::Next).as_deref(), Some("d1 d3 d2"));
        for (stop, to) in [("d1", Place::Down), ("d1", Place::Last), ("d2", Place::Up), ("d3", Place::At(named("d1")))]
        {
            assert_eq!(after("D1 d2 d3", stop, to), None, "{stop} {to:?}");
        }
    }

    #[test]
    fn orders_at_one_place_move_as_one() {
        let mut flat = cards("p1 p2 d3");
        flat[1].stop.lat = flat[0].stop.lat;
        let cards = grouped(flat);
        assert_eq!(moved(&[], &cards, named("p2"), Place::Last).map(words).as_deref(), Some("d3 p1 p2"));
    }

    #[test]
    fn what_the_server_does_not_know_to_be_done_is_still_named() {
        let all = [named("d9"), named("d1"), named("d2")];
        assert_eq!(moved(&all, &cards("d1 d2"), named("d2"), Place::Up).map(words).as_deref(), Some("d9 d2 d1"));
    }

    #[test]
    fn stops_follow_the_names_and_strangers_come_last() {
        let mut stops: Vec<Stop> = cards("d1 d2 d7 d3").into_iter().map(|card| card.stop).collect();
        sort(&mut stops, &[named("d3"), named("d2"), named("d1")]);
        assert_eq!(words(names(&stops)), "d3 d2 d1 d7");
    }

    proptest! {
        #[test]
        fn every_move_keeps_all_stops_and_every_pickup_first(
            keys in prop::collection::vec(any::<u32>(), 1..8), from in 0usize..16, to in 0usize..16,
        ) {
            let mut plan: Vec<String> = Vec::new();
            for (number, key) in keys.iter().enumerate() {
                let place = *key as usize % (plan.len() + 1);
                plan.insert(place, format!("p{number}"));
                plan.insert(place + 1 + (*key as usize / 7) % (plan.len() - place), format!("d{number}"));
            }
            let plan = plan.join(" ");
            let cards = cards(&plan);
            let stop = name(&cards[from % cards.len()].stop);
            let at = Place::At(name(&cards[to % cards.len()].stop));
            for to in [Place::Up, Place::Down, Place::Next, Place::Last, at] {
                let Some(order) = moved(&[], &cards, stop, to) else { continue };
                let mut sorted: Vec<_> = order.iter().map(|stop| (stop.order_id, stop.kind.as_str())).collect();
                let mut before: Vec<_> = cards.iter().map(|card| (card.stop.order_id, card.stop.kind.as_str())).collect();
                sorted.sort_unstable();
                before.sort_unstable();
                prop_assert_eq!(sorted, before);
                for number in 0..keys.len() {
                    let place = |kind| order.iter().position(|stop| (stop.order_id, stop.kind) == (self::order(number as u128), kind));
                    prop_assert!(place(StopKind::Pickup) < place(StopKind::Dropoff), "{} in {plan}", words(order.clone()));
                }
            }
        }
    }
}
