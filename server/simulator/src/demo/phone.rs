//! A courier with a phone on the road: rides and waits in real time, and the phone reports.

use std::time::Duration;

use chrono::Utc;
use doorstep_shared::{
    LatLon, OrderId, OrderStatus, Vehicle,
    geo::distance::haversine_m,
    protocol::{
        Codec, PresenceState,
        courier::{Pace, ReportKind, Stop},
    },
};
use rand::rngs::StdRng;
use tokio::time::Instant;

use crate::{
    courier::{CourierBot, CourierOptions},
    driving::{Drive, Receiver, Rider, Truth, Uplink, Weather},
    random::generator,
    server_url::ServerUrl,
    streets::Streets,
};

const PACE_UNLESS_TOLD: Duration = Duration::from_secs(2);
// A server may wish for anything; a phone has its own idea of what its battery allows.
const FASTEST_PACE: Duration = Duration::from_millis(500);
const SLOWEST_PACE: Duration = Duration::from_secs(10);
// A courier who stands still is reported now and then, or the map would call them lost.
const STANDING_REPORT: Duration = Duration::from_secs(10);

pub(super) struct Phone {
    bot: CourierBot,
    receiver: Receiver,
    uplink: Uplink,
    rider: Rider,
    streets: Streets,
    place: Truth,
    last_report: Option<(Instant, LatLon)>,
    is_reachable: bool,
    random: StdRng,
}

impl Phone {
    pub(super) async fn start(
        server: ServerUrl,
        device_token: String,
        (vehicle, place): (Vehicle, LatLon),
        streets: &Streets,
        weather: Weather,
        mut random: StdRng,
    ) -> Self {
        use rand::Rng;
        let mut own = |stream| generator(random.random(), stream);
        let bot = CourierBot::start(CourierOptions {
            server,
            device_token,
            codec: Codec::Json,
            random: own(0),
            on_ack: None,
        });
        bot.presence(PresenceState::Tracking, None).await;
        let (receiver, uplink) = (Receiver::new(own(1)), Uplink::new(weather, own(2)));
        let rider = Rider::new(vehicle, &mut random);
        let place = Truth { point: place, speed_mps: 0.0, heading_deg: 0.0, in_tunnel: false };
        let streets = streets.clone();
        Self { bot, receiver, uplink, rider, streets, place, last_report: None, is_reachable: true, random }
    }

    /// Where the courier truly is.
    pub(super) fn place(&self) -> LatLon {
        self.place.point
    }

    /// Whether the server told this courier to go away for good.
    pub(super) fn is_stopped(&self) -> bool {
        self.bot.state().stopped
    }

    /// The stops that dispatch has told this courier.
    pub(super) fn stops(&self) -> Vec<Stop> {
        self.bot.state().stops.clone()
    }

    /// Presses a button of the courier's app.
    pub(super) async fn report(&self, order: OrderId, status: OrderStatus, note: Option<&str>) {
        self.bot.report(order, status, note.map(str::to_owned)).await;
    }

    /// Whether the server keeps plans; it then answers what holds an order up.
    pub(super) fn has_plans(&self) -> bool {
        self.bot.state().plan_version.is_some()
    }

    /// Says what holds an order up.
    pub(super) async fn hold_up(&self, order: OrderId, report: ReportKind, note: Option<&str>) {
        self.bot.hold_up(order, report, note.map(str::to_owned)).await;
    }

    /// Rides to `target`; stays where they are when no way leads there.
    pub(super) async fn ride_to(&mut self, target: LatLon) {
        self.ride_for(target, Duration::MAX).await;
    }

    /// Rides towards `target` for at most `limit`.
    pub(super) async fn ride_for(&mut self, target: LatLon, limit: Duration) {
        let roads = self.streets.roads();
        let Some(route) = roads.route(self.place.point, target, self.rider.vehicle) else { return };
        let mut drive = Drive::new(roads, &route, self.rider, &mut self.random);
        let started = Instant::now();
        let mut before = started;
        while !drive.has_arrived() && started.elapsed() < limit {
            tokio::time::sleep(self.pace()).await;
            let now = Instant::now();
            drive.advance(now - before);
            before = now;
            self.place = drive.truth();
            self.read_and_send().await;
        }
        self.place.speed_mps = 0.0;
    }

    /// Stands still.
    pub(super) async fn wait(&mut self, duration: Duration) {
        let until = Instant::now() + duration;
        while Instant::now() < until {
            tokio::time::sleep(self.pace().min(until - Instant::now())).await;
            self.read_and_send().await;
        }
    }

    fn pace(&self) -> Duration {
        let told = self.bot.state().pace.map(|pace| Duration::from_millis(pace.interval_ms));
        told.unwrap_or(PACE_UNLESS_TOLD).clamp(FASTEST_PACE, SLOWEST_PACE)
    }

    async fn read_and_send(&mut self) {
        if !self.is_worth_reporting() {
            return;
        }
        self.last_report = Some((Instant::now(), self.place.point));
        let fix = self.receiver.read(&self.place, Utc::now().timestamp_millis());
        let sending = self.uplink.take(fix, self.place.in_tunnel);
        if sending.reachable != self.is_reachable {
            self.is_reachable = sending.reachable;
            self.bot.set_reachable(sending.reachable).await;
        }
        for fixes in sending.messages {
            self.bot.record(fixes).await;
        }
    }

    fn is_worth_reporting(&self) -> bool {
        let Some((at, place)) = self.last_report else { return true };
        let min_distance_m = self.bot.state().pace.map_or(0, |Pace { min_distance_m, .. }| min_distance_m);
        at.elapsed() >= STANDING_REPORT || haversine_m(place, self.place.point) >= f64::from(min_distance_m)
    }
}
