//! The project's own commands, run as `cargo xtask <command>`.
//!
//! They exist so that a fresh clone needs two words, not a page of instructions: each command first sets up what it
//! needs, then does its work, and says what it is doing. Nothing is downloaded except from package registries, and
//! after the first run nothing is downloaded at all. Not part of the product: `doorstep` never depends on this crate.

#![allow(clippy::disallowed_methods, reason = "those rules guard the server's clock and tasks")]

mod bench;
mod cluster;
mod demo;
mod dist;
mod failure;
mod faults;
mod places;
mod postgres;
mod process;
mod progress;
mod roads;
mod setup;
mod site;
mod sqlx;
mod stamp;
mod test;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Doorstep's own commands", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds everything and shows it: a server, a database and couriers on the roads of Malta.
    Demo(demo::Options),
    /// Checks everything: formatting, lints, Rust tests, browser tests.
    Test(test::Options),
    /// Builds the browser's part of the product into target/site.
    Site,
    /// Runs the benchmarks.
    Bench(bench::Options),
    /// Runs two servers with Redis behind a TLS proxy; with --check a rolling restart under load.
    Cluster(cluster::Options),
    /// Does to a running system what machines, networks and clients do, and proves that the promises hold.
    Faults(faults::Options),
    /// Makes the archive to deploy, in target/dist.
    Dist,
    /// Records what the database says about the SQL queries, in .sqlx, so that building needs no database.
    Sqlx,
    /// Makes static/roads/malta.roads from an OpenStreetMap extract.
    BakeRoads(roads::Options),
    /// Makes static/places/malta.places from an OpenStreetMap extract.
    BakePlaces(places::Options),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    process::watch_for_interruption();
    let outcome = match cli.command {
        Command::Demo(options) => demo::run(&options),
        Command::Test(options) => return test::run(&options),
        Command::Site => site::command(),
        Command::Bench(options) => bench::run(&options),
        Command::Cluster(options) => cluster::run(&options),
        Command::Faults(options) => faults::run(&options),
        Command::Dist => dist::run(),
        Command::Sqlx => sqlx::run(),
        Command::BakeRoads(options) => roads::run(&options),
        Command::BakePlaces(options) => places::run(&options),
    };
    failure::exit_code(&outcome)
}
