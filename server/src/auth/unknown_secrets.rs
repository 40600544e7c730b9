//! How often a network may show secrets that do not exist: links, keys, sessions, devices' tokens.
//!
//! None of them can be guessed at any rate; the limit keeps guessing from costing the database work. Only what was not
//! found counts: a client with a good secret is refused only while another one in its own network guesses.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use crate::platform::failed_attempts::FailedAttemptLimiter;

/// Secrets that one network may get wrong: a lost phone, a browser whose session ended and a mistyped link are a few
/// in a minute, and a mobile network's address stands for thousands of those.
const BURST: u32 = 300;
const REFILL_EVERY: Duration = Duration::from_millis(100);

/// Secrets that were not found, by network. Shared by reference.
#[derive(Debug)]
pub struct UnknownSecretLimiter(FailedAttemptLimiter<IpAddr>);

impl Default for UnknownSecretLimiter {
    fn default() -> Self {
        Self(FailedAttemptLimiter::new(BURST, REFILL_EVERY))
    }
}

impl UnknownSecretLimiter {
    /// Whether this network may show another secret.
    ///
    /// # Errors
    /// After how many seconds, at least one, it may.
    pub fn check(&self, network: IpAddr) -> Result<(), u32> {
        self.0.check(&network, Instant::now())
    }

    /// Counts a secret that does not exist.
    pub fn note(&self, network: IpAddr) {
        // Requests that passed the check together may fail more often than there is room for; that is no debt.
        let _ = self.0.take(network, Instant::now());
    }

    /// Forgets networks that were not wrong lately.
    pub fn forget_idle(&self) {
        self.0.forget_idle(Instant::now());
    }
}
