//! A server in this process.

use std::{net::SocketAddr, panic::AssertUnwindSafe};

use clap::Parser;
use doorstep_server::{
    app::{self, AppState, Running},
    auth::principal::Scope,
    cli::new_api_key,
    clock::Clock,
    config::Settings,
};
use futures_util::FutureExt;
use sqlx::PgPool;

use super::{Database, within};

/// A running server with a key that may do everything.
pub struct TestApp {
    pub address: SocketAddr,
    pub key: String,
    pub http: reqwest::Client,
    pub database_url: String,
    /// The same database, past the server.
    pub db: PgPool,
    running: Running,
}

/// Runs `test` with a server of its own, and stops it whatever happens.
pub async fn with_app(test: impl AsyncFnOnce(&TestApp)) {
    with_settings(&[], test).await;
}

/// The same with more command-line arguments.
pub async fn with_settings(arguments: &[&str], test: impl AsyncFnOnce(&TestApp)) {
    let database = Database::create().await;
    let app = TestApp::start(&database, arguments).await;
    let outcome = AssertUnwindSafe(test(&app)).catch_unwind().await;
    app.stop().await;
    database.remove().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

#[derive(Parser)]
#[command(args_override_self = true)]
struct Arguments {
    #[command(flatten)]
    settings: Settings,
}

/// The settings of a server on a free port with `database_url`.
pub fn settings(database_url: &str, arguments: &[&str]) -> Settings {
    let ours = ["doorstep", "--bind=127.0.0.1:0", "--workers=2", "--database-connections=6", "--database-url"];
    Arguments::parse_from(ours.iter().chain(&[database_url]).chain(arguments)).settings
}

impl TestApp {
    pub async fn start(database: &Database, arguments: &[&str]) -> Self {
        Self::start_on(&database.url(), database.pool(), arguments).await
    }

    pub async fn start_on(database_url: &str, db: PgPool, arguments: &[&str]) -> Self {
        let starting = app::start(settings(database_url, arguments), Clock::system());
        let running = within("starting the server", starting).await.expect("the server starts");
        let key = new_api_key(&running.app.store, "tests", &[]).await.expect("a key can be made");
        // Connections that are kept for later would make every shutdown wait for them.
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).no_proxy();
        let http = http.redirect(reqwest::redirect::Policy::none()).build().expect("a client needs nothing");
        Self { address: running.address, key, http, database_url: database_url.to_owned(), db, running }
    }

    pub fn state(&self) -> &AppState {
        &self.running.app
    }

    /// A key with these scopes only.
    pub async fn key_with(&self, scopes: &[Scope]) -> String {
        new_api_key(&self.state().store, "narrow", scopes).await.expect("a key can be made")
    }

    pub async fn stop(self) {
        self.db.close().await;
        within("stopping the server", self.running.stop()).await;
    }
}
