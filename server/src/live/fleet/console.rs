//! One console's connection to the fleet's feed, and how it reads the board.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Instant,
};

use bytes::Bytes;
use doorstep_shared::protocol::{CloseCode, Codec};

use super::{board::Board, message::Message, reader::Reader, view::View};
use crate::{
    live::{
        audience::Audience,
        outbox::{Feed, Outbox},
    },
    platform::clock::Clock,
};

/// A connected console.
#[derive(Debug)]
pub(super) struct Console {
    outbox: Arc<Outbox>,
    reader: Mutex<Reader>,
    /// The reader's view once more, for the task that ticks, which must not wait for a reader that is reading.
    view: Mutex<View>,
}

impl Console {
    /// A console that has been told nothing, written through `outbox`.
    pub(super) fn new(outbox: Arc<Outbox>, audience: Arc<Audience>) -> Arc<Self> {
        Arc::new(Self { outbox, reader: Mutex::new(Reader::new(audience)), view: Mutex::default() })
    }

    /// Makes `board` the feed of the console's connection.
    pub(super) fn connect(self: &Arc<Self>, board: Arc<Mutex<Board>>, clock: Clock, codec: Codec) {
        self.outbox.set_feed(Arc::new(ConsoleFeed { board, clock, console: Arc::downgrade(self), codec }));
    }

    /// Changes what the console sees.
    pub(super) fn change_view(&self, change: impl FnOnce(&mut View)) {
        let mut view = lock(&self.view);
        change(&mut view);
        let view = *view;
        lock(&self.reader).look_at(view);
    }

    /// Whether the console shows the whole fleet.
    pub(super) fn sees_all(&self) -> bool {
        lock(&self.view).area.is_none()
    }

    /// Says that the board may have something new.
    pub(super) fn nudge(&self) {
        self.outbox.nudge();
    }
}

/// Reads the board for one connection, on the connection's own thread.
#[derive(Debug)]
struct ConsoleFeed {
    board: Arc<Mutex<Board>>,
    clock: Clock,
    /// The console has the outbox that has this feed.
    console: Weak<Console>,
    codec: Codec,
}

impl Feed for ConsoleFeed {
    fn take(&self) -> Result<Option<Bytes>, CloseCode> {
        let Some(console) = self.console.upgrade() else { return Ok(None) };
        let taken = {
            let mut reader = lock(&console.reader);
            let board = lock(&self.board);
            reader.take(&board, Instant::now())
        };
        let messages = taken.map_err(|_| CloseCode::SlowConsumer)?;
        let mut frames: Vec<Bytes> = messages.into_iter().map(|message| self.encode(message)).collect();
        Ok(match frames.len() {
            0 | 1 => frames.pop(),
            _ => Some(frames.concat().into()),
        })
    }
}

impl ConsoleFeed {
    fn encode(&self, message: Message) -> Bytes {
        let (kind, frame) = message.encode(self.codec, &self.clock);
        metrics::counter!("doorstep_fleet_frames_total", "type" => kind).increment(1);
        metrics::counter!("doorstep_fleet_bytes_total", "type" => kind).increment(frame.len() as u64);
        frame
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
