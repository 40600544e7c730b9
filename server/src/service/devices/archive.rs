//! Archives a courier: whatever their devices may do ends with it.
//!
//! The database changes first and sockets close second, as for one device (`revoke`). Dispatchers hear that the courier
//! left the fleet.

use doorstep_shared::{CourierId, protocol::PresenceReason};

use super::Devices;
use crate::{
    domain::fleet::FleetChange,
    store::{
        StoreError,
        courier_archive::{Archiving, RevokedDevice},
    },
};

/// Why a courier was not archived.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// There is no such courier.
    #[error("there is no such courier")]
    UnknownCourier,
    /// They have this many orders that are open, or whose goods are on board.
    #[error("the courier has {0} open orders")]
    HasOpenOrders(u32),
    /// The database is away.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Devices {
    /// After a courier was erased, perhaps by another process: closes what their devices have open here, and takes them out
    /// of the fleet.
    pub fn forget_courier(&self, courier: CourierId) {
        self.connections.close_courier(courier);
        self.broker.publish_fleet(FleetChange::Left(courier));
    }

    /// Archives a courier. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`ArchiveError`]; nothing was changed unless the database went away after the change, and repeating it does the
    /// rest then.
    pub async fn archive(&self, courier: CourierId) -> Result<(), ArchiveError> {
        let revoked = match self.store.archive_courier(courier, self.clock.now()).await? {
            None => return Err(ArchiveError::UnknownCourier),
            Some(Archiving::HasOpenOrders(open)) => return Err(ArchiveError::HasOpenOrders(open)),
            Some(Archiving::Archived(revoked)) => revoked,
        };
        tracing::info!(courier.id = %courier, devices = revoked.len(), "a courier was archived");
        for RevokedDevice { device, was_seen } in revoked {
            let closed = self.close_revoked(courier, device);
            if was_seen || closed > 0 || self.sightings.last(device).is_some() {
                self.stop_sharing(courier, device, PresenceReason::NoPermission).await?;
            }
        }
        // Last, so that no presence brings the courier back.
        self.broker.publish_fleet(FleetChange::Left(courier));
        Ok(())
    }
}
