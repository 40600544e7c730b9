//! The conflating bounded queue of one connection, without its lock.
//!
//! Two lanes. The ordered lane holds messages that must all arrive: acks, status changes, the snapshot. The position
//! slot holds the newest position only; a position that it replaces is remembered as a skipped point. [`Queue::drain`]
//! takes everything at once, as one buffer for one write. Positions never go back in fix time.

use std::{collections::VecDeque, sync::Arc};

use bytes::{Bytes, BytesMut};
use doorstep_shared::{
    Position,
    protocol::customer::{CustomerEvent, MAX_SKIPPED, PositionUpdate},
};

use super::{
    encoded::Encoded,
    frame::{Wire, close_frame},
};

/// Messages of the ordered lane that may wait for one connection. Overflow policy: the connection is closed
/// with 4001, because a client that misses one of these is wrong until it starts over.
const MAX_ORDERED: usize = 1_024;

/// And their bytes: a client that never reads holds no more than this.
const MAX_ORDERED_BYTES: usize = 96 * 1024;

/// What waits for one connection.
#[derive(Debug, Default)]
pub(super) struct Queue {
    ordered: VecDeque<Bytes>,
    ordered_bytes: usize,
    /// How many of these are Pings and Pongs, which no client's program sees.
    controls: usize,
    position: Option<Pending>,
    /// A viewer's first message is the snapshot, a courier's the welcome: everything else waits for it.
    awaits_first: bool,
    /// While the first snapshot was awaited, a correction came that it may lack.
    missed_correction: bool,
    /// A snapshot is in the ordered lane, so that lane goes out before the position.
    snapshot_waits: bool,
    newest_ms: Option<i64>,
    phase: Phase,
    closed_with: Option<u16>,
    /// A heartbeat waits: the client has not taken anything since that heartbeat was due.
    heartbeat_waits: bool,
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
    /// The message as it was published, while it replaced no other.
    shared: Option<Arc<Encoded>>,
    skipped: Vec<[f64; 2]>,
}

/// The ordered lane has no room: the connection must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// What one [`Queue::drain`] took.
#[derive(Debug)]
pub(super) struct Drained {
    pub(super) bytes: Bytes,
    /// The client's program sees some of it; Pings and Pongs end in its WebSocket library.
    pub(super) is_visible: bool,
}

impl Queue {
    pub(super) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    pub(super) fn is_finished(&self) -> bool {
        self.phase == Phase::Finished
    }

    /// The code that [`Queue::close`] was given.
    pub(super) fn closed_with(&self) -> Option<u16> {
        self.closed_with
    }

    /// Holds everything back until [`Queue::push_greeting`], [`Queue::push_snapshot`] or [`Queue::release`].
    pub(super) fn await_first(&mut self) {
        self.awaits_first = true;
    }

    /// Holds nothing back any more.
    pub(super) fn release(&mut self) {
        self.awaits_first = false;
    }

    /// Queues the first messages, before everything that was held back for them.
    pub(super) fn push_greeting<const N: usize>(&mut self, messages: [Bytes; N]) {
        self.release();
        messages.into_iter().rev().for_each(|message| self.ordered.push_front(message));
    }

    /// Queues a message that must arrive. A closed queue ignores it.
    pub(super) fn push(&mut self, message: Bytes) -> Result<(), Full> {
        if !self.is_open() {
            return Ok(());
        }
        let is_too_much = self.ordered_bytes + message.len() > MAX_ORDERED_BYTES && !self.ordered.is_empty();
        if is_too_much || self.ordered.len() >= MAX_ORDERED {
            return Err(Full);
        }
        self.ordered_bytes += message.len();
        self.ordered.push_back(message);
        Ok(())
    }

    /// Queues a Ping or Pong.
    pub(super) fn push_control(&mut self, message: Bytes) -> Result<(), Full> {
        self.push(message)?;
        self.controls += usize::from(self.is_open());
        Ok(())
    }

    /// Queues a heartbeat. [`Full`] also when the client has taken nothing since the heartbeat before.
    pub(super) fn push_heartbeat(&mut self, message: Bytes) -> Result<(), Full> {
        if std::mem::replace(&mut self.heartbeat_waits, true) {
            return Err(Full);
        }
        self.push(message)
    }

    /// Queues a later snapshot, unless the first is still awaited: that one is made after what it waits for is read,
    /// so it knows more. See [`Queue::take_missed_correction`].
    pub(super) fn push_correction(&mut self, snapshot: Bytes, shown_ms: Option<i64>) -> Result<(), Full> {
        if self.awaits_first {
            self.missed_correction = true;
            return Ok(());
        }
        self.push_snapshot(snapshot, shown_ms)
    }

    /// Whether a correction was left out since the last call.
    pub(super) fn take_missed_correction(&mut self) -> bool {
        std::mem::take(&mut self.missed_correction)
    }

    /// Queues a snapshot that shows a position of `shown_ms`: the first message, or a later correction. A position that
    /// the snapshot already shows is dropped.
    pub(super) fn push_snapshot(&mut self, snapshot: Bytes, shown_ms: Option<i64>) -> Result<(), Full> {
        let is_shown = |pending: &Pending| shown_ms.is_some_and(|shown| pending.position.time_ms <= shown);
        self.position.take_if(|pending| is_shown(pending));
        self.newest_ms = self.newest_ms.max(shown_ms);
        self.snapshot_waits = true;
        if std::mem::take(&mut self.awaits_first) {
            // Also before a close that came in the meantime.
            self.ordered.push_front(snapshot);
            return Ok(());
        }
        self.push(snapshot)
    }

    /// Puts the newest position into the slot, unless a newer one was shown. Returns whether the connection should
    /// write now.
    pub(super) fn put_position(&mut self, update: &PositionUpdate, message: &Arc<Encoded>) -> bool {
        if !self.is_open() || self.newest_ms.is_some_and(|newest| update.time_ms <= newest) {
            return false;
        }
        self.newest_ms = Some(update.time_ms);
        self.position = Some(match self.position.take() {
            None => Pending::new(update, message),
            Some(replaced) => replaced.conflate(update),
        });
        !self.awaits_first
    }

    /// Queues the end of the connection; nothing is accepted after it. Returns whether this was the first close.
    pub(super) fn close(&mut self, wire: Wire, code: u16, reason: &str) -> bool {
        if !self.is_open() {
            return false;
        }
        // A viewer of an order that ended has no use for one more position.
        self.position = None;
        self.closed_with = Some(code);
        if wire.is_socket() {
            self.ordered.push_back(close_frame(code, reason));
            self.phase = Phase::Closing;
        } else {
            // An event stream has no close frame: it ends.
            self.phase = Phase::Finished;
        }
        true
    }

    /// The connection may end once everything queued is written.
    pub(super) fn finish(&mut self) {
        self.phase = Phase::Finished;
    }

    /// Takes everything that waits, as one buffer.
    pub(super) fn drain(&mut self, wire: Wire) -> Option<Drained> {
        if self.awaits_first {
            return None;
        }
        let position = self.position.take();
        let messages = self.ordered.len() + usize::from(position.is_some());
        if messages == 0 {
            return None;
        }
        self.ordered_bytes = 0;
        self.heartbeat_waits = false;
        let is_visible = messages > std::mem::take(&mut self.controls);
        let snapshot_first = std::mem::take(&mut self.snapshot_waits);
        // A single message is passed on without copying it.
        let bytes = match (messages, position) {
            (1, Some(pending)) => pending.encode(wire),
            (1, None) => self.ordered.pop_front()?,
            (_, position) => self.join(position.map(|pending| pending.encode(wire)), snapshot_first),
        };
        Some(Drained { bytes, is_visible })
    }

    fn join(&mut self, position: Option<Bytes>, snapshot_first: bool) -> Bytes {
        let position = position.unwrap_or_default();
        let mut all = BytesMut::with_capacity(self.ordered.iter().map(Bytes::len).sum::<usize>() + position.len());
        if !snapshot_first {
            all.extend_from_slice(&position);
        }
        self.ordered.drain(..).for_each(|message| all.extend_from_slice(&message));
        if snapshot_first {
            all.extend_from_slice(&position);
        }
        all.freeze()
    }
}

impl Pending {
    fn new(update: &PositionUpdate, message: &Arc<Encoded>) -> Self {
        let skipped = update.skipped.clone().unwrap_or_default();
        Self { position: update.position(), shared: Some(Arc::clone(message)), skipped }
    }

    /// The newer position, with this one among the points that it skipped.
    fn conflate(mut self, update: &PositionUpdate) -> Self {
        self.skipped.push([self.position.lon, self.position.lat]);
        self.skipped.extend_from_slice(update.skipped.as_deref().unwrap_or_default());
        let excess = self.skipped.len().saturating_sub(MAX_SKIPPED);
        self.skipped.drain(..excess);
        metrics::counter!("doorstep_positions_conflated_total").increment(1);
        Self { position: update.position(), shared: None, skipped: self.skipped }
    }

    fn encode(self, wire: Wire) -> Bytes {
        match self.shared {
            Some(shared) => shared.bytes(wire),
            None => wire.customer(&CustomerEvent::Position(PositionUpdate::new(&self.position, self.skipped))),
        }
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::protocol::{
        CloseCode, Codec, ServerTime,
        customer::{CustomerEvent, Ended},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::live::outbox::{
        Outbox, Peer,
        samples::{greeting, position, read},
    };

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
    fn a_correction_made_before_the_first_snapshot_does_not_stand_in_for_it() {
        let outbox = Outbox::new(Wire::Socket(Codec::Json), Peer::Customer);
        outbox.await_snapshot();
        outbox.push_correction(&greeting());
        assert!(read(&outbox).is_empty());
        assert!(outbox.take_missed_correction(), "whoever makes the first snapshot must know");
        assert!(!outbox.take_missed_correction());
        outbox.push_snapshot(&greeting());
        outbox.push_correction(&greeting());
        assert_eq!(read(&outbox).len(), 2);
        assert!(!outbox.take_missed_correction());
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
        let held: usize = outbox.lock().queue.ordered.iter().map(Bytes::len).sum();
        assert!(held <= MAX_ORDERED_BYTES + 200, "{held} bytes");
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
