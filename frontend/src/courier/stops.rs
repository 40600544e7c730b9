//! The stops ahead, put together from what the socket says, what the tour adds, and what waits on the phone.

use doorstep_shared::{
    OrderId, OrderStatus,
    api::{courier::Tour, proof::ProofKind},
    protocol::courier::{Stop, StopKind},
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
    distance_m: Option<u32>,
    proof: Vec<ProofKind>,
}

/// A tour as it is kept.
pub fn legs(tour: &Tour) -> Vec<Leg> {
    let leg = |stop: &doorstep_shared::api::courier::TourStop| Leg {
        order_id: stop.order_id,
        kind: stop.kind,
        earliest_ms: stop.earliest_at.map(|at| at.timestamp_millis()),
        latest_ms: stop.latest_at.map(|at| at.timestamp_millis()),
        distance_m: stop.distance_m,
        proof: stop.proof.clone(),
    };
    tour.stops.iter().map(leg).collect()
}

/// The cards of the stops ahead, with what waits on the phone already applied.
pub fn cards<'a>(stops: &[Stop], legs: &[Leg], actions: impl Iterator<Item = &'a Action> + Clone) -> Vec<StopCard> {
    let card = |stop: &Stop| {
        let mut waiting = actions.clone().filter(|action| action.order_id == stop.order_id).peekable();
        let is_waiting = waiting.peek().is_some();
        let status = waiting.fold(stop.status, apply);
        let leg = legs.iter().find(|leg| (leg.order_id, leg.kind) == (stop.order_id, stop.kind));
        StopCard {
            stop: stop.clone(),
            status,
            earliest_ms: leg.and_then(|leg| leg.earliest_ms),
            latest_ms: leg.and_then(|leg| leg.latest_ms),
            distance_m: leg.and_then(|leg| leg.distance_m),
            proof: leg.map_or(vec![], |leg| leg.proof.clone()),
            is_waiting,
        }
    };
    stops.iter().map(card).filter(is_ahead).collect()
}

/// The stops after the server took a status, until it sends them anew.
pub fn advance(stops: &mut Vec<Stop>, order_id: OrderId, status: OrderStatus) {
    for stop in stops.iter_mut().filter(|stop| stop.order_id == order_id && stop.status.can_become(status)) {
        stop.status = status;
    }
    stops.retain(|stop| is_open(stop.kind, stop.status));
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
        Deed::Status { status: next, .. } if status.can_become(next) => next,
        _ => status,
    }
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
    fn orders_that_came_and_went_are_named_once() {
        let after =
            vec![stop(2, StopKind::Dropoff, OrderStatus::AtDropoff), stop(3, StopKind::Pickup, OrderStatus::Assigned)];
        let (came, went) = changes(&tour(), &after);
        assert_eq!((came.len(), came[0].order_id, went.len(), went[0].order_id), (1, order(3), 1, order(1)));
    }
}
