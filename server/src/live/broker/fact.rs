//! The facts that instances tell each other.
//!
//! Written with postcard behind a version byte: during a rolling restart an instance may meet facts of the next
//! version, which it skips, as it does a kind of fact that it does not know. What a kind gains stands at its end, where
//! older instances stop reading. A skipped or lost fact is never the only copy of anything.

use doorstep_shared::{
    CourierId, DeviceId, OrderId, Position, RawFix, Vehicle,
    protocol::{
        customer::{Eta, Presence},
        fleet::{FleetAlert, FleetOrder},
    },
};
use serde::{Deserialize, Serialize};

use super::instance::InstanceId;
use crate::domain::fleet::{CourierProfile, FleetChange, OrderState, PlanPlaces};

/// Changes when the meaning or the layout of [`Fact`] does.
const VERSION: u8 = 1;

/// Something that one instance knows and others should.
#[allow(clippy::large_enum_variant, reason = "it lives for one send, and most are fixes")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fact {
    /// This instance is here now: tell it what is watched. `missed` says that facts it told lately may be lost.
    Hello {
        /// Read the database, then.
        missed: bool,
    },
    /// It is still here.
    Alive,
    /// It is about to end, and nothing is watched through it any more.
    Bye,
    /// How many watch what through this instance, 0 once nobody watches it any more: everything, or only what changed.
    Watching {
        /// Nothing that is not listed is watched.
        is_all: bool,
        /// How many watch what.
        counts: Vec<(Watch, u32)>,
    },
    /// One of a courier's devices reported. Only instances that follow the courier hear of it.
    Heard {
        /// Who.
        courier: CourierId,
        /// Which of their devices.
        device: DeviceId,
        /// What it reported, already checked.
        fixes: Vec<RawFix>,
    },
    /// Where couriers are, the newest of each.
    Moved(Vec<Movement>),
    /// A courier shares their position, or no longer.
    Presence {
        /// Who.
        courier: CourierId,
        /// Since when, and why.
        presence: Presence,
    },
    /// A courier was created or edited.
    Courier {
        /// Who.
        courier: CourierId,
        /// What they are called.
        name: String,
        /// What they ride.
        vehicle: Vehicle,
    },
    /// An order was created or changed.
    Order {
        /// What dispatchers see of it.
        order: FleetOrder,
        /// When its courier got it, Unix epoch milliseconds.
        assigned_at_ms: Option<i64>,
        /// The courier who had it before, if another one has it now.
        former: Option<CourierId>,
        /// What [`FleetOrder`] gained since version 1, which postcard leaves out of it; `None` from an older instance.
        #[serde(deserialize_with = "doorstep_shared::read_added")]
        gained: Option<OrderGained>,
    },
    /// Something needs a dispatcher's attention.
    Alert(FleetAlert),
    /// A customer was told when their order arrives.
    Eta {
        /// Who brings it.
        courier: CourierId,
        /// Which order.
        order: OrderId,
        /// When.
        eta: Eta,
    },
    /// A device connected: its older connections are superseded.
    DeviceConnected {
        /// Whose.
        courier: CourierId,
        /// Which.
        device: DeviceId,
        /// When, Unix epoch milliseconds.
        at_ms: i64,
    },
    /// A device was revoked.
    DeviceRevoked {
        /// Whose.
        courier: CourierId,
        /// Which.
        device: DeviceId,
    },
    /// Sessions of a courier ended.
    SessionsEnded {
        /// Whose.
        courier: CourierId,
        /// SHA-256 of each session's secret.
        sessions: Vec<[u8; 32]>,
    },
    /// A courier was archived. Instances that do not know this skip it, and show the courier until they read the fleet
    /// anew.
    CourierLeft {
        /// Who.
        courier: CourierId,
    },
    /// A courier's plan changed, or their screen showed what changed.
    Plan(PlanPlaces),
    /// Time alone opened the feed of a courier's first stop: the plan is as it was, and who sees the courier is not.
    FeedOpened {
        /// Who.
        courier: CourierId,
    },
}

/// What an order on the console gained since version 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderGained {
    /// Counts up with every change of the order itself.
    pub version: Option<u64>,
    /// The place of its next stop in its courier's plan, from 1.
    pub sequence: Option<u32>,
    /// When the courier's screen first showed it as it is now, Unix epoch milliseconds.
    pub seen_at_ms: Option<i64>,
}

impl OrderGained {
    const fn of(order: &FleetOrder) -> Self {
        Self { version: order.version, sequence: order.sequence, seen_at_ms: order.seen_at_ms }
    }

    /// The order with what it gained.
    pub fn complete(self, order: FleetOrder) -> FleetOrder {
        let Self { version, sequence, seen_at_ms } = self;
        FleetOrder { version, sequence, seen_at_ms, ..order }
    }
}

/// Where a courier is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Movement {
    /// Who.
    pub courier: CourierId,
    /// Where.
    pub position: Position,
    /// Charge of their device, 0 to 1.
    pub battery: Option<f32>,
}

/// What may be watched, or connected, through an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Watch {
    /// An order, by its customers.
    Order(OrderId),
    /// A courier, by dispatchers who have them in view.
    Courier(CourierId),
    /// Every courier, by dispatchers who see the whole fleet.
    Fleet,
    /// A courier's device that is connected.
    Device(CourierId, DeviceId),
}

impl Fact {
    /// The courier whose followers alone hear of this; `None` for a fact that goes to all instances.
    pub const fn followers_of(&self) -> Option<CourierId> {
        match self {
            Self::Heard { courier, .. } => Some(*courier),
            _ => None,
        }
    }

    /// The fact as bytes, with the instance that tells it.
    pub fn encode(&self, from: InstanceId) -> Vec<u8> {
        postcard::to_allocvec(&(VERSION, from, self)).expect("facts have known lengths")
    }

    /// Reads a fact that another instance than `own` told; `None` for its own facts and for bytes that it cannot read.
    pub fn decode(bytes: &[u8], own: InstanceId) -> Option<(InstanceId, Self)> {
        let ((version, from), rest): ((u8, InstanceId), _) = postcard::take_from_bytes(bytes).ok()?;
        // Before the rest is read: every instance hears itself.
        if version != VERSION || from == own {
            return None;
        }
        postcard::from_bytes(rest).ok().map(|fact| (from, fact))
    }
}

impl From<FleetChange> for Fact {
    fn from(change: FleetChange) -> Self {
        match change {
            FleetChange::Moved { courier, position, battery } => {
                Self::Moved(vec![Movement { courier, position, battery }])
            }
            FleetChange::Presence { courier, presence } => Self::Presence { courier, presence },
            FleetChange::Courier(CourierProfile { id, name, vehicle }) => Self::Courier { courier: id, name, vehicle },
            FleetChange::Left(courier) => Self::CourierLeft { courier },
            FleetChange::Order(state) => Self::order(state, None),
            FleetChange::Plan(places) => Self::Plan(places),
            FleetChange::Alert(alert) => Self::Alert(alert),
        }
    }
}

impl Fact {
    /// An order's change.
    pub fn order(state: OrderState, former: Option<CourierId>) -> Self {
        let gained = Some(OrderGained::of(&state.order));
        Self::Order { order: state.order, assigned_at_ms: state.assigned_at_ms, former, gained }
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::OrderStatus;

    use super::*;

    fn order() -> FleetOrder {
        FleetOrder {
            id: OrderId::new(),
            reference: "A-1".into(),
            status: OrderStatus::Assigned,
            status_at_ms: 17,
            courier_id: None,
            version: Some(7),
            sequence: Some(2),
            seen_at_ms: None,
        }
    }

    #[test]
    fn an_order_s_version_crosses_and_an_older_instance_s_fact_has_none() {
        /// The fact as version 1 wrote it.
        #[derive(Serialize, Deserialize)]
        struct Before(FleetOrder, Option<i64>, Option<CourierId>);

        let (ours, theirs, order) = (InstanceId::new(), InstanceId::new(), order());
        let state = OrderState { order: order.clone(), assigned_at_ms: Some(3) };
        let bytes = Fact::order(state, None).encode(theirs);
        let Some((_, Fact::Order { order: bare, gained: Some(gained), .. })) = Fact::decode(&bytes, ours) else {
            panic!("an order with what it gained");
        };
        assert_eq!(gained.complete(bare), order);

        let before = postcard::to_allocvec(&Before(order, Some(3), None)).expect("has known lengths");
        let end = bytes.windows(before.len()).position(|window| window == before).expect("as version 1 wrote it");
        let older = &bytes[..end + before.len()];
        let read = Fact::decode(older, ours);
        assert!(matches!(read, Some((_, Fact::Order { assigned_at_ms: Some(3), gained: None, .. }))), "{read:?}");
    }

    #[test]
    fn a_fact_is_read_by_others_and_not_by_the_instance_that_told_it() {
        let (ours, theirs) = (InstanceId::new(), InstanceId::new());
        let fact = Fact::Heard {
            courier: CourierId::new(),
            device: DeviceId::new(),
            fixes: vec![RawFix { time_ms: 17, lat: 35.9, lon: 14.5, battery: Some(0.5), ..RawFix::default() }],
        };
        let bytes = fact.encode(theirs);
        assert_eq!(Fact::decode(&bytes, ours), Some((theirs, fact)));
        assert_eq!(Fact::decode(&bytes, theirs), None);
    }

    #[test]
    fn a_fact_that_cannot_be_read_is_skipped() {
        let ours = InstanceId::new();
        let mut next_version = Fact::Alive.encode(InstanceId::new());
        next_version[0] = VERSION + 1;
        for bytes in [&next_version[..], &[], &[VERSION], b"PUBLISH something else entirely"] {
            assert_eq!(Fact::decode(bytes, ours), None, "{bytes:?}");
        }
    }
}
