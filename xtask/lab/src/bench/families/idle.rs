//! T10, T11 and T13: what a customer costs who only watches.
//!
//! Memory is the server's resident set, less what it had with the first two hundred customers, divided by how many came
//! after them: memory that a server needs once, for any number of customers, is no cost of one. The crowd grows in steps.
//! CPU is measured over whole rounds of heartbeats, and holds everything else that an idle server does.

use crate::bench::crowd::Crowd;
use crate::bench::measuring::Bench;
use crate::bench::report::{Row, figure};
use crate::bench::served::Served;
use crate::bench::target::Target;
use crate::machine;
use anyhow::{Result, ensure};
use doorstep_simulator::footprint;
use std::thread;
use std::time::{Duration, Instant};
use xtask_support::progress;

const T10: Target = Target::at_most("T10", "KiB resident for an idle viewer, at 10 000", 16.0, 11.0);
const RELAY: Target = Target::told("T10", "the same, against a bare relay");
const T11: Target = Target::at_most("T11", "growth of that from 1 000 to 19 000, as a part of it", 0.05, 0.02);
const T13: Target = Target::at_most("T13", "idle CPU for a viewer, µs/s", 4.7, 2.2);

/// How many connect at a time.
const AT_ONCE: u32 = 200;

/// Customers who make the server take what it needs once; they stay.
const FIRST: u32 = 200;

/// What a handshake needed is given back within this.
const CALM: Duration = Duration::from_secs(3);

/// Kilobytes for each viewer at the three sizes, and microseconds a second at the middle one.
struct Costs {
    kib: [f64; 3],
    idle_us_per_s: f64,
}

/// T10, T11 and T13.
pub(super) fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let sizes = bench.size([1_000, 10_000, 19_000], [500, 2_500, 5_000]);
    let (mut kib, mut of_relay, mut growth, mut cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut memory, mut relays) = (Vec::new(), Vec::new());
    for round in bench.rounds().take(bench.size(3, 1)) {
        let relay = progress::step(&format!("T10 round {round}: relay"), || {
            let relay = Served::example("relay")?;
            let (_first, before) = first(&relay)?;
            let (_crowd, _) = Crowd::gather(&relay, sizes[1] - FIRST, AT_ONCE, FIRST + 1)?;
            kib_each(&relay, before, sizes[1])
        })?;
        let server = progress::step(&format!("T10, T11, T13 round {round}: server"), || grow(bench, sizes))?;
        kib.push(server.kib[1]);
        of_relay.push(server.kib[1] / relay);
        growth.push((server.kib[2] / server.kib[0] - 1.0).abs());
        cpu.push(server.idle_us_per_s);
        memory.push(server.kib.map(figure).join("/"));
        relays.push(figure(relay));
    }
    let sizes = sizes.map(|size| size.to_string()).join("/");
    let detail = format!("KiB at {sizes} viewers: {}; relay: {}", memory.join(" "), relays.join(" "));
    Ok(vec![
        Row::new(T10, kib, detail),
        Row::new(RELAY, of_relay, ""),
        Row::new(T11, growth, "two client processes, because one has room for 20 000 sockets"),
        Row::new(T13, cpu, ""),
    ])
}

fn grow(bench: &Bench<'_>, sizes: [u32; 3]) -> Result<Costs> {
    let server = bench.doorstep()?;
    let (first, before) = first(&server)?;
    let (mut crowds, mut there) = (vec![first], FIRST);
    let (mut kib, mut idle_us_per_s) = ([0.0; 3], 0.0);
    for (step, size) in sizes.into_iter().enumerate() {
        let (crowd, admitted) = Crowd::gather(&server, size - there, AT_ONCE, there + 1)?;
        ensure!(admitted.losses == 0, "{} connections were lost", admitted.losses);
        crowds.push(crowd);
        there = size;
        kib[step] = kib_each(&server, before, size)?;
        if step == 1 {
            idle_us_per_s = idle_cpu(&server, bench.size(75, 15))? / f64::from(size);
        }
    }
    Ok(Costs { kib, idle_us_per_s })
}

/// The first customers, and the memory that the server has with them.
fn first(served: &Served) -> Result<(Crowd, f64)> {
    let (crowd, _) = Crowd::gather(served, FIRST, AT_ONCE, 1)?;
    calm();
    Ok((crowd, machine::resident_bytes(served.pid())?))
}

/// What each of `viewers` customers takes who came after the first.
fn kib_each(served: &Served, before: f64, viewers: u32) -> Result<f64> {
    calm();
    Ok((machine::resident_bytes(served.pid())? - before) / f64::from(viewers - FIRST) / 1024.0)
}

/// CPU time of the whole server in microseconds a second. 75 s hold whole numbers of heartbeats (15 s) and pings (25 s).
fn idle_cpu(server: &Served, seconds: u64) -> Result<f64> {
    let (before, began) = (footprint::cpu(server.pid())?, Instant::now());
    thread::sleep(Duration::from_secs(seconds));
    let used = footprint::cpu(server.pid())? - before;
    Ok(used.as_secs_f64() * 1e6 / began.elapsed().as_secs_f64())
}

fn calm() {
    thread::sleep(CALM);
}
