//! Takes the server apart in the right order.
//!
//! Readiness off → close connections with 4000, admit no more → stop accepting → drain the fix writer → background
//! tasks → embedded Postgres.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use actix_web::dev::ServerHandle;
use doorstep_shared::protocol::CloseCode;
use tokio_util::sync::CancellationToken;

use super::listen::MetricsServer;
use crate::{platform::tasks::Tasks, state::AppState, store::embedded::Embedded};

/// How long connections, writers and tasks each get at shutdown. SIGTERM promises five seconds in all.
const SOCKETS_PATIENCE: Duration = Duration::from_millis(1_500);
const TASKS_PATIENCE: Duration = Duration::from_millis(2_500);
/// How long all of them together get when a task that must not end has ended: the process should be gone within a
/// second, for a supervisor to start it again.
const FAILED_PATIENCE: Duration = Duration::from_millis(500);
const EMBEDDED_PATIENCE: Duration = Duration::from_secs(25);

/// A server that accepts connections.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its metrics are, if somebody can read them.
    pub metrics_address: Option<SocketAddr>,
    /// Its pieces.
    pub app: Arc<AppState>,
    http: ServerHandle,
    metrics: Option<MetricsServer>,
    shutdown: CancellationToken,
    embedded: Option<Supervised>,
}

/// A server that accepts connections, without the database that it may have started.
pub(super) struct Served {
    pub(super) address: SocketAddr,
    pub(super) app: Arc<AppState>,
    pub(super) http: ServerHandle,
    pub(super) metrics: Option<MetricsServer>,
    pub(super) shutdown: CancellationToken,
}

/// An embedded Postgres in the care of its own task, which ends after all others.
pub(super) struct Supervised {
    tasks: Tasks,
    shutdown: CancellationToken,
}

impl Supervised {
    pub(super) fn start(embedded: Embedded) -> Self {
        let (tasks, shutdown) = (Tasks::default(), CancellationToken::new());
        tasks.spawn("embedded_postgres", embedded.supervise(shutdown.clone().cancelled_owned()));
        Self { tasks, shutdown }
    }

    pub(super) async fn stop(self) {
        self.shutdown.cancel();
        if !self.tasks.join(EMBEDDED_PATIENCE).await {
            tracing::warn!("the embedded Postgres has not stopped yet");
        }
    }
}

impl Running {
    pub(super) fn new(Served { address, app, http, metrics, shutdown }: Served, embedded: Option<Supervised>) -> Self {
        let metrics_address = metrics.as_ref().map(|server| server.address);
        Self { address, metrics_address, app, http, metrics, shutdown, embedded }
    }

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
                // The task's work will never be done, so waiting for it only keeps the supervisor from starting us
                // again. Clients without an ack send again.
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

    /// Ends all connections and tasks, but not the database. Gives how many connections there were.
    async fn wind_up(self) -> usize {
        let Self { app, http, metrics, shutdown, .. } = self;
        tracing::info!("stopping");
        app.readiness.drain();
        app.tasks.expect_endings();
        let open = app.connections.close_all(CloseCode::ServerRestart);
        // Accepting stops at once; connections get until the patience ends to read their close frame.
        let stopping = http.stop(true);
        let _ = tokio::time::timeout(SOCKETS_PATIENCE, stopping).await;
        if let Some(metrics) = metrics {
            // Nobody waits for the last scrape.
            drop(metrics.handle.stop(false));
        }
        let store = app.store.clone();
        let tasks = app.tasks.clone();
        drained(&app).await;
        shutdown.cancel();
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

/// Resolves when a person or a supervisor asks the process to end.
pub(super) async fn termination() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be listened to");
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals can be listened to");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
