//! Keeps every connection of this instance alive, or closes it.
//!
//! One task sends Pings and heartbeats and closes silent clients, looking at all connections twice a second, instead of
//! a timer in each: nothing is late by more than that, and ten thousand idle viewers cost a walk through a list.

use std::{sync::Arc, time::Duration};

use tokio::time::MissedTickBehavior;

use super::{connections::Connections, outbox::Heartbeats};
use crate::platform::{clock::Clock, paced_chunks::PacedChunks};

/// How often the task looks at all connections.
const INTERVAL: Duration = Duration::from_millis(500);

/// The part of an interval over which the connections that are due are paced.
const SPREAD: f64 = 0.8;

/// Keeps connections alive until it is cancelled.
pub async fn run(connections: Arc<Connections>, clock: Clock) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // The registry is not locked meanwhile: each of these wakes a connection. Viewers who came together are due
        // together, and positions would wait behind thousands of heartbeats.
        let due = connections.due();
        let mut chunks = PacedChunks::new(&due, INTERVAL.mul_f64(SPREAD));
        while let Some(chunk) = chunks.next().await {
            let mut heartbeats = Heartbeats::at(clock.now_ms());
            chunk.iter().for_each(|outbox| outbox.keep_alive(&mut heartbeats));
        }
    }
}
