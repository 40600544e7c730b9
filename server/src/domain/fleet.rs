//! Changes to the fleet that dispatchers see, and the inbox in which changes wait until they are sent.
//!
//! An [`Inbox`] conflates: of movements, presences, profiles, orders and plans it keeps the newest of each, so it never
//! holds more than the fleet does. [`crate::live::fleet`] empties it.

use std::collections::{HashMap, HashSet, VecDeque};

use doorstep_shared::{
    CourierId, OrderId, Position, Vehicle,
    protocol::{
        customer::Presence,
        fleet::{FleetAlert, FleetOrder},
    },
};
use serde::{Deserialize, Serialize};

use crate::domain::{courier::Courier, order::Order, plan::Planned};

/// Alerts that may wait. Overflow policy: the oldest is dropped from the feed; the list of exceptions, which the
/// console reads over REST, still has it.
const MAX_ALERTS: usize = 1_000;

/// A change that dispatchers see.
#[derive(Clone, Debug, PartialEq)]
pub enum FleetChange {
    /// A courier moved.
    Moved {
        /// The courier.
        courier: CourierId,
        /// Their new position.
        position: Position,
        /// Charge of their device, when the newest fix says so.
        battery: Option<f32>,
    },
    /// A courier shares their position, or no longer.
    Presence {
        /// The courier.
        courier: CourierId,
        /// Their presence.
        presence: Presence,
    },
    /// A courier was created or edited.
    Courier(CourierProfile),
    /// A courier was archived.
    Left(CourierId),
    /// An order was created or changed.
    Order(OrderState),
    /// A courier's plan changed, or their screen showed what changed.
    Plan(PlanPlaces),
    /// An exception was raised.
    Alert(FleetAlert),
}

/// The part of a courier that people edit.
#[derive(Clone, Debug, PartialEq)]
pub struct CourierProfile {
    /// Their id.
    pub id: CourierId,
    /// Their name.
    pub name: String,
    /// What they ride.
    pub vehicle: Vehicle,
}

impl From<&Courier> for CourierProfile {
    fn from(courier: &Courier) -> Self {
        Self { id: courier.id, name: courier.name.clone(), vehicle: courier.vehicle }
    }
}

/// An order as dispatchers see it, with the fields that tell an older state from a newer one.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderState {
    /// The order in the feed's form.
    pub order: FleetOrder,
    /// When the present courier got it, Unix epoch milliseconds.
    pub assigned_at_ms: Option<i64>,
}

impl OrderState {
    /// Whether this may be a later state of the order than `other`, when it arrives later.
    ///
    /// Changes to one order are committed one after the other but may arrive in any order. The database counts them; what
    /// happens between two of them, such as that the courier saw the order, leaves the count as it is. Beside an instance
    /// that does not count yet, a status is taken never to go back, and under one status only the courier to change.
    pub fn may_follow(&self, other: &Self) -> bool {
        if let Some((version, known)) = self.order.version.zip(other.order.version) {
            return version >= known;
        }
        let age = |state: &Self| (state.order.status as u8, state.assigned_at_ms);
        age(self) >= age(other)
    }
}

impl From<&Order> for OrderState {
    fn from(order: &Order) -> Self {
        Self {
            order: FleetOrder {
                id: order.id,
                reference: order.reference.clone(),
                status: order.status,
                status_at_ms: order.status_at.timestamp_millis(),
                courier_id: order.courier_id,
                version: Some(order.version),
                sequence: None,
                seen_at_ms: order.seen.at.map(|at| at.timestamp_millis()),
            },
            assigned_at_ms: order.assigned_at.map(|at| at.timestamp_millis()),
        }
    }
}

/// Where a courier's orders stand in their plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanPlaces {
    /// Whose plan.
    pub courier: CourierId,
    /// The plan's version.
    pub version: u64,
    /// Every order with an open stop.
    pub orders: Vec<OrderPlace>,
}

/// Where an order stands in its courier's plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPlace {
    /// Which order.
    pub order: OrderId,
    /// The place of its next stop, from 1.
    pub sequence: u32,
    /// When the courier's screen first showed it as it is now, Unix epoch milliseconds.
    pub seen_at_ms: Option<i64>,
}

impl PlanPlaces {
    /// The places in a plan.
    pub fn of(courier: CourierId, planned: &Planned) -> Self {
        let sequences = planned.sequences();
        let places = planned.orders.iter().filter_map(|order| {
            let seen_at_ms = order.seen.at.map(|at| at.timestamp_millis());
            Some(OrderPlace { order: order.id, sequence: *sequences.get(&order.id)?, seen_at_ms })
        });
        Self { courier, version: planned.plan.version, orders: places.collect() }
    }

    /// These places after `known`; `None` when they are older. Under one version the only change is that a screen showed
    /// an order, and nothing takes that back.
    pub fn after(mut self, known: &Self) -> Option<Self> {
        if self.version < known.version {
            return None;
        }
        if self.version == known.version {
            let seen: HashMap<_, _> = known.orders.iter().map(|place| (place.order, place.seen_at_ms)).collect();
            for place in &mut self.orders {
                place.seen_at_ms = place.seen_at_ms.or_else(|| seen.get(&place.order).copied().flatten());
            }
        }
        Some(self)
    }
}

/// Changes that are not sent yet, the newest of each kind for each courier and order: it never holds more than the
/// fleet does.
#[derive(Debug, Default)]
pub struct Inbox {
    moved: HashMap<CourierId, (Position, Option<f32>)>,
    presences: HashMap<CourierId, Presence>,
    profiles: HashMap<CourierId, CourierProfile>,
    left: HashSet<CourierId>,
    orders: HashMap<OrderId, OrderState>,
    plans: HashMap<CourierId, PlanPlaces>,
    alerts: VecDeque<FleetAlert>,
}

impl Inbox {
    /// Adds a change; an older one of the same kind for the same courier or order is forgotten.
    pub fn put(&mut self, change: FleetChange) {
        match change {
            FleetChange::Moved { courier, position, battery } => {
                let known = self.moved.entry(courier).or_insert((position, battery));
                if position.time_ms > known.0.time_ms {
                    *known = (position, battery.or(known.1));
                }
            }
            FleetChange::Presence { courier, presence } => {
                self.presences.insert(courier, presence);
            }
            FleetChange::Courier(profile) => {
                self.left.remove(&profile.id);
                self.profiles.insert(profile.id, profile);
            }
            FleetChange::Left(courier) => {
                self.profiles.remove(&courier);
                self.left.insert(courier);
            }
            FleetChange::Order(state) => {
                if self.orders.get(&state.order.id).is_none_or(|known| state.may_follow(known)) {
                    self.orders.insert(state.order.id, state);
                }
            }
            FleetChange::Plan(places) => {
                let newest = match self.plans.get(&places.courier) {
                    Some(known) => places.after(known),
                    None => Some(places),
                };
                newest.into_iter().for_each(|places| _ = self.plans.insert(places.courier, places));
            }
            FleetChange::Alert(alert) => {
                if self.alerts.len() == MAX_ALERTS {
                    self.alerts.pop_front();
                }
                self.alerts.push_back(alert);
            }
        }
    }

    /// Takes everything but the movements, in an order in which it can be applied.
    pub fn take_changes(&mut self) -> Vec<FleetChange> {
        let presence = |(courier, presence)| FleetChange::Presence { courier, presence };
        let mut changes: Vec<_> = self.left.drain().map(FleetChange::Left).collect();
        changes.extend(self.profiles.drain().map(|(_, profile)| FleetChange::Courier(profile)));
        changes.extend(self.presences.drain().map(presence));
        changes.extend(self.orders.drain().map(|(_, state)| FleetChange::Order(state)));
        changes.extend(self.plans.drain().map(|(_, places)| FleetChange::Plan(places)));
        changes.extend(self.alerts.drain(..).map(FleetChange::Alert));
        changes
    }

    /// Takes the movements.
    pub fn take_moves(&mut self) -> Vec<FleetChange> {
        let moved = |(courier, (position, battery))| FleetChange::Moved { courier, position, battery };
        self.moved.drain().map(moved).collect()
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::OrderStatus;
    use proptest::{prelude::*, sample::select};

    use super::*;

    fn state(id: OrderId, status: OrderStatus, assigned_at_ms: Option<i64>) -> OrderState {
        let order = FleetOrder {
            id,
            reference: "A-1".into(),
            status,
            status_at_ms: 0,
            courier_id: None,
            version: None,
            sequence: None,
            seen_at_ms: None,
        };
        OrderState { order, assigned_at_ms }
    }

    proptest! {
        #[test]
        fn the_last_state_of_an_order_wins_however_late_the_others_arrive(
            steps in prop::collection::vec(select(OrderStatus::ALL.to_vec()), 1..12), order in any::<u64>(),
        ) {
            let id = OrderId::new();
            let mut history = vec![state(id, OrderStatus::Created, None)];
            for (at_ms, to) in (1..).zip(steps) {
                let last = history.last().expect("it began").clone();
                if last.order.status.can_become(to) {
                    let assigned = if to == OrderStatus::Assigned { Some(at_ms) } else { last.assigned_at_ms };
                    history.push(state(id, to, assigned));
                } else if to == last.order.status && to.is_active() {
                    history.push(state(id, to, Some(at_ms)));
                }
            }
            let last = history.last().expect("it began").clone();
            let mut arriving = history;
            let len = arriving.len();
            arriving.rotate_left(order as usize % len);
            let mut inbox = Inbox::default();
            arriving.into_iter().for_each(|state| inbox.put(FleetChange::Order(state)));
            prop_assert_eq!(inbox.take_changes(), [FleetChange::Order(last)]);
        }
    }

    fn counted(id: OrderId, status: OrderStatus, version: u64) -> OrderState {
        let OrderState { order, .. } = state(id, status, None);
        OrderState { order: FleetOrder { version: Some(version), ..order }, assigned_at_ms: None }
    }

    proptest! {
        #[test]
        fn counted_changes_go_back_and_begin_again_and_the_last_wins(
            statuses in prop::collection::vec(select(OrderStatus::ALL.to_vec()), 1..12), order in any::<u64>(),
        ) {
            let id = OrderId::new();
            let mut arriving: Vec<_> = (1..).zip(statuses).map(|(version, status)| counted(id, status, version)).collect();
            let last = arriving.last().expect("at least one").clone();
            let len = arriving.len();
            arriving.rotate_left(order as usize % len);
            let mut inbox = Inbox::default();
            arriving.into_iter().for_each(|state| inbox.put(FleetChange::Order(state)));
            prop_assert_eq!(inbox.take_changes(), [FleetChange::Order(last)]);
        }
    }

    #[test]
    fn beside_an_instance_that_does_not_count_the_status_decides() {
        let id = OrderId::new();
        let (counted, older) = (counted(id, OrderStatus::PickedUp, 4), state(id, OrderStatus::Assigned, None));
        assert!(!older.may_follow(&counted) && counted.may_follow(&older));
    }

    #[test]
    fn the_newest_plan_wins_and_what_was_seen_stays_seen() {
        let (courier, order) = (CourierId::new(), OrderId::new());
        let plan = |version, sequence, seen_at_ms| PlanPlaces {
            courier,
            version,
            orders: vec![OrderPlace { order, sequence, seen_at_ms }],
        };
        let last = |plans: Vec<PlanPlaces>| {
            let mut inbox = Inbox::default();
            plans.into_iter().for_each(|places| inbox.put(FleetChange::Plan(places)));
            inbox.take_changes()
        };
        assert_eq!(last(vec![plan(2, 3, None), plan(1, 1, None)]), [FleetChange::Plan(plan(2, 3, None))]);
        assert_eq!(last(vec![plan(2, 3, Some(9)), plan(2, 3, None)]), [FleetChange::Plan(plan(2, 3, Some(9)))]);
        assert_eq!(last(vec![plan(2, 3, Some(9)), plan(3, 3, None)]), [FleetChange::Plan(plan(3, 3, None))]);
    }

    #[test]
    fn alerts_never_pile_up() {
        let mut inbox = Inbox::default();
        for since_ms in 0..5_000 {
            let alert = FleetAlert { code: "silent".into(), since_ms, courier_id: None, order_id: None };
            inbox.put(FleetChange::Alert(alert));
        }
        let kept = inbox.take_changes();
        assert_eq!(kept.len(), MAX_ALERTS);
        assert!(matches!(kept.last(), Some(FleetChange::Alert(newest)) if newest.since_ms == 4_999));
    }
}
