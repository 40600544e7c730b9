//! What the browser says about itself, and what follows when the courier puts the phone away and takes it out again.

use doorstep_shared::protocol::PresenceReason;

use super::{Effect, Engine, Moment, screens::About};
use crate::courier::{
    intent::Screen,
    state::{Install, Tone, Wake},
    text::notices,
};

/// A shorter pause gets no notice.
const REPORTED_PAUSE_MS: i64 = 20_000;

/// At this charge and without a charger the battery is the likeliest reason for a silence.
const LOW_BATTERY: f32 = 0.05;

/// The browser's side of the app.
#[derive(Clone, Debug)]
pub(super) struct BrowserState {
    /// Whether the page may ask for a position at all.
    pub(super) can_locate: bool,
    /// Whether the page is hidden or the phone locked.
    pub(super) is_hidden: bool,
    /// Since when, by the corrected clock.
    pub(super) hidden_since_ms: Option<i64>,
    pub(super) battery: Option<Battery>,
    pub(super) wake: Wake,
    pub(super) install: Install,
}

/// The phone's battery.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Battery {
    /// Its charge, 0 to 1.
    pub(super) level: f32,
    pub(super) is_charging: bool,
}

impl Default for BrowserState {
    fn default() -> Self {
        Self {
            can_locate: false,
            is_hidden: false,
            hidden_since_ms: None,
            battery: None,
            wake: Wake::Idle,
            install: Install::NotOffered,
        }
    }
}

impl BrowserState {
    /// The battery's charge, 0 to 1, where the browser tells it.
    pub(super) fn battery_level(&self) -> Option<f32> {
        self.battery.map(|battery| battery.level)
    }

    /// The reason of a silence: an empty battery comes before `reason`.
    pub(super) fn or_low_battery(&self, reason: PresenceReason) -> PresenceReason {
        let is_low = self.battery.is_some_and(|battery| battery.level <= LOW_BATTERY && !battery.is_charging);
        if is_low { PresenceReason::LowBattery } else { reason }
    }
}

impl Engine {
    pub(super) fn hidden(&mut self, at: Moment) {
        if !std::mem::replace(&mut self.browser.is_hidden, true) {
            self.browser.hidden_since_ms = Some(self.date_ms(at));
            self.positions.is_returning = self.is_on_duty();
        }
    }

    pub(super) fn shown(&mut self, at: Moment) {
        if std::mem::replace(&mut self.browser.is_hidden, false) && self.is_on_duty() {
            self.report_pause(at);
            // Some browsers let a watch die in the background.
            if self.positions.sensor.is_on() {
                self.positions.sensor.resume(at.now_ms);
                self.out.push(Effect::Watch(true));
            }
            self.out.push(Effect::KeepAwake(true));
        }
        self.browser.hidden_since_ms = None;
        let command = self.connection.nudge(at.now_ms);
        self.follow(command);
    }

    fn report_pause(&mut self, at: Moment) {
        let Some(hidden_since_ms) = self.browser.hidden_since_ms else { return };
        let recorded_ms = self.positions.recorded_ms;
        let last_ms = recorded_ms.map_or(hidden_since_ms, |recorded_ms| recorded_ms.max(hidden_since_ms));
        let away_ms = self.date_ms(at) - last_ms;
        if away_ms >= REPORTED_PAUSE_MS && self.positions.sensor.is_on() {
            self.screens.tell_with(About::Pause, Tone::Warn, notices::paused(away_ms), Some(Screen::Trackers));
        }
    }
}
