//! All the bots of a load test, from connecting to going home.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use rand::rngs::StdRng;

use super::{
    measure::{Eye, Measurements},
    options::LoadOptions,
    outcome::Outcome,
    schedule::{Schedule, Zero},
    setup::{Delivery, Idle},
};
use crate::{
    console::{FleetBot, FleetOptions},
    courier::{CourierBot, CourierOptions},
    random::generator,
    viewer::{ViewerBot, ViewerOptions},
};

// The last bots settle before the first message is due.
const LEAD: Duration = Duration::from_secs(1);
// A server that was just started, on a machine that has other things to do, takes this for a handful.
const LEAST_HANDSHAKES: Duration = Duration::from_secs(3);
// Customers get what was sent last within milliseconds; this is for a server that is busy catching up.
const QUIET: Duration = Duration::from_secs(2);
const CONNECT_AT_ONCE: usize = 200;
const CONNECT_PATIENCE: Duration = Duration::from_secs(60);

/// The bots and what they count into.
pub(super) struct Company {
    pub couriers: Vec<CourierBot>,
    viewers: Vec<ViewerBot>,
    idle_viewers: Vec<ViewerBot>,
    dispatchers: Vec<FleetBot>,
    pub measurements: Arc<Measurements>,
    pub zero: Zero,
}

impl Company {
    /// Connects everybody, and fixes the moment at which the schedule begins.
    pub(super) async fn connect(
        options: &LoadOptions,
        deliveries: &[Delivery],
        idle: &[Idle],
        schedule: Schedule,
        seed: u64,
    ) -> Result<Self> {
        // Ten thousand handshakes take seconds: the schedule begins after them.
        // With TLS the proxy does what takes longest, on the same cores.
        let each_ms = if options.server.is_tls() { 15 } else { 2 };
        let handshakes = Duration::from_millis(each_ms * options.sockets()).max(LEAST_HANDSHAKES);
        let mut company = Self {
            couriers: Vec::new(),
            viewers: Vec::new(),
            idle_viewers: Vec::new(),
            dispatchers: Vec::new(),
            measurements: Arc::default(),
            zero: Zero::after(LEAD + handshakes),
        };
        company.connect_couriers(options, deliveries, seed).await?;
        company.connect_viewers(options, deliveries, schedule, seed).await?;
        company.connect_idle_viewers(options, idle, seed).await?;
        company.connect_dispatchers(options, seed).await?;
        ensure!(
            Instant::now() < company.zero.instant,
            "connecting took longer than planned; use fewer bots in one process"
        );
        Ok(company)
    }

    async fn connect_couriers(&mut self, options: &LoadOptions, deliveries: &[Delivery], seed: u64) -> Result<()> {
        for (number, delivery) in deliveries.iter().enumerate() {
            let (measurements, zero) = (Arc::clone(&self.measurements), self.zero);
            self.couriers.push(CourierBot::start(CourierOptions {
                server: options.server.clone(),
                device_token: delivery.device_token.clone(),
                codec: options.codec.codec(),
                random: generator(seed, number as u64 + (1 << 34)),
                on_ack: Some(Box::new(move |recorded, at| measurements.acked(recorded, at, zero))),
            }));
            if let Some(earlier) = number.checked_sub(CONNECT_AT_ONCE) {
                is_on_duty(&self.couriers[earlier]).await?;
            }
        }
        for bot in &self.couriers {
            is_on_duty(bot).await?;
        }
        Ok(())
    }

    async fn connect_viewers(
        &mut self,
        options: &LoadOptions,
        deliveries: &[Delivery],
        schedule: Schedule,
        seed: u64,
    ) -> Result<()> {
        let (measurements, zero) = (Arc::clone(&self.measurements), self.zero);
        let all = (0..options.viewers).map(|number| {
            let courier = number % deliveries.len();
            let delivery = &deliveries[courier];
            let mut eye = Eye::new(courier, schedule, zero, Arc::clone(&measurements));
            ViewerOptions {
                expected_reference: Some(delivery.reference.clone()),
                on_event: Some(Box::new(move |at, event| eye.see(at, event))),
                ..viewer(options, &delivery.tracking_token, generator(seed, number as u64 + (1 << 35)))
            }
        });
        watch_all(&mut self.viewers, all).await
    }

    async fn connect_idle_viewers(&mut self, options: &LoadOptions, idle: &[Idle], seed: u64) -> Result<()> {
        let all = (0..options.idle_viewers).map(|number| {
            let order = &idle[number % idle.len()];
            ViewerOptions {
                expected_reference: Some(order.reference.clone()),
                ..viewer(options, &order.tracking_token, generator(seed, number as u64 + (1 << 36)))
            }
        });
        watch_all(&mut self.idle_viewers, all).await
    }

    async fn connect_dispatchers(&mut self, options: &LoadOptions, seed: u64) -> Result<()> {
        for number in 0..options.dispatchers {
            self.dispatchers.push(FleetBot::start(FleetOptions {
                server: options.server.clone(),
                api_key: options.api_key.clone(),
                codec: options.codec.codec(),
                random: generator(seed, number as u64 + (1 << 37)),
            }));
        }
        for bot in &self.dispatchers {
            let answered = bot.wait_until(CONNECT_PATIENCE, |log| log.is_live || log.stopped_with.is_some()).await;
            let stopped_with = bot.log().stopped_with;
            ensure!(answered && stopped_with.is_none(), "a dispatcher cannot connect: {stopped_with:?}");
        }
        Ok(())
    }

    /// Waits for the acks still outstanding, and then for quiet.
    pub(super) async fn settle(&self, deadline: Duration) {
        let until = Instant::now() + deadline;
        for bot in &self.couriers {
            bot.settle(until.saturating_duration_since(Instant::now())).await;
        }
        tokio::time::sleep(QUIET).await;
    }

    pub(super) async fn go_home(self, deliveries: &[Delivery]) -> Outcome {
        let mut viewers = Vec::with_capacity(self.viewers.len() + self.idle_viewers.len());
        for bot in self.viewers.into_iter().chain(self.idle_viewers) {
            viewers.push(bot.stop().await);
        }
        let mut couriers = Vec::with_capacity(self.couriers.len());
        for (bot, delivery) in self.couriers.into_iter().zip(deliveries) {
            couriers.push((delivery.courier, bot.stop().await));
        }
        let mut dispatchers = Vec::with_capacity(self.dispatchers.len());
        for bot in self.dispatchers {
            dispatchers.push(bot.stop().await);
        }
        Outcome { couriers, viewers, dispatchers, measurements: self.measurements, zero: self.zero }
    }
}

async fn is_on_duty(bot: &CourierBot) -> Result<()> {
    let answered = bot.wait_until(CONNECT_PATIENCE, |state| state.connected || state.stopped).await;
    ensure!(answered && !bot.state().stopped, "a courier cannot connect: {:?}", bot.log().stopped_with);
    Ok(())
}

fn viewer(options: &LoadOptions, tracking_token: &str, random: StdRng) -> ViewerOptions {
    ViewerOptions {
        server: options.viewer_server.as_ref().unwrap_or(&options.server).clone(),
        tracking_token: tracking_token.to_owned(),
        codec: options.codec.codec(),
        random,
        expected_reference: None,
        keep_events: false,
        on_event: None,
    }
}

/// Starts customers, not too many at once, and waits until all of them see their order.
async fn watch_all(bots: &mut Vec<ViewerBot>, all: impl Iterator<Item = ViewerOptions>) -> Result<()> {
    for (number, options) in all.enumerate() {
        bots.push(ViewerBot::start(options));
        if let Some(earlier) = number.checked_sub(CONNECT_AT_ONCE) {
            is_watching(&bots[earlier]).await?;
        }
    }
    for bot in bots {
        is_watching(bot).await?;
    }
    Ok(())
}

async fn is_watching(bot: &ViewerBot) -> Result<()> {
    let answered = bot.wait_until(CONNECT_PATIENCE, |log| log.is_live || log.stopped_with.is_some()).await;
    let stopped_with = bot.log().stopped_with;
    ensure!(answered && stopped_with.is_none(), "a customer cannot connect: {stopped_with:?}");
    Ok(())
}
