//! The stops ahead, put together from what the socket says, what the tour adds, and what waits on the phone.

use doorstep_shared::{
    OrderId, OrderStatus,
    api::{courier::Tour, proof::ProofKind},
    protocol::courier::{ReportKind, Stop, StopKind},
};
use serde::{Deserialize, Serialize};

use super::{
    outbox::actions::{Action, Deed},
    state::StopCard,
};

/// What the tour says about a stop. Kept on the phone, so that a stop's proofs are known in a tunnel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    order_id: OrderId,
    kind: StopKind,
    earliest_ms: Option<i64>,
    latest_ms: Option<i64>,
    proof: Vec<ProofKind>,
}

/// A tour as it is kept: with what doors ask for that it does not name now, while their order is on the list. The next
/// attempt at an order whose goods are being brought back asks for the same, and may begin without a network.
pub fn legs(tour: &Tour, known: &[Leg], stops: &[Stop]) -> Vec<Leg> {
    let leg = |stop: &doorstep_shared::api::courier::TourStop| Leg {
        order_id: stop.order_id,
        kind: stop.kind,
        earliest_ms: stop.earliest_at.map(|at| at.timestamp_millis()),
        latest_ms: stop.latest_at.map(|at| at.timestamp_millis()),
        proof: stop.proof.clone(),
    };
    let mut legs: Vec<Leg> = tour.stops.iter().map(leg).collect();
    let is_on_the_list = |leg: &&Leg| stops.iter().any(|stop| stop.order_id == leg.order_id);
    let is_named = |leg: &&Leg| legs.iter().any(|named| (named.order_id, named.kind) == (leg.order_id, leg.kind));
    let of_doors = known.iter().filter(|leg| leg.kind == StopKind::Dropoff && !leg.proof.is_empty());
    let unnamed: Vec<Leg> =
        of_doors.filter(is_on_the_list).filter(|leg| !is_named(leg)).map(Leg::without_times).collect();
    legs.extend(unnamed);
    legs
}

impl Leg {
    fn without_times(&self) -> Self {
        Self { earliest_ms: None, latest_ms: None, ..self.clone() }
    }
}

/// The cards of the stops ahead, with what waits on the phone already applied.
pub fn cards<'a>(stops: &[Stop], legs: &[Leg], actions: impl Iterator<Item = &'a Action> + Clone) -> Vec<StopCard> {
    let card = |stop: &Stop| {
        let of_order = actions.clone().filter(|action| action.order_id == stop.order_id);
        let mut waiting = of_order.clone().filter(|action| action.held_until_ms.is_none());
        let leg = legs.iter().find(|leg| (leg.order_id, leg.kind) == (stop.order_id, stop.kind));
        let mut card = StopCard::new(stop.clone());
        if let Some(leg) = leg {
            card.earliest_ms = card.earliest_ms.or(leg.earliest_ms);
            card.latest_ms = card.latest_ms.or(leg.latest_ms);
            card.proof.clone_from(&leg.proof);
        }
        card.is_waiting = waiting.next().is_some();
        card.status = of_order.fold(stop.status, apply);
        card
    };
    let gives_back = |card: &StopCard| actions.clone().any(|action| is_given_back(action, card.stop.order_id));
    let mut cards: Vec<_> = stops.iter().map(card).filter(|card| is_ahead(card) && !gives_back(card)).collect();
    let pickups: Vec<_> = of_kind(&cards, StopKind::Pickup);
    for card in cards.iter_mut().filter(|card| card.stop.kind == StopKind::Dropoff) {
        card.needs_pickup = pickups.contains(&card.stop.order_id);
    }
    cards
}

/// The ways back that the server does not know of yet: of goods on board that could not be handed over, as far as the
/// phone knows where they were collected.
pub fn ways_back<'a>(
    stops: &[Stop],
    collected: &[Stop],
    actions: impl Iterator<Item = &'a Action> + Clone,
) -> Vec<Stop> {
    let is_failed = |stop: &&Stop| {
        let mut of_order = actions.clone().filter(|action| action.order_id == stop.order_id);
        let is_loaded = of_order.clone().any(|action| is_status(action, OrderStatus::PickedUp));
        (is_loaded || collected.iter().any(|pickup| pickup.order_id == stop.order_id))
            && of_order.clone().any(|action| is_status(action, OrderStatus::Failed))
            && !of_order.any(|action| is_status(action, OrderStatus::Returned))
    };
    let failed = stops.iter().filter(|stop| stop.kind == StopKind::Dropoff).filter(is_failed);
    failed.filter_map(|stop| way_back(stops, collected, stop.order_id, OrderStatus::Failed)).collect()
}

/// The stop at which goods are brought back.
pub fn way_back(stops: &[Stop], collected: &[Stop], order_id: OrderId, status: OrderStatus) -> Option<Stop> {
    let mut pickups = stops.iter().chain(collected).filter(|stop| stop.kind == StopKind::Pickup);
    let pickup = pickups.find(|stop| stop.order_id == order_id)?.clone();
    Some(Stop { kind: StopKind::Return, status, arrival: None, locked: None, usual_wait_s: None, ..pickup })
}

/// The stops after the server took a status, until it sends them anew: it moves the stop at which the courier is to the
/// front, and so does this.
pub fn advance(stops: &mut Vec<Stop>, order_id: OrderId, status: OrderStatus) {
    for stop in stops.iter_mut().filter(|stop| stop.order_id == order_id && follows(stop.status, status)) {
        stop.status = status;
    }
    stops.retain(|stop| is_open(stop.kind, stop.status));
    let arrived_at = match status {
        OrderStatus::AtPickup => StopKind::Pickup,
        OrderStatus::AtDropoff => StopKind::Dropoff,
        _ => return,
    };
    if let Some(place) = stops.iter().position(|stop| (stop.order_id, stop.kind) == (order_id, arrived_at)) {
        stops[..=place].rotate_right(1);
    }
}

/// Orders that came and went between two lists, each by one of its stops.
pub fn changes(before: &[Stop], after: &[Stop]) -> (Vec<Stop>, Vec<Stop>) {
    (orders_only_in(after, before), orders_only_in(before, after))
}

fn orders_only_in(these: &[Stop], others: &[Stop]) -> Vec<Stop> {
    let is_known = |order_id: OrderId, stops: &[Stop]| stops.iter().any(|stop| stop.order_id == order_id);
    let is_first = |place: usize| !is_known(these[place].order_id, &these[..place]);
    let only_here = |place: &usize| is_first(*place) && !is_known(these[*place].order_id, others);
    (0..these.len()).filter(only_here).map(|place| these[place].clone()).collect()
}

fn apply(status: OrderStatus, action: &Action) -> OrderStatus {
    match action.deed {
        Deed::Status { status: next, .. } if follows(status, next) => next,
        Deed::Report { report: ReportKind::NotReady, .. } if status == OrderStatus::Assigned => OrderStatus::AtPickup,
        _ => status,
    }
}

/// Whether a courier may report `next`: goods of a cancelled order are brought back, too.
pub fn follows(status: OrderStatus, next: OrderStatus) -> bool {
    status.can_become(next) || (status, next) == (OrderStatus::Cancelled, OrderStatus::Returned)
}

/// Whether the courier reported this status.
pub fn is_status(action: &Action, reported: OrderStatus) -> bool {
    matches!(action.deed, Deed::Status { status, .. } if status == reported)
}

fn is_given_back(action: &Action, order_id: OrderId) -> bool {
    action.order_id == order_id && matches!(action.deed, Deed::Report { report: ReportKind::GiveBack, .. })
}

fn of_kind(cards: &[StopCard], kind: StopKind) -> Vec<OrderId> {
    cards.iter().filter(|card| card.stop.kind == kind).map(|card| card.stop.order_id).collect()
}

fn is_ahead(card: &StopCard) -> bool {
    is_open(card.stop.kind, card.status)
}

/// Whether there is still something to do at a stop of this kind.
fn is_open(kind: StopKind, status: OrderStatus) -> bool {
    match kind {
        StopKind::Pickup => matches!(status, OrderStatus::Assigned | OrderStatus::AtPickup),
        StopKind::Dropoff => status.is_active(),
        StopKind::Return => matches!(status, OrderStatus::Failed | OrderStatus::Cancelled),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use uuid::Uuid;

    use super::*;

    /// An order of the tests.
    pub fn order(number: u128) -> OrderId {
        OrderId::from_uuid(Uuid::from_u128(number))
    }

    /// A stop of an order.
    pub fn stop(number: u128, kind: StopKind, status: OrderStatus) -> Stop {
        Stop {
            lat: 35.9,
            lon: 14.5,
            address: format!("{number} Strait Street"),
            ..Stop::plain(order(number), format!("A-{number}"), kind, status)
        }
    }

    fn did(number: u128, status: OrderStatus) -> Action {
        Action {
            id: 1,
            order_id: order(number),
            reference: String::new(),
            place: String::new(),
            time_ms: 0,
            deed: Deed::Status { status, note: None },
            held_until_ms: None,
        }
    }

    fn tour() -> Vec<Stop> {
        vec![
            stop(1, StopKind::Pickup, OrderStatus::Assigned),
            stop(1, StopKind::Dropoff, OrderStatus::Assigned),
            stop(2, StopKind::Dropoff, OrderStatus::PickedUp),
        ]
    }

    #[test]
    fn what_waits_on_the_phone_is_already_applied() {
        let actions = [did(1, OrderStatus::AtPickup)];
        let cards = cards(&tour(), &[], actions.iter());
        assert_eq!((cards[0].status, cards[0].is_waiting), (OrderStatus::AtPickup, true));
        assert_eq!(cards[0].next_status(), Some(OrderStatus::PickedUp));
        assert!(!cards[2].is_waiting);
    }

    #[test]
    fn a_stop_that_is_done_gives_way_to_the_next() {
        let actions = [did(1, OrderStatus::AtPickup), did(1, OrderStatus::PickedUp)];
        let cards = cards(&tour(), &[], actions.iter());
        assert_eq!(cards[0].stop.kind, StopKind::Dropoff);
        assert_eq!(cards[0].next_status(), Some(OrderStatus::AtDropoff));
        let actions = [did(2, OrderStatus::Delivered)];
        assert_eq!(super::cards(&tour(), &[], actions.iter()).len(), 2);
    }

    #[test]
    fn a_status_taken_by_the_server_holds_until_it_sends_the_stops() {
        let mut stops = tour();
        advance(&mut stops, order(1), OrderStatus::PickedUp);
        assert_eq!(stops.len(), 2);
        advance(&mut stops, order(1), OrderStatus::AtPickup);
        assert_eq!(stops[0].status, OrderStatus::PickedUp, "never backwards");
    }

    #[test]
    fn goods_that_could_not_be_handed_over_have_a_way_back_before_the_server_says_so() {
        let doors = [stop(1, StopKind::Dropoff, OrderStatus::AtDropoff)];
        let collected = [stop(1, StopKind::Pickup, OrderStatus::AtPickup)];
        let back = |actions: &[Action]| ways_back(&doors, &collected, actions.iter());
        assert_eq!(back(&[]), []);
        let failed = back(&[did(1, OrderStatus::Failed)]);
        assert_eq!((failed[0].kind, failed[0].status), (StopKind::Return, OrderStatus::Failed));
        assert_eq!(StopCard::new(failed[0].clone()).next_status(), Some(OrderStatus::Returned));
        assert_eq!(back(&[did(1, OrderStatus::Failed), did(1, OrderStatus::Returned)]), []);
        let never_collected = ways_back(&tour(), &[], [did(1, OrderStatus::Failed)].iter());
        assert_eq!(never_collected, [], "they stay in the kitchen");
        let loaded = [did(1, OrderStatus::PickedUp), did(1, OrderStatus::Failed)];
        assert_eq!(ways_back(&tour(), &[], loaded.iter()).len(), 1);
    }

    #[test]
    fn goods_of_a_cancelled_order_are_brought_back() {
        let back = stop(1, StopKind::Return, OrderStatus::Cancelled);
        assert_eq!(StopCard::new(back.clone()).next_status(), Some(OrderStatus::Returned));
        assert_eq!(cards(std::slice::from_ref(&back), &[], [did(1, OrderStatus::Returned)].iter()), []);
        let mut stops = vec![back];
        advance(&mut stops, order(1), OrderStatus::Returned);
        assert_eq!(stops, []);
    }

    #[test]
    fn a_second_attempt_with_the_goods_on_board_begins_on_the_way() {
        let stops = [stop(1, StopKind::Dropoff, OrderStatus::Assigned)];
        assert_eq!(cards(&stops, &[], [].iter())[0].next_status(), Some(OrderStatus::AtDropoff));
        assert_eq!(cards(&tour(), &[], [].iter())[1].next_status(), None, "its pickup is ahead");
    }

    #[test]
    fn the_stop_at_which_the_courier_is_comes_first() {
        let mut stops = tour();
        stops.swap(0, 2);
        advance(&mut stops, order(1), OrderStatus::AtPickup);
        let kinds: Vec<_> = stops.iter().map(|stop| (stop.order_id, stop.kind)).collect();
        assert_eq!(kinds[0], (order(1), StopKind::Pickup));
        assert_eq!(kinds[1], (order(2), StopKind::Dropoff));
    }

    #[test]
    fn orders_that_came_and_went_are_named_once() {
        let after =
            vec![stop(2, StopKind::Dropoff, OrderStatus::AtDropoff), stop(3, StopKind::Pickup, OrderStatus::Assigned)];
        let (came, went) = changes(&tour(), &after);
        assert_eq!((came.len(), came[0].order_id, went.len(), went[0].order_id), (1, order(3), 1, order(1)));
    }
}
