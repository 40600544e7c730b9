//! The way out: ends the shift on the server, then the session, then deletes what the phone keeps.

use super::{Effect, Engine, Moment, screens::About};
use crate::courier::{
    state::{Door, Tone},
    text::notices,
};

/// How long the end of the shift may take to reach the server before the session ends without it.
const REPORTING_LIMIT_MS: f64 = 2_000.0;

/// How far signing out is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum SignOut {
    /// Not wanted.
    No,
    /// Asked once while something waited.
    Warned,
    /// The phone reports the end of the shift and waits no longer than this for the server.
    Reporting { until_ms: f64 },
    /// The session is being ended.
    Ending,
}

impl SignOut {
    /// When reporting the end of the shift has taken too long.
    pub(super) fn wake_ms(self) -> Option<f64> {
        match self {
            Self::Reporting { until_ms } => Some(until_ms),
            _ => None,
        }
    }
}

impl Engine {
    /// Signs out. What waits is deleted only when the courier says so twice.
    pub(super) fn sign_out(&mut self, at: Moment) {
        self.release_held();
        if !self.uploads.is_empty() && self.session.sign_out == SignOut::No {
            self.session.sign_out = SignOut::Warned;
            let (fixes, actions) = (self.uploads.fixes.len(), self.uploads.actions.len());
            self.screens.tell(About::Unsent, Tone::Warn, notices::sign_out_loses(fixes, actions));
            return;
        }
        self.go_offline(at);
        if self.connection.is_up() && self.storage.memory.presence.is_unread() {
            self.session.sign_out = SignOut::Reporting { until_ms: at.now_ms + REPORTING_LIMIT_MS };
        } else {
            self.end_session();
        }
    }

    /// Takes back a first wish to sign out, because the courier went on with something else.
    pub(super) fn stay(&mut self) {
        if self.session.sign_out == SignOut::Warned {
            self.session.sign_out = SignOut::No;
        }
    }

    /// Ends the session when reporting the end of the shift has taken too long.
    pub(super) fn leave_in_time(&mut self, at: Moment) {
        if self.session.sign_out.wake_ms().is_some_and(|until_ms| until_ms <= at.now_ms) {
            self.end_session();
        }
    }

    /// The server has read the presence, for which signing out may have waited.
    pub(super) fn presence_was_read(&mut self) {
        if matches!(self.session.sign_out, SignOut::Reporting { .. }) {
            self.end_session();
        }
    }

    pub(super) fn signed_out(&mut self, is_known: bool) {
        let was_owed = self.storage.memory.owes_sign_out;
        self.forget_everything();
        self.session.sign_out = SignOut::No;
        self.session.door = Door::SignedOut;
        if !is_known {
            // All that is kept is that the session must not come back by itself.
            self.storage.remember().owes_sign_out = true;
            if !was_owed {
                self.screens.tell(About::SignOut, Tone::Warn, notices::signed_out_here_only());
            }
        }
    }

    /// Nothing more can be reported over the socket: ends the session.
    fn end_session(&mut self) {
        self.session.sign_out = SignOut::Ending;
        self.stop_everything();
        self.out.push(Effect::EndSession);
    }
}
