//! Puts the server together, floor by floor: settings and database, the live view, the use cases, and what the edge
//! works with. Then it starts the background tasks and the HTTP server.

use std::{path::Path, sync::Arc};

use anyhow::Context;
use doorstep_shared::{OrderId, roads::RoadNetwork};
use metrics_exporter_prometheus::PrometheusHandle;
use sqlx::postgres::PgConnectOptions;
use tokio::{runtime::Handle, sync::mpsc};
use tokio_util::sync::CancellationToken;

use super::{
    housekeeping, listen,
    shutdown::{Running, Served, Supervised},
};
use crate::{
    auth::{
        authenticator::Authenticator, sessions::SessionWatch, sign_in::PasswordSignIn, sign_in_limiter::SignInLimiter,
        unknown_secrets::UnknownSecretLimiter,
    },
    domain::order::TrackedOrder,
    http::{api::courier_session, ingest},
    live::{
        audience::Audience,
        broker::{
            Broker, Inbound,
            in_process::InProcess,
            redis::{Channels, Redis, Started},
        },
        connections::Connections,
        fleet::Fleet,
        following::Following,
        heartbeat,
        hub::Hub,
        tracker::Tracker,
        watching::Watching,
    },
    platform::{
        clock::Clock,
        config::{Config, Settings},
        tasks::{Tasks, until_shutdown},
        telemetry,
    },
    service::{
        access_log::AccessLog,
        arrival::Arrivals,
        devices::Devices,
        exceptions::{Exceptions, deliveries::Deliveries},
        gazetteer::LazyGazetteer,
        ingest::{Ingest, validate::Limits},
        orders::{lifecycle::Orders, plans::Plans},
        pacing::Pacing,
        peers::{self, Peers},
        planner::Planner,
        presence::Presences,
        proofs::{Proofs, files::FileProofStore},
        suggestions::Suggestions,
        tour::Tours,
    },
    state::AppState,
    store::{
        Store,
        batch_loader::BatchLoader,
        embedded::Embedded,
        fix_writer::FixWriter,
        tracking_links::{LinkHash, LinkedOrder},
    },
    ws::{connect_limiter::ConnectLimiter, courier::CourierSockets, customer::CustomerFeeds, fleet::FleetSockets},
};

/// The built-in street graph of Malta, © OpenStreetMap contributors, ODbL.
static MALTA_ROADS: &[u8] = include_bytes!("../../../static/roads/malta.roads");

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
    let listener = listen::listen(settings.bind)?;
    let address = listener.local_addr().context("the socket has no address")?;
    let roads = load_roads(settings.roads.as_deref()).await?;
    let gazetteer = LazyGazetteer::open(&settings, Some(&roads))?;
    let config = Config::complete(settings, address).map_err(anyhow::Error::msg)?;
    let store = Store::new(options, config.settings.database_connections);
    store.migrate().await.context("preparing the database")?;
    store.maintain_fix_partitions(clock.now(), config.settings.retention_days).await?;

    let ground = Ground { config, clock, store, tasks: Tasks::default(), shutdown: CancellationToken::new() };
    let (live, remote) = LiveView::new(&ground).await?;
    let use_cases = UseCases::new(&ground, &live)?;
    let app = Arc::new(state(&ground, &live, &use_cases, (gazetteer, &roads), metrics));
    let loaded = app.plans.load_open().await?;
    tracing::info!(couriers = loaded, "restored the live view");
    if let Some((inbound, thread)) = remote {
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
    start_tasks(&ground, &live, &use_cases, &app, roads);
    app.readiness.set_database(true);
    let http = listen::start_http(&app, listener)?;
    Ok(Served { address, app, http, shutdown: ground.shutdown })
}

/// Settings, clock, database and tasks: the base of everything else.
struct Ground {
    config: Config,
    clock: Clock,
    store: Store,
    tasks: Tasks,
    shutdown: CancellationToken,
}

impl Ground {
    /// Starts a task without which the server must not go on, until shutdown.
    fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_critical(name, until_shutdown(self.shutdown.clone(), work));
    }
}

/// The live view, in memory.
struct LiveView {
    hub: Arc<Hub>,
    audience: Arc<Audience>,
    fleet: Arc<Fleet>,
    broker: Arc<dyn Broker>,
    following: Arc<Following>,
    watching: Arc<Watching>,
    tracker: Arc<Tracker>,
    connections: Arc<Connections>,
}

/// The messages of other instances, and the thread on which they arrive.
type Remote = (mpsc::Receiver<Inbound>, Handle);

impl LiveView {
    async fn new(ground: &Ground) -> anyhow::Result<(Self, Option<Remote>)> {
        let hub = Arc::new(Hub::default());
        let audience = Arc::new(Audience::default());
        let fleet = Arc::new(Fleet::new(ground.clock.clone(), Arc::clone(&audience)));
        let (broker, remote) = connect(ground, &hub, &fleet).await?;
        let tracker = Arc::new(Tracker::new(Arc::clone(&broker)));
        let connections = Arc::new(Connections::new(ground.config.settings.max_connections));
        let (following, watching) = (Arc::new(Following::new(Arc::clone(&broker))), Arc::default());
        Ok((Self { hub, audience, fleet, broker, following, watching, tracker, connections }, remote))
    }
}

/// The connection to the other instances, if there are any, with their messages.
async fn connect(
    ground: &Ground,
    hub: &Arc<Hub>,
    fleet: &Arc<Fleet>,
) -> anyhow::Result<(Arc<dyn Broker>, Option<Remote>)> {
    let (hub, fleet) = (Arc::clone(hub), Arc::clone(fleet));
    let Some(url) = &ground.config.settings.redis_url else {
        return Ok((Arc::new(InProcess::new(hub, fleet)), None));
    };
    let client = redis::Client::open(url.as_str()).context("DOORSTEP_REDIS_URL is not an address of Redis")?;
    let channels = Channels::of(&ground.store.identity().await?);
    let started = Redis::start(client, channels, (hub, fleet), &ground.tasks, &ground.shutdown);
    let Started { broker, inbound, thread } = started.context("starting the thread that speaks with Redis")?;
    Ok((Arc::new(broker), Some((inbound, thread))))
}

/// The use cases that background tasks and the edge share.
struct UseCases {
    limits: Limits,
    fix_writer: FixWriter,
    orders: Arc<Orders>,
    plans: Arc<Plans>,
    exceptions: Arc<Exceptions>,
    presences: Arc<Presences>,
    devices: Arc<Devices>,
    pacing: Arc<Pacing>,
}

impl UseCases {
    fn new(ground: &Ground, live: &LiveView) -> anyhow::Result<Self> {
        let Ground { config, clock, store, tasks, shutdown } = ground;
        let LiveView { hub, audience, broker, following, watching, tracker, connections, .. } = live;
        let fix_writer = FixWriter::start(store.connect_options(), config.settings.batching(), tasks, shutdown)
            .context("starting the fix writers")?;
        let limits = Limits { retention_ms: i64::from(config.settings.retention_days) * 86_400_000 };
        let deliveries = Arc::new(Deliveries::default());
        let plans = Arc::new(Plans::new(
            store.clone(),
            Arc::clone(tracker),
            Arc::clone(following),
            Arc::clone(connections),
            clock.clone(),
            tasks,
        ));
        let orders = Arc::new(Orders::new(
            store.clone(),
            Arc::clone(tracker),
            Arc::clone(broker),
            Arc::clone(&plans),
            Arc::clone(&deliveries),
            clock.clone(),
        ));
        let exceptions =
            Exceptions::new(Arc::clone(tracker), store.clone(), Arc::clone(broker), clock.clone(), deliveries);
        let presences = Arc::new(Presences::new(
            Arc::clone(tracker),
            Arc::clone(&plans),
            store.clone(),
            clock.clone(),
            limits.retention_ms,
        ));
        let devices = Devices::new(
            config,
            (store.clone(), clock.clone()),
            (Arc::clone(broker), Arc::clone(connections), Arc::clone(watching)),
            Arc::clone(&presences),
        );
        let pacing = Pacing::new(
            Arc::clone(tracker),
            Arc::clone(hub),
            (Arc::clone(audience), Arc::clone(watching)),
            Arc::clone(connections),
            clock.clone(),
        );
        Ok(Self {
            limits,
            fix_writer,
            orders,
            plans,
            exceptions: Arc::new(exceptions),
            presences,
            devices: Arc::new(devices),
            pacing: Arc::new(pacing),
        })
    }
}

/// The pieces that handlers and sockets work with.
fn state(
    ground: &Ground,
    live: &LiveView,
    use_cases: &UseCases,
    (gazetteer, roads): (LazyGazetteer, &Arc<RoadNetwork>),
    metrics: PrometheusHandle,
) -> AppState {
    let Ground { config, clock, store, tasks, shutdown } = ground;
    let UseCases { fix_writer, orders, plans, exceptions, presences, devices, pacing, .. } = use_cases;
    let tracker = &live.tracker;
    let proof_folder = config.settings.data_dir.join("proofs");
    let ingest = ingest(ground, live, use_cases);
    let edge = Edge::new(ground, live, use_cases);
    AppState {
        customer_feeds: Arc::new(customer_feeds(ground, live, use_cases)),
        courier_sockets: Arc::new(courier_sockets(ground, live, use_cases, (&edge.authenticator, &ingest))),
        fleet_sockets: Arc::new(fleet_sockets(ground, live)),
        ingest,
        suggestions: Arc::new(Suggestions::new(
            Arc::clone(tracker),
            store.clone(),
            clock.clone(),
            Some(Arc::clone(roads)),
        )),
        tours: Arc::new(Tours::new(Arc::clone(tracker), clock.clone(), Some(Arc::clone(roads)))),
        gazetteer,
        access_log: AccessLog::start(store.clone(), clock.clone(), tasks, shutdown.clone()),
        proofs: Arc::new(Proofs::new(store.clone(), Arc::new(FileProofStore::new(proof_folder)), clock.clone())),
        uploads: Arc::default(),
        fix_writer: fix_writer.clone(),
        tracker: Arc::clone(tracker),
        hub: Arc::clone(&live.hub),
        broker: Arc::clone(&live.broker),
        fleet: Arc::clone(&live.fleet),
        audience: Arc::clone(&live.audience),
        watching: Arc::clone(&live.watching),
        connections: Arc::clone(&live.connections),
        pacing: Arc::clone(pacing),
        exceptions: Arc::clone(exceptions),
        orders: Arc::clone(orders),
        plans: Arc::clone(plans),
        presences: Arc::clone(presences),
        devices: Arc::clone(devices),
        readiness: Arc::default(),
        authenticator: edge.authenticator,
        sign_ins: edge.sign_ins,
        sign_in_limiter: edge.sign_in_limiter,
        unknown_secrets: edge.unknown_secrets,
        ingest_limit: Arc::new(ingest::device_limit()),
        link_limit: Arc::new(courier_session::link_limit()),
        config: config.clone(),
        clock: clock.clone(),
        store: store.clone(),
        tasks: tasks.clone(),
        metrics,
    }
}

fn ingest(ground: &Ground, live: &LiveView, use_cases: &UseCases) -> Ingest {
    Ingest::new(
        Arc::clone(&use_cases.plans),
        Arc::clone(&live.tracker),
        Arc::clone(&use_cases.presences),
        use_cases.fix_writer.clone(),
        ground.clock.clone(),
        use_cases.limits,
    )
}

/// Who is calling, and how often they may be wrong.
struct Edge {
    authenticator: Arc<Authenticator>,
    sign_ins: Arc<PasswordSignIn>,
    sign_in_limiter: Arc<SignInLimiter>,
    unknown_secrets: Arc<UnknownSecretLimiter>,
}

impl Edge {
    fn new(Ground { config, clock, store, .. }: &Ground, live: &LiveView, use_cases: &UseCases) -> Self {
        let (sign_in_limiter, unknown_secrets) = (Arc::<SignInLimiter>::default(), Arc::default());
        let authenticator = Authenticator::new(
            config.clone(),
            clock.clone(),
            store.clone(),
            Arc::clone(&use_cases.devices),
            Arc::clone(&unknown_secrets),
        );
        let sign_ins = PasswordSignIn {
            config: config.clone(),
            clock: clock.clone(),
            store: store.clone(),
            connections: Arc::clone(&live.connections),
            limiter: Arc::clone(&sign_in_limiter),
        };
        let (authenticator, sign_ins) = (Arc::new(authenticator), Arc::new(sign_ins));
        Self { authenticator, sign_ins, sign_in_limiter, unknown_secrets }
    }
}

fn customer_feeds(
    Ground { config, clock, store, tasks, .. }: &Ground,
    live: &LiveView,
    use_cases: &UseCases,
) -> CustomerFeeds {
    CustomerFeeds {
        clock: clock.clone(),
        tasks: tasks.clone(),
        connections: Arc::clone(&live.connections),
        hub: Arc::clone(&live.hub),
        tracker: Arc::clone(&live.tracker),
        plans: Arc::clone(&use_cases.plans),
        links: links(store, tasks),
        tracked: tracked(store, tasks),
        fix_writer: use_cases.fix_writer.clone(),
        connect_limiter: ConnectLimiter::new(config.settings.threads()),
    }
}

fn courier_sockets(
    ground: &Ground,
    live: &LiveView,
    use_cases: &UseCases,
    (authenticator, ingest): (&Arc<Authenticator>, &Ingest),
) -> CourierSockets {
    CourierSockets {
        clock: ground.clock.clone(),
        tasks: ground.tasks.clone(),
        authenticator: Arc::clone(authenticator),
        connections: Arc::clone(&live.connections),
        broker: Arc::clone(&live.broker),
        ingest: ingest.clone(),
        orders: Arc::clone(&use_cases.orders),
        plans: Arc::clone(&use_cases.plans),
        presences: Arc::clone(&use_cases.presences),
        pacing: Arc::clone(&use_cases.pacing),
    }
}

fn fleet_sockets(ground: &Ground, live: &LiveView) -> FleetSockets {
    FleetSockets {
        clock: ground.clock.clone(),
        tasks: ground.tasks.clone(),
        store: ground.store.clone(),
        connections: Arc::clone(&live.connections),
        tracker: Arc::clone(&live.tracker),
        fleet: Arc::clone(&live.fleet),
    }
}

fn links(store: &Store, tasks: &Tasks) -> BatchLoader<LinkHash, LinkedOrder> {
    let store = store.clone();
    BatchLoader::new("tracking_links", tasks, move |hashes: Vec<LinkHash>| {
        let store = store.clone();
        async move { store.orders_by_tracking_tokens(&hashes).await }
    })
}

fn tracked(store: &Store, tasks: &Tasks) -> BatchLoader<OrderId, Arc<TrackedOrder>> {
    let store = store.clone();
    BatchLoader::new("tracked_orders", tasks, move |ids: Vec<OrderId>| {
        let store = store.clone();
        async move {
            let tracked = store.tracked_orders(&ids).await?;
            Ok(tracked.into_iter().map(|(id, order)| (id, Arc::new(order))).collect())
        }
    })
}

fn start_tasks(ground: &Ground, live: &LiveView, use_cases: &UseCases, app: &Arc<AppState>, roads: Arc<RoadNetwork>) {
    let arrivals = Arrivals::new(
        Arc::clone(&live.tracker),
        Arc::clone(&live.hub),
        Arc::clone(&live.broker),
        ground.store.clone(),
        ground.clock.clone(),
        Some(Planner::start(roads, &ground.tasks)),
    );
    ground.spawn("arrivals", arrivals.run());
    ground.spawn("exceptions", Arc::clone(&use_cases.exceptions).run());
    ground.spawn("fleet", Arc::clone(&live.fleet).run());
    ground.spawn("pacing", Arc::clone(&use_cases.pacing).run());
    let devices = Arc::clone(&use_cases.devices);
    ground.spawn("devices", async move { devices.watch_credentials().await });
    let plans = Arc::clone(&use_cases.plans);
    ground.spawn("plans", async move { plans.retry_outdated().await });
    ground.spawn("database_check", housekeeping::check_database(Arc::clone(app)));
    ground.spawn("heartbeat", heartbeat::run(Arc::clone(&live.connections), ground.clock.clone()));
    let sessions = SessionWatch {
        clock: ground.clock.clone(),
        store: ground.store.clone(),
        connections: Arc::clone(&live.connections),
    };
    ground.spawn("sessions", sessions.run());
    ground.spawn("housekeeping", housekeeping::keep_house(Arc::clone(app)));
}

async fn load_roads(file: Option<&Path>) -> anyhow::Result<Arc<RoadNetwork>> {
    let bytes = match file {
        Some(file) => tokio::fs::read(file).await.with_context(|| format!("cannot read {}", file.display()))?,
        None => MALTA_ROADS.to_vec(),
    };
    let loaded = tokio::task::spawn_blocking(move || RoadNetwork::from_bytes(&bytes)).await?;
    Ok(Arc::new(loaded.context("the street graph cannot be used")?))
}
