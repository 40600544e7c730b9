//! The broker within one process: straight into the hub and the fleet.
//!
//! A server on its own has no other instances ([`InProcess::new`]). Several servers in one process may share a
//! [`Bus`], which keeps the same promises as Redis does between processes.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use doorstep_shared::{CourierId, OrderId};
use futures_util::{FutureExt, future::BoxFuture};
use tokio::sync::mpsc;

use super::{Broker, Fact, Inbound, InstanceId, PeerLink, queues::Inlet};
use crate::{
    domain::fleet::{FleetChange, OrderState},
    live::{
        fleet::Fleet,
        hub::{Hub, LiveEvent},
    },
};

/// Delivers to this instance's own viewers and dispatchers, and to the other instances on its bus.
#[derive(Debug)]
pub struct InProcess {
    hub: Arc<Hub>,
    fleet: Arc<Fleet>,
    seat: Option<Seat>,
}

/// Connects servers of one process. Shared by reference.
#[derive(Debug, Default)]
pub struct Bus {
    members: Mutex<Vec<Member>>,
}

#[derive(Debug)]
struct Member {
    id: InstanceId,
    inlet: Inlet,
    follows: HashSet<CourierId>,
}

#[derive(Debug)]
struct Seat {
    bus: Arc<Bus>,
    id: InstanceId,
}

impl InProcess {
    /// A broker for `hub` and `fleet`, without other instances.
    pub fn new(hub: Arc<Hub>, fleet: Arc<Fleet>) -> Self {
        Self { hub, fleet, seat: None }
    }

    /// A broker on a bus with other instances, and what comes in from them.
    pub fn on(bus: &Arc<Bus>, hub: Arc<Hub>, fleet: Arc<Fleet>) -> (Self, mpsc::Receiver<Inbound>) {
        let (inlet, inbound) = Inlet::new();
        let id = InstanceId::new();
        bus.lock().push(Member { id, inlet, follows: HashSet::new() });
        (Self { hub, fleet, seat: Some(Seat { bus: Arc::clone(bus), id }) }, inbound)
    }

    fn with_member<T: Default>(&self, work: impl FnOnce(&mut Member) -> T) -> T {
        let Some(seat) = &self.seat else { return T::default() };
        let mut members = seat.bus.lock();
        members.iter_mut().find(|member| member.id == seat.id).map(work).unwrap_or_default()
    }
}

impl Bus {
    fn lock(&self) -> MutexGuard<'_, Vec<Member>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.bus.lock().retain(|member| member.id != self.id);
    }
}

impl Broker for InProcess {
    fn publish(&self, order: OrderId, event: LiveEvent) {
        self.hub.publish(order, event);
    }

    fn publish_fleet(&self, change: FleetChange) {
        if self.has_peers() {
            self.tell(change.clone().into());
        }
        self.fleet.note(change);
    }

    fn publish_order(&self, state: OrderState, former: Option<CourierId>) {
        if self.has_peers() {
            self.tell(Fact::order(state.clone(), former));
        }
        self.fleet.note(FleetChange::Order(state));
    }

    fn has_peers(&self) -> bool {
        self.seat.is_some()
    }

    fn tell(&self, fact: Fact) {
        let Some(seat) = &self.seat else { return };
        let members = seat.bus.lock();
        let others = members.iter().filter(|member| member.id != seat.id);
        let concerned = others.filter(|member| fact.followers_of().is_none_or(|who| member.follows.contains(&who)));
        concerned.for_each(|member| member.inlet.put(Inbound::Told { from: seat.id, fact: fact.clone() }));
    }

    fn follow(&self, courier: CourierId) -> BoxFuture<'static, ()> {
        self.with_member(|member| _ = member.follows.insert(courier));
        std::future::ready(()).boxed()
    }

    fn unfollow(&self, couriers: &[CourierId]) {
        self.with_member(|member| member.follows.retain(|courier| !couriers.contains(courier)));
    }

    fn followed(&self) -> Vec<CourierId> {
        self.with_member(|member| member.follows.iter().copied().collect())
    }

    fn link(&self) -> PeerLink {
        if self.has_peers() { PeerLink::Up } else { PeerLink::Alone }
    }
}
