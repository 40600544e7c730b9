//! Where one run takes place: its sizes, its seed, its folder, and the parts that it starts.

use super::draw::Draw;
use super::load::{Load, Plan};
use super::profile::Profile;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};
use xtask_support::postgres::{Durability, Throwaway};
use xtask_support::process;
use xtask_support::running::free_address;
use xtask_support::server::Server;

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The database of every run, in a Postgres of its own.
pub(super) const DATABASE: &str = "doorstep";

/// Programs of the tests are several times slower, and several runs share the machine.
const SLACK_OF_DEBUG: f64 = 2.0;

/// Who takes part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub couriers: u32,
    pub viewers: u32,
    pub dispatchers: u32,
    /// Messages a second from each courier, one fix in each.
    pub rate_hz: u32,
}

impl Size {
    /// Fixes that are due in a second.
    pub(super) fn fixes_per_s(self) -> f64 {
        f64::from(self.couriers * self.rate_hz)
    }

    /// Positions that customers get in a second: each follows one courier.
    pub(super) fn deliveries_per_s(self) -> f64 {
        f64::from(self.viewers * self.rate_hz)
    }

    /// Everybody with a socket.
    pub(super) fn sockets(self) -> u32 {
        self.couriers + self.viewers + self.dispatchers
    }
}

/// One run of a row.
pub(super) struct Setting {
    pub seed: u64,
    pub short: bool,
    pub profile: Profile,
    pub draw: Draw,
    folder: Folder,
}

struct Folder(PathBuf);

/// How many folders this process has made, to tell them apart.
static MADE: AtomicU32 = AtomicU32::new(0);

/// A server on a Postgres. Fields are dropped in this order.
pub(super) struct Scene {
    pub server: Server,
    pub api_key: String,
    pub postgres: Throwaway,
}

impl Setting {
    pub(super) fn new(seed: u64, short: bool, profile: Profile) -> Result<Self> {
        Ok(Self { seed, short, profile, draw: Draw::new(seed), folder: Folder::make()? })
    }

    /// The load of the fault table, or a small one.
    pub(super) fn size(&self) -> Size {
        let (couriers, viewers, dispatchers) = if self.short { (20, 60, 2) } else { (500, 1_000, 5) };
        Size { couriers, viewers, dispatchers, rate_hz: 2 }
    }

    /// What the fault table asks, or less of it for the short set.
    pub(super) fn or_short<T>(&self, full: T, short: T) -> T {
        if self.short { short } else { full }
    }

    /// A limit of the fault table, which is made for optimised programs.
    pub(super) fn limit(&self, limit: f64) -> f64 {
        if self.profile == Profile::Debug { limit * SLACK_OF_DEBUG } else { limit }
    }

    /// The full run stands on a disk that keeps its promises. In the short set processes are all that crashes.
    pub(super) fn durability(&self) -> Durability {
        if self.short { Durability::KeptByTheSystem } else { Durability::Kept }
    }

    /// Where files of this run may lie.
    pub(super) fn folder(&self) -> &Path {
        &self.folder.0
    }

    /// A server on a Postgres of its own.
    pub(super) fn scene(&self) -> Result<Scene> {
        self.scene_on(Throwaway::start(self.durability())?)
    }

    /// A server on `postgres`.
    pub(super) fn scene_on(&self, postgres: Throwaway) -> Result<Scene> {
        postgres.create_database(DATABASE)?;
        let server = self.server(postgres.url(DATABASE), &[])?;
        Scene::new(server, postgres)
    }

    /// A server on the database at `url`, with more settings.
    pub(super) fn server(&self, url: String, more: &[(&'static str, String)]) -> Result<Server> {
        let address = free_address()?;
        let mut environment =
            vec![("DATABASE_URL", url), ("DOORSTEP_DATA_DIR", self.folder().join("data").display().to_string())];
        environment.extend_from_slice(more);
        let log = self.folder().join(format!("server-{}.log", address.port()));
        Server::start(self.profile.folder(), address, environment, log)
    }

    /// The load, for so many seconds, once couriers report.
    pub(super) fn load(&self, scene: &Scene, duration_s: f64) -> Result<Load> {
        let plan = Plan { name: "load", seed: self.seed, duration_s, viewer_server: None };
        Load::start(self, &scene.server, &scene.api_key, &plan)
    }

    /// A moment that the seed decides, between both, in seconds from now; it has come when this returns.
    ///
    /// # Errors
    /// As [`pass`].
    pub(super) fn reach_a_moment(&self, from_s: f64, until_s: f64) -> Result<()> {
        pass(self.draw.between(from_s, until_s))
    }
}

impl Scene {
    /// A server that runs, with a key for it.
    pub(super) fn new(server: Server, postgres: Throwaway) -> Result<Self> {
        let api_key = server.run(&["api-key", "create", "--name", "faults"])?;
        Ok(Self { server, api_key, postgres })
    }
}

/// Lets time pass that belongs to the fault, or comes before it.
///
/// # Errors
/// When the command is interrupted.
pub(super) fn pass(time: Duration) -> Result<()> {
    let until = Instant::now() + time;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        ensure!(!process::interrupted(), "interrupted");
        thread::sleep(left.min(Duration::from_millis(100)));
    }
    Ok(())
}

/// Waits until `holds`, and gives how long that took.
///
/// # Errors
/// When it does not within `patience`, or the command is interrupted.
pub(super) fn wait_until(what: &str, patience: Duration, mut holds: impl FnMut() -> Result<bool>) -> Result<Duration> {
    let began = Instant::now();
    while !holds()? {
        ensure!(began.elapsed() < patience, "not within {} s: {what}", patience.as_secs());
        ensure!(!process::interrupted(), "interrupted");
        thread::sleep(POLL_INTERVAL);
    }
    Ok(began.elapsed())
}

impl Folder {
    fn make() -> Result<Self> {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("doorstep-faults-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if env::var_os("DOORSTEP_KEEP_LOGS").is_none() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
