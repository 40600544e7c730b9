//! Measures the server against baselines of the same run, and says whether the targets are met.
//!
//! Absolute times on shared machines are noise, so every figure is a ratio: each round measures the baseline and then
//! the server, the median over the rounds is quoted with its range, and what disturbs a machine disturbs both.
//! The baselines are `psql \copy` for storing and a bare actix relay (`server/benches/relay.rs`) for carrying.

mod report;
mod rounds;
mod served;

use crate::failure::OrRemedy;
use crate::postgres::{Durability, Throwaway};
use crate::setup::Tool;
use crate::{process, progress, setup, site, workspace};
use anyhow::Result;
use report::{Row, Verdict};
use rounds::{Load, Rounds};
use std::process::Command;

#[derive(clap::Args)]
pub struct Options {
    /// Only this row of the table, `T5` for example.
    #[arg(long)]
    row: Option<String>,
    /// Fewer and shorter rounds: a few minutes instead of a quarter of an hour.
    #[arg(long)]
    quick: bool,
}

/// A target: how the ratio is made and where it should be.
struct Target {
    id: &'static str,
    what: &'static str,
    must: f64,
    stretch: f64,
    better: Better,
}

#[derive(Clone, Copy)]
enum Better {
    Higher,
    Lower,
}

const T1: Target = Target {
    id: "T1",
    what: "acked fixes/s, 1 a message, 2 000 couriers, against \\copy",
    must: 0.10,
    stretch: 0.20,
    better: Better::Higher,
};
const T2: Target = Target {
    id: "T2",
    what: "acked fixes/s, 20 a message, 2 000 couriers, against \\copy",
    must: 0.35,
    stretch: 0.50,
    better: Better::Higher,
};
const T5: Target = Target {
    id: "T5",
    what: "courier to customer p50, 500 × 2 at 2 000 fixes/s, against a bare relay",
    must: 1.5,
    stretch: 1.2,
    better: Better::Lower,
};
const T5_P99: Target = Target { id: "T5", what: "the same, p99", must: 2.0, stretch: 1.5, ..T5 };

/// Runs the rows, prints the table and writes it to `server/benches/results`.
///
/// # Errors
/// When something does not build, or a measurement breaks the server's promises.
pub fn run(options: &Options) -> Result<()> {
    setup::prepare(&[site::TOOLS.as_slice(), &[Tool::Postgres]].concat())?;
    site::build()?;
    progress::step("building server, relay and load client", || {
        process::run(
            Command::new("cargo")
                .args(["build", "--release", "--package", "doorstep-server", "--package", "doorstep-simulator"])
                .args(["--bins", "--example", "relay"])
                .env("SQLX_OFFLINE", "true")
                .current_dir(workspace::root()),
        )
    })
    .or_remedy("something does not compile", "correct what the compiler names above")?;
    let postgres = progress::step("starting a throwaway Postgres", || Throwaway::start(Durability::Kept))?;
    let rounds = Rounds::new(&postgres, options.quick)?;
    let wanted = |target: &Target| options.row.as_deref().is_none_or(|row| row.eq_ignore_ascii_case(target.id));
    let mut rows = Vec::new();
    if wanted(&T1) {
        rows.push(storing(&rounds, T1, 1)?);
    }
    if wanted(&T2) {
        rows.push(storing(&rounds, T2, 20)?);
    }
    if wanted(&T5) {
        rows.extend(carrying(&rounds)?);
    }
    report::print(&rows);
    report::write(&rows)
}

/// Fixes acked in a second when more are offered than can be taken, against rows copied in a second.
fn storing(rounds: &Rounds<'_>, target: Target, fixes_per_message: u32) -> Result<Row> {
    let load = Load { couriers: 2_000, viewers: 1, rate_hz: rounds.offered_hz(fixes_per_message), fixes_per_message };
    let mut ratios = Vec::new();
    let mut detail = Vec::new();
    for round in rounds.all() {
        let copied = progress::step(&format!("{} round {round}: \\copy", target.id), || rounds.copied_per_s())?;
        let acked = progress::step(&format!("{} round {round}: server", target.id), || rounds.server(&load))?;
        detail.push(format!("{:.0}/{copied:.0}", acked.acked_per_s));
        ratios.push(acked.acked_per_s / copied);
    }
    Ok(Row::new(target, ratios, format!("acked/copied per s: {}", detail.join(" "))))
}

/// From a courier's send to a customer's receive, while everything is stored, against a relay that stores nothing.
fn carrying(rounds: &Rounds<'_>) -> Result<[Row; 2]> {
    let load = Load { couriers: 500, viewers: 1_000, rate_hz: 4.0, fixes_per_message: 1 };
    let (mut p50, mut p99, mut detail) = (Vec::new(), Vec::new(), Vec::new());
    for round in rounds.all() {
        let relay = progress::step(&format!("T5 round {round}: relay"), || rounds.relay(&load))?;
        let server = progress::step(&format!("T5 round {round}: server"), || rounds.server(&load))?;
        p50.push(server.delivery.p50_ms / relay.delivery.p50_ms);
        p99.push(server.delivery.p99_ms / relay.delivery.p99_ms);
        let [server, relay] =
            [server, relay].map(|run| format!("{:.2}/{:.2}", run.delivery.p50_ms, run.delivery.p99_ms));
        detail.push(format!("{server} to {relay}"));
    }
    let detail = format!("p50/p99 ms, server to relay: {}", detail.join(", "));
    Ok([Row::new(T5, p50, detail), Row::new(T5_P99, p99, String::new())])
}

impl Target {
    fn verdict(&self, ratio: f64) -> Verdict {
        let reaches = |bound: f64| match self.better {
            Better::Higher => ratio >= bound,
            Better::Lower => ratio <= bound,
        };
        match (reaches(self.stretch), reaches(self.must)) {
            (true, _) => Verdict::Stretch,
            (false, true) => Verdict::Must,
            (false, false) => Verdict::Missed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_judged_in_the_direction_of_its_target() {
        assert_eq!([0.09, 0.1, 0.2].map(|ratio| T1.verdict(ratio)), [Verdict::Missed, Verdict::Must, Verdict::Stretch]);
        assert_eq!([1.6, 1.5, 1.0].map(|ratio| T5.verdict(ratio)), [Verdict::Missed, Verdict::Must, Verdict::Stretch]);
    }
}
