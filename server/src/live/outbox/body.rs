//! The response body through which actix-web writes a connection's outbox.
//!
//! The connection's HTTP dispatcher polls it when the socket can take more, so a slow client delays only itself.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;

use super::Outbox;

/// The response body of a connection: everything its outbox holds, until it is finished.
pub struct OutboxBody {
    outbox: Arc<Outbox>,
    /// `actix-ws` takes the end of its own body for the end of the connection, so it is kept, unread.
    _replaced: Option<BoxBody>,
    /// What an event stream says first: after how many milliseconds its browser comes back. 0 when it was said.
    retry_ms: u16,
}

impl OutboxBody {
    /// The body that writes `outbox`, in place of the one that `actix-ws` made.
    pub fn new(outbox: Arc<Outbox>, replaced: BoxBody) -> Self {
        Self { outbox, _replaced: Some(replaced), retry_ms: 0 }
    }

    /// The body of an event stream, whose browser comes back `retry_ms` after its connection was lost.
    pub fn event_stream(outbox: Arc<Outbox>, retry_ms: u16) -> Self {
        Self { outbox, _replaced: None, retry_ms }
    }
}

impl MessageBody for OutboxBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let retry_ms = std::mem::take(&mut self.retry_ms);
        if retry_ms > 0 {
            // A line of the first event.
            return Poll::Ready(Some(Ok(format!("retry: {retry_ms}\n").into())));
        }
        self.outbox.poll(context).map(|bytes| bytes.map(Ok))
    }
}

impl Drop for OutboxBody {
    fn drop(&mut self) {
        self.outbox.body_dropped();
    }
}
