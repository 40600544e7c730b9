//! The broker of a single instance: straight into the hub.

use std::sync::Arc;

use doorstep_shared::OrderId;

use super::Broker;
use crate::hub::{Hub, LiveEvent};

/// Delivers to this instance's own viewers.
#[derive(Debug)]
pub struct InProcess {
    hub: Arc<Hub>,
}

impl InProcess {
    /// A broker for `hub`.
    pub fn new(hub: Arc<Hub>) -> Self {
        Self { hub }
    }
}

impl Broker for InProcess {
    fn publish(&self, order: OrderId, event: LiveEvent) {
        self.hub.publish(order, event);
    }
}
