//! One circumstance: a courier with an order, perhaps a customer who looks, and a phone on the road.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::Utc;
use doorstep_shared::{
    LatLon, OrderId, OrderStatus, RawFix, Vehicle,
    api::{CreateCourier, CreateOrder, CustomerBody, PlaceBody},
    protocol::{Codec, PresenceState},
};
use rand::rngs::StdRng;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{
    api::Api,
    courier::{CourierBot, CourierOptions},
    driving::{Drive, Receiver, Rider, Truth},
    random::generator,
    streets::{Quarter, Streets},
    viewer::{ViewerBot, ViewerOptions},
};

/// Receivers read about once a second.
const TICK: Duration = Duration::from_secs(1);

/// For the server to notice who looks, from where, with which battery.
const SETTLING: Duration = Duration::from_secs(40);

/// Where the couriers are, in the built-in area; and a door some kilometres off, for those who have far to go.
const HERE: (f64, f64) = (35.9122, 14.5020);
const FAR: (f64, f64) = (35.8660, 14.5330);

/// A quarter in which one is always near its middle.
const QUARTER_M: f64 = 300.0;

/// A circumstance and what it should lead to.
pub(super) struct Scene {
    name: &'static str,
    is_watched: bool,
    is_near: bool,
    moves: bool,
    battery: f32,
    reason: &'static str,
}

pub(super) const SCENES: [Scene; 7] = [
    scene("watched, far", true, false, true, 0.8, "watched"),
    scene("watched, near", true, true, true, 0.8, "near"),
    scene("watched, stationary far away", true, false, false, 0.8, "stationary"),
    scene("unwatched, moving", false, false, true, 0.8, "unwatched"),
    scene("unwatched, stationary", false, false, false, 0.8, "stationary"),
    scene("watched, far, low battery", true, false, true, 0.15, "low_battery"),
    scene("unwatched, moving, low battery", false, false, true, 0.15, "low_battery"),
];

const fn scene(
    name: &'static str,
    is_watched: bool,
    is_near: bool,
    moves: bool,
    battery: f32,
    reason: &'static str,
) -> Scene {
    Scene { name, is_watched, is_near, moves, battery, reason }
}

/// What came of it.
pub(super) struct Measured {
    pub name: &'static str,
    pub fixes: usize,
    pub interval_ms: u64,
    pub reason: String,
    pub is_as_expected: bool,
}

impl Scene {
    /// Sets the circumstance up, lets the pace settle, and counts what is sent during `duration`.
    pub(super) async fn measure(&self, api: &Api, duration: Duration, seed: u64, number: u64) -> Result<Measured> {
        let courier = CreateCourier::plain(self.name, None, Vehicle::Scooter);
        let courier = api.create_courier(&courier).await?;
        let device = api.create_device(courier.id, "pace").await?;
        let order = api.create_order(&self.order()).await?;
        api.assign(order.id, courier.id).await?;
        api.set_status(order.id, OrderStatus::PickedUp, None).await?;
        let bot = CourierBot::start(CourierOptions {
            server: api.server().clone(),
            device_token: device.token,
            codec: Codec::Json,
            random: generator(seed, 10 * number),
            on_ack: None,
        });
        bot.presence(PresenceState::Tracking, None).await;
        ensure!(bot.wait_until(SETTLING, |state| state.connected).await, "the server does not let the phone in");
        let _viewer = self.is_watched.then(|| {
            ViewerBot::start(ViewerOptions {
                server: api.server().clone(),
                tracking_token: order.tracking_token.clone(),
                codec: Codec::Json,
                random: generator(seed, 10 * number + 1),
                expected_reference: None,
                keep_events: false,
                on_event: None,
            })
        });
        let mut road = Road::new(self.moves, generator(seed, 10 * number + 2))?;
        if !self.moves {
            bot.record(road.two_minutes_here(self.battery)).await;
        }
        road.drive_for(SETTLING, &bot, self.battery).await;
        let fixes = road.drive_for(duration, &bot, self.battery).await;
        let pace = bot.state().pace.context("a welcome holds a pace")?;
        bot.stop().await;
        tidy_up(api, order.id).await;
        let reason = pace.reason.unwrap_or_default();
        let is_as_expected = reason == self.reason;
        Ok(Measured { name: self.name, fixes, interval_ms: pace.interval_ms, reason, is_as_expected })
    }

    fn order(&self) -> CreateOrder {
        let place =
            |(lat, lon): (f64, f64)| PlaceBody { lat, lon, address: "somewhere".to_owned(), ..PlaceBody::default() };
        let dropoff = if self.is_near { HERE } else { FAR };
        CreateOrder {
            reference: format!("pace: {}", self.name),
            pickup: place(HERE),
            dropoff: place(dropoff),
            customer: CustomerBody { name: "Nobody".to_owned(), phone: None, email: None },
            ..CreateOrder::default()
        }
    }
}

/// So that the next run does not find a server full of open orders.
async fn tidy_up(api: &Api, order: OrderId) {
    if let Err(error) = api.set_status(order, OrderStatus::Cancelled, Some("measurement over")).await {
        tracing::warn!(error = %error, "an order of the measurement stays open");
    }
}

/// Rides from door to door without end, or none at all.
struct Road {
    quarter: Quarter,
    random: StdRng,
    rider: Rider,
    receiver: Receiver,
    truth: Truth,
    ride: Option<Drive>,
    moves: bool,
}

impl Road {
    fn new(moves: bool, mut random: StdRng) -> Result<Self> {
        let centre = LatLon::try_new(HERE.0, HERE.1)?;
        let quarter = Quarter::around(Streets::built_in(), centre, QUARTER_M);
        let point = quarter.any_door(&mut random).point;
        let (rider, receiver) = (Rider::new(Vehicle::Scooter, &mut random), Receiver::new(generator(7, 7)));
        let truth = Truth { point, speed_mps: 0.0, heading_deg: 0.0, in_tunnel: false };
        Ok(Self { quarter, random, rider, receiver, truth, ride: None, moves })
    }

    /// What a phone that was out of reach would send of the last minutes: it has been here.
    fn two_minutes_here(&mut self, battery: f32) -> Vec<RawFix> {
        let now_ms = Utc::now().timestamp_millis();
        let seconds = (2..=150).rev().step_by(5);
        seconds.map(|second| self.read(now_ms - second * 1_000, battery)).collect()
    }

    fn read(&mut self, time_ms: i64, battery: f32) -> RawFix {
        RawFix { battery: Some(battery), ..self.receiver.read(&self.truth, time_ms) }
    }

    /// Reads once a second and offers it to the phone; how many it sent.
    async fn drive_for(&mut self, duration: Duration, bot: &CourierBot, battery: f32) -> usize {
        let until = Instant::now() + duration;
        let mut clock = interval(TICK);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut sent = 0;
        while Instant::now() < until {
            clock.tick().await;
            if self.moves {
                self.advance();
            }
            let fix = self.read(Utc::now().timestamp_millis(), battery);
            sent += usize::from(bot.offer(fix).await);
        }
        sent
    }

    fn advance(&mut self) {
        if self.ride.as_ref().is_none_or(Drive::has_arrived) {
            let door = self.quarter.any_door(&mut self.random).point;
            let roads = Streets::built_in().roads();
            let route = roads.route(self.truth.point, door, self.rider.vehicle);
            self.ride = route.map(|route| Drive::new(roads, &route, self.rider, &mut self.random));
        }
        if let Some(ride) = &mut self.ride {
            ride.advance(TICK);
            self.truth = ride.truth();
        }
    }
}
