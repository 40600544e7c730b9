//! Puts the server together, floor by floor: settings and database, the live view, the use cases, and what the edge
//! works with. Then it starts the background tasks and the HTTP server.

mod edge;
mod ground;
mod live_view;
mod use_cases;

use std::sync::Arc;

use anyhow::Context;
use chrono::TimeDelta;
use metrics_exporter_prometheus::PrometheusHandle;
use sqlx::postgres::PgConnectOptions;
use tokio_util::sync::CancellationToken;

use self::{
    ground::Ground,
    live_view::{LiveView, Remote},
    use_cases::UseCases,
};
use super::{
    housekeeping, listen,
    shutdown::{Running, Served, Supervised},
};
use crate::{
    auth::sessions::SessionWatch,
    live::heartbeat,
    platform::{
        clock::Clock,
        config::{Config, Settings},
        descriptors::Room,
        tasks::Tasks,
        telemetry,
    },
    service::{
        areas::{Areas, Basemap, news},
        arrival::{Arrivals, approaching::Approaches, experience::Experience, learner::Learner, told_log::ToldLog},
        peers::{self, Peers},
        planner::Planner,
        remote_router::RemoteRouter,
        webhooks::worker,
    },
    state::AppState,
    store::{Store, embedded::Embedded},
};

/// The database that `settings` name: an address, or an embedded Postgres that is now running.
///
/// # Errors
/// A sentence about what is missing.
pub async fn database(settings: &Settings) -> anyhow::Result<(PgConnectOptions, Option<Embedded>)> {
    match &settings.database_url {
        Some(url) => Ok((url.parse().context("DATABASE_URL is not a Postgres address")?, None)),
        None => {
            tracing::info!("no DATABASE_URL: using an embedded Postgres");
            let embedded = Embedded::start(&settings.data_dir).await?;
            Ok((embedded.connect_options(), Some(embedded)))
        }
    }
}

/// Starts everything. Returns when the server accepts connections.
///
/// # Errors
/// A sentence about what is missing or in the way.
pub async fn start(settings: Settings, clock: Clock) -> anyhow::Result<Running> {
    let metrics = telemetry::start_metrics();
    let (options, embedded) = database(&settings).await?;
    let embedded = embedded.map(Supervised::start);
    match serve(settings, clock, metrics, options).await {
        Ok(served) => Ok(Running::new(served, embedded)),
        Err(error) => {
            if let Some(embedded) = embedded {
                embedded.stop().await;
            }
            Err(error)
        }
    }
}

async fn serve(
    settings: Settings,
    clock: Clock,
    metrics: PrometheusHandle,
    options: PgConnectOptions,
) -> anyhow::Result<Served> {
    let room = Room::make(settings.max_connections, settings.postgres_connections()).map_err(anyhow::Error::msg)?;
    let listener = listen::listen(settings.bind)?;
    let address = listener.local_addr().context("the socket has no address")?;
    let shutdown = CancellationToken::new();
    let config = Config::complete(settings, address).map_err(anyhow::Error::msg)?;
    let basemap = Basemap::of(&config.settings)?;
    let areas = Areas::open(&config.settings.data_dir, basemap, config.settings.time_zone, shutdown.clone()).await?;
    let feed_lead = TimeDelta::hours(i64::from(config.settings.feed_hours));
    let store = Store::new(options, config.settings.database_connections).with_feed_lead(feed_lead);
    store.migrate().await.context("preparing the database")?;
    store.maintain_fix_partitions(clock.now(), config.settings.retention_days).await?;

    let ground = Ground { config, room, clock, store, tasks: Tasks::default(), shutdown, areas };
    let (live, remote) = LiveView::new(&ground).await?;
    let use_cases = UseCases::new(&ground, &live)?;
    let metrics_server = listen::start_metrics(&metrics, ground.config.settings.metrics_bind)?;
    let app = Arc::new(edge::state(&ground, &live, &use_cases, metrics));
    let loaded = app.plans.load_open().await?;
    tracing::info!(couriers = loaded, "restored the live view");
    if let Some(remote) = remote {
        start_peers(&ground, &live, &use_cases, remote);
    }
    let planner = planner(&ground)?;
    start_tasks(&ground, &live, &use_cases, &app, planner);
    app.readiness.set_database(true);
    let http = listen::start_http(&app, listener, room)?;
    Ok(Served { address, app, http, metrics: metrics_server, shutdown: ground.shutdown })
}

/// Begins to follow the other instances.
fn start_peers(ground: &Ground, live: &LiveView, use_cases: &UseCases, (inbound, thread): Remote) {
    let peers = Peers {
        clock: ground.clock.clone(),
        store: ground.store.clone(),
        broker: Arc::clone(&live.broker),
        following: Arc::clone(&live.following),
        tracker: Arc::clone(&live.tracker),
        hub: Arc::clone(&live.hub),
        audience: Arc::clone(&live.audience),
        fleet: Arc::clone(&live.fleet),
        watching: Arc::clone(&live.watching),
        connections: Arc::clone(&live.connections),
        orders: Arc::clone(&use_cases.orders),
        plans: Arc::clone(&use_cases.plans),
        devices: Arc::clone(&use_cases.devices),
    };
    peers::start(peers, (inbound, &thread), &ground.tasks, &ground.shutdown);
}

fn planner(ground: &Ground) -> anyhow::Result<Planner> {
    let router = ground.config.settings.router.clone().map(RemoteRouter::new).transpose();
    Ok(Planner::start(Arc::clone(&ground.areas), router.context("preparing DOORSTEP_ROUTER")?, &ground.tasks))
}

/// Begins to estimate arrivals, to keep what is told, and to learn from what comes.
fn start_arrivals(ground: &Ground, live: &LiveView, experience: &Arc<Experience>, planner: Planner) {
    let (told_log, told_writer) = ToldLog::new(ground.store.clone());
    let (approaches, approach_writer) = Approaches::new(ground.store.clone(), ground.clock.clone());
    let database = (ground.store.clone(), ground.clock.clone());
    let arrivals = Arrivals::new(
        (Arc::clone(&live.tracker), Arc::clone(&live.hub), Arc::clone(&live.broker)),
        database.clone(),
        (planner.clone(), Arc::clone(&ground.areas)),
        Arc::clone(experience),
        (told_log, approaches),
    );
    ground.spawn("arrivals", arrivals.run());
    ground.spawn("arrival_told", told_writer.run());
    ground.spawn("arrival_approaching", approach_writer.run());
    let learner = Learner::new(database, (planner, Arc::clone(&ground.areas)), Arc::clone(experience));
    ground.spawn("arrival_learner", learner.run());
}

/// Begins to deliver what leaves the server. The worker ends by itself at shutdown, once it wrote down what it did.
fn start_outbox(ground: &Ground, use_cases: &UseCases) {
    let worker = use_cases.webhooks.worker(&ground.tasks, &ground.shutdown);
    ground.tasks.spawn_critical("webhooks", worker.run());
    ground.spawn("outbox_lanes", worker::measure_lanes(ground.store.clone(), ground.clock.clone()));
}

fn start_tasks(ground: &Ground, live: &LiveView, use_cases: &UseCases, app: &Arc<AppState>, planner: Planner) {
    start_arrivals(ground, live, &app.experience, planner);
    ground.spawn("areas", Arc::clone(&ground.areas).follow());
    ground.spawn("area_news", news::tell_pages(Arc::clone(&ground.areas), Arc::clone(&live.connections)));
    ground.spawn("exceptions", Arc::clone(&use_cases.exceptions).run());
    ground.spawn("fleet", Arc::clone(&live.fleet).run());
    ground.spawn("pacing", Arc::clone(&use_cases.pacing).run());
    let devices = Arc::clone(&use_cases.devices);
    ground.spawn("devices", async move { devices.watch_credentials().await });
    let plans = Arc::clone(&use_cases.plans);
    ground.spawn("plans", async move { plans.retry_outdated().await });
    ground.spawn("database_check", housekeeping::check_database(Arc::clone(app)));
    ground.spawn("accepted_connections", Arc::clone(&live.accepted).run());
    ground.spawn("heartbeat", heartbeat::run(Arc::clone(&live.connections), ground.clock.clone()));
    let sessions = SessionWatch {
        clock: ground.clock.clone(),
        store: ground.store.clone(),
        connections: Arc::clone(&live.connections),
        devices: Arc::clone(&use_cases.devices),
    };
    ground.spawn("sessions", sessions.run());
    start_outbox(ground, use_cases);
    ground.spawn("feeds", housekeeping::open_feeds(Arc::clone(app)));
    ground.spawn("links", housekeeping::close_links(Arc::clone(app)));
    ground.spawn("housekeeping", housekeeping::keep_house(Arc::clone(app)));
}
