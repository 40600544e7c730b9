//! T5: from a courier's send to a customer's receive, while everything is stored, against a relay that stores nothing.
//!
//! The server shares its cores with Postgres; the relay has them alone. So that the table says what the database alone
//! costs, each round also measures the relay beside a database that stores as many rows in the same way.

use super::busy::Busy;
use crate::bench::load::Load;
use crate::bench::measuring::Bench;
use crate::bench::report::Row;
use crate::bench::served::Served;
use crate::bench::target::Target;
use anyhow::Result;
use xtask_support::progress;

const T5: Target =
    Target::at_most("T5", "courier to customer p50, 500 × 2 at 2 000 fixes/s, against a relay", 1.5, 1.2);
const T5_P99: Target = Target::at_most("T5", "the same, p99", 2.0, 1.5);
const BESIDE: Target = Target::told("T5", "the same, p99, against a relay beside a database as busy");

/// The row, its 99th percentile, and the latter against a relay that shares its cores with a database.
pub(super) fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    bench.probe_disk()?;
    let load = Load {
        couriers: 500,
        viewers: 1_000,
        dispatchers: 0,
        rate_hz: 4.0,
        fixes_per_message: 1,
        duration_s: bench.duration_s(),
    };
    let (mut p50, mut p99, mut beside, mut detail) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in bench.rounds() {
        let relay =
            progress::step(&format!("T5 round {round}: relay"), || bench.load(&load, &Served::example("relay")?))?;
        let server = progress::step(&format!("T5 round {round}: server"), || bench.load(&load, &bench.doorstep()?))?;
        p50.push(server.delivery.p50_ms / relay.delivery.p50_ms);
        p99.push(server.delivery.p99_ms / relay.delivery.p99_ms);
        let mut told = format!(
            "{:.2}/{:.2} to {:.2}/{:.2}",
            server.delivery.p50_ms, server.delivery.p99_ms, relay.delivery.p50_ms, relay.delivery.p99_ms
        );
        if bench.size(true, false) {
            let busy = progress::step(&format!("T5 round {round}: relay beside a database"), || {
                let _database = Busy::start(bench)?;
                bench.load(&load, &Served::example("relay")?)
            })?;
            beside.push(server.delivery.p99_ms / busy.delivery.p99_ms);
            told.push_str(&format!(" or {:.2}/{:.2} beside a database", busy.delivery.p50_ms, busy.delivery.p99_ms));
        }
        detail.push(told);
    }
    let detail = format!("p50/p99 ms, server to relay: {}", detail.join(", "));
    let mut rows = vec![Row::new(T5, p50, detail), Row::new(T5_P99, p99, "")];
    if !beside.is_empty() {
        rows.push(Row::new(BESIDE, beside, ""));
    }
    Ok(rows)
}
