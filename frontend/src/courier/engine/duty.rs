//! The shift itself: readings become positions, silences become reasons.

use doorstep_shared::{
    RawFix,
    protocol::{PresenceReason, PresenceState, courier::PresenceReport, encode_json},
};

use super::{Effect, Engine, Moment, Slot};
use crate::courier::{
    intent::Screen,
    memory::Memory,
    outbox::fixes::Recorded,
    position::{Failure, NO_SIGNAL_MS, Reading},
    sentences,
    state::{Door, Duty, Here, Tone, Wake},
};

/// A pause shorter than this is not worth a sentence.
const TOLD_PAUSE_MS: i64 = 20_000;

/// At this charge and without a charger the battery is the likeliest reason for a silence.
const LOW_BATTERY: f32 = 0.05;

/// Slower than this a heading is noise.
const MOVING_MPS: f32 = 1.0;

impl Engine {
    pub(super) fn go_online(&mut self, at: Moment) {
        if self.door != Door::Open || self.is_on_duty() {
            return;
        }
        let since_ms = self.date_ms(at);
        let memory = self.remember();
        (memory.on_duty_since_ms, memory.on_duty_clock) = (Some(since_ms), memory.clock.number);
        self.is_strict = true;
        self.sampler.restart();
        self.out.push(Effect::Persist);
        self.begin_sensing(at);
    }

    pub(super) fn go_offline(&mut self, at: Moment) {
        if self.memory.on_duty_since_ms.is_none() {
            return;
        }
        let since_ms = self.date_ms(at);
        let memory = self.remember();
        memory.on_duty_since_ms = None;
        memory.presence.note(PresenceState::OffDuty, Some(PresenceReason::User), since_ms);
        self.is_strict = true;
        self.sensor.stop();
        (self.wake, self.here, self.audience) = (Wake::Idle, None, None);
        self.out.extend([Effect::Watch(false), Effect::KeepAwake(false)]);
    }

    /// Watches the position and keeps the screen on.
    pub(super) fn begin_sensing(&mut self, at: Moment) {
        let can_watch = self.sensor.start(at.now_ms, self.can_locate);
        if can_watch {
            self.out.push(Effect::Watch(true));
        }
        if !self.is_hidden {
            self.out.push(Effect::KeepAwake(true));
        }
    }

    pub(super) fn retry_position(&mut self, at: Moment) {
        if self.is_on_duty() && self.sensor.is_refused() {
            self.begin_sensing(at);
        }
        let step = self.line.want(at.now_ms);
        self.follow(step);
    }

    pub(super) fn reading(&mut self, at: Moment, reading: &Reading) {
        let Some(since_ms) = self.memory.on_duty_since_ms.filter(|_| self.is_on_duty()) else { return };
        if !self.sensor.is_on() {
            return;
        }
        let Some(read_ms) = self.sampler.date(at.date_ms, reading.time_ms) else {
            self.sensor.failed(Failure::Unavailable);
            return;
        };
        self.sensor.read(at.now_ms, reading.accuracy_m);
        self.is_returning &= self.is_hidden;
        let is_moving = reading.speed_mps.is_none_or(|speed_mps| speed_mps >= MOVING_MPS);
        self.here =
            Some(Here { lon: reading.lon, lat: reading.lat, heading_deg: reading.heading_deg.filter(|_| is_moving) });
        let battery = self.battery.map(|(level, _)| level);
        // The shift began by the corrected clock, readings come by the phone's. When that was set since, and not compared
        // with the server's yet, the two say nothing about each other.
        let Memory { clock, on_duty_clock, .. } = &self.memory;
        let is_known = clock.is_checked || clock.number == *on_duty_clock;
        let since_ms = if is_known { since_ms - self.sampler.clock_shift_ms() } else { i64::MIN };
        if let Some(fix) = self.sampler.take(read_ms, since_ms, battery, reading) {
            self.record(fix);
        }
    }

    /// A reading that came too early counts in the end when nothing newer followed.
    pub(super) fn record_held(&mut self, at: Moment) {
        if self.is_on_duty()
            && let Some(fix) = self.sampler.take_held(at.date_ms)
        {
            self.record(fix);
        }
    }

    fn record(&mut self, fix: RawFix) {
        let (time_ms, recorded) = (fix.time_ms, Recorded { fix, clock: self.memory.clock.number });
        let text = encode_json(&recorded);
        let Some(thinned) = self.fixes.record(recorded) else { return };
        self.recorded_ms = Some(time_ms);
        self.keeping.unkept.fixes_ms.push(time_ms);
        self.write(Slot::Fix(time_ms), Some(text));
        thinned.into_iter().for_each(|time_ms| self.write(Slot::Fix(time_ms), None));
    }

    pub(super) fn position_failed(&mut self, failure: Failure) {
        self.sensor.failed(failure);
        if self.sensor.is_refused() {
            self.out.push(Effect::Watch(false));
        }
    }

    pub(super) fn permission(&mut self, at: Moment, is_granted: bool) {
        if !self.is_on_duty() {
            return;
        }
        if is_granted && self.sensor.is_refused() {
            self.begin_sensing(at);
        } else if !is_granted && self.sensor.is_allowed() {
            self.position_failed(Failure::Denied);
        }
    }

    pub(super) fn hidden(&mut self, at: Moment) {
        if !std::mem::replace(&mut self.is_hidden, true) {
            self.hidden_since_ms = Some(self.date_ms(at));
            self.is_returning = self.is_on_duty();
        }
    }

    pub(super) fn shown(&mut self, at: Moment) {
        if std::mem::replace(&mut self.is_hidden, false) && self.is_on_duty() {
            self.tell_pause(at);
            // Some browsers let a watch die in the background.
            if self.sensor.is_on() {
                self.sensor.resume(at.now_ms);
                self.out.push(Effect::Watch(true));
            }
            self.out.push(Effect::KeepAwake(true));
        }
        self.hidden_since_ms = None;
        let step = self.line.nudge(at.now_ms);
        self.follow(step);
    }

    /// Says how things stand with sharing, when that changed.
    pub(super) fn settle_presence(&mut self, at: Moment) {
        if !self.is_on_duty() {
            return;
        }
        let now_ms = self.date_ms(at);
        let paused = |reason, since_ms| Some((PresenceState::Paused, Some(reason), since_ms));
        let noted = if self.sensor.is_refused() {
            paused(PresenceReason::NoPermission, now_ms)
        } else if self.is_hidden {
            paused(self.or_low_battery(PresenceReason::ScreenLocked), self.hidden_since_ms.unwrap_or(now_ms))
        } else if self.sensor.is_silent(at.now_ms) {
            paused(self.or_low_battery(PresenceReason::NoSignal), now_ms - NO_SIGNAL_MS as i64)
        } else if self.is_returning || !self.sensor.is_allowed() {
            // The position is on its way; until it comes, what was said still holds.
            None
        } else {
            Some((PresenceState::Tracking, None, self.tracking_since(now_ms)))
        };
        let Some((state, reason, since_ms)) = noted else { return };
        if self.memory.presence.note(state, reason, since_ms) {
            self.is_memory_new = true;
        }
    }

    pub(super) fn duty(&self) -> Duty {
        let was_sharing = self.memory.presence.current().is_some_and(is_sharing);
        let has_said_yes = self.sensor.was_allowed() || was_sharing;
        match self.memory.on_duty_since_ms {
            None => Duty::Off,
            Some(_) if has_said_yes => Duty::Online,
            Some(_) => Duty::GoingOnline,
        }
    }

    /// A shift counts from when it began; a pause ends when positions come again.
    fn tracking_since(&self, now_ms: i64) -> i64 {
        let was_paused = self.memory.presence.current().is_some_and(|report| report.state == PresenceState::Paused);
        self.memory.on_duty_since_ms.filter(|_| !was_paused).unwrap_or(now_ms)
    }

    fn or_low_battery(&self, reason: PresenceReason) -> PresenceReason {
        let is_low = self.battery.is_some_and(|(level, is_charging)| level <= LOW_BATTERY && !is_charging);
        if is_low { PresenceReason::LowBattery } else { reason }
    }

    fn tell_pause(&mut self, at: Moment) {
        let Some(hidden_since_ms) = self.hidden_since_ms else { return };
        let last_ms = self.recorded_ms.map_or(hidden_since_ms, |recorded_ms| recorded_ms.max(hidden_since_ms));
        let away_ms = self.date_ms(at) - last_ms;
        if away_ms >= TOLD_PAUSE_MS && self.sensor.is_on() {
            self.notify_with(Tone::Warn, sentences::paused(away_ms), Some(Screen::Trackers));
        }
    }
}

/// Whether the phone was giving positions when this was said, or would have been.
fn is_sharing(report: PresenceReport) -> bool {
    report.state != PresenceState::OffDuty && report.reason != Some(PresenceReason::NoPermission)
}
