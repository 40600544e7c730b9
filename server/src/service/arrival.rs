//! Works out when couriers arrive, off the hot path.
//!
//! One task looks about once a second at the couriers that moved, some at a time, places them on their planned route and plans
//! anew when they left it. Planning runs on a thread of its own, one way at a time, so that positions never wait
//! for it ([`crate::service::planner`]). It also sends fresh snapshots to viewers whose picture was completed from behind.

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
        track::{
            eta::{self, Journey},
            progress,
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

/// How often the couriers that moved are looked at.
const ROUND: Duration = Duration::from_secs(1);

/// A courier who keeps leaving the planned way is planned for no more often than this.
const REPLAN_AFTER: Duration = Duration::from_secs(12);

/// The arrival task's means.
#[derive(Debug)]
pub struct Arrivals {
    tracker: Arc<Tracker>,
    hub: Arc<Hub>,
    broker: Arc<dyn Broker>,
    store: Store,
    clock: Clock,
    planner: Option<Planner>,
    /// When the way to which place was last planned.
    planned_at: HashMap<CourierId, (LatLon, Instant)>,
}

impl Arrivals {
    /// Prepares the task. Without a `planner` the way to the door is guessed from the straight line.
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
            // Over the round's second: no fix should wait behind thousands of couriers.
            let mut handfuls = PacedChunks::new(&moved, ROUND);
            while let Some(handful) = handfuls.next().await {
                for courier in handful {
                    self.update(*courier).await;
                }
            }
            self.planned_at.retain(|_, (_, at)| at.elapsed() < REPLAN_AFTER);
        }
    }

    async fn update(&mut self, courier: CourierId) {
        // Whoever hears them tells us.
        if self.tracker.is_elsewhere(courier, self.clock.now_ms()) {
            return;
        }
        let Some(mut heading) = self.tracker.heading(courier) else { return };
        let (Some(here), Some(place)) = (heading.position.point(), heading.order.next_place()) else { return };
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
        self.tell(courier, &heading, progress.remaining_m);
    }

    fn tell(&self, courier: CourierId, heading: &Heading, to_next_m: f64) {
        let journey = journey(&heading.order, heading.vehicle, to_next_m);
        let Some(estimate) = eta::estimate(&journey, self.clock.now_ms()) else { return };
        if eta::worth_telling(heading.eta.as_ref(), &estimate) {
            self.tracker.set_eta(courier, heading.order.id, estimate, Heard::Here);
        }
    }

    /// Sends the viewers of `order` a fresh snapshot.
    async fn correct_viewers(&self, order: OrderId) {
        if self.hub.audience(order) == 0 {
            return;
        }
        // When the database is away the viewers keep what they have; they lose nothing but the older trail.
        let Ok(Some(tracked)) = self.store.tracked_order_by_id(order).await else { return };
        if tracked.order.status.is_final() {
            // They were told already, unless it happened on another instance that could not be heard.
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

/// What is ahead of somebody on `vehicle` who serves `order` and has `to_next_m` metres to its next place.
pub(crate) fn journey(order: &Order, vehicle: Vehicle, to_next_m: f64) -> Journey {
    let before_pickup = matches!(order.status, OrderStatus::Assigned | OrderStatus::AtPickup);
    let pickup_to_door_m = match before_pickup {
        true => progress::estimated_street_m(order.pickup.point, order.dropoff.point),
        false => 0.0,
    };
    Journey { status: order.status, vehicle, to_next_m, pickup_to_door_m }
}
