//! A Postgres of our own, for trying Doorstep on a machine that has the binaries and nothing else.
//!
//! The cluster lives under the data directory and is kept between runs. It listens on a Unix socket only,
//! in a directory that nobody but its owner may enter, so there is no password to lose.
//! `postgres` refuses to run as root, which is what containers and CI are: then it runs as the `postgres` or
//! `nobody` user. (`postgresql_embedded` cannot do that, which is why the binaries are driven from here.)
//! A server that was killed leaves its Postgres running; the next one takes it over instead of waiting for it.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use nix::unistd::{Gid, Uid, User};
use sqlx::{ConnectOptions, Connection, postgres::PgConnectOptions};
use tokio::process::Command;

/// `initdb` and crash recovery may take a while on a slow disk.
const START_DEADLINE: Duration = Duration::from_secs(60);
const STOP_DEADLINE: Duration = Duration::from_secs(20);

/// Workers of a Postgres that was killed notice within milliseconds, on a busy machine within a second or two.
const LEFTOVERS_DEADLINE: Duration = Duration::from_secs(10);

/// A Postgres that ended is left alone for this long: whoever ended it may be starting it again.
const RESTART_DELAY: Duration = Duration::from_secs(1);

/// How often one that is not our child is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The longest path that a Unix socket may have is 107 bytes; this leaves room for Postgres' file name.
const MAX_SOCKET_DIR_BYTES: usize = 88;

const DATABASE: &str = "doorstep";
const CREATE_DATABASE: &str = "create database doorstep";
const SUPERUSER: &str = "doorstep";

/// Why there is no embedded Postgres.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No Postgres binaries on this machine.
    #[error(
        "no database is configured and no Postgres was found on this machine (looked on PATH and under \
         /usr/lib/postgresql). Install it, on Debian with `apt-get install postgresql`, or set DATABASE_URL"
    )]
    NoBinaries,
    /// Running as root, and there is no other user to run Postgres as.
    #[error("Postgres refuses to run as root, and this machine has neither a `postgres` nor a `nobody` user")]
    NoUser,
    /// A file or directory could not be made.
    #[error("cannot prepare {path}")]
    Files {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// One of the programs failed.
    #[error("{program} failed: {output}")]
    Program {
        /// Which.
        program: &'static str,
        /// What it said.
        output: String,
    },
    /// It started and never answered.
    #[error("Postgres did not accept connections within {} s; its log is {}", START_DEADLINE.as_secs(), log.display())]
    NotReady {
        /// Where it says why.
        log: PathBuf,
    },
}

/// Where an embedded Postgres keeps its things, and as whom it runs.
#[derive(Clone, Debug)]
pub struct Layout {
    cluster: PathBuf,
    socket_dir: PathBuf,
    log: PathBuf,
    run_as: Option<(Uid, Gid)>,
}

/// A running Postgres. [`Embedded::stop`] ends it; dropping leaves it running for the next server to take over.
#[derive(Debug)]
pub struct Embedded {
    layout: Layout,
    child: Option<tokio::process::Child>,
    bin_dir: PathBuf,
}

impl Layout {
    /// The layout under `data_dir`, the same for every command that names the same directory.
    ///
    /// As root, a directory that the database's user cannot reach (a home, say) is replaced by one under
    /// `/var/lib/doorstep`.
    ///
    /// # Errors
    /// [`EmbeddedError::NoUser`], or when a directory cannot be made.
    pub fn under(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let data_dir = std::path::absolute(data_dir).map_err(files(data_dir))?;
        let run_as = if Uid::effective().is_root() { Some(unprivileged()?) } else { None };
        let home = match run_as {
            Some(_) if !others_may_enter(&data_dir) => {
                Path::new("/var/lib/doorstep").join(format!("{:016x}", fingerprint(&data_dir)))
            }
            _ => data_dir,
        };
        let short = home.join("run");
        let socket_dir = if short.as_os_str().len() <= MAX_SOCKET_DIR_BYTES {
            short
        } else {
            std::env::temp_dir().join(format!("doorstep-{:016x}", fingerprint(&home)))
        };
        Ok(Self { cluster: home.join("postgres"), log: home.join("postgres.log"), socket_dir, run_as })
    }

    /// How to connect to it.
    pub fn connect_options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass().socket(&self.socket_dir).username(SUPERUSER).database(DATABASE)
    }

    /// Whether a Postgres of this layout answers right now.
    pub async fn is_running(&self) -> bool {
        self.postmaster_pid().is_some() && self.answers(DATABASE).await
    }

    async fn answers(&self, database: &str) -> bool {
        let options = self.connect_options().database(database);
        let connecting = tokio::time::timeout(Duration::from_secs(2), options.connect());
        match connecting.await {
            Ok(Ok(connection)) => connection.close().await.is_ok(),
            _ => false,
        }
    }

    /// The process that the cluster's lock file names, while there is one.
    fn postmaster_pid(&self) -> Option<nix::unistd::Pid> {
        let lock = fs::read_to_string(self.cluster.join("postmaster.pid")).ok()?;
        let pid = nix::unistd::Pid::from_raw(lock.lines().next()?.trim().parse().ok()?);
        nix::sys::signal::kill(pid, None).is_ok().then_some(pid)
    }

    fn prepare(&self) -> Result<(), EmbeddedError> {
        let home = self.cluster.parent().unwrap_or(&self.cluster);
        fs::create_dir_all(home).map_err(files(home))?;
        if let Some(home_of_user) = self.run_as.and(home.parent())
            && home_of_user == Path::new("/var/lib/doorstep")
        {
            fs::set_permissions(home, fs::Permissions::from_mode(0o755)).map_err(files(home))?;
        }
        for dir in [&self.cluster, &self.socket_dir] {
            fs::create_dir_all(dir).map_err(files(dir))?;
            self.hand_over(dir)?;
            fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map_err(files(dir))?;
        }
        fs::OpenOptions::new().create(true).append(true).open(&self.log).map_err(files(&self.log))?;
        self.hand_over(&self.log)
    }

    fn hand_over(&self, path: &Path) -> Result<(), EmbeddedError> {
        match self.run_as {
            Some((user, group)) => {
                nix::unistd::chown(path, Some(user), Some(group)).map_err(|error| files(path)(io::Error::from(error)))
            }
            None => Ok(()),
        }
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).current_dir(&self.cluster).env("LC_ALL", "C.UTF-8");
        if let Some((user, group)) = self.run_as {
            command.uid(user.as_raw()).gid(group.as_raw());
        }
        command
    }
}

impl Embedded {
    /// Starts Postgres, or takes over the one that an earlier server left running. Makes the cluster first
    /// when there is none.
    ///
    /// # Errors
    /// [`EmbeddedError`] says what to do about it.
    pub async fn start(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let layout = Layout::under(data_dir)?;
        let bin_dir = find_binaries().ok_or(EmbeddedError::NoBinaries)?;
        layout.prepare()?;
        if layout.is_running().await {
            tracing::info!("took over the embedded Postgres that was left running");
            return Ok(Self { layout, child: None, bin_dir });
        }
        if !layout.cluster.join("PG_VERSION").exists() {
            init_cluster(&layout, &bin_dir).await?;
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

    /// Starts Postgres and waits for it. The workers of one that was killed end a little after it, and until then
    /// the next one finds its memory in use and gives up; so where a lock was left behind it is tried again.
    async fn launch(&mut self) -> Result<(), EmbeddedError> {
        let was_killed = self.layout.cluster.join("postmaster.pid").exists();
        let deadline = Instant::now() + LEFTOVERS_DEADLINE;
        loop {
            self.child = Some(spawn(&self.layout, &self.bin_dir)?);
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

    /// Keeps Postgres running until `stop` resolves, and then stops it. One that ends before is started again,
    /// unless somebody else has done that already.
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
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn restart(&mut self) -> Result<(), EmbeddedError> {
        self.child = None;
        if !self.layout.is_running().await {
            self.launch().await?;
        }
        Ok(())
    }

    /// Stops Postgres after its clients' transactions in hand ("fast shutdown").
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

fn spawn(layout: &Layout, bin_dir: &Path) -> Result<tokio::process::Child, EmbeddedError> {
    let log = fs::OpenOptions::new().append(true).open(&layout.log).map_err(files(&layout.log))?;
    let for_errors = log.try_clone().map_err(files(&layout.log))?;
    let mut command = layout.command(&bin_dir.join("postgres"));
    command.arg("-D").arg(&layout.cluster).arg("-k").arg(&layout.socket_dir);
    // A group of its own: Ctrl-C is for the server, which then stops the database last.
    command.process_group(0).stdout(log).stderr(for_errors);
    command.spawn().map_err(|error| EmbeddedError::Program { program: "postgres", output: error.to_string() })
}

async fn init_cluster(layout: &Layout, bin_dir: &Path) -> Result<(), EmbeddedError> {
    tracing::info!("making a new database cluster");
    let mut command = layout.command(&bin_dir.join("initdb"));
    command.arg("-D").arg(&layout.cluster).args([
        "-U",
        SUPERUSER,
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
    ]);
    run("initdb", command).await?;
    let settings = "\n# Written by doorstep. No TCP: the socket's directory is the lock on the door.\n\
                    listen_addresses = ''\nunix_socket_permissions = 0700\nmax_connections = 100\n\
                    timezone = 'UTC'\n";
    let file = layout.cluster.join("postgresql.conf");
    let mut text = fs::read_to_string(&file).map_err(files(&file))?;
    text.push_str(settings);
    fs::write(&file, text).map_err(files(&file))
}

async fn run(program: &'static str, mut command: Command) -> Result<(), EmbeddedError> {
    let failed = |output: String| EmbeddedError::Program { program, output };
    let output = command.output().await.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

/// The directory with `initdb` and `postgres`: on `PATH`, else the newest under Debian's place for them.
fn find_binaries() -> Option<PathBuf> {
    find_binaries_in(&std::env::var_os("PATH").unwrap_or_default(), Path::new("/usr/lib/postgresql"))
}

fn find_binaries_in(path: &OsStr, debian: &Path) -> Option<PathBuf> {
    let complete = |dir: &PathBuf| dir.join("initdb").is_file() && dir.join("postgres").is_file();
    let on_path = std::env::split_paths(path).find(complete);
    on_path.or_else(|| {
        let versions = fs::read_dir(debian).ok()?.flatten();
        let numbered =
            versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())));
        numbered
            .map(|(version, dir)| (version, dir.join("bin")))
            .filter(|(_, dir)| complete(dir))
            .max()
            .map(|(_, dir)| dir)
    })
}

fn unprivileged() -> Result<(Uid, Gid), EmbeddedError> {
    let known = ["postgres", "nobody"].into_iter().find_map(|name| User::from_name(name).ok().flatten());
    known.map(|user| (user.uid, user.gid)).ok_or(EmbeddedError::NoUser)
}

/// Whether somebody who is neither owner nor group may reach `dir`, as far as it exists.
fn others_may_enter(dir: &Path) -> bool {
    let mut existing = dir.ancestors().filter_map(|ancestor| fs::metadata(ancestor).ok());
    existing.all(|metadata| metadata.mode() & 0o001 != 0)
}

/// FNV-1a; a name for a directory that stays the same between versions of the compiler.
fn fingerprint(path: &Path) -> u64 {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn files(path: &Path) -> impl Fn(io::Error) -> EmbeddedError + use<> {
    let path = path.to_owned();
    move |source| EmbeddedError::Files { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_are_found_on_the_path_then_in_debians_newest_version_or_not_at_all() {
        let root = std::env::temp_dir().join(format!("doorstep-find-binaries-{}", std::process::id()));
        let make = |dir: &Path, programs: &[&str]| {
            fs::create_dir_all(dir).expect("the temporary directory can be written");
            programs.iter().for_each(|program| fs::write(dir.join(program), "").expect("the same"));
        };
        let (on_path, debian) = (root.join("bin"), root.join("postgresql"));
        assert_eq!(find_binaries_in(on_path.as_os_str(), &debian), None, "nothing is there");
        make(&on_path, &["postgres"]);
        make(&debian.join("9/bin"), &["initdb", "postgres"]);
        make(&debian.join("15/bin"), &["initdb", "postgres"]);
        make(&debian.join("16/bin"), &["psql"]);
        let found = find_binaries_in(on_path.as_os_str(), &debian);
        assert_eq!(found, Some(debian.join("15/bin")), "the newest that is complete, and by number");
        make(&on_path, &["initdb"]);
        assert_eq!(find_binaries_in(on_path.as_os_str(), &debian), Some(on_path));
        fs::remove_dir_all(root).expect("it is ours");
    }
}
