//! The growth plot: what a delivery costs and how much memory the server holds, from 100 to 19 000 viewers.
//!
//! Orders have a hundred viewers each, and their number grows with the viewers, while the deliveries in a second stay
//! the same: what changes is only how many are connected.

use crate::bench::load::Load;
use crate::bench::measuring::Bench;
use crate::bench::report::{Row, figure};
use crate::bench::svg::{Diagram, Line, drawn};
use crate::bench::target::Target;
use crate::results;
use anyhow::{Context, Result};
use std::fs;
use xtask_support::progress;

const VIEWERS: [u32; 6] = [100, 300, 1_000, 3_000, 10_000, 19_000];
const VIEWERS_PER_ORDER: u32 = 100;
const DELIVERIES_PER_S: f64 = 4_000.0;

const GROWTH: Target = Target::told("growth", "CPU per delivery at 19 000 viewers, against 1 000");

/// Measures every size and draws the plot.
pub(super) fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let (mut cost, mut memory) = (Vec::new(), Vec::new());
    for viewers in VIEWERS {
        let load = Load {
            couriers: viewers / VIEWERS_PER_ORDER,
            viewers,
            dispatchers: 0,
            rate_hz: DELIVERIES_PER_S / f64::from(viewers),
            fixes_per_message: 1,
            duration_s: bench.size(12.0, 10.0),
        };
        let report = progress::step(&format!("growth: {viewers} viewers"), || bench.load(&load, &bench.doorstep()?))?;
        let server = report.server.context("the server was not watched")?;
        cost.push((f64::from(viewers), server.cpu_us_per_delivery));
        memory.push((f64::from(viewers), server.resident_bytes as f64 / 1e6));
    }
    draw(&cost, &memory)?;
    let at =
        |wanted: u32| cost.iter().find(|(viewers, _)| *viewers == f64::from(wanted)).map_or(f64::NAN, |(_, us)| *us);
    let told: Vec<_> = cost
        .iter()
        .zip(&memory)
        .map(|((viewers, us), (_, mb))| format!("{viewers}: {} µs, {} MB", figure(*us), figure(*mb)))
        .collect();
    Ok(vec![Row::new(GROWTH, vec![at(19_000) / at(1_000)], told.join("; "))])
}

fn draw(cost: &[(f64, f64)], memory: &[(f64, f64)]) -> Result<()> {
    let cost = Line { name: "µs for each delivery", colour: "#0b6bcb", points: cost.to_vec() };
    let memory = Line { name: "MB resident", colour: "#b3541e", points: memory.to_vec() };
    let diagrams = [
        Diagram { title: "CPU time of the server, 4 000 deliveries a second", lines: vec![cost] },
        Diagram { title: "Memory of the server", lines: vec![memory] },
    ];
    let svg = drawn(&diagrams, "viewers connected", &VIEWERS.map(f64::from));
    fs::create_dir_all(results::folder())?;
    fs::write(results::folder().join("growth.svg"), svg).context("writing growth.svg")
}
