//! A batch of positions for all consoles that see the whole fleet, encoded once for all of them.

use std::sync::OnceLock;

use bytes::Bytes;
use doorstep_shared::protocol::{Codec, encode_json, encode_postcard, fleet::FleetFix};

use super::encode::with_seq;

/// The movements between two versions, for all consoles that see the whole fleet.
#[derive(Debug, Default)]
pub(super) struct Broadcast {
    from: u64,
    to: u64,
    fixes: Vec<FleetFix>,
    bodies: [OnceLock<Bytes>; 2],
}

impl Broadcast {
    /// The movements after `from`, up to and with `to`.
    pub(super) fn new(from: u64, to: u64, fixes: Vec<FleetFix>) -> Self {
        Self { from, to, fixes, bodies: Default::default() }
    }

    /// The version after which it begins.
    pub(super) fn from(&self) -> u64 {
        self.from
    }

    /// The version with which it ends.
    pub(super) fn to(&self) -> u64 {
        self.to
    }

    /// The newest position of each courier that moved.
    pub(super) fn fixes(&self) -> &[FleetFix] {
        &self.fixes
    }

    /// The message as one WebSocket frame.
    pub(super) fn frame(&self, codec: Codec, seq: u64) -> Bytes {
        let body = match codec {
            Codec::Json => self.bodies[0].get_or_init(|| encode_json(&self.fixes).into()),
            Codec::Postcard => self.bodies[1].get_or_init(|| encode_postcard(&self.fixes).into()),
        };
        with_seq(codec, seq, body)
    }
}
