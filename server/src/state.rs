//! What handlers and sessions work with, put together once by [`crate::app`].

use std::{net::IpAddr, sync::Arc};

use doorstep_shared::{DeviceId, OrderId};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{
    auth::{sign_in_limiter::SignInLimiter, unknown_secrets::UnknownSecretLimiter},
    domain::order::TrackedOrder,
    live::{
        audience::Audience, broker::Broker, connections::Connections, fleet::Fleet, hub::Hub, readiness::Readiness,
        tracker::Tracker, watching::Watching,
    },
    platform::{clock::Clock, config::Config, rate_limit::RateLimit, tasks::Tasks},
    service::{
        access_log::AccessLog,
        devices::Devices,
        exceptions::Exceptions,
        gazetteer::LazyGazetteer,
        ingest::Ingest,
        orders::{lifecycle::Orders, plans::Plans},
        pacing::Pacing,
        presence::Presences,
        proofs::{Proofs, uploads::Uploads},
        suggestions::Suggestions,
        tour::Tours,
    },
    store::{
        Store,
        batch_loader::BatchLoader,
        fix_writer::FixWriter,
        tracking_links::{LinkHash, LinkedOrder},
    },
    ws::connect_limiter::ConnectLimiter,
};

/// What handlers and sessions work with.
#[derive(Debug)]
pub struct AppState {
    /// The operator's choices.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    /// The database.
    pub store: Store,
    /// The door for fixes.
    pub ingest: Ingest,
    /// What waits to be stored.
    pub fix_writer: FixWriter,
    /// The live state of couriers.
    pub tracker: Arc<Tracker>,
    /// Who is watching.
    pub hub: Arc<Hub>,
    /// What happens, for everybody whom it concerns.
    pub broker: Arc<dyn Broker>,
    /// The dispatchers' view.
    pub fleet: Arc<Fleet>,
    /// Which couriers dispatchers have in view.
    pub audience: Arc<Audience>,
    /// Who watches what through other instances.
    pub watching: Arc<Watching>,
    /// How often couriers' phones report.
    pub pacing: Arc<Pacing>,
    /// When couriers get to their stops.
    pub tours: Tours,
    /// The log of who saw where somebody is.
    pub access_log: AccessLog,
    /// What needs a dispatcher's look.
    pub exceptions: Arc<Exceptions>,
    /// Names of streets and towns.
    pub gazetteer: LazyGazetteer,
    /// Who could take an order.
    pub suggestions: Suggestions,
    /// Where tracking links lead, looked up for many at once.
    pub links: BatchLoader<LinkHash, LinkedOrder>,
    /// Orders with what their customers see around them, read for many at once.
    pub tracked: BatchLoader<OrderId, Arc<TrackedOrder>>,
    /// The use cases of orders.
    pub orders: Arc<Orders>,
    /// Couriers' plans, read into the live view.
    pub plans: Arc<Plans>,
    /// Who shares their position, and the only way to change that.
    pub presences: Arc<Presences>,
    /// The use cases of couriers' devices.
    pub devices: Arc<Devices>,
    /// What couriers bring back from doors.
    pub proofs: Proofs,
    /// Places for photos on their way in.
    pub uploads: Uploads,
    /// Open connections.
    pub connections: Arc<Connections>,
    /// What customers come in by.
    pub connect_limiter: ConnectLimiter,
    /// Background tasks.
    pub tasks: Tasks,
    /// Whether we want traffic.
    pub readiness: Readiness,
    /// Attempts to sign in.
    pub sign_in_limiter: SignInLimiter,
    /// Secrets that do not exist, by the network that showed them.
    pub unknown_secrets: UnknownSecretLimiter,
    /// Requests of other people's tracking apps, by device.
    pub ingest_limit: RateLimit<DeviceId>,
    /// Attempts of couriers to sign in with a link, by address.
    pub link_limit: RateLimit<IpAddr>,
    /// For the scraper.
    pub metrics: PrometheusHandle,
}
