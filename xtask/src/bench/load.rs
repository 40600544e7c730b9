//! What the load client is asked to do, and what it reports.

use serde::Deserialize;

/// Decides everything that the load client draws.
pub const SEED: u64 = 1;

/// Couriers who send on a schedule, and customers who watch.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub couriers: u32,
    pub viewers: u32,
    pub dispatchers: u32,
    /// Messages a second from each courier.
    pub rate_hz: f64,
    pub fixes_per_message: u32,
    pub duration_s: f64,
}

impl Load {
    /// Its options for the client.
    pub fn arguments(&self) -> Vec<String> {
        let options = [
            ("--couriers", self.couriers.to_string()),
            ("--viewers", self.viewers.to_string()),
            ("--dispatchers", self.dispatchers.to_string()),
            ("--rate", self.rate_hz.to_string()),
            ("--fixes-per-message", self.fixes_per_message.to_string()),
            ("--duration", self.duration_s.to_string()),
            ("--seed", SEED.to_string()),
        ];
        options.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect()
    }
}

/// The parts of the client's report that are used. A baseline's has fewer.
#[derive(Clone, Debug, Deserialize)]
pub struct Report {
    #[serde(default)]
    pub acked_per_s: f64,
    #[serde(default)]
    pub ack: Latency,
    pub delivery: Latency,
    #[serde(default)]
    pub longest_silence: Latency,
    pub deliveries_expected: u64,
    pub deliveries_received: u64,
    /// CPU time of the client per wall time; 1.0 is one core.
    pub own_cpu: f64,
    pub server: Option<Footprint>,
    #[serde(default)]
    pub fleet_feed: Option<FleetFeed>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Latency {
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

/// What the program under test took while messages were due.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Footprint {
    pub cpu_us_per_delivery: f64,
    pub resident_bytes: u64,
}

/// What a dispatcher got.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct FleetFeed {
    pub frames_per_s: f64,
    pub frames_ratio: f64,
    pub bytes_ratio: f64,
}

impl Report {
    /// CPU of the program under test for each delivery, in microseconds.
    pub fn cpu_us(&self) -> f64 {
        self.server.map_or(f64::NAN, |server| server.cpu_us_per_delivery)
    }

    /// Which part of the deliveries arrived; the others were conflated or lost.
    pub fn arrived(&self) -> f64 {
        self.deliveries_received as f64 / self.deliveries_expected.max(1) as f64
    }
}
