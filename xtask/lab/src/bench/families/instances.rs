//! T20: couriers on one instance and customers on another, through Redis, against all of them on one.
//!
//! The CPU time is that of both instances together; Redis itself is not counted.

use crate::bench::load::Load;
use crate::bench::measuring::{Bench, load_client};
use crate::bench::report::{Row, figure};
use crate::bench::served::Redis;
use crate::bench::target::Target;
use anyhow::Result;
use doorstep_simulator::load::Report;
use xtask_support::{process, progress};

const P50: Target =
    Target::at_most("T20", "p50 from one instance to another through Redis, against one instance", 3.0, 2.0);
const CPU: Target = Target::at_most("T20", "the same, CPU per delivery of both", 1.6, 1.3);

/// Both rows.
pub(super) fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let load = Load {
        couriers: 500,
        viewers: 1_000,
        dispatchers: 0,
        rate_hz: 2.0,
        fixes_per_message: 1,
        duration_s: bench.duration_s(),
    };
    let (mut p50, mut cpu, mut detail) = (Vec::new(), Vec::new(), Vec::new());
    for round in bench.rounds() {
        let alone = progress::step(&format!("T20 round {round}: one"), || bench.load(&load, &bench.doorstep()?))?;
        let apart = progress::step(&format!("T20 round {round}: two"), || apart(bench, &load))?;
        p50.push(apart.delivery.p50_ms / alone.delivery.p50_ms);
        cpu.push(apart.cpu_us_per_delivery() / alone.cpu_us_per_delivery());
        let [apart, alone] = [apart, alone].map(|report| {
            format!(
                "{}/{}/{}",
                figure(report.delivery.p50_ms),
                figure(report.delivery.p99_ms),
                figure(report.cpu_us_per_delivery())
            )
        });
        detail.push(format!("{apart} to {alone}"));
    }
    let detail = format!("p50 ms/p99 ms/CPU µs, two instances to one: {}", detail.join(", "));
    Ok(vec![Row::new(P50, p50, detail), Row::new(CPU, cpu, "")])
}

fn apart(bench: &Bench<'_>, load: &Load) -> Result<Report> {
    let (database, redis) = (bench.fresh_database()?, Redis::start(bench.folder())?);
    let settings = [("DOORSTEP_REDIS_URL", redis.url())];
    let of_couriers = bench.doorstep_on(&database, &settings)?;
    let of_viewers = bench.doorstep_on(&database, &settings)?;
    let report = bench.folder().join("report.json");
    let mut client = load_client(load, &of_couriers, &report, true)?;
    client.args(["--viewer-server", &of_viewers.url("http"), "--server-pid", &of_viewers.pid().to_string()]);
    process::run_quietly(&mut client)?;
    bench.read(&report)
}
