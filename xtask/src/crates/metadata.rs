//! What cargo knows about the crates of the lock file.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::path::PathBuf;
use std::process::Command;
use xtask_support::setup::{HOST_TARGET, WASM_TARGET};
use xtask_support::{process, workspace};

/// A crate in one version.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// An SPDX expression; older crates write `/` for `OR`.
    pub(crate) license: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) repository: Option<String>,
    /// Where it comes from; `None` for the crates of this repository.
    pub(crate) source: Option<String>,
    pub(crate) manifest_path: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// Every crate that any command of ours may build, for the server's machine or for browsers, features included.
///
/// # Errors
/// When cargo refuses, or crates are missing that were never downloaded.
pub(crate) fn packages() -> Result<Vec<Package>> {
    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--format-version", "1", "--locked", "--all-features"]);
    cargo.args(["--filter-platform", HOST_TARGET, "--filter-platform", WASM_TARGET]).current_dir(workspace::root());
    let metadata: Metadata =
        serde_json::from_str(&process::run_quietly(&mut cargo)?).context("understanding `cargo metadata`")?;
    Ok(metadata.packages)
}
