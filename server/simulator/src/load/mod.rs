//! Couriers and customers in numbers, on a schedule fixed in advance.
//!
//! Open loop: every message has a moment at which it is due, whatever the server does, and latencies count
//! from there. A server that stalls is therefore measured as slow, not as busy with fewer messages.
//! Afterwards every courier's log can be compared with what the server gives back through its public API, so
//! a run tells not only how fast but also whether anything acknowledged was lost. It lives through `kill -9`
//! of the server and through an absent database.

mod conductor;
mod cpu;
mod measure;
mod report;
mod riders;
mod schedule;
mod setup;
mod verify;

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use doorstep_shared::{CourierId, protocol::Codec};
use rand::rngs::StdRng;

use crate::{
    api::Api,
    courier::{CourierBot, CourierLog, CourierOptions},
    random::{any_seed, generator},
    server_url::ServerUrl,
    viewer::{ViewerBot, ViewerLog, ViewerOptions},
};
use conductor::Conductor;
use measure::{Eye, Measurements};
use riders::Riders;
use schedule::{Schedule, Zero};
use setup::{Delivery, Idle};

pub use report::{Latency, Report};
pub use verify::{Verdict, verify};

// The last bots settle before the first message is due.
const LEAD: Duration = Duration::from_secs(1);
// Customers get what was sent last within milliseconds; this is for a server that is busy catching up.
const QUIET: Duration = Duration::from_secs(2);
const IDLE_VIEWERS_PER_ORDER: usize = 100;
const CONNECT_AT_ONCE: usize = 200;
const CONNECT_PATIENCE: Duration = Duration::from_secs(60);
// Standard streams, the runtime, and the REST connections.
const SOCKETS_BESIDES: u64 = 100;
const VIOLATION_EXAMPLES: usize = 5;

/// How a load test goes.
#[derive(Args, Clone, Debug)]
pub struct LoadOptions {
    /// Where the server is.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub server: ServerUrl,
    /// An API key with every scope, as `doorstep api-key create` prints it.
    #[arg(long, env = "DOORSTEP_API_KEY", hide_env_values = true)]
    pub api_key: String,
    /// Couriers, each with one order under way.
    #[arg(long, default_value_t = 100)]
    pub couriers: usize,
    /// Customers, spread evenly over the orders.
    #[arg(long, default_value_t = 100)]
    pub viewers: usize,
    /// More customers, on orders that nobody has: connections that only have to be kept.
    #[arg(long, default_value_t = 0)]
    pub idle_viewers: usize,
    /// Messages a second from each courier.
    #[arg(long, default_value_t = 1.0)]
    pub rate: f64,
    /// For how long messages are due, in seconds.
    #[arg(long, default_value_t = 30.0)]
    pub duration: f64,
    /// Fixes in each message.
    #[arg(long, default_value_t = 1)]
    pub fixes_per_message: usize,
    /// How messages are written, to couriers and customers alike.
    #[arg(long, value_enum, default_value_t = CodecName::Json)]
    pub codec: CodecName,
    /// Decides everything that is drawn; any when left out.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Write the report here as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Afterwards read every fix back through the API and compare.
    #[arg(long)]
    pub verify: bool,
    /// How long to wait for outstanding acks after the last message, in seconds.
    #[arg(long, default_value_t = 60.0)]
    pub ack_deadline: f64,
    /// Calls to the REST API at once, while setting up and verifying.
    #[arg(long, default_value_t = 16)]
    pub concurrency: usize,
}

/// A codec on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CodecName {
    /// Text frames.
    Json,
    /// Binary frames.
    Postcard,
}

impl LoadOptions {
    fn sockets(&self) -> u64 {
        (self.couriers + self.viewers + self.idle_viewers) as u64
    }
}

impl CodecName {
    const fn codec(self) -> Codec {
        match self {
            Self::Json => Codec::Json,
            Self::Postcard => Codec::Postcard,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Postcard => "postcard",
        }
    }
}

/// Runs a load test, prints its report, and tells whether the server kept its promises.
///
/// # Errors
/// When the test could not be set up or read back; a broken promise is not an error but `false`.
pub async fn run(options: &LoadOptions) -> Result<bool> {
    let report = measure(options).await?;
    print!("{report}");
    if let Some(path) = &options.json {
        let json = serde_json::to_string_pretty(&report)?;
        std::fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(report.passed())
}

/// Runs a load test and gives its report.
///
/// # Errors
/// As [`run`].
pub async fn measure(options: &LoadOptions) -> Result<Report> {
    let schedule = Schedule::new(options.couriers, options.rate, options.duration, options.fixes_per_message)?;
    let sockets = options.sockets() + SOCKETS_BESIDES;
    let limit = cpu::raise_socket_limit();
    ensure!(sockets <= limit, "{sockets} open files are needed and {limit} allowed: use several processes");
    let seed = options.seed.unwrap_or_else(any_seed);
    eprintln!("seed {seed}; setting up {} couriers and {} customers", options.couriers, options.viewers);

    let api = Api::new(options.server.clone(), options.api_key.clone())?;
    let couriers = options.couriers;
    let riders = tokio::task::spawn_blocking(move || Riders::new(couriers, seed)).await??;
    let deliveries = setup::deliveries(&api, options.couriers, options.concurrency, seed).await?;
    let idle_orders = options.idle_viewers.div_ceil(IDLE_VIEWERS_PER_ORDER);
    let idle = setup::idle_orders(&api, idle_orders, options.concurrency, seed).await?;
    let company = Arc::new(Company::connect(options, &deliveries, &idle, schedule, seed).await?);
    let conductor = Conductor { company: Arc::clone(&company), schedule, riders };
    let own_cpu = tokio::task::spawn_blocking(|| conductor.conduct()).await?;
    company.settle(Duration::from_secs_f64(options.ack_deadline)).await;
    let company = Arc::into_inner(company).context("the conductor still holds the company")?;
    let outcome = company.go_home(&deliveries).await;
    let verdict = match options.verify {
        true => Some(verify(&api, &outcome.couriers, options.concurrency).await?),
        false => None,
    };
    Ok(outcome.report(options, schedule, seed, own_cpu, verdict))
}

/// All the bots.
struct Company {
    couriers: Vec<CourierBot>,
    viewers: Vec<ViewerBot>,
    idle_viewers: Vec<ViewerBot>,
    measurements: Arc<Measurements>,
    zero: Zero,
}

impl Company {
    /// Connects everybody, and fixes the moment at which the schedule begins.
    async fn connect(
        options: &LoadOptions,
        deliveries: &[Delivery],
        idle: &[Idle],
        schedule: Schedule,
        seed: u64,
    ) -> Result<Self> {
        // Ten thousand handshakes take seconds: what is due counts from a moment that lies behind them.
        let handshakes = Duration::from_millis(2 * options.sockets());
        let mut company = Self {
            couriers: Vec::new(),
            viewers: Vec::new(),
            idle_viewers: Vec::new(),
            measurements: Arc::default(),
            zero: Zero::after(LEAD + handshakes),
        };
        company.connect_couriers(options, deliveries, seed).await?;
        company.connect_viewers(options, deliveries, schedule, seed).await?;
        company.connect_idle_viewers(options, idle, seed).await?;
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

    /// Waits for the acks still outstanding, and then for quiet.
    async fn settle(&self, deadline: Duration) {
        let until = Instant::now() + deadline;
        for bot in &self.couriers {
            bot.settle(until.saturating_duration_since(Instant::now())).await;
        }
        tokio::time::sleep(QUIET).await;
    }

    async fn go_home(self, deliveries: &[Delivery]) -> Outcome {
        let mut viewers = Vec::with_capacity(self.viewers.len() + self.idle_viewers.len());
        for bot in self.viewers.into_iter().chain(self.idle_viewers) {
            viewers.push(bot.stop().await);
        }
        let mut couriers = Vec::with_capacity(self.couriers.len());
        for (bot, delivery) in self.couriers.into_iter().zip(deliveries) {
            couriers.push((delivery.courier, bot.stop().await));
        }
        Outcome { couriers, viewers, measurements: self.measurements }
    }
}

async fn is_on_duty(bot: &CourierBot) -> Result<()> {
    let answered = bot.wait_until(CONNECT_PATIENCE, |state| state.connected || state.stopped).await;
    ensure!(answered && !bot.state().stopped, "a courier cannot connect: {:?}", bot.log().stopped_with);
    Ok(())
}

fn viewer(options: &LoadOptions, tracking_token: &str, random: StdRng) -> ViewerOptions {
    ViewerOptions {
        server: options.server.clone(),
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

/// Everything that was seen.
struct Outcome {
    couriers: Vec<(CourierId, CourierLog)>,
    viewers: Vec<ViewerLog>,
    measurements: Arc<Measurements>,
}

impl Outcome {
    fn report(
        &self,
        options: &LoadOptions,
        schedule: Schedule,
        seed: u64,
        own_cpu: f64,
        verdict: Option<Verdict>,
    ) -> Report {
        let measured = &self.measurements;
        let of_couriers =
            |count: fn(&CourierLog) -> usize| self.couriers.iter().map(|(_, log)| count(log) as u64).sum();
        let of_viewers = |count: fn(&ViewerLog) -> u64| self.viewers.iter().map(count).sum::<u64>();
        let violations = self.couriers.iter().flat_map(|(_, log)| &log.violations);
        let violations = violations.chain(self.viewers.iter().flat_map(|log| &log.view.violations));
        let fixes_acked: u64 = of_couriers(CourierLog::acked);
        Report {
            seed,
            couriers: options.couriers,
            viewers: options.viewers,
            idle_viewers: options.idle_viewers,
            rate_hz: options.rate,
            fixes_per_message: options.fixes_per_message,
            codec: options.codec.as_str(),
            duration_s: options.duration,
            fixes_sent: of_couriers(|log| log.sent.len()),
            fixes_acked,
            fixes_rejected: of_couriers(CourierLog::rejected),
            fixes_unanswered: measured.fixes_given.load(Ordering::Relaxed)
                - fixes_acked
                - of_couriers(CourierLog::rejected),
            schedule_overflows: measured.refused.load(Ordering::Relaxed),
            acked_per_s: fixes_acked as f64 / measured.last_ack().as_secs_f64().max(options.duration),
            ack: Latency::of(&measured.ack.get()),
            delivery: Latency::of(&measured.delivery.get()),
            longest_silence: Latency::of(&measured.silence.get()),
            deliveries_expected: schedule.messages_per_courier() * options.viewers as u64,
            deliveries_received: measured.deliveries.load(Ordering::Relaxed),
            own_lateness: Latency::of(&measured.lateness.get()),
            own_cpu,
            courier_losses: of_couriers(|log| log.losses as usize),
            viewer_losses: of_viewers(|log| u64::from(log.losses)),
            went_back: of_viewers(|log| log.view.went_back),
            stale_after_reconnect: of_viewers(|log| log.view.stale),
            other_order: of_viewers(|log| log.view.other_order) + measured.other_order.load(Ordering::Relaxed),
            violations: violations.clone().count() as u64,
            violation_examples: violations.take(VIOLATION_EXAMPLES).cloned().collect(),
            verdict,
        }
    }
}
