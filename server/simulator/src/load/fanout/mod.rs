//! The deliveries of a load test through somebody else's message broker: a baseline.
//!
//! As many topics as the load test has couriers and as many subscribers as it has customers, on the same schedule,
//! with a payload like a position of ours. The brokers are spoken to over WebSockets, as browsers would, and they
//! neither store nor check anything.

mod connection;
mod mqtt;
mod nats;
mod socketio;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use doorstep_shared::{Position, protocol};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use tokio::task::JoinHandle;

use self::connection::{Publisher, Subscriber};
use super::{
    SOCKETS_BESIDES,
    conductor::sleep_until,
    cpu::{CpuClock, raise_socket_limit},
    measure::{Durations, Measurements},
    report::Latency,
    schedule::{Schedule, Zero},
};
use crate::footprint::{Footprint, Watched};

const CONNECT_AT_ONCE: usize = 100;
const LEAD: Duration = Duration::from_secs(1);
// What was published last arrives within milliseconds.
const QUIET: Duration = Duration::from_secs(1);

/// Whose protocol is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// The core protocol of NATS, without JetStream.
    Nats,
    /// MQTT 3.1.1 with quality of service 0.
    Mqtt,
    /// Socket.IO 4 over Engine.IO 4, with a server that knows `watch` and `publish`.
    Socketio,
}

/// What goes through the broker.
#[derive(Args, Clone, Debug)]
pub struct FanoutOptions {
    /// The broker's WebSocket address, `ws://127.0.0.1:8081` for example.
    #[arg(long)]
    pub url: String,
    /// What it speaks.
    #[arg(long, value_enum)]
    pub protocol: Protocol,
    /// Topics, with one publisher each.
    #[arg(long, default_value_t = 10)]
    pub topics: usize,
    /// Subscribers, spread evenly over the topics.
    #[arg(long, default_value_t = 1_000)]
    pub viewers: usize,
    /// Messages a second from each publisher.
    #[arg(long, default_value_t = 20.0)]
    pub rate: f64,
    /// For how long messages are due, in seconds.
    #[arg(long, default_value_t = 10.0)]
    pub duration: f64,
    /// The broker's process id.
    #[arg(long)]
    pub server_pid: u32,
    /// Write the report here as JSON.
    #[arg(long)]
    pub json: PathBuf,
}

/// What the broker made of it. The names are those of a load test's report.
#[derive(Clone, Debug, Serialize)]
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
    let (needed, limit) = ((options.topics + options.viewers) as u64 + SOCKETS_BESIDES, raise_socket_limit());
    ensure!(needed <= limit, "{needed} open files are needed and {limit} allowed: use several processes");
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
        let payload = payload(zero, due_ms);
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

/// A position as our own server writes it to customers, with the moment at which it is due as its time.
fn payload(zero: Zero, due_ms: u64) -> String {
    let position = Position {
        time_ms: zero.epoch_ms + due_ms as i64,
        lat: 35.899_171_3,
        lon: 14.514_238_7,
        accuracy_m: Some(6.5),
        speed_mps: Some(4.25),
        heading_deg: Some(182.0),
    };
    let update = protocol::customer::PositionUpdate::new(&position, Vec::new());
    protocol::encode_json(&protocol::customer::CustomerEvent::Position(update))
}

/// How long ago a payload was due, by the wall clock that its publisher wrote into it.
fn age(payload: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(payload).ok()?;
    let digits = text.split_once("\"time_ms\":")?.1;
    let time_ms: i64 = digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    let now_us = chrono::Utc::now().timestamp_micros();
    u64::try_from(now_us - time_ms * 1_000).ok().map(Duration::from_micros)
}

/// Counts one delivery.
fn note(measurements: &Measurements, payload: &[u8]) {
    measurements.delivered(age(payload).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_payload_tells_how_old_it_is() {
        let zero = Zero { instant: Instant::now(), epoch_ms: chrono::Utc::now().timestamp_millis() - 500 };
        let age = age(payload(zero, 200).as_bytes()).expect("a payload of ours");
        assert!(age >= Duration::from_millis(300) && age < Duration::from_secs(60), "{age:?}");
    }
}
