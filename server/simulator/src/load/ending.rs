//! Whether everybody sees the same in the end: what was stored last is what customers and dispatchers were shown last.

use std::collections::HashMap;

use doorstep_shared::CourierId;
use serde::{Deserialize, Serialize};

use crate::{
    console::FleetLog,
    courier::{CourierLog, FixOutcome},
    viewer::ViewerLog,
};

/// Who ended up with another picture than the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Customers whose marker is not at their courier's newest acked fix.
    pub viewers_apart: u64,
    /// Couriers that a dispatcher has elsewhere, over all dispatchers.
    pub consoles_apart: u64,
}

impl Ending {
    /// Compares what was stored and seen last. Viewers are spread evenly over the couriers.
    pub(super) fn of(couriers: &[(CourierId, CourierLog)], viewers: &[ViewerLog], dispatchers: &[FleetLog]) -> Self {
        let newest: Vec<_> = couriers.iter().map(|(courier, log)| (*courier, newest_acked(log))).collect();
        let seen = viewers.iter().map(|log| log.view.newest_ms);
        let viewers_apart = seen.zip(newest.iter().cycle()).filter(|(seen, (_, newest))| seen != newest).count() as u64;
        let newest: HashMap<CourierId, Option<i64>> = newest.into_iter().collect();
        let consoles_apart = dispatchers.iter().map(|log| {
            let told = |courier| log.picture.couriers.get(courier).and_then(|courier| courier.position);
            let apart = newest.iter().filter(|(id, newest)| told(id).map(|position| position.time_ms) != **newest);
            apart.count() as u64
        });
        Self { viewers_apart, consoles_apart: consoles_apart.sum() }
    }
}

fn newest_acked(log: &CourierLog) -> Option<i64> {
    let newest = log.sent.iter().rev().find(|(_, sent)| sent.outcome == Some(FixOutcome::Acked));
    newest.map(|(time_ms, _)| *time_ms)
}
