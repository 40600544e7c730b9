//! Why there is no embedded Postgres.
//!
//! Each message says what the operator can do about it.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// `initdb` and crash recovery may take a while on a slow disk.
pub(super) const START_DEADLINE: Duration = Duration::from_secs(60);

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
        /// Its error output.
        output: String,
    },
    /// It started and accepted no connection.
    #[error("Postgres did not accept connections within {} s; its log is {}", START_DEADLINE.as_secs(), log.display())]
    NotReady {
        /// The log that says why.
        log: PathBuf,
    },
}

/// Makes an [`EmbeddedError::Files`] of `path`.
pub(super) fn files(path: &Path) -> impl Fn(io::Error) -> EmbeddedError + use<> {
    let path = path.to_owned();
    move |source| EmbeddedError::Files { path: path.clone(), source }
}
