//! Messages that the tests of an outbox put in, and how a client would read them.

use std::{
    sync::Arc,
    task::{Context, Poll, Waker},
};

use doorstep_shared::{
    OrderStatus, Position,
    protocol::{
        customer::{CustomerEvent, Place, PositionUpdate, Snapshot, TrackedOrder},
        decode_json,
    },
};

use super::{Encoded, Outbox};

pub(super) fn position(time_ms: i64) -> Arc<Encoded> {
    let position = Position { time_ms, lat: 35.9, lon: 14.5, accuracy_m: None, speed_mps: None, heading_deg: None };
    Encoded::new(CustomerEvent::Position(PositionUpdate::new(&position, Vec::new())))
}

/// A snapshot without a position.
pub(super) fn greeting() -> Arc<Encoded> {
    let place = Place { lat: 35.9, lon: 14.5, label: "here".into() };
    Encoded::new(CustomerEvent::Snapshot(Snapshot {
        server_time_ms: 0,
        order: TrackedOrder {
            reference: "A-1".into(),
            status: OrderStatus::PickedUp,
            status_at_ms: 0,
            stops_before: 0,
            pickup: place.clone(),
            dropoff: place,
            timeline: vec![],
        },
        courier: None,
        position: None,
        trail: vec![],
        eta: None,
    }))
}

/// The JSON messages that a client would read now.
pub(super) fn read(outbox: &Outbox) -> Vec<CustomerEvent> {
    let Poll::Ready(Some(mut bytes)) = outbox.poll(&Context::from_waker(Waker::noop())) else { return vec![] };
    let mut events = vec![];
    while !bytes.is_empty() {
        let (header, length) = match bytes[1] {
            126 => (4, usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
            short => (2, usize::from(short)),
        };
        let frame = bytes.split_to(header + length);
        if frame[0] == 0x81 {
            let text = std::str::from_utf8(&frame[header..]).expect("JSON is UTF-8");
            events.push(decode_json(text).expect("our own message"));
        }
    }
    events
}
