//! T12: whether busy orders notice that many other customers are connected.

use crate::bench::crowd::Crowd;
use crate::bench::load::Load;
use crate::bench::measuring::Bench;
use crate::bench::report::{Row, figure};
use crate::bench::target::Target;
use anyhow::Result;
use xtask_support::progress;

const T12: Target = Target::at_most("T12", "p99 of 100 busy orders with 19 000 idle viewers, against none", 1.5, 1.2);

/// Alone, then among the crowd, on the same server.
pub(super) fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    bench.probe_disk()?;
    let idle = bench.size(19_000, 4_000);
    let load = Load {
        couriers: 100,
        viewers: 200,
        dispatchers: 0,
        rate_hz: 4.0,
        fixes_per_message: 1,
        duration_s: bench.duration_s(),
    };
    let (mut ratios, mut detail) = (Vec::new(), Vec::new());
    for round in bench.rounds() {
        let server = bench.doorstep()?;
        let alone = progress::step(&format!("T12 round {round}: alone"), || bench.load(&load, &server))?;
        let among = progress::step(&format!("T12 round {round}: among {idle}"), || {
            let (_crowd, _) = Crowd::gather(&server, idle, 200, 1)?;
            bench.load(&load, &server)
        })?;
        ratios.push(among.delivery.p99_ms / alone.delivery.p99_ms);
        detail.push(format!("{}/{}", figure(among.delivery.p99_ms), figure(alone.delivery.p99_ms)));
    }
    Ok(vec![Row::new(T12, ratios, format!("p99 ms with {idle} idle/none: {}", detail.join(" ")))])
}
