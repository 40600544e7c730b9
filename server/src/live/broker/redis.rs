//! The broker between processes: Redis Pub/Sub.
//!
//! Two connections: one publishes what this instance tells, in pipelines of whatever has gathered; the other listens
//! to the channel of all instances and to the channels of the couriers whom this instance follows. Nothing is stored
//! in Redis. Each connection comes back by itself; what was told meanwhile is dropped and not kept, because by then
//! Postgres knows better, and both sides are told that they missed something.
//! Both connections share one thread with whoever takes arrivals in, so that a fact's way to Redis, or from it, is not
//! handed from thread to thread.
//! Redis must be as trusted as the database: couriers' positions pass through it.

use std::{
    collections::HashSet,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use doorstep_shared::{CourierId, OrderId};
use futures_util::{FutureExt, StreamExt, future::BoxFuture};
use redis::{
    AsyncConnectionConfig, Client, RedisError,
    aio::{MultiplexedConnection, PubSubSink},
};
use tokio::{
    runtime::Handle,
    sync::{Notify, mpsc, watch},
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use tokio_util::sync::CancellationToken;

use super::{
    Arrival, Broker, Fact, InstanceId, Link,
    fact::Movement,
    queues::{Inlet, Outlet},
};
use crate::{
    domain::fleet::{FleetChange, Inbox, OrderState},
    live::{
        fleet::Fleet,
        hub::{Hub, LiveEvent},
    },
    platform::tasks::Tasks,
};

/// How often movements are passed on, at most: as often as consoles get them.
const MOVES_EVERY: Duration = Duration::from_millis(250);

/// Movements in one message, about 60 KB.
const MOVES_AT_ONCE: usize = 1_000;

/// Facts in one pipeline: what one write carries, and what is lost when it fails.
const FACTS_AT_ONCE: usize = 512;

/// How often an instance says that it is still here. It hears itself, so this also finds a dead connection.
const ALIVE_EVERY: Duration = Duration::from_secs(2);

/// A listening connection without a word, not even our own, is dead.
const SILENCE_LIMIT: Duration = Duration::from_secs(7);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(1);

/// How long somebody who comes to watch waits for the subscription. It takes a millisecond, or Redis is in trouble.
const FOLLOW_PATIENCE: Duration = Duration::from_millis(500);

/// Channels in one command.
const CHANNELS_AT_ONCE: usize = 1_000;

/// Tells and hears the other instances through Redis.
#[derive(Debug)]
pub struct Redis {
    hub: Arc<Hub>,
    fleet: Arc<Fleet>,
    outlet: Outlet,
    moves: Arc<Mutex<Inbox>>,
    follows: Arc<Follows>,
    connections: Arc<Connections>,
}

/// What [`Redis::start`] has started.
#[derive(Debug)]
pub struct Started {
    /// Tells the other instances.
    pub broker: Redis,
    /// What they tell, in order.
    pub arrivals: mpsc::Receiver<Arrival>,
    /// Where both connections live, and where arrivals should be taken in.
    pub thread: Handle,
}

/// Whom this instance follows, and how far the listener has come with it.
#[derive(Debug, Default)]
struct Follows {
    wanted: Mutex<Wanted>,
    changed: Notify,
    applied: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Wanted {
    couriers: HashSet<CourierId>,
    version: u64,
}

#[derive(Debug, Default)]
struct Connections {
    publishing: AtomicBool,
    listening: AtomicBool,
}

/// The names of the channels of one deployment.
#[derive(Clone, Debug)]
pub struct Channels {
    prefix: Arc<str>,
}

impl Channels {
    /// The channels of the deployment whose database is `database`, so that several can share a Redis.
    pub fn of(database: &str) -> Self {
        Self { prefix: format!("doorstep:{database}").into() }
    }

    /// What every instance listens to.
    pub fn all(&self) -> String {
        format!("{}:all", self.prefix)
    }

    /// What those listen to who follow `courier`.
    pub fn courier(&self, courier: CourierId) -> String {
        format!("{}:courier:{courier}", self.prefix)
    }

    fn of_fact(&self, fact: &Fact) -> String {
        fact.followers_of().map_or_else(|| self.all(), |courier| self.courier(courier))
    }
}

impl Redis {
    /// Starts connecting to `client`'s server, until `shutdown`. Returns at once, whether Redis is there or not.
    ///
    /// # Errors
    /// When there is no room for one more thread.
    pub fn start(
        client: Client,
        channels: Channels,
        (hub, fleet): (Arc<Hub>, Arc<Fleet>),
        tasks: &Tasks,
        shutdown: &CancellationToken,
    ) -> io::Result<Started> {
        let id = InstanceId::new();
        let (outlet, facts) = Outlet::new();
        let (inlet, arrivals) = Inlet::new();
        let broker = Self {
            hub,
            fleet,
            outlet: outlet.clone(),
            moves: Arc::default(),
            follows: Arc::default(),
            connections: Arc::default(),
        };
        let publisher = Publisher {
            client: client.clone(),
            channels: channels.clone(),
            id,
            facts,
            outlet: outlet.clone(),
            moves: Arc::clone(&broker.moves),
            connections: Arc::clone(&broker.connections),
        };
        let listener = Listener {
            client,
            channels,
            id,
            inlet,
            outlet,
            follows: Arc::clone(&broker.follows),
            connections: Arc::clone(&broker.connections),
            subscribed: HashSet::new(),
        };
        let thread = tasks.spawn_critical_together(
            "broker",
            [
                ("broker_publisher", publisher.run(shutdown.clone()).boxed()),
                ("broker_listener", listener.run(shutdown.clone()).boxed()),
            ],
        )?;
        Ok(Started { broker, arrivals, thread })
    }
}

impl Broker for Redis {
    fn publish(&self, order: OrderId, event: LiveEvent) {
        self.hub.publish(order, event);
    }

    fn publish_fleet(&self, change: FleetChange) {
        match &change {
            FleetChange::Moved { .. } => lock(&self.moves).put(change.clone()),
            other => self.tell(other.clone().into()),
        }
        self.fleet.note(change);
    }

    fn publish_order(&self, state: OrderState, former: Option<CourierId>) {
        self.tell(Fact::order(state.clone(), former));
        self.fleet.note(FleetChange::Order(state));
    }

    fn has_peers(&self) -> bool {
        true
    }

    fn tell(&self, fact: Fact) {
        self.outlet.put(fact);
    }

    fn follow(&self, courier: CourierId) -> BoxFuture<'static, bool> {
        let (is_new, version) = {
            let mut wanted = lock(&self.follows.wanted);
            let is_new = wanted.couriers.insert(courier);
            wanted.version += u64::from(is_new);
            (is_new, wanted.version)
        };
        self.follows.changed.notify_one();
        let mut applied = self.follows.applied.subscribe();
        let is_connected = self.connections.listening.load(Ordering::Acquire);
        async move {
            if is_connected {
                let _ = timeout(FOLLOW_PATIENCE, applied.wait_for(|applied| *applied >= version)).await;
            }
            is_new
        }
        .boxed()
    }

    fn unfollow(&self, couriers: &[CourierId]) {
        let mut wanted = lock(&self.follows.wanted);
        for courier in couriers {
            wanted.version += u64::from(wanted.couriers.remove(courier));
        }
        drop(wanted);
        self.follows.changed.notify_one();
    }

    fn followed(&self) -> Vec<CourierId> {
        lock(&self.follows.wanted).couriers.iter().copied().collect()
    }

    fn link(&self) -> Link {
        if self.connections.are_up() { Link::Up } else { Link::Down }
    }
}

impl Connections {
    fn are_up(&self) -> bool {
        self.publishing.load(Ordering::Acquire) && self.listening.load(Ordering::Acquire)
    }

    fn set(&self, which: &AtomicBool, is_up: bool) {
        let before = self.are_up();
        which.store(is_up, Ordering::Release);
        let now = self.are_up();
        metrics::gauge!("doorstep_broker_up").set(f64::from(u8::from(now)));
        match (before, now) {
            (false, true) => tracing::info!("the other instances can be reached"),
            (true, false) => tracing::warn!("the other instances cannot be reached; serving our own"),
            _ => {}
        }
    }
}

/// Why a task let go of its connection.
enum End {
    Stopped,
    Broken(String),
}

impl From<RedisError> for End {
    fn from(error: RedisError) -> Self {
        // Its words name the trouble and not the address, which may hold a password.
        Self::Broken(error.to_string())
    }
}

/// Growing pauses between attempts.
struct Retry(Duration);

impl Retry {
    fn pause(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LAST_RETRY);
        // Instances that lost the same Redis should not all come back in the same instant.
        pause.mul_f64(rand::random_range(0.5..1.0))
    }
}

struct Publisher {
    client: Client,
    channels: Channels,
    id: InstanceId,
    facts: mpsc::Receiver<Fact>,
    outlet: Outlet,
    moves: Arc<Mutex<Inbox>>,
    connections: Arc<Connections>,
}

impl Publisher {
    async fn run(mut self, shutdown: CancellationToken) {
        let mut retry = Retry(FIRST_RETRY);
        loop {
            let reason = match self.one_connection(&shutdown, &mut retry).await {
                End::Stopped => return,
                End::Broken(reason) => reason,
            };
            self.connections.set(&self.connections.publishing, false);
            tracing::debug!(reason, "cannot publish to Redis");
            if self.discard_for(retry.pause(), &shutdown).await {
                return;
            }
        }
    }

    async fn one_connection(&mut self, shutdown: &CancellationToken, retry: &mut Retry) -> End {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(ANSWER_TIMEOUT));
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = match timeout(ANSWER_TIMEOUT, connecting).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return error.into(),
            Err(_) => return End::Broken("no answer while connecting".to_owned()),
        };
        *retry = Retry(FIRST_RETRY);
        self.connections.set(&self.connections.publishing, true);
        let (mut moves, mut alive) = (interval(MOVES_EVERY), interval(ALIVE_EVERY));
        moves.set_missed_tick_behavior(MissedTickBehavior::Delay);
        alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::new();
        loop {
            let is_last = tokio::select! {
                _ = self.facts.recv_many(&mut batch, FACTS_AT_ONCE) => false,
                _ = moves.tick() => { batch.extend(self.take_moves()); false }
                _ = alive.tick() => { batch.push(Fact::Alive); false }
                () = shutdown.cancelled() => true,
            };
            if is_last {
                while let Ok(fact) = self.facts.try_recv() {
                    batch.push(fact);
                }
                batch.push(Fact::Bye);
            }
            if self.outlet.take_missed() {
                batch.push(Fact::Hello { missed: true });
            }
            if let Err(error) = self.send(&mut connection, &batch).await {
                self.outlet.note_missed(batch.len() as u64);
                return error.into();
            }
            batch.clear();
            if is_last {
                return End::Stopped;
            }
        }
    }

    async fn send(&self, connection: &mut MultiplexedConnection, batch: &[Fact]) -> Result<(), RedisError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut pipe = redis::pipe();
        for fact in batch {
            pipe.cmd("PUBLISH").arg(self.channels.of_fact(fact)).arg(fact.encode(self.id)).ignore();
        }
        pipe.query_async::<()>(connection).await?;
        metrics::counter!("doorstep_broker_facts_total", "direction" => "out").increment(batch.len() as u64);
        Ok(())
    }

    fn take_moves(&self) -> Vec<Fact> {
        let moves = lock(&self.moves).take_moves();
        let movements: Vec<_> = moves
            .into_iter()
            .filter_map(|change| match change {
                FleetChange::Moved { courier, position, battery } => Some(Movement { courier, position, battery }),
                _ => None,
            })
            .collect();
        movements.chunks(MOVES_AT_ONCE).map(|some| Fact::Moved(some.to_vec())).collect()
    }

    /// Throws away what is told meanwhile. `true` when it is time to stop.
    async fn discard_for(&mut self, pause: Duration, shutdown: &CancellationToken) -> bool {
        let mut discarded = Vec::new();
        let pause = sleep(pause);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return false,
                () = shutdown.cancelled() => return true,
                count = self.facts.recv_many(&mut discarded, FACTS_AT_ONCE) => {
                    self.outlet.note_missed(count as u64);
                    discarded.clear();
                }
            }
        }
    }
}

struct Listener {
    client: Client,
    channels: Channels,
    id: InstanceId,
    inlet: Inlet,
    outlet: Outlet,
    follows: Arc<Follows>,
    connections: Arc<Connections>,
    subscribed: HashSet<CourierId>,
}

impl Listener {
    async fn run(mut self, shutdown: CancellationToken) {
        let (mut retry, mut is_first) = (Retry(FIRST_RETRY), true);
        loop {
            let end = tokio::select! {
                end = self.one_connection(&mut retry, &mut is_first) => end,
                () = shutdown.cancelled() => End::Stopped,
            };
            let End::Broken(reason) = end else { return };
            self.connections.set(&self.connections.listening, false);
            tracing::debug!(reason, "cannot listen to Redis");
            tokio::select! {
                () = sleep(retry.pause()) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    async fn one_connection(&mut self, retry: &mut Retry, is_first: &mut bool) -> End {
        let pubsub = match timeout(ANSWER_TIMEOUT, self.client.get_async_pubsub()).await {
            Ok(Ok(pubsub)) => pubsub,
            Ok(Err(error)) => return error.into(),
            Err(_) => return End::Broken("no answer while connecting".to_owned()),
        };
        let (mut sink, mut messages) = pubsub.split();
        self.subscribed.clear();
        if let Err(end) = answered(sink.subscribe(self.channels.all())).await {
            return end;
        }
        if let Err(end) = self.apply_follows(&mut sink).await {
            return end;
        }
        *retry = Retry(FIRST_RETRY);
        // Only now is nothing missed any more, and who answers is heard.
        if !std::mem::take(is_first) {
            self.inlet.put_missed();
        }
        self.outlet.put(Fact::Hello { missed: false });
        self.connections.set(&self.connections.listening, true);
        let mut check = interval(Duration::from_secs(1));
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    Some(message) => {
                        heard = Instant::now();
                        self.take_in(message.get_payload_bytes());
                    }
                    None => return End::Broken("the connection ended".to_owned()),
                },
                () = self.follows.changed.notified() => {
                    if let Err(end) = self.apply_follows(&mut sink).await {
                        return end;
                    }
                }
                _ = check.tick() => {
                    self.inlet.catch_up();
                    // While nothing can be published, silence is no wonder.
                    if !self.connections.publishing.load(Ordering::Acquire) {
                        heard = Instant::now();
                    }
                    if heard.elapsed() > SILENCE_LIMIT {
                        return End::Broken("not even our own words come back".to_owned());
                    }
                }
            }
        }
    }

    fn take_in(&self, bytes: &[u8]) {
        let Some((from, fact)) = Fact::decode(bytes, self.id) else { return };
        metrics::counter!("doorstep_broker_facts_total", "direction" => "in").increment(1);
        self.inlet.put(Arrival::Told { from, fact });
    }

    /// Subscribes to what is wanted and not there, and the other way round.
    async fn apply_follows(&mut self, sink: &mut PubSubSink) -> Result<(), End> {
        let (new, gone, version) = {
            let wanted = lock(&self.follows.wanted);
            let new: Vec<_> = wanted.couriers.difference(&self.subscribed).copied().collect();
            let gone: HashSet<_> = self.subscribed.difference(&wanted.couriers).copied().collect();
            (new, gone, wanted.version)
        };
        for some in new.chunks(CHANNELS_AT_ONCE) {
            answered(sink.subscribe(self.names(some))).await?;
        }
        for some in gone.iter().copied().collect::<Vec<_>>().chunks(CHANNELS_AT_ONCE) {
            answered(sink.unsubscribe(self.names(some))).await?;
        }
        self.subscribed.extend(new);
        self.subscribed.retain(|courier| !gone.contains(courier));
        metrics::gauge!("doorstep_broker_followed_couriers").set(self.subscribed.len() as f64);
        self.follows.applied.send_replace(version);
        Ok(())
    }

    fn names(&self, couriers: &[CourierId]) -> Vec<String> {
        couriers.iter().map(|courier| self.channels.courier(*courier)).collect()
    }
}

async fn answered(asked: impl Future<Output = Result<(), RedisError>>) -> Result<(), End> {
    match timeout(ANSWER_TIMEOUT, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(End::Broken("no answer to a subscription".to_owned())),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
