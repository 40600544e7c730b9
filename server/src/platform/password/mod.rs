//! Passwords of people and PINs of orders: Argon2id, on a blocking thread, because it is slow by design.
//!
//! Each hash takes 19 MiB and a core for tens of milliseconds. PINs are hashed in turns, as many at once as there are
//! cores, however many orders come; passwords have turns of their own ([`crate::auth::sign_in_limiter`]), so that a shop
//! that sends its orders keeps nobody from signing in.

mod strength;

use std::sync::{Arc, LazyLock};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::{sync::Semaphore, task::JoinError};

pub use self::strength::{MAX_BYTES, Weakness, check};

/// PINs that are hashed or checked now.
static PIN_TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    Arc::new(Semaphore::new(cores))
});

/// Hashes a password with a new salt. Blocks for tens of milliseconds.
pub fn hash(password: &str) -> String {
    let hashed = Argon2::default().hash_password(password.as_bytes());
    hashed.expect("Argon2's default parameters are valid").to_string()
}

/// Whether `password` is the one that was hashed. Blocks for tens of milliseconds, also for a hash that cannot be read,
/// so that the time does not reveal whether an account exists.
pub fn verify(password: &str, phc: &str) -> bool {
    match PasswordHash::new(phc) {
        Ok(parsed) => Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok(),
        Err(_) => {
            let _ = hash(password);
            false
        }
    }
}

/// Hashes an order's PIN, in its turn.
///
/// # Errors
/// When the runtime ends.
/// # Cancel safety
/// A hash that has begun goes on without its caller, and counts until it is done.
pub async fn hash_pin(pin: String) -> Result<String, JoinError> {
    in_turn(move || hash(&pin)).await
}

/// Whether `pin` is the one that was hashed, in its turn.
///
/// # Errors
/// When the runtime ends.
/// # Cancel safety
/// A check that has begun goes on without its caller, and counts until it is done.
pub async fn verify_pin(pin: String, phc: String) -> Result<bool, JoinError> {
    in_turn(move || verify(&pin, &phc)).await
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, JoinError> {
    let turn = Arc::clone(&PIN_TURNS).acquire_owned().await.expect("the semaphore is never closed");
    let working = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    working.await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn no_more_pins_are_hashed_at_once_than_there_are_cores() {
        static RUNNING: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let work = || {
            MOST.fetch_max(RUNNING.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(2));
            RUNNING.fetch_sub(1, Ordering::SeqCst);
        };
        let done = futures_util::future::join_all((0..100).map(|_| in_turn(work))).await;
        assert!(done.iter().all(Result::is_ok));
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        assert!((1..=cores).contains(&MOST.load(Ordering::SeqCst)));
    }

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let phc = hash("correct horse");
        assert!(phc.starts_with("$argon2id$"));
        assert!(verify("correct horse", &phc));
        assert!(!verify("wrong horse", &phc));
        assert!(!verify("anything", "not a hash"));
    }
}
