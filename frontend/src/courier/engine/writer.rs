//! Follows every commit to the phone's storage, and tries again what failed.
//!
//! A full phone, or a browser that lost its database, fails one transaction or all of them. Then memory has to do:
//! sending no longer waits for storage, and the writer remembers the places that it could not write. It does not
//! remember their texts, because the engine knows what belongs there. It tries them again, deletions first, for those
//! make room and nothing that is over may come back. When all of them are written, storage counts again.

use std::collections::BTreeSet;

use super::{Effect, Moment, Slot, Write};
use crate::live::backoff::Backoff;

/// The least time before the next try of what failed.
const LEAST_WAIT_MS: f64 = 1_000.0;

/// Positions in one try: where there is little room, little may fit.
const MAX_AT_ONCE: usize = 500;

/// What may be sent once its commit is in storage.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    pub(super) fixes_ms: Vec<i64>,
    pub(super) actions: Vec<u64>,
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is in storage.
    Written,
    /// It is not, and its places are tried again.
    Failed,
    /// It was the last of what had failed: storage counts again.
    Recovered,
}

#[derive(Clone, Debug)]
struct Commit {
    number: u64,
    pending: Kept,
    slots: Vec<Slot>,
}

/// Everything between a change and the storage. Bounded by what the phone holds in memory anyway.
#[derive(Clone, Debug, Default)]
pub(super) struct Writer {
    /// This browser keeps nothing at all.
    pub(super) is_impossible: bool,
    /// What this step's commit makes sendable.
    pub(super) pending: Kept,
    writes: Vec<Write>,
    commits: Vec<Commit>,
    last_number: u64,
    /// Places in storage that do not hold what they should.
    owed: BTreeSet<Slot>,
    /// The commit that tries some of them again.
    retrying: Option<u64>,
    retry_at_ms: f64,
    backoff: Backoff,
}

impl Writer {
    /// Changes a place in storage at the end of the step.
    pub(super) fn write(&mut self, slot: Slot, text: Option<String>) {
        // A position that never came into storage needs no deletion there.
        if text.is_none() && matches!(slot, Slot::Fix(_)) && self.owed.remove(&slot) {
            return;
        }
        self.writes.push(Write { slot, text });
    }

    /// Forgets whatever is on its way to storage.
    pub(super) fn forget(&mut self) {
        self.writes.clear();
        self.commits.clear();
        self.owed.clear();
        (self.pending, self.retrying) = (Kept::default(), None);
    }

    /// When the next try of what failed is due.
    pub(super) fn wake_ms(&self) -> Option<f64> {
        (!self.owed.is_empty() && self.retrying.is_none()).then_some(self.retry_at_ms)
    }

    /// Ends a step: the commit to make, or, where memory has to do, what may be sent at once.
    pub(super) fn flush(&mut self, is_strict: bool) -> (Option<Effect>, Option<Kept>) {
        let (writes, pending) = (std::mem::take(&mut self.writes), std::mem::take(&mut self.pending));
        if self.is_impossible {
            return (None, Some(pending));
        }
        if self.is_failing() {
            self.owed.extend(writes.into_iter().map(|write| write.slot));
            return (None, Some(pending));
        }
        let commit = (!writes.is_empty()).then(|| self.begin(writes, pending, is_strict));
        (commit, None)
    }

    /// A commit is written or has failed; `None` for one that does not matter any more.
    pub(super) fn committed(&mut self, at: Moment, number: u64, is_kept: bool) -> Option<(Kept, Outcome)> {
        let place = self.commits.iter().position(|commit| commit.number == number)?;
        let Commit { pending, slots, .. } = self.commits.remove(place);
        let was_retried = self.retrying.take_if(|retrying| *retrying == number).is_some();
        if !is_kept {
            self.owed.extend(slots);
            self.retry_at_ms = at.now_ms + self.backoff.next_ms(at.random).max(LEAST_WAIT_MS);
            return Some((pending, Outcome::Failed));
        }
        if was_retried {
            (self.backoff, self.retry_at_ms) = (Backoff::default(), at.now_ms);
        }
        let outcome = if was_retried && self.owed.is_empty() { Outcome::Recovered } else { Outcome::Written };
        Some((pending, outcome))
    }

    /// The places that do not hold what they should.
    pub(super) fn owed(&self) -> impl Iterator<Item = Slot> {
        self.owed.iter().copied()
    }

    /// Tries some of what failed: `all` holds every owed place as it should stand now.
    pub(super) fn retry(&mut self, all: Vec<Write>) -> Effect {
        let writes = next_try(all);
        for write in &writes {
            self.owed.remove(&write.slot);
        }
        let commit = self.begin(writes, Kept::default(), true);
        self.retrying = Some(self.last_number);
        commit
    }

    fn is_failing(&self) -> bool {
        !self.owed.is_empty() || self.retrying.is_some()
    }

    fn begin(&mut self, writes: Vec<Write>, pending: Kept, is_strict: bool) -> Effect {
        self.last_number += 1;
        let number = self.last_number;
        let slots = writes.iter().map(|write| write.slot).collect();
        self.commits.push(Commit { number, pending, slots });
        Effect::Commit { number, writes, is_strict }
    }
}

/// Deletions, or else the memory and what the courier did, or else positions.
fn next_try(all: Vec<Write>) -> Vec<Write> {
    let (writes, deletions): (Vec<_>, Vec<_>) = all.into_iter().partition(|write| write.text.is_some());
    if !deletions.is_empty() {
        return deletions;
    }
    let (mut fixes, others): (Vec<_>, Vec<_>) =
        writes.into_iter().partition(|write| matches!(write.slot, Slot::Fix(_)));
    fixes.truncate(MAX_AT_ONCE);
    if others.is_empty() { fixes } else { others }
}
