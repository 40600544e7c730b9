//! The whole fleet as it stands, with a version for every change.
//!
//! What a connection has not been told is everything after the version that it has seen, each courier and order
//! once, in its newest state: slow readers are conflated by reading, and nothing is kept for anybody.
//! Pure: no locks, no clock. [`super::Fleet`] applies changes and ticks; [`super::reader`] reads.

mod journal;
mod orders;
mod roster;

use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc};

use doorstep_shared::{
    CourierId, LatLon, OrderId,
    protocol::fleet::{FleetAlert, FleetCourier, FleetFix, FleetOrder},
};

use self::{
    journal::{Changed, Journal},
    orders::Orders,
    roster::Roster,
};
use super::{area::Area, broadcast::Broadcast, news::News};
use crate::domain::fleet::{FleetChange, OrderState, PlanPlaces};

/// Alerts kept for slow readers. Overflow policy: the oldest is forgotten, and a reader that has not heard of it is
/// closed with 4001.
const MAX_ALERTS: usize = 1_000;

/// Positions that one batch may hold before the next one has to wait longer than a tick: 2 000 a second. A person
/// sees no more on a map, and a console's connection and browser keep up. From there on batches come less often and hold
/// only the newest of each courier.
const POSITIONS_PER_TICK: usize = 500;

/// How many ticks after a batch of `positions` the next may follow.
pub(super) fn ticks_until_next(positions: usize) -> u64 {
    positions.div_ceil(POSITIONS_PER_TICK).max(1) as u64
}

/// The fleet. Couriers are numbered by when they were first heard of.
#[derive(Debug, Default)]
pub(super) struct Board {
    roster: Roster,
    orders: Orders,
    /// By the version at which each was raised.
    alerts: BTreeMap<u64, FleetAlert>,
    journal: Journal,
    ticks: u64,
    broadcast: Arc<Broadcast>,
    /// The tick at which the next broadcast may follow.
    broadcast_due: u64,
}

impl Board {
    /// A board with these couriers, orders and plans.
    pub(super) fn new(couriers: Vec<FleetCourier>, orders: Vec<OrderState>, plans: Vec<PlanPlaces>) -> Self {
        let mut board = Self::default();
        plans.into_iter().for_each(|places| board.apply(FleetChange::Plan(places)));
        couriers.into_iter().for_each(|courier| _ = board.roster.add(courier));
        orders.into_iter().for_each(|order| board.apply(FleetChange::Order(order)));
        board.journal.begin_here();
        board.broadcast = board.empty_broadcast();
        board
    }

    /// Takes a change in. A change that says nothing new, or comes too late, changes nothing.
    pub(super) fn apply(&mut self, change: FleetChange) {
        match change {
            FleetChange::Moved { courier, position, battery } => {
                let moved = self.roster.set_position(courier, position, battery);
                moved.into_iter().for_each(|number| self.journal.note_moved(number));
            }
            FleetChange::Presence { courier, presence } => {
                let changed = self.roster.set_presence(courier, presence);
                changed.into_iter().for_each(|number| self.journal.note_courier(number));
            }
            FleetChange::Courier(profile) => {
                let changed = self.roster.set_profile(profile);
                changed.into_iter().for_each(|number| self.journal.note_courier(number));
            }
            FleetChange::Left(courier) => {
                let left = self.roster.remove(courier);
                left.into_iter().for_each(|number| self.journal.note_courier(number));
            }
            FleetChange::Order(state) => self.orders.put(state, &mut self.journal),
            FleetChange::Plan(places) => self.orders.put_plan(places, &mut self.journal),
            FleetChange::Alert(alert) => self.raise(alert),
        }
    }

    fn raise(&mut self, alert: FleetAlert) {
        self.alerts.insert(self.journal.note_alert(), alert);
        if self.alerts.len() > MAX_ALERTS
            && let Some((oldest, _)) = self.alerts.pop_first()
        {
            self.journal.forget(oldest);
        }
    }

    /// A quarter of a second has passed. `wanted` says whether any console sees the whole fleet; then everything that
    /// moved since the last broadcast goes into a new one for all of these consoles, when it is time again.
    pub(super) fn tick(&mut self, wanted: bool) {
        self.ticks += 1;
        if !wanted {
            self.broadcast = self.empty_broadcast();
            return;
        }
        if self.ticks < self.broadcast_due {
            return;
        }
        let (from, to) = (self.broadcast.to(), self.version());
        let fixes = self.moves_in(from + 1..=to);
        if !fixes.is_empty() {
            self.broadcast_due = self.ticks + ticks_until_next(fixes.len());
            self.broadcast = Arc::new(Broadcast::new(from, to, fixes));
        }
    }

    fn empty_broadcast(&self) -> Arc<Broadcast> {
        Arc::new(Broadcast::new(self.version(), self.version(), Vec::new()))
    }

    /// The version of the newest change.
    pub(super) fn version(&self) -> u64 {
        self.journal.version()
    }

    /// How many ticks there were.
    pub(super) fn ticks(&self) -> u64 {
        self.ticks
    }

    /// The newest change that can no longer be told: a reader that has not heard of it must begin again.
    pub(super) fn forgotten(&self) -> u64 {
        self.journal.forgotten()
    }

    /// The newest batch for consoles that see the whole fleet.
    pub(super) fn broadcast(&self) -> &Arc<Broadcast> {
        &self.broadcast
    }

    /// Every courier who has not left, and every order that is not over.
    pub(super) fn everything(&self) -> (Vec<FleetCourier>, Vec<FleetOrder>) {
        (self.roster.present().cloned().collect(), self.orders.open().cloned().collect())
    }

    /// Every courier who has not left, in any order.
    pub(super) fn couriers(&self) -> Vec<CourierId> {
        self.roster.present().map(|courier| courier.id).collect()
    }

    /// Every order that is not over, in any order.
    pub(super) fn open_orders(&self) -> Vec<OrderId> {
        self.orders.open().map(|order| order.id).collect()
    }

    /// At most `limit` of what changed after `version`, with the version of each, oldest first.
    pub(super) fn news_since(&self, version: u64, limit: usize) -> Vec<(u64, News)> {
        let changes = self.journal.changes_since(version).take(limit);
        changes.map(|(version, changed)| (version, self.news(version, changed))).collect()
    }

    fn news(&self, version: u64, changed: Changed) -> News {
        match changed {
            Changed::Courier(number) => {
                let courier = self.roster.all()[number as usize].clone();
                if self.roster.has_left(number) { News::CourierLeft(courier) } else { News::Courier(courier) }
            }
            Changed::Order(id) => News::Order(self.orders.get(id).clone()),
            Changed::Alert => News::Alert(self.alerts[&version].clone()),
        }
    }

    /// The newest positions of the couriers who moved last at one of these versions.
    pub(super) fn moves_in(&self, versions: RangeInclusive<u64>) -> Vec<FleetFix> {
        self.movers(versions).filter_map(|number| self.fix(number)).collect()
    }

    /// The couriers who moved last at one of these versions.
    pub(super) fn movers(&self, versions: RangeInclusive<u64>) -> impl Iterator<Item = u32> {
        self.journal.movers(versions)
    }

    /// A courier's number.
    pub(super) fn number_of(&self, courier: CourierId) -> Option<u32> {
        self.roster.number_of(courier)
    }

    /// A numbered courier's id.
    pub(super) fn id_of(&self, number: u32) -> CourierId {
        self.roster.all()[number as usize].id
    }

    /// Where a courier is.
    pub(super) fn place(&self, number: u32) -> Option<LatLon> {
        self.roster.place(number)
    }

    /// Where everybody is, by number.
    pub(super) fn places(&self) -> Vec<Option<LatLon>> {
        self.roster.places()
    }

    /// A courier's newest position as consoles get it.
    pub(super) fn fix(&self, number: u32) -> Option<FleetFix> {
        self.roster.fix(number)
    }

    /// Everybody inside `area`.
    pub(super) fn inside(&self, area: &Area) -> Vec<u32> {
        self.roster.inside(area)
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{
        OrderStatus,
        protocol::{PresenceState, customer::Presence},
    };

    use super::{orders::MAX_OVER, *};
    use crate::live::fleet::samples::{courier, moved, order};

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
    fn a_courier_who_left_is_in_no_snapshot_and_moves_no_more_until_they_are_back() {
        let (mut board, ana) = (Board::default(), courier());
        board.apply(FleetChange::Courier(ana.clone()));
        board.apply(moved(ana.id, 10, 35.9, 14.5));
        let told = board.version();
        board.apply(FleetChange::Left(ana.id));
        let news: Vec<_> = board.news_since(told, 10).into_iter().map(|(_, news)| news).collect();
        assert!(matches!(&news[..], [News::CourierLeft(left)] if left.id == ana.id), "{news:?}");
        let version = board.version();
        board.apply(moved(ana.id, 11, 35.9, 14.5));
        board.apply(FleetChange::Left(ana.id));
        assert_eq!((board.version(), board.everything().0, board.places()), (version, vec![], vec![None]));
        board.apply(FleetChange::Courier(ana.clone()));
        assert_eq!(board.everything().0.len(), 1, "restored");
    }

    #[test]
    fn the_board_keeps_a_bounded_number_of_orders_that_are_over() {
        let mut board = Board::default();
        for _ in 0..MAX_OVER + 500 {
            let id = OrderId::new();
            board.apply(order(id, OrderStatus::Created));
            board.apply(order(id, OrderStatus::Cancelled));
        }
        assert_eq!((board.orders.len(), board.journal.changes()), (MAX_OVER, MAX_OVER));
        assert!(board.forgotten() > 0, "a reader that has not heard of those must begin again");
        assert_eq!(board.everything().1, []);
    }

    #[test]
    fn an_order_that_was_reopened_outlives_those_that_ended_with_it() {
        let (mut board, reopened) = (Board::default(), OrderId::new());
        let counted = |status, version| {
            let FleetChange::Order(state) = order(reopened, status) else { unreachable!("an order's change") };
            let order = FleetOrder { version: Some(version), ..state.order };
            FleetChange::Order(OrderState { order, ..state })
        };
        board.apply(counted(OrderStatus::Delivered, 5));
        board.apply(counted(OrderStatus::AtDropoff, 6));
        assert_eq!(board.open_orders(), [reopened]);
        for _ in 0..MAX_OVER + 1 {
            board.apply(order(OrderId::new(), OrderStatus::Cancelled));
        }
        assert_eq!(board.open_orders(), [reopened], "no reader has lost it");
        let news = board.news_since(0, usize::MAX);
        assert!(news.iter().any(|(_, news)| matches!(news, News::Order(order) if order.id == reopened)));
    }

    #[test]
    fn batches_come_every_tick_until_there_are_too_many_positions() {
        assert_eq!([0, 1, 500, 501, 5_000].map(ticks_until_next), [1, 1, 1, 2, 10]);
    }
}
