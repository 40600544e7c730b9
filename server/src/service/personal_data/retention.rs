//! Ends what is due. Housekeeping calls this every ten minutes, on every instance; two at once do no harm.

use chrono::{DateTime, TimeDelta, Utc};

use super::{ORDERS_AT_ONCE, PAUSE, PersonError, PersonalData};
use crate::store::personal_data::erase::Reason;

/// Batches of one round: a database that was never tidied gets there within hours, and no round lasts until the next.
const MOST_BATCHES: u32 = 500;

/// What a courier's phone had on its way when they were erased comes within moments; a day outlasts an outage.
const LATE_FIXES: TimeDelta = TimeDelta::days(1);

impl PersonalData {
    /// Takes what is personal out of orders to which nothing happened since `before`, with their proofs. Returns how many.
    ///
    /// # Errors
    /// When the database or the disk fails; the next round goes on.
    pub async fn end_expired(&self, before: DateTime<Utc>) -> Result<u64, PersonError> {
        let mut ended = 0;
        for _ in 0..MOST_BATCHES {
            let orders = self.store.orders_to_erase(before, ORDERS_AT_ONCE).await?;
            if orders.is_empty() {
                break;
            }
            let erased = self.store.erase_orders(&orders, Reason::Age, self.clock.now()).await?;
            self.delete_pictures(&erased.pictures).await?;
            ended += orders.len() as u64;
            metrics::counter!("doorstep_orders_erased_total").increment(orders.len() as u64);
            tokio::time::sleep(PAUSE).await;
        }
        Ok(ended)
    }

    /// Deletes what came from phones of erased couriers after they were erased, and devices that were revoked before
    /// `devices_before`.
    ///
    /// # Errors
    /// When the database is away; the next round goes on.
    pub async fn end_leftovers(&self, devices_before: DateTime<Utc>) -> Result<(), PersonError> {
        for courier in self.store.couriers_erased_since(self.clock.now() - LATE_FIXES).await? {
            self.erase_fixes(courier).await?;
        }
        self.store.forget_revoked_devices(devices_before, ORDERS_AT_ONCE).await?;
        Ok(())
    }
}
