//! Tells couriers' phones how often to report and how many viewers they have.
//!
//! Twice a second one task decides for every courier with an open socket and sends only what changed, so a customer who
//! opens their page counts within a second, not at the next fix. The rules are [`crate::domain::track::pace`]'s. A
//! round takes locks for moments only and asks no database: some milliseconds for five thousand couriers. Lock order:
//! this, then tracker, hub, registry or outbox, one at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use doorstep_shared::{
    CourierId,
    protocol::courier::{self, CourierEvent},
};
use tokio::time::MissedTickBehavior;

use crate::{
    domain::track::pace::{Circumstances, Pace, Pacer},
    live::{audience::Audience, connections::Connections, hub::Hub, tracker::Tracker, watching::Watching},
    platform::clock::Clock,
};

/// From one round to the next. A page that is reloaded within it is counted once.
const ROUND: Duration = Duration::from_millis(500);

/// Decides paces and audiences, and sends them. Shared by reference.
#[derive(Debug)]
pub struct Pacing {
    tracker: Arc<Tracker>,
    hub: Arc<Hub>,
    audience: Arc<Audience>,
    watching: Arc<Watching>,
    connections: Arc<Connections>,
    clock: Clock,
    /// Couriers with an open socket.
    paced: Mutex<HashMap<CourierId, Paced>>,
}

#[derive(Debug, Default)]
struct Paced {
    pacer: Pacer,
    sent: Option<PaceAndAudience>,
}

/// What a courier's phones were last sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PaceAndAudience {
    /// How often to report.
    pub pace: Pace,
    /// How many viewers there are.
    pub audience: courier::Audience,
}

impl Pacing {
    /// Pacing over this live view.
    pub fn new(
        tracker: Arc<Tracker>,
        hub: Arc<Hub>,
        (audience, watching): (Arc<Audience>, Arc<Watching>),
        connections: Arc<Connections>,
        clock: Clock,
    ) -> Self {
        Self { tracker, hub, audience, watching, connections, clock, paced: Mutex::default() }
    }

    /// The pace and audience for the greeting of a courier's phone. Register the phone's socket first: then every later
    /// change is sent to it, and nothing sent before is newer.
    pub fn greet(&self, courier: CourierId) -> PaceAndAudience {
        self.decide(&mut self.lock(), courier, self.clock.now_ms())
    }

    /// Runs until it is cancelled.
    pub async fn run(self: Arc<Self>) {
        let mut clock = tokio::time::interval(ROUND);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            clock.tick().await;
            self.round();
        }
    }

    fn round(&self) {
        let now_ms = self.clock.now_ms();
        // Before reading who is connected, or a courier who is just being greeted would be forgotten.
        let mut paced = self.lock();
        let connected = self.connections.connected_couriers();
        if connected.len() < paced.len() {
            let connected: std::collections::HashSet<_> = connected.iter().collect();
            paced.retain(|courier, _| connected.contains(courier));
        }
        for courier in connected {
            self.decide(&mut paced, courier, now_ms);
        }
    }

    fn decide(&self, paced: &mut HashMap<CourierId, Paced>, courier: CourierId, now_ms: i64) -> PaceAndAudience {
        let standing = self.tracker.standing(courier);
        let customers = |order| self.hub.audience(order) as u32 + self.watching.customers_of(order);
        let audience = courier::Audience {
            customers: standing.shown_to.map_or(0, customers),
            dispatchers: self.audience.dispatchers_of(courier) + self.watching.dispatchers_of(courier),
        };
        let now = Circumstances {
            is_watched: audience.customers + audience.dispatchers > 0,
            to_next_stop_m: standing.to_next_stop_m,
            is_stationary: standing.is_stationary,
            battery: standing.battery,
        };
        let paced = paced.entry(courier).or_default();
        let sent = PaceAndAudience { pace: paced.pacer.decide(&now, now_ms), audience };
        if let Some(before) = paced.sent.replace(sent) {
            self.send_changes(courier, &before, &sent);
        }
        sent
    }

    fn send_changes(&self, courier: CourierId, before: &PaceAndAudience, now: &PaceAndAudience) {
        if before.pace != now.pace {
            metrics::counter!("doorstep_pace_changes_total", "reason" => now.pace.reason.as_str()).increment(1);
            self.connections.tell(courier, &CourierEvent::Pace(now.pace.to_wire()));
        }
        if before.audience != now.audience {
            self.connections.tell(courier, &CourierEvent::Audience(now.audience));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CourierId, Paced>> {
        self.paced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use doorstep_shared::{DeviceId, OrderStatus, RawFix, Vehicle, protocol::Codec};

    use super::*;
    use crate::{
        domain::{
            order::{stops::stops_of, visibility::tests::order},
            plan::Planned,
        },
        live::{
            broker::in_process::InProcess,
            connections::{Admission, Claim, ConnectedDevice},
            outbox::{Outbox, Peer, Wire},
            tracker::Known,
        },
    };

    const NOW_MS: i64 = 1_795_219_200_000;

    fn pacing() -> Pacing {
        let hub = Arc::new(Hub::default());
        let tracker = Arc::new(Tracker::new(Arc::new(InProcess::new(Arc::clone(&hub), Arc::default()))));
        let (clock, _) = Clock::manual(NOW_MS);
        Pacing::new(tracker, hub, (Arc::default(), Arc::default()), Arc::new(Connections::new(10_000, 0)), clock)
    }

    /// A courier on the road with a connected phone and an order that its customer follows.
    fn connected(pacing: &Pacing) -> (CourierId, Admission) {
        let courier = CourierId::new();
        let mut open = order(OrderStatus::PickedUp, 1);
        open.courier_id = Some(courier);
        open.feed_from = Some(crate::platform::clock::from_ms(NOW_MS - 60_000));
        let planned = Planned::new(courier, None, vec![open]);
        let (ticket, stops) = (pacing.tracker.plan_ticket(), stops_of(&planned));
        pacing.tracker.set_plan((courier, ticket), planned, Vehicle::Scooter, stops, NOW_MS, || ());
        let reading = RawFix { time_ms: NOW_MS - 1_000, lat: 35.88, lon: 14.5, ..RawFix::default() };
        let fix = doorstep_shared::Fix::try_new(&reading).expect("a usable reading");
        pacing.tracker.seed(courier, Known { fixes: vec![fix], ..Known::default() }, NOW_MS);
        let device = DeviceId::new();
        let mut admission = pacing.connections.admit(None, Claim::Device(device)).expect("there is room");
        let connected = ConnectedDevice { courier, device, session: None };
        admission.open_courier(&Outbox::new(Wire::Socket(Codec::Json), Peer::Courier), connected, NOW_MS);
        (courier, admission)
    }

    fn time(work: impl FnOnce()) -> Duration {
        let started = Instant::now();
        work();
        started.elapsed()
    }

    /// Compared with asking the live view for the same couriers at the same time, because a busy machine is slow at
    /// both.
    #[test]
    fn a_round_over_five_thousand_couriers_costs_little_more_than_reading_each() {
        let pacing = pacing();
        let couriers: Vec<_> = (0..5_000).map(|_| connected(&pacing)).collect();
        pacing.round();
        let read_each = || {
            for (courier, _) in &couriers {
                std::hint::black_box(pacing.tracker.standing(*courier));
            }
        };
        let (mut reading, mut quiet) = (Duration::MAX, Duration::MAX);
        for _ in 0..10 {
            reading = reading.min(time(read_each));
            quiet = quiet.min(time(|| pacing.round()));
        }
        let _view = pacing.audience.watch_all();
        let everything_changes = time(|| pacing.round());
        println!("a round over {} couriers: {quiet:?}, when all change {everything_changes:?}", couriers.len());
        assert!(quiet < 8 * reading, "{quiet:?} is out of proportion to {reading:?} for reading each");
    }

    #[test]
    fn a_courier_who_disconnects_is_forgotten() {
        let pacing = pacing();
        let (ana, admission) = connected(&pacing);
        pacing.greet(ana);
        pacing.round();
        assert!(pacing.lock().contains_key(&ana));
        drop(admission);
        pacing.round();
        assert!(pacing.lock().is_empty());
    }
}
