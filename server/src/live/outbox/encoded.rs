//! One message of a customer's feed, encoded at most once for each [`Wire`] and shared by all connections.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use doorstep_shared::protocol::customer::CustomerEvent;

use super::frame::Wire;

/// A customer's message, encoded at most once for each wire form however many connections get it.
#[derive(Debug)]
pub struct Encoded {
    event: CustomerEvent,
    forms: [OnceLock<Bytes>; Wire::COUNT],
}

impl Encoded {
    /// Wraps a message for sharing.
    pub fn new(event: CustomerEvent) -> Arc<Self> {
        Arc::new(Self { event, forms: [const { OnceLock::new() }; Wire::COUNT] })
    }

    /// The message itself.
    pub fn event(&self) -> &CustomerEvent {
        &self.event
    }

    /// The message as bytes for `wire`. The first call for a wire encodes it.
    pub(super) fn bytes(&self, wire: Wire) -> Bytes {
        self.forms[wire.index()].get_or_init(|| wire.customer(&self.event)).clone()
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::protocol::Codec;

    use super::*;
    use crate::live::outbox::samples::position;

    #[test]
    fn connections_that_use_one_wire_get_the_same_bytes() {
        let message = position(1);
        let wire = Wire::Socket(Codec::Json);
        assert_eq!(message.bytes(wire).as_ptr(), message.bytes(wire).as_ptr());
        assert_ne!(message.bytes(wire), message.bytes(Wire::Events(Codec::Json)));
    }
}
