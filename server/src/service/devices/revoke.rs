//! Ends what a device may do, for dispatch or for the courier, and notes why the courier's position stops.
//!
//! The database changes first and sockets close second; a socket checks its credentials once more after it is
//! registered, so neither order lets one slip through.

use doorstep_shared::{CourierId, DeviceId, protocol::PresenceReason};

use super::Devices;
use crate::{
    domain::order::Actor,
    live::broker::Fact,
    platform::{
        security::{Kind, SecurityEvent},
        token::SecretHash,
    },
    store::StoreError,
};

impl Devices {
    /// Revokes a device: its token, sessions and sign-in links stop working and its sockets are closed. Repeating it
    /// changes nothing. `false` when the courier has no such device.
    ///
    /// If no other device reports the courier's position, customers and dispatchers read that it is no longer allowed.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn revoke(&self, courier: CourierId, device: DeviceId) -> Result<bool, StoreError> {
        let Some(found) = self.store.revoke_device(courier, device, self.clock.now()).await? else { return Ok(false) };
        let closed = self.close_revoked(courier, device);
        if found.was_valid {
            let revoked = SecurityEvent::new(Kind::DeviceRevoked).by(Actor::Courier(courier)).about(device);
            revoked.because("revoked").counting(closed as u64).log();
            // A device that was never used shared nothing.
            if found.was_seen || closed > 0 || self.sightings.last(device).is_some() {
                self.stop_sharing(courier, device, PresenceReason::NoPermission).await?;
            }
        }
        Ok(true)
    }

    /// Closes the sockets of a device that was revoked, on every instance. Returns how many there were, as far as known.
    pub(super) fn close_revoked(&self, courier: CourierId, device: DeviceId) -> usize {
        let mut closed = self.connections.close_device(courier, device);
        if self.broker.has_peers() {
            closed += usize::from(self.watching.has_device(courier, device));
            self.broker.tell(Fact::DeviceRevoked { courier, device });
        }
        closed
    }

    /// Signs a browser out: ends its session and closes the sockets that it opened. Does nothing when the session is
    /// over already.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn sign_out(&self, session: &SecretHash) -> Result<(), StoreError> {
        let Some((courier, device)) = self.store.end_courier_session(session).await? else { return Ok(()) };
        self.close_sessions(courier, vec![*session]);
        let ended = SecurityEvent::new(Kind::SessionEnded).by(Actor::Courier(courier)).about(device);
        ended.because("signed_out").log();
        self.stop_sharing(courier, device, PresenceReason::User).await
    }

    /// Closes the sockets of a courier's sessions, on every instance.
    pub(super) fn close_sessions(&self, courier: CourierId, sessions: Vec<SecretHash>) {
        self.connections.close_sessions(courier, &sessions);
        if self.broker.has_peers() {
            self.broker.tell(Fact::SessionsEnded { courier, sessions });
        }
    }

    /// Notes that a courier's position is not shared any more, unless another device shares it, or the courier went off
    /// duty before, which says more.
    ///
    /// # Errors
    /// When the database is away.
    pub(super) async fn stop_sharing(
        &self,
        courier: CourierId,
        without: DeviceId,
        reason: PresenceReason,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let is_connected_elsewhere = self.watching.has_other_device(courier, without);
        let is_connected = is_connected_elsewhere || self.connections.has_other_device(courier, without);
        if is_connected || self.sightings.has_other_tracker(courier, without, now) {
            return Ok(());
        }
        self.presences.pause(courier, reason).await
    }
}
