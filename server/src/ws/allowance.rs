//! How many frames one connection may send: some at once, and then so many a second. Pings count like messages: each is
//! read and answered.

use std::time::{Duration, Instant};

/// Over the limit we stop reading for a while; a client that stays over it for this long is disconnected.
const MAX_FLOOD: Duration = Duration::from_secs(30);

/// A token bucket for one connection's frames.
#[derive(Debug)]
pub struct Allowance {
    burst: f64,
    per_second: f64,
    frames: f64,
    filled_at: Instant,
    empty_since: Option<Instant>,
}

impl Allowance {
    /// A full bucket of `burst` frames that gains `per_second`.
    pub fn new(burst: f64, per_second: f64) -> Self {
        Self { burst, per_second, frames: burst, filled_at: Instant::now(), empty_since: None }
    }

    fn refill(&mut self) {
        let now = Instant::now();
        let gained = now.duration_since(self.filled_at).as_secs_f64() * self.per_second;
        self.frames = (self.frames + gained).min(self.burst);
        self.filled_at = now;
    }

    /// Counts a frame.
    pub fn spend(&mut self) {
        self.refill();
        self.frames -= 1.0;
        if self.frames >= self.per_second {
            self.empty_since = None;
        }
    }

    /// How long to stop reading; `None` while there is allowance left.
    pub fn wait(&mut self) -> Option<Duration> {
        self.refill();
        if self.frames >= 1.0 {
            return None;
        }
        self.empty_since.get_or_insert_with(Instant::now);
        Some(Duration::from_secs_f64((1.0 - self.frames) / self.per_second))
    }

    /// Whether the client has gone on too long: close with 4003.
    pub fn is_flood(&self) -> bool {
        self.empty_since.is_some_and(|since| since.elapsed() > MAX_FLOOD)
    }
}
