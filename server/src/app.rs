//! Puts the server together, and takes it apart again in the right order.
//!
//! Shutdown: readiness off → close sockets with 4000, admit no more → stop accepting → drain the fix writer →
//! background tasks → embedded Postgres.

use std::{
    net::{IpAddr, SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    time::Duration,
};

use actix_web::{App, HttpServer, dev::ServerHandle, middleware::from_fn, web::Data};
use anyhow::Context;
use chrono::TimeDelta;
use doorstep_shared::{DeviceId, OrderId, protocol::CloseCode, roads::RoadNetwork};
use metrics_exporter_prometheus::PrometheusHandle;
use sqlx::postgres::PgConnectOptions;
use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
};

use crate::{
    arrival::Arrivals,
    audience::Audience,
    auth::{courier, misses::Misses, sessions, sign_in::SignInThrottle},
    broker::{
        Arrival, Broker,
        in_process::InProcess,
        redis::{Channels, Redis, Started},
    },
    clock::Clock,
    config::{Config, Settings},
    device::{self, sightings::Sightings},
    error::SourceChain,
    exceptions::{Exceptions, deliveries::Deliveries},
    fleet::Fleet,
    http::{api::courier_session, health::Readiness, ingest, rate_limit::RateLimit, routes},
    hub::Hub,
    ingest::{Ingest, validate::Limits},
    looks::Looks,
    order::{TrackedOrder, lifecycle::Orders, suggest::Suggestions},
    pacing::Pacing,
    peers::{self, watching::Watching},
    places::Places,
    planner::Planner,
    presence::Presences,
    proof::{Proofs, files::FileProofStore, uploads::Uploads},
    store::{
        Store,
        embedded::Embedded,
        fix_writer::FixWriter,
        gather::Gather,
        tracking_links::{LinkHash, LinkedOrder},
    },
    tasks::Tasks,
    telemetry,
    tour::Tours,
    tracker::Tracker,
    ws::{outbox::Cord, pulse, registry::Sockets, turnstile::Turnstile},
};

/// What the kernel may hold of what one client has not read yet; it doubles this for its own needs. By itself it would
/// let that grow to megabytes. A client that is 100 ms away can still be sent 800 kB a second.
const SEND_BUFFER_BYTES: usize = 40 * 1024;

/// What actix holds of that besides, before it asks for more: with its usual 32 KiB, for which it reserves 64, a client
/// that never read took 162 KiB in all.
const WRITE_BUFFER_BYTES: usize = 4 * 1024;

/// How long connections, writers and tasks each get at shutdown. SIGTERM promises five seconds in all.
const SOCKETS_PATIENCE: Duration = Duration::from_millis(1_500);
const TASKS_PATIENCE: Duration = Duration::from_millis(2_500);
/// And how long all of them together get when a task that must not end has ended: the process is to be gone within a
/// second, for a supervisor to start it again.
const FAILED_PATIENCE: Duration = Duration::from_millis(500);
const EMBEDDED_PATIENCE: Duration = Duration::from_secs(25);

/// How often the database is asked whether it is there. Readiness must notice within two seconds.
const DATABASE_CHECK_EVERY: Duration = Duration::from_millis(700);
const DATABASE_CHECK_TIMEOUT: Duration = Duration::from_millis(900);

const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(600);

/// The built-in street graph of Malta, © OpenStreetMap contributors, ODbL.
static MALTA_ROADS: &[u8] = include_bytes!("../../static/roads/malta.roads");

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
    pub looks: Looks,
    /// What needs a dispatcher's look.
    pub exceptions: Arc<Exceptions>,
    /// Names of streets and towns.
    pub places: Places,
    /// Who could take an order.
    pub suggestions: Suggestions,
    /// Where tracking links lead, looked up for many at once.
    pub links: Gather<LinkHash, LinkedOrder>,
    /// Orders with what their customers see around them, read for many at once.
    pub tracked: Gather<OrderId, Arc<TrackedOrder>>,
    /// The use cases of orders.
    pub orders: Arc<Orders>,
    /// Who shares their position, and the only way to change that.
    pub presences: Arc<Presences>,
    /// When each device was last there.
    pub sightings: Sightings,
    /// What couriers bring back from doors.
    pub proofs: Proofs,
    /// Places for photos on their way in.
    pub uploads: Uploads,
    /// Open connections.
    pub sockets: Arc<Sockets>,
    /// What customers come in by.
    pub turnstile: Turnstile,
    /// Background tasks.
    pub tasks: Tasks,
    /// Whether we want traffic.
    pub readiness: Readiness,
    /// Attempts to sign in.
    pub sign_in_throttle: SignInThrottle,
    /// Secrets that nobody has.
    pub misses: Misses,
    /// Requests of other people's tracking apps, by device.
    pub ingest_limit: RateLimit<DeviceId>,
    /// Attempts of couriers to sign in with a link, by address.
    pub link_limit: RateLimit<IpAddr>,
    /// For the scraper.
    pub metrics: PrometheusHandle,
}

/// A server that accepts connections.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it works with.
    pub app: Data<AppState>,
    http: ServerHandle,
    give_up: watch::Sender<bool>,
    embedded: Option<Supervised>,
}

/// An embedded Postgres in the care of its own task, which ends after all others.
struct Supervised {
    tasks: Tasks,
    stop: watch::Sender<bool>,
}

impl Supervised {
    fn start(embedded: Embedded) -> Self {
        let (tasks, stop) = (Tasks::default(), watch::Sender::new(false));
        let mut stopped = stop.subscribe();
        let until = async move { drop(stopped.wait_for(|stopped| *stopped).await) };
        tasks.spawn("embedded_postgres", embedded.supervise(until));
        Self { tasks, stop }
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        if !self.tasks.join(EMBEDDED_PATIENCE).await {
            tracing::warn!("the embedded Postgres has not stopped yet");
        }
    }
}

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
        Ok((address, app, http, give_up)) => Ok(Running { address, app, http, give_up, embedded }),
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
) -> anyhow::Result<(SocketAddr, Data<AppState>, ServerHandle, watch::Sender<bool>)> {
    let listener = listen(settings.bind)?;
    let address = listener.local_addr().context("the socket has no address")?;
    let roads = load_roads(settings.roads.as_deref()).await?;
    let places = Places::open(&settings, roads.as_ref())?;
    let config = Config::complete(settings, address).map_err(anyhow::Error::msg)?;
    let store = Store::new(options, config.settings.database_connections);
    store.migrate().await.context("preparing the database")?;
    store.maintain_fix_partitions(clock.now(), config.settings.retention_days).await?;

    let tasks = Tasks::default();
    let give_up = watch::Sender::new(false);
    let proof_folder = config.settings.data_dir.join("proofs");
    let hub = Arc::new(Hub::default());
    let audience = Arc::new(Audience::default());
    let fleet = Arc::new(Fleet::new(clock.clone(), Arc::clone(&audience)));
    let (broker, arrivals) = connect(&config.settings, &store, (&hub, &fleet), &tasks, &give_up.subscribe()).await?;
    let watching = Arc::new(Watching::default());
    let tracker = Arc::new(Tracker::new(Arc::clone(&broker)));
    let sockets = Arc::new(Sockets::new(config.settings.max_connections));
    let fix_writer =
        FixWriter::start(store.connect_options(), config.settings.batching(), &tasks, &give_up.subscribe())
            .context("starting the fix writers")?;
    let limits = Limits { retention_ms: i64::from(config.settings.retention_days) * 86_400_000 };
    let deliveries = Arc::new(Deliveries::default());
    let orders = Arc::new(Orders::new(
        store.clone(),
        Arc::clone(&tracker),
        Arc::clone(&broker),
        Arc::clone(&sockets),
        Arc::clone(&deliveries),
        clock.clone(),
    ));
    let exceptions =
        Exceptions::new(Arc::clone(&tracker), store.clone(), Arc::clone(&broker), clock.clone(), deliveries);
    let exceptions = Arc::new(exceptions);
    let presences =
        Presences::new(Arc::clone(&tracker), Arc::clone(&orders), store.clone(), clock.clone(), limits.retention_ms);
    let presences = Arc::new(presences);
    let pacing = Arc::new(Pacing::new(
        Arc::clone(&tracker),
        Arc::clone(&hub),
        (Arc::clone(&audience), Arc::clone(&watching)),
        Arc::clone(&sockets),
        clock.clone(),
    ));
    let suggestions = Suggestions::new(Arc::clone(&tracker), store.clone(), clock.clone(), roads.clone());
    let turnstile = Turnstile::new(config.settings.threads());
    let app = Data::new(AppState {
        suggestions,
        places,
        exceptions: Arc::clone(&exceptions),
        looks: Looks::start(store.clone(), clock.clone(), &tasks, give_up.subscribe()),
        ingest: Ingest::new(
            Arc::clone(&orders),
            Arc::clone(&tracker),
            Arc::clone(&presences),
            fix_writer.clone(),
            clock.clone(),
            limits,
        ),
        config,
        clock: clock.clone(),
        store: store.clone(),
        fix_writer,
        tracker: Arc::clone(&tracker),
        hub: Arc::clone(&hub),
        broker: Arc::clone(&broker),
        fleet: Arc::clone(&fleet),
        audience,
        watching,
        pacing: Arc::clone(&pacing),
        links: links(&store, &tasks),
        tracked: tracked(&store, &tasks),
        tours: Tours::new(Arc::clone(&tracker), clock.clone(), roads.clone()),
        orders,
        presences,
        sightings: Sightings::default(),
        proofs: Proofs::new(store.clone(), Arc::new(FileProofStore::new(proof_folder)), clock.clone()),
        uploads: Uploads::default(),
        sockets,
        turnstile,
        tasks: tasks.clone(),
        readiness: Readiness::default(),
        sign_in_throttle: SignInThrottle::default(),
        misses: Misses::default(),
        ingest_limit: ingest::device_limit(),
        link_limit: courier_session::link_limit(),
        metrics,
    });
    let loaded = app.orders.load_open().await?;
    tracing::info!(couriers = loaded, "restored the live view");
    if let Some((arrivals, thread)) = arrivals {
        peers::start(&app, (arrivals, &thread), &tasks, &give_up.subscribe());
    }
    let planner = roads.map(|roads| Planner::start(roads, &tasks));
    let arrivals = Arrivals::new(tracker, hub, broker, store, clock, planner);
    tasks.spawn_critical("arrivals", until_stopped(give_up.subscribe(), arrivals.run()));
    tasks.spawn_critical("exceptions", until_stopped(give_up.subscribe(), exceptions.run()));
    tasks.spawn_critical("fleet", until_stopped(give_up.subscribe(), fleet.run()));
    tasks.spawn_critical("pacing", until_stopped(give_up.subscribe(), pacing.run()));
    tasks.spawn_critical("devices", until_stopped(give_up.subscribe(), device::watch::watch(app.clone())));
    let orders = Arc::clone(&app.orders);
    tasks.spawn_critical("plans", until_stopped(give_up.subscribe(), async move { orders.keep_plans().await }));
    tasks.spawn_critical("database_check", until_stopped(give_up.subscribe(), check_database(app.clone())));
    let beating = pulse::run(Arc::clone(&app.sockets), app.clock.clone());
    tasks.spawn_critical("pulse", until_stopped(give_up.subscribe(), beating));
    tasks.spawn_critical("sessions", until_stopped(give_up.subscribe(), sessions::watch(app.clone())));
    tasks.spawn_critical("housekeeping", until_stopped(give_up.subscribe(), keep_house(app.clone())));
    app.readiness.set_database(true);
    let http = start_http(&app, listener)?;
    Ok((address, app, http, give_up))
}

fn links(store: &Store, tasks: &Tasks) -> Gather<LinkHash, LinkedOrder> {
    let store = store.clone();
    Gather::new("tracking_links", tasks, move |hashes: Vec<LinkHash>| {
        let store = store.clone();
        async move { store.orders_by_tracking_tokens(&hashes).await }
    })
}

fn tracked(store: &Store, tasks: &Tasks) -> Gather<OrderId, Arc<TrackedOrder>> {
    let store = store.clone();
    Gather::new("tracked_orders", tasks, move |ids: Vec<OrderId>| {
        let store = store.clone();
        async move {
            let tracked = store.tracked_orders(&ids).await?;
            Ok(tracked.into_iter().map(|(id, order)| (id, Arc::new(order))).collect())
        }
    })
}

/// The way to the other instances, if there are any, with what they tell.
async fn connect(
    settings: &Settings,
    store: &Store,
    (hub, fleet): (&Arc<Hub>, &Arc<Fleet>),
    tasks: &Tasks,
    stopped: &watch::Receiver<bool>,
) -> anyhow::Result<(Arc<dyn Broker>, Option<(mpsc::Receiver<Arrival>, Handle)>)> {
    let (hub, fleet) = (Arc::clone(hub), Arc::clone(fleet));
    let Some(url) = &settings.redis_url else {
        return Ok((Arc::new(InProcess::new(hub, fleet)), None));
    };
    let client = redis::Client::open(url.as_str()).context("DOORSTEP_REDIS_URL is not an address of Redis")?;
    let channels = Channels::of(&store.identity().await?);
    let started = Redis::start(client, channels, (hub, fleet), tasks, stopped);
    let Started { broker, arrivals, thread } = started.context("starting the thread that speaks with Redis")?;
    Ok((Arc::new(broker), Some((arrivals, thread))))
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    // Whatever this socket accepts inherits it.
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(&address.into()).with_context(|| format!("cannot listen on {address}"))?;
    // Ten thousand viewers may come back within a second of a restart.
    socket.listen(4_096)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

async fn load_roads(file: Option<&Path>) -> anyhow::Result<Option<Arc<RoadNetwork>>> {
    let bytes = match file {
        Some(file) => tokio::fs::read(file).await.with_context(|| format!("cannot read {}", file.display()))?,
        None => MALTA_ROADS.to_vec(),
    };
    let loaded = tokio::task::spawn_blocking(move || RoadNetwork::from_bytes(&bytes)).await?;
    Ok(Some(Arc::new(loaded.context("the street graph cannot be used")?)))
}

#[allow(clippy::disallowed_methods, reason = "actix's own server task; its handle stops it and is awaited")]
fn start_http(app: &Data<AppState>, listener: TcpListener) -> anyhow::Result<ServerHandle> {
    let data = app.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .wrap(from_fn(routes::in_time))
            .wrap(from_fn(routes::security_headers))
            .configure(routes::configure)
    })
    .workers(app.config.settings.threads())
    .on_connect(Cord::keep)
    // The registry counts connections and answers 429; this is only the floor under it.
    .max_connections(app.config.settings.max_connections + 1_000)
    .client_request_timeout(Duration::from_secs(5))
    // How long a client that was told everything may take to hang up. A second, the default, would hold every closed
    // socket for that long; but actix counts from a time that is up to half a second old, and a moment that is past
    // already never comes: with less than that such a connection stayed for as long as its client liked.
    .client_disconnect_timeout(Duration::from_millis(600))
    .keep_alive(Duration::from_secs(75))
    .h1_write_buffer_size(WRITE_BUFFER_BYTES)
    .shutdown_timeout(2)
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(handle)
}

pub(crate) async fn until_stopped(mut stopped: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
}

async fn check_database(app: Data<AppState>) {
    let mut clock = tokio::time::interval(DATABASE_CHECK_EVERY);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        let answer = tokio::time::timeout(DATABASE_CHECK_TIMEOUT, app.store.ping()).await;
        app.readiness.set_database(matches!(answer, Ok(Ok(()))));
        metrics::gauge!("doorstep_fix_writer_lag_seconds").set(app.fix_writer.backlog().lag().as_secs_f64());
    }
}

async fn keep_house(app: Data<AppState>) {
    let mut clock = tokio::time::interval(HOUSEKEEPING_EVERY);
    loop {
        clock.tick().await;
        let now = app.clock.now();
        if let Err(error) = app.store.maintain_fix_partitions(now, app.config.settings.retention_days).await {
            tracing::warn!(error = %error, "could not prepare the days ahead; trying again in ten minutes");
        }
        let kept_from = now - TimeDelta::days(i64::from(app.config.settings.proof_days));
        if let Err(error) = app.proofs.forget(kept_from).await {
            tracing::warn!(error = %SourceChain(&error), "could not forget old proofs");
        }
        if let Err(error) = app.store.forget_expired(now).await {
            tracing::warn!(error = %error, "could not forget what has expired");
        }
        let kept_from = now - chrono::TimeDelta::days(i64::from(app.config.settings.retention_days));
        if let Err(error) = app.store.forget_off_duty_before(kept_from).await {
            tracing::warn!(error = %error, "could not forget old time off");
        }
        if let Err(error) = app.store.forget_expired_couriers(now, courier::LIFETIME).await {
            tracing::warn!(error = %error, "could not forget how couriers signed in");
        }
        let kept_from = now - chrono::TimeDelta::days(i64::from(app.config.settings.retention_days));
        if let Err(error) = app.store.forget_looks(kept_from).await {
            tracing::warn!(error = %error, "could not forget old looks");
        }
        if let Err(error) = app.store.forget_exceptions(kept_from).await {
            tracing::warn!(error = %error, "could not forget old exceptions");
        }
        app.tracker.forget_idle(&app.sockets.connected_couriers(), now.timestamp_millis());
        app.sign_in_throttle.forget_idle();
        app.misses.forget_idle();
        app.ingest_limit.forget_idle();
        app.link_limit.forget_idle();
        app.metrics.run_upkeep();
    }
}

impl Running {
    /// Serves until a signal comes or a task that must not end has ended; then lets `before` finish and stops.
    ///
    /// # Errors
    /// When a critical task ended: the supervisor should start us again.
    pub async fn until_asked_to_stop(self, before: impl Future<Output = ()>) -> anyhow::Result<()> {
        let failed = tokio::select! {
            () = termination() => None,
            name = self.app.tasks.critical_failure() => Some(name),
        };
        before.await;
        match failed {
            Some(name) => {
                // The task's share will never be done, so waiting for it only keeps the supervisor from starting us
                // again. Whoever has no ack sends again.
                self.end(Some(FAILED_PATIENCE)).await;
                anyhow::bail!("the task {name} ended unexpectedly")
            }
            None => {
                self.stop().await;
                Ok(())
            }
        }
    }

    /// Stops everything, in order.
    pub async fn stop(self) {
        self.end(None).await;
    }

    /// Stops everything, in order: the server itself within `patience` where there is one, and then its database.
    async fn end(mut self, patience: Option<Duration>) {
        let embedded = self.embedded.take();
        let winding_up = self.wind_up();
        let connections = match patience {
            Some(patience) => tokio::time::timeout(patience, winding_up).await.ok(),
            None => Some(winding_up.await),
        };
        if let Some(embedded) = embedded {
            embedded.stop().await;
        }
        tracing::info!(connections, "stopped");
    }

    /// Lets everybody and everything go but the database. Gives how many connections there were.
    async fn wind_up(self) -> usize {
        let Self { app, http, give_up, .. } = self;
        tracing::info!("stopping");
        app.readiness.drain();
        app.tasks.expect_endings();
        let open = app.sockets.close_all(CloseCode::ServerRestart);
        // Accepting stops at once; connections get until the patience ends to read their close frame.
        let stopping = http.stop(true);
        let _ = tokio::time::timeout(SOCKETS_PATIENCE, stopping).await;
        let store = app.store.clone();
        let tasks = app.tasks.clone();
        drained(&app).await;
        give_up.send_replace(true);
        drop(app);
        if !tasks.join(TASKS_PATIENCE).await {
            tracing::warn!("some tasks did not end in time");
        }
        let _ = tokio::time::timeout(Duration::from_millis(500), store.close()).await;
        open
    }
}

/// Waits until nothing is left to commit, for as long as the tasks get.
async fn drained(app: &AppState) {
    let empty = async {
        while app.fix_writer.backlog().rows() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    if tokio::time::timeout(TASKS_PATIENCE, empty).await.is_err() {
        tracing::warn!(rows = app.fix_writer.backlog().rows(), "fixes that were not acked stay with their phones");
    }
}

async fn termination() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be listened to");
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals can be listened to");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
