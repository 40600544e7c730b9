//! A courier's device on `GET /ws/courier`.
//!
//! It behaves as the contract asks of one: keeps every fix until its ack, reconnects with full jitter, sends
//! the newest fix first after an outage, says which plan its screen shows, and stops when a close code tells it to. It survives `kill -9` of
//! the server without help. What it sent and what was acked is in its [`CourierLog`], for a check.

mod log;
mod outbox;
mod sampler;
mod session;

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use doorstep_shared::{
    LatLon, OrderId, OrderStatus, RawFix,
    protocol::{
        Codec, PresenceReason, PresenceState,
        courier::{Audience, OrderReport, Pace, PresenceReport, ReportKind, Stop},
    },
};
use rand::rngs::StdRng;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

pub use log::{CourierLog, SentFix};
pub use sampler::Sampler;

pub use outbox::{FixOutcome, Outbox, Recorded, Settled, StatusOutcome, Violation};

use crate::{clock::now_ms, server_url::ServerUrl};

// What one bot may be behind with: at ten messages a second, 100 s of a stuck task. A full queue waits, or
// with `try_record` refuses.
const COMMAND_QUEUE: usize = 1_024;

/// Fixes in a message of text: a fix with all that it may hold takes up to 220 bytes of the message's 64 KiB. In the
/// binary codec as many fit as the server allows.
pub(crate) const MAX_FIXES_OF_JSON: usize = 250;

/// Called with every acknowledged fix, on the bot's task: must not block.
pub type OnAck = Box<dyn FnMut(&Recorded, Instant) + Send>;

/// How a courier's device connects.
pub struct CourierOptions {
    /// Where the server is.
    pub server: ServerUrl,
    /// The device's token.
    pub device_token: String,
    /// How messages are written.
    pub codec: Codec,
    /// Decides the jitter of reconnecting.
    pub random: StdRng,
    /// Told about acks, for latencies.
    pub on_ack: Option<OnAck>,
}

/// What a courier's device knows now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CourierState {
    /// A welcome came and the connection still holds.
    pub connected: bool,
    /// Fixes and statuses without an answer.
    pub unsettled: usize,
    /// The stops as last told.
    pub stops: Vec<Stop>,
    /// The version of the plan that they are.
    pub plan_version: Option<u64>,
    /// How often to report, as last told.
    pub pace: Option<Pace>,
    /// Who is looking, as last told.
    pub audience: Option<Audience>,
    /// The bot ended for good.
    pub stopped: bool,
    /// How many commands the bot has obeyed, to tell when it has caught up.
    taken: u64,
}

enum Command {
    Record(Vec<Recorded>),
    Report { order_id: OrderId, status: OrderStatus, time_ms: i64, note: Option<String> },
    HoldUp(OrderReport),
    Presence(PresenceReport),
    Reachable(bool),
}

/// A running device. Dropping it ends it.
pub struct CourierBot {
    commands: mpsc::Sender<Command>,
    given: AtomicU64,
    log: Arc<Mutex<CourierLog>>,
    state: watch::Receiver<CourierState>,
    sampler: Mutex<Sampler>,
    task: JoinHandle<()>,
}

impl CourierBot {
    /// Starts connecting, on a task of the current runtime.
    pub fn start(options: CourierOptions) -> Self {
        let (commands, inbox) = mpsc::channel(COMMAND_QUEUE);
        let (state_sender, state) = watch::channel(CourierState::default());
        let log = Arc::new(Mutex::new(CourierLog::default()));
        let session = session::Session::new(options, inbox, Arc::clone(&log), state_sender);
        let task = tokio::spawn(session.run());
        Self { commands, given: AtomicU64::new(0), log, state, sampler: Mutex::default(), task }
    }

    /// Records readings, to be sent in one message; they were due now.
    pub async fn record(&self, fixes: Vec<RawFix>) {
        let due = Instant::now();
        let recorded = fixes.into_iter().map(|fix| Recorded { fix, due }).collect();
        self.give(Command::Record(recorded)).await;
    }

    /// Offers a reading to a phone that obeys the server's pace; whether it was due, and is sent.
    pub async fn offer(&self, fix: RawFix) -> bool {
        let Ok(here) = LatLon::try_new(fix.lat, fix.lon) else { return false };
        let pace = self.state.borrow().pace.clone();
        let is_due = {
            let mut sampler = self.sampler.lock().expect("nothing panics while it holds the sampler");
            sampler.takes(pace.as_ref(), Instant::now(), here)
        };
        if is_due {
            self.record(vec![fix]).await;
        }
        is_due
    }

    /// Records readings without waiting; false when the bot is too far behind or has ended.
    #[must_use]
    pub fn try_record(&self, fixes: Vec<Recorded>) -> bool {
        let taken = self.commands.try_send(Command::Record(fixes)).is_ok();
        self.given.fetch_add(u64::from(taken), Ordering::Relaxed);
        taken
    }

    async fn give(&self, command: Command) {
        // A bot that ended takes nothing any more, and says so in its state.
        let taken = self.commands.send(command).await.is_ok();
        self.given.fetch_add(u64::from(taken), Ordering::Relaxed);
    }

    /// Says that an order moved on, now.
    pub async fn report(&self, order_id: OrderId, status: OrderStatus, note: Option<String>) {
        let time_ms = now_ms();
        self.give(Command::Report { order_id, status, time_ms, note }).await;
    }

    /// Says what holds an order up, now.
    pub async fn hold_up(&self, order_id: OrderId, report: ReportKind, note: Option<String>) {
        // The id is set when it is sent.
        self.give(Command::HoldUp(OrderReport {
            id: 0,
            order_id,
            report,
            time_ms: now_ms(),
            note,
            lat: None,
            lon: None,
        }))
        .await;
    }

    /// Says whether the courier shares their position, from now on.
    pub async fn presence(&self, state: PresenceState, reason: Option<PresenceReason>) {
        let report = PresenceReport { state, reason, time_ms: Some(now_ms()) };
        self.give(Command::Presence(report)).await;
    }

    /// Drives into a dead zone, or out of it: in between nothing is sent and everything is kept.
    pub async fn set_reachable(&self, reachable: bool) {
        self.give(Command::Reachable(reachable)).await;
    }

    /// What the bot knows now.
    pub fn state(&self) -> CourierState {
        self.state.borrow().clone()
    }

    /// The facts so far.
    pub fn log(&self) -> MutexGuard<'_, CourierLog> {
        lock(&self.log)
    }

    /// Waits until `condition` holds; false when it did not within `patience`.
    pub async fn wait_until(&self, patience: Duration, condition: impl FnMut(&CourierState) -> bool) -> bool {
        let mut state = self.state.clone();
        let waited = tokio::time::timeout(patience, state.wait_for(condition)).await;
        matches!(waited, Ok(Ok(_)))
    }

    /// Waits until everything recorded so far was answered; false when it was not within `patience`.
    pub async fn settle(&self, patience: Duration) -> bool {
        let given = self.given.load(Ordering::Relaxed);
        self.wait_until(patience, |state| state.taken >= given && state.unsettled == 0).await
    }

    /// Closes the connection and gives the facts.
    pub async fn stop(self) -> CourierLog {
        drop(self.commands);
        // A bot that panicked has a log all the same.
        let _ = self.task.await;
        std::mem::take(&mut *lock(&self.log))
    }
}

fn lock(log: &Mutex<CourierLog>) -> MutexGuard<'_, CourierLog> {
    log.lock().expect("nothing panics while it holds the log")
}

#[cfg(test)]
mod tests {
    use doorstep_shared::protocol::{
        MAX_MESSAGE_BYTES,
        courier::{CourierMessage, Fixes},
        encode_json,
    };

    use super::*;

    #[test]
    fn the_longest_message_of_text_is_one_that_a_server_takes() {
        let longest = RawFix {
            time_ms: 1_795_219_200_123,
            lat: -35.898_912_345_678_91,
            lon: -114.514_553_123_456_78,
            accuracy_m: Some(123.456_78),
            speed_mps: Some(12.345_678),
            heading_deg: Some(182.123_46),
            altitude_m: Some(-123.456_78),
            battery: Some(0.812_345_6),
        };
        let message = CourierMessage::Fixes(Fixes { id: u64::MAX, fixes: vec![longest; MAX_FIXES_OF_JSON] });
        assert!(encode_json(&message).len() < MAX_MESSAGE_BYTES);
    }
}
