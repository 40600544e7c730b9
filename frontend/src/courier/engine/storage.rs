//! What the phone keeps, and when a change of it is safe.
//!
//! Every step's changes go to the phone's storage as one [`Effect::Commit`]. [`Storage`] holds the memory and gathers the
//! changes; [`Writer`] follows each commit until the driver says what became of it.

use doorstep_shared::protocol::encode_json;

use super::{
    Engine, Moment, Slot, Write,
    writer::{Kept, Outcome, Writer},
};
use crate::courier::{memory::Memory, state::Tone, text::notices};

/// The memory and what is on its way to storage.
#[derive(Clone, Debug, Default)]
pub(super) struct Storage {
    /// Whether this tab has read the storage, so that it may write there.
    pub(super) is_loaded: bool,
    pub(super) memory: Memory,
    is_memory_new: bool,
    /// Whether this step's commit must survive a dead battery.
    is_strict: bool,
    writer: Writer,
}

impl Storage {
    /// The memory, to be changed; the step writes it at its end.
    pub(super) fn remember(&mut self) -> &mut Memory {
        self.is_memory_new = true;
        &mut self.memory
    }

    /// Changes a place in storage at the end of the step.
    pub(super) fn write(&mut self, slot: Slot, text: Option<String>) {
        self.writer.write(slot, text);
    }

    /// Keeps a position; it may be sent once it is in storage.
    pub(super) fn keep_fix(&mut self, time_ms: i64, text: String) {
        self.writer.pending.fixes_ms.push(time_ms);
        self.write(Slot::Fix(time_ms), Some(text));
    }

    /// Keeps what the courier did, so that it survives a dead battery; it may be sent once it is in storage.
    pub(super) fn keep_action(&mut self, id: u64, text: String) {
        self.writer.pending.actions.push(id);
        self.write(Slot::Action(id), Some(text));
        self.be_strict();
    }

    /// Makes this step's commit wait until it survives a dead battery.
    pub(super) fn be_strict(&mut self) {
        self.is_strict = true;
    }

    /// The browser keeps nothing: memory has to do.
    pub(super) fn give_up(&mut self) {
        (self.is_loaded, self.writer.is_impossible) = (true, true);
    }

    /// When writing again is due.
    pub(super) fn wake_ms(&self) -> Option<f64> {
        self.writer.wake_ms()
    }

    /// Begins with an empty memory and forgets what is on its way to storage.
    pub(super) fn clear(&mut self) {
        self.writer.forget();
        (self.memory, self.is_memory_new) = (Memory::default(), false);
    }
}

impl Engine {
    /// Writes what this step changed, as one commit.
    pub(super) fn flush(&mut self, at: Moment) {
        if std::mem::take(&mut self.storage.is_memory_new) {
            let text = encode_json(&self.storage.memory);
            self.storage.write(Slot::Memory, Some(text));
        }
        let is_strict = std::mem::take(&mut self.storage.is_strict);
        let (commit, kept) = self.storage.writer.flush(is_strict);
        self.out.extend(commit);
        if let Some(kept) = kept {
            self.mark_kept(&kept);
            self.write_again(at);
        }
    }

    pub(super) fn committed(&mut self, at: Moment, number: u64, is_kept: bool) {
        let Some((kept, outcome)) = self.storage.writer.committed(at, number, is_kept) else { return };
        match outcome {
            Outcome::Written => {}
            Outcome::Failed => self.screens.notify(Tone::Warn, notices::storage_full()),
            Outcome::Recovered => self.screens.notices.retain(|notice| notice.text != notices::storage_full()),
        }
        self.mark_kept(&kept);
    }

    /// Tries what failed once more, when it is due.
    fn write_again(&mut self, at: Moment) {
        if self.storage.wake_ms().is_some_and(|due_ms| due_ms <= at.now_ms) {
            let owed = self.storage.writer.owed().map(|slot| Write { slot, text: self.text_of(slot) }).collect();
            self.out.push(self.storage.writer.retry(owed));
        }
    }

    /// What should stand in a place in storage. Photos are only deleted from here.
    fn text_of(&self, slot: Slot) -> Option<String> {
        match slot {
            Slot::Fix(time_ms) => self.uploads.fixes.get(time_ms).map(encode_json),
            Slot::Action(id) => self.uploads.actions.iter().find(|action| action.id == id).map(encode_json),
            Slot::Photo(_) => None,
            Slot::Memory => Some(encode_json(&self.storage.memory)),
        }
    }

    fn mark_kept(&mut self, kept: &Kept) {
        self.uploads.fixes.written(&kept.fixes_ms);
        self.uploads.actions.written(&kept.actions);
    }
}
