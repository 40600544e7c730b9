//! Dates by the server's clock where the phone's is wrong, and puts right what the wrong one dated.

use doorstep_shared::protocol::encode_json;

use super::{Engine, Moment, Slot, Tone};
use crate::courier::{clock, sentences};

impl Engine {
    /// Notices that the phone's clock was set, or that the phone slept; only the server can say which.
    pub(super) fn pass_time(&mut self, at: Moment) {
        let Some(jump_ms) = self.clock.pass(at.now_ms, at.date_ms) else { return };
        self.sampler.restart();
        if !self.is_loaded {
            return;
        }
        if self.memory.clock.is_checked {
            self.mark_clock_checked_before();
        } else if jump_ms < 0 {
            // No sleep sets a clock back. What it dated before is still to be compared, and goes with it.
            self.shift_recorded(jump_ms);
        }
        self.doubt_clock();
    }

    /// What is dated from now on is dated by another clock, as far as anybody knows, than what was compared already.
    pub(super) fn mark_clock_checked_before(&mut self) {
        if self.memory.clock.is_checked {
            let memory = self.remember();
            memory.clock = memory.clock.set_anew();
            memory.presence.clock_changed();
        }
    }

    /// Asks the server what time it is, before anything else is said.
    pub(super) fn doubt_clock(&mut self) {
        if self.line.is_up() {
            self.clock.doubt();
            self.ping();
        }
    }

    /// A phone far from the truth dates by the server's clock from now on, and so does what it dated by the same clock
    /// before.
    pub(super) fn check_clock(&mut self) {
        let Some(offset_ms) = self.clock.sure_ms() else { return };
        if !self.memory.clock.is_checked {
            self.remember().clock.is_checked = true;
        }
        let before_ms = self.memory.clock_shift_ms;
        let shift_ms = clock::shift_ms(offset_ms, before_ms);
        if shift_ms == before_ms {
            return;
        }
        self.remember().clock_shift_ms = shift_ms;
        self.sampler.set_clock_shift(shift_ms);
        self.shift_recorded(shift_ms - before_ms);
        self.tell_clock(shift_ms);
    }

    fn tell_clock(&mut self, shift_ms: i64) {
        if shift_ms == 0 || std::mem::replace(&mut self.told_clock, true) {
            return;
        }
        let is_ahead = shift_ms < 0;
        let sentence = if is_ahead { sentences::clock_ahead(-shift_ms) } else { sentences::clock_behind(shift_ms) };
        self.notify(Tone::Warn, sentence);
    }

    fn shift_recorded(&mut self, by_ms: i64) {
        let clock = self.memory.clock.number;
        let (old, new) = self.fixes.shift(clock, by_ms);
        old.into_iter().for_each(|time_ms| self.write(Slot::Fix(time_ms), None));
        for recorded in new {
            self.keeping.unkept.fixes_ms.push(recorded.fix.time_ms);
            self.write(Slot::Fix(recorded.fix.time_ms), Some(encode_json(&recorded)));
        }
        self.is_memory_new |= self.memory.presence.shift(by_ms);
        if let Some(since_ms) = self.memory.on_duty_since_ms.filter(|_| self.memory.on_duty_clock == clock) {
            self.remember().on_duty_since_ms = Some(since_ms + by_ms);
        }
        let seen = self.hidden_since_ms.iter_mut().chain(&mut self.recorded_ms);
        seen.for_each(|time_ms| *time_ms += by_ms);
    }
}
