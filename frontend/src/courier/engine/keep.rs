//! What goes into the phone's storage, and what becomes of it when storage fails.
//!
//! A full phone, or a browser that lost its database, fails one transaction or all of them. Then memory has to do: nothing
//! waits for storage any more, and the places that could not be written are remembered, not their texts, because what
//! belongs there is known. They are tried again, deletions first, for those make room and nothing may come back that is
//! over; when all of them are written, storage counts again.

use std::collections::BTreeSet;

use doorstep_shared::protocol::encode_json;

use super::{Effect, Engine, Moment, Slot, Tone, Write};
use crate::{courier::sentences, live::backoff::Backoff};

/// What failed is not tried again sooner.
const LEAST_WAIT_MS: f64 = 1_000.0;

/// Positions that are written again at once: where there is little room, little may fit.
const MAX_AT_ONCE: usize = 500;

/// What becomes sendable when a commit is kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Unkept {
    pub(super) fixes_ms: Vec<i64>,
    pub(super) actions: Vec<u64>,
}

#[derive(Clone, Debug)]
struct Commit {
    number: u64,
    unkept: Unkept,
    slots: Vec<Slot>,
}

/// Everything between a change and the storage. Bounded by what the phone holds in memory anyway.
#[derive(Clone, Debug, Default)]
pub(super) struct Keeping {
    /// This browser keeps nothing at all.
    pub(super) is_impossible: bool,
    writes: Vec<Write>,
    pub(super) unkept: Unkept,
    commits: Vec<Commit>,
    last_number: u64,
    /// Places in storage that do not hold what they should.
    owed: BTreeSet<Slot>,
    /// The commit by which some of them are being tried again.
    retrying: Option<u64>,
    retry_at_ms: f64,
    backoff: Backoff,
}

impl Keeping {
    /// Changes a place in storage at the end of the step.
    pub(super) fn write(&mut self, slot: Slot, text: Option<String>) {
        // A position that never came into storage needs not be deleted there.
        if text.is_none() && matches!(slot, Slot::Fix(_)) && self.owed.remove(&slot) {
            return;
        }
        self.writes.push(Write { slot, text });
    }

    /// Whatever is on its way to storage does not matter any more.
    pub(super) fn forget(&mut self) {
        self.writes.clear();
        self.commits.clear();
        self.owed.clear();
        (self.unkept, self.retrying) = (Unkept::default(), None);
    }

    /// When something is due.
    pub(super) fn wake_ms(&self) -> Option<f64> {
        (!self.owed.is_empty() && self.retrying.is_none()).then_some(self.retry_at_ms)
    }

    fn is_failing(&self) -> bool {
        !self.owed.is_empty() || self.retrying.is_some()
    }

    fn begin(&mut self, writes: Vec<Write>, unkept: Unkept, is_strict: bool) -> Effect {
        self.last_number += 1;
        let number = self.last_number;
        let slots = writes.iter().map(|write| write.slot).collect();
        self.commits.push(Commit { number, unkept, slots });
        Effect::Commit { number, writes, is_strict }
    }
}

impl Engine {
    /// Writes what this step changed, as one.
    pub(super) fn flush(&mut self, at: Moment) {
        if std::mem::take(&mut self.is_memory_new) {
            let text = encode_json(&self.memory);
            self.keeping.write(Slot::Memory, Some(text));
        }
        let writes = std::mem::take(&mut self.keeping.writes);
        let unkept = std::mem::take(&mut self.keeping.unkept);
        let is_strict = std::mem::take(&mut self.is_strict);
        if self.keeping.is_impossible {
            self.kept(&unkept);
        } else if self.keeping.is_failing() {
            self.keeping.owed.extend(writes.into_iter().map(|write| write.slot));
            self.kept(&unkept);
            self.write_again(at);
        } else if !writes.is_empty() {
            let commit = self.keeping.begin(writes, unkept, is_strict);
            self.out.push(commit);
        }
    }

    pub(super) fn committed(&mut self, at: Moment, number: u64, is_kept: bool) {
        let keeping = &mut self.keeping;
        let Some(place) = keeping.commits.iter().position(|commit| commit.number == number) else { return };
        let Commit { unkept, slots, .. } = keeping.commits.remove(place);
        let was_retried = keeping.retrying.take_if(|retrying| *retrying == number).is_some();
        if !is_kept {
            keeping.owed.extend(slots);
            keeping.retry_at_ms = at.now_ms + keeping.backoff.next_ms(at.random).max(LEAST_WAIT_MS);
            self.notify(Tone::Warn, sentences::storage_full());
        } else if was_retried {
            (keeping.backoff, keeping.retry_at_ms) = (Backoff::default(), at.now_ms);
            if keeping.owed.is_empty() {
                self.notices.retain(|notice| notice.text != sentences::storage_full());
            }
        }
        self.kept(&unkept);
    }

    /// Tries what failed once more, when it is time.
    fn write_again(&mut self, at: Moment) {
        if self.keeping.wake_ms().is_none_or(|due_ms| due_ms > at.now_ms) {
            return;
        }
        let writes = self.next_owed();
        for write in &writes {
            self.keeping.owed.remove(&write.slot);
        }
        let commit = self.keeping.begin(writes, Unkept::default(), true);
        self.keeping.retrying = Some(self.keeping.last_number);
        self.out.push(commit);
    }

    /// Deletions, or else the memory and what people did, or else positions: as they should stand now.
    fn next_owed(&self) -> Vec<Write> {
        let all = self.keeping.owed.iter().map(|slot| Write { slot: *slot, text: self.text_of(*slot) });
        let (writes, deletions): (Vec<_>, Vec<_>) = all.partition(|write| write.text.is_some());
        if !deletions.is_empty() {
            return deletions;
        }
        let (mut fixes, others): (Vec<_>, Vec<_>) =
            writes.into_iter().partition(|write| matches!(write.slot, Slot::Fix(_)));
        fixes.truncate(MAX_AT_ONCE);
        if others.is_empty() { fixes } else { others }
    }

    /// What should stand in a place in storage. Photos are only deleted from here.
    fn text_of(&self, slot: Slot) -> Option<String> {
        match slot {
            Slot::Fix(time_ms) => self.fixes.get(time_ms).map(encode_json),
            Slot::Action(id) => self.actions.iter().find(|action| action.id == id).map(encode_json),
            Slot::Photo(_) => None,
            Slot::Memory => Some(encode_json(&self.memory)),
        }
    }

    fn kept(&mut self, unkept: &Unkept) {
        self.fixes.written(&unkept.fixes_ms);
        self.actions.written(&unkept.actions);
    }

    pub(super) fn write(&mut self, slot: Slot, text: Option<String>) {
        self.keeping.write(slot, text);
    }
}
