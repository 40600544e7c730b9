//! WebSocket sessions: one loop for each kind of client, and what they share.
//!
//! A session reads with `actix-ws` and writes through an [`Outbox`] that is the response's body.
//! Everything that can be refused is refused before the upgrade, in plain HTTP.

pub mod allowance;
pub mod connect_limiter;
pub mod courier;
pub mod customer;
pub mod fleet;
pub mod guard;

use std::{
    future::{Ready, ready},
    io::ErrorKind,
    sync::Arc,
    time::Duration,
};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, dev,
    error::PayloadError,
    http::{
        Version,
        header::{self, HeaderValue},
    },
    web::Payload,
};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, ProtocolError};
use doorstep_shared::protocol::{CloseCode, Codec, MAX_MESSAGE_BYTES};
use futures_util::StreamExt;

use self::allowance::Allowance;
use crate::{
    error::ApiError,
    live::{
        connections::Admission,
        outbox::{Outbox, OutboxBody, Peer, SocketHandle, Wire},
    },
    platform::{
        security::{Kind, SecurityEvent},
        tasks::Tasks,
    },
};

/// After a close frame the peer has this long to answer it, and then to take what was still on its way to it.
pub(crate) const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// RFC 6455, section 7.4.1.
const PROTOCOL_ERROR: u16 = 1002;

/// The only version of WebSocket that there is outside of drafts (RFC 6455, section 4.1).
const SOCKET_VERSION: &[u8] = b"13";

/// A request to open a WebSocket, with the codec that it asks for. 400 when it offers subprotocols and none is ours, and
/// when it asks for another version of WebSocket or of HTTP.
pub struct Handshake {
    /// The codec.
    pub codec: Codec,
    /// Whether the client offered subprotocols, so that the answer must name the chosen one.
    names_codec: bool,
    request: HttpRequest,
    payload: Payload,
}

impl FromRequest for Handshake {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        ready(Self::of(request, payload))
    }
}

impl Handshake {
    fn of(request: &HttpRequest, payload: &mut dev::Payload) -> Result<Self, ApiError> {
        check_versions(request)?;
        let offered = offered_subprotocols(request);
        let codec = Codec::negotiate(offered.as_deref()).map_err(|_| ApiError::no_common_subprotocol())?;
        let payload = guard::guarded(request, payload, MAX_MESSAGE_BYTES);
        Ok(Self { codec, names_codec: offered.is_some(), request: request.clone(), payload })
    }

    /// Answers the upgrade of `peer`, who may send what `allowance` allows, and hands out both halves of the connection.
    ///
    /// # Errors
    /// 400 when the request is no WebSocket handshake.
    pub fn upgrade(self, peer: Peer, allowance: Allowance) -> Result<(HttpResponse, Connection), ApiError> {
        let Self { codec, names_codec, request, payload } = self;
        let (mut response, _unused_sender, messages) =
            actix_ws::handle(&request, payload).map_err(|error| ApiError::bad_handshake(error.to_string()))?;
        if names_codec {
            let name = HeaderValue::from_static(codec.subprotocol());
            response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, name);
        }
        let outbox = Outbox::on(SocketHandle::of(&request), Wire::Socket(codec), peer);
        let body = |unused| OutboxBody::new(Arc::clone(&outbox), unused);
        let response = response.map_body(|_, unused| body(unused)).map_into_boxed_body();
        let messages = messages.max_frame_size(MAX_MESSAGE_BYTES).aggregate_continuations();
        let messages = messages.max_continuation_size(MAX_MESSAGE_BYTES);
        Ok((response, Connection { outbox, messages, allowance, peer_closed: false }))
    }
}

/// A request that asks for no upgrade at all is judged as a whole later.
fn check_versions(request: &HttpRequest) -> Result<(), ApiError> {
    if !request.headers().contains_key(header::UPGRADE) {
        return Ok(());
    }
    // HTTP/1.0 knows no upgrade (RFC 9110, section 7.8).
    if request.version() < Version::HTTP_11 {
        return Err(ApiError::bad_handshake("a WebSocket begins with HTTP/1.1"));
    }
    let mut versions = request.headers().get_all(header::SEC_WEBSOCKET_VERSION);
    let is_ours = versions.next().is_some_and(|version| version.as_bytes() == SOCKET_VERSION);
    if is_ours && versions.next().is_none() { Ok(()) } else { Err(ApiError::wrong_socket_version()) }
}

/// The names in all lines of the header: several are one list (RFC 9110, section 5.3). `None` without one.
fn offered_subprotocols(request: &HttpRequest) -> Option<String> {
    let lines = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let lines: Vec<_> = lines.map(|line| line.to_str().unwrap_or_default()).collect();
    (!lines.is_empty()).then(|| lines.join(","))
}

/// Runs a session on its connection's worker thread, as a task that shutdown waits for.
fn spawn(tasks: &Tasks, name: &'static str, session: impl Future<Output = ()> + 'static) {
    #[allow(clippy::disallowed_methods, reason = "a session lives on its connection's worker thread")]
    actix_web::rt::spawn(tasks.watched(name, false, session));
}

/// Counts how a connection of this kind ended, and gives the close code. What a client did wrong, and a credential that
/// ended, are security events.
fn count_close(socket: &'static str, outbox: &Outbox, admission: &Admission) -> u16 {
    let code = outbox.closed_with().unwrap_or(1006);
    metrics::counter!("doorstep_socket_closes_total", "socket" => socket, "code" => code.to_string()).increment(1);
    if let Some(reason) = suspicious(code) {
        SecurityEvent::new(Kind::SocketClosed).on(socket).because(reason).from(admission.peer()).log();
    }
    code
}

/// The name of a close code that a client brought upon itself; `None` for others.
fn suspicious(code: u16) -> Option<&'static str> {
    use CloseCode::{BadMessage, RateLimited, TooLarge, Unauthorized};
    let ours = [RateLimited, Unauthorized, BadMessage, TooLarge].into_iter().find(|ours| ours.code() == code);
    ours.map(CloseCode::name).or((code == PROTOCOL_ERROR).then_some("protocol_error"))
}

/// The reading half of a connection.
pub struct Connection {
    outbox: Arc<Outbox>,
    messages: AggregatedMessageStream,
    allowance: Allowance,
    /// The peer's close frame came: nothing follows it.
    peer_closed: bool,
}

/// What a session has to react to.
pub enum Incoming {
    /// A message in a text frame, checked to be UTF-8.
    Text(bytes::Bytes),
    /// A message in a binary frame.
    Binary(bytes::Bytes),
    /// The connection is over, or about to be: leave the loop.
    Closed,
}

impl Connection {
    /// Where to put what this connection should read.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Waits for the next thing to react to. Answers pings and closes by itself. A client that sends more than its
    /// allowance is not read for a while, and closed with 4003 when it goes on.
    /// # Cancel safety
    /// Safe: no message is lost when the future is dropped.
    pub async fn next(&mut self) -> Incoming {
        let outbox = Arc::clone(&self.outbox);
        loop {
            if let Some(wait) = self.allowance.wait() {
                if self.allowance.is_flood() {
                    outbox.close(CloseCode::RateLimited);
                }
                tokio::select! {
                    biased;
                    () = outbox.closed() => return Incoming::Closed,
                    () = tokio::time::sleep(wait) => continue,
                }
            }
            if let Some(incoming) = self.read_one(&outbox).await {
                return incoming;
            }
        }
    }

    async fn read_one(&mut self, outbox: &Outbox) -> Option<Incoming> {
        let _reading = outbox.reading();
        tokio::select! {
            biased;
            () = outbox.closed() => Some(Incoming::Closed),
            message = self.messages.next() => {
                outbox.heard();
                self.allowance.spend();
                self.read(message)
            }
        }
    }

    fn read(&mut self, message: Option<Result<AggregatedMessage, ProtocolError>>) -> Option<Incoming> {
        match message {
            Some(Ok(AggregatedMessage::Text(text))) => return Some(Incoming::Text(text.into_bytes())),
            Some(Ok(AggregatedMessage::Binary(bytes))) => return Some(Incoming::Binary(bytes)),
            Some(Ok(AggregatedMessage::Ping(payload))) => self.outbox.pong(&payload),
            Some(Ok(AggregatedMessage::Pong(_))) => {}
            Some(Ok(AggregatedMessage::Close(reason))) => {
                self.peer_closed = true;
                let code = reason.map_or(1000, |reason| u16::from(reason.code));
                self.outbox.close_raw(if code == 1005 { 1000 } else { code }, "");
                self.outbox.finish();
            }
            Some(Err(error)) => self.close_for(&error),
            None => self.outbox.finish(),
        }
        None
    }

    fn close_for(&self, error: &ProtocolError) {
        match error {
            ProtocolError::Overflow => self.outbox.close(CloseCode::TooLarge),
            // `actix-ws` reports text that is not UTF-8, and fragments that add up to too much, as I/O errors.
            ProtocolError::Io(io) if io.kind() == ErrorKind::InvalidData => self.outbox.close(CloseCode::BadMessage),
            ProtocolError::Io(io) if io.to_string().contains("maximum continuation size") => {
                self.outbox.close(CloseCode::TooLarge);
            }
            ProtocolError::Io(io) => match io.get_ref().and_then(|source| source.downcast_ref()) {
                // What the guard refuses.
                Some(PayloadError::Overflow) => self.outbox.close(CloseCode::TooLarge),
                Some(PayloadError::EncodingCorrupted) => self.break_off(),
                _ => self.outbox.finish(),
            },
            _ => self.break_off(),
        }
    }

    fn break_off(&self) {
        self.outbox.close_raw(PROTOCOL_ERROR, "protocol error");
    }

    /// Gives the peer a moment to read and answer the close frame, then lets the connection end. It is we who hang up
    /// (RFC 6455, section 7.1.1).
    pub async fn linger(&mut self) {
        let answered = async {
            while !self.peer_closed {
                match self.messages.next().await {
                    Some(Ok(message)) => self.peer_closed = matches!(message, AggregatedMessage::Close(_)),
                    Some(Err(_)) | None => break,
                }
            }
        };
        let _ = tokio::time::timeout(CLOSE_PATIENCE, answered).await;
        self.outbox.end(CLOSE_PATIENCE).await;
    }
}
