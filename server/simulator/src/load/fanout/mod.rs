//! The deliveries of a load test through another message broker: a baseline.
//!
//! As many topics as the load test has couriers and as many subscribers as it has customers, on the same schedule,
//! with a payload like a position of ours. The brokers are spoken to over WebSockets, as browsers would, and they
//! neither store nor check anything.

mod connection;
mod mqtt;
mod nats;
mod options;
mod payload;
mod protocol;
mod said;
mod socketio;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use connection::{Publisher, Subscriber};

use super::{
    cpu::CpuClock,
    latency::Latency,
    measure::{Durations, Measurements},
    schedule::{Schedule, Zero, sleep_until},
};
use crate::{
    footprint::{Footprint, Watched},
    open_files,
};

pub use options::{FanoutOptions, Protocol};

const CONNECT_AT_ONCE: usize = 100;
const LEAD: Duration = Duration::from_secs(1);
// What was published last arrives within milliseconds.
const QUIET: Duration = Duration::from_secs(1);

/// What the broker made of it. The names are those of a load test's report.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FanoutReport {
    /// From when a message was due until a subscriber got it.
    pub delivery: Latency,
    /// Messages times their subscribers.
    pub deliveries_expected: u64,
    /// How many of those arrived.
    pub deliveries_received: u64,
    /// From when a message was due until this program handed it to its publisher.
    pub own_lateness: Latency,
    /// CPU time of this program per wall time while it sent; 1.0 is one core.
    pub own_cpu: f64,
    /// What the broker took meanwhile.
    pub server: Footprint,
}

/// Runs it and writes the report.
///
/// # Errors
/// When the broker cannot be reached, or does not speak as it should.
pub async fn run(options: &FanoutOptions) -> Result<()> {
    let schedule = Schedule::new(options.topics, options.rate, options.duration, 1)?;
    open_files::allow_sockets((options.topics + options.viewers) as u64)?;
    let measurements = Arc::new(Measurements::default());
    let subscribers = subscribe(options, &measurements).await?;
    let publishers = stream::iter(0..options.topics).map(|topic| Publisher::connect(options, topic));
    let publishers: Vec<_> = publishers.buffered(CONNECT_AT_ONCE).try_collect().await?;
    let (pid, counted) = (options.server_pid, Arc::clone(&measurements));
    let (publishers, report) =
        tokio::task::spawn_blocking(move || publish(publishers, schedule, pid, &counted)).await??;
    tokio::time::sleep(QUIET).await;
    drop(publishers);
    subscribers.iter().for_each(JoinHandle::abort);
    let report = FanoutReport {
        delivery: Latency::of(&measurements.delivery.get()),
        deliveries_expected: schedule.messages_per_courier() * options.viewers as u64,
        deliveries_received: measurements.deliveries(),
        ..report
    };
    std::fs::write(&options.json, serde_json::to_string_pretty(&report)?)
        .with_context(|| format!("cannot write {}", options.json.display()))
}

/// Connects every subscriber; each counts on a task of its own what arrives.
async fn subscribe(options: &FanoutOptions, measurements: &Arc<Measurements>) -> Result<Vec<JoinHandle<()>>> {
    let connecting =
        stream::iter(0..options.viewers).map(|number| Subscriber::connect(options, number % options.topics));
    let connected: Vec<Subscriber> = connecting.buffer_unordered(CONNECT_AT_ONCE).try_collect().await?;
    Ok(connected.into_iter().map(|subscriber| tokio::spawn(subscriber.count_into(Arc::clone(measurements)))).collect())
}

/// Blocks until the last message was handed over.
fn publish(
    publishers: Vec<Publisher>,
    schedule: Schedule,
    server_pid: u32,
    measurements: &Measurements,
) -> Result<(Vec<Publisher>, FanoutReport)> {
    let zero = Zero::after(LEAD);
    sleep_until(zero.instant);
    let (server, cpu) = (Watched::start(&[server_pid])?, CpuClock::start());
    let lateness = Durations::default();
    for (topic, due_ms) in schedule.iter() {
        let payload = payload::new(zero, due_ms);
        let due = zero.at(due_ms);
        sleep_until(due);
        lateness.add(due.elapsed());
        ensure!(publishers[topic].try_publish(payload), "a publisher cannot keep up");
    }
    let server = server.footprint(measurements.deliveries())?;
    let report = FanoutReport {
        delivery: Latency::default(),
        deliveries_expected: 0,
        deliveries_received: 0,
        own_lateness: Latency::of(&lateness.get()),
        own_cpu: cpu.share(),
        server,
    };
    Ok((publishers, report))
}
