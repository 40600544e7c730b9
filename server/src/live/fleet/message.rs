//! One message for one console, with its place in the console's sequence.

use std::sync::Arc;

use bytes::Bytes;
use doorstep_shared::protocol::{
    Codec,
    fleet::{FleetCourier, FleetEvent, FleetFix, FleetOrder, FleetSnapshot},
};

use super::{broadcast::Broadcast, encode, news::News};
use crate::{live::outbox::frame, platform::clock::Clock};

/// One message to write, with its place in the sequence.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// Its `seq`.
    pub seq: u64,
    /// What it says.
    pub content: Content,
}

/// What a message says.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// The whole fleet.
    Snapshot {
        /// Every courier.
        couriers: Vec<FleetCourier>,
        /// Every order that is not over.
        orders: Vec<FleetOrder>,
    },
    /// A change.
    News(News),
    /// Positions for this console alone.
    Positions(Vec<FleetFix>),
    /// Positions that many consoles get.
    Shared(Arc<Broadcast>),
}

impl Message {
    /// The message as one WebSocket frame, with its kind for the metrics. A snapshot says what time it is.
    pub(super) fn encode(self, codec: Codec, clock: &Clock) -> (&'static str, Bytes) {
        let seq = self.seq;
        match self.content {
            Content::Snapshot { couriers, orders } => {
                let snapshot = FleetSnapshot { seq, server_time_ms: clock.now_ms(), couriers, orders };
                ("snapshot", frame(codec, &FleetEvent::Snapshot(snapshot)))
            }
            Content::News(news) => ("change", encode::news(codec, seq, news)),
            Content::Positions(fixes) => ("positions", encode::positions(codec, seq, &fixes)),
            Content::Shared(broadcast) => ("positions", broadcast.frame(codec, seq)),
        }
    }
}
