//! The dispatchers' live view of the whole fleet: what `/ws/fleet` shows.
//!
//! Changes come in through [`Fleet::note`], which puts them into an inbox and returns: the hot path encodes nothing
//! and waits for nobody. Four times a second one task moves the inbox to the board; other changes it moves at once.
//! Each connection then reads from the board what is new to it ([`reader`]), when its socket can take more.
//! While no console is connected nothing is kept and nothing noted; the first to come has the fleet read from the
//! database. Lock order: reader, then board; the inbox is a lock of its own, and whoever holds one of the tracker's
//! may take it.

pub mod area;
pub mod board;
pub mod encode;
pub mod grid;
mod load;
pub mod reader;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use doorstep_shared::protocol::{
    CloseCode, Codec,
    fleet::{FleetCourier, FleetEvent, FleetSnapshot},
};
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval},
};

use self::{
    board::Board,
    reader::{Content, Delivery, Reader, View},
};
use crate::{
    domain::fleet::{CourierProfile, FleetChange, Inbox, OrderState},
    live::{
        audience::Audience,
        outbox::{Feed, Outbox, frame},
        tracker::Tracker,
    },
    platform::clock::Clock,
    store::{Store, StoreError},
};

/// How often movements are passed on, at most. From the contract.
const TICK: Duration = Duration::from_millis(250);

/// The fleet as consoles see it. Shared by reference.
#[derive(Debug, Default)]
pub struct Fleet {
    clock: Clock,
    audience: Arc<Audience>,
    /// Whether changes are of interest to anybody.
    recording: AtomicBool,
    inbox: Mutex<Inbox>,
    board: Mutex<Board>,
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

#[derive(Debug)]
struct Console {
    outbox: Arc<Outbox>,
    reader: Mutex<Reader>,
    /// The reader's view once more, for those who must not wait for a reader that is reading.
    view: Mutex<View>,
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
    /// A fleet that nobody watches. Consoles that come are counted in `audience`.
    pub fn new(clock: Clock, audience: Arc<Audience>) -> Self {
        Self { clock, audience, ..Self::default() }
    }

    /// Notes a change for whoever watches. Never waits; costs one look while nobody does.
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

    /// Makes sure that the board is there, for somebody who wants to subscribe.
    ///
    /// # Errors
    /// When it would have to be read and the database is away.
    pub async fn enter(self: &Arc<Self>, store: &Store, tracker: &Tracker) -> Result<Seat, StoreError> {
        let _turn = self.loading.lock().await;
        lock(&self.seats).taken += 1;
        let seat = Seat { fleet: Arc::clone(self) };
        if !lock(&self.seats).is_loaded {
            // From here on nothing is missed; what is read below and noted meanwhile is merged by its age.
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
        let open_before = lock(&self.board).open_orders();
        let (couriers, mut orders) = load::fleet(store, tracker).await?;
        let still_open: HashSet<_> = orders.iter().map(|state| state.order.id).collect();
        for order in open_before.into_iter().filter(|order| !still_open.contains(order)) {
            orders.extend(store.order(order).await?.map(|order| OrderState::from(&order)));
        }
        couriers.into_iter().flat_map(changes_of).for_each(|change| self.note(change));
        orders.into_iter().for_each(|state| self.note(FleetChange::Order(state)));
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
        let console = Arc::new(Console {
            outbox: Arc::clone(&outbox),
            reader: Mutex::new(Reader::new(Arc::clone(&self.audience))),
            view: Mutex::default(),
        });
        let mut consoles = lock(&self.consoles);
        consoles.push(Arc::clone(&console));
        metrics::gauge!("doorstep_dispatchers").set(consoles.len() as f64);
        drop(consoles);
        outbox.set_feed(Arc::new(ConsoleFeed { fleet: Arc::clone(self), console: Arc::downgrade(&console), codec }));
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
        let somebody_sees_all = consoles.iter().any(|console| lock(&console.view).area.is_none());
        let mut board = lock(&self.board);
        changes.into_iter().chain(moves).for_each(|change| board.apply(change));
        board.tick(somebody_sees_all);
        drop(board);
        consoles.iter().for_each(|console| console.outbox.nudge());
    }

    fn pass_on_changes(&self) {
        let changes = lock(&self.inbox).take_changes();
        if changes.is_empty() {
            return;
        }
        let mut board = lock(&self.board);
        changes.into_iter().for_each(|change| board.apply(change));
        drop(board);
        self.consoles().iter().for_each(|console| console.outbox.nudge());
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
        let mut view = lock(&self.console.view);
        change(&mut view);
        let view = *view;
        lock(&self.console.reader).look_at(view);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut consoles = lock(&self.seat.fleet.consoles);
        consoles.retain(|console| !Arc::ptr_eq(console, &self.console));
        metrics::gauge!("doorstep_dispatchers").set(consoles.len() as f64);
    }
}

/// Reads the board for one connection, on the connection's own thread.
#[derive(Debug)]
struct ConsoleFeed {
    fleet: Arc<Fleet>,
    /// The console has the outbox that has this feed.
    console: std::sync::Weak<Console>,
    codec: Codec,
}

impl Feed for ConsoleFeed {
    fn take(&self) -> Result<Option<Bytes>, CloseCode> {
        let Some(console) = self.console.upgrade() else { return Ok(None) };
        let taken = {
            let mut reader = lock(&console.reader);
            let board = lock(&self.fleet.board);
            reader.take(&board, Instant::now())
        };
        let deliveries = taken.map_err(|_| CloseCode::SlowConsumer)?;
        let mut frames: Vec<Bytes> = deliveries.into_iter().map(|delivery| self.encode(delivery)).collect();
        Ok(match frames.len() {
            0 | 1 => frames.pop(),
            _ => Some(frames.concat().into()),
        })
    }
}

impl ConsoleFeed {
    fn encode(&self, Delivery { seq, content }: Delivery) -> Bytes {
        let (kind, frame) = match content {
            Content::Snapshot { couriers, orders } => {
                let server_time_ms = self.fleet.clock.now_ms();
                let snapshot = FleetSnapshot { seq, server_time_ms, couriers, orders };
                ("snapshot", frame(self.codec, &FleetEvent::Snapshot(snapshot)))
            }
            Content::News(news) => ("change", encode::news(self.codec, seq, news)),
            Content::Positions(fixes) => ("positions", encode::positions(self.codec, seq, &fixes)),
            Content::Shared(broadcast) => ("positions", broadcast.frame(self.codec, seq)),
        };
        metrics::counter!("doorstep_fleet_frames_total", "type" => kind).increment(1);
        metrics::counter!("doorstep_fleet_bytes_total", "type" => kind).increment(frame.len() as u64);
        frame
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
