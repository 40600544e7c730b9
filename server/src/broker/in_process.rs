//! The broker of a single instance: straight into the hub and the fleet.

use std::sync::Arc;

use doorstep_shared::OrderId;

use super::Broker;
use crate::{
    fleet::{Fleet, change::FleetChange},
    hub::{Hub, LiveEvent},
};

/// Delivers to this instance's own viewers and dispatchers.
#[derive(Debug)]
pub struct InProcess {
    hub: Arc<Hub>,
    fleet: Arc<Fleet>,
}

impl InProcess {
    /// A broker for `hub` and `fleet`.
    pub fn new(hub: Arc<Hub>, fleet: Arc<Fleet>) -> Self {
        Self { hub, fleet }
    }
}

impl Broker for InProcess {
    fn publish(&self, order: OrderId, event: LiveEvent) {
        self.hub.publish(order, event);
    }

    fn publish_fleet(&self, change: FleetChange) {
        self.fleet.note(change);
    }
}
