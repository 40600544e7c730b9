//! What the watch over the fleet remembers from round to round. All of it may be lost.

use std::collections::{HashMap, HashSet};

use doorstep_shared::{CourierId, DeviceId, OrderId};

use super::deliveries::Delivery;
use crate::{
    domain::{exception::LastHeard, track::off_route::Way},
    live::tracker::AtWork,
};

/// The memory of one watch.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) ways: HashMap<CourierId, Way>,
    /// The database's answers about couriers who seem silent.
    pub(super) heard: HashMap<CourierId, Asked>,
    /// Since when an order that is not raised yet will surely be late, Unix epoch milliseconds.
    pub(super) doubtful: HashMap<OrderId, i64>,
    /// How long couriers usually wait at the pickup of each order whose courier waits now, in seconds.
    pub(super) usual_waits: HashMap<OrderId, Option<u32>>,
    /// Hand-overs that are not judged yet.
    pub(super) pending: Vec<Delivery>,
    /// When couriers' phones were last told that one of their devices is rejected, Unix epoch milliseconds.
    pub(super) told: HashMap<DeviceId, i64>,
    pub(super) has_begun: bool,
}

/// When the database was asked about a courier, and its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) at_ms: i64,
    pub(super) answer: Option<LastHeard>,
}

impl Memory {
    /// Drops what concerns couriers and orders that are no longer watched.
    pub(super) fn forget_others(&mut self, fleet: &[AtWork], unassigned: &[OrderId]) {
        let couriers: HashSet<CourierId> = fleet.iter().map(|seen| seen.courier).collect();
        self.ways.retain(|courier, _| couriers.contains(courier));
        self.heard.retain(|courier, _| couriers.contains(courier));
        if self.doubtful.is_empty() {
            return;
        }
        let open = fleet.iter().flat_map(|seen| seen.open.iter().map(|order| order.id));
        let orders: HashSet<OrderId> = open.chain(unassigned.iter().copied()).collect();
        self.doubtful.retain(|order, _| orders.contains(order));
    }

    /// The database's last answer about a courier who seemed silent.
    pub(super) fn heard(&self, courier: CourierId) -> Option<LastHeard> {
        self.heard.get(&courier).and_then(|asked| asked.answer)
    }
}
