//! Limits what signing in may cost: wrong passwords by network, account and both, and passwords checked at once.
//!
//! Only the limit for one account from one network is tight: a stranger elsewhere cannot keep a person from signing in.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{error::ApiError, platform::failed_attempts::FailedAttemptLimiter};

/// Wrong passwords for one account from one network.
const TRIES: u32 = 8;
const TRY_EVERY: Duration = Duration::from_secs(15);

/// Wrong passwords from one network, in which there may be an office full of people.
const TRIES_OF_NETWORK: u32 = 40;
const TRY_OF_NETWORK_EVERY: Duration = Duration::from_secs(3);

/// Wrong passwords for one account, wherever they come from: a hundred networks together get 30 a minute.
const TRIES_OF_ACCOUNT: u32 = 200;
const TRY_OF_ACCOUNT_EVERY: Duration = Duration::from_secs(2);

/// Checks of passwords that wait for their turn, beyond those that run, one for each core.
const MAX_WAITING: usize = 32;

/// Limits what signing in may cost. Shared by reference.
#[derive(Debug)]
pub struct SignInLimiter {
    network: FailedAttemptLimiter<IpAddr>,
    account: FailedAttemptLimiter<String>,
    pair: FailedAttemptLimiter<(IpAddr, String)>,
    /// Room for passwords that are checked or wait for it.
    places: Arc<Semaphore>,
    /// Room for passwords that are checked now.
    turns: Arc<Semaphore>,
}

impl Default for SignInLimiter {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            network: FailedAttemptLimiter::new(TRIES_OF_NETWORK, TRY_OF_NETWORK_EVERY),
            account: FailedAttemptLimiter::new(TRIES_OF_ACCOUNT, TRY_OF_ACCOUNT_EVERY),
            pair: FailedAttemptLimiter::new(TRIES, TRY_EVERY),
            places: Arc::new(Semaphore::new(cores + MAX_WAITING)),
            turns: Arc::new(Semaphore::new(cores)),
        }
    }
}

impl SignInLimiter {
    /// Takes an attempt of each kind, or none.
    pub(super) fn take(&self, network: IpAddr, email: &str) -> Result<(), ApiError> {
        let (now, pair) = (Instant::now(), (network, email.to_owned()));
        let taken = self.network.take(network, now).and_then(|()| {
            let of_account = self
                .pair
                .take(pair.clone(), now)
                .and_then(|()| self.account.take(email.to_owned(), now).inspect_err(|_| self.pair.give_back(&pair)));
            of_account.inspect_err(|_| self.network.give_back(&network))
        });
        taken.map_err(ApiError::too_many_attempts)
    }

    pub(super) fn give_back(&self, network: IpAddr, email: &str) {
        self.network.give_back(&network);
        self.account.give_back(&email.to_owned());
        self.pair.give_back(&(network, email.to_owned()));
    }

    /// Waits for a turn to check a password, which ends with what is returned.
    pub(super) async fn turn(&self) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), ApiError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| ApiError::unavailable())?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| ApiError::unavailable())?;
        Ok((place, turn))
    }

    /// Forgets accounts and networks that were not wrong lately.
    pub fn forget_idle(&self) {
        let now = Instant::now();
        self.network.forget_idle(now);
        self.account.forget_idle(now);
        self.pair.forget_idle(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::rate_limit::network_of;

    #[test]
    fn strangers_elsewhere_do_not_keep_a_person_from_signing_in() {
        let limiter = SignInLimiter::default();
        let network = |address: &str| network_of(address.parse().expect("an address"));
        let (theirs, ours) = (network("2001:db8:1:2::1"), network("192.0.2.7"));
        for _ in 0..TRIES {
            limiter.take(theirs, "eve@example.com").expect("a try");
        }
        assert!(limiter.take(network("2001:db8:1:2:ffff::9"), "eve@example.com").is_err(), "the same /64");
        limiter.take(theirs, "ben@example.com").expect("another account");
        limiter.take(ours, "eve@example.com").expect("from elsewhere");
    }

    #[test]
    fn a_network_and_an_account_have_limits_of_their_own() {
        let limiter = SignInLimiter::default();
        let network = |n: u8| IpAddr::from([192, 0, 2, n]);
        for account in 0..TRIES_OF_NETWORK {
            limiter.take(network(1), &format!("{account}@example.com")).expect("a try");
        }
        assert!(limiter.take(network(1), "one-more@example.com").is_err());
        for n in 0..TRIES_OF_ACCOUNT {
            limiter.take(network(10 + (n / 4) as u8), "eve@example.com").expect("a try");
        }
        assert!(limiter.take(network(200), "eve@example.com").is_err());
        limiter.take(network(200), "ben@example.com").expect("what was refused took nothing");
    }

    #[tokio::test]
    async fn too_many_checks_at_once_are_refused_with_a_time_to_come_back() {
        let limiter = SignInLimiter::default();
        let places = limiter.places.available_permits() as u32;
        let held = Arc::clone(&limiter.places).acquire_many_owned(places).await.expect("all of them");
        assert_eq!(limiter.turn().await.expect_err("no place").retry_after_s(), Some(2));
        drop(held);
        drop(limiter.turn().await.expect("a turn"));
    }
}
