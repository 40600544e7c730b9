//! When a connection last sent, received and was pinged, and what keeps it alive next.
//!
//! A client from which nothing came for [`PEER_TIMEOUT_MS`] is gone, unless it is the server that did not read. A
//! proxy ends a connection on which nothing passes, so Pings and heartbeats pass when nothing else does. The marks are
//! atomics of their own: a session's thread writes them while [`crate::live::heartbeat`] looks at all connections.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use doorstep_shared::protocol::{HEARTBEAT_AFTER_MS, PEER_TIMEOUT_MS, PING_INTERVAL_MS};

use super::frame::Wire;

/// A proxy may end an event stream that says nothing for longer than this. There are no Pings to keep it open.
const EVENTS_HEARTBEAT_AFTER_MS: u64 = 10_000;

/// The value of `paused_ms` while the server reads.
const READING: u64 = u64::MAX;

/// The marks of one connection, in milliseconds since it began.
#[derive(Debug)]
pub(super) struct Liveness {
    began: Instant,
    is_socket: bool,
    /// A message that the client's program can see was handed to the socket.
    sent_ms: AtomicU64,
    pinged_ms: AtomicU64,
    /// A frame came in.
    heard_ms: AtomicU64,
    /// The server stopped reading; [`READING`] while it reads.
    paused_ms: AtomicU64,
}

impl Liveness {
    /// A connection that begins now, and that the server does not read yet.
    pub(super) fn new(wire: Wire) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            began: Instant::now(),
            is_socket: wire.is_socket(),
            sent_ms: zero(),
            pinged_ms: zero(),
            heard_ms: zero(),
            paused_ms: zero(),
        }
    }

    /// The age of the connection.
    pub(super) fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    pub(super) fn note_sent(&self) {
        self.sent_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// The time since a frame came in.
    pub(super) fn silent_ms(&self) -> u64 {
        self.now_ms().saturating_sub(self.heard_ms.load(Ordering::Relaxed))
    }

    pub(super) fn note_heard(&self) {
        self.heard_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// Notes that the server reads until the guard is dropped. The time in which it did not read is not counted as the
    /// client's silence.
    pub(super) fn reading(&self) -> ReadingGuard<'_> {
        let paused_ms = self.paused_ms.swap(READING, Ordering::Relaxed);
        self.heard_ms.fetch_add(self.now_ms().saturating_sub(paused_ms), Ordering::Relaxed);
        ReadingGuard(self)
    }

    /// Whether the client must be closed, pinged or sent a heartbeat.
    pub(super) fn is_due(&self) -> bool {
        let now_ms = self.now_ms();
        self.has_fallen_silent(now_ms) || self.needs_ping(now_ms) || self.needs_heartbeat(now_ms)
    }

    /// Whether the client has been silent for too long, while the server was reading.
    pub(super) fn has_fallen_silent(&self, now_ms: u64) -> bool {
        let is_reading = self.paused_ms.load(Ordering::Relaxed) == READING;
        self.is_socket && is_reading && is_over(&self.heard_ms, PEER_TIMEOUT_MS, now_ms)
    }

    /// Whether a Ping is due; the next one then is a whole interval later.
    pub(super) fn take_ping(&self, now_ms: u64) -> bool {
        let is_due = self.needs_ping(now_ms);
        if is_due {
            self.pinged_ms.store(now_ms, Ordering::Relaxed);
        }
        is_due
    }

    /// Whether a heartbeat is due; the next one then is a whole interval later, also for a client that does not read.
    pub(super) fn take_heartbeat(&self, now_ms: u64) -> bool {
        let is_due = self.needs_heartbeat(now_ms);
        if is_due {
            self.sent_ms.store(now_ms, Ordering::Relaxed);
        }
        is_due
    }

    fn needs_ping(&self, now_ms: u64) -> bool {
        self.is_socket && is_over(&self.pinged_ms, PING_INTERVAL_MS, now_ms)
    }

    fn needs_heartbeat(&self, now_ms: u64) -> bool {
        let quiet_ms = if self.is_socket { HEARTBEAT_AFTER_MS } else { EVENTS_HEARTBEAT_AFTER_MS };
        is_over(&self.sent_ms, quiet_ms, now_ms)
    }
}

/// Whether `patience_ms` have passed since `mark`.
fn is_over(mark: &AtomicU64, patience_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(mark.load(Ordering::Relaxed)) >= patience_ms
}

/// See [`Liveness::reading`].
pub(super) struct ReadingGuard<'a>(&'a Liveness);

impl Drop for ReadingGuard<'_> {
    fn drop(&mut self) {
        self.0.paused_ms.store(self.0.now_ms(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        task::{Context, Poll, Waker},
        time::Duration,
    };

    use doorstep_shared::protocol::{CloseCode, Codec, ServerTime, customer::CustomerEvent};

    use super::*;
    use crate::live::outbox::{
        Heartbeats, Outbox, Peer,
        frame::PING,
        samples::{greeting, read},
    };

    /// A connection that began this long ago, and whose session reads.
    fn aged(wire: Wire, age_ms: u64) -> Arc<Outbox> {
        let mut outbox = Outbox::new(wire, Peer::Customer);
        let liveness = &mut Arc::get_mut(&mut outbox).expect("nobody else has it").liveness;
        liveness.began -= Duration::from_millis(age_ms);
        liveness.paused_ms = AtomicU64::new(READING);
        outbox
    }

    fn keep_alive(outbox: &Outbox) {
        outbox.keep_alive(&mut Heartbeats::at(7));
    }

    /// Passes `by_ms`, as far as the connection's own marks can tell.
    fn grow_older(outbox: &mut Arc<Outbox>, by_ms: u64) {
        Arc::get_mut(outbox).expect("nobody else has it").liveness.began -= Duration::from_millis(by_ms);
    }

    #[test]
    fn a_quiet_connection_hears_a_heartbeat_and_a_busy_one_does_not() {
        let mut outbox = aged(Wire::Socket(Codec::Json), HEARTBEAT_AFTER_MS - 1_000);
        assert!(!outbox.is_due());
        grow_older(&mut outbox, 1_000);
        assert!(outbox.is_due());
        keep_alive(&outbox);
        let events = read(&outbox);
        assert_eq!(events, [CustomerEvent::Heartbeat(ServerTime { server_time_ms: 7 })]);
        assert!(!outbox.is_due(), "that was it for now");
        grow_older(&mut outbox, HEARTBEAT_AFTER_MS - 1_000);
        outbox.push_shared(&greeting());
        read(&outbox);
        grow_older(&mut outbox, 1_000);
        outbox.liveness.pinged_ms.store(outbox.liveness.now_ms(), Ordering::Relaxed);
        assert!(!outbox.is_due(), "it heard something else");
    }

    #[test]
    fn a_ping_is_no_heartbeat_for_it_is_seen_by_no_program() {
        let mut outbox = aged(Wire::Socket(Codec::Json), PING_INTERVAL_MS - 1);
        keep_alive(&outbox);
        read(&outbox);
        grow_older(&mut outbox, 2_000);
        keep_alive(&outbox);
        let Poll::Ready(Some(bytes)) = outbox.poll(&Context::from_waker(Waker::noop())) else { panic!("a ping") };
        assert_eq!(&bytes[..], &PING);
        grow_older(&mut outbox, HEARTBEAT_AFTER_MS - 2_000);
        keep_alive(&outbox);
        assert_eq!(read(&outbox).len(), 1, "fifteen seconds after the heartbeat before");
    }

    #[test]
    fn a_silent_client_is_closed_unless_it_is_the_server_that_does_not_read() {
        let mut outbox = aged(Wire::Socket(Codec::Json), PEER_TIMEOUT_MS - 1_000);
        keep_alive(&outbox);
        assert_eq!(outbox.closed_with(), None);
        drop(ReadingGuard(&outbox.liveness));
        grow_older(&mut outbox, 10 * PEER_TIMEOUT_MS);
        read(&outbox);
        keep_alive(&outbox);
        assert_eq!(outbox.closed_with(), None, "nobody listened");
        std::mem::forget(outbox.reading());
        keep_alive(&outbox);
        assert_eq!(outbox.closed_with(), None, "a second of its minute is left");
        grow_older(&mut outbox, 1_000);
        keep_alive(&outbox);
        assert_eq!(outbox.closed_with(), Some(CloseCode::HeartbeatTimeout.code()));
    }

    #[test]
    fn a_client_that_took_nothing_since_the_heartbeat_before_is_too_slow() {
        let mut outbox = aged(Wire::Events(Codec::Json), EVENTS_HEARTBEAT_AFTER_MS);
        keep_alive(&outbox);
        grow_older(&mut outbox, EVENTS_HEARTBEAT_AFTER_MS);
        keep_alive(&outbox);
        assert_eq!(outbox.closed_with(), Some(CloseCode::SlowConsumer.code()));
    }
}
