//! A Postgres of our own, for trying Doorstep on a machine that has the binaries and nothing else.
//!
//! The cluster lives under the data directory and is kept between runs. It listens on a Unix socket only, in a
//! directory that only its owner may enter, so there is no password to lose. `postgres` refuses to run as root, which
//! is usual in containers and CI: then it runs as the `postgres` or `nobody` user. (`postgresql_embedded` cannot do
//! that, which is why the binaries are driven from here.) A server that was killed leaves its Postgres running, and the
//! next server takes it over. [`crate::app`] starts and stops it.

mod error;
mod layout;
mod programs;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions, Connection, postgres::PgConnectOptions};

pub use self::{error::EmbeddedError, layout::Layout};
use self::{error::START_DEADLINE, layout::DATABASE};

const STOP_DEADLINE: Duration = Duration::from_secs(20);

/// Workers of a Postgres that was killed notice within milliseconds, on a busy machine within a second or two.
const LEFTOVERS_DEADLINE: Duration = Duration::from_secs(10);

/// A Postgres that ended is left alone for this long: the process that ended it may be starting it again.
const RESTART_DELAY: Duration = Duration::from_secs(1);

/// How often a Postgres that is not our child is checked for.
const POLL_EVERY: Duration = Duration::from_millis(500);

const CREATE_DATABASE: &str = "create database doorstep";

/// A running Postgres. [`Embedded::stop`] ends it; dropping leaves it running for the next server to take over.
#[derive(Debug)]
pub struct Embedded {
    layout: Layout,
    child: Option<tokio::process::Child>,
    bin_dir: PathBuf,
}

impl Embedded {
    /// Starts Postgres, or takes over the one that an earlier server left running. Makes the cluster first
    /// when there is none.
    ///
    /// # Errors
    /// [`EmbeddedError`] says what to do about it.
    pub async fn start(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let layout = Layout::under(data_dir)?;
        let bin_dir = programs::find_binaries().ok_or(EmbeddedError::NoBinaries)?;
        layout.prepare()?;
        if layout.is_running().await {
            tracing::info!("took over the embedded Postgres that was left running");
            return Ok(Self { layout, child: None, bin_dir });
        }
        if !layout.cluster.join("PG_VERSION").exists() {
            programs::init_cluster(&layout, &bin_dir).await?;
        }
        let mut postgres = Self { child: None, layout, bin_dir };
        postgres.launch().await?;
        postgres.create_database().await?;
        Ok(postgres)
    }

    /// How to connect to it.
    pub fn connect_options(&self) -> PgConnectOptions {
        self.layout.connect_options()
    }

    /// Starts Postgres and waits for it. The workers of a Postgres that was killed end a little after it, and until
    /// then the next one finds its memory in use and gives up; so where a lock was left behind, this tries again.
    async fn launch(&mut self) -> Result<(), EmbeddedError> {
        let was_killed = self.layout.cluster.join("postmaster.pid").exists();
        let deadline = Instant::now() + LEFTOVERS_DEADLINE;
        loop {
            self.child = Some(programs::spawn(&self.layout, &self.bin_dir)?);
            match self.wait_until_ready().await {
                Err(EmbeddedError::Program { .. }) if was_killed && Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn wait_until_ready(&mut self) -> Result<(), EmbeddedError> {
        let deadline = Instant::now() + START_DEADLINE;
        while Instant::now() < deadline {
            if self.layout.answers("postgres").await {
                return Ok(());
            }
            if let Some(child) = &mut self.child
                && let Ok(Some(status)) = child.try_wait()
            {
                let output = format!("{status}; its log is {}", self.layout.log.display());
                return Err(EmbeddedError::Program { program: "postgres", output });
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        Err(EmbeddedError::NotReady { log: self.layout.log.clone() })
    }

    async fn create_database(&self) -> Result<(), EmbeddedError> {
        if self.layout.answers(DATABASE).await {
            return Ok(());
        }
        let failed =
            |error: sqlx::Error| EmbeddedError::Program { program: "create database", output: error.to_string() };
        let mut connection = self.layout.connect_options().database("postgres").connect().await.map_err(failed)?;
        sqlx::query(CREATE_DATABASE).execute(&mut connection).await.map_err(failed)?;
        connection.close().await.map_err(failed)
    }

    /// Keeps Postgres running until `stop` resolves, and then stops it. A Postgres that ends before is started again,
    /// unless another process has done that already.
    pub async fn supervise(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                () = self.ended() => tracing::warn!("the embedded Postgres ended; starting it again"),
            }
            tokio::select! {
                () = &mut stop => break,
                () = tokio::time::sleep(RESTART_DELAY) => {}
            }
            if let Err(error) = self.restart().await {
                tracing::error!(error = %error, "the embedded Postgres could not be started again; still trying");
            }
        }
        self.stop().await;
    }

    async fn ended(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.wait().await;
            return;
        }
        while self.layout.postmaster_pid().is_some() {
            tokio::time::sleep(POLL_EVERY).await;
        }
    }

    async fn restart(&mut self) -> Result<(), EmbeddedError> {
        self.child = None;
        if !self.layout.is_running().await {
            self.launch().await?;
        }
        Ok(())
    }

    /// Stops Postgres after its clients' running transactions ("fast shutdown").
    pub async fn stop(mut self) {
        let Some(pid) = self.layout.postmaster_pid() else { return };
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT);
        let gone = async {
            match &mut self.child {
                Some(child) => drop(child.wait().await),
                None => {
                    while self.layout.postmaster_pid().is_some() {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            }
        };
        if tokio::time::timeout(STOP_DEADLINE, gone).await.is_err() {
            tracing::warn!("the embedded Postgres is taking its time to stop; leaving it to finish");
        }
    }
}
