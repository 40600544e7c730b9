//! A throwaway Postgres: made in a moment, reached over a Unix socket, gone afterwards.
//!
//! Tests, query checks and faults need a real database, but must never touch one a person keeps. Each instance lives in a
//! directory of its own under the system's temporary folder, listens on no network port, and is stopped and deleted
//! on drop; should we be killed, the kernel stops it for us and the next run deletes what is left.

use crate::failure::{Failure, OrRemedy};
use crate::process;
use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};
use std::fs::{self, File};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

const DIRECTORY_PREFIX: &str = "doorstep-postgres-";

// The port only names the socket's file, but clients read PGPORT, so it is always said.
const PORT: &str = "5432";

// `initdb` has been seen to take 20 s on a busy two-core machine; starting takes well under a second.
const START_DEADLINE: Duration = Duration::from_secs(60);
const STOP_DEADLINE: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// As in production: for measurements.
    Kept,
    /// Lost on a power cut only, however processes end: for tests of crashes, which a slow disk would make slow.
    KeptByTheSystem,
    /// Fast, and lost on a power cut: for tests.
    Skipped,
}

/// How many this process has started, to tell their directories apart.
static STARTED: AtomicU32 = AtomicU32::new(0);

static LEFTOVERS: Once = Once::new();

/// A running Postgres that ends with this value.
pub struct Throwaway {
    server: Child,
    cluster: Cluster,
}

/// Where everything of an instance lies, and how it runs.
struct Cluster {
    directory: PathBuf,
    data: PathBuf,
    programs: PathBuf,
    owner: Option<User>,
    durability: Durability,
}

impl Throwaway {
    /// Makes a new, empty cluster and waits until it answers.
    ///
    /// # Errors
    /// When Postgres is not installed, or does not start within a minute; the message includes its log.
    pub fn start(durability: Durability) -> Result<Self> {
        Self::start_in(durability, None)
    }

    /// The same with its tables in `folder`, on a disk of their own; the log of changes stays apart from them.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with_tables_in(durability: Durability, folder: &Path) -> Result<Self> {
        Self::start_in(durability, Some(folder))
    }

    fn start_in(durability: Durability, tables: Option<&Path>) -> Result<Self> {
        let programs =
            programs().ok_or_else(|| Failure::new("Postgres is not installed", "run `apt-get install postgresql`"))?;
        // Once, and before anybody makes theirs: later it would take living siblings for remains.
        LEFTOVERS.call_once(delete_leftovers);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let directory = env::temp_dir().join(format!("{DIRECTORY_PREFIX}{}-{number}", std::process::id()));
        let owner = owner()?;
        make_directory(&directory, owner.as_ref())?;
        let data = tables.unwrap_or(&directory).join("data");
        let cluster = Cluster { directory, data, programs, owner, durability };
        process::run_quietly(&mut cluster.initdb(tables.is_some())).or_remedy(
            "a Postgres cluster could not be made",
            format!("see that {} is writable and has space", env::temp_dir().display()),
        )?;
        let mut throwaway = Self { server: cluster.spawn()?, cluster };
        throwaway.wait_until_ready()?;
        Ok(throwaway)
    }

    /// Ends it as `pg_ctl stop -m immediate` does: no goodbye to anybody, nothing written down.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop_immediately(&mut self) -> Result<()> {
        self.signal(Signal::SIGQUIT);
        ensure!(self.wait_until_stopped(), "Postgres does not end");
        Ok(())
    }

    /// Starts it again after [`Self::stop_immediately`], and waits until it answers.
    ///
    /// # Errors
    /// When it does not.
    pub fn start_again(&mut self) -> Result<()> {
        self.server = self.cluster.spawn()?;
        self.wait_until_ready()
    }

    /// Freezes all of its processes, or lets them go on.
    ///
    /// # Errors
    /// When the system does not say which they are.
    pub fn set_frozen(&mut self, frozen: bool) -> Result<()> {
        let signal = if frozen { Signal::SIGSTOP } else { Signal::SIGCONT };
        // The first one first: frozen, it starts no others.
        self.signal(signal);
        for child in children(self.server.id())? {
            // Ended in the meantime, it needs none.
            let _ = kill(child, signal);
        }
        Ok(())
    }

    /// The folder of its socket, as libpq and sqlx want it.
    pub fn socket_folder(&self) -> &Path {
        &self.cluster.directory
    }

    /// The connection string of `database`, over the Unix socket.
    pub fn url(&self, database: &str) -> String {
        url_through(self.socket_folder(), database)
    }

    /// Creates an empty database.
    ///
    /// # Errors
    /// When the name is taken.
    pub fn create_database(&self, name: &str) -> Result<()> {
        self.psql("postgres", &["-c", &format!("create database {name}")]).map(drop)
    }

    /// Runs the SQL of `file` in `database`, stopping at the first error.
    ///
    /// # Errors
    /// What psql says about the statement that failed.
    pub fn run_file(&self, database: &str, file: &Path) -> Result<()> {
        self.psql(database, &["-f", &file.to_string_lossy()]).map(drop)
    }

    /// The single value that `query` gives.
    ///
    /// # Errors
    /// What psql says about it.
    pub fn ask(&self, database: &str, query: &str) -> Result<String> {
        self.psql(database, &["--tuples-only", "--no-align", "-c", query])
    }

    fn psql(&self, database: &str, arguments: &[&str]) -> Result<String> {
        let mut psql = Command::new(self.cluster.programs.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname"])
            .arg(self.url(database))
            .args(arguments);
        process::run_quietly(&mut psql)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_DEADLINE;
        while Instant::now() < deadline && !process::interrupted() {
            if let Some(status) = self.server.try_wait().context("waiting for Postgres")? {
                bail!("Postgres ended with {status}:\n{}", self.log());
            }
            if self.answers()? {
                return Ok(());
            }
            thread::sleep(POLL_INTERVAL);
        }
        bail!("Postgres does not answer:\n{}", self.log())
    }

    /// Whether it still answers.
    pub fn is_ready(&self) -> bool {
        self.answers().unwrap_or(false)
    }

    fn answers(&self) -> Result<bool> {
        let status = Command::new(self.cluster.programs.join("pg_isready"))
            .args(["--quiet", "--port", PORT, "--host"])
            .arg(&self.cluster.directory)
            .status();
        Ok(status.context("`pg_isready` cannot be started")?.success())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.cluster.directory.join("log")).unwrap_or_default()
    }

    fn signal(&mut self, signal: Signal) {
        // The number of one that has ended may belong to another process by now.
        if matches!(self.server.try_wait(), Ok(None)) {
            let _ = kill(Pid::from_raw(self.server.id().cast_signed()), signal);
        }
    }

    fn wait_until_stopped(&mut self) -> bool {
        let deadline = Instant::now() + STOP_DEADLINE;
        while Instant::now() < deadline {
            if !matches!(self.server.try_wait(), Ok(None)) {
                return true;
            }
            thread::sleep(POLL_INTERVAL);
        }
        false
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        let _ = self.set_frozen(false);
        // SIGINT is Postgres' fast shutdown: sessions are cut, nothing waits for a client that forgot to leave.
        self.signal(Signal::SIGINT);
        if !self.wait_until_stopped() {
            let _ = self.server.kill();
            let _ = self.server.wait();
        }
        let _ = fs::remove_dir_all(&self.cluster.directory);
    }
}

/// The folder of Postgres' programs: on `PATH`, or where Debian keeps them, newest version first.
pub fn programs() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).chain(debian_programs()).find_map(|folder| complete(&folder))
}

/// The folder that really holds the server of `folder`, if it has all we call. A `postgres` on `PATH` is often a lone
/// link to it.
fn complete(folder: &Path) -> Option<PathBuf> {
    let server = folder.join("postgres").canonicalize().ok()?;
    let real = server.parent()?;
    let has_all = ["initdb", "psql", "pg_isready"].iter().all(|program| real.join(program).is_file());
    has_all.then(|| real.to_path_buf())
}

fn debian_programs() -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut folders: Vec<(u32, PathBuf)> = versions
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    folders.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    folders.into_iter().map(|(_, folder)| folder).collect()
}

/// Who must run Postgres instead of us. It refuses root, which is common in containers and CI.
fn owner() -> Result<Option<User>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let Some(user) = User::from_name(name)? {
            return Ok(Some(user));
        }
    }
    bail!(Failure::new(
        "Postgres refuses to run as root, and there is no user `postgres` or `nobody`",
        "run `adduser --system postgres`",
    ))
}

fn make_directory(directory: &Path, owner: Option<&User>) -> Result<()> {
    fs::create_dir(directory).with_context(|| format!("creating {}", directory.display()))?;
    if let Some(user) = owner {
        chown(directory, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
            .with_context(|| format!("giving {} to {}", directory.display(), user.name))?;
    }
    Ok(())
}

impl Cluster {
    fn initdb(&self, log_apart: bool) -> Command {
        let mut command = as_owner(self.owner.as_ref());
        command
            .arg(self.programs.join("initdb"))
            .args(["--username=postgres", "--auth=trust", "--no-sync"])
            .args(["--encoding=UTF8", "--locale=C.UTF-8", "--pgdata"])
            .arg(&self.data)
            .current_dir(&self.directory);
        if log_apart {
            command.arg("--waldir").arg(self.directory.join("wal"));
        }
        command
    }

    fn spawn(&self) -> Result<Child> {
        self.server()?.spawn().or_remedy("Postgres could not be started", "install util-linux, for `setpriv`")
    }

    fn server(&self) -> Result<Command> {
        let log = File::options().create(true).append(true).open(self.directory.join("log"));
        let log = log.context("opening the log of Postgres")?;
        let mut command = as_owner(self.owner.as_ref());
        command
            .arg(self.programs.join("postgres"))
            .arg("-D")
            .arg(&self.data)
            .arg("-k")
            .arg(&self.directory)
            // Every test has a database and a pool of its own.
            .args(["-p", PORT, "-c", "listen_addresses=", "-c", "max_connections=300"])
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("sharing the log of Postgres")?)
            .stderr(log);
        if self.durability != Durability::Kept {
            command.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        }
        if self.durability == Durability::Skipped {
            command.args(["-c", "synchronous_commit=off"]);
        }
        Ok(command)
    }
}

/// The connection string of `database`, through the socket in `folder`.
pub fn url_through(folder: &Path, database: &str) -> String {
    format!("postgres://postgres@localhost:{PORT}/{database}?host={}", folder.display())
}

/// The name of the socket in its folder.
pub fn socket_name() -> String {
    format!(".s.PGSQL.{PORT}")
}

/// Gives `folder` to the user that must run Postgres.
///
/// # Errors
/// When that is not allowed.
pub fn give_to_owner(folder: &Path) -> Result<()> {
    let Some(user) = owner()? else { return Ok(()) };
    chown(folder, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
        .with_context(|| format!("giving {} to {}", folder.display(), user.name))
}

/// The processes that `parent` has started.
fn children(parent: u32) -> Result<Vec<Pid>> {
    let entries = fs::read_dir("/proc").context("asking for processes")?.flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    Ok(processes.filter(|process| parent_of(*process) == Some(parent)).map(Pid::from_raw).collect())
}

fn parent_of(process: i32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in brackets, which may hold spaces.
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// A command that runs the program given next as `owner`, and stops it with SIGINT when we die first.
fn as_owner(owner: Option<&User>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "INT"]);
    if let Some(user) = owner {
        let (uid, gid) = (user.uid.to_string(), user.gid.to_string());
        command.args(["--reuid", &uid, "--regid", &gid, "--clear-groups"]);
    }
    command
}

fn delete_leftovers() {
    let entries = fs::read_dir(env::temp_dir()).into_iter().flatten();
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(is_left_over) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Asked before we make ours, so one bearing our own id is of an earlier process too.
fn is_left_over(name: &str) -> bool {
    let maker = name.strip_prefix(DIRECTORY_PREFIX);
    let maker = maker.and_then(|id| id.split('-').next()?.parse::<u32>().ok());
    maker.is_some_and(|id| id == std::process::id() || !Path::new(&format!("/proc/{id}")).exists())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::parent_id;

    #[test]
    fn only_directories_whose_maker_is_gone_are_left_over() {
        assert!(is_left_over("doorstep-postgres-4294967295-3"));
        assert!(is_left_over("doorstep-postgres-4294967295"));
        assert!(is_left_over(&format!("doorstep-postgres-{}", std::process::id())));
        assert!(!is_left_over(&format!("doorstep-postgres-{}", parent_id())));
        assert!(!is_left_over("doorstep-postgres-mine"));
        assert!(!is_left_over("somebody-elses"));
    }
}
