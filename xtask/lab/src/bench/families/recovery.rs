//! T19: how long customers see nothing new when the server is killed and started again at once.

use crate::bench::load::Load;
use crate::bench::measuring::{Bench, load_client};
use crate::bench::report::{Row, figure};
use crate::bench::target::Target;
use anyhow::{Context, Result, ensure};
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use xtask_support::progress;

const T19: Target = Target::at_most("T19", "seconds from kill -9 until viewers are current again, p99", 5.0, 2.0);

/// After the handshakes, in the middle of the schedule.
const KILL_AFTER: Duration = Duration::from_secs(12);

/// The row.
pub(super) fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    bench.probe_disk()?;
    let (couriers, viewers) = bench.size((500, 1_000), (100, 200));
    let load = Load {
        couriers,
        viewers,
        dispatchers: 0,
        rate_hz: 2.0,
        fixes_per_message: 1,
        duration_s: bench.size(25.0, 20.0),
    };
    let (mut seconds, mut detail) = (Vec::new(), Vec::new());
    for round in bench.rounds() {
        let (silence_s, most_s, ready_s) = progress::step(&format!("T19 round {round}"), || kill(bench, &load))?;
        seconds.push(silence_s);
        detail.push(format!("{}/{}/{}", figure(silence_s), figure(most_s), figure(ready_s)));
    }
    let detail = format!("{couriers} couriers, {viewers} viewers; s, p99/longest/until ready: {}", detail.join(" "));
    Ok(vec![Row::new(T19, seconds, detail)])
}

fn kill(bench: &Bench<'_>, load: &Load) -> Result<(f64, f64, f64)> {
    let mut server = bench.doorstep()?;
    let report = bench.folder().join("recovery.json");
    let mut client = load_client(load, &server, &report, false)?;
    let mut client = client
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("the load client cannot be started")?;
    thread::sleep(KILL_AFTER);
    let ready = server.kill_and_start_again()?;
    ensure!(client.wait()?.success(), "the load client found a broken promise");
    let silence = bench.read(&report)?.longest_silence;
    Ok((silence.p99_ms / 1_000.0, silence.max_ms / 1_000.0, ready.as_secs_f64()))
}
