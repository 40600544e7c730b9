//! Suggests couriers for an order, the best first.
//!
//! Every courier on duty near the pickup is considered with the work they already have; the best few are measured along
//! the streets, on a blocking thread and one request at a time, so that no number of dispatchers slows positions down.
//! Who would be there first is first, however much they have to do before. After those come couriers who are not on duty
//! and then those whose shift does not cover it, because a dispatcher may know better. What a courier lacks for the order
//! is said and changes no rank.

use std::{collections::HashMap, sync::Arc};

use doorstep_area::roads::RoadNetwork;
use doorstep_shared::{
    CourierId, LatLon, Vehicle,
    api::{PresenceView, console::CourierSuggestion},
    geo::distance::haversine_m,
    protocol::{PresenceState, customer::Presence},
};
use tokio::sync::Semaphore;

use super::areas::Areas;
use crate::{
    domain::{
        courier::Courier,
        order::{Order, outlook::outlook},
        track::{eta::town_speed_mps, progress::estimated_street_m},
    },
    live::tracker::Tracker,
    platform::clock::{Clock, from_ms},
    store::{Store, StoreError},
};

/// A position older than this says little about where a courier is.
const FRESH_MS: i64 = 10 * 60_000;

/// How many couriers, those nearest to the pickup, are considered with their work.
const CONSIDERED: usize = 64;

/// How many of these are measured along the streets, two routes each.
const MEASURED: usize = 8;

/// Makes suggestions. Shared by reference.
#[derive(Debug)]
pub struct Suggestions {
    tracker: Arc<Tracker>,
    store: Store,
    clock: Clock,
    areas: Arc<Areas>,
    /// The number of connections bounds the requests that wait here.
    planning: Semaphore,
}

/// A courier on duty, with the work ahead of them.
#[derive(Clone, Debug)]
struct Candidate {
    courier: CourierId,
    vehicle: Vehicle,
    here: LatLon,
    position_ms: i64,
    presence: Option<Presence>,
    open_orders: u32,
    /// The sizes of these orders together.
    load: u32,
    /// When and where they are done with their work.
    free_ms: i64,
    free_at: LatLon,
    distance_m: f64,
    arrives_ms: i64,
}

impl Suggestions {
    /// Suggestions from this live view. Where the area in use has no streets, distances are guessed
    /// from the straight line.
    pub fn new(tracker: Arc<Tracker>, store: Store, clock: Clock, areas: Arc<Areas>) -> Self {
        Self { tracker, store, clock, areas, planning: Semaphore::new(1) }
    }

    /// At most `limit` couriers for `order`, the best first, without the one who has it. None for an order that no
    /// courier can bring any more.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn for_order(&self, order: &Order, limit: usize) -> Result<Vec<CourierSuggestion>, StoreError> {
        if order.status.is_final() {
            return Ok(Vec::new());
        }
        let now_ms = self.clock.now_ms();
        let candidates = self.on_duty(order, now_ms);
        let ids: Vec<_> = candidates.iter().map(|candidate| candidate.courier).collect();
        let known = Known::of(self.store.couriers(&ids).await?);
        let mut candidates = known.ranked(candidates);
        candidates.truncate(limit.max(MEASURED));
        let mut candidates = known.ranked(self.measured(candidates, order.pickup.point).await);
        candidates.truncate(limit);
        self.named(order, candidates, &known, limit).await
    }

    fn on_duty(&self, order: &Order, now_ms: i64) -> Vec<Candidate> {
        let pickup = order.pickup.point;
        let positions = self.tracker.positions().into_iter();
        let mut near: Vec<_> = positions
            .filter(|(courier, position)| Some(*courier) != order.courier_id && now_ms - position.time_ms <= FRESH_MS)
            .filter_map(|(courier, position)| Some((courier, position.time_ms, position.point()?)))
            .collect();
        near.sort_by(|a, b| haversine_m(a.2, pickup).total_cmp(&haversine_m(b.2, pickup)));
        let candidates = near
            .into_iter()
            .filter_map(|(courier, position_ms, here)| self.candidate(courier, here, position_ms, pickup, now_ms));
        candidates.take(CONSIDERED).collect()
    }

    fn candidate(
        &self,
        courier: CourierId,
        here: LatLon,
        position_ms: i64,
        pickup: LatLon,
        now_ms: i64,
    ) -> Option<Candidate> {
        let seen = self.tracker.whereabouts(courier)?;
        if seen.presence.is_some_and(|presence| presence.state == PresenceState::OffDuty) {
            return None;
        }
        let ahead = outlook(Some(here), &seen.ahead, seen.vehicle, seen.first_handover, now_ms);
        let free_at = ahead.ends_at.unwrap_or(here);
        Some(Candidate {
            courier,
            vehicle: seen.vehicle,
            here,
            position_ms,
            presence: seen.presence,
            open_orders: seen.open.len() as u32,
            load: load_of(&seen.open),
            free_ms: ahead.free_ms,
            free_at,
            distance_m: estimated_street_m(here, pickup),
            arrives_ms: ahead.free_ms + driving_ms(estimated_street_m(free_at, pickup), seen.vehicle),
        })
    }

    /// The same with distances along the streets for the first few, where the streets are known.
    async fn measured(&self, mut candidates: Vec<Candidate>, pickup: LatLon) -> Vec<Candidate> {
        let Some(roads) = self.areas.current().roads().cloned() else { return candidates };
        let Ok(_turn) = self.planning.acquire().await else { return candidates };
        let kept = candidates.clone();
        let measuring = tokio::task::spawn_blocking(move || {
            candidates.iter_mut().take(MEASURED).for_each(|candidate| measure(&roads, candidate, pickup));
            candidates
        });
        measuring.await.unwrap_or(kept)
    }

    async fn named(
        &self,
        order: &Order,
        candidates: Vec<Candidate>,
        known: &Known,
        limit: usize,
    ) -> Result<Vec<CourierSuggestion>, StoreError> {
        let named = |candidate: &Candidate| Some(suggestion(known.get(candidate.courier)?, candidate, order));
        let mut suggestions: Vec<_> = candidates.iter().filter_map(named).collect();
        if suggestions.len() < limit {
            let besides: Vec<_> =
                candidates.iter().map(|candidate| candidate.courier).chain(order.courier_id).collect();
            let others = self.store.couriers_besides(&besides, (limit - suggestions.len()) as i64).await?;
            suggestions.extend(others.iter().map(|courier| self.off_duty(courier, order)));
        }
        // Stable: all else stays in its order.
        suggestions.sort_by_key(|suggestion| suggestion.off_shift.is_some());
        Ok(suggestions)
    }

    /// A courier who is off duty or did not report lately.
    fn off_duty(&self, courier: &Courier, order: &Order) -> CourierSuggestion {
        let seen = self.tracker.whereabouts(courier.id);
        let presence = seen.as_ref().and_then(|seen| seen.presence).or(courier.presence);
        let open = seen.map(|seen| seen.open).unwrap_or_default();
        CourierSuggestion {
            courier_id: courier.id,
            name: courier.name.clone(),
            vehicle: courier.vehicle,
            on_duty: false,
            presence: presence.map(presence_view),
            distance_m: None,
            position_at: None,
            open_orders: open.len() as u32,
            lacks: lacks(courier, order),
            over_capacity: over_capacity(courier, load_of(&open), order),
            off_shift: courier.work.is_off_shift(self.clock.now()).then_some(true),
            free_at: None,
            arrives_at: None,
        }
    }
}

/// The candidates' records, without those who work here no longer.
struct Known(HashMap<CourierId, Courier>);

impl Known {
    fn of(couriers: Vec<Courier>) -> Self {
        let working = couriers.into_iter().filter(|courier| courier.work.archived_at.is_none());
        Self(working.map(|courier| (courier.id, courier)).collect())
    }

    fn get(&self, courier: CourierId) -> Option<&Courier> {
        self.0.get(&courier)
    }

    /// Those whose shift covers their arrival first, and of these who arrives first.
    fn ranked(&self, mut candidates: Vec<Candidate>) -> Vec<Candidate> {
        candidates.retain(|candidate| self.0.contains_key(&candidate.courier));
        candidates.sort_by_cached_key(|candidate| {
            let courier = self.get(candidate.courier);
            let is_off_shift = courier.is_some_and(|courier| courier.work.is_off_shift(from_ms(candidate.arrives_ms)));
            (is_off_shift, candidate.arrives_ms, candidate.courier)
        });
        candidates
    }
}

/// The sizes of orders together.
fn load_of(orders: &[Order]) -> u32 {
    orders.iter().fold(0, |load, order| load.saturating_add(order.demands.size))
}

fn lacks(courier: &Courier, order: &Order) -> Option<Vec<String>> {
    Some(courier.work.lacks(&order.demands.requires, courier.vehicle)).filter(|lacking| !lacking.is_empty())
}

fn over_capacity(courier: &Courier, load: u32, order: &Order) -> Option<bool> {
    courier.work.is_over_capacity(load, order.demands.size).then_some(true)
}

fn measure(roads: &RoadNetwork, candidate: &mut Candidate, pickup: LatLon) {
    let Some(way) = roads.route(candidate.here, pickup, candidate.vehicle) else { return };
    candidate.distance_m = way.length_m;
    let last = match candidate.open_orders {
        0 => Some(way),
        _ => roads.route(candidate.free_at, pickup, candidate.vehicle),
    };
    if let Some(last) = last {
        // The street graph knows no lights and no traffic; the speed in town does.
        candidate.arrives_ms = candidate.free_ms + driving_ms(last.length_m, candidate.vehicle);
    }
}

fn driving_ms(metres: f64, vehicle: Vehicle) -> i64 {
    (metres / town_speed_mps(vehicle) * 1_000.0) as i64
}

fn suggestion(courier: &Courier, candidate: &Candidate, order: &Order) -> CourierSuggestion {
    CourierSuggestion {
        courier_id: courier.id,
        name: courier.name.clone(),
        vehicle: courier.vehicle,
        on_duty: true,
        presence: candidate.presence.map(presence_view),
        distance_m: Some(candidate.distance_m.round() as u32),
        position_at: Some(from_ms(candidate.position_ms)),
        open_orders: candidate.open_orders,
        lacks: lacks(courier, order),
        over_capacity: over_capacity(courier, candidate.load, order),
        off_shift: courier.work.is_off_shift(from_ms(candidate.arrives_ms)).then_some(true),
        free_at: (candidate.open_orders > 0).then(|| from_ms(candidate.free_ms)),
        arrives_at: Some(from_ms(candidate.arrives_ms)),
    }
}

fn presence_view(presence: Presence) -> PresenceView {
    PresenceView { state: presence.state, reason: presence.reason, since_at: from_ms(presence.since_ms) }
}
