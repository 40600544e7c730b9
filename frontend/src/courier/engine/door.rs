//! Who works here: links, sessions, tabs, and what is left on the phone when a courier leaves.

use doorstep_shared::{
    api::courier::CourierHome,
    protocol::{PresenceReason, PresenceState, decode_json},
};

use super::{Answer, Effect, Engine, Lock, Moment, Records, SignOut, Slot, Start};
use crate::courier::{
    line::Line,
    memory::{KEPT_AFTER_REVOKE_MS, Known, LONGEST_SHIFT_MS, Memory},
    outbox::{
        actions::ActionQueue,
        fixes::{FixQueue, Recorded},
    },
    sentences,
    state::{Door, Tone, Wake},
};

/// How long the end of the shift may take to reach the server before the session is ended.
const TELLING_LIMIT_MS: f64 = 2_000.0;

/// The server is not asked more often than this whether the session still holds.
const CHECK_EVERY_MS: f64 = 15_000.0;

impl Engine {
    pub(super) fn start(&mut self, start: Start) {
        self.can_locate = start.can_locate;
        self.is_hidden = start.is_hidden;
        self.line.set_network(start.has_network);
        self.code = start.code;
        // The code is short-lived and the session belongs to all tabs, so it does not wait for its turn among them.
        if let Some(code) = self.code.clone() {
            self.out.push(Effect::SignIn { code });
        }
        self.out.push(Effect::TakeLock { steal: false });
    }

    pub(super) fn locked(&mut self, at: Moment, lock: Lock) {
        match lock {
            Lock::Held if self.lock == Some(Lock::Held) => {}
            Lock::Held => {
                self.lock = Some(lock);
                self.door = Door::Starting;
                self.out.push(Effect::Load);
            }
            Lock::Taken => {
                self.lock = Some(lock);
                if self.home.is_some() {
                    self.out.push(Effect::TakeLock { steal: true });
                } else if self.code.is_none() {
                    self.door = Door::OtherTab;
                }
            }
            Lock::Lost => {
                self.stop_everything();
                self.forget_what_is_loaded(at);
                (self.lock, self.door) = (Some(lock), Door::OtherTab);
            }
        }
    }

    pub(super) fn loaded(&mut self, at: Moment, records: Records) {
        self.is_loaded = true;
        self.memory = records.memory.and_then(|text| decode_json(&text).ok()).unwrap_or_default();
        self.restore_fixes(records.fixes);
        self.restore_actions(records.actions);
        self.photo_urls = records.photos;
        self.drop_unused_photos();
        if let Some(pace) = self.memory.pace.clone() {
            self.sampler.set_pace(pace);
        }
        self.sampler.set_clock_shift(self.memory.clock_shift_ms);
        self.mark_clock_checked_before();
        self.forget_what_is_too_old(at);
        self.proceed(at);
    }

    pub(super) fn no_storage(&mut self, at: Moment) {
        (self.is_loaded, self.keeping.is_impossible) = (true, true);
        self.notify(Tone::Warn, sentences::no_storage());
        self.proceed(at);
    }

    pub(super) fn signed_in(&mut self, at: Moment, answer: Answer) {
        match answer {
            Answer::Home(home) => {
                (self.code, self.home) = (None, Some(home));
                // Whoever opened a link wants to work in this tab.
                if self.lock == Some(Lock::Taken) {
                    self.out.push(Effect::TakeLock { steal: true });
                }
            }
            Answer::Refused => {
                (self.code, self.is_link_spent) = (None, true);
                if self.lock == Some(Lock::Taken) {
                    self.door = Door::OtherTab;
                }
            }
            Answer::Unreachable => {
                self.door = Door::Unreachable;
                return;
            }
        }
        self.proceed(at);
    }

    pub(super) fn who_am_i(&mut self, at: Moment, answer: Answer) {
        // The answer to a question that nobody asks any more: another tab took over, or the courier left.
        if !std::mem::take(&mut self.is_checking) {
            return;
        }
        match answer {
            Answer::Home(home) => self.open(at, home),
            Answer::Refused if self.door == Door::Open => self.revoke(at),
            Answer::Refused => self.refuse_entry(at),
            // It may have been the network; whoever worked here before works on.
            Answer::Unreachable if self.door == Door::Open => {}
            Answer::Unreachable if self.memory.courier.is_some() => self.enter(at),
            Answer::Unreachable => self.door = Door::Unreachable,
        }
    }

    pub(super) fn retry(&mut self, at: Moment) {
        match self.door {
            Door::Open => self.retry_position(at),
            Door::Unreachable => {
                self.door = Door::Starting;
                match self.code.clone() {
                    Some(code) => self.out.push(Effect::SignIn { code }),
                    None => self.ask_who_am_i(at),
                }
            }
            _ => {}
        }
    }

    pub(super) fn take_over(&mut self, at: Moment) {
        match self.door {
            Door::OtherTab => self.out.push(Effect::TakeLock { steal: true }),
            Door::Superseded => self.enter(at),
            _ => {}
        }
    }

    /// Asks whether the session still holds, after a handshake that failed: a browser does not say why it did.
    pub(super) fn check_session(&mut self, at: Moment) {
        let is_recent = self.checked_ms.is_some_and(|checked_ms| at.now_ms - checked_ms < CHECK_EVERY_MS);
        if self.door == Door::Open && !is_recent {
            self.ask_who_am_i(at);
        }
    }

    /// Dispatch signed this phone out.
    pub(super) fn revoke(&mut self, at: Moment) {
        self.stop_everything();
        self.door = Door::Revoked;
        self.home = None;
        self.forget_the_work();
        self.remember().revoked_at_ms = Some(at.date_ms);
        if !self.fixes.is_empty() || !self.actions.is_empty() {
            self.notify(Tone::Warn, sentences::kept_after_revoke(self.fixes.len(), self.actions.len()));
        }
    }

    /// The same device connected from elsewhere.
    pub(super) fn supersede(&mut self) {
        self.stop_everything();
        self.door = Door::Superseded;
    }

    /// Deleting what waits takes saying so twice.
    pub(super) fn sign_out(&mut self, at: Moment) {
        let is_waiting = !self.fixes.is_empty() || !self.actions.is_empty();
        if is_waiting && self.sign_out == SignOut::No {
            self.sign_out = SignOut::Warned;
            self.notify(Tone::Warn, sentences::sign_out_loses(self.fixes.len(), self.actions.len()));
            return;
        }
        self.go_offline(at);
        if self.line.is_up() && self.memory.presence.is_unread() {
            self.sign_out = SignOut::Telling { until_ms: at.now_ms + TELLING_LIMIT_MS };
        } else {
            self.end_session();
        }
    }

    /// Nothing more can be said over the socket: ends the session.
    pub(super) fn end_session(&mut self) {
        self.sign_out = SignOut::Ending;
        self.stop_everything();
        self.out.push(Effect::EndSession);
    }

    /// The server's presence was told, if it was waited for.
    pub(super) fn told_presence(&mut self) {
        if matches!(self.sign_out, SignOut::Telling { .. }) {
            self.end_session();
        }
    }

    pub(super) fn signed_out(&mut self, is_known: bool) {
        let was_owed = self.memory.owes_sign_out;
        self.forget_everything();
        self.sign_out = SignOut::No;
        self.door = Door::SignedOut;
        if !is_known {
            // All that is kept is that the session must not come back by itself.
            self.remember().owes_sign_out = true;
            if !was_owed {
                self.notify(Tone::Warn, sentences::signed_out_here_only());
            }
        }
    }

    /// Goes on when both are there: this phone's memory and the right to use it.
    pub(super) fn proceed(&mut self, at: Moment) {
        if !self.is_loaded || self.lock != Some(Lock::Held) {
            return;
        }
        match (self.home.clone(), &self.code) {
            (Some(home), _) => self.open(at, home),
            // The answer to the link is still to come.
            (None, Some(_)) => {}
            (None, None) if self.memory.owes_sign_out => self.out.push(Effect::EndSession),
            (None, None) => self.ask_who_am_i(at),
        }
    }

    /// The network came back: whatever waits for it is tried.
    pub(super) fn retry_door(&mut self, at: Moment) {
        match self.door {
            Door::Unreachable => self.retry(at),
            Door::SignedOut if self.memory.owes_sign_out => self.out.push(Effect::EndSession),
            _ => {}
        }
    }

    fn ask_who_am_i(&mut self, at: Moment) {
        if !std::mem::replace(&mut self.is_checking, true) {
            self.checked_ms = Some(at.now_ms);
            self.out.push(Effect::AskWhoAmI);
        }
    }

    fn open(&mut self, at: Moment, home: CourierHome) {
        if self.memory.courier.as_ref().is_some_and(|known| known.id != home.id) {
            self.forget_another_courier();
        }
        let known = Known::from(home.clone());
        if self.memory.courier.as_ref() != Some(&known) || self.memory.revoked_at_ms.is_some() {
            let memory = self.remember();
            (memory.courier, memory.revoked_at_ms, memory.owes_sign_out) = (Some(known), None, false);
        }
        self.home = Some(home);
        if self.door != Door::Open {
            self.enter(at);
        }
    }

    fn enter(&mut self, at: Moment) {
        self.door = Door::Open;
        let step = self.line.want(at.now_ms);
        self.follow(step);
        if self.is_on_duty() {
            self.begin_sensing(at);
        }
    }

    fn refuse_entry(&mut self, at: Moment) {
        self.stop_everything();
        self.home = None;
        self.door = if self.is_link_spent { Door::LinkSpent } else { Door::SignedOut };
        if self.memory.courier.is_some() && self.memory.revoked_at_ms.is_none() {
            self.forget_the_work();
            self.remember().revoked_at_ms = Some(at.date_ms);
            if !self.fixes.is_empty() || !self.actions.is_empty() {
                self.notify(Tone::Warn, sentences::kept_after_revoke(self.fixes.len(), self.actions.len()));
            }
        }
    }

    /// Nothing is watched, sent or kept awake any more.
    fn stop_everything(&mut self) {
        let step = self.line.stop();
        self.follow(step);
        self.fixes.disconnected();
        self.actions.disconnected();
        self.memory.presence.disconnected();
        self.sensor.stop();
        self.wake = Wake::Idle;
        (self.audience, self.is_checking) = (None, false);
        self.out.extend([Effect::Watch(false), Effect::KeepAwake(false)]);
    }

    /// Addresses, names and routes of a shift that is over; what waits to be sent stays.
    fn forget_the_work(&mut self) {
        let drafts_of_waiting: Vec<_> = self.actions.iter().map(|action| action.order_id).collect();
        let memory = self.remember();
        (memory.stops, memory.on_duty_since_ms) = (None, None);
        memory.legs.clear();
        memory.presence = Default::default();
        memory.drafts.retain(|draft| drafts_of_waiting.contains(&draft.order_id));
        (self.here, self.open_proof) = (None, None);
        self.way.clear();
        self.drop_unused_photos();
    }

    fn forget_another_courier(&mut self) {
        if !self.fixes.is_empty() || !self.actions.is_empty() {
            self.notify(Tone::Warn, sentences::others_deleted(self.fixes.len(), self.actions.len()));
        }
        self.forget_everything();
    }

    fn forget_everything(&mut self) {
        self.keeping.forget();
        self.memory = Memory::default();
        self.is_memory_new = false;
        (self.fixes, self.actions) = (FixQueue::new(Default::default()), ActionQueue::default());
        (self.home, self.here, self.open_proof, self.shrinking) = (None, None, None, None);
        self.way.clear();
        self.forget_photo_urls();
        self.out.push(Effect::Wipe);
    }

    /// Another tab works with the storage now; what this one knows of it is stale.
    fn forget_what_is_loaded(&mut self, at: Moment) {
        self.keeping.forget();
        (self.is_loaded, self.is_memory_new) = (false, false);
        // Somebody else may have signed in there.
        self.home = None;
        self.memory = Memory::default();
        (self.fixes, self.actions) = (FixQueue::new(Default::default()), ActionQueue::default());
        self.line = Line::new(at.now_ms);
        self.forget_photo_urls();
    }

    fn forget_photo_urls(&mut self) {
        let urls = std::mem::take(&mut self.photo_urls);
        self.out.extend(urls.into_iter().map(|(_, url)| Effect::ForgetPhoto { url }));
    }

    fn forget_what_is_too_old(&mut self, at: Moment) {
        let is_too_old =
            |since_ms: Option<i64>, most_ms| since_ms.is_some_and(|since_ms| at.date_ms - since_ms > most_ms);
        if is_too_old(self.memory.revoked_at_ms, KEPT_AFTER_REVOKE_MS) {
            self.forget_everything();
        }
        if is_too_old(self.memory.on_duty_since_ms, LONGEST_SHIFT_MS) {
            let since_ms = self.fixes.newest().map_or(at.date_ms, |fix| fix.time_ms + 1);
            let memory = self.remember();
            memory.on_duty_since_ms = None;
            memory.presence.note(PresenceState::OffDuty, Some(PresenceReason::User), since_ms);
        }
    }

    fn restore_fixes(&mut self, records: Vec<(i64, String)>) {
        let mut fixes = Vec::with_capacity(records.len());
        for (time_ms, text) in records {
            match decode_json::<Recorded>(&text) {
                Ok(recorded) => fixes.push(recorded),
                // Written by nothing this app knows; it would stay for ever.
                Err(_) => self.write(Slot::Fix(time_ms), None),
            }
        }
        self.recorded_ms = fixes.iter().map(|recorded| recorded.fix.time_ms).max();
        self.fixes.restore(fixes);
    }

    fn restore_actions(&mut self, records: Vec<(i64, String)>) {
        let mut actions = Vec::with_capacity(records.len());
        for (key, text) in records {
            let id = key.unsigned_abs();
            self.next_id = self.next_id.max(id + 1);
            match decode_json(&text) {
                Ok(action) => actions.push(action),
                Err(_) => self.write(Slot::Action(id), None),
            }
        }
        self.actions.restore(actions);
    }
}
