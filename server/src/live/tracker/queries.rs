//! The questions that others ask about couriers. Nothing here changes a state; [`super::views`] has the answers' types.

use std::collections::HashSet;

use doorstep_shared::{CourierId, LatLon, OrderId, Position, Vehicle, protocol::customer::Eta};

use super::{
    Tracker,
    courier_state::CourierState,
    views::{AtWork, Heading, LastSeen, OnTour, Sight, Standing, Whereabouts},
};
use crate::domain::order::stops::Whence;

impl Tracker {
    /// Every courier of whom something is known, in any order.
    pub fn known(&self) -> Vec<CourierId> {
        self.couriers.collect(|courier, _| Some(courier))
    }

    /// Whether a courier reports to another instance, which then does for them what only one should do.
    pub fn is_elsewhere(&self, courier: CourierId, now_ms: i64) -> bool {
        self.couriers.lock(courier).get(&courier).is_some_and(|state| state.marks.is_elsewhere(now_ms))
    }

    /// Every courier who reported to this instance lately, or for one of whose orders `is_watched` says yes.
    pub fn concerns(&self, now_ms: i64, is_watched: impl Fn(OrderId) -> bool) -> HashSet<CourierId> {
        let of_concern = |state: &CourierState| {
            state.marks.was_here_lately(now_ms) || state.planned.orders.iter().any(|order| is_watched(order.id))
        };
        self.couriers.collect(|courier, state| of_concern(state).then_some(courier))
    }

    /// Everybody who has orders and does not report to another instance, which looks after them. A few milliseconds for
    /// thousands; each shard's lock is held for its own part only.
    pub fn at_work(&self, now_ms: i64) -> Vec<AtWork> {
        let is_ours = |state: &CourierState| !state.marks.is_elsewhere(now_ms);
        self.couriers.collect(|courier, state| is_ours(state).then(|| AtWork::of(courier, state)).flatten())
    }

    /// Everybody whose position is known, with that position.
    pub fn positions(&self) -> Vec<(CourierId, Position)> {
        self.couriers.collect(|courier, state| Some((courier, state.track.position()?)))
    }

    /// What the customer of `order` may see of `courier`. `trail_since_ms` leaves out older points.
    pub fn sight(&self, courier: CourierId, order: OrderId, trail_since_ms: Option<i64>) -> Sight {
        let shard = self.couriers.lock(courier);
        shard.get(&courier).map(|state| Sight::of(state, order, trail_since_ms)).unwrap_or_default()
    }

    /// What a courier's tour is worked out from.
    pub fn on_tour(&self, courier: CourierId) -> OnTour {
        self.couriers.lock(courier).get(&courier).map(OnTour::from).unwrap_or_default()
    }

    /// What the times of a courier's stops are guessed from, who rides `vehicle`.
    pub fn whence(&self, courier: CourierId, vehicle: Vehicle) -> Whence {
        let shard = self.couriers.lock(courier);
        let Some(state) = shard.get(&courier) else { return Whence::default() };
        let here = state.track.position().and_then(|position| position.point());
        let eta = state.visible().and_then(|order| state.eta_of(order.id));
        Whence { here, vehicle: Some(vehicle), eta }
    }

    /// The newest estimate for one of a courier's orders.
    pub fn eta(&self, courier: CourierId, order: OrderId) -> Option<Eta> {
        self.couriers.lock(courier).get(&courier)?.any_eta_of(order)
    }

    /// Where a courier is, if that is known.
    pub fn place(&self, courier: CourierId) -> Option<LatLon> {
        self.couriers.lock(courier).get(&courier)?.track.position()?.point()
    }

    /// What a courier's pace depends on.
    pub fn standing(&self, courier: CourierId) -> Standing {
        self.couriers.lock(courier).get(&courier).map(Standing::from).unwrap_or_default()
    }

    /// Where a courier is and what is known of their device; `None` when nothing is known of them.
    pub fn last_seen(&self, courier: CourierId) -> Option<LastSeen> {
        self.couriers.lock(courier).get(&courier).map(LastSeen::from)
    }

    /// The route planned last for a courier, with where they are on it.
    pub fn heading(&self, courier: CourierId) -> Option<Heading> {
        self.couriers.lock(courier).get(&courier).and_then(Heading::of)
    }

    /// Where a courier is and what they have to do; `None` when nothing is known of them.
    pub fn whereabouts(&self, courier: CourierId) -> Option<Whereabouts> {
        self.couriers.lock(courier).get(&courier).and_then(Whereabouts::of)
    }
}
