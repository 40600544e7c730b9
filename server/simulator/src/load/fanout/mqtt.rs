//! MQTT 3.1.1 with quality of service 0, as far as publishing and subscribing go. Every packet is a byte for its type,
//! its length in groups of seven bits, lowest first, and its content.

use bytes::{Buf, BytesMut};
use tokio_tungstenite::tungstenite::Message;

use super::said::Said;

const CONNACK: u8 = 0x20;
const PUBLISH: u8 = 0x30;
const SUBACK: u8 = 0x90;

/// A clean session without a name and without keep-alive.
pub(super) fn hello() -> Message {
    packet(0x10, &[0, 4, b'M', b'Q', b'T', b'T', 4, 0x02, 0, 0, 0, 0])
}

pub(super) fn subscribe(topic: &str) -> Message {
    let content = [&[0, 1], string(topic).as_slice(), &[0]].concat();
    packet(0x82, &content)
}

pub(super) fn publish(topic: &str, payload: &str) -> Message {
    packet(PUBLISH, &[string(topic).as_slice(), payload.as_bytes()].concat())
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u16).to_be_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

fn packet(kind: u8, content: &[u8]) -> Message {
    let mut bytes = vec![kind];
    let mut length = content.len();
    loop {
        let group = (length % 128) as u8;
        length /= 128;
        bytes.push(if length > 0 { group | 0x80 } else { group });
        if length == 0 {
            break;
        }
    }
    bytes.extend_from_slice(content);
    Message::Binary(bytes.into())
}

pub(super) fn next(arrived: &mut BytesMut) -> Option<Said> {
    let (header, length) = measure(arrived)?;
    if arrived.len() < header + length {
        return None;
    }
    let kind = arrived[0] & 0xF0;
    let content = arrived[header..header + length].to_vec();
    arrived.advance(header + length);
    Some(match kind {
        CONNACK | SUBACK => Said::Ready,
        PUBLISH => Said::Payload(after_topic(&content)),
        _ => Said::Aside,
    })
}

/// Bytes of the header, and of what follows it.
fn measure(arrived: &[u8]) -> Option<(usize, usize)> {
    let mut length = 0;
    for (index, group) in arrived.iter().skip(1).take(4).enumerate() {
        length |= usize::from(group & 0x7F) << (7 * index);
        if group & 0x80 == 0 {
            return Some((index + 2, length));
        }
    }
    None
}

fn after_topic(content: &[u8]) -> Vec<u8> {
    let topic = content.first_chunk::<2>().map_or(0, |length| usize::from(u16::from_be_bytes(*length)));
    content.get(2 + topic..).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{options::Protocol, protocol::all},
        *,
    };

    #[test]
    fn what_is_published_is_read_back_whatever_its_length() {
        for length in [0, 1, 100, 127, 128, 300, 20_000] {
            let payload = "x".repeat(length);
            let packet = publish("order-7", &payload).into_data();
            let both = [&packet[..], &packet[..packet.len() - 1]].concat();
            assert_eq!(all(Protocol::Mqtt, &both), [Said::Payload(payload.into_bytes())], "{length}");
        }
        assert_eq!(all(Protocol::Mqtt, &[0x20, 2, 0, 0, 0x90, 3, 0, 1, 0]), [Said::Ready, Said::Ready]);
    }
}
