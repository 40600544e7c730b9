//! What a courier's device did and was told: the facts that a check compares with the database.

use std::collections::BTreeMap;

use doorstep_shared::{
    RawFix,
    protocol::courier::{OrderReport, StatusReport},
};

use super::outbox::{FixOutcome, StatusOutcome};
use crate::socket::Endings;

/// A fix that was sent at least once.
#[derive(Clone, Debug, PartialEq)]
pub struct SentFix {
    /// The reading.
    pub fix: RawFix,
    /// What became of it; `None` until the server has answered.
    pub outcome: Option<FixOutcome>,
}

/// The facts.
#[derive(Clone, Debug, Default)]
pub struct CourierLog {
    /// Every fix that was sent, by its time.
    pub sent: BTreeMap<i64, SentFix>,
    /// Every status report that was answered.
    pub statuses: Vec<(StatusReport, StatusOutcome)>,
    /// Every report of what holds an order up that was answered.
    pub reports: Vec<(OrderReport, StatusOutcome)>,
    /// How often a connection was established.
    pub connections: u32,
    /// How often an established connection was lost, or one could not be established.
    pub losses: u32,
    /// With which codes the server ended connections.
    pub endings: Endings,
    /// Messages of fixes that were sent, repetitions included.
    pub fix_messages: u64,
    /// Where the server broke its contract.
    pub violations: Vec<String>,
    /// The close code or HTTP status that ended the bot for good.
    pub stopped_with: Option<u16>,
}

impl CourierLog {
    /// How many fixes the server acknowledged.
    pub fn acked(&self) -> usize {
        self.sent.values().filter(|sent| sent.outcome == Some(FixOutcome::Acked)).count()
    }

    /// How many fixes the server refused for ever.
    pub fn rejected(&self) -> usize {
        self.sent.values().filter(|sent| matches!(sent.outcome, Some(FixOutcome::Rejected(_)))).count()
    }

    /// How many fixes have no answer.
    pub fn unanswered(&self) -> usize {
        self.sent.values().filter(|sent| sent.outcome.is_none()).count()
    }

    pub(super) fn note_lost(&mut self, code: Option<u16>) {
        self.losses += 1;
        if let Some(code) = code {
            *self.endings.entry(code).or_default() += 1;
        }
    }

    pub(super) fn note_sent(&mut self, fixes: &[RawFix]) {
        self.fix_messages += 1;
        for fix in fixes {
            self.sent.entry(fix.time_ms).or_insert_with(|| SentFix { fix: fix.clone(), outcome: None });
        }
    }

    pub(super) fn note_outcome(&mut self, time_ms: i64, outcome: FixOutcome) {
        if let Some(sent) = self.sent.get_mut(&time_ms) {
            sent.outcome = Some(outcome);
        }
    }
}
