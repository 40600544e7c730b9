//! The use cases of couriers' devices besides reporting: sign-in links, trackers' apps, sightings, revocation, and
//! archiving a courier with all of them.

pub mod archive;
mod credentials_watch;
mod revoke;
pub mod sightings;
mod sign_in;
mod tracker;
pub mod tracker_setup;

use std::sync::Arc;

use chrono::TimeDelta;

use self::sightings::Sightings;
use super::presence::Presences;
use crate::{
    live::{broker::Broker, connections::Connections, watching::Watching},
    platform::{clock::Clock, config::Config},
    store::{Store, courier_sessions::Lifetime},
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
        presences: Arc<Presences>,
    ) -> Self {
        let sign_in_for = TimeDelta::minutes(i64::from(config.settings.sign_in_minutes));
        let (public_url, sightings) = (config.public_url.clone(), Sightings::default());
        Self { store, clock, broker, connections, watching, presences, sightings, public_url, sign_in_for }
    }

    /// When each device was last seen.
    pub fn sightings(&self) -> &Sightings {
        &self.sightings
    }
}
