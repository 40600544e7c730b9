//! Carries what happens between instances, so that any client may be connected to any of them.
//!
//! What crosses is facts, not messages for clients: a courier was heard, an order changed, somebody watches. Each
//! instance does with a fact what it does with its own, so its viewers are served from its own memory, and go on
//! being served when the others cannot be reached. Delivery is at most once; facts of one instance arrive in the order
//! in which they were told. Whoever may have missed something learns that ([`Arrival::Missed`]) and reads Postgres,
//! where everything is that must not be lost.
//!
//! One instance needs no more than [`in_process::InProcess`]; several share a Redis ([`redis::Redis`]).

pub mod fact;
pub mod in_process;
pub mod queues;
pub mod redis;

use doorstep_shared::{CourierId, OrderId};
use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::{
    domain::fleet::{FleetChange, OrderState},
    live::hub::LiveEvent,
};

pub use self::fact::{Arrival, Fact, Movement, Watch};

/// One running server, from its start to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct InstanceId(Uuid);

impl InstanceId {
    /// A new instance.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

/// Whether other instances can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// There are none by configuration.
    Alone,
    /// They can.
    Up,
    /// Not now; everybody serves their own.
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
    /// who had it before, if somebody else has it now.
    fn publish_order(&self, state: OrderState, former: Option<CourierId>);

    /// Whether there may be other instances. When not, nobody need put a fact together.
    fn has_peers(&self) -> bool;

    /// Tells the other instances a fact: [`Fact::Heard`] to those that follow the courier, everything else to all.
    fn tell(&self, fact: Fact);

    /// Asks for every fix of a courier that others hear, until [`Broker::unfollow`]. The future is done when nothing
    /// is missed any more, or after a moment if the others cannot be reached; `true` if the courier was not followed
    /// before, so that what others heard until now is to be read from the database.
    fn follow(&self, courier: CourierId) -> BoxFuture<'static, bool>;

    /// The opposite, for several at once. Those that are not followed are no matter.
    fn unfollow(&self, couriers: &[CourierId]);

    /// Everybody followed, in any order.
    fn followed(&self) -> Vec<CourierId>;

    /// Whether other instances can be reached now.
    fn link(&self) -> Link;
}
