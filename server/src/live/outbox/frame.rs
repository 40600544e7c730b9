//! Messages as the bytes of one WebSocket frame or one Server-Sent Event.
//!
//! Pure. A server's frames are not masked, so the bytes of a message are the same for every connection that uses the
//! same [`Wire`], and [`super::encoded`] shares them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::{Bytes, BytesMut};
use doorstep_shared::protocol::{Codec, customer::CustomerEvent, encode_json, encode_postcard};
use serde::Serialize;

/// The whole of a WebSocket Ping without a payload: FIN and opcode, then the length.
pub(super) static PING: [u8; 2] = [0x80 | OpCode::Ping as u8, 0];

/// How one connection's messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// WebSocket frames in the agreed codec.
    Socket(Codec),
    /// Server-Sent Events; postcard travels as base64url.
    Events(Codec),
}

impl Wire {
    /// How many forms there are.
    pub const COUNT: usize = 4;

    /// The number of this form, below [`Wire::COUNT`].
    pub const fn index(self) -> usize {
        match self {
            Self::Socket(Codec::Json) => 0,
            Self::Socket(Codec::Postcard) => 1,
            Self::Events(Codec::Json) => 2,
            Self::Events(Codec::Postcard) => 3,
        }
    }

    /// The codec of the messages, whatever carries them.
    pub const fn codec(self) -> Codec {
        match self {
            Self::Socket(codec) | Self::Events(codec) => codec,
        }
    }

    /// Whether this is a WebSocket, with Pings and close frames.
    pub const fn is_socket(self) -> bool {
        matches!(self, Self::Socket(_))
    }

    /// A customer's message as bytes for this wire.
    pub fn customer(self, event: &CustomerEvent) -> Bytes {
        match self {
            Self::Socket(codec) => frame(codec, event),
            Self::Events(codec) => server_sent_event(codec, event),
        }
    }
}

/// A message as one WebSocket frame.
pub fn frame<M: Serialize>(codec: Codec, message: &M) -> Bytes {
    match codec {
        Codec::Json => raw_frame(OpCode::Text, &[encode_json(message).as_bytes()]),
        Codec::Postcard => raw_frame(OpCode::Binary, &[&encode_postcard(message)]),
    }
}

/// What a WebSocket frame is.
#[derive(Clone, Copy, Debug)]
pub enum OpCode {
    /// A JSON message.
    Text = 0x1,
    /// A postcard message.
    Binary = 0x2,
    /// The last frame.
    Close = 0x8,
    /// A request for a sign of life.
    Ping = 0x9,
    /// The answer to a Ping.
    Pong = 0xA,
}

/// A frame whose payload is these pieces together. RFC 6455, section 5.2: FIN and opcode, then the length in 7, 16
/// or 64 bits, then the payload.
pub fn raw_frame(opcode: OpCode, payload: &[&[u8]]) -> Bytes {
    let length: usize = payload.iter().map(|piece| piece.len()).sum();
    let mut frame = BytesMut::with_capacity(length + 10);
    frame.extend_from_slice(&[0x80 | opcode as u8]);
    match length {
        length @ 0..=125 => frame.extend_from_slice(&[length as u8]),
        length @ 126..=0xFFFF => {
            frame.extend_from_slice(&[126]);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.extend_from_slice(&[127]);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    payload.iter().for_each(|piece| frame.extend_from_slice(piece));
    frame.freeze()
}

pub(super) fn close_frame(code: u16, reason: &str) -> Bytes {
    raw_frame(OpCode::Close, &[&code.to_be_bytes(), reason.as_bytes()])
}

fn server_sent_event(codec: Codec, event: &CustomerEvent) -> Bytes {
    let data = match codec {
        Codec::Json => encode_json(event),
        Codec::Postcard => URL_SAFE_NO_PAD.encode(encode_postcard(event)),
    };
    let time_ms = match event {
        CustomerEvent::Position(update) => Some(update.time_ms),
        CustomerEvent::Snapshot(snapshot) => snapshot.position.map(|position| position.time_ms),
        _ => None,
    };
    let id = time_ms.map(|time_ms| format!("id: {time_ms}\n")).unwrap_or_default();
    Bytes::from(format!("event: {}\n{id}data: {data}\n\n", event.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::outbox::samples::position;

    #[test]
    fn an_event_stream_carries_the_position_time_as_its_id() {
        let bytes = Wire::Events(Codec::Json).customer(position(1_795_219_200_123).event());
        let text = std::str::from_utf8(&bytes).expect("text");
        assert!(text.starts_with("event: position\nid: 1795219200123\ndata: {\"type\":\"position\""), "{text}");
        assert!(text.ends_with("}\n\n"));
    }

    #[test]
    fn a_frame_has_the_shortest_length_that_fits() {
        let header = |length: usize| raw_frame(OpCode::Binary, &[&vec![7; length]])[..4].to_vec();
        assert_eq!(header(125), [0x82, 125, 7, 7]);
        assert_eq!(header(126), [0x82, 126, 0, 126]);
        assert_eq!(header(0x1_0000), [0x82, 127, 0, 0]);
        assert_eq!(&close_frame(4000, "bye")[..], b"\x88\x05\x0f\xa0bye");
    }
}
