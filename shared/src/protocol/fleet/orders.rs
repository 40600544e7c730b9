//! Orders on the console, one by one and in the snapshot.
//!
//! In postcard an element of a list can gain no field, so what a [`FleetOrder`] gained since version 1 stands at the end
//! of the message, in the same order as the orders; older consoles stop reading before that.

use serde::{Deserialize, Serialize};

use super::FleetCourier;
use crate::{CourierId, OrderId, OrderStatus, wire::read_added};

wire! {
    /// An order on the console.
    pub struct FleetOrder {
        /// Its id.
        pub id: OrderId,
        /// The merchant's name for it.
        pub reference: String,
        /// How far it is.
        pub status: OrderStatus,
        /// Since when, Unix epoch milliseconds.
        pub status_at_ms: i64,
        /// Who brings it.
        pub courier_id: Option<CourierId>,
    } json_only {
        /// Counts up with every change of the order itself; absent from servers that do not count.
        pub version: Option<u64>,
        /// The place of its next stop in its courier's plan, from 1; absent without one.
        pub sequence: Option<u32>,
        /// When the courier's screen first showed it as it is now, Unix epoch milliseconds; absent until it did.
        pub seen_at_ms: Option<i64>,
    }
}

/// The whole fleet.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetSnapshot {
    /// Always 0.
    pub seq: u64,
    /// The server's clock, Unix epoch milliseconds.
    pub server_time_ms: i64,
    /// Every courier.
    pub couriers: Vec<FleetCourier>,
    /// Every order that is not over.
    pub orders: Vec<FleetOrder>,
}

/// An order changed.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetOrderChange {
    /// Place in the connection's sequence.
    pub seq: u64,
    /// The order as it is now.
    pub order: FleetOrder,
}

/// What an order gained since version 1.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Gained {
    version: Option<u64>,
    sequence: Option<u32>,
    seen_at_ms: Option<i64>,
}

impl Gained {
    const fn of(order: &FleetOrder) -> Self {
        Self { version: order.version, sequence: order.sequence, seen_at_ms: order.seen_at_ms }
    }

    fn give(self, order: &mut FleetOrder) {
        let Self { version, sequence, seen_at_ms } = self;
        (order.version, order.sequence, order.seen_at_ms) = (version, sequence, seen_at_ms);
    }
}

const _: () = {
    type Target = FleetSnapshot;

    #[derive(Serialize, Deserialize)]
    #[serde(remote = "Target")]
    struct Json {
        seq: u64,
        server_time_ms: i64,
        couriers: Vec<FleetCourier>,
        orders: Vec<FleetOrder>,
    }

    impl Target {
        fn gained(&self) -> Option<Vec<Gained>> {
            Some(self.orders.iter().map(Gained::of).collect())
        }
    }

    #[derive(Serialize, Deserialize)]
    #[serde(remote = "Target")]
    struct Postcard {
        seq: u64,
        server_time_ms: i64,
        couriers: Vec<FleetCourier>,
        orders: Vec<FleetOrder>,
        #[serde(getter = "Target::gained", deserialize_with = "read_added")]
        gained: Option<Vec<Gained>>,
    }

    impl From<Postcard> for Target {
        fn from(read: Postcard) -> Self {
            let Postcard { seq, server_time_ms, couriers, mut orders, gained } = read;
            for (order, gained) in orders.iter_mut().zip(gained.unwrap_or_default()) {
                gained.give(order);
            }
            Self { seq, server_time_ms, couriers, orders }
        }
    }

    wire!(@serde FleetSnapshot);
};

const _: () = {
    type Target = FleetOrderChange;

    #[derive(Serialize, Deserialize)]
    #[serde(remote = "Target")]
    struct Json {
        seq: u64,
        order: FleetOrder,
    }

    impl Target {
        const fn gained(&self) -> Option<Gained> {
            Some(Gained::of(&self.order))
        }
    }

    #[derive(Serialize, Deserialize)]
    #[serde(remote = "Target")]
    struct Postcard {
        seq: u64,
        order: FleetOrder,
        #[serde(getter = "Target::gained", deserialize_with = "read_added")]
        gained: Option<Gained>,
    }

    impl From<Postcard> for Target {
        fn from(read: Postcard) -> Self {
            let Postcard { seq, mut order, gained } = read;
            if let Some(gained) = gained {
                gained.give(&mut order);
            }
            Self { seq, order }
        }
    }

    wire!(@serde FleetOrderChange);
};
