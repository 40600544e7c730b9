//! The one entry for fixes of every protocol.
//!
//! Decoders turn what a client sent into [`RawFix`]es. [`Ingest::accept`] checks them, shows the newest live at once,
//! and stores them; its future resolves when they are committed. Couriers' sockets and the ingest endpoints call it.

pub mod clocks;
pub mod decode;
pub mod osmand;
pub mod overland;
pub mod owntracks;
mod reports;
pub mod row_limit;
pub mod sources;
pub mod validate;

use std::sync::Arc;

use doorstep_shared::{CourierId, DeviceId, Fix, RawFix, Rejection, protocol::courier::RejectedFix};
use futures_util::{FutureExt, future::BoxFuture};

use self::{
    clocks::Clocks,
    row_limit::{RowAllowance, RowLimits},
    sources::Sources,
    validate::{Checked, Limits},
};
use crate::{
    live::tracker::Tracker,
    platform::clock::Clock,
    service::{
        devices::rejections::{Outcome, Rejections},
        orders::plans::Plans,
        presence::Presences,
    },
    store::{
        Store, StoreError,
        couriers::SignedInDevice,
        fix_sources::{FixSource, SourceNumber},
        fix_writer::{AppendError, FixWriter},
    },
};

/// The outcome of a batch of readings.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// New and committed.
    pub stored: u32,
    /// Stored before.
    pub duplicates: u32,
    /// Refused; a repeat would be refused, too.
    pub rejected: Vec<RejectedFix>,
}

/// What readings are to the live view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tense {
    /// Where the device is, or was when it could not send it.
    Live,
    /// Where it was at a time before, of which it tells now.
    Past,
}

/// Where a batch comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// Whose device.
    courier: CourierId,
    /// The device.
    device: DeviceId,
    /// Its number among the courier's sources of fixes.
    source: SourceNumber,
    /// Whether the database has it as one whose reports are all rejected.
    is_rejected: bool,
}

/// Accepts fixes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ingest {
    plans: Arc<Plans>,
    tracker: Arc<Tracker>,
    presences: Arc<Presences>,
    fix_writer: FixWriter,
    sources: Arc<Sources>,
    clocks: Arc<Clocks>,
    rejections: Arc<Rejections>,
    clock: Clock,
    limits: Limits,
    rows: Arc<RowLimits>,
}

/// A batch that was checked and shown, and is not stored yet.
struct Taken {
    checked: Checked,
    /// Writes that a pause is over. Boxed, because few batches have one, and room for it would be in every batch.
    resuming: Option<BoxFuture<'static, Result<(), StoreError>>>,
}

impl Ingest {
    /// An entry to this live view and this writer.
    pub fn new(
        plans: Arc<Plans>,
        tracker: Arc<Tracker>,
        presences: Arc<Presences>,
        fix_writer: FixWriter,
        (store, clock, limits): (&Store, Clock, Limits),
        rejections: Arc<Rejections>,
    ) -> Self {
        let sources = Arc::new(Sources::new(store.clone()));
        let clocks = Arc::new(Clocks::new(store.clone()));
        let rows = Arc::default();
        Self { plans, tracker, presences, fix_writer, sources, clocks, rejections, clock, limits, rows }
    }

    /// How many fixes of a courier may come: to be asked before more are read, and told what came.
    pub fn rows_of(&self, courier: CourierId) -> Arc<RowAllowance> {
        self.rows.of(courier)
    }

    /// Forgets couriers who sent little lately.
    pub fn forget_idle(&self) {
        self.rows.forget_idle();
    }

    /// A device as the origin of batches whose times are by a clock that was `ahead_ms` ahead.
    ///
    /// # Errors
    /// When the database is away and this server does not know the source yet.
    pub async fn origin(&self, from: &SignedInDevice, ahead_ms: i64, tense: Tense) -> Result<Origin, StoreError> {
        let (courier, device, is_past) = (from.courier.id, from.device, tense == Tense::Past);
        let source = FixSource { courier, device, clock_ahead_ms: ahead_ms, is_past };
        let source = self.sources.number(source).await?;
        Ok(Origin { courier, device, source, is_rejected: from.is_rejected })
    }

    /// Checks a batch, shows it live, and returns a future for the database's part. The first half is done when this
    /// returns, so a courier's messages become visible in the order in which they came; only for a courier whom the
    /// live view does not know, the future reads the database first. Only one of a courier's devices moves the marker,
    /// but all fixes are stored. A fix recorded after a pause ends the pause. What is told of the past is stored alone.
    pub fn accept(
        &self,
        origin: Origin,
        tense: Tense,
        raw: &[RawFix],
    ) -> impl Future<Output = Result<Receipt, AppendError>> + use<> {
        metrics::counter!("doorstep_fixes_received_total").increment(raw.len() as u64);
        let courier = origin.courier;
        let is_known = self.tracker.keep(courier, self.clock.now_ms());
        // Presence and time off must be known first, or fixes recorded off duty would be accepted.
        let now_or_later = if is_known { Ok(self.take_in(origin, tense, raw)) } else { Err(raw.to_vec()) };
        let (door, received_at) = (self.clone(), self.clock.now());
        async move {
            let taken = match now_or_later {
                Ok(taken) => taken,
                Err(raw) => {
                    door.load(courier).await?;
                    door.take_in(origin, tense, &raw)
                }
            };
            if let Some(resuming) = taken.resuming
                && let Err(error) = resuming.await
            {
                tracing::warn!(courier.id = %courier, error = %error, "a presence could not be stored");
            }
            let Checked { fixes, rejected } = taken.checked;
            let stored = door.fix_writer.append((courier, origin.source), received_at, fixes).await?;
            Ok(Receipt { stored: stored.stored, duplicates: stored.duplicates, rejected })
        }
    }

    async fn load(&self, courier: CourierId) -> Result<(), AppendError> {
        self.plans.load(courier).await.map_err(|error| {
            tracing::warn!(courier.id = %courier, error = %error, "could not load a courier into the live view");
            AppendError::NotStored
        })
    }

    fn take_in(&self, origin: Origin, tense: Tense, raw: &[RawFix]) -> Taken {
        let Origin { courier, device, .. } = origin;
        let now_ms = self.clock.now_ms();
        let off_duty = self.tracker.off_duty(courier);
        let checked = validate::validate(raw, &self.limits, now_ms, &off_duty);
        for rejected in &checked.rejected {
            metrics::counter!("doorstep_fixes_rejected_total", "code" => rejected.code.code()).increment(1);
        }
        if tense == Tense::Past {
            self.tracker.note_heard(courier, now_ms);
            return Taken { checked, resuming: None };
        }
        self.note_outcome(origin, &checked);
        let newest_ms = checked.fixes.iter().map(Fix::recorded_at_ms).max();
        let resuming = newest_ms.and_then(|newest_ms| self.presences.resume(courier, newest_ms).map(FutureExt::boxed));
        if !checked.fixes.is_empty() {
            // The next position replaces a lost one, so the live view does not wait for the database.
            self.tracker.apply(courier, device, &checked.fixes, now_ms);
        }
        Taken { checked, resuming }
    }

    /// A fix that was recorded off duty is rejected as it should be, and says nothing of its device.
    fn note_outcome(&self, origin: Origin, checked: &Checked) {
        let codes = checked.rejected.iter().map(|rejected| rejected.code);
        let wrong: Vec<_> = codes.filter(|code| *code != Rejection::OffDuty).collect();
        let outcome = Outcome {
            is_taken: !checked.fixes.is_empty(),
            rejected: wrong.len() as u32,
            code: wrong.last().map(|code| code.code()),
        };
        self.rejections.note(origin.device, outcome, origin.is_rejected, self.clock.now());
    }
}
