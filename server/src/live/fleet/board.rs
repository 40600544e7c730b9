//! The whole fleet as it stands, with a number on every change.
//!
//! Every courier and order stands in an index at the number of its newest change and nowhere else. What a
//! connection has not been told is therefore everything after the number that it has seen, each courier and order
//! once, in its newest state: slow readers are conflated by reading, and nothing is kept for anybody.
//! Pure: no locks, no clock.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    ops::{Bound, RangeInclusive},
    sync::Arc,
};

use doorstep_shared::{
    CourierId, LatLon, OrderId,
    protocol::fleet::{FleetAlert, FleetCourier, FleetFix, FleetOrder},
};

use super::{area::Area, encode::Broadcast, grid::Grid};
use crate::domain::fleet::{CourierProfile, FleetChange, OrderState};

/// Orders that are over and kept for readers that have not heard of it yet. Overflow policy: the oldest is
/// forgotten, and a reader that far behind is closed with 4001.
const MAX_OVER: usize = 10_000;

/// Alerts kept for slow readers, with the same policy.
const MAX_ALERTS: usize = 1_000;

/// Positions that one batch may hold before the next one has to wait longer than a tick: 2 000 a second. Nobody
/// sees more on a map, and a console's line and browser keep up. From there on batches come less often and hold
/// only the newest of each courier.
const POSITIONS_PER_TICK: usize = 500;

/// How many ticks after a batch of `positions` the next may follow.
pub fn ticks_until_next(positions: usize) -> u64 {
    positions.div_ceil(POSITIONS_PER_TICK).max(1) as u64
}

/// The fleet. Couriers are numbered by when they were first heard of.
#[derive(Debug, Default)]
pub struct Board {
    couriers: Vec<FleetCourier>,
    numbers: HashMap<CourierId, u32>,
    orders: HashMap<OrderId, (OrderState, u64)>,
    alerts: BTreeMap<u64, FleetAlert>,
    over: VecDeque<(u64, OrderId)>,
    grid: Grid,
    version: u64,
    moves: BTreeMap<u64, u32>,
    moved_at: Vec<u64>,
    changes: BTreeMap<u64, Changed>,
    changed_at: Vec<u64>,
    forgotten: u64,
    tick: u64,
    broadcast: Arc<Broadcast>,
    broadcast_due: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Changed {
    Courier(u32),
    Order(OrderId),
    Alert,
}

/// One message that a reader has not had, in its newest form.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// A courier.
    Courier(FleetCourier),
    /// An order.
    Order(FleetOrder),
    /// An alert.
    Alert(FleetAlert),
}

impl Board {
    /// A board with these couriers and orders.
    pub fn new(couriers: Vec<FleetCourier>, orders: Vec<OrderState>) -> Self {
        let mut board = Self::default();
        couriers.into_iter().for_each(|courier| board.add(courier));
        orders.into_iter().for_each(|order| board.apply(FleetChange::Order(order)));
        // A reader begins with a snapshot, so nothing of this is news.
        board.changes.clear();
        board.broadcast = Arc::new(Broadcast::new(board.version, board.version, Vec::new()));
        board
    }

    fn add(&mut self, courier: FleetCourier) {
        let number = self.couriers.len() as u32;
        self.numbers.insert(courier.id, number);
        if let Some(place) = courier.position.and_then(|position| position.point()) {
            self.grid.put(number, place);
        }
        self.couriers.push(courier);
        self.moved_at.push(0);
        self.changed_at.push(0);
    }

    /// Takes a change in. What says nothing new, or comes too late, changes nothing.
    pub fn apply(&mut self, change: FleetChange) {
        match change {
            FleetChange::Moved { courier, position, battery } => {
                let Some(number) = self.numbers.get(&courier).copied() else { return };
                let known = &mut self.couriers[number as usize];
                let Some(place) = position.point() else { return };
                if known.position.is_some_and(|before| before.time_ms >= position.time_ms) {
                    return;
                }
                known.position = Some(position);
                known.battery = battery.or(known.battery);
                self.grid.put(number, place);
                self.moved(number);
            }
            FleetChange::Presence { courier, presence } => {
                let Some(number) = self.numbers.get(&courier).copied() else { return };
                let known = &mut self.couriers[number as usize];
                if known.presence.replace(presence) != Some(presence) {
                    self.courier_changed(number);
                }
            }
            FleetChange::Courier(profile) => self.apply_profile(profile),
            FleetChange::Order(state) => self.apply_order(state),
            FleetChange::Alert(alert) => {
                let version = self.next_version();
                self.alerts.insert(version, alert);
                self.changes.insert(version, Changed::Alert);
                if self.alerts.len() > MAX_ALERTS
                    && let Some((oldest, _)) = self.alerts.pop_first()
                {
                    self.changes.remove(&oldest);
                    self.forgotten = self.forgotten.max(oldest);
                }
            }
        }
    }

    fn apply_profile(&mut self, CourierProfile { id, name, vehicle }: CourierProfile) {
        let number = match self.numbers.get(&id).copied() {
            Some(number) => number,
            None => {
                let nowhere = FleetCourier { id, name, vehicle, position: None, battery: None, presence: None };
                self.add(nowhere);
                return self.courier_changed(self.couriers.len() as u32 - 1);
            }
        };
        let known = &mut self.couriers[number as usize];
        if (&known.name, known.vehicle) != (&name, vehicle) {
            (known.name, known.vehicle) = (name, vehicle);
            self.courier_changed(number);
        }
    }

    fn apply_order(&mut self, state: OrderState) {
        let (id, is_over) = (state.order.id, state.order.status.is_final());
        let known = self.orders.get(&id);
        if known.is_some_and(|(known, _)| *known == state || !state.may_follow(known)) {
            return;
        }
        let before = known.map(|(_, version)| *version);
        let version = self.next_version();
        if let Some(before) = before {
            self.changes.remove(&before);
        }
        self.changes.insert(version, Changed::Order(id));
        self.orders.insert(id, (state, version));
        if is_over {
            self.over.push_back((version, id));
            if self.over.len() > MAX_OVER
                && let Some((oldest, id)) = self.over.pop_front()
            {
                self.orders.remove(&id);
                self.changes.remove(&oldest);
                self.forgotten = self.forgotten.max(oldest);
            }
        }
    }

    fn moved(&mut self, number: u32) {
        let version = self.next_version();
        let before = std::mem::replace(&mut self.moved_at[number as usize], version);
        self.moves.remove(&before);
        self.moves.insert(version, number);
    }

    fn courier_changed(&mut self, number: u32) {
        let version = self.next_version();
        let before = std::mem::replace(&mut self.changed_at[number as usize], version);
        self.changes.remove(&before);
        self.changes.insert(version, Changed::Courier(number));
    }

    fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    /// A quarter of a second has passed. `wanted` says whether anybody sees the whole fleet; then everything that
    /// moved since the last time is gathered for all of them, when it is time again.
    pub fn tick(&mut self, wanted: bool) {
        self.tick += 1;
        if !wanted {
            self.broadcast = Arc::new(Broadcast::new(self.version, self.version, Vec::new()));
        } else if self.tick >= self.broadcast_due {
            let (from, to) = (self.broadcast.to(), self.version);
            let fixes = self.moves_in(from + 1..=to);
            if !fixes.is_empty() {
                self.broadcast_due = self.tick + ticks_until_next(fixes.len());
                self.broadcast = Arc::new(Broadcast::new(from, to, fixes));
            }
        }
    }

    /// The number of the newest change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How many ticks there were.
    pub fn ticks(&self) -> u64 {
        self.tick
    }

    /// The newest change that can no longer be told: who has not heard of it must begin again.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// What everybody who sees the whole fleet gets.
    pub fn broadcast(&self) -> &Arc<Broadcast> {
        &self.broadcast
    }

    /// Every courier, and every order that is not over.
    pub fn everything(&self) -> (Vec<FleetCourier>, Vec<FleetOrder>) {
        let open = self.orders.values().filter(|(state, _)| !state.order.status.is_final());
        (self.couriers.clone(), open.map(|(state, _)| state.order.clone()).collect())
    }

    /// Every order that is not over, in any order.
    pub fn open_orders(&self) -> Vec<OrderId> {
        let open = self.orders.iter().filter(|(_, (state, _))| !state.order.status.is_final());
        open.map(|(order, _)| *order).collect()
    }

    /// At most `limit` of what changed after `version`, with the version of each, oldest first.
    pub fn news_since(&self, version: u64, limit: usize) -> Vec<(u64, News)> {
        let after = (Bound::Excluded(version), Bound::Unbounded);
        self.changes
            .range(after)
            .take(limit)
            .map(|(version, changed)| (*version, self.news(*version, changed)))
            .collect()
    }

    fn news(&self, version: u64, changed: &Changed) -> News {
        match changed {
            Changed::Courier(number) => News::Courier(self.couriers[*number as usize].clone()),
            Changed::Order(id) => News::Order(self.orders[id].0.order.clone()),
            Changed::Alert => News::Alert(self.alerts[&version].clone()),
        }
    }

    /// The newest positions of those who moved last at one of these versions.
    pub fn moves_in(&self, versions: RangeInclusive<u64>) -> Vec<FleetFix> {
        self.movers(versions).filter_map(|number| self.fix(number)).collect()
    }

    /// Who moved last at one of these versions.
    pub fn movers(&self, versions: RangeInclusive<u64>) -> impl Iterator<Item = u32> {
        let is_any = versions.start() <= versions.end();
        let range = is_any.then(|| self.moves.range(versions).map(|(_, number)| *number));
        range.into_iter().flatten()
    }

    /// A courier's number.
    pub fn number_of(&self, courier: CourierId) -> Option<u32> {
        self.numbers.get(&courier).copied()
    }

    /// A numbered courier's id.
    pub fn id_of(&self, number: u32) -> CourierId {
        self.couriers[number as usize].id
    }

    /// Where a courier is.
    pub fn place(&self, number: u32) -> Option<LatLon> {
        self.couriers.get(number as usize)?.position?.point()
    }

    /// Where everybody is, by number.
    pub fn places(&self) -> Vec<Option<LatLon>> {
        self.couriers.iter().map(|courier| courier.position?.point()).collect()
    }

    /// A courier's newest position as consoles get it.
    pub fn fix(&self, number: u32) -> Option<FleetFix> {
        let courier = self.couriers.get(number as usize)?;
        let position = courier.position?;
        Some(FleetFix {
            courier_id: courier.id,
            time_ms: position.time_ms,
            lat: position.lat,
            lon: position.lon,
            speed_mps: position.speed_mps,
            heading_deg: position.heading_deg,
            battery: courier.battery,
        })
    }

    /// Everybody inside `area`.
    pub fn inside(&self, area: &Area) -> Vec<u32> {
        self.grid.inside(area)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use doorstep_shared::{
        OrderStatus, Position, Vehicle,
        protocol::{PresenceState, customer::Presence},
    };

    use super::*;

    pub(crate) fn courier() -> CourierProfile {
        CourierProfile { id: CourierId::new(), name: "Ana".into(), vehicle: Vehicle::Scooter }
    }

    pub(crate) fn moved(courier: CourierId, time_ms: i64, lat: f64, lon: f64) -> FleetChange {
        let position = Position { time_ms, lat, lon, accuracy_m: None, speed_mps: None, heading_deg: None };
        FleetChange::Moved { courier, position, battery: None }
    }

    pub(crate) fn order(id: OrderId, status: OrderStatus) -> FleetChange {
        let order = FleetOrder { id, reference: "A-1".into(), status, status_at_ms: 0, courier_id: None };
        FleetChange::Order(OrderState { order, assigned_at_ms: None })
    }

    #[test]
    fn what_says_nothing_new_is_no_news() {
        let (mut board, ana, id) = (Board::default(), courier(), OrderId::new());
        let presence = Presence { state: PresenceState::Tracking, reason: None, since_ms: 1 };
        let presence = FleetChange::Presence { courier: ana.id, presence };
        let changes = [
            FleetChange::Courier(ana.clone()),
            presence,
            moved(ana.id, 10, 35.9, 14.5),
            order(id, OrderStatus::PickedUp),
        ];
        changes.iter().cloned().for_each(|change| board.apply(change));
        let version = board.version();
        changes.into_iter().for_each(|change| board.apply(change));
        board.apply(moved(ana.id, 9, 35.0, 14.0));
        board.apply(order(id, OrderStatus::Assigned));
        board.apply(moved(CourierId::new(), 11, 35.0, 14.0));
        assert_eq!(board.version(), version, "repeats, what came before, and strangers");
    }

    #[test]
    fn the_board_keeps_a_bounded_number_of_orders_that_are_over() {
        let mut board = Board::default();
        for _ in 0..MAX_OVER + 500 {
            let id = OrderId::new();
            board.apply(order(id, OrderStatus::Created));
            board.apply(order(id, OrderStatus::Cancelled));
        }
        assert_eq!((board.orders.len(), board.changes.len()), (MAX_OVER, MAX_OVER));
        assert!(board.forgotten() > 0, "who has not heard of those must begin again");
        assert_eq!(board.everything().1, []);
    }

    #[test]
    fn batches_come_every_tick_until_there_are_too_many_positions() {
        assert_eq!([0, 1, 500, 501, 5_000].map(ticks_until_next), [1, 1, 1, 2, 10]);
    }
}
