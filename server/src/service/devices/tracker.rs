//! Adds a device for another app that reports a courier's position, in place of the courier's earlier device for that
//! app.
//!
//! The answer holds the device's token once, as a link and as settings; see [`super::tracker_setup`].

use doorstep_shared::{
    DeviceId,
    api::courier::{TrackerApp, TrackerCreated},
};

use super::{Devices, tracker_setup};
use crate::{
    domain::courier::Courier,
    platform::{qr, token},
    store::{StoreError, devices::NewDevice},
};

impl Devices {
    /// Sets a tracker's app up for a courier. The courier's earlier tracker with that app stops working, so that a
    /// phone that was handed on does not go on reporting.
    ///
    /// # Errors
    /// When the database is away; nothing was changed then.
    pub async fn create_tracker(&self, courier: &Courier, tracker: TrackerApp) -> Result<TrackerCreated, StoreError> {
        let (device_id, token) = (DeviceId::new(), token::new_device_token());
        let device = NewDevice {
            id: device_id,
            courier: courier.id,
            label: tracker.name(),
            token_hash: token::hash(&token),
            created_at: self.clock.now(),
        };
        self.store.replace_tracker(&device, tracker).await?;
        tracing::info!(courier.id = %courier.id, device.id = %device_id, app = tracker.as_str(), "a tracker was set up");
        let setup = tracker_setup::setup(tracker, &self.public_url, &courier.name, &token);
        let qr_svg = qr::svg(&setup.config_url).expect("a link of a few hundred characters fits a QR code");
        let tracker_setup::Setup { server_url, config_url, settings } = setup;
        Ok(TrackerCreated { device_id, app: tracker, server_url, token, config_url, qr_svg, settings })
    }
}
