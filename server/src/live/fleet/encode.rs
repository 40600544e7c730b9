//! Fleet messages as frames, with each connection's own `seq` around a body that many may share.
//!
//! Both codecs write the fields of a message one after the other, and `seq` is the first of them, so the long rest
//! of a batch is encoded once for all consoles. A test holds this against the plain encoding of the whole message.

use bytes::Bytes;
use doorstep_shared::protocol::{
    Codec, encode_json, encode_postcard,
    fleet::{FleetAlertRaised, FleetCourierChange, FleetEvent, FleetFix, FleetOrderChange},
};

use super::news::News;
use crate::live::outbox::{OpCode, frame, raw_frame};

/// The number of `positions` among the variants of the feed's messages, in postcard.
const POSITIONS_VARIANT: u8 = 1;

/// A `positions` message of one connection's own.
pub(super) fn positions(codec: Codec, seq: u64, fixes: &[FleetFix]) -> Bytes {
    match codec {
        Codec::Json => with_seq(codec, seq, encode_json(&fixes).as_bytes()),
        Codec::Postcard => with_seq(codec, seq, &encode_postcard(&fixes)),
    }
}

/// A `positions` message around fixes that are encoded already.
pub(super) fn with_seq(codec: Codec, seq: u64, fixes: &[u8]) -> Bytes {
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
pub(super) fn news(codec: Codec, seq: u64, news: News) -> Bytes {
    let event = match news {
        News::Courier(courier) => FleetEvent::Courier(FleetCourierChange { seq, courier, archived: None }),
        News::CourierLeft(courier) => FleetEvent::Courier(FleetCourierChange { seq, courier, archived: Some(true) }),
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
    use crate::live::fleet::broadcast::Broadcast;

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
