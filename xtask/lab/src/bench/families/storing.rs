//! T1–T4: how many fixes are stored in a second, and how long a courier waits for the ack.
//!
//! Baselines: `psql \copy` of as many rows into the same table; our own server storing each fix by itself through
//! sixteen connections; and the commit of a single row by `pgbench`.

use crate::bench::load::Load;
use crate::bench::measuring::Bench;
use crate::bench::report::Row;
use crate::bench::target::Target;
use anyhow::{Context, Result};
use doorstep_simulator::load::Report;
use std::fs;
use std::process::Command;
use std::time::Instant;
use xtask_support::postgres::programs;
use xtask_support::progress;

const T1: Target = Target::at_least("T1", "acked fixes/s, 1 a message, against \\copy", 0.10, 0.20);
const T2: Target = Target::at_least("T2", "acked fixes/s, 20 a message, against \\copy", 0.35, 0.50);
const T3: Target = Target::at_least("T3", "T1 against one INSERT per fix on 16 connections", 3.0, 6.0);
const T4: Target = Target::at_most("T4", "ack p50 at 20 % of T1's load, against a single-row commit", 2.0, 1.5);
const T4_P99: Target = Target::at_most("T4", "ack p99 at 20 % of T1's load, against the same p50", 4.0, 3.0);

/// Rows that the `\copy` baseline loads at once: some seconds' worth.
const COPIED_ROWS: u32 = 300_000;

/// Part of the load that was acked at most, at which the wait for an ack is measured.
const EASY: f64 = 0.2;

/// Each fix stored by itself.
const EACH_BY_ITSELF: [(&str, &str); 2] = [("DOORSTEP_FIX_WRITERS", "16"), ("DOORSTEP_FIX_BATCH_ROWS", "1")];

/// T1, T3 and T4.
pub(super) fn one_by_one(bench: &Bench<'_>) -> Result<Vec<Row>> {
    bench.probe_disk()?;
    let (mut of_copy, mut of_inserts, mut p50, mut p99) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut stored, mut single, mut waited) = (Vec::new(), Vec::new(), Vec::new());
    for round in bench.rounds() {
        let copied = progress::step(&format!("T1 round {round}: \\copy"), || copied_per_s(bench))?;
        let acked =
            progress::step(&format!("T1 round {round}: server"), || bench.load(&most(bench, 1), &bench.doorstep()?))?;
        of_copy.push(acked.acked_per_s / copied);
        stored.push(format!("{:.0}/{copied:.0}", acked.acked_per_s));
        if bench.wants("T3") {
            let each = progress::step(&format!("T3 round {round}: one INSERT per fix"), || inserts(bench))?;
            of_inserts.push(acked.acked_per_s / each.acked_per_s);
            single.push(format!("{:.0}", each.acked_per_s));
        }
        if bench.wants("T4") {
            let (commit_ms, ack) = progress::step(&format!("T4 round {round}"), || ack(bench, acked.acked_per_s))?;
            p50.push(ack.ack.p50_ms / commit_ms);
            p99.push(ack.ack.p99_ms / commit_ms);
            waited.push(format!("{:.2}/{:.2} to {commit_ms:.2}", ack.ack.p50_ms, ack.ack.p99_ms));
        }
    }
    let mut rows = Vec::new();
    if bench.wants("T1") {
        rows.push(Row::new(T1, of_copy, format!("acked/copied per s: {}", stored.join(" "))));
    }
    if bench.wants("T3") {
        rows.push(Row::new(T3, of_inserts, format!("acked per s with one INSERT per fix: {}", single.join(" "))));
    }
    if bench.wants("T4") {
        let offered = bench.size("", ", a quarter of the couriers");
        let detail = format!("ack p50/p99 to commit p50, ms{offered}: {}", waited.join(", "));
        rows.extend([Row::new(T4, p50, detail), Row::new(T4_P99, p99, "")]);
    }
    Ok(rows)
}

/// T2.
pub(super) fn in_batches(bench: &Bench<'_>) -> Result<Vec<Row>> {
    bench.probe_disk()?;
    let (mut ratios, mut detail) = (Vec::new(), Vec::new());
    for round in bench.rounds() {
        let copied = progress::step(&format!("T2 round {round}: \\copy"), || copied_per_s(bench))?;
        let acked =
            progress::step(&format!("T2 round {round}: server"), || bench.load(&most(bench, 20), &bench.doorstep()?))?;
        detail.push(format!("{:.0}/{copied:.0}", acked.acked_per_s));
        ratios.push(acked.acked_per_s / copied);
    }
    Ok(vec![Row::new(T2, ratios, format!("acked/copied per s: {}", detail.join(" ")))])
}

/// Somewhat more than this machine can take, so that the server is the bound, and not so much more that the client
/// drowns in what is waiting. A quick run has fewer couriers, each faster.
pub(super) fn most(bench: &Bench<'_>, fixes_per_message: u32) -> Load {
    let (couriers, faster) = bench.size((2_000, 1.0), (500, 4.0));
    let rate_hz = faster * if fixes_per_message == 1 { 20.0 } else { 3.0 };
    Load { couriers, viewers: 1, dispatchers: 0, rate_hz, fixes_per_message, duration_s: bench.duration_s() }
}

/// More than sixteen connections can take, and so little more that what waits does not overflow.
fn inserts(bench: &Bench<'_>) -> Result<Report> {
    let most = most(bench, 1);
    let load = Load { rate_hz: most.rate_hz / 4.0, duration_s: bench.size(10.0, 5.0), ..most };
    let served = bench.doorstep_on(&bench.fresh_database()?, &EACH_BY_ITSELF)?;
    bench.load(&load, &served)
}

/// The commit of a single row, median in milliseconds, and acks at a load that the server takes easily.
fn ack(bench: &Bench<'_>, most_per_s: f64) -> Result<(f64, Report)> {
    let database = migrated_database(bench)?;
    let commit_ms = single_commit_ms(bench, &database)?;
    let couriers = bench.size(2_000, 500);
    let rate_hz = EASY * most_per_s / f64::from(couriers);
    let load =
        Load { couriers, rate_hz, viewers: 1, dispatchers: 0, fixes_per_message: 1, duration_s: bench.duration_s() };
    Ok((commit_ms, bench.load(&load, &bench.doorstep_on(&database, &[])?)?))
}

fn single_commit_ms(bench: &Bench<'_>, database: &str) -> Result<f64> {
    let script = bench.folder().join("single.sql");
    let insert = "insert into fixes (courier_id, fixed_at, received_at, lat, lon) \
                  values (gen_random_uuid(), now(), now(), 35.9, 14.5);\n";
    fs::write(&script, insert).context("writing single.sql")?;
    let prefix = bench.folder().join("single");
    let mut pgbench = Command::new(programs().context("Postgres is not installed")?.join("pgbench"));
    pgbench.args(["--no-vacuum", "--client=1", "--protocol=prepared", "--time=3", "--log", "--log-prefix"]);
    pgbench.arg(&prefix).arg("--file").arg(&script).arg(bench.postgres().url(database));
    let mut child = pgbench
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .context("pgbench cannot be started")?;
    let pid = child.id();
    anyhow::ensure!(child.wait()?.success(), "pgbench failed");
    let log = bench.folder().join(format!("single.{pid}"));
    let text = fs::read_to_string(&log).context("pgbench wrote no log")?;
    let _ = fs::remove_file(&log);
    // Client, transaction, latency in microseconds, and more.
    let mut us: Vec<f64> = text.lines().filter_map(|line| line.split(' ').nth(2)?.parse().ok()).collect();
    us.sort_by(f64::total_cmp);
    Ok(us.get(us.len() / 2).context("pgbench committed nothing")? / 1_000.0)
}

/// A database with the server's tables and today's partition.
pub(super) fn migrated_database(bench: &Bench<'_>) -> Result<String> {
    let database = bench.fresh_database()?;
    drop(bench.doorstep_on(&database, &[])?);
    Ok(database)
}

/// Rows a second that `psql \copy` puts into the same table, with the same key, on the same disk.
fn copied_per_s(bench: &Bench<'_>) -> Result<f64> {
    let database = migrated_database(bench)?;
    let rows = bench.folder().join("rows.csv");
    script(bench, &database, &format!("\\copy ({}) to '{}' csv", rows_to_copy(), rows.display()))?;
    let started = Instant::now();
    script(bench, &database, &format!("\\copy fixes ({COLUMNS}) from '{}' csv", rows.display()))?;
    Ok(f64::from(COPIED_ROWS) / started.elapsed().as_secs_f64())
}

/// What the server stores of a fix.
pub(super) const COLUMNS: &str =
    "courier_id, fixed_at, received_at, lat, lon, accuracy_m, speed_mps, heading_deg, altitude_m, battery";

/// Has psql run one line, which may be a command of its own.
pub(super) fn script(bench: &Bench<'_>, database: &str, line: &str) -> Result<()> {
    let file = bench.folder().join("script.sql");
    fs::write(&file, format!("{line}\n")).context("writing script.sql")?;
    bench.postgres().run_file(database, &file)
}

/// What Postgres makes the rows from: 2 000 couriers in turn, a fix a second each, ending now.
fn rows_to_copy() -> String {
    format!(
        "select ('00000000-0000-7000-8000-' || lpad((row % 2000)::text, 12, '0'))::uuid, at, at, \
         35.9 + row * 1e-8, 14.5 + row * 1e-8, 6.5, 4.2, 182, 12, 0.81 \
         from (select row, date_trunc('second', now()) - make_interval(secs => ({COPIED_ROWS} - row) / 2000) as at \
         from generate_series(1, {COPIED_ROWS}) as row) as drive"
    )
}
