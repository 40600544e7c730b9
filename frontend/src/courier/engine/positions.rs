//! Turns the phone's readings into positions that are kept and sent.

use doorstep_shared::{RawFix, protocol::encode_json};

use super::{Effect, Engine, FIRST_PACE, Moment, Slot};
use crate::courier::{
    memory::Memory,
    outbox::fixes::Recorded,
    position::{Failure, Reading, Sampler, Sensor},
    state::Here,
};

/// Slower than this a heading is noise.
const MOVING_MPS: f32 = 1.0;

/// Where the courier is, and what of it is recorded.
#[derive(Clone, Debug)]
pub(super) struct Positions {
    pub(super) sampler: Sampler,
    pub(super) sensor: Sensor,
    /// The newest position, for the map.
    pub(super) here: Option<Here>,
    /// When the newest recorded position was taken, by the corrected clock.
    pub(super) recorded_ms: Option<i64>,
    /// Whether the page was hidden on duty and no position has come since: until then the pause goes on.
    pub(super) is_returning: bool,
}

impl Default for Positions {
    fn default() -> Self {
        Self {
            sampler: Sampler::new(FIRST_PACE),
            sensor: Sensor::default(),
            here: None,
            recorded_ms: None,
            is_returning: false,
        }
    }
}

impl Positions {
    /// When a reading that came too early is due to count, on the clock of `now_ms`; `date_ms` is the phone's own clock.
    pub(super) fn held_until_ms(&self, now_ms: f64, date_ms: i64) -> Option<f64> {
        self.sampler.held_for_ms(date_ms).map(|wait_ms| now_ms + wait_ms as f64)
    }

    /// Shows a reading on the map.
    fn show(&mut self, reading: &Reading) {
        let is_moving = reading.speed_mps.is_none_or(|speed_mps| speed_mps >= MOVING_MPS);
        let heading_deg = reading.heading_deg.filter(|_| is_moving);
        self.here = Some(Here { lon: reading.lon, lat: reading.lat, heading_deg });
    }
}

impl Engine {
    /// Watches the position and keeps the screen on.
    pub(super) fn begin_sensing(&mut self, at: Moment) {
        let can_watch = self.positions.sensor.start(at.now_ms, self.browser.can_locate);
        if can_watch {
            self.out.push(Effect::Watch(true));
        }
        if !self.browser.is_hidden {
            self.out.push(Effect::KeepAwake(true));
        }
    }

    pub(super) fn retry_position(&mut self, at: Moment) {
        if self.is_on_duty() && self.positions.sensor.is_refused() {
            self.begin_sensing(at);
        }
        let command = self.connection.want(at.now_ms);
        self.follow(command);
    }

    pub(super) fn reading(&mut self, at: Moment, reading: &Reading) {
        let Some(since_ms) = self.storage.memory.on_duty_since_ms.filter(|_| self.is_on_duty()) else { return };
        if !self.positions.sensor.is_on() {
            return;
        }
        let Some(read_ms) = self.positions.sampler.date(at.date_ms, reading.time_ms) else {
            self.positions.sensor.failed(Failure::Unavailable);
            return;
        };
        self.positions.sensor.read(at.now_ms, reading.accuracy_m);
        self.positions.is_returning &= self.browser.is_hidden;
        self.positions.show(reading);
        let (since_ms, battery) = (self.earliest_ms(since_ms), self.browser.battery_level());
        if let Some(fix) = self.positions.sampler.take(read_ms, since_ms, battery, reading) {
            self.record(fix);
        }
    }

    /// A reading that came too early counts in the end when nothing newer followed.
    pub(super) fn record_held(&mut self, at: Moment) {
        if self.is_on_duty()
            && let Some(fix) = self.positions.sampler.take_held(at.date_ms)
        {
            self.record(fix);
        }
    }

    /// Watches anew when the phone has been quiet for long.
    pub(super) fn ask_position_again(&mut self, at: Moment) {
        if self.is_on_duty() && self.positions.sensor.should_ask(at.now_ms) && !self.browser.is_hidden {
            self.out.push(Effect::Watch(true));
        }
    }

    pub(super) fn position_failed(&mut self, failure: Failure) {
        self.positions.sensor.failed(failure);
        if self.positions.sensor.is_refused() {
            self.out.push(Effect::Watch(false));
        }
    }

    pub(super) fn permission(&mut self, at: Moment, is_granted: bool) {
        if !self.is_on_duty() {
            return;
        }
        if is_granted && self.positions.sensor.is_refused() {
            self.begin_sensing(at);
        } else if !is_granted && self.positions.sensor.is_allowed() {
            self.position_failed(Failure::Denied);
        }
    }

    /// When the shift began, by the phone's clock: nothing is dated before. The shift began by the corrected clock,
    /// readings come by the phone's. When that was set since, and not compared with the server's yet, the two say nothing
    /// about each other.
    fn earliest_ms(&self, since_ms: i64) -> i64 {
        let Memory { clock, on_duty_clock, .. } = &self.storage.memory;
        let is_known = clock.is_checked || clock.number == *on_duty_clock;
        if is_known { since_ms - self.positions.sampler.clock_shift_ms() } else { i64::MIN }
    }

    fn record(&mut self, fix: RawFix) {
        let (time_ms, recorded) = (fix.time_ms, Recorded { fix, clock: self.storage.memory.clock.number });
        let text = encode_json(&recorded);
        let Some(thinned) = self.uploads.fixes.record(recorded) else { return };
        self.positions.recorded_ms = Some(time_ms);
        self.storage.keep_fix(time_ms, text);
        thinned.into_iter().for_each(|time_ms| self.storage.write(Slot::Fix(time_ms), None));
    }
}
