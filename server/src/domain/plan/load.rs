//! How much a courier carries after each stop, and how much they can.

use std::collections::{HashMap, HashSet};

use doorstep_shared::{OrderId, api::plan::PlanStop, protocol::courier::StopKind};

/// The sizes of a courier's orders, and what the courier can carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How much the courier can carry at once; `None` without a limit.
    pub capacity: Option<u32>,
    /// How much each order takes.
    pub sizes: HashMap<OrderId, u32>,
}

impl Limits {
    /// How much the courier carries after each of these stops.
    pub fn loads(&self, stops: &[PlanStop]) -> Vec<u32> {
        let mut load = self.on_board(stops);
        let after = stops.iter().map(|stop| {
            let size = self.size(stop.order_id);
            load = match stop.kind {
                StopKind::Pickup => load.saturating_add(size),
                StopKind::Dropoff | StopKind::Return => load.saturating_sub(size),
            };
            load
        });
        after.collect()
    }

    /// How much they carry before the first stop: every order that is handed over or brought back without being
    /// collected first.
    pub fn on_board(&self, stops: &[PlanStop]) -> u32 {
        let collected: HashSet<_> =
            stops.iter().filter(|stop| stop.kind == StopKind::Pickup).map(|stop| stop.order_id).collect();
        let ends = stops.iter().filter(|stop| stop.kind != StopKind::Pickup);
        let on_board = ends.filter(|stop| !collected.contains(&stop.order_id));
        on_board.fold(0, |load: u32, stop| load.saturating_add(self.size(stop.order_id)))
    }

    /// By how much the courier would at most exceed their capacity.
    pub fn excess(&self, stops: &[PlanStop]) -> u32 {
        let Some(capacity) = self.capacity else { return 0 };
        let highest = self.loads(stops).into_iter().chain([self.on_board(stops)]).max().unwrap_or(0);
        highest.saturating_sub(capacity)
    }

    /// The order with which the courier would first carry more than their capacity and `tolerated` beyond it.
    pub fn first_beyond(&self, stops: &[PlanStop], tolerated: u32) -> Option<OrderId> {
        let most = self.capacity?.saturating_add(tolerated);
        let loads = self.loads(stops);
        stops.iter().zip(loads).find(|(_, load)| *load > most).map(|(stop, _)| stop.order_id)
    }

    /// How much an order takes.
    pub fn size(&self, order: OrderId) -> u32 {
        self.sizes.get(&order).copied().unwrap_or(1)
    }
}
