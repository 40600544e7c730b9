//! Dates by the server's clock where the phone's is wrong, and puts right what the wrong one dated.

use doorstep_shared::protocol::encode_json;

use super::{Engine, Moment, Slot, screens::About};
use crate::courier::{
    clock::{self, Comparison},
    state::Tone,
    text::notices,
};

/// The phone's clock beside the server's.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    pub(super) comparison: Comparison,
    /// Whether a notice has said that the phone's clock is wrong.
    is_reported: bool,
}

impl Engine {
    /// The phone's clock, put right.
    pub(super) fn date_ms(&self, at: Moment) -> i64 {
        at.date_ms + self.storage.memory.clock_shift_ms
    }

    /// Notices that the phone's clock was set, or that the phone slept; only the server can say which.
    pub(super) fn pass_time(&mut self, at: Moment) {
        let Some(jump_ms) = self.clock.comparison.pass(at.now_ms, at.date_ms) else { return };
        self.positions.sampler.restart();
        if !self.storage.is_loaded {
            return;
        }
        if self.storage.memory.clock.is_checked {
            self.mark_clock_checked_before();
        } else if jump_ms < 0 {
            // No sleep sets a clock back. What it dated before is still to be compared, and moves along.
            self.shift_recorded(jump_ms);
        }
        self.doubt_clock();
    }

    /// What is dated from now on may be dated by another clock than what was compared already.
    pub(super) fn mark_clock_checked_before(&mut self) {
        if self.storage.memory.clock.is_checked {
            let memory = self.storage.remember();
            memory.clock = memory.clock.set_anew();
            memory.presence.clock_changed();
        }
    }

    /// Asks the server what time it is, before the phone sends anything else.
    pub(super) fn doubt_clock(&mut self) {
        if self.connection.is_up() {
            self.clock.comparison.doubt();
            self.ping();
        }
    }

    /// A phone far from the truth dates by the server's clock from now on, and so does what it dated by the same clock
    /// before.
    pub(super) fn check_clock(&mut self) {
        let Some(offset_ms) = self.clock.comparison.sure_ms() else { return };
        if !self.storage.memory.clock.is_checked {
            self.storage.remember().clock.is_checked = true;
        }
        let before_ms = self.storage.memory.clock_shift_ms;
        let shift_ms = clock::shift_ms(offset_ms, before_ms);
        if shift_ms == before_ms {
            return;
        }
        self.storage.remember().clock_shift_ms = shift_ms;
        self.positions.sampler.set_clock_shift(shift_ms);
        self.shift_recorded(shift_ms - before_ms);
        self.report_clock(shift_ms);
    }

    fn report_clock(&mut self, shift_ms: i64) {
        let is_read = self.screens.told().all(|(about, _)| *about != About::Clock);
        // Told once; while it is unread it says how wrong the clock is now.
        if shift_ms == 0 || std::mem::replace(&mut self.clock.is_reported, true) && is_read {
            return;
        }
        let is_ahead = shift_ms < 0;
        let text = if is_ahead { notices::clock_ahead(-shift_ms) } else { notices::clock_behind(shift_ms) };
        self.screens.tell(About::Clock, Tone::Warn, text);
    }

    fn shift_recorded(&mut self, by_ms: i64) {
        self.shift_fixes(by_ms);
        let clock = self.storage.memory.clock.number;
        if self.storage.memory.presence.shift(by_ms) {
            self.storage.remember();
        }
        let memory = &self.storage.memory;
        if let Some(since_ms) = memory.on_duty_since_ms.filter(|_| memory.on_duty_clock == clock) {
            self.storage.remember().on_duty_since_ms = Some(since_ms + by_ms);
        }
        let seen = self.browser.hidden_since_ms.iter_mut().chain(&mut self.positions.recorded_ms);
        seen.for_each(|time_ms| *time_ms += by_ms);
    }

    /// Moves the recorded positions that the present clock dated, in memory and in storage.
    fn shift_fixes(&mut self, by_ms: i64) {
        let (old, new) = self.uploads.fixes.shift(self.storage.memory.clock.number, by_ms);
        old.into_iter().for_each(|time_ms| self.storage.write(Slot::Fix(time_ms), None));
        for recorded in new {
            self.storage.keep_fix(recorded.fix.time_ms, encode_json(&recorded));
        }
    }
}
