//! What a load test found, for people and for programs.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ending::Ending, latency::Latency, options::CodecName, times::Times, verify::Verdict};
use crate::{footprint::Footprint, socket::Endings};

/// What a dispatcher got, on average, without snapshots.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct FleetFeed {
    /// How many watched.
    pub dispatchers: usize,
    /// Messages a second.
    pub frames_per_s: f64,
    /// Kilobytes a second, frame headers included.
    pub kilobytes_per_s: f64,
    /// Kilobytes of snapshots.
    pub snapshot_kilobytes: f64,
    /// Messages, against one for each fix that the server took.
    pub frames_ratio: f64,
    /// Bytes, against those of one message for each fix, in the same codec.
    pub bytes_ratio: f64,
    /// Gaps in the sequence.
    pub gaps: u64,
    /// Connections that were lost or could not be made.
    pub losses: u64,
}

/// The whole result.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// What everything drawn depended on.
    pub seed: u64,
    /// Couriers, each with one order.
    pub couriers: usize,
    /// Customers.
    pub viewers: usize,
    /// Customers of unassigned orders.
    pub idle_viewers: usize,
    /// Messages a second from each courier.
    pub rate_hz: f64,
    /// Fixes in each message.
    pub fixes_per_message: usize,
    /// How messages were written.
    pub codec: CodecName,
    /// For how long messages were due, in seconds.
    pub duration_s: f64,
    /// Fixes that were sent at least once.
    pub fixes_sent: u64,
    /// Fixes that the server said are durable.
    pub fixes_acked: u64,
    /// Fixes that the server refused for ever.
    pub fixes_rejected: u64,
    /// Fixes without an answer at the deadline.
    pub fixes_unanswered: u64,
    /// Messages that a bot was too far behind to take; then the result is worth nothing.
    pub schedule_overflows: u64,
    /// Acked fixes a second, from the schedule's zero to the last ack.
    pub acked_per_s: f64,
    /// From when a fix was due until its ack.
    pub ack: Latency,
    /// From when a message was due until a customer saw its newest position.
    pub delivery: Latency,
    /// The longest time without a new position, over all customers; after a fault, how long it took to recover.
    pub longest_silence: Latency,
    /// Messages times the customers that watched their courier.
    pub deliveries_expected: u64,
    /// How many of those arrived; the others were conflated with newer ones, or the customer was not connected.
    pub deliveries_received: u64,
    /// From when a message was due until this program handed it to its bot: how well it kept its schedule.
    pub own_lateness: Latency,
    /// CPU time of this program per wall time while it sent; 1.0 is one core.
    pub own_cpu: f64,
    /// What the server took while messages were due, when its process id was given.
    pub server: Option<Footprint>,
    /// Connections that were lost or could not be made, by couriers.
    pub courier_losses: u64,
    /// Connections that were lost or could not be made, by customers.
    pub viewer_losses: u64,
    /// What dispatchers got, if there were any.
    pub fleet_feed: Option<FleetFeed>,
    /// Markers that went back in time on one connection, of customers and dispatchers.
    pub went_back: u64,
    /// Positions older than what the customer had seen before reconnecting.
    pub stale_after_reconnect: u64,
    /// Positions or snapshots of another order.
    pub other_order: u64,
    /// Other breaches of the contract; the first few are in `violation_examples`.
    pub violations: u64,
    /// What they were.
    pub violation_examples: Vec<String>,
    /// What reading everything back showed, when that was asked for.
    pub verdict: Option<Verdict>,
    /// Whether everybody saw the same in the end, when reading back was asked for.
    pub ending: Option<Ending>,
    /// With which close codes or HTTP statuses the server ended connections, and how many; who was just cut off is in
    /// none of them.
    pub endings: Endings,
    /// When acks and positions came.
    pub times: Times,
}

impl Report {
    /// CPU of the program under test for each delivery, in microseconds; NaN when it was not watched.
    pub fn cpu_us_per_delivery(&self) -> f64 {
        self.server.map_or(f64::NAN, |server| server.cpu_us_per_delivery)
    }

    /// Which part of the deliveries arrived; the others were conflated or lost.
    pub fn arrived(&self) -> f64 {
        self.deliveries_received as f64 / self.deliveries_expected.max(1) as f64
    }

    /// Connections that couriers and customers lost or could not make.
    pub fn losses(&self) -> u64 {
        self.courier_losses + self.viewer_losses
    }

    /// Whether the server kept its promises and the test was worth something.
    pub fn passed(&self) -> bool {
        self.broken_promises().is_empty()
    }

    /// In words, everything that must not be.
    pub fn broken_promises(&self) -> Vec<String> {
        let (verdict, ending) = (self.verdict.unwrap_or_default(), self.ending.unwrap_or_default());
        let counts = [
            (verdict.acked_but_missing, "acked fixes are missing"),
            (verdict.stored_but_never_sent, "stored fixes were never sent"),
            (verdict.duplicates, "fixes are stored twice"),
            (verdict.payload_differences, "stored fixes differ from what was sent"),
            (verdict.rejected_but_stored, "rejected fixes are stored"),
            (self.fixes_unanswered, "fixes got no answer"),
            (self.went_back, "positions went back in time"),
            (self.other_order, "positions were another order's"),
            (ending.viewers_apart, "customers do not end at the newest stored position"),
            (ending.consoles_apart, "couriers end elsewhere on a console"),
            (self.fleet_feed.map_or(0, |feed| feed.gaps), "gaps in dispatchers' sequences"),
            (self.violations, "messages broke the contract"),
            (self.schedule_overflows, "messages could not be scheduled"),
        ];
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} couriers × {} messages/s × {} fixes for {} s, {} customers and {} idle ones, {}, seed {}",
            self.couriers,
            self.rate_hz,
            self.fixes_per_message,
            self.duration_s,
            self.viewers,
            self.idle_viewers,
            self.codec,
            self.seed
        )?;
        writeln!(
            f,
            "fixes       {} sent, {} acked ({:.0} a second), {} rejected, {} without an answer",
            self.fixes_sent, self.fixes_acked, self.acked_per_s, self.fixes_rejected, self.fixes_unanswered
        )?;
        writeln!(f, "ack         {}", self.ack)?;
        if self.viewers > 0 {
            let missed = self.deliveries_expected.saturating_sub(self.deliveries_received);
            writeln!(f, "to customer {}", self.delivery)?;
            writeln!(
                f,
                "deliveries  {} of {} ({missed} conflated or missed)",
                self.deliveries_received, self.deliveries_expected
            )?;
            writeln!(f, "silence     {} (longest for each customer)", self.longest_silence)?;
        }
        if let Some(feed) = &self.fleet_feed {
            writeln!(f, "fleet feed  {feed}")?;
        }
        writeln!(f, "this client {:.2} cores, late by {}", self.own_cpu, self.own_lateness)?;
        if let Some(server) = &self.server {
            writeln!(f, "server      {server}")?;
        }
        writeln!(f, "losses      {} by couriers, {} by customers", self.courier_losses, self.viewer_losses)?;
        if self.stale_after_reconnect > 0 {
            writeln!(f, "stale       {} positions older than before a reconnect, ignored", self.stale_after_reconnect)?;
        }
        match &self.verdict {
            Some(verdict) => writeln!(f, "read back   {} fixes", verdict.stored)?,
            None => writeln!(f, "read back   not asked for (--verify)")?,
        }
        for example in &self.violation_examples {
            writeln!(f, "violation   {example}")?;
        }
        let broken = self.broken_promises();
        if broken.is_empty() {
            return writeln!(f, "kept every promise");
        }
        broken.iter().try_for_each(|promise| writeln!(f, "BROKEN      {promise}"))
    }
}

impl fmt::Display for FleetFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} dispatchers, each {:.1} frames and {:.1} KB a second after {:.0} KB of snapshot: \
             {:.5} of the frames and {:.2} of the bytes of one for each fix; {} gaps, {} losses",
            self.dispatchers,
            self.frames_per_s,
            self.kilobytes_per_s,
            self.snapshot_kilobytes,
            self.frames_ratio,
            self.bytes_ratio,
            self.gaps,
            self.losses
        )
    }
}
