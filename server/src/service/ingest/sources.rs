//! The numbers of the sources that report to this server, so that the database is asked once for each.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::store::{
    Store, StoreError,
    fix_sources::{FixSource, SourceNumber},
};

/// Numbers in memory, about 6 MB of them. Overflow policy: all are forgotten, and asked for again.
const MAX_KNOWN: usize = 65_536;

/// Known numbers. Shared by reference.
#[derive(Debug)]
pub struct Sources {
    store: Store,
    known: Mutex<HashMap<FixSource, SourceNumber>>,
}

impl Sources {
    /// Knows none yet.
    pub fn new(store: Store) -> Self {
        Self { store, known: Mutex::default() }
    }

    /// A source's number.
    ///
    /// # Errors
    /// When the database is away and the source is not known here.
    pub async fn number(&self, source: FixSource) -> Result<SourceNumber, StoreError> {
        if let Some(number) = self.known(source) {
            return Ok(number);
        }
        let number = self.store.fix_source(source).await?;
        if number == SourceNumber::default() {
            // One may become free.
            return Ok(number);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(source, number);
        Ok(number)
    }

    fn known(&self, source: FixSource) -> Option<SourceNumber> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&source).copied()
    }
}
