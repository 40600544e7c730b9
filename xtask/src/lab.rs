//! Passes `bench`, `faults`, `cluster` and `lab` on to the lab.
//!
//! The lab depends on the simulator, and so on an async runtime and a WebSocket client. It is a program of its own,
//! built when one of its commands is asked for, so that no other command of `cargo xtask` waits for it.

use anyhow::Result;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;
use xtask_support::failure::OrRemedy;
use xtask_support::{process, workspace};

/// Everything behind the command's name, for the lab to read.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

/// Builds the lab and becomes it, so that signals and the exit status are its own; returns only when that fails.
///
/// # Errors
/// When the lab does not build or cannot be started.
pub(crate) fn run(command: &str, arguments: &Arguments) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--package", "doorstep-lab"]).current_dir(workspace::root());
    process::run(&mut cargo).or_remedy("the lab does not compile", "correct what the compiler names above")?;
    let lab = program()?;
    let refused = Command::new(lab.get_program()).arg(command).args(&arguments.arguments).exec();
    Err(refused).or_remedy("the lab cannot be started", "see that target/debug/lab is there and may be executed")
}

/// Runs the short set of faults with programs that the test command has built.
///
/// # Errors
/// When a promise was broken; the lab has said which.
pub(crate) fn run_short_faults() -> Result<()> {
    process::run(program()?.args(["faults", "--short", "--profile", "debug", "--built"]))
}

fn program() -> Result<Command> {
    Ok(Command::new(workspace::built("debug", "lab")?))
}
