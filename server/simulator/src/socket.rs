//! One WebSocket connection to the server: opening it, both codecs, and what its end means.

use std::{
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use anyhow::Context;
use bytes::Bytes;
use doorstep_shared::protocol::{self, CloseCode, Codec};
use futures_util::{SinkExt, StreamExt};
use nix::sys::socket::{setsockopt, sockopt::IpBindAddressNoPort};
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{
        ClientRequestBuilder, Error as WsError, Message,
        http::{HeaderMap, StatusCode, Uri, header},
        protocol::WebSocketConfig,
    },
};

use crate::frame;

/// How often each close code or HTTP status ended a connection.
pub type Endings = std::collections::BTreeMap<u16, u32>;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
// "Wait before reconnecting", says the contract of 4003, not how long.
const RATE_LIMIT_PAUSE: Duration = Duration::from_secs(5);

/// Why there is no connection (any more), and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Come back, not before this long.
    Reconnect {
        /// The least time to stay away.
        not_before: Duration,
        /// What happened, for a log.
        reason: String,
        /// The close code or HTTP status, when the server said one.
        code: Option<u16>,
    },
    /// Stay away: a close code of 4500–4999, or an HTTP refusal that will not change.
    Stop {
        /// The close code or HTTP status.
        code: u16,
    },
}

impl Ended {
    /// A lost connection.
    pub fn lost(reason: impl Into<String>) -> Self {
        Self::Reconnect { not_before: Duration::ZERO, reason: reason.into(), code: None }
    }

    /// The close code or HTTP status with which the server ended it; `None` when the connection just broke.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Reconnect { code, .. } => *code,
            Self::Stop { code } => Some(*code),
        }
    }

    fn from_close_code(code: u16) -> Self {
        if !CloseCode::should_reconnect(code) {
            return Self::Stop { code };
        }
        let not_before = if code == CloseCode::RateLimited.code() { RATE_LIMIT_PAUSE } else { Duration::ZERO };
        // 1005 and 1006 stand for "no code came".
        let said = Some(code).filter(|code| ![1005, 1006].contains(code));
        Self::Reconnect { not_before, reason: format!("closed with {code}"), code: said }
    }

    fn from_refusal(status: StatusCode, headers: &HeaderMap) -> Self {
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let seconds = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let not_before = Duration::from_secs(seconds.unwrap_or(0));
            let code = Some(status.as_u16());
            return Self::Reconnect { not_before, reason: format!("refused with {status}"), code };
        }
        Self::Stop { code: status.as_u16() }
    }

    fn from_error(error: &WsError) -> Self {
        match error {
            WsError::Http(response) => Self::from_refusal(response.status(), response.headers()),
            other => Self::lost(other.to_string()),
        }
    }
}

/// What comes in.
#[derive(Debug)]
pub enum Incoming<M> {
    /// A message, decoded.
    Message(M),
    /// A Ping or Pong: nothing to do, but the server lives.
    Sign,
    /// A message that does not follow the contract.
    Unreadable(String),
}

/// What came in on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Messages.
    pub frames: u64,
    /// Their bytes, frame headers included.
    pub bytes: u64,
}

impl Received {
    /// What came in since it was `before`.
    pub fn since(self, before: Self) -> Self {
        Self { frames: self.frames - before.frames, bytes: self.bytes - before.bytes }
    }

    fn count(&mut self, payload: usize) {
        self.frames += 1;
        self.bytes += frame::bytes(payload);
    }
}

impl std::ops::AddAssign for Received {
    fn add_assign(&mut self, more: Self) {
        self.frames += more.frames;
        self.bytes += more.bytes;
    }
}

/// An open connection.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    codec: Codec,
    received: Received,
}

impl Socket {
    /// Connects to `url`, offering `codec`, with `bearer` as credentials when there is one.
    ///
    /// # Errors
    /// [`Ended`] says whether trying again makes sense.
    pub async fn connect(url: &str, codec: Codec, bearer: Option<&str>) -> Result<Self, Ended> {
        let mut request = ClientRequestBuilder::new(uri(url)?).with_sub_protocol(codec.subprotocol());
        if let Some(token) = bearer {
            request = request.with_header("Authorization", format!("Bearer {token}"));
        }
        #[cfg(not(feature = "tls"))]
        let opening = tokio_tungstenite::connect_async_with_config(request, Some(config()), true);
        #[cfg(feature = "tls")]
        let opening = {
            let connector = tokio_tungstenite::Connector::Rustls(crate::tls::config());
            tokio_tungstenite::connect_async_tls_with_config(request, Some(config()), true, Some(connector))
        };
        Self::opened(opening, codec).await
    }

    /// Connects from `source`, where the server is on this machine and speaks plain HTTP: the kernel looks for a free
    /// port among those of one address, and with ten thousand taken that is half the work of connecting. To any other
    /// server this is [`Socket::connect`].
    ///
    /// # Errors
    /// [`Ended`] says whether trying again makes sense.
    pub async fn connect_from(source: Ipv4Addr, url: &str, codec: Codec) -> Result<Self, Ended> {
        let uri = uri(url)?;
        let server = uri.authority().and_then(|authority| authority.as_str().parse::<SocketAddrV4>().ok());
        let Some(server) = server.filter(|server| server.ip().is_loopback() && uri.scheme_str() == Some("ws")) else {
            return Self::connect(url, codec, None).await;
        };
        let request = ClientRequestBuilder::new(uri).with_sub_protocol(codec.subprotocol());
        let opening = async {
            let stream = MaybeTlsStream::Plain(stream_from(source, server).await?);
            tokio_tungstenite::client_async_with_config(request, stream, Some(config())).await
        };
        Self::opened(opening, codec).await
    }

    async fn opened<R>(
        opening: impl Future<Output = Result<(WebSocketStream<MaybeTlsStream<TcpStream>>, R), WsError>>,
        codec: Codec,
    ) -> Result<Self, Ended> {
        match tokio::time::timeout(CONNECT_TIMEOUT, opening).await {
            Ok(Ok((stream, _))) => Ok(Self { stream, codec, received: Received::default() }),
            Ok(Err(error)) => Err(Ended::from_error(&error)),
            Err(_) => Err(Ended::lost("no answer to the handshake")),
        }
    }

    /// The next message.
    ///
    /// # Errors
    /// [`Ended`] when the connection is over.
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn receive<M: DeserializeOwned>(&mut self) -> Result<Incoming<M>, Ended> {
        let message = match self.stream.next().await {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(Ended::from_error(&error)),
            None => return Err(Ended::lost("the connection broke")),
        };
        if let Message::Text(_) | Message::Binary(_) = &message {
            self.received.count(message.len());
        }
        Ok(match message {
            Message::Text(text) => readable(protocol::decode_json(&text).context("JSON")),
            Message::Binary(bytes) => readable(protocol::decode_postcard(&bytes).context("postcard")),
            Message::Close(frame) => {
                let code = frame.map_or(1005, |frame| u16::from(frame.code));
                return Err(Ended::from_close_code(code));
            }
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Incoming::Sign,
        })
    }

    /// What came in so far.
    pub fn received(&self) -> Received {
        self.received
    }

    /// Sends one message.
    ///
    /// # Errors
    /// [`Ended`] when the connection is over; whether the message arrived is not known.
    pub async fn send<M: Serialize>(&mut self, message: &M) -> Result<(), Ended> {
        let message = match self.codec {
            Codec::Json => Message::Text(protocol::encode_json(message).into()),
            Codec::Postcard => Message::Binary(Bytes::from(protocol::encode_postcard(message))),
        };
        self.stream.send(message).await.map_err(|error| Ended::from_error(&error))
    }

    /// Says goodbye and lets go.
    pub async fn close(mut self) {
        // The peer may be gone already; there is nothing to do about it.
        let _ = tokio::time::timeout(Duration::from_millis(200), self.stream.close(None)).await;
    }
}

fn uri(url: &str) -> Result<Uri, Ended> {
    url.parse().map_err(|_| Ended::Stop { code: 400 })
}

/// Bots come in thousands: the usual buffers of 128 KiB each way would take gigabytes.
fn config() -> WebSocketConfig {
    WebSocketConfig::default().read_buffer_size(4 * 1024).write_buffer_size(0)
}

async fn stream_from(source: Ipv4Addr, server: SocketAddrV4) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    // The port is chosen when the peer is known, so one port serves several peers.
    setsockopt(&socket, IpBindAddressNoPort, &true)?;
    socket.bind((source, 0).into())?;
    let stream = socket.connect(server.into()).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn readable<M>(decoded: anyhow::Result<M>) -> Incoming<M> {
    match decoded {
        Ok(message) => Incoming::Message(message),
        Err(error) => Incoming::Unreadable(format!("{error:#}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_codes_and_refusals_say_whether_to_come_back() {
        let comes_back = |ended: Ended| matches!(ended, Ended::Reconnect { .. });
        for code in [1000, 1005, 1006, 1011, 4000, 4001, 4002, 4003, 4499] {
            assert!(comes_back(Ended::from_close_code(code)), "{code}");
        }
        for code in [4500, 4501, 4502, 4503, 4504, 4999] {
            assert_eq!(Ended::from_close_code(code), Ended::Stop { code });
        }
        assert_eq!(Ended::from_close_code(4000).code(), Some(4000));
        assert_eq!(Ended::from_close_code(1005).code(), None, "nobody said it");
        for status in [429_u16, 500, 502, 503] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert!(comes_back(Ended::from_refusal(status, &HeaderMap::new())), "{status}");
        }
        for code in [400_u16, 401, 403, 404, 410] {
            let status = StatusCode::from_u16(code).expect("a status");
            assert_eq!(Ended::from_refusal(status, &HeaderMap::new()), Ended::Stop { code });
        }
    }

    #[test]
    fn the_server_decides_how_long_to_stay_away() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("7"));
        let Ended::Reconnect { not_before, .. } = Ended::from_refusal(StatusCode::TOO_MANY_REQUESTS, &headers) else {
            panic!("a flood is not the end");
        };
        assert_eq!(not_before, Duration::from_secs(7));
        let Ended::Reconnect { not_before, .. } = Ended::from_close_code(4003) else {
            panic!("a flood is not the end")
        };
        assert_eq!(not_before, RATE_LIMIT_PAUSE);
    }
}
