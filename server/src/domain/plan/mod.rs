//! A courier's plan: their open stops in one explicit order.
//!
//! Everything that depends on the order of stops derives from it: the courier's list, the tour, arrival times, how many
//! stops come before a customer's, and which customer sees the courier. A [`Plan`] is stops, how many at the start keep
//! their places, and a version; [`Planned`] joins it with the orders. Servers of the version before write orders and no
//! plans, so [`Plan::reconcile`] makes every plan that is read hold each open stop exactly once, every pickup before its
//! drop-off. Pure: [`crate::store::plans`] reads and writes plans together with the orders.

mod insertion;
mod load;
mod news;
mod planned;

use std::collections::HashSet;

use doorstep_shared::{CourierId, OrderId, OrderStatus, api::plan::PlanStop, protocol::courier::StopKind};

pub use self::{
    insertion::Placing,
    load::Limits,
    news::{News, news_for_courier},
    planned::{Planned, StopAhead, until_door},
};
pub use crate::platform::config::NewStops;

use crate::domain::order::{Order, Waypoint};

/// The stops that `courier` still has to make for `order`, in their order. None when the order is not theirs or over.
pub fn open_stops(order: &Order, courier: CourierId) -> &'static [StopKind] {
    use StopKind::{Dropoff, Pickup, Return};
    let is_theirs = order.courier_id == Some(courier);
    let has_goods = order.carried_by == Some(courier);
    match order.status {
        // Of a second attempt the goods may be on board already.
        OrderStatus::Assigned | OrderStatus::AtPickup if is_theirs && has_goods => &[Dropoff],
        OrderStatus::Assigned | OrderStatus::AtPickup if is_theirs => &[Pickup, Dropoff],
        OrderStatus::PickedUp | OrderStatus::AtDropoff if is_theirs => &[Dropoff],
        OrderStatus::Failed | OrderStatus::Cancelled if has_goods => &[Return],
        _ => &[],
    }
}

/// Where an order's stop is.
pub fn place_of(order: &Order, kind: StopKind) -> &Waypoint {
    match kind {
        StopKind::Pickup | StopKind::Return => &order.pickup,
        StopKind::Dropoff => &order.dropoff,
    }
}

/// The stop that a courier makes when they report `status`; `None` when that is no visit.
pub fn visited(status: OrderStatus) -> Option<StopKind> {
    match status {
        OrderStatus::AtPickup | OrderStatus::PickedUp => Some(StopKind::Pickup),
        OrderStatus::AtDropoff | OrderStatus::Delivered => Some(StopKind::Dropoff),
        _ => None,
    }
}

/// Open stops in the order in which the courier should make them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Counts up with every change of what the courier sees; 0 before the first.
    pub version: u64,
    /// How many stops at the start keep their places.
    pub locked: usize,
    /// The stops.
    pub stops: Vec<PlanStop>,
}

/// Why an order of stops was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The stop is not an open one of the courier, or it is there twice.
    Unknown(PlanStop),
    /// An open stop is not there.
    Missing(PlanStop),
    /// The order would be handed over before it is collected.
    DropoffBeforePickup(OrderId),
    /// With this order the courier would carry more than they can.
    OverCapacity(OrderId),
    /// Dispatch fixed the place of the stop, and the courier may not move it.
    Locked(PlanStop),
}

impl Plan {
    /// The same plan for these `open` stops: without those that are done, and with those that it lacked.
    ///
    /// A missing pickup goes before its drop-off, all other missing stops go to the end in the order of `open`. There the
    /// courier carries nothing else, so no capacity is exceeded.
    pub fn reconcile(mut self, open: &[PlanStop]) -> Self {
        self.drop_done(open);
        let mut known: HashSet<PlanStop> = self.stops.iter().copied().collect();
        for stop in open.iter().filter(|stop| !known.contains(*stop)).copied().collect::<Vec<_>>() {
            known.insert(stop);
            let dropoff = PlanStop { kind: StopKind::Dropoff, ..stop };
            match self.position(dropoff).filter(|_| stop.kind == StopKind::Pickup) {
                Some(at) => self.insert(at, stop),
                None => self.stops.push(stop),
            }
        }
        self
    }

    /// Keeps each open stop once, and no drop-off that stands before its pickup.
    fn drop_done(&mut self, open: &[PlanStop]) {
        let open: HashSet<_> = open.iter().copied().collect();
        let (mut kept, mut locked) = (HashSet::new(), 0);
        let mut stops = Vec::with_capacity(open.len());
        for (index, stop) in self.stops.iter().enumerate() {
            let pickup = PlanStop { kind: StopKind::Pickup, ..*stop };
            let is_too_early = stop.kind == StopKind::Dropoff && open.contains(&pickup) && !kept.contains(&pickup);
            if open.contains(stop) && !is_too_early && kept.insert(*stop) {
                stops.push(*stop);
                locked += usize::from(index < self.locked);
            }
        }
        (self.stops, self.locked) = (stops, locked);
    }

    /// Puts `stop` in front: the courier makes it now.
    ///
    /// A drop-off that follows its pickup directly comes along while nothing else is on board, and so does one without
    /// which the courier would carry too much. While `more_here` is to be collected at the same place, it stays where it
    /// is. Does nothing for a stop that the plan does not have.
    pub fn move_to_front(&mut self, stop: PlanStop, limits: &Limits, more_here: bool) {
        let Some(at) = self.position(stop).filter(|at| *at > 0) else { return };
        let dropoff = PlanStop { kind: StopKind::Dropoff, ..stop };
        let follows = !more_here && self.stops.get(at + 1) == Some(&dropoff) && limits.on_board(&self.stops) == 0;
        self.move_stop(at, 0);
        let Some(from) = self.position(dropoff).filter(|_| stop.kind == StopKind::Pickup) else { return };
        let mut unbroken = self.clone();
        unbroken.move_stop(from, 1);
        if follows || limits.excess(&unbroken.stops) < limits.excess(&self.stops) {
            *self = unbroken;
        }
    }

    /// Moves a stop forwards. Stops with fixed places keep them after it.
    fn move_stop(&mut self, from: usize, to: usize) {
        let stop = self.stops.remove(from);
        if from < self.locked {
            self.locked -= 1;
        }
        self.insert(to, stop);
    }

    fn insert(&mut self, at: usize, stop: PlanStop) {
        self.stops.insert(at, stop);
        if at < self.locked {
            self.locked += 1;
        }
    }

    /// The plan with its stops in the order that a caller wants. `locked` is as before when left out; a stop that stood
    /// among the fixed ones then counts where it stands now.
    ///
    /// # Errors
    /// [`Refusal`], the first that applies. A plan that exceeds the capacity already may be put in any order that
    /// exceeds it no further.
    pub fn reorder(&self, wanted: &[PlanStop], locked: Option<usize>, limits: &Limits) -> Result<Self, Refusal> {
        let open: HashSet<_> = self.stops.iter().copied().collect();
        let mut seen = HashSet::with_capacity(wanted.len());
        for stop in wanted {
            if !open.contains(stop) || !seen.insert(*stop) {
                return Err(Refusal::Unknown(*stop));
            }
        }
        if let Some(missing) = self.stops.iter().find(|stop| !seen.contains(*stop)) {
            return Err(Refusal::Missing(*missing));
        }
        if let Some(early) = dropoff_before_pickup(wanted) {
            return Err(Refusal::DropoffBeforePickup(early));
        }
        if let Some(heavy) = limits.first_beyond(wanted, limits.excess(&self.stops)) {
            return Err(Refusal::OverCapacity(heavy));
        }
        let locked = locked.unwrap_or(self.locked).min(wanted.len());
        Ok(Self { version: self.version, locked, stops: wanted.to_vec() })
    }

    /// The first stop with a fixed place that `wanted` moves.
    pub fn first_unlocked(&self, wanted: &[PlanStop]) -> Option<PlanStop> {
        let fixed = self.stops.iter().take(self.locked).enumerate();
        fixed.filter(|(at, stop)| wanted.get(*at) != Some(*stop)).map(|(_, stop)| *stop).next()
    }

    fn position(&self, stop: PlanStop) -> Option<usize> {
        self.stops.iter().position(|known| *known == stop)
    }
}

/// The first order whose drop-off stands before its pickup.
fn dropoff_before_pickup(stops: &[PlanStop]) -> Option<OrderId> {
    let mut dropped = HashSet::new();
    for stop in stops {
        match stop.kind {
            StopKind::Dropoff => _ = dropped.insert(stop.order_id),
            StopKind::Pickup if dropped.contains(&stop.order_id) => return Some(stop.order_id),
            StopKind::Pickup | StopKind::Return => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
