//! Whether this instance wants traffic: the database answers, and no shutdown has begun.

use std::{
    future::pending,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use tokio::sync::watch;

/// What readiness knows without asking the database.
#[derive(Debug, Default)]
pub struct Readiness {
    database: AtomicBool,
    draining: AtomicBool,
    /// Since when the database has not answered; `None` while it answers.
    silent_since: watch::Sender<Option<Instant>>,
}

impl Readiness {
    /// Notes whether the database answered.
    pub fn set_database(&self, answers: bool) {
        self.silent_since.send_if_modified(|since| {
            let was_silent = since.is_some();
            *since = if answers { None } else { since.or_else(|| Some(Instant::now())) };
            was_silent == answers
        });
        if self.database.swap(answers, Ordering::AcqRel) != answers {
            match answers {
                true => tracing::info!("the database answers"),
                false => tracing::warn!("the database does not answer"),
            }
        }
    }

    /// Resolves when the database has not answered for `patience`, counted from now at the earliest.
    ///
    /// # Cancel safety
    /// Dropping the future does nothing.
    pub async fn database_is_silent_for(&self, patience: Duration) {
        let (began, mut silent_since) = (Instant::now(), self.silent_since.subscribe());
        loop {
            let since = match silent_since.wait_for(Option::is_some).await {
                Ok(since) => since.map_or(began, |since| since.max(began)),
                Err(_) => pending().await,
            };
            tokio::select! {
                () = tokio::time::sleep_until((since + patience).into()) => return,
                _ = silent_since.wait_for(Option::is_none) => {}
            }
        }
    }

    /// Whether the database answered when it was last asked.
    pub fn has_database(&self) -> bool {
        self.database.load(Ordering::Acquire)
    }

    /// Whether this instance wants no new work.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// From now on this instance wants no new work.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }
}
