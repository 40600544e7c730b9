//! Where things lie in the working tree.

use anyhow::{Context, Result};
use std::env;
use std::path::{Path, PathBuf};

/// The root of the repository: the folder with the lock file above the crate that runs. Cargo says at run time where
/// that is; the path at compile time is second best, since a build folder can be moved or shared.
pub fn root() -> PathBuf {
    let compiled = env!("CARGO_MANIFEST_DIR");
    let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| compiled.into());
    let mut folders = Path::new(&manifest).ancestors();
    folders.find(|folder| folder.join("Cargo.lock").is_file()).unwrap_or(Path::new(".")).to_path_buf()
}

/// The folder of the pages, with its own npm packages.
pub fn frontend() -> PathBuf {
    root().join("frontend")
}

/// A program or file inside the installed npm packages.
pub fn node_modules(path: &str) -> PathBuf {
    frontend().join("node_modules").join(path)
}

/// The virtual environment with the packages of xtask/requirements.txt.
pub fn python_environment() -> PathBuf {
    memory().join("python")
}

/// A program of that virtual environment.
pub fn python(program: &str) -> PathBuf {
    python_environment().join("bin").join(program)
}

/// The browser assets, which the server embeds from exactly this folder.
pub fn site() -> PathBuf {
    root().join("target/site")
}

/// What xtask remembers between runs: stamps and compressed files. Safe to delete.
pub fn memory() -> PathBuf {
    root().join("target/xtask")
}

/// The folder cargo builds into. Asked of our own program's place, because configuration can move it.
pub fn cargo_target() -> Result<PathBuf> {
    let program = env::current_exe().context("this program's own path is unknown")?;
    let target = program.parent().and_then(Path::parent);
    Ok(target.context("this program was not started by `cargo xtask`")?.to_path_buf())
}

/// A program built by cargo under `profile`'s folder ("debug", "release", "dist").
pub fn built(profile: &str, program: &str) -> Result<PathBuf> {
    Ok(cargo_target()?.join(profile).join(program))
}
