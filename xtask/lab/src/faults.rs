//! Breaks parts of a running system as machines, networks and clients do, and checks that it keeps its promises.
//!
//! Each row of the fault table is a small value in `rows`: what is done, and what must be true. Every run has a server
//! and a Postgres of its own under the same load; the load client keeps every send and every ack, and afterwards
//! compares them with what is stored and what everybody saw. A seed decides when a fault strikes and everything that is
//! drawn, so a failure can be repeated. A row that this machine cannot run is skipped with its reason, which is no pass.

mod disk;
mod draw;
mod interceptor;
mod load;
mod misbehaving;
mod profile;
mod report;
mod rows;
mod setting;

use crate::machine::autogroup::AutogroupOff;
use anyhow::{Result, bail, ensure};
use profile::Profile;
use report::Results;
use rows::{ROWS, Row};
use setting::Setting;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use xtask_support::failure::{Failure, OrRemedy};
use xtask_support::setup::Tool;
use xtask_support::{process, progress, setup, workspace};

/// Runs of the short set side by side: they are small, and wait most of the time.
const SHORT_AT_ONCE: usize = 3;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only these rows of the fault table, `F3` for example.
    #[arg(long, value_delimiter = ',')]
    row: Vec<String>,
    /// How many seeds each row runs with. By default 20 for F1, and one for the others.
    #[arg(long)]
    seeds: Option<u32>,
    /// The first seed; the others follow it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Fewer clients, one seed, and only rows that end within two minutes.
    #[arg(long)]
    short: bool,
    /// Which programs: optimised ones, or those of the tests, which are there sooner and slower.
    #[arg(long, value_enum, default_value_t = Profile::Release)]
    profile: Profile,
    /// Takes the programs of the profile as they are, without building them: the test command has built them.
    #[arg(long)]
    built: bool,
}

/// Builds everything unless that is done, runs the rows, prints a line for each run and writes them down.
///
/// # Errors
/// When something does not build, and when a promise was broken, with the rows.
pub(crate) fn run(options: &Options) -> Result<()> {
    for row in &options.row {
        let known: Vec<_> = ROWS.iter().map(|row| row.id).collect();
        ensure!(known.iter().any(|id| id.eq_ignore_ascii_case(row)), "there is no row {row}: {}", known.join(", "));
    }
    if options.built {
        return run_rows(options);
    }
    setup::prepare(&[Tool::Postgres, Tool::Redis])?;
    progress::step("building the server and the load client", || build(options.profile))
        .or_remedy("something does not compile", "correct what the compiler names above")?;
    let _even = AutogroupOff::begin();
    run_rows(options)
}

fn build(profile: Profile) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--bins", "--package", "doorstep-server", "--package", "doorstep-simulator"]);
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    process::run(cargo.env("SQLX_OFFLINE", "true").current_dir(workspace::root()))
}

fn run_rows(options: &Options) -> Result<()> {
    let wanted = ROWS.iter().filter(|row| options.wants(row));
    let runs = Mutex::new(wanted.flat_map(|row| options.seeds_of(row).map(move |seed| (row, seed))));
    let results = Mutex::new(Results::begin(options.short, options.profile));
    let at_once = if options.short { SHORT_AT_ONCE } else { 1 };
    thread::scope(|scope| {
        let turns: Vec<_> = (0..at_once).map(|_| scope.spawn(|| take_turns(options, &runs, &results))).collect();
        turns.into_iter().try_for_each(|turn| turn.join().expect("a run's panic was its outcome"))
    })?;
    let results = held(&results);
    let failed = results.failed();
    if failed.is_empty() {
        return Ok(());
    }
    let remedy = "repeat one with `cargo xtask faults --row <row> --seed <seed>`; DOORSTEP_KEEP_LOGS=1 keeps the logs";
    bail!(Failure::new(format!("promises were broken: {}", failed.join(", ")), remedy))
}

/// Carries out one of `runs` after the other, and writes each outcome at once: an interruption keeps those before it.
fn take_turns(
    options: &Options,
    runs: &Mutex<impl Iterator<Item = (&'static Row, u64)>>,
    results: &Mutex<Results>,
) -> Result<()> {
    let next = || held(runs).next();
    while let Some((row, seed)) = next() {
        ensure!(!process::interrupted(), "interrupted");
        eprintln!("→ {} seed {seed}: {}", row.id, row.fault);
        let setting = Setting::new(seed, options.short, options.profile)?;
        let outcome = (row.inflict)(&setting);
        ensure!(!process::interrupted(), "interrupted");
        let mut results = held(results);
        results.add(row, seed, outcome);
        results.write()?;
    }
    Ok(())
}

fn held<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Options {
    fn wants(&self, row: &Row) -> bool {
        match self.row.as_slice() {
            [] => row.in_short || !self.short,
            named => named.iter().any(|name| name.eq_ignore_ascii_case(row.id)),
        }
    }

    fn seeds_of(&self, row: &Row) -> impl Iterator<Item = u64> + use<> {
        let usual = if self.short { 1 } else { row.seeds };
        let first = self.seed;
        (0..u64::from(self.seeds.unwrap_or(usual))).map(move |index| first + index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(row: &[&str], short: bool, seeds: Option<u32>) -> Options {
        let row = row.iter().map(|row| (*row).to_owned()).collect();
        Options { row, seeds, seed: 7, short, profile: Profile::Debug, built: false }
    }

    fn row(id: &str) -> &'static Row {
        ROWS.iter().find(|row| row.id == id).expect("a row of the table")
    }

    #[test]
    fn a_named_row_runs_even_when_it_is_too_long_for_the_short_set() {
        assert!(!options(&[], true, None).wants(row("F7")));
        assert!(options(&["f7"], true, None).wants(row("F7")));
        assert!(!options(&["F7"], false, None).wants(row("F1")));
    }

    #[test]
    fn seeds_follow_each_other_from_the_first() {
        assert_eq!(options(&[], false, None).seeds_of(row("F1")).count(), 20);
        assert_eq!(options(&[], true, None).seeds_of(row("F1")).collect::<Vec<_>>(), [7]);
        assert_eq!(options(&[], false, Some(3)).seeds_of(row("F2")).collect::<Vec<_>>(), [7, 8, 9]);
    }

    #[test]
    fn the_whole_fault_table_is_here() {
        let ids: Vec<_> = ROWS.iter().map(|row| row.id).collect();
        let table = [1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22];
        assert_eq!(ids, table.map(|number| format!("F{number}")));
    }
}
