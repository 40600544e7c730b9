//! Watches connected devices: writes down that they are connected, and closes those whose credentials ended.
//!
//! Revoking and signing out close connections at once and by themselves. This task covers what no request does: a
//! session that reaches its end, and a change made through another instance. A connection outlives its credentials by
//! one round at most.

use std::{collections::HashSet, time::Duration};

use doorstep_shared::{DeviceId, protocol::PresenceReason};

use super::{Devices, SESSION_LIFETIME};
use crate::{
    domain::order::Actor,
    live::connections::ConnectedDevice,
    platform::{
        security::{Kind, SecurityEvent},
        token::SecretHash,
    },
    store::{StoreError, devices::DeviceClient},
};

/// A socket must not outlive its session by more than a minute.
const EVERY: Duration = Duration::from_secs(30);

impl Devices {
    /// Runs until it is dropped.
    pub async fn watch_credentials(&self) {
        let mut clock = tokio::time::interval(EVERY);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            clock.tick().await;
            if let Err(error) = self.check_connected().await {
                tracing::warn!(error = %error, "could not check connected devices; trying again soon");
            }
        }
    }

    /// One round: writes sightings of connected devices, and closes sockets without credentials.
    ///
    /// # Errors
    /// When the database is away; no socket is closed then.
    pub async fn check_connected(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let connected = self.close_invalid(self.connections.connected_devices()).await?;
        for device in &connected {
            let client = DeviceClient::of_courier(device.session.is_some());
            self.sightings.note(device.courier, device.device, client, now);
        }
        let sessions: Vec<SecretHash> = connected.iter().filter_map(|device| device.session).collect();
        if !sessions.is_empty() {
            self.store.touch_courier_sessions(&sessions, now).await?;
        }
        let sightings = self.sightings.unwritten();
        if !sightings.is_empty() {
            self.store.note_sightings(&sightings).await?;
        }
        self.sightings.written(&sightings, now);
        Ok(())
    }

    /// Closes sockets whose credentials ended, notes for viewers and dispatchers why positions stop, and returns the
    /// other devices.
    async fn close_invalid(&self, connected: Vec<ConnectedDevice>) -> Result<Vec<ConnectedDevice>, StoreError> {
        if connected.is_empty() {
            return Ok(connected);
        }
        let devices: Vec<DeviceId> = connected.iter().map(|device| device.device).collect();
        let sessions: Vec<SecretHash> = connected.iter().filter_map(|device| device.session).collect();
        let (devices, sessions) =
            self.store.still_valid(&devices, &sessions, self.clock.now(), SESSION_LIFETIME).await?;
        let (devices, sessions): (HashSet<_>, HashSet<_>) =
            (devices.into_iter().collect(), sessions.into_iter().collect());
        let is_valid = |connected: &ConnectedDevice| {
            devices.contains(&connected.device) && connected.session.is_none_or(|session| sessions.contains(&session))
        };
        let (valid, invalid): (Vec<_>, Vec<_>) = connected.into_iter().partition(is_valid);
        for ConnectedDevice { courier, device, session } in invalid {
            let ended = SecurityEvent::new(Kind::SessionEnded).by(Actor::Courier(courier)).about(device);
            ended.because("credential_ended").log();
            match session.filter(|_| devices.contains(&device)) {
                Some(session) => self.connections.close_sessions(courier, &[session]),
                None => self.connections.close_device(courier, device),
            };
            self.stop_sharing(courier, device, PresenceReason::NoPermission).await?;
        }
        Ok(valid)
    }
}
