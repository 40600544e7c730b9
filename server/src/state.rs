//! The pieces that handlers and sockets work with, put together once by [`crate::app`].
//!
//! A handler takes the pieces it needs, not this: [`AppState::register`] gives each to actix. The whole is for those who
//! start, watch and stop the server.

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use doorstep_shared::DeviceId;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{
    auth::{
        authenticator::Authenticator, sign_in::PasswordSignIn, sign_in_limiter::SignInLimiter,
        unknown_secrets::UnknownSecretLimiter,
    },
    http::front::Front,
    live::{
        accepted::AcceptedConnections, audience::Audience, broker::Broker, connections::Connections, fleet::Fleet,
        hub::Hub, readiness::Readiness, tracker::Tracker, watching::Watching,
    },
    platform::{clock::Clock, config::Config, rate_limit::RateLimit, tasks::Tasks},
    service::{
        access_log::AccessLog,
        areas::Areas,
        arrival::experience::Experience,
        devices::Devices,
        exceptions::Exceptions,
        ingest::Ingest,
        orders::{lifecycle::Orders, plans::Plans},
        pacing::Pacing,
        personal_data::PersonalData,
        places::Places,
        presence::Presences,
        proofs::{Proofs, uploads::Uploads},
        suggestions::Suggestions,
        tour::Tours,
        webhooks::Webhooks,
    },
    store::{Store, fix_writer::FixWriter},
    ws::{courier::CourierSockets, customer::CustomerFeeds, fleet::FleetSockets},
};

/// The pieces of a running server.
#[derive(Debug)]
pub struct AppState {
    /// The operator's choices.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    /// The database.
    pub store: Store,
    /// The way in for fixes.
    pub ingest: Ingest,
    /// The fixes that wait to be stored.
    pub fix_writer: FixWriter,
    /// The live state of couriers.
    pub tracker: Arc<Tracker>,
    /// Who watches which order.
    pub hub: Arc<Hub>,
    /// Tells viewers and other instances what happens.
    pub broker: Arc<dyn Broker>,
    /// The dispatchers' view.
    pub fleet: Arc<Fleet>,
    /// Which couriers dispatchers have in view.
    pub audience: Arc<Audience>,
    /// What is watched through other instances.
    pub watching: Arc<Watching>,
    /// How often couriers' phones report.
    pub pacing: Arc<Pacing>,
    /// When couriers get to their stops.
    pub tours: Arc<Tours>,
    /// The log of who saw where a courier or an order is.
    pub access_log: AccessLog,
    /// What needs a dispatcher's look.
    pub exceptions: Arc<Exceptions>,
    /// Streets, addresses and map of where this server delivers.
    pub areas: Arc<Areas>,
    /// What former deliveries taught about arrivals.
    pub experience: Arc<Experience>,
    /// Where addresses are.
    pub places: Arc<Places>,
    /// Who could take an order.
    pub suggestions: Arc<Suggestions>,
    /// The use cases of orders.
    pub orders: Arc<Orders>,
    /// Couriers' plans, read into the live view.
    pub plans: Arc<Plans>,
    /// Who shares their position, and the only way to change that.
    pub presences: Arc<Presences>,
    /// The use cases of couriers' devices.
    pub devices: Arc<Devices>,
    /// Where events are sent.
    pub webhooks: Arc<Webhooks>,
    /// What couriers bring back from doors.
    pub proofs: Arc<Proofs>,
    /// What is known about people, exported and erased.
    pub personal_data: Arc<PersonalData>,
    /// Room for photos on their way in.
    pub uploads: Arc<Uploads>,
    /// Live connections.
    pub connections: Arc<Connections>,
    /// Every accepted connection.
    pub accepted: Arc<AcceptedConnections>,
    /// Background tasks.
    pub tasks: Tasks,
    /// Whether we want traffic.
    pub readiness: Arc<Readiness>,
    /// Looks credentials up.
    pub authenticator: Arc<Authenticator>,
    /// People's passwords.
    pub sign_ins: Arc<PasswordSignIn>,
    /// Attempts to sign in.
    pub sign_in_limiter: Arc<SignInLimiter>,
    /// Secrets that do not exist, by the network that showed them.
    pub unknown_secrets: Arc<UnknownSecretLimiter>,
    /// Requests of other companies' tracking apps, by device.
    pub ingest_limit: Arc<RateLimit<DeviceId>>,
    /// How people reach this server.
    pub front: Arc<Front>,
    /// Customers' feeds.
    pub customer_feeds: Arc<CustomerFeeds>,
    /// Couriers' sockets.
    pub courier_sockets: Arc<CourierSockets>,
    /// Consoles' sockets.
    pub fleet_sockets: Arc<FleetSockets>,
    /// What the scraper reads, to be kept small.
    pub metrics: PrometheusHandle,
}

impl AppState {
    /// Registers the pieces that handlers take, each by its type.
    pub fn register(&self, config: &mut ServiceConfig) {
        self.register_platform(config);
        self.register_live(config);
        self.register_use_cases(config);
        self.register_edge(config);
    }

    fn register_platform(&self, config: &mut ServiceConfig) {
        config
            .app_data(Data::new(self.config.clone()))
            .app_data(Data::new(self.clock.clone()))
            .app_data(Data::new(self.store.clone()))
            .app_data(Data::new(self.fix_writer.clone()))
            .app_data(Data::new(self.tasks.clone()));
    }

    fn register_live(&self, config: &mut ServiceConfig) {
        config
            .app_data(Data::from(Arc::clone(&self.tracker)))
            .app_data(Data::from(Arc::clone(&self.accepted)))
            .app_data(Data::from(Arc::clone(&self.broker)))
            .app_data(Data::from(Arc::clone(&self.readiness)));
    }

    fn register_use_cases(&self, config: &mut ServiceConfig) {
        config
            .app_data(Data::new(self.ingest.clone()))
            .app_data(Data::new(self.access_log.clone()))
            .app_data(Data::from(Arc::clone(&self.areas)))
            .app_data(Data::from(Arc::clone(&self.experience)))
            .app_data(Data::from(Arc::clone(&self.places)))
            .app_data(Data::from(Arc::clone(&self.tours)))
            .app_data(Data::from(Arc::clone(&self.exceptions)))
            .app_data(Data::from(Arc::clone(&self.suggestions)))
            .app_data(Data::from(Arc::clone(&self.orders)))
            .app_data(Data::from(Arc::clone(&self.plans)))
            .app_data(Data::from(Arc::clone(&self.devices)))
            .app_data(Data::from(Arc::clone(&self.webhooks)))
            .app_data(Data::from(Arc::clone(&self.proofs)))
            .app_data(Data::from(Arc::clone(&self.personal_data)))
            .app_data(Data::from(Arc::clone(&self.uploads)));
    }

    fn register_edge(&self, config: &mut ServiceConfig) {
        config
            .app_data(Data::from(Arc::clone(&self.authenticator)))
            .app_data(Data::from(Arc::clone(&self.sign_ins)))
            .app_data(Data::from(Arc::clone(&self.unknown_secrets)))
            .app_data(Data::from(Arc::clone(&self.front)))
            .app_data(Data::from(Arc::clone(&self.ingest_limit)))
            .app_data(Data::from(Arc::clone(&self.customer_feeds)))
            .app_data(Data::from(Arc::clone(&self.courier_sockets)))
            .app_data(Data::from(Arc::clone(&self.fleet_sockets)));
    }
}
