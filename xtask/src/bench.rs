//! Runs the benchmarks of the crates that have any.
//!
//! Those that need a database find one that waits for the disk, as in production, under the same variable as the tests.

use crate::failure::OrRemedy;
use crate::postgres::{Durability, Throwaway};
use crate::setup::Tool;
use crate::{process, progress, setup, site, test, workspace};
use anyhow::Result;
use std::process::Command;

#[derive(clap::Args)]
pub struct Options {
    /// Only benchmarks whose name contains this.
    filter: Option<String>,
}

/// Measures with optimisations on, as criterion does it.
///
/// # Errors
/// When something does not build or a benchmark fails.
pub fn run(options: &Options) -> Result<()> {
    setup::prepare(&[site::TOOLS.as_slice(), &[Tool::Postgres]].concat())?;
    site::build()?;
    let postgres = progress::step("starting a throwaway Postgres", || Throwaway::start(Durability::Kept))?;
    let mut cargo = Command::new("cargo");
    cargo
        .args(["bench", "--benches"])
        .args(["--package", "doorstep-shared", "--package", "doorstep-server"])
        .args(&options.filter)
        .env(test::DATABASE_URL, postgres.url("postgres"))
        .env("SQLX_OFFLINE", "true")
        .current_dir(workspace::root());
    progress::step("running the benchmarks", || process::run(&mut cargo))
        .or_remedy("the benchmarks did not finish", "see what is named above")
}
