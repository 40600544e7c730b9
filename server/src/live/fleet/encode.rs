//! Fleet messages as bytes, with each connection's own `seq` around a body that all of them share.
//!
//! Both codecs write the fields of a message one after the other, and `seq` is the first of them, so the long rest
//! of a batch is encoded once for everybody. A test holds this against the plain encoding of the whole message.

use std::sync::OnceLock;

use bytes::Bytes;
use doorstep_shared::protocol::{
    Codec, encode_json, encode_postcard,
    fleet::{FleetAlertRaised, FleetCourierChange, FleetEvent, FleetFix, FleetOrderChange},
};

use super::board::News;
use crate::live::outbox::{OpCode, frame, raw_frame};

/// The number of `positions` among the variants of the feed's messages, in postcard.
const POSITIONS_VARIANT: u8 = 1;

/// What moved between two versions, for everybody who sees the whole fleet.
#[derive(Debug, Default)]
pub struct Broadcast {
    from: u64,
    to: u64,
    fixes: Vec<FleetFix>,
    bodies: [OnceLock<Bytes>; 2],
}

impl Broadcast {
    /// The movements after `from`, up to and with `to`.
    pub fn new(from: u64, to: u64, fixes: Vec<FleetFix>) -> Self {
        Self { from, to, fixes, bodies: Default::default() }
    }

    /// The version after which it begins.
    pub fn from(&self) -> u64 {
        self.from
    }

    /// The version with which it ends.
    pub fn to(&self) -> u64 {
        self.to
    }

    /// The newest position of each courier that moved.
    pub fn fixes(&self) -> &[FleetFix] {
        &self.fixes
    }

    /// The message as one WebSocket frame.
    pub fn frame(&self, codec: Codec, seq: u64) -> Bytes {
        let body = match codec {
            Codec::Json => self.bodies[0].get_or_init(|| encode_json(&self.fixes).into()),
            Codec::Postcard => self.bodies[1].get_or_init(|| encode_postcard(&self.fixes).into()),
        };
        around(codec, seq, body)
    }
}

/// A `positions` message of one connection's own.
pub fn positions(codec: Codec, seq: u64, fixes: &[FleetFix]) -> Bytes {
    match codec {
        Codec::Json => around(codec, seq, encode_json(&fixes).as_bytes()),
        Codec::Postcard => around(codec, seq, &encode_postcard(&fixes)),
    }
}

fn around(codec: Codec, seq: u64, fixes: &[u8]) -> Bytes {
    match codec {
        Codec::Json => {
            let head = format!(r#"{{"type":"positions","seq":{seq},"fixes":"#);
            raw_frame(OpCode::Text, &[head.as_bytes(), fixes, b"}"])
        }
        Codec::Postcard => {
            let head = encode_postcard(&(POSITIONS_VARIANT, seq));
            raw_frame(OpCode::Binary, &[&head, fixes])
        }
    }
}

/// One change as a frame.
pub fn news(codec: Codec, seq: u64, news: News) -> Bytes {
    let event = match news {
        News::Courier(courier) => FleetEvent::Courier(FleetCourierChange { seq, courier }),
        News::Order(order) => FleetEvent::Order(FleetOrderChange { seq, order }),
        News::Alert(alert) => FleetEvent::Alert(FleetAlertRaised { seq, alert }),
    };
    frame(codec, &event)
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{CourierId, protocol::fleet::FleetPositions};
    use proptest::prelude::*;

    use super::*;

    fn fix() -> impl Strategy<Value = FleetFix> {
        let small = || proptest::option::of(0.0f32..360.0);
        (any::<i64>(), -90.0f64..90.0, -180.0f64..180.0, small(), small(), small()).prop_map(
            |(time_ms, lat, lon, speed_mps, heading_deg, battery)| {
                let courier_id = CourierId::new();
                FleetFix { courier_id, time_ms, lat, lon, speed_mps, heading_deg, battery }
            },
        )
    }

    proptest! {
        #[test]
        fn a_shared_body_reads_like_a_message_of_its_own(
            fixes in proptest::collection::vec(fix(), 0..300), seq in any::<u64>(),
        ) {
            let whole = FleetEvent::Positions(FleetPositions { seq, fixes: fixes.clone() });
            let shared = Broadcast::new(0, 1, fixes.clone());
            for codec in Codec::ALL {
                let expected = frame(codec, &whole);
                prop_assert_eq!(&shared.frame(codec, seq), &expected);
                prop_assert_eq!(&positions(codec, seq, &fixes), &expected);
            }
        }
    }
}
