//! A fresh database for each test, copied from one that was migrated once.

use std::sync::atomic::{AtomicU32, Ordering};

use doorstep_server::store::Store;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool, postgres::PgConnectOptions};
use tokio::sync::OnceCell;

const ADMIN_URL: &str = "DOORSTEP_TEST_DATABASE_URL";
const PREFIX: &str = "doorstep_it_";

/// A database that only one test uses.
pub(crate) struct Database {
    name: String,
    admin: PgConnectOptions,
}

impl Database {
    pub(crate) async fn create() -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let admin = admin();
        let template = TEMPLATE.get_or_init(|| make_template(&admin)).await;
        let name = format!("{PREFIX}{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        run(&admin, format!("create database {name} template {template}")).await;
        Self { name, admin }
    }

    /// The address for `--database-url`.
    pub(crate) fn url(&self) -> String {
        let admin = admin_url();
        let (address, parameters) = admin.split_once('?').unwrap_or((&admin, ""));
        let (server, _) = address.rsplit_once('/').expect("an address of Postgres names a database");
        format!("{server}/{}?{parameters}", self.name)
    }

    pub(crate) fn pool(&self) -> PgPool {
        let options = self.admin.clone().database(&self.name);
        sqlx::postgres::PgPoolOptions::new().max_connections(2).connect_lazy_with(options)
    }

    pub(crate) async fn remove(self) {
        run(&self.admin, format!("drop database {} with (force)", self.name)).await;
    }
}

fn admin_url() -> String {
    std::env::var(ADMIN_URL)
        .unwrap_or_else(|_| panic!("no Postgres to test with: run `cargo xtask test`, or set {ADMIN_URL}"))
}

fn admin() -> PgConnectOptions {
    admin_url().parse().unwrap_or_else(|error| panic!("{ADMIN_URL} is not a Postgres address: {error}"))
}

async fn make_template(admin: &PgConnectOptions) -> String {
    drop_leftovers(admin).await;
    let name = format!("{PREFIX}{}_template", std::process::id());
    run(admin, format!("create database {name}")).await;
    let store = Store::new(admin.clone().database(&name), 1);
    store.migrate().await.expect("the migrations apply to an empty database");
    let days = store.maintain_fix_partitions(chrono::Utc::now(), 30).await;
    days.expect("partitions can be made");
    store.close().await;
    name
}

/// Databases of test runs that are over.
async fn drop_leftovers(admin: &PgConnectOptions) {
    let mut connection = connect(admin).await;
    let names: Vec<String> = sqlx::query_scalar("select datname from pg_database where starts_with(datname, $1)")
        .bind(PREFIX)
        .fetch_all(&mut connection)
        .await
        .expect("the catalogue can be read");
    for name in names {
        let maker = name.trim_start_matches(PREFIX).split('_').next().unwrap_or_default();
        let is_ours = maker == std::process::id().to_string();
        if is_ours || !std::path::Path::new("/proc").join(maker).exists() {
            let drop = format!("drop database if exists {name} with (force)");
            sqlx::query(AssertSqlSafe(drop)).execute(&mut connection).await.expect("a leftover can be dropped");
        }
    }
}

async fn connect(admin: &PgConnectOptions) -> PgConnection {
    admin.connect().await.unwrap_or_else(|error| panic!("the Postgres of {ADMIN_URL} does not answer: {error}"))
}

async fn run(admin: &PgConnectOptions, statement: String) {
    let mut connection = connect(admin).await;
    let done = sqlx::query(AssertSqlSafe(statement.clone())).execute(&mut connection).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
    connection.close().await.expect("the connection ends");
}
