//! WebSocket sessions: one loop for each kind of client, and what they share.
//!
//! A session reads with `actix-ws` and writes through an [`outbox::Outbox`] that is the response's body.
//! Everything that can be refused is refused before the upgrade, in plain HTTP.

pub mod allowance;
pub mod courier;
pub mod customer;
pub mod fleet;
pub mod guard;
pub mod outbox;
pub mod registry;

use std::{
    io::ErrorKind,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse,
    error::PayloadError,
    http::header::{self, HeaderValue},
    web::Payload,
};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, ProtocolError};
use doorstep_shared::protocol::{
    CloseCode, Codec, HEARTBEAT_AFTER_MS, MAX_MESSAGE_BYTES, PEER_TIMEOUT_MS, PING_INTERVAL_MS,
};
use futures_util::StreamExt;

use self::outbox::{Outbox, OutboxBody, Wire};
use crate::error::ApiError;

/// After a close frame the peer has this long to answer it.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// The codec that a request asks for.
///
/// # Errors
/// 400 when the client offers subprotocols and none is ours.
pub fn negotiate(request: &HttpRequest) -> Result<(Codec, bool), ApiError> {
    let offered = request.headers().get(header::SEC_WEBSOCKET_PROTOCOL);
    let text = offered.map(|value| value.to_str().unwrap_or_default());
    let codec = Codec::negotiate(text).map_err(|_| ApiError::no_common_subprotocol())?;
    Ok((codec, offered.is_some()))
}

/// Answers the upgrade and hands out both halves of the connection.
///
/// # Errors
/// 400 when the request is no WebSocket handshake.
pub fn upgrade(
    request: &HttpRequest,
    payload: Payload,
    codec: Codec,
    name_codec: bool,
) -> Result<(HttpResponse, Connection), ApiError> {
    let payload = guard::guarded(request, payload, MAX_MESSAGE_BYTES);
    let (mut response, _unused_sender, messages) =
        actix_ws::handle(request, payload).map_err(|error| ApiError::bad_handshake(&error))?;
    if name_codec {
        let name = HeaderValue::from_static(codec.subprotocol());
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, name);
    }
    let outbox = Outbox::new(Wire::Socket(codec));
    let response = response.map_body(|_, unused| OutboxBody::new(Arc::clone(&outbox), unused)).map_into_boxed_body();
    let messages =
        messages.max_frame_size(MAX_MESSAGE_BYTES).aggregate_continuations().max_continuation_size(MAX_MESSAGE_BYTES);
    Ok((response, Connection::new(outbox, messages)))
}

/// The reading half of a connection, with its clocks.
pub struct Connection {
    outbox: Arc<Outbox>,
    messages: AggregatedMessageStream,
    heard_at: Instant,
    pinged_at: Instant,
}

/// What a session has to react to.
pub enum Incoming {
    /// A message in a text frame, checked to be UTF-8.
    Text(bytes::Bytes),
    /// A message in a binary frame.
    Binary(bytes::Bytes),
    /// Nothing was sent for a while: show that we are alive.
    HeartbeatDue,
    /// The connection is over, or about to be: leave the loop.
    Closed,
}

impl Connection {
    fn new(outbox: Arc<Outbox>, messages: AggregatedMessageStream) -> Self {
        let now = Instant::now();
        Self { outbox, messages, heard_at: now, pinged_at: now }
    }

    /// Where to put what this connection should read.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Waits for the next thing to react to. Answers pings and closes by itself.
    /// # Cancel safety
    /// Safe: no message is lost when the future is dropped.
    pub async fn next(&mut self) -> Incoming {
        loop {
            let due = self.next_deadline();
            tokio::select! {
                biased;
                () = self.outbox.closed() => return Incoming::Closed,
                message = self.messages.next() => {
                    self.heard_at = Instant::now();
                    if let Some(incoming) = self.read(message) {
                        return incoming;
                    }
                }
                () = tokio::time::sleep_until(due.into()) => {
                    if let Some(incoming) = self.on_deadline() {
                        return incoming;
                    }
                }
            }
        }
    }

    fn next_deadline(&self) -> Instant {
        let now = Instant::now();
        let heartbeat = now + Duration::from_millis(HEARTBEAT_AFTER_MS).saturating_sub(self.outbox.silent_for());
        let ping = self.pinged_at + Duration::from_millis(PING_INTERVAL_MS);
        let given_up = self.heard_at + Duration::from_millis(PEER_TIMEOUT_MS);
        heartbeat.min(ping).min(given_up)
    }

    fn on_deadline(&mut self) -> Option<Incoming> {
        if self.heard_at.elapsed() >= Duration::from_millis(PEER_TIMEOUT_MS) {
            self.outbox.close(CloseCode::HeartbeatTimeout);
            return Some(Incoming::Closed);
        }
        if self.pinged_at.elapsed() >= Duration::from_millis(PING_INTERVAL_MS) {
            self.pinged_at = Instant::now();
            self.outbox.ping();
        }
        (self.outbox.silent_for() >= Duration::from_millis(HEARTBEAT_AFTER_MS)).then_some(Incoming::HeartbeatDue)
    }

    fn read(&mut self, message: Option<Result<AggregatedMessage, ProtocolError>>) -> Option<Incoming> {
        match message {
            Some(Ok(AggregatedMessage::Text(text))) => return Some(Incoming::Text(text.into_bytes())),
            Some(Ok(AggregatedMessage::Binary(bytes))) => return Some(Incoming::Binary(bytes)),
            Some(Ok(AggregatedMessage::Ping(payload))) => self.outbox.pong(&payload),
            Some(Ok(AggregatedMessage::Pong(_))) => {}
            Some(Ok(AggregatedMessage::Close(reason))) => {
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
            ProtocolError::Io(io) if is_too_large(io) => self.outbox.close(CloseCode::TooLarge),
            ProtocolError::Io(_) => self.outbox.finish(),
            _ => self.outbox.close_raw(1002, "protocol error"),
        }
    }

    /// Gives the peer a moment to read and answer the close frame, then lets the connection end.
    pub async fn linger(mut self) {
        let answered = async { while let Some(Ok(_)) = self.messages.next().await {} };
        let _ = tokio::time::timeout(CLOSE_PATIENCE, answered).await;
        self.outbox.finish();
    }
}

fn is_too_large(error: &std::io::Error) -> bool {
    let Some(source) = error.get_ref() else { return false };
    match source.downcast_ref::<PayloadError>() {
        Some(PayloadError::Overflow) => true,
        Some(_) => false,
        None => source.to_string().contains("maximum continuation size"),
    }
}
