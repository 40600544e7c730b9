//! Carries what happens between instances, so that any client may be connected to any of them.
//!
//! Instances exchange facts, not messages for clients: a courier reported, an order changed, a customer watches. Each
//! instance does with a fact what it does with its own, so it serves its viewers from its own memory, and goes on
//! serving them when the others cannot be reached. Delivery is at most once; facts of one instance come in in the order
//! in which they were told. An instance that may have missed facts learns that ([`Inbound::Missed`]) and reads Postgres,
//! where everything is that must not be lost.
//!
//! One instance needs no more than [`in_process::InProcess`]; several share a Redis ([`redis::Redis`]).

mod fact;
pub mod in_process;
mod inbound;
mod instance;
mod queues;
pub mod redis;

use doorstep_shared::{CourierId, OrderId};
use futures_util::future::BoxFuture;

use crate::{
    domain::fleet::{FleetChange, OrderState},
    live::hub::LiveEvent,
};

pub use self::{
    fact::{Fact, Movement, OrderGained, Watch},
    inbound::Inbound,
    instance::InstanceId,
};

/// Whether other instances can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerLink {
    /// There are none by configuration.
    Alone,
    /// They can.
    Up,
    /// Not now; each instance serves its own clients.
    Down,
}

/// A way to reach viewers and dispatchers, and the other instances.
///
/// Nothing here waits or fails in a way that the caller could mend, except that [`Broker::follow`] waits a moment.
pub trait Broker: Send + Sync + std::fmt::Debug {
    /// Hands `event` to the order's viewers on this instance.
    fn publish(&self, order: OrderId, event: LiveEvent);

    /// Hands a change to every dispatcher's view of the fleet, on all instances. Called for every position of every
    /// courier: it costs next to nothing while nobody watches.
    fn publish_fleet(&self, change: FleetChange);

    /// The same for a new or changed order, which concerns more than dispatchers on the other instances. `former` is
    /// the courier who had it before, if another one has it now.
    fn publish_order(&self, state: OrderState, former: Option<CourierId>);

    /// Whether there may be other instances. When not, callers need not put a fact together.
    fn has_peers(&self) -> bool;

    /// Tells the other instances a fact: [`Fact::Heard`] to those that follow the courier, everything else to all.
    fn tell(&self, fact: Fact);

    /// Asks for every fix of a courier that other instances receive, until [`Broker::unfollow`]. The future is done when
    /// no later fix is missed, or after a moment if the others cannot be reached. Earlier fixes are in the database;
    /// [`super::following::Following`] keeps account of who has read them.
    fn follow(&self, courier: CourierId) -> BoxFuture<'static, ()>;

    /// The opposite, for several at once. Couriers who are not followed do no harm.
    fn unfollow(&self, couriers: &[CourierId]);

    /// Every courier followed, in any order.
    fn followed(&self) -> Vec<CourierId>;

    /// Whether other instances can be reached now.
    fn link(&self) -> PeerLink;
}
