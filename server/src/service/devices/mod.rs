//! The use cases of couriers' devices besides reporting: sign-in links, trackers' apps, sightings, revocation, and
//! archiving a courier with all of them.

pub mod archive;
mod credentials_watch;
pub mod rejections;
mod revoke;
pub mod sightings;
mod sign_in;
mod tracker;
pub mod tracker_setup;

use std::sync::Arc;

use chrono::TimeDelta;
use doorstep_shared::CourierId;

use self::{rejections::Rejections, sightings::Sightings};
use super::presence::Presences;
use crate::{
    live::{broker::Broker, connections::Connections, watching::Watching},
    platform::{clock::Clock, config::Config},
    store::{Store, StoreError, courier_sessions::Lifetime, devices::Device},
};

/// How long a courier stays signed in. A phone is in use every working day; the longest leave fits in a month.
pub const SESSION_LIFETIME: Lifetime = Lifetime { idle: TimeDelta::days(30), absolute: TimeDelta::days(180) };

/// The use cases of devices. Shared by reference.
#[derive(Debug)]
pub struct Devices {
    store: Store,
    clock: Clock,
    broker: Arc<dyn Broker>,
    connections: Arc<Connections>,
    watching: Arc<Watching>,
    presences: Arc<Presences>,
    sightings: Sightings,
    rejections: Arc<Rejections>,
    public_url: String,
    /// How long a sign-in link works.
    sign_in_for: TimeDelta,
}

impl Devices {
    /// The use cases of a server with this configuration.
    pub fn new(
        config: &Config,
        (store, clock): (Store, Clock),
        (broker, connections, watching): (Arc<dyn Broker>, Arc<Connections>, Arc<Watching>),
        (presences, rejections): (Arc<Presences>, Arc<Rejections>),
    ) -> Self {
        let sign_in_for = TimeDelta::minutes(i64::from(config.settings.sign_in_minutes));
        let (public_url, sightings) = (config.public_url.clone(), Sightings::default());
        Self { store, clock, broker, connections, watching, presences, sightings, rejections, public_url, sign_in_for }
    }

    /// A courier's devices as they are known now.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn devices_of(&self, courier: CourierId) -> Result<Vec<Device>, StoreError> {
        // What was rejected in the last seconds is still in memory.
        self.rejections.write_down(&self.store).await?;
        self.store.devices_of(courier).await
    }

    /// When each device was last seen.
    pub fn sightings(&self) -> &Sightings {
        &self.sightings
    }
}
