//! Where an embedded Postgres keeps its files, and as which user it runs.
//!
//! The same data directory always gives the same layout, so that every command finds the cluster of a running server.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use nix::unistd::{Gid, Uid, User};
use sqlx::{ConnectOptions, Connection, postgres::PgConnectOptions};
use tokio::process::Command;

use super::error::{EmbeddedError, files};

/// The longest path that a Unix socket may have is 107 bytes; this leaves room for Postgres' file name.
const MAX_SOCKET_DIR_BYTES: usize = 88;

pub(super) const DATABASE: &str = "doorstep";
pub(super) const SUPERUSER: &str = "doorstep";

/// The directories of an embedded Postgres, and the user it runs as.
#[derive(Clone, Debug)]
pub struct Layout {
    pub(super) cluster: PathBuf,
    pub(super) socket_dir: PathBuf,
    pub(super) log: PathBuf,
    run_as: Option<(Uid, Gid)>,
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

    pub(super) async fn answers(&self, database: &str) -> bool {
        let options = self.connect_options().database(database);
        let connecting = tokio::time::timeout(Duration::from_secs(2), options.connect());
        match connecting.await {
            Ok(Ok(connection)) => connection.close().await.is_ok(),
            _ => false,
        }
    }

    /// The process that the cluster's lock file names, while it runs.
    pub(super) fn postmaster_pid(&self) -> Option<nix::unistd::Pid> {
        let lock = fs::read_to_string(self.cluster.join("postmaster.pid")).ok()?;
        let pid = nix::unistd::Pid::from_raw(lock.lines().next()?.trim().parse().ok()?);
        nix::sys::signal::kill(pid, None).is_ok().then_some(pid)
    }

    pub(super) fn prepare(&self) -> Result<(), EmbeddedError> {
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
        // Statements that failed stand in it, with what they were about.
        fs::set_permissions(&self.log, fs::Permissions::from_mode(0o600)).map_err(files(&self.log))?;
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

    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).current_dir(&self.cluster).env("LC_ALL", "C.UTF-8");
        if let Some((user, group)) = self.run_as {
            command.uid(user.as_raw()).gid(group.as_raw());
        }
        command
    }
}

fn unprivileged() -> Result<(Uid, Gid), EmbeddedError> {
    let known = ["postgres", "nobody"].into_iter().find_map(|name| User::from_name(name).ok().flatten());
    known.map(|user| (user.uid, user.gid)).ok_or(EmbeddedError::NoUser)
}

/// Whether a user who is neither owner nor in the group may reach `dir`, as far as it exists.
fn others_may_enter(dir: &Path) -> bool {
    let mut existing = dir.ancestors().filter_map(|ancestor| fs::metadata(ancestor).ok());
    existing.all(|metadata| metadata.mode() & 0o001 != 0)
}

/// FNV-1a; a name for a directory that stays the same between versions of the compiler.
fn fingerprint(path: &Path) -> u64 {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
