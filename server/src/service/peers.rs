//! Applies other instances' facts to this one, and tells them who watches what here.
//!
//! It runs only with several instances, as three tasks. The intake applies facts in order and at once, as far as they
//! need no database; the follower reads the rest from Postgres, and after a lost link everything that may have been
//! missed. The announcer sends what is watched here, and follows the couriers who are shown to a viewer of this
//! instance.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use doorstep_shared::{CourierId, Fix, protocol::customer::Presence};
use tokio::{
    runtime::Handle,
    sync::{Notify, mpsc},
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{
    devices::Devices,
    orders::{
        lifecycle::{Orders, StateForViewers},
        plans::Plans,
    },
};
use crate::{
    domain::fleet::{CourierProfile, FleetChange, OrderState},
    live::{
        audience::Audience,
        broker::{Broker, Fact, Inbound, InstanceId, Movement, Watch},
        connections::Connections,
        fleet::Fleet,
        following::{Following, PendingRead},
        hub::Hub,
        tracker::{Heard, Tracker},
        watching::{Counts, Watching, changes},
    },
    platform::{
        clock::Clock,
        tasks::{Tasks, until_shutdown},
    },
    store::{Store, StoreError},
};

/// Changes that may wait for the database. Overflow policy: the change is dropped, and everything is read anew, as
/// after a lost link.
const WAITING_CHANGES: usize = 10_000;

/// How often the follower and the announcer look for work.
const TICK_EVERY: Duration = Duration::from_millis(250);

/// Reading everything anew costs the database as much as a restart, so it happens no more often than this.
const CATCH_UP_EVERY: Duration = Duration::from_secs(2);

/// When the database is away as well, reading everything anew is tried again after this long.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What the tasks work with.
#[derive(Debug)]
pub struct Peers {
    /// The time.
    pub clock: Clock,
    /// The database.
    pub store: Store,
    /// The link to the other instances.
    pub broker: Arc<dyn Broker>,
    /// The couriers whose fixes this instance asks the others for.
    pub following: Arc<Following>,
    /// The live state of couriers.
    pub tracker: Arc<Tracker>,
    /// This instance's viewers.
    pub hub: Arc<Hub>,
    /// Which couriers this instance's dispatchers have in view.
    pub audience: Arc<Audience>,
    /// The dispatchers' view.
    pub fleet: Arc<Fleet>,
    /// What other instances say that they watch.
    pub watching: Arc<Watching>,
    /// Open connections.
    pub connections: Arc<Connections>,
    /// The use cases of orders.
    pub orders: Arc<Orders>,
    /// Couriers' plans.
    pub plans: Arc<Plans>,
    /// The use cases of devices.
    pub devices: Arc<Devices>,
}

/// Starts the three tasks, which run until `shutdown`; the intake runs on `thread`, where facts arrive.
pub fn start(
    peers: Peers,
    (inbound, thread): (mpsc::Receiver<Inbound>, &Handle),
    tasks: &Tasks,
    shutdown: &CancellationToken,
) {
    let peers = Arc::new(peers);
    let (waiting, changes) = mpsc::channel(WAITING_CHANGES);
    let shared = Arc::new(Shared::default());
    let intake = Intake { peers: Arc::clone(&peers), shared: Arc::clone(&shared), waiting };
    let follower = Follower { peers: Arc::clone(&peers), shared: Arc::clone(&shared), caught_up: None };
    let announcer = Announcer { peers, shared, announced: Counts::new() };
    tasks.spawn_critical_on(thread, "peers_intake", until_shutdown(shutdown.clone(), intake.run(inbound)));
    tasks.spawn_critical("peers_follower", until_shutdown(shutdown.clone(), follower.run(changes)));
    tasks.spawn_critical("peers_announcer", until_shutdown(shutdown.clone(), announcer.run()));
}

/// What the tasks share.
#[derive(Debug, Default)]
struct Shared {
    /// A fact may have been missed.
    missed: AtomicBool,
    woken: Notify,
    /// Another instance asks for everything that is watched here.
    asked: AtomicBool,
    /// Couriers who move on other instances and whom the live view here does not know yet.
    strangers: Mutex<HashMap<CourierId, Stranger>>,
}

/// What is applied to a courier once the live view knows them.
#[derive(Debug, Default)]
struct Stranger {
    movement: Option<Movement>,
    presence: Option<Presence>,
}

impl Shared {
    fn note_missed(&self) {
        self.missed.store(true, Ordering::Release);
        self.woken.notify_one();
    }

    fn strangers(&self) -> MutexGuard<'_, HashMap<CourierId, Stranger>> {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change that has to be read from the database.
#[derive(Debug)]
enum Change {
    Order {
        state: StateForViewers,
        former: Option<CourierId>,
    },
    /// A courier was edited, or another customer sees them: whatever their plan's version is.
    Courier(CourierId),
    /// A courier's plan has at least this version.
    Plan(CourierId, u64),
}

/// Applies facts, in order.
struct Intake {
    peers: Arc<Peers>,
    shared: Arc<Shared>,
    waiting: mpsc::Sender<Change>,
}

impl Intake {
    async fn run(self, mut inbound: mpsc::Receiver<Inbound>) {
        while let Some(next) = inbound.recv().await {
            match next {
                Inbound::Missed => self.shared.note_missed(),
                Inbound::Told { from, fact } => self.take_in(from, fact),
            }
        }
        // The broker lives as long as the server; without it there are no facts.
        std::future::pending::<()>().await;
    }

    fn take_in(&self, from: InstanceId, fact: Fact) {
        let (peers, now_ms) = (&self.peers, self.peers.clock.now_ms());
        if !peers.watching.heard(from) && !matches!(fact, Fact::Hello { .. } | Fact::Watching { is_all: true, .. }) {
            // Its counts are unknown until it has sent them.
            peers.broker.tell(Fact::Hello { missed: false });
            peers.watching.replace(from, []);
        }
        match fact {
            Fact::Hello { missed } => {
                self.shared.asked.store(true, Ordering::Release);
                if missed {
                    self.shared.note_missed();
                }
            }
            Fact::Alive => {}
            Fact::Bye => peers.watching.forget(from),
            Fact::Watching { is_all: true, counts } => peers.watching.replace(from, counts),
            Fact::Watching { is_all: false, counts } => peers.watching.change(from, counts),
            Fact::Heard { courier, device, fixes } => {
                let fixes: Vec<_> = fixes.iter().filter_map(|raw| Fix::try_new(raw).ok()).collect();
                peers.tracker.apply_elsewhere(courier, device, &fixes, now_ms);
            }
            Fact::Moved(movements) => {
                for movement in movements {
                    if !peers.tracker.move_elsewhere(&movement, now_ms) {
                        self.shared.strangers().entry(movement.courier).or_default().movement = Some(movement);
                    }
                    let (courier, position, battery) = (movement.courier, movement.position, movement.battery);
                    peers.fleet.note(FleetChange::Moved { courier, position, battery });
                }
            }
            Fact::Presence { courier, presence } => {
                if !peers.tracker.set_presence(courier, presence, Heard::Elsewhere, now_ms) {
                    self.shared.strangers().entry(courier).or_default().presence = Some(presence);
                }
                peers.fleet.note(FleetChange::Presence { courier, presence });
            }
            Fact::Courier { courier, name, vehicle } => {
                peers.fleet.note(FleetChange::Courier(CourierProfile { id: courier, name, vehicle }));
                if peers.tracker.knows(courier) {
                    self.wait_for_database(Change::Courier(courier));
                }
            }
            Fact::Order { order, assigned_at_ms, former, gained } => {
                let order = match gained {
                    Some(gained) => gained.complete(order),
                    None => order,
                };
                let state = StateForViewers {
                    order: order.id,
                    courier: order.courier_id,
                    status: order.status,
                    status_at_ms: order.status_at_ms,
                };
                peers.fleet.note(FleetChange::Order(OrderState { order, assigned_at_ms }));
                peers.orders.close_after(&state, former);
                self.wait_for_database(Change::Order { state, former });
            }
            Fact::Plan(places) => {
                let (courier, version) = (places.courier, places.version);
                peers.fleet.note(FleetChange::Plan(places));
                if peers.tracker.knows(courier) {
                    self.wait_for_database(Change::Plan(courier, version));
                }
            }
            Fact::FeedOpened { courier } => {
                if peers.tracker.knows(courier) {
                    self.wait_for_database(Change::Courier(courier));
                }
            }
            Fact::Alert(alert) => peers.fleet.note(FleetChange::Alert(alert)),
            Fact::Eta { courier, order, eta } => peers.tracker.set_eta(courier, order, eta, Heard::Elsewhere),
            Fact::DeviceConnected { courier, device, at_ms } => {
                peers.connections.supersede(device, at_ms);
                // Another instance may revoke it before it is announced.
                peers.watching.change(from, [(Watch::Device(courier, device), 1)]);
            }
            Fact::DeviceRevoked { courier, device } => {
                peers.connections.close_device(courier, device);
            }
            Fact::CourierLeft { courier } => peers.fleet.note(FleetChange::Left(courier)),
            Fact::SessionsEnded { courier, sessions } => {
                peers.connections.close_sessions(courier, &sessions);
            }
        }
    }

    fn wait_for_database(&self, change: Change) {
        if self.waiting.try_send(change).is_err() {
            self.shared.note_missed();
        }
    }
}

/// Reads from the database what facts only name.
struct Follower {
    peers: Arc<Peers>,
    shared: Arc<Shared>,
    caught_up: Option<Instant>,
}

impl Follower {
    async fn run(mut self, mut changes: mpsc::Receiver<Change>) {
        let mut clock = interval(TICK_EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(change) = changes.recv() => self.follow(change).await,
                () = self.shared.woken.notified() => self.catch_up_if_needed().await,
                _ = clock.tick() => {
                    self.catch_up_if_needed().await;
                    self.meet_strangers().await;
                }
            }
        }
    }

    async fn follow(&self, change: Change) {
        match change {
            Change::Order { state, former } => {
                let is_watched = self.peers.hub.audience(state.order) > 0;
                self.peers.orders.follow_change(&state, former, is_watched).await;
            }
            Change::Courier(courier) => self.peers.plans.follow(courier).await,
            Change::Plan(courier, version) => {
                // The order that it is about may have brought it already.
                if self.peers.tracker.plan_version(courier).is_some_and(|known| known < version) {
                    self.peers.plans.follow(courier).await;
                }
            }
        }
    }

    async fn meet_strangers(&self) {
        let strangers = std::mem::take(&mut *self.shared.strangers());
        if strangers.is_empty() {
            return;
        }
        let couriers: Vec<_> = strangers.keys().copied().collect();
        if let Err(error) = self.peers.plans.reload(&couriers).await {
            // They move on, and are added again then.
            tracing::warn!(error = %error, "could not load couriers who report to another instance");
            return;
        }
        let (tracker, now_ms) = (&self.peers.tracker, self.peers.clock.now_ms());
        for (courier, Stranger { movement, presence }) in strangers {
            movement.iter().for_each(|movement| _ = tracker.move_elsewhere(movement, now_ms));
            presence.iter().for_each(|presence| _ = tracker.set_presence(courier, *presence, Heard::Elsewhere, now_ms));
        }
    }

    async fn catch_up_if_needed(&mut self) {
        let is_too_early = self.caught_up.is_some_and(|at| at.elapsed() < CATCH_UP_EVERY);
        if is_too_early || !self.shared.missed.swap(false, Ordering::AcqRel) {
            return;
        }
        self.caught_up = Some(Instant::now());
        let started = Instant::now();
        match catch_up(&self.peers).await {
            Ok(()) => {
                let elapsed_ms = started.elapsed().as_millis() as u64;
                metrics::counter!("doorstep_broker_catch_ups_total").increment(1);
                tracing::info!(elapsed_ms, "caught up with the other instances");
            }
            Err(error) => {
                tracing::warn!(error = %error, "could not catch up with the other instances; trying again");
                self.shared.missed.store(true, Ordering::Release);
                tokio::time::sleep(RETRY_AFTER).await;
            }
        }
    }
}

/// Reads anew everything that a missed fact may have changed.
async fn catch_up(peers: &Peers) -> Result<(), StoreError> {
    peers.plans.reload(&peers.tracker.known()).await?;
    peers.tracker.outdate(peers.hub.audiences().into_iter().map(|(order, _)| order));
    peers.fleet.refresh(&peers.store, &peers.tracker).await?;
    peers.devices.check_connected().await
}

/// Announces what is watched here, and follows the couriers who are shown here.
struct Announcer {
    peers: Arc<Peers>,
    shared: Arc<Shared>,
    announced: Counts,
}

impl Announcer {
    async fn run(mut self) {
        let mut clock = interval(TICK_EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            clock.tick().await;
            self.peers.watching.forget_silent();
            self.announce();
            self.follow_those_shown().await;
        }
    }

    fn announce(&mut self) {
        let now = self.counts();
        if self.shared.asked.swap(false, Ordering::AcqRel) {
            let counts = now.iter().map(|(watch, count)| (*watch, *count)).collect();
            self.peers.broker.tell(Fact::Watching { is_all: true, counts });
        } else {
            let counts = changes(&self.announced, &now);
            if !counts.is_empty() {
                self.peers.broker.tell(Fact::Watching { is_all: false, counts });
            }
        }
        self.announced = now;
    }

    fn counts(&self) -> Counts {
        let peers = &self.peers;
        let orders = peers.hub.audiences().into_iter().map(|(order, count)| (Watch::Order(order), count));
        let (of_all, of_each) = peers.audience.counts();
        let couriers = of_each.into_iter().map(|(courier, count)| (Watch::Courier(courier), count));
        let devices = peers.connections.connected_devices().into_iter();
        let devices = devices.map(|connected| (Watch::Device(connected.courier, connected.device), 1));
        let fleet = (of_all > 0).then_some((Watch::Fleet, of_all));
        orders.chain(couriers).chain(devices).chain(fleet).collect()
    }

    /// Follows the couriers who report here or are shown to a viewer here, and nobody else.
    async fn follow_those_shown(&self) {
        let Peers { following, tracker, hub, connections, clock, .. } = &*self.peers;
        let round = following.begin_round();
        let mut wanted = tracker.concerns(clock.now_ms(), |order| hub.audience(order) > 0);
        wanted.extend(connections.connected_couriers());
        let new = following.keep_only(&wanted, round);
        let new = futures_util::future::join_all(new.into_iter().map(|courier| following.follow(courier))).await;
        self.read_all(new.into_iter().flatten().collect()).await;
    }

    /// Reads what other instances received of couriers before this one followed them.
    async fn read_all(&self, pending: Vec<PendingRead<'_>>) {
        let couriers: Vec<_> = pending.iter().map(PendingRead::courier).collect();
        match self.peers.plans.reload(&couriers).await {
            Ok(()) => pending.into_iter().for_each(PendingRead::done),
            Err(error) => {
                tracing::warn!(error = %error, "could not read what other instances heard of couriers");
                self.shared.note_missed();
            }
        }
    }
}
