//! What waits to be written to one connection, and never more than a bounded amount of it.
//!
//! Two lanes. The ordered lane holds messages that must all arrive: acks, status changes, the snapshot. The
//! position slot holds the newest position only; what it replaces is remembered as skipped points.
//! The connection's HTTP dispatcher polls [`OutboxBody`] when its socket can take more, so a slow viewer
//! makes the slot conflate instead of making anybody wait. Each wake-up takes everything there is in one write,
//! and a message that many connections share is encoded once per wire form.
//! A connection may have a [`Feed`] instead of the slot: it makes its messages when there is room for them.
//! Time passes for all connections at once: see [`super::heartbeat`].
//! This replaces `actix-ws`' own sending half, whose queue of 32 messages blocks its sender when full.

use std::{
    any::Any,
    collections::VecDeque,
    convert::Infallible,
    os::fd::{AsRawFd, RawFd},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest,
    body::{BodySize, BoxBody, MessageBody},
    dev::Extensions,
    rt::net::TcpStream,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::{Bytes, BytesMut};
use doorstep_shared::{
    Position,
    protocol::{
        CloseCode, Codec, HEARTBEAT_AFTER_MS, PEER_TIMEOUT_MS, PING_INTERVAL_MS,
        customer::{CustomerEvent, MAX_SKIPPED, PositionUpdate},
        encode_json, encode_postcard,
    },
};
use serde::Serialize;
use tokio::sync::Notify;

use super::heartbeat::Heartbeats;

/// Messages of the ordered lane that may wait for one connection. Overflow policy: the connection is closed
/// with 4001, because a client that misses one of these is wrong until it starts over.
const MAX_ORDERED: usize = 1_024;

/// And their bytes: a client that never reads holds no more than this.
const MAX_ORDERED_BYTES: usize = 96 * 1024;

/// A proxy may end an event stream that says nothing for longer than this. There are no Pings to keep it open.
const EVENTS_HEARTBEAT_AFTER_MS: u64 = 10_000;

/// The whole of a WebSocket Ping without a payload: FIN and opcode, then the length.
static PING: [u8; 2] = [0x80 | OpCode::Ping as u8, 0];

/// Who is at the other end of a connection, and so which protocol its messages belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A customer who watches one order.
    Customer,
    /// A courier's phone.
    Courier,
    /// A dispatcher's console.
    Dispatcher,
}

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

    /// A customer's message as bytes for this wire.
    pub fn customer(self, event: &CustomerEvent) -> Bytes {
        match self {
            Self::Socket(codec) => frame(codec, event),
            Self::Events(codec) => server_sent_event(codec, event),
        }
    }
}

/// A message as one WebSocket frame. Server frames are not masked, so the same bytes go to everybody.
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
    /// A sign of life, asked for.
    Ping = 0x9,
    /// A sign of life, given.
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

fn close_frame(code: u16, reason: &str) -> Bytes {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    raw_frame(OpCode::Close, &[&payload])
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

/// A customer's message, encoded at most once for each wire form however many connections get it.
#[derive(Debug)]
pub struct Encoded {
    event: CustomerEvent,
    forms: [OnceLock<Bytes>; Wire::COUNT],
}

impl Encoded {
    /// Wraps a message for sharing.
    pub fn new(event: CustomerEvent) -> Arc<Self> {
        Arc::new(Self { event, forms: [const { OnceLock::new() }; Wire::COUNT] })
    }

    /// The message itself.
    pub fn event(&self) -> &CustomerEvent {
        &self.event
    }

    fn bytes(&self, wire: Wire) -> Bytes {
        self.forms[wire.index()].get_or_init(|| wire.customer(&self.event)).clone()
    }
}

/// Makes a connection's messages at the moment when they can be written.
pub trait Feed: Send + Sync + std::fmt::Debug {
    /// Everything that should be written now; `None` when there is nothing. Must not block.
    ///
    /// # Errors
    /// The code to close the connection with.
    fn take(&self) -> Result<Option<Bytes>, CloseCode>;
}

/// The waiting messages of one connection; shared by whoever sends and the connection's body.
#[derive(Debug)]
pub struct Outbox {
    wire: Wire,
    peer: Peer,
    cord: Option<SocketHandle>,
    state: Mutex<State>,
    feed: OnceLock<Arc<dyn Feed>>,
    times: Times,
    closing: Notify,
}

/// When what last happened on a connection, in milliseconds since it began.
#[derive(Debug)]
struct Times {
    began: Instant,
    /// Something that the client's program can see was handed to the socket.
    sent: AtomicU64,
    pinged: AtomicU64,
    /// A frame came in.
    heard: AtomicU64,
    /// We stopped reading; [`READING`] while we read.
    paused: AtomicU64,
}

const READING: u64 = u64::MAX;

impl Times {
    fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self { began: Instant::now(), sent: zero(), pinged: zero(), heard: zero(), paused: zero() }
    }

    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    /// Whether `patience_ms` have passed since `mark`.
    fn is_over(mark: &AtomicU64, patience_ms: u64, now_ms: u64) -> bool {
        now_ms.saturating_sub(mark.load(Ordering::Relaxed)) >= patience_ms
    }
}

#[derive(Debug, Default)]
struct State {
    ordered: VecDeque<Bytes>,
    ordered_bytes: usize,
    /// How many of these are Pings and Pongs, which no client's program sees.
    controls: usize,
    position: Option<Pending>,
    /// A viewer's first message is the snapshot, a courier's the welcome: everything else waits for it.
    awaits_first: bool,
    /// A snapshot is in the ordered lane, so that lane goes out before the position.
    snapshot_waits: bool,
    newest_ms: Option<i64>,
    phase: Phase,
    closed_with: Option<u16>,
    waker: Option<Waker>,
    /// A heartbeat waits: the client has not taken anything since the beat it is from.
    heartbeat_waits: bool,
    /// The body is gone, and with it the connection or our part in it.
    is_gone: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// A close frame is queued; nothing follows it.
    Closing,
    /// The connection may be dropped once everything is written.
    Finished,
}

#[derive(Debug)]
struct Pending {
    position: Position,
    shared: Option<Arc<Encoded>>,
    skipped: Vec<[f64; 2]>,
}

impl Outbox {
    /// An empty outbox for a connection to `peer` that speaks `wire`.
    pub fn new(wire: Wire, peer: Peer) -> Arc<Self> {
        Self::on(None, wire, peer)
    }

    /// The same, for a connection that [`Outbox::end`] can cut.
    pub fn on(cord: Option<SocketHandle>, wire: Wire, peer: Peer) -> Arc<Self> {
        Arc::new(Self {
            wire,
            peer,
            cord,
            state: Mutex::default(),
            feed: OnceLock::new(),
            times: Times::new(),
            closing: Notify::new(),
        })
    }

    /// How this connection's messages are written.
    pub fn wire(&self) -> Wire {
        self.wire
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Holds everything back until [`Outbox::push_snapshot`]. To be called before subscribing anywhere.
    pub fn await_snapshot(&self) {
        self.lock().awaits_first = true;
    }

    /// Holds everything back until [`Outbox::push_greeting`]. To be called before registering anywhere.
    pub fn await_greeting(&self) {
        self.lock().awaits_first = true;
    }

    /// Queues what a connection begins with, in order, before everything that was held back for it.
    pub fn push_greeting<const N: usize>(&self, messages: [Bytes; N]) {
        let mut state = self.lock();
        state.awaits_first = false;
        messages.into_iter().rev().for_each(|message| state.ordered.push_front(message));
        wake(state);
    }

    /// Lets go what waits for a snapshot that will not come.
    pub fn give_up_snapshot(&self) {
        let mut state = self.lock();
        state.awaits_first = false;
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
        let mut state = self.lock();
        self.push_locked(&mut state, message);
        wake(state);
    }

    fn push_locked(&self, state: &mut State, message: Bytes) {
        if state.phase != Phase::Open {
            return;
        }
        if state.ordered.len() >= MAX_ORDERED
            || state.ordered_bytes + message.len() > MAX_ORDERED_BYTES && !state.ordered.is_empty()
        {
            self.close_locked(state, CloseCode::SlowConsumer.code(), CloseCode::SlowConsumer.name());
            return;
        }
        state.ordered_bytes += message.len();
        state.ordered.push_back(message);
    }

    /// Queues a shared message that must arrive, in order.
    pub fn push_shared(&self, message: &Encoded) {
        self.push(message.bytes(self.wire));
    }

    /// Queues the snapshot: the first message, or a later correction. A position that it already shows is dropped.
    pub fn push_snapshot(&self, snapshot: &Encoded) {
        let CustomerEvent::Snapshot(content) = snapshot.event() else { return };
        let shown_ms = content.position.map(|position| position.time_ms);
        let mut state = self.lock();
        if state
            .position
            .as_ref()
            .is_some_and(|pending| shown_ms.is_some_and(|shown| pending.position.time_ms <= shown))
        {
            state.position = None;
        }
        state.newest_ms = state.newest_ms.max(shown_ms);
        if std::mem::take(&mut state.awaits_first) {
            // Also before a close that came in the meantime.
            state.ordered.push_front(snapshot.bytes(self.wire));
        } else {
            self.push_locked(&mut state, snapshot.bytes(self.wire));
        }
        state.snapshot_waits = true;
        wake(state);
    }

    /// Puts the newest position into the slot. An older one than was shown before is ignored.
    pub fn push_position(&self, message: &Arc<Encoded>) {
        let CustomerEvent::Position(update) = message.event() else { return };
        let mut state = self.lock();
        if state.phase != Phase::Open || state.newest_ms.is_some_and(|newest| update.time_ms <= newest) {
            return;
        }
        state.newest_ms = Some(update.time_ms);
        let arrived = update.skipped.as_deref().unwrap_or_default();
        state.position = Some(match state.position.take() {
            None => {
                Pending { position: update.position(), shared: Some(Arc::clone(message)), skipped: arrived.to_vec() }
            }
            Some(mut missed) => {
                missed.skipped.push([missed.position.lon, missed.position.lat]);
                missed.skipped.extend_from_slice(arrived);
                let excess = missed.skipped.len().saturating_sub(MAX_SKIPPED);
                missed.skipped.drain(..excess);
                metrics::counter!("doorstep_positions_conflated_total").increment(1);
                Pending { position: update.position(), shared: None, skipped: missed.skipped }
            }
        });
        if !state.awaits_first {
            wake(state);
        }
    }

    /// Answers a WebSocket Ping.
    pub fn pong(&self, payload: &[u8]) {
        self.push_control(raw_frame(OpCode::Pong, &[payload]));
    }

    fn push_control(&self, message: Bytes) {
        let mut state = self.lock();
        self.push_locked(&mut state, message);
        state.controls += usize::from(state.phase == Phase::Open);
        wake(state);
    }

    /// Notes that the client sent something.
    pub fn heard(&self) {
        self.times.heard.store(self.times.now_ms(), Ordering::Relaxed);
    }

    /// Notes that we read what the client sends, until the returned guard is dropped. While we do not, its silence is
    /// not its own.
    pub fn reading(&self) -> impl Drop + '_ {
        let times = &self.times;
        let paused_ms = times.paused.swap(READING, Ordering::Relaxed);
        times.heard.fetch_add(times.now_ms().saturating_sub(paused_ms), Ordering::Relaxed);
        ReadingGuard(times)
    }

    /// Whether [`Outbox::beat`] has something to do. Cheap, because it is asked of every connection twice a second.
    pub fn is_due(&self) -> bool {
        let (times, now_ms) = (&self.times, self.times.now_ms());
        self.has_fallen_silent(now_ms)
            || self.needs_ping(now_ms)
            || Times::is_over(&times.sent, self.quiet_ms(), now_ms)
    }

    /// Says what is due by now: a Ping, a heartbeat, or goodbye to a client of whom nothing was heard, or who took
    /// nothing since the heartbeat before.
    pub fn beat(&self, heartbeats: &mut Heartbeats) {
        let (times, now_ms) = (&self.times, self.times.now_ms());
        if self.has_fallen_silent(now_ms) {
            self.close(CloseCode::HeartbeatTimeout);
            return;
        }
        if self.needs_ping(now_ms) {
            times.pinged.store(now_ms, Ordering::Relaxed);
            self.push_control(Bytes::from_static(&PING));
        }
        if Times::is_over(&times.sent, self.quiet_ms(), now_ms) {
            // Whoever does not read would otherwise be told so again at every beat.
            times.sent.store(now_ms, Ordering::Relaxed);
            if std::mem::replace(&mut self.lock().heartbeat_waits, true) {
                self.close(CloseCode::SlowConsumer);
            } else {
                self.push(heartbeats.of(self.peer, self.wire));
            }
        }
    }

    fn has_fallen_silent(&self, now_ms: u64) -> bool {
        let is_reading = self.times.paused.load(Ordering::Relaxed) == READING;
        self.is_socket() && is_reading && Times::is_over(&self.times.heard, PEER_TIMEOUT_MS, now_ms)
    }

    fn needs_ping(&self, now_ms: u64) -> bool {
        self.is_socket() && Times::is_over(&self.times.pinged, PING_INTERVAL_MS, now_ms)
    }

    fn quiet_ms(&self) -> u64 {
        if self.is_socket() { HEARTBEAT_AFTER_MS } else { EVENTS_HEARTBEAT_AFTER_MS }
    }

    fn is_socket(&self) -> bool {
        matches!(self.wire, Wire::Socket(_))
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
        if state.phase != Phase::Open {
            return;
        }
        // A viewer who is told that the order ended has no use for one more position.
        state.position = None;
        match self.wire {
            Wire::Socket(_) => {
                state.ordered.push_back(close_frame(code, reason));
                state.phase = Phase::Closing;
            }
            // An event stream has no close frame: it ends.
            Wire::Events(_) => state.phase = Phase::Finished,
        }
        state.closed_with = Some(code);
        self.closing.notify_one();
    }

    /// Lets the connection end once everything queued is written.
    pub fn finish(&self) {
        let mut state = self.lock();
        state.phase = Phase::Finished;
        self.closing.notify_one();
        wake(state);
    }

    /// Resolves when a close was queued or the connection is gone.
    /// # Cancel safety
    /// Safe for one waiting task: a missed wake-up is kept.
    pub async fn closed(&self) {
        while self.lock().phase == Phase::Open {
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
        if let Some(cord) = self.cord.filter(|_| !state.is_gone) {
            // While the body is there, the connection that owns it has not closed its descriptor.
            let cut = nix::sys::socket::shutdown(cord.0, nix::sys::socket::Shutdown::Both);
            tracing::debug!(outcome = ?cut, "cut a connection whose client does not read");
        }
    }

    /// The close code that was queued, for logs and metrics.
    pub fn closed_with(&self) -> Option<u16> {
        self.lock().closed_with
    }

    fn encode(&self, pending: Pending) -> Bytes {
        match pending.shared {
            Some(shared) => shared.bytes(self.wire),
            None => {
                let update = PositionUpdate::new(&pending.position, pending.skipped);
                self.wire.customer(&CustomerEvent::Position(update))
            }
        }
    }

    /// Takes everything that waits, as one buffer.
    fn drain(&self, state: &mut State) -> Option<Bytes> {
        if state.awaits_first {
            return None;
        }
        let position = state.position.take();
        let messages = state.ordered.len() + usize::from(position.is_some());
        if messages == 0 {
            return None;
        }
        state.ordered_bytes = 0;
        state.heartbeat_waits = false;
        if messages > std::mem::take(&mut state.controls) {
            self.note_sent();
        }
        let position_first = !std::mem::take(&mut state.snapshot_waits);
        // A single message is passed on without copying it.
        if messages == 1 {
            return match position {
                Some(pending) => Some(self.encode(pending)),
                None => state.ordered.pop_front(),
            };
        }
        let mut all = BytesMut::with_capacity(state.ordered.iter().map(Bytes::len).sum::<usize>() + 256);
        let position = position.map(|pending| self.encode(pending)).unwrap_or_default();
        if position_first {
            all.extend_from_slice(&position);
        }
        state.ordered.drain(..).for_each(|message| all.extend_from_slice(&message));
        if !position_first {
            all.extend_from_slice(&position);
        }
        Some(all.freeze())
    }

    /// What the feed has. The lock is not held meanwhile, so the waker is left first: whoever nudges after the feed
    /// has looked must find it.
    fn take_from_feed(&self, context: &Context<'_>) -> Option<Bytes> {
        let feed = self.feed.get()?;
        let mut state = self.lock();
        if state.phase != Phase::Open {
            return None;
        }
        state.waker = Some(context.waker().clone());
        drop(state);
        let fed = feed.take().unwrap_or_else(|code| {
            self.close(code);
            None
        });
        if fed.is_some() {
            self.note_sent();
        }
        fed
    }

    fn note_sent(&self) {
        self.times.sent.store(self.times.now_ms(), Ordering::Relaxed);
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        let fed = self.take_from_feed(context);
        let mut state = self.lock();
        if let Some(bytes) = joined(fed, self.drain(&mut state)) {
            return Poll::Ready(Some(bytes));
        }
        if state.phase == Phase::Finished {
            return Poll::Ready(None);
        }
        if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            state.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }
}

/// The descriptor of a connection, to cut it by.
#[derive(Clone, Copy, Debug)]
pub struct SocketHandle(RawFd);

impl SocketHandle {
    /// Notes an accepted connection's descriptor where its requests find it; for `HttpServer::on_connect`.
    pub fn keep(connection: &dyn Any, data: &mut Extensions) {
        if let Some(stream) = connection.downcast_ref::<TcpStream>() {
            data.insert(Self(stream.as_raw_fd()));
        }
    }

    /// The descriptor of the connection that `request` came over.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.conn_data().copied()
    }
}

/// See [`Outbox::reading`].
struct ReadingGuard<'a>(&'a Times);

impl Drop for ReadingGuard<'_> {
    fn drop(&mut self) {
        self.0.paused.store(self.0.now_ms(), Ordering::Relaxed);
    }
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

/// The response body of a connection: everything its outbox holds, until it is finished.
pub struct OutboxBody {
    outbox: Arc<Outbox>,
    /// `actix-ws` takes the end of its own body for the end of the connection, so it is kept, unread.
    _replaced: Option<BoxBody>,
}

impl OutboxBody {
    /// The body that writes `outbox`, in place of the one that `actix-ws` made.
    pub fn new(outbox: Arc<Outbox>, replaced: BoxBody) -> Self {
        Self { outbox, _replaced: Some(replaced) }
    }

    /// The body of an event stream.
    pub fn event_stream(outbox: Arc<Outbox>) -> Self {
        Self { outbox, _replaced: None }
    }
}

impl MessageBody for OutboxBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.outbox.poll(context).map(|bytes| bytes.map(Ok))
    }
}

impl Drop for OutboxBody {
    fn drop(&mut self) {
        self.outbox.lock().is_gone = true;
        self.outbox.finish();
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::protocol::{ServerTime, customer::Ended, decode_json};
    use proptest::prelude::*;

    use super::*;

    fn position(time_ms: i64) -> Arc<Encoded> {
        let position = Position { time_ms, lat: 35.9, lon: 14.5, accuracy_m: None, speed_mps: None, heading_deg: None };
        Encoded::new(CustomerEvent::Position(PositionUpdate::new(&position, Vec::new())))
    }

    fn greeting() -> Arc<Encoded> {
        use doorstep_shared::{
            OrderStatus,
            protocol::customer::{Place, Snapshot, TrackedOrder},
        };
        let place = Place { lat: 35.9, lon: 14.5, label: "here".into() };
        Encoded::new(CustomerEvent::Snapshot(Snapshot {
            server_time_ms: 0,
            order: TrackedOrder {
                reference: "A-1".into(),
                status: OrderStatus::PickedUp,
                status_at_ms: 0,
                stops_before: 0,
                pickup: place.clone(),
                dropoff: place,
                timeline: vec![],
            },
            courier: None,
            position: None,
            trail: vec![],
            eta: None,
        }))
    }

    /// What a client would read now.
    fn read(outbox: &Outbox) -> Vec<CustomerEvent> {
        let Poll::Ready(Some(mut bytes)) = outbox.poll(&Context::from_waker(Waker::noop())) else { return vec![] };
        let mut events = vec![];
        while !bytes.is_empty() {
            let (header, length) = match bytes[1] {
                126 => (4, usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
                short => (2, usize::from(short)),
            };
            let frame = bytes.split_to(header + length);
            if frame[0] == 0x81 {
                let text = std::str::from_utf8(&frame[header..]).expect("JSON is UTF-8");
                events.push(decode_json(text).expect("our own message"));
            }
        }
        events
    }

    #[test]
    fn a_slow_viewer_gets_the_newest_position_with_what_it_missed() {
        let outbox = Outbox::new(Wire::Socket(Codec::Json), Peer::Customer);
        outbox.push_snapshot(&greeting());
        assert_eq!(read(&outbox).len(), 1);
        for time_ms in 1..=100 {
            outbox.push_position(&position(time_ms));
        }
        let events = read(&outbox);
        let [CustomerEvent::Position(update)] = events.as_slice() else { panic!("one position, not {events:?}") };
        assert_eq!(update.time_ms, 100);
        assert_eq!(update.skipped.as_ref().map(Vec::len), Some(MAX_SKIPPED));
        assert!(read(&outbox).is_empty());
    }

    #[test]
    fn the_snapshot_comes_before_everything_else() {
        let outbox = Outbox::new(Wire::Socket(Codec::Json), Peer::Customer);
        outbox.await_snapshot();
        outbox.push_position(&position(5));
        outbox.push_shared(&Encoded::new(CustomerEvent::Heartbeat(ServerTime { server_time_ms: 0 })));
        assert!(read(&outbox).is_empty());
        outbox.push_snapshot(&greeting());
        let kinds: Vec<_> = read(&outbox).iter().map(CustomerEvent::kind).collect();
        assert_eq!(kinds, ["snapshot", "heartbeat", "position"]);
    }

    #[test]
    fn nothing_follows_a_close() {
        let outbox = Outbox::new(Wire::Socket(Codec::Json), Peer::Customer);
        outbox.push_snapshot(&greeting());
        outbox.push_position(&position(1));
        outbox.push_shared(&Encoded::new(CustomerEvent::Ended(Ended {
            status: doorstep_shared::OrderStatus::Delivered,
            at_ms: 2,
        })));
        outbox.close(CloseCode::TrackingEnded);
        outbox.push_position(&position(3));
        outbox.push_shared(&Encoded::new(CustomerEvent::Pong(ServerTime { server_time_ms: 0 })));
        let kinds: Vec<_> = read(&outbox).iter().map(CustomerEvent::kind).collect();
        assert_eq!(kinds, ["snapshot", "ended"]);
        assert!(read(&outbox).is_empty());
        assert_eq!(outbox.closed_with(), Some(4502));
    }

    #[test]
    fn a_reader_that_never_reads_is_closed_and_holds_a_bounded_amount() {
        let outbox = Outbox::new(Wire::Socket(Codec::Json), Peer::Customer);
        for _ in 0..10_000 {
            outbox.push(Bytes::from_static(&[0; 100]));
        }
        assert_eq!(outbox.closed_with(), Some(CloseCode::SlowConsumer.code()));
        let held: usize = outbox.lock().ordered.iter().map(Bytes::len).sum();
        assert!(held <= MAX_ORDERED_BYTES + 200, "{held} bytes");
    }

    /// A connection that began this long ago, and whose session reads.
    fn aged(wire: Wire, age_ms: u64) -> Arc<Outbox> {
        let mut outbox = Outbox::new(wire, Peer::Customer);
        let times = &mut Arc::get_mut(&mut outbox).expect("nobody else has it").times;
        times.began -= Duration::from_millis(age_ms);
        times.paused = AtomicU64::new(READING);
        outbox
    }

    fn beat(outbox: &Outbox) {
        outbox.beat(&mut Heartbeats::at(7));
    }

    /// Passes the time that is left until `age_ms`, as far as the connection's own marks can tell.
    fn grow_older(outbox: &mut Arc<Outbox>, by_ms: u64) {
        Arc::get_mut(outbox).expect("nobody else has it").times.began -= Duration::from_millis(by_ms);
    }

    #[test]
    fn a_quiet_connection_hears_a_heartbeat_and_a_busy_one_does_not() {
        let mut outbox = aged(Wire::Socket(Codec::Json), HEARTBEAT_AFTER_MS - 1_000);
        assert!(!outbox.is_due());
        grow_older(&mut outbox, 1_000);
        assert!(outbox.is_due());
        beat(&outbox);
        let events = read(&outbox);
        assert_eq!(events, [CustomerEvent::Heartbeat(ServerTime { server_time_ms: 7 })]);
        assert!(!outbox.is_due(), "that was it for now");
        grow_older(&mut outbox, HEARTBEAT_AFTER_MS - 1_000);
        outbox.push_shared(&greeting());
        read(&outbox);
        grow_older(&mut outbox, 1_000);
        outbox.times.pinged.store(outbox.times.now_ms(), Ordering::Relaxed);
        assert!(!outbox.is_due(), "it heard something else");
    }

    #[test]
    fn a_ping_is_no_heartbeat_for_it_is_seen_by_no_program() {
        let mut outbox = aged(Wire::Socket(Codec::Json), PING_INTERVAL_MS - 1);
        beat(&outbox);
        read(&outbox);
        grow_older(&mut outbox, 2_000);
        beat(&outbox);
        let Poll::Ready(Some(bytes)) = outbox.poll(&Context::from_waker(Waker::noop())) else { panic!("a ping") };
        assert_eq!(&bytes[..], &PING);
        grow_older(&mut outbox, HEARTBEAT_AFTER_MS - 2_000);
        beat(&outbox);
        assert_eq!(read(&outbox).len(), 1, "fifteen seconds after the heartbeat before");
    }

    #[test]
    fn a_client_of_whom_nothing_is_heard_is_let_go_unless_it_is_we_who_do_not_read() {
        let mut outbox = aged(Wire::Socket(Codec::Json), PEER_TIMEOUT_MS - 1_000);
        beat(&outbox);
        assert_eq!(outbox.closed_with(), None);
        drop(ReadingGuard(&outbox.times));
        grow_older(&mut outbox, 10 * PEER_TIMEOUT_MS);
        read(&outbox);
        beat(&outbox);
        assert_eq!(outbox.closed_with(), None, "nobody listened");
        std::mem::forget(outbox.reading());
        beat(&outbox);
        assert_eq!(outbox.closed_with(), None, "a second of its minute is left");
        grow_older(&mut outbox, 1_000);
        beat(&outbox);
        assert_eq!(outbox.closed_with(), Some(CloseCode::HeartbeatTimeout.code()));
    }

    #[test]
    fn a_client_that_took_nothing_since_the_heartbeat_before_is_too_slow() {
        let mut outbox = aged(Wire::Events(Codec::Json), EVENTS_HEARTBEAT_AFTER_MS);
        beat(&outbox);
        grow_older(&mut outbox, EVENTS_HEARTBEAT_AFTER_MS);
        beat(&outbox);
        assert_eq!(outbox.closed_with(), Some(CloseCode::SlowConsumer.code()));
    }

    #[test]
    fn an_event_stream_carries_the_position_time_as_its_id() {
        let bytes = Wire::Events(Codec::Json).customer(position(1_795_219_200_123).event());
        let text = std::str::from_utf8(&bytes).expect("text");
        assert!(text.starts_with("event: position\nid: 1795219200123\ndata: {\"type\":\"position\""), "{text}");
        assert!(text.ends_with("}\n\n"));
    }

    proptest! {
        #[test]
        fn a_view_never_goes_back_in_fix_time(times in prop::collection::vec((0i64..50, any::<bool>()), 0..100)) {
            let outbox = Outbox::new(Wire::Socket(Codec::Json), Peer::Customer);
            outbox.push_snapshot(&greeting());
            let mut newest_ms = -1;
            for (time_ms, reads) in times {
                outbox.push_position(&position(time_ms));
                if reads {
                    for event in read(&outbox) {
                        if let CustomerEvent::Position(update) = event {
                            prop_assert!(update.time_ms > newest_ms);
                            newest_ms = update.time_ms;
                        }
                    }
                }
            }
        }
    }
}
