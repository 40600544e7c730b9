//! What the reports of trackers say of their clocks, from report to report.
//!
//! What was learned is in the database, with the device; the comparison that leads to it may be lost.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use doorstep_shared::DeviceId;

use crate::{
    domain::track::device_clock::ClockComparison,
    store::{Store, StoreError, couriers::SignedInDevice},
};

/// Devices that are compared at a time, about 20 MB of them. Overflow policy: all comparisons begin anew.
const MAX_COMPARED: usize = 65_536;

/// Comparisons of clocks. Shared by reference.
#[derive(Debug)]
pub struct Clocks {
    store: Store,
    compared: Mutex<HashMap<DeviceId, ClockComparison>>,
}

impl Clocks {
    /// Knows nothing yet.
    pub fn new(store: Store) -> Self {
        Self { store, compared: Mutex::default() }
    }

    /// How far a device's clock is believed to be ahead, in milliseconds, now that a report came at `received_ms` whose
    /// newest reading is of `raw_ms` by that clock. Readings older than `oldest_ms` are not kept.
    ///
    /// # Errors
    /// When the database is away, and something new was learned.
    pub async fn ahead_ms(
        &self,
        from: &SignedInDevice,
        raw_ms: i64,
        received_ms: i64,
        oldest_ms: i64,
    ) -> Result<i64, StoreError> {
        let believed_ms = from.clock_ahead_ms;
        let Some(found_ms) = self.compare(from.device, raw_ms, received_ms, (believed_ms, oldest_ms)) else {
            return Ok(believed_ms);
        };
        self.store.set_device_clock(from.device, found_ms).await?;
        metrics::counter!("doorstep_device_clocks_learned_total").increment(1);
        tracing::info!(device.id = %from.device, ahead_ms = found_ms, "a device's clock was compared with ours");
        Ok(found_ms)
    }

    fn compare(
        &self,
        device: DeviceId,
        raw_ms: i64,
        received_ms: i64,
        (believed_ms, oldest_ms): (i64, i64),
    ) -> Option<i64> {
        let mut compared = self.compared.lock().unwrap_or_else(PoisonError::into_inner);
        if compared.len() >= MAX_COMPARED && !compared.contains_key(&device) {
            compared.clear();
        }
        compared.entry(device).or_default().observe(raw_ms, received_ms, believed_ms, oldest_ms)
    }
}
