//! Socket.IO 4 over the WebSocket transport of Engine.IO 4: each message is a packet of text.
//!
//! The server (`server/benches/socketio.mjs`) answers the event `watch` with `watching`, and hands the payload of
//! `publish` on as `position`.

use bytes::{Buf, BytesMut};
use tokio_tungstenite::tungstenite::Message;

use super::said::Said;

pub(super) const PATH: &str = "/socket.io/?EIO=4&transport=websocket";

/// Put after every message, because what arrives is kept as a stream. JSON has no such byte.
pub(super) const END: u8 = 0;

pub(super) fn subscribe(topic: &str) -> Message {
    Message::text(format!(r#"42["watch","{topic}"]"#))
}

pub(super) fn publish(topic: &str, payload: &str) -> Message {
    Message::text(format!(r#"42["publish","{topic}",{payload}]"#))
}

pub(super) fn next(arrived: &mut BytesMut) -> Option<Said> {
    let end = arrived.iter().position(|byte| *byte == END)?;
    let packet = String::from_utf8_lossy(&arrived[..end]).into_owned();
    arrived.advance(end + 1);
    Some(match packet.as_str() {
        "2" => Said::Answer(Message::text("3")),
        opened if opened.starts_with('0') => Said::Answer(Message::text("40")),
        joined if joined.starts_with("40") => Said::Ready,
        r#"42["watching"]"# => Said::Ready,
        event => match event.strip_prefix(r#"42["position","#) {
            Some(payload) => Said::Payload(payload.trim_end_matches(']').as_bytes().to_vec()),
            None => Said::Aside,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::{
        super::{options::Protocol, protocol::all},
        *,
    };

    #[test]
    fn the_handshake_goes_on_and_positions_are_payloads() {
        let said = all(
            Protocol::Socketio,
            b"0{\"sid\":\"a\"}\x0040{\"sid\":\"b\"}\x0042[\"position\",{\"time_ms\":1}]\x002\x00",
        );
        let answer = |text: &str| Said::Answer(Message::text(text.to_owned()));
        assert_eq!(said, [answer("40"), Said::Ready, Said::Payload(b"{\"time_ms\":1}".to_vec()), answer("3")]);
    }
}
