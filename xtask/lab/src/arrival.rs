//! The laboratory of arrivals: days of deliveries through the real estimator, in seconds.
//!
//! Worlds ([`world`]) have speeds, waits and stays that the estimator does not know; [`drive`] moves couriers through them
//! with a clock of its own, and [`play`] lets `doorstep-arrival` watch their noisy fixes, tell ranges and learn, exactly
//! as the server does. [`recorded`] plays trips that somebody recorded. The same deliveries are judged by three baselines
//! ([`baselines`]), and [`verdict`] prints the table and holds it against the bounds.

mod baselines;
mod chance;
mod drive;
mod ledger;
mod play;
mod recorded;
mod verdict;
mod world;

use anyhow::Result;
use ledger::Ledger;
use nix::sys::resource::{UsageWho, getrusage};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many worlds, each from a seed of its own.
    #[arg(long, default_value_t = 10)]
    worlds: u64,
    /// How many deliveries in each.
    #[arg(long, default_value_t = 350)]
    deliveries: usize,
    /// The first world's seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Plays recorded trips instead: a file with the columns `trip,time_ms,lat,lon` and perhaps `vehicle`.
    #[arg(long, value_name = "CSV")]
    recorded: Option<PathBuf>,
}

/// Plays the worlds or the recorded trips, prints the table and judges it.
///
/// # Errors
/// When a file cannot be read, or a bound is not kept.
pub(crate) fn run(options: &Options) -> Result<()> {
    let began_s = processor_s()?;
    let ledgers: Vec<Ledger> = match &options.recorded {
        Some(file) => vec![recorded::play(file)?],
        None => (0..options.worlds).map(|n| play::world(options.seed + n, options.deliveries)).collect(),
    };
    verdict::print_and_judge(&ledgers, options.recorded.is_some(), processor_s()? - began_s)
}

/// The processor's seconds that this process has used, which a busy machine does not make more.
fn processor_s() -> Result<f64> {
    let used = getrusage(UsageWho::RUSAGE_SELF)?.user_time();
    Ok(used.tv_sec() as f64 + used.tv_usec() as f64 / 1e6)
}
