//! What a courier's device has recorded and the server has not yet acknowledged.
//!
//! Nothing leaves before it was acked or rejected, so a lost connection loses no fix. The order of sending
//! is the contract's: what was recorded just now, and after an outage the newest fix in a message of its own
//! before the backlog, newest batch first. Statuses go before fixes, each when the one before was answered,
//! because their order matters. Pure: no socket, and time is passed in.
//! Not bounded, because a tracker keeps what it recorded; a day of one fix a second is 6 MB.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::{Duration, Instant},
};

use doorstep_shared::{
    OrderStatus, RawFix, Rejection,
    protocol::{
        ErrorMessage,
        courier::{Ack, CourierMessage, Fixes, MAX_FIXES, OrderReport, StatusReport},
    },
};

// A server that stopped acking gets this many messages on trust; what comes later waits and is sent in batches.
const MESSAGES_IN_FLIGHT: usize = 512;
const RETRY_UNLESS_TOLD: Duration = Duration::from_secs(1);

/// A fix and the moment when it was due to be sent, from which its latency counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The reading.
    pub fix: RawFix,
    /// When the schedule wanted it sent.
    pub due: Instant,
}

/// What became of a fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixOutcome {
    /// Committed, says the server.
    Acked,
    /// Refused for ever.
    Rejected(Rejection),
}

/// What became of a status report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusOutcome {
    /// Committed, says the server.
    Acked,
    /// Refused, with the error's code.
    Refused(String),
}

/// Something that the server settled.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// A message of fixes, each with its outcome.
    Fixes(Vec<(Recorded, FixOutcome)>),
    /// A status report.
    Status(StatusReport, StatusOutcome),
    /// A report of what holds an order up.
    Report(OrderReport, StatusOutcome),
}

/// What a courier says about an order.
#[derive(Clone, Debug)]
enum Said {
    Status(StatusReport),
    Report(OrderReport),
}

impl Said {
    const fn id(&self) -> u64 {
        match self {
            Self::Status(report) => report.id,
            Self::Report(report) => report.id,
        }
    }

    fn with_id(mut self, id: u64) -> Self {
        match &mut self {
            Self::Status(report) => report.id = id,
            Self::Report(report) => report.id = id,
        }
        self
    }

    fn message(&self) -> CourierMessage {
        match self {
            Self::Status(report) => CourierMessage::Status(report.clone()),
            Self::Report(report) => CourierMessage::Report(report.clone()),
        }
    }

    fn settled(self, outcome: StatusOutcome) -> Settled {
        match self {
            Self::Status(report) => Settled::Status(report, outcome),
            Self::Report(report) => Settled::Report(report, outcome),
        }
    }
}

/// The server broke its contract; the text says how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Violation(pub String);

#[derive(Debug)]
enum InFlight {
    Fixes { fixes: Vec<Recorded>, sent_at: Instant },
    Said { said: Said, sent_at: Instant },
}

/// The queue. See the module's description.
#[derive(Debug)]
pub struct Outbox {
    /// Each is one message to be.
    live: VecDeque<Vec<Recorded>>,
    backlog: BTreeMap<i64, Recorded>,
    /// The next message from the backlog is its newest fix alone.
    newest_alone: bool,
    backlog_not_before: Option<Instant>,
    statuses: VecDeque<Said>,
    statuses_not_before: Option<Instant>,
    in_flight: HashMap<u64, InFlight>,
    next_id: u64,
    connected: bool,
    batch_fixes: usize,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            live: VecDeque::new(),
            backlog: BTreeMap::new(),
            newest_alone: false,
            backlog_not_before: None,
            statuses: VecDeque::new(),
            statuses_not_before: None,
            in_flight: HashMap::new(),
            next_id: 1,
            connected: false,
            batch_fixes: MAX_FIXES,
        }
    }
}

impl Outbox {
    /// Adds readings that belong into one message.
    pub fn record(&mut self, fixes: Vec<Recorded>) {
        if self.connected && self.in_flight.len() + self.live.len() < MESSAGES_IN_FLIGHT {
            self.live.push_back(fixes);
        } else {
            self.keep(fixes);
        }
    }

    /// Adds a status report; reports are sent in the order they were made.
    pub fn report(
        &mut self,
        order_id: doorstep_shared::OrderId,
        status: OrderStatus,
        time_ms: i64,
        note: Option<String>,
    ) {
        // The id is set when it is sent.
        self.statuses.push_back(Said::Status(StatusReport { id: 0, order_id, status, time_ms, note }));
    }

    /// Adds a report of what holds an order up; its id is set when it is sent, in turn with statuses.
    pub fn hold_up(&mut self, report: OrderReport) {
        self.statuses.push_back(Said::Report(report));
    }

    fn keep(&mut self, fixes: Vec<Recorded>) {
        self.backlog.extend(fixes.into_iter().map(|recorded| (recorded.fix.time_ms, recorded)));
    }

    /// Sending is possible (again): the newest fix first, then the others.
    pub fn connected(&mut self, max_fixes: u32) {
        self.connected = true;
        self.batch_fixes = (max_fixes as usize).clamp(1, MAX_FIXES);
        self.newest_alone = true;
        self.backlog_not_before = None;
        self.statuses_not_before = None;
    }

    /// Sending is impossible for now, though answers may still come: what is recorded is kept for later.
    pub fn paused(&mut self) {
        self.connected = false;
        for fixes in std::mem::take(&mut self.live) {
            self.keep(fixes);
        }
    }

    /// The connection is gone: everything without an answer has to be sent again.
    pub fn disconnected(&mut self) {
        self.paused();
        let mut reports = Vec::new();
        for sent in std::mem::take(&mut self.in_flight).into_values() {
            match sent {
                InFlight::Fixes { fixes, .. } => self.keep(fixes),
                InFlight::Said { said, .. } => reports.push(said),
            }
        }
        reports.sort_by_key(Said::id);
        for report in reports.into_iter().rev() {
            self.statuses.push_front(report);
        }
    }

    /// The next message to send at `now`; it counts as sent.
    pub fn next_message(&mut self, now: Instant) -> Option<CourierMessage> {
        if !self.connected {
            return None;
        }
        if let Some(message) = self.next_report(now) {
            return Some(message);
        }
        let recorded = match self.live.pop_front() {
            Some(live) => live,
            None => self.next_from_backlog(now)?,
        };
        let id = self.take_id();
        let fixes = recorded.iter().map(|recorded| recorded.fix.clone()).collect();
        self.in_flight.insert(id, InFlight::Fixes { fixes: recorded, sent_at: now });
        Some(CourierMessage::Fixes(Fixes { id, fixes }))
    }

    fn next_report(&mut self, now: Instant) -> Option<CourierMessage> {
        let waits = is_too_early(&mut self.statuses_not_before, now);
        if waits || self.in_flight.values().any(|sent| matches!(sent, InFlight::Said { .. })) {
            return None;
        }
        let said = self.statuses.pop_front()?.with_id(self.take_id());
        let message = said.message();
        self.in_flight.insert(said.id(), InFlight::Said { said, sent_at: now });
        Some(message)
    }

    fn next_from_backlog(&mut self, now: Instant) -> Option<Vec<Recorded>> {
        let waits = is_too_early(&mut self.backlog_not_before, now);
        if self.backlog.is_empty() || waits || self.in_flight.len() >= MESSAGES_IN_FLIGHT {
            return None;
        }
        let size = if std::mem::take(&mut self.newest_alone) { 1 } else { self.batch_fixes };
        let first = self.backlog.keys().rev().nth(size - 1).copied();
        let batch = match first {
            Some(first) => self.backlog.split_off(&first),
            None => std::mem::take(&mut self.backlog),
        };
        Some(batch.into_values().collect())
    }

    fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// Takes the server's word for what became of a message.
    ///
    /// # Errors
    /// [`Violation`] when the answer does not fit to what was sent; the message then counts as unanswered.
    pub fn acknowledged(&mut self, ack: &Ack) -> Result<Settled, Violation> {
        let answered = self.in_flight.remove(&ack.id);
        match answered {
            None => Err(Violation(format!("ack of {}, which is not waiting for one", ack.id))),
            Some(InFlight::Said { said, .. }) => Ok(said.settled(StatusOutcome::Acked)),
            Some(InFlight::Fixes { fixes, sent_at }) => match outcomes(ack, fixes) {
                Ok(settled) => Ok(Settled::Fixes(settled)),
                Err((violation, fixes)) => {
                    self.in_flight.insert(ack.id, InFlight::Fixes { fixes, sent_at });
                    Err(violation)
                }
            },
        }
    }

    /// Takes the server's refusal of a message. `None` when the message will be sent again.
    ///
    /// # Errors
    /// [`Violation`] when fixes were refused as a whole: the contract refuses them one by one.
    pub fn refused(&mut self, error: &ErrorMessage, now: Instant) -> Result<Option<Settled>, Violation> {
        let sent = error.id.and_then(|id| self.in_flight.remove(&id));
        let passing = error.code == "unavailable";
        let not_before = Some(now + error.retry_after_ms.map_or(RETRY_UNLESS_TOLD, Duration::from_millis));
        match sent {
            Some(InFlight::Fixes { fixes, .. }) => {
                self.keep(fixes);
                self.backlog_not_before = not_before;
                if passing {
                    Ok(None)
                } else {
                    Err(Violation(format!("fixes refused: {} {}", error.code, error.message)))
                }
            }
            Some(InFlight::Said { said, .. }) if passing => {
                self.statuses.push_front(said);
                self.statuses_not_before = not_before;
                Ok(None)
            }
            Some(InFlight::Said { said, .. }) => Ok(Some(said.settled(StatusOutcome::Refused(error.code.clone())))),
            None => Err(Violation(format!("error {}: {}", error.code, error.message))),
        }
    }

    /// How many fixes and statuses have no answer yet.
    pub fn unsettled(&self) -> usize {
        let in_flight: usize = self.in_flight.values().map(InFlight::len).sum();
        let live: usize = self.live.iter().map(Vec::len).sum();
        in_flight + live + self.backlog.len() + self.statuses.len()
    }

    /// When the message that has waited longest for its answer was sent.
    pub fn oldest_in_flight(&self) -> Option<Instant> {
        self.in_flight.values().map(InFlight::sent_at).min()
    }

    /// When something that has to wait may be tried again.
    pub fn waits_until(&self) -> Option<Instant> {
        let backlog = self.backlog_not_before.filter(|_| !self.backlog.is_empty());
        let statuses = self.statuses_not_before.filter(|_| !self.statuses.is_empty());
        backlog.into_iter().chain(statuses).min()
    }
}

impl InFlight {
    fn len(&self) -> usize {
        match self {
            Self::Fixes { fixes, .. } => fixes.len(),
            Self::Said { .. } => 1,
        }
    }

    fn sent_at(&self) -> Instant {
        match self {
            Self::Fixes { sent_at, .. } | Self::Said { sent_at, .. } => *sent_at,
        }
    }
}

/// Forgets a time that has come, so that the session does not wait for it again.
fn is_too_early(not_before: &mut Option<Instant>, now: Instant) -> bool {
    *not_before = not_before.filter(|not_before| now < *not_before);
    not_before.is_some()
}

type Refused = (Violation, Vec<Recorded>);

fn outcomes(ack: &Ack, fixes: Vec<Recorded>) -> Result<Vec<(Recorded, FixOutcome)>, Refused> {
    let counted = ack.stored as usize + ack.duplicates as usize + ack.rejected.len();
    if counted != fixes.len() {
        let text = format!("ack of {} counts {counted} fixes, {} were sent", ack.id, fixes.len());
        return Err((Violation(text), fixes));
    }
    if let Some(rejected) = ack.rejected.iter().find(|rejected| rejected.index as usize >= fixes.len()) {
        let text = format!("ack of {} rejects number {} of {}", ack.id, rejected.index, fixes.len());
        return Err((Violation(text), fixes));
    }
    let mut settled: Vec<_> = fixes.into_iter().map(|recorded| (recorded, FixOutcome::Acked)).collect();
    for rejected in &ack.rejected {
        settled[rejected.index as usize].1 = FixOutcome::Rejected(rejected.code);
    }
    Ok(settled)
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{OrderId, protocol::courier::RejectedFix};
    use proptest::prelude::*;

    use super::*;

    fn fixes(times: impl IntoIterator<Item = i64>) -> Vec<Recorded> {
        let due = Instant::now();
        let fix = |time_ms| RawFix { time_ms, lat: 35.9, lon: 14.5, ..RawFix::default() };
        times.into_iter().map(|time_ms| Recorded { fix: fix(time_ms), due }).collect()
    }

    fn connected() -> Outbox {
        let mut outbox = Outbox::default();
        outbox.connected(500);
        outbox
    }

    /// The times of the fixes in each message that is sent now.
    fn sent(outbox: &mut Outbox) -> Vec<(u64, Vec<i64>)> {
        let mut messages = Vec::new();
        while let Some(message) = outbox.next_message(Instant::now()) {
            if let CourierMessage::Fixes(fixes) = message {
                messages.push((fixes.id, fixes.fixes.iter().map(|fix| fix.time_ms).collect()));
            }
        }
        messages
    }

    fn ack(id: u64, stored: u32) -> Ack {
        Ack { id, stored, duplicates: 0, rejected: Vec::new() }
    }

    #[test]
    fn what_was_recorded_together_is_sent_together_in_the_order_it_came() {
        let mut outbox = connected();
        outbox.record(fixes([1, 2]));
        outbox.record(fixes([3]));
        assert_eq!(sent(&mut outbox), [(1, vec![1, 2]), (2, vec![3])]);
    }

    #[test]
    fn after_an_outage_the_newest_fix_goes_alone_and_then_the_newest_batch() {
        let mut outbox = Outbox::default();
        outbox.record(fixes(1..=7));
        outbox.connected(3);
        let messages: Vec<_> = sent(&mut outbox).into_iter().map(|(_, times)| times).collect();
        assert_eq!(messages, [vec![7], vec![4, 5, 6], vec![1, 2, 3]]);
    }

    #[test]
    fn without_an_ack_everything_is_sent_again_and_with_one_nothing() {
        let mut outbox = connected();
        outbox.record(fixes([1]));
        outbox.record(fixes([2]));
        let first = sent(&mut outbox);
        outbox.acknowledged(&ack(first[0].0, 1)).expect("the ack fits");
        outbox.record(fixes([3]));
        outbox.disconnected();
        outbox.connected(500);
        let again: Vec<_> = sent(&mut outbox);
        assert_eq!(again.iter().map(|(_, times)| times.clone()).collect::<Vec<_>>(), [vec![3], vec![2]]);
        for (id, times) in again {
            outbox.acknowledged(&ack(id, times.len() as u32)).expect("the ack fits");
        }
        assert_eq!(outbox.unsettled(), 0);
    }

    #[test]
    fn a_rejected_fix_is_settled_and_its_neighbours_are_stored() {
        let mut outbox = connected();
        outbox.record(fixes([1, 2, 3]));
        let [(id, _)] = sent(&mut outbox)[..] else { panic!("one message") };
        let rejected = vec![RejectedFix { index: 1, code: Rejection::TimeInFuture }];
        let settled = outbox.acknowledged(&Ack { id, stored: 1, duplicates: 1, rejected }).expect("the ack fits");
        let Settled::Fixes(settled) = settled else { panic!("fixes were sent") };
        let outcomes: Vec<_> = settled.into_iter().map(|(recorded, outcome)| (recorded.fix.time_ms, outcome)).collect();
        let refused = FixOutcome::Rejected(Rejection::TimeInFuture);
        assert_eq!(outcomes, [(1, FixOutcome::Acked), (2, refused), (3, FixOutcome::Acked)]);
    }

    #[test]
    fn an_ack_that_does_not_add_up_is_noticed_and_settles_nothing() {
        let mut outbox = connected();
        outbox.record(fixes([1, 2]));
        let [(id, _)] = sent(&mut outbox)[..] else { panic!("one message") };
        assert!(outbox.acknowledged(&ack(id, 1)).is_err());
        assert!(outbox.acknowledged(&ack(99, 2)).is_err());
        assert_eq!(outbox.unsettled(), 2);
    }

    #[test]
    fn an_unavailable_server_is_tried_again_when_it_said() {
        let mut outbox = connected();
        outbox.record(fixes([1, 2]));
        let [(id, _)] = sent(&mut outbox)[..] else { panic!("one message") };
        let now = Instant::now();
        let error = ErrorMessage {
            id: Some(id),
            code: "unavailable".into(),
            message: String::new(),
            retry_after_ms: Some(60_000),
            details: None,
        };
        assert_eq!(outbox.refused(&error, now), Ok(None));
        assert!(outbox.next_message(now).is_none());
        assert_eq!(outbox.waits_until(), Some(now + Duration::from_secs(60)));
        assert!(outbox.next_message(now + Duration::from_secs(60)).is_some());
    }

    #[test]
    fn statuses_go_one_at_a_time_before_fixes_and_keep_their_order_through_an_outage() {
        let mut outbox = connected();
        let order = OrderId::new();
        outbox.report(order, OrderStatus::AtPickup, 1, None);
        outbox.report(order, OrderStatus::PickedUp, 2, None);
        outbox.record(fixes([3]));
        let next = |outbox: &mut Outbox| match outbox.next_message(Instant::now()) {
            Some(CourierMessage::Status(report)) => Some((report.id, report.status)),
            _ => None,
        };
        let (_, lost) = next(&mut outbox).expect("a status goes first");
        assert_eq!(lost, OrderStatus::AtPickup);
        assert!(matches!(outbox.next_message(Instant::now()), Some(CourierMessage::Fixes(_))));
        outbox.disconnected();
        outbox.connected(500);
        for expected in [OrderStatus::AtPickup, OrderStatus::PickedUp] {
            let (id, status) = next(&mut outbox).expect("a status goes first");
            assert_eq!(status, expected);
            outbox.acknowledged(&ack(id, 1)).expect("the ack fits");
        }
    }

    proptest! {
        /// Whatever happens to connections and acks, every fix ends up settled exactly once.
        #[test]
        fn nothing_is_lost_and_nothing_is_settled_twice(steps in prop::collection::vec(0..6_u8, 0..200)) {
            let mut outbox = Outbox::default();
            let mut recorded = 0_i64;
            let mut waiting: VecDeque<(u64, usize)> = VecDeque::new();
            let mut settled: Vec<i64> = Vec::new();
            let mut settle = |outbox: &mut Outbox, id: u64, count: usize| {
                match outbox.acknowledged(&ack(id, count as u32)) {
                    Ok(Settled::Fixes(fixes)) => settled.extend(fixes.iter().map(|(recorded, _)| recorded.fix.time_ms)),
                    other => panic!("{other:?}"),
                }
            };
            for step in steps {
                match step {
                    0 => { outbox.record(fixes(recorded..recorded + 3)); recorded += 3; }
                    1 => outbox.connected(4),
                    2 => { outbox.disconnected(); waiting.clear(); }
                    3 => outbox.paused(),
                    4 => if let Some(CourierMessage::Fixes(sent)) = outbox.next_message(Instant::now()) {
                        waiting.push_back((sent.id, sent.fixes.len()));
                    },
                    _ => if let Some((id, count)) = waiting.pop_front() { settle(&mut outbox, id, count) },
                }
            }
            outbox.disconnected();
            outbox.connected(500);
            while let Some(CourierMessage::Fixes(sent)) = outbox.next_message(Instant::now()) {
                settle(&mut outbox, sent.id, sent.fixes.len());
            }
            settled.sort_unstable();
            prop_assert_eq!(settled, (0..recorded).collect::<Vec<_>>());
            prop_assert_eq!(outbox.unsettled(), 0);
        }
    }
}
