//! The broker between processes: Redis Pub/Sub.
//!
//! Two connections: one publishes what this instance tells, in pipelines of all facts that wait; the other listens
//! to the channel of all instances and to the channels of the couriers whom this instance follows. Nothing is stored
//! in Redis. Each connection comes back by itself; facts told meanwhile are dropped and not kept, because by then
//! Postgres knows better, and both sides learn that they missed something.
//! Both connections share one thread with the task that takes facts in, so that a fact on its way to or from Redis is
//! not handed from thread to thread.
//! Redis must be as trusted as the database: couriers' positions pass through it.

mod channels;
mod follows;
mod link_state;
mod listener;
mod publisher;
mod retry;

use std::{
    collections::HashSet,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use doorstep_shared::{CourierId, OrderId};
use futures_util::{FutureExt, future::BoxFuture};
use redis::Client;
use tokio::{runtime::Handle, sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

use self::{follows::Follows, link_state::LinkState, listener::Listener, publisher::Publisher};
use super::{
    Broker, Fact, Inbound, InstanceId, PeerLink,
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

pub use self::channels::Channels;

/// How long a viewer waits for the subscription. It takes a millisecond, or Redis is in trouble.
const FOLLOW_PATIENCE: Duration = Duration::from_millis(500);

/// Tells and hears the other instances through Redis.
#[derive(Debug)]
pub struct Redis {
    hub: Arc<Hub>,
    fleet: Arc<Fleet>,
    outlet: Outlet,
    /// Movements that wait for the publisher, the newest of each courier.
    moves: Arc<Mutex<Inbox>>,
    follows: Arc<Follows>,
    link: Arc<LinkState>,
}

/// What [`Redis::start`] has started.
#[derive(Debug)]
pub struct Started {
    /// Tells the other instances.
    pub broker: Redis,
    /// What comes in from them, in order.
    pub inbound: mpsc::Receiver<Inbound>,
    /// The thread of both connections, on which `inbound` should be read.
    pub thread: Handle,
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
        let (inlet, inbound) = Inlet::new();
        let (moves, follows, link) = (Arc::default(), Arc::default(), Arc::default());
        let broker = Self { hub, fleet, outlet, moves, follows, link };
        let publisher = Publisher {
            client: client.clone(),
            channels: channels.clone(),
            id,
            facts,
            outlet: broker.outlet.clone(),
            moves: Arc::clone(&broker.moves),
            link: Arc::clone(&broker.link),
        };
        let listener = Listener {
            client,
            channels,
            id,
            inlet,
            outlet: broker.outlet.clone(),
            follows: Arc::clone(&broker.follows),
            link: Arc::clone(&broker.link),
            subscribed: HashSet::new(),
            was_connected: false,
        };
        let thread = tasks.spawn_critical_together(
            "broker",
            [
                ("broker_publisher", publisher.run(shutdown.clone()).boxed()),
                ("broker_listener", listener.run(shutdown.clone()).boxed()),
            ],
        )?;
        Ok(Started { broker, inbound, thread })
    }
}

impl Broker for Redis {
    fn publish(&self, order: OrderId, event: LiveEvent) {
        self.hub.publish(order, event);
    }

    fn publish_fleet(&self, change: FleetChange) {
        match &change {
            FleetChange::Moved { .. } => {
                self.moves.lock().unwrap_or_else(PoisonError::into_inner).put(change.clone());
            }
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

    fn follow(&self, courier: CourierId) -> BoxFuture<'static, ()> {
        let confirmed = self.follows.confirmed(self.follows.add(courier));
        let is_connected = self.link.is_listening();
        async move {
            if is_connected {
                let _ = timeout(FOLLOW_PATIENCE, confirmed).await;
            }
        }
        .boxed()
    }

    fn unfollow(&self, couriers: &[CourierId]) {
        self.follows.remove(couriers);
    }

    fn followed(&self) -> Vec<CourierId> {
        self.follows.all()
    }

    fn link(&self) -> PeerLink {
        if self.link.is_up() { PeerLink::Up } else { PeerLink::Down }
    }
}
