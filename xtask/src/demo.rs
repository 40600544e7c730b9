//! Shows the product on a fresh machine, with one command and no configuration.
//!
//! The server does the showing: `doorstep demo` runs its own Postgres, the simulated couriers, and prints the links.
//! Here we only build what it needs, and then become it, so that signals and the exit status are truly its own.

use crate::site;
use anyhow::Result;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;
use xtask_support::failure::OrRemedy;
use xtask_support::setup::Tool;
use xtask_support::{process, progress, setup, workspace};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Passed on to `doorstep demo`; see `cargo xtask demo -- --help`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Builds everything and becomes `doorstep demo`; returns only when that cannot start.
///
/// # Errors
/// When something does not build.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::prepare(&[site::TOOLS.as_slice(), &[Tool::Postgres]].concat())?;
    site::build()?;
    progress::step("building the server", || {
        process::run(
            Command::new("cargo")
                .args(["build", "--release", "--package", "doorstep-server"])
                .current_dir(workspace::root()),
        )
    })
    .or_remedy("the server does not compile", "correct what the compiler names above")?;
    let doorstep = workspace::built("release", "doorstep")?;
    let refused = Command::new(&doorstep).arg("demo").args(&options.arguments).current_dir(workspace::root()).exec();
    Err(refused).or_remedy(
        format!("{} cannot be started", doorstep.display()),
        "see that the file is there and may be executed",
    )
}
