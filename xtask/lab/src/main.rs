//! The lab: benchmarks, faults, a cluster and played worlds, run as `cargo xtask bench`, `faults`, `cluster` and `lab`.
//!
//! It runs the product as it is deployed, under the load of the simulator, and judges it: `bench` measures it against
//! baselines, [`faults`] breaks parts of it, [`cluster`] restarts one of two
//! servers, [`arrival`] plays days of deliveries without any server. What they say of the machine is in
//! [`machine`]. The simulator runs as a program of its own, so that its CPU time is measured apart; its reports have the
//! types of its crate.

#![allow(clippy::disallowed_methods, reason = "those rules guard the server's clock and tasks")]

mod arrival;
mod bench;
mod cluster;
mod faults;
mod machine;
mod results;
mod site;

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use xtask_support::{failure, process};

// People reach this program through `cargo xtask`, so its help says so.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "Benchmarks, faults and a cluster", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the benchmarks.
    Bench(bench::Options),
    /// Runs two servers with Redis behind a TLS proxy; with --check a rolling restart under load.
    Cluster(cluster::Options),
    /// Breaks parts of a running system under load, and checks that it keeps its promises.
    Faults(faults::Options),
    /// Plays worlds through the product's own rules, without a server.
    #[command(subcommand)]
    Lab(Laboratory),
}

#[derive(Subcommand)]
enum Laboratory {
    /// Days of deliveries through the arrival estimator, judged against three baselines.
    Arrival(arrival::Options),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    process::watch_for_interruption();
    let outcome = match cli.command {
        Command::Bench(options) => bench::run(&options),
        Command::Cluster(options) => cluster::run(&options),
        Command::Faults(options) => faults::run(&options),
        Command::Lab(Laboratory::Arrival(options)) => arrival::run(&options),
    };
    failure::exit_code(&outcome)
}
