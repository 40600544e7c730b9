//! Couriers and orders as the feed tells them, and what follows from that: who delivers, who is free, who needs a look.
//!
//! A position older than the known one changes nothing. Each courier keeps one number for as long as the console is open,
//! under which the map knows them. What is over leaves as soon as nobody looks at it, so that a wall board does not grow.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use doorstep_shared::{
    CourierId, OrderId, OrderStatus, Position, Vehicle,
    api::OrderView,
    protocol::{
        PresenceReason, PresenceState,
        customer::Presence,
        fleet::{FleetCourier, FleetFix, FleetOrder, FleetSnapshot},
    },
};

use crate::ui::time::MINUTE_MS;

/// Without a position for this long, a courier who should send some is silent.
pub const SILENT_AFTER_MS: i64 = 3 * MINUTE_MS;

/// A courier who never said whether they work, and was last seen longer ago than this, does not.
const GONE_AFTER_MS: i64 = 30 * MINUTE_MS;

/// An order whose promise ends this soon with the goods not yet on their way is at risk.
const TIGHT_MS: i64 = 10 * MINUTE_MS;

/// Somebody who delivers.
#[derive(Clone, Debug, PartialEq)]
pub struct Courier {
    pub id: CourierId,
    pub name: String,
    pub vehicle: Vehicle,
    pub position: Option<Position>,
    pub battery: Option<f32>,
    pub presence: Option<Presence>,
    /// Under which the map knows them.
    pub number: u32,
    /// Orders that are not over.
    pub orders: Vec<OrderId>,
}

/// A delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    pub id: OrderId,
    pub reference: String,
    pub status: OrderStatus,
    pub status_at_ms: i64,
    pub courier_id: Option<CourierId>,
    /// Addresses, customer and promise, once they were asked for.
    pub details: Option<Arc<OrderView>>,
}

/// What a courier is doing, as the map and the list show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doing {
    /// Needs a look.
    Attention,
    /// Has an order.
    Delivering,
    /// On duty with nothing to do.
    Free,
    /// Off duty, or never seen.
    Away,
}

/// Why a courier needs a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No position since then, and nobody said why.
    Silent { since_ms: i64 },
    /// Sharing paused since then.
    Paused { since_ms: i64, reason: Option<PresenceReason> },
}

/// What may go wrong, or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// It failed at the door; somebody decides what happens next.
    Failed,
    /// The promise is over, or will be when it arrives.
    Late { by_ms: i64 },
    /// Nobody hears from the courier.
    Courier(Trouble),
    /// The promise ends soon, and the goods are not on their way.
    Tight { left_ms: i64 },
}

impl Risk {
    /// The worst first.
    fn rank(self) -> (u8, i64) {
        match self {
            Self::Failed => (0, 0),
            Self::Late { by_ms } => (1, -by_ms),
            Self::Courier(Trouble::Silent { since_ms } | Trouble::Paused { since_ms, .. }) => (2, since_ms),
            Self::Tight { left_ms } => (3, left_ms),
        }
    }
}

/// Everything the feed told.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    pub couriers: HashMap<CourierId, Courier>,
    pub orders: HashMap<OrderId, Order>,
    /// Couriers whom something in the inbox is about.
    pub flagged: HashSet<CourierId>,
    /// Who the map calls by which number.
    numbers: Vec<CourierId>,
    number_of: HashMap<CourierId, u32>,
    /// Couriers that the map has to draw anew.
    moved: BTreeSet<u32>,
    /// Whether a snapshot has come.
    pub is_known: bool,
}

impl Fleet {
    /// Takes the whole fleet in place of what was known. Details that were asked for stay with orders that still exist, and
    /// so does what is over: no snapshot tells it.
    pub fn take_snapshot(&mut self, snapshot: FleetSnapshot) {
        let mut before = std::mem::take(&mut self.orders);
        self.couriers.clear();
        for courier in snapshot.couriers {
            self.take_courier(courier);
        }
        for order in snapshot.orders {
            let details = before.remove(&order.id).and_then(|order| order.details);
            self.insert(order, details);
        }
        self.orders.extend(before.into_iter().filter(|(_, order)| order.status.is_final()));
        self.moved = (0..self.numbers.len() as u32).collect();
        self.is_known = true;
    }

    /// Takes new positions; those of couriers nobody told about wait for them.
    pub fn take_positions(&mut self, fixes: &[FleetFix]) {
        for fix in fixes {
            let Some(courier) = self.couriers.get_mut(&fix.courier_id) else { continue };
            if courier.position.is_some_and(|known| known.time_ms >= fix.time_ms) {
                continue;
            }
            courier.position = Some(Position {
                time_ms: fix.time_ms,
                lat: fix.lat,
                lon: fix.lon,
                accuracy_m: None,
                speed_mps: fix.speed_mps,
                heading_deg: fix.heading_deg,
            });
            courier.battery = fix.battery.or(courier.battery);
            self.moved.insert(courier.number);
        }
    }

    /// Takes a courier as they are now; a position older than the known one is left out.
    pub fn take_courier(&mut self, courier: FleetCourier) {
        let known = self.couriers.remove(&courier.id);
        let number = known.as_ref().map_or_else(|| self.number(courier.id), |known| known.number);
        let before = known.as_ref().and_then(|known| known.position);
        let position = match (before, courier.position) {
            (Some(before), Some(now)) if now.time_ms < before.time_ms => Some(before),
            (before, now) => now.or(before),
        };
        self.moved.insert(number);
        let orders = known.map(|known| known.orders).unwrap_or_default();
        let FleetCourier { id, name, vehicle, battery, presence, .. } = courier;
        self.couriers.insert(id, Courier { id, name, vehicle, position, battery, presence, number, orders });
    }

    /// Takes an order as it is now. Answers whether its details must be asked for.
    pub fn take_order(&mut self, order: FleetOrder) -> bool {
        let details = self.orders.remove(&order.id).and_then(|known| {
            self.detach(known.id, known.courier_id);
            known.details
        });
        let is_new = details.is_none();
        self.insert(order, details);
        is_new
    }

    /// Takes an order as the REST API tells it.
    pub fn take_details(&mut self, view: OrderView) {
        if let Some(known) = self.orders.remove(&view.id) {
            self.detach(known.id, known.courier_id);
            // A list that was asked for before the feed's last word must not turn it back.
            let is_older = view.status_at.timestamp_millis() < known.status_at_ms;
            if is_older {
                let order = wire_order(&known);
                self.insert(order, Some(Arc::new(view)));
                return;
            }
        }
        let order = FleetOrder {
            id: view.id,
            reference: view.reference.clone(),
            status: view.status,
            status_at_ms: view.status_at.timestamp_millis(),
            courier_id: view.courier_id,
        };
        self.insert(order, Some(Arc::new(view)));
    }

    /// Lets go of what is over, except of what `is_wanted`.
    pub fn forget(&mut self, is_wanted: impl Fn(OrderId) -> bool) {
        self.orders.retain(|id, order| !order.status.is_final() || is_wanted(*id));
    }

    /// The couriers that moved since the last call, for the map.
    pub fn take_moved(&mut self) -> Vec<CourierId> {
        let moved = std::mem::take(&mut self.moved);
        moved.into_iter().filter_map(|number| self.numbers.get(number as usize).copied()).collect()
    }

    /// Everybody is drawn anew: the map was opened, or its theme changed, or time passed.
    pub fn mark_moved(&mut self, courier: CourierId) {
        if let Some(courier) = self.couriers.get(&courier) {
            self.moved.insert(courier.number);
        }
    }

    /// Whom the map calls by this number.
    pub fn numbered(&self, number: u32) -> Option<CourierId> {
        self.numbers.get(number as usize).copied()
    }

    /// What a courier is doing.
    pub fn doing(&self, courier: &Courier, at_ms: i64) -> Doing {
        if is_away(courier, at_ms) {
            return if courier.orders.is_empty() { Doing::Away } else { Doing::Attention };
        }
        let is_troubled =
            self.flagged.contains(&courier.id) || !courier.orders.is_empty() && trouble(courier, at_ms).is_some();
        if is_troubled || courier.orders.iter().any(|id| self.is_late(id, at_ms)) {
            Doing::Attention
        } else if courier.orders.is_empty() {
            Doing::Free
        } else {
            Doing::Delivering
        }
    }

    /// What may go wrong with an order.
    pub fn risk(&self, order: &Order, at_ms: i64) -> Option<Risk> {
        if order.status == OrderStatus::Failed {
            return Some(Risk::Failed);
        }
        if order.status.is_final() {
            return None;
        }
        // The promise is broken when it is over, and as soon as it is known that it will be.
        let reached_ms = order.expected_ms().unwrap_or(at_ms).max(at_ms);
        let left_ms = order.promised_until_ms().map(|until_ms| until_ms - reached_ms);
        if let Some(left_ms) = left_ms.filter(|left_ms| *left_ms < 0) {
            return Some(Risk::Late { by_ms: -left_ms });
        }
        let courier = order.courier_id.and_then(|id| self.couriers.get(&id));
        if let Some(trouble) = courier.and_then(|courier| trouble(courier, at_ms)) {
            return Some(Risk::Courier(trouble));
        }
        let is_loaded = order.status.step() >= Some(3);
        left_ms.filter(|left_ms| *left_ms < TIGHT_MS && !is_loaded).map(|left_ms| Risk::Tight { left_ms })
    }

    /// Where an order stands in a list: the worst risk first, then what was promised soonest, then the oldest.
    pub fn urgency(&self, order: &Order, at_ms: i64) -> (u8, i64, i64, OrderId) {
        let (rank, within) = self.risk(order, at_ms).map_or((9, 0), Risk::rank);
        (rank, within, order.promised_until_ms().unwrap_or(i64::MAX), order.id)
    }

    fn is_late(&self, id: &OrderId, at_ms: i64) -> bool {
        let risk = self.orders.get(id).and_then(|order| self.risk(order, at_ms));
        matches!(risk, Some(Risk::Failed | Risk::Late { .. }))
    }

    fn insert(&mut self, order: FleetOrder, details: Option<Arc<OrderView>>) {
        let FleetOrder { id, reference, status, status_at_ms, courier_id, .. } = order;
        if let Some(courier) = courier_id.and_then(|id| self.couriers.get_mut(&id)) {
            if !status.is_final() && !courier.orders.contains(&id) {
                courier.orders.push(id);
            }
            self.moved.insert(courier.number);
        }
        self.orders.insert(id, Order { id, reference, status, status_at_ms, courier_id, details });
    }

    fn detach(&mut self, order: OrderId, courier: Option<CourierId>) {
        if let Some(courier) = courier.and_then(|id| self.couriers.get_mut(&id)) {
            courier.orders.retain(|id| *id != order);
            self.moved.insert(courier.number);
        }
    }

    fn number(&mut self, courier: CourierId) -> u32 {
        *self.number_of.entry(courier).or_insert_with(|| {
            self.numbers.push(courier);
            self.numbers.len() as u32 - 1
        })
    }
}

impl Order {
    /// When it should reach the door.
    pub fn expected_ms(&self) -> Option<i64> {
        self.details.as_ref()?.expected_at.map(|at| at.timestamp_millis())
    }

    /// When the promise ends.
    pub fn promised_until_ms(&self) -> Option<i64> {
        self.details.as_ref()?.promised_until.map(|until| until.timestamp_millis())
    }
}

/// Why a courier who is at work needs a look, if they do.
pub fn trouble(courier: &Courier, at_ms: i64) -> Option<Trouble> {
    let presence = courier.presence;
    match presence.map(|presence| presence.state) {
        Some(PresenceState::OffDuty) => None,
        Some(PresenceState::Paused) => {
            presence.map(|presence| Trouble::Paused { since_ms: presence.since_ms, reason: presence.reason })
        }
        Some(PresenceState::Tracking) | None => {
            let since_ms = courier.position?.time_ms;
            (at_ms - since_ms > SILENT_AFTER_MS).then_some(Trouble::Silent { since_ms })
        }
    }
}

/// Whether a courier does not work now.
pub fn is_away(courier: &Courier, at_ms: i64) -> bool {
    match courier.presence.map(|presence| presence.state) {
        Some(PresenceState::OffDuty) => true,
        Some(_) => false,
        None => courier.position.is_none_or(|position| at_ms - position.time_ms > GONE_AFTER_MS),
    }
}

/// Whether positions arrive right now.
pub fn is_live(courier: &Courier, at_ms: i64) -> bool {
    !is_away(courier, at_ms) && courier.position.is_some_and(|position| at_ms - position.time_ms <= SILENT_AFTER_MS)
}

fn wire_order(order: &Order) -> FleetOrder {
    FleetOrder {
        id: order.id,
        reference: order.reference.clone(),
        status: order.status,
        status_at_ms: order.status_at_ms,
        courier_id: order.courier_id,
    }
}

#[cfg(test)]
pub mod tests {
    use doorstep_shared::api::{CustomerBody, PlaceBody};
    use proptest::prelude::*;

    use super::*;

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
        }
    }

    pub fn details(order: &FleetOrder, promised_until_ms: Option<i64>) -> OrderView {
        let at = |ms| chrono_at(ms);
        let place = |address: &str, lon| PlaceBody { lat: 35.9, lon, address: address.into(), instructions: None };
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
            created_at: at(NOW_MS - 600_000),
            proof: None,
            timeline: None,
            proofs: None,
        }
    }

    fn chrono_at<T: std::str::FromStr>(ms: i64) -> T
    where
        T::Err: std::fmt::Debug,
    {
        super::super::words::rfc3339(ms).parse().expect("a time as RFC 3339")
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
            (false, PresenceState::Tracking, NOW_MS, Doing::Free),
            (true, PresenceState::Tracking, NOW_MS, Doing::Delivering),
            (true, PresenceState::Tracking, quiet_ms, Doing::Attention),
            (false, PresenceState::Tracking, quiet_ms, Doing::Free),
            (true, PresenceState::Paused, NOW_MS, Doing::Attention),
            (false, PresenceState::OffDuty, NOW_MS, Doing::Away),
            (true, PresenceState::OffDuty, NOW_MS, Doing::Attention),
        ] {
            let mut ana = courier("Ana");
            ana.presence = presence(state);
            ana.position = ana.position.map(|position| Position { time_ms: seen_ms, ..position });
            let orders = if has_order { vec![order("A-1", OrderStatus::Assigned, Some(ana.id))] } else { vec![] };
            let fleet = fleet(vec![ana.clone()], orders);
            assert_eq!(fleet.doing(&fleet.couriers[&ana.id], NOW_MS), expected, "{has_order} {state:?}");
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
        let assigned = FleetOrder {
            status: OrderStatus::Assigned,
            status_at_ms: NOW_MS,
            courier_id: Some(ana.id),
            ..made.clone()
        };
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
}
