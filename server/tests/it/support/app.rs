//! A server in this process.

use std::{
    net::SocketAddr,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use clap::Parser;
use doorstep_area::{
    built_in, files,
    library::Library,
    roads::{RoadClass, RoadData, RoadEdge},
};
use doorstep_server::{
    app::{self, Running, api_keys::new_api_key},
    auth::scope::Scope,
    live::broker::PeerLink,
    platform::{
        clock::{Clock, ManualClock},
        config::Settings,
    },
    state::AppState,
};
use doorstep_shared::{LatLon, api::area::AreaView};
use futures_util::FutureExt;
use sqlx::{PgPool, postgres::PgConnectOptions};

use super::{Answer, Database, RedisServer, eventually, within};

/// Several times what the longest test takes on a busy machine.
const TEST_LIMIT: Duration = Duration::from_secs(300);

/// A running server with a key that has every scope.
pub(crate) struct TestApp {
    pub address: SocketAddr,
    pub key: String,
    pub http: reqwest::Client,
    pub database_url: String,
    /// The same database, past the server.
    pub db: PgPool,
    running: Running,
}

/// Runs `test` with a server of its own, and stops it whatever happens.
pub(crate) async fn with_app(test: impl AsyncFnOnce(&TestApp)) {
    with_settings(&[], test).await;
}

/// The same with more command-line arguments.
pub(crate) async fn with_settings(arguments: &[&str], test: impl AsyncFnOnce(&TestApp)) {
    let database = Database::create().await;
    let app = TestApp::start(&database, arguments).await;
    let outcome = outcome_of(test(&app)).await;
    app.stop().await;
    database.remove().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Runs `test` with two servers on one database and one Redis, which see each other.
pub(crate) async fn with_two_instances(test: impl AsyncFnOnce(&TestApp, &TestApp, &mut RedisServer)) {
    let (database, mut redis) = (Database::create().await, RedisServer::start().await);
    let url = redis.url();
    let arguments = ["--redis-url", &*url];
    let (a, b) = (TestApp::start(&database, &arguments).await, TestApp::start(&database, &arguments).await);
    for app in [&a, &b] {
        eventually("the instances' connections", async || app.state().broker.link() == PeerLink::Up).await;
    }
    let outcome = outcome_of(test(&a, &b, &mut redis)).await;
    tokio::join!(a.stop(), b.stop());
    database.remove().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Runs `test` with two servers on one database that know nothing of each other.
pub(crate) async fn with_two_servers(arguments: &[&str], test: impl AsyncFnOnce(&TestApp, &TestApp)) {
    let database = Database::create().await;
    let (a, b) = (TestApp::start(&database, arguments).await, TestApp::start(&database, arguments).await);
    let outcome = outcome_of(test(&a, &b)).await;
    tokio::join!(a.stop(), b.stop());
    database.remove().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Runs `test` with a server whose clock only the test moves.
pub(crate) async fn with_manual_clock(test: impl AsyncFnOnce(&TestApp, &ManualClock)) {
    with_manual_clock_and(&[], test).await;
}

/// The same with more command-line arguments.
pub(crate) async fn with_manual_clock_and(arguments: &[&str], test: impl AsyncFnOnce(&TestApp, &ManualClock)) {
    let database = Database::create().await;
    let (clock, hand) = Clock::manual(super::now_ms());
    let app = TestApp::start_at(clock, &database.url(), database.pool(), arguments).await;
    let outcome = outcome_of(test(&app, &hand)).await;
    app.stop().await;
    database.remove().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// How a test ends: also one that goes on hearing something, but never what it waits for.
async fn outcome_of(test: impl Future<Output = ()>) -> std::thread::Result<()> {
    let in_time = async { tokio::time::timeout(TEST_LIMIT, test).await.expect("a test ends within its limit") };
    AssertUnwindSafe(in_time).catch_unwind().await
}

#[derive(Parser)]
#[command(args_override_self = true)]
struct Arguments {
    #[command(flatten)]
    settings: Settings,
    /// Ours, and no setting of a server.
    #[arg(long)]
    built_in_area: bool,
}

/// For tests about ways and addresses: the built-in area. Reading it takes a quarter of a second without optimisation, so
/// other tests have one street somewhere.
pub(crate) const BUILT_IN_AREA: &str = "--built-in-area";

/// An area of one street, far from everything, for a data folder that has no area yet.
fn give_one_street(data_dir: &Path) {
    // Tests of one database may start servers at the same time.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if data_dir.join("areas").exists() {
        return;
    }
    let node = |lon| LatLon::try_new(60.0, lon).expect("on earth");
    let edge = RoadEdge::open(0, 1, RoadClass::Residential, 30);
    let data = RoadData { nodes: vec![node(5.0), node(5.001)], edges: vec![edge], ..RoadData::default() };
    let mut manifest = built_in::manifest().clone();
    manifest.area = AreaView {
        id: "one-street-00000000".parse().expect("an id"),
        name: "One street".to_owned(),
        bounds: [5.0, 60.0, 5.001, 60.0],
        addresses: false,
        basemap: false,
        ..manifest.area
    };
    let library = Library::under(data_dir);
    let staging = library.stage().expect("the data folder is new");
    let write = |name, bytes: Vec<u8>| std::fs::write(staging.area().join(name), bytes).expect("it can be written");
    write(files::STREETS, data.to_bytes());
    write(files::MANIFEST, manifest.to_json());
    library.choose(&staging.install().expect("it is whole")).expect("it is there");
}

/// Where the server with this database keeps its files: in a folder of its own, because each test removes its folder at
/// its end.
fn data_dir(database_url: &str) -> PathBuf {
    let options: PgConnectOptions = database_url.parse().expect("an address of Postgres");
    let database = options.get_database().expect("every test has a database of its own");
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("data-{database}"))
}

/// The settings of a server on a free port with `database_url`.
pub(crate) fn settings(database_url: &str, arguments: &[&str]) -> Settings {
    let ours = [
        "doorstep",
        "--bind=127.0.0.1:0",
        "--workers=2",
        "--database-connections=6",
        "--metrics-bind=127.0.0.1:0",
        "--database-url",
    ];
    let data_dir = data_dir(database_url).display().to_string();
    let of_this_test = [database_url, "--data-dir", &data_dir];
    let Arguments { settings, built_in_area } =
        Arguments::parse_from(ours.iter().chain(&of_this_test).chain(arguments));
    if !built_in_area {
        give_one_street(&settings.data_dir);
    }
    settings
}

impl TestApp {
    pub(crate) async fn start(database: &Database, arguments: &[&str]) -> Self {
        Self::start_on(&database.url(), database.pool(), arguments).await
    }

    pub(crate) async fn start_on(database_url: &str, db: PgPool, arguments: &[&str]) -> Self {
        Self::start_at(Clock::system(), database_url, db, arguments).await
    }

    /// A server that goes by `clock`.
    pub(crate) async fn start_by(clock: Clock, database: &Database) -> Self {
        Self::start_at(clock, &database.url(), database.pool(), &[]).await
    }

    async fn start_at(clock: Clock, database_url: &str, db: PgPool, arguments: &[&str]) -> Self {
        let starting = app::start(settings(database_url, arguments), clock);
        let running = within("starting the server", starting).await.expect("the server starts");
        let key = new_api_key(&running.app.store, "tests", &[]).await.expect("a key can be made");
        // Connections that are kept for later would make every shutdown wait for them.
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).no_proxy();
        let http = http.redirect(reqwest::redirect::Policy::none()).build().expect("a client needs nothing");
        Self { address: running.address, key, http, database_url: database_url.to_owned(), db, running }
    }

    /// Where the server keeps its files.
    pub(crate) fn data_dir(&self) -> PathBuf {
        data_dir(&self.database_url)
    }

    pub(crate) fn state(&self) -> &AppState {
        &self.running.app
    }

    /// What a scraper reads.
    pub(crate) async fn metrics(&self) -> String {
        let address = self.running.metrics_address.expect("a listener of its own");
        let answer = Answer::to(self.http.get(format!("http://{address}/metrics"))).await;
        assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"), "{answer:?}");
        answer.text()
    }

    /// A key with these scopes only.
    pub(crate) async fn key_with(&self, scopes: &[Scope]) -> String {
        new_api_key(&self.state().store, "narrow", scopes).await.expect("a key can be made")
    }

    pub(crate) async fn stop(self) {
        let _ = std::fs::remove_dir_all(self.data_dir());
        // Not `close`, which would wait for a database that a test has frozen.
        drop(self.db);
        within("stopping the server", self.running.stop()).await;
    }
}
