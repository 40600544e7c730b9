//! What all bots saw, added up.

use std::sync::{Arc, atomic::Ordering};

use doorstep_shared::CourierId;

use super::{
    ending::Ending,
    latency::Latency,
    measure::Measurements,
    options::LoadOptions,
    report::{FleetFeed, Report},
    schedule::{Schedule, Zero},
    verify::Verdict,
};
use crate::{console::FleetLog, courier::CourierLog, footprint::Footprint, socket::Endings, viewer::ViewerLog};

const VIOLATION_EXAMPLES: usize = 5;

/// What the sending took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conducted {
    /// CPU share of this program.
    pub own_cpu: f64,
    /// What the server took, when it was watched.
    pub server: Option<Footprint>,
}

/// Every bot's facts.
pub(super) struct Outcome {
    pub couriers: Vec<(CourierId, CourierLog)>,
    pub viewers: Vec<ViewerLog>,
    pub dispatchers: Vec<FleetLog>,
    pub measurements: Arc<Measurements>,
    pub zero: Zero,
}

impl Outcome {
    pub(super) fn report(
        &self,
        options: &LoadOptions,
        schedule: Schedule,
        seed: u64,
        conducted: Conducted,
        verdict: Option<Verdict>,
    ) -> Report {
        let measured = &self.measurements;
        let of_couriers =
            |count: fn(&CourierLog) -> usize| self.couriers.iter().map(|(_, log)| count(log) as u64).sum();
        let of_viewers = |count: fn(&ViewerLog) -> u64| self.viewers.iter().map(count).sum::<u64>();
        let violations = self.couriers.iter().flat_map(|(_, log)| &log.violations);
        let violations = violations.chain(self.viewers.iter().flat_map(|log| &log.view.violations));
        let violations = violations.chain(self.dispatchers.iter().flat_map(|log| &log.picture.violations));
        let fixes_acked: u64 = of_couriers(CourierLog::acked);
        let fixes_rejected: u64 = of_couriers(CourierLog::rejected);
        Report {
            seed,
            couriers: options.couriers,
            viewers: options.viewers,
            idle_viewers: options.idle_viewers,
            rate_hz: options.rate,
            fixes_per_message: options.fixes_per_message,
            codec: options.codec,
            duration_s: options.duration,
            fixes_sent: of_couriers(|log| log.sent.len()),
            fixes_acked,
            fixes_rejected,
            fixes_unanswered: measured.fixes_given.load(Ordering::Relaxed).saturating_sub(fixes_acked + fixes_rejected),
            schedule_overflows: measured.refused.load(Ordering::Relaxed),
            acked_per_s: fixes_acked as f64 / measured.last_ack().as_secs_f64().max(options.duration),
            ack: Latency::of(&measured.ack.get()),
            delivery: Latency::of(&measured.delivery.get()),
            longest_silence: Latency::of(&measured.silence.get()),
            deliveries_expected: schedule.messages_per_courier() * options.viewers as u64,
            deliveries_received: measured.deliveries.load(Ordering::Relaxed),
            own_lateness: Latency::of(&measured.lateness.get()),
            own_cpu: conducted.own_cpu,
            server: conducted.server,
            courier_losses: of_couriers(|log| log.losses as usize),
            viewer_losses: of_viewers(|log| u64::from(log.losses)),
            fleet_feed: self.fleet_feed(fixes_acked, options.duration),
            went_back: of_viewers(|log| log.view.went_back)
                + self.dispatchers.iter().map(|log| log.picture.went_back).sum::<u64>(),
            stale_after_reconnect: of_viewers(|log| log.view.stale),
            other_order: of_viewers(|log| log.view.other_order) + measured.other_order.load(Ordering::Relaxed),
            violations: violations.clone().count() as u64,
            violation_examples: violations.take(VIOLATION_EXAMPLES).cloned().collect(),
            // Who did not want things read back is not told that they differ.
            ending: verdict.map(|_| Ending::of(&self.couriers, &self.viewers[..options.viewers], &self.dispatchers)),
            verdict,
            endings: self.endings(),
            times: measured.timeline.times(self.zero.epoch_ms),
        }
    }

    fn endings(&self) -> Endings {
        let couriers = self.couriers.iter().map(|(_, log)| &log.endings);
        let others = self.viewers.iter().map(|log| &log.endings).chain(self.dispatchers.iter().map(|log| &log.endings));
        let mut all = Endings::new();
        for (code, count) in couriers.chain(others).flatten() {
            *all.entry(*code).or_default() += count;
        }
        all
    }

    /// What a dispatcher got on average, against one frame for each fix that the server took.
    fn fleet_feed(&self, fixes: u64, duration_s: f64) -> Option<FleetFeed> {
        let dispatchers = self.dispatchers.len() as f64;
        let sum = |count: fn(&FleetLog) -> u64| self.dispatchers.iter().map(count).sum::<u64>() as f64;
        let positions = sum(|log| log.picture.positions);
        if dispatchers == 0.0 || fixes == 0 || positions == 0.0 {
            return None;
        }
        let frames = sum(|log| log.received.frames - log.snapshots.frames) / dispatchers;
        let bytes = sum(|log| log.received.bytes - log.snapshots.bytes) / dispatchers;
        let bytes_of_one = sum(|log| log.picture.one_by_one_bytes) / positions;
        Some(FleetFeed {
            dispatchers: self.dispatchers.len(),
            frames_per_s: frames / duration_s,
            kilobytes_per_s: bytes / 1_000.0 / duration_s,
            snapshot_kilobytes: sum(|log| log.snapshots.bytes) / 1_000.0 / dispatchers,
            frames_ratio: frames / fixes as f64,
            bytes_ratio: bytes / (fixes as f64 * bytes_of_one),
            gaps: sum(|log| log.picture.gaps) as u64,
            losses: sum(|log| u64::from(log.losses)) as u64,
        })
    }
}
