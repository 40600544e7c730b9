//! Couriers and customers in numbers, on a schedule fixed in advance.
//!
//! Open loop: every message has a moment at which it is due, whatever the server does, and latencies count
//! from there. A server that stalls is therefore measured as slow, not as busy with fewer messages.
//! Afterwards every courier's log can be compared with what the server gives back through its public API, so
//! a run tells not only how fast but also whether anything acknowledged was lost. It lives through `kill -9`
//! of the server and through an absent database.

mod company;
mod conductor;
mod cpu;
mod ending;
pub mod fanout;
mod measure;
mod outcome;
mod report;
mod riders;
mod schedule;
mod setup;
mod timeline;
mod verify;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use doorstep_shared::protocol::Codec;

use crate::{api::Api, random::any_seed, server_url::ServerUrl};
use company::Company;
use conductor::Conductor;
use schedule::Schedule;

pub(crate) use cpu::raise_socket_limit;
pub use ending::Ending;
pub(crate) use measure::Durations;
pub use report::{FleetFeed, Latency, Report};
pub(crate) use riders::Riders;
pub(crate) use setup::{Delivery, deliveries};
pub use timeline::{Moments, Times};
pub use verify::{Verdict, verify};

// Standard streams, the runtime, and the REST connections.
const SOCKETS_BESIDES: u64 = 100;
const IDLE_VIEWERS_PER_ORDER: usize = 100;

/// How a load test goes.
#[derive(Args, Clone, Debug)]
pub struct LoadOptions {
    /// Where the server is.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub server: ServerUrl,
    /// The certificate authority of an https:// server, as a PEM file; nobody else is trusted.
    #[cfg(feature = "tls")]
    #[arg(long)]
    pub ca: Option<PathBuf>,
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
    /// Dispatchers, each with the whole fleet in view.
    #[arg(long, default_value_t = 0)]
    pub dispatchers: usize,
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
    /// Process id of the server, when it runs on this machine: its CPU time and memory go into the report. Several are
    /// added up.
    #[arg(long)]
    pub server_pid: Vec<u32>,
    /// Where customers connect, when that is another server than the couriers'.
    #[arg(long)]
    pub viewer_server: Option<ServerUrl>,
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
        (self.couriers + self.viewers + self.idle_viewers + self.dispatchers) as u64
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

/// Tracking tokens of `count` new orders that nobody has.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn idle_orders(api: &Api, count: usize, concurrency: usize, seed: u64) -> Result<Vec<String>> {
    let orders = setup::idle_orders(api, count, concurrency, seed).await?;
    Ok(orders.into_iter().map(|order| order.tracking_token).collect())
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
    #[cfg(feature = "tls")]
    if let Some(ca) = &options.ca {
        crate::tls::trust(ca)?;
    }
    let schedule = Schedule::new(options.couriers, options.rate, options.duration, options.fixes_per_message)?;
    let sockets = options.sockets() + SOCKETS_BESIDES;
    let limit = cpu::raise_socket_limit();
    ensure!(sockets <= limit, "{sockets} open files are needed and {limit} allowed: use several processes");
    let seed = options.seed.unwrap_or_else(any_seed);
    eprintln!(
        "seed {seed}; setting up {} couriers and {} customers",
        options.couriers,
        options.viewers + options.idle_viewers
    );

    let api = Api::new(options.server.clone(), options.api_key.clone())?;
    let couriers = options.couriers;
    let riders = tokio::task::spawn_blocking(move || Riders::new(couriers, seed)).await??;
    let deliveries = setup::deliveries(&api, options.couriers, options.concurrency, seed).await?;
    let idle_orders = options.idle_viewers.div_ceil(IDLE_VIEWERS_PER_ORDER);
    let idle = setup::idle_orders(&api, idle_orders, options.concurrency, seed).await?;
    let company = Arc::new(Company::connect(options, &deliveries, &idle, schedule, seed).await?);
    let conductor =
        Conductor { company: Arc::clone(&company), schedule, riders, server_pids: options.server_pid.clone() };
    let conducted = tokio::task::spawn_blocking(|| conductor.conduct()).await??;
    company.settle(Duration::from_secs_f64(options.ack_deadline)).await;
    let company = Arc::into_inner(company).context("the conductor still holds the company")?;
    let outcome = company.go_home(&deliveries).await;
    let verdict = match options.verify {
        true => Some(verify(&api, &outcome.couriers, options.concurrency).await?),
        false => None,
    };
    setup::tidy_up(&api, &deliveries, &idle, options.concurrency).await;
    Ok(outcome.report(options, schedule, seed, conducted, verdict))
}
