//! The Postgres of our own: started, stopped, killed, and found again.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, time::Instant};

use doorstep_server::store::embedded::{Embedded, EmbeddedError, Layout};
use nix::{sys::signal::Signal, unistd::Pid};
use sqlx::{ConnectOptions, Connection, PgPool, postgres::PgPoolOptions};

use crate::support::eventually;

/// A directory for a cluster, removed with what runs in it.
pub(crate) struct Cluster {
    home: PathBuf,
}

impl Cluster {
    pub(crate) fn new(name: &str) -> Self {
        let home = std::env::temp_dir().join(format!("doorstep-it-{}-{name}", std::process::id()));
        fs::create_dir(&home).expect("the temporary directory can be written");
        // The database's user must get in, whatever our umask is.
        fs::set_permissions(&home, fs::Permissions::from_mode(0o755)).expect("it is ours");
        Self { home }
    }

    pub(crate) async fn start(&self) -> Embedded {
        Embedded::start(&self.home).await.expect("Postgres starts")
    }

    pub(crate) fn home(&self) -> &std::path::Path {
        &self.home
    }

    pub(crate) async fn is_running(&self) -> bool {
        self.layout().is_running().await
    }

    fn layout(&self) -> Layout {
        Layout::under(&self.home).expect("there is a user for Postgres")
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://doorstep@localhost/doorstep?host={}", self.home.join("run").display())
    }

    pub(crate) fn pool(&self) -> PgPool {
        PgPoolOptions::new().max_connections(2).connect_lazy_with(self.layout().connect_options())
    }

    fn pid(&self) -> Option<Pid> {
        let lock = fs::read_to_string(self.home.join("postgres/postmaster.pid")).ok()?;
        Some(Pid::from_raw(lock.lines().next()?.trim().parse().ok()?))
    }

    /// Sends a signal to Postgres and waits until it answers no more.
    pub(crate) async fn kill(&self, signal: Signal) {
        nix::sys::signal::kill(self.pid().expect("it runs"), signal).expect("it is ours");
        eventually("Postgres ending", async || !self.is_running().await).await;
    }

    /// Stops or continues every process of the cluster.
    pub(crate) fn signal_all(&self, signal: Signal) {
        let postmaster = self.pid().expect("it runs");
        let children = format!("/proc/{postmaster}/task/{postmaster}/children");
        let children = fs::read_to_string(children).expect("Linux lists children");
        let children = children.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw);
        for pid in std::iter::once(postmaster).chain(children) {
            // A child may have ended just now.
            let _ = nix::sys::signal::kill(pid, signal);
        }
    }

    async fn query(&self, statement: &'static str) -> i64 {
        let mut connection = self.layout().connect_options().connect().await.expect("Postgres answers");
        let answer = sqlx::query_scalar(statement).fetch_one(&mut connection).await.expect("the statement is sound");
        connection.close().await.expect("the connection ends");
        answer
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            // A frozen process would not receive the other signal.
            let _ = nix::sys::signal::kill(pid, Signal::SIGCONT);
            let _ = nix::sys::signal::kill(pid, Signal::SIGQUIT);
        }
        let _ = fs::remove_dir_all(&self.home);
    }
}

const MAKE_A_NOTE: &str = "with made as (select lo_create(0)) select 1::bigint from made";
const COUNT_NOTES: &str = "select count(*) from pg_largeobject_metadata";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_is_there_after_a_stop_and_a_start() {
    let cluster = Cluster::new("kept");
    let postgres = cluster.start().await;
    assert!(cluster.is_running().await);
    cluster.query(MAKE_A_NOTE).await;
    postgres.stop().await;
    assert!(!cluster.is_running().await);
    assert!(cluster.pid().is_none(), "a clean stop leaves no lock");
    let again = cluster.start().await;
    assert_eq!(cluster.query(COUNT_NOTES).await, 1);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_a_killed_postgres_left_behind_is_no_obstacle() {
    let cluster = Cluster::new("killed");
    let postgres = cluster.start().await;
    cluster.query(MAKE_A_NOTE).await;
    cluster.kill(Signal::SIGKILL).await;
    assert!(cluster.pid().is_some(), "the lock is still there");
    drop(postgres);
    let started = Instant::now();
    let again = cluster.start().await;
    assert!(started.elapsed() < crate::support::PATIENCE, "it took {:?}", started.elapsed());
    assert_eq!(cluster.query(COUNT_NOTES).await, 1, "what was committed survived");
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_whose_number_now_belongs_to_another_process_is_no_obstacle() {
    let cluster = Cluster::new("reused");
    cluster.start().await.stop().await;
    // After a reboot the number may belong to any process.
    for pid in [std::process::id(), 1] {
        let lock = format!("{pid}\n{}\n0\n5432\n", cluster.home.join("postgres").display());
        fs::write(cluster.home.join("postgres/postmaster.pid"), lock).expect("we may write");
        assert!(!cluster.is_running().await);
        let outcome = Embedded::start(&cluster.home).await;
        outcome.expect("Postgres sees that the lock is stale, or we do").stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_takes_over_the_postgres_that_runs() {
    let cluster = Cluster::new("taken-over");
    let first = cluster.start().await;
    let pid = cluster.pid();
    let second = cluster.start().await;
    assert_eq!(cluster.pid(), pid, "it is the same one");
    drop(first);
    assert!(cluster.is_running().await, "a handle that is dropped does not stop it");
    second.stop().await;
    assert!(!cluster.is_running().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_user_may_enter_and_there_is_no_network_port() {
    let cluster = Cluster::new("private");
    let postgres = cluster.start().await;
    for name in ["run", "postgres"] {
        let mode = fs::metadata(cluster.home.join(name)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{name}");
    }
    let log = fs::metadata(cluster.home.join("postgres.log")).expect("it is there").permissions().mode();
    assert_eq!(log & 0o777, 0o600, "statements that failed stand in it");
    let addresses: String = {
        let mut connection = postgres.connect_options().connect().await.expect("Postgres answers");
        sqlx::query_scalar("show listen_addresses").fetch_one(&mut connection).await.expect("a setting")
    };
    assert_eq!(addresses, "");
    postgres.stop().await;
}

#[test]
fn without_the_programs_the_error_says_what_to_do() {
    let sentence = EmbeddedError::NoBinaries.to_string();
    assert!(sentence.contains("apt-get install postgresql") && sentence.contains("DATABASE_URL"), "{sentence}");
}
