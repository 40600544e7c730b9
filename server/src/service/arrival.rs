//! Works out when couriers arrive, off the hot path.
//!
//! About once a second one task takes the couriers that moved, some at a time, places each on their planned route and
//! plans anew when they left it. A thread of its own plans one route at a time, so that positions never wait for
//! planning ([`crate::service::planner`]). The task also sends fresh snapshots to viewers whose trail was completed
//! from behind.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use doorstep_shared::{
    CourierId, LatLon, OrderId, OrderStatus, Vehicle,
    protocol::customer::{CustomerEvent, Ended},
};

use crate::{
    domain::{
        order::Order,
        plan::{StopAhead, until_door},
        track::{
            eta::{self, Journey},
            progress,
            tour::stay_ms,
        },
    },
    live::{
        broker::Broker,
        hub::{Hub, LiveEvent},
        tracker::{Heading, Heard, Tracker},
    },
    platform::{clock::Clock, paced_chunks::PacedChunks},
    service::{orders::snapshot, planner::Planner},
    store::Store,
};

/// From one round over the couriers that moved to the next.
const ROUND: Duration = Duration::from_secs(1);

/// A courier who keeps leaving the planned route gets a new one no more often than this.
const REPLAN_AFTER: Duration = Duration::from_secs(12);

/// What the arrival task works with.
#[derive(Debug)]
pub struct Arrivals {
    tracker: Arc<Tracker>,
    hub: Arc<Hub>,
    broker: Arc<dyn Broker>,
    store: Store,
    clock: Clock,
    planner: Option<Planner>,
    /// When a route was last planned for each courier, and to which point.
    planned_at: HashMap<CourierId, (LatLon, Instant)>,
}

impl Arrivals {
    /// Prepares the task. Without a `planner` it guesses the distance to the door from the straight line.
    pub fn new(
        tracker: Arc<Tracker>,
        hub: Arc<Hub>,
        broker: Arc<dyn Broker>,
        store: Store,
        clock: Clock,
        planner: Option<Planner>,
    ) -> Self {
        Self { tracker, hub, broker, store, clock, planner, planned_at: HashMap::new() }
    }

    /// Runs until it is cancelled.
    pub async fn run(mut self) {
        loop {
            let (moved, outdated) = self.tracker.changes().await;
            for order in outdated {
                self.correct_viewers(order).await;
            }
            // Spread over a second: no fix should wait behind thousands of couriers.
            let mut chunks = PacedChunks::new(&moved, ROUND);
            while let Some(chunk) = chunks.next().await {
                for courier in chunk {
                    self.update(*courier).await;
                }
            }
            self.planned_at.retain(|_, (_, at)| at.elapsed() < REPLAN_AFTER);
        }
    }

    async fn update(&mut self, courier: CourierId) {
        // The instance to which the courier reports makes the estimate and sends it to this one.
        if self.tracker.is_elsewhere(courier, self.clock.now_ms()) {
            return;
        }
        let Some(mut heading) = self.tracker.heading(courier) else { return };
        let (Some(here), Some(place)) = (heading.position.point(), heading.order.next_waypoint()) else { return };
        let target = place.point;
        let mut progress = progress::progress(here, target, heading.route.as_deref());
        let planned_lately = self.planned_at.get(&courier).is_some_and(|(place, _)| *place == target);
        if progress.off_route && !planned_lately {
            let kept = heading.route.as_ref().is_some_and(|route| route.target == target);
            self.planned_at.insert(courier, (target, Instant::now()));
            let planned = match &self.planner {
                Some(planner) => planner.plan(here, target, heading.vehicle).await,
                None => None,
            };
            if let Some(route) = planned {
                progress = progress::progress(here, target, Some(&route));
                self.tracker.set_route(courier, Arc::clone(&route));
                heading.route = Some(route);
            } else if !kept {
                heading.route = None;
            }
        }
        self.send_estimate(courier, &heading, progress.remaining_m);
    }

    fn send_estimate(&self, courier: CourierId, heading: &Heading, to_next_m: f64) {
        let journey = journey(&heading.order, heading.vehicle, to_next_m, &heading.ahead);
        let Some(estimate) = eta::estimate(&journey, self.clock.now_ms()) else { return };
        if eta::worth_sending(heading.eta.as_ref(), &estimate) {
            self.tracker.set_eta(courier, heading.order.id, estimate, Heard::Here);
        }
    }

    /// Sends the viewers of `order` a fresh snapshot.
    async fn correct_viewers(&self, order: OrderId) {
        if self.hub.audience(order) == 0 {
            return;
        }
        // When the database is away the viewers keep what they have; only the older trail is missing.
        let Ok(Some(tracked)) = self.store.tracked_order_by_id(order).await else { return };
        if tracked.order.status.is_final() {
            // Every viewer has it already, unless this instance could not receive another one's facts.
            let ended = Ended { status: tracked.order.status, at_ms: tracked.order.status_at.timestamp_millis() };
            self.broker.publish(order, LiveEvent::Ended(ended));
            return;
        }
        let snapshot = snapshot::build(&tracked, &self.tracker, None, self.clock.now_ms());
        self.broker.publish(order, LiveEvent::Tell(CustomerEvent::Snapshot(snapshot)));
        if let Some(courier) = &tracked.courier {
            self.tracker.tell_presence(courier.id, order);
        }
    }
}

/// The journey ahead of a courier on `vehicle` to the door of `order`, who has `to_next_m` metres to the first of the
/// stops `ahead`.
pub(crate) fn journey(order: &Order, vehicle: Vehicle, to_next_m: f64, ahead: &[StopAhead]) -> Journey {
    let way = until_door(ahead, order.id);
    let legs = way.iter().zip(way.iter().skip(1));
    let between = way.iter().skip(1).take(way.len().saturating_sub(2));
    Journey {
        // Of a second attempt the goods may be on board already.
        status: if order.is_on_board() { on_board(order.status) } else { order.status },
        vehicle,
        to_next_m,
        next_to_door_m: legs.map(|(from, to)| progress::estimated_street_m(from.at, to.at)).sum(),
        between_ms: between.map(|stop| stay_ms(stop.stop.kind, stop.service_s)).sum(),
    }
}

const fn on_board(status: OrderStatus) -> OrderStatus {
    match status {
        OrderStatus::Assigned | OrderStatus::AtPickup => OrderStatus::PickedUp,
        other => other,
    }
}
