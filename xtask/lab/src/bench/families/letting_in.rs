//! T14 and T16: how fast many customers get in at once, and whether memory comes back when they leave.

use crate::bench::crowd::Crowd;
use crate::bench::measuring::Bench;
use crate::bench::report::{Row, figure};
use crate::bench::served::Served;
use crate::bench::target::Target;
use crate::machine::{self, descriptors};
use anyhow::Result;
use std::thread;
use std::time::Duration;
use xtask_support::progress;

const T14: Target =
    Target::at_least("T14", "connect + authorise + snapshot, 10 000 at once, against a relay", 0.4, 0.6);
const ERRORS: Target =
    Target { stretch: None, ..Target::at_most("T14", "connections lost or refused meanwhile", 0.0, 0.0) };
const T16: Target = Target::at_most("T16", "resident after 10 cycles of 5 000 viewers, against after 5", 1.05, 1.02);

const CYCLES: usize = 10;
const PATIENCE: Duration = Duration::from_secs(30);
const CALM: Duration = Duration::from_secs(1);

/// Both rows.
pub(super) fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    if bench.wants("T14") {
        rows.extend(rush(bench)?);
    }
    if bench.wants("T16") {
        rows.push(churn(bench)?);
    }
    Ok(rows)
}

fn rush(bench: &Bench<'_>) -> Result<[Row; 2]> {
    let viewers = bench.size(10_000, 3_000);
    let per_s = |served: &Served| {
        let (_crowd, admitted) = Crowd::gather(served, viewers, viewers, 1)?;
        Ok((f64::from(viewers) / admitted.seconds, admitted.losses as f64))
    };
    let (mut ratios, mut errors, mut detail) = (Vec::new(), Vec::new(), Vec::new());
    for round in bench.rounds() {
        let (accepted, _) = progress::step(&format!("T14 round {round}: relay"), || per_s(&Served::example("relay")?))?;
        let (let_in, lost) = progress::step(&format!("T14 round {round}: server"), || per_s(&bench.doorstep()?))?;
        ratios.push(let_in / accepted);
        errors.push(lost);
        detail.push(format!("{let_in:.0}/{accepted:.0}"));
    }
    let detail = format!("{viewers} at once; customers per s, server/relay: {}", detail.join(" "));
    Ok([Row::new(T14, ratios, detail), Row::new(ERRORS, errors, "")])
}

fn churn(bench: &Bench<'_>) -> Result<Row> {
    let viewers = bench.size(5_000, 1_000);
    let server = bench.doorstep()?;
    let quiet = descriptors::count(server.pid())?;
    let mut after = Vec::new();
    for cycle in 1..=CYCLES {
        progress::step(&format!("T16 cycle {cycle}"), || {
            drop(Crowd::gather(&server, viewers, 200, 1)?);
            // A few connections of the load client's REST calls and of the pool may stay.
            descriptors::wait_for_at_most(server.pid(), quiet + 50, PATIENCE)?;
            thread::sleep(CALM);
            after.push(machine::resident_bytes(server.pid())?);
            Ok(())
        })?;
    }
    let detail: Vec<_> = after.iter().map(|bytes| figure(bytes / 1e6)).collect();
    let ratio = after[CYCLES - 1] / after[CYCLES / 2 - 1];
    Ok(Row::new(T16, vec![ratio], format!("MB after each cycle of {viewers}: {}", detail.join(" "))))
}
