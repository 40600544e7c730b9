use doorstep_shared::{
    OrderStatus, Position, Vehicle,
    api::{CustomerBody, PlaceBody},
    protocol::{PresenceState, customer::Presence},
};
use proptest::prelude::*;

use super::{courier::SILENT_AFTER_MS, *};

pub const NOW_MS: i64 = 1_795_282_920_000;

pub fn courier(name: &str) -> FleetCourier {
    FleetCourier {
        id: CourierId::new(),
        name: name.into(),
        vehicle: Vehicle::Scooter,
        position: Some(Position {
            time_ms: NOW_MS - 4_000,
            lat: 35.9,
            lon: 14.5,
            accuracy_m: None,
            speed_mps: Some(6.0),
            heading_deg: Some(90.0),
        }),
        battery: Some(0.8),
        presence: Some(Presence { state: PresenceState::Tracking, reason: None, since_ms: NOW_MS - 60_000 }),
    }
}

pub fn order(reference: &str, status: OrderStatus, courier_id: Option<CourierId>) -> FleetOrder {
    FleetOrder {
        id: OrderId::new(),
        reference: reference.into(),
        status,
        status_at_ms: NOW_MS - 60_000,
        courier_id,
        version: None,
        sequence: None,
        seen_at_ms: None,
    }
}

pub fn details(order: &FleetOrder, promised_until_ms: Option<i64>) -> OrderView {
    let at = |ms| chrono_at(ms);
    let place = |address: &str, lon| PlaceBody { lat: 35.9, lon, address: address.into(), ..PlaceBody::default() };
    OrderView {
        id: order.id,
        reference: order.reference.clone(),
        status: order.status,
        status_at: at(order.status_at_ms),
        pickup: place("Harbour Kitchen", 14.50),
        dropoff: place("12 Triq il-Merkanti, Valletta", 14.51),
        customer: CustomerBody { name: "Eve".into(), phone: None, email: None },
        courier_id: order.courier_id,
        promised_from: None,
        promised_until: promised_until_ms.map(at),
        expected_at: None,
        outside_area: None,
        created_at: at(NOW_MS - 600_000),
        proof: None,
        version: 1,
        attempt: 1,
        size: None,
        service_s: None,
        requires: None,
        note: None,
        carried_by: None,
        sequence: None,
        seen_at: None,
        timeline: None,
        proofs: None,
    }
}

fn chrono_at<T: std::str::FromStr>(ms: i64) -> T
where
    T::Err: std::fmt::Debug,
{
    super::super::text::rfc3339(ms).parse().expect("a time as RFC 3339")
}

pub fn fleet(couriers: Vec<FleetCourier>, orders: Vec<FleetOrder>) -> Fleet {
    let mut fleet = Fleet::default();
    fleet.take_snapshot(FleetSnapshot { seq: 0, server_time_ms: NOW_MS, couriers, orders });
    fleet
}

fn fix(courier_id: CourierId, time_ms: i64, lat: f64) -> FleetFix {
    FleetFix { courier_id, time_ms, lat, lon: 14.5, speed_mps: None, heading_deg: None, battery: None }
}

#[test]
fn a_position_never_goes_back_in_time() {
    let ana = courier("Ana");
    let mut fleet = fleet(vec![ana.clone()], vec![]);
    fleet.take_moved();
    fleet.take_positions(&[fix(ana.id, NOW_MS, 35.91), fix(ana.id, NOW_MS - 1_000, 35.92)]);
    assert_eq!(fleet.couriers[&ana.id].position.map(|position| position.lat), Some(35.91));
    assert_eq!(fleet.take_moved(), [ana.id]);
    fleet.take_positions(&[fix(ana.id, NOW_MS, 35.93)]);
    assert_eq!(fleet.take_moved(), []);
}

#[test]
fn what_a_courier_does_follows_from_presence_orders_and_silence() {
    let quiet_ms = NOW_MS - SILENT_AFTER_MS - 1;
    let presence = |state| Some(Presence { state, reason: None, since_ms: quiet_ms });
    for (has_order, state, seen_ms, expected) in [
        (false, PresenceState::Tracking, NOW_MS, Activity::Free),
        (true, PresenceState::Tracking, NOW_MS, Activity::Delivering),
        (true, PresenceState::Tracking, quiet_ms, Activity::Attention),
        (false, PresenceState::Tracking, quiet_ms, Activity::Free),
        (true, PresenceState::Paused, NOW_MS, Activity::Attention),
        (false, PresenceState::OffDuty, NOW_MS, Activity::Away),
        (true, PresenceState::OffDuty, NOW_MS, Activity::Attention),
    ] {
        let mut ana = courier("Ana");
        ana.presence = presence(state);
        ana.position = ana.position.map(|position| Position { time_ms: seen_ms, ..position });
        let orders = if has_order { vec![order("A-1", OrderStatus::Assigned, Some(ana.id))] } else { vec![] };
        let fleet = fleet(vec![ana.clone()], orders);
        assert_eq!(fleet.activity(&fleet.couriers[&ana.id], NOW_MS), expected, "{has_order} {state:?}");
    }
}

#[test]
fn the_late_stand_before_the_silent_and_these_before_the_tight() {
    let mut silent = courier("Leah");
    silent.position = silent.position.map(|position| Position { time_ms: NOW_MS - 300_000, ..position });
    let ana = courier("Ana");
    let orders = [
        (order("calm", OrderStatus::Assigned, Some(ana.id)), Some(NOW_MS + 3_600_000)),
        (order("tight", OrderStatus::Assigned, Some(ana.id)), Some(NOW_MS + 300_000)),
        (order("silent", OrderStatus::PickedUp, Some(silent.id)), Some(NOW_MS + 3_600_000)),
        (order("late", OrderStatus::PickedUp, Some(ana.id)), Some(NOW_MS - 60_000)),
        (order("later", OrderStatus::PickedUp, Some(ana.id)), Some(NOW_MS - 600_000)),
        (order("failed", OrderStatus::Failed, Some(ana.id)), None),
        (order("unpromised", OrderStatus::Assigned, Some(ana.id)), None),
    ];
    let mut fleet = fleet(vec![ana, silent], orders.iter().map(|(order, _)| order.clone()).collect());
    for (order, until_ms) in &orders {
        fleet.take_details(details(order, *until_ms));
    }
    let mut sorted: Vec<_> = fleet.orders.values().collect();
    sorted.sort_by_key(|order| fleet.urgency(order, NOW_MS));
    let references: Vec<_> = sorted.iter().map(|order| order.reference.as_str()).collect();
    assert_eq!(references, ["failed", "later", "late", "silent", "tight", "calm", "unpromised"]);
}

#[test]
fn a_reassigned_order_leaves_the_old_courier() {
    let (ana, joe) = (courier("Ana"), courier("Joe"));
    let assigned = order("A-1", OrderStatus::Assigned, Some(ana.id));
    let mut fleet = fleet(vec![ana.clone(), joe.clone()], vec![assigned.clone()]);
    assert_eq!(fleet.couriers[&ana.id].orders, [assigned.id]);
    fleet.take_order(FleetOrder { courier_id: Some(joe.id), ..assigned.clone() });
    assert_eq!(fleet.couriers[&ana.id].orders, []);
    assert_eq!(fleet.couriers[&joe.id].orders, [assigned.id]);
    fleet.take_order(FleetOrder { courier_id: Some(joe.id), status: OrderStatus::Delivered, ..assigned.clone() });
    assert_eq!(fleet.couriers[&joe.id].orders, []);
    fleet.forget(|_| false);
    assert!(fleet.orders.is_empty(), "a wall board does not grow");
}

#[test]
fn a_list_asked_for_earlier_does_not_turn_back_what_the_feed_said() {
    let made = order("A-1", OrderStatus::Created, None);
    let ana = courier("Ana");
    let mut fleet = fleet(vec![ana.clone()], vec![made.clone()]);
    let old = details(&made, None);
    let assigned =
        FleetOrder { status: OrderStatus::Assigned, status_at_ms: NOW_MS, courier_id: Some(ana.id), ..made.clone() };
    assert!(fleet.take_order(assigned), "its details are not known yet");
    fleet.take_details(old);
    let known = &fleet.orders[&made.id];
    assert_eq!((known.status, known.courier_id), (OrderStatus::Assigned, Some(ana.id)));
    assert!(known.details.is_some());
}

proptest! {
    /// Every courier's list of orders is exactly the orders that name them and are not over.
    #[test]
    fn couriers_and_orders_agree(changes in prop::collection::vec((0usize..6, 0usize..4, 0usize..9), 0..80)) {
        let couriers: Vec<_> = ["A", "B", "C"].map(courier).into();
        let made: Vec<_> = (0..6).map(|index| order(&index.to_string(), OrderStatus::Created, None)).collect();
        let mut fleet = fleet(couriers.clone(), made.clone());
        for (which, whom, status) in changes {
            let courier_id = couriers.get(whom).map(|courier| courier.id);
            let status = OrderStatus::ALL[status];
            fleet.take_order(FleetOrder { courier_id, status, ..made[which].clone() });
        }
        for courier in fleet.couriers.values() {
            for order in fleet.orders.values() {
                let is_theirs = order.courier_id == Some(courier.id) && !order.status.is_final();
                prop_assert_eq!(courier.orders.contains(&order.id), is_theirs);
            }
        }
    }
}
