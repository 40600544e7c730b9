//! The passing of time, for every connection at once.
//!
//! Pings, heartbeats and the end of silent clients come from one task that looks at all connections twice a second,
//! instead of a timer in each: nobody is late by more than that, and ten thousand idle viewers cost a walk through
//! a list. Heartbeats of one moment are the same bytes for everybody who speaks the same.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use doorstep_shared::protocol::{Codec, ServerTime, courier::CourierEvent, customer::CustomerEvent, fleet::FleetEvent};
use tokio::time::MissedTickBehavior;

use super::{
    connections::Connections,
    outbox::{Peer, Wire, frame},
};
use crate::platform::{clock::Clock, paced_chunks::PacedChunks};

/// How often time passes.
const BEAT: Duration = Duration::from_millis(500);

/// The part of a beat over which it reaches everybody.
const SPREAD: f64 = 0.8;

const PEERS: usize = 3;

/// Lets time pass until it is cancelled.
pub async fn run(sockets: Arc<Connections>, clock: Clock) {
    let mut beats = tokio::time::interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        // The registry is not locked meanwhile: each of these wakes somebody. Viewers who came together are due
        // together, and positions would wait behind thousands of heartbeats.
        let due = sockets.due();
        let mut handfuls = PacedChunks::new(&due, BEAT.mul_f64(SPREAD));
        while let Some(handful) = handfuls.next().await {
            let mut heartbeats = Heartbeats::at(clock.now_ms());
            handful.iter().for_each(|outbox| outbox.beat(&mut heartbeats));
        }
    }
}

/// The heartbeats of one moment, each encoded when the first connection needs it.
#[derive(Debug)]
pub struct Heartbeats {
    server_time_ms: i64,
    frames: [[Option<Bytes>; Wire::COUNT]; PEERS],
}

impl Heartbeats {
    /// Those that say `server_time_ms`.
    pub fn at(server_time_ms: i64) -> Self {
        Self { server_time_ms, frames: Default::default() }
    }

    /// The one for `peer`, in the form of `wire`.
    pub fn of(&mut self, peer: Peer, wire: Wire) -> Bytes {
        let time = ServerTime { server_time_ms: self.server_time_ms };
        let encode = || match (peer, wire) {
            (Peer::Customer, wire) => wire.customer(&CustomerEvent::Heartbeat(time)),
            (Peer::Courier, wire) => frame(codec_of(wire), &CourierEvent::Heartbeat(time)),
            (Peer::Dispatcher, wire) => frame(codec_of(wire), &FleetEvent::Heartbeat(time)),
        };
        self.frames[peer as usize][wire.index()].get_or_insert_with(encode).clone()
    }
}

fn codec_of(wire: Wire) -> Codec {
    match wire {
        Wire::Socket(codec) | Wire::Events(codec) => codec,
    }
}
