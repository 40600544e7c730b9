//! Looks after connected devices: writes down that they are there, and closes those that should not be.
//!
//! Revoking and signing out close sockets themselves, at once. This is for what nobody does: a session that reaches
//! its end, and whatever was changed through another instance. A socket outlives its credentials by at most one round.

use std::{collections::HashSet, time::Duration};

use actix_web::web::Data;
use doorstep_shared::{DeviceId, protocol::PresenceReason};

use super::revoke::stop_sharing;
use crate::{
    app::AppState,
    auth::courier::LIFETIME,
    store::{StoreError, courier_sessions::SecretHash, devices::DeviceClient},
    ws::registry::ConnectedDevice,
};

/// The contract is that a socket outlives its session by a minute at most.
const EVERY: Duration = Duration::from_secs(30);

/// Runs until it is dropped.
pub async fn watch(app: Data<AppState>) {
    let mut clock = tokio::time::interval(EVERY);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        if let Err(error) = round(&app).await {
            tracing::warn!(error = %error, "devices could not be looked after; trying again soon");
        }
    }
}

/// One round: sightings of connected devices are noted and written, and sockets without credentials closed.
///
/// # Errors
/// When the database is away; nobody is disconnected then.
pub async fn round(app: &AppState) -> Result<(), StoreError> {
    let now = app.clock.now();
    let connected = close_invalid(app, app.sockets.connected_devices()).await?;
    for device in &connected {
        let client = DeviceClient::of_courier(device.session.is_some());
        app.sightings.note(device.courier, device.device, client, now);
    }
    let sessions: Vec<SecretHash> = connected.iter().filter_map(|device| device.session).collect();
    if !sessions.is_empty() {
        app.store.touch_courier_sessions(&sessions, now).await?;
    }
    let sightings = app.sightings.unwritten();
    if !sightings.is_empty() {
        app.store.note_sightings(&sightings).await?;
    }
    app.sightings.written(&sightings, now);
    Ok(())
}

/// Closes what may not be connected any more, tells whoever watches why nothing comes, and returns the others.
async fn close_invalid(app: &AppState, connected: Vec<ConnectedDevice>) -> Result<Vec<ConnectedDevice>, StoreError> {
    if connected.is_empty() {
        return Ok(connected);
    }
    let devices: Vec<DeviceId> = connected.iter().map(|device| device.device).collect();
    let sessions: Vec<SecretHash> = connected.iter().filter_map(|device| device.session).collect();
    let (devices, sessions) = app.store.still_valid(&devices, &sessions, app.clock.now(), LIFETIME).await?;
    let (devices, sessions): (HashSet<_>, HashSet<_>) = (devices.into_iter().collect(), sessions.into_iter().collect());
    let is_valid = |connected: &ConnectedDevice| {
        devices.contains(&connected.device) && connected.session.is_none_or(|session| sessions.contains(&session))
    };
    let (valid, invalid): (Vec<_>, Vec<_>) = connected.into_iter().partition(is_valid);
    for ConnectedDevice { courier, device, session } in invalid {
        tracing::info!(courier.id = %courier, device.id = %device, "a device's credentials are over");
        match session.filter(|_| devices.contains(&device)) {
            Some(session) => app.sockets.close_sessions(courier, &[session]),
            None => app.sockets.close_device(courier, device),
        };
        stop_sharing(app, courier, device, PresenceReason::NoPermission).await?;
    }
    Ok(valid)
}
