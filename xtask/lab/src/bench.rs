//! Measures the server against baselines of the same run, and says whether the targets are met.
//!
//! Absolute times on shared machines are noise, so wherever there is a baseline a figure is a ratio: each round measures
//! the baseline and then the server, the median over the rounds is quoted with its range, and what disturbs a machine
//! disturbs both. Each family of rows has a file of its own; [`Bench`] is what they share.
//! A row that cannot be measured is left out with its reason, and the others go on.

mod crowd;
mod document;
mod families;
mod load;
mod measuring;
pub(crate) mod report;
mod served;
mod svg;
mod target;

use crate::machine::autogroup::AutogroupOff;
use crate::site;
use anyhow::{Result, ensure};
use families::FAMILIES;
use measuring::{Bench, is_meant};
use report::Table;
use std::process::Command;
use xtask_support::failure::OrRemedy;
use xtask_support::postgres::{Durability, Throwaway};
use xtask_support::setup::Tool;
use xtask_support::{process, progress, setup, workspace};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only these rows of the table, `T5` for example; `area` is all that begin with it, `growth` the plot.
    #[arg(long, value_delimiter = ',')]
    row: Vec<String>,
    /// Fewer, shorter and smaller rounds: five minutes instead of 75, for a first impression.
    #[arg(long)]
    quick: bool,
}

const TOOLS: [Tool; 4] = [Tool::Postgres, Tool::Redis, Tool::NatsServer, Tool::Mosquitto];

/// Runs the rows, prints the table and writes it to `server/benches/results`.
///
/// # Errors
/// When something does not build, or the machine has no room for a measurement at all.
pub(crate) fn run(options: &Options) -> Result<()> {
    let known: Vec<_> = FAMILIES.iter().flat_map(|family| family.rows).copied().collect();
    for row in &options.row {
        ensure!(known.iter().any(|known| is_meant(known, row)), "there is no row {row}: {}", known.join(", "));
    }
    setup::prepare(&TOOLS)?;
    site::build()?;
    build()?;
    let postgres = progress::step("starting a throwaway Postgres", || Throwaway::start(Durability::Kept))?;
    let _even = AutogroupOff::begin();
    let bench = Bench::new(&postgres, options.quick, options.row.clone())?;
    let mut table = Table::begin(options.quick);
    let wanted: Vec<_> = FAMILIES
        .iter()
        .filter(|family| family.rows.iter().any(|row| bench.wants(row)))
        .filter(|family| family.in_quick || !options.quick || !options.row.is_empty())
        .collect();
    for (done, family) in wanted.iter().enumerate() {
        bench.begin_family(wanted.len() - done);
        match (family.measure)(&bench) {
            Ok(rows) => table.add(rows, &bench.circumstances()),
            Err(error) if process::interrupted() => return Err(error),
            Err(error) => table.leave_out(family.rows, &error),
        }
    }
    table.print();
    table.write()
}

fn build() -> Result<()> {
    progress::step("building server, baselines and load client", || {
        process::run(
            Command::new("cargo")
                .args(["build", "--release", "--package", "doorstep-server", "--package", "doorstep-simulator"])
                .args(["--bins", "--example", "relay", "--example", "echo"])
                .env("SQLX_OFFLINE", "true")
                .current_dir(workspace::root()),
        )
    })
    .or_remedy("something does not compile", "correct what the compiler names above")
}
