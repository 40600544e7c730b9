//! Who works here, and in which tab: sign-in links, sessions, and the lock that one tab holds.

use doorstep_shared::api::courier::CourierHome;

use super::{Answer, Effect, Engine, Lock, Moment, Start, sign_out::SignOut};
use crate::courier::{
    memory::Known,
    state::{Door, Tone},
    text::notices,
};

/// The least time between two questions whether the session still holds.
const CHECK_EVERY_MS: f64 = 15_000.0;

/// How far signing in is.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) door: Door,
    /// The code of a sign-in link, until the server has answered it.
    pub(super) code: Option<String>,
    /// The link was opened and the courier has not tapped yet: what scans e-mails opens links, too, and runs their
    /// scripts, and a link works once.
    is_invited: bool,
    is_link_spent: bool,
    pub(super) lock: Option<Lock>,
    /// Who is signed in, as the server said; `None` while only the phone's memory says so.
    pub(super) home: Option<CourierHome>,
    checked_ms: Option<f64>,
    pub(super) is_checking: bool,
    pub(super) sign_out: SignOut,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            door: Door::Starting,
            code: None,
            is_invited: false,
            is_link_spent: false,
            lock: None,
            home: None,
            checked_ms: None,
            is_checking: false,
            sign_out: SignOut::No,
        }
    }
}

impl Engine {
    /// Whether a courier is signed in and works in this tab.
    pub(super) fn is_open(&self) -> bool {
        self.session.door == Door::Open
    }

    pub(super) fn start(&mut self, start: Start) {
        self.browser.can_locate = start.can_locate;
        self.browser.is_hidden = start.is_hidden;
        self.connection.set_network(start.has_network);
        self.session.is_invited = start.code.is_some();
        self.session.code = start.code;
        if self.session.is_invited {
            self.session.door = Door::Invited;
        }
        self.out.push(Effect::TakeLock { steal: false });
    }

    /// The door before it is known who works here.
    fn first_door(&self) -> Door {
        if self.session.is_invited { Door::Invited } else { Door::Starting }
    }

    /// Uses the link that was opened. The code is short-lived and the session belongs to all tabs, so it does not wait
    /// for its turn among them.
    pub(super) fn sign_in(&mut self) {
        let is_invited = std::mem::take(&mut self.session.is_invited);
        if let Some(code) = self.session.code.clone().filter(|_| is_invited) {
            self.session.door = Door::Starting;
            self.out.push(Effect::SignIn { code });
        }
    }

    pub(super) fn locked(&mut self, at: Moment, lock: Lock) {
        match lock {
            Lock::Held if self.session.lock == Some(Lock::Held) => {}
            Lock::Held => {
                (self.session.lock, self.session.door) = (Some(lock), self.first_door());
                self.out.push(Effect::Load);
            }
            Lock::Taken => {
                self.session.lock = Some(lock);
                if self.session.home.is_some() {
                    self.out.push(Effect::TakeLock { steal: true });
                } else if self.session.code.is_none() {
                    self.session.door = Door::OtherTab;
                }
            }
            Lock::Lost => {
                self.stop_everything();
                self.forget_what_is_loaded(at);
                (self.session.lock, self.session.door) = (Some(lock), Door::OtherTab);
            }
        }
    }

    pub(super) fn signed_in(&mut self, at: Moment, answer: Answer) {
        match answer {
            Answer::Home(home) => {
                (self.session.code, self.session.home) = (None, Some(home));
                // A courier who opens a link wants to work in this tab.
                if self.session.lock == Some(Lock::Taken) {
                    self.out.push(Effect::TakeLock { steal: true });
                }
            }
            Answer::Refused => {
                (self.session.code, self.session.is_link_spent) = (None, true);
                if self.session.lock == Some(Lock::Taken) {
                    self.session.door = Door::OtherTab;
                }
            }
            Answer::Unreachable => {
                self.session.door = Door::Unreachable;
                return;
            }
        }
        self.proceed(at);
    }

    pub(super) fn who_am_i(&mut self, at: Moment, answer: Answer) {
        // The answer may come too late: another tab took over, or the courier left.
        if !std::mem::take(&mut self.session.is_checking) {
            return;
        }
        match answer {
            Answer::Home(home) => self.open(at, home),
            Answer::Refused if self.is_open() => self.revoke(at),
            Answer::Refused => self.refuse_entry(at),
            // It may have been the network; a courier who worked here before works on.
            Answer::Unreachable if self.is_open() => {}
            Answer::Unreachable if self.storage.memory.courier.is_some() => self.enter(at),
            Answer::Unreachable => self.session.door = Door::Unreachable,
        }
    }

    pub(super) fn retry(&mut self, at: Moment) {
        match self.session.door {
            Door::Open => self.retry_position(at),
            Door::Unreachable => {
                self.session.door = Door::Starting;
                match self.session.code.clone() {
                    Some(code) => self.out.push(Effect::SignIn { code }),
                    None => self.ask_who_am_i(at),
                }
            }
            _ => {}
        }
    }

    pub(super) fn take_over(&mut self, at: Moment) {
        match self.session.door {
            Door::OtherTab => self.out.push(Effect::TakeLock { steal: true }),
            Door::Superseded => self.enter(at),
            _ => {}
        }
    }

    /// Asks whether the session still holds, after a handshake that failed: a browser does not say why it did.
    pub(super) fn check_session(&mut self, at: Moment) {
        let is_recent = self.session.checked_ms.is_some_and(|checked_ms| at.now_ms - checked_ms < CHECK_EVERY_MS);
        if self.is_open() && !is_recent {
            self.ask_who_am_i(at);
        }
    }

    /// Dispatch signed this phone out.
    pub(super) fn revoke(&mut self, at: Moment) {
        self.stop_everything();
        self.session.door = Door::Revoked;
        self.session.home = None;
        self.end_the_work(at);
    }

    /// The same device connected from elsewhere.
    pub(super) fn supersede(&mut self) {
        self.stop_everything();
        self.session.door = Door::Superseded;
    }

    /// Goes on when both are there: this phone's memory and the right to use it.
    pub(super) fn proceed(&mut self, at: Moment) {
        if !self.storage.is_loaded || self.session.lock != Some(Lock::Held) {
            return;
        }
        match (self.session.home.clone(), &self.session.code) {
            (Some(home), _) => self.open(at, home),
            // The tap on the link, or the answer to it, is still to come.
            (None, Some(_)) => {}
            (None, None) if self.storage.memory.owes_sign_out => self.out.push(Effect::EndSession),
            (None, None) => self.ask_who_am_i(at),
        }
    }

    /// Tries what waits for a network, now that it came back.
    pub(super) fn retry_door(&mut self, at: Moment) {
        match self.session.door {
            Door::Unreachable => self.retry(at),
            Door::SignedOut if self.storage.memory.owes_sign_out => self.out.push(Effect::EndSession),
            _ => {}
        }
    }

    fn ask_who_am_i(&mut self, at: Moment) {
        if !std::mem::replace(&mut self.session.is_checking, true) {
            self.session.checked_ms = Some(at.now_ms);
            self.out.push(Effect::AskWhoAmI);
        }
    }

    fn open(&mut self, at: Moment, home: CourierHome) {
        if self.storage.memory.courier.as_ref().is_some_and(|known| known.id != home.id) {
            self.forget_another_courier();
        }
        let known = Known::from(home.clone());
        let memory = &self.storage.memory;
        if memory.courier.as_ref() != Some(&known) || memory.revoked_at_ms.is_some() {
            let memory = self.storage.remember();
            (memory.courier, memory.revoked_at_ms, memory.owes_sign_out) = (Some(known), None, false);
        }
        self.session.home = Some(home);
        if !self.is_open() {
            self.enter(at);
        }
    }

    fn enter(&mut self, at: Moment) {
        self.session.door = Door::Open;
        let command = self.connection.want(at.now_ms);
        self.follow(command);
        if self.is_on_duty() {
            self.begin_sensing(at);
        }
    }

    fn refuse_entry(&mut self, at: Moment) {
        self.stop_everything();
        self.session.home = None;
        self.session.door = if self.session.is_link_spent { Door::LinkSpent } else { Door::SignedOut };
        let memory = &self.storage.memory;
        if memory.courier.is_some() && memory.revoked_at_ms.is_none() {
            self.end_the_work(at);
        }
    }

    /// Keeps only what waits to be sent, for a day.
    fn end_the_work(&mut self, at: Moment) {
        self.forget_the_work();
        self.storage.remember().revoked_at_ms = Some(at.date_ms);
        if !self.uploads.is_empty() {
            let (fixes, actions) = (self.uploads.fixes.len(), self.uploads.actions.len());
            self.screens.notify(Tone::Warn, notices::kept_after_revoke(fixes, actions));
        }
    }
}
