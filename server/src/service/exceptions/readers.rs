//! Which people read the list of exceptions lately, so that the access log has one entry for many requests.
//!
//! Kept in memory: after a restart one more entry is made.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use doorstep_shared::UserId;

/// A console asks for the list again and again. One entry of the access log stands for this long.
const ENTRY_LASTS_MS: i64 = 10 * 60_000;

/// When each person's last entry was made.
#[derive(Debug, Default)]
pub(super) struct Readers(Mutex<HashMap<UserId, i64>>);

impl Readers {
    /// Whether a person who reads at `now_ms` needs a new entry. They have one then.
    pub(super) fn is_new(&self, by: UserId, now_ms: i64) -> bool {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, at_ms| now_ms.saturating_sub(*at_ms) < ENTRY_LASTS_MS);
        if entries.contains_key(&by) {
            return false;
        }
        entries.insert(by, now_ms);
        true
    }
}
