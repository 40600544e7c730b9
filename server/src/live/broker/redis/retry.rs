//! How a connection to Redis ends and comes back: timeouts, and growing pauses between attempts.

use std::time::Duration;

use redis::RedisError;
use tokio::time::timeout;

/// How long a TCP connection may take.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long Redis may take to answer a command.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Why a task let go of its connection.
pub(super) enum End {
    /// The server shuts down.
    Stopped,
    /// The connection failed, for this reason.
    Broken(String),
}

impl From<RedisError> for End {
    fn from(error: RedisError) -> Self {
        // Its text names the error and not the address, which may hold a password.
        Self::Broken(error.to_string())
    }
}

/// Waits for an answer of Redis, no longer than [`ANSWER_TIMEOUT`].
pub(super) async fn answered<T>(
    asked: impl Future<Output = Result<T, RedisError>>,
    what: &'static str,
) -> Result<T, End> {
    match timeout(ANSWER_TIMEOUT, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(End::Broken(format!("no answer {what}"))),
    }
}

/// Growing pauses between attempts.
pub(super) struct Retry(Duration);

impl Default for Retry {
    fn default() -> Self {
        Self(FIRST_PAUSE)
    }
}

impl Retry {
    /// Begins anew after a connection was made.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// The pause before the next attempt.
    pub(super) fn pause(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_PAUSE);
        // Instances that lost the same Redis should not all come back in the same instant.
        pause.mul_f64(rand::random_range(0.5..1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_second_and_begin_anew_after_a_connection() {
        let mut retry = Retry::default();
        for longest_ms in [100, 200, 400, 800, 1_000, 1_000] {
            let pause = retry.pause();
            let longest = Duration::from_millis(longest_ms);
            assert!(pause >= longest / 2 && pause <= longest, "{pause:?} of {longest:?}");
        }
        retry.reset();
        assert!(retry.pause() <= FIRST_PAUSE);
    }
}
