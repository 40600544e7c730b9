//! What one request of a tracker goes through: its clock is compared and its times are put right, then its points are
//! taken in like those of any client.
//!
//! The raw time of a corrected fix stays known: its source says what was taken from it.

use std::borrow::Cow;

use doorstep_shared::{RawFix, protocol::courier::MAX_FIXES};
use futures_util::future::try_join_all;

use super::{Ingest, Tense, decode::Decoded};
use crate::{
    domain::track::device_clock::ahead_of_reading_ms,
    service::devices::rejections::{Outcome, UNREADABLE},
    store::{StoreError, couriers::SignedInDevice, fix_writer::AppendError},
};

impl Ingest {
    /// Shows and stores what a tracker reported at `received_ms`; returns when it is committed. A reading of exactly that
    /// time had none of its own.
    ///
    /// # Errors
    /// [`AppendError`] when it could not be stored now; the device should send it again.
    pub async fn accept_report(
        &self,
        from: &SignedInDevice,
        decoded: &Decoded,
        received_ms: i64,
    ) -> Result<(), AppendError> {
        self.count(decoded);
        if !decoded.has_readable() {
            self.note_unreadable(from, decoded);
            return Ok(());
        }
        self.load(from.courier.id).await?;
        if decoded.without_position > 0 {
            self.tracker.note_heard(from.courier.id, self.clock.now_ms());
        }
        let believed_ms = self.believed_ahead_ms(from, &decoded.fixes, received_ms).await.map_err(not_stored)?;
        let mut accepted = Vec::new();
        for (tense, fixes) in [(Tense::Live, &decoded.fixes), (Tense::Past, &decoded.past)] {
            for (ahead_ms, dated) in self.dated(fixes, believed_ms, received_ms) {
                let origin = self.origin(from, ahead_ms, tense).await.map_err(not_stored)?;
                // In pieces as large as a message of our own courier app, which is what the writer is made for.
                accepted.extend(dated.chunks(MAX_FIXES).map(|piece| self.accept(origin, tense, piece)));
            }
        }
        try_join_all(accepted).await.map(drop)
    }

    fn note_unreadable(&self, from: &SignedInDevice, decoded: &Decoded) {
        if decoded.unreadable > 0 {
            let outcome = Outcome { is_taken: false, rejected: decoded.unreadable, code: Some(UNREADABLE) };
            self.rejections.note(from.device, outcome, from.is_rejected, self.clock.now());
        }
    }

    /// The newest reading says how far the clock is: it was taken just before it came, if any was.
    async fn believed_ahead_ms(
        &self,
        from: &SignedInDevice,
        fixes: &[RawFix],
        received_ms: i64,
    ) -> Result<i64, StoreError> {
        let by_its_clock = fixes.iter().map(|fix| fix.time_ms).filter(|time_ms| *time_ms != received_ms);
        match by_its_clock.max() {
            Some(raw_ms) => self.clocks.ahead_ms(from, raw_ms, received_ms, self.limits.retention_ms).await,
            None => Ok(from.clock_ahead_ms),
        }
    }

    /// The readings by our clock, apart for each of what was taken from their times.
    fn dated<'a>(&self, fixes: &'a [RawFix], believed_ms: i64, received_ms: i64) -> Vec<(i64, Cow<'a, [RawFix]>)> {
        if fixes.is_empty() {
            return Vec::new();
        }
        if believed_ms == 0 {
            return vec![(0, Cow::Borrowed(fixes))];
        }
        let ahead_ms = |fix: &RawFix| match fix.time_ms == received_ms {
            true => 0,
            false => ahead_of_reading_ms(fix.time_ms, believed_ms, received_ms, self.limits.retention_ms),
        };
        let (right, wrong): (Vec<RawFix>, Vec<RawFix>) = fixes.iter().cloned().partition(|fix| ahead_ms(fix) == 0);
        let corrected = |fix: RawFix| RawFix { time_ms: fix.time_ms.saturating_sub(believed_ms), ..fix };
        let wrong = wrong.into_iter().map(corrected).collect();
        let apart: [(i64, Cow<'a, [RawFix]>); 2] = [(0, Cow::Owned(right)), (believed_ms, Cow::Owned(wrong))];
        apart.into_iter().filter(|(_, fixes)| !fixes.is_empty()).collect()
    }
}

fn not_stored(error: StoreError) -> AppendError {
    tracing::warn!(error = %error, "what a tracker's report needs could not be read");
    AppendError::NotStored
}
