//! The core protocol of NATS, as far as publishing and subscribing go: lines of text, payloads with their length
//! before them. A `PING` of ours is answered when everything before it is done.

use bytes::{Buf, BytesMut};
use tokio_tungstenite::tungstenite::Message;

use super::said::Said;

pub(super) fn hello() -> Message {
    let options = r#"{"verbose":false,"pedantic":false,"lang":"rust","version":"0","protocol":1}"#;
    binary(format!("CONNECT {options}\r\nPING\r\n"))
}

pub(super) fn subscribe(topic: &str) -> Message {
    binary(format!("SUB {topic} 1\r\nPING\r\n"))
}

pub(super) fn publish(topic: &str, payload: &str) -> Message {
    binary(format!("PUB {topic} {}\r\n{payload}\r\n", payload.len()))
}

fn binary(text: String) -> Message {
    Message::Binary(text.into_bytes().into())
}

/// A line, with its payload when it has one.
pub(super) fn next(arrived: &mut BytesMut) -> Option<Said> {
    let end = arrived.windows(2).position(|pair| pair == b"\r\n")?;
    let line = std::str::from_utf8(&arrived[..end]).unwrap_or_default();
    if let Some(rest) = line.strip_prefix("MSG ") {
        let length: usize = rest.rsplit(' ').next()?.parse().ok()?;
        let (begin, after) = (end + 2, end + 2 + length);
        if arrived.len() < after + 2 {
            return None;
        }
        let payload = arrived[begin..after].to_vec();
        arrived.advance(after + 2);
        return Some(Said::Payload(payload));
    }
    let said = match line {
        "PONG" => Said::Ready,
        "PING" => Said::Answer(binary("PONG\r\n".to_owned())),
        _ => Said::Aside,
    };
    arrived.advance(end + 2);
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{options::Protocol, protocol::all},
        *,
    };

    #[test]
    fn several_messages_may_come_in_one_frame_and_a_part_waits_for_the_rest() {
        let said = all(Protocol::Nats, b"INFO {}\r\nPONG\r\nMSG order-1 1 5\r\na\r\nbc\r\nMSG order-1 1 9\r\nabc");
        assert_eq!(said, [Said::Aside, Said::Ready, Said::Payload(b"a\r\nbc".to_vec())]);
    }
}
