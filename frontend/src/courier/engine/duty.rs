//! The shift: going online and offline, and what the server hears about sharing in between.

use doorstep_shared::protocol::{PresenceReason, PresenceState, courier::PresenceReport};

use super::{Effect, Engine, Moment};
use crate::courier::{
    position::NO_SIGNAL_MS,
    state::{Door, Duty, Wake},
};

impl Engine {
    pub(super) fn is_on_duty(&self) -> bool {
        self.storage.memory.on_duty_since_ms.is_some() && self.session.door == Door::Open
    }

    pub(super) fn go_online(&mut self, at: Moment) {
        if self.session.door != Door::Open || self.is_on_duty() {
            return;
        }
        let since_ms = self.date_ms(at);
        let memory = self.storage.remember();
        (memory.on_duty_since_ms, memory.on_duty_clock) = (Some(since_ms), memory.clock.number);
        self.storage.be_strict();
        self.positions.sampler.restart();
        self.out.push(Effect::Persist);
        self.begin_sensing(at);
    }

    pub(super) fn go_offline(&mut self, at: Moment) {
        if self.storage.memory.on_duty_since_ms.is_none() {
            return;
        }
        let since_ms = self.date_ms(at);
        let memory = self.storage.remember();
        memory.on_duty_since_ms = None;
        memory.presence.note(PresenceState::OffDuty, Some(PresenceReason::User), since_ms);
        self.storage.be_strict();
        self.positions.sensor.stop();
        (self.browser.wake, self.positions.here, self.audience) = (Wake::Idle, None, None);
        self.out.extend([Effect::Watch(false), Effect::KeepAwake(false)]);
    }

    /// Reports the presence when it changed.
    pub(super) fn settle_presence(&mut self, at: Moment) {
        if !self.is_on_duty() {
            return;
        }
        let Some((state, reason, since_ms)) = self.presence(at) else { return };
        if self.storage.memory.presence.note(state, reason, since_ms) {
            self.storage.remember();
        }
    }

    pub(super) fn duty(&self) -> Duty {
        let memory = &self.storage.memory;
        let was_sharing = memory.presence.current().is_some_and(is_sharing);
        let has_said_yes = self.positions.sensor.was_allowed() || was_sharing;
        match memory.on_duty_since_ms {
            None => Duty::Off,
            Some(_) if has_said_yes => Duty::Online,
            Some(_) => Duty::GoingOnline,
        }
    }

    /// The presence on duty and since when; `None` while the position is on its way and the last report still holds.
    fn presence(&self, at: Moment) -> Option<(PresenceState, Option<PresenceReason>, i64)> {
        let now_ms = self.date_ms(at);
        let sensor = &self.positions.sensor;
        let paused = |reason, since_ms| Some((PresenceState::Paused, Some(reason), since_ms));
        if sensor.is_refused() {
            paused(PresenceReason::NoPermission, now_ms)
        } else if self.browser.is_hidden {
            let since_ms = self.browser.hidden_since_ms.unwrap_or(now_ms);
            paused(self.browser.or_low_battery(PresenceReason::ScreenLocked), since_ms)
        } else if sensor.is_silent(at.now_ms) {
            paused(self.browser.or_low_battery(PresenceReason::NoSignal), now_ms - NO_SIGNAL_MS as i64)
        } else if self.positions.is_returning || !sensor.is_allowed() {
            None
        } else {
            Some((PresenceState::Tracking, None, self.tracking_since(now_ms)))
        }
    }

    /// A shift counts from when it began; a pause ends when positions come again.
    fn tracking_since(&self, now_ms: i64) -> i64 {
        let memory = &self.storage.memory;
        let was_paused = memory.presence.current().is_some_and(|report| report.state == PresenceState::Paused);
        memory.on_duty_since_ms.filter(|_| !was_paused).unwrap_or(now_ms)
    }
}

/// Whether the phone gave positions at the time of this report, or would have given them.
fn is_sharing(report: PresenceReport) -> bool {
    report.state != PresenceState::OffDuty && report.reason != Some(PresenceReason::NoPermission)
}
