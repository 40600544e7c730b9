//! What waits to be written to one connection, and never more than a bounded amount of it.
//!
//! Sessions, the hub and the registry of connections push; none of them ever waits. The connection's HTTP dispatcher
//! polls [`OutboxBody`] when its socket can take more, so a slow viewer conflates its own positions and delays nobody
//! else. Each wake-up takes everything there is in one write, and a message for many connections is encoded once per
//! wire form ([`Encoded`]). A connection may have a [`Feed`] instead of published positions: it makes its messages
//! when there is room for them.
//! This replaces `actix-ws`' own sending half, whose queue of 32 messages blocks its sender when full.

mod body;
mod encoded;
mod frame;
mod heartbeats;
mod liveness;
mod queue;
#[cfg(test)]
mod samples;
mod socket_handle;

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use doorstep_shared::protocol::{
    CloseCode, PEER_TIMEOUT_MS,
    customer::{CustomerEvent, Snapshot},
};
use tokio::sync::Notify;

use self::{
    liveness::Liveness,
    queue::{Full, Queue},
};

pub use self::{
    body::OutboxBody,
    encoded::Encoded,
    frame::{OpCode, Wire, frame, raw_frame},
    heartbeats::{Heartbeats, Peer},
    socket_handle::SocketHandle,
};

/// Makes a connection's messages at the moment when they can be written.
pub trait Feed: Send + Sync + std::fmt::Debug {
    /// Everything that should be written now; `None` when there is nothing. Must not block.
    ///
    /// # Errors
    /// The code to close the connection with.
    fn take(&self) -> Result<Option<Bytes>, CloseCode>;
}

/// The waiting messages of one connection; shared by its senders and its body.
#[derive(Debug)]
pub struct Outbox {
    wire: Wire,
    peer: Peer,
    socket: Option<SocketHandle>,
    state: Mutex<State>,
    feed: OnceLock<Arc<dyn Feed>>,
    liveness: Liveness,
    /// The queue was closed or finished, or the body is gone.
    closing: Notify,
}

#[derive(Debug, Default)]
struct State {
    queue: Queue,
    waker: Option<Waker>,
    /// The body is gone, and with it the connection or our part in it.
    is_gone: bool,
}

impl Outbox {
    /// An empty outbox for a connection to `peer` that speaks `wire`.
    pub fn new(wire: Wire, peer: Peer) -> Arc<Self> {
        Self::on(None, wire, peer)
    }

    /// The same, for a connection that [`Outbox::end`] can cut. From here on its client may be silent for as long as a
    /// live connection's: a phone in a tunnel takes nothing for more than the seconds that a page's answer gets.
    pub fn on(socket: Option<SocketHandle>, wire: Wire, peer: Peer) -> Arc<Self> {
        if let Some(socket) = socket {
            socket.set_write_patience(Duration::from_millis(PEER_TIMEOUT_MS));
        }
        Arc::new(Self {
            wire,
            peer,
            socket,
            state: Mutex::default(),
            feed: OnceLock::new(),
            liveness: Liveness::new(wire),
            closing: Notify::new(),
        })
    }

    /// The client at the other end.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// How this connection's messages are written.
    pub fn wire(&self) -> Wire {
        self.wire
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds everything back until [`Outbox::push_snapshot`]. To be called before subscribing anywhere.
    pub fn await_snapshot(&self) {
        self.lock().queue.await_first();
    }

    /// Holds everything back until [`Outbox::push_greeting`]. To be called before registering anywhere.
    pub fn await_greeting(&self) {
        self.lock().queue.await_first();
    }

    /// Queues what a connection begins with, in order, before everything that was held back for it.
    pub fn push_greeting<const N: usize>(&self, messages: [Bytes; N]) {
        let mut state = self.lock();
        state.queue.push_greeting(messages);
        wake(state);
    }

    /// Lets go the messages that wait for a snapshot that will not come.
    pub fn give_up_snapshot(&self) {
        let mut state = self.lock();
        state.queue.release();
        wake(state);
    }

    /// Makes `feed` a source of this connection's messages, the first before all others. Only the first call counts.
    pub fn set_feed(&self, feed: Arc<dyn Feed>) {
        // One connection, one session: nobody calls this twice.
        let _ = self.feed.set(feed);
        self.nudge();
    }

    /// Says that the feed may have something.
    pub fn nudge(&self) {
        wake(self.lock());
    }

    /// Queues bytes that must arrive, in order.
    pub fn push(&self, message: Bytes) {
        self.push_with(|queue| queue.push(message));
    }

    /// Queues a shared message that must arrive, in order.
    pub fn push_shared(&self, message: &Encoded) {
        self.push(message.bytes(self.wire));
    }

    /// Queues the snapshot that the connection begins with. A position that it already shows is dropped.
    pub fn push_snapshot(&self, snapshot: &Encoded) {
        let CustomerEvent::Snapshot(content) = snapshot.event() else { return };
        let bytes = snapshot.bytes(self.wire);
        self.push_with(|queue| queue.push_snapshot(bytes, shown_ms(content)));
    }

    /// Queues a later snapshot, which corrects what was sent before. While the first one is awaited it is left out:
    /// [`Outbox::take_missed_correction`] then says so to whoever makes the first.
    pub fn push_correction(&self, snapshot: &Encoded) {
        let CustomerEvent::Snapshot(content) = snapshot.event() else { return };
        let bytes = snapshot.bytes(self.wire);
        self.push_with(|queue| queue.push_correction(bytes, shown_ms(content)));
    }

    /// Whether a correction was left out since the last call. To be called once the first snapshot is queued: what was
    /// left out may have known more, so the viewer needs another.
    pub fn take_missed_correction(&self) -> bool {
        self.lock().queue.take_missed_correction()
    }

    /// Answers a WebSocket Ping.
    pub fn pong(&self, payload: &[u8]) {
        let pong = raw_frame(OpCode::Pong, &[payload]);
        self.push_with(|queue| queue.push_control(pong));
    }

    /// Puts a message in under the lock; a queue that is full closes the connection.
    fn push_with(&self, push: impl FnOnce(&mut Queue) -> Result<(), Full>) {
        let mut state = self.lock();
        if push(&mut state.queue) == Err(Full) {
            let code = CloseCode::SlowConsumer;
            self.close_locked(&mut state, code.code(), code.name());
        }
        wake(state);
    }

    /// Puts the newest position into the slot. A position not newer than one shown before is ignored.
    pub fn push_position(&self, message: &Arc<Encoded>) {
        let CustomerEvent::Position(update) = message.event() else { return };
        let mut state = self.lock();
        if state.queue.put_position(update, message) {
            wake(state);
        }
    }

    /// For how many milliseconds the client has sent nothing.
    pub fn silent_ms(&self) -> u64 {
        self.liveness.silent_ms()
    }

    /// Notes that the client sent something.
    pub fn heard(&self) {
        self.liveness.note_heard();
    }

    /// Notes that the session reads what the client sends, until the returned guard is dropped. Time in which nobody
    /// reads is not counted as the client's silence.
    pub fn reading(&self) -> impl Drop + '_ {
        self.liveness.reading()
    }

    /// Whether [`Outbox::keep_alive`] has something to do. Cheap, because the heartbeat task asks every connection
    /// twice a second.
    pub fn is_due(&self) -> bool {
        self.liveness.is_due()
    }

    /// Sends the Ping or the heartbeat that is due, or closes the connection of a client from which nothing came for
    /// too long, or which took nothing since the heartbeat before.
    pub fn keep_alive(&self, heartbeats: &mut Heartbeats) {
        let now_ms = self.liveness.now_ms();
        if self.liveness.has_fallen_silent(now_ms) {
            return self.close(CloseCode::HeartbeatTimeout);
        }
        if self.liveness.take_ping(now_ms) {
            self.push_with(|queue| queue.push_control(Bytes::from_static(&frame::PING)));
        }
        if self.liveness.take_heartbeat(now_ms) {
            let heartbeat = heartbeats.of(self.peer, self.wire);
            self.push_with(|queue| queue.push_heartbeat(heartbeat));
        }
    }

    /// Queues a close frame; nothing is accepted after it.
    pub fn close(&self, code: CloseCode) {
        self.close_raw(code.code(), code.name());
    }

    /// Like [`Outbox::close`], with a code of the WebSocket standard itself.
    pub fn close_raw(&self, code: u16, reason: &str) {
        let mut state = self.lock();
        self.close_locked(&mut state, code, reason);
        wake(state);
    }

    fn close_locked(&self, state: &mut State, code: u16, reason: &str) {
        if state.queue.close(self.wire, code, reason) {
            self.closing.notify_one();
        }
    }

    /// Lets the connection end once everything queued is written.
    pub fn finish(&self) {
        self.finish_locked(self.lock());
    }

    fn finish_locked(&self, mut state: MutexGuard<'_, State>) {
        state.queue.finish();
        self.closing.notify_one();
        wake(state);
    }

    /// Resolves when a close was queued or the connection is gone.
    /// # Cancel safety
    /// Safe for one waiting task: a missed wake-up is kept.
    pub async fn closed(&self) {
        while self.lock().queue.is_open() {
            self.closing.notified().await;
        }
    }

    /// Lets the connection end once everything queued is written, and cuts it when the client has not taken that within
    /// `patience`: a client that does not read would otherwise hold it for as long as it likes.
    pub async fn end(&self, patience: Duration) {
        self.finish();
        let gone = async {
            while !self.lock().is_gone {
                self.closing.notified().await;
            }
        };
        if tokio::time::timeout(patience, gone).await.is_err() {
            self.cut();
        }
    }

    fn cut(&self) {
        let state = self.lock();
        if let Some(socket) = self.socket.filter(|_| !state.is_gone) {
            // While the body is there, the connection that owns it has not closed its descriptor.
            socket.cut();
        }
    }

    /// The close code that was queued, for logs and metrics.
    pub fn closed_with(&self) -> Option<u16> {
        self.lock().queue.closed_with()
    }

    /// The dispatcher dropped the body.
    fn body_dropped(&self) {
        let mut state = self.lock();
        state.is_gone = true;
        self.finish_locked(state);
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        let fed = self.take_from_feed(context);
        let mut state = self.lock();
        if let Some(bytes) = joined(fed, self.drain(&mut state.queue)) {
            return Poll::Ready(Some(bytes));
        }
        if state.queue.is_finished() {
            return Poll::Ready(None);
        }
        if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            state.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }

    fn drain(&self, queue: &mut Queue) -> Option<Bytes> {
        let drained = queue.drain(self.wire)?;
        if drained.is_visible {
            self.liveness.note_sent();
        }
        Some(drained.bytes)
    }

    /// What the feed has. The lock is not held meanwhile, so the waker is stored first: a nudge after the feed has
    /// looked must find it.
    fn take_from_feed(&self, context: &Context<'_>) -> Option<Bytes> {
        let feed = self.feed.get()?;
        let mut state = self.lock();
        if !state.queue.is_open() {
            return None;
        }
        state.waker = Some(context.waker().clone());
        drop(state);
        let fed = feed.take().unwrap_or_else(|code| {
            self.close(code);
            None
        });
        if fed.is_some() {
            self.liveness.note_sent();
        }
        fed
    }
}

fn shown_ms(snapshot: &Snapshot) -> Option<i64> {
    snapshot.position.map(|position| position.time_ms)
}

fn joined(first: Option<Bytes>, second: Option<Bytes>) -> Option<Bytes> {
    match (first, second) {
        (Some(first), Some(second)) => Some([first, second].concat().into()),
        (first, second) => first.or(second),
    }
}

/// Wakes the connection after the lock is released, so that it does not wake up only to wait for it.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}
