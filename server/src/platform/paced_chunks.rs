//! Spreads a long list of small jobs over time in paced chunks, so that no other work waits behind thousands of them.
//!
//! The arrival estimates of thousands of couriers and the heartbeats of thousands of connections are handled like this.

use std::{slice::Chunks, time::Duration};

use tokio::time::Instant;

/// Items that are handled without a pause.
const CHUNK: usize = 32;

/// The runtime's timers are no finer than a millisecond: for more items the chunks grow.
const SHORTEST_PAUSE: Duration = Duration::from_millis(2);

/// Items in chunks, each at its moment.
#[derive(Debug)]
pub struct PacedChunks<'a, T> {
    chunks: Chunks<'a, T>,
    pause: Duration,
    next_at: Instant,
}

impl<'a, T> PacedChunks<'a, T> {
    /// `items` in their order, over `time` from now.
    pub fn new(items: &'a [T], time: Duration) -> Self {
        let most = (time.as_millis() / SHORTEST_PAUSE.as_millis()).max(1) as usize;
        let chunks = items.chunks(CHUNK.max(items.len().div_ceil(most)));
        let pause = time / chunks.len().max(1) as u32;
        Self { chunks, pause, next_at: Instant::now() }
    }

    /// The next chunk, when its time has come; `None` when there is none left and the time is over.
    /// # Cancel safety
    /// Safe: nothing is taken before its time.
    pub async fn next(&mut self) -> Option<&'a [T]> {
        tokio::time::sleep_until(self.next_at).await;
        self.next_at += self.pause;
        self.chunks.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everything_comes_in_order_and_no_sooner_than_in_its_time() {
        let items: Vec<_> = (0..100).collect();
        let time = Duration::from_millis(60);
        let began = Instant::now();
        let mut chunks = PacedChunks::new(&items, time);
        let mut seen = Vec::new();
        while let Some(chunk) = chunks.next().await {
            assert!(chunk.len() <= CHUNK);
            assert!(began.elapsed() >= time.mul_f64(seen.len() as f64 / 128.0), "too early for {chunk:?}");
            seen.extend_from_slice(chunk);
        }
        assert_eq!(seen, items);
        assert!(began.elapsed() >= time, "the row of jobs takes its time");
    }

    #[tokio::test]
    async fn items_too_many_for_short_pauses_come_in_larger_chunks() {
        let items = vec![(); 10_000];
        let chunks = PacedChunks::new(&items, Duration::from_millis(100));
        assert_eq!(chunks.chunks.len(), 50);
        assert_eq!(chunks.pause, SHORTEST_PAUSE);
    }

    #[tokio::test]
    async fn nothing_to_do_takes_no_time() {
        let mut chunks = PacedChunks::new(&[(); 0], Duration::from_secs(3_600));
        assert!(chunks.next().await.is_none());
    }
}
