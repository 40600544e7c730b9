//! What a client says to a broker and how it reads the answers: the same questions for each protocol.

use anyhow::{Context, Result};
use bytes::BytesMut;
use tokio_tungstenite::tungstenite::{ClientRequestBuilder, Message, http::Uri};

use super::{mqtt, nats, options::Protocol, said::Said, socketio};

impl Protocol {
    pub(super) fn request(self, url: &str) -> Result<ClientRequestBuilder> {
        let (path, subprotocol) = match self {
            Self::Nats => ("/", None),
            Self::Mqtt => ("/", Some("mqtt")),
            Self::Socketio => (socketio::PATH, None),
        };
        let uri: Uri = format!("{}{path}", url.trim_end_matches('/')).parse().context("the broker's address")?;
        let request = ClientRequestBuilder::new(uri);
        Ok(match subprotocol {
            Some(name) => request.with_sub_protocol(name),
            None => request,
        })
    }

    /// What a client says first, when it is the client that begins.
    pub(super) fn hello(self) -> Option<Message> {
        match self {
            Self::Nats => Some(nats::hello()),
            Self::Mqtt => Some(mqtt::hello()),
            Self::Socketio => None,
        }
    }

    pub(super) fn subscribe(self, topic: &str) -> Message {
        match self {
            Self::Nats => nats::subscribe(topic),
            Self::Mqtt => mqtt::subscribe(topic),
            Self::Socketio => socketio::subscribe(topic),
        }
    }

    pub(super) fn publish(self, topic: &str, payload: &str) -> Message {
        match self {
            Self::Nats => nats::publish(topic, payload),
            Self::Mqtt => mqtt::publish(topic, payload),
            Self::Socketio => socketio::publish(topic, payload),
        }
    }

    /// Takes the next complete thing off what has arrived.
    pub(super) fn next(self, arrived: &mut BytesMut) -> Option<Said> {
        match self {
            Self::Nats => nats::next(arrived),
            Self::Mqtt => mqtt::next(arrived),
            Self::Socketio => socketio::next(arrived),
        }
    }
}

/// For the tests of each protocol: everything that can be taken off `bytes`.
#[cfg(test)]
pub(super) fn all(protocol: Protocol, bytes: &[u8]) -> Vec<Said> {
    let mut arrived = BytesMut::from(bytes);
    std::iter::from_fn(|| protocol.next(&mut arrived)).collect()
}
