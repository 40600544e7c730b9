//! The dispatchers' live view of the whole fleet: what `/ws/fleet` shows.
//!
//! Changes come in through [`Fleet::note`], which puts them into an inbox and returns: the hot path encodes nothing
//! and waits for nobody. Four times a second one task moves the inbox to the board; changes other than movements it
//! moves at once. Each console then reads from the board what is new to it (`reader`), when its socket can take more.
//! While no console is connected nothing is kept and nothing noted; for the first console the fleet is read from the
//! database. Lock order: reader, then board; the inbox is a lock of its own, and a caller that holds a lock of the
//! tracker may take it.

pub mod area;
mod board;
mod broadcast;
mod console;
mod encode;
mod grid;
mod load;
mod message;
mod news;
mod reader;
#[cfg(test)]
mod samples;
mod view;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use doorstep_shared::protocol::{Codec, fleet::FleetCourier};
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval},
};

use self::{
    board::Board,
    console::{Console, lock},
};
use crate::{
    domain::fleet::{CourierProfile, FleetChange, Inbox, OrderState},
    live::{audience::Audience, outbox::Outbox, tracker::Tracker},
    platform::clock::Clock,
    store::{Store, StoreError},
};

pub use self::view::View;

/// How often movements are passed on, at most. From the contract.
const TICK: Duration = Duration::from_millis(250);

/// The fleet as consoles see it. Shared by reference.
#[derive(Debug, Default)]
pub struct Fleet {
    clock: Clock,
    audience: Arc<Audience>,
    /// A console is connected, so changes are noted.
    recording: AtomicBool,
    inbox: Mutex<Inbox>,
    board: Arc<Mutex<Board>>,
    seats: Mutex<Seats>,
    loading: tokio::sync::Mutex<()>,
    consoles: Mutex<Vec<Arc<Console>>>,
    /// Something other than a movement is in the inbox.
    changed: Notify,
    seated: Notify,
}

#[derive(Debug, Default)]
struct Seats {
    taken: usize,
    is_loaded: bool,
}

/// The right to subscribe: while it lives, the board is kept up to date.
#[derive(Debug)]
pub struct Seat {
    fleet: Arc<Fleet>,
}

/// A console's place in the feed; dropping it leaves.
#[derive(Debug)]
pub struct Subscription {
    console: Arc<Console>,
    seat: Seat,
}

impl Fleet {
    /// A fleet that nobody watches yet. Consoles that subscribe are counted in `audience`.
    pub fn new(clock: Clock, audience: Arc<Audience>) -> Self {
        Self { clock, audience, ..Self::default() }
    }

    /// Notes a change for the consoles. Never waits; costs one load of a flag while none is connected.
    pub fn note(&self, change: FleetChange) {
        if !self.recording.load(Ordering::Acquire) {
            return;
        }
        let is_movement = matches!(change, FleetChange::Moved { .. });
        lock(&self.inbox).put(change);
        if !is_movement {
            self.changed.notify_one();
        }
    }

    /// Makes sure that the board is there, for a console that wants to subscribe.
    ///
    /// # Errors
    /// When it would have to be read and the database is away.
    pub async fn enter(self: &Arc<Self>, store: &Store, tracker: &Tracker) -> Result<Seat, StoreError> {
        let _turn = self.loading.lock().await;
        lock(&self.seats).taken += 1;
        let seat = Seat { fleet: Arc::clone(self) };
        if !lock(&self.seats).is_loaded {
            // From here on no change is missed; what is read below and noted meanwhile is merged by its age.
            self.recording.store(true, Ordering::Release);
            let board = load::board(store, tracker).await?;
            *lock(&self.board) = board;
            lock(&self.seats).is_loaded = true;
            self.seated.notify_one();
        }
        Ok(seat)
    }

    /// Reads the fleet anew and passes on what is different, in case changes were missed. Does nothing while nobody
    /// watches.
    ///
    /// # Errors
    /// When the database is away; nothing has changed then.
    pub async fn refresh(&self, store: &Store, tracker: &Tracker) -> Result<(), StoreError> {
        if !lock(&self.seats).is_loaded {
            return Ok(());
        }
        let (open_before, couriers_before) = {
            let board = lock(&self.board);
            (board.open_orders(), board.couriers())
        };
        let load::Read { couriers, mut orders, plans } = load::fleet(store, tracker).await?;
        let still_open: HashSet<_> = orders.iter().map(|state| state.order.id).collect();
        for order in open_before.into_iter().filter(|order| !still_open.contains(order)) {
            orders.extend(store.order(order).await?.map(|order| OrderState::from(&order)));
        }
        let still_here: HashSet<_> = couriers.iter().map(|courier| courier.id).collect();
        let left = couriers_before.into_iter().filter(|courier| !still_here.contains(courier));
        left.for_each(|courier| self.note(FleetChange::Left(courier)));
        couriers.into_iter().flat_map(changes_of).for_each(|change| self.note(change));
        orders.into_iter().for_each(|state| self.note(FleetChange::Order(state)));
        plans.into_iter().for_each(|places| self.note(FleetChange::Plan(places)));
        Ok(())
    }

    fn leave(&self) {
        let mut seats = lock(&self.seats);
        seats.taken -= 1;
        if seats.taken == 0 {
            seats.is_loaded = false;
            self.recording.store(false, Ordering::Release);
            *lock(&self.board) = Board::default();
            *lock(&self.inbox) = Inbox::default();
        }
    }

    /// Makes the fleet the feed of a connection. The snapshot is its first message.
    pub fn subscribe(self: &Arc<Self>, seat: Seat, outbox: Arc<Outbox>, codec: Codec) -> Subscription {
        let console = Console::new(outbox, Arc::clone(&self.audience));
        let mut consoles = lock(&self.consoles);
        consoles.push(Arc::clone(&console));
        metrics::gauge!("doorstep_dispatchers").set(consoles.len() as f64);
        drop(consoles);
        console.connect(Arc::clone(&self.board), self.clock.clone(), codec);
        Subscription { console, seat }
    }

    /// Passes changes on until it is cancelled.
    pub async fn run(self: Arc<Self>) {
        let mut clock = interval(TICK);
        // The contract's quarter of a second is a least distance: a late tick is not made up for.
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if !lock(&self.seats).is_loaded {
                self.seated.notified().await;
                continue;
            }
            tokio::select! {
                _ = clock.tick() => self.tick(),
                () = self.changed.notified() => self.pass_on_changes(),
            }
        }
    }

    fn tick(&self) {
        let (changes, moves) = {
            let mut inbox = lock(&self.inbox);
            (inbox.take_changes(), inbox.take_moves())
        };
        let consoles = self.consoles();
        let any_sees_all = consoles.iter().any(|console| console.sees_all());
        let mut board = lock(&self.board);
        changes.into_iter().chain(moves).for_each(|change| board.apply(change));
        board.tick(any_sees_all);
        drop(board);
        consoles.iter().for_each(|console| console.nudge());
    }

    fn pass_on_changes(&self) {
        let changes = lock(&self.inbox).take_changes();
        if changes.is_empty() {
            return;
        }
        let mut board = lock(&self.board);
        changes.into_iter().for_each(|change| board.apply(change));
        drop(board);
        self.consoles().iter().for_each(|console| console.nudge());
    }

    fn consoles(&self) -> Vec<Arc<Console>> {
        lock(&self.consoles).clone()
    }
}

/// A courier as changes, which the board takes in as far as they are news.
fn changes_of(courier: FleetCourier) -> impl Iterator<Item = FleetChange> {
    let FleetCourier { id, name, vehicle, position, battery, presence } = courier;
    let profile = FleetChange::Courier(CourierProfile { id, name, vehicle });
    let moved = position.map(|position| FleetChange::Moved { courier: id, position, battery });
    let presence = presence.map(|presence| FleetChange::Presence { courier: id, presence });
    [Some(profile), moved, presence].into_iter().flatten()
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.fleet.leave();
    }
}

impl Subscription {
    /// Changes what the console sees.
    pub fn change_view(&self, change: impl FnOnce(&mut View)) {
        self.console.change_view(change);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut consoles = lock(&self.seat.fleet.consoles);
        consoles.retain(|console| !Arc::ptr_eq(console, &self.console));
        metrics::gauge!("doorstep_dispatchers").set(consoles.len() as f64);
    }
}
