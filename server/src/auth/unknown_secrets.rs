//! How often a network may show secrets that do not exist: links, keys, sessions, devices' tokens, sign-in codes.
//!
//! None of them can be guessed at any rate; the limit keeps guessing from costing the database work. A network that
//! guessed too much is not refused unheard, because hundreds of honest people may share it: its secrets are looked up a
//! few at a time, one after the other, and only what is not found is told to wait.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::platform::failed_attempts::FailedAttemptLimiter;

/// Secrets that one network may get wrong: a lost phone, a browser whose session ended and a mistyped link are a few
/// in a minute, and a mobile network's address stands for thousands of those.
const BURST: u32 = 300;
const REFILL_EVERY: Duration = Duration::from_millis(100);

/// Secrets of guessing networks that are looked up at once: guesses cost so many connections to the database, however
/// many come. Two look up some thousands in a second.
const TURNS: usize = 2;

/// Secrets of guessing networks that wait for that. Further ones are told to come back: their network's guesses alone
/// are more than the server could look up.
const MAX_WAITING: usize = 512;

/// Secrets that were not found, by network. Shared by reference.
#[derive(Debug)]
pub struct UnknownSecretLimiter {
    failed: FailedAttemptLimiter<IpAddr>,
    places: Semaphore,
    turns: Semaphore,
}

/// The leave to look one secret up.
#[derive(Debug)]
pub struct Turn<'a> {
    /// After how many seconds, at least one, the network may be wrong again; `None` when it may be now.
    wait_s: Option<u32>,
    _held: Option<(SemaphorePermit<'a>, SemaphorePermit<'a>)>,
}

impl Default for UnknownSecretLimiter {
    fn default() -> Self {
        Self {
            failed: FailedAttemptLimiter::new(BURST, REFILL_EVERY),
            places: Semaphore::new(TURNS + MAX_WAITING),
            turns: Semaphore::new(TURNS),
        }
    }
}

impl UnknownSecretLimiter {
    /// Whether this network was wrong so often that its secrets wait for each other.
    pub fn is_guessing(&self, network: IpAddr) -> bool {
        self.failed.check(&network, Instant::now()).is_err()
    }

    /// Waits until a secret of this network may be looked up: no time at all, unless it guesses.
    ///
    /// # Errors
    /// After how many seconds, at least one, to come again, when too many wait already.
    /// # Cancel safety
    /// Dropping the future gives the turn up.
    pub async fn turn(&self, network: IpAddr) -> Result<Turn<'_>, u32> {
        let Err(wait_s) = self.failed.check(&network, Instant::now()) else {
            return Ok(Turn { wait_s: None, _held: None });
        };
        let place = self.places.try_acquire().map_err(|_| wait_s)?;
        let turn = self.turns.acquire().await.map_err(|_| wait_s)?;
        Ok(Turn { wait_s: Some(wait_s), _held: Some((place, turn)) })
    }

    /// Counts a secret that was looked up in this turn and does not exist.
    ///
    /// # Errors
    /// After how many seconds to come again, when the network was wrong too often before.
    pub fn note(&self, network: IpAddr, turn: &Turn<'_>) -> Result<(), u32> {
        // Requests that passed the check together may fail more often than there is room for; that is no debt.
        let _ = self.failed.take(network, Instant::now());
        turn.wait_s.map_or(Ok(()), Err)
    }

    /// Forgets networks that were not wrong lately.
    pub fn forget_idle(&self) {
        self.failed.forget_idle(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(n: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, n])
    }

    async fn guess(limiter: &UnknownSecretLimiter, network: IpAddr) -> Result<(), u32> {
        let turn = limiter.turn(network).await?;
        limiter.note(network, &turn)
    }

    #[tokio::test]
    async fn a_guessing_network_waits_for_its_own_turns_and_others_for_none() {
        let limiter = UnknownSecretLimiter::default();
        for _ in 0..BURST {
            assert_eq!(guess(&limiter, network(1)).await, Ok(()));
        }
        assert!(limiter.is_guessing(network(1)) && !limiter.is_guessing(network(2)));
        assert_eq!(guess(&limiter, network(1)).await, Err(1), "looked up, and told to wait");
        let _busy = [limiter.turn(network(1)).await, limiter.turn(network(1)).await];
        let third = tokio::time::timeout(Duration::from_millis(10), limiter.turn(network(1)));
        assert!(third.await.is_err(), "no more than two at once");
        assert!(limiter.turn(network(2)).await.is_ok_and(|turn| turn.wait_s.is_none()));
    }

    #[tokio::test]
    async fn guesses_beyond_what_can_wait_are_refused_unheard() {
        let limiter = UnknownSecretLimiter::default();
        for _ in 0..BURST {
            assert_eq!(guess(&limiter, network(1)).await, Ok(()));
        }
        let _waiting = limiter.places.acquire_many((TURNS + MAX_WAITING) as u32).await.expect("all of them");
        assert_eq!(limiter.turn(network(1)).await.map(|_| ()), Err(1));
        assert!(limiter.turn(network(2)).await.is_ok());
    }
}
