//! The heartbeats of one moment: the same bytes for all connections with the same protocol and wire.

use bytes::Bytes;
use doorstep_shared::protocol::{ServerTime, courier::CourierEvent, customer::CustomerEvent, fleet::FleetEvent};

use super::frame::{Wire, frame};

/// The client at the other end of a connection, and so the protocol of its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A customer who watches one order.
    Customer,
    /// A courier's phone.
    Courier,
    /// A dispatcher's console.
    Dispatcher,
}

impl Peer {
    const COUNT: usize = 3;
}

/// The heartbeats of one moment, each encoded when the first connection needs it.
#[derive(Debug)]
pub struct Heartbeats {
    server_time_ms: i64,
    encoded: [[Option<Bytes>; Wire::COUNT]; Peer::COUNT],
}

impl Heartbeats {
    /// Heartbeats that carry `server_time_ms`, Unix epoch milliseconds.
    pub fn at(server_time_ms: i64) -> Self {
        Self { server_time_ms, encoded: Default::default() }
    }

    /// The heartbeat for `peer`, in the form of `wire`.
    pub(super) fn of(&mut self, peer: Peer, wire: Wire) -> Bytes {
        let time = ServerTime { server_time_ms: self.server_time_ms };
        let encode = || match peer {
            Peer::Customer => wire.customer(&CustomerEvent::Heartbeat(time)),
            Peer::Courier => frame(wire.codec(), &CourierEvent::Heartbeat(time)),
            Peer::Dispatcher => frame(wire.codec(), &FleetEvent::Heartbeat(time)),
        };
        self.encoded[peer as usize][wire.index()].get_or_insert_with(encode).clone()
    }
}
