//! A version for every change of the fleet, and what changed last at which version.
//!
//! Every courier and order stands at the version of its newest change and nowhere else, so the journal never grows
//! beyond the fleet itself, however often couriers move.

use std::{
    collections::BTreeMap,
    ops::{Bound, RangeInclusive},
};

use doorstep_shared::OrderId;

/// The versions. The first change has version 1.
#[derive(Debug, Default)]
pub(super) struct Journal {
    version: u64,
    moves: BTreeMap<u64, u32>,
    /// The version at which each courier moved last, by number; 0 for none.
    moved_at: Vec<u64>,
    changes: BTreeMap<u64, Changed>,
    /// The version at which each courier otherwise changed last, by number; 0 for none.
    changed_at: Vec<u64>,
    forgotten: u64,
}

/// What changed, other than a position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Changed {
    Courier(u32),
    Order(OrderId),
    Alert,
}

impl Journal {
    /// The version of the newest change.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// The newest version that was forgotten.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Makes everything until now known to all readers, who begin with a snapshot.
    pub(super) fn begin_here(&mut self) {
        self.changes.clear();
    }

    /// A courier moved.
    pub(super) fn note_moved(&mut self, number: u32) {
        let version = self.next_version();
        let before = std::mem::replace(slot(&mut self.moved_at, number), version);
        self.moves.remove(&before);
        self.moves.insert(version, number);
    }

    /// A courier changed otherwise.
    pub(super) fn note_courier(&mut self, number: u32) {
        let version = self.next_version();
        let before = std::mem::replace(slot(&mut self.changed_at, number), version);
        self.changes.remove(&before);
        self.changes.insert(version, Changed::Courier(number));
    }

    /// An order changed that stood at the version `before`. Returns where it stands now.
    pub(super) fn note_order(&mut self, order: OrderId, before: Option<u64>) -> u64 {
        if let Some(before) = before {
            self.changes.remove(&before);
        }
        let version = self.next_version();
        self.changes.insert(version, Changed::Order(order));
        version
    }

    /// An alert was raised. Returns where it stands.
    pub(super) fn note_alert(&mut self) -> u64 {
        let version = self.next_version();
        self.changes.insert(version, Changed::Alert);
        version
    }

    /// Forgets the change of a version: a reader that has not heard of it must begin again.
    pub(super) fn forget(&mut self, version: u64) {
        self.changes.remove(&version);
        self.forgotten = self.forgotten.max(version);
    }

    /// What changed after `version`, oldest first.
    pub(super) fn changes_since(&self, version: u64) -> impl Iterator<Item = (u64, Changed)> {
        let after = (Bound::Excluded(version), Bound::Unbounded);
        self.changes.range(after).map(|(version, changed)| (*version, *changed))
    }

    /// The couriers who moved last at one of these versions.
    pub(super) fn movers(&self, versions: RangeInclusive<u64>) -> impl Iterator<Item = u32> {
        let is_any = versions.start() <= versions.end();
        let range = is_any.then(|| self.moves.range(versions).map(|(_, number)| *number));
        range.into_iter().flatten()
    }

    #[cfg(test)]
    pub(super) fn changes(&self) -> usize {
        self.changes.len()
    }

    fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }
}

fn slot(versions: &mut Vec<u64>, number: u32) -> &mut u64 {
    let index = number as usize;
    if versions.len() <= index {
        versions.resize(index + 1, 0);
    }
    &mut versions[index]
}
