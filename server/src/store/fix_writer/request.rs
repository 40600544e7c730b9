//! One caller's rows on their way to a writer, and the outcome.
//!
//! Every request gets exactly one answer.

use chrono::{DateTime, Utc};
use doorstep_shared::Fix;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::store::fix_sources::SourceNumber;

/// The outcome of a caller's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// New rows.
    pub stored: u32,
    /// Rows that were there already.
    pub duplicates: u32,
}

/// Why rows were not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Too many rows wait already, of this courier or in all; the caller should answer "retry later".
    #[error("the queue of fixes to store is full")]
    Full,
    /// The server is shutting down, or the database refused these rows; nothing was acked.
    #[error("the fixes could not be stored")]
    NotStored,
}

#[derive(Debug)]
pub(super) struct Append {
    pub(super) courier: Uuid,
    pub(super) source: SourceNumber,
    pub(super) received_at: DateTime<Utc>,
    pub(super) fixes: Vec<Fix>,
    pub(super) done: oneshot::Sender<Result<Stored, AppendError>>,
}
