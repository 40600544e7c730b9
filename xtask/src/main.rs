//! The project's own commands, run as `cargo xtask <command>`.
//!
//! They exist so that a fresh clone needs two words, not a page of instructions: each command first sets up what it
//! needs, then does its work, and says what it is doing. Nothing is downloaded except from package registries, and
//! after the first run nothing is downloaded at all. Not part of the product: `doorstep` never depends on this crate.
//! Benchmarks, faults and the cluster are in the crate `doorstep-lab`, which [`lab`] builds when one of them is asked for.

#![allow(clippy::disallowed_methods, reason = "those rules guard the server's clock and tasks")]

mod audit;
mod crates;
mod demo;
mod dist;
mod floors;
mod inputs;
mod lab;
mod openapi;
mod rust_text;
mod site;
mod sqlx;
mod test;

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use xtask_support::{failure, process};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Doorstep's own commands", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds everything and shows it: a server, a database and couriers on the roads of the built-in area.
    Demo(demo::Options),
    /// Checks everything: formatting, lints, Rust tests, browser tests.
    Test(test::Options),
    /// Builds the browser's part of the product into target/site.
    Site,
    /// Runs the benchmarks.
    #[command(disable_help_flag = true)]
    Bench(lab::Arguments),
    /// Runs two servers with Redis behind a TLS proxy; with --check a rolling restart under load.
    #[command(disable_help_flag = true)]
    Cluster(lab::Arguments),
    /// Breaks parts of a running system under load, and checks that it keeps its promises.
    #[command(disable_help_flag = true)]
    Faults(lab::Arguments),
    /// Plays worlds through the product's own rules, without a server: `lab arrival`.
    #[command(disable_help_flag = true)]
    Lab(lab::Arguments),
    /// Checks what takes a network or minutes to install: known vulnerabilities and unused dependencies.
    Audit,
    /// Makes the archive to deploy, in target/dist.
    Dist,
    /// Records what the database says about the SQL queries, in .sqlx, so that building needs no database.
    Sqlx,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    process::watch_for_interruption();
    let outcome = match cli.command {
        Command::Demo(options) => demo::run(&options),
        Command::Test(options) => return test::run(&options),
        Command::Site => site::command(),
        Command::Bench(arguments) => lab::run("bench", &arguments),
        Command::Cluster(arguments) => lab::run("cluster", &arguments),
        Command::Faults(arguments) => lab::run("faults", &arguments),
        Command::Lab(arguments) => lab::run("lab", &arguments),
        Command::Audit => audit::run(),
        Command::Dist => dist::run(),
        Command::Sqlx => sqlx::run(),
    };
    failure::exit_code(&outcome)
}
