//! Several servers as they are deployed: two of them on one Postgres and one Redis, behind a proxy that speaks TLS.
//!
//! The topology of `docker-compose.yml`, as processes, because a machine that builds this has no container engine at
//! hand more often than not. Either it runs until it is interrupted, to be looked at; or it is put to the test by a
//! rolling restart under load, which ends by itself.

mod check;
pub(crate) mod topology;

use crate::site;
use anyhow::Result;
use std::process::Command;
use std::thread;
use std::time::Duration;
use topology::Cluster;
use xtask_support::failure::OrRemedy;
use xtask_support::setup::Tool;
use xtask_support::{process, progress, setup, workspace};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Restarts both servers in turn under load, judges what everybody saw, and ends.
    #[arg(long)]
    check: bool,
    /// Couriers who report once a second, each with an order.
    #[arg(long, default_value_t = 500)]
    couriers: u32,
    /// Customers who follow them.
    #[arg(long, default_value_t = 1_000)]
    viewers: u32,
    /// Dispatchers who see the whole fleet.
    #[arg(long, default_value_t = 5)]
    dispatchers: u32,
    /// For how long couriers report, in seconds. Both restarts must fit in.
    #[arg(long, default_value_t = 60)]
    duration: u32,
    /// Decides everything that is drawn; any when left out.
    #[arg(long)]
    seed: Option<u64>,
    /// Uses unoptimised programs: they are there sooner, and slower.
    #[arg(long)]
    debug: bool,
}

impl Options {
    fn profile(&self) -> &'static str {
        if self.debug { "debug" } else { "release" }
    }
}

/// Builds and starts everything, and checks it or waits for the end.
///
/// # Errors
/// When something does not build or start, and when a check finds a broken promise.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::prepare(&[Tool::Postgres, Tool::Redis, Tool::Caddy])?;
    // A check opens no page.
    if !options.check {
        site::build()?;
    }
    progress::step("building the server and the load client", || build(options))
        .or_remedy("something does not compile", "correct what the compiler names above")?;
    let mut cluster =
        progress::step("starting Postgres, Redis, two servers and the proxy", || Cluster::start(options.profile()))?;
    if options.check {
        return check::run(&mut cluster, options);
    }
    introduce(&cluster);
    while !process::interrupted() {
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn build(options: &Options) -> Result<()> {
    for (package, features) in [("doorstep-server", None), ("doorstep-simulator", Some("tls"))] {
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--bins", "--package", package]).args(features.map(|name| format!("--features={name}")));
        if !options.debug {
            cargo.arg("--release");
        }
        process::run(cargo.env("SQLX_OFFLINE", "true").current_dir(workspace::root()))?;
    }
    Ok(())
}

fn introduce(cluster: &Cluster) {
    println!("\n  Two servers behind one proxy.\n");
    println!("  Everybody   {}", cluster.url());
    println!("              its certificate is by {}", cluster.authority().display());
    for (number, server) in (1..).zip(cluster.servers()) {
        println!("  Server {number}    {}", server.url());
    }
    println!("  API key     {}", cluster.api_key());
    println!("  Logs        {}", cluster.logs().display());
    println!("  Stop        Ctrl-C\n");
}
