//! Spreads a long row of small jobs over time, so that nothing else waits behind thousands of them.

use std::{slice::Chunks, time::Duration};

use tokio::time::Instant;

/// Done without a pause.
const HANDFUL: usize = 32;

/// The runtime tells times no finer than a millisecond: with more to do the handfuls grow.
const SHORTEST_PAUSE: Duration = Duration::from_millis(2);

/// Items in handfuls, each with its moment.
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
        let chunks = items.chunks(HANDFUL.max(items.len().div_ceil(most)));
        let pause = time / chunks.len().max(1) as u32;
        Self { chunks, pause, next_at: Instant::now() }
    }

    /// The next handful, when its time has come; `None` when there is none left and the time is over.
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
        let mut handfuls = PacedChunks::new(&items, time);
        let mut seen = Vec::new();
        while let Some(handful) = handfuls.next().await {
            assert!(handful.len() <= HANDFUL);
            assert!(began.elapsed() >= time.mul_f64(seen.len() as f64 / 128.0), "too early for {handful:?}");
            seen.extend_from_slice(handful);
        }
        assert_eq!(seen, items);
        assert!(began.elapsed() >= time, "the row of jobs takes its time");
    }

    #[tokio::test]
    async fn so_many_that_pauses_would_be_too_short_come_in_larger_handfuls() {
        let items = vec![(); 10_000];
        let handfuls = PacedChunks::new(&items, Duration::from_millis(100));
        assert_eq!(handfuls.chunks.len(), 50);
        assert_eq!(handfuls.pause, SHORTEST_PAUSE);
    }

    #[tokio::test]
    async fn nothing_to_do_takes_no_time() {
        let mut handfuls = PacedChunks::new(&[(); 0], Duration::from_secs(3_600));
        assert!(handfuls.next().await.is_none());
    }
}
