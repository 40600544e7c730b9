//! How many messages one connection may send: some at once, and then so many a second.

use std::time::{Duration, Instant};

/// Over the limit we stop reading for a while; a client that stays over it for this long is disconnected.
const MAX_FLOOD: Duration = Duration::from_secs(30);

/// A token bucket for one connection's messages.
#[derive(Debug)]
pub struct Allowance {
    burst: f64,
    per_second: f64,
    messages: f64,
    filled_at: Instant,
    empty_since: Option<Instant>,
}

impl Allowance {
    /// A full bucket of `burst` messages that gains `per_second`.
    pub fn new(burst: f64, per_second: f64) -> Self {
        Self { burst, per_second, messages: burst, filled_at: Instant::now(), empty_since: None }
    }

    fn refill(&mut self) {
        let now = Instant::now();
        let gained = now.duration_since(self.filled_at).as_secs_f64() * self.per_second;
        self.messages = (self.messages + gained).min(self.burst);
        self.filled_at = now;
    }

    /// Counts a message.
    pub fn spend(&mut self) {
        self.refill();
        self.messages -= 1.0;
        if self.messages >= self.per_second {
            self.empty_since = None;
        }
    }

    /// How long to stop reading; `None` while there is allowance left.
    pub fn wait(&mut self) -> Option<Duration> {
        self.refill();
        if self.messages >= 1.0 {
            return None;
        }
        self.empty_since.get_or_insert_with(Instant::now);
        Some(Duration::from_secs_f64((1.0 - self.messages) / self.per_second))
    }

    /// Whether the client has gone on too long: close with 4003.
    pub fn is_flood(&self) -> bool {
        self.empty_since.is_some_and(|since| since.elapsed() > MAX_FLOOD)
    }
}
