//! Knows whether the phone gives positions: whether it may, how good the newest is, and when to ask it again.

use super::Failure;
use crate::courier::state::Gps;

/// A position older than this is no longer what the screen calls good.
const FRESH_MS: f64 = 15_000.0;

/// Without a reading for this long, sharing has paused.
pub const NO_SIGNAL_MS: f64 = 30_000.0;

/// Without a reading for this long the phone is asked anew: some browsers report only what moves, and answer a new
/// question at once where they can. A question beside the one that is open they would leave to the next movement.
const ASK_AGAIN_MS: f64 = 15_000.0;

/// A radius beyond this does not find a door.
const VAGUE_M: f32 = 100.0;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Watch {
    /// Not asked.
    Idle,
    /// Asked; `allowed` once anything but a refusal came.
    On { since_ms: f64, allowed: bool },
    /// The answer was no; `before` it had been yes.
    Refused { before: bool },
    /// There is nothing to ask.
    Missing,
}

/// Whether the phone gives positions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sensor {
    watch: Watch,
    read_ms: Option<f64>,
    asked_ms: Option<f64>,
    accuracy_m: f32,
    is_failing: bool,
}

impl Default for Sensor {
    fn default() -> Self {
        Self { watch: Watch::Idle, read_ms: None, asked_ms: None, accuracy_m: 0.0, is_failing: false }
    }
}

impl Sensor {
    /// Positions are wanted. Answers whether to watch.
    pub fn start(&mut self, now_ms: f64, can_locate: bool) -> bool {
        let watch = if can_locate { Watch::On { since_ms: now_ms, allowed: false } } else { Watch::Missing };
        *self = Self { watch, ..Self::default() };
        can_locate
    }

    /// Positions are wanted again after a while in the background: the time without any does not count.
    pub fn resume(&mut self, now_ms: f64) {
        if let Watch::On { since_ms, .. } = &mut self.watch {
            *since_ms = now_ms;
            self.read_ms = None;
            self.is_failing = false;
        }
    }

    /// Positions are not wanted any more.
    pub fn stop(&mut self) {
        *self = Self::default();
    }

    /// A reading came.
    pub fn read(&mut self, now_ms: f64, accuracy_m: f32) {
        if let Watch::On { allowed, .. } = &mut self.watch {
            *allowed = true;
            (self.read_ms, self.accuracy_m, self.is_failing) = (Some(now_ms), accuracy_m, false);
        }
    }

    /// No reading came.
    pub fn failed(&mut self, failure: Failure) {
        let Watch::On { allowed, .. } = &mut self.watch else { return };
        match failure {
            Failure::Denied => self.watch = Watch::Refused { before: *allowed },
            Failure::Unavailable | Failure::Timeout => (*allowed, self.is_failing) = (true, true),
        }
    }

    /// Whether positions are watched for.
    pub fn is_on(&self) -> bool {
        matches!(self.watch, Watch::On { .. })
    }

    /// Whether the courier, or the phone, has said yes.
    pub fn is_allowed(&self) -> bool {
        matches!(self.watch, Watch::On { allowed: true, .. })
    }

    /// Whether it was yes at some time, even if it is not any more.
    pub fn was_allowed(&self) -> bool {
        matches!(self.watch, Watch::On { allowed: true, .. } | Watch::Refused { before: true })
    }

    /// Whether the answer was no, or there is nothing to ask.
    pub fn is_refused(&self) -> bool {
        matches!(self.watch, Watch::Refused { .. } | Watch::Missing)
    }

    /// Whether so long nothing came that sharing has paused.
    pub fn is_silent(&self, now_ms: f64) -> bool {
        self.quiet_since_ms().is_some_and(|since_ms| now_ms - since_ms >= NO_SIGNAL_MS)
    }

    /// Whether to ask the phone anew; it then counts as asked.
    pub fn should_ask(&mut self, now_ms: f64) -> bool {
        let is_due = self.ask_at_ms().is_some_and(|due_ms| due_ms <= now_ms);
        if is_due {
            self.asked_ms = Some(now_ms);
        }
        is_due
    }

    /// When something changes by itself.
    pub fn wake_ms(&self, now_ms: f64) -> Option<f64> {
        let silent_ms = self.quiet_since_ms().map(|since_ms| since_ms + NO_SIGNAL_MS).filter(|at_ms| *at_ms > now_ms);
        let stale_ms = self.read_ms.map(|read_ms| read_ms + FRESH_MS).filter(|at_ms| *at_ms > now_ms);
        [silent_ms, stale_ms, self.ask_at_ms()].into_iter().flatten().reduce(f64::min)
    }

    /// What the screen says.
    pub fn gps(&self, now_ms: f64, interval_ms: u64) -> Gps {
        match self.watch {
            Watch::Idle => Gps::Idle,
            Watch::Missing => Gps::Unavailable,
            Watch::Refused { before: false } => Gps::Denied,
            Watch::Refused { before: true } => Gps::Lost,
            Watch::On { .. } => self.quality(now_ms, interval_ms),
        }
    }

    fn quality(&self, now_ms: f64, interval_ms: u64) -> Gps {
        let fresh_ms = FRESH_MS.max(interval_ms as f64);
        match self.read_ms {
            Some(read_ms) if now_ms - read_ms < fresh_ms && self.accuracy_m <= VAGUE_M => {
                Gps::Good { accuracy_m: self.accuracy_m }
            }
            None if !self.is_failing => Gps::Searching,
            _ => Gps::Weak,
        }
    }

    fn quiet_since_ms(&self) -> Option<f64> {
        match self.watch {
            Watch::On { since_ms, allowed: true } => Some(self.read_ms.unwrap_or(since_ms)),
            _ => None,
        }
    }

    fn ask_at_ms(&self) -> Option<f64> {
        let since_ms = self.quiet_since_ms()?;
        Some(self.asked_ms.map_or(since_ms, |asked_ms| asked_ms.max(since_ms)) + ASK_AGAIN_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_sensor_says_follows_what_it_reads() {
        let mut sensor = Sensor::default();
        assert_eq!(sensor.gps(0.0, 1_000), Gps::Idle);
        assert!(sensor.start(0.0, true));
        assert_eq!(sensor.gps(0.0, 1_000), Gps::Searching);
        sensor.failed(Failure::Timeout);
        assert_eq!(sensor.gps(15_000.0, 1_000), Gps::Weak);
        sensor.read(20_000.0, 5.0);
        assert_eq!(sensor.gps(34_999.0, 1_000), Gps::Good { accuracy_m: 5.0 });
        assert_eq!(sensor.gps(35_000.0, 1_000), Gps::Weak);
        assert_eq!(sensor.gps(49_000.0, 30_000), Gps::Good { accuracy_m: 5.0 });
        assert!(!sensor.is_silent(49_999.0) && sensor.is_silent(50_000.0));
        sensor.read(51_000.0, 800.0);
        assert_eq!(sensor.gps(51_000.0, 1_000), Gps::Weak);
    }

    #[test]
    fn no_at_first_is_denied_and_no_later_is_lost() {
        let mut sensor = Sensor::default();
        sensor.start(0.0, true);
        sensor.failed(Failure::Denied);
        assert_eq!(sensor.gps(0.0, 1_000), Gps::Denied);
        sensor.start(0.0, true);
        sensor.read(0.0, 5.0);
        sensor.failed(Failure::Denied);
        assert_eq!(sensor.gps(0.0, 1_000), Gps::Lost);
        assert!(!sensor.start(0.0, false));
        assert_eq!(sensor.gps(0.0, 1_000), Gps::Unavailable);
    }

    #[test]
    fn a_phone_that_reports_only_what_moves_is_asked_every_fifteen_seconds() {
        let mut sensor = Sensor::default();
        sensor.start(0.0, true);
        assert!(!sensor.should_ask(60_000.0), "not while the courier is being asked");
        sensor.read(60_000.0, 5.0);
        assert_eq!(sensor.wake_ms(60_000.0), Some(75_000.0));
        assert!(!sensor.should_ask(74_999.0) && sensor.should_ask(75_000.0) && !sensor.should_ask(76_000.0));
    }
}
